# cmake -D first=FILE -D second=FILE -P expect_same_results.cmake: fails unless two results of an example, as JSON, are the
# same outside `run`, which tells of threads and seconds.
foreach(which IN ITEMS first second)
  file(READ "${${which}}" content)
  string(JSON ${which}_results REMOVE "${content}" run)
endforeach()
if(NOT first_results STREQUAL second_results)
  message(FATAL_ERROR "${first} and ${second} differ outside `run`; expected the same")
endif()

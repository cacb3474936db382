# cmake -D compiler=... -D "flags=FLAG FLAG" -D include_directories=... -D "headers=FILE;FILE" -D sentence=...
#       -P refused.cmake
# Passes where the first error of every header, compiled alone with the flags, is the sentence.
list(TRANSFORM include_directories PREPEND "-I" OUTPUT_VARIABLE include_options)
separate_arguments(flags)
foreach(header IN LISTS headers)
  execute_process(
    COMMAND "${compiler}" -std=c++20 -fsyntax-only -Wfatal-errors ${flags} ${include_options} -x c++ "${header}"
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(FIND "${output}" "${sentence}" position)
  if(result EQUAL 0 OR position EQUAL -1)
    message(FATAL_ERROR "${header} with ${flags}: expected the error\n  ${sentence}\ngot\n${output}")
  endif()
endforeach()

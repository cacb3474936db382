# cmake -P expect_failure.cmake -- PROGRAM ARGUMENT...
# Passes where the program ends by itself with a non-zero exit code; a crash is not a refusal.
set(command "")
set(is_command FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(index RANGE ${last})
  if(is_command)
    list(APPEND command "${CMAKE_ARGV${index}}")
  elseif(CMAKE_ARGV${index} STREQUAL "--")
    set(is_command TRUE)
  endif()
endforeach()

execute_process(COMMAND ${command} RESULT_VARIABLE result)
# Where a signal ended the program, the result is the signal's name.
if(NOT result MATCHES "^[0-9]+$" OR result EQUAL 0 OR result GREATER 127)
  message(FATAL_ERROR "expected a non-zero exit code, got: ${result}")
endif()

# cmake [-D message=TEXT] -P expect_failure.cmake -- PROGRAM ARGUMENT...
# Passes where the program ends by itself with a non-zero exit code, and prints TEXT if that is given; a crash is not a
# refusal.
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

execute_process(
  COMMAND ${command}
  RESULT_VARIABLE result
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output
  ECHO_OUTPUT_VARIABLE
  ECHO_ERROR_VARIABLE)
# Where a signal ended the program, the result is the signal's name.
if(NOT result MATCHES "^[0-9]+$" OR result EQUAL 0 OR result GREATER 127)
  message(FATAL_ERROR "expected a non-zero exit code, got: ${result}")
endif()
if(DEFINED message)
  string(FIND "${output}" "${message}" position)
  if(position EQUAL -1)
    message(FATAL_ERROR "expected the message: ${message}")
  endif()
endif()

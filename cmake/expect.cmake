# cmake -D outcome=success|failure [-D message=TEXT] [-D pattern=REGEX] [-D creates=FILE] [-D leaves_out=FILE]
#       -P expect.cmake -- PROGRAM ARGUMENT...
# Passes where the program ends by itself with the exit code 0, or another one; a crash is no failure. Where they are
# given, it must print TEXT, print what REGEX matches, create FILE, or not create it.
set(command "")
set(is_command FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(index RANGE ${last})
  if(is_command)
    string(APPEND command " [==[${CMAKE_ARGV${index}}]==]")  # no list, which would lose empty arguments
  elseif(CMAKE_ARGV${index} STREQUAL "--")
    set(is_command TRUE)
  endif()
endforeach()

foreach(file "${creates}" "${leaves_out}")
  if(file)
    file(REMOVE "${file}")
  endif()
endforeach()
cmake_language(EVAL CODE "execute_process(
  COMMAND ${command}
  RESULT_VARIABLE result
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output
  ECHO_OUTPUT_VARIABLE
  ECHO_ERROR_VARIABLE)")
# Where a signal ended the program, the result is the signal's name.
if(outcome STREQUAL "success" AND NOT result STREQUAL "0")
  message(FATAL_ERROR "expected the exit code 0, got: ${result}")
elseif(outcome STREQUAL "failure" AND (NOT result MATCHES "^[0-9]+$" OR result EQUAL 0 OR result GREATER 127))
  message(FATAL_ERROR "expected a non-zero exit code, got: ${result}")
elseif(NOT outcome MATCHES "^(success|failure)$")
  message(FATAL_ERROR "outcome is \"${outcome}\"; expected success or failure")
endif()
if(DEFINED message)
  string(FIND "${output}" "${message}" position)
  if(position EQUAL -1)
    message(FATAL_ERROR "expected the message: ${message}")
  endif()
endif()
if(NOT "${pattern}" STREQUAL "" AND NOT output MATCHES "${pattern}")
  message(FATAL_ERROR "expected output that matches: ${pattern}")
endif()
if(creates AND NOT EXISTS "${creates}")
  message(FATAL_ERROR "expected the file: ${creates}")
endif()
if(leaves_out AND EXISTS "${leaves_out}")
  message(FATAL_ERROR "expected no file: ${leaves_out}")
endif()

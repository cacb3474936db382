# cmake -D include_dir=DIRECTORY -D tests_dir=DIRECTORY -P enumerations.cmake
#
# Fails where an enumeration of a header below DIRECTORY/gal has no table of names beside it, or where no test compares the
# table with the compiler's names.
cmake_minimum_required(VERSION 3.22)

file(GLOB_RECURSE tests "${tests_dir}/*_test.cpp" "${tests_dir}/*_test.cu")
set(checked "")  # all lines that do
foreach(test IN LISTS tests)
  file(STRINGS "${test}" lines REGEX "has_the_compilers_names<")
  string(APPEND checked "${lines}")
endforeach()

set(faults "")
set(count 0)
file(GLOB_RECURSE headers RELATIVE "${include_dir}" "${include_dir}/gal/*.hpp")
foreach(header IN LISTS headers)
  file(STRINGS "${include_dir}/${header}" lines REGEX "^ *enum (class|struct) [a-z0-9_]+")
  file(READ "${include_dir}/${header}" text)
  foreach(line IN LISTS lines)
    string(REGEX MATCH "enum (class|struct) ([a-z0-9_]+)" found "${line}")
    set(name "${CMAKE_MATCH_2}")
    math(EXPR count "${count} + 1")
    string(FIND "${text}" "constexpr auto enumerator_names(${name})" table)
    if(table EQUAL -1)
      list(APPEND faults "${header}: ${name} has no enumerator_names beside it")
    elseif(NOT checked MATCHES "[:<]${name}>")
      list(APPEND faults "${header}: no test checks the names of ${name}")
    endif()
  endforeach()
endforeach()

foreach(fault IN LISTS faults)
  message(NOTICE "${fault}")  # an error would be wrapped
endforeach()
if(faults)
  message(FATAL_ERROR "not every enumeration has its names")
endif()
message(STATUS "${count} enumerations have their names")

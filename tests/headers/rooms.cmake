# cmake -D include_dir=DIRECTORY -P rooms.cmake
#
# Reads what the headers below DIRECTORY/gal include. Fails where one includes a header of a room above its own, or the
# innards (detail/) of another room; those of core/, the ground floor, are everybody's.
cmake_minimum_required(VERSION 3.22)

set(rooms core stats backends io nn loss optim data predict taylor train fit study adapters)  # from the ground up

set(faults "")
file(GLOB_RECURSE headers RELATIVE "${include_dir}" "${include_dir}/gal/*.hpp")
foreach(header IN LISTS headers)
  # The umbrellas beside the rooms include whatever they like.
  if(NOT header MATCHES "^gal/([a-z_]+)/" OR CMAKE_MATCH_1 STREQUAL "third_party")
    continue()
  endif()
  set(room "${CMAKE_MATCH_1}")
  list(FIND rooms "${room}" floor)
  if(floor EQUAL -1)
    list(APPEND faults "${header}: ${room} is no room; the rooms are ${rooms}")
    continue()
  endif()
  file(STRINGS "${include_dir}/${header}" lines REGEX "^ *# *include *[<\"]gal/")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE ".*[<\"](gal/[^>\"]+)[>\"].*" "\\1" included "${line}")
    if(NOT included MATCHES "^gal/([a-z_]+)/")
      list(APPEND faults "${header} includes ${included}, which is an umbrella; expected the headers that it needs")
      continue()
    endif()
    set(other "${CMAKE_MATCH_1}")
    if(other STREQUAL "third_party" OR other STREQUAL room)
      continue()
    endif()
    list(FIND rooms "${other}" other_floor)
    if(other_floor GREATER floor)
      list(APPEND faults "${header} includes ${included}, which lies above it")
    elseif(included MATCHES "/detail/" AND NOT other STREQUAL "core")
      list(APPEND faults "${header} includes ${included}, innards of another room")
    endif()
  endforeach()
endforeach()

foreach(fault IN LISTS faults)
  message(NOTICE "${fault}")  # an error would be wrapped
endforeach()
if(faults)
  message(FATAL_ERROR "the headers are not in the order of the rooms")
endif()
list(LENGTH headers count)
message(STATUS "${count} headers include downwards only")

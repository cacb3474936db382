# gal_build_record: a library of what a run's results are recorded with: the commit of the checkout, the build type and
# the compiler's flags (examples/support/run_record.hpp). The commit is looked up in every build, and its file written
# anew only where it has changed: a commit compiles one small file, and links the programs that use it.
#
# Run as a script (cmake -D git=GIT -D source=DIRECTORY -D output=FILE -P), it writes that file.
if(CMAKE_SCRIPT_MODE_FILE)
  set(commit "")
  set(changes "")
  if(git)
    # Of this project's own checkout: a folder in somebody else's has their commits.
    execute_process(COMMAND "${git}" -C "${source}" rev-parse --show-toplevel
      OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    file(REAL_PATH "${source}" source)
    if(top STREQUAL source)
      execute_process(COMMAND "${git}" -C "${source}" rev-parse HEAD
        OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
      execute_process(COMMAND "${git}" --no-optional-locks -C "${source}" status --porcelain --untracked-files=no
        OUTPUT_VARIABLE changes OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    endif()
  endif()
  if(changes)
    string(APPEND commit " with changes")
  endif()
  string(CONCAT text "#include \"support/run_record.hpp\"\n"
    "const char* const support::build_commit = \"${commit}\";\n"
    "const char* const support::build_type = GAL_BUILD_TYPE;\n"
    "const char* const support::build_flags = GAL_BUILD_FLAGS;\n")
  set(before "")
  if(EXISTS "${output}")
    file(READ "${output}" before)
  endif()
  if(NOT before STREQUAL text)
    file(WRITE "${output}" "${text}")
  endif()
  return()
endif()

find_package(Git QUIET)
set(gal_build_record_file "${PROJECT_BINARY_DIR}/gal_build_record.cpp")
add_custom_target(gal_look_up_commit
  COMMAND ${CMAKE_COMMAND} -D "git=${GIT_EXECUTABLE}" -D "source=${PROJECT_SOURCE_DIR}"
    -D "output=${gal_build_record_file}" -P "${CMAKE_CURRENT_LIST_FILE}"
  BYPRODUCTS "${gal_build_record_file}"
  VERBATIM)

add_library(gal_build_record STATIC "${gal_build_record_file}")
add_dependencies(gal_build_record gal_look_up_commit)
target_compile_features(gal_build_record PUBLIC cxx_std_20)
target_include_directories(gal_build_record PUBLIC
  "${PROJECT_SOURCE_DIR}/examples" "${PROJECT_SOURCE_DIR}/include")
set(gal_build_types ${CMAKE_CONFIGURATION_TYPES})
if(NOT gal_build_types)
  set(gal_build_types "${CMAKE_BUILD_TYPE}")
endif()
foreach(type IN LISTS gal_build_types)
  string(TOUPPER "${type}" upper)
  string(STRIP "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${upper}}" flags)
  target_compile_definitions(gal_build_record PRIVATE
    "$<$<CONFIG:${type}>:GAL_BUILD_TYPE=\"${type}\">" "$<$<CONFIG:${type}>:GAL_BUILD_FLAGS=\"${flags}\">")
endforeach()

# cmake -D compiler=... -D include_directories=... -D source=... -P check.cmake
# Passes where the source does not compile and the compiler says every sentence that stands behind
# an `// expected: ` in the source.
list(TRANSFORM include_directories PREPEND "-I" OUTPUT_VARIABLE include_options)
set(ENV{LC_ALL} C)  # untranslated messages with plain quotes
execute_process(
  COMMAND "${compiler}" -std=c++20 -fsyntax-only ${include_options} "${source}"
  RESULT_VARIABLE result
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output)
if(result EQUAL 0)
  message(FATAL_ERROR "${source} compiles, but must not")
endif()

file(READ "${source}" remaining)
if(NOT remaining MATCHES "// expected: ")
  message(FATAL_ERROR "${source} has no line `// expected: SENTENCE`")
endif()
# Not a list of lines: brackets and semicolons in a sentence would disturb it.
while(remaining MATCHES "// expected: ([^\n]+)(.*)")
  set(sentence "${CMAKE_MATCH_1}")
  set(remaining "${CMAKE_MATCH_2}")
  string(FIND "${output}" "${sentence}" position)
  if(position EQUAL -1)
    message(FATAL_ERROR "${source}: the compiler did not say\n  ${sentence}\nbut\n${output}")
  endif()
endwhile()

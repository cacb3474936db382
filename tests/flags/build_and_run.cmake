# cmake -D "compiler=LAUNCHER;COMPILER" -D "flags=FLAG FLAG" -D "link_flags=FLAG" -D include_directories=...
#       -D source=... -D program=... -D data=... -P build_and_run.cmake
# Passes where the source, compiled with the flags and linked with these and `link_flags`, runs and returns 0.
list(TRANSFORM include_directories PREPEND "-I" OUTPUT_VARIABLE include_options)
separate_arguments(flags)
separate_arguments(link_flags)
foreach(command IN ITEMS
    "${compiler};-std=c++20;-O2;${flags};${include_options};-c;${source};-o;${program}.o"
    "${compiler};${flags};${link_flags};${program}.o;-o;${program}"
    "${program};${data}")
  execute_process(COMMAND ${command} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${command}\nended with ${result}:\n${output}")
  endif()
endforeach()

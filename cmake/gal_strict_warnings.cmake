# The warnings that our own executables are built with. Never used on gal::gal: a user's warnings
# are the user's.
function(gal_strict_warnings target)
  if(MSVC)
    target_compile_options(${target} PRIVATE /W4 $<$<BOOL:${GAL_WARNINGS_AS_ERRORS}>:/WX>)
  else()
    target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion>"
      $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${GAL_WARNINGS_AS_ERRORS}>>:-Werror>
      # The host code that nvcc writes is not ours to warn of.
      "$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra>"
      "$<$<AND:$<COMPILE_LANGUAGE:CUDA>,$<BOOL:${GAL_WARNINGS_AS_ERRORS}>>:--Werror=all-warnings>")
  endif()
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
endfunction()

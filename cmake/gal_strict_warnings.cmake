# The warnings that our own executables are built with. Never used on gal::gal: a user's warnings
# are the user's.
function(gal_strict_warnings target)
  if(MSVC)
    target_compile_options(${target} PRIVATE /W4 $<$<BOOL:${GAL_WARNINGS_AS_ERRORS}>:/WX>)
  else()
    target_compile_options(${target} PRIVATE
      -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<$<BOOL:${GAL_WARNINGS_AS_ERRORS}>:-Werror>)
  endif()
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
endfunction()

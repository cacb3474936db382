# A build without a build type is not optimised, which nobody wants of a numerical library.
get_property(gal_is_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(NOT gal_is_multi_config AND NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
endif()

find_program(GAL_CCACHE ccache DOC "Compiler cache, used where it is found")
mark_as_advanced(GAL_CCACHE)
if(GAL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${GAL_CCACHE}")
endif()

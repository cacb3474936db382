# Says once that a project which uses gal is not optimised: its loops and Eigen's then take tens of times as long.
get_property(gal_is_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
get_property(gal_has_warned GLOBAL PROPERTY GAL_HAS_WARNED_UNOPTIMISED)
if(NOT gal_is_multi_config AND NOT CMAKE_BUILD_TYPE AND NOT gal_has_warned AND NOT "${CMAKE_CXX_FLAGS} " MATCHES "[-/]O[1-3sxfg]")
  set_property(GLOBAL PROPERTY GAL_HAS_WARNED_UNOPTIMISED TRUE)
  message(WARNING "gal: this build has no type, so that nothing is optimised, and training takes tens of times as long; "
    "configure it with -D CMAKE_BUILD_TYPE=Release")
endif()

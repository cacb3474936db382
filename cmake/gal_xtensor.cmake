# The target of gal/adapters/xtensor.hpp: gal::xtensor, where xtensor is found.
# Included by the project and, for the component xtensor, by its installed package.
if(NOT TARGET xtensor)
  find_package(xtensor 0.24...<0.26 CONFIG QUIET)  # later versions have their headers elsewhere
endif()
if(TARGET xtensor AND NOT TARGET gal::xtensor)
  add_library(gal::xtensor INTERFACE IMPORTED GLOBAL)
  target_link_libraries(gal::xtensor INTERFACE gal::gal xtensor)
endif()

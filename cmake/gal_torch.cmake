# The target of the adapter for libtorch, gal/adapters/torch.hpp: gal::torch, where libtorch is found.
# Included by the project with GAL_TORCH and, for the component torch, by its installed package. `gal_include_dir` holds
# gal/.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL TRUE)  # for projects that have gal as a folder
find_package(Torch QUIET)
unset(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL)

if(Torch_FOUND AND NOT TARGET gal::torch)
  add_library(gal::torch INTERFACE IMPORTED GLOBAL)
  target_compile_features(gal::torch INTERFACE cxx_std_20)
  target_include_directories(gal::torch INTERFACE "${gal_include_dir}")
  separate_arguments(gal_torch_flags UNIX_COMMAND "${TORCH_CXX_FLAGS}")  # the ABI of binaries from elsewhere
  target_compile_options(gal::torch INTERFACE ${gal_torch_flags})
  target_link_libraries(gal::torch INTERFACE ${TORCH_LIBRARIES})
endif()

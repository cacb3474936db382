# The targets of the device backend, gal/backends/thrust.hpp:
#   gal::thrust_cpp, gal::thrust_openmp   on the processor, for any C++20 compiler, where Thrust's headers are found
#   gal::thrust                           on CUDA, where the CUDA language is enabled
# Included by the project and, for the component thrust, by its installed package. `gal_include_dir` holds gal/.
find_path(GAL_THRUST_INCLUDE_DIR thrust/version.h
  PATHS /usr/local/cuda
  PATH_SUFFIXES include/cccl include
  DOC "The folder that holds thrust/ (Debian's libthrust-dev, or CCCL of the CUDA Toolkit)")
mark_as_advanced(GAL_THRUST_INCLUDE_DIR)

function(gal_add_thrust_on_processor target system)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_compile_features(${target} INTERFACE cxx_std_20)
  target_include_directories(${target} INTERFACE "${gal_include_dir}")
  target_include_directories(${target} SYSTEM INTERFACE "${GAL_THRUST_INCLUDE_DIR}")
  target_compile_definitions(${target} INTERFACE
    THRUST_HOST_SYSTEM=THRUST_HOST_SYSTEM_CPP THRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_${system})
endfunction()

if(GAL_THRUST_INCLUDE_DIR AND NOT TARGET gal::thrust_cpp)
  gal_add_thrust_on_processor(gal::thrust_cpp CPP)
  find_package(OpenMP COMPONENTS CXX QUIET)
  if(OpenMP_CXX_FOUND)
    gal_add_thrust_on_processor(gal::thrust_openmp OMP)
    target_link_libraries(gal::thrust_openmp INTERFACE OpenMP::OpenMP_CXX)
  endif()
endif()

get_property(gal_languages GLOBAL PROPERTY ENABLED_LANGUAGES)
if("CUDA" IN_LIST gal_languages AND NOT TARGET gal::thrust)
  find_package(CUDAToolkit 12 REQUIRED)
  add_library(gal::thrust INTERFACE IMPORTED GLOBAL)
  target_compile_features(gal::thrust INTERFACE cxx_std_20)
  target_include_directories(gal::thrust INTERFACE "${gal_include_dir}")
  # Kernels are lambdas, and call constexpr functions of the standard library. The standard by hand: CMake 3.25 does not
  # know that nvcc 13 has it.
  target_compile_options(gal::thrust INTERFACE
    "$<$<COMPILE_LANGUAGE:CUDA>:-std=c++20;--extended-lambda;--expt-relaxed-constexpr>")
  target_link_libraries(gal::thrust INTERFACE CUDA::cudart CUDA::cublas)
endif()

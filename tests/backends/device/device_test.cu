// The device backend's tests, for CUDA. nvcc wants kernels in files of this name.
#include "device_test.cpp"

#include "enumerators.hpp"

static_assert(has_the_compilers_names<gal::product_precision>());

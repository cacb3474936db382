// The device backend's tests, for CUDA. nvcc wants kernels in files of this name.
#include "device_test.cpp"

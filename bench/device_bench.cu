// The benchmark for CUDA. nvcc wants kernels in files of this name.
#include "device_bench.cpp"

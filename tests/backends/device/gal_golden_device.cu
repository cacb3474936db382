// The golden traces, replayed on CUDA. nvcc wants kernels in files of this name.
#include "gal_golden_device.cpp"

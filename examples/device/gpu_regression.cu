// The training of gpu_regression on CUDA. The same source runs on Thrust's processor systems.
#include "gpu_regression_training.cpp"

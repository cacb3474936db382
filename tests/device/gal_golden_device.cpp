// The golden traces, replayed on the device backend.
#define GAL_GOLDEN_ON_DEVICE
#include "../gal_golden.cpp"

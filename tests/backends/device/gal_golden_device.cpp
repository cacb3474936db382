// The golden traces, replayed on the device backend.
#define GAL_GOLDEN_ON_DEVICE
#include "golden/gal_golden.cpp"

// Runs the benchmarks that the other files register. `--benchmark_filter=REGEX` chooses; names are
// LIBRARY/NETWORK/METHOD/SCALAR.
#include <benchmark/benchmark.h>

BENCHMARK_MAIN();

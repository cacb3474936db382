// Runs the benchmarks that the other files register. `--benchmark_filter=REGEX` chooses; names are
// LIBRARY/NETWORK/METHOD/SCALAR. The context of the results says what they were measured with.
#include "support/run_record.hpp"

#include <benchmark/benchmark.h>

int main(int count, char** arguments) {
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) {
    return 1;
  }
  for (const auto& [name, value] : support::dated_run_record()) {
    benchmark::AddCustomContext("run." + name, value);
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

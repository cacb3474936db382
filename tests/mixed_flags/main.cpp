// Two units of one program, compiled with other flags: each runs its own code, whichever the linker met first. On a
// processor without AVX2 only the first may run, and does.
#include "units.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

bool passed = true;

void expect(bool holds, const char* what, const unit_report& unit) {
  if (!holds) {
    std::printf("%s: %s, registers of %d floats, %d threads, loss %.9g\n", what, unit.flags.c_str(),
                unit.register_floats, unit.threads, unit.loss);
    passed = false;
  }
}

bool has(const unit_report& unit, const char* part) { return unit.flags.find(part) != std::string::npos; }

}  // namespace

int main() {
  const unit_report narrow = report_of_first();
  expect(has(narrow, "_no_dispatch") && !has(narrow, "_avx"), "the flags of the first unit", narrow);
  expect(narrow.register_floats == 4, "the registers of the first unit", narrow);
  expect(narrow.threads == 1, "the threads of the first unit, which knows no OpenMP", narrow);
  expect(narrow.loss > 0.0 && narrow.loss < 1.0, "the training of the first unit", narrow);
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    std::puts("no AVX2 here: the second unit was not run");
  } else {
    const unit_report wide = report_of_second();
    expect(has(wide, "_avx2_fma") && !has(wide, "_no_dispatch"), "the flags of the second unit", wide);
    expect(wide.register_floats == 8, "the registers of the second unit", wide);
    expect(wide.threads == (has(wide, "_openmp") ? 2 : 1), "the threads of the second unit", wide);
    expect(std::abs(wide.loss - narrow.loss) < 1e-4 * narrow.loss, "the training of the second unit", wide);
  }
  std::puts(passed ? "each unit runs its own code" : "failed");
  return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}

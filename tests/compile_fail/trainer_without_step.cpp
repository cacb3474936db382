// A trainer without step.
// expected: gal::trainer_for, requirement 2: provide `report_type step(input, target)` for these batches.
#include <gal/core/error.hpp>
#include <gal/fit/fit.hpp>
#include <gal/train/step_report.hpp>

#include <cstdint>
#include <utility>
#include <vector>

struct trainer {
  using report_type = gal::step_report;
  gal::batch_loss evaluate(double, double) { return {}; }
  trainer& model() { return *this; }
  gal::step_report report() const { return {}; }
  std::int64_t steps() const { return 0; }
};

int main() {
  trainer t;
  std::vector<std::pair<double, double>> batches(3);
  gal::fit(t, batches, {.epochs = 1});
}

// A trainer without report_type.
// expected: gal::trainer_for, requirement 1: name what a step reports in a member `report_type`: gal::step_report, or a type that derives from it.
#include <gal/core/error.hpp>
#include <gal/fit/fit.hpp>
#include <gal/train/step_report.hpp>

#include <cstdint>
#include <utility>
#include <vector>

struct trainer {
  gal::step_report step(double, double) { return {}; }
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

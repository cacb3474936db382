// A trainer whose model does not show what it is made of.
// expected: gal::fit: the best weights cannot be kept; let the model show what it is made of: `visit_state(visit)`, `parameters()`, or a specialised gal::state_of (gal/io/state.hpp).
#include <gal/core/error.hpp>
#include <gal/fit/fit.hpp>
#include <gal/train/step_report.hpp>

#include <cstdint>
#include <utility>
#include <vector>

struct trainer {
  using report_type = gal::step_report;
  struct weights {
    double a = 0.0;
  };
  weights w;
  gal::step_report step(double, double) { return {}; }
  gal::batch_loss evaluate(double, double) { return {}; }
  gal::step_report report() const { return {}; }
  std::int64_t steps() const { return 0; }
  weights& model() { return w; }
};

int main() {
  trainer t;
  std::vector<std::pair<double, double>> batches(3);
  gal::fit(t, batches, {.epochs = 1});
}

// gal/train/detail/step_numbers.hpp: what every step adds up, and the report that follows from it.
// Provides: nothing public; detail::step_numbers for trainers.
#pragma once

#include <gal/core/view.hpp>
#include <gal/train/step_report.hpp>

#include <cmath>

namespace gal::inline GAL_ABI::detail {

// One record in the backend's memory. A method derives its own from it.
struct step_numbers {
  static constexpr double none = step_report::none;

  double loss = none;             // sum over the samples
  double gradient_square = none;  // <G, G>
  double proceeds = none;         // 1, or 0 where the step is refused
};

// `weight` is what sums are divided by to become means over the samples.
inline void fill_report(step_report& report, const step_numbers& sums, double weight, index_type samples,
                        double learning_rate) {
  report.loss = sums.loss / weight;
  report.gradient_norm = std::sqrt(sums.gradient_square);
  report.learning_rate = learning_rate;
  report.samples = samples;
  report.non_finite = sums.proceeds == 0.0 || (!std::isfinite(sums.loss) && weight > 0.0);
}

}  // namespace gal::detail

// gal/train/detail/step_numbers.hpp: what every step adds up, and the report that follows from it.
// Provides: nothing public; detail::step_numbers, held_out_numbers for trainers.
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

// What a step adds up of the held-out samples.
struct held_out_numbers : step_numbers {
  double held_out_loss = none;      // the mean
  double held_out_proceeds = none;  // 1, or 0 where V or the step is not finite
};

// The report of a step; `weight` is what the sums are divided by to become means over the samples.
[[nodiscard]] inline step_report report_of(const step_numbers& sums, double weight, index_type samples,
                                           double learning_rate) {
  return {.loss = sums.loss / weight,
          .gradient_norm = std::sqrt(sums.gradient_square),
          .learning_rate = learning_rate,
          .samples = samples,
          .non_finite = sums.proceeds == 0.0 || (!std::isfinite(sums.loss) && weight > 0.0)};
}

}  // namespace gal::detail

// gal/train/adjust_report.hpp: the report of a step with adjusted gradients.
// Provides: adjust_report. Includes gal/train/step_report.hpp.
#pragma once

#include <gal/core/view.hpp>
#include <gal/train/detail/step_numbers.hpp>
#include <gal/train/step_report.hpp>

#include <array>
#include <cmath>

namespace gal::inline GAL_ABI {

/// What a step of `adjust` did. Numbers that were not computed are NaN.
struct adjust_report : step_report {
  double tentative_loss = none;          ///< L(X - D) with the adjusted gradient
  double vanilla_tentative_loss = none;  ///< L(X - D) with the plain gradient, where computed
  double remainder = none;               ///< R of the adjusted tentative step
  bool accepted = false;                 ///< whether the adjusted gradient was used (for any sample)
  double accepted_share = 0.0;           ///< share of the samples for which it was used
  double adjustment_norm = none;         ///< Frobenius norm of A
  double cosine = none;                  ///< of the angle between G and A; 0 where either is zero

  /// All that every step has.
  template <class Visitor>
  void visit_numbers(Visitor& visit) const {
    visit(reported_number{.name = "remainder",
                          .value = remainder,
                          .meaning = "remainder of the tentative step, in units of the loss",
                          .magnitude = true});
    visit(reported_number{.name = "accepted_share",
                          .value = accepted_share,
                          .meaning = "share of the samples whose adjusted gradient the safeguard accepted",
                          .range = std::array{0.0, 1.0}});
    visit(reported_number{.name = "cosine",
                          .value = cosine,
                          .meaning = "cosine of the angle between gradient and adjustment: 1 lengthens the "
                                     "step, -1 shortens it",
                          .range = std::array{-1.0, 1.0}});
    visit(reported_number{
        .name = "tentative_loss", .value = tentative_loss, .meaning = "loss after the tentative step"});
    visit(reported_number{.name = "adjustment_norm",
                          .value = adjustment_norm,
                          .meaning = "Frobenius norm of the adjustment",
                          .magnitude = true});
  }
};

namespace detail {

// What one step of `adjust` adds up beside what every step does.
struct adjust_numbers : step_numbers {
  double vanilla_change = none;       // of the loss's sum, Lt - L, along G
  double change = none;               // along G + A
  double remainder = none;            // R, the batch's
  double objective_scale = none;      // of the gradient with respect to A
  double gradient_adjustment = none;  // <G, A>
  double adjustment_square = none;    // <A, A>
  double accepted = none;             // samples
  double learns = none;               // as proceeds, for the adjuster
};

[[nodiscard]] inline adjust_report report_of(const adjust_numbers& sums, double weight, index_type samples,
                                             double learning_rate) {
  adjust_report report;
  static_cast<step_report&>(report) =
      report_of(static_cast<const step_numbers&>(sums), weight, samples, learning_rate);
  report.vanilla_tentative_loss = report.loss + sums.vanilla_change / weight;
  report.tentative_loss = report.loss + sums.change / weight;
  report.remainder = sums.remainder;
  if (sums.proceeds == 1.0) {
    report.accepted_share = sums.accepted / weight;
    report.accepted = sums.accepted > 0.0;
  }
  report.adjustment_norm = std::sqrt(sums.adjustment_square);
  const double norms = report.gradient_norm * report.adjustment_norm;
  report.cosine = norms == 0.0 ? 0.0 : sums.gradient_adjustment / norms;
  return report;
}

}  // namespace detail
}  // namespace gal

// gal/train/rescaled_options.hpp: settings and report of curvature-rescaled steps.
// Provides: rescaled_options, curvature_kind, rescaled_report. Includes gal/train/step_report.hpp.
#pragma once

#include <gal/core/enumeration.hpp>
#include <gal/core/error.hpp>
#include <gal/core/view.hpp>
#include <gal/optim/schedule.hpp>
#include <gal/train/detail/step_numbers.hpp>
#include <gal/train/step_report.hpp>

#include <array>
#include <cmath>
#include <limits>
#include <string_view>

namespace gal::inline GAL_ABI {

/// What the slope along the proposed step is divided by.
enum class curvature_kind {
  exact,         ///< abs(u^T H u): passes through zero, and makes a step long where it does
  gauss_newton,  ///< the Gauss-Newton curvature, never negative: vanishes where a softmax is sure of its class
  larger,        ///< the larger of the two
  remainder,  ///< abs(2 R), R what the loss at theta - u is above the tangent: a forward pass, and no derivatives;
              ///< u^T H u up to O(u^3), so that the optimizer's learning rate no longer cancels
};
constexpr auto enumerator_names(curvature_kind) {
  return std::to_array<std::string_view>({"exact", "gauss_newton", "larger", "remainder"});
}

/// How u^T H u is found for `exact` and `larger`, where the model offers the way (gal/core/tangents.hpp).
enum class curvature_pass {
  adjoints,      ///< from what the backward pass kept: fewer products, a matrix a layer more memory
  second_order,  ///< by a second-order forward pass
};
constexpr auto enumerator_names(curvature_pass) {
  return std::to_array<std::string_view>({"adjoints", "second_order"});
}

/// Settings of `rescaled`. The defaults suit `adam`; for `sgd` without momentum take the factor 1.7 and averaging 0.
struct rescaled_options {
  curvature_kind curvature = curvature_kind::larger;
  curvature_pass pass = curvature_pass::adjoints;
  double factor =
      0.6;  ///< of the length to the line's minimum, > 0; of whole batches descent is sure below 2
  double averaging = 0.9;  ///< share of the averages of slope and curvature that a step keeps, in [0, 1)
  double largest = std::numeric_limits<double>::infinity();  ///< multiplier of a proposed step at most, > 0
  gal::schedule schedule = {};  ///< factor on `factor` over the steps; the optimizer's own cancels
  non_finite_policy non_finite = non_finite_policy::skip;

  /// What the steps depend on beside the schedule.
  template <class Visitor>
  void visit_state(Visitor& visit) const {
    visit.setting("curvature", curvature);
    visit.setting("pass", pass);
    visit.setting("factor", factor);
    visit.setting("averaging", averaging);
    visit.setting("largest", largest);
    visit.setting("non_finite", non_finite);
  }
};

/// What a step of `rescaled` did. Numbers that were not computed are NaN.
struct rescaled_report : step_report {
  double slope = none;         ///< n = <g, u> along the step u that the optimizer proposed
  double curvature = none;     ///< d along it, of the kind that the options name
  double gauss_newton = none;  ///< the Gauss-Newton curvature
  double second = none;        ///< u^T H u, where the kind asks for it; of `remainder` 2 R
  double multiplier = none;    ///< of u; 0 where no step was taken

  template <class Visitor>
  void visit_numbers(Visitor& visit) const {
    visit(reported_number{.name = "multiplier",
                          .value = multiplier,
                          .meaning = "how many times as long as proposed the step was",
                          .magnitude = true});
    visit(reported_number{.name = "slope",
                          .value = slope,
                          .meaning = "slope of the loss along the proposed step, in units of the loss",
                          .magnitude = true});
    visit(reported_number{.name = "curvature",
                          .value = curvature,
                          .meaning = "curvature of the loss along the proposed step, in units of the loss",
                          .magnitude = true});
  }
};

namespace detail {

// The options, or an error that names what is outside its range.
[[nodiscard]] inline rescaled_options validated(rescaled_options options) {
  const auto require_positive = [](double value, std::string_view field) {
    require(value > 0.0, error_code::invalid_option, "gal::rescaled_options: ", field, " is ", value,
            "; expected a positive number");
  };
  require_positive(options.factor, "factor");
  require(std::isfinite(options.factor), error_code::invalid_option, "gal::rescaled_options: factor is ",
          options.factor, "; expected a finite number");
  require_positive(options.largest, "largest");
  require(options.averaging >= 0.0 && options.averaging < 1.0, error_code::invalid_option,
          "gal::rescaled_options: averaging is ", options.averaging, "; expected a number in [0, 1)");
  require_enumerator(options.curvature, "gal::rescaled_options: curvature");
  require_enumerator(options.pass, "gal::rescaled_options: pass");
  return options;
}

// What one step of `rescaled` adds up beside what every step does.
struct rescaled_numbers : step_numbers {
  double slope = none;
  double curvature = none;
  double gauss_newton = none;
  double second = none;
  double multiplier = none;
};

// Curvature and multiplier of u from slope, Gauss-Newton curvature and second derivative along it, and the averages m_n and m_d,
// `mean`. Both averages lack the same share for having started at zero, which their ratio does not see.
GAL_HOST_DEVICE inline void set_multiplier(curvature_kind kind, double kept, double factor, double largest,
                                           double* mean, rescaled_numbers* at) {
  const double size = std::abs(at->second);
  const double positive = at->gauss_newton;
  if (kind == curvature_kind::exact || kind == curvature_kind::remainder) {
    at->curvature = size;
  } else if (kind == curvature_kind::gauss_newton) {
    at->curvature = positive;
  } else {
    at->curvature = (size > positive ? size : positive) + 0.0 * (size + positive);  // NaN of either
  }
  at->multiplier = 0.0;
  if (!(at->slope - at->slope == 0.0 && at->curvature - at->curvature == 0.0)) {
    return;
  }
  mean[0] = kept * mean[0] + (1.0 - kept) * at->slope;
  mean[1] = kept * mean[1] + (1.0 - kept) * at->curvature;
  if (mean[0] > 0.0 && mean[1] > 0.0) {
    const double multiplier = factor * (mean[0] / mean[1]);
    const double bounded = multiplier > largest ? largest : multiplier;
    at->multiplier = bounded <= std::numeric_limits<double>::max() ? bounded : 0.0;
  }
}

[[nodiscard]] inline rescaled_report report_of(const rescaled_numbers& sums, double weight,
                                               index_type samples, double learning_rate) {
  rescaled_report report;
  static_cast<step_report&>(report) =
      report_of(static_cast<const step_numbers&>(sums), weight, samples, learning_rate);
  report.slope = sums.slope;
  report.curvature = sums.curvature;
  report.gauss_newton = sums.gauss_newton;
  report.second = sums.second;
  report.multiplier = sums.multiplier;
  return report;
}

}  // namespace detail
}  // namespace gal

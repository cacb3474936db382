// gal/train/step_report.hpp: what every trainer reports of a step, and the numbers that a method adds to it.
// Provides: step_report, reported_number, batch_loss, pending_report, non_finite_policy.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/view.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace gal::inline GAL_ABI {

/// What happens where the loss or a parameter's gradient is not finite, or a gradient's square exceeds the scalar.
enum class non_finite_policy {
  skip,    ///< nothing is changed, bit for bit; the report says so
  raise,   ///< as skip, then throws `gal::error`
  ignore,  ///< the step is taken
};
constexpr auto enumerator_names(non_finite_policy) {
  return std::to_array<std::string_view>({"skip", "raise", "ignore"});
}

/// What every trainer reports of a step; the report of a method derives from it. Numbers that were not computed are NaN.
struct step_report {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();

  double loss = none;           ///< L(X), mean over the batch, before the step
  double gradient_norm = none;  ///< Frobenius norm of G, the loss's gradient with respect to the features
  double learning_rate = none;  ///< of this step
  index_type samples = 0;       ///< of the batch
  bool non_finite =
      false;  ///< the loss was not finite, or a gradient not, or too large to be squared: see the policy
};

/// A number that a method reports beside those of `step_report`, as logs and pictures know it. A report lists its own in
/// a member that shows them to a visitor:
///
///     struct my_report : gal::step_report {
///       double trust = none;
///       template <class Visitor>
///       void visit_numbers(Visitor& visit) const {
///         visit(gal::reported_number{.name = "trust", .value = trust, .meaning = "how far the step is trusted"});
///       }
///     };
struct reported_number {
  std::string_view name;     ///< of a column or curve, in snake_case
  double value;              ///< NaN where it was not computed
  std::string_view meaning;  ///< in a few words, with its unit
  bool magnitude = false;    ///< its size alone matters: means are of abs(value), pictures logarithmic
  std::optional<std::array<double, 2>> range = {};  ///< least and largest value that it can have
};

namespace detail {

// Shows the numbers of a method, where its report has any.
template <class Report, class Visitor>
void visit_numbers(const Report& report, Visitor&& visitor) {
  if constexpr (requires { report.visit_numbers(visitor); }) {
    report.visit_numbers(visitor);
  }
}

}  // namespace detail

/// The loss of a batch.
struct batch_loss {
  double mean = 0.0;
  index_type samples = 0;
};

/// The report of a step on an asynchronous backend. Converting it to the trainer's `report_type` waits for the step;
/// throws once the trainer has taken another one.
template <class Trainer>
class pending_report {
 public:
  explicit pending_report(const Trainer& trainer) : trainer_(&trainer), number_(trainer.steps()) {}

  [[nodiscard]] auto get() const {
    detail::require(number_ == trainer_->steps(), error_code::invalid_option, "gal::pending_report: of step ",
                    number_, ", and the trainer is at step ", trainer_->steps(),
                    "; expected to be read before the next step");
    return trainer_->report();
  }
  template <class Report>
    requires std::derived_from<typename Trainer::report_type, Report>
  operator Report() const {
    return get();
  }  // NOLINT(google-explicit-constructor)

 private:
  const Trainer* trainer_;
  std::int64_t number_;
};

}  // namespace gal

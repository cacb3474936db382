// gal/fit/epoch_report.hpp: what one epoch did, in the numbers that every trainer has and in those of its method.
// Provides: epoch_report.
#pragma once

#include <gal/core/error.hpp>
#include <gal/train/step_report.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace gal::inline GAL_ABI {

/// What one epoch did. Losses, numbers and refusals are those of the steps that were reported, of which the last step is
/// always one; NaN where there is no such number, as for the training loss where every step was refused.
struct epoch_report {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();

  std::int64_t epoch = 0;         ///< from 1
  std::int64_t steps = 0;         ///< of the trainer, at its end
  std::int64_t refused = 0;       ///< steps whose loss or gradients were not finite
  double training_loss = none;    ///< mean over the samples, each before the step that it was in
  double validation_loss = none;  ///< mean over the samples, after the epoch; NaN without a validation set
  double learning_rate = none;    ///< of the last step
  bool is_best = false;           ///< the best validation loss so far
  /// The numbers of the method (`reported_number`): means over the steps that were not refused.
  std::vector<reported_number> numbers = {};

  /// The number of that name; NaN where the method has none.
  [[nodiscard]] double number(std::string_view name) const {
    for (const reported_number& each : numbers) {
      if (each.name == name) {
        return each.value;
      }
    }
    return none;
  }
};

namespace detail {

// The numbers of a method over the steps of an epoch: sums, as they are or of their sizes, and how many they are of.
template <class Report>
class number_means {
 public:
  number_means() {
    visit_numbers(Report(), [&](const reported_number& number) { numbers_.push_back(number); });
    clear();
  }

  void add(const Report& report) {
    std::size_t k = 0;
    visit_numbers(report, [&](const reported_number& number) {
      if (std::isfinite(number.value)) {
        sums_[k] += number.magnitude ? std::abs(number.value) : number.value;
        ++counts_[k];
      }
      ++k;
    });
  }

  [[nodiscard]] std::vector<reported_number> means() const {
    std::vector<reported_number> result = numbers_;
    for (std::size_t k = 0; k < result.size(); ++k) {
      result[k].value = counts_[k] == 0 ? step_report::none : sums_[k] / static_cast<double>(counts_[k]);
    }
    return result;
  }

  void clear() {
    sums_.assign(numbers_.size(), 0.0);
    counts_.assign(numbers_.size(), 0);
  }

  template <class Visitor>
  void visit_state(Visitor& visit) {
    for (std::size_t k = 0; k < numbers_.size(); ++k) {
      visit(text(numbers_[k].name, ".sum"), sums_[k]);
      visit(text(numbers_[k].name, ".count"), counts_[k], 0, std::numeric_limits<std::int64_t>::max());
    }
  }

 private:
  std::vector<reported_number> numbers_;
  std::vector<double> sums_;
  std::vector<std::int64_t> counts_;
};

}  // namespace detail

}  // namespace gal

// gal/data/standardizer.hpp: features of mean 0 and deviation 1.
// Provides: standardizer.
#pragma once

#include <gal/core/detail/transfer.hpp>
#include <gal/core/error.hpp>
#include <gal/core/view.hpp>
#include <gal/stats/stats.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// Shifts and scales every row to mean 0 and deviation 1 over the samples it was fitted to: the training
/// part, so that nothing leaks from the test part. Sums are double whatever `T` is.
///
///     gal::standardizer<float> scale;
///     scale.fit(train.features);
///     scale.apply(train.features);
///     scale.apply(test.features);
///
/// The deviation is that of the population (divided by n), and 1 for a row that is constant up to rounding,
/// as in scikit-learn's `StandardScaler`; unlike there, also of numbers whose squares leave the range of double.
template <std::floating_point T>
class standardizer {
 public:
  standardizer() = default;

  /// From the numbers of an earlier fit, one per row. Throws where the counts differ, a mean is not finite, or a
  /// deviation is not positive and finite.
  standardizer(std::vector<double> mean, std::vector<double> deviation)
      : mean_(std::move(mean)), deviation_(std::move(deviation)) {
    detail::require(mean_.size() == deviation_.size(), error_code::shape_mismatch,
                    "gal::standardizer: ", mean_.size(), " means and ", deviation_.size(),
                    " deviations; expected one of each per row");
    for (const double value : mean_) {
      detail::require(std::isfinite(value), error_code::invalid_option, "gal::standardizer: mean ", value,
                      "; expected a finite number");
    }
    for (const double value : deviation_) {
      detail::require(value > 0.0 && std::isfinite(value), error_code::invalid_option,
                      "gal::standardizer: deviation ", value, "; expected a positive finite number");
    }
  }

  /// Measures every row of `samples` (d x n). Throws for no samples, and for a value that is not finite,
  /// naming it.
  void fit(matrix_view<const T> samples) {
    detail::require(!samples.empty(), error_code::shape_mismatch, "gal::standardizer::fit: a ",
                    samples.rows(), " x ", samples.columns(),
                    " matrix; expected at least one row and one sample");
    const auto rows = static_cast<std::size_t>(samples.rows());
    const auto count = static_cast<double>(samples.columns());
    std::vector<double> scale(rows, 0.0);
    for (index_type j = 0; j < samples.columns(); ++j) {
      for (std::size_t i = 0; i < rows; ++i) {
        const double value = samples(static_cast<index_type>(i), j);
        detail::require(std::isfinite(value), error_code::non_finite, "gal::standardizer::fit: value ", value,
                        " in row ", i, ", column ", j, "; expected a finite number");
        scale[i] = std::max(scale[i], std::abs(value));
      }
    }
    // All below is of scaled numbers, which can be added and squared.
    for (double& largest : scale) {
      largest = detail::scale_for(largest);
    }
    std::vector<double> mean(rows, 0.0);
    for (index_type j = 0; j < samples.columns(); ++j) {
      for (std::size_t i = 0; i < rows; ++i) {
        mean[i] += scale[i] * samples(static_cast<index_type>(i), j);
      }
    }
    for (double& value : mean) {
      value /= count;
    }
    // Squares of the differences, and their sum, which corrects for the rounding of the mean.
    std::vector<double> squares(rows, 0.0);
    std::vector<double> drift(rows, 0.0);
    for (index_type j = 0; j < samples.columns(); ++j) {
      for (std::size_t i = 0; i < rows; ++i) {
        const double difference = scale[i] * samples(static_cast<index_type>(i), j) - mean[i];
        squares[i] += difference * difference;
        drift[i] += difference;
      }
    }
    std::vector<double> deviation(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      const double variance = (squares[i] - drift[i] * drift[i] / count) / count;
      const double rounding = count * std::numeric_limits<double>::epsilon();
      const bool constant = variance <= rounding * variance + (rounding * mean[i]) * (rounding * mean[i]);
      mean[i] /= scale[i];
      deviation[i] = constant ? 0.0 : std::sqrt(variance) / scale[i];
      if (deviation[i] == 0.0) {  // also where it is below the least double
        deviation[i] = 1.0;
      }
    }
    mean_ = std::move(mean);
    deviation_ = std::move(deviation);
  }

  /// Replaces x by (x - mean) / deviation, in place. Throws where `samples` has another number of rows than
  /// the fit.
  void apply(matrix_view<T> samples) const {
    transform(samples, "apply", [](double x, double mean, double deviation) {
      const double difference = x - mean;
      return std::isfinite(difference) ? difference / deviation
                                       : (0.5 * x - 0.5 * mean) / (0.5 * deviation);  // of large numbers
    });
  }

  /// Undoes `apply`: replaces x by x * deviation + mean, in place.
  void apply_inverse(matrix_view<T> samples) const {
    transform(samples, "apply_inverse", [](double x, double mean, double deviation) {
      const double value = x * deviation + mean;
      return std::isfinite(value) ? value : 2.0 * (0.5 * x * deviation + 0.5 * mean);  // of large numbers
    });
  }

  [[nodiscard]] std::span<const double> mean() const { return mean_; }            ///< one per row
  [[nodiscard]] std::span<const double> deviation() const { return deviation_; }  ///< one per row, positive

  /// Means and deviations. One that is not fitted yet takes as many as there are where it is loaded from.
  template <class Visitor>
  void visit_state(Visitor& visit) {
    const auto here = static_cast<index_type>(mean_.size());
    const index_type rows = visit.count("rows", here);
    const auto show = [&visit](standardizer& shown) {
      const auto count = static_cast<index_type>(shown.mean_.size());
      visit.tensor("mean", detail::on_host{}, shown.mean_.data(), {count});
      visit.tensor("deviation", detail::on_host{}, shown.deviation_.data(), {count}, 0.0);
    };
    if (here > 0 || rows == 0) {
      show(*this);
      return;
    }
    const auto loaded = std::make_shared<standardizer>();
    loaded->mean_.resize(static_cast<std::size_t>(rows));
    loaded->deviation_.resize(static_cast<std::size_t>(rows));
    show(*loaded);
    visit.after_loading([this, loaded] { *this = std::move(*loaded); });
  }

  friend bool operator==(const standardizer&, const standardizer&) = default;

 private:
  template <class F>
  void transform(matrix_view<T> samples, std::string_view name, F f) const {
    detail::require(static_cast<std::size_t>(samples.rows()) == mean_.size(), error_code::shape_mismatch,
                    "gal::standardizer::", name, ": a matrix of ", samples.rows(), " rows; expected ",
                    mean_.size(), mean_.empty() ? " (not fitted yet)" : ", as in the fit");
    for (index_type j = 0; j < samples.columns(); ++j) {
      for (std::size_t i = 0; i < mean_.size(); ++i) {
        T& value = samples(static_cast<index_type>(i), j);
        value = static_cast<T>(f(static_cast<double>(value), mean_[i], deviation_[i]));
      }
    }
  }

  std::vector<double> mean_;
  std::vector<double> deviation_;
};

}  // namespace gal

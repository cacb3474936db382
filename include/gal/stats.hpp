// gal/stats.hpp: how good predictions are, and what a sample of numbers looks like.
// Provides: mean_absolute_error, mean_squared_error, r2_score, error_rate, mean, standard_deviation.
#pragma once

#include <gal/error.hpp>
#include <gal/view.hpp>

#include <cmath>
#include <concepts>
#include <string_view>
#include <utility>

namespace gal {

namespace detail {

inline void require_values(std::string_view name, shape s) {
  require(s.rows > 0 && s.columns > 0, error_code::shape_mismatch, name, ": a ", s.rows, " x ", s.columns,
          " matrix; expected at least one value");
}

// Views of both, of one shape: a vector of n numbers is a row.
template <viewable Predictions, viewable Targets>
auto same_shape(std::string_view name, const Predictions& predictions, const Targets& targets) {
  const auto p = gal::view(predictions);
  const auto t = gal::view(targets);
  const std::pair rows(as_row(p, p.rows()), as_row(t, t.rows()));
  require(rows.first.shape() == rows.second.shape(), error_code::shape_mismatch, name, ": predictions are ",
          p.shape(), ", targets are ", t.shape(), "; expected the same shape");
  require_values(name, p.shape());
  return rows;
}

// Mean of f(prediction - target) over all entries.
template <viewable Predictions, viewable Targets, class F>
double mean_of_differences(std::string_view name, const Predictions& predictions, const Targets& targets,
                           F f) {
  const auto [p, t] = same_shape(name, predictions, targets);
  double sum = 0.0;
  for (index i = 0; i < p.size(); ++i) {
    sum += f(static_cast<double>(p.data()[i]) - static_cast<double>(t.data()[i]));
  }
  return sum / static_cast<double>(p.size());
}

// Mean of x(0), ..., x(n - 1). Differences from the first value are summed, so that the mean of equal values
// is exact.
template <class X>
double mean_of(index n, X x) {
  const double first = x(0);
  double sum = 0.0;
  for (index i = 1; i < n; ++i) {
    sum += x(i) - first;
  }
  return first + sum / static_cast<double>(n);
}

// Sum of the squared differences from the mean of x(0), ..., x(n - 1).
template <class X>
double sum_of_squares(index n, X x) {
  const double mean = mean_of(n, x);
  double sum = 0.0;
  for (index i = 0; i < n; ++i) {
    sum += (x(i) - mean) * (x(i) - mean);
  }
  return sum;
}

}  // namespace detail

// Below, predictions, targets and values are anything viewable as a matrix of numbers in host memory; n numbers may
// be a row or a column, and are n samples either way. Sums are double. NaN in, NaN out. Different or empty shapes
// throw.

/// Mean of abs(prediction - target) over all entries.
template <viewable Predictions, viewable Targets>
[[nodiscard]] double mean_absolute_error(const Predictions& predictions, const Targets& targets) {
  return detail::mean_of_differences("gal::mean_absolute_error", predictions, targets,
                                     [](double difference) { return std::abs(difference); });
}

/// Mean of (prediction - target)^2 over all entries.
template <viewable Predictions, viewable Targets>
[[nodiscard]] double mean_squared_error(const Predictions& predictions, const Targets& targets) {
  return detail::mean_of_differences("gal::mean_squared_error", predictions, targets,
                                     [](double difference) { return difference * difference; });
}

/// Coefficient of determination, 1 - sum (prediction - target)^2 / sum (target - mean target)^2: 1 is
/// perfect, 0 as good as the mean. For several rows the mean of the rows' scores. A row of equal targets
/// scores 1 if predicted exactly and 0 otherwise. All as scikit-learn's `r2_score`, whose first argument,
/// however, is the targets.
template <viewable Predictions, viewable Targets>
[[nodiscard]] double r2_score(const Predictions& predictions, const Targets& targets) {
  const auto views = detail::same_shape("gal::r2_score", predictions, targets);
  const auto p = views.first;
  const auto t = views.second;
  double scores = 0.0;
  for (index i = 0; i < t.rows(); ++i) {
    const auto target = [&](index j) { return static_cast<double>(t(i, j)); };
    const double total = detail::sum_of_squares(t.columns(), target);
    double residual = 0.0;
    for (index j = 0; j < t.columns(); ++j) {
      const double difference = static_cast<double>(p(i, j)) - target(j);
      residual += difference * difference;
    }
    if (total != 0.0) {
      scores += 1.0 - residual / total;
    } else if (std::isnan(residual)) {
      scores += residual;
    } else {
      scores += residual == 0.0 ? 1.0 : 0.0;
    }
  }
  return scores / static_cast<double>(t.rows());
}

/// Share of the samples whose largest logit is not that of their label, in [0, 1].
///
/// `logits`: d x n, a row per class. `labels`: n integers in [0, d), as a row or a column. Among equal logits
/// the first is taken as the largest; a sample with a NaN counts as wrong. Throws for a label outside [0, d)
/// (`invalid_target`).
template <viewable Logits, viewable Labels>
  requires std::integral<scalar_of<Labels>>
[[nodiscard]] double error_rate(const Logits& logits, const Labels& labels) {
  const auto x = gal::view(logits);
  const auto y = detail::as_row(gal::view(labels), x.columns());
  detail::require(y.shape() == shape{1, x.columns()}, error_code::shape_mismatch,
                  "gal::error_rate: logits are ", x.shape(), ", labels are ", y.shape(), "; expected ",
                  x.columns(), " labels, one per sample");
  detail::require_values("gal::error_rate", x.shape());
  index errors = 0;
  for (index j = 0; j < x.columns(); ++j) {
    const auto label = static_cast<index>(y(0, j));
    detail::require(label >= 0 && label < x.rows(), error_code::invalid_target, "gal::error_rate: label ",
                    y(0, j), " of sample ", j, "; expected 0 to ", x.rows() - 1);
    // The label wins where every logit before it is smaller and none after it is larger; no comparison with
    // NaN holds.
    const auto own = x(label, j);
    bool correct = true;
    for (index i = 0; i < x.rows(); ++i) {
      correct = correct && (i < label ? x(i, j) < own : x(i, j) <= own);
    }
    errors += correct ? 0 : 1;
  }
  return static_cast<double>(errors) / static_cast<double>(x.columns());
}

/// Mean of all entries.
template <viewable Values>
[[nodiscard]] double mean(const Values& values) {
  const auto x = gal::view(values);
  detail::require_values("gal::mean", x.shape());
  return detail::mean_of(x.size(), [&](index i) { return static_cast<double>(x.data()[i]); });
}

/// Standard deviation of a sample (divided by n - 1) over all entries. Throws for fewer than two.
template <viewable Values>
[[nodiscard]] double standard_deviation(const Values& values) {
  const auto x = gal::view(values);
  detail::require(x.size() >= 2, error_code::shape_mismatch, "gal::standard_deviation: ", x.size(),
                  " values; expected at least two");
  const double squares =
      detail::sum_of_squares(x.size(), [&](index i) { return static_cast<double>(x.data()[i]); });
  return std::sqrt(squares / static_cast<double>(x.size() - 1));
}

// Says what is wrong with other labels.
template <class Logits, class Labels>
  requires(!viewable<Labels>)
|| (!std::integral<scalar_of<Labels>>)double error_rate(const Logits&, const Labels&) {
  static_assert(detail::explain_labels<Labels>());
  return 0.0;
}

}  // namespace gal

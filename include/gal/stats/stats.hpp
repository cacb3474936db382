// gal/stats/stats.hpp: how good predictions are, and what a sample of numbers looks like.
// Provides: mean_absolute_error, mean_squared_error, r2_score, error_rate, mean, standard_deviation.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/view.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <string_view>
#include <utility>

namespace gal::inline GAL_ABI {

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

// A power of two by which numbers can be multiplied whose largest size is `largest`, so that neither their sums nor their
// squares overflow or vanish: it brings the largest near one. NaN for a size that is not finite.
[[nodiscard]] inline double scale_for(double largest) {
  if (!std::isfinite(largest)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  int exponent = 0;
  std::frexp(largest, &exponent);
  return std::ldexp(1.0, std::clamp(-exponent, -1000, 1000));  // a double, as its inverse is
}

// The largest size of x(0), ..., x(n - 1); where one of them is not finite, a number that is not finite.
template <class X>
double largest_size(index_type n, X x) {
  double largest = 0.0;
  for (index_type i = 0; i < n; ++i) {
    const double size = std::abs(x(i));
    if (!std::isfinite(size)) {
      return size;
    }
    largest = std::max(largest, size);
  }
  return largest;
}

// The numbers x(0), ..., x(n - 1) times a power of two: what is made of them is to be divided by `scale`, or by its
// square. All of it is NaN where one of the numbers is not finite.
template <class X>
class scaled_numbers {
 public:
  scaled_numbers(index_type n, X x) : n_(n), x_(std::move(x)), scale_(scale_for(largest_size(n, x_))) {}

  [[nodiscard]] double scale() const { return scale_; }

  /// Differences from the first number are summed, so that the mean of equal numbers is exact.
  [[nodiscard]] double mean() const {
    const double first = number(0);
    return first + sum([&](double x) { return x - first; }) / static_cast<double>(n_);
  }
  /// Sum of the squared differences from the mean.
  [[nodiscard]] double squared_deviations() const {
    const double middle = mean();
    return sum([&](double x) { return (x - middle) * (x - middle); });
  }
  /// Sum of f of each.
  template <class F>
  [[nodiscard]] double sum(F f) const {
    double result = 0.0;
    for (index_type i = 0; i < n_; ++i) {
      result += f(number(i));
    }
    return result;
  }

 private:
  [[nodiscard]] double number(index_type i) const { return scale_ * x_(i); }

  index_type n_;
  X x_;
  double scale_;
};

template <viewable Values>
auto scaled_entries(const Values& values) {
  const auto x = gal::view(values).as_const();
  return scaled_numbers(x.size(), [x](index_type i) { return static_cast<double>(x.data()[i]); });
}

// Numbers less others, one by one, as they are or, where they could leave the range of double, quartered; by which
// factor is in `factor`.
template <class A, class B>
struct differences {
  A a;
  B b;
  double factor;

  differences(index_type n, A first, B second)
      : a(std::move(first)),
        b(std::move(second)),
        factor(std::max(largest_size(n, a), largest_size(n, b)) < 0x1p1022 ? 1.0 : 0.25) {}
  double operator()(index_type i) const { return factor * a(i) - factor * b(i); }
};

// The mean of f(prediction - target) over all entries, where f(c x) is c^power f(x).
template <viewable Predictions, viewable Targets, class F>
double mean_of_differences(std::string_view name, const Predictions& predictions, const Targets& targets,
                           int power, F f) {
  const auto views = same_shape(name, predictions, targets);
  const auto p = views.first;
  const auto t = views.second;
  const differences apart(
      p.size(), [p](index_type i) { return static_cast<double>(p.data()[i]); },
      [t](index_type i) { return static_cast<double>(t.data()[i]); });
  const scaled_numbers numbers(p.size(), apart);
  double mean = numbers.sum(f) / static_cast<double>(p.size());
  for (int k = 0; k < power; ++k) {
    mean = mean / numbers.scale() / apart.factor;
  }
  return mean;
}

}  // namespace detail

// Below, predictions, targets and values are anything viewable as a matrix of numbers in host memory; n numbers may
// be a row or a column, and are n samples either way. Sums are double, and what is made of finite numbers is right
// wherever it is in the range of double. Where a number is NaN or infinite the result is NaN. Different or empty shapes
// throw.

/// Mean of abs(prediction - target) over all entries.
template <viewable Predictions, viewable Targets>
[[nodiscard]] double mean_absolute_error(const Predictions& predictions, const Targets& targets) {
  return detail::mean_of_differences("gal::mean_absolute_error", predictions, targets, 1,
                                     [](double difference) { return std::abs(difference); });
}

/// Mean of (prediction - target)^2 over all entries.
template <viewable Predictions, viewable Targets>
[[nodiscard]] double mean_squared_error(const Predictions& predictions, const Targets& targets) {
  return detail::mean_of_differences("gal::mean_squared_error", predictions, targets, 2,
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
  for (index_type i = 0; i < t.rows(); ++i) {
    const auto prediction = [&](index_type j) { return static_cast<double>(p(i, j)); };
    const auto target = [&](index_type j) { return static_cast<double>(t(i, j)); };
    const detail::differences apart(t.columns(), prediction, target);
    const detail::scaled_numbers errors(t.columns(), apart);
    const detail::scaled_numbers goals(t.columns(), target);
    const double residual = errors.sum([](double difference) { return difference * difference; });
    const double total = goals.squared_deviations();
    if (total != 0.0) {
      const double unit = goals.scale() / errors.scale() / apart.factor;
      scores += 1.0 - residual / total * unit * unit;
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
/// the first is taken as the largest. The logit -infinity is that of a class that is masked out. NaN where a sample has
/// no largest logit: where one is NaN or infinity, or all are -infinity. Throws for a label outside [0, d)
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
  constexpr double infinity = std::numeric_limits<double>::infinity();
  index_type errors = 0;
  bool decided = true;
  for (index_type j = 0; j < x.columns(); ++j) {
    const auto label = static_cast<index_type>(y(0, j));
    detail::require(label >= 0 && label < x.rows(), error_code::invalid_target, "gal::error_rate: label ",
                    y(0, j), " of sample ", j, "; expected 0 to ", x.rows() - 1);
    // The label wins where every logit before it is smaller and none after it is larger.
    const auto own = x(label, j);
    bool correct = true;
    bool some = false;
    for (index_type i = 0; i < x.rows(); ++i) {
      const auto logit = static_cast<double>(x(i, j));
      decided = decided && logit < infinity;  // NaN is not
      some = some || logit > -infinity;
      correct = correct && (i < label ? x(i, j) < own : x(i, j) <= own);
    }
    decided = decided && some;
    errors += correct ? 0 : 1;
  }
  return decided ? static_cast<double>(errors) / static_cast<double>(x.columns())
                 : std::numeric_limits<double>::quiet_NaN();
}

/// Mean of all entries.
template <viewable Values>
[[nodiscard]] double mean(const Values& values) {
  detail::require_values("gal::mean", gal::view(values).shape());
  const auto numbers = detail::scaled_entries(values);
  return numbers.mean() / numbers.scale();
}

/// Standard deviation of a sample (divided by n - 1) over all entries. Throws for fewer than two.
template <viewable Values>
[[nodiscard]] double standard_deviation(const Values& values) {
  const auto n = gal::view(values).size();
  detail::require(n >= 2, error_code::shape_mismatch, "gal::standard_deviation: ", n,
                  " values; expected at least two");
  const auto numbers = detail::scaled_entries(values);
  return std::sqrt(numbers.squared_deviations() / static_cast<double>(n - 1)) / numbers.scale();
}

// Says what is wrong with other labels.
template <class Logits, class Labels>
  requires(!viewable<Labels>) || (!std::integral<scalar_of<Labels>>)
double error_rate(const Logits&, const Labels&) {
  static_assert(detail::explain_labels<Labels>());
  return 0.0;
}

}  // namespace gal

// gal/stats/t_test.hpp: is the difference between two samples more than chance? Needs the headers of Boost.Math, so
// gal.hpp does not include it.
// Provides: t_test_result, paired_t_test, welch_t_test.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/view.hpp>
#include <gal/stats/stats.hpp>

#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

namespace gal::inline GAL_ABI {

/// Outcome of a t-test of a against b. Numbers beyond the range of double are infinite.
struct t_test_result {
  double statistic = 0.0;           ///< mean difference over its standard error
  double degrees_of_freedom = 0.0;  ///< not always an integer for Welch's test
  double p_value = 1.0;             ///< two-sided
  double mean_difference = 0.0;     ///< mean a - mean b
  double low = 0.0;                 ///< confidence interval of the mean difference
  double high = 0.0;
  double effect_size = 0.0;  ///< Cohen's d: mean difference over the standard deviation that each test names
};

namespace detail {

inline void require_sample(std::string_view name, std::string_view which, std::span<const double> values) {
  require(values.size() >= 2, error_code::shape_mismatch, name, ": ", values.size(), " values in ", which,
          "; expected at least two");
  for (std::size_t i = 0; i < values.size(); ++i) {
    require(std::isfinite(values[i]), error_code::non_finite, name, ": value ", values[i], " at position ", i,
            " of ", which, "; expected a finite number");
  }
}

inline void require_level(std::string_view name, double level) {
  require(level > 0.0 && level < 1.0, error_code::invalid_option, name, ": confidence level ", level,
          "; expected a number in (0, 1)");
}

inline double largest_size(std::span<const double> values) {
  return largest_size(static_cast<index_type>(values.size()),
                      [&](index_type i) { return values[static_cast<std::size_t>(i)]; });
}

inline std::vector<double> scaled(std::span<const double> values, double scale) {
  std::vector<double> result(values.begin(), values.end());
  for (double& value : result) {
    value *= scale;
  }
  return result;
}

// `deviation`: what the effect size is relative to. The first three numbers are `scale` times those of the samples.
inline t_test_result t_test(double difference, double deviation, double standard_error,
                            double degrees_of_freedom, double level, double scale) {
  t_test_result result;
  result.degrees_of_freedom = degrees_of_freedom;
  result.mean_difference = result.low = result.high = difference / scale;
  if (standard_error == 0.0) {
    if (difference != 0.0) {
      result.statistic = std::copysign(std::numeric_limits<double>::infinity(), difference);
      result.effect_size = result.statistic;
      result.p_value = 0.0;
    }
    return result;
  }
  const boost::math::students_t distribution(degrees_of_freedom);
  result.statistic = difference / standard_error;
  result.effect_size = difference / deviation;
  result.p_value = 2.0 * boost::math::cdf(boost::math::complement(distribution, std::abs(result.statistic)));
  const double margin =
      standard_error * boost::math::quantile(boost::math::complement(distribution, (1.0 - level) / 2.0));
  result.low = (difference - margin) / scale;
  result.high = (difference + margin) / scale;
  return result;
}

}  // namespace detail

/// Student's t-test of paired samples, such as two methods run with the same seeds: a[i] and b[i] belong
/// together. `level`: of the confidence interval. The effect size is relative to the differences' standard deviation.
///
///     auto test = gal::paired_t_test(adjusted_errors, vanilla_errors);
///     bool better = test.p_value < 0.05 && test.mean_difference < 0.0;
///
/// Without any spread the test is decided by the mean: where all differences are the same number, the
/// statistic and the effect size are infinite with its sign and p is 0; where all are 0, they are 0 and p is 1.
/// The interval then is one point. Throws for different lengths, fewer than two pairs, values that are not finite,
/// naming the first, and a level outside (0, 1).
[[nodiscard]] inline t_test_result paired_t_test(std::span<const double> a, std::span<const double> b,
                                                 double level = 0.95) {
  constexpr std::string_view name = "gal::paired_t_test";
  detail::require(a.size() == b.size(), error_code::shape_mismatch, name, ": ", a.size(), " values in a, ",
                  b.size(), " in b; expected pairs");
  detail::require_sample(name, "a", a);
  detail::require_sample(name, "b", b);
  detail::require_level(name, level);
  const auto n = static_cast<index_type>(a.size());
  const detail::differences apart(
      n, [a](index_type i) { return a[static_cast<std::size_t>(i)]; },
      [b](index_type i) { return b[static_cast<std::size_t>(i)]; });
  const double scale = detail::scale_for(detail::largest_size(n, apart));
  std::vector<double> differences(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    differences[i] = scale * apart(static_cast<index_type>(i));
  }
  const auto pairs = static_cast<double>(n);
  const double deviation = standard_deviation(differences);
  return detail::t_test(mean(differences), deviation, deviation / std::sqrt(pairs), pairs - 1.0, level,
                        scale * apart.factor);
}

/// Welch's t-test of independent samples, which may differ in length and in spread. `level`: of the
/// confidence interval. The effect size is relative to the root of the mean of both variances.
///
/// Where neither sample has any spread, the degrees of freedom are those of equal variances (both lengths
/// minus 2) and the rest is as for `paired_t_test`. Throws for fewer than two values in a sample, values that
/// are not finite, naming the first, and a level outside (0, 1).
[[nodiscard]] inline t_test_result welch_t_test(std::span<const double> a, std::span<const double> b,
                                                double level = 0.95) {
  constexpr std::string_view name = "gal::welch_t_test";
  detail::require_sample(name, "a", a);
  detail::require_sample(name, "b", b);
  detail::require_level(name, level);
  const double scale = detail::scale_for(std::max(detail::largest_size(a), detail::largest_size(b)));
  const auto a_count = static_cast<double>(a.size());
  const auto b_count = static_cast<double>(b.size());
  const double a_deviation = standard_deviation(detail::scaled(a, scale));
  const double b_deviation = standard_deviation(detail::scaled(b, scale));
  const double a_error = a_deviation / std::sqrt(a_count);
  const double b_error = b_deviation / std::sqrt(b_count);
  const double standard_error = std::hypot(a_error, b_error);
  double degrees_of_freedom = a_count + b_count - 2.0;
  if (standard_error > 0.0) {
    // Welch-Satterthwaite, by the samples' shares of the variance.
    const double a_share = std::pow(a_error / standard_error, 2);
    const double b_share = std::pow(b_error / standard_error, 2);
    degrees_of_freedom = 1.0 / (a_share * a_share / (a_count - 1.0) + b_share * b_share / (b_count - 1.0));
  }
  const double deviation = std::hypot(a_deviation, b_deviation) / std::sqrt(2.0);
  return detail::t_test(mean(detail::scaled(a, scale)) - mean(detail::scaled(b, scale)), deviation,
                        standard_error, degrees_of_freedom, level, scale);
}

}  // namespace gal

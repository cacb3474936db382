// gal/stats/power.hpp: how many pairs does a paired t-test need? Needs the headers of Boost.Math, so gal.hpp does not
// include it.
// Provides: paired_t_test_power, pairs_needed.
#pragma once

#include <gal/core/error.hpp>

#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace gal::inline GAL_ABI {

namespace detail {

inline void require_share(std::string_view name, std::string_view what, double value) {
  require(value > 0.0 && value < 1.0, error_code::invalid_option, name, ": ", what, " ", value,
          "; expected a number in (0, 1)");
}

// Without checks.
inline double paired_power(double effect_size, double pairs, double significance) {
  // Beyond this the power of any test in use is 1, and the distribution takes long.
  constexpr double most = 1e4;
  const double shift = std::min(std::abs(effect_size) * std::sqrt(pairs), most);
  const double threshold = boost::math::quantile(
      boost::math::complement(boost::math::students_t(pairs - 1.0), significance / 2.0));
  if (shift == 0.0) {
    return significance;
  }
  const boost::math::non_central_t statistic(pairs - 1.0, shift);
  return boost::math::cdf(boost::math::complement(statistic, threshold)) +
         boost::math::cdf(statistic, -threshold);
}

}  // namespace detail

/// Chance that a two-sided paired t-test of `pairs` pairs has p below `significance`, where the differences are normal and
/// their mean is `effect_size` standard deviations (Cohen's d): by the noncentral t-distribution with pairs - 1 degrees of
/// freedom and noncentrality effect_size sqrt(pairs). Throws for fewer than two pairs, an effect size that is not finite, and
/// a significance outside (0, 1).
[[nodiscard]] inline double paired_t_test_power(double effect_size, std::int64_t pairs,
                                                double significance = 0.05) {
  constexpr std::string_view name = "gal::paired_t_test_power";
  detail::require(pairs >= 2, error_code::invalid_option, name, ": ", pairs, " pairs; expected at least two");
  detail::require(std::isfinite(effect_size), error_code::non_finite, name, ": effect size ", effect_size,
                  "; expected a finite number");
  detail::require_share(name, "significance", significance);
  return detail::paired_power(effect_size, static_cast<double>(pairs), significance);
}

/// The smallest number of pairs with which such a test has at least that power: 34 for an effect size of 0.5. Two for an
/// infinite one, which has no spread. Throws for an effect size that is 0 or NaN, or so small that a billion pairs are too
/// few, and for a power or significance outside (0, 1).
[[nodiscard]] inline std::int64_t pairs_needed(double effect_size, double power = 0.8,
                                               double significance = 0.05) {
  constexpr std::string_view name = "gal::pairs_needed";
  constexpr std::int64_t most = 1'000'000'000;
  detail::require_share(name, "power", power);
  detail::require_share(name, "significance", significance);
  if (std::isinf(effect_size)) {
    return 2;
  }
  const auto enough = [&](std::int64_t pairs) {
    return detail::paired_power(effect_size, static_cast<double>(pairs), significance) >= power;
  };
  detail::require(effect_size != 0.0 && !std::isnan(effect_size), error_code::invalid_option, name,
                  ": effect size ", effect_size, "; expected another number than 0");
  std::int64_t low = 1;  // too few
  std::int64_t high = 2;
  while (!enough(high)) {
    low = high;
    high *= 2;
    detail::require(high <= most, error_code::invalid_option, name, ": effect size ", effect_size,
                    " needs more than a billion pairs; expected a larger one");
  }
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (enough(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace gal

// study/numbers.hpp: what the parts of the study make of their runs.
// Provides: json, scope, rounded, all_finite, contrast, processor_seconds, median.
#pragma once

#include "support/comparison.hpp"

#include <gal/core/text.hpp>
#include <gal/stats/t_test.hpp>

#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <vector>

namespace study {

using support::json;

/// How much is run.
struct scope {
  int seeds = 20;
  int threads = support::default_threads();
  int epochs = 0;  ///< 0: the task's
};

/// To six significant digits, so that files stay small; null where it is not finite.
inline json rounded(double value) {
  if (!std::isfinite(value)) {
    return nullptr;
  }
  return gal::detail::parse_number(gal::detail::significant(value, 6)).value();
}

inline json rounded(const std::vector<double>& values) {
  json result = json::array();
  for (const double value : values) {
    result.push_back(rounded(value));
  }
  return result;
}

inline bool all_finite(const std::vector<double>& values) {
  return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

/// A method's values against a baseline's in pairs: means, difference, its 95 % confidence interval, Cohen's d, p, in how
/// many pairs the method is better. Where a value is not finite nothing is tested.
inline json contrast(const std::vector<double>& values, const std::vector<double>& baseline,
                     bool larger_is_better) {
  std::size_t better = 0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    better += (larger_is_better ? values[k] > baseline[k] : values[k] < baseline[k]) ? 1 : 0;
  }
  json result{{"mean", nullptr}, {"baseline", nullptr}, {"better", better}, {"pairs", values.size()}};
  if (all_finite(values)) {
    result["mean"] = rounded(gal::mean(values));
  }
  if (all_finite(baseline)) {
    result["baseline"] = rounded(gal::mean(baseline));
  }
  for (const char* name : {"difference", "low", "high", "d", "p"}) {
    result[name] = nullptr;
  }
  if (values.size() >= 2 && all_finite(values) && all_finite(baseline)) {
    const gal::t_test_result test = gal::paired_t_test(values, baseline);
    result["difference"] = rounded(test.mean_difference);
    result["low"] = rounded(test.low);
    result["high"] = rounded(test.high);
    result["d"] = rounded(test.effect_size);
    result["p"] = rounded(test.p_value);
  }
  return result;
}

/// Time of the processor that this thread has spent: other programs do not count.
inline double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// The upper one of two in the middle; NaN where a value is.
inline double median(std::vector<double> values) {
  if (std::ranges::any_of(values, [](double value) { return std::isnan(value); })) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace study

// study/numbers.hpp: what the parts of the study share.
// Provides: json, scope, batch, rounded, processor_seconds, median.
#pragma once

#include "support/program.hpp"

#include <gal/core/text.hpp>
#include <gal/core/view.hpp>

#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace study {

using support::json;

inline constexpr gal::index_type batch = 32;

/// How much is run.
struct scope {
  int seeds = 20;
  int threads = 1;
  int epochs = 0;  ///< 0: the task's
  std::string
      ledger{};  ///< of the runs that are done, from which a part that was stopped goes on; empty: none
};

/// To six significant digits, so that files stay small; null where it is not finite.
inline json rounded(double value) {
  if (!std::isfinite(value)) {
    return nullptr;
  }
  return gal::detail::parse_number(gal::detail::significant(value, 6)).value();
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

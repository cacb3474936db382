// gal/stats/signed_ranks.hpp: Wilcoxon's test of pairs, which asks nothing of the shape of their differences.
// Provides: signed_rank_result, wilcoxon_signed_rank_test.
#pragma once

#include <gal/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// Outcome of Wilcoxon's signed-rank test of a against b.
struct signed_rank_result {
  double statistic =
      0.0;  ///< sum of the ranks of the pairs in which a is greater: R's V, half of n (n + 1) / 2 by chance
  std::size_t pairs = 0;  ///< n: those that differ; equal ones say nothing
  double p_value = 1.0;   ///< two-sided
  bool exact = true;      ///< p is of the distribution itself, not of the normal one near it
};

namespace detail {

// The differences of a pair that are not zero, by size, with twice their ranks: equal ones share the mean of their ranks,
// which is a multiple of one half.
struct signed_ranks {
  std::vector<std::size_t> doubled;
  std::size_t doubled_positive = 0;  // sum over the positive differences
  double ties = 0.0;                 // sum of t^3 - t over groups of t equal ones
};

inline signed_ranks rank_differences(std::vector<double> differences) {
  std::erase(differences, 0.0);
  std::ranges::sort(differences, {}, [](double d) { return std::abs(d); });
  signed_ranks result;
  for (std::size_t first = 0; first < differences.size();) {
    std::size_t end = first + 1;
    while (end < differences.size() && std::abs(differences[end]) == std::abs(differences[first])) {
      ++end;
    }
    const std::size_t doubled = first + 1 + end;  // ranks first + 1 to end
    for (std::size_t i = first; i < end; ++i) {
      result.doubled.push_back(doubled);
      result.doubled_positive += differences[i] > 0.0 ? doubled : 0;
    }
    const auto count = static_cast<double>(end - first);
    result.ties += count * (count * count - 1.0);
    first = end;
  }
  return result;
}

// Chance of a sum at least as far from its mean as this one, where every sign falls by itself: all 2^n sums, counted.
inline double exact_p_value(const signed_ranks& ranks) {
  std::size_t total = 0;
  std::vector<double> ways = {1.0};  // by sum; exact below 2^53
  for (const std::size_t rank : ranks.doubled) {
    total += rank;
    ways.resize(total + 1, 0.0);
    for (std::size_t sum = total; sum >= rank; --sum) {
      ways[sum] += ways[sum - rank];
    }
  }
  const std::size_t tail = std::min(ranks.doubled_positive, total - ranks.doubled_positive);
  double count = 0.0;
  for (std::size_t sum = 0; sum <= tail; ++sum) {
    count += ways[sum];
  }
  return std::min(1.0, std::ldexp(2.0 * count, -static_cast<int>(ranks.doubled.size())));
}

// The same by the normal distribution, with the variance that ties leave and a correction for continuity of one half.
inline double normal_p_value(const signed_ranks& ranks) {
  const auto n = static_cast<double>(ranks.doubled.size());
  const double away = std::abs(0.5 * static_cast<double>(ranks.doubled_positive) - n * (n + 1.0) / 4.0);
  const double variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ranks.ties / 48.0;
  return std::erfc(std::max(0.0, away - 0.5) / std::sqrt(2.0 * variance));
}

}  // namespace detail

/// Wilcoxon's signed-rank test (Biometrics Bulletin 1, 1945) of pairs: a[i] and b[i] belong together. Asks whether the
/// differences a - b are symmetric about 0, and believes no more of them than their order by size, so that one outlier
/// decides nothing.
///
///     auto test = gal::wilcoxon_signed_rank_test(adjusted_errors, vanilla_errors);
///
/// Pairs that are equal are left out; without others p is 1. Differences of one size share the mean of their ranks. Up to 50
/// pairs p is exact, ties or not; beyond them it is of the normal distribution, with its variance corrected for ties and half
/// a rank taken off for continuity, as R's `wilcox.test`. With n pairs p is at least 2^(1-n): five pairs never reach 0.05.
/// Throws for different lengths, no pairs, and differences that are not finite, naming the first.
[[nodiscard]] inline signed_rank_result wilcoxon_signed_rank_test(std::span<const double> a,
                                                                  std::span<const double> b) {
  constexpr std::string_view name = "gal::wilcoxon_signed_rank_test";
  constexpr std::size_t most_exact = 50;  // 2^50 sums are still counted exactly in double
  detail::require(a.size() == b.size(), error_code::shape_mismatch, name, ": ", a.size(), " values in a, ",
                  b.size(), " in b; expected pairs");
  detail::require(!a.empty(), error_code::shape_mismatch, name, ": no pairs; expected at least one");
  std::vector<double> differences(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    differences[i] = a[i] - b[i];
    detail::require(std::isfinite(differences[i]), error_code::non_finite, name, ": values ", a[i], " and ",
                    b[i], " at position ", i, "; expected a finite difference");
  }
  const detail::signed_ranks ranks = detail::rank_differences(std::move(differences));
  const std::size_t pairs = ranks.doubled.size();
  return {.statistic = 0.5 * static_cast<double>(ranks.doubled_positive),
          .pairs = pairs,
          .p_value = pairs <= most_exact ? detail::exact_p_value(ranks) : detail::normal_p_value(ranks),
          .exact = pairs <= most_exact};
}

}  // namespace gal

// gal/study/comparison_result.hpp: what a comparison gives, as plain data.
// Provides: comparison_result, comparison_run, method_summary, contrast, comparison_setting, verdict. Includes
// gal/study/compare_options.hpp.
#pragma once

#include <gal/core/enumeration.hpp>
#include <gal/stats/signed_ranks.hpp>
#include <gal/stats/t_test.hpp>
#include <gal/study/compare_options.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gal::inline GAL_ABI {

/// Which runs of a method are held against which of the baseline's.
enum class comparison_setting {
  /// Both at the baseline's best learning rate, with the same budget; the method with the setting that is its best at that
  /// rate.
  equal_steps,
  own_rate,    ///< each at its own best learning rate and setting, with the same budget
  equal_time,  ///< as own_rate, but the baseline trains as long as the method's steps take
};
constexpr auto enumerator_names(comparison_setting) {
  return std::to_array<std::string_view>({"equal_steps", "own_rate", "equal_time"});
}

/// What is said of a method against the baseline in one setting. Let p be that of the paired t-test, corrected by Holm's
/// method over all contrasts of the comparison.
///
///  - better, worse: p < 1 - level, and the mean difference says which.
///  - level: not so, and the confidence interval of the mean difference lies within `margin` times the size of the
///    baseline's mean, on both sides of 0.
///  - undecided: all else. `contrast::needed_seeds` says how many seeds might decide it.
///
/// Pairs of which a run was lost (it threw, or its measure is not finite) are left out, which flatters who lost it. So where
/// one side lost more runs than the other, nothing is said in its favour: a method that lost more is neither better nor
/// level, one that lost fewer neither worse nor level, but undecided.
enum class verdict { better, worse, level, undecided };
constexpr auto enumerator_names(verdict) {
  return std::to_array<std::string_view>({"better", "worse", "level", "undecided"});
}

/// One finished run. What is not finite is NaN.
struct comparison_run {
  std::string method{};
  gal::trial trial{};
  measures result{};
  std::string failure{};  ///< what it threw; empty: nothing

  /// The number that the run was made for: validation in choosing, test for the verdict.
  [[nodiscard]] double value() const {
    return trial.purpose == trial_purpose::choosing ? result.validation : result.test;
  }
  /// Whether it gives that number: it threw nothing, and the number is finite.
  [[nodiscard]] bool complete() const { return failure.empty() && std::isfinite(value()); }
};

/// A method over the grid of learning rates and its settings. Means and deviations are of the validation values of complete
/// runs, NaN where there are too few. Lists by rate go with `compare_options::learning_rates`; they are empty where there
/// was nothing to choose: one rate, and no more than one setting.
struct method_summary {
  std::string name{};
  std::vector<double> settings{};              ///< in order; empty: it has none
  std::vector<double> setting_at_rate{};       ///< the best by rate; empty: it has none
  std::vector<double> validation_mean{};       ///< by rate, with `setting_at_rate`
  std::vector<double> validation_deviation{};  ///< likewise
  std::vector<std::size_t> lost{};             ///< likewise: runs that threw or diverged
  std::vector<std::vector<double>>
      mean_by_setting{};  ///< validation, by setting, then by rate; empty: it has none
  double best_rate = 0.0;
  double best_setting = measures::none;  ///< at the best rate; NaN: it has none
  double seconds_per_step = 0.0;         ///< median over the verdict's runs at the best rate
};

/// A method against the baseline in one setting: in pairs, of one seed each. Differences are the method's value less the
/// baseline's.
struct contrast {
  std::string method{};
  comparison_setting setting = comparison_setting::equal_steps;
  double learning_rate = 0.0;
  double method_setting = measures::none;  ///< that of its trials; NaN: it has none
  double baseline_rate = 0.0;
  double baseline_setting = measures::none;
  std::int64_t baseline_budget = 0;  ///< the method's is that of the options
  std::vector<std::uint64_t> seeds{};
  std::vector<double> differences{};  ///< of those seeds
  std::size_t lost = 0;               ///< the method's runs that threw or diverged
  std::size_t baseline_lost = 0;
  double mean = measures::none;  ///< over the pairs, as all that follows
  double deviation = measures::none;
  double baseline_mean = measures::none;
  double baseline_deviation = measures::none;
  t_test_result
      t_test{};  ///< its interval is not corrected; with fewer than two pairs its numbers are NaN, p 1
  signed_rank_result signed_ranks{};  ///< Wilcoxon's
  double corrected_t =
      1.0;  ///< p of the t-test by Holm's method, over all contrasts that differ in their runs
  double corrected_signed_ranks = 1.0;
  gal::verdict verdict = gal::verdict::undecided;
  /// Where it is undecided for lack of seeds: those with which the t-test would find an effect of the size seen with
  /// power 0.8, at the strictest threshold of Holm's method. None for an effect below 0.001 deviations.
  std::optional<std::int64_t> needed_seeds{};

  /// A difference as a share of the size of the baseline's mean; NaN where that is 0.
  [[nodiscard]] double relative(double difference) const {
    return baseline_mean == 0.0 ? measures::none : difference / std::abs(baseline_mean);
  }
};

/// What `compare` returns. All of it is the same for any number of threads but what follows from times that were measured:
/// `seconds`, and the setting equal_time.
struct comparison_result {
  compare_options options{};  ///< as they were taken: the grid in order, the baseline's name
  std::vector<method_summary> methods{};
  std::vector<contrast> contrasts{};  ///< of each method but the baseline, in order of settings
  std::vector<std::string> warnings{};
  std::vector<comparison_run> runs{};  ///< each once
};

}  // namespace gal

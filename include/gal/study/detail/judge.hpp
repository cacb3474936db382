// gal/study/detail/judge.hpp: what the runs of a comparison say.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/text.hpp>
#include <gal/stats/holm.hpp>
#include <gal/stats/power.hpp>
#include <gal/stats/signed_ranks.hpp>
#include <gal/stats/stats.hpp>
#include <gal/stats/t_test.hpp>
#include <gal/study/comparison_result.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::detail {

inline double mean_or_none(const std::vector<double>& values) {
  return values.empty() ? measures::none : mean(values);
}
inline double deviation_or_none(const std::vector<double>& values) {
  return values.size() < 2 ? measures::none : standard_deviation(values);
}

inline std::size_t count_lost(std::span<const comparison_run> runs) {
  return static_cast<std::size_t>(
      std::ranges::count_if(runs, [](const comparison_run& run) { return !run.complete(); }));
}

/// "learning rate 0.1, setting 3".
inline std::string place_text(const trial& t) {
  return text("learning rate ", t.learning_rate,
              std::isfinite(t.setting) ? text(", setting ", t.setting) : std::string());
}

/// "2 of 30 runs diverged, 1 of 30 threw: \"message\""; empty where none was lost.
inline std::string losses_text(std::span<const comparison_run> runs) {
  std::size_t threw = 0;
  std::string message;
  for (const comparison_run& run : runs) {
    if (!run.failure.empty() && threw++ == 0) {
      message = text(" (seed ", run.trial.seed, ", ", place_text(run.trial), ": ",
                     in_quotes(run.failure, 200), ")");
    }
  }
  const std::size_t diverged = count_lost(runs) - threw;
  std::string result;
  if (diverged > 0) {
    result = text(diverged, " of ", runs.size(), " gave no finite number");
  }
  if (threw > 0) {
    result += text(result.empty() ? "" : ", ", threw, " of ", runs.size(), " threw", message);
  }
  return result;
}

// `runs`: those for choosing, by setting, then by learning rate, then by seed; none where nothing is to be chosen.
inline method_summary choose(const method& m, std::span<const comparison_run> runs,
                             const compare_options& options) {
  const std::vector<double> settings = settings_or_none(m);
  const bool has_settings = !m.settings.empty();
  method_summary result{.name = m.name,
                        .settings = has_settings ? settings : std::vector<double>(),
                        .best_rate = options.learning_rates.front(),
                        .best_setting = settings.front()};
  if (runs.empty()) {
    return result;
  }
  struct place {  // of the grid
    std::size_t lost;
    double mean;
    double deviation;
  };
  const std::size_t rates = options.learning_rates.size();
  const auto seeds = static_cast<std::size_t>(options.tuning_seeds);
  std::vector<place> grid;
  for (std::size_t k = 0; k < settings.size() * rates; ++k) {
    const auto at = runs.subspan(k * seeds, seeds);
    std::vector<double> values;
    for (const comparison_run& run : at) {
      if (run.complete()) {
        values.push_back(run.value());
      }
    }
    grid.push_back({count_lost(at), mean_or_none(values), deviation_or_none(values)});
  }
  // Fewest lost first: where a run diverges is not chosen while there is another place.
  const auto precedes = [&](const place& a, const place& b) {
    const double sign = options.larger_is_better ? -1.0 : 1.0;
    return !std::isnan(a.mean) &&
           (std::isnan(b.mean) || std::tuple(a.lost, sign * a.mean) < std::tuple(b.lost, sign * b.mean));
  };
  std::vector<std::size_t> best_at;  // setting, by rate
  std::size_t best = 0;              // rate
  for (std::size_t r = 0; r < rates; ++r) {
    best_at.push_back(0);
    for (std::size_t s = 1; s < settings.size(); ++s) {
      best_at[r] = precedes(grid[s * rates + r], grid[best_at[r] * rates + r]) ? s : best_at[r];
    }
    best = precedes(grid[best_at[r] * rates + r], grid[best_at[best] * rates + best]) ? r : best;
  }
  require(
      !std::isnan(grid[best_at[best] * rates + best].mean), error_code::non_finite,
      "gal::compare: the method \"", m.name,
      "\" has no validation value to choose its learning rate by: ", losses_text(runs),
      "; expected gal::measures whose `validation` is the measure on samples that the run neither trains on "
      "nor tests on, and learning rates at which it does not diverge");
  for (std::size_t r = 0; r < rates; ++r) {
    if (std::isnan(grid[best_at[r] * rates + r].mean)) {
      best_at[r] = best_at[best];  // all are lost there
    }
    const place& here = grid[best_at[r] * rates + r];
    result.validation_mean.push_back(here.mean);
    result.validation_deviation.push_back(here.deviation);
    result.lost.push_back(here.lost);
    if (has_settings) {
      result.setting_at_rate.push_back(settings[best_at[r]]);
    }
  }
  for (std::size_t s = 0; has_settings && s < settings.size(); ++s) {
    result.mean_by_setting.emplace_back();
    for (std::size_t r = 0; r < rates; ++r) {
      result.mean_by_setting.back().push_back(grid[s * rates + r].mean);
    }
  }
  result.best_rate = options.learning_rates[best];
  result.best_setting = settings[best_at[best]];
  return result;
}

// The upper one of two in the middle.
inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// Of the complete runs; NaN where there is none.
inline double seconds_per_step(std::span<const comparison_run> runs) {
  std::vector<double> times;
  for (const comparison_run& run : runs) {
    if (run.complete()) {
      times.push_back(run.result.seconds / static_cast<double>(run.result.steps));
    }
  }
  return times.empty() ? measures::none : median(std::move(times));
}

// Both by the same seeds. p is not corrected yet, and nothing decided.
inline contrast make_contrast(comparison_setting setting, std::span<const comparison_run> runs,
                              std::span<const comparison_run> baseline, double level) {
  contrast result{.method = runs.front().method,
                  .setting = setting,
                  .learning_rate = runs.front().trial.learning_rate,
                  .method_setting = runs.front().trial.setting,
                  .baseline_rate = baseline.front().trial.learning_rate,
                  .baseline_setting = baseline.front().trial.setting,
                  .baseline_budget = baseline.front().trial.budget,
                  .lost = count_lost(runs),
                  .baseline_lost = count_lost(baseline)};
  std::vector<double> a;
  std::vector<double> b;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].complete() && baseline[i].complete()) {
      a.push_back(runs[i].value());
      b.push_back(baseline[i].value());
      result.seeds.push_back(runs[i].trial.seed);
      result.differences.push_back(a.back() - b.back());
    }
  }
  result.mean = mean_or_none(a);
  result.deviation = deviation_or_none(a);
  result.baseline_mean = mean_or_none(b);
  result.baseline_deviation = deviation_or_none(b);
  if (a.size() < 2) {
    constexpr double none = measures::none;
    result.t_test = {.statistic = none,
                     .p_value = 1.0,
                     .mean_difference = none,
                     .low = none,
                     .high = none,
                     .effect_size = none};
  } else {
    result.t_test = paired_t_test(a, b, level);
    result.signed_ranks = wilcoxon_signed_rank_test(a, b);
  }
  return result;
}

// Whether two contrasts hold the same runs against each other, as where the best rate of a method is the baseline's.
inline bool has_same_runs(const contrast& a, const contrast& b) {
  const bool same_setting = std::isnan(a.method_setting) || a.method_setting == b.method_setting;
  return a.method == b.method && a.learning_rate == b.learning_rate && same_setting &&
         a.baseline_budget == b.baseline_budget;
}

inline verdict decide(const contrast& c, const compare_options& options) {
  const double significance = 1.0 - options.level;
  const double margin = options.margin * std::abs(c.baseline_mean);
  verdict result = verdict::undecided;
  if (c.differences.size() >= 2) {
    if (c.corrected_t < significance) {
      const bool larger = c.t_test.mean_difference > 0.0;
      result = larger == options.larger_is_better ? verdict::better : verdict::worse;
    } else if (c.t_test.low >= -margin && c.t_test.high <= margin) {
      result = verdict::level;
    }
  }
  const bool flattered = c.lost > c.baseline_lost && result != verdict::worse;
  const bool disadvantaged = c.lost < c.baseline_lost && result != verdict::better;
  return flattered || disadvantaged ? verdict::undecided : result;
}

// Corrects p over all contrasts that differ in their runs, and decides.
inline void judge(std::vector<contrast>& contrasts, const compare_options& options) {
  std::vector<std::size_t> family;     // positions of those that differ
  std::vector<std::size_t> member_of;  // position in the family
  for (std::size_t i = 0; i < contrasts.size(); ++i) {
    const auto same = std::ranges::find_if(
        family, [&](std::size_t k) { return has_same_runs(contrasts[k], contrasts[i]); });
    member_of.push_back(static_cast<std::size_t>(same - family.begin()));
    if (same == family.end()) {
      family.push_back(i);
    }
  }
  std::vector<double> t;
  std::vector<double> ranks;
  for (const std::size_t k : family) {
    t.push_back(contrasts[k].t_test.p_value);
    ranks.push_back(contrasts[k].signed_ranks.p_value);
  }
  t = holm(t);
  ranks = holm(ranks);
  for (std::size_t i = 0; i < contrasts.size(); ++i) {
    contrast& c = contrasts[i];
    c.corrected_t = t[member_of[i]];
    c.corrected_signed_ranks = ranks[member_of[i]];
    c.verdict = decide(c, options);
    constexpr double least_effect = 1e-3;
    const double significance = 1.0 - options.level;
    if (c.verdict == verdict::undecided && c.lost == c.baseline_lost && c.corrected_t >= significance &&
        std::abs(c.t_test.effect_size) >= least_effect) {  // NaN is not
      c.needed_seeds =
          pairs_needed(c.t_test.effect_size, 0.8, significance / static_cast<double>(family.size()));
    }
  }
}

}  // namespace gal::detail

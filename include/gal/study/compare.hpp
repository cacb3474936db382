// gal/study/compare.hpp: does a method help on my model? (POSIX; Boost.Math and nlohmann-json)
// Provides: compare. Includes gal/study/comparison_result.hpp, gal/study/compare_options.hpp.
#pragma once

#include <gal/core/text.hpp>
#include <gal/study/compare_options.hpp>
#include <gal/study/comparison_result.hpp>
#include <gal/study/detail/judge.hpp>
#include <gal/study/detail/rows.hpp>
#include <gal/study/detail/runner.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gal::inline GAL_ABI {

namespace detail {

// The steps of `compare`.
class comparison {
 public:
  comparison(const std::vector<method>& methods, const compare_options& options)
      : methods_(methods), options_(options), runner_(methods, options) {
    while (methods_[baseline_].name != options_.baseline) {
      ++baseline_;
    }
    const std::size_t others = methods.size() - 1;
    fresh_ = verdict_seeds() * (methods.size() + (has_grid() ? others : 0));
    stretched_ = options.equal_time ? verdict_seeds() * others : 0;
  }

  comparison_result run() {
    result_.options = options_;
    choose_places();
    train_for_verdict();
    if (options_.equal_time) {
      train_in_equal_time();
    }
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      if (m != baseline_) {
        add_contrasts(m);
      }
    }
    judge(result_.contrasts, options_);
    for (const contrast& c : result_.contrasts) {
      // The same runs may stand in two settings: once is enough.
      const auto first =
          std::ranges::find_if(result_.contrasts, [&](const contrast& o) { return has_same_runs(o, c); });
      if (c.needed_seeds && &*first == &c) {
        warn(c.method, ", ", words(c.setting), ": for an effect of the size seen, ",
             significant(c.t_test.effect_size, 3), " deviations, ", *c.needed_seeds,
             " seeds would be needed instead of ", c.differences.size());
      }
    }
    result_.runs = runner_.runs();
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool has_grid() const { return options_.learning_rates.size() > 1; }
  [[nodiscard]] std::size_t tuning_seeds() const { return static_cast<std::size_t>(options_.tuning_seeds); }
  [[nodiscard]] std::size_t verdict_seeds() const { return static_cast<std::size_t>(options_.verdict_seeds); }

  template <class... Parts>
  void warn(const Parts&... parts) {
    result_.warnings.push_back(text(parts...));
  }

  // Of every method a learning rate and a setting, where there are several.
  void choose_places() {
    std::vector<planned_run> plan;
    std::vector<std::size_t> ends;  // in the plan, by method
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      if (has_grid() || methods_[m].settings.size() > 1) {
        for (const double setting : settings_or_none(methods_[m])) {
          for (const double rate : options_.learning_rates) {
            for (std::size_t k = 0; k < tuning_seeds(); ++k) {
              plan.push_back({m,
                              {.seed = options_.first_seed + k,
                               .learning_rate = rate,
                               .budget = options_.budget,
                               .purpose = trial_purpose::choosing,
                               .setting = setting}});
            }
          }
        }
      }
      ends.push_back(plan.size());
    }
    const auto runs = runner_.make(plan, fresh_ + stretched_);
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      const std::size_t begin = m == 0 ? 0 : ends[m - 1];
      const auto of_method = std::span(runs).subspan(begin, ends[m] - begin);
      result_.methods.push_back(choose(methods_[m], of_method, options_));
      const method_summary& chosen = result_.methods[m];
      const std::string lost = losses_text(of_method);
      if (!lost.empty()) {
        warn(chosen.name, ": of the runs for choosing a ", has_grid() ? "learning rate" : "setting",
             has_grid() && chosen.settings.size() > 1 ? " and a setting " : " ", lost);
      }
      warn_of_end(chosen.name, "learning rate", chosen.best_rate, options_.learning_rates, "grid");
      if (chosen.settings.size() >= 3 && chosen.best_setting != 0.0) {
        warn_of_end(chosen.name, "setting", chosen.best_setting, chosen.settings, "list");
      }
    }
  }

  void warn_of_end(const std::string& whose, std::string_view what, double best,
                   const std::vector<double>& of, std::string_view where) {
    if (of.size() > 1 && (best == of.front() || best == of.back())) {
      warn(whose, ": its best ", what, ", ", best, ", is the ", best == of.front() ? "smallest" : "largest",
           " of the ", where, "; one beyond may be better");
    }
  }

  // Adds to a plan the fresh seeds of a method there.
  void plan_verdict(std::vector<planned_run>& plan, std::size_t m, double rate, double setting,
                    std::int64_t budget) const {
    for (std::size_t k = 0; k < verdict_seeds(); ++k) {
      plan.push_back({m,
                      {.seed = options_.first_seed + tuning_seeds() + k,
                       .learning_rate = rate,
                       .budget = budget,
                       .purpose = trial_purpose::verdict,
                       .setting = setting}});
    }
  }

  [[nodiscard]] std::span<const comparison_run> part(const std::vector<comparison_run>& runs,
                                                     std::size_t k) const {
    return std::span(runs).subspan(k * verdict_seeds(), verdict_seeds());
  }

  [[nodiscard]] std::span<const comparison_run> equal_steps(std::size_t m) const {
    return part(verdict_runs_, 2 * m);
  }
  [[nodiscard]] std::span<const comparison_run> own_rate(std::size_t m) const {
    return part(verdict_runs_, 2 * m + 1);
  }

  // The best of a method at the baseline's best rate.
  [[nodiscard]] double setting_at_equal_steps(std::size_t m) const {
    const method_summary& chosen = result_.methods[m];
    const auto at = std::ranges::find(options_.learning_rates, result_.methods[baseline_].best_rate);
    return chosen.setting_at_rate.empty()
               ? chosen.best_setting
               : chosen.setting_at_rate[static_cast<std::size_t>(at - options_.learning_rates.begin())];
  }

  // Of every method at the baseline's best rate, then at its own, which may be the same runs.
  void train_for_verdict() {
    std::vector<planned_run> plan;
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      const method_summary& chosen = result_.methods[m];
      plan_verdict(plan, m, result_.methods[baseline_].best_rate, setting_at_equal_steps(m), options_.budget);
      plan_verdict(plan, m, chosen.best_rate, chosen.best_setting, options_.budget);
    }
    verdict_runs_ = runner_.make(plan, stretched_);
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      result_.methods[m].seconds_per_step = seconds_per_step(own_rate(m));
      warn_of_losses(methods_[m].name, equal_steps(m));
      if (result_.methods[m].best_rate != result_.methods[baseline_].best_rate) {
        warn_of_losses(methods_[m].name, own_rate(m));
      }
    }
  }

  // Of the baseline for every other method: as many steps as the method's take, by the medians of both.
  void train_in_equal_time() {
    const double baseline_time = result_.methods[baseline_].seconds_per_step;
    std::vector<planned_run> plan;
    time_place_.assign(methods_.size(), std::nullopt);
    std::size_t count = 0;
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      const double budget =
          static_cast<double>(options_.budget) * (result_.methods[m].seconds_per_step / baseline_time);
      constexpr double most = 1e15;  // still exact
      if (m == baseline_) {
        continue;
      }
      if (!(budget > 0.0 && budget < most)) {  // NaN is not
        warn(methods_[m].name, ": its steps took ", significant(result_.methods[m].seconds_per_step, 3),
             " seconds and the baseline's ", significant(baseline_time, 3), ": no comparison in equal time");
        continue;
      }
      const method_summary& baseline = result_.methods[baseline_];
      plan_verdict(plan, baseline_, baseline.best_rate, baseline.best_setting,
                   std::max<std::int64_t>(1, std::llround(budget)));
      time_place_[m] = count++;
    }
    time_runs_ = runner_.make(plan, 0);
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      if (time_place_[m]) {
        warn_of_losses(text(options_.baseline, " with the time of ", methods_[m].name),
                       part(time_runs_, *time_place_[m]));
      }
    }
  }

  void warn_of_losses(const std::string& whose, std::span<const comparison_run> runs) {
    const std::string lost = losses_text(runs);
    if (!lost.empty()) {
      warn(whose, ": of the runs for the verdict at ", place_text(runs.front().trial), " ", lost,
           "; their pairs are left out");
    }
  }

  void add_contrasts(std::size_t m) {
    const auto add = [&](comparison_setting setting, auto runs, auto baseline) {
      result_.contrasts.push_back(make_contrast(setting, runs, baseline, options_.level));
    };
    add(comparison_setting::equal_steps, equal_steps(m), equal_steps(baseline_));
    add(comparison_setting::own_rate, own_rate(m), own_rate(baseline_));
    if (options_.equal_time && time_place_[m]) {
      add(comparison_setting::equal_time, own_rate(m), part(time_runs_, *time_place_[m]));
    }
  }

  const std::vector<method>& methods_;
  const compare_options& options_;
  runner runner_;
  std::size_t baseline_ = 0;
  std::size_t fresh_ = 0;  // runs, at most
  std::size_t stretched_ = 0;
  std::vector<comparison_run> verdict_runs_;
  std::vector<comparison_run> time_runs_;
  std::vector<std::optional<std::size_t>> time_place_;  // by method: part of time_runs_
  comparison_result result_;
};

}  // namespace detail

/// Does a method help? Trains by every method and holds each against the baseline:
///
///  1. Choosing: every method at every learning rate of the grid with every one of its settings, with the tuning seeds. Its
///     best pair is that of the best mean validation value; one at which a run was lost (threw, or gave no finite
///     number) only where all have lost some, the fewest then. A grid of one rate and no more than one setting leave this out.
///  2. Verdict, with fresh seeds and by the test value: every method at the baseline's best rate, with its best setting at
///     that rate (`equal_steps`), and at its own best pair (`own_rate`); and the baseline at its best pair with the
///     budget that takes the time of the method, whose run is that of `own_rate` (`equal_time`). Time is the median over
///     the runs of seconds per step.
///  3. Of each: means, paired t-test with interval and effect size, Wilcoxon's signed ranks, both corrected by Holm's method,
///     and a word (`verdict`).
///
///     auto train = [&](bool adjusts) {
///       return [&, adjusts](const gal::trial& t) -> gal::measures { ...; return {.validation = v, .test = e}; };
///     };
///     auto result = gal::compare({{"plain", train(false)}, {"GAL", train(true)}},
///                                {.learning_rates = {1e-3, 3e-3, 1e-2, 3e-2}, .threads = 2});
///     std::cout << gal::text_table(result);
///
/// Runs are independent of each other: what a method returns may depend on its trial alone, and has to be the same again. With
/// a ledger a comparison that was killed goes on where it was, and gives the same bits.
///
/// Throws before the first run for methods and options that do not fit (`invalid_option`), and for a ledger that cannot be
/// written (`unreadable_file`), is of another comparison (`shape_mismatch`) or none (`malformed_data`); after choosing where a
/// method has no finite validation value (`non_finite`). A method that throws loses that run, and the rest goes on.
[[nodiscard]] inline comparison_result compare(const std::vector<method>& methods,
                                               const compare_options& options) {
  const compare_options valid = detail::validated(methods, options);
  return detail::comparison(methods, valid).run();
}

}  // namespace gal

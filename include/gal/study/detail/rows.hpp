// gal/study/detail/rows.hpp: a comparison in words, the same on the terminal and on a page.
#pragma once

#include <gal/core/text.hpp>
#include <gal/study/comparison_result.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace gal::inline GAL_ABI::detail {

inline std::string cell(double value, int digits) {
  return std::isfinite(value) ? significant(value, digits) : std::string("n/a");
}

inline std::string words(comparison_setting setting) {
  std::string result = to_string(setting);
  std::ranges::replace(result, '_', ' ');
  return result;
}

inline std::string signed_text(double number) {
  return std::isfinite(number) ? text(number > 0.0 ? "+" : "", fixed(number, 2)) : std::string("n/a");
}

/// A difference in percent of the baseline's mean.
inline std::string difference_text(const contrast& c) {
  return signed_text(100.0 * c.relative(c.t_test.mean_difference)) + " %";
}
inline std::string interval_text(const contrast& c) {
  return text(signed_text(100.0 * c.relative(c.t_test.low)), " to ",
              signed_text(100.0 * c.relative(c.t_test.high)), " %");
}

inline std::string p_text(double p) { return p < 1e-4 ? "<0.0001" : significant(p, 2); }

inline std::string verdict_text(const contrast& c) {
  return text(c.verdict, c.needed_seeds ? text(", needs ", *c.needed_seeds, " seeds") : std::string());
}

inline std::vector<std::string> contrast_header(const compare_options& options) {
  return {"method",        "compared in",
          "learning rate", "mean",
          "deviation",     "baseline",
          "difference",    text(significant(100.0 * options.level, 4), " % interval"),
          "effect size",   "p, t-test",
          "p, ranks",      "verdict"};
}

inline std::vector<std::string> contrast_row(const contrast& c) {
  return {c.method,
          words(c.setting),
          text(c.learning_rate),
          cell(c.mean, 5),
          cell(c.deviation, 3),
          cell(c.baseline_mean, 5),
          difference_text(c),
          interval_text(c),
          cell(c.t_test.effect_size, 3),
          p_text(c.corrected_t),
          p_text(c.corrected_signed_ranks),
          verdict_text(c)};
}

/// What was compared, in a line.
inline std::string summary_text(const comparison_result& result) {
  const compare_options& o = result.options;
  std::string rates = text("learning rate ", o.learning_rates.front());
  if (o.learning_rates.size() > 1) {
    const auto baseline = std::ranges::find(result.methods, o.baseline, &method_summary::name);
    rates = text("its best learning rate ", baseline->best_rate, " of ", o.learning_rates.size(), " from ",
                 o.learning_rates.front(), " to ", o.learning_rates.back(), ", chosen with ", o.tuning_seeds,
                 o.tuning_seeds == 1 ? " seed" : " seeds");
  }
  return text(o.measure, ", ", o.larger_is_better ? "larger" : "smaller", " is better; against ", o.baseline,
              ", ", rates, "; ", o.verdict_seeds, " fresh seeds for the verdict");
}

}  // namespace gal::detail

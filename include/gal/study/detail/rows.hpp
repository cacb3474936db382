// gal/study/detail/rows.hpp: a comparison in words, the same on the terminal and on a page.
#pragma once

#include <gal/core/text.hpp>
#include <gal/study/comparison_result.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

namespace gal::inline GAL_ABI::detail {

inline std::string cell(double value, int digits) {
  return std::isfinite(value) ? significant(value, digits) : std::string("n/a");
}

inline std::string words(std::string_view setting) {
  std::string result(setting);
  std::ranges::replace(result, '_', ' ');
  return result;
}
inline std::string words(comparison_setting setting) { return words(to_string(setting)); }

inline std::string signed_text(double number) {
  if (!std::isfinite(number)) {
    return "n/a";
  }
  constexpr double wide = 1e6;  // as where a run has diverged
  return text(number > 0.0 ? "+" : "", std::abs(number) < wide ? fixed(number, 2) : scientific(number, 1));
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

/// A method's setting; a dash where it has none.
inline std::string setting_text(double setting) {
  return std::isfinite(setting) ? text(setting) : std::string("-");
}

/// Whether any method has settings, so that they are shown.
inline bool has_settings(const comparison_result& result) {
  return std::ranges::any_of(result.methods, [](const method_summary& m) { return !m.settings.empty(); });
}

inline std::vector<std::string> contrast_header(const comparison_result& result) {
  std::vector<std::string> cells = {"method", "compared in", "learning rate"};
  if (has_settings(result)) {
    cells.push_back("setting");
  }
  for (const std::string& name :
       {std::string("mean"), std::string("deviation"), std::string("baseline"), std::string("difference"),
        text(significant(100.0 * result.options.level, 4), " % interval"), std::string("effect size"),
        std::string("p, t-test"), std::string("p, ranks"), std::string("verdict")}) {
    cells.push_back(name);
  }
  return cells;
}

inline std::vector<std::string> contrast_row(const comparison_result& result, const contrast& c) {
  std::vector<std::string> cells = {c.method, words(c.setting), text(c.learning_rate)};
  if (has_settings(result)) {
    cells.push_back(setting_text(c.method_setting));
  }
  for (const std::string& number :
       {cell(c.mean, 5), cell(c.deviation, 3), cell(c.baseline_mean, 5), difference_text(c), interval_text(c),
        cell(c.t_test.effect_size, 3), p_text(c.corrected_t), p_text(c.corrected_signed_ranks),
        verdict_text(c)}) {
    cells.push_back(number);
  }
  return cells;
}

/// The contrasts but those that say nothing more: with one learning rate own rates are equal steps again.
inline std::vector<contrast> shown_contrasts(const comparison_result& result) {
  std::vector<contrast> shown = result.contrasts;
  if (result.options.learning_rates.size() == 1) {
    std::erase_if(shown, [](const contrast& c) { return c.setting == comparison_setting::own_rate; });
  }
  return shown;
}

/// What was compared, in a line.
inline std::string summary_text(const comparison_result& result) {
  const compare_options& o = result.options;
  const auto baseline = std::ranges::find(result.methods, o.baseline, &method_summary::name);
  std::string rates = text("learning rate ", o.learning_rates.front());
  if (o.learning_rates.size() > 1) {
    rates = text("its best learning rate ", baseline->best_rate, " of ", o.learning_rates.size(), " from ",
                 o.learning_rates.front(), " to ", o.learning_rates.back(), ", chosen with ", o.tuning_seeds,
                 o.tuning_seeds == 1 ? " seed" : " seeds");
  }
  if (!baseline->settings.empty()) {
    rates +=
        text(", with its ", baseline->settings.size() > 1 ? "best " : "", "setting ", baseline->best_setting);
  }
  return text(o.measure, ", ", o.larger_is_better ? "larger" : "smaller", " is better; against ", o.baseline,
              ", ", rates, "; ", o.verdict_seeds, " fresh seeds for the verdict");
}

}  // namespace gal::detail

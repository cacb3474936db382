// gal/study/comparison_page.hpp: a comparison as a page for a browser (POSIX).
// Provides: comparison_page, write_page. Includes gal/fit/html_page.hpp, gal/study/comparison_result.hpp.
#pragma once

#include <gal/core/text.hpp>
#include <gal/fit/html_page.hpp>
#include <gal/study/comparison_result.hpp>
#include <gal/study/detail/rows.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

namespace detail {

// Validation over the grid, with a band of one deviation to both sides.
inline html_page::chart rates_chart(const comparison_result& result) {
  html_page::chart chart{
      .title = "Validation over learning rates",
      .note = text("means over ", result.options.tuning_seeds, " seeds, bands of one deviation to both sides",
                   has_settings(result) ? "; at each rate with the best setting" : ""),
      .x_label = "learning rate, decimal logarithm",
      .y_label = result.options.measure,
      .x = {},
      .curves = {}};
  for (const double rate : result.options.learning_rates) {
    chart.x.push_back(std::log10(rate));
  }
  for (const method_summary& m : result.methods) {
    html_page::curve curve{.name = m.name, .values = m.validation_mean};
    for (std::size_t k = 0; k < m.validation_mean.size(); ++k) {
      curve.low.push_back(m.validation_mean[k] - m.validation_deviation[k]);
      curve.high.push_back(m.validation_mean[k] + m.validation_deviation[k]);
    }
    chart.curves.push_back(std::move(curve));
  }
  return chart;
}

// Validation by setting and learning rate.
inline html_page::table validation_by_setting(const comparison_result& result) {
  html_page::table table{.header = {"method", "setting"}};
  for (const double rate : result.options.learning_rates) {
    table.header.push_back(text("learning rate ", rate));
  }
  for (const method_summary& m : result.methods) {
    for (std::size_t k = 0; k < m.mean_by_setting.size(); ++k) {
      table.rows.push_back(
          {m.name, text(m.settings[k], m.settings[k] == m.best_setting ? ", the best" : "")});
      for (const double mean : m.mean_by_setting[k]) {
        table.rows.back().push_back(cell(mean, 5));
      }
    }
  }
  return table;
}

// The differences that the verdicts in one setting come from.
inline html_page::chart differences_chart(const comparison_result& result, comparison_setting setting) {
  html_page::chart chart{.title = text("Differences, ", words(setting)),
                         .note = text("method less ", result.options.baseline, ", the same seed"),
                         .x_label = "seed",
                         .y_label = result.options.measure,
                         .x = {},
                         .curves = {}};
  std::vector<std::uint64_t> seeds;
  for (const comparison_run& run : result.runs) {
    if (run.trial.purpose == trial_purpose::verdict) {
      seeds.push_back(run.trial.seed);
    }
  }
  std::ranges::sort(seeds);
  seeds.erase(std::unique(seeds.begin(), seeds.end()), seeds.end());
  for (const std::uint64_t seed : seeds) {
    chart.x.push_back(static_cast<double>(seed));
  }
  // All methods, so that each has the colour that it has elsewhere; the baseline is the line at 0.
  for (const method_summary& m : result.methods) {
    const bool is_baseline = m.name == result.options.baseline;
    html_page::curve curve{.name = m.name,
                           .values = std::vector<double>(seeds.size(), is_baseline ? 0.0 : measures::none)};
    for (const contrast& c : result.contrasts) {
      for (std::size_t k = 0; c.method == m.name && c.setting == setting && k < c.seeds.size(); ++k) {
        const auto at = std::ranges::lower_bound(seeds, c.seeds[k]) - seeds.begin();
        curve.values[static_cast<std::size_t>(at)] = c.differences[k];
      }
    }
    chart.curves.push_back(std::move(curve));
  }
  return chart;
}

// All but the machine.
inline void add_comparison(html_page& page, const comparison_result& result) {
  const std::vector<contrast> shown = shown_contrasts(result);
  for (const contrast& c : shown) {
    page.add(html_page::headline{c.method + ", " + words(c.setting), to_string(c.verdict),
                                 text(difference_text(c), " (", interval_text(c), ")",
                                      c.needed_seeds ? text("; needs ", *c.needed_seeds, " seeds") : "")});
  }
  page.heading("Verdicts");
  html_page::table verdicts{.header = contrast_header(result)};
  for (const contrast& c : shown) {
    verdicts.rows.push_back(contrast_row(result, c));
  }
  page.add(verdicts);
  if (!result.warnings.empty()) {
    page.heading("Warnings");
    html_page::table warnings;
    for (const std::string& warning : result.warnings) {
      warnings.rows.push_back({warning});
    }
    page.add(warnings);
  }
  if (result.options.learning_rates.size() > 1) {
    page.heading("Learning rates");
    page.add(rates_chart(result));
  }
  if (const html_page::table settings = validation_by_setting(result); !settings.rows.empty()) {
    page.heading("Settings, by validation");
    page.add(settings);
  }
  page.heading("Seeds");
  for (const comparison_setting setting :
       {comparison_setting::equal_steps, comparison_setting::own_rate, comparison_setting::equal_time}) {
    if (std::ranges::find(shown, setting, &contrast::setting) != shown.end()) {
      page.add(differences_chart(result, setting));
    }
  }
}

}  // namespace detail

/// The page of a comparison: a word and an interval for every contrast, the table of `text_table`, curves over the learning
/// rates at the best setting of each, validation by setting, differences of the seeds, warnings, and the machine.
[[nodiscard]] inline html_page comparison_page(const comparison_result& result) {
  html_page page(result.options.title, detail::summary_text(result));
  detail::add_comparison(page, result);
  page.heading("Machine");
  page.add(machine_table());
  return page;
}

/// One page for several comparisons, such as those of several data sets.
[[nodiscard]] inline html_page comparison_page(const std::string& title,
                                               const std::vector<comparison_result>& results) {
  html_page page(title, detail::text(results.size(), " comparisons"));
  for (const comparison_result& result : results) {
    page.heading(detail::text(result.options.title, ": ", detail::summary_text(result)));
    detail::add_comparison(page, result);
  }
  page.heading("Machine");
  page.add(machine_table());
  return page;
}

/// Writes it to a file, as `html_page::write`.
inline void write_page(const comparison_result& result, const std::string& path) {
  comparison_page(result).write(path);
}
inline void write_page(const std::string& title, const std::vector<comparison_result>& results,
                       const std::string& path) {
  comparison_page(title, results).write(path);
}

}  // namespace gal

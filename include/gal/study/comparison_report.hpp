// gal/study/comparison_report.hpp: a comparison for the terminal, for a table of numbers and for other programs (POSIX,
// nlohmann-json).
// Provides: text_table, csv_text, to_json, show_progress. Includes gal/study/comparison_result.hpp.
#pragma once

#include <gal/core/text.hpp>
#include <gal/study/comparison_result.hpp>
#include <gal/study/detail/ledger.hpp>
#include <gal/study/detail/rows.hpp>

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// The verdicts with their numbers, and the warnings, as text for a terminal: what the columns mean is in docs/compare.md.
[[nodiscard]] inline std::string text_table(const comparison_result& result) {
  std::vector<std::vector<std::string>> rows = {detail::contrast_header(result)};
  for (const contrast& c : detail::shown_contrasts(result)) {
    rows.push_back(detail::contrast_row(result, c));
  }
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (std::size_t j = 0; j < widths.size(); ++j) {
      widths[j] = std::max(widths[j], row[j].size());
    }
  }
  std::string text = result.options.title + "\n" + detail::summary_text(result) + "\n\n";
  constexpr std::size_t left = 2;  // columns flush left; the last is, too
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t j = 0; j < widths.size(); ++j) {
      const std::string padding(widths[j] - row[j].size(), ' ');
      const bool is_left = j < left || j + 1 == widths.size();
      line += j == 0 ? "" : "  ";
      line += is_left ? row[j] + padding : padding + row[j];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  for (const std::string& warning : result.warnings) {
    text += detail::text(&warning == result.warnings.data() ? "\n" : "", "warning: ", warning, "\n");
  }
  return text;
}

/// All runs as CSV, a line each, with a header; numbers read back exactly, and those that are not finite are empty. Further
/// numbers have the last columns.
[[nodiscard]] inline std::string csv_text(const comparison_result& result) {
  const auto quoted = [](std::string_view cell) {
    if (cell.find_first_of(",\"\r\n") == std::string_view::npos) {
      return std::string(cell);
    }
    std::string text = "\"";
    for (const char c : cell) {
      text += c == '"' ? std::string("\"\"") : std::string(1, c);
    }
    return text + "\"";
  };
  const auto number = [](double value) { return std::isfinite(value) ? detail::text(value) : std::string(); };
  std::vector<std::string> further;
  for (const comparison_run& run : result.runs) {
    for (const auto& [name, value] : run.result.further) {
      if (std::ranges::find(further, name) == further.end()) {
        further.push_back(name);
      }
    }
  }
  std::string text = "method,purpose,learning_rate,setting,budget,seed,validation,test,steps,seconds,failure";
  for (const std::string& name : further) {
    text += "," + quoted(name);
  }
  text += "\n";
  for (const comparison_run& run : result.runs) {
    text += detail::text(quoted(run.method), ",", run.trial.purpose, ",", run.trial.learning_rate, ",",
                         number(run.trial.setting), ",", run.trial.budget, ",", run.trial.seed, ",",
                         number(run.result.validation), ",", number(run.result.test), ",", run.result.steps,
                         ",", number(run.result.seconds), ",", quoted(run.failure));
    for (const std::string& name : further) {
      const auto found = std::ranges::find(run.result.further, name, &std::pair<std::string, double>::first);
      text += "," + (found == run.result.further.end() ? "" : number(found->second));
    }
    text += "\n";
  }
  return text;
}

/// Everything, as JSON; numbers that are not finite are null. `to_json(result).dump(2)` is the text of a file.
[[nodiscard]] inline nlohmann::ordered_json to_json(const comparison_result& result) {
  using json = nlohmann::ordered_json;
  const compare_options& o = result.options;
  json methods = json::array();
  for (const method_summary& m : result.methods) {
    methods.push_back({{"name", m.name},
                       {"settings", m.settings},
                       {"setting_at_rate", m.setting_at_rate},
                       {"validation_mean", m.validation_mean},
                       {"validation_deviation", m.validation_deviation},
                       {"lost", m.lost},
                       {"mean_by_setting", m.mean_by_setting},
                       {"best_rate", m.best_rate},
                       {"best_setting", m.best_setting},
                       {"seconds_per_step", m.seconds_per_step}});
  }
  json contrasts = json::array();
  for (const contrast& c : result.contrasts) {
    contrasts.push_back({{"method", c.method},
                         {"setting", to_string(c.setting)},
                         {"learning_rate", c.learning_rate},
                         {"method_setting", c.method_setting},
                         {"baseline_rate", c.baseline_rate},
                         {"baseline_setting", c.baseline_setting},
                         {"baseline_budget", c.baseline_budget},
                         {"seeds", c.seeds},
                         {"differences", c.differences},
                         {"lost", c.lost},
                         {"baseline_lost", c.baseline_lost},
                         {"mean", c.mean},
                         {"deviation", c.deviation},
                         {"baseline_mean", c.baseline_mean},
                         {"baseline_deviation", c.baseline_deviation},
                         {"mean_difference", c.t_test.mean_difference},
                         {"low", c.t_test.low},
                         {"high", c.t_test.high},
                         {"effect_size", c.t_test.effect_size},
                         {"p_t_test", c.t_test.p_value},
                         {"p_t_test_corrected", c.corrected_t},
                         {"p_signed_ranks", c.signed_ranks.p_value},
                         {"p_signed_ranks_corrected", c.corrected_signed_ranks},
                         {"verdict", to_string(c.verdict)},
                         {"needed_seeds", c.needed_seeds ? json(*c.needed_seeds) : json(nullptr)}});
  }
  json runs = json::array();
  for (const comparison_run& run : result.runs) {
    runs.push_back(detail::to_json(run));
  }
  return {{"title", o.title},
          {"measure", o.measure},
          {"larger_is_better", o.larger_is_better},
          {"baseline", o.baseline},
          {"learning_rates", o.learning_rates},
          {"budget", o.budget},
          {"first_seed", o.first_seed},
          {"tuning_seeds", o.tuning_seeds},
          {"verdict_seeds", o.verdict_seeds},
          {"equal_time", o.equal_time},
          {"level", o.level},
          {"margin", o.margin},
          {"methods", std::move(methods)},
          {"contrasts", std::move(contrasts)},
          {"warnings", result.warnings},
          {"runs", std::move(runs)}};
}

/// How many runs are done and how long the others may take, in one line on stderr; nothing where that is no terminal.
inline void show_progress(const comparison_progress& progress) {
  if (::isatty(STDERR_FILENO) != 1) {
    return;
  }
  std::fprintf(stderr, "\r%zu of %zu runs, %.0f s left\033[K", progress.done, progress.expected,
               progress.seconds_left);
  if (progress.done == progress.expected) {
    std::fputs("\r\033[K", stderr);
  }
  std::fflush(stderr);
}

}  // namespace gal

#include "support/compare.hpp"

#include "support/text.hpp"

#include <gal/study.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <thread>
#include <utility>

namespace support {

int compare_settings::default_threads() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void add_options(CLI::App& app, compare_settings& s) {
  add_count(app, "--epochs", s.budget, "Passes through the training part");
  add_count(app, "--batch", s.batch, "Samples in a batch");
  add_run_options(app, s);
}

void add_run_options(CLI::App& app, compare_settings& s) {
  app.add_option("--seeds", s.seeds, "Runs of every method that are compared, each of another seed")
      ->check(CLI::Range(2, 100'000))
      ->capture_default_str();
  add_count(app, "--threads", s.threads, "Threads; the results do not depend on it", 1024);
  add_path(app, "--json", s.json_file, "File for all numbers");
  add_path(app, "--report", s.report_file, "File for a page, to open in a browser");
  add_path(app, "--ledger", s.ledger,
           "Directory that keeps runs: started again, the program goes on with them");
}

void prepare_outputs(const compare_settings& s, const std::string& out) {
  prepare_outputs(out, {s.json_file, s.report_file});
  prepare_outputs(s.ledger, {});
}

std::string summary(const compare_settings& s) {
  return text("batch ", s.batch, ", ", s.budget, s.budget == 1 ? " epoch, " : " epochs, ", s.seeds, " seeds");
}

gal::comparison_result compare(const compare_settings& s, const std::string& name,
                               const std::vector<gal::method>& methods, gal::compare_options options) {
  options.budget = s.budget;
  options.verdict_seeds = s.seeds;
  options.threads = s.threads;
  options.equal_time = false;
  options.progress = gal::show_progress;
  const bool chooses = options.learning_rates.size() > 1 ||
                       std::ranges::any_of(methods, [](const auto& m) { return m.settings.size() > 1; });
  if (!chooses) {
    options.first_seed = 0;
    options.tuning_seeds = 1;
  }
  if (!s.ledger.empty()) {
    options.ledger = (std::filesystem::path(s.ledger) / (name + ".jsonl")).string();
  }
  gal::comparison_result result = gal::compare(methods, options);
  std::printf("\n%s", gal::text_table(result).c_str());
  std::fflush(stdout);
  return result;
}

std::vector<double> numbers_of(const gal::comparison_result& result, std::string_view method,
                               std::string_view further) {
  const auto& chosen = *std::ranges::find(result.methods, method, &gal::method_summary::name);
  std::vector<double> numbers;
  for (const gal::comparison_run& run : result.runs) {
    const bool at_its_best = run.trial.learning_rate == chosen.best_rate &&
                             (chosen.settings.empty() || run.trial.setting == chosen.best_setting);
    if (run.method == method && run.trial.purpose == gal::trial_purpose::verdict && at_its_best &&
        run.complete()) {
      const auto& all = run.result.further;
      const auto found = std::ranges::find(all, further, &std::pair<std::string, double>::first);
      numbers.push_back(found == all.end() ? run.result.test : found->second);
    }
  }
  return numbers;
}

void write_results(const compare_settings& s, std::string_view program, const std::string& title,
                   const json& configuration, const std::vector<gal::comparison_result>& results) {
  json comparisons = json::array();
  for (const gal::comparison_result& result : results) {
    comparisons.push_back(gal::to_json(result));
  }
  write_json(s.json_file, program,
             {{"configuration", configuration}, {"comparisons", std::move(comparisons)}},
             {{"threads", s.threads}});
  if (!s.report_file.empty()) {
    const bool is_one = results.size() == 1;
    (is_one ? gal::comparison_page(results.front()) : gal::comparison_page(title, results))
        .write(s.report_file);
    std::printf("\nThe report is in %s\n", s.report_file.c_str());
  }
}

}  // namespace support

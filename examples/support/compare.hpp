// support/compare.hpp: comparisons by `gal::compare` with the options that all programs share. Compiled once, in compare.cpp, which
// spares every program a third of its compile time.
// Provides: compare_settings, add_options, add_run_options, prepare_outputs, summary, compare, numbers_of, write_results. Includes
// support/program.hpp, gal/study/comparison_result.hpp.
#pragma once

#include "support/program.hpp"

#include <gal/study/comparison_result.hpp>

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace support {

/// What every comparison can be asked for.
struct compare_settings {
  int seeds = 10;
  int budget = 20;  ///< epochs, or steps
  int batch = 32;
  int threads = default_threads();
  std::string json_file{};
  std::string report_file{};
  std::string ledger{};  ///< directory

  [[nodiscard]] static int default_threads();
};

/// Their options, after the program's own: all, or those without the budget and the batch.
void add_options(CLI::App& app, compare_settings& s);
void add_run_options(CLI::App& app, compare_settings& s);

/// Before the work: that all files can be written, and those of the program itself in the directory `out`. Throws
/// `gal::error`.
void prepare_outputs(const compare_settings& s, const std::string& out = "");

/// "batch 32, 20 epochs, 10 seeds".
[[nodiscard]] std::string summary(const compare_settings& s);

/// Compares as the options and settings say, and prints the table. Where nothing is to be chosen the seeds are 1, 2, ...; else
/// `tuning_seeds` come before them. `name` is that of the ledger.
[[nodiscard]] gal::comparison_result compare(const compare_settings& s, const std::string& name,
                                             const std::vector<gal::method>& methods,
                                             gal::compare_options options);

/// Of a method's runs for the verdict at its own best learning rate, but those that were lost: further numbers by their name, or,
/// where they have none of that name, the test values.
[[nodiscard]] std::vector<double> numbers_of(const gal::comparison_result& result, std::string_view method,
                                             std::string_view further = "");

/// The files of `--json` and `--report`, where they are asked for. All numbers but `run` and the times of the runs are the same
/// for any number of threads.
void write_results(const compare_settings& s, std::string_view program, const std::string& title,
                   const json& configuration, const std::vector<gal::comparison_result>& results);

}  // namespace support

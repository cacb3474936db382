// gal/study/compare_options.hpp: what is compared, and how.
// Provides: trial, trial_purpose, measures, method, compare_options, comparison_progress.
#pragma once

#include <gal/core/enumeration.hpp>
#include <gal/core/error.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// What a run is for.
enum class trial_purpose {
  choosing,  ///< its validation value helps to choose a learning rate and a setting; the test value is not looked at
  verdict,  ///< its test value is compared
};
constexpr auto enumerator_names(trial_purpose) {
  return std::to_array<std::string_view>({"choosing", "verdict"});
}

/// One run that a method is asked for.
struct trial {
  std::uint64_t seed = 1;  ///< of all that is random: first weights, order of the batches, the method's own
  double learning_rate = 1e-3;
  /// How long to train: steps, or epochs, the same for every method of a comparison.
  std::int64_t budget = 1;
  trial_purpose purpose = trial_purpose::verdict;
  /// One of the method's `settings`. NaN where it has none, so that a method that reads what it does not have fails.
  double setting = std::numeric_limits<double>::quiet_NaN();
};

/// What a run gives. The measure is one number of the trained model, such as its error; the same on both parts.
struct measures {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();

  double validation = none;  ///< on samples that the run neither trains on nor tests on
  double test = none;        ///< on samples that decide nothing else; may be left out in a run for choosing
  std::int64_t steps = 0;    ///< taken, in whatever unit all methods share; 0: the budget
  /// What the run took. NaN: the processor time of the thread that ran it, which other programs do not disturb. A run on a
  /// device, or with threads of its own, measures itself.
  double seconds = none;
  /// Further numbers of the run by their names, such as an accuracy beside a loss: kept and written with it, not compared.
  std::vector<std::pair<std::string, double>> further{};
};

/// A way to train. `run` is called from several threads at once, and gives the same for the same trial; what it throws
/// becomes part of the result.
struct method {
  std::string name{};
  std::function<measures(const trial&)> run{};
  /// Values of one constant of its own, such as weight decay, epsilon or label smoothing, of which one is chosen as a
  /// learning rate is; with one value there is nothing to choose, and without any the method has no such constant.
  std::vector<double> settings{};
};

/// How far a comparison is.
struct comparison_progress {
  std::size_t done = 0;       ///< runs, those of the ledger included
  std::size_t expected = 0;   ///< in all; at first the most there can be
  double seconds_left = 0.0;  ///< where those take as long as the runs so far
};

/// Settings of `compare`.
struct compare_options {
  std::string title = "Comparison";  ///< data and model: a ledger of another title is refused
  std::string measure = "error";     ///< what `measures` holds, for people, with its unit
  bool larger_is_better = false;
  std::string baseline{};                ///< the method that all others are held against; empty: the first
  std::vector<double> learning_rates{};  ///< the grid; with one rate only settings are chosen
  std::int64_t budget = 1000;            ///< of every run, but for the baseline's in equal time
  int tuning_seeds = 3;                  ///< for choosing: first_seed, first_seed + 1, ...
  int verdict_seeds = 10;                ///< for the verdict, at least 2: those that follow
  std::uint64_t first_seed = 1;
  bool equal_time = true;  ///< give the baseline the other methods' time, too
  double level = 0.95;     ///< of the intervals; 1 - level is the significance of all tests together
  double margin = 0.01;    ///< a difference of this share of the baseline's mean does not matter: *level*
  int threads = 1;         ///< runs at a time; changes no bit of the measures
  /// File that keeps every finished run, from which a comparison that was killed goes on; empty: none. Its directory exists.
  std::string ledger{};
  /// Called after every run, from one thread at a time: `show_progress`, or one's own.
  std::function<void(const comparison_progress&)> progress{};
};

namespace detail {

// The settings of a method in order; NaN alone where it has none.
[[nodiscard]] inline std::vector<double> settings_or_none(const method& m) {
  if (m.settings.empty()) {
    return {measures::none};
  }
  std::vector<double> result = m.settings;
  std::ranges::sort(result);
  return result;
}

inline void require_settings(const method& m) {
  constexpr std::string_view name = "gal::compare";
  for (const double setting : m.settings) {
    require(std::isfinite(setting), error_code::invalid_option, name, ": the method \"", m.name,
            "\" has the setting ", setting, "; expected finite numbers");
  }
  const std::vector<double> sorted = settings_or_none(m);
  const auto twice = std::ranges::adjacent_find(sorted);
  require(twice == sorted.end(), error_code::invalid_option, name, ": the method \"", m.name,
          "\" has the setting ", twice == sorted.end() ? 0.0 : *twice, " twice; expected different settings");
}

// The options with their grid in order and the baseline's name, or an error that names what does not fit.
[[nodiscard]] inline compare_options validated(const std::vector<method>& methods, compare_options options) {
  constexpr std::string_view name = "gal::compare";
  require(methods.size() >= 2, error_code::invalid_option, name, ": ", methods.size(),
          " methods; expected a baseline and at least one to hold against it");
  for (std::size_t i = 0; i < methods.size(); ++i) {
    require(!methods[i].name.empty(), error_code::invalid_option, name, ": method ", i,
            " has no name; expected one to report it by");
    require(static_cast<bool>(methods[i].run), error_code::invalid_option, name, ": the method \"",
            methods[i].name, "\" has no function; expected one from gal::trial to gal::measures");
    require_settings(methods[i]);
    for (std::size_t j = 0; j < i; ++j) {
      require(methods[i].name != methods[j].name, error_code::invalid_option, name,
              ": two methods are called \"", methods[i].name, "\"; expected different names");
    }
  }
  if (options.baseline.empty()) {
    options.baseline = methods.front().name;
  }
  std::vector<std::string> names;
  for (const method& m : methods) {
    names.push_back(m.name);
  }
  require(std::ranges::find(names, options.baseline) != names.end(), error_code::invalid_option, name,
          ": the baseline \"", options.baseline, "\" is none of the methods; expected one of ",
          list_text(names));
  std::vector<double>& rates = options.learning_rates;
  require(!rates.empty(), error_code::invalid_option, name,
          ": learning_rates is empty; expected at least one rate");
  for (const double rate : rates) {
    require(rate > 0.0 && std::isfinite(rate), error_code::invalid_option, name, ": the learning rate ", rate,
            "; expected a positive number");
  }
  std::ranges::sort(rates);
  const auto twice = std::ranges::adjacent_find(rates);
  require(twice == rates.end(), error_code::invalid_option, name, ": learning_rates has ",
          twice == rates.end() ? 0.0 : *twice, " twice; expected different rates");
  require(options.budget >= 1, error_code::invalid_option, name, ": budget is ", options.budget,
          "; expected at least 1");
  require(options.tuning_seeds >= 1, error_code::invalid_option, name, ": tuning_seeds is ",
          options.tuning_seeds, "; expected at least 1");
  require(options.verdict_seeds >= 2, error_code::invalid_option, name, ": verdict_seeds is ",
          options.verdict_seeds, "; expected at least 2, since one pair has no spread");
  require(options.threads >= 1, error_code::invalid_option, name, ": threads is ", options.threads,
          "; expected at least 1");
  require(options.level > 0.0 && options.level < 1.0, error_code::invalid_option, name, ": level is ",
          options.level, "; expected a number in (0, 1)");
  require(options.margin >= 0.0 && std::isfinite(options.margin), error_code::invalid_option, name,
          ": margin is ", options.margin, "; expected a non-negative number");
  return options;
}

}  // namespace detail
}  // namespace gal

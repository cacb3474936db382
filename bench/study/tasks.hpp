// study/tasks.hpp: the samples and networks that methods are compared on.
// Provides: network_task, network_names, file_of, load_task; divided, divide.
#pragma once

#include "support/data_files.hpp"
#include "support/problems.hpp"
#include "support/text.hpp"

#include <gal/data/dataset.hpp>
#include <gal/data/standardizer.hpp>
#include <gal/train/adjust_options.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace study {

/// A set of samples and the network that learns it.
struct network_task {
  std::string name;           ///< in files
  std::string title;          ///< for people
  bool adam = true;           ///< AdamW; false: SGD with momentum 0.9
  double learning_rate;       ///< the default
  std::vector<double> rates;  ///< to choose from
  int tuning_seeds = 3;       ///< to choose by
  int epochs;
  bool sweeps;                          ///< whether the defaults have other values of the settings too
  std::vector<gal::index_type> widths;  ///< of the network
  gal::adjust_options paper;            ///< the paper's preset for it
  std::variant<gal::dataset<float>, gal::dataset<float, int>> samples;
};

inline constexpr std::array<std::string_view, 5> network_names = {"boston", "diabetes", "california",
                                                                  "digits_sgd", "digits_adam"};

[[nodiscard]] inline std::string file_of(std::string_view task) {
  return std::string(task.substr(0, task.find('_'))) + ".csv";
}

/// The task of that name. Throws `gal::error` where its data are not there.
[[nodiscard]] inline network_task load_task(std::string_view name) {
  gal::adjust_options paper = gal::paper();
  const std::vector<double> for_adam = {3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1};
  if (name == "digits_sgd" || name == "digits_adam") {
    const bool adam = name == "digits_adam";
    return {.name = std::string(name),
            .title = adam ? "Digits, AdamW" : "Digits, SGD with momentum",
            .adam = adam,
            .learning_rate = adam ? 1e-3 : 0.02,
            .rates = adam ? for_adam : std::vector{3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0},
            .epochs = 20,
            .sweeps = !adam,
            .widths = {support::digit_shape.size(), 64, support::digit_classes},
            .paper = std::move(paper),
            .samples = support::read_digits()};
  }
  const auto problems = support::regression_problems();
  const auto about = std::ranges::find(problems, name, &support::regression_problem::name);
  support::require(about != problems.end(), gal::error_code::invalid_option, "no task ", name);
  const std::optional<std::string> file = support::data_file(file_of(name));
  support::require(file.has_value(), gal::error_code::unreadable_file, support::no_data_file(file_of(name)));
  gal::dataset<float> samples = support::read_regression(name, *file);
  std::vector<gal::index_type> widths{samples.features.rows()};
  std::ranges::copy(about->hidden, std::back_inserter(widths));
  widths.push_back(1);
  paper.normalisation = gal::normalisation::per_batch;  // per sample, one feature leaves nothing to learn
  paper.hidden = about->adjuster_hidden;
  // A validation part of a hundred samples says little: more of them, and the large rates that it lets pass.
  const bool is_small = samples.size() < 1000;
  return {.name = std::string(name),
          .title = std::string(about->title),
          .learning_rate = 1e-3,
          .rates = is_small ? std::vector{1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1} : for_adam,
          .tuning_seeds = is_small ? 6 : 3,
          .epochs = name == "california" ? 20 : 100,
          .sweeps = name == "boston",
          .widths = std::move(widths),
          .paper = std::move(paper),
          .samples = std::move(samples)};
}

/// The parts of one division.
template <class Target>
struct divided {
  gal::dataset<float, Target> train, validation, test;
};

/// A quarter of the samples for testing, a quarter of the rest for validation: another division for every seed. Inputs of
/// regressions are standardised as those for training are.
template <class Target>
[[nodiscard]] divided<Target> divide(const gal::dataset<float, Target>& samples, std::uint64_t seed) {
  const auto number = static_cast<std::uint32_t>(seed);
  support::parts<Target> outer = support::divide(samples, number);
  support::parts<Target> inner = support::divide(outer.train, number);
  divided<Target> result{std::move(inner.train), std::move(inner.test), std::move(outer.test)};
  if constexpr (std::is_same_v<Target, float>) {
    gal::standardizer<float> scale;
    scale.fit(result.train.features);
    for (auto* part : {&result.train, &result.validation, &result.test}) {
      scale.apply(part->features);
    }
  }
  return result;
}

}  // namespace study

// study/networks.hpp: the tasks that a network learns, and one training of it.
// Provides: columns, first_measure, training, outcome, prepared, network_task, load_task, network_names, file_of.
#pragma once

#include "ideas.hpp"

#include "support/comparison.hpp"
#include "support/problems.hpp"
#include "support/trainers.hpp"

#include <gal/train/adjust_options.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace study {

/// What is taken down of every epoch, means over its steps: the loss before the step, the size of the remainder, the cosine
/// of the angle between gradient and adjustment, the share of samples accepted, the share of steps whose adjusted
/// tentative loss is below the vanilla one; NaN what `gal::plain` does not measure. The measures follow.
inline constexpr std::array<std::string_view, 5> columns = {"training_loss", "remainder", "cosine",
                                                            "accepted_share", "ahead_share"};
inline constexpr std::size_t first_measure = columns.size();

/// One training.
struct training {
  support::maybe_adjusted options;  ///< none: the optimizer alone
  double learning_rate;
  int epochs;
  std::uint64_t seed;
  std::optional<idea_settings> idea{};  ///< none: the library's trainer
};

struct outcome {
  std::vector<std::vector<double>> epochs{};  ///< of each the numbers of `columns`, then the measures
  double step_seconds = 0.0;                  ///< of the processor
};

/// A division of a task's samples.
using prepared = std::variant<support::parts<float>, support::parts<int>>;

/// A set of samples and the network that learns it.
struct network_task {
  std::string name;       ///< in files
  std::string title;      ///< for people
  std::string optimizer;  ///< adam, or sgd with momentum 0.9
  double learning_rate;   ///< the default
  int epochs;
  std::vector<gal::index_type> widths;  ///< of the network
  std::vector<support::measure> measures;
  std::size_t selects;        ///< the measure that settings are chosen by
  gal::adjust_options paper;  ///< the paper's preset for it
  std::variant<gal::dataset<float>, gal::dataset<float, int>> samples;

  [[nodiscard]] bool classifies() const { return samples.index() == 1; }

  /// A quarter for testing, by the seed `split`. With `validation` the part for training alone, a quarter of it in the
  /// place of the test part. Inputs of regressions are standardised as those for training are.
  [[nodiscard]] prepared divide(std::uint32_t split, bool validation) const;

  /// Trains on batches of 32 and measures on the other part after every epoch; an idea after the last alone, and without its
  /// time.
  [[nodiscard]] outcome train(const prepared& data, const training& how) const;
};

/// The task of that name. Throws `gal::error` where its data are not there.
[[nodiscard]] network_task load_task(std::string_view name);

/// Their names, and the file of a task's samples.
inline constexpr std::array<std::string_view, 6> network_names = {
    "boston", "diabetes", "california", "california_long", "digits_sgd", "digits_adam"};

[[nodiscard]] inline std::string file_of(std::string_view task) {
  return std::string(task.substr(0, task.find('_'))) + ".csv";
}

}  // namespace study

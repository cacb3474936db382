// Three regressions of arXiv 2201.09193 (Table V), or one's own, with plain Adam and with adjusted gradients: `gal::compare` with
// the figures of the paper beside its verdict.
#include "support/compare.hpp"
#include "support/console.hpp"
#include "support/problems.hpp"
#include "support/text.hpp"

#include <gal/gal.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::string_view description =
    R"(Regression with a small network: vanilla Adam against Adam with adjusted gradients (GAL).

Reports the errors on the test part as Table V of arXiv 2201.09193 does, beside its published numbers. The split is
always the published one (25 % for testing). A seed sets the initial weights and the order of the batches, and both
methods share it, so that their difference is tested in pairs (Student's t-test).

Inputs are standardised on the training part; --raw leaves them as the paper did. Data are looked for in the directory
that the environment variable GAL_DATA_DIR names, then in the one that comes with the program, where Boston and diabetes
are. California: run examples/data/get_california.sh, or pass --csv FILE.

Presets:
  recommended  the library's own options
  paper        the paper's options, its hidden widths of the adjuster; epsilon 0.1 and tau 1, since it does not publish
               them, and normalisation over the batch, since with one feature per sample that over the sample leaves
               nothing to learn)";

struct settings : support::compare_settings {
  std::string dataset = "all";
  std::string csv{};
  std::string preset = "recommended";
  std::string figure = "mse";
  double learning_rate = 1e-3;
  bool raw = false;
};

// The figures of the table, in its order; of the last, R2, more is better.
const std::vector<std::string> figures = {"mae", "mse", "r2"};

// ---- Data ----------------------------------------------------------------------------------------------------------

// A data set that was asked for, with its samples.
struct loaded {
  support::regression_problem about;
  gal::dataset<float> samples;
};

// With these a quarter of the samples, rounded up, is 2: R2 compares the errors with the spread of the targets.
constexpr gal::index_type fewest_samples = 5;

// All are read before the first one is trained on.
std::vector<loaded> load(const settings& s) {
  std::vector<support::regression_problem> problems = support::regression_problems();
  problems.push_back({"own", "Own data", {100, 50}, {16, 4}, std::nullopt});
  std::vector<loaded> result;
  for (const support::regression_problem& p : problems) {
    if (s.dataset != p.name && (s.dataset != "all" || p.name == "own")) {
      continue;
    }
    const std::string name = support::text(p.name, ".csv");
    const bool takes_csv = p.name == "own" || p.name == "california";
    const std::optional<std::string> file =
        takes_csv && !s.csv.empty() ? std::optional(s.csv) : support::data_file(name);
    if (!file && p.name == "california") {
      const std::string advice =
          support::no_data_file(name) +
          "; get it with `sh examples/data/get_california.sh DIRECTORY`, then set GAL_DATA_DIR "
          "to that directory or pass --csv DIRECTORY/california.csv";
      support::require(s.dataset == "all", gal::error_code::unreadable_file, "California housing: ", advice);
      std::printf("Without California housing: %s\n\n", advice.c_str());
      continue;
    }
    support::require(file.has_value(), gal::error_code::unreadable_file, support::no_data_file(name));
    gal::dataset<float> samples = support::read_regression(p.name, *file);
    support::require(samples.size() >= fewest_samples, gal::error_code::malformed_data, *file, ": ",
                     samples.size(), " samples; expected at least ", fewest_samples,
                     ", so that the test part has 2");
    result.push_back({p, std::move(samples)});
  }
  return result;
}

// ---- Training ------------------------------------------------------------------------------------------------------

gal::adjust_options adjusted_options(const settings& s, const support::regression_problem& p) {
  if (s.preset == "recommended") {
    return gal::recommended();
  }
  gal::adjust_options options = gal::paper();
  options.normalisation = gal::normalisation::per_batch;
  options.hidden = p.adjuster_hidden;
  return options;
}

template <class MakeTrainer>
gal::measures train(const support::parts<float>& data, const settings& s,
                    const std::vector<gal::index_type>& widths, const gal::trial& t,
                    MakeTrainer make_trainer) {
  gal::nn::mlp<float> model(widths, {.activation = gal::nn::relu, .seed = t.seed});
  gal::adam<float> optimizer({.learning_rate = t.learning_rate});
  auto trainer = make_trainer(model, optimizer);
  gal::batches batches(data.train, s.batch, t.seed);
  for (int epoch = 0; epoch < t.budget; ++epoch) {
    for (auto [x, y] : batches) {
      trainer.step(x, y);
    }
  }
  const auto& predictions = model.forward(data.test.features);
  gal::measures result{.steps = trainer.steps(),
                       .further = {{"mae", gal::mean_absolute_error(predictions, data.test.targets)},
                                   {"mse", gal::mean_squared_error(predictions, data.test.targets)},
                                   {"r2", gal::r2_score(predictions, data.test.targets)}}};
  const auto compared = std::ranges::find(figures, s.figure) - figures.begin();
  result.test = result.further[static_cast<std::size_t>(compared)].second;
  return result;
}

gal::comparison_result compare(const settings& s, const loaded& set) {
  support::parts<float> data = support::divide(set.samples);
  if (!s.raw) {
    support::standardise(data);
  }
  std::vector<gal::index_type> widths{data.train.features.rows()};
  widths.insert(widths.end(), set.about.hidden.begin(), set.about.hidden.end());
  widths.push_back(data.train.targets.rows());

  const gal::adjust_options options = adjusted_options(s, set.about);
  const auto vanilla = [&](const gal::trial& t) {
    return train(data, s, widths, t,
                 [](auto& model, auto& adam) { return gal::plain(model, adam, gal::mse()); });
  };
  const auto adjusted = [&](const gal::trial& t) {
    return train(data, s, widths, t, [&](auto& model, auto& adam) {
      gal::adjust_options own = options;
      own.adjuster.seed = t.seed;
      return gal::adjust(model, adam, gal::mse(), own);
    });
  };
  return support::compare(
      s, std::string(set.about.name), {{"vanilla", vanilla}, {"GAL", adjusted}},
      {.title = support::text(set.about.title, ": ", data.train.size(), " samples for training, ",
                              data.test.size(), " for testing, ", set.samples.features.rows(), " features"),
       .measure = s.figure,
       .larger_is_better = s.figure == "r2",
       .learning_rates = {s.learning_rate}});
}

// ---- Report --------------------------------------------------------------------------------------------------------

support::estimates estimates_of(const gal::comparison_result& result, const std::string& method) {
  support::estimates row;
  for (std::size_t k = 0; k < row.size(); ++k) {
    const std::vector<double> values = support::numbers_of(result, method, figures[k]);
    row[k] = values.size() < 2 ? support::estimate{gal::measures::none, gal::measures::none}
                               : support::estimate{gal::mean(values), gal::standard_deviation(values)};
  }
  return row;
}

// As Table V, beside its numbers. Returns on how many figures our GAL is ahead of the published one.
int print_figures(const gal::comparison_result& result,
                  const std::optional<support::published_rows>& published) {
  support::console_table table({"", "MAE", "MSE", "R2"});
  const auto add = [&](std::string title, const support::estimates& row) {
    std::vector<std::string> cells{std::move(title)};
    for (const auto& [mean, deviation] : row) {
      const int decimals = std::abs(mean) >= 100.0 ? 2 : 4;
      cells.push_back(support::fixed(mean, decimals) + " (" + support::fixed(deviation, decimals) + ")");
    }
    table.add(std::move(cells));
  };
  const support::estimates ours = estimates_of(result, "GAL");
  int ahead = 0;
  if (published) {
    add("published baseline", published->baseline);
    add("published GAL", published->gal);
    for (std::size_t k = 0; k < ours.size(); ++k) {
      const double gain = ours[k].mean - published->gal[k].mean;
      ahead += (figures[k] == "r2" ? gain > 0.0 : gain < 0.0) ? 1 : 0;
    }
  }
  add("vanilla (this run)", estimates_of(result, "vanilla"));
  add("GAL (this run)", ours);
  std::printf("\n");
  table.print();
  return ahead;
}

}  // namespace

int main(int count, char** arguments) {
  settings s;
  s.budget = 100;
  CLI::App app{std::string(description)};
  support::add_choice(app, "--dataset", s.dataset, "Data set; own: --csv FILE, its last column is the target",
                      {"boston", "diabetes", "california", "own", "all"});
  support::add_path(app, "--csv", s.csv, "File with the data of california, or of own");
  support::add_choice(app, "--preset", s.preset, "Options of the adjustment", {"paper", "recommended"});
  support::add_choice(app, "--figure", s.figure, "What is compared: mean absolute or squared error, or R2",
                      figures);
  support::add_positive(app, "--learning-rate", s.learning_rate, "Learning rate of Adam");
  app.add_flag("--raw", s.raw, "Leave the inputs as they are in the file");
  support::add_options(app, s);
  CLI11_PARSE(app, count, arguments);

  return support::run_program("regression", [&] {
    support::require(s.csv.empty() || (s.dataset != "boston" && s.dataset != "diabetes"),
                     gal::error_code::invalid_option, "--csv is the file of california or own, not of ",
                     s.dataset);
    support::require(s.dataset != "own" || !s.csv.empty(), gal::error_code::invalid_option,
                     "--dataset own needs --csv FILE");
    const std::vector<loaded> sets = load(s);
    support::prepare_outputs(s);
    std::printf("Adam, learning rate %g, %s, %s inputs, preset %s\n", s.learning_rate,
                support::summary(s).c_str(), s.raw ? "raw" : "standardised", s.preset.c_str());
    std::vector<gal::comparison_result> results;
    int all = 0;
    int ahead = 0;
    for (const loaded& set : sets) {
      results.push_back(compare(s, set));
      ahead += print_figures(results.back(), set.about.published);
      all += set.about.published ? 3 : 0;
    }
    if (all > 0) {
      std::printf("\nGAL is ahead of the published GAL on %d of %d figures.\n", ahead, all);
    }
    support::write_results(s, "regression", "Regression",
                           {{"preset", s.preset},
                            {"optimizer", "adam"},
                            {"standardised", !s.raw},
                            {"batch", s.batch},
                            {"split", {{"test_fraction", 0.25}, {"seed", 1}}}},
                           results);
  });
}

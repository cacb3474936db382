// Three regressions of arXiv 2201.09193 (Table V), with plain Adam and with adjusted gradients: tables, curves, JSON.
#include "support/comparison.hpp"
#include "support/data_files.hpp"
#include "support/problems.hpp"
#include "support/text.hpp"

#include <gal/gal.hpp>

#include <CLI/CLI.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
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

// ---- Settings ------------------------------------------------------------------------------------------------------

struct settings : support::comparison_settings {
  std::string dataset = "all";
  std::string csv;
  std::string preset = "recommended";
  double learning_rate = 1e-3;
  bool raw = false;
};

// The three figures of the table, in its order.
const std::vector<support::measure> figures = {{.name = "mae", .title = "MAE"},
                                               {.name = "mse", .title = "MSE"},
                                               {.name = "r2", .title = "R2", .larger_is_better = true}};

// A data set, its networks, and what is published about it: nothing about one's own.
struct problem {
  std::string name;
  std::string title;
  std::vector<gal::index_type> hidden;           // of the model
  std::vector<gal::index_type> adjuster_hidden;  // of the paper's adjuster
  std::optional<support::published_rows> published;
};

std::vector<problem> all_problems() {
  std::vector<problem> result;
  for (const support::regression_problem& p : support::regression_problems()) {
    result.push_back({std::string(p.name), std::string(p.title), p.hidden, p.adjuster_hidden, p.published});
  }
  result.push_back({"own", "Own data", {100, 50}, {16, 4}, std::nullopt});
  return result;
}

gal::adjust_options adjusted_options(const std::string& preset, const problem& p) {
  if (preset == "recommended") {
    return gal::recommended();
  }
  gal::adjust_options options = gal::paper();
  options.normalisation = gal::normalisation::per_batch;
  options.hidden = p.adjuster_hidden;
  return options;
}

// ---- Data ----------------------------------------------------------------------------------------------------------

// A data set that was asked for, with its samples.
struct loaded {
  problem about;
  std::string file;
  gal::dataset<float> samples;
};

// With these a quarter of the samples, rounded up, is 2: R2 compares the errors with the spread of the targets.
constexpr gal::index_type fewest_samples = 5;

// All are read before the first one is trained on.
std::vector<loaded> load(const settings& s) {
  std::vector<loaded> result;
  for (const problem& p : all_problems()) {
    const bool chosen = s.dataset == p.name || (s.dataset == "all" && p.name != "own");
    if (!chosen) {
      continue;
    }
    const bool takes_csv = p.name == "own" || p.name == "california";
    const std::string name = p.name + ".csv";
    const std::optional<std::string> found =
        takes_csv && !s.csv.empty() ? std::optional(s.csv) : support::data_file(name);
    if (!found && p.name == "california") {
      const std::string advice =
          support::no_data_file(name) +
          "; get it with `sh examples/data/get_california.sh DIRECTORY`, then set GAL_DATA_DIR "
          "to that directory or pass --csv DIRECTORY/california.csv";
      support::require(s.dataset == "all", gal::error_code::unreadable_file, "California housing: ", advice);
      std::printf("Without California housing: %s\n\n", advice.c_str());
      continue;
    }
    support::require(found.has_value(), gal::error_code::unreadable_file, support::no_data_file(name));
    const std::string& file = *found;
    gal::dataset<float> samples = support::read_regression(p.name, file);
    support::require(samples.size() >= fewest_samples, gal::error_code::malformed_data, file, ": ",
                     samples.size(), " samples; expected at least ", fewest_samples,
                     ", so that the test part has 2");
    result.push_back({p, file, std::move(samples)});
  }
  return result;
}

// ---- Training ------------------------------------------------------------------------------------------------------

using comparison = support::comparison<>;
using parts = support::parts<float>;
using support::estimate;
using support::estimates;

support::training_run train(const parts& data, const problem& p, const settings& s, std::uint64_t seed,
                            const support::maybe_adjusted& options, support::progress_bar& progress) {
  std::vector<gal::index_type> widths{data.train.features.rows()};
  widths.insert(widths.end(), p.hidden.begin(), p.hidden.end());
  widths.push_back(data.train.targets.rows());

  gal::nn::mlp<float> model(widths, {.activation = gal::nn::relu, .seed = seed});
  gal::adam<float> optimizer({.learning_rate = s.learning_rate});
  gal::batches batches(data.train, s.batch, seed);
  const auto measure = [&](gal::nn::mlp<float>& trained) {
    const auto& predictions = trained.forward(data.test.features);
    return std::array{gal::mean_absolute_error(predictions, data.test.targets),
                      gal::mean_squared_error(predictions, data.test.targets),
                      gal::r2_score(predictions, data.test.targets)};
  };
  return support::with_trainer(model, optimizer, gal::mse(), support::with_seed(options, seed),
                               [&](auto& trainer) {
                                 return support::train(
                                     trainer, batches, s.epochs, [](auto x) { return x; }, measure, progress);
                               });
}

comparison compare(const settings& s, const loaded& set) {
  parts data = support::divide(set.samples);
  if (!s.raw) {
    support::standardise(data);
  }
  const gal::adjust_options ours = adjusted_options(s.preset, set.about);
  const std::array options = {support::maybe_adjusted(), support::maybe_adjusted(ours)};
  return support::compare(
      set.about.name,
      support::text(set.about.title, ": ", data.train.size(), " samples for training, ", data.test.size(),
                    " for testing, ", set.samples.features.rows(), " features"),
      figures, s, [&](std::size_t method, std::uint64_t seed, support::progress_bar& progress) {
        return train(data, set.about, s, seed, options[method], progress);
      });
}

// ---- Report --------------------------------------------------------------------------------------------------------

estimates estimate_of(const comparison& c, std::size_t method) {
  estimates result;
  for (std::size_t figure = 0; figure < result.size(); ++figure) {
    const std::vector<double> values = support::by_seed(c, method, figure);
    result[figure] = {gal::mean(values), support::deviation_of(values)};
  }
  return result;
}

// Whether our GAL is better than the published one.
std::array<bool, 3> ahead_of(const estimates& theirs, const comparison& c) {
  const estimates ours = estimate_of(c, support::adjusted);
  std::array<bool, 3> result{};
  for (std::size_t figure = 0; figure < result.size(); ++figure) {
    const double gain = *ours[figure].mean - *theirs[figure].mean;
    result[figure] = figures[figure].larger_is_better ? gain > 0.0 : gain < 0.0;
  }
  return result;
}

void print_header(const settings& s) {
  std::printf("Adam, learning rate %g, %s, %s inputs, preset %s\n", s.learning_rate,
              support::summary(s).c_str(), s.raw ? "raw" : "standardised", s.preset.c_str());
  if (s.preset == "paper") {
    std::printf(
        "epsilon 0.1 and tau 1 are ours (not published); normalised over the batch: with one feature, "
        "normalising\n"
        "each sample would leave nothing to learn\n");
  }
}

// As Table V, beside its numbers.
void print(const comparison& c, const loaded& set) {
  std::printf("\n%s\n\n", c.title.c_str());
  support::console_table table({"", figures[0].title, figures[1].title, figures[2].title});
  const auto add = [&](std::string title, const estimates& row) {
    std::vector<std::string> cells{std::move(title)};
    for (const estimate& figure : row) {
      const int decimals = std::abs(figure.mean.value_or(0.0)) >= 100.0 ? 2 : 4;
      cells.push_back(support::fixed(figure.mean, decimals) + " (" +
                      support::fixed(figure.deviation, decimals) + ")");
    }
    table.add(std::move(cells));
  };
  if (set.about.published) {
    add("published baseline", set.about.published->baseline);
    add("published GAL", set.about.published->gal);
  }
  add("vanilla (this run)", estimate_of(c, support::vanilla));
  add("GAL (this run)", estimate_of(c, support::adjusted));
  table.add_rule();
  std::vector<std::string> cells{"p, GAL = vanilla"};
  for (std::size_t figure = 0; figure < figures.size(); ++figure) {
    cells.push_back(support::fixed(support::p_value(c, figure), 4));
  }
  table.add(std::move(cells));
  if (set.about.published) {
    cells = {"ahead of published GAL"};
    for (const bool yes : ahead_of(set.about.published->gal, c)) {
      cells.emplace_back(yes ? "yes" : "no");
    }
    table.add(std::move(cells));
  }
  table.print();
  support::print_steps(c);
}

void print_total(const std::vector<comparison>& comparisons, const std::vector<loaded>& sets) {
  int all = 0;
  int ahead = 0;
  for (std::size_t k = 0; k < sets.size(); ++k) {
    if (sets[k].about.published) {
      for (const bool yes : ahead_of(sets[k].about.published->gal, comparisons[k])) {
        ++all;
        ahead += yes ? 1 : 0;
      }
    }
  }
  if (all > 0) {
    std::printf("\nGAL is ahead of the published GAL on %d of %d figures.\n", ahead, all);
  }
}

template <class F>
support::json by_figure(F value) {
  support::json result;
  for (std::size_t figure = 0; figure < figures.size(); ++figure) {
    result[figures[figure].name] = value(figure);
  }
  return result;
}

support::json to_json(const comparison& c, const loaded& set, const settings& s) {
  support::json result = support::to_json(c);
  result["file"] = std::filesystem::path(set.file).filename().string();
  result["hidden"] = set.about.hidden;
  const gal::adjust_options options = adjusted_options(s.preset, set.about);
  result["adjuster_hidden"] = options.hidden;
  result["epsilon"] = options.epsilon;
  result["tau"] = options.tau;
  if (set.about.published) {
    const auto published = [](const estimates& row) {
      return by_figure([&](std::size_t figure) {
        return support::json{{"mean", support::to_json(row[figure].mean)},
                             {"deviation", support::to_json(row[figure].deviation)}};
      });
    };
    result["published"] = {{"baseline", published(set.about.published->baseline)},
                           {"gal", published(set.about.published->gal)}};
    const auto ahead = ahead_of(set.about.published->gal, c);
    result["ahead_of_published"] =
        by_figure([&](std::size_t figure) { return support::json(ahead[figure]); });
  }
  return result;
}

std::string runs_csv(const comparison& c) {
  std::string text = "seed,vanilla_mae,vanilla_mse,vanilla_r2,gal_mae,gal_mse,gal_r2\n";
  for (std::size_t k = 0; k < c.seeds(); ++k) {
    std::vector<double> row;
    for (const std::size_t method : support::methods) {
      for (std::size_t figure = 0; figure < figures.size(); ++figure) {
        row.push_back(support::by_seed(c, method, figure)[k]);
      }
    }
    support::append_csv_row(text, k + 1, row);
  }
  return text;
}

void write_results(const settings& s, const std::vector<comparison>& comparisons,
                   const std::vector<loaded>& sets) {
  std::vector<support::json> numbers;
  for (std::size_t k = 0; k < sets.size(); ++k) {
    numbers.push_back(to_json(comparisons[k], sets[k], s));
  }
  const support::json configuration = {{"preset", s.preset},
                                       {"optimizer", "adam"},
                                       {"learning_rate", s.learning_rate},
                                       {"standardised", !s.raw},
                                       {"split", {{"test_fraction", 0.25}, {"seed", 1}}}};
  support::write_json(s, "regression", configuration, comparisons, std::move(numbers));
  support::write_report(s, "Regression", configuration, comparisons);
  support::write_pictures(
      s, comparisons,
      [](const comparison& c) {
        return std::vector<std::pair<std::string, std::string>>{{c.name + "_runs.csv", runs_csv(c)}};
      },
      [](const comparison&) { return support::curves_script("mse", "Mean squared error on the test part"); });
}

}  // namespace

int main(int count, char** arguments) {
  settings s;
  s.epochs = 100;
  CLI::App app{std::string(description)};
  support::add_choice(app, "--dataset", s.dataset, "Data set; own: --csv FILE, its last column is the target",
                      {"boston", "diabetes", "california", "own", "all"});
  app.add_option("--csv", s.csv, "File with the data of california, or of own")->check(support::no_name);
  support::add_choice(app, "--preset", s.preset, "Options of the adjustment", {"paper", "recommended"});
  app.add_option("--learning-rate", s.learning_rate, "Learning rate of Adam")
      ->check(support::positive_number)
      ->capture_default_str();
  app.add_flag("--raw", s.raw, "Leave the inputs as they are in the file");
  support::add_options(app, s);
  CLI11_PARSE(app, count, arguments);

  return support::run_program("regression", [&] {
    support::require(s.csv.empty() || (s.dataset != "boston" && s.dataset != "diabetes"),
                     gal::error_code::invalid_option, "--csv is the file of california or own, not of ",
                     s.dataset);
    support::require(s.dataset != "own" || !s.csv.empty(), gal::error_code::invalid_option,
                     "--dataset own needs --csv FILE");
    const std::vector<loaded> problems = load(s);
    support::prepare_outputs(s);
    print_header(s);
    std::vector<comparison> comparisons;
    for (const loaded& data : problems) {
      comparisons.push_back(compare(s, data));
      print(comparisons.back(), data);
    }
    print_total(comparisons, problems);
    write_results(s, comparisons, problems);
  });
}

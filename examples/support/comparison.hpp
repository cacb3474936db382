// support/comparison.hpp: a vanilla optimizer against the same with adjusted gradients, over seeds that both share: the
// frame of regression, digits, boxes and cifar.
// Provides: vanilla, adjusted, methods and their names; run_settings, comparison_settings, add_options; training_run, train,
// with_adjuster, parameters_of, classify; measure, comparison, compare; statistics; print, print_steps, summary; to_json,
// write_json, write_pictures, write_report. Includes support/program.hpp.
#pragma once

#include "support/console.hpp"
#include "support/gnuplot.hpp"
#include "support/parallel.hpp"
#include "support/program.hpp"
#include "support/text.hpp"
#include "support/trainers.hpp"

#include <gal/fit/html_page.hpp>
#include <gal/gal.hpp>
#include <gal/stats/t_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace support {

/// The two methods, as positions.
constexpr std::size_t vanilla = 0;
constexpr std::size_t adjusted = 1;
constexpr std::array<std::size_t, 2> methods = {vanilla, adjusted};
constexpr std::array<std::string_view, 2> method_names = {"vanilla", "gal"};   ///< in files
constexpr std::array<std::string_view, 2> method_titles = {"vanilla", "GAL"};  ///< for people

// ---- Settings ------------------------------------------------------------------------------------------------------

/// What every program that runs over seeds can be asked for.
struct run_settings {
  int seeds = 10;
  int threads = default_threads();
  std::string out{};
  std::string json_file{};
  std::string report_file{};
};

/// What every comparison can be asked for.
struct comparison_settings : run_settings {
  int epochs = 20;
  int batch = 32;
};

/// Their options, after the program's own.
inline void add_options(CLI::App& app, run_settings& s) {
  add_count(app, "--seeds", s.seeds, "Runs of every method, of seeds 1, 2, ...", 100'000);
  add_count(app, "--threads", s.threads, "Threads; the results do not depend on it", 1024);
  app.add_option("--out", s.out, "Directory for curves and pictures")->check(no_name);
  app.add_option("--json", s.json_file, "File for all numbers")->check(no_name);
  app.add_option("--report", s.report_file, "File for a page of curves, to open in a browser")
      ->check(no_name);
}

inline void add_options(CLI::App& app, comparison_settings& s) {
  add_count(app, "--epochs", s.epochs, "Passes through the training part", 1'000'000);
  add_count(app, "--batch", s.batch, "Samples in a batch", 1'000'000);
  add_options(app, static_cast<run_settings&>(s));
}

// ---- Training ------------------------------------------------------------------------------------------------------

/// What is taken down of every epoch: means over its samples, each before its step (loss, share accepted), and over its
/// steps (size of the remainder, cosine of the angle between gradient and adjustment). NaN what the method does not have.
/// The program's measures follow.
constexpr std::array<std::string_view, 4> step_columns = {"training_loss", "remainder", "cosine",
                                                          "accepted_share"};

/// One training.
struct training_run {
  std::vector<std::vector<double>> epochs{};  ///< of each the numbers of `step_columns`, then the measures
  gal::index_type steps = 0;
  gal::index_type refused = 0;  ///< steps not taken, since a number was not finite
};

/// Trains for `epochs`. Of a batch x the model gets `input(x)`; `measure(model)` returns the measures after an epoch.
template <class Trainer, class Batches, class Input, class Measure>
training_run train(Trainer& trainer, Batches& batches, int epochs, Input input, Measure measure,
                   progress_bar& progress) {
  training_run run;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    double samples = 0.0;
    double steps = 0.0;
    std::vector<double> row(step_columns.size(), 0.0);
    for (auto [x, y] : batches) {
      const auto report = trainer.step(input(x), y);
      const auto count = static_cast<double>(y.columns());
      row[0] += count * report.loss;
      if constexpr (std::same_as<decltype(report), const gal::adjust_report>) {
        row[1] += std::abs(report.remainder);
        row[2] += report.cosine;
        row[3] += count * report.accepted_share;
      } else {
        std::fill(row.begin() + 1, row.end(), gal::step_report::none);
      }
      samples += count;
      steps += 1.0;
      ++run.steps;
      run.refused += report.non_finite ? 1 : 0;
    }
    for (std::size_t k = 0; k < row.size(); ++k) {
      row[k] /= k == 0 || k == 3 ? samples : steps;
    }
    std::ranges::copy(measure(trainer.model()), std::back_inserter(row));
    run.epochs.push_back(std::move(row));
    progress.advance();
  }
  return run;
}

/// What `f` makes of a trainer with these options, whose adjuster is the network called `adjuster`: mlp, or cnn over
/// features of that shape.
template <class Model, class Optimizer, class Loss, class F>
auto with_adjuster(std::string_view adjuster, gal::nn::image_shape features, Model& model,
                   Optimizer& optimizer, const Loss& loss, const maybe_adjusted& options, F f) {
  if (adjuster == "cnn" && options) {
    gal::adjust trainer(model, optimizer, loss, *options, gal::cnn_adjuster<float>(features, *options));
    return f(trainer);
  }
  return with_trainer(model, optimizer, loss, options, std::move(f));
}

/// Numbers that a model trains.
template <class Model>
[[nodiscard]] gal::index_type parameters_of(Model model) {
  gal::index_type count = 0;
  for (const auto& block : model.parameters()) {
    count += static_cast<gal::index_type>(block.value.size());
  }
  return count;
}

/// Two measures of a classifier on batches of features and labels: share of errors, and mean loss.
template <class Model, class Batches, class Input>
std::array<double, 2> classify(Model& model, Batches batches, Input input) {
  double errors = 0.0;
  double loss = 0.0;
  double samples = 0.0;
  for (auto [x, labels] : batches) {
    const auto& scores = model.forward(input(x));
    const auto count = static_cast<double>(labels.columns());
    errors += count * gal::error_rate(scores, labels);
    loss += count * gal::evaluate_loss(gal::softmax_cross_entropy(), scores, labels).mean;
    samples += count;
  }
  return {errors / samples, loss / samples};
}

// ---- Comparisons ---------------------------------------------------------------------------------------------------

/// A number that is measured on the test part.
struct measure {
  std::string name;     ///< in files
  std::string title;    ///< in tables
  double factor = 1.0;  ///< from the number to what tables show
  int decimals = 4;
  bool larger_is_better = false;
};

/// What `classify` returns.
[[nodiscard]] inline std::vector<measure> classification_measures() {
  return {{.name = "test_error", .title = "test error, %", .factor = 100.0, .decimals = 2},
          {.name = "test_loss", .title = "test loss"}};
}

/// The runs of both methods; `Run` is a `training_run`, or derived from it.
template <class Run = training_run>
struct comparison {
  std::string name{};   ///< in files
  std::string title{};  ///< for people
  std::vector<measure> measures{};
  std::array<std::vector<Run>, 2> runs{};  ///< by method, then by seed: 1, 2, ...
  double seconds = 0.0;

  [[nodiscard]] std::size_t seeds() const { return runs[vanilla].size(); }
};

/// Runs `train(method, seed, progress)` for both methods and every seed, on all threads.
template <class Train>
auto compare(std::string name, std::string title, std::vector<measure> measures, const comparison_settings& s,
             Train train) {
  const auto count = static_cast<std::size_t>(s.seeds);
  comparison<std::invoke_result_t<Train, std::size_t, std::uint64_t, progress_bar&>> result{
      .name = std::move(name), .title = std::move(title), .measures = std::move(measures)};
  for (auto& runs : result.runs) {
    runs.resize(count);
  }
  const auto start = std::chrono::steady_clock::now();
  progress_bar progress(result.name, 2 * count * static_cast<std::size_t>(s.epochs));
  parallel_for(2 * count, s.threads, [&](std::size_t task) {
    result.runs[task % 2][task / 2] = train(task % 2, static_cast<std::uint64_t>(task / 2 + 1), progress);
  });
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

// ---- Statistics ----------------------------------------------------------------------------------------------------

/// A measure after the last epoch, of every seed.
template <class Run>
std::vector<double> by_seed(const comparison<Run>& c, std::size_t method, std::size_t measure) {
  std::vector<double> values;
  for (const training_run& run : c.runs[method]) {
    values.push_back(run.epochs.back()[step_columns.size() + measure]);
  }
  return values;
}

/// The smallest and the largest; NaN both where a run left the range of numbers.
inline std::array<double, 2> range_of(const std::vector<double>& values) {
  if (!std::ranges::all_of(values, [](double value) { return std::isfinite(value); })) {
    return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  }
  return {std::ranges::min(values), std::ranges::max(values)};
}

/// None for one run.
inline std::optional<double> deviation_of(const std::vector<double>& values) {
  return values.size() < 2 ? std::nullopt : std::optional(gal::standard_deviation(values));
}

/// Of GAL against vanilla, in pairs; none for a single pair, and where a run left the range of numbers.
template <class Run>
std::optional<double> p_value(const comparison<Run>& c, std::size_t measure) {
  const std::vector<double> a = by_seed(c, adjusted, measure);
  const std::vector<double> b = by_seed(c, vanilla, measure);
  const auto finite = [](double number) { return std::isfinite(number); };
  if (a.size() < 2 || !std::ranges::all_of(a, finite) || !std::ranges::all_of(b, finite)) {
    return std::nullopt;
  }
  return gal::paired_t_test(a, b).p_value;
}

/// A column of a method's curve: its name, and its place among the numbers of an epoch.
struct curve_column {
  std::string name;
  std::size_t place;
};

/// Those of a method: of `step_columns` vanilla has the loss alone.
template <class Run>
std::vector<curve_column> columns_of(const comparison<Run>& c, std::size_t method) {
  std::vector<curve_column> columns;
  for (std::size_t k = 0; k < (method == adjusted ? step_columns.size() : 1); ++k) {
    columns.push_back({std::string(step_columns[k]), k});
  }
  for (std::size_t k = 0; k < c.measures.size(); ++k) {
    columns.push_back({c.measures[k].name, step_columns.size() + k});
  }
  return columns;
}

/// Mean over the seeds of every epoch's numbers.
template <class Run>
std::vector<std::vector<double>> mean_curve(const comparison<Run>& c, std::size_t method) {
  const double share = 1.0 / static_cast<double>(c.seeds());
  std::vector<std::vector<double>> curve = c.runs[method].front().epochs;
  for (std::size_t i = 0; i < curve.size(); ++i) {
    for (std::size_t k = 0; k < curve[i].size(); ++k) {
      curve[i][k] = 0.0;
      for (const training_run& run : c.runs[method]) {
        curve[i][k] += share * run.epochs[i][k];
      }
    }
  }
  return curve;
}

/// Share of the samples whose gradients were adjusted.
template <class Run>
double accepted_share(const comparison<Run>& c) {
  double sum = 0.0;
  const auto curve = mean_curve(c, adjusted);
  for (const auto& row : curve) {
    sum += row[3];
  }
  return sum / static_cast<double>(curve.size());
}

/// Steps, or those refused, of all runs.
template <class Run>
gal::index_type total(const comparison<Run>& c, std::size_t method, gal::index_type training_run::*count) {
  gal::index_type sum = 0;
  for (const training_run& run : c.runs[method]) {
    sum += run.*count;
  }
  return sum;
}

// ---- Report --------------------------------------------------------------------------------------------------------

/// "1 seed", "2 seeds".
[[nodiscard]] inline std::string counted(std::size_t count, std::string_view what) {
  return text(count, " ", what, count == 1 ? "" : "s");
}

/// "batch 32, 20 epochs, 10 seeds".
[[nodiscard]] inline std::string summary(const comparison_settings& s) {
  return text("batch ", s.batch, ", ", counted(static_cast<std::size_t>(s.epochs), "epoch"), ", ",
              counted(static_cast<std::size_t>(s.seeds), "seed"));
}

/// What was accepted and refused, and the time.
template <class Run>
void print_steps(const comparison<Run>& c) {
  std::printf("\nadjusted gradients accepted for %.1f %% of the samples; %.1f s\n", 100.0 * accepted_share(c),
              c.seconds);
  const auto steps = [&](std::size_t method) { return total(c, method, &training_run::steps); };
  const auto refused = [&](std::size_t method) { return total(c, method, &training_run::refused); };
  if (refused(vanilla) + refused(adjusted) > 0) {
    std::printf("steps refused, since a number was not finite: vanilla %td of %td, GAL %td of %td\n",
                refused(vanilla), steps(vanilla), refused(adjusted), steps(adjusted));
  }
  std::fflush(stdout);
}

/// The table of both methods: of the first measure mean, deviation, seed 1 and the worst seed, of the others the mean.
template <class Run>
void print(const comparison<Run>& c) {
  std::printf("\n%s\n\n", c.title.c_str());
  std::vector<std::string> header = {"", c.measures.front().title, "deviation", "seed 1", "worst seed"};
  std::vector<std::string> p_values = {"p, GAL = vanilla", fixed(p_value(c, 0), 4), "", "", ""};
  for (std::size_t k = 1; k < c.measures.size(); ++k) {
    header.push_back(c.measures[k].title);
    p_values.push_back(fixed(p_value(c, k), 4));
  }
  console_table table(std::move(header));
  for (const std::size_t method : methods) {
    const measure& first = c.measures.front();
    const auto show = [](const measure& m, std::optional<double> value) {
      return fixed(value ? std::optional(m.factor * *value) : std::nullopt, m.decimals);
    };
    const std::vector<double> values = by_seed(c, method, 0);
    const double worst = range_of(values)[first.larger_is_better ? 0 : 1];
    std::vector<std::string> cells = {std::string(method_titles[method]), show(first, gal::mean(values)),
                                      show(first, deviation_of(values)), show(first, values.front()),
                                      show(first, worst)};
    for (std::size_t k = 1; k < c.measures.size(); ++k) {
      cells.push_back(show(c.measures[k], gal::mean(by_seed(c, method, k))));
    }
    table.add(std::move(cells));
  }
  table.add_rule();
  table.add(std::move(p_values));
  table.print();
  print_steps(c);
}

[[nodiscard]] inline json to_json(const std::optional<double>& number) {
  return number ? json(*number) : json(nullptr);
}

/// All numbers of a comparison but the time, which is not the same again.
template <class Run>
[[nodiscard]] json to_json(const comparison<Run>& c) {
  json result{{"name", c.name}, {"title", c.title}};
  for (const std::size_t method : methods) {
    json& part = result[std::string(method_names[method])];
    for (std::size_t k = 0; k < c.measures.size(); ++k) {
      const std::vector<double> values = by_seed(c, method, k);
      part["summary"][c.measures[k].name] = {{"mean", gal::mean(values)},
                                             {"deviation", to_json(deviation_of(values))}};
    }
    part["refused_steps"] = total(c, method, &training_run::refused);
    for (std::size_t k = 0; k < c.seeds(); ++k) {
      json run{{"seed", k + 1}};
      for (std::size_t m = 0; m < c.measures.size(); ++m) {
        run[c.measures[m].name] = by_seed(c, method, m)[k];
      }
      run["refused_steps"] = c.runs[method][k].refused;
      part["runs"].push_back(std::move(run));
    }
    for (const auto& row : mean_curve(c, method)) {
      for (const curve_column& column : columns_of(c, method)) {
        part["mean_curve"][column.name].push_back(row[column.place]);
      }
    }
  }
  result["accepted_share"] = accepted_share(c);
  for (std::size_t k = 0; k < c.measures.size(); ++k) {
    result["p_values"][c.measures[k].name] = to_json(p_value(c, k));
  }
  return result;
}

/// What the program was set to, with what every comparison can be asked for.
[[nodiscard]] inline json with_counts(json configuration, const comparison_settings& s) {
  configuration["batch"] = s.batch;
  configuration["epochs"] = s.epochs;
  configuration["seeds"] = s.seeds;
  return configuration;
}

/// The file of `--json`, where it is asked for: what was set, and `numbers`, one for each comparison.
template <class Run>
void write_json(const comparison_settings& s, std::string_view program, const json& configuration,
                const std::vector<comparison<Run>>& comparisons, std::vector<json> numbers) {
  json run{{"threads", s.threads}, {"seconds", json::object()}};
  for (const auto& c : comparisons) {
    run["seconds"][c.name] = c.seconds;
  }
  write_json(s.json_file, program,
             {{"configuration", with_counts(configuration, s)}, {"comparisons", std::move(numbers)}},
             std::move(run));
}

// ---- Curves and pictures -------------------------------------------------------------------------------------------

/// The mean curves of both methods, side by side.
template <class Run>
[[nodiscard]] std::string curves_csv(const comparison<Run>& c) {
  std::string result = "epoch";
  for (const std::size_t method : methods) {
    for (const curve_column& column : columns_of(c, method)) {
      result += text(",", method_names[method], "_", column.name);
    }
  }
  result += '\n';
  const std::array curves = {mean_curve(c, vanilla), mean_curve(c, adjusted)};
  for (std::size_t i = 0; i < curves[vanilla].size(); ++i) {
    std::vector<double> row;
    for (const std::size_t method : methods) {
      for (const curve_column& column : columns_of(c, method)) {
        row.push_back(curves[method][i][column.place]);
      }
    }
    append_csv_row(result, i + 1, row);
  }
  return result;
}

/// What a picture's script begins with: `title`, the file `curves`, and the columns of it by their names, such as
/// `gal_training_loss`; `eval both('training_loss', 1)` plots both methods.
template <class Run>
[[nodiscard]] std::string script_head(const comparison<Run>& c) {
  std::string result = text("curves = '", c.name, "_curves.csv'\ntitle = ",
                            gnuplot::literal(text(c.title, ", mean of ", counted(c.seeds(), "seed"))), "\n");
  std::size_t number = 2;
  for (const std::size_t method : methods) {
    for (const curve_column& column : columns_of(c, method)) {
      result += text(method_names[method], "_", column.name, " = ", number++, "\n");
    }
  }
  return result + R"(
line_of(name, factor) = sprintf("curves skip 1 using 1:(%g*column(%s)) with lines", factor, name)
gal(name, factor) = line_of('gal_' . name, factor) . " linewidth 3 linecolor rgb adjusted title 'GAL'"
both(name, factor) = "plot " . line_of('vanilla_' . name, factor) . \
  " linewidth 4 linecolor rgb vanilla title 'vanilla', " . gal(name, factor)
set grid linecolor rgb '#dddddd' linetype 1
)";
}

/// Four panels: training loss, a measure times `factor`, remainder, and what became of the adjustment.
[[nodiscard]] inline std::string curves_script(std::string_view measure, std::string_view title,
                                               double factor = 1.0) {
  return R"(
set xlabel 'epoch'
set key bottom left
do for [kind in 'png svg'] {
  eval start(kind, 1300, 900)
  set multiplot layout 2,2 title title font ',18' textcolor rgb ink margins 0.09, 0.98, 0.08, 0.89 spacing 0.1, 0.13
  set logscale y
  set format y '%g'
  set title 'Training loss'
  eval both('training_loss', 1)
)" + text("  set title ", gnuplot::literal(title), "\n  eval both('", measure, "', ", factor, ")") +
         R"(
  set title 'Remainder of the tentative step, |R|'
  set format y '10^{%T}'
  eval 'plot ' . gal('remainder', 1)
  unset logscale y
  set format y '%g'
  set yrange [-1.05:1.05]
  set title 'Adjustment'
  set key bottom right
  plot curves skip 1 using 1:gal_cosine with lines linewidth 3 linecolor rgb adjusted \
    title 'cosine of its angle to the gradient', \
    curves skip 1 using 1:gal_accepted_share with lines linewidth 2.5 dashtype 2 linecolor rgb ink title 'share of samples accepted'
  set key bottom left
  set yrange [*:*]
  unset multiplot
}
)";
}

/// Whether a run left anything to draw: not one that diverged at once.
template <class Run>
[[nodiscard]] bool drawable(const comparison<Run>& c) {
  return std::ranges::any_of(methods, [&](std::size_t method) {
    const std::vector<curve_column> columns = columns_of(c, method);
    return std::ranges::any_of(mean_curve(c, method), [&](const std::vector<double>& row) {
      return std::ranges::all_of(
          columns, [&](const curve_column& column) { return std::isfinite(row[column.place]); });
    });
  });
}

/// Where `--out` asks for them: the curves, the further files that `files(c)` returns as (name, contents), and the pictures
/// that gnuplot draws of `script_head(c)` and `script(c)`.
template <class Run, class Files, class Script>
void write_pictures(const comparison_settings& s, const std::vector<comparison<Run>>& comparisons,
                    Files files, Script script) {
  if (s.out.empty()) {
    return;
  }
  const std::filesystem::path out(s.out);
  for (const auto& c : comparisons) {
    write_file(out / (c.name + "_curves.csv"), curves_csv(c));
    for (const std::pair<std::string, std::string>& file : files(c)) {
      write_file(out / file.first, file.second);
    }
  }
  const auto plotter = gnuplot::find();
  if (!plotter) {
    std::printf("\ngnuplot is not in PATH: no pictures. The curves are in %s\n", s.out.c_str());
    return;
  }
  for (const auto& c : comparisons) {
    if (drawable(c)) {
      plotter->draw(out, c.name, script_head(c) + script(c), {"png", "svg"});
    } else {
      std::printf("\nNo picture of %s: the curves left the range of numbers.\n", c.title.c_str());
    }
  }
  std::printf("\nCurves and pictures are in %s\n", s.out.c_str());
}

// ---- Page ----------------------------------------------------------------------------------------------------------

/// The curve of a method's column times `factor`: mean over the seeds, in a band from the smallest to the largest of them.
template <class Run>
[[nodiscard]] gal::html_page::curve curve_of(const comparison<Run>& c, std::size_t method, std::size_t column,
                                             double factor = 1.0) {
  gal::html_page::curve curve{.name = std::string(method_titles[method]), .values = {}};
  const auto means = mean_curve(c, method);
  for (std::size_t i = 0; i < means.size(); ++i) {
    curve.values.push_back(factor * means[i][column]);
    if (c.seeds() > 1) {
      std::vector<double> values;
      for (const training_run& run : c.runs[method]) {
        values.push_back(factor * run.epochs[i][column]);
      }
      const auto [low, high] = range_of(values);
      curve.low.push_back(low);
      curve.high.push_back(high);
    }
  }
  return curve;
}

/// Headlines and charts of a comparison.
template <class Run>
void add_to_page(gal::html_page& page, const comparison<Run>& c) {
  page.heading(c.title);
  for (std::size_t k = 0; k < c.measures.size(); ++k) {
    const measure& m = c.measures[k];
    const auto mean = [&](std::size_t method) {
      return fixed(m.factor * gal::mean(by_seed(c, method, k)), m.decimals);
    };
    page.add(gal::html_page::headline{m.title + ", GAL", mean(adjusted),
                                      text("vanilla ", mean(vanilla), "; p = ", fixed(p_value(c, k), 4))});
  }
  page.add(gal::html_page::headline{"adjusted gradients", fixed(100.0 * accepted_share(c), 1) + " %",
                                    "of the samples, mean of the epochs"});
  const gal::index_type refused =
      total(c, vanilla, &training_run::refused) + total(c, adjusted, &training_run::refused);
  if (refused > 0) {
    page.add(gal::html_page::headline{"refused steps", std::to_string(refused), "a number was not finite"});
  }

  std::vector<double> epochs(c.runs[vanilla].front().epochs.size());
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    epochs[i] = static_cast<double>(i + 1);
  }
  const auto both = [&](std::string title, std::string label, std::size_t column, double factor = 1.0) {
    page.add(gal::html_page::chart{
        .title = std::move(title),
        .y_label = std::move(label),
        .x = epochs,
        .curves = {curve_of(c, adjusted, column, factor), curve_of(c, vanilla, column, factor)},
        .logarithmic = true});
  };
  both("Training loss", "mean over the samples", 0);
  for (std::size_t k = 0; k < c.measures.size(); ++k) {
    both(c.measures[k].title + ", after the epoch", c.measures[k].title, step_columns.size() + k,
         c.measures[k].factor);
  }
  page.add(gal::html_page::chart{.title = "Remainder of the tentative step",
                                 .y_label = "|R|, in units of the loss",
                                 .x = epochs,
                                 .curves = {curve_of(c, adjusted, 1)},
                                 .logarithmic = true});
  page.add(gal::html_page::chart{.title = "Adjusted gradients accepted",
                                 .y_label = "share of the samples",
                                 .x = epochs,
                                 .curves = {curve_of(c, adjusted, 3)},
                                 .y_range = std::array{-0.02, 1.02}});
  page.add(gal::html_page::chart{.title = "Angle between gradient and adjustment",
                                 .y_label = "cosine, mean over the steps",
                                 .x = epochs,
                                 .curves = {curve_of(c, adjusted, 2)},
                                 .y_range = std::array{-1.05, 1.05}});
}

// Rows of (name, value); those of an object in an object carry its name.
inline void add_rows(gal::html_page::table& table, const json& object, const std::string& prefix = "") {
  for (const auto& [key, value] : object.items()) {
    std::string name = prefix + key;
    std::ranges::replace(name, '_', ' ');
    if (value.is_object()) {
      add_rows(table, value, name + ", ");
    } else {
      table.rows.push_back({name, value.is_string()    ? value.template get<std::string>()
                                  : value.is_boolean() ? value.template get<bool>() ? "yes" : "no"
                                                       : value.dump()});
    }
  }
}

/// The page of `--report`, where it is asked for. It is the same for any number of threads.
template <class Run>
void write_report(const comparison_settings& s, std::string_view title, const json& configuration,
                  const std::vector<comparison<Run>>& comparisons) {
  if (s.report_file.empty()) {
    return;
  }
  gal::html_page page(text(title, ": vanilla against GAL"),
                      summary(s) + (s.seeds > 1 ? "; lines are means over the seeds, bands reach from the "
                                                  "smallest to the largest of them"
                                                : ""));
  for (const auto& c : comparisons) {
    add_to_page(page, c);
  }
  gal::html_page::table settings;
  add_rows(settings, with_counts(configuration, s));
  page.heading("Configuration");
  page.add(settings);
  gal::html_page::table record;
  for (auto& [name, value] : run_record()) {
    std::ranges::replace(name, '_', ' ');
    record.rows.push_back({name, value});
  }
  page.heading("Machine");
  page.add(record);
  write_file(s.report_file, page.text());
  std::printf("\nThe report is in %s\n", s.report_file.c_str());
}

/// Before the work: that all files can be written.
inline void prepare_outputs(const run_settings& s) { prepare_outputs(s.out, {s.json_file, s.report_file}); }

}  // namespace support

// Three regressions of arXiv 2201.09193 (Table V), with plain Adam and with adjusted gradients: tables, curves, JSON.
#include "support/command_line.hpp"
#include "support/console.hpp"
#include "support/data_files.hpp"
#include "support/files.hpp"
#include "support/gnuplot.hpp"
#include "support/housing.hpp"
#include "support/parallel.hpp"
#include "support/text.hpp"

#include <gal/gal.hpp>
#include <gal/t_test.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using json = nlohmann::ordered_json;  // NaN and infinity become null

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
  paper        the paper's options; epsilon 0.1 and tau 1, since it does not publish them, and normalisation over the
               batch, since with one feature per sample that over the sample leaves nothing to learn)";

// ---- Settings ------------------------------------------------------------------------------------------------------

struct settings {
  std::string dataset = "all";
  std::string csv;
  std::string preset = "recommended";
  int seeds = 10;
  int epochs = 100;
  int batch = 32;
  double learning_rate = 1e-3;
  bool raw = false;
  int threads = support::default_threads();
  std::string out;
  std::string json_file;
};

constexpr std::size_t vanilla = 0;
constexpr std::size_t adjusted = 1;
constexpr std::array<std::string_view, 2> method_names = {"vanilla", "gal"};

// The three figures of the table, in its order.
constexpr std::array<std::string_view, 3> metric_names = {"mae", "mse", "r2"};
using scores = std::array<double, metric_names.size()>;

struct estimate {
  std::optional<double> mean, deviation;  // deviation: none for one run
};
using estimates = std::array<estimate, metric_names.size()>;

struct published_rows {
  estimates baseline, gal;
};

// A data set, its networks, and what is published about it.
struct problem {
  std::string_view name;
  std::string_view title;
  std::vector<gal::index> hidden;           // of the model
  std::vector<gal::index> adjuster_hidden;  // of the adjuster
  std::optional<published_rows> published;
};

std::vector<problem> all_problems() {
  return {
      {"boston",
       "Boston housing",
       {100, 50},
       {16, 4},
       published_rows{{{{3.9535, 0.4307}, {23.0956, 4.1695}, {0.7668, 0.0420}}},
                      {{{2.8079, 0.2720}, {12.8808, 2.0446}, {0.8699, 0.0206}}}}},
      {"diabetes",
       "Diabetes",
       {64, 32},
       {128, 4},
       published_rows{{{{44.3832, 0.7752}, {3226.02, 38.83}, {0.3821, 0.0074}}},
                      {{{41.6186, 0.2989}, {2961.55, 29.45}, {0.4327, 0.0056}}}}},
      {"california",
       "California housing",
       {256, 64},
       {128, 2},
       published_rows{{{{1.0910, 0.1297}, {2.1168, 0.3629}, {-0.6084, 0.2757}}},
                      {{{0.7780, 0.0262}, {1.1635, 0.0655}, {0.1158, 0.0498}}}}},
      {"own", "Own data", {100, 50}, {16, 4}, std::nullopt},
  };
}

gal::adjust_options adjusted_options(const std::string& preset, const problem& p) {
  gal::adjust_options options = gal::recommended();
  if (preset == "paper") {
    options = gal::paper();
    options.normalisation = gal::normalisation::per_batch;
  }
  options.hidden = p.adjuster_hidden;
  return options;
}

gal::adjust_options vanilla_options(gal::adjust_options options) {
  options.adjuster.kind = gal::adjuster_kind::zero;
  options.safeguard = gal::safeguard::never;
  return options;
}

// ---- Training ------------------------------------------------------------------------------------------------------

struct epoch_record {
  double training_loss = 0.0;   // mean over the epoch's samples, each before its step
  double test_mse = 0.0;        // after the epoch
  double remainder = 0.0;       // mean over the steps of abs(R)
  double cosine = 0.0;          // mean over the steps, of the angle between gradient and adjustment
  double accepted_share = 0.0;  // of the samples
};

struct training_result {
  scores test{};
  gal::index steps = 0;
  gal::index refused = 0;  // steps not taken, since a number was not finite
  std::vector<epoch_record> epochs;
};

struct parts {
  gal::dataset<float> train, test;
};

parts divide(const gal::dataset<float>& data, bool raw) {
  const auto [train, test] = gal::train_test_split(data.size(), {.test_fraction = 0.25, .seed = 1});
  parts result{gal::take(data, train), gal::take(data, test)};
  if (!raw) {
    gal::standardizer<float> scale;
    scale.fit(result.train.features);
    scale.apply(result.train.features);
    scale.apply(result.test.features);
  }
  return result;
}

template <class Progress>
training_result train(const parts& data, const problem& p, const settings& s, std::uint64_t seed,
                      gal::adjust_options options, Progress& progress) {
  std::vector<gal::index> widths{data.train.features.rows()};
  widths.insert(widths.end(), p.hidden.begin(), p.hidden.end());
  widths.push_back(data.train.targets.rows());
  options.adjuster.seed = seed;

  gal::nn::mlp<float> model(widths, {.activation = gal::nn::relu, .seed = seed});
  gal::adam<float> optimizer({.learning_rate = s.learning_rate});
  gal::adjust trainer(model, optimizer, gal::mse(), options);
  gal::batches batches(data.train, s.batch, seed);

  training_result result;
  for (int epoch = 0; epoch < s.epochs; ++epoch) {
    epoch_record record;
    const auto steps = static_cast<double>(batches.size());
    for (auto [x, y] : batches) {
      const gal::step_report report = trainer.step(x, y);
      const double share = static_cast<double>(x.columns()) / static_cast<double>(data.train.size());
      record.training_loss += share * report.loss;
      record.accepted_share += share * report.accepted_share;
      record.remainder += std::abs(report.remainder) / steps;
      record.cosine += report.cosine / steps;
      ++result.steps;
      result.refused += report.non_finite ? 1 : 0;
    }
    record.test_mse = gal::mean_squared_error(model.forward(data.test.features), data.test.targets);
    result.epochs.push_back(record);
    progress.advance();
  }
  const auto& predictions = model.forward(data.test.features);
  result.test = {gal::mean_absolute_error(predictions, data.test.targets),
                 gal::mean_squared_error(predictions, data.test.targets),
                 gal::r2_score(predictions, data.test.targets)};
  return result;
}

// ---- Experiments ---------------------------------------------------------------------------------------------------

// A problem's runs: by method, then by seed.
struct experiment {
  problem about{};
  std::string file{};
  gal::index samples = 0, train = 0, test = 0, features = 0;
  gal::adjust_options options{};
  std::vector<std::uint64_t> seeds{};
  std::array<std::vector<training_result>, 2> runs{};
  double seconds = 0.0;
};

experiment run(const settings& s, const problem& p, const std::string& file,
               const gal::dataset<float>& samples) {
  const parts data = divide(samples, s.raw);
  experiment e{.about = p,
               .file = file,
               .samples = samples.size(),
               .train = data.train.size(),
               .test = data.test.size(),
               .features = samples.features.rows(),
               .options = adjusted_options(s.preset, p)};
  const auto count = static_cast<std::size_t>(s.seeds);
  for (std::size_t k = 1; k <= count; ++k) {
    e.seeds.push_back(k);
  }
  e.runs.fill(std::vector<training_result>(count));
  const std::array options = {vanilla_options(e.options), e.options};

  const auto start = std::chrono::steady_clock::now();
  support::progress_bar progress(std::string(p.name), 2 * count * static_cast<std::size_t>(s.epochs));
  support::parallel_for(2 * count, s.threads, [&](std::size_t task) {
    const std::size_t method = task % 2;
    const std::size_t k = task / 2;
    e.runs[method][k] = train(data, p, s, e.seeds[k], options[method], progress);
  });
  e.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return e;
}

// ---- Statistics ----------------------------------------------------------------------------------------------------

std::vector<double> metric_by_seed(const experiment& e, std::size_t method, std::size_t metric) {
  std::vector<double> values;
  for (const training_result& run : e.runs[method]) {
    values.push_back(run.test[metric]);
  }
  return values;
}

estimates estimate_of(const experiment& e, std::size_t method) {
  estimates result;
  for (std::size_t metric = 0; metric < result.size(); ++metric) {
    const std::vector<double> values = metric_by_seed(e, method, metric);
    result[metric].mean = gal::mean(values);
    if (values.size() >= 2) {
      result[metric].deviation = gal::standard_deviation(values);
    }
  }
  return result;
}

// Of GAL against vanilla; none for a single pair, and where a run left the range of numbers.
std::optional<double> p_value(const experiment& e, std::size_t metric) {
  const std::vector<double> a = metric_by_seed(e, adjusted, metric);
  const std::vector<double> b = metric_by_seed(e, vanilla, metric);
  const auto finite = [](double value) { return std::isfinite(value); };
  if (a.size() < 2 || !std::ranges::all_of(a, finite) || !std::ranges::all_of(b, finite)) {
    return std::nullopt;
  }
  return gal::paired_t_test(a, b).p_value;
}

// Whether our GAL is better than the published one: smaller errors, larger R2.
std::array<bool, metric_names.size()> ahead_of_published(const experiment& e) {
  const estimates ours = estimate_of(e, adjusted);
  const estimates& theirs = e.about.published->gal;
  return {*ours[0].mean < *theirs[0].mean, *ours[1].mean<*theirs[1].mean, *ours[2].mean> * theirs[2].mean};
}

// Mean over the seeds of every epoch's records.
std::vector<epoch_record> mean_curve(const experiment& e, std::size_t method) {
  const auto& runs = e.runs[method];
  const double share = 1.0 / static_cast<double>(runs.size());
  std::vector<epoch_record> curve(runs.front().epochs.size());
  for (const training_result& run : runs) {
    for (std::size_t i = 0; i < curve.size(); ++i) {
      curve[i].training_loss += share * run.epochs[i].training_loss;
      curve[i].test_mse += share * run.epochs[i].test_mse;
      curve[i].remainder += share * run.epochs[i].remainder;
      curve[i].cosine += share * run.epochs[i].cosine;
      curve[i].accepted_share += share * run.epochs[i].accepted_share;
    }
  }
  return curve;
}

double accepted_share(const experiment& e) {
  double sum = 0.0;
  const std::vector<epoch_record> curve = mean_curve(e, adjusted);
  for (const epoch_record& record : curve) {
    sum += record.accepted_share;
  }
  return sum / static_cast<double>(curve.size());
}

// Of all runs.
gal::index total(const experiment& e, std::size_t method, gal::index training_result::*count) {
  gal::index sum = 0;
  for (const training_result& run : e.runs[method]) {
    sum += run.*count;
  }
  return sum;
}

// ---- Report --------------------------------------------------------------------------------------------------------

void print_header(const settings& s) {
  std::printf("Adam, learning rate %g, batch %d, %d epoch%s, %d seed%s, %s inputs, preset %s\n",
              s.learning_rate, s.batch, s.epochs, s.epochs == 1 ? "" : "s", s.seeds, s.seeds == 1 ? "" : "s",
              s.raw ? "raw" : "standardised", s.preset.c_str());
  if (s.preset == "paper") {
    std::printf(
        "epsilon 0.1 and tau 1 are ours (not published); normalised over the batch: with one feature, "
        "normalising\n"
        "each sample would leave nothing to learn\n");
  }
}

void print(const experiment& e) {
  std::printf("\n%s: %td samples for training, %td for testing, %td features\n\n", e.about.title.data(),
              e.train, e.test, e.features);
  support::console_table table({"", "MAE", "MSE", "R2"});
  const auto add = [&](std::string title, const estimates& row) {
    std::vector<std::string> cells{std::move(title)};
    for (const estimate& figure : row) {
      const int decimals = std::abs(figure.mean.value_or(0.0)) >= 100.0 ? 2 : 4;
      cells.push_back(support::fixed(figure.mean, decimals) + " (" +
                      support::fixed(figure.deviation, decimals) + ")");
    }
    table.add(std::move(cells));
  };
  if (e.about.published) {
    add("published baseline", e.about.published->baseline);
    add("published GAL", e.about.published->gal);
  }
  add("vanilla (this run)", estimate_of(e, vanilla));
  add("GAL (this run)", estimate_of(e, adjusted));
  table.add_rule();
  std::vector<std::string> cells{"p, GAL = vanilla"};
  for (std::size_t metric = 0; metric < metric_names.size(); ++metric) {
    cells.push_back(support::fixed(p_value(e, metric), 4));
  }
  table.add(std::move(cells));
  if (e.about.published) {
    const auto ahead = ahead_of_published(e);
    const auto word = [](bool yes) { return std::string(yes ? "yes" : "no"); };
    table.add({"ahead of published GAL", word(ahead[0]), word(ahead[1]), word(ahead[2])});
  }
  table.print();
  std::printf("\nadjusted gradients accepted for %.1f %% of the samples; %.1f s\n", 100.0 * accepted_share(e),
              e.seconds);
  const auto steps = [&](std::size_t method) { return total(e, method, &training_result::steps); };
  const auto refused = [&](std::size_t method) { return total(e, method, &training_result::refused); };
  if (refused(vanilla) + refused(adjusted) > 0) {
    std::printf("steps refused, since a number was not finite: vanilla %td of %td, GAL %td of %td\n",
                refused(vanilla), steps(vanilla), refused(adjusted), steps(adjusted));
  }
}

void print_total(const std::vector<experiment>& experiments) {
  int figures = 0;
  int ahead = 0;
  for (const experiment& e : experiments) {
    if (e.about.published) {
      for (const bool yes : ahead_of_published(e)) {
        ++figures;
        ahead += yes ? 1 : 0;
      }
    }
  }
  if (figures > 0) {
    std::printf("\nGAL is ahead of the published GAL on %d of %d figures.\n", ahead, figures);
  }
}

json to_json(const std::optional<double>& number) { return number ? json(*number) : json(nullptr); }

json to_json(const estimates& row) {
  json result;
  for (std::size_t metric = 0; metric < row.size(); ++metric) {
    result[std::string(metric_names[metric])] = {{"mean", to_json(row[metric].mean)},
                                                 {"deviation", to_json(row[metric].deviation)}};
  }
  return result;
}

template <class F>
json by_metric(F value) {
  json result;
  for (std::size_t metric = 0; metric < metric_names.size(); ++metric) {
    result[std::string(metric_names[metric])] = value(metric);
  }
  return result;
}

json curve_to_json(const std::vector<epoch_record>& curve) {
  json result;
  for (const epoch_record& record : curve) {
    result["training_loss"].push_back(record.training_loss);
    result["test_mse"].push_back(record.test_mse);
    result["remainder"].push_back(record.remainder);
    result["cosine"].push_back(record.cosine);
    result["accepted_share"].push_back(record.accepted_share);
  }
  return result;
}

json to_json(const experiment& e) {
  json result{{"name", e.about.name},
              {"file", std::filesystem::path(e.file).filename().string()},
              {"samples", {{"train", e.train}, {"test", e.test}}},
              {"features", e.features},
              {"hidden", e.about.hidden},
              {"adjuster_hidden", e.about.adjuster_hidden},
              {"epsilon", e.options.epsilon},
              {"tau", e.options.tau}};
  if (e.about.published) {
    result["published"] = {{"baseline", to_json(e.about.published->baseline)},
                           {"gal", to_json(e.about.published->gal)}};
  }
  for (const std::size_t method : {vanilla, adjusted}) {
    json runs = json::array();
    for (std::size_t k = 0; k < e.seeds.size(); ++k) {
      const scores& test = e.runs[method][k].test;
      runs.push_back({{"seed", e.seeds[k]},
                      {"mae", test[0]},
                      {"mse", test[1]},
                      {"r2", test[2]},
                      {"refused_steps", e.runs[method][k].refused}});
    }
    result[std::string(method_names[method])] = {
        {"summary", to_json(estimate_of(e, method))},
        {"refused_steps", total(e, method, &training_result::refused)},
        {"runs", std::move(runs)},
        {"mean_curve", curve_to_json(mean_curve(e, method))}};
  }
  result["accepted_share"] = accepted_share(e);
  result["p_values"] = by_metric([&](std::size_t metric) { return to_json(p_value(e, metric)); });
  if (e.about.published) {
    const auto ahead = ahead_of_published(e);
    result["ahead_of_published"] = by_metric([&](std::size_t metric) { return json(ahead[metric]); });
  }
  return result;
}

// Everything but `run` is the same for any number of threads.
json to_json(const settings& s, const std::vector<experiment>& experiments) {
  json result{{"program", "regression"},
              {"configuration",
               {{"preset", s.preset},
                {"optimizer", "adam"},
                {"learning_rate", s.learning_rate},
                {"batch", s.batch},
                {"epochs", s.epochs},
                {"seeds", s.seeds},
                {"standardised", !s.raw},
                {"split", {{"test_fraction", 0.25}, {"seed", 1}}}}},
              {"datasets", json::array()},
              {"run", {{"threads", s.threads}, {"seconds", json::object()}}}};
  for (const experiment& e : experiments) {
    result["datasets"].push_back(to_json(e));
    result["run"]["seconds"][std::string(e.about.name)] = e.seconds;
  }
  return result;
}

// ---- Curves and pictures -------------------------------------------------------------------------------------------

std::string curves_csv(const experiment& e) {
  const std::array curves = {mean_curve(e, vanilla), mean_curve(e, adjusted)};
  std::string text =
      "epoch,vanilla_training_loss,vanilla_test_mse,vanilla_remainder,"
      "gal_training_loss,gal_test_mse,gal_remainder,gal_cosine,gal_accepted_share\n";
  for (std::size_t i = 0; i < curves[vanilla].size(); ++i) {
    const epoch_record& plain = curves[vanilla][i];
    const epoch_record& ours = curves[adjusted][i];
    support::append_csv_row(
        text, i + 1,
        std::array{plain.training_loss, plain.test_mse, plain.remainder, ours.training_loss, ours.test_mse,
                   ours.remainder, ours.cosine, ours.accepted_share});
  }
  return text;
}

std::string runs_csv(const experiment& e) {
  std::string text = "seed,vanilla_mae,vanilla_mse,vanilla_r2,gal_mae,gal_mse,gal_r2\n";
  for (std::size_t k = 0; k < e.seeds.size(); ++k) {
    const scores& a = e.runs[vanilla][k].test;
    const scores& b = e.runs[adjusted][k].test;
    support::append_csv_row(text, e.seeds[k], std::array{a[0], a[1], a[2], b[0], b[1], b[2]});
  }
  return text;
}

std::string curves_script(const experiment& e) {
  const std::string title =
      support::text(e.about.title, ", mean of ", e.seeds.size(), e.seeds.size() == 1 ? " seed" : " seeds");
  return "curves = '" + std::string(e.about.name) +
         "_curves.csv'\ntitle = " + support::gnuplot::literal(title) + "\n" + R"(
set grid linecolor rgb '#dddddd' linetype 1
set xlabel 'epoch'
set key top right
do for [kind in 'png svg'] {
  eval start(kind, 1300, 900)
  set multiplot layout 2,2 title title font ',18' textcolor rgb ink margins 0.09, 0.98, 0.08, 0.89 spacing 0.1, 0.13
  set logscale y
  set format y '%g'
  set title 'Training loss'
  plot curves skip 1 using 1:2 with lines linewidth 4 linecolor rgb vanilla title 'vanilla', \
    curves skip 1 using 1:5 with lines linewidth 3 linecolor rgb adjusted title 'GAL'
  set title 'Mean squared error on the test part'
  plot curves skip 1 using 1:3 with lines linewidth 4 linecolor rgb vanilla title 'vanilla', \
    curves skip 1 using 1:6 with lines linewidth 3 linecolor rgb adjusted title 'GAL'
  set title 'Remainder of the tentative step, |R|'
  set format y '10^{%T}'
  plot curves skip 1 using 1:4 with lines linewidth 4 linecolor rgb vanilla title 'vanilla', \
    curves skip 1 using 1:7 with lines linewidth 3 linecolor rgb adjusted title 'GAL'
  unset logscale y
  set format y '%g'
  set yrange [-1.05:1.05]
  set title 'Adjustment'
  set key bottom right
  plot curves skip 1 using 1:8 with lines linewidth 3 linecolor rgb adjusted \
    title 'cosine of its angle to the gradient', \
    curves skip 1 using 1:9 with lines linewidth 2.5 dashtype 2 linecolor rgb ink title 'share of samples accepted'
  set key top right
  set yrange [*:*]
  unset multiplot
}
)";
}

// Whether a run left anything to draw: not one that diverged at once.
bool drawable(const experiment& e) {
  return std::ranges::any_of(std::array{vanilla, adjusted}, [&](std::size_t method) {
    return std::ranges::any_of(mean_curve(e, method), [](const epoch_record& record) {
      return std::isfinite(record.training_loss) && std::isfinite(record.test_mse) &&
             std::isfinite(record.remainder);
    });
  });
}

void write_pictures(const settings& s, const std::vector<experiment>& experiments) {
  const std::filesystem::path out(s.out);
  for (const experiment& e : experiments) {
    const std::string name(e.about.name);
    support::write_file(out / (name + "_curves.csv"), curves_csv(e));
    support::write_file(out / (name + "_runs.csv"), runs_csv(e));
  }
  const auto plotter = support::gnuplot::find();
  if (!plotter) {
    std::printf("\ngnuplot is not in PATH: no pictures. The curves are in %s\n", s.out.c_str());
    return;
  }
  for (const experiment& e : experiments) {
    if (!drawable(e)) {
      std::printf("\nNo picture of %s: the curves left the range of numbers.\n", e.about.title.data());
      continue;
    }
    plotter->draw(out, std::string(e.about.name), curves_script(e), {"png", "svg"});
  }
  std::printf("\nCurves and pictures are in %s\n", s.out.c_str());
}

// ---- Program -------------------------------------------------------------------------------------------------------

// The data sets asked for, with their samples. All are read before the first one is trained on.
struct loaded {
  problem about;
  std::string file;
  gal::dataset<float> samples;
};

// With these a quarter of the samples, rounded up, is 2: R2 compares the errors with the spread of the targets.
constexpr gal::index fewest_samples = 5;

std::vector<loaded> load(const settings& s) {
  std::vector<loaded> result;
  for (const problem& p : all_problems()) {
    const bool chosen = s.dataset == p.name || (s.dataset == "all" && p.name != "own");
    if (!chosen) {
      continue;
    }
    const bool takes_csv = p.name == "own" || p.name == "california";
    const std::string name = std::string(p.name) + ".csv";
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
    const gal::table table = gal::read_csv(file);
    const gal::table columns = p.name == "california" ? support::california_features(table, file) : table;
    support::require(columns.rows() >= fewest_samples, gal::error_code::malformed_data, file, ": ",
                     columns.rows(), " samples; expected at least ", fewest_samples,
                     ", so that the test part has 2");
    if (p.name == "boston" || p.name == "diabetes") {
      result.push_back(
          {p, file, gal::make_dataset<float>(columns, {p.name == "boston" ? "medv" : "progression"})});
    } else {
      result.push_back({p, file, gal::make_dataset<float>(columns)});
    }
  }
  return result;
}

}  // namespace

int main(int count, char** arguments) {
  settings s;
  CLI::App app{std::string(description)};
  app.add_option("--dataset", s.dataset, "Data set; own: --csv FILE, its last column is the target")
      ->check(CLI::IsMember({"boston", "diabetes", "california", "own", "all"}))
      ->capture_default_str();
  app.add_option("--csv", s.csv, "File with the data of california, or of own")->check(support::no_name);
  app.add_option("--preset", s.preset, "Options of the adjustment")
      ->check(CLI::IsMember({"paper", "recommended"}))
      ->capture_default_str();
  app.add_option("--seeds", s.seeds, "Runs of either method, of seeds 1, 2, ...")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--epochs", s.epochs, "Passes through the training part")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--batch", s.batch, "Samples in a batch")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--learning-rate", s.learning_rate, "Learning rate of Adam")
      ->check(support::positive_number)
      ->capture_default_str();
  app.add_flag("--raw", s.raw, "Leave the inputs as they are in the file");
  app.add_option("--threads", s.threads, "Threads; the results do not depend on it")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--out", s.out, "Directory for curves and pictures")->check(support::no_name);
  app.add_option("--json", s.json_file, "File for all numbers")->check(support::no_name);
  CLI11_PARSE(app, count, arguments);

  try {
    support::require(s.csv.empty() || (s.dataset != "boston" && s.dataset != "diabetes"),
                     gal::error_code::invalid_option, "--csv is the file of california or own, not of ",
                     s.dataset);
    support::require(s.dataset != "own" || !s.csv.empty(), gal::error_code::invalid_option,
                     "--dataset own needs --csv FILE");
    const std::vector<loaded> problems = load(s);
    support::prepare_output(s.out, s.json_file);
    print_header(s);
    std::vector<experiment> experiments;
    for (const loaded& data : problems) {
      experiments.push_back(run(s, data.about, data.file, data.samples));
      print(experiments.back());
      std::fflush(stdout);
    }
    print_total(experiments);
    if (!s.json_file.empty()) {
      support::write_file(s.json_file, to_json(s, experiments).dump(2) + "\n");
    }
    if (!s.out.empty()) {
      write_pictures(s, experiments);
    }
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "regression: %s\n", failure.what());
    return 1;
  }
  return 0;
}

// Digits of 8 x 8 pixels, by an MLP and a convolutional network, with plain and with adjusted gradients (arXiv
// 2201.09193): tables, curves, confusion matrices, JSON.
#include "support/command_line.hpp"
#include "support/console.hpp"
#include "support/data_files.hpp"
#include "support/files.hpp"
#include "support/gnuplot.hpp"
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
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using json = nlohmann::ordered_json;  // NaN and infinity become null

constexpr std::string_view description =
    R"(Classification of handwritten digits, 8 x 8 pixels: a vanilla optimizer against the same with adjusted gradients (GAL).

Two networks: an MLP, 64-64-10 with ReLU, and a LeNet-size convolutional network. A quarter of the samples is for testing,
always the same. A seed sets the initial weights and the order of the batches, and both methods share it, so that their
difference is tested in pairs (Student's t-test).

Presets:
  recommended  the library's own options, with epsilon 1: at its 3 the steps of SGD become so long that it diverges
  paper        the paper's options)";

// ---- Settings ------------------------------------------------------------------------------------------------------

constexpr int classes = 10;
constexpr gal::nn::image_shape picture{1, 8, 8};

struct settings {
  std::string model = "all";
  std::string optimizer = "sgd";
  std::string preset = "recommended";
  std::string adjuster = "mlp";
  int seeds = 10;
  int epochs = 20;
  int batch = 32;
  std::optional<double> learning_rate;
  std::optional<double> epsilon;
  int threads = support::default_threads();
  std::string out;
  std::string json_file;

  [[nodiscard]] double rate() const { return learning_rate.value_or(optimizer == "adam" ? 1e-3 : 0.02); }
  [[nodiscard]] double strength() const { return epsilon.value_or(preset == "paper" ? 0.1 : 1.0); }
};

constexpr std::size_t vanilla = 0;
constexpr std::size_t adjusted = 1;
constexpr std::array<std::string_view, 2> method_names = {"vanilla", "gal"};

constexpr std::array<std::string_view, 2> model_names = {"mlp", "cnn"};
std::string title_of(std::string_view model) {
  return model == "mlp" ? "MLP 64-64-10" : "Convolutional network";
}

std::array<gal::adjust_options, 2> options_of(const settings& s) {
  gal::adjust_options ours = s.preset == "paper" ? gal::paper() : gal::recommended();
  ours.epsilon = s.strength();
  if (s.adjuster == "cnn") {
    ours.hidden = {16, 16};
  }
  gal::adjust_options plain = ours;
  plain.adjuster.kind = gal::adjuster_kind::zero;
  plain.safeguard = gal::safeguard::never;
  return {plain, ours};
}

// ---- Training ------------------------------------------------------------------------------------------------------

using confusion = std::array<std::array<gal::index, classes>, classes>;  // counts, by digit, then by answer

struct epoch_record {
  double training_loss = 0.0;   // mean over the epoch's samples, each before its step
  double test_error = 0.0;      // after the epoch, as a share
  double test_loss = 0.0;       // likewise, mean over the samples
  double accepted_share = 0.0;  // of the samples
};

struct training_result {
  confusion answers{};     // on the test part, after the last epoch
  gal::index refused = 0;  // steps not taken, since a number was not finite
  std::vector<epoch_record> epochs;

  [[nodiscard]] double error() const { return epochs.back().test_error; }
};

struct parts {
  gal::dataset<float, int> train, test;
};

parts load() {
  const std::string name = "digits.csv";
  const std::optional<std::string> file = support::data_file(name);
  support::require(file.has_value(), gal::error_code::unreadable_file, support::no_data_file(name));
  gal::dataset<float, int> data = gal::make_dataset<float, int>(gal::read_csv(*file));
  support::require(data.features.rows() == picture.size(), gal::error_code::malformed_data, *file, ": ",
                   data.features.rows(), " pixels; expected ", picture.size());
  for (float& pixel : std::span(data.features.data(), static_cast<std::size_t>(data.features.size()))) {
    pixel /= 16.0f;  // the brightest
  }
  const auto [train, test] = gal::train_test_split(data.size(), {.test_fraction = 0.25, .seed = 1});
  return {gal::take(data, train), gal::take(data, test)};
}

gal::index answer(const gal::matrix<float>& scores, gal::index sample) {
  const auto column = scores.view().column(sample);
  return std::ranges::max_element(column) - column.begin();
}

template <class Trainer, class Progress>
training_result train(Trainer trainer, const parts& data, const settings& s, std::uint64_t seed,
                      Progress& progress) {
  gal::softmax_cross_entropy loss;
  gal::batches batches(data.train, s.batch, seed);
  gal::matrix<double> losses(1, data.test.size());

  training_result result;
  for (int epoch = 0; epoch < s.epochs; ++epoch) {
    epoch_record record;
    for (auto [x, y] : batches) {
      const gal::step_report report = trainer.step(x, y);
      const double share = static_cast<double>(x.columns()) / static_cast<double>(data.train.size());
      record.training_loss += share * report.loss;
      record.accepted_share += share * report.accepted_share;
      result.refused += report.non_finite ? 1 : 0;
    }
    const gal::matrix<float>& scores = trainer.model().forward(data.test.features);
    record.test_error = gal::error_rate(scores, data.test.targets);
    loss.evaluate(gal::eigen_backend(), scores.view(), data.test.targets, losses.view(),
                  gal::matrix_view<float>());
    record.test_loss = gal::mean(losses);
    result.epochs.push_back(record);
    progress.advance();
    if (epoch + 1 == s.epochs) {
      for (gal::index j = 0; j < scores.columns(); ++j) {
        ++result.answers[static_cast<std::size_t>(data.test.targets(0, j))]
                        [static_cast<std::size_t>(answer(scores, j))];
      }
    }
  }
  return result;
}

template <class Model, class Optimizer, class Progress>
training_result train_with(const parts& data, const settings& s, std::uint64_t seed, Model model,
                           Optimizer optimizer, gal::adjust_options options, Progress& progress) {
  options.adjuster.seed = seed;
  const gal::softmax_cross_entropy loss;
  if (s.adjuster == "cnn" && options.adjuster.kind == gal::adjuster_kind::learned) {
    const gal::cnn_adjuster<float> h({.channels = 1, .height = 1, .width = classes}, options);
    return train(gal::adjust(model, optimizer, loss, options, h), data, s, seed, progress);
  }
  return train(gal::adjust(model, optimizer, loss, options), data, s, seed, progress);
}

template <class Model, class Progress>
training_result train_with(const parts& data, const settings& s, std::uint64_t seed, Model model,
                           const gal::adjust_options& options, Progress& progress) {
  if (s.optimizer == "adam") {
    return train_with(data, s, seed, std::move(model), gal::adam<float>({.learning_rate = s.rate()}), options,
                      progress);
  }
  return train_with(data, s, seed, std::move(model),
                    gal::sgd<float>({.learning_rate = s.rate(), .momentum = 0.9}), options, progress);
}

// ---- Experiments ---------------------------------------------------------------------------------------------------

// A network's runs: by method, then by seed.
struct experiment {
  std::string_view model{};
  gal::index parameters = 0;
  std::vector<std::uint64_t> seeds{};
  std::array<std::vector<training_result>, 2> runs{};
  double seconds = 0.0;
};

gal::nn::mlp<float> make_mlp(std::uint64_t seed) {
  return gal::nn::mlp<float>({picture.size(), 64, classes}, {.activation = gal::nn::relu, .seed = seed});
}

gal::nn::cnn<float> make_cnn(std::uint64_t seed) {
  return {picture, gal::nn::lenet(picture, classes), {.seed = seed}};
}

template <class Model>
gal::index parameters_of(Model model) {
  gal::index count = 0;
  for (const auto& block : model.parameters()) {
    count += static_cast<gal::index>(block.value.size());
  }
  return count;
}

experiment run(const settings& s, std::string_view model, const parts& data) {
  const bool convolves = model == "cnn";
  experiment e{.model = model,
               .parameters = convolves ? parameters_of(make_cnn(0)) : parameters_of(make_mlp(0))};
  const auto count = static_cast<std::size_t>(s.seeds);
  for (std::size_t k = 1; k <= count; ++k) {
    e.seeds.push_back(k);
  }
  e.runs.fill(std::vector<training_result>(count));
  const auto options = options_of(s);

  const auto start = std::chrono::steady_clock::now();
  support::progress_bar progress(std::string(model), 2 * count * static_cast<std::size_t>(s.epochs));
  support::parallel_for(2 * count, s.threads, [&](std::size_t task) {
    const std::size_t method = task % 2;
    const std::size_t k = task / 2;
    const std::uint64_t seed = e.seeds[k];
    e.runs[method][k] = convolves ? train_with(data, s, seed, make_cnn(seed), options[method], progress)
                                  : train_with(data, s, seed, make_mlp(seed), options[method], progress);
  });
  e.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return e;
}

// ---- Statistics ----------------------------------------------------------------------------------------------------

template <class Value>
std::vector<double> by_seed(const experiment& e, std::size_t method, Value value) {
  std::vector<double> values;
  for (const training_result& run : e.runs[method]) {
    values.push_back(value(run));
  }
  return values;
}

double last_error(const training_result& run) { return run.error(); }
double last_loss(const training_result& run) { return run.epochs.back().test_loss; }

std::optional<double> deviation_of(const std::vector<double>& values) {
  return values.size() < 2 ? std::nullopt : std::optional(gal::standard_deviation(values));
}

// Of GAL against vanilla; none for a single pair, and where a run left the range of numbers.
template <class Value>
std::optional<double> p_value(const experiment& e, Value value) {
  const std::vector<double> a = by_seed(e, adjusted, value);
  const std::vector<double> b = by_seed(e, vanilla, value);
  const auto finite = [](double number) { return std::isfinite(number); };
  if (a.size() < 2 || !std::ranges::all_of(a, finite) || !std::ranges::all_of(b, finite)) {
    return std::nullopt;
  }
  return gal::paired_t_test(a, b).p_value;
}

// Mean over the seeds of every epoch's records.
std::vector<epoch_record> mean_curve(const experiment& e, std::size_t method) {
  const auto& runs = e.runs[method];
  const double share = 1.0 / static_cast<double>(runs.size());
  std::vector<epoch_record> curve(runs.front().epochs.size());
  for (const training_result& run : runs) {
    for (std::size_t i = 0; i < curve.size(); ++i) {
      curve[i].training_loss += share * run.epochs[i].training_loss;
      curve[i].test_error += share * run.epochs[i].test_error;
      curve[i].test_loss += share * run.epochs[i].test_loss;
      curve[i].accepted_share += share * run.epochs[i].accepted_share;
    }
  }
  return curve;
}

// Sum over the seeds.
confusion total_answers(const experiment& e, std::size_t method) {
  confusion sum{};
  for (const training_result& run : e.runs[method]) {
    for (std::size_t digit = 0; digit < classes; ++digit) {
      for (std::size_t guess = 0; guess < classes; ++guess) {
        sum[digit][guess] += run.answers[digit][guess];
      }
    }
  }
  return sum;
}

gal::index refused(const experiment& e, std::size_t method) {
  gal::index sum = 0;
  for (const training_result& run : e.runs[method]) {
    sum += run.refused;
  }
  return sum;
}

// ---- Report --------------------------------------------------------------------------------------------------------

void print_header(const settings& s, const parts& data) {
  std::printf(
      "Digits, %td for training, %td for testing; %s, learning rate %g, batch %d, %d epoch%s, %d seed%s, "
      "preset %s, epsilon %g, %s as adjuster\n",
      data.train.size(), data.test.size(), s.optimizer == "adam" ? "Adam" : "SGD with momentum 0.9", s.rate(),
      s.batch, s.epochs, s.epochs == 1 ? "" : "s", s.seeds, s.seeds == 1 ? "" : "s", s.preset.c_str(),
      s.strength(), s.adjuster == "cnn" ? "convolutional network" : "MLP");
}

void print(const experiment& e) {
  std::printf("\n%s, %td parameters\n\n", title_of(e.model).c_str(), e.parameters);
  support::console_table table({"", "test error, %", "deviation", "seed 1", "best seed", "test loss"});
  for (const std::size_t method : {vanilla, adjusted}) {
    const std::vector<double> errors = by_seed(e, method, last_error);
    const std::optional<double> deviation = deviation_of(errors);
    table.add({method == vanilla ? "vanilla" : "GAL", support::fixed(100.0 * gal::mean(errors), 2),
               support::fixed(deviation ? std::optional(100.0 * *deviation) : std::nullopt, 2),
               support::fixed(100.0 * errors.front(), 2), support::fixed(100.0 * std::ranges::min(errors), 2),
               support::fixed(gal::mean(by_seed(e, method, last_loss)), 4)});
  }
  table.add_rule();
  table.add({"p, GAL = vanilla", support::fixed(p_value(e, last_error), 4), "", "", "",
             support::fixed(p_value(e, last_loss), 4)});
  table.print();
  double accepted = 0.0;
  const std::vector<epoch_record> curve = mean_curve(e, adjusted);
  for (const epoch_record& record : curve) {
    accepted += record.accepted_share / static_cast<double>(curve.size());
  }
  std::printf("\nadjusted gradients accepted for %.1f %% of the samples; %.1f s\n", 100.0 * accepted,
              e.seconds);
  if (refused(e, vanilla) + refused(e, adjusted) > 0) {
    std::printf("steps refused, since a number was not finite: vanilla %td, GAL %td\n", refused(e, vanilla),
                refused(e, adjusted));
  }
}

json to_json(const std::optional<double>& number) { return number ? json(*number) : json(nullptr); }

json to_json(const experiment& e) {
  json result{{"model", e.model}, {"parameters", e.parameters}};
  for (const std::size_t method : {vanilla, adjusted}) {
    json runs = json::array();
    for (std::size_t k = 0; k < e.seeds.size(); ++k) {
      const training_result& run = e.runs[method][k];
      runs.push_back({{"seed", e.seeds[k]},
                      {"test_error", last_error(run)},
                      {"test_loss", last_loss(run)},
                      {"refused_steps", run.refused}});
    }
    json curve;
    for (const epoch_record& record : mean_curve(e, method)) {
      curve["training_loss"].push_back(record.training_loss);
      curve["test_error"].push_back(record.test_error);
      curve["test_loss"].push_back(record.test_loss);
      curve["accepted_share"].push_back(record.accepted_share);
    }
    const std::vector<double> errors = by_seed(e, method, last_error);
    result[std::string(method_names[method])] = {
        {"test_error", {{"mean", gal::mean(errors)}, {"deviation", to_json(deviation_of(errors))}}},
        {"runs", std::move(runs)},
        {"mean_curve", std::move(curve)},
        {"confusion", total_answers(e, method)}};
  }
  result["p_values"] = {{"test_error", to_json(p_value(e, last_error))},
                        {"test_loss", to_json(p_value(e, last_loss))}};
  return result;
}

// Everything but `run` is the same for any number of threads.
json to_json(const settings& s, const std::vector<experiment>& experiments) {
  json result{{"program", "digits"},
              {"configuration",
               {{"preset", s.preset},
                {"adjuster", s.adjuster},
                {"optimizer", s.optimizer},
                {"learning_rate", s.rate()},
                {"epsilon", s.strength()},
                {"batch", s.batch},
                {"epochs", s.epochs},
                {"seeds", s.seeds},
                {"split", {{"test_fraction", 0.25}, {"seed", 1}}}}},
              {"models", json::array()},
              {"run", {{"threads", s.threads}, {"seconds", json::object()}}}};
  for (const experiment& e : experiments) {
    result["models"].push_back(to_json(e));
    result["run"]["seconds"][std::string(e.model)] = e.seconds;
  }
  return result;
}

// ---- Curves and pictures -------------------------------------------------------------------------------------------

std::string curves_csv(const experiment& e) {
  const std::array curves = {mean_curve(e, vanilla), mean_curve(e, adjusted)};
  std::string text =
      "epoch,vanilla_training_loss,vanilla_test_error,vanilla_test_loss,"
      "gal_training_loss,gal_test_error,gal_test_loss,gal_accepted_share\n";
  for (std::size_t i = 0; i < curves[vanilla].size(); ++i) {
    const epoch_record& plain = curves[vanilla][i];
    const epoch_record& ours = curves[adjusted][i];
    support::append_csv_row(
        text, i + 1,
        std::array{plain.training_loss, plain.test_error, plain.test_loss, ours.training_loss,
                   ours.test_error, ours.test_loss, ours.accepted_share});
  }
  return text;
}

// Of a digit's samples the share in percent that got each answer.
std::string confusion_csv(const experiment& e, std::size_t method) {
  std::string text = "digit,answer,percent\n";
  const confusion answers = total_answers(e, method);
  for (std::size_t digit = 0; digit < classes; ++digit) {
    gal::index samples = 0;
    for (const gal::index count : answers[digit]) {
      samples += count;
    }
    for (std::size_t guess = 0; guess < classes; ++guess) {
      const double share = 100.0 * static_cast<double>(answers[digit][guess]) /
                           static_cast<double>(std::max<gal::index>(samples, 1));
      support::append_csv_row(text, digit, std::array{static_cast<double>(guess), share});
    }
  }
  return text;
}

std::string script(const experiment& e) {
  const std::string name(e.model);
  const std::string title = support::text(title_of(e.model), " on digits, ", e.seeds.size(),
                                          e.seeds.size() == 1 ? " seed" : " seeds");
  return "name = '" + name + "'\ntitle = " + support::gnuplot::literal(title) + "\n" + R"(
curves = name . '_curves.csv'
set grid linecolor rgb '#dddddd' linetype 1
do for [kind in 'png svg'] {
  eval start(kind, 1300, 1050)
  set multiplot layout 2,2 title title font ',18' textcolor rgb ink margins 0.08, 0.94, 0.07, 0.91 spacing 0.14, 0.14
  set key top right
  set xlabel 'epoch'
  set ylabel ''
  set logscale y
  set format y '%g'
  set xrange [*:*]
  set yrange [*:*]
  set title 'Training loss, mean of the seeds'
  plot curves skip 1 using 1:2 with lines linewidth 4 linecolor rgb vanilla title 'vanilla', \
    curves skip 1 using 1:5 with lines linewidth 3 linecolor rgb adjusted title 'GAL'
  set title 'Test error in percent, mean of the seeds'
  plot curves skip 1 using 1:(100*$3) with lines linewidth 4 linecolor rgb vanilla title 'vanilla', \
    curves skip 1 using 1:(100*$6) with lines linewidth 3 linecolor rgb adjusted title 'GAL'
  unset logscale y
  unset key
  set xlabel 'answer'
  set ylabel 'digit'
  set xrange [-0.5:9.5]
  set yrange [9.5:-0.5]
  set xtics 1
  set ytics 1
  set cbrange [0:4]
  set palette defined (0 'white', 0.05 '#FDE9D9', 4 '#D55E00')
  unset grid
  do for [method in 'vanilla gal'] {
    set title (method eq 'gal' ? 'GAL' : method) . ': answers in percent of the digit, the wrong ones coloured'
    table = name . '_confusion_' . method . '.csv'
    plot table skip 1 using 2:1:($1 == $2 ? 0 : $3) with image notitle, \
      table skip 1 using 2:1:($3 == 0 ? '' : sprintf($3 < 10 ? '%.1f' : '%.0f', $3)) with labels \
        textcolor rgb ink font ',10' notitle
  }
  set xtics autofreq
  set ytics autofreq
  set grid linecolor rgb '#dddddd' linetype 1
  unset multiplot
}
)";
}

void write_pictures(const settings& s, const std::vector<experiment>& experiments) {
  const std::filesystem::path out(s.out);
  for (const experiment& e : experiments) {
    const std::string name(e.model);
    support::write_file(out / (name + "_curves.csv"), curves_csv(e));
    for (const std::size_t method : {vanilla, adjusted}) {
      support::write_file(out / (name + "_confusion_" + std::string(method_names[method]) + ".csv"),
                          confusion_csv(e, method));
    }
  }
  const auto plotter = support::gnuplot::find();
  if (!plotter) {
    std::printf("\ngnuplot is not in PATH: no pictures. The curves are in %s\n", s.out.c_str());
    return;
  }
  for (const experiment& e : experiments) {
    const std::string name(e.model);
    if (refused(e, vanilla) + refused(e, adjusted) > 0) {
      std::printf("\nNo picture of %s: runs left the range of numbers.\n", title_of(e.model).c_str());
      continue;
    }
    plotter->draw(out, name, script(e), {"png", "svg"});
  }
  std::printf("\nCurves and pictures are in %s\n", s.out.c_str());
}

}  // namespace

int main(int count, char** arguments) {
  settings s;
  CLI::App app{std::string(description)};
  app.add_option("--model", s.model, "Network")
      ->check(CLI::IsMember({"mlp", "cnn", "all"}))
      ->capture_default_str();
  app.add_option("--optimizer", s.optimizer, "Optimizer; sgd has momentum 0.9")
      ->check(CLI::IsMember({"adam", "sgd"}))
      ->capture_default_str();
  app.add_option("--preset", s.preset, "Options of the adjustment")
      ->check(CLI::IsMember({"paper", "recommended"}))
      ->capture_default_str();
  app.add_option("--adjuster", s.adjuster, "Network that adjusts; cnn: over the ten scores as a sequence")
      ->check(CLI::IsMember({"mlp", "cnn"}))
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
  app.add_option("--learning-rate", s.learning_rate, "Learning rate [0.001 for adam, 0.02 for sgd]")
      ->check(support::positive_number);
  app.add_option("--epsilon", s.epsilon, "Strength of the adjustment [1 for recommended, 0.1 for paper]")
      ->check(support::positive_number);
  app.add_option("--threads", s.threads, "Threads; the results do not depend on it")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--out", s.out, "Directory for curves and pictures")->check(support::no_name);
  app.add_option("--json", s.json_file, "File for all numbers")->check(support::no_name);
  CLI11_PARSE(app, count, arguments);

  try {
    const parts data = load();
    support::prepare_output(s.out, s.json_file);
    print_header(s, data);
    std::vector<experiment> experiments;
    for (const std::string_view model : model_names) {
      if (s.model == "all" || s.model == model) {
        experiments.push_back(run(s, model, data));
        print(experiments.back());
        std::fflush(stdout);
      }
    }
    if (!s.json_file.empty()) {
      support::write_file(s.json_file, to_json(s, experiments).dump(2) + "\n");
    }
    if (!s.out.empty()) {
      write_pictures(s, experiments);
    }
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "digits: %s\n", failure.what());
    return 1;
  }
  return 0;
}

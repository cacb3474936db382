// Digits of 8 x 8 pixels, by an MLP and a convolutional network, with plain and with adjusted gradients (arXiv
// 2201.09193): tables, curves, confusion matrices, JSON.
#include "support/comparison.hpp"
#include "support/problems.hpp"
#include "support/text.hpp"

#include <gal/gal.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::string_view description =
    R"(Classification of handwritten digits, 8 x 8 pixels: a vanilla optimizer against the same with adjusted gradients (GAL).

Two networks: an MLP, 64-64-10 with ReLU, and a LeNet-size convolutional network. A quarter of the samples is for testing,
always the same. A seed sets the initial weights and the order of the batches, and both methods share it, so that their
difference is tested in pairs (Student's t-test).

Presets:
  recommended  the library's own options, with epsilon 1: at its 3 the convolutional network diverges for some seeds
  paper        the paper's options)";

// ---- Settings ------------------------------------------------------------------------------------------------------

constexpr int classes = support::digit_classes;
constexpr gal::nn::image_shape picture = support::digit_shape;

struct settings : support::comparison_settings {
  std::string model = "all";
  std::string optimizer = "sgd";
  std::string preset = "recommended";
  std::string adjuster = "mlp";
  std::optional<double> learning_rate;
  std::optional<double> epsilon;

  [[nodiscard]] double rate() const { return learning_rate.value_or(optimizer == "adam" ? 1e-3 : 0.02); }
  [[nodiscard]] double strength() const { return epsilon.value_or(preset == "paper" ? 0.1 : 1.0); }
};

gal::adjust_options options_of(const settings& s) {
  gal::adjust_options options = s.preset == "paper" ? gal::paper() : gal::recommended();
  options.epsilon = s.strength();
  if (s.adjuster == "cnn") {
    options.hidden = {16, 16};
  }
  return options;
}

// ---- Training ------------------------------------------------------------------------------------------------------

// Counts, by digit, then by answer; a sample without an answer is in none.
using confusion = std::array<std::array<gal::index_type, classes>, classes>;

struct digits_run : support::training_run {
  confusion answers{};  // on the test part, after the last epoch
};

using comparison = support::comparison<digits_run>;

using parts = support::parts<int>;

// The class of the largest score; none where one is not finite.
std::optional<gal::index_type> answer(const gal::matrix<float>& scores, gal::index_type sample) {
  const auto column = scores.view().column(sample);
  if (!std::ranges::all_of(column, [](float score) { return std::isfinite(score); })) {
    return std::nullopt;
  }
  return std::ranges::max_element(column) - column.begin();
}

template <class Model, class Optimizer>
digits_run train(const parts& data, const settings& s, std::uint64_t seed, Model model, Optimizer optimizer,
                 const support::maybe_adjusted& options, support::progress_bar& progress) {
  gal::batches batches(data.train, s.batch, seed);
  const gal::batches test(data.test, data.test.size(), {.shuffle = false});
  const auto as_it_is = [](auto x) { return x; };
  const auto measure = [&](Model& trained) { return support::classify(trained, test, as_it_is); };
  digits_run result{
      support::with_adjuster(s.adjuster, {1, 1, classes}, model, optimizer, gal::softmax_cross_entropy(),
                             support::with_seed(options, seed), [&](auto& trainer) {
                               return support::train(trainer, batches, s.epochs, as_it_is, measure, progress);
                             })};
  const gal::matrix<float>& scores = model.forward(data.test.features);
  for (gal::index_type j = 0; j < scores.columns(); ++j) {
    if (const auto given = answer(scores, j)) {
      ++result.answers[static_cast<std::size_t>(data.test.targets(0, j))][static_cast<std::size_t>(*given)];
    }
  }
  return result;
}

// Both methods on networks that `make(seed)` builds.
template <class Make>
comparison compare(const settings& s, const parts& data, const std::string& name, std::string title,
                   Make make) {
  title = support::text(title, ", ", support::parameters_of(make(0)), " parameters");
  const gal::adjust_options ours = options_of(s);
  const std::array options = {support::maybe_adjusted(), support::maybe_adjusted(ours)};
  return support::compare(name, std::move(title), support::classification_measures(), s,
                          [&](std::size_t method, std::uint64_t seed, support::progress_bar& progress) {
                            const double rate = s.rate();
                            return s.optimizer == "adam"
                                       ? train(data, s, seed, make(seed),
                                               gal::adam<float>({.learning_rate = rate}), options[method],
                                               progress)
                                       : train(data, s, seed, make(seed),
                                               gal::sgd<float>({.learning_rate = rate, .momentum = 0.9}),
                                               options[method], progress);
                          });
}

gal::nn::mlp<float> make_mlp(std::uint64_t seed) {
  return gal::nn::mlp<float>({picture.size(), 64, classes}, {.activation = gal::nn::relu, .seed = seed});
}

gal::nn::cnn<float> make_cnn(std::uint64_t seed) {
  return {picture, gal::nn::lenet(picture, classes), {.seed = seed}};
}

// ---- Report --------------------------------------------------------------------------------------------------------

void print_header(const settings& s, const parts& data) {
  std::printf(
      "Digits, %td for training, %td for testing; %s, learning rate %g, %s, preset %s, epsilon %g, %s as "
      "adjuster\n",
      data.train.size(), data.test.size(), s.optimizer == "adam" ? "Adam" : "SGD with momentum 0.9", s.rate(),
      support::summary(s).c_str(), s.preset.c_str(), s.strength(),
      s.adjuster == "cnn" ? "convolutional network" : "MLP");
}

// Sum over the seeds.
confusion total_answers(const comparison& c, std::size_t method) {
  confusion sum{};
  for (const digits_run& run : c.runs[method]) {
    for (std::size_t digit = 0; digit < classes; ++digit) {
      for (std::size_t guess = 0; guess < classes; ++guess) {
        sum[digit][guess] += run.answers[digit][guess];
      }
    }
  }
  return sum;
}

// Of a digit's samples that got an answer the share in percent that got each.
std::string confusion_csv(const comparison& c, std::size_t method) {
  std::string text = "digit,answer,percent\n";
  const confusion answers = total_answers(c, method);
  for (std::size_t digit = 0; digit < classes; ++digit) {
    gal::index_type samples = 0;
    for (const gal::index_type count : answers[digit]) {
      samples += count;
    }
    for (std::size_t guess = 0; guess < classes; ++guess) {
      const double share = 100.0 * static_cast<double>(answers[digit][guess]) /
                           static_cast<double>(std::max<gal::index_type>(samples, 1));
      support::append_csv_row(text, digit, std::array{static_cast<double>(guess), share});
    }
  }
  return text;
}

void write_results(const settings& s, const std::vector<comparison>& comparisons) {
  std::vector<support::json> numbers;
  for (const comparison& c : comparisons) {
    numbers.push_back(support::to_json(c));
    for (const std::size_t method : support::methods) {
      numbers.back()[std::string(support::method_names[method])]["confusion"] = total_answers(c, method);
    }
  }
  const support::json configuration = {
      {"preset", s.preset},       {"adjuster", s.adjuster},
      {"optimizer", s.optimizer}, {"learning_rate", s.rate()},
      {"epsilon", s.strength()},  {"split", {{"test_fraction", 0.25}, {"seed", 1}}}};
  support::write_json(s, "digits", configuration, comparisons, std::move(numbers));
  support::write_report(s, "Digits", configuration, comparisons);

  const auto table_name = [](const comparison& c, std::size_t method) {
    return support::text(c.name, "_confusion_", support::method_names[method], ".csv");
  };
  const auto tables = [&](const comparison& c) {
    std::vector<std::pair<std::string, std::string>> files;
    for (const std::size_t method : support::methods) {
      files.emplace_back(table_name(c, method), confusion_csv(c, method));
    }
    return files;
  };
  support::write_pictures(s, comparisons, tables, [](const comparison& c) {
    return "name = '" + c.name + "'\n" + R"(
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
  set title 'Training loss'
  eval both('training_loss', 1)
  set title 'Test error in percent'
  eval both('test_error', 100)
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
  });
}

}  // namespace

int main(int count, char** arguments) {
  settings s;
  CLI::App app{std::string(description)};
  support::add_choice(app, "--model", s.model, "Network", {"mlp", "cnn", "all"});
  support::add_choice(app, "--optimizer", s.optimizer, "Optimizer; sgd has momentum 0.9", {"adam", "sgd"});
  support::add_choice(app, "--preset", s.preset, "Options of the adjustment", {"paper", "recommended"});
  support::add_choice(app, "--adjuster", s.adjuster,
                      "Network that adjusts; cnn: over the ten scores as a sequence", {"mlp", "cnn"});
  app.add_option("--learning-rate", s.learning_rate, "Learning rate [0.001 for adam, 0.02 for sgd]")
      ->check(support::positive_number);
  app.add_option("--epsilon", s.epsilon, "Strength of the adjustment [1 for recommended, 0.1 for paper]")
      ->check(support::positive_number);
  support::add_options(app, s);
  CLI11_PARSE(app, count, arguments);

  return support::run_program("digits", [&] {
    const parts data = support::divide(support::read_digits());
    support::prepare_outputs(s);
    print_header(s, data);
    std::vector<comparison> comparisons;
    if (s.model != "cnn") {
      comparisons.push_back(compare(s, data, "mlp", "MLP 64-64-10", make_mlp));
      support::print(comparisons.back());
    }
    if (s.model != "mlp") {
      comparisons.push_back(compare(s, data, "cnn", "Convolutional network", make_cnn));
      support::print(comparisons.back());
    }
    write_results(s, comparisons);
  });
}

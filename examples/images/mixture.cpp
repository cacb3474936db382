// Digits in ten splits, some of them with wrong labels: a sampler that learns from which splits to draw, by the gradient-alignment reward
// (arXiv 2102.03275) and by simpler ones. Table, JSON, a picture of the probabilities, a page of curves.
#include "support/method_comparison.hpp"
#include "support/text.hpp"

#include <gal/fit/html_page.hpp>
#include <gal/gal.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::string_view description =
    R"(Classification of handwritten digits, 8 x 8 pixels, from ten sources of which some cannot be trusted.

A quarter of the samples is for testing, always the same. Of the others a seed takes some that are held out, deals the rest to ten
splits, and spoils all labels of some splits; it also sets the first weights and all draws. All methods share it, and take as many
steps, so that their differences are tested in pairs (Student's t-test). The network is an MLP, 64-64-10 with ReLU.

Methods:
  uniform     draws from every split as often
  loss        a sampler learns to draw what has a small loss
  alignment   a sampler learns to draw what has a gradient along the next batch's
  held-out    a sampler learns to draw what has a gradient along that of the held-out samples
  fine-tuned  uniform for half of the epochs, then the held-out samples alone
  oracle      draws from the splits whose labels are right)";

constexpr std::array<std::string_view, 6> method_names = {"uniform",  "loss",       "alignment",
                                                          "held-out", "fine-tuned", "oracle"};
enum method_number : std::size_t { uniform, by_loss, alignment, held_out, fine_tuned, oracle };
constexpr std::array<std::size_t, 1> references = {held_out};
constexpr support::method_list methods{method_names, references};
constexpr std::array<std::size_t, 3> learners = {by_loss, alignment, held_out};

constexpr gal::index_type splits = 10;

struct settings : support::comparison_settings {
  std::string spoilt = "five-random";
  int held_out_samples = 100;
  double learning_rate = 0.1;
  double sampler_rate = 0.005;
  bool average_per_split = false;

  [[nodiscard]] gal::index_type spoilt_splits() const {
    return spoilt == "one-random" ? 1 : spoilt == "five-random" ? 5 : 7;
  }
  [[nodiscard]] bool shifts() const { return spoilt == "seven-shifted"; }
  [[nodiscard]] std::string spoilt_text() const {
    return support::text(spoilt_splits(), " of ", splits,
                         shifts() ? " splits with labels shifted by one" : " splits with random labels");
  }
};

// ---- Data ----------------------------------------------------------------------------------------------------------

using support::labelled;

struct mixture {
  labelled train;                                // the splits below `spoilt_splits` with their labels spoilt
  std::vector<gal::index_type> split_of_sample;  // of `train`
  labelled held_out;
  labelled right;  // the samples of the other splits
  labelled test;
};

mixture deal(const support::parts<int>& parts, const settings& s, std::uint64_t seed) {
  gal::random_stream random{gal::random_bits(seed, 19)};
  auto [held_out_part, train] = support::part_with_clean_samples(parts.train, s.held_out_samples, random);
  mixture data{.train = std::move(train),
               .split_of_sample = {},
               .held_out = std::move(held_out_part),
               .right = {},
               .test = parts.test};
  std::vector<gal::index_type> right;
  for (gal::index_type j = 0; j < data.train.size(); ++j) {  // whose order is at random
    const gal::index_type split = j % splits;
    data.split_of_sample.push_back(split);
    if (split >= s.spoilt_splits()) {
      right.push_back(j);
    } else {
      int& label = data.train.targets(0, j);
      label = s.shifts() ? (label + 1) % support::digit_classes
                         : static_cast<int>(random.below(support::digit_classes));
    }
  }
  data.right = gal::take(data.train, std::span<const gal::index_type>(right));
  return data;
}

// ---- Training ------------------------------------------------------------------------------------------------------

struct run : support::accuracy_run {
  std::vector<double> spoilt_mass{};                 // probability of all spoilt splits, after every epoch
  std::vector<std::vector<double>> probabilities{};  // of every split, after every epoch
};

run train(const mixture& data, const settings& s, std::size_t method, std::uint64_t seed,
          support::progress_bar& progress) {
  gal::nn::mlp<float> model({support::digit_shape.size(), 64, support::digit_classes}, {.seed = seed});
  gal::sgd<float> optimizer({.learning_rate = s.learning_rate});
  const gal::softmax_cross_entropy loss;
  gal::choice_sampler sampler(splits, {.learning_rate = s.sampler_rate,
                                       .average_per_choice = s.average_per_split,
                                       .seed = gal::random_bits(seed, 1)});
  gal::mixed_batches batches(data.train, data.split_of_sample, sampler, s.batch, gal::random_bits(seed, 2));
  run result;
  // An epoch is as many steps for every method.
  const auto train_with = [&](auto& trainer, auto& its_batches, int epochs, auto after_step) {
    gal::index_type left = batches.size() * epochs;
    while (left > 0) {
      for (auto [x, y] : its_batches) {
        trainer.step(x, y);
        after_step();
        if (--left % batches.size() == 0) {
          result.accuracies.push_back(1.0 -
                                      gal::error_rate(model.forward(data.test.features), data.test.targets));
          const auto p = sampler.probabilities();
          result.probabilities.emplace_back(p.begin(), p.end());
          result.spoilt_mass.push_back(std::accumulate(p.begin(), p.begin() + s.spoilt_splits(), 0.0));
          progress.advance();
        }
        if (left == 0) {
          break;
        }
      }
    }
  };
  const auto nothing_more = [] {};
  gal::plain plain(model, optimizer, loss);
  const auto on_all_of = [&](const labelled& samples, int epochs) {  // drawn as the others are
    gal::choice_sampler one_choice(1);
    const std::vector<gal::index_type> one_split(static_cast<std::size_t>(samples.size()), 0);
    gal::mixed_batches its_batches(samples, one_split, one_choice, s.batch, gal::random_bits(seed, 2));
    train_with(plain, its_batches, epochs, nothing_more);
  };
  switch (method) {
    case by_loss: {
      std::vector<double> rewards(static_cast<std::size_t>(s.batch));
      train_with(plain, batches, s.epochs, [&] {
        const auto losses = plain.last_sample_losses();
        std::transform(losses.data(), losses.data() + losses.size(), rewards.begin(), std::negate<>());
        sampler.learn(rewards, sampler.choices());
      });
      break;
    }
    case alignment: {
      gal::alignment_reward trainer(model, optimizer, loss, sampler);
      train_with(trainer, batches, s.epochs, nothing_more);
      break;
    }
    case held_out: {
      gal::alignment_reward trainer(model, optimizer, loss, sampler, data.held_out.features.view(),
                                    data.held_out.targets.view());
      train_with(trainer, batches, s.epochs, nothing_more);
      break;
    }
    case oracle:
      on_all_of(data.right, s.epochs);
      break;
    case fine_tuned:
      train_with(plain, batches, s.epochs - s.epochs / 2, nothing_more);
      on_all_of(data.held_out, s.epochs / 2);
      break;
    default:
      train_with(plain, batches, s.epochs, nothing_more);
  }
  return result;
}

// ---- Report --------------------------------------------------------------------------------------------------------

using all_runs = support::runs_by_method<run>;

std::vector<double> mean_mass(const std::vector<run>& runs) {
  return support::mean_over_seeds(runs,
                                  [](const run& r) -> const std::vector<double>& { return r.spoilt_mass; });
}

void print(const settings& s, const all_runs& runs) {
  support::print_accuracies(methods, runs);
  std::printf("\nprobability of the spoilt splits, %.2f at the start:",
              static_cast<double>(s.spoilt_splits()) / static_cast<double>(splits));
  for (const std::size_t method : learners) {
    std::printf(" %s %.3f%s", std::string(method_names[method]).c_str(), mean_mass(runs[method]).back(),
                method == learners.back() ? "\n" : ",");
  }
}

support::json to_json(const settings& s) {
  return support::with_counts({{"spoilt", s.spoilt},
                               {"held_out_samples", s.held_out_samples},
                               {"learning_rate", s.learning_rate},
                               {"sampler_rate", s.sampler_rate},
                               {"average_per_split", s.average_per_split}},
                              s);
}

void write_json(const settings& s, const all_runs& runs, double seconds) {
  support::json of_methods = support::accuracies_to_json(methods, runs);
  for (const std::size_t method : learners) {
    support::json& mass = of_methods[std::string(method_names[method])]["spoilt_probability"];
    for (const run& r : runs[method]) {
      mass.push_back(r.spoilt_mass.back());
    }
  }
  support::write_method_json("mixture", s, to_json(s), of_methods, seconds);
}

void write_pictures(const settings& s, const all_runs& runs) {
  if (s.out.empty()) {
    return;
  }
  std::string curves = "epoch";
  std::vector<std::vector<double>> columns;
  for (std::size_t method = 0; method < runs.size(); ++method) {
    curves += support::text(",", method_names[method]);
    columns.push_back(support::mean_accuracies(runs[method]));
  }
  for (const std::size_t method : learners) {
    curves += support::text(",", method_names[method], "_spoilt_probability");
    columns.push_back(mean_mass(runs[method]));
  }
  curves += '\n';
  std::string probabilities = "epoch";
  for (gal::index_type k = 0; k < splits; ++k) {
    probabilities += support::text(",split_", k);
  }
  probabilities += '\n';
  for (std::size_t i = 0; i < static_cast<std::size_t>(s.epochs); ++i) {
    std::vector<double> row;
    for (const auto& column : columns) {
      row.push_back(column[i]);
    }
    support::append_csv_row(curves, i + 1, row);
    support::append_csv_row(probabilities, i + 1, runs[held_out].front().probabilities[i]);
  }
  const std::filesystem::path out(s.out);
  support::write_file(out / "mixture_curves.csv", curves);
  support::write_file(out / "mixture_probabilities.csv", probabilities);

  const auto plotter = support::gnuplot::find();
  if (!plotter) {
    std::printf("\ngnuplot is not in PATH: no pictures. The curves are in %s\n", s.out.c_str());
    return;
  }
  const double share = static_cast<double>(s.spoilt_splits()) / static_cast<double>(splits);
  plotter->draw(
      out, "mixture",
      support::text("title = ",
                    support::gnuplot::literal(support::text("Digits, ", s.spoilt_text(), "; mean of ",
                                                            support::counted(runs[held_out].size(), "seed"))),
                    "\nshare = ", share, "\nspoilt = ", s.spoilt_splits(), "\nsplits = ", splits, "\n") +
          R"(
curves = 'mixture_curves.csv'
probabilities = 'mixture_probabilities.csv'
do for [kind in 'png svg'] {
  eval start(kind, 1700, 680)
  set multiplot layout 1,3 title title font ',17' textcolor rgb ink
  set grid linecolor rgb '#dddddd' linetype 1
  set border 31 linecolor rgb ink
  set tics textcolor rgb ink
  set xlabel 'epoch'
  set key below textcolor rgb ink
  set bmargin 7
  set xrange [*:*]
  set yrange [*:1]
  set title "Test accuracy; fine-tuned:\nthe second half on the held-out samples"
  plot curves skip 1 using 1:7 with lines linewidth 2 dashtype 2 linecolor rgb ink title 'oracle', \
    curves skip 1 using 1:5 with lines linewidth 4 linecolor rgb adjusted title 'held-out', \
    curves skip 1 using 1:4 with lines linewidth 3 linecolor rgb '#009E73' title 'alignment', \
    curves skip 1 using 1:3 with lines linewidth 3 linecolor rgb '#CC79A7' title 'loss', \
    curves skip 1 using 1:6 with lines linewidth 3 linecolor rgb '#E69F00' title 'fine-tuned', \
    curves skip 1 using 1:2 with lines linewidth 3 linecolor rgb vanilla title 'uniform'
  set yrange [0:1]
  set title "Chance that a sample\nis drawn from a spoilt split"
  plot share with lines linewidth 3 linecolor rgb vanilla title 'uniform', \
    curves skip 1 using 1:8 with lines linewidth 3 linecolor rgb '#CC79A7' title 'loss', \
    curves skip 1 using 1:9 with lines linewidth 3 linecolor rgb '#009E73' title 'alignment', \
    curves skip 1 using 1:10 with lines linewidth 4 linecolor rgb adjusted title 'held-out'
  set yrange [0:*]
  set title "Held-out, seed 1:\nchance of each split"
  plot for [k=1:splits] probabilities skip 1 using 1:k+1 with lines linewidth 2 \
    linecolor rgb (k <= spoilt ? vanilla : adjusted) \
    title (k == 1 ? 'spoilt' : k == splits ? 'right labels' : '')
  unset multiplot
}
)",
      {"png", "svg"});
  std::printf("\nCurves and pictures are in %s\n", s.out.c_str());
}

gal::html_page::chart mass_chart(const settings& s, const all_runs& runs) {
  gal::html_page::chart chart{.title = "Probability of the spoilt splits, after the epoch",
                              .y_label = "of a sample",
                              .x = {},
                              .curves = {},
                              .y_range = std::array{-0.02, 1.02}};
  for (int epoch = 1; epoch <= s.epochs; ++epoch) {
    chart.x.push_back(epoch);
  }
  for (const std::size_t method : learners) {
    chart.curves.push_back({.name = std::string(method_names[method]), .values = mean_mass(runs[method])});
  }
  return chart;
}

}  // namespace

int main(int count, char** arguments) {
  settings s;
  s.epochs = 60;
  s.seeds = 5;
  CLI::App app{std::string(description)};
  support::add_choice(app, "--spoilt", s.spoilt, "Splits with wrong labels: how many, and what labels",
                      {"one-random", "five-random", "seven-shifted"});
  app.add_option("--held-out", s.held_out_samples, "Held-out samples")
      ->check(CLI::Range(10, 1000))
      ->capture_default_str();
  app.add_option("--learning-rate", s.learning_rate, "Learning rate of the network")
      ->check(support::positive_number)
      ->capture_default_str();
  app.add_option("--sampler-rate", s.sampler_rate, "Learning rate of the sampler")
      ->check(support::positive_number)
      ->capture_default_str();
  app.add_flag("--average-per-split", s.average_per_split, "Average rewards over the samples of a split");
  support::add_options(app, s);
  CLI11_PARSE(app, count, arguments);

  return support::run_program("mixture", [&] {
    const support::parts<int> parts = support::divide(support::read_digits());
    support::prepare_outputs(s);
    std::printf("Digits, %td for training and %d of them held out, %td for testing; %s; %s\n",
                parts.train.size(), s.held_out_samples, parts.test.size(), s.spoilt_text().c_str(),
                support::summary(s).c_str());
    const auto start = std::chrono::steady_clock::now();
    const auto runs = support::run_methods<run>(
        "mixture", methods, s, methods.names.size() * static_cast<std::size_t>(s.epochs),
        [&](std::size_t method, std::uint64_t seed, support::progress_bar& progress) {
          return train(deal(parts, s, seed), s, method, seed, progress);
        });
    print(s, runs);
    write_json(s, runs, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    write_pictures(s, runs);
    support::write_method_page("Digits from ten splits", s, to_json(s), methods, runs,
                               {held_out, alignment, uniform},
                               {support::accuracy_chart(methods, runs, s.epochs), mass_chart(s, runs)});
  });
}

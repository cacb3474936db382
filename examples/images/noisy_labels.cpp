// Digits with wrong labels and a few clean samples: learning rates of samples (arXiv 2105.13464) beside what else one would do
// with the clean samples. Table, JSON, a picture of the digits that the rates distrust, a page of curves.
#include "support/method_comparison.hpp"
#include "support/problems.hpp"
#include "support/text.hpp"

#include <gal/gal.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::string_view description =
    R"(Classification of handwritten digits, 8 x 8 pixels, of which most labels can be wrong; a few samples are known to be right.

A quarter of the samples is for testing, always the same. Of the others a seed takes the clean samples and spoils a share of
the labels of the rest; it also sets the first weights and the order of the batches. All methods share it, and take as many
steps, so that their differences are tested in pairs (Student's t-test). The network is an MLP, 64-64-10 with ReLU.

Methods:
  plain       trains on all samples, clean or not, as if nothing were wrong
  clean       trains on the clean samples alone
  mixed       after every batch a step on the clean samples
  fine-tuned  plain, then as many steps on the clean samples alone: twice the time
  rates       as mixed, and every sample has a learning rate that the clean samples teach
  oracle      trains on the samples whose labels are right)";

constexpr std::array<std::string_view, 6> method_names = {"plain",      "clean", "mixed",
                                                          "fine-tuned", "rates", "oracle"};
enum method_number : std::size_t { plain, clean, mixed, fine_tuned, rates, oracle };
constexpr support::method_list methods{method_names, rates};

struct settings : support::comparison_settings {
  std::string noise = "shifted";
  double share = 0.4;
  int clean_samples = 100;
  double learning_rate = 0.1;
  double rate = 0.05;
};

// ---- Data ----------------------------------------------------------------------------------------------------------

using support::labelled;

struct noisy_data {
  labelled train;  // with its labels spoilt
  labelled clean;  // known to be right
  labelled right;  // the samples of `train` whose labels are
  labelled all;    // `train` and `clean`
  labelled test;
  std::vector<bool> is_wrong;  // of `train`
};

noisy_data spoil(const support::parts<int>& parts, const settings& s, std::uint64_t seed) {
  gal::random_stream random{gal::random_bits(seed, 17)};
  auto [clean_part, train_part] = support::part_with_clean_samples(parts.train, s.clean_samples, random);
  noisy_data data{.train = std::move(train_part),
                  .clean = std::move(clean_part),
                  .right = {},
                  .all = {},
                  .test = parts.test,
                  .is_wrong = {}};
  std::vector<gal::index_type> right;
  for (gal::index_type j = 0; j < data.train.size(); ++j) {
    int& label = data.train.targets(0, j);
    const int before = label;
    if (random.uniform() < s.share) {
      label = s.noise == "shifted" ? (label + 1) % support::digit_classes
                                   : static_cast<int>(random.below(support::digit_classes));
    }
    data.is_wrong.push_back(label != before);
    if (label == before) {
      right.push_back(j);
    }
  }
  data.right = support::joined(gal::take(data.train, std::span<const gal::index_type>(right)), data.clean);
  data.all = support::joined(data.train, data.clean);
  return data;
}

// ---- Training ------------------------------------------------------------------------------------------------------

// Digits that the picture shows.
constexpr gal::index_type shown_columns = 10;
constexpr gal::index_type shown_rows = 4;

struct run : support::accuracy_run {
  double area = gal::step_report::none;     // under the curve of the rates as a sign of right labels
  std::vector<gal::index_type> distrusted;  // samples of `train`, the least trusted first
};

// The chance that a right label has a larger number than a wrong one; ties count half.
double area_under_curve(std::span<const double> values, const std::vector<bool>& is_wrong) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  double wrong_below = 0.0;
  double wrong_total = 0.0;
  double right_total = 0.0;
  double area = 0.0;
  for (std::size_t i = 0; i < order.size();) {
    double wrong = 0.0;
    double right = 0.0;
    std::size_t k = i;
    for (; k < order.size() && values[order[k]] == values[order[i]]; ++k) {
      (is_wrong[order[k]] ? wrong : right) += 1.0;
    }
    area += right * (wrong_below + 0.5 * wrong);
    wrong_below += wrong;
    wrong_total += wrong;
    right_total += right;
    i = k;
  }
  return area / (wrong_total * right_total);
}

run train(const noisy_data& data, const settings& s, std::size_t method, std::uint64_t seed,
          support::progress_bar& progress) {
  gal::nn::mlp<float> model({support::digit_shape.size(), 64, support::digit_classes}, {.seed = seed});
  gal::sgd<float> optimizer({.learning_rate = s.learning_rate});
  const gal::softmax_cross_entropy loss;
  run result;
  // An epoch is as many steps for every method: few samples are gone through several times.
  const gal::index_type steps = gal::batches(data.train, s.batch).size();
  const auto train_with = [&](auto& trainer, auto& batches) {
    gal::index_type taken = 0;
    while (taken < steps * s.epochs) {
      for (auto [x, y] : batches) {
        trainer.step(x, y);
        if (++taken % steps == 0) {
          const auto& scores = model.forward(data.test.features);
          result.accuracies.push_back(1.0 - gal::error_rate(scores, data.test.targets));
          progress.advance();
          if (taken == steps * s.epochs) {
            break;
          }
        }
      }
    }
  };
  const auto plainly = [&](const labelled& samples) {
    gal::batches batches(samples, s.batch, seed);
    gal::plain trainer(model, optimizer, loss);
    train_with(trainer, batches);
  };
  switch (method) {
    case plain:
    case fine_tuned:
      plainly(data.all);
      if (method == fine_tuned) {
        plainly(data.clean);
      }
      break;
    case clean:
      plainly(data.clean);
      break;
    case oracle:
      plainly(data.right);
      break;
    default: {
      gal::batches batches(data.train, s.batch, seed);
      gal::instance_rates trainer(model, optimizer, loss, batches, data.clean.features.view(),
                                  data.clean.targets.view(), {.rate = method == rates ? s.rate : 0.0});
      train_with(trainer, batches);
      if (method == rates) {
        result.distrusted = trainer.least_trusted(std::min(shown_columns * shown_rows, data.train.size()));
        result.area = area_under_curve(trainer.rates(), data.is_wrong);
      }
    }
  }
  return result;
}

// ---- Report --------------------------------------------------------------------------------------------------------

using all_runs = support::runs_by_method<run>;

double mean_area(const all_runs& runs) {
  std::vector<double> areas;
  for (const run& r : runs[rates]) {
    areas.push_back(r.area);
  }
  return gal::mean(areas);
}

support::json to_json(const settings& s) {
  return support::with_counts({{"noise", s.noise},
                               {"share", s.share},
                               {"clean_samples", s.clean_samples},
                               {"learning_rate", s.learning_rate},
                               {"rate", s.rate}},
                              s);
}

void write_json(const settings& s, const all_runs& runs, double seconds) {
  support::json of_methods = support::accuracies_to_json(methods, runs);
  of_methods["rates"]["area_under_curve"] = mean_area(runs);
  support::write_method_json("noisy_labels", s, to_json(s), of_methods, seconds);
}

void write_pictures(const settings& s, const all_runs& runs, const noisy_data& data) {
  if (s.out.empty()) {
    return;
  }
  std::string curves = "epoch";
  std::vector<std::vector<double>> columns;
  for (std::size_t method = 0; method < runs.size(); ++method) {
    curves += support::text(",", method_names[method]);
    columns.push_back(support::mean_accuracies(runs[method]));  // the fine-tuned method has twice as many
  }
  curves += '\n';
  for (std::size_t i = 0; i < static_cast<std::size_t>(s.epochs); ++i) {
    std::vector<double> row;
    for (std::size_t method = 0; method < runs.size(); ++method) {
      row.push_back(columns[method][method == fine_tuned ? i + columns[plain].size() : i]);
    }
    support::append_csv_row(curves, i + 1, row);
  }
  const std::filesystem::path out(s.out);
  support::write_file(out / "noisy_labels_curves.csv", curves);

  const std::vector<gal::index_type>& shown = runs[rates].front().distrusted;
  constexpr gal::index_type side = 8;
  constexpr gal::index_type step = side + 5;
  gal::matrix<double> page(shown_columns * step, shown_rows * step);
  std::string labels = "x,y,label,is_wrong\n";
  for (gal::index_type k = 0; k < static_cast<gal::index_type>(shown.size()); ++k) {
    const gal::index_type sample = shown[static_cast<std::size_t>(k)];
    const gal::index_type left = k % shown_columns * step;
    const gal::index_type top = k / shown_columns * step;
    for (gal::index_type p = 0; p < side * side; ++p) {
      page(left + p % side, top + p / side) = static_cast<double>(data.train.features(p, sample));
    }
    labels += support::text(left, ",", top - 2, ",", data.train.targets(0, sample), ",",
                            data.is_wrong[static_cast<std::size_t>(sample)] ? 1 : 0, "\n");
  }
  std::string pixels = "x,y,brightness\n";
  for (gal::index_type y = 0; y < page.columns(); ++y) {
    for (gal::index_type x = 0; x < page.rows(); ++x) {
      support::append_csv_row(pixels, static_cast<std::size_t>(x),
                              std::array{static_cast<double>(y), page(x, y)});
    }
  }
  support::write_file(out / "noisy_labels_pixels.csv", pixels);
  support::write_file(out / "noisy_labels_labels.csv", labels);

  const auto plotter = support::gnuplot::find();
  if (!plotter) {
    std::printf("\ngnuplot is not in PATH: no pictures. The curves are in %s\n", s.out.c_str());
    return;
  }
  plotter->draw(out, "noisy_labels",
                "title = " +
                    support::gnuplot::literal(support::text(
                        "Digits, ", 100.0 * s.share, " % of the labels ",
                        s.noise == "shifted" ? "shifted by one" : "at random", ", ", s.clean_samples,
                        " clean samples; mean of ", support::counted(runs[rates].size(), "seed"))) +
                    R"(
do for [kind in 'png svg'] {
  eval start(kind, 1400, 680)
  set multiplot layout 1,2 title title font ',17' textcolor rgb ink
  set grid linecolor rgb '#dddddd' linetype 1
  set border 31 linecolor rgb ink
  set tics textcolor rgb ink
  set size noratio
  set xrange [*:*]
  set yrange [*:*]
  set title 'Test accuracy (fine-tuned: its epochs on the clean samples)'
  set xlabel 'epoch'
  set ylabel ''
  set key bottom right textcolor rgb ink
  curves = 'noisy_labels_curves.csv'
  plot curves skip 1 using 1:7 with lines linewidth 2 dashtype 2 linecolor rgb ink title 'oracle', \
    curves skip 1 using 1:6 with lines linewidth 4 linecolor rgb adjusted title 'rates', \
    curves skip 1 using 1:4 with lines linewidth 3 linecolor rgb '#009E73' title 'mixed', \
    curves skip 1 using 1:5 with lines linewidth 3 linecolor rgb '#CC79A7' title 'fine-tuned', \
    curves skip 1 using 1:3 with lines linewidth 3 linecolor rgb '#E69F00' title 'clean', \
    curves skip 1 using 1:2 with lines linewidth 3 linecolor rgb vanilla title 'plain'
  set title "Trusted least (seed 1), under the labels that they came with:\nwrong labels in orange, right ones in blue"
  unset grid
  unset key
  unset border
  unset tics
  unset xlabel
  unset colorbox
  set palette gray negative
  set cbrange [0:1]
  set size ratio -1
  set xrange [-2:129]
  set yrange [51:-6]
  labels = 'noisy_labels_labels.csv'
  plot 'noisy_labels_pixels.csv' skip 1 using 1:2:3 with image notitle, \
    labels skip 1 using ($1 + 3.5):2:($4 == 1 ? strcol(3) : '') with labels textcolor rgb vanilla font ',15' notitle, \
    labels skip 1 using ($1 + 3.5):2:($4 == 0 ? strcol(3) : '') with labels textcolor rgb adjusted font ',15' notitle
  unset multiplot
}
)",
                {"png", "svg"});
  std::printf("\nCurves and pictures are in %s\n", s.out.c_str());
}

}  // namespace

int main(int count, char** arguments) {
  settings s;
  s.epochs = 40;
  s.seeds = 5;
  CLI::App app{std::string(description)};
  support::add_choice(app, "--noise", s.noise, "Wrong labels: the next digit, or any",
                      {"shifted", "uniform"});
  app.add_option("--share", s.share, "Share of the labels that are spoilt")
      ->check(CLI::Range(0.05, 0.9))
      ->capture_default_str();
  app.add_option("--clean", s.clean_samples, "Clean samples")
      ->check(CLI::Range(10, 1000))
      ->capture_default_str();
  app.add_option("--learning-rate", s.learning_rate, "Learning rate of the network")
      ->check(support::positive_number)
      ->capture_default_str();
  app.add_option("--rate", s.rate, "How fast the samples' rates move")
      ->check(support::positive_number)
      ->capture_default_str();
  support::add_options(app, s);
  CLI11_PARSE(app, count, arguments);

  return support::run_program("noisy_labels", [&] {
    const support::parts<int> parts = support::divide(support::read_digits());
    support::prepare_outputs(s);
    std::printf(
        "Digits, %td for training and %d of them clean, %td for testing; labels spoilt: %g %%, %s; %s\n",
        parts.train.size(), s.clean_samples, parts.test.size(), 100.0 * s.share, s.noise.c_str(),
        support::summary(s).c_str());
    const auto start = std::chrono::steady_clock::now();
    const auto runs = support::run_methods<run>(
        "noisy_labels", methods, s, (methods.names.size() + 1) * static_cast<std::size_t>(s.epochs),
        [&](std::size_t method, std::uint64_t seed, support::progress_bar& progress) {
          return train(spoil(parts, s, seed), s, method, seed, progress);
        });
    support::print_accuracies(methods, runs);
    std::printf("\nwrong labels by their rates: area under the curve %.3f\n", mean_area(runs));
    write_json(s, runs, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    write_pictures(s, runs, spoil(parts, s, 1));
    support::write_method_page("Digits with wrong labels", s, to_json(s), methods, runs,
                               {rates, mixed, clean}, {support::accuracy_chart(methods, runs, s.epochs)});
  });
}

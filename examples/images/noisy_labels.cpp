// Images with wrong labels and a few clean samples: learning rates of samples (arXiv 2105.13464) and weights by a network (arXiv
// 1902.07379) beside what else one would do. Table, JSON, a picture of the images that the rates distrust, a page of curves.
#include "support/fashion_mnist.hpp"
#include "support/method_comparison.hpp"
#include "support/problems.hpp"
#include "support/text.hpp"

#include <gal/gal.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
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
    R"(Classification of images, of which most labels can be wrong; a few samples are known to be right. The images are handwritten
digits, 8 x 8 pixels, or Fashion-MNIST, 28 x 28.

Of the digits a quarter is for testing, always the same; Fashion-MNIST has a test part. Of the others a seed takes the clean
samples and spoils a share of the labels of the rest; it also sets the first weights and the order of the batches. All methods
share it, and take as many steps, so that their differences are tested in pairs (Student's t-test). The network is an MLP with
ReLU, 64-64-10 or 784-128-10.

Methods:
  plain       trains on all samples, clean or not, as if nothing were wrong
  gce         plain, with a robust loss: generalised cross-entropy (arXiv 1805.07836)
  clean       trains on the clean samples alone
  mixed       after every batch a step on the clean samples
  fine-tuned  plain, then as many steps on the clean samples alone: twice the steps
  weights     as mixed, and a network that the clean samples teach weighs every sample by its loss
  rates       as mixed, and every sample has a learning rate that the clean samples teach
  oracle      trains on the samples whose labels are right

With --tune every method first gets the settings of its own that are best for it: a learning rate of the network, and one number
more where the method has one. A quarter of the training part is held back for that, with right labels and another one for every
seed; no seed of it is one of the runs that are reported. That quarter favours no method, but nobody with wrong labels has it.)";

constexpr std::array<std::string_view, 8> method_names = {"plain",      "gce",     "clean", "mixed",
                                                          "fine-tuned", "weights", "rates", "oracle"};
enum method_number : std::size_t { plain, gce, clean, mixed, fine_tuned, weights, rates, oracle };
constexpr std::array<std::size_t, 2> learners = {rates, weights};
constexpr support::method_list methods{method_names, learners};

// What is set of a method: the network's learning rate, and one number of its own.
struct method_settings {
  double learning_rate = 0.1;
  double own = 0.0;
};

// The methods' own numbers, and what `--tune` tries.
struct own_number {
  std::size_t method;
  const char* option;
  const char* what;
  double standard;
  std::array<double, 4> grid;
};
constexpr std::array<own_number, 5> own_numbers = {{
    {gce, "--exponent", "gce: exponent q of the loss (1 - p^q) / q", 0.7, {0.3, 0.5, 0.7, 0.9}},
    {mixed, "--clean-weight", "mixed: weight of the step on the clean samples", 1.0, {0.3, 1.0, 3.0, 10.0}},
    {fine_tuned,
     "--fine-tuning-rate",
     "fine-tuned: learning rate on the clean samples",
     0.1,
     {0.01, 0.03, 0.1, 0.3}},
    {weights,
     "--adjuster-rate",
     "weights: learning rate of the network that weighs",
     0.001,
     {0.0003, 0.001, 0.003, 0.01}},
    {rates, "--rate", "rates: how fast the samples' rates move", 0.05, {0.03, 0.05, 0.1, 0.2}},
}};
constexpr std::array<double, 4> learning_rates = {0.03, 0.1, 0.3, 0.6};
constexpr std::uint64_t first_tuning_seed = 1'000'001;  // beyond those of --seeds

const own_number* own_number_of(std::size_t method) {
  const auto* const found = std::ranges::find(own_numbers, method, &own_number::method);
  return found == own_numbers.end() ? nullptr : found;
}

struct settings : support::comparison_settings {
  std::string data = "digits";
  int samples = 5000;
  std::string noise = "shifted";
  double share = 0.4;
  int clean_samples = 100;
  int tuning_seeds = 0;
  std::array<method_settings, method_names.size()> of_method{};
  std::array<double, method_names.size()> validation{};  // accuracy of the settings, where they were tuned

  [[nodiscard]] bool is_digits() const { return data == "digits"; }
  [[nodiscard]] gal::nn::image_shape shape() const {
    return is_digits() ? support::digit_shape : support::fashion_shape;
  }
  [[nodiscard]] gal::index_type hidden() const { return is_digits() ? 64 : 128; }
  [[nodiscard]] const char* title() const { return is_digits() ? "Digits" : "Fashion-MNIST"; }
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

support::parts<int> read(const settings& s) {
  support::parts<int> parts = s.is_digits() ? support::divide(support::read_digits())
                                            : support::parts<int>{support::read_fashion_mnist("train"),
                                                                  support::read_fashion_mnist("t10k")};
  std::vector<gal::index_type> first(
      static_cast<std::size_t>(std::min<gal::index_type>(s.samples, parts.train.size())));
  std::iota(first.begin(), first.end(), gal::index_type{0});
  parts.train = gal::take(parts.train, std::span<const gal::index_type>(first));
  return parts;
}

// ---- Training ------------------------------------------------------------------------------------------------------

// Images that the picture shows.
constexpr gal::index_type shown_columns = 10;
constexpr gal::index_type shown_rows = 4;

struct run : support::accuracy_run {
  double area = gal::step_report::none;  // under the curve of the rates or weights as a sign of right labels
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

// Generalised cross-entropy (Zhang and Sabuncu, arXiv 1805.07836): (1 - p^q) / q, p the probability of the label. From q = 0,
// cross-entropy, to 1, the probability of an error, samples that the network contradicts count less and less.
auto generalised_cross_entropy(double q) {
  return gal::sample_loss([q](auto x, auto y, auto gradient) {
    const double largest = *std::ranges::max_element(x);
    double total = 0.0;
    for (const double logit : x) {
      total += std::exp(logit - largest);
    }
    const auto label = static_cast<std::size_t>(y[0]);
    const double power = std::pow(std::exp(x[label] - largest) / total, q);
    for (std::size_t k = 0; k < x.size(); ++k) {
      gradient[k] = power * (std::exp(x[k] - largest) / total - (k == label ? 1.0 : 0.0));
    }
    return (1.0 - power) / q;
  });
}

run train(const noisy_data& data, const settings& s, std::size_t method, method_settings of_method,
          std::uint64_t seed, support::progress_bar& progress) {
  gal::nn::mlp<float> model({s.shape().size(), s.hidden(), support::digit_classes}, {.seed = seed});
  gal::sgd<float> optimizer({.learning_rate = of_method.learning_rate});
  const gal::softmax_cross_entropy loss;
  run result;
  // An epoch is as many steps for every method: few samples are gone through several times.
  const gal::index_type steps = gal::batches(data.train, s.batch).size();
  const auto train_with = [&](auto& batches, auto step) {
    gal::index_type taken = 0;
    while (taken < steps * s.epochs) {
      for (auto [x, y] : batches) {
        step(x, y);
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
  const auto train_on = [&](const labelled& samples, auto& trainer) {
    gal::batches batches(samples, s.batch, seed);
    train_with(batches, [&](const auto& x, const auto& y) { trainer.step(x, y); });
  };
  gal::plain plainly(model, optimizer, loss);
  gal::sgd<float> clean_optimizer(
      {.learning_rate = method == mixed ? of_method.learning_rate * of_method.own : of_method.own});
  gal::plain on_clean(model, clean_optimizer, loss);
  gal::batches batches(data.train, s.batch, seed);
  switch (method) {
    case gce: {
      gal::plain trainer(model, optimizer, generalised_cross_entropy(of_method.own));
      train_on(data.all, trainer);
      break;
    }
    case clean:
      train_on(data.clean, plainly);
      break;
    case mixed:
      train_with(batches, [&](const auto& x, const auto& y) {
        plainly.step(x, y);
        on_clean.step(data.clean.features, data.clean.targets);
      });
      break;
    case weights: {
      gal::held_out_adjust trainer(model, optimizer, loss, data.clean.features.view(),
                                   data.clean.targets.view(), {.adjuster_learning_rate = of_method.own});
      train_on(data.train, trainer);
      // The weight grows with what the network makes of the sample's loss.
      const auto losses =
          gal::evaluate_loss(loss, model.forward(data.train.features), data.train.targets).samples;
      gal::matrix<float> input(1, losses.columns());
      std::ranges::transform(std::span(losses.data(), data.is_wrong.size()), input.data(),
                             [](double l) { return static_cast<float>(l); });
      const auto& h = trainer.adjuster().forward(std::as_const(input).view());
      result.area = area_under_curve(std::vector<double>(h.data(), h.data() + h.size()), data.is_wrong);
      break;
    }
    case rates: {
      gal::instance_rates trainer(model, optimizer, loss, batches, data.clean.features.view(),
                                  data.clean.targets.view(), {.rate = of_method.own});
      train_with(batches, [&](const auto& x, const auto& y) { trainer.step(x, y); });
      result.distrusted = trainer.least_trusted(std::min(shown_columns * shown_rows, data.train.size()));
      result.area = area_under_curve(trainer.rates(), data.is_wrong);
      break;
    }
    case oracle:
      train_on(data.right, plainly);
      break;
    default:
      train_on(data.all, plainly);
      if (method == fine_tuned) {
        train_on(data.clean, on_clean);
      }
  }
  return result;
}

// Of every method the settings that reach the best accuracy on samples held back from the training part.
void tune(settings& s, const support::parts<int>& parts) {
  struct candidate {
    std::size_t method;
    method_settings numbers;
  };
  std::vector<candidate> candidates;
  std::vector<std::string_view> names;
  for (std::size_t method = 0; method < method_names.size(); ++method) {
    const own_number* const own = own_number_of(method);
    for (const double learning_rate : learning_rates) {
      for (const double number : own == nullptr ? std::span<const double>(&learning_rate, 1) : own->grid) {
        candidates.push_back({method, {learning_rate, number}});
        names.push_back(method_names[method]);
      }
    }
  }
  settings tuning = s;
  tuning.seeds = s.tuning_seeds;
  const auto runs = support::run_methods<run>(
      "tuning", {names, {}}, tuning, candidates.size() * static_cast<std::size_t>(s.epochs),
      [&](std::size_t k, std::uint64_t number, support::progress_bar& progress) {
        const std::uint64_t seed = first_tuning_seed + number - 1;
        const auto divided = support::divide(parts.train, static_cast<std::uint32_t>(seed));
        return train(spoil(divided, s, seed), s, candidates[k].method, candidates[k].numbers, seed, progress);
      });
  s.validation.fill(-1.0);
  for (std::size_t k = 0; k < candidates.size(); ++k) {
    const auto& [method, numbers] = candidates[k];
    const double accuracy = gal::mean(support::last_accuracies(runs[k]));
    if (accuracy > s.validation[method]) {
      s.validation[method] = accuracy;
      s.of_method[method] = numbers;
    }
  }
}

// ---- Report --------------------------------------------------------------------------------------------------------

using all_runs = support::runs_by_method<run>;

double mean_area(const std::vector<run>& runs) {
  std::vector<double> areas;
  for (const run& r : runs) {
    areas.push_back(r.area);
  }
  return gal::mean(areas);
}

void print_settings(const settings& s) {
  support::console_table table({"", "learning rate", "own number", "", "validation accuracy"});
  for (std::size_t method = 0; method < method_names.size(); ++method) {
    const auto& [learning_rate, number] = s.of_method[method];
    const own_number* const own = own_number_of(method);
    table.add({std::string(method_names[method]), support::text(learning_rate),
               own == nullptr ? "" : support::text(number), own == nullptr ? "" : own->option,
               s.tuning_seeds == 0 ? "" : support::fixed(s.validation[method], 4)});
  }
  std::printf("\n");
  table.print();
}

support::json to_json(const settings& s) {
  support::json result = {{"data", s.data},
                          {"samples", s.samples},
                          {"noise", s.noise},
                          {"share", s.share},
                          {"clean_samples", s.clean_samples},
                          {"tuning_seeds", s.tuning_seeds}};
  for (std::size_t method = 0; method < method_names.size(); ++method) {
    support::json& of_method = result["methods"][std::string(method_names[method])];
    of_method["learning_rate"] = s.of_method[method].learning_rate;
    if (const own_number* const own = own_number_of(method)) {
      of_method[own->option + 2] = s.of_method[method].own;
    }
    if (s.tuning_seeds > 0) {
      of_method["validation_accuracy"] = s.validation[method];
    }
  }
  return support::with_counts(std::move(result), s);
}

void write_json(const settings& s, const all_runs& runs, double seconds) {
  support::json of_methods = support::accuracies_to_json(methods, runs);
  for (const std::size_t method : learners) {
    of_methods[std::string(method_names[method])]["area_under_curve"] = mean_area(runs[method]);
  }
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
  const gal::index_type side = s.shape().width;
  const gal::index_type gap = side * 5 / 8;
  const gal::index_type step = side + gap;
  gal::matrix<double> page(shown_columns * step, shown_rows * step);
  std::string labels = "x,y,label,is_wrong\n";
  for (gal::index_type k = 0; k < static_cast<gal::index_type>(shown.size()); ++k) {
    const gal::index_type sample = shown[static_cast<std::size_t>(k)];
    const gal::index_type left = k % shown_columns * step;
    const gal::index_type top = k / shown_columns * step;
    for (gal::index_type p = 0; p < side * side; ++p) {
      page(left + p % side, top + p / side) = static_cast<double>(data.train.features(p, sample));
    }
    labels += support::text(left, ",", top - gap / 2, ",", data.train.targets(0, sample), ",",
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
                support::text("side = ", side, "\ngap = ", gap, "\nwidth = ", page.rows(),
                              "\nheight = ", page.columns(), "\ntitle = ") +
                    support::gnuplot::literal(support::text(
                        s.title(), ", ", 100.0 * s.share, " % of the labels ",
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
  plot curves skip 1 using 1:9 with lines linewidth 2 dashtype 2 linecolor rgb ink title 'oracle', \
    curves skip 1 using 1:8 with lines linewidth 4 linecolor rgb adjusted title 'rates', \
    curves skip 1 using 1:7 with lines linewidth 4 linecolor rgb '#56B4E9' title 'weights', \
    curves skip 1 using 1:5 with lines linewidth 3 linecolor rgb '#009E73' title 'mixed', \
    curves skip 1 using 1:6 with lines linewidth 3 linecolor rgb '#CC79A7' title 'fine-tuned', \
    curves skip 1 using 1:4 with lines linewidth 3 linecolor rgb '#E69F00' title 'clean', \
    curves skip 1 using 1:3 with lines linewidth 3 linecolor rgb '#888888' title 'gce', \
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
  set xrange [-gap/2:width - gap/2]
  set yrange [height - gap/2:-gap - 1]
  labels = 'noisy_labels_labels.csv'
  plot 'noisy_labels_pixels.csv' skip 1 using 1:2:3 with image notitle, \
    labels skip 1 using ($1 + side/2.0 - 0.5):2:($4 == 1 ? strcol(3) : '') with labels textcolor rgb vanilla font ',15' notitle, \
    labels skip 1 using ($1 + side/2.0 - 0.5):2:($4 == 0 ? strcol(3) : '') with labels textcolor rgb adjusted font ',15' notitle
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
  double learning_rate = 0.1;
  CLI::App app{std::string(description)};
  support::add_choice(app, "--data", s.data, "Images", {"digits", "fashion-mnist"});
  support::add_count(app, "--samples", s.samples, "Samples for training at most, the clean ones among them",
                     60'000);
  support::add_choice(app, "--noise", s.noise, "Wrong labels: the next class, or any",
                      {"shifted", "uniform"});
  app.add_option("--share", s.share, "Share of the labels that are spoilt")
      ->check(CLI::Range(0.05, 0.9))
      ->capture_default_str();
  app.add_option("--clean", s.clean_samples, "Clean samples")
      ->check(CLI::Range(10, 1000))
      ->capture_default_str();
  app.add_option("--learning-rate", learning_rate, "Learning rate of the network, of every method")
      ->check(support::positive_number)
      ->capture_default_str();
  for (const own_number& own : own_numbers) {
    s.of_method[own.method].own = own.standard;
    app.add_option(own.option, s.of_method[own.method].own, own.what)
        ->check(support::positive_number)
        ->capture_default_str();
  }
  app.add_option("--tune", s.tuning_seeds, "Runs of every setting that is tried; 0: those given above")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  support::add_options(app, s);
  CLI11_PARSE(app, count, arguments);

  return support::run_program("noisy_labels", [&] {
    for (method_settings& of_method : s.of_method) {
      of_method.learning_rate = learning_rate;
    }
    const support::parts<int> parts = read(s);
    support::require(parts.train.size() > 2 * s.clean_samples, gal::error_code::invalid_option,
                     parts.train.size(), " samples for training; expected more than twice the ",
                     s.clean_samples, " clean ones");
    support::prepare_outputs(s);
    std::printf("%s, %td for training and %d of them clean, %td for testing; labels spoilt: %g %%, %s; %s\n",
                s.title(), parts.train.size(), s.clean_samples, parts.test.size(), 100.0 * s.share,
                s.noise.c_str(), support::summary(s).c_str());
    const auto start = std::chrono::steady_clock::now();
    if (s.tuning_seeds > 0) {
      tune(s, parts);
    }
    print_settings(s);
    const auto runs = support::run_methods<run>(
        "noisy_labels", methods, s, (methods.names.size() + 1) * static_cast<std::size_t>(s.epochs),
        [&](std::size_t method, std::uint64_t seed, support::progress_bar& progress) {
          return train(spoil(parts, s, seed), s, method, s.of_method[method], seed, progress);
        });
    support::print_accuracies(methods, runs);
    std::printf("\nwrong labels found, area under the curve: rates %.3f, weights %.3f\n",
                mean_area(runs[rates]), mean_area(runs[weights]));
    write_json(s, runs, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    write_pictures(s, runs, spoil(parts, s, 1));
    support::write_method_page("Digits with wrong labels", s, to_json(s), methods, runs,
                               {rates, mixed, clean}, {support::accuracy_chart(methods, runs, s.epochs)});
  });
}

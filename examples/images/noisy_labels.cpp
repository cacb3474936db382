// Images with wrong labels and a few clean samples: learning rates of samples (arXiv 2105.13464) and weights by a network (arXiv
// 1902.07379) beside what else one would do, by `gal::compare`; a picture of the images that the rates distrust.
#include "support/compare.hpp"
#include "support/fashion_mnist.hpp"
#include "support/gnuplot.hpp"
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
#include <filesystem>
#include <numeric>
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

// A method, with the option of its own number where it has one, and what `--tune` tries of that.
struct way {
  const char* name;
  const char* option = nullptr;
  const char* what = nullptr;
  double number = 0.0;
  std::array<double, 4> grid{};
};
const std::array<way, 8> ways = {{
    {"plain"},
    {"gce", "--exponent", "gce: exponent q of the loss (1 - p^q) / q", 0.7, {0.3, 0.5, 0.7, 0.9}},
    {"clean"},
    {"mixed", "--clean-weight", "mixed: weight of the step on the clean samples", 1.0, {0.3, 1.0, 3.0, 10.0}},
    {"fine-tuned",
     "--fine-tuning-rate",
     "fine-tuned: learning rate on the clean samples",
     0.1,
     {0.01, 0.03, 0.1, 0.3}},
    {"weights",
     "--adjuster-rate",
     "weights: learning rate of the network that weighs",
     0.001,
     {0.0003, 0.001, 0.003, 0.01}},
    {"rates", "--rate", "rates: how fast the samples' rates move", 0.05, {0.03, 0.05, 0.1, 0.2}},
    {"oracle"},
}};
const std::vector<double> tuned_rates = {0.03, 0.1, 0.3, 0.6};

struct settings : support::compare_settings {
  std::string out{};
  std::string data = "digits";
  int samples = 5000;
  std::string noise = "shifted";
  double share = 0.4;
  int clean_samples = 100;
  double learning_rate = 0.1;
  int tuning_seeds = 0;
  std::string baseline = "rates";

  [[nodiscard]] bool is_digits() const { return data == "digits"; }
  [[nodiscard]] gal::nn::image_shape shape() const {
    return is_digits() ? support::digit_shape : support::fashion_shape;
  }
  [[nodiscard]] gal::index_type hidden() const { return is_digits() ? 64 : 128; }
};

// ---- Data ----------------------------------------------------------------------------------------------------------

using labelled = gal::dataset<float, int>;

labelled joined(const labelled& a, const labelled& b) {
  labelled result{gal::matrix<float>(a.features.rows(), a.size() + b.size()),
                  gal::matrix<int>(1, a.size() + b.size())};
  std::copy_n(a.features.data(), a.features.size(), result.features.data());
  std::copy_n(b.features.data(), b.features.size(), result.features.data() + a.features.size());
  std::copy_n(a.targets.data(), a.size(), result.targets.data());
  std::copy_n(b.targets.data(), b.size(), result.targets.data() + a.size());
  return result;
}

struct noisy_data {
  labelled train;  // with its labels spoilt
  labelled clean;  // known to be right
  labelled right;  // the samples of `train` whose labels are
  labelled all;    // `train` and `clean`
  labelled test;
  std::vector<int> is_right;  // labels of `train`, 0 or 1
};

noisy_data spoil(const support::parts<int>& parts, const settings& s, std::uint64_t seed) {
  gal::random_stream random{gal::random_bits(seed, 17)};
  auto [clean_part, train_part] = support::parted(parts.train, s.clean_samples, random);
  noisy_data data{.train = std::move(train_part),
                  .clean = std::move(clean_part),
                  .right = {},
                  .all = {},
                  .test = parts.test,
                  .is_right = {}};
  std::vector<gal::index_type> right;
  for (gal::index_type j = 0; j < data.train.size(); ++j) {
    int& label = data.train.targets(0, j);
    const int before = label;
    if (random.uniform() < s.share) {
      label = s.noise == "shifted" ? (label + 1) % support::digit_classes
                                   : static_cast<int>(random.below(support::digit_classes));
    }
    data.is_right.push_back(label == before ? 1 : 0);
    if (label == before) {
      right.push_back(j);
    }
  }
  data.right = joined(gal::take(data.train, std::span<const gal::index_type>(right)), data.clean);
  data.all = joined(data.train, data.clean);
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

struct outcome {
  double accuracy = 0.0;                 // on the test part
  double area = gal::step_report::none;  // under the curve of the rates or weights as a sign of right labels
  std::vector<gal::index_type> distrusted;  // samples of `train`, the least trusted first
};

// The chance that a right label has a larger number than a wrong one; NaN without either.
template <class Numbers>
double area_under_curve(const Numbers& numbers, const std::vector<int>& is_right) {
  const auto [least, most] = std::ranges::minmax(is_right);
  return least == most ? gal::step_report::none : gal::area_under_roc(numbers, is_right);
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

outcome train(const noisy_data& data, const settings& s, std::string_view method, const gal::trial& t,
              std::uint64_t seed) {
  gal::nn::mlp<float> model({s.shape().size(), s.hidden(), support::digit_classes}, {.seed = seed});
  gal::sgd<float> optimizer({.learning_rate = t.learning_rate});
  const gal::softmax_cross_entropy loss;
  outcome result;
  gal::batches batches(data.train, s.batch, seed);
  // As many steps for every method: few samples are gone through several times.
  const auto train_with = [steps = batches.size() * t.budget](auto& its_batches, auto step) {
    for (gal::index_type taken = 0; taken < steps;) {
      for (auto [x, y] : its_batches) {
        step(x, y);
        if (++taken == steps) {
          break;
        }
      }
    }
  };
  const auto train_on = [&](const labelled& samples, auto& trainer) {
    gal::batches its_batches(samples, s.batch, seed);
    train_with(its_batches, [&](const auto& x, const auto& y) { trainer.step(x, y); });
  };
  gal::plain plainly(model, optimizer, loss);
  gal::sgd<float> clean_optimizer({.learning_rate = method == "mixed"        ? t.learning_rate * t.setting
                                                    : method == "fine-tuned" ? t.setting
                                                                             : 0.0});
  gal::plain on_clean(model, clean_optimizer, loss);
  if (method == "gce") {
    gal::plain trainer(model, optimizer, generalised_cross_entropy(t.setting));
    train_on(data.all, trainer);
  } else if (method == "clean") {
    train_on(data.clean, plainly);
  } else if (method == "mixed") {
    train_with(batches, [&](const auto& x, const auto& y) {
      plainly.step(x, y);
      on_clean.step(data.clean.features, data.clean.targets);
    });
  } else if (method == "weights") {
    gal::held_out_adjust trainer(model, optimizer, loss, data.clean.features.view(),
                                 data.clean.targets.view(), {.adjuster_learning_rate = t.setting});
    train_on(data.train, trainer);
    // The weight grows with what the network makes of the sample's loss.
    const auto losses =
        gal::evaluate_loss(loss, model.forward(data.train.features), data.train.targets).samples;
    gal::matrix<float> input(1, losses.columns());
    std::ranges::transform(std::span(losses.data(), data.is_right.size()), input.data(),
                           [](double l) { return static_cast<float>(l); });
    const auto& h = trainer.adjuster().forward(std::as_const(input).view());
    result.area = area_under_curve(h, data.is_right);
  } else if (method == "rates") {
    gal::instance_rates trainer(model, optimizer, loss, batches, data.clean.features.view(),
                                data.clean.targets.view(), {.rate = t.setting});
    train_with(batches, [&](const auto& x, const auto& y) { trainer.step(x, y); });
    result.distrusted = trainer.least_trusted(std::min(shown_columns * shown_rows, data.train.size()));
    result.area = area_under_curve(trainer.rates(), data.is_right);
  } else if (method == "oracle") {
    train_on(data.right, plainly);
  } else {
    train_on(data.all, plainly);
    if (method == "fine-tuned") {
      train_on(data.clean, on_clean);
    }
  }
  result.accuracy = 1.0 - gal::error_rate(model.forward(data.test.features), data.test.targets);
  return result;
}

gal::comparison_result compare(const settings& s, const std::array<way, 8>& chosen,
                               const support::parts<int>& parts) {
  const bool tunes = s.tuning_seeds > 0;
  std::vector<gal::method> methods;
  for (const way& w : chosen) {
    gal::method method{
        w.name, [&s, &parts, &w](const gal::trial& t) -> gal::measures {
          if (t.purpose == gal::trial_purpose::choosing) {  // on samples held back from training
            const std::uint64_t seed = 1'000'000 + t.seed;  // beyond those of --seeds
            const auto divided = support::divide(parts.train, static_cast<std::uint32_t>(seed));
            return {.validation = train(spoil(divided, s, seed), s, w.name, t, seed).accuracy};
          }
          const std::uint64_t seed = t.seed - static_cast<std::uint64_t>(s.tuning_seeds);
          const outcome result = train(spoil(parts, s, seed), s, w.name, t, seed);
          return {.test = result.accuracy, .further = {{"area under curve", result.area}}};
        }};
    if (w.option != nullptr) {
      method.settings =
          tunes ? std::vector<double>(w.grid.begin(), w.grid.end()) : std::vector<double>{w.number};
    }
    methods.push_back(std::move(method));
  }
  return support::compare(
      s, "noisy_labels", methods,
      {.title = support::text(s.is_digits() ? "Digits, " : "Fashion-MNIST, ", parts.train.size(),
                              " for training and ", s.clean_samples, " of them clean, ", parts.test.size(),
                              " for testing; labels spoilt: ", 100.0 * s.share, " %, ", s.noise, "; ",
                              support::summary(s)),
       .measure = "test accuracy",
       .larger_is_better = true,
       .baseline = s.baseline,
       .learning_rates = tunes ? tuned_rates : std::vector<double>{s.learning_rate},
       .tuning_seeds = std::max(1, s.tuning_seeds)});
}

// ---- Picture -------------------------------------------------------------------------------------------------------

void draw(const settings& s, const noisy_data& data, const outcome& rates) {
  const std::vector<gal::index_type>& shown = rates.distrusted;
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
                            1 - data.is_right[static_cast<std::size_t>(sample)], "\n");
  }
  std::string pixels = "x,y,brightness\n";
  for (gal::index_type y = 0; y < page.columns(); ++y) {
    for (gal::index_type x = 0; x < page.rows(); ++x) {
      support::append_csv_row(pixels, static_cast<std::size_t>(x),
                              std::array{static_cast<double>(y), page(x, y)});
    }
  }
  const std::filesystem::path out(s.out);
  support::write_file(out / "noisy_labels_pixels.csv", pixels);
  support::write_file(out / "noisy_labels_labels.csv", labels);

  const auto plotter = support::gnuplot::find();
  if (!plotter) {
    std::printf("\ngnuplot is not in PATH: no pictures. The images are in %s\n", s.out.c_str());
    return;
  }
  plotter->draw(out, "noisy_labels",
                support::text("side = ", side, "\ngap = ", gap, "\nwidth = ", page.rows(),
                              "\nheight = ", page.columns()) +
                    R"(
do for [kind in 'png svg'] {
  eval start(kind, 800, 440)
  set title "Trusted least (seed 1), under the labels that they came with:\nwrong labels in orange, right ones in blue" \
    font ',15' textcolor rgb ink
  unset key
  unset border
  unset tics
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
}
)",
                {"png", "svg"});
  std::printf("\nImages and pictures are in %s\n", s.out.c_str());
}

}  // namespace

int main(int count, char** arguments) {
  settings s;
  s.budget = 40;
  s.seeds = 5;
  std::array<way, 8> chosen = ways;
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
  support::add_positive(app, "--learning-rate", s.learning_rate,
                        "Learning rate of the network, of every method");
  std::vector<std::string> names;
  for (way& w : chosen) {
    names.emplace_back(w.name);
    if (w.option != nullptr) {
      support::add_positive(app, w.option, w.number, w.what);
    }
  }
  support::add_choice(app, "--baseline", s.baseline, "The method that all others are held against", names);
  app.add_option("--tune", s.tuning_seeds, "Runs of every setting that is tried; 0: those given above")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  support::add_path(app, "--out", s.out, "Directory for the images that the rates trust least");
  support::add_options(app, s);
  CLI11_PARSE(app, count, arguments);

  return support::run_program("noisy_labels", [&] {
    const support::parts<int> parts = read(s);
    support::require(parts.train.size() > 2 * s.clean_samples, gal::error_code::invalid_option,
                     parts.train.size(), " samples for training; expected more than twice the ",
                     s.clean_samples, " clean ones");
    support::prepare_outputs(s, s.out);
    const gal::comparison_result result = compare(s, chosen, parts);
    const auto mean_area = [&](const char* method) {
      return gal::mean(support::numbers_of(result, method, "area under curve"));
    };
    std::printf("\nwrong labels found, area under the curve: rates %.3f, weights %.3f\n", mean_area("rates"),
                mean_area("weights"));
    support::write_results(s, "noisy_labels", "Images with wrong labels",
                           {{"data", s.data},
                            {"samples", s.samples},
                            {"noise", s.noise},
                            {"share", s.share},
                            {"clean_samples", s.clean_samples},
                            {"tuning_seeds", s.tuning_seeds},
                            {"batch", s.batch}},
                           {result});
    if (!s.out.empty()) {
      const noisy_data data = spoil(parts, s, 1);
      const auto rates = std::ranges::find(result.methods, "rates", &gal::method_summary::name);
      draw(s, data,
           train(data, s, "rates",
                 {.learning_rate = rates->best_rate, .budget = s.budget, .setting = rates->best_setting}, 1));
    }
  });
}

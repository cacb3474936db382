// Small colour images, as in the CIFAR experiments of arXiv 2201.09193: convolutional networks with plain and with adjusted
// gradients. Table, curves, JSON.
#include "support/comparison.hpp"
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
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::string_view description =
    R"(Classification of colour images, 32 x 32 pixels: a vanilla optimizer against the same with adjusted gradients (GAL).

--data DIRECTORY holds the binary files of CIFAR-10 (data_batch_1.bin to data_batch_5.bin, test_batch.bin) or of
CIFAR-100 (train.bin, test.bin). Without it, the images are generated: stripes of ten kinds, in all colours.

The paper trains an EfficientNet-B1 for 300 epochs of batches of 320. Momentum, weight decay and the drops of the learning
rate by 10 after each third of the training are the paper's here, too, and so are the adjuster's hidden widths and the
learning rate, which SGD scales with the batch. Training images are cropped, flipped and cut out at random. A seed sets the initial weights, the order of the batches and what
happens to the images; both methods share it, so that their difference is tested in pairs (Student's t-test).

Presets:
  recommended  the library's own options, with epsilon 1
  paper        the paper's options, with its epsilon and tau for the optimizer and the data)";

// ---- Settings ------------------------------------------------------------------------------------------------------

constexpr gal::nn::image_shape picture{3, 32, 32};

struct settings : support::comparison_settings {
  std::string data;
  std::string model = "lenet";
  std::string optimizer = "sgd";
  std::string preset = "recommended";
  std::string adjuster = "mlp";
  std::optional<double> learning_rate;
  std::optional<double> epsilon;
  std::optional<double> tau;
  std::optional<int> images;
  std::optional<int> test_images;

  [[nodiscard]] double rate() const {
    return learning_rate.value_or(optimizer == "adabound" ? 1e-3 : 0.05 * batch / 320.0);
  }
};

// Epsilon and tau of the paper.
struct published_pair {
  int classes;
  std::string_view optimizer;
  double epsilon, tau;
};
constexpr std::array published_pairs = {
    published_pair{10, "sgd", 0.001, 1.0},        published_pair{10, "lookahead", 0.01, 1.0},
    published_pair{10, "adabound", 0.01, 10.0},   published_pair{100, "sgd", 0.01, 1.0},
    published_pair{100, "lookahead", 0.001, 5.0}, published_pair{100, "adabound", 0.01, 10.0},
};

gal::adjust_options options_of(const settings& s, int classes) {
  gal::adjust_options options = gal::recommended();
  options.epsilon = 1.0;
  if (s.preset == "paper") {
    options = gal::paper();
    const auto* const pair = std::ranges::find_if(published_pairs, [&](const published_pair& p) {
      return p.classes == classes && p.optimizer == s.optimizer;
    });
    options.epsilon = pair->epsilon;
    options.tau = pair->tau;
  }
  options.hidden =
      classes == 100 ? std::vector<gal::index_type>{256, 64, 32} : std::vector<gal::index_type>{100, 32, 16};
  if (s.adjuster == "cnn") {
    options.hidden = {16, 16};
  }
  options.epsilon = s.epsilon.value_or(options.epsilon);
  options.tau = s.tau.value_or(options.tau);
  return options;
}

std::vector<gal::nn::layer> layers(const std::string& model, int classes) {
  constexpr std::string_view resnet = "resnet";
  if (model.starts_with(resnet)) {
    return gal::nn::resnet(std::stoi(model.substr(resnet.size())), classes);
  }
  return model == "lenet" ? gal::nn::lenet(picture, classes) : gal::nn::efficientnet(classes);
}

// ---- Images --------------------------------------------------------------------------------------------------------

struct data_set {
  std::string title;
  int classes;
  gal::image_data train, test;
};

// Stripes of five widths, upright or level (which a flip does not change), in two colours with noise: class 2 k or 2 k + 1.
gal::image_data draw_stripes(int count, std::uint64_t seed) {
  gal::image_data result{.shape = picture};
  for (int j = 0; j < count; ++j) {
    gal::random_stream random{gal::random_bits(seed, static_cast<std::uint64_t>(j)), 0};
    const int label = static_cast<int>(random.below(10));
    const double waves = 1.5 + 1.2 * (label / 2);
    const double start = 2.0 * std::numbers::pi * random.uniform();
    for (gal::index_type channel = 0; channel < picture.channels; ++channel) {
      const double middle = 90.0 + 75.0 * random.uniform();
      const double height = 30.0 + 50.0 * random.uniform();
      for (gal::index_type i = 0; i < picture.area(); ++i) {
        const gal::index_type place = label % 2 == 0 ? i % picture.width : i / picture.width;
        const double angle = start + 2.0 * std::numbers::pi * waves * static_cast<double>(place) / 32.0;
        const double value = middle + height * std::sin(angle) + 25.0 * random.normal();
        result.pixels.push_back(static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0)));
      }
    }
    result.labels.push_back(label);
  }
  return result;
}

// The first images of a set, where not all are wanted.
void keep(gal::image_data& images, std::optional<int> count) {
  if (count && *count < images.size()) {
    images.labels.resize(static_cast<std::size_t>(*count));
    images.pixels.resize(static_cast<std::size_t>(*count * images.shape.size()));
  }
}

data_set load(const settings& s) {
  if (s.data.empty()) {
    return {"Stripes", 10, draw_stripes(s.images.value_or(600), 1),
            draw_stripes(s.test_images.value_or(200), 2)};
  }
  const std::filesystem::path directory(s.data);
  const auto path = [&](const std::string& name) { return (directory / name).string(); };
  data_set result;
  if (std::filesystem::exists(directory / "train.bin")) {
    result = {"CIFAR-100", 100, gal::read_cifar100({path("train.bin")}),
              gal::read_cifar100({path("test.bin")})};
  } else {
    std::vector<std::string> parts;
    for (int k = 1; k <= 5; ++k) {
      parts.push_back(path(support::text("data_batch_", k, ".bin")));
    }
    support::require(std::filesystem::exists(parts.front()), gal::error_code::unreadable_file, "neither ",
                     parts.front(), " nor ", path("train.bin"),
                     "; expected the binary files of CIFAR-10 or CIFAR-100 in --data");
    result = {"CIFAR-10", 10, gal::read_cifar10(parts), gal::read_cifar10({path("test_batch.bin")})};
  }
  keep(result.train, s.images);
  keep(result.test, s.test_images);
  return result;
}

// Crop, flip and cutout, and the mean and deviation of every channel of the training images. Cutouts as in 1708.04552.
gal::augmentation_options augmentation_of(const data_set& data) {
  gal::augmentation_options options{.padding = 4, .flip = true, .cutout = data.classes == 100 ? 8 : 16};
  const auto area = static_cast<std::size_t>(picture.area());
  const auto images = static_cast<std::size_t>(data.train.size());
  for (std::size_t channel = 0; channel < 3; ++channel) {
    double sum = 0.0;
    double squares = 0.0;
    for (std::size_t j = 0; j < images; ++j) {
      for (const std::uint8_t pixel : std::span(data.train.pixels).subspan((3 * j + channel) * area, area)) {
        sum += pixel;
        squares += static_cast<double>(pixel) * pixel;
      }
    }
    const double count = 255.0 * static_cast<double>(images * area);
    const double mean = sum / count;
    const double variance = squares / (255.0 * count) - mean * mean;
    options.mean.push_back(mean);
    options.deviation.push_back(variance > 1e-6 ? std::sqrt(variance) : 1.0);
  }
  return options;
}

// ---- Training ------------------------------------------------------------------------------------------------------

using comparison = support::comparison<>;
using network = gal::nn::cnn<float>;

template <class Optimizer>
support::training_run train(const data_set& data, gal::augmentation_options augmentation, const settings& s,
                            std::uint64_t seed, Optimizer optimizer, const support::maybe_adjusted& options,
                            support::progress_bar& progress) {
  augmentation.seed = seed;
  network model(picture, layers(s.model, data.classes), {.seed = seed});
  gal::augmentation<float> augment(picture, augmentation);
  gal::batches batches(data.train.view(), data.train.labels, s.batch, seed);
  const gal::batches test(data.test.view(), data.test.labels, 250, {.shuffle = false});
  const auto measure = [&](network& trained) {
    trained.set_training(false);
    const auto result = support::classify(
        trained, test, [&](auto images) -> const gal::matrix<float>& { return augment.normalise(images); });
    trained.set_training(true);
    return result;
  };
  return support::with_adjuster(
      s.adjuster, {1, 1, data.classes}, model, optimizer, gal::softmax_cross_entropy(),
      support::with_seed(options, seed), [&](auto& trainer) {
        return support::train(
            trainer, batches, s.epochs,
            [&](auto images) -> const gal::matrix<float>& { return augment(images); }, measure, progress);
      });
}

comparison compare(const settings& s, const data_set& data) {
  const gal::adjust_options ours = options_of(s, data.classes);
  const std::array options = {support::maybe_adjusted(), support::maybe_adjusted(ours)};
  const gal::augmentation_options augmentation = augmentation_of(data);
  const gal::index_type steps = (data.train.size() + s.batch - 1) / s.batch;
  const gal::schedule schedule = gal::step_schedule(steps * ((s.epochs + 2) / 3), 0.1);
  const gal::index_type parameters = support::parameters_of(network(picture, layers(s.model, data.classes)));
  return support::compare(
      s.model, support::text(data.title, ", ", s.model, ", ", parameters, " parameters"),
      support::classification_measures(), s,
      [&](std::size_t method, std::uint64_t seed, support::progress_bar& progress) {
        const auto with = [&](auto optimizer) {
          return train(data, augmentation, s, seed, std::move(optimizer), options[method], progress);
        };
        if (s.optimizer == "adabound") {
          return with(gal::adabound<float>({.learning_rate = s.rate(),
                                            .final_learning_rate = 0.1,
                                            .gamma = 1e-3,
                                            .weight_decay = 5e-4,
                                            .schedule = schedule}));
        }
        gal::sgd<float> sgd(
            {.learning_rate = s.rate(), .momentum = 0.9, .weight_decay = 1e-5, .schedule = schedule});
        return s.optimizer == "sgd" ? with(std::move(sgd))
                                    : with(gal::lookahead(std::move(sgd), {.k = 5, .alpha = 0.8}));
      });
}

}  // namespace

int main(int count, char** arguments) {
  settings s;
  s.seeds = 3;
  s.epochs = 30;
  CLI::App app{std::string(description)};
  app.add_option("--data", s.data, "Directory with the files of CIFAR-10 or CIFAR-100 [generated images]")
      ->check(support::no_name);
  support::add_choice(app, "--model", s.model, "Network",
                      {"lenet", "resnet8", "resnet14", "resnet20", "resnet32", "resnet44", "resnet56",
                       "resnet110", "efficientnet"});
  support::add_choice(app, "--optimizer", s.optimizer, "Optimizer; lookahead is over sgd with momentum",
                      {"sgd", "lookahead", "adabound"});
  support::add_choice(app, "--preset", s.preset, "Options of the adjustment", {"paper", "recommended"});
  support::add_choice(app, "--adjuster", s.adjuster,
                      "Network that adjusts; cnn: over the classes' scores as a sequence", {"mlp", "cnn"});
  app.add_option("--learning-rate", s.learning_rate, "Learning rate [0.05 batch/320; 0.001 for adabound]")
      ->check(support::positive_number);
  app.add_option("--epsilon", s.epsilon, "Strength of the adjustment [1 for recommended]")
      ->check(support::positive_number);
  app.add_option("--tau", s.tau, "Tentative learning rate over the optimizer's [1 for recommended]")
      ->check(support::positive_number);
  app.add_option("--images", s.images, "Images for training [all files; 600 generated]")
      ->check(CLI::Range(2, 10'000'000));
  app.add_option("--test-images", s.test_images, "Images for testing [all files; 200 generated]")
      ->check(CLI::Range(1, 10'000'000));
  support::add_options(app, s);
  CLI11_PARSE(app, count, arguments);

  return support::run_program("cifar", [&] {
    const data_set data = load(s);
    support::prepare_outputs(s);
    const gal::adjust_options options = options_of(s, data.classes);
    std::printf(
        "%s, %td for training, %td for testing; %s, learning rate %g, %s, preset %s, epsilon %g, tau %g, %s "
        "as "
        "adjuster\n",
        data.title.c_str(), data.train.size(), data.test.size(), s.optimizer.c_str(), s.rate(),
        support::summary(s).c_str(), s.preset.c_str(), options.epsilon, options.tau,
        s.adjuster == "cnn" ? "convolutional network" : "MLP");
    const std::vector comparisons = {compare(s, data)};
    support::print(comparisons.front());
    const support::json configuration = {
        {"data", data.title},         {"images", {{"train", data.train.size()}, {"test", data.test.size()}}},
        {"model", s.model},           {"optimizer", s.optimizer},
        {"learning_rate", s.rate()},  {"preset", s.preset},
        {"adjuster", s.adjuster},     {"adjuster_hidden", options.hidden},
        {"epsilon", options.epsilon}, {"tau", options.tau}};
    support::write_json(s, "cifar", configuration, comparisons, {support::to_json(comparisons.front())});
    support::write_report(s, "CIFAR", configuration, comparisons);
    support::write_pictures(
        s, comparisons, [](const comparison&) { return std::vector<std::pair<std::string, std::string>>(); },
        [](const comparison&) {
          return support::curves_script("test_error", "Test error in percent", 100.0);
        });
  });
}

// Fashion-MNIST by LeNet and ResNet-8: plain training, with tuned weight decay, against gradient adjustment, adjustments in
// closed form and curvature-rescaled steps, by gal::compare.
#include "images.hpp"

#include "support/data_files.hpp"
#include "support/text.hpp"

#include <gal/data/gzip.hpp>
#include <gal/gal.hpp>
#include <gal/study.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace study {

namespace {

constexpr gal::nn::image_shape picture{1, 28, 28};
constexpr gal::index_type classes = 10;
constexpr gal::index_type images_in_batch = 64;
using network = gal::nn::cnn<float>;

// A network under an optimizer, and what time allows of the images.
struct images_task {
  const char* title;
  std::vector<gal::nn::layer> layers;
  bool adam;  // AdamW; else SGD with momentum 0.9
  std::vector<double> rates;
  std::vector<double> weight_decays;
  std::int64_t epochs;
  gal::index_type choosing;  // images for training where rates are chosen
  gal::index_type training;  // for the verdict
  bool all_methods;
};

images_task task_called(std::string_view name) {
  const bool adam = name.ends_with("adam");
  if (name.starts_with("fashion_lenet")) {
    return {.title = adam ? "Fashion-MNIST, LeNet, AdamW" : "Fashion-MNIST, LeNet, SGD with momentum",
            .layers = gal::nn::lenet(picture, classes),
            .adam = adam,
            .rates = adam ? std::vector{1e-3, 2e-3, 4e-3, 8e-3} : std::vector{3e-3, 1e-2, 3e-2, 1e-1, 3e-1},
            .weight_decays = adam ? std::vector{0.0, 0.05} : std::vector{0.0, 1e-3},
            .epochs = 10,
            .choosing = 10'000,
            .training = 60'000,
            .all_methods = true};
  }
  return {.title = adam ? "Fashion-MNIST, ResNet-8, AdamW" : "Fashion-MNIST, ResNet-8, SGD with momentum",
          .layers = gal::nn::resnet(8, classes),
          .adam = adam,
          .rates = adam ? std::vector{1e-3, 3e-3, 1e-2} : std::vector{3e-2, 1e-1, 3e-1},
          .weight_decays = adam ? std::vector{0.0, 0.05} : std::vector{0.0, 1e-3},
          .epochs = 5,
          .choosing = 2'500,
          .training = 5'000,
          .all_methods = false};
}

// Images from `first` on, `count` of them.
gal::image_data part_of(const gal::image_data& all, gal::index_type first, gal::index_type count) {
  const auto pixels = all.pixels.begin() + first * picture.size();
  const auto labels = all.labels.begin() + first;
  return {.shape = picture,
          .pixels = {pixels, pixels + count * picture.size()},
          .labels = {labels, labels + count}};
}

struct divided_images {
  gal::image_data choosing;    // for training where rates are chosen
  gal::image_data validation;  // the last 10,000 of the part for training
  gal::image_data train;       // for the verdict
  gal::image_data test;
};

gal::augmentation<float> normalisation() {
  return gal::augmentation<float>(picture, {.mean = {0.286}, .deviation = {0.353}});
}

double error_on(network& model, const gal::image_data& images) {
  auto scale = normalisation();
  model.set_training(false);
  double errors = 0.0;
  for (auto [x, y] : gal::batches(images.view(), images.labels, 250, {.shuffle = false})) {
    errors += static_cast<double>(y.columns()) * gal::error_rate(model.forward(scale.normalise(x)), y);
  }
  model.set_training(true);
  return errors / static_cast<double>(images.size());
}

// A method trains `epochs` epochs; its rate falls to zero along a line.
template <class Make>
gal::method method(const images_task& task, const divided_images& images, const char* name, Make make) {
  const auto run = [&task, &images, make](const gal::trial& t) -> gal::measures {
    const bool choosing = t.purpose == gal::trial_purpose::choosing;
    const gal::image_data& train = choosing ? images.choosing : images.train;
    network model(picture, task.layers, {.seed = t.seed, .bias_group = 1});
    gal::batches batches(train.view(), train.labels, images_in_batch, t.seed);
    const std::int64_t steps = t.budget * static_cast<std::int64_t>(batches.size());
    const gal::schedule fall = gal::linear_schedule(steps);
    auto scale = normalisation();
    const auto train_with = [&](auto optimizer) {
      auto trainer = make(model, optimizer, t, steps);
      for (std::int64_t epoch = 0; epoch < t.budget; ++epoch) {
        for (auto [x, y] : batches) {
          trainer.step(scale.normalise(x), y);
        }
      }
    };
    const std::vector<gal::parameter_group> groups = {
        {}, {.weight_decay = 0.0}};  // no decay of biases and shifts
    if (task.adam) {
      train_with(gal::adamw<float>(
          {.learning_rate = t.learning_rate, .weight_decay = t.setting, .schedule = fall, .groups = groups}));
    } else {
      train_with(gal::sgd<float>({.learning_rate = t.learning_rate,
                                  .momentum = 0.9,
                                  .weight_decay = t.setting,
                                  .schedule = fall,
                                  .groups = groups}));
    }
    return choosing ? gal::measures{.validation = error_on(model, images.validation), .steps = steps}
                    : gal::measures{.test = error_on(model, images.test), .steps = steps};
  };
  return {.name = name, .run = run, .settings = task.weight_decays};
}

std::vector<gal::method> methods_of(const images_task& task, const divided_images& images) {
  const gal::softmax_cross_entropy loss;
  const auto add_adjusted = [&](const char* name, const gal::adjust_options& options) {
    return method(task, images, name, [=](auto& model, auto& optimizer, const gal::trial& t, std::int64_t) {
      gal::adjust_options own = options;
      own.adjuster.seed = t.seed;
      return gal::adjust(model, optimizer, loss, own);
    });
  };
  gal::adjust_options weaker = gal::recommended();
  weaker.epsilon = 1.0;
  std::vector<gal::method> result = {
      method(task, images, "plain",
             [=](auto& model, auto& optimizer, const gal::trial&, std::int64_t) {
               return gal::plain(model, optimizer, loss);
             }),
      add_adjusted("GAL, epsilon 1", weaker),
      add_adjusted("label smoothing 0.3", gal::label_smoothing(0.3)),
  };
  if (task.all_methods) {
    result.push_back(add_adjusted("GAL, recommended", gal::recommended()));
    result.push_back(add_adjusted("feature decay 0.003", gal::feature_decay(0.003)));
    result.push_back(add_adjusted("mixed features 0.3", gal::mixed_features(0.3)));
    result.push_back(method(
        task, images, "rescaled", [=](auto& model, auto& optimizer, const gal::trial&, std::int64_t steps) {
          return gal::rescaled(model, optimizer, loss, {.schedule = gal::linear_schedule(steps)});
        }));
  }
  return result;
}

}  // namespace

json images(std::string_view name, const scope& s) {
  const images_task task = task_called(name);
  const auto read = [](const char* part) {
    const auto [pictures, labels] = support::fashion_mnist_files(part);
    return gal::read_idx_gzip(pictures, labels);
  };
  const gal::image_data all = read("train");
  const gal::index_type validation = 10'000;
  const divided_images images{.choosing = part_of(all, 0, task.choosing),
                              .validation = part_of(all, all.size() - validation, validation),
                              .train = part_of(all, 0, task.training),
                              .test = read("t10k")};
  const std::int64_t epochs = s.epochs > 0 ? s.epochs : task.epochs;
  json result = gal::to_json(gal::compare(methods_of(task, images), {.title = task.title,
                                                                     .measure = "share of errors",
                                                                     .learning_rates = task.rates,
                                                                     .budget = epochs,
                                                                     .tuning_seeds = 1,
                                                                     .verdict_seeds = std::max(2, s.seeds),
                                                                     .equal_time = false,
                                                                     .threads = s.threads,
                                                                     .ledger = s.ledger,
                                                                     .progress = gal::show_progress}));
  result.erase("runs");
  result["epochs"] = epochs;
  result["images"] = {{"choosing", task.choosing}, {"train", task.training}, {"test", images.test.size()}};
  return result;
}

}  // namespace study

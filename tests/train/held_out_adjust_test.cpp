// An adjuster trained on held-out samples: its gradients are derivatives of their loss after the step, no adjustment is the plain
// step, wrong labels lose their weight, and misuse.
#include <gal/gal.hpp>
#include <gal/io/checkpoint.hpp>

#include "scratch.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace {

namespace nn = gal::nn;
using doctest::Approx;
using gal::adjuster_input;
using gal::normalisation;

// Two classes, the sides of a plane; of the first samples every fourth has the other label.
struct labelled {
  gal::matrix<double> x;
  std::vector<int> y;

  explicit labelled(gal::index_type samples, std::uint64_t seed, gal::index_type wrong = 0)
      : x(random_matrix<double>(4, samples, seed)) {
    for (gal::index_type j = 0; j < samples; ++j) {
      y.push_back((x(0, j) + x(1, j) > x(2, j)) != (j < wrong && j % 4 == 0) ? 1 : 0);
    }
  }
};

const gal::held_out_adjust_options every_kind[] = {
    {.hidden = {5}, .adjuster = {.activation = nn::tanh, .seed = 2}},
    {.epsilon = 0.7,
     .hidden = {5},
     .normalisation = normalisation::gate,
     .input = adjuster_input::features_and_gradients,
     .adjuster = {.activation = nn::tanh, .seed = 2}},
    {.hidden = {},
     .normalisation = normalisation::per_sample,
     .input = adjuster_input::features,
     .remove_mean = true,
     .adjuster = {.activation = nn::tanh, .seed = 2}},
    {.hidden = {4},
     .normalisation = normalisation::per_batch,
     .input = adjuster_input::losses,
     .adjuster = {.activation = nn::tanh, .seed = 2}},
};

}  // namespace

TEST_CASE("the adjuster's gradient is the derivative of the held-out loss after the step") {
  const labelled data(9, 3);
  const labelled clean(7, 4);
  const gal::softmax_cross_entropy loss;
  for (gal::held_out_adjust_options options : every_kind) {
    CAPTURE(gal::detail::text(options.normalisation));
    options.adjuster_learning_rate = 0.0;  // the weights stay, and with them theta+
    options.train_on_held_out = false;
    const nn::mlp<double> start({4, 6, 2}, {.activation = nn::gelu, .seed = 1});
    gal::adjuster<double> h({1, 1});
    const auto held_out_loss_after = [&](auto change) {
      auto model = start;
      gal::sgd<double> optimizer({.learning_rate = 0.3});
      gal::held_out_adjust first(model, optimizer, loss, clean.x.view(), clean.y, options);
      first.step(data.x, data.y);  // builds the adjuster
      h = first.adjuster();
      change(h);
      model = start;
      gal::held_out_adjust trainer(model, optimizer, loss, clean.x.view(), clean.y, options, h);
      trainer.step(data.x, data.y);
      h = trainer.adjuster();
      CHECK(trainer.report().held_out_loss == Approx(trainer.evaluate(clean.x, clean.y).mean).epsilon(1e-14));
      return trainer.report().held_out_loss;
    };
    held_out_loss_after([](auto&) {});
    std::vector<double> gradients;
    for (const auto& block : h.parameters()) {
      gradients.insert(gradients.end(), block.gradient.begin(), block.gradient.end());
    }
    double largest = 0.0;
    for (std::size_t k = 0; k < gradients.size(); ++k) {
      const auto moved = [&](double by) {
        return held_out_loss_after([&](gal::adjuster<double>& other) {
          std::size_t at = k;
          for (const auto& block : other.parameters()) {
            if (at < block.value.size()) {
              block.value[at] += by;
              return;
            }
            at -= block.value.size();
          }
        });
      };
      const double difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
      CHECK(std::abs(gradients[k] - difference) < 1e-9);
      largest = std::max(largest, std::abs(difference));
    }
    CHECK(largest > 1e-5);
  }
}

TEST_CASE_TEMPLATE("an adjustment of zero gives the bits of the plain step", T, float, double) {
  const gal::matrix<T> x = random_matrix<T>(4, 16, 1);
  const gal::matrix<T> y = random_matrix<T>(2, 16, 2);
  const gal::matrix<T> clean = random_matrix<T>(4, 5, 3);
  const gal::matrix<T> clean_y = random_matrix<T>(2, 5, 4);
  nn::mlp<T> model({4, 8, 2}, {.activation = nn::tanh, .seed = 1});
  auto twin = model;
  gal::adam<T> optimizer;
  auto its_optimizer = optimizer;
  gal::held_out_adjust trainer(model, optimizer, gal::mse(), clean, clean_y,
                               {.epsilon = 0.0, .train_on_held_out = false});
  gal::plain plain(twin, its_optimizer, gal::mse());
  for (int k = 0; k < 20; ++k) {
    trainer.step(x, y);
    plain.step(x, y);
  }
  CHECK(values_of(model) == values_of(twin));
  CHECK(trainer.report().loss == plain.report().loss);
  CHECK(trainer.report().kept == 1.0);
}

TEST_CASE("wrong labels lose their weight") {
  const labelled data(200, 3, 200);
  const labelled clean(40, 4);
  nn::mlp<double> model({4, 16, 2}, {.activation = nn::relu, .seed = 1});
  gal::sgd<double> optimizer({.learning_rate = 0.3});
  gal::held_out_adjust trainer(model, optimizer, gal::softmax_cross_entropy(), clean.x.view(), clean.y,
                               {.adjuster_learning_rate = 0.01});
  for (int k = 0; k < 300; ++k) {
    trainer.step(data.x, data.y);
  }
  double right = 0.0;
  double wrong = 0.0;
  for (gal::index_type j = 0; j < 200; ++j) {  // A_j = (w_j - 1) G_j
    const double weight = 1.0 + trainer.last_adjustment()(0, j) / trainer.last_gradient()(0, j);
    (j % 4 == 0 ? wrong : right) += weight / (j % 4 == 0 ? 50.0 : 150.0);
  }
  CHECK(right > 2.0 * wrong);
  CHECK(trainer.report().held_out_loss < 0.3);
}

TEST_CASE("a training that is saved and loaded goes on as it would have") {
  const labelled data(30, 3, 30);
  const labelled clean(10, 4);
  const scratch folder;
  const auto run = [&](int steps, const char* save, const char* load) {
    nn::mlp<double> model({4, 6, 2}, {.activation = nn::tanh, .seed = 1});
    gal::adam<double> optimizer;
    gal::held_out_adjust trainer(model, optimizer, gal::softmax_cross_entropy(), clean.x.view(), clean.y,
                                 {.hidden = {8}});
    if (load != nullptr) {
      gal::load_checkpoint(folder.file(load), trainer);
    }
    for (int k = 0; k < steps; ++k) {
      trainer.step(data.x, data.y);
    }
    if (save != nullptr) {
      gal::save_checkpoint(folder.file(save), trainer);
    }
    std::vector<double> values = values_of(model);
    const std::vector<double> more = values_of(trainer.adjuster());
    values.insert(values.end(), more.begin(), more.end());
    return values;
  };
  const auto whole = run(10, nullptr, nullptr);
  run(6, "half.safetensors", nullptr);
  CHECK(run(4, nullptr, "half.safetensors") == whole);
}

TEST_CASE("a batch whose loss is not finite changes nothing") {
  const labelled clean(10, 4);
  labelled data(6, 3);
  data.x(0, 0) = std::numeric_limits<double>::infinity();
  nn::mlp<double> model({4, 6, 2}, {.activation = nn::tanh, .seed = 1});
  model.weight(0)(0, 0) = 0.0;  // and infinity times it is NaN
  const auto before = values_of(model);
  gal::adam<double> optimizer;
  gal::held_out_adjust trainer(model, optimizer, gal::softmax_cross_entropy(), clean.x.view(), clean.y);
  const gal::held_out_adjust_report report = trainer.step(data.x, data.y);
  CHECK(report.non_finite);
  CHECK(values_of(model) == before);
}

TEST_CASE("misuse is named") {
  const labelled data(6, 3);
  const labelled clean(10, 4);
  nn::mlp<double> model({4, 6, 2}, {.seed = 1});
  gal::sgd<double> optimizer;
  const auto trainer_with = [&](gal::held_out_adjust_options options) {
    return gal::held_out_adjust(model, optimizer, gal::softmax_cross_entropy(), clean.x.view(), clean.y,
                                options);
  };
  CHECK_THROWS_WITH_AS(trainer_with({.epsilon = -1.0}),
                       "gal::held_out_adjust_options: epsilon is -1; expected a non-negative number",
                       gal::error);
  CHECK_THROWS_WITH_AS(trainer_with({.hidden = {0}}),
                       "gal::held_out_adjust_options: a hidden width is 0; expected a positive number",
                       gal::error);
  CHECK_THROWS_WITH_AS(gal::held_out_adjust(model, optimizer, gal::softmax_cross_entropy(), clean.x.view(),
                                            std::vector<int>(10, 2)),
                       "gal::softmax_cross_entropy: label 2 of sample 0; expected a class from 0 to 1",
                       gal::error);
  CHECK_THROWS_WITH_AS(static_cast<void>(trainer_with({}).adjuster()),
                       "gal::held_out_adjust::adjuster: none yet; it is built at the first step", gal::error);
  gal::held_out_adjust wide(model, optimizer, gal::softmax_cross_entropy(), clean.x.view(), clean.y, {},
                            gal::adjuster<double>({1, 2}));
  CHECK_THROWS_WITH_AS(wide.step(data.x, data.y),
                       "gal::held_out_adjust: the adjuster returned 2 x 6; expected 1 x 6 for 2 features",
                       gal::error);
}

// Learning rates of samples: the plain step where they are all 1, products that are derivatives, wrong labels that are found,
// what a refused step leaves untouched, and misuse. The arithmetic of single steps is in the golden files.
#include <gal/fit.hpp>
#include <gal/gal.hpp>
#include <gal/io.hpp>
#include <gal/io/checkpoint.hpp>

#include "scratch.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

namespace {

namespace nn = gal::nn;
using doctest::Approx;

// Two classes, the side of a plane; of the first samples every fourth has the other label.
template <class T>
struct labelled {
  gal::matrix<T> x;
  std::vector<int> y;

  explicit labelled(gal::index_type samples, std::uint64_t seed, gal::index_type wrong)
      : x(random_matrix<T>(4, samples, seed)) {
    for (gal::index_type j = 0; j < samples; ++j) {
      const bool side = x(0, j) + x(1, j) > x(2, j);
      y.push_back(side != (j < wrong && j % 4 == 0) ? 1 : 0);
    }
  }
};

template <class Trainer, class Batches>
struct kept_together {
  Trainer& trainer;
  Batches& batches;

  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit("trainer", trainer);
    visit("batches", batches);
  }
};
template <class Trainer, class Batches>
kept_together(Trainer&, Batches&) -> kept_together<Trainer, Batches>;

constexpr std::uint64_t seed = 3;

}  // namespace

TEST_CASE_TEMPLATE("rates of 1 that stay give the bits of the plain step", T, float, double) {
  const labelled<T> data(40, seed, 0);
  const labelled<T> clean(10, seed + 1, 0);
  nn::mlp<T> model({4, 8, 2}, {.activation = nn::tanh, .seed = 1});
  auto twin = model;
  gal::adam<T> optimizer;
  auto its_optimizer = optimizer;
  gal::batches batches(data.x, data.y, 16, 1);
  gal::batches its_batches(data.x, data.y, 16, 1);
  gal::instance_rates trainer(model, optimizer, gal::softmax_cross_entropy(), batches, clean.x, clean.y,
                              {.rate = 0.0, .train_on_held_out = false});
  gal::plain plain(twin, its_optimizer, gal::softmax_cross_entropy());
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (auto [x, y] : batches) {
      trainer.step(x, y);
    }
    for (auto [x, y] : its_batches) {
      plain.step(x, y);
    }
  }
  CHECK(values_of(model) == values_of(twin));
  CHECK(trainer.report().loss == plain.report().loss);
  CHECK(trainer.report().mean_rate == 1.0);
  CHECK(std::ranges::all_of(trainer.rates(), [](double rate) { return rate == 1.0; }));
}

TEST_CASE("samples of rate 0 are not there, and come back") {
  labelled<double> data(12, seed, 0);
  const labelled<double> clean(30, seed + 1, 0);
  nn::mlp<double> model({4, 8, 2}, {.activation = nn::tanh, .seed = 1});
  gal::sgd<double> optimizer({.learning_rate = 0.1});
  gal::batches batches(data.x, data.y, 12, {.shuffle = false});
  gal::instance_rates trainer(model, optimizer, gal::softmax_cross_entropy(), batches, clean.x, clean.y,
                              {.rate = 0.5, .train_on_held_out = false});
  trainer.set_rates(std::vector<double>(12, 0.0));
  const auto before = values_of(model);
  const auto step = [&] {
    const auto at = batches.begin();
    const auto [x, y] = *at;
    return trainer.step(x, y);
  };
  CHECK(step().zero_share == 1.0);
  CHECK(values_of(model) == before);
  CHECK(std::ranges::any_of(trainer.rates(), [](double rate) { return rate > 0.0; }));
  CHECK(step().zero_share < 1.0);
  CHECK(values_of(model) != before);
}

TEST_CASE("a product is the derivative of the sample's loss along the held-out gradient") {
  const labelled<double> data(9, seed, 0);
  const labelled<double> clean(7, seed + 1, 0);
  nn::mlp<double> model({4, 6, 2}, {.activation = nn::gelu, .seed = 1});
  const auto theta = values_of(model);
  gal::sgd<double> optimizer({.learning_rate = 0.3});
  gal::batches batches(data.x, data.y, 9, {.shuffle = false});
  gal::softmax_cross_entropy loss;
  gal::instance_rates trainer(model, optimizer, loss, batches, clean.x, clean.y,
                              {.train_on_held_out = false});
  // The product is that of the gradient itself, whatever weighs it.
  trainer.set_rates(std::vector<double>{0.0, 0.0, 1e-30, 1e-9, 0.3, 0.7, 1.0, 1.0, 1.0});
  for (auto [x, y] : batches) {
    trainer.step(x, y);
  }
  // V, once more, at theta+.
  const gal::eigen_backend backend;
  gal::matrix<double> losses(1, 7);
  gal::matrix<double> g(2, 7);
  loss.evaluate(backend, model.forward(clean.x).view(), clean.y, losses.view(), g.view());
  for (const auto& block : model.parameters()) {
    std::ranges::fill(block.gradient, 0.0);
  }
  model.backward(g);
  std::vector<double> along;
  for (const auto& block : model.parameters()) {
    along.insert(along.end(), block.gradient.begin(), block.gradient.end());
  }
  const auto losses_at = [&](double s) {
    std::size_t k = 0;
    for (const auto& block : model.parameters()) {
      for (double& value : block.value) {
        value = theta[k] + s * along[k];
        ++k;
      }
    }
    gal::matrix<double> values(1, 9);
    loss.evaluate(backend, model.forward(data.x).view(), data.y, values.view(), gal::matrix_view<double>());
    return values;
  };
  const double s = 1e-5;
  const auto above = losses_at(s);
  const auto below = losses_at(-s);
  for (gal::index_type j = 0; j < 9; ++j) {
    CHECK(trainer.last_products()(0, j) == Approx((above(0, j) - below(0, j)) / (2.0 * s)).epsilon(1e-7));
  }
}

TEST_CASE_TEMPLATE("wrong labels are found, by fit", T, float, double) {
  const labelled<T> data(200, seed, 200);
  const labelled<T> clean(30, seed + 1, 0);
  nn::mlp<T> model({4, 16, 2}, {.seed = 1});
  gal::sgd<T> optimizer({.learning_rate = 0.1});
  gal::batches batches(data.x, data.y, 20, 1);
  gal::instance_rates trainer(model, optimizer, gal::softmax_cross_entropy(), batches, clean.x.view(),
                              clean.y);
  const gal::fit_result result = gal::fit(trainer, batches, {.epochs = 40});
  CHECK(result.history.back().number("held_out_loss") < 0.1);
  const auto wrong = [](gal::index_type sample) { return sample % 4 == 0; };
  CHECK(std::ranges::count_if(trainer.least_trusted(40), wrong) >= 36);
  CHECK(std::ranges::count_if(trainer.most_trusted(40), wrong) == 0);
  const auto least = trainer.least_trusted(2);
  CHECK(trainer.rates()[static_cast<std::size_t>(least[0])] <=
        trainer.rates()[static_cast<std::size_t>(least[1])]);
}

TEST_CASE("training goes on from a checkpoint bit for bit") {
  const labelled<double> data(40, seed, 40);
  const labelled<double> clean(10, seed + 1, 0);
  const scratch folder;
  const auto run = [&](int epochs, bool saves, bool loads) {
    nn::mlp<double> model({4, 8, 2}, {.seed = 1});
    gal::adam<double> optimizer;
    gal::batches batches(data.x, data.y, 16, 1);
    gal::instance_rates trainer(model, optimizer, gal::softmax_cross_entropy(), batches, clean.x, clean.y);
    kept_together both{trainer, batches};
    if (loads) {
      gal::load_checkpoint(folder.file("state"), both);
    }
    for (int epoch = 0; epoch < epochs; ++epoch) {
      for (auto [x, y] : batches) {
        trainer.step(x, y);
      }
    }
    if (saves) {
      gal::save_checkpoint(folder.file("state"), both);
    }
    auto result = values_of(model);
    result.insert(result.end(), trainer.rates().begin(), trainer.rates().end());
    return result;
  };
  const auto whole = run(4, false, false);
  run(2, true, false);
  CHECK(run(2, false, true) == whole);
}

TEST_CASE("a step that is not finite changes nothing") {
  labelled<double> data(12, seed, 0);
  labelled<double> clean(10, seed + 1, 0);
  SUBCASE("the batch") { data.x(0, 3) = std::numeric_limits<double>::quiet_NaN(); }
  SUBCASE("the held-out samples: the batch's step is taken, the rates stay") {
    clean.x(0, 3) = std::numeric_limits<double>::quiet_NaN();
  }
  const bool of_batch = std::isnan(data.x(0, 3));
  nn::mlp<double> model({4, 8, 2}, {.activation = nn::tanh, .seed = 1});
  gal::sgd<double> optimizer({.learning_rate = 0.1});
  gal::batches batches(data.x, data.y, 12, {.shuffle = false});
  gal::instance_rates trainer(model, optimizer, gal::softmax_cross_entropy(), batches, clean.x, clean.y);
  const auto before = values_of(model);
  for (auto [x, y] : batches) {
    CHECK(trainer.step(x, y).non_finite == of_batch);
  }
  const auto after = values_of(model);
  CHECK((after == before) == of_batch);
  CHECK(std::ranges::all_of(after, [](double value) { return std::isfinite(value); }));
  CHECK(std::ranges::all_of(trainer.rates(), [](double rate) { return rate == 1.0; }));
}

TEST_CASE("the plain update descends on the held-out loss") {
  const labelled<double> data(40, seed, 40);
  const labelled<double> clean(20, seed + 1, 0);
  nn::mlp<double> model({4, 8, 2}, {.seed = 1});
  gal::sgd<double> optimizer({.learning_rate = 0.1});
  gal::batches batches(data.x, data.y, 40, {.shuffle = false});
  const double rate = 3.0;
  gal::instance_rates trainer(model, optimizer, gal::softmax_cross_entropy(), batches, clean.x, clean.y,
                              {.rate = rate, .largest = 4.0, .update = gal::rate_update::plain});
  for (auto [x, y] : batches) {
    trainer.step(x, y);
    for (gal::index_type j = 0; j < 40; ++j) {
      const double expected = std::clamp(1.0 + rate * 0.1 / 40.0 * trainer.last_products()(0, j), 0.0, 4.0);
      CHECK(trainer.rates()[static_cast<std::size_t>(j)] == Approx(expected).epsilon(1e-14));
    }
  }
}

TEST_CASE("the products are those of the batch's pass, with its mask and its statistics") {
  const labelled<double> data(40, seed, 0);
  const labelled<double> clean(20, seed + 1, 0);
  nn::layer between = nn::dropout{0.5};
  SUBCASE("dropout") {}
  SUBCASE("batch normalisation") { between = nn::batch_normalization{}; }
  nn::cnn<double> model(
      {4, 1, 1},
      {nn::convolution{.channels = 8, .kernel = 1}, nn::tanh, between, nn::flatten{}, nn::linear{2}},
      {.seed = 1});
  gal::sgd<double> optimizer({.learning_rate = 0.1});
  gal::batches batches(data.x, data.y, 40, {.shuffle = false});
  gal::instance_rates trainer(model, optimizer, gal::softmax_cross_entropy(), batches, clean.x, clean.y,
                              {.train_on_held_out = false});
  std::vector<double> rates(40, 1.0);
  std::fill_n(rates.begin(), 10, 0.0);
  trainer.set_rates(rates);
  nn::cnn<double> same = model;
  for (auto [x, y] : batches) {
    trainer.step(x, y);
    // V, by the model as it is now and the noise that the held-out pass drew; then the samples' products at the batch's.
    gal::directional_expansion along(same);
    const gal::random_stream first = same.noise();
    nn::cnn<double> stepped = model;
    stepped.set_noise({first.seed, first.counter + 1});
    for (const auto& block : stepped.parameters()) {
      std::ranges::fill(block.gradient, 0.0);
    }
    gal::matrix<double> gradient(2, clean.x.columns());
    gal::matrix<double> losses(1, clean.x.columns());
    const gal::matrix<double> features(stepped.forward(clean.x.view()));
    gal::softmax_cross_entropy().evaluate(gal::eigen_backend(), features.view(), clean.y, losses.view(),
                                          gradient.view());
    stepped.backward(gradient.view().as_const());
    gal::parameter_vector<double> held_out_gradient;
    held_out_gradient.assign_gradients(stepped.parameters());
    along.expand(gal::softmax_cross_entropy(), x, y, held_out_gradient.blocks(), gal::expansion_order::first);
    for (gal::index_type j = 0; j < 40; ++j) {
      CHECK(trainer.last_products()(0, j) == Approx(along.sample_first()(0, j)).epsilon(1e-12));
    }
  }
}

TEST_CASE("misuse is named") {
  const labelled<double> data(12, seed, 0);
  const labelled<double> clean(10, seed + 1, 0);
  nn::mlp<double> model({4, 8, 2}, {.seed = 1});
  gal::sgd<double> optimizer({.learning_rate = 0.1});
  gal::batches batches(data.x, data.y, 6, {.shuffle = false});
  const auto trainer_with = [&](gal::instance_rates_options options) {
    return gal::instance_rates(model, optimizer, gal::softmax_cross_entropy(), batches, clean.x, clean.y,
                               options);
  };
  CHECK_THROWS_WITH_AS(trainer_with({.rate = -1.0}),
                       "gal::instance_rates_options: rate is -1; expected a number of at least 0",
                       gal::error);
  CHECK_THROWS_WITH_AS(trainer_with({.largest = 0.0}),
                       "gal::instance_rates_options: largest is 0; expected a positive number", gal::error);
  const auto held_out = [&](int label) {
    return gal::instance_rates(model, optimizer, gal::softmax_cross_entropy(), batches, clean.x,
                               std::vector<int>(10, label));
  };
  CHECK_THROWS_WITH_AS(held_out(2),
                       "gal::softmax_cross_entropy: label 2 of sample 0; expected a class from 0 to 1",
                       gal::error);
  auto trainer = trainer_with({});
  const auto at = batches.begin();
  static_cast<void>(*at);
  CHECK_THROWS_WITH_AS(
      trainer.step(data.x, data.y),
      "gal::instance_rates::step: a batch of 12 samples; expected the 6 that the batches have "
      "handed out last",
      gal::error);
  CHECK_THROWS_WITH_AS(trainer.set_rates(std::vector<double>(3)),
                       "gal::instance_rates::set_rates: 3 rates; expected 12, one for each sample",
                       gal::error);
  CHECK_THROWS_WITH_AS(trainer.set_rates(std::vector<double>(12, 1.5)),
                       "gal::instance_rates::set_rates: rate 1.5; expected a number in [0, 1]", gal::error);
  CHECK_THROWS_WITH_AS(static_cast<void>(trainer.least_trusted(13)),
                       "gal::instance_rates: 13 samples; expected from 0 to 12", gal::error);

  struct : opaque_model<nn::cnn<double>> {
    [[nodiscard]] bool draws_noise() const { return model.draws_noise(); }
  } noisy{{nn::cnn<double>({1, 2, 2}, {nn::flatten{}, nn::dropout{0.5}, nn::linear{2}}, {.seed = 1})}};
  gal::instance_rates refused(noisy, optimizer, gal::softmax_cross_entropy(), batches, clean.x, clean.y);
  const auto [x, y] = *at;
  CHECK_THROWS_WITH_AS(
      refused.step(x, y),
      "gal::instance_rates: the model draws noise; expected one whose second pass over a batch "
      "is the first",
      gal::error);
}

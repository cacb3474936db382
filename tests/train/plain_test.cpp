// Training without adjustment: the bits of the loop that one would write, and of `adjust` that accepts nothing; what a
// refused step leaves untouched, and misuse.
#include <gal/gal.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using doctest::Approx;
namespace nn = gal::nn;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

template <class T>
nn::cnn<T> network() {
  return nn::cnn<T>({1, 4, 5},
                    {nn::convolution{.channels = 3, .kernel = 3}, nn::batch_normalization{}, nn::relu,
                     nn::dropout{0.2}, nn::flatten{}, nn::linear{2}},
                    {.seed = 5});
}

// A training of 12 steps on batches of two sizes.
template <class T, class Trainer>
void train(Trainer& trainer) {
  for (std::uint64_t k = 0; k < 12; ++k) {
    const gal::index_type samples = k % 3 == 2 ? 4 : 7;
    trainer.step(random_matrix<T>(20, samples, 10 + k), random_matrix<T>(2, samples, 100 + k));
  }
}

}  // namespace

TEST_CASE_TEMPLATE("the bits of the loop that one would write", T, float, double) {
  auto by_hand = network<T>();
  gal::adam<T> its_optimizer({.learning_rate = 0.02, .clipping = {.norm = 0.5}});
  gal::mse loss;
  const gal::eigen_backend backend;
  std::vector<double> losses;
  for (std::uint64_t k = 0; k < 12; ++k) {
    const gal::index_type samples = k % 3 == 2 ? 4 : 7;
    const auto x = random_matrix<T>(20, samples, 10 + k);
    const auto y = random_matrix<T>(2, samples, 100 + k);
    const gal::matrix<T>& features = by_hand.forward(x);
    gal::matrix<double> values(1, samples);
    gal::matrix<T> gradient(2, samples);
    loss.evaluate(backend, features.view(), y.view(), values.view(), gradient.view());
    for (const auto& block : by_hand.parameters()) {
      std::fill(block.gradient.begin(), block.gradient.end(), T(0));
    }
    by_hand.backward(gradient);
    const auto parameters = by_hand.parameters();
    its_optimizer.step(std::span<const gal::parameter<T>>(std::vector(parameters.begin(), parameters.end())));
    losses.push_back(values(0, 0));
  }

  auto model = network<T>();
  gal::adam<T> optimizer({.learning_rate = 0.02, .clipping = {.norm = 0.5}});
  gal::plain trainer(model, optimizer, gal::mse());
  train<T>(trainer);
  CHECK(values_of(model) == values_of(by_hand));
  CHECK(trainer.last_sample_losses()(0, 0) == losses.back());
  CHECK(trainer.steps() == 12);
}

TEST_CASE_TEMPLATE("the bits of gradient adjustment that accepts nothing", T, float, double) {
  auto model = network<T>();
  auto adjusted = network<T>();
  gal::lookahead optimizer(gal::sgd<T>({.learning_rate = 0.01, .momentum = 0.9}), {.k = 3});
  auto its_optimizer = optimizer;
  gal::plain trainer(model, optimizer, gal::mse());
  gal::adjust control(adjusted, its_optimizer, gal::mse(), {.safeguard = gal::safeguard::never});
  train<T>(trainer);
  train<T>(control);
  CHECK(values_of(model) == values_of(adjusted));
  const gal::step_report report = trainer.report();
  const gal::step_report expected = control.report();
  CHECK(report.loss == expected.loss);
  CHECK(report.gradient_norm == Approx(expected.gradient_norm));
  CHECK(report.learning_rate == expected.learning_rate);
  CHECK(report.samples == 4);
  CHECK_FALSE(report.non_finite);
}

TEST_CASE("the report is of the last step, and NaN before the first") {
  nn::point<double> model({3.0, -4.0});
  gal::sgd<double> optimizer({.learning_rate = 0.25});
  const gal::sample_loss bowl([](auto x, auto gradient) {
    gradient[0] = x[0];
    gradient[1] = x[1];
    return (x[0] * x[0] + x[1] * x[1]) / 2;
  });
  gal::plain trainer(model, optimizer, bowl);
  CHECK(std::isnan(trainer.report().loss));
  CHECK(std::isnan(trainer.report().gradient_norm));
  CHECK_FALSE(trainer.report().non_finite);
  CHECK(trainer.last_gradient().empty());
  const gal::step_report report = trainer.step();
  CHECK(report.loss == 12.5);
  CHECK(report.gradient_norm == 5.0);
  CHECK(report.learning_rate == 0.25);
  CHECK(report.samples == 1);
  CHECK(model.coordinates()(0, 0) == 2.25);
  CHECK(trainer.last_gradient()(1, 0) == -4.0);
}

TEST_CASE("a step that is not finite changes nothing, throws, or is taken") {
  const gal::matrix<double> x = random_matrix(3, 5, 1);
  const gal::matrix<double> y = random_matrix(1, 5, 2);
  gal::matrix<double> bad(y.view());
  bad(0, 3) = not_a_number;

  const auto path = [&](gal::non_finite_policy policy, bool disturbed) {
    nn::mlp<double> model({3, 4, 1}, {.seed = 3});
    gal::adam<double> optimizer;
    gal::plain trainer(model, optimizer, gal::mse(), {.non_finite = policy});
    for (int k = 0; k < 4; ++k) {
      if (k == 2 && disturbed) {
        if (policy == gal::non_finite_policy::raise) {
          const std::string message =
              refusal(gal::error_code::non_finite, [&] { return trainer.step(x, bad); });
          CHECK(message.find("gal::plain::step: the loss is not finite") != std::string::npos);
        } else {
          CHECK(gal::step_report(trainer.step(x, bad)).non_finite);
        }
      }
      trainer.step(x, y);
    }
    return values_of(model);
  };
  for (const auto policy : {gal::non_finite_policy::skip, gal::non_finite_policy::raise}) {
    CHECK(path(policy, true) == path(policy, false));
  }
  CHECK(std::isnan(path(gal::non_finite_policy::ignore, true).front()));
}

TEST_CASE_TEMPLATE("a gradient that no step may take is found wherever it stands", T, float, double) {
  const double root = std::sqrt(static_cast<double>(std::numeric_limits<T>::max()));
  for (const std::size_t size : {1U, 7U, 8U, 19U}) {
    for (std::size_t place = 0; place < size; ++place) {
      for (const double bad : {not_a_number, std::numeric_limits<double>::infinity(), -1.01 * root}) {
        const std::vector<T> start(size, T(1));
        nn::point<T> model(gal::matrix_view<const T>(start.data(), static_cast<gal::index_type>(size), 1));
        gal::sgd<T> optimizer({.learning_rate = 0.1});
        const gal::sample_loss loss([&](auto, auto gradient) {
          for (std::size_t i = 0; i < size; ++i) {
            gradient[i] = i == place ? bad : 0.1 * root / static_cast<double>(size);
          }
          return 1.0;
        });
        gal::plain trainer(model, optimizer, loss);
        CAPTURE(size);
        CAPTURE(place);
        CHECK(trainer.step().non_finite);
        CHECK(values_of(model) == start);
      }
    }
  }
  // Each can be squared, and they cannot be added.
  const std::vector<T> start(16, T(1));
  nn::point<T> model(gal::matrix_view<const T>(start.data(), 16, 1));
  gal::sgd<T> optimizer({.learning_rate = 1e-30});
  double length = 0.5 * root;
  gal::plain trainer(model, optimizer, gal::sample_loss([&](auto, auto gradient) {
                       std::fill(gradient.begin(), gradient.end(), length);
                       return 1.0;
                     }));
  CHECK(trainer.step().non_finite);
  length = 0.2 * root;
  CHECK_FALSE(trainer.step().non_finite);
}

TEST_CASE("evaluation learns nothing") {
  nn::mlp<double> model({3, 4, 1}, {.seed = 3});
  gal::adam<double> optimizer;
  gal::plain trainer(model, optimizer, gal::mse());
  const gal::matrix<double> x = random_matrix(3, 5, 1);
  const gal::matrix<double> y = random_matrix(1, 5, 2);
  const auto before = values_of(model);
  const gal::batch_loss loss = trainer.evaluate(x, y);
  CHECK(values_of(model) == before);
  CHECK(trainer.steps() == 0);
  CHECK(loss.samples == 5);
  CHECK(loss.mean == trainer.step(x, y).loss);
}

TEST_CASE("misuse is refused before anything changes") {
  nn::mlp<double> model({3, 4, 2}, {.seed = 3});
  gal::sgd<double> optimizer;
  gal::plain trainer(model, optimizer, gal::mse());
  const auto before = values_of(model);
  const gal::matrix<double> x = random_matrix(3, 5, 1);
  refusal(gal::error_code::shape_mismatch, [&] { return trainer.step(x, random_matrix(2, 4, 2)); });
  refusal(gal::error_code::shape_mismatch, [&] { return trainer.step(random_matrix(4, 5, 1), x); });
  refusal(gal::error_code::shape_mismatch,
          [&] { return trainer.step(gal::matrix<double>(3, 0), gal::matrix<double>(2, 0)); });
  CHECK(values_of(model) == before);
  CHECK(trainer.steps() == 0);
}

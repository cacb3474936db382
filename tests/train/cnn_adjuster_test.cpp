// The adjuster as a convolutional network: its shapes and first weights, the gradient of its objective, training with it,
// and misuse.
#include <gal/gal.hpp>
#include <gal/train/cnn_adjuster.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace {

using doctest::Approx;
using gal::cnn_adjuster;
using gal::nn::image_shape;

static_assert(gal::adjuster_for<cnn_adjuster<float>, float> &&
              gal::adjuster_for<cnn_adjuster<double>, double>);
static_assert(std::copyable<cnn_adjuster<float>>);
static_assert(gal::adjuster_for<gal::nn::cnn<float>, float>);

template <class T>
std::vector<T> numbers_of(gal::matrix_view<T> m) {
  return {m.data(), m.data() + m.size()};
}

gal::adjust_options narrow(gal::adjuster_input input = gal::adjuster_input::features_and_gradients) {
  gal::adjust_options options;
  options.hidden = {4, 3};
  options.input = input;
  options.adjuster.seed = 7;
  return options;
}

}  // namespace

TEST_CASE("h has the shape of the features, for images and sequences, with and without gradients") {
  for (const image_shape shape : {image_shape{2, 5, 4}, image_shape{1, 1, 10}, image_shape{3, 6, 1}}) {
    for (const auto input : {gal::adjuster_input::features, gal::adjuster_input::features_and_gradients}) {
      cnn_adjuster<double> h(shape, narrow(input));
      const bool both = input == gal::adjuster_input::features_and_gradients;
      const auto x = random_matrix((both ? 2 : 1) * shape.size(), 3, 1);
      CHECK(h.forward(x.view()).view().shape() == gal::shape{shape.size(), 3});
      CHECK(h.network().output_shape() == shape);
    }
  }
}

TEST_CASE("a window of one is a network for every position: an MLP along the channels") {
  gal::adjust_options options = narrow(gal::adjuster_input::features);
  cnn_adjuster<double> h({2, 1, 6}, options, /*kernel=*/1);
  gal::adjuster<double> mlp({2, 4, 3, 2}, options.adjuster);
  const auto blocks = h.parameters();
  const auto same = mlp.parameters();
  REQUIRE(blocks.size() == same.size());
  for (std::size_t k = 0; k < blocks.size(); ++k) {
    REQUIRE(blocks[k].value.size() == same[k].value.size());
    std::ranges::copy(blocks[k].value, same[k].value.begin());
  }
  const auto x = random_matrix(12, 5, 1);
  const auto& out = h.forward(x.view());
  for (gal::index_type j = 0; j < 5; ++j) {
    for (gal::index_type place = 0; place < 6; ++place) {
      const auto at_place = matrix<double>({{x(place, j)}, {x(6 + place, j)}});
      const auto& expected = mlp.forward(at_place.view());
      CHECK(out(place, j) == Approx(expected(0, 0)).epsilon(1e-12));
      CHECK(out(6 + place, j) == Approx(expected(1, 0)).epsilon(1e-12));
    }
  }
}

TEST_CASE("its weights start as the options say") {
  gal::adjust_options options = narrow();
  options.adjuster.initialization = gal::nn::initialization::xavier;
  cnn_adjuster<double> h({2, 5, 4}, options);
  const auto blocks = h.parameters();
  REQUIRE(blocks.size() == 6);
  CHECK(blocks[0].value.size() == 4 * 4 * 9);
  CHECK(blocks[5].value.size() == 2);
  const double bound = std::sqrt(6.0 / (9.0 * (4 + 4)));
  const auto [least, largest] = std::ranges::minmax(blocks[0].value);
  CHECK(least >= -bound);
  CHECK(largest <= bound);
  CHECK(largest - least > 1.8 * bound);
  for (const std::size_t k : {1U, 3U, 5U}) {
    CHECK(std::ranges::all_of(blocks[k].value, [](double value) { return value == 0.0; }));
  }

  options = narrow();  // fan_in
  options.adjuster.bias = false;
  cnn_adjuster<double> other({2, 5, 4}, options);
  CHECK(other.parameters().size() == 3);
  const auto wider = std::ranges::max(other.parameters()[0].value);
  CHECK(wider <= 1.0 / 6.0);  // 36 numbers in a window
  CHECK(wider > 0.9 / 6.0);
  gal::nn::cnn<double> model({4, 5, 4}, {gal::nn::convolution{.channels = 4, .padding = 1, .bias = false}},
                             {.seed = 7});
  CHECK(model.values().data()[0] != other.network().values().data()[0]);
}

TEST_CASE("its gradient is that of the objective") {
  const image_shape shape{2, 3, 2};
  const auto start = random_matrix(shape.size(), 3, 1);
  const auto target = random_matrix(shape.size(), 3, 2);
  for (const auto goal : {gal::objective::remainder, gal::objective::tentative_loss}) {
    for (const auto input : {gal::adjuster_input::features, gal::adjuster_input::features_and_gradients}) {
      for (const auto norm :
           {gal::normalisation::per_sample, gal::normalisation::per_batch, gal::normalisation::gate}) {
        gal::adjust_options options = narrow(input);
        options.epsilon = 0.6;
        options.normalisation = norm;
        options.objective = goal;
        cnn_adjuster<double> h(shape, options);
        const auto run = [&](const cnn_adjuster<double>& with) {
          gal::nn::point<double> model(start.view());
          gal::sgd<double> optimizer({.learning_rate = 0.7});
          gal::adjust trainer(model, optimizer, gal::huber(0.5), options, with);
          const gal::adjust_report report = trainer.step(gal::nothing{}, target);
          return std::pair(
              goal == gal::objective::remainder ? std::abs(report.remainder) : report.tentative_loss,
              numbers_of(trainer.adjuster().network().gradients()));
        };
        const std::vector<double> gradient = run(h).second;
        const auto values = h.network().values();
        double largest = 0.0;
        for (gal::index_type i = 0; i < values.size(); ++i) {
          const double before = values.data()[i];
          values.data()[i] = before + 1e-5;
          const double above = run(h).first;
          values.data()[i] = before - 1e-5;
          const double below = run(h).first;
          values.data()[i] = before;
          const double numerical = (above - below) / 2e-5;
          CHECK(gradient[static_cast<std::size_t>(i)] == Approx(numerical).epsilon(1e-5).scale(1e-3));
          largest = std::max(largest, std::abs(numerical));
        }
        CHECK(largest > 1e-6);  // or the comparison says nothing
      }
    }
  }
}

TEST_CASE("an untrained one stays as it is, a learned one does not") {
  const auto x = random_matrix<float>(12, 16, 1);
  const std::vector<int> labels = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
  for (const auto kind : {gal::adjuster_kind::learned, gal::adjuster_kind::untrained}) {
    gal::adjust_options options = narrow();
    options.adjuster.kind = kind;
    cnn_adjuster<float> h({1, 1, 4}, options);
    const auto before = numbers_of(h.network().values());
    gal::nn::mlp<float> model({12, 9, 4});
    gal::adam<float> optimizer;
    gal::adjust trainer(model, optimizer, gal::softmax_cross_entropy(), options, h);
    const gal::adjust_report report = trainer.step(x, labels);
    CHECK(report.adjustment_norm > 0.0);
    const bool learned = kind == gal::adjuster_kind::learned;
    CHECK((numbers_of(trainer.adjuster().network().values()) != before) == learned);
  }
}

TEST_CASE("the number of threads does not change a bit") {
  const image_shape shape{8, 12, 12};
  const auto x = random_matrix<float>(shape.size(), 16, 1);
  const auto y = random_matrix<float>(shape.size(), 16, 2);
  const auto train = [&](int threads) {
    const gal::eigen_backend backend(threads);
    gal::nn::cnn<float> model(shape, {gal::nn::convolution{.channels = 8, .padding = 1}}, {.seed = 1},
                              backend);
    gal::adam<float> optimizer;
    gal::adjust_options options;
    options.hidden = {16};
    gal::adjust trainer(model, optimizer, gal::mse(), options,
                        cnn_adjuster<float>(shape, options, 3, backend), backend);
    trainer.step(x, y);
    trainer.step(x, y);
    return std::pair(numbers_of(model.values()), numbers_of(trainer.adjuster().network().values()));
  };
  const auto once = train(1);
  for (const int threads : {2, 3, 5}) {
    CHECK(train(threads) == once);
  }
}

TEST_CASE("what does not fit is refused") {
  const auto message = [](gal::error_code code, image_shape shape, gal::adjust_options options,
                          gal::index_type kernel) {
    return refusal(code, [&] { return cnn_adjuster<float>(shape, options, kernel); });
  };
  const auto invalid = gal::error_code::invalid_option;
  CHECK(message(invalid, {1, 1, 10}, {}, 2) ==
        "gal::cnn_adjuster: kernel is 2; expected an odd positive number");
  CHECK(message(invalid, {1, 0, 10}, {}, 3).find("the features is 1 x 0 x 10; expected positive numbers") !=
        std::string::npos);
  CHECK(message(invalid, {gal::index_type{1} << 62, 1, 1}, {}, 3) ==
        "gal::cnn_adjuster: shape of the features is 4611686018427387904 x 1 x 1; expected numbers up to "
        "2147483647 and a product below 2^63");
  gal::adjust_options options;
  options.hidden = {8, 0};
  CHECK(message(invalid, {1, 1, 10}, options, 3).find("channels is 0") != std::string::npos);
  options = {};
  options.adjuster.kind = gal::adjuster_kind::normal;
  CHECK(message(invalid, {1, 1, 10}, options, 3) ==
        "gal::cnn_adjuster: kind is normal, which has no network; expected learned or untrained");

  // A trainer whose options are others.
  gal::nn::mlp<float> model({3, 4});
  gal::adam<float> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse(), narrow(gal::adjuster_input::features),
                      cnn_adjuster<float>({1, 1, 4}, narrow()));
  const gal::matrix<float> x(3, 2, 1.0f);
  const gal::matrix<float> y(4, 2, 1.0f);
  CHECK(refusal(gal::error_code::shape_mismatch, [&] {
          return trainer.step(x, y);
        }).find("input is 4 x 2; expected 8 rows (2 x 1 x 4)") != std::string::npos);
}

// Numbers that decay end at zero and not among the denormal ones, on which arithmetic is many times slower.
#include <gal/backends/eigen.hpp>
#include <gal/core/detail/math.hpp>
#include <gal/io/state.hpp>
#include <gal/loss.hpp>
#include <gal/nn/cnn.hpp>
#include <gal/optim/lookahead.hpp>
#include <gal/optim/optimizers.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

template <class T>
bool any_denormal(gal::matrix_view<const T> numbers) {
  return std::any_of(numbers.data(), numbers.data() + numbers.size(),
                     [](T x) { return std::fpclassify(x) == FP_SUBNORMAL; });
}

// The moments and slow weights of an optimizer.
template <class T, class Optimizer>
bool state_has_denormals(Optimizer& optimizer) {
  const gal::state_view state(optimizer);
  for (const auto& entry : state.entries()) {
    if (entry.is_tensor && entry.type == gal::detail::type_of_number<T>) {
      std::vector<T> numbers(static_cast<std::size_t>(entry.count()));
      entry.read(reinterpret_cast<std::byte*>(numbers.data()));
      if (any_denormal<T>(numbers)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

TEST_CASE_TEMPLATE("parameters without gradient decay to zero", T, float, double) {
  // One gradient, then none, as of a unit that died. Decay by a hundredth makes values denormal within 9000 steps in
  // float, 71000 in double; at every 64th step those near to that are swept.
  const int steps = std::is_same_v<T, float> ? 9000 : 72000;
  const auto check = [&](auto optimizer, bool vanishes) {
    std::vector<T> value = {T(1), T(-0.3), T(1e-3)}, gradient = {T(0.1), T(-2), T(0)};
    const std::array blocks{gal::parameter<T>(value, gradient)};
    int denormal = 0;
    for (int step = 0; step < steps; ++step) {
      optimizer.step(blocks);
      gradient = {T(0), T(0), T(0)};
      denormal += any_denormal<T>(value) ? 1 : 0;
      if (step % 100 == 0) {
        REQUIRE(!state_has_denormals<T>(optimizer));
      }
    }
    CHECK(denormal <= 3 * 64);  // on the way, from one sweep to another
    if (vanishes) {
      CHECK(value[0] == T(0));
      CHECK(value[1] == T(0));
      CHECK(value[2] == T(0));
    }
  };
  check(gal::sgd<T>({.learning_rate = 0.1, .weight_decay = 0.1}), true);
  check(gal::sgd<T>({.learning_rate = 0.1, .momentum = 0.1, .weight_decay = 0.1}), true);
  check(gal::sgd<T>({.learning_rate = 0.1, .momentum = 0.1, .nesterov = true, .weight_decay = 0.1}), true);
  check(gal::adamw<T>({.learning_rate = 0.01, .beta1 = 0.5, .beta2 = 0.5, .weight_decay = 1.0}), true);
  check(gal::lookahead(gal::sgd<T>({.learning_rate = 0.2, .weight_decay = 0.1})), true);
  check(gal::sgd<T>({.learning_rate = 1.0, .weight_decay = 0.5}), true);
  check(gal::rmsprop<T>({.smoothing = 0.5, .momentum = 0.5, .centred = true}), false);
  check(gal::rmsprop<T>({.smoothing = 0.5, .momentum = 0.5, .weight_decay = 0.5}), false);
  check(gal::adam<T>({.beta1 = 0.5, .beta2 = 0.5, .weight_decay = 0.5}), false);
  check(gal::adabound<T>({.beta1 = 0.5, .beta2 = 0.5, .weight_decay = 0.5}), false);
}

TEST_CASE_TEMPLATE("without weight decay small numbers are stepped in full", T, float, double) {
  constexpr T least = std::numeric_limits<T>::min();
  std::vector<T> value = {1000 * least, -4 * least, 1000 * least}, gradient = {least, 0, -least};
  const std::array blocks{gal::parameter<T>(value, gradient)};
  gal::sgd<T> optimizer({.learning_rate = 1.0});
  for (int step = 0; step < 500; ++step) {
    optimizer.step(blocks);
  }
  CHECK(value == std::vector<T>{500 * least, -4 * least, 1500 * least});
}

TEST_CASE_TEMPLATE("the tails of softmax and sigmoid have gradients that are zero or normal", T, float,
                   double) {
  const double least = std::log(static_cast<double>(std::numeric_limits<T>::min()));  // -87, -708
  gal::matrix<T> logits(3, 60);
  gal::matrix<T> scores(1, 60), zeros(1, 60);
  std::vector<int> labels(60, 2);
  for (gal::index_type j = 0; j < 60; ++j) {
    logits(1, j) = logits(2, j) = static_cast<T>(2.0);
    logits(0, j) = scores(0, j) = static_cast<T>(least + 20.0 - static_cast<double>(j));
  }
  const auto softmax = gal::evaluate_loss(gal::softmax_cross_entropy(), logits, labels);
  CHECK(!any_denormal<T>(softmax.gradient.view()));
  CHECK(softmax.gradient(0, 0) > T(0));
  CHECK(softmax.gradient(0, 59) == T(0));
  const auto sigmoid = gal::evaluate_loss(gal::binary_cross_entropy(), scores, zeros);
  CHECK(!any_denormal<T>(sigmoid.gradient.view()));
  CHECK(sigmoid.gradient(0, 0) > T(0));
  CHECK(sigmoid.gradient(0, 59) == T(0));

  const auto displacement = random_matrix<T>(3, 60, 1);
  gal::matrix<double> values(1, 60);
  gal::matrix<T> gradient(3, 60);
  gal::softmax_cross_entropy().remainder(gal::eigen_backend(), std::as_const(logits).view(), labels,
                                         displacement.view(), values.view(), gradient.view());
  CHECK(!any_denormal<T>(std::as_const(gradient).view()));
  CHECK(gradient(0, 0) != T(0));
}

TEST_CASE_TEMPLATE("the running statistics of a channel that died end at zero", T, float, double) {
  gal::nn::cnn<T> model({1, 1, 2}, {gal::nn::batch_normalization{.momentum = 0.5}}, {.seed = 1});
  const gal::matrix<T> x(2, 2, T(0)), gradient(2, 2, T(1));
  for (int batch = 0; batch < 1200; ++batch) {
    model.forward(x);
    model.backward(gradient.view());
    REQUIRE(!any_denormal<T>(model.statistics().as_const()));
  }
  CHECK(model.statistics().data()[1] == T(0));
}

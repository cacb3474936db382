// Losses at infinite features, and a training with classes that are masked out: one body for every backend. Needs no
// Eigen, so that a device compiler can read it.
#pragma once

#include <gal/loss/entrywise.hpp>
#include <gal/loss/softmax_cross_entropy.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/optim/optimizers.hpp>
#include <gal/train/adjust.hpp>

#include "memory.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace infinite_logits {

using paths::append;
using paths::host_matrix;
using paths::put;
using numbers = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// ---- Losses --------------------------------------------------------------------------------------------------------

// Numbers are equal within rounding, as infinities are or as NaN is.
inline void check_equal(const numbers& found, const numbers& expected, double tolerance) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CAPTURE(found[i]);
    CAPTURE(expected[i]);
    if (std::isfinite(expected[i])) {
      CHECK(std::abs(found[i] - expected[i]) <= tolerance * std::fmax(1.0, std::abs(expected[i])));
    } else {
      CHECK((std::isnan(expected[i]) ? std::isnan(found[i]) : found[i] == expected[i]));
    }
  }
}

/// Losses of the samples and n times their gradient; remainders and n times their gradients at a displacement.
struct results {
  numbers losses, gradient, remainders, slopes;
};

template <class Backend, class T, class Loss, class U>
results evaluate(const Loss& loss, const host_matrix<T>& features, const host_matrix<U>& targets,
                 const host_matrix<T>& displacement) {
  const Backend backend;
  const auto x = put(backend, features);
  const auto y = put(backend, targets);
  const auto d = put(backend, displacement);
  gal::matrix<double, Backend> values(1, x.columns(), 0.0, backend);
  gal::matrix<T, Backend> gradient(x.rows(), x.columns(), T(0), backend);
  results found;
  const auto take = [&](numbers& to_values, numbers& to_gradient) {
    append(backend, std::as_const(values).data(), values.size(), to_values);
    append(backend, std::as_const(gradient).data(), gradient.size(), to_gradient);
    for (double& number : to_gradient) {
      number *= static_cast<double>(x.columns());
    }
  };
  loss.evaluate(backend, x.view(), y, values.view(), gradient.view());
  take(found.losses, found.gradient);
  loss.remainder(backend, x.view(), y, d.view(), values.view(), gradient.view());
  take(found.remainders, found.slopes);
  return found;
}

template <class T>
host_matrix<T> column(const numbers& values) {
  host_matrix<T> result{static_cast<gal::index_type>(values.size()), 1, {}};
  for (const double value : values) {
    result.values.push_back(static_cast<T>(value));
  }
  return result;
}
template <class T>
host_matrix<T> row(const numbers& values) {
  host_matrix<T> result = column<T>(values);
  std::swap(result.rows, result.columns);
  return result;
}

// One sample: with a class in the place `masked` that is masked out all is as without that class, whose own gradients are
// zero.
template <class Backend, class T, class Loss, class MakeTargets>
void check_masked_class(const Loss& loss, const numbers& logits, const numbers& displacement,
                        std::size_t masked, double moved, MakeTargets targets) {
  const auto with = [&](numbers values, double inserted) {
    values.insert(values.begin() + static_cast<std::ptrdiff_t>(masked), inserted);
    return values;
  };
  const results found = evaluate<Backend, T>(loss, column<T>(with(logits, -infinity)), targets(true),
                                             column<T>(with(displacement, moved)));
  const results expected =
      evaluate<Backend, T>(loss, column<T>(logits), targets(false), column<T>(displacement));
  const double tolerance = 4.0 * static_cast<double>(std::numeric_limits<T>::epsilon());
  check_equal(found.losses, expected.losses, tolerance);
  check_equal(found.gradient, with(expected.gradient, 0.0), tolerance);
  check_equal(found.remainders, expected.remainders, tolerance);
  check_equal(found.slopes, with(expected.slopes, 0.0), tolerance);
  CHECK(found.gradient[masked] == 0.0);
  CHECK(found.slopes[masked] == 0.0);
}

template <class Backend, class T>
void check_softmax() {
  const gal::softmax_cross_entropy loss;
  const double tolerance = 4.0 * static_cast<double>(std::numeric_limits<T>::epsilon());
  const auto of_label = [&](const gal::softmax_cross_entropy& with, const numbers& logits, int label) {
    return evaluate<Backend, T>(with, column<T>(logits), host_matrix<int>{1, 1, {label}},
                                column<T>(numbers(logits.size(), 0.5)));
  };
  const results first = of_label(loss, {0, -infinity, 1}, 0);
  check_equal(first.losses, {std::log1p(std::exp(1.0))}, tolerance);  // 1.31326
  const double p = 1.0 / (1.0 + std::exp(1.0));
  check_equal(first.gradient, {p - 1.0, 0.0, 1.0 - p}, tolerance);
  check_equal(of_label(loss, {0, -infinity, 1}, 2).losses, {std::log1p(std::exp(-1.0))}, tolerance);
  // Only one class is left.
  const results certain = of_label(loss, {-infinity, 3, -infinity}, 1);
  check_equal(certain.losses, {0.0}, 0.0);
  check_equal(certain.gradient, {0, 0, 0}, 0.0);
  check_equal(certain.remainders, {0.0}, 0.0);
  check_equal(certain.slopes, {0, 0, 0}, 0.0);

  // In every place, by label and by probabilities, for short, long and very long displacements.
  for (std::size_t masked = 0; masked < 4; ++masked) {
    CAPTURE(masked);
    const int label = 1;
    const auto labels = [&](bool with) {
      return host_matrix<int>{1, 1, {with && static_cast<std::size_t>(label) >= masked ? label + 1 : label}};
    };
    const auto shares = [&](bool with) {
      numbers values = {0.25, 0.5, 0.25};
      if (with) {
        values.insert(values.begin() + static_cast<std::ptrdiff_t>(masked), 0.0);
      }
      return column<T>(values);
    };
    for (const double scale : {1e-6, 1.0, 1000.0}) {
      CAPTURE(scale);
      const numbers displacement = {scale, -0.5 * scale, 0.25 * scale};
      for (const double moved :
           {0.0, scale, -5000.0, infinity, not_a_number}) {  // where it is moved to does not matter
        check_masked_class<Backend, T>(loss, {0.5, -1, 2}, displacement, masked, moved, labels);
        check_masked_class<Backend, T>(loss, {0.5, -1, 2}, displacement, masked, moved, shares);
      }
      // All are moved alike: a masked class that is not says nothing.
      check_masked_class<Backend, T>(loss, {0.5, -1, 2}, numbers(3, 1000.0 + scale), masked, 0.0, labels);
    }
  }

  // Where the target is masked out.
  check_equal(of_label(loss, {0, -infinity, 1}, 1).losses, {infinity}, 0.0);
  check_equal(of_label(gal::softmax_cross_entropy(0.1), {0, -infinity, 1}, 0).losses, {infinity}, 0.0);
  check_equal(
      evaluate<Backend, T>(loss, column<T>({0, -infinity}), column<T>({0.5, 0.5}), column<T>({0, 0})).losses,
      {infinity}, 0.0);
  // And where there is no distribution.
  for (const numbers& logits : {numbers{-infinity, -infinity},
                                {infinity, 0},
                                {infinity, infinity},
                                {infinity, -infinity},
                                {not_a_number, -infinity},
                                {-infinity, not_a_number}}) {
    check_equal(of_label(loss, logits, 0).losses, {not_a_number}, 0.0);
    check_equal(of_label(loss, logits, 1).losses, {not_a_number}, 0.0);
  }
}

template <class Backend, class T>
void check_entrywise() {
  const auto at = [](const auto& loss, const numbers& x, const numbers& y, const numbers& d) {
    return evaluate<Backend, T>(loss, row<T>(x), row<T>(y), row<T>(d));
  };
  const double unit = static_cast<double>(std::numeric_limits<T>::epsilon());  // gradients are divided by n
  // Infinite logits, for probabilities and for displacements of all sizes: 0 on the right side, infinity on the other.
  const numbers logits = {infinity, -infinity, infinity, -infinity, infinity, -infinity};
  const numbers targets = {1, 0, 0, 1, 0.25, 0.25};
  for (const double length : {0.0, 1e-6, 1.0, -1.0, 1000.0, -1000.0}) {
    CAPTURE(length);
    const results found = at(gal::binary_cross_entropy(), logits, targets, numbers(6, length));
    check_equal(found.losses, {0, 0, infinity, infinity, infinity, infinity}, 0.0);
    check_equal(found.gradient, {0, 0, 1, -1, 0.75, -0.25}, unit);
    check_equal(found.remainders, numbers(6, 0.0), 0.0);
    check_equal(found.slopes, numbers(6, 0.0), 0.0);
  }
  check_equal(at(gal::binary_cross_entropy(), {not_a_number, not_a_number}, {0, 1}, {1, 1}).losses,
              {not_a_number, not_a_number}, 0.0);
  // The right side has a loss of its own size.
  const double tiny = std::exp(-50.0);
  check_equal(at(gal::binary_cross_entropy(), {50, -50}, {1, 0}, {0, 0}).losses, {tiny, tiny}, 1e-15 * tiny);
  CHECK(at(gal::binary_cross_entropy(), {50}, {1}, {0}).losses[0] > 0.99 * tiny);

  const numbers x = {infinity, -infinity, infinity, -infinity, not_a_number};
  const numbers y = {1, 1, -2, -2, 0};
  const numbers d = {2, 2, -1000, -1000, 2};
  const results absolute = at(gal::mae(), x, y, d);
  check_equal(absolute.losses, {infinity, infinity, infinity, infinity, not_a_number}, 0.0);
  check_equal(absolute.gradient, {1, -1, 1, -1, not_a_number}, unit);
  check_equal(absolute.remainders, {0, 0, 0, 0, not_a_number}, 0.0);  // on one side
  check_equal(absolute.slopes, {0, 0, 0, 0, not_a_number}, 0.0);
  const results huber = at(gal::huber(0.5), x, y, d);
  check_equal(huber.losses, {infinity, infinity, infinity, infinity, not_a_number}, 0.0);
  check_equal(huber.gradient, {0.5, -0.5, 0.5, -0.5, not_a_number}, unit);
  check_equal(huber.remainders, {0, 0, 0, 0, not_a_number}, 0.0);
  check_equal(huber.slopes, {0, 0, 0, 0, not_a_number}, 0.0);
  const results squared = at(gal::mse(), x, y, d);
  check_equal(squared.losses, {infinity, infinity, infinity, infinity, not_a_number}, 0.0);
  check_equal(squared.gradient, {infinity, -infinity, infinity, -infinity, not_a_number}, 0.0);
  check_equal(squared.remainders, {4, 4, 1e6, 1e6, 4}, 0.0);

  // To infinity: the loss is there, and so is the remainder.
  const numbers far = {infinity, -infinity};
  check_equal(at(gal::mae(), {1, 0}, {0, 0}, far).remainders, {infinity, infinity}, 0.0);
  check_equal(at(gal::huber(1.0), {0.5, 0.5}, {0, 0}, far).remainders, {infinity, infinity}, 0.0);
  check_equal(at(gal::huber(1.0), {-1, 1}, {0, 0}, far).remainders, {0, 0}, 0.0);  // along the straight piece
  check_equal(at(gal::binary_cross_entropy(), {1, -1}, {0, 0}, far).remainders, {infinity, infinity}, 0.0);
  // A long way off, where the distance swallows delta: R = d (1 + x) - (1 + x)^2/2.
  check_equal(at(gal::huber(1.0), {0.5, 0.5}, {0, 0}, {0x1p60, -0x1p60}).remainders,
              {1.5 * 0x1p60, 0.5 * 0x1p60}, 1e-15);
}

// ---- Training ------------------------------------------------------------------------------------------------------

/// An MLP whose features are logits: in sample j the class j modulo classes is masked out. What comes back for its logit
/// goes on to the network, as it does where a mask is added.
template <class T, class Backend>
class masked_network {
 public:
  using backend_type = Backend;
  using input_type = gal::matrix<T, Backend>;
  using feature_type = gal::matrix<T, Backend>;

  masked_network(std::vector<gal::index_type> widths, Backend backend)
      : network_(std::move(widths), {.seed = 3}, backend),
        backend_(backend),
        logits_(backend),
        gradient_(backend) {}

  const feature_type& forward(const input_type& x) {
    const auto z = network_.forward(x).view();
    logits_.resize(z.rows(), z.columns());
    backend_.for_each(z.rows(), z.columns(),
                      [=, to = logits_.view()] GAL_KERNEL(gal::index_type i, gal::index_type j) {
                        to(i, j) = i == j % z.rows() ? -std::numeric_limits<T>::infinity() : z(i, j);
                      });
    return logits_;
  }
  void backward(const feature_type& gradient) {
    gradient_ = gradient;
    network_.backward(gradient);
  }
  auto parameters() { return network_.parameters(); }
  [[nodiscard]] Backend backend() const { return backend_; }

  /// What came back for masked logits, where it is not zero.
  [[nodiscard]] double leaked() const {
    numbers all;
    append(backend_, gradient_.data(), gradient_.size(), all);
    for (gal::index_type j = 0; j < gradient_.columns(); ++j) {
      const double number = all[static_cast<std::size_t>(j * gradient_.rows() + j % gradient_.rows())];
      if (number != 0.0) {  // as NaN is not
        return number;
      }
    }
    return 0.0;
  }

 private:
  gal::nn::mlp<T, Backend> network_;
  Backend backend_;
  feature_type logits_;
  feature_type gradient_;
};

struct outcome {
  double first_loss = not_a_number;
  double last_loss = not_a_number;
  double leaked = 0.0;          // gradient of a masked logit
  double accepted_share = 0.0;  // mean over the steps
  int refused = 0;
  numbers before, parameters;         // the model's
  numbers adjuster_before, adjuster;  // after the first step, and at the end
};

template <class Backend, class T>
outcome train(gal::adjust_options options, double label_smoothing = 0.0, int steps = 60) {
  constexpr gal::index_type classes = 4, samples = 8, inputs = 3;
  const Backend backend;
  host_matrix<T> x{inputs, samples, {}};
  host_matrix<int> y{1, samples, {}};
  gal::random_stream random{5};
  for (gal::index_type j = 0; j < samples; ++j) {
    for (gal::index_type i = 0; i < inputs; ++i) {
      x.values.push_back(static_cast<T>(random.normal()));
    }
    y.values.push_back(static_cast<int>((j + 1 + j / classes) % classes));  // not the masked one
  }
  const auto input = put(backend, x);
  const auto labels = put(backend, y);
  masked_network<T, Backend> model({inputs, 6, classes}, backend);
  gal::adam<T, Backend> optimizer({.learning_rate = 0.02}, backend);
  options.hidden = {6};
  options.adjuster.seed = 2;
  gal::adjust trainer(model, optimizer, gal::softmax_cross_entropy(label_smoothing), options);
  const auto values = [&](auto& owner) {
    numbers result;
    for (const auto& block : owner.parameters()) {
      append(backend, block.value.data(), static_cast<gal::index_type>(block.value.size()), result);
    }
    return result;
  };
  outcome result;
  result.before = values(model);
  for (int step = 0; step < steps; ++step) {
    const gal::adjust_report report = trainer.step(input, labels);
    if (result.leaked == 0.0) {
      result.leaked = model.leaked();
    }
    result.accepted_share += report.accepted_share / steps;
    result.refused += report.non_finite ? 1 : 0;
    result.last_loss = report.loss;
    if (step == 0) {
      result.first_loss = report.loss;
      result.adjuster_before = values(trainer.adjuster());
    }
  }
  result.parameters = values(model);
  result.adjuster = values(trainer.adjuster());
  return result;
}

/// Settings in which masked classes could do harm.
inline std::vector<std::pair<std::string, gal::adjust_options>> settings() {
  std::vector<std::pair<std::string, gal::adjust_options>> result;
  for (const auto normalisation :
       {gal::normalisation::gate, gal::normalisation::per_sample, gal::normalisation::per_batch}) {
    for (const auto input : {gal::adjuster_input::features_and_gradients, gal::adjuster_input::features}) {
      for (const auto decision : {gal::decision::per_sample, gal::decision::per_batch}) {
        gal::adjust_options options;
        options.epsilon = 0.5;
        options.adjuster_learning_rate = 0.02;
        options.normalisation = normalisation;
        options.input = input;
        options.decision = decision;
        result.emplace_back(std::string("normalisation ") + std::to_string(static_cast<int>(normalisation)) +
                                ", input " + std::to_string(static_cast<int>(input)) + ", decision " +
                                std::to_string(static_cast<int>(decision)),
                            options);
      }
    }
  }
  result.emplace_back("paper", gal::paper());
  gal::adjust_options always;
  always.epsilon = 0.5;
  always.safeguard = gal::safeguard::always;
  always.normalisation = gal::normalisation::per_sample;
  always.remove_mean = true;
  result.emplace_back("always, mean removed", always);
  gal::adjust_options remainder;
  remainder.objective = gal::objective::remainder;
  remainder.adjuster_steps = 3;
  result.emplace_back("remainder, three steps", remainder);
  return result;
}

template <class Backend, class T>
void check_training() {
  const auto finite = [](const numbers& values) {
    for (const double value : values) {
      if (!std::isfinite(value)) {
        return false;
      }
    }
    return true;
  };
  for (const auto& setting : settings()) {
    CAPTURE(setting.first);
    const outcome found = train<Backend, T>(setting.second);
    CHECK(found.refused == 0);
    CHECK(found.leaked == 0.0);
    CHECK(finite(found.parameters));
    CHECK(finite(found.adjuster));
    CHECK(found.last_loss < 0.5 * found.first_loss);
    CHECK(found.accepted_share > 0.0);
    CHECK(found.adjuster != found.adjuster_before);  // it learns
  }
  // With mass on masked classes the loss is infinite: nothing is done, and the report says so.
  const outcome smoothed = train<Backend, T>({}, 0.1, 3);
  CHECK(smoothed.first_loss == infinity);
  CHECK(smoothed.refused == 3);
  CHECK(smoothed.parameters == smoothed.before);
  CHECK(finite(smoothed.adjuster));
}

}  // namespace infinite_logits

// Adjustments in closed form: label smoothing, feature decay, mixed features.
#include <gal/gal.hpp>
#include <gal/io/checkpoint.hpp>

#include "scratch.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using doctest::Approx;
using gal::index_type;
using enum gal::error_code;

constexpr index_type rows = 4;
constexpr index_type samples = 5;
const std::vector<int> labels{2, 0, 3, 3, 1};

// G + A of a step on features `x`, after `before` other steps.
template <class T, class Loss, class Target>
gal::matrix<T> adjusted_gradient(const gal::matrix<T>& x, const Target& target, const Loss& loss,
                                 const gal::adjust_options& options, int before = 0) {
  gal::nn::point<T> model(x.view());
  gal::sgd<T> optimizer({.learning_rate = 0.0});
  gal::adjust trainer(model, optimizer, loss, options);
  for (int k = 0; k <= before; ++k) {
    const gal::adjust_report report = trainer.step(gal::nothing{}, target);
    REQUIRE(report.accepted_share == 1.0);
  }
  gal::matrix<T> sum(trainer.last_gradient());
  for (index_type i = 0; i < sum.size(); ++i) {
    sum.data()[i] += trainer.last_adjustment().data()[i];
  }
  return sum;
}

// The mean cross-entropy of a batch in double, by its definition.
double cross_entropy(const gal::matrix<double>& x, const gal::matrix<double>& target) {
  double sum = 0.0;
  for (index_type j = 0; j < x.columns(); ++j) {
    double total = 0.0;
    for (index_type k = 0; k < x.rows(); ++k) {
      total += std::exp(x(k, j));
    }
    for (index_type k = 0; k < x.rows(); ++k) {
      sum += target(k, j) == 0.0 ? 0.0 : target(k, j) * (std::log(total) - x(k, j));
    }
  }
  return sum / static_cast<double>(x.columns());
}

gal::matrix<double> one_hot(const std::vector<int>& classes) {
  gal::matrix<double> result(rows, static_cast<index_type>(classes.size()), 0.0);
  for (index_type j = 0; j < result.columns(); ++j) {
    result(classes[static_cast<std::size_t>(j)], j) = 1.0;
  }
  return result;
}

gal::matrix<double> distributions(std::uint64_t seed) {
  gal::matrix<double> result = random_matrix(rows, samples, seed);
  for (index_type j = 0; j < samples; ++j) {
    double sum = 0.0;
    for (index_type k = 0; k < rows; ++k) {
      result(k, j) = std::exp(result(k, j));
      sum += result(k, j);
    }
    for (index_type k = 0; k < rows; ++k) {
      result(k, j) /= sum;
    }
  }
  return result;
}

// Whether `gradient` is that of `function` at x, by central differences at the entries that are finite.
template <class T, class Function>
void check_gradient(const gal::matrix<T>& gradient, const gal::matrix<double>& x, Function function) {
  const double tolerance = std::is_same_v<T, double> ? 1e-9 : 2e-7;
  for (index_type i = 0; i < x.size(); ++i) {
    if (std::isinf(x.data()[i])) {
      continue;
    }
    gal::matrix<double> moved = x;
    moved.data()[i] = x.data()[i] + 1e-5;
    const double above = function(moved);
    moved.data()[i] = x.data()[i] - 1e-5;
    CHECK(std::abs(static_cast<double>(gradient.data()[i]) - (above - function(moved)) / 2e-5) < tolerance);
  }
}

template <class T>
gal::matrix<T> converted(const gal::matrix<double>& from) {
  gal::matrix<T> to(from.rows(), from.columns());
  std::transform(from.data(), from.data() + from.size(), to.data(),
                 [](double x) { return static_cast<T>(x); });
  return to;
}

// (1 - share) target + share / classes.
gal::matrix<double> smoothed(gal::matrix<double> target, double share) {
  for (index_type i = 0; i < target.size(); ++i) {
    target.data()[i] = (1.0 - share) * target.data()[i] + share / static_cast<double>(target.rows());
  }
  return target;
}

// The loss at the mixes that `mixed_features` draws in step number `step` from 0.
double mixed_cross_entropy(const gal::matrix<double>& x, const gal::matrix<double>& target, double kappa,
                           std::uint64_t seed, int step) {
  gal::matrix<double> mixed_x = x, mixed_target = target;
  for (index_type j = 0; j < x.columns(); ++j) {
    const auto counter = static_cast<std::uint64_t>(step * x.columns() + j);
    const double own = 1.0 - kappa * gal::random_uniform(seed, counter) / 2.0;
    const index_type next = (j + 1) % x.columns();
    for (index_type k = 0; k < x.rows(); ++k) {
      mixed_x(k, j) = own * x(k, j) + (1.0 - own) * x(k, next);
      mixed_target(k, j) = own * target(k, j) + (1.0 - own) * target(k, next);
    }
  }
  return cross_entropy(mixed_x, mixed_target);
}

const std::vector<gal::adjust_options>& closed_forms() {
  static const std::vector<gal::adjust_options> all{gal::label_smoothing(0.3), gal::feature_decay(0.2),
                                                    gal::mixed_features(0.8, 5)};
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("label smoothing is training with smoothed targets", T, float, double) {
  const auto x = random_matrix(rows, samples, 1, 2.0);
  const auto options = gal::label_smoothing(0.3);
  check_gradient(
      adjusted_gradient(converted<T>(x), labels, gal::softmax_cross_entropy(), options), x,
      [](const gal::matrix<double>& at) { return cross_entropy(at, smoothed(one_hot(labels), 0.3)); });
  const auto target = distributions(2);
  check_gradient(
      adjusted_gradient(converted<T>(x), converted<T>(target), gal::softmax_cross_entropy(), options), x,
      [&](const gal::matrix<double>& at) { return cross_entropy(at, smoothed(target, 0.3)); });

  // A training of a network, beside the plain one with the loss's own smoothing.
  const auto train = [&](auto make) {
    gal::nn::mlp<T> model({3, 8, rows}, {.activation = gal::nn::tanh, .seed = 1});
    gal::sgd<T> optimizer({.learning_rate = 0.5, .momentum = 0.9});
    auto trainer = make(model, optimizer);
    for (int k = 0; k < 20; ++k) {
      trainer.step(random_matrix<T>(3, samples, 3), labels);
    }
    return values_of(model);
  };
  const auto adjusted = train([&](auto& model, auto& optimizer) {
    return gal::adjust(model, optimizer, gal::softmax_cross_entropy(), options);
  });
  const auto plain = train([&](auto& model, auto& optimizer) {
    return gal::plain(model, optimizer, gal::softmax_cross_entropy(0.3));
  });
  const auto sharp = train([&](auto& model, auto& optimizer) {
    return gal::plain(model, optimizer, gal::softmax_cross_entropy());
  });
  double largest = 0.0, effect = 0.0;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    largest = std::max(largest, static_cast<double>(std::abs(adjusted[i] - plain[i])));
    effect = std::max(effect, static_cast<double>(std::abs(sharp[i] - plain[i])));
  }
  CHECK(largest < 100.0 * static_cast<double>(std::numeric_limits<T>::epsilon()));
  CHECK(effect > 0.1);
}

TEST_CASE_TEMPLATE("feature decay is the gradient of the features' spread, with any loss", T, float, double) {
  const auto x = random_matrix(rows, samples, 4, 2.0);
  const auto spread = [](const gal::matrix<double>& at) {
    double sum = 0.0;
    for (index_type j = 0; j < samples; ++j) {
      double mean = 0.0;
      for (index_type k = 0; k < rows; ++k) {
        mean += at(k, j) / static_cast<double>(rows);
      }
      for (index_type k = 0; k < rows; ++k) {
        sum += (at(k, j) - mean) * (at(k, j) - mean);
      }
    }
    return 0.2 / 2.0 / static_cast<double>(samples) * sum;
  };
  const auto options = gal::feature_decay(0.2);
  check_gradient(
      adjusted_gradient(converted<T>(x), labels, gal::softmax_cross_entropy(), options), x,
      [&](const gal::matrix<double>& at) { return cross_entropy(at, one_hot(labels)) + spread(at); });
  const auto target = random_matrix(rows, samples, 5);
  check_gradient(adjusted_gradient(converted<T>(x), converted<T>(target), gal::mse(), options), x,
                 [&](const gal::matrix<double>& at) {
                   double sum = 0.0;
                   for (index_type i = 0; i < at.size(); ++i) {
                     sum += std::pow(at.data()[i] - target.data()[i], 2);
                   }
                   return sum / static_cast<double>(at.size()) + spread(at);
                 });
}

TEST_CASE_TEMPLATE("mixed features have the gradient of the loss at the mixes", T, float, double) {
  const auto x = random_matrix(rows, samples, 6, 2.0);
  const auto options = gal::mixed_features(0.8, 7);
  for (const int step : {0, 1, 3}) {
    check_gradient(adjusted_gradient(converted<T>(x), labels, gal::softmax_cross_entropy(), options, step), x,
                   [&](const gal::matrix<double>& at) {
                     return mixed_cross_entropy(at, one_hot(labels), 0.8, 7, step);
                   });
  }
  const auto target = distributions(8);
  check_gradient(
      adjusted_gradient(converted<T>(x), converted<T>(target), gal::softmax_cross_entropy(), options), x,
      [&](const gal::matrix<double>& at) { return mixed_cross_entropy(at, target, 0.8, 7, 0); });

  // One sample is its own next one.
  const gal::matrix<T> one(converted<T>(x).view().columns(0, 1));
  const auto plain =
      gal::evaluate_loss(gal::softmax_cross_entropy(), one, std::vector<int>{labels.front()}).gradient;
  const auto mixed =
      adjusted_gradient(one, std::vector<int>{labels.front()}, gal::softmax_cross_entropy(), options);
  for (index_type k = 0; k < rows; ++k) {
    CHECK(std::abs(mixed(k, 0) - plain(k, 0)) <= 4 * std::numeric_limits<T>::epsilon());
  }
}

TEST_CASE("a class that is masked out takes no part") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  auto x = random_matrix(rows, samples, 9);
  const std::vector<int> allowed{2, 0, 3, 3, 0};
  std::ranges::fill(x.view().column(0), 0.0);  // logits of 0 are no masks
  for (index_type j = 0; j < samples; ++j) {
    x(1, j) = -infinity;
  }
  gal::matrix<double> spread = one_hot(allowed);
  for (index_type j = 0; j < samples; ++j) {
    for (index_type k = 0; k < rows; ++k) {
      spread(k, j) = k == 1 ? 0.0 : 0.7 * spread(k, j) + 0.3 / 3.0;
    }
  }
  const auto gradient = [&](const gal::adjust_options& options) {
    const auto result = adjusted_gradient(x, allowed, gal::softmax_cross_entropy(), options);
    for (index_type j = 0; j < samples; ++j) {
      CHECK(result(1, j) == 0.0);
    }
    return result;
  };
  check_gradient(gradient(gal::label_smoothing(0.3)), x,
                 [&](const gal::matrix<double>& at) { return cross_entropy(at, spread); });
  const auto mixes = [&](const gal::matrix<double>& at) {
    gal::matrix<double> finite = at;
    for (index_type j = 0; j < samples; ++j) {
      finite(1, j) = -1e4;  // exp of it is 0, and 0 times it no NaN
    }
    return mixed_cross_entropy(finite, one_hot(allowed), 0.8, 7, 0);
  };
  check_gradient(gradient(gal::mixed_features(0.8, 7)), x, mixes);
  gradient(gal::mixed_features(0.0));
  const auto decayed = gradient(gal::feature_decay(0.2));
  const auto plain = gradient(gal::feature_decay(0.0));
  for (index_type j = 0; j < samples; ++j) {
    const double mean = (x(0, j) + x(2, j) + x(3, j)) / 3.0;
    for (const index_type k : {0, 2, 3}) {
      CHECK(decayed(k, j) - plain(k, j) == Approx(0.2 / 5.0 * (x(k, j) - mean)).epsilon(1e-12));
    }
  }

  // An adjuster that is given sees the same.
  gal::nn::point<double> model(x.view());
  gal::sgd<double> optimizer({.learning_rate = 0.0});
  const auto options = gal::label_smoothing(0.3);
  gal::adjust trainer(model, optimizer, gal::softmax_cross_entropy(), options,
                      gal::adjuster<double>({2 * rows, rows}, options.adjuster));
  trainer.step(gal::nothing{}, allowed);
  CHECK(trainer.last_adjustment()(0, 1) + trainer.last_gradient()(0, 1) == gradient(options)(0, 1));
}

TEST_CASE("closed forms learn nothing, and say what they did") {
  for (const auto& options : closed_forms()) {
    gal::nn::mlp<double> model({3, rows}, {.seed = 1});
    gal::adam<double> optimizer;
    gal::adjust trainer(model, optimizer, gal::softmax_cross_entropy(), options);
    const gal::adjust_report report = trainer.step(random_matrix(3, samples, 10), labels);
    CHECK(trainer.adjuster().parameters().empty());
    CHECK(report.accepted);
    CHECK(report.adjustment_norm > 0.0);
    CHECK(report.remainder > 0.0);
    CHECK(refusal(invalid_option, [&] { return trainer.adjuster().network(); }).find("has no network") !=
          std::string::npos);
  }
}

TEST_CASE("any number of threads gives the same bits") {
  const auto run = [](int threads, const gal::adjust_options& options) {
    const gal::eigen_backend backend(threads);
    gal::nn::mlp<float> model({6, 20, 10}, {.seed = 1}, backend);
    gal::sgd<float> optimizer({.learning_rate = 0.1}, backend);
    gal::adjust trainer(model, optimizer, gal::softmax_cross_entropy(), options);
    std::vector<int> many(4000);
    for (std::size_t j = 0; j < many.size(); ++j) {
      many[j] = static_cast<int>(j % 10);
    }
    for (int k = 0; k < 3; ++k) {
      trainer.step(random_matrix<float>(6, 4000, 11), many);
    }
    return values_of(model);
  };
  for (const auto& options : closed_forms()) {
    const auto one = run(1, options);
    CHECK(run(2, options) == one);
    CHECK(run(3, options) == one);
  }
}

namespace {

struct training {
  gal::nn::mlp<double> model{{3, 8, rows}, {.activation = gal::nn::tanh, .seed = 1}};
  gal::adam<double> optimizer{{.learning_rate = 0.01}};
  gal::adjust<gal::nn::mlp<double>, gal::adam<double>, gal::softmax_cross_entropy> trainer;

  explicit training(const gal::adjust_options& options)
      : trainer(model, optimizer, gal::softmax_cross_entropy(), options) {}
  training(const training&) = delete;
  training& operator=(const training&) = delete;

  void go(int steps) {
    for (int k = 0; k < steps; ++k) {
      trainer.step(random_matrix(3, samples, 12), labels);
    }
  }
};

}  // namespace

TEST_CASE("a checkpoint resumes with the same bits, and knows its strength") {
  const scratch folder;
  const std::string path = folder.file("run");
  for (const auto& options : closed_forms()) {
    for (const int first : {0, 3}) {
      training whole(options);
      whole.go(first);
      gal::save_checkpoint(path, whole.trainer);
      training resumed(options);
      gal::load_checkpoint(path, resumed.trainer);
      for (int k = 0; k < 3; ++k) {
        whole.go(1);
        resumed.go(1);
        CHECK(gal::state_difference(whole.trainer, resumed.trainer) == "");
      }
    }
  }
  training stronger(gal::mixed_features(0.9, 5));
  CHECK(refusal(shape_mismatch, [&] {
          gal::load_checkpoint(path, stronger.trainer);
          return 0;
        }).find("strength") != std::string::npos);
}

TEST_CASE("a step that is refused takes its random numbers back") {
  gal::nn::mlp<double> model({3, rows}, {.seed = 1});
  gal::adam<double> optimizer;
  gal::adjust trainer(model, optimizer, gal::softmax_cross_entropy(), gal::mixed_features(0.8, 5));
  const auto good = random_matrix(3, samples, 12);
  auto bad = good;
  bad(0, 0) = 1e200;  // the loss is finite, the weights' gradient too large to be squared
  trainer.step(good, labels);
  CHECK(trainer.adjuster().noise() == gal::random_stream{5, 5});
  CHECK(gal::adjust_report(trainer.step(bad, labels)).non_finite);
  CHECK(trainer.adjuster().noise() == gal::random_stream{5, 5});
  trainer.step(good, labels);
  CHECK(trainer.adjuster().noise() == gal::random_stream{5, 10});
}

TEST_CASE("a step that draws random numbers is not recorded") {
  // As an optimizer of a device, which can be told to keep still.
  struct optimizer_of_device : gal::sgd<double> {
    using gal::sgd<double>::sgd;
    using gal::sgd<double>::step;
    void step(std::span<const gal::parameter<double>>, const double*) {}
  };
  gal::nn::point<double> model(random_matrix(rows, samples, 14).view());
  optimizer_of_device optimizer;
  const auto check = [&](const gal::adjust_options& options) {
    return refusal(invalid_option, [&] {
      gal::adjust(model, optimizer, gal::softmax_cross_entropy(), options).check_repeatable();
      return 0;
    });
  };
  CHECK(check(gal::mixed_features(0.1)).find("the adjuster draws random numbers") != std::string::npos);
  CHECK(check(gal::label_smoothing(0.1)) == "not refused");
  CHECK(check(gal::feature_decay(0.1)) == "not refused");
}

TEST_CASE("a held-out trainer takes closed forms, and an additive adjuster learns there") {
  const auto held_out_x = random_matrix(3, 6, 13);
  const std::vector<int> held_out_y{0, 1, 2, 3, 0, 1};
  gal::nn::mlp<double> model({3, rows}, {.seed = 1});
  gal::sgd<double> optimizer({.learning_rate = 0.1});
  gal::held_out_adjust smoothing(model, optimizer, gal::softmax_cross_entropy(), held_out_x.view(),
                                 held_out_y,
                                 {.normalisation = gal::normalisation::additive,
                                  .input = gal::adjuster_input::features_and_gradients,
                                  .adjuster = gal::label_smoothing(0.3).adjuster});
  smoothing.step(random_matrix(3, samples, 12), labels);
  double sum = 0.0;
  for (index_type k = 0; k < rows; ++k) {
    sum += std::abs(smoothing.last_adjustment()(k, 0));
  }
  CHECK(sum == Approx(0.3 / 5.0 * (0.75 + 3 * 0.25)).epsilon(1e-12));
}

TEST_CASE("closed forms refuse what does not fit") {
  const auto refused = [](auto make) { return refusal(invalid_option, make); };
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  CHECK(refused([] { return gal::label_smoothing(-0.1); }) ==
        "gal::adjuster_options: strength of label_smoothing is -0.1; expected a number in [0, 1]");
  CHECK(refused([] { return gal::mixed_features(1.5); }) ==
        "gal::adjuster_options: strength of mixed_features is 1.5; expected a number in [0, 1]");
  CHECK(refused([] { return gal::feature_decay(-1.0); }) ==
        "gal::adjuster_options: strength of feature_decay is -1; expected a non-negative number");
  CHECK(refused([] { return gal::feature_decay(std::numeric_limits<double>::infinity()); }) ==
        "gal::adjuster_options: strength of feature_decay is inf; expected a non-negative number");
  CHECK(refused([&] { return gal::label_smoothing(none); }).find("strength of label_smoothing is nan") !=
        std::string::npos);
  CHECK(refused([] {
          return gal::adjuster<float>({4, 2}, {.kind = gal::adjuster_kind::feature_decay}).options();
        }).find("strength of feature_decay is nan; expected a non-negative number") != std::string::npos);

  gal::nn::point<double> model(random_matrix(rows, samples, 14).view());
  gal::sgd<double> optimizer;
  const auto build = [&](auto loss, gal::adjust_options options) {
    return refused([&] { return gal::adjust(model, optimizer, loss, options).options(); });
  };
  const std::string needs_softmax =
      " with a loss that has no is_softmax_cross_entropy; expected gal::softmax_cross_entropy";
  CHECK(build(gal::mse(), gal::label_smoothing(0.1)) ==
        "gal::adjust: adjuster label_smoothing" + needs_softmax);
  CHECK(build(gal::binary_cross_entropy(), gal::mixed_features(0.1)) ==
        "gal::adjust: adjuster mixed_features" + needs_softmax);
  CHECK(build(gal::mse(), gal::feature_decay(0.1)) == "not refused");
  auto options = gal::label_smoothing(0.1);
  options.normalisation = gal::normalisation::gate;
  CHECK(build(gal::softmax_cross_entropy(), options) ==
        "gal::adjust: adjuster label_smoothing with normalisation gate and input features_and_gradients; "
        "expected additive and features_and_gradients");
  options = gal::label_smoothing(0.1);
  options.input = gal::adjuster_input::features;
  CHECK(build(gal::softmax_cross_entropy(), options).find("and input features; expected additive") !=
        std::string::npos);
  options = gal::label_smoothing(0.1);
  CHECK(refused([&] {
          return gal::adjust(model, optimizer, gal::mse(), options,
                             gal::adjuster<double>({2 * rows, rows}, options.adjuster))
              .options();
        }) == "gal::adjust: adjuster label_smoothing" + needs_softmax);

  // A single feature, and an input without gradients.
  gal::nn::point<double> line(random_matrix(1, samples, 15).view());
  gal::adjust trainer(line, optimizer, gal::mse(), gal::feature_decay(0.1));
  CHECK(refusal(shape_mismatch,
                [&] {
                  return gal::adjust_report(trainer.step(gal::nothing{}, random_matrix(1, samples, 16)));
                }) ==
        "gal::adjuster: kind is feature_decay for 1 feature; expected at least 2: on one it adjusts nothing");
  gal::adjuster<double> h({2 * rows, rows}, gal::feature_decay(0.1).adjuster);
  CHECK(refusal(shape_mismatch, [&] { return h.forward(gal::matrix<double>(rows, 2)); }) ==
        "gal::adjuster::forward: input of feature_decay is 4 x 2; expected 8 rows: the features above their "
        "gradients");
}

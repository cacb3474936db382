// Optimizers, against the formulas of their papers for one number at a time; schedules, clipping, groups.
#include <gal/backends/eigen.hpp>
#include <gal/core/random.hpp>
#include <gal/optim/lookahead.hpp>
#include <gal/optim/optimizers.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using doctest::Approx;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// Numbers to train and their gradients; blocks of it are parameters.
template <class T>
struct weights {
  std::vector<T> value;
  std::vector<T> gradient;

  explicit weights(std::size_t count, std::uint64_t seed = 1) : value(count), gradient(count) {
    gal::random_stream stream{seed};
    for (T& number : value) {
      number = static_cast<T>(stream.normal());
    }
  }

  void draw_gradient(std::uint64_t seed, double scale = 1.0) {
    gal::random_stream stream{1000 + seed};
    for (T& number : gradient) {
      number = static_cast<T>(scale * stream.normal());
    }
  }

  gal::parameter<T> block(std::size_t first, std::size_t count, std::size_t group = 0) {
    return {std::span<T>(value).subspan(first, count), std::span<T>(gradient).subspan(first, count), group};
  }
  std::vector<gal::parameter<T>> all() { return {block(0, value.size())}; }
};

// A formula: the new value of a number from its value and gradient at step t = 1, 2, ...; it keeps its own state.
using formula = std::function<double(double value, double gradient, int t)>;

// Twenty steps of an optimizer, along random gradients, against a formula.
template <class T, class Optimizer>
void check_steps(Optimizer optimizer, const std::function<formula()>& make_formula) {
  weights<T> w(7);
  std::vector<double> expected(w.value.begin(), w.value.end());
  std::vector<formula> formulas;
  for (std::size_t i = 0; i < w.value.size(); ++i) {
    formulas.push_back(make_formula());
  }
  const double tolerance = std::same_as<T, double> ? 1e-13 : 2e-5;
  for (int t = 1; t <= 20; ++t) {
    w.draw_gradient(static_cast<std::uint64_t>(t));
    optimizer.step(w.all());
    for (std::size_t i = 0; i < w.value.size(); ++i) {
      expected[i] = formulas[i](expected[i], static_cast<double>(w.gradient[i]), t);
      CAPTURE(t);
      CHECK(std::abs(static_cast<double>(w.value[i]) - expected[i]) <=
            tolerance * std::max(1.0, std::abs(expected[i])));
    }
  }
  CHECK(optimizer.steps() == 20);
}

formula sgd_formula(double rate, double momentum = 0, bool nesterov = false, double decay = 0) {
  return [=, m = 0.0](double w, double g, int) mutable {
    g += decay * w;
    m = momentum * m + g;
    return w - rate * (nesterov ? g + momentum * m : m);
  };
}

formula rmsprop_formula(double rate, double smoothing, double epsilon, double momentum, bool centred,
                        double decay) {
  return [=, square = 0.0, mean = 0.0, velocity = 0.0](double w, double g, int) mutable {
    g += decay * w;
    square = smoothing * square + (1 - smoothing) * g * g;
    mean = smoothing * mean + (1 - smoothing) * g;
    const double variance = centred ? square - mean * mean : square;
    velocity = momentum * velocity + g / (std::sqrt(variance) + epsilon);
    return w - rate * velocity;
  };
}

// Adam, with weight decay in the gradient or decoupled.
formula adam_formula(double rate, double beta1, double beta2, double epsilon, double decay, bool decoupled) {
  return [=, m = 0.0, v = 0.0](double w, double g, int t) mutable {
    g += decoupled ? 0.0 : decay * w;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const double m_hat = m / (1 - std::pow(beta1, t));
    const double v_hat = v / (1 - std::pow(beta2, t));
    return w - (decoupled ? rate * decay * w : 0.0) - rate * m_hat / (std::sqrt(v_hat) + epsilon);
  };
}

formula adabound_formula(double rate, double beta1, double beta2, double epsilon, double final_rate,
                         double gamma, double decay) {
  return [=, m = 0.0, v = 0.0](double w, double g, int t) mutable {
    g += decay * w;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const double size = rate * std::sqrt(1 - std::pow(beta2, t)) / (1 - std::pow(beta1, t));
    const double lower = final_rate * (1 - 1 / (gamma * t + 1));
    const double upper = final_rate * (1 + 1 / (gamma * t));
    return w - std::clamp(size / (std::sqrt(v) + epsilon), lower, upper) * m;
  };
}

// After every k steps of another formula the slow weight moves towards the fast one.
formula lookahead_formula(const formula& inner, int k, double alpha) {
  return [=, slow = not_a_number](double w, double g, int t) mutable {
    slow = t == 1 ? w : slow;
    const double fast = inner(w, g, t);
    if (t % k != 0) {
      return fast;
    }
    slow += alpha * (fast - slow);
    return slow;
  };
}

// Every optimizer with settings that use all of its moments.
template <class T>
void with_every_optimizer(const auto& f) {
  f(gal::sgd<T>({.learning_rate = 0.1, .weight_decay = 0.01}));
  f(gal::sgd<T>({.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}));
  f(gal::rmsprop<T>({.learning_rate = 0.01, .momentum = 0.5, .centred = true}));
  f(gal::adam<T>({.learning_rate = 0.1}));
  f(gal::adamw<T>({.learning_rate = 0.1}));
  f(gal::adabound<T>({.learning_rate = 0.1}));
  f(gal::lookahead(gal::adam<T>({.learning_rate = 0.1}), {.k = 3}));
}

static_assert(gal::optimizer_for<gal::sgd<float>, float> &&
              gal::optimizer_for<gal::adabound<double>, double>);
static_assert(gal::optimizer_for<gal::lookahead<gal::adam<double>>, double>);
static_assert(!gal::optimizer_for<gal::sgd<float>, double>);
static_assert(std::copyable<gal::adamw<float>> && std::copyable<gal::lookahead<gal::rmsprop<float>>>);

}  // namespace

TEST_CASE_TEMPLATE("gradient descent follows its formula", T, float, double) {
  check_steps<T>(gal::sgd<T>({.learning_rate = 0.1}), [] { return sgd_formula(0.1); });
  check_steps<T>(gal::sgd<T>({.learning_rate = 0.1, .weight_decay = 0.3}),
                 [] { return sgd_formula(0.1, 0, false, 0.3); });
  check_steps<T>(gal::sgd<T>({.learning_rate = 0.05, .momentum = 0.9}),
                 [] { return sgd_formula(0.05, 0.9); });
  check_steps<T>(gal::sgd<T>({.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 0.1}),
                 [] { return sgd_formula(0.05, 0.9, false, 0.1); });
  check_steps<T>(gal::sgd<T>({.learning_rate = 0.05, .momentum = 0.8, .nesterov = true, .weight_decay = 0.1}),
                 [] { return sgd_formula(0.05, 0.8, true, 0.1); });
  check_steps<T>(gal::sgd<T>(), [] { return sgd_formula(1e-2); });
}

TEST_CASE_TEMPLATE("RMSProp follows its formula", T, float, double) {
  check_steps<T>(gal::rmsprop<T>(), [] { return rmsprop_formula(1e-2, 0.99, 1e-8, 0, false, 0); });
  check_steps<T>(
      gal::rmsprop<T>({.learning_rate = 0.02, .smoothing = 0.9, .epsilon = 0.1, .weight_decay = 0.2}),
      [] { return rmsprop_formula(0.02, 0.9, 0.1, 0, false, 0.2); });
  check_steps<T>(gal::rmsprop<T>({.smoothing = 0.9, .epsilon = 1e-3, .momentum = 0.8}),
                 [] { return rmsprop_formula(1e-2, 0.9, 1e-3, 0.8, false, 0); });
  check_steps<T>(gal::rmsprop<T>({.smoothing = 0.9, .epsilon = 1e-2, .momentum = 0.5, .centred = true}),
                 [] { return rmsprop_formula(1e-2, 0.9, 1e-2, 0.5, true, 0); });
}

TEST_CASE_TEMPLATE("Adam and AdamW follow their formulas", T, float, double) {
  check_steps<T>(gal::adam<T>(), [] { return adam_formula(1e-3, 0.9, 0.999, 1e-8, 0, false); });
  check_steps<T>(
      gal::adam<T>({.learning_rate = 0.02, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 0.1, .weight_decay = 0.3}),
      [] { return adam_formula(0.02, 0.8, 0.99, 0.1, 0.3, false); });
  check_steps<T>(gal::adam<T>({.learning_rate = 0.02, .beta1 = 0.0, .beta2 = 0.0, .epsilon = 0.1}),
                 [] { return adam_formula(0.02, 0.0, 0.0, 0.1, 0.0, false); });
  check_steps<T>(gal::adamw<T>(), [] { return adam_formula(1e-3, 0.9, 0.999, 1e-8, 1e-2, true); });
  check_steps<T>(gal::adamw<T>({.learning_rate = 0.1, .beta1 = 0.8, .epsilon = 1e-3, .weight_decay = 0.5}),
                 [] { return adam_formula(0.1, 0.8, 0.999, 1e-3, 0.5, true); });
}

TEST_CASE_TEMPLATE("AdaBound follows its formula", T, float, double) {
  check_steps<T>(gal::adabound<T>(), [] { return adabound_formula(1e-3, 0.9, 0.999, 1e-8, 0.1, 1e-3, 0); });
  // Bounds that bind from the first steps on, from above and from below.
  check_steps<T>(gal::adabound<T>(
                     {.learning_rate = 0.4, .final_learning_rate = 0.02, .gamma = 0.5, .weight_decay = 0.1}),
                 [] { return adabound_formula(0.4, 0.9, 0.999, 1e-8, 0.02, 0.5, 0.1); });
  check_steps<T>(gal::adabound<T>({.learning_rate = 1e-5, .final_learning_rate = 0.5, .gamma = 0.5}),
                 [] { return adabound_formula(1e-5, 0.9, 0.999, 1e-8, 0.5, 0.5, 0); });
}

TEST_CASE_TEMPLATE("Lookahead follows its formula over any optimizer", T, float, double) {
  const gal::sgd<T> descent({.learning_rate = 0.1, .momentum = 0.5});
  for (const int k : {1, 2, 5, 7}) {
    for (const double alpha : {0.5, 0.8, 1.0}) {
      check_steps<T>(gal::lookahead(descent, {.k = k, .alpha = alpha}),
                     [=] { return lookahead_formula(sgd_formula(0.1, 0.5), k, alpha); });
    }
  }
  check_steps<T>(
      gal::lookahead(gal::adam<T>({.learning_rate = 0.05, .epsilon = 1e-3}), {.k = 4, .alpha = 0.3}),
      [] { return lookahead_formula(adam_formula(0.05, 0.9, 0.999, 1e-3, 0, false), 4, 0.3); });
  // All the way: as if it were not there.
  check_steps<T>(gal::lookahead(descent, {.k = 1, .alpha = 1.0}), [] { return sgd_formula(0.1, 0.5); });
}

TEST_CASE("Lookahead by hand") {
  weights<double> w(1);
  w.value = {1.0};
  gal::lookahead optimizer(gal::sgd<double>({.learning_rate = 0.5}), {.k = 2, .alpha = 0.25});
  const std::vector<double> gradients = {1, 2, -4, 0, 8};
  const std::vector<double> expected = {0.5, 0.625, 2.625, 1.125, -2.875};
  // 1 - 0.5; fast -0.5, slow 1 + (-1.5) / 4; 0.625 + 2; fast 2.625, slow 0.625 + 2 / 4; 1.125 - 4
  for (std::size_t t = 0; t < gradients.size(); ++t) {
    w.gradient = {gradients[t]};
    optimizer.step(w.all());
    CHECK(w.value[0] == expected[t]);
  }
  CHECK(optimizer.learning_rate() == 0.5);
  optimizer.set_base_learning_rate(0.125);
  CHECK(optimizer.learning_rate() == 0.125);
  CHECK(optimizer.base_learning_rate() == 0.125);
}

TEST_CASE_TEMPLATE("Lookahead does not pull back weights that somebody else has set", T, float, double) {
  for (const int k : {1, 2, 5}) {
    CAPTURE(k);
    for (const int before : {1, 2, 3, 5}) {  // within the k steps, and at their end
      weights<T> w(3);
      w.value = {T(100), T(-3), T(8)};
      w.gradient = {T(0), T(0), T(0.5)};
      gal::lookahead optimizer(gal::sgd<T>({.learning_rate = 1.0}), {.k = k, .alpha = 0.5});
      weights<T> untouched(3);
      untouched.value = w.value;
      untouched.gradient = w.gradient;
      auto same = optimizer;
      for (int t = 0; t < before; ++t) {
        optimizer.step(w.all());
        same.step(untouched.all());
      }
      w.value[0] = T(1);  // as a file has it
      w.value[1] = T(0);
      for (int t = 0; t < 2 * k; ++t) {
        optimizer.step(w.all());
        same.step(untouched.all());
        CHECK(w.value[0] == T(1));
        CHECK(w.value[1] == T(0));
      }
      CHECK(w.value[2] == untouched.value[2]);  // what nobody has set goes on
    }
  }
  // From there on as one that starts there.
  weights<T> w(5);
  gal::lookahead used(gal::sgd<T>({.learning_rate = 0.1}), {.k = 3});
  for (int t = 0; t < 6; ++t) {
    w.draw_gradient(static_cast<std::uint64_t>(t));
    used.step(w.all());
  }
  weights<T> loaded(5, 7);
  w.value = loaded.value;
  gal::lookahead fresh(gal::sgd<T>({.learning_rate = 0.1}), {.k = 3});
  for (int t = 0; t < 7; ++t) {
    w.draw_gradient(static_cast<std::uint64_t>(10 + t));
    loaded.gradient = w.gradient;
    used.step(w.all());
    fresh.step(loaded.all());
    CHECK(w.value == loaded.value);
  }
  // A number that is none does not stay.
  w.value[0] = std::numeric_limits<T>::quiet_NaN();
  used.step(w.all());
  w.value = loaded.value;
  w.gradient.assign(5, T(0));
  for (int t = 0; t < 6; ++t) {
    used.step(w.all());
  }
  CHECK(w.value == loaded.value);
}

TEST_CASE("schedules at their ends and between") {
  const gal::schedule constant;
  CHECK(constant.factor(0) == 1.0);
  CHECK(constant.factor(1'000'000'000'000) == 1.0);
  CHECK(gal::constant_schedule(5).factor(3) == 1.0);
  CHECK(gal::constant_schedule(5).factor(50) == 1.0);

  const gal::schedule step = gal::step_schedule(10, 0.5);
  CHECK(step.factor(0) == 1.0);
  CHECK(step.factor(9) == 1.0);
  CHECK(step.factor(10) == 0.5);
  CHECK(step.factor(19) == 0.5);
  CHECK(step.factor(20) == 0.25);
  CHECK(step.factor(100) == std::pow(0.5, 10));
  CHECK(gal::step_schedule(100).factor(250) == Approx(0.01).epsilon(1e-15));

  const gal::schedule cosine = gal::cosine_schedule(100);
  CHECK(cosine.factor(0) == 1.0);
  CHECK(cosine.factor(50) == Approx(0.5).epsilon(1e-15));
  CHECK(cosine.factor(25) == Approx(0.5 + std::sqrt(0.125)).epsilon(1e-15));
  CHECK(cosine.factor(100) == 0.0);
  CHECK(cosine.factor(5000) == 0.0);
  const gal::schedule floored = gal::cosine_schedule(100, 0.1);
  CHECK(floored.factor(0) == 1.0);
  CHECK(floored.factor(50) == Approx(0.55).epsilon(1e-15));
  CHECK(floored.factor(100) == Approx(0.1).epsilon(1e-15));
  CHECK(floored.factor(101) == floored.factor(100));

  const gal::schedule warm_up = gal::linear_warm_up(10);
  CHECK(warm_up.factor(0) == 0.0);
  CHECK(warm_up.factor(5) == 0.5);
  CHECK(warm_up.factor(10) == 1.0);
  CHECK(warm_up.factor(100) == 1.0);
  CHECK(gal::linear_warm_up(4, 0.2).factor(0) == 0.2);
  CHECK(gal::linear_warm_up(4, 0.2).factor(1) == Approx(0.4).epsilon(1e-15));

  CHECK(gal::linear_schedule(4).factor(0) == 1.0);
  CHECK(gal::linear_schedule(4).factor(3) == 0.25);
  CHECK(gal::linear_schedule(4).factor(4) == 0.0);
  CHECK(gal::linear_schedule(4).factor(5) == 0.0);
  CHECK(gal::linear_schedule(4, 0.5).factor(2) == 0.75);
}

TEST_CASE("schedules follow one another, each with its own count") {
  const gal::schedule schedule = gal::linear_warm_up(10).then(gal::cosine_schedule(100));
  CHECK(schedule.factor(0) == 0.0);
  CHECK(schedule.factor(5) == 0.5);
  CHECK(schedule.factor(9) == 0.9);
  CHECK(schedule.factor(10) == 1.0);
  CHECK(schedule.factor(60) == Approx(0.5).epsilon(1e-15));
  CHECK(schedule.factor(110) == 0.0);
  CHECK(schedule.factor(1'000'000) == 0.0);

  const gal::schedule three =
      gal::linear_warm_up(2).then(gal::constant_schedule(3)).then(gal::step_schedule(4, 0.5));
  const std::vector<double> expected = {0, 0.5, 1, 1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(three.factor(static_cast<std::int64_t>(i)) == expected[i]);
  }
  // The order in which they were put together does not matter.
  CHECK(three == gal::linear_warm_up(2).then(gal::constant_schedule(3).then(gal::step_schedule(4, 0.5))));
  CHECK_FALSE(three == schedule);
  // What came before is as it was.
  const gal::schedule before = gal::linear_warm_up(10);
  static_cast<void>(before.then(gal::step_schedule(5)));
  CHECK(before == gal::linear_warm_up(10));
}

TEST_CASE("schedules refuse what makes no sense") {
  using enum gal::error_code;
  const std::string never = "gal::schedule::then: the schedule before never ends; give it a length";
  CHECK(refusal(invalid_option, [] { return gal::schedule().then(gal::cosine_schedule(10)); }) == never);
  CHECK(refusal(invalid_option, [] { return gal::step_schedule(5).then(gal::cosine_schedule(10)); }) ==
        never);
  CHECK(refusal(invalid_option, [] {
          return gal::linear_warm_up(5).then(gal::step_schedule(3)).then(gal::cosine_schedule(10));
        }) == never);
  CHECK(refusal(invalid_option, [] { return gal::cosine_schedule(0); }) ==
        "gal::cosine_schedule: length 0; expected a positive number of steps");
  CHECK(refusal(invalid_option, [] { return gal::linear_warm_up(-3); }) ==
        "gal::linear_warm_up: length -3; expected a positive number of steps");
  CHECK(refusal(invalid_option, [] { return gal::constant_schedule(0); }) ==
        "gal::constant_schedule: length 0; expected a positive number of steps");
  CHECK(refusal(invalid_option, [] { return gal::step_schedule(0); }) ==
        "gal::step_schedule: length 0; expected a positive number of steps");
  CHECK(refusal(invalid_option, [] { return gal::step_schedule(3, -0.5); }) ==
        "gal::step_schedule: factors 1 and -0.5; expected non-negative numbers");
  CHECK(refusal(invalid_option, [] { return gal::cosine_schedule(3, not_a_number); }) ==
        "gal::cosine_schedule: factors 1 and nan; expected non-negative numbers");
}

TEST_CASE_TEMPLATE("optimizers follow their schedule", T, float, double) {
  const gal::schedule schedule = gal::linear_warm_up(4, 0.25).then(gal::cosine_schedule(10, 0.1));
  const auto scheduled = [&](const auto& make) {
    return [&, make] {
      return formula([&schedule, make, state = std::vector<formula>{}](double w, double g, int t) mutable {
        // A formula of rate 1: its step is scaled.
        if (state.empty()) {
          state.push_back(make());
        }
        return w + schedule.factor(t - 1) * (state[0](w, g, t) - w);
      });
    };
  };
  check_steps<T>(gal::sgd<T>({.learning_rate = 0.1, .momentum = 0.9, .schedule = schedule}),
                 scheduled([] { return sgd_formula(0.1, 0.9); }));
  check_steps<T>(gal::adam<T>({.learning_rate = 0.1, .epsilon = 1e-3, .schedule = schedule}),
                 scheduled([] { return adam_formula(0.1, 0.9, 0.999, 1e-3, 0, false); }));
  check_steps<T>(gal::adamw<T>({.learning_rate = 0.1, .epsilon = 1e-3, .schedule = schedule}),
                 scheduled([] { return adam_formula(0.1, 0.9, 0.999, 1e-3, 1e-2, true); }));
  check_steps<T>(gal::rmsprop<T>({.learning_rate = 0.1, .epsilon = 1e-3, .schedule = schedule}),
                 scheduled([] { return rmsprop_formula(0.1, 0.99, 1e-3, 0, false, 0); }));
  // AdaBound's bounds follow, too.
  check_steps<T>(gal::adabound<T>(
                     {.learning_rate = 0.4, .final_learning_rate = 0.02, .gamma = 0.5, .schedule = schedule}),
                 scheduled([] { return adabound_formula(0.4, 0.9, 0.999, 1e-8, 0.02, 0.5, 0); }));

  gal::sgd<T> optimizer({.learning_rate = 0.5, .schedule = schedule});
  weights<T> w(3);
  for (std::int64_t t = 0; t < 20; ++t) {
    CHECK(optimizer.steps() == t);
    CHECK(optimizer.learning_rate() == 0.5 * schedule.factor(t));
    optimizer.step(w.all());
  }
  optimizer.set_base_learning_rate(2.0);
  CHECK(optimizer.base_learning_rate() == 2.0);
  CHECK(optimizer.learning_rate() == 2.0 * schedule.factor(20));
  CHECK(gal::lookahead(optimizer).learning_rate() == optimizer.learning_rate());
}

TEST_CASE_TEMPLATE("a changed learning rate is used at the next step", T, float, double) {
  weights<T> w(1);
  w.value = {1};
  w.gradient = {2};
  gal::sgd<T> optimizer({.learning_rate = 0.5});
  optimizer.step(w.all());
  CHECK(w.value[0] == T(0));
  optimizer.set_base_learning_rate(0.25);
  optimizer.step(w.all());
  CHECK(w.value[0] == T(-0.5));
}

TEST_CASE_TEMPLATE("clipping by value cuts every number", T, float, double) {
  weights<T> clipped(50);
  weights<T> cut(50);
  gal::adam<T> clipping({.learning_rate = 0.1, .clipping = {.value = 0.5}});
  gal::adam<T> plain({.learning_rate = 0.1});
  for (std::uint64_t t = 0; t < 5; ++t) {
    clipped.draw_gradient(t);
    cut.gradient = clipped.gradient;
    for (T& g : cut.gradient) {
      g = std::clamp(g, T(-0.5), T(0.5));
    }
    clipping.step(clipped.all());
    plain.step(cut.all());
    CHECK(clipped.value == cut.value);
  }
  // The gradients themselves stay.
  weights<T> w(1);
  w.gradient = {T(7)};
  clipping = gal::adam<T>({.clipping = {.value = 0.5}});
  clipping.step(w.all());
  CHECK(w.gradient[0] == T(7));
}

TEST_CASE_TEMPLATE("clipping by norm scales the gradients of all blocks together", T, float, double) {
  weights<T> w(4);
  w.value = {0, 0, 0, 0};
  w.gradient = {3, 0, 0, 4};  // in two blocks, of norms 3 and 4, together 5
  gal::sgd<T> optimizer({.learning_rate = 1.0, .clipping = {.norm = 2.5}});
  const std::vector<gal::parameter<T>> blocks = {w.block(0, 1), w.block(2, 2)};
  optimizer.step(blocks);
  CHECK(w.value == std::vector<T>{T(-1.5), 0, 0, T(-2)});

  // Below the limit nothing changes, bit by bit.
  weights<T> limited(9), free(9);
  gal::sgd<T> with_limit({.learning_rate = 0.1, .clipping = {.norm = 100.0}});
  gal::sgd<T> without({.learning_rate = 0.1});
  limited.draw_gradient(1);
  free.draw_gradient(1);
  with_limit.step(limited.all());
  without.step(free.all());
  CHECK(limited.value == free.value);

  // Entries first, then the norm of what is left: (3, 4, 12) becomes (3, 4, 5), of norm sqrt(50).
  weights<T> both(3);
  both.value = {0, 0, 0};
  both.gradient = {3, 4, 12};
  gal::sgd<T> by_both({.learning_rate = 1.0, .clipping = {.value = 5.0, .norm = 1.0}});
  by_both.step(both.all());
  CHECK(both.value[0] == Approx(-3 / std::sqrt(50.0)).epsilon(1e-6));
  CHECK(both.value[2] == Approx(-5 / std::sqrt(50.0)).epsilon(1e-6));
}

TEST_CASE_TEMPLATE("groups have their own rates and decays", T, float, double) {
  weights<T> w(4);
  w.value = {1, 1, 1, 1};
  w.gradient = {1, 1, 1, 1};
  gal::sgd<T> optimizer({.learning_rate = 0.5,
                         .weight_decay = 0.5,
                         .groups = {{}, {.learning_rate = 0.25}, {.weight_decay = 0.0}}});
  // Group 3 has no settings: the optimizer's own.
  const std::vector<gal::parameter<T>> blocks = {w.block(0, 1, 0), w.block(1, 1, 1), w.block(2, 1, 2),
                                                 w.block(3, 1, 3)};
  optimizer.step(blocks);
  CHECK(w.value == std::vector<T>{T(0.25), T(0.625), T(0.5), T(0.25)});
  CHECK(optimizer.learning_rate() == 0.5);

  // The schedule holds for all groups.
  w.value = {1, 1, 1, 1};
  gal::sgd<T> scheduled({.learning_rate = 0.5,
                         .schedule = gal::linear_warm_up(2, 0.5),
                         .groups = {{}, {.learning_rate = 0.25}}});
  scheduled.step(blocks);
  CHECK(w.value == std::vector<T>{T(0.75), T(0.875), T(0.75), T(0.75)});

  // AdaBound's final rate is every group's, whatever rate the group begins with (Luo et al., 2019).
  weights<T> a(1), b(1);
  a.value = b.value = {1};
  a.gradient = b.gradient = {1};
  gal::adabound<T> grouped(
      {.learning_rate = 0.4, .final_learning_rate = 0.02, .gamma = 0.5, .groups = {{.learning_rate = 0.2}}});
  gal::adabound<T> plain({.learning_rate = 0.2, .final_learning_rate = 0.02, .gamma = 0.5});
  for (int t = 0; t < 5; ++t) {
    grouped.step(a.all());
    plain.step(b.all());
    CHECK(a.value[0] == Approx(b.value[0]).epsilon(1e-6));
  }
}

TEST_CASE_TEMPLATE("blocks side by side give the same bits as blocks apart", T, float, double) {
  with_every_optimizer<T>([](auto optimizer) {
    auto other = optimizer;
    weights<T> together(12);
    weights<T> first(5), second(4), third(3);
    first.value.assign(together.value.begin(), together.value.begin() + 5);
    second.value.assign(together.value.begin() + 5, together.value.begin() + 9);
    third.value.assign(together.value.begin() + 9, together.value.end());
    const std::vector<gal::parameter<T>> near = {together.block(0, 5), together.block(5, 4),
                                                 together.block(9, 3)};
    const std::vector<gal::parameter<T>> apart = {first.block(0, 5), second.block(0, 4), third.block(0, 3)};
    for (std::uint64_t t = 0; t < 12; ++t) {
      together.draw_gradient(t);
      std::copy_n(together.gradient.begin(), 5, first.gradient.begin());
      std::copy_n(together.gradient.begin() + 5, 4, second.gradient.begin());
      std::copy_n(together.gradient.begin() + 9, 3, third.gradient.begin());
      optimizer.step(near);
      other.step(apart);
    }
    std::vector<T> values = first.value;
    values.insert(values.end(), second.value.begin(), second.value.end());
    values.insert(values.end(), third.value.begin(), third.value.end());
    CHECK(together.value == values);
  });
}

TEST_CASE_TEMPLATE("neighbouring values with gradients apart, or of other groups, are no run", T, float,
                   double) {
  weights<T> w(4);
  w.value = {1, 1, 1, 1};
  std::vector<T> elsewhere = {10, 20};
  w.gradient = {1, 2, 3, 4};
  gal::sgd<T> optimizer({.learning_rate = 1.0, .groups = {{}, {.learning_rate = 0.5}}});
  const std::vector<gal::parameter<T>> blocks = {
      w.block(0, 1), {std::span<T>(w.value).subspan(1, 2), std::span<T>(elsewhere)}, w.block(3, 1, 1)};
  optimizer.step(blocks);
  CHECK(w.value == std::vector<T>{0, -9, -19, -1});
}

TEST_CASE_TEMPLATE("a proposal is the change that the step makes, without making it", T, float, double) {
  const auto check = [](auto optimizer) {
    weights<T> w(9);
    auto stepping = optimizer;
    std::vector<T> changes(9);
    for (int step = 1; step <= 5; ++step) {
      w.draw_gradient(static_cast<std::uint64_t>(step));
      weights<T> moved = w;
      const std::vector blocks = {w.block(0, 4), w.block(4, 5, 1)};
      const std::vector its_blocks = {moved.block(0, 4), moved.block(4, 5, 1)};
      optimizer.propose(std::span<const gal::parameter<T>>(blocks), changes.data());
      stepping.step(std::span<const gal::parameter<T>>(its_blocks));
      for (std::size_t i = 0; i < 9; ++i) {
        const double difference = static_cast<double>(w.value[i]) - static_cast<double>(changes[i]) -
                                  static_cast<double>(moved.value[i]);
        CHECK(std::abs(difference) <= 2.0 * static_cast<double>(std::numeric_limits<T>::epsilon()) *
                                          (std::abs(static_cast<double>(w.value[i])) + 1.0));
      }
      w = moved;  // so that the next step, from the same values, shows whether the states are the same
    }
    CHECK(optimizer.steps() == 5);
  };
  const gal::clipping clipping = {.value = 1.0, .norm = 2.0};
  const std::vector<gal::parameter_group> groups = {{}, {.learning_rate = 0.2}};
  check(gal::sgd<T>({.learning_rate = 0.05}));
  check(gal::sgd<T>({.learning_rate = 0.05, .momentum = 0.9, .nesterov = true, .weight_decay = 0.1}));
  check(gal::sgd<T>({.learning_rate = 0.05, .clipping = clipping, .groups = groups}));
  check(gal::rmsprop<T>({.learning_rate = 0.05, .momentum = 0.5, .weight_decay = 0.1, .groups = groups}));
  check(gal::adam<T>({.learning_rate = 0.05, .weight_decay = 0.1, .clipping = clipping}));
  check(gal::adamw<T>({.learning_rate = 0.05, .weight_decay = 0.1, .groups = groups}));
  check(gal::adabound<T>({.learning_rate = 0.05, .weight_decay = 0.1}));

  // Steps far below the last digit of the values keep theirs.
  weights<float> w(1);
  w.value[0] = 1.0F;
  w.gradient[0] = 0.5F;
  float change = 0.0F;
  const std::vector blocks = w.all();
  gal::sgd<float>({.learning_rate = 1e-12}).propose(std::span<const gal::parameter<float>>(blocks), &change);
  CHECK(change == Approx(5e-13));
  CHECK(w.value[0] == 1.0F);
}

TEST_CASE_TEMPLATE("the copy of an optimizer goes on alike, and alone", T, float, double) {
  with_every_optimizer<T>([](auto optimizer) {
    weights<T> w(6);
    const auto advance = [](auto& by, weights<T>& which, std::uint64_t from, std::uint64_t to) {
      for (std::uint64_t t = from; t < to; ++t) {
        which.draw_gradient(t);
        by.step(which.all());
      }
    };
    advance(optimizer, w, 0, 7);
    auto copy = optimizer;
    weights<T> w_copy = w;
    CHECK(copy.steps() == 7);
    advance(copy, w_copy, 7, 16);
    CHECK(optimizer.steps() == 7);
    const std::vector<T> before = w.value;
    advance(optimizer, w, 7, 16);
    CHECK(w.value == w_copy.value);
    CHECK(w.value != before);
  });
}

TEST_CASE_TEMPLATE("parameters that changed are refused, before anything is done", T, float, double) {
  using enum gal::error_code;
  with_every_optimizer<T>([](auto optimizer) {
    weights<T> w(4);
    w.draw_gradient(1);
    optimizer.step(w.all());
    const std::vector<T> before = w.value;
    const std::vector<gal::parameter<T>> fewer = {w.block(0, 3)};
    CHECK(refusal(shape_mismatch, [&] { return optimizer.step(fewer), 0; }) ==
          "gal: the optimizer steps 3 numbers; expected the 4 that it has state for");
    weights<T> more(5);
    CHECK(refusal(shape_mismatch, [&] { return optimizer.step(more.all()), 0; }) ==
          "gal: the optimizer steps 5 numbers; expected the 4 that it has state for");
    const std::vector<gal::parameter<T>> without = {
        w.block(0, 2), {std::span<T>(w.value).subspan(2, 2), std::span<T>(w.gradient).subspan(2, 1)}};
    CHECK(refusal(shape_mismatch, [&] { return optimizer.step(without), 0; }) ==
          "gal: a parameter of 2 numbers has a gradient of 1");
    CHECK(w.value == before);
    CHECK(optimizer.steps() == 1);
    optimizer.step(w.all());
    CHECK(optimizer.steps() == 2);
  });
}

TEST_CASE_TEMPLATE("there may be nothing to step", T, float, double) {
  with_every_optimizer<T>([](auto optimizer) {
    for (int t = 0; t < 6; ++t) {
      optimizer.step({});
    }
    CHECK(optimizer.steps() == 6);
  });
  weights<T> w(2);
  w.value = {1, 1};
  w.gradient = {1, 1};
  gal::sgd<T> optimizer({.learning_rate = 1.0, .momentum = 0.5});
  const std::vector<gal::parameter<T>> blocks = {w.block(0, 0), w.block(0, 1), w.block(1, 0), w.block(1, 1)};
  optimizer.step(blocks);
  CHECK(w.value == std::vector<T>{0, 0});
}

TEST_CASE_TEMPLATE("a NaN gradient reaches its own number only", T, float, double) {
  with_every_optimizer<T>([](auto optimizer) {
    weights<T> w(3);
    w.gradient = {1, std::numeric_limits<T>::quiet_NaN(), -1};
    optimizer.step(w.all());
    CHECK(std::isfinite(w.value[0]));
    CHECK(std::isnan(w.value[1]));
    CHECK(std::isfinite(w.value[2]));
  });
}

TEST_CASE("moments that fade to nothing leave no trace above 1e-30") {
  // One gradient, then none for long: in float the moments of the reference become denormal, and stay so.
  constexpr int steps = 3000;
  weights<float> w(1);
  gal::sgd<float> descent({.learning_rate = 1e-10, .momentum = 0.9});
  w.value = {0.0f};
  float value = 0.0f, moment = 0.0f;
  for (int t = 0; t < steps; ++t) {
    w.gradient[0] = t == 0 ? 1.0f : 0.0f;
    descent.step(w.all());
    moment = 0.9f * moment + w.gradient[0];
    value -= 1e-10f * moment;
  }
  CHECK(moment > 0.0f);  // a denormal number
  CHECK(moment < std::numeric_limits<float>::min());
  CHECK(std::abs(w.value[0] - value) <= 1e-30f);
  CHECK(w.value[0] < -5e-10f);

  gal::adam<float> adam({.learning_rate = 1e-10});
  w.value = {0.0f};
  std::vector<formula> reference = {adam_formula(1e-10, 0.9, 0.999, 1e-8, 0, false)};
  double expected = 0.0;
  for (int t = 1; t <= steps; ++t) {
    w.gradient[0] = t == 1 ? 1e-3f : 0.0f;
    adam.step(w.all());
    expected = reference[0](expected, static_cast<double>(w.gradient[0]), t);
  }
  CHECK(w.value[0] == Approx(expected).epsilon(1e-5).scale(0));

  // A gradient just above the smallest normal number counts in full.
  weights<float> small(1);
  small.value = {0.0f};
  small.gradient = {2e-38f};
  gal::sgd<float> keep({.learning_rate = 1.0, .momentum = 0.9});
  keep.step(small.all());
  CHECK(small.value[0] == -2e-38f);
}

TEST_CASE_TEMPLATE("a centred RMSProp survives constant gradients", T, float, double) {
  weights<T> w(1);
  w.gradient = {T(0.1)};
  gal::rmsprop<T> optimizer({.learning_rate = 1e-6, .smoothing = 0.5, .centred = true});
  for (int t = 0; t < 500; ++t) {  // the variance goes to zero, and rounding takes it below
    optimizer.step(w.all());
  }
  CHECK(std::isfinite(w.value[0]));
}

TEST_CASE_TEMPLATE("options can be named, kept and changed", T, float, double) {
  gal::adam_options options{.learning_rate = 0.5, .schedule = gal::constant_schedule(3)};
  options.beta1 = 0.8;
  const gal::adam<T> adam(options);
  CHECK(adam.options().beta1 == 0.8);
  CHECK(adam.learning_rate() == 0.5);
  CHECK(gal::adam<T>().options().weight_decay == 0.0);
  CHECK(gal::adamw<T>(gal::adamw_options()).options().weight_decay == 0.01);
  CHECK(gal::sgd<T>(gal::sgd_options{.momentum = 0.9}).options().learning_rate == 1e-2);
  CHECK(gal::rmsprop<T>(gal::rmsprop_options{}).options().smoothing == 0.99);
  CHECK(gal::adabound<T>(gal::adabound_options{.gamma = 0.5}).options().final_learning_rate == 0.1);
}

TEST_CASE("options out of range are refused by name and value") {
  using enum gal::error_code;
  CHECK(refusal(invalid_option, [] { return gal::sgd<float>({.learning_rate = -0.1}); }) ==
        "gal: the optimizer's learning_rate is -0.1; expected a number of at least 0");
  CHECK(refusal(invalid_option, [] { return gal::adam<float>({.learning_rate = not_a_number}); }) ==
        "gal: the optimizer's learning_rate is nan; expected a number of at least 0");
  CHECK(refusal(invalid_option, [] { return gal::adam<float>({.learning_rate = infinity}); }) ==
        "gal: the optimizer's learning_rate is inf; expected a number of at least 0");
  CHECK(refusal(invalid_option, [] { return gal::sgd<float>({.weight_decay = -1.0}); }) ==
        "gal: the optimizer's weight_decay is -1; expected a number of at least 0");
  CHECK(refusal(invalid_option, [] { return gal::sgd<float>({.momentum = 1.0}); }) ==
        "gal::sgd: momentum is 1; expected a number in [0, 1)");
  CHECK(refusal(invalid_option, [] { return gal::sgd<float>({.momentum = -0.5}); }) ==
        "gal::sgd: momentum is -0.5; expected a number in [0, 1)");
  CHECK(refusal(invalid_option, [] { return gal::sgd<float>({.nesterov = true}); }) ==
        "gal::sgd: nesterov is set with momentum 0; expected a positive momentum");
  CHECK(refusal(invalid_option, [] { return gal::rmsprop<float>({.smoothing = 1.0}); }) ==
        "gal::rmsprop: smoothing is 1; expected a number in [0, 1)");
  CHECK(refusal(invalid_option, [] { return gal::rmsprop<float>({.epsilon = -1e-8}); }) ==
        "gal::rmsprop: epsilon is -1e-08; expected a positive number");
  CHECK(refusal(invalid_option, [] { return gal::rmsprop<float>({.momentum = 1.5}); }) ==
        "gal::rmsprop: momentum is 1.5; expected a number in [0, 1)");
  CHECK(refusal(invalid_option, [] { return gal::adam<float>({.beta1 = 1.0}); }) ==
        "gal: the optimizer's beta1 is 1; expected a number in [0, 1)");
  CHECK(refusal(invalid_option, [] { return gal::adamw<float>({.beta2 = 1.0}); }) ==
        "gal: the optimizer's beta2 is 1; expected a number in [0, 1)");
  CHECK(refusal(invalid_option, [] { return gal::adabound<float>({.epsilon = -1.0}); }) ==
        "gal: the optimizer's epsilon is -1; expected a positive number");
  CHECK(refusal(invalid_option, [] { return gal::adabound<float>({.final_learning_rate = -1.0}); }) ==
        "gal::adabound: final_learning_rate is -1; expected a number of at least 0");
  CHECK(refusal(invalid_option, [] { return gal::adabound<float>({.gamma = 0.0}); }) ==
        "gal::adabound: gamma is 0; expected a positive number");
  CHECK(refusal(invalid_option, [] { return gal::sgd<float>({.clipping = {.value = 0.0}}); }) ==
        "gal: clipping.value is 0; expected a positive number");
  CHECK(refusal(invalid_option, [] { return gal::sgd<float>({.clipping = {.norm = not_a_number}}); }) ==
        "gal: clipping.norm is nan; expected a positive number");
  CHECK(refusal(invalid_option, [] {
          return gal::sgd<float>({.groups = {{}, {.learning_rate = -2.0}}});
        }) == "gal: a parameter group's learning_rate is -2; expected a number of at least 0");
  CHECK(refusal(invalid_option, [] { return gal::sgd<float>({.groups = {{.weight_decay = -2.0}}}); }) ==
        "gal: a parameter group's weight_decay is -2; expected a number of at least 0");

  gal::sgd<float> optimizer;
  CHECK(refusal(invalid_option, [&] { return optimizer.set_base_learning_rate(-1.0), 0; }) ==
        "gal: the optimizer's learning_rate is -1; expected a number of at least 0");
  CHECK(optimizer.learning_rate() == 1e-2);
  CHECK(refusal(invalid_option, [&] { return gal::lookahead(optimizer, {.k = 0}); }) ==
        "gal::lookahead: k is 0; expected at least 1");
  CHECK(refusal(invalid_option, [&] { return gal::lookahead(optimizer, {.alpha = 0.0}); }) ==
        "gal::lookahead: alpha is 0; expected a number in (0, 1]");
  CHECK(refusal(invalid_option, [&] { return gal::lookahead(optimizer, {.alpha = 1.5}); }) ==
        "gal::lookahead: alpha is 1.5; expected a number in (0, 1]");
}

TEST_CASE("AdaBound's bounds follow the learning rate") {
  const auto change = [](double first_rate, double rate) {
    weights<double> w(3);
    const std::vector<double> before = w.value;
    gal::adabound<double> optimizer(
        {.learning_rate = first_rate, .final_learning_rate = 0.5, .gamma = 100.0});
    optimizer.set_base_learning_rate(rate);
    w.draw_gradient(1);
    optimizer.step(w.all());
    return before[0] - w.value[0];
  };
  CHECK(change(0.1, 0.0) == 0.0);
  CHECK(change(0.0, 0.0) == 0.0);
  CHECK(change(0.1, 0.05) == Approx(change(0.1, 0.1) / 2));
}

TEST_CASE("a companion has the settings, and neither state nor groups nor schedule") {
  weights<double> w(4);
  w.draw_gradient(1);
  gal::adam<double> optimizer({.learning_rate = 0.1,
                               .weight_decay = 0.2,
                               .schedule = gal::step_schedule(1, 0.5),
                               .groups = {{.learning_rate = 3.0}}});
  optimizer.step(w.all());
  gal::adam<double> companion = optimizer.companion();
  CHECK(companion.steps() == 0);
  CHECK(companion.learning_rate() == 0.1);

  weights<double> others(9, 2);
  weights<double> expected(9, 2);
  others.draw_gradient(3);
  expected.draw_gradient(3);
  companion.step(others.all());
  gal::adam<double>({.learning_rate = 0.1, .weight_decay = 0.2}).step(expected.all());
  CHECK(others.value == expected.value);
}

TEST_CASE("lookahead goes over lookahead, and over optimizers that know nothing of backends") {
  struct descent {
    using value_type = double;
    double learning_rate() const { return 0.25; }
    void step(std::span<const gal::parameter<double>> parameters) {
      for (const auto& p : parameters) {
        for (std::size_t i = 0; i < p.value.size(); ++i) {
          p.value[i] -= 0.25 * p.gradient[i];
        }
      }
    }
  };
  weights<double> w(1);
  w.value = {8.0};
  w.gradient = {4.0};
  gal::lookahead inner(descent{}, {.k = 1, .alpha = 0.5});
  gal::lookahead<gal::lookahead<descent>> optimizer(inner, {.k = 1, .alpha = 0.5});
  optimizer.step(w.all());
  CHECK(w.value[0] == 7.75);  // a step of 1, of which each lookahead keeps a half
}

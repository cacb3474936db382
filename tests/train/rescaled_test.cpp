// Curvature-rescaled steps: what they are on problems that can be solved by hand, that the base rate cancels, what a step
// without slope or curvature leaves untouched, state, and misuse.

#include <gal/fit/fit.hpp>
#include <gal/gal.hpp>
#include <gal/io/checkpoint.hpp>

#include "counted_allocations.hpp"
#include "scratch.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using doctest::Approx;
using gal::curvature_kind;
using gal::curvature_pass;
namespace nn = gal::nn;

constexpr std::array all_kinds = {curvature_kind::exact, curvature_kind::gauss_newton, curvature_kind::larger,
                                  curvature_kind::remainder};
static_assert(all_kinds.size() == gal::enumerators_of<curvature_kind>.size());
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

template <class Values>
double distance(const Values& a, const Values& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return largest;
}

/// An optimizer of which nothing is known but what every optimizer has.
template <class T>
struct opaque {
  gal::adam<T> inner;
  [[nodiscard]] double learning_rate() const { return inner.learning_rate(); }
  void step(std::span<const gal::parameter<T>> parameters) { inner.step(parameters); }
};

/// A loss of which nothing is known but what every loss has.
template <class Loss>
struct opaque_loss {
  Loss inner;
  template <class T, class Target>
  void evaluate(const gal::eigen_backend& backend, gal::matrix_view<const T> features, const Target& targets,
                gal::matrix_view<double> losses, gal::matrix_view<T> gradient) const {
    inner.evaluate(backend, features, targets, losses, gradient);
  }
};

/// An optimizer that counts its steps.
template <class T>
struct counting {
  gal::sgd<T> inner;
  int* steps;
  [[nodiscard]] double learning_rate() const { return inner.learning_rate(); }
  void step(std::span<const gal::parameter<T>> parameters) {
    ++*steps;
    inner.step(parameters);
  }
};

template <class T>
nn::mlp<T> network(nn::activation activation = nn::activation::tanh) {
  return nn::mlp<T>({3, 8, 5, 2}, {.activation = activation, .seed = 3});
}

/// What a step of that kind says along the gradient times `rate`.
template <class T, class Model, class Loss, class Input, class Target>
gal::rescaled_report first_step(curvature_kind kind, Model model, double rate, const Loss& loss,
                                const Input& input, const Target& target) {
  gal::sgd<T> optimizer({.learning_rate = rate});
  gal::rescaled trainer(model, optimizer, loss, {.curvature = kind});
  return trainer.step(input, target);
}

template <class T, class Trainer>
void train(Trainer& trainer, int steps = 6) {
  for (int k = 0; k < steps; ++k) {
    trainer.step(random_matrix<T>(3, 7, static_cast<std::uint64_t>(10 + k)),
                 random_matrix<T>(2, 7, static_cast<std::uint64_t>(100 + k)));
  }
}

}  // namespace

static_assert(gal::trainer_for<gal::rescaled<nn::mlp<float>, gal::adam<float>, gal::mse>, gal::matrix<float>,
                               gal::matrix<float>>);

TEST_CASE("factor 1 lands on the minimum of the line where the loss is a parabola") {
  const auto x = random_matrix(3, 9, 1);
  const auto y = random_matrix(2, 9, 2);
  for (const curvature_kind kind : all_kinds) {
    nn::mlp<double> model({3, 2}, {.seed = 3});
    gal::sgd<double> optimizer({.learning_rate = 0.1});
    gal::rescaled trainer(model, optimizer, gal::mse(), {.curvature = kind, .factor = 1.0, .averaging = 0.0});
    const gal::rescaled_report report = trainer.step(x, y);
    CHECK(report.multiplier == Approx(report.slope / report.curvature).epsilon(1e-14));
    // What the parabola says of its minimum, and no slope there.
    CHECK(trainer.evaluate(x, y).mean ==
          Approx(report.loss - report.slope * report.slope / (2.0 * report.curvature)).epsilon(1e-13));
    gal::directional_expansion along(model);
    along.expand(gal::mse(), x, y, trainer.last_proposal(), gal::expansion_order::first);
    CHECK(std::abs(along.derivatives().first) <= 1e-15);
  }
}

TEST_CASE("a point on a bowl: slope, curvature and averages by hand") {
  // l = 3 a^2 / 2, from a = 2 along u = 6 times the rate 0.5: n = 18, c = 27; then from there.
  nn::point<double> model({2.0});
  gal::sgd<double> optimizer({.learning_rate = 0.5});
  const gal::sample_loss bowl(
      [](auto x, auto gradient) {
        gradient[0] = 3 * x[0];
        return 1.5 * x[0] * x[0];
      },
      [](auto, auto t) { return 3 * t[0] * t[0]; });
  gal::rescaled trainer(model, optimizer, bowl, {.factor = 0.5, .averaging = 0.75});
  const gal::rescaled_report first = trainer.step();
  CHECK(first.loss == 6.0);
  CHECK(first.gradient_norm == 6.0);
  CHECK(first.slope == Approx(18.0));
  CHECK(first.curvature == Approx(27.0));
  CHECK(first.gauss_newton == Approx(27.0));
  CHECK(first.second == Approx(27.0));
  CHECK(first.multiplier == Approx(0.5 * 18.0 / 27.0));
  CHECK(model.coordinates()(0, 0) == Approx(1.0));
  // u = 1.5: n = 4.5, c = 6.75; averages 0.75 * 0.25 * (18, 27) + 0.25 * (4.5, 6.75).
  const gal::rescaled_report second = trainer.step();
  CHECK(second.slope == Approx(4.5));
  CHECK(second.multiplier == Approx(0.5 * (3.375 + 1.125) / (5.0625 + 1.6875)));
}

TEST_CASE_TEMPLATE("the optimizer's learning rate cancels, over twelve decades", T, float, double) {
  const auto path = [](auto optimizer) {
    auto model = network<T>();
    gal::rescaled trainer(model, optimizer, gal::mse());
    train<T>(trainer, 12);
    return values_of(model);
  };
  const double tolerance = std::is_same_v<T, double> ? 1e-11 : 2e-4;
  const auto sgd = path(gal::sgd<T>({.learning_rate = 1.0, .momentum = 0.9}));
  const auto adam = path(gal::adam<T>({.learning_rate = 1.0}));
  for (const double rate : {1e-9, 1e-6, 1e-3, 1e3}) {
    CAPTURE(rate);
    CHECK(distance(path(gal::sgd<T>({.learning_rate = rate, .momentum = 0.9})), sgd) <= tolerance);
    CHECK(distance(path(gal::adam<T>({.learning_rate = rate})), adam) <= tolerance);
  }
}

TEST_CASE_TEMPLATE("both exact passes, and differences, take the same steps", T, float, double) {
  const auto path = [](auto model, const gal::rescaled_options& options) {
    gal::adam<T> optimizer;
    gal::rescaled trainer(model, optimizer, gal::mse(), options);
    train<T>(trainer);
    return values_of(model);
  };
  const bool is_double = std::is_same_v<T, double>;
  for (const curvature_kind kind :
       {curvature_kind::exact, curvature_kind::gauss_newton, curvature_kind::larger}) {
    const auto exact = path(network<T>(), {.curvature = kind});
    CHECK(distance(path(network<T>(), {.curvature = kind, .pass = curvature_pass::second_order}), exact) <=
          (is_double ? 1e-11 : 1e-3));
    const opaque_model<nn::mlp<T>> other{network<T>()};
    if (is_double || kind == curvature_kind::gauss_newton) {
      CHECK(distance(path(other, {.curvature = kind}), exact) <= (is_double ? 1e-5 : 1e-2));
    }
  }
}

TEST_CASE("an optimizer without proposals is asked by its step") {
  auto model = network<double>();
  auto other = network<double>();
  gal::adam<double> optimizer({.learning_rate = 0.01});
  opaque<double> its_optimizer{optimizer};
  gal::rescaled trainer(model, optimizer, gal::mse());
  gal::rescaled its_trainer(other, its_optimizer, gal::mse());
  train<double>(trainer);
  train<double>(its_trainer);
  CHECK(distance(values_of(model), values_of(other)) <= 1e-12);
}

TEST_CASE("the remainder nears the curvature at first order in the step, with closed forms and without") {
  const auto x = random_matrix(3, 7, 1);
  const auto y = random_matrix(2, 7, 2);
  const std::vector<int> labels = {0, 1, 1, 0, 1, 0, 0};
  const auto error_of = [&](const auto& model, double rate, const auto& loss, const auto& target) {
    const gal::rescaled_report found =
        first_step<double>(curvature_kind::remainder, model, rate, loss, x, target);
    const gal::rescaled_report exact =
        first_step<double>(curvature_kind::exact, model, rate, loss, x, target);
    CHECK(found.curvature == std::abs(found.second));
    CHECK(std::isnan(found.gauss_newton));
    CHECK(std::abs(found.slope / exact.slope - 1.0) <= 1e-12);
    return found.second / exact.second - 1.0;
  };
  const auto converges = [&](const auto& model, const auto& loss, const auto& target) {
    const double error = error_of(model, 1e-3, loss, target);
    CHECK(std::abs(error) > 1e-6);  // not by rounding alone
    CHECK(std::abs(error) < 1e-2);
    CHECK(std::abs(error_of(model, 1e-4, loss, target) / (0.1 * error) - 1.0) <= 0.02);
  };
  converges(network<double>(), gal::mse(), y);
  converges(network<double>(), gal::softmax_cross_entropy(), labels);
  converges(network<double>(), gal::huber(), y);
  converges(network<double>(), opaque_loss<gal::softmax_cross_entropy>{gal::softmax_cross_entropy()}, labels);
}

TEST_CASE("the remainder in float, a hundredth of the way to the minimum") {
  const auto x = random_matrix<float>(3, 7, 1);
  const auto y = random_matrix<float>(2, 7, 2);
  const auto step = [&](curvature_kind kind) {
    return first_step<float>(kind, network<float>(), 5e-3, gal::mse(), x, y);
  };
  const gal::rescaled_report exact = step(curvature_kind::exact);
  CHECK(exact.multiplier > 50.0);
  CHECK(std::abs(step(curvature_kind::remainder).second / exact.second - 1.0) <= 0.03);
}

TEST_CASE("the remainder asks nothing of a model but forward and backward") {
  const gal::rescaled_options options{.curvature = curvature_kind::remainder};
  auto model = network<float>();
  opaque_model<nn::mlp<float>> other{network<float>()};
  gal::adam<float> optimizer;
  gal::adam<float> its_optimizer;
  gal::rescaled trainer(model, optimizer, gal::mse(), options);
  gal::rescaled its_trainer(other, its_optimizer, gal::mse(), options);
  train<float>(trainer);
  train<float>(its_trainer);
  CHECK(values_of(model) == values_of(other));

  // Classes that the model masks out.
  struct masking : opaque_model<nn::mlp<double>> {
    gal::matrix<double> features;
    const gal::matrix<double>& forward(const gal::matrix_view<const double>& input) {
      features = model.forward(input);
      for (gal::index_type j = 0; j < features.columns(); ++j) {
        features(1, j) = -std::numeric_limits<double>::infinity();
      }
      return features;
    }
  };
  masking masked{{nn::mlp<double>({3, 3}, {.seed = 3})}, {}};
  gal::sgd<double> sgd;
  gal::rescaled masked_trainer(masked, sgd, gal::softmax_cross_entropy(), options);
  CHECK(masked_trainer.step(random_matrix(3, 4, 1), std::vector<int>{0, 2, 2, 0}).curvature > 0.0);

  // Noise: another loss in the second pass. Refused before the optimizer steps.
  nn::cnn<float> noisy({3, 1, 1}, {nn::flatten{}, nn::dropout{0.5}, nn::linear{2}});
  int steps = 0;
  counting<float> counted{gal::sgd<float>(), &steps};
  gal::rescaled noisy_trainer(noisy, counted, gal::mse(), options);
  CHECK(refusal(gal::error_code::invalid_option, [&] {
          return noisy_trainer.step(random_matrix<float>(3, 7, 1), random_matrix<float>(2, 7, 2));
        }).starts_with("gal::parameter_remainder: the model draws noise"));
  CHECK(steps == 0);
}

TEST_CASE("a model that throws at theta - u is put back") {
  struct throwing : opaque_model<nn::mlp<double>> {
    int passes_left = 1;
    const gal::matrix<double>& forward(const gal::matrix_view<const double>& input) {
      if (passes_left-- == 0) {
        throw std::runtime_error("no second pass");
      }
      return model.forward(input);
    }
  };
  throwing model{{network<double>()}};
  const auto before = values_of(model);
  gal::sgd<double> optimizer;
  gal::rescaled trainer(model, optimizer, gal::mse(), {.curvature = curvature_kind::remainder});
  CHECK_THROWS_AS(trainer.step(random_matrix(3, 7, 1), random_matrix(2, 7, 2)), std::runtime_error);
  CHECK(values_of(model) == before);
}

TEST_CASE("no step along a direction that does not descend or does not bend; the optimizer's state goes on") {
  struct ascent {
    int steps = 0;
    [[nodiscard]] double learning_rate() const { return 0.1; }
    void step(std::span<const gal::parameter<double>> parameters) {
      ++steps;
      for (const auto& block : parameters) {
        for (std::size_t i = 0; i < block.value.size(); ++i) {
          block.value[i] += 0.1 * block.gradient[i];
        }
      }
    }
  };
  const auto x = random_matrix(3, 7, 1);
  const auto y = random_matrix(2, 7, 2);
  for (const curvature_kind kind : all_kinds) {
    auto model = network<double>();
    const auto before = values_of(model);
    ascent optimizer;
    gal::rescaled trainer(model, optimizer, gal::mse(), {.curvature = kind});
    const gal::rescaled_report report = trainer.step(x, y);
    CHECK(report.slope < 0.0);
    CHECK(report.multiplier == 0.0);
    CHECK_FALSE(report.non_finite);
    CHECK(values_of(model) == before);
    CHECK(optimizer.steps == 1);
  }

  // A loss that is straight has no curvature.
  nn::point<double> point({2.0});
  gal::sgd<double> sgd;
  gal::rescaled straight(point, sgd,
                         gal::sample_loss(
                             [](auto a, auto gradient) {
                               gradient[0] = 3.0;
                               return 3.0 * a[0];
                             },
                             [](auto, auto) { return 0.0; }));
  CHECK(straight.step().multiplier == 0.0);
  CHECK(point.coordinates()(0, 0) == 2.0);

  // One whose curvature is no number is left out of the averages.
  double curvature = 2.0;
  nn::point<double> other({2.0});
  gal::rescaled odd(other, sgd,
                    gal::sample_loss(
                        [](auto a, auto gradient) {
                          gradient[0] = 2.0 * a[0];
                          return a[0] * a[0];
                        },
                        [&](auto, auto t) { return curvature * t[0] * t[0]; }));
  CHECK(odd.step().multiplier > 0.0);
  const auto stays = values_of(other);
  for (const double bad : {not_a_number, std::numeric_limits<double>::infinity()}) {
    curvature = bad;
    CHECK(odd.step().multiplier == 0.0);
    CHECK(values_of(other) == stays);
  }
  curvature = 2.0;
  CHECK(odd.step().multiplier > 0.0);
}

TEST_CASE("a batch that is not finite changes nothing, bit for bit") {
  const auto x = random_matrix(3, 7, 1);
  const auto y = random_matrix(2, 7, 2);
  gal::matrix<double> bad(y.view());
  bad(0, 3) = not_a_number;
  const auto path = [&](gal::non_finite_policy policy, bool disturbed) {
    auto model = network<double>();
    gal::adam<double> optimizer;
    gal::rescaled trainer(model, optimizer, gal::mse(), {.non_finite = policy});
    for (int k = 0; k < 4; ++k) {
      if (k == 2 && disturbed) {
        if (policy == gal::non_finite_policy::raise) {
          CHECK(refusal(gal::error_code::non_finite, [&] {
                  return trainer.step(x, bad);
                }).starts_with("gal::rescaled::step: the loss is not finite"));
        } else {
          const gal::rescaled_report report = trainer.step(x, bad);
          CHECK(report.non_finite);
          CHECK(std::isnan(report.multiplier));
        }
      }
      trainer.step(x, y);
    }
    return values_of(model);
  };
  for (const auto policy : {gal::non_finite_policy::skip, gal::non_finite_policy::raise}) {
    CHECK(path(policy, true) == path(policy, false));
  }
}

TEST_CASE("bounds and schedules") {
  const auto x = random_matrix(3, 7, 1);
  const auto y = random_matrix(2, 7, 2);
  const auto step = [&](const gal::rescaled_options& options) {
    auto model = network<double>();
    gal::sgd<double> optimizer;
    gal::rescaled trainer(model, optimizer, gal::mse(), options);
    trainer.step(x, y);
    return trainer.step(x, y).multiplier;
  };
  const double free = step({.averaging = 0.0, .schedule = gal::linear_warm_up(4, 0.5)});
  const double whole = step({.averaging = 0.0});
  CHECK(free != whole);
  CHECK(step({.averaging = 0.0, .largest = 0.25 * whole}) == 0.25 * whole);

  nn::point<double> point({2.0});
  gal::sgd<double> optimizer;
  const gal::sample_loss bowl(
      [](auto a, auto gradient) {
        gradient[0] = a[0];
        return 0.5 * a[0] * a[0];
      },
      [](auto, auto t) { return t[0] * t[0]; });
  gal::rescaled trainer(point, optimizer, bowl,
                        {.factor = 1.0, .averaging = 0.0, .schedule = gal::linear_warm_up(4, 0.5)});
  trainer.step();
  CHECK(point.coordinates()(0, 0) == Approx(1.0));  // half of the way
  trainer.step();
  CHECK(point.coordinates()(0, 0) == Approx(0.375));  // five eighths of it
}

TEST_CASE("the report names its numbers, fit trains, and a checkpoint goes on bit for bit") {
  const auto x = random_matrix(3, 23, 5);
  const auto y = random_matrix(2, 23, 6);
  const scratch folder;
  for (const curvature_kind kind : {curvature_kind::larger, curvature_kind::remainder}) {
    const gal::rescaled_options options{.curvature = kind, .schedule = gal::cosine_schedule(40)};
    auto model = network<double>();
    gal::adam<double> optimizer;
    gal::rescaled trainer(model, optimizer, gal::mse(), options);
    const double before = trainer.evaluate(x, y).mean;
    std::vector<std::pair<gal::matrix<double>, gal::matrix<double>>> batches = {{x, y}};
    const gal::fit_result result = gal::fit(trainer, batches, {.epochs = 20});
    CHECK(result.history.back().training_loss < 0.9 * before);
    CHECK(result.history.back().number("multiplier") > 0.0);
    CHECK(std::isfinite(result.history.back().number("curvature")));

    gal::save_checkpoint(folder.file("run"), trainer);
    auto its_model = network<double>(nn::activation::tanh);
    gal::adam<double> its_optimizer;
    gal::rescaled resumed(its_model, its_optimizer, gal::mse(), options);
    gal::load_checkpoint(folder.file("run"), resumed);
    for (int k = 0; k < 4; ++k) {
      CHECK(gal::state_difference(resumed, trainer) == "");
      trainer.step(x, y);
      resumed.step(x, y);
    }
    CHECK(values_of(model) == values_of(its_model));
  }
}

TEST_CASE("a step allocates nothing after the first, and threads change no bit") {
  const auto x = random_matrix<float>(3, 7, 1);
  const auto y = random_matrix<float>(2, 7, 2);
  for (const curvature_kind kind : all_kinds) {
    for (const curvature_pass pass : {curvature_pass::adjoints, curvature_pass::second_order}) {
      auto model = network<float>(nn::activation::silu);
      gal::adam<float> optimizer;
      gal::rescaled trainer(model, optimizer, gal::mse(), {.curvature = kind, .pass = pass});
      trainer.step(x, y);
      const long before = allocations;
      trainer.step(x, y);
      trainer.step(x, y);
      CHECK(allocations - before == 0);
    }
  }

  const auto wide_x = random_matrix<float>(40, 300, 1);
  const auto wide_y = random_matrix<float>(10, 300, 2);
  const auto path = [&](int threads) {
    const gal::eigen_backend backend(threads);
    nn::mlp<float> model({40, 90, 70, 10}, {.seed = 3}, backend);
    gal::adam<float> optimizer({}, backend);
    gal::rescaled trainer(model, optimizer, gal::mse());
    for (int k = 0; k < 4; ++k) {
      trainer.step(wide_x, wide_y);
    }
    return values_of(model);
  };
  const auto once = path(1);
  CHECK(path(2) == once);
  CHECK(path(5) == once);
}

TEST_CASE("options out of range") {
  auto model = network<double>();
  gal::sgd<double> optimizer;
  const auto message = [&](const gal::rescaled_options& options) {
    return refusal(gal::error_code::invalid_option, [&] {
      const gal::rescaled trainer(model, optimizer, gal::mse(), options);
      return 0;
    });
  };
  CHECK(message({.factor = 0.0}) == "gal::rescaled_options: factor is 0; expected a positive number");
  CHECK(message({.factor = not_a_number}) ==
        "gal::rescaled_options: factor is nan; expected a positive number");
  CHECK(message({.factor = std::numeric_limits<double>::infinity()}) ==
        "gal::rescaled_options: factor is inf; expected a finite number");
  CHECK(message({.averaging = 1.0}) == "gal::rescaled_options: averaging is 1; expected a number in [0, 1)");
  CHECK(message({.averaging = not_a_number}) ==
        "gal::rescaled_options: averaging is nan; expected a number in [0, 1)");
  CHECK(message({.largest = -1.0}) == "gal::rescaled_options: largest is -1; expected a positive number");
  CHECK(
      message({.curvature = static_cast<curvature_kind>(7)}).starts_with("gal::rescaled_options: curvature"));
  CHECK(message({.pass = static_cast<curvature_pass>(7)}).starts_with("gal::rescaled_options: pass"));
}

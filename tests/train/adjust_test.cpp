// The algorithm: gradients of its objective, identities of the remainder, the safeguard, what a refused step leaves
// untouched, and misuse.

#include <gal/gal.hpp>

#include "../backends/device/infinite_logits.hpp"
#include "backends/device/infinite_logits.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>

#include <Eigen/Core>

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

gal::adjust_options vanilla_options() {
  gal::adjust_options options;
  options.safeguard = gal::safeguard::never;
  options.adjuster.kind = gal::adjuster_kind::zero;
  return options;
}

double inner(gal::matrix_view<const double> a, gal::matrix_view<const double> b) {
  double result = 0.0;
  for (gal::index_type i = 0; i < a.size(); ++i) {
    result += a.data()[i] * b.data()[i];
  }
  return result;
}

std::string message_of(auto&& call) {
  try {
    call();
  } catch (const gal::error& failure) {
    return failure.what();
  }
  return "no error";
}

// y = a x, whose gradient is in new memory after every backward pass.
struct moving {
  using input_type = std::vector<double>;
  using feature_type = std::vector<double>;
  std::vector<double> a{0.0}, da{0.0}, x, y;
  const feature_type& forward(const input_type& input) {
    x = y = input;
    for (double& value : y) {
      value *= a[0];
    }
    return y;
  }
  void backward(const feature_type& gradient) {
    std::vector<double> sum(da);
    for (std::size_t j = 0; j < gradient.size(); ++j) {
      sum[0] += gradient[j] * x[j];
    }
    da.swap(sum);
  }
  auto parameters() { return std::array{std::pair{std::span(a), std::span(da)}}; }
};

}  // namespace

TEST_CASE("a model may move its gradients in the backward pass") {
  moving model;
  gal::sgd<double> optimizer({.learning_rate = 0.1});
  gal::adjust trainer(model, optimizer, gal::mse(), vanilla_options());
  trainer.step(std::vector<double>{1.0, 2.0}, std::vector<double>{3.0, 6.0});
  CHECK(model.a[0] == Approx(0.1 * 15.0));  // the gradient is -(2/2) (3 * 1 + 6 * 2)
}

TEST_CASE("the adjuster's gradient is that of its objective, in every setting") {
  const gal::matrix<double> start = random_matrix(3, 4, 1);
  const gal::matrix<double> target = random_matrix(3, 4, 2);
  const std::vector<int> labels{0, 2, 1, 1};

  const auto check = [&](auto loss, const auto& y, gal::adjust_options options) {
    const gal::index_type input_rows = options.input == gal::adjuster_input::losses     ? 1
                                       : options.input == gal::adjuster_input::features ? 3
                                                                                        : 6;
    const gal::index_type rows = options.normalisation == gal::normalisation::sample_weight ? 1 : 3;
    gal::adjuster<double> h({input_rows, 5, rows}, {.activation = gal::nn::tanh, .seed = 7});
    const auto run = [&](const gal::adjuster<double>& with) {
      gal::nn::point<double> model(start.view());
      gal::sgd<double> optimizer({.learning_rate = 0.7});
      gal::adjust trainer(model, optimizer, loss, options, with);
      const gal::adjust_report report = trainer.step(gal::nothing{}, y);
      std::vector<double> gradient;
      for (const auto& block : trainer.adjuster().parameters()) {
        gradient.insert(gradient.end(), block.gradient.begin(), block.gradient.end());
      }
      const double value =
          options.objective == gal::objective::remainder ? std::abs(report.remainder) : report.tentative_loss;
      return std::pair(value, gradient);
    };
    const std::vector<double> gradient = run(h).second;
    double largest = 0.0;
    std::size_t position = 0;
    for (const auto& block : h.parameters()) {
      for (double& value : block.value) {
        const double before = value;
        const double step = 1e-5;
        value = before + step;
        const double above = run(h).first;
        value = before - step;
        const double below = run(h).first;
        value = before;
        const double numerical = (above - below) / (2 * step);
        CHECK(gradient[position] == Approx(numerical).epsilon(1e-5).scale(1e-3));
        largest = std::max(largest, std::abs(numerical));
        ++position;
      }
    }
    CHECK(largest > 1e-6);  // or the comparison says nothing
  };

  for (const auto norm :
       {gal::normalisation::per_sample, gal::normalisation::per_batch, gal::normalisation::gate,
        gal::normalisation::sample_weight, gal::normalisation::additive}) {
    for (const auto goal : {gal::objective::remainder, gal::objective::tentative_loss}) {
      for (const auto kind : {gal::remainder_kind::exact, gal::remainder_kind::mean_over_samples,
                              gal::remainder_kind::mean_over_coordinates}) {
        for (const bool centred : {false, true}) {
          gal::adjust_options options = gal::paper();
          options.epsilon = 0.6;
          options.normalisation = norm;
          options.objective = goal;
          options.remainder = kind;
          options.remove_mean = centred;
          options.input =
              norm == gal::normalisation::sample_weight
                  ? gal::adjuster_input::losses
                  : (centred ? gal::adjuster_input::features : gal::adjuster_input::features_and_gradients);
          options.tentative_step =
              centred ? gal::tentative_step::sample_gradients : gal::tentative_step::mean_gradient;
          CAPTURE(static_cast<int>(norm));
          CAPTURE(static_cast<int>(goal));
          CAPTURE(static_cast<int>(kind));
          CAPTURE(centred);
          check(gal::mse(), target, options);
          check(gal::softmax_cross_entropy(), labels, options);
        }
      }
    }
  }
}

TEST_CASE("a linear loss has no remainder") {
  gal::nn::point<double> model(random_matrix(3, 5, 3).view());
  gal::sgd<double> optimizer({.learning_rate = 2.0});
  const gal::sample_loss linear([](auto x, auto gradient) {
    gradient[0] = 2.0;
    gradient[1] = -1.0;
    gradient[2] = 0.5;
    return 2.0 * x[0] - x[1] + 0.5 * x[2];
  });
  gal::adjust trainer(model, optimizer, linear, {.epsilon = 0.9});
  for (int k = 0; k < 5; ++k) {
    const gal::adjust_report report = trainer.step();
    CHECK(report.adjustment_norm > 0.0);
    CHECK(std::abs(report.remainder) < 1e-13);
  }
}

TEST_CASE("a quadratic loss has exactly half the second-order term as its remainder") {
  // l(x) = x^T M x / 2, M = [[3, 1], [1, 2]].
  const gal::sample_loss quadratic([](auto x, auto gradient) {
    gradient[0] = 3 * x[0] + x[1];
    gradient[1] = x[0] + 2 * x[1];
    return 0.5 * (x[0] * gradient[0] + x[1] * gradient[1]);
  });
  gal::nn::point<double> model(random_matrix(2, 3, 4).view());
  gal::sgd<double> optimizer({.learning_rate = 0.3});
  gal::adjust_options options = gal::paper();
  options.epsilon = 0.5;
  gal::adjust trainer(model, optimizer, quadratic, options);
  const gal::adjust_report report = trainer.step();
  double half = 0.0;
  for (gal::index_type j = 0; j < 3; ++j) {
    const double d0 = 0.3 * (trainer.last_gradient()(0, j) + trainer.last_adjustment()(0, j));
    const double d1 = 0.3 * (trainer.last_gradient()(1, j) + trainer.last_adjustment()(1, j));
    half += 0.5 * (3 * d0 * d0 + 2 * d0 * d1 + 2 * d1 * d1) / 3.0;
  }
  CHECK(report.remainder == Approx(half).epsilon(1e-12));
  CHECK(report.remainder > 0.0);
}

TEST_CASE("the report says what it measured") {
  const gal::matrix<double> start = random_matrix(4, 6, 5);
  const gal::matrix<double> target = random_matrix(4, 6, 6);
  gal::nn::point<double> model(start.view());
  gal::sgd<double> optimizer({.learning_rate = 0.4});
  gal::adjust_options options = gal::paper();
  options.report_vanilla = true;
  options.tau = 2.0;
  gal::adjust trainer(model, optimizer, gal::mse(), options);
  const gal::adjust_report report = trainer.step(gal::nothing{}, target);

  const auto loss_at = [&](double scale, bool adjusted) {
    gal::matrix<double> moved(start.view());
    for (gal::index_type i = 0; i < moved.size(); ++i) {
      moved.data()[i] -= scale * (trainer.last_gradient().data()[i] +
                                  (adjusted ? trainer.last_adjustment().data()[i] : 0.0));
    }
    return gal::evaluate_loss(gal::mse(), moved, target).mean;
  };
  CHECK(report.loss == Approx(loss_at(0.0, false)).epsilon(1e-14));
  CHECK(report.tentative_loss == Approx(loss_at(0.8, true)).epsilon(1e-13));
  CHECK(report.vanilla_tentative_loss == Approx(loss_at(0.8, false)).epsilon(1e-13));
  const double gg = inner(trainer.last_gradient(), trainer.last_gradient());
  const double aa = inner(trainer.last_adjustment(), trainer.last_adjustment());
  const double ga = inner(trainer.last_gradient(), trainer.last_adjustment());
  CHECK(report.remainder == Approx(report.tentative_loss - report.loss + 0.8 * (gg + ga)).epsilon(1e-10));
  CHECK(report.gradient_norm == Approx(std::sqrt(gg)));
  CHECK(report.adjustment_norm == Approx(std::sqrt(aa)));
  CHECK(report.adjustment_norm == Approx(options.epsilon * std::sqrt(gg)));
  CHECK(report.cosine == Approx(ga / std::sqrt(gg * aa)));
  CHECK(report.learning_rate == 0.4);
  CHECK_FALSE(report.non_finite);
  CHECK(report.accepted == (report.tentative_loss <= report.loss));
}

TEST_CASE("an adjustment of strength zero, and no adjuster, are the plain optimizer to the bit") {
  const auto path = [](gal::adjust_options options, bool by_hand) {
    gal::nn::mlp<double> model({3, 6, 2}, {.seed = 11});
    gal::adam<double> optimizer({.learning_rate = 0.02});
    gal::adjust trainer(model, optimizer, gal::mse(), options);
    const gal::matrix<double> x = random_matrix(3, 8, 12);
    const gal::matrix<double> y = random_matrix(2, 8, 13);
    for (int k = 0; k < 20; ++k) {
      if (by_hand) {
        const auto loss = gal::evaluate_loss(gal::mse(), model.forward(x), y);
        for (const auto& block : model.parameters()) {
          std::ranges::fill(block.gradient, 0.0);
        }
        model.backward(loss.gradient);
        optimizer.step(model.parameters());
      } else {
        trainer.step(x, y);
      }
    }
    return values_of(model);
  };
  const std::vector<double> plain = path({}, true);
  CHECK(path(vanilla_options(), false) == plain);
  CHECK(path({.epsilon = 0.0}, false) == plain);
  gal::adjust_options never;
  never.safeguard = gal::safeguard::never;
  CHECK(path(never, false) == plain);
  CHECK(path({}, false) != plain);
}

TEST_CASE("the safeguard decides by the tentative losses, for the batch or for every sample") {
  const gal::index_type samples = 9;
  const gal::matrix<double> target = random_matrix(2, samples, 21);
  int both_ways[2] = {0, 0};
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    for (const auto rule :
         {gal::safeguard::not_worse, gal::safeguard::better, gal::safeguard::not_worse_than_vanilla,
          gal::safeguard::always, gal::safeguard::never}) {
      for (const auto decision : {gal::decision::per_batch, gal::decision::per_sample}) {
        const gal::matrix<double> start = random_matrix(2, samples, 100 + seed);
        gal::nn::point<double> model(start.view());
        const double rate = 7.0;  // so long a step that some of them fail
        gal::sgd<double> optimizer({.learning_rate = rate});
        gal::adjust_options options = gal::paper();
        options.epsilon = 1.5;
        options.safeguard = rule;
        options.decision = decision;
        options.adjuster.seed = seed;
        gal::adjust trainer(model, optimizer, gal::mse(), options);
        const gal::adjust_report report = trainer.step(gal::nothing{}, target);

        const auto samples_at = [&](bool adjusted, double scale) {
          gal::matrix<double> moved(start.view());
          for (gal::index_type i = 0; i < moved.size(); ++i) {
            moved.data()[i] -= scale * (trainer.last_gradient().data()[i] +
                                        (adjusted ? trainer.last_adjustment().data()[i] : 0.0));
          }
          return gal::evaluate_loss(gal::mse(), moved, target);
        };
        const auto now = samples_at(false, 0.0);
        const auto vanilla = samples_at(false, rate);
        const auto adjusted = samples_at(true, rate);
        const auto passes = [&](double tentative, double loss, double plain) {
          switch (rule) {
            case gal::safeguard::not_worse:
              return tentative <= loss;
            case gal::safeguard::better:
              return tentative < loss;
            case gal::safeguard::not_worse_than_vanilla:
              return tentative <= plain;
            case gal::safeguard::always:
              return true;
            case gal::safeguard::never:
              break;
          }
          return false;
        };
        double share = 0.0;
        for (gal::index_type j = 0; j < samples; ++j) {
          const bool expected =
              decision == gal::decision::per_batch
                  ? passes(adjusted.mean, now.mean, vanilla.mean)
                  : passes(adjusted.samples(0, j), now.samples(0, j), vanilla.samples(0, j));
          share += expected ? 1.0 / static_cast<double>(samples) : 0.0;
          ++both_ways[expected ? 1 : 0];
          for (gal::index_type i = 0; i < 2; ++i) {
            const double used =
                trainer.last_gradient()(i, j) + (expected ? trainer.last_adjustment()(i, j) : 0.0);
            CHECK(model.coordinates()(i, j) == Approx(start(i, j) - rate * used).epsilon(1e-13));
          }
        }
        CHECK(report.accepted_share == Approx(share));
        CHECK(report.accepted == (share > 0.0));
      }
    }
  }
  CHECK(both_ways[0] > 100);
  CHECK(both_ways[1] > 100);
}

TEST_CASE("<= accepts a step that changes nothing, < does not") {
  // Constant loss: the tentative loss equals the loss.
  const gal::sample_loss flat([](auto, auto) { return 4.0; });
  for (const bool strict : {false, true}) {
    gal::nn::point<double> model({1.0, 2.0});
    gal::sgd<double> optimizer;
    gal::adjust_options options = gal::paper();
    options.safeguard = strict ? gal::safeguard::better : gal::safeguard::not_worse;
    gal::adjust trainer(model, optimizer, flat, options);
    const gal::adjust_report report = trainer.step();
    CHECK(report.accepted == !strict);
    CHECK(report.adjustment_norm == 0.0);
    CHECK(report.cosine == 0.0);
  }
}

TEST_CASE("a scalar feature cannot learn under per-sample normalisation") {
  gal::nn::point<double> model(random_matrix(1, 6, 31).view());
  gal::sgd<double> optimizer({.learning_rate = 0.5});
  gal::adjust trainer(model, optimizer, gal::mse(), gal::paper());
  trainer.step(gal::nothing{}, random_matrix(1, 6, 32));
  for (const auto& block : trainer.adjuster().parameters()) {
    for (const double gradient : block.gradient) {
      CHECK(std::abs(gradient) < 1e-15);
    }
  }
}

TEST_CASE("with sample gradients, writing every sample twice changes nothing") {
  const gal::matrix<double> x = random_matrix(3, 5, 41);
  const gal::matrix<double> y = random_matrix(2, 5, 42);
  const auto path = [&](int copies) {
    gal::matrix<double> many_x(3, 5 * copies);
    gal::matrix<double> many_y(2, 5 * copies);
    for (gal::index_type j = 0; j < 5 * copies; ++j) {
      for (gal::index_type i = 0; i < 3; ++i) {
        many_x(i, j) = x(i, j / copies);
      }
      for (gal::index_type i = 0; i < 2; ++i) {
        many_y(i, j) = y(i, j / copies);
      }
    }
    gal::nn::mlp<double> model({3, 7, 2}, {.activation = gal::nn::tanh, .seed = 43});
    gal::sgd<double> optimizer({.learning_rate = 0.1});
    gal::adjust_options options;
    options.training = gal::adjuster_training::model_optimizer;
    gal::adjust trainer(model, optimizer, gal::mse(), options);
    for (int k = 0; k < 10; ++k) {
      trainer.step(many_x, many_y);
    }
    return values_of(model);
  };
  const std::vector<double> once = path(1);
  const std::vector<double> twice = path(2);
  for (std::size_t i = 0; i < once.size(); ++i) {
    CHECK(once[i] == Approx(twice[i]).epsilon(1e-11));
  }
}

TEST_CASE("the order of the samples does not matter beyond rounding") {
  const gal::matrix<double> x = random_matrix(3, 11, 51);
  const std::vector<int> y{0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2};
  gal::matrix<double> reversed_x(3, 11);
  std::vector<int> reversed_y(11);
  for (gal::index_type j = 0; j < 11; ++j) {
    std::ranges::copy(x.view().column(10 - j), reversed_x.view().column(j).begin());
    reversed_y[static_cast<std::size_t>(j)] = y[static_cast<std::size_t>(10 - j)];
  }
  const auto path = [](const auto& features, const auto& labels) {
    gal::nn::mlp<double> model({3, 8, 4}, {.activation = gal::nn::tanh, .seed = 52});
    gal::adam<double> optimizer({.learning_rate = 0.01});
    gal::adjust trainer(model, optimizer, gal::softmax_cross_entropy(), {.epsilon = 0.5});
    for (int k = 0; k < 15; ++k) {
      trainer.step(features, labels);
    }
    return values_of(model);
  };
  const std::vector<double> forwards = path(x, y);
  const std::vector<double> backwards = path(reversed_x, reversed_y);
  for (std::size_t i = 0; i < forwards.size(); ++i) {
    CHECK(forwards[i] == Approx(backwards[i]).epsilon(1e-9));
  }
}

TEST_CASE("the same seed gives the same bits, and several adjuster steps another path") {
  const auto path = [](int adjuster_steps, std::uint64_t seed) {
    gal::nn::mlp<float> model({4, 9, 3}, {.seed = 61});
    gal::adam<float> optimizer({.learning_rate = 0.01});
    gal::adjust_options options;
    options.adjuster_steps = adjuster_steps;
    options.adjuster.seed = seed;
    gal::adjust trainer(model, optimizer, gal::mse(), options);
    const auto x = random_matrix<float>(4, 16, 62);
    const auto y = random_matrix<float>(3, 16, 63);
    for (int k = 0; k < 25; ++k) {
      trainer.step(x, y);
    }
    return values_of(model);
  };
  CHECK(path(1, 5) == path(1, 5));
  CHECK(path(4, 5) == path(4, 5));
  CHECK(path(1, 5) != path(4, 5));
  CHECK(path(1, 5) != path(1, 6));
}

TEST_CASE("in float the remainder has the digits that a subtraction would lose") {
  const auto remainder = []<class T>(T) {
    gal::nn::point<T> model(random_matrix<T>(4, 8, 71).view());
    gal::sgd<T> optimizer({.learning_rate = 1e-4});
    gal::adjust trainer(model, optimizer, gal::softmax_cross_entropy(), gal::paper());
    const std::vector<int> labels{0, 1, 2, 3, 3, 2, 1, 0};
    return trainer.step(gal::nothing{}, labels);
  };
  const gal::adjust_report single = remainder(0.0f);
  const gal::adjust_report exact = remainder(0.0);
  CHECK(exact.remainder < 1e-9 * exact.loss);
  CHECK(single.remainder == Approx(exact.remainder).epsilon(1e-4));
}

TEST_CASE("a loss without closed form gets its remainder by subtraction in double, also for a float model") {
  const auto remainder = []<class T>(T, auto loss) {
    gal::nn::point<T> model(random_matrix<T>(3, 4, 81).view());
    gal::sgd<T> optimizer({.learning_rate = 0.01});
    gal::adjust trainer(model, optimizer, loss, gal::paper());
    return trainer.step(gal::nothing{}, random_matrix<T>(3, 4, 82)).remainder;
  };
  const gal::sample_loss by_hand([](auto x, auto y, auto gradient) {
    double sum = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double r = x[i] - static_cast<double>(y[i]);
      sum += r * r / 3.0;
      gradient[i] = 2.0 * r / 3.0;
    }
    return sum;
  });
  const double closed = remainder(0.0, gal::mse());
  CHECK(remainder(0.0, by_hand) == Approx(closed).epsilon(1e-8));
  CHECK(remainder(0.0f, by_hand) == Approx(closed).epsilon(1e-4));
}

TEST_CASE("noise adjusts, does not learn, and goes on from step to step") {
  for (const auto kind : {gal::adjuster_kind::uniform, gal::adjuster_kind::normal}) {
    gal::nn::point<double> model(random_matrix(3, 4, 91).view());
    gal::sgd<double> optimizer({.learning_rate = 1e-3});
    gal::adjust_options options = gal::paper();
    options.adjuster.kind = kind;
    gal::adjust trainer(model, optimizer, gal::mse(), options);
    const gal::matrix<double> target = random_matrix(3, 4, 92);
    trainer.step(gal::nothing{}, target);
    const gal::matrix<double> first(trainer.last_adjustment());
    trainer.step(gal::nothing{}, target);
    const gal::matrix<double> second(trainer.last_adjustment());
    CHECK(inner(first, first) > 0.0);
    CHECK(std::abs(inner(first, second)) < 0.99 * std::sqrt(inner(first, first) * inner(second, second)));
    CHECK(trainer.adjuster().parameters().empty());
  }
}

namespace {

/// y = a x for one feature, whose parameter gradient overflows for one input value although features and loss do not.
struct explosive {
  using input_type = gal::matrix_view<const double>;
  using feature_type = gal::matrix<double>;
  gal::matrix<double> value{1, 1, 0.5};
  gal::matrix<double> gradient{1, 1};
  gal::matrix<double> features;
  input_type input;

  const feature_type& forward(const input_type& x) {
    input = x;
    features = gal::matrix<double>(x);
    for (gal::index_type j = 0; j < features.columns(); ++j) {
      features(0, j) *= value(0, 0);
    }
    return features;
  }
  void backward(const feature_type& g) {
    for (gal::index_type j = 0; j < g.columns(); ++j) {
      gradient(0, 0) += g(0, j) * input(0, j);
      if (input(0, j) == 13.0) {
        gradient(0, 0) = std::numeric_limits<double>::infinity();
      }
    }
  }
  auto parameters() {
    return std::array{std::pair(std::span(value.data(), 1), std::span(gradient.data(), 1))};
  }
};

}  // namespace

TEST_CASE("a refused step leaves no trace") {
  const gal::matrix<double> good_x = random_matrix(1, 6, 95);
  const gal::matrix<double> good_y = random_matrix(1, 6, 96);
  gal::matrix<double> bad_x(good_x.view());
  gal::matrix<double> bad_y(good_y.view());

  // The state that decides what comes next: several good steps after the bad one must be those without it.
  const auto path = [&](gal::adjust_options options, const gal::matrix<double>* x,
                        const gal::matrix<double>* y) {
    explosive model;
    gal::lookahead optimizer(gal::adam<double>({.learning_rate = 0.05}), {.k = 3});
    gal::adjust trainer(model, optimizer, gal::mse(), options);
    std::vector<double> numbers;
    for (int k = 0; k < 8; ++k) {
      if (k == 4 && x != nullptr) {
        if (options.non_finite == gal::non_finite_policy::raise) {
          const std::string message = message_of([&] { trainer.step(*x, *y); });
          CHECK(message.find("not finite") != std::string::npos);
        } else {
          const gal::adjust_report refused = trainer.step(*x, *y);
          CHECK(refused.non_finite);
          CHECK_FALSE(refused.accepted);
        }
      }
      const gal::adjust_report report = trainer.step(good_x, good_y);
      CHECK_FALSE(report.non_finite);
      numbers.insert(numbers.end(), {report.loss, report.tentative_loss, report.remainder, report.cosine,
                                     model.value(0, 0)});
    }
    const std::vector<double> weights = values_of(trainer.adjuster());
    numbers.insert(numbers.end(), weights.begin(), weights.end());
    return numbers;
  };

  std::vector<std::pair<gal::matrix<double>, gal::matrix<double>>> bad;
  bad_y(0, 2) = std::numeric_limits<double>::quiet_NaN();
  bad.emplace_back(good_x, bad_y);
  bad_x(0, 3) = std::numeric_limits<double>::infinity();
  bad.emplace_back(bad_x, good_y);
  bad_x(0, 3) = 13.0;  // the loss is finite, the parameter's gradient is not
  bad.emplace_back(bad_x, good_y);

  for (const auto kind : {gal::adjuster_kind::learned, gal::adjuster_kind::normal}) {
    for (const int steps : {1, 3}) {
      for (const auto training :
           {gal::adjuster_training::own_adam, gal::adjuster_training::model_optimizer}) {
        for (const auto policy : {gal::non_finite_policy::skip, gal::non_finite_policy::raise}) {
          gal::adjust_options options;
          options.adjuster.kind = kind;
          options.adjuster_steps = steps;
          options.training = training;
          options.non_finite = policy;
          const std::vector<double> undisturbed = path(options, nullptr, nullptr);
          for (const auto& [x, y] : bad) {
            CHECK(path(options, &x, &y) == undisturbed);
          }
        }
      }
    }
  }
}

TEST_CASE("under ignore the step is taken") {
  explosive model;
  gal::sgd<double> optimizer;
  gal::adjust_options options;
  options.non_finite = gal::non_finite_policy::ignore;
  gal::adjust trainer(model, optimizer, gal::mse(), options);
  const gal::matrix<double> x(1, 2, std::numeric_limits<double>::quiet_NaN());
  trainer.step(x, gal::matrix<double>(1, 2, 1.0));
  CHECK(std::isnan(model.value(0, 0)));
}

TEST_CASE("a tentative loss that is not finite is rejected and teaches nothing") {
  // Finite for x >= 0, undefined below, where a long step leads.
  const gal::sample_loss cliff([](auto x, auto gradient) {
    gradient[0] = 1.0;
    gradient[1] = 1.0;
    return x[0] < 0.0 ? std::numeric_limits<double>::quiet_NaN() : x[0] + x[1];
  });
  gal::nn::point<double> model({1.0, 1.0});
  gal::sgd<double> optimizer({.learning_rate = 0.1});
  gal::adjust_options options = gal::paper();
  options.tau = 1000.0;
  gal::adjuster<double> h({2, 4, 2}, {.seed = 3});
  const std::vector<double> before = values_of(h);
  gal::adjust trainer(model, optimizer, cliff, options, h);
  const gal::adjust_report report = trainer.step();
  CHECK_FALSE(report.accepted);
  CHECK_FALSE(report.non_finite);
  CHECK(std::isnan(report.tentative_loss));
  CHECK(model.coordinates()(0, 0) == Approx(0.9));
  CHECK(values_of(trainer.adjuster()) == before);
}

TEST_CASE_TEMPLATE("classes that are masked out train the others, and get no gradient themselves", T, float,
                   double) {
  infinite_logits::check_training<gal::eigen_backend, T>();
}

namespace {

// One number for every feature, and NaN for sample 0: for its masked logit alone, or for all of it.
struct broken_adjuster {
  bool whole;
  double s = 0.3;
  double ds = 0.0;
  gal::matrix<double> h{};

  const gal::matrix<double>& forward(gal::matrix_view<const double> x) {
    for (gal::index_type i = 0; i < x.size(); ++i) {
      CHECK(std::isfinite(x.data()[i]));
    }
    h = gal::matrix<double>(x.rows(), x.columns(), s);
    for (gal::index_type i = 0; i < (whole ? x.rows() : 1); ++i) {
      h(i, 0) = std::numeric_limits<double>::quiet_NaN();
    }
    return h;
  }
  void backward(gal::matrix_view<const double> gradient) {
    for (gal::index_type i = 0; i < gradient.size(); ++i) {
      ds += gradient.data()[i];
    }
  }
  auto parameters() { return std::array{gal::parameter<double>({&s, 1}, {&ds, 1})}; }
};

}  // namespace

TEST_CASE("an adjuster that makes NaN of a masked class is not used, and learns nothing") {
  const auto x = random_matrix<double>(3, 8, 1);
  const std::vector<int> y = {1, 2, 3, 0, 2, 3, 0, 1};
  using network = infinite_logits::masked_network<double, gal::eigen_backend>;
  for (const auto normalisation :
       {gal::normalisation::gate, gal::normalisation::per_sample, gal::normalisation::per_batch}) {
    for (const bool whole : {false, true}) {
      for (const bool per_batch : {false, true}) {
        network plain({3, 5, 4}, {}), model({3, 5, 4}, {});
        gal::adam<double> plain_optimizer, optimizer;
        gal::adjust_options options;
        options.input = gal::adjuster_input::features;
        options.normalisation = normalisation;
        options.decision = per_batch ? gal::decision::per_batch : gal::decision::per_sample;
        options.epsilon = 0.1;
        options.safeguard = gal::safeguard::not_worse;
        gal::adjust vanilla(plain, plain_optimizer, gal::softmax_cross_entropy(), vanilla_options());
        gal::adjust trainer(model, optimizer, gal::softmax_cross_entropy(), options, broken_adjuster{whole});
        const bool none = per_batch || normalisation == gal::normalisation::per_batch;
        for (int step = 0; step < 5; ++step) {
          vanilla.step(x, y);
          const gal::adjust_report report = trainer.step(x, y);
          CHECK_FALSE(report.non_finite);
          CHECK(report.accepted_share <= (none ? 0.0 : 7.0 / 8.0));
        }
        CHECK(trainer.adjuster().s == 0.3);
        const std::vector<double> values = values_of(model);
        CHECK(std::ranges::all_of(values, [](double value) { return std::isfinite(value); }));
        if (none) {
          CHECK(values == values_of(plain));
        }

        // Without a safeguard the step is refused.
        options.safeguard = gal::safeguard::always;
        gal::adjust careless(model, optimizer, gal::softmax_cross_entropy(), options, broken_adjuster{true});
        CHECK(careless.step(x, y).non_finite);
        CHECK(values_of(model) == values);
      }
    }
  }
}

TEST_CASE("the adjuster may step with the model's optimizer or with its own Adam") {
  const gal::matrix<double> target = random_matrix(3, 4, 101);
  const auto first_step = [&](gal::adjuster_training training) {
    gal::nn::point<double> model(random_matrix(3, 4, 102).view());
    gal::sgd<double> optimizer({.learning_rate = 0.25});
    gal::adjust_options options = gal::paper();
    options.training = training;
    options.adjuster_learning_rate = 0.125;
    gal::adjuster<double> h({3, 4, 3}, {.seed = 3});
    const std::vector<double> before = values_of(h);
    gal::adjust trainer(model, optimizer, gal::mse(), options, h);
    trainer.step(gal::nothing{}, target);
    const std::vector<double> after = values_of(trainer.adjuster());
    std::size_t i = 0;
    for (const auto& block : trainer.adjuster().parameters()) {
      for (const double gradient : block.gradient) {
        // Adam's first step is its learning rate along the sign (but for its epsilon).
        const double change = training == gal::adjuster_training::own_adam
                                  ? -0.125 * gradient / (std::abs(gradient) + 1e-8)
                                  : -0.25 * gradient;
        CHECK(after[i] - before[i] == Approx(change).epsilon(1e-6).scale(1e-3));
        ++i;
      }
    }
  };
  first_step(gal::adjuster_training::own_adam);
  first_step(gal::adjuster_training::model_optimizer);
}

TEST_CASE("a changed learning rate of the model's optimizer reaches the adjuster and the tentative step") {
  gal::nn::point<double> model({1.0, 2.0});
  gal::sgd<double> optimizer({.learning_rate = 0.5});
  const gal::sample_loss bowl([](auto x, auto gradient) {
    gradient[0] = 2 * x[0];
    gradient[1] = 2 * x[1];
    return x[0] * x[0] + x[1] * x[1];
  });
  gal::adjust trainer(model, optimizer, bowl, gal::paper());
  trainer.step();
  optimizer.set_base_learning_rate(0.0);
  const std::vector<double> adjuster = values_of(trainer.adjuster());
  const std::vector<double> point = values_of(model);
  const gal::adjust_report report = trainer.step();
  CHECK(report.learning_rate == 0.0);
  CHECK(report.remainder == 0.0);
  CHECK(values_of(trainer.adjuster()) == adjuster);
  CHECK(values_of(model) == point);
}

TEST_CASE("the adjuster's copy of the model's optimizer starts without its state") {
  const gal::matrix<double> target = random_matrix(3, 4, 103);
  gal::nn::point<double> model(random_matrix(3, 4, 104).view());
  gal::adam<double> optimizer({.learning_rate = 0.1});
  gal::adjust(model, optimizer, gal::mse()).step(gal::nothing{}, target);

  gal::adjuster<double> h({3, 4, 3}, {.seed = 3});
  const std::vector<double> before = values_of(h);
  gal::adjust trainer(model, optimizer, gal::mse(), gal::paper(), h);
  trainer.step(gal::nothing{}, target);
  const std::vector<double> after = values_of(trainer.adjuster());
  for (std::size_t i = 0; i < before.size(); ++i) {
    CHECK(std::abs(after[i] - before[i]) <= 0.1);  // Adam's first step is its learning rate at most
  }
  CHECK(after != before);
}

TEST_CASE("a schedule runs at the same pace for model and adjuster") {
  const gal::matrix<double> target = random_matrix(3, 4, 105);
  gal::nn::point<double> model(random_matrix(3, 4, 106).view());
  gal::sgd<double> optimizer({.learning_rate = 0.1, .schedule = gal::step_schedule(3, 0.0)});
  gal::adjust_options options = gal::paper();
  options.adjuster_steps = 5;
  gal::adjust trainer(model, optimizer, gal::mse(), options);
  std::vector<double> before;
  for (int step = 0; step < 5; ++step) {
    const double rate = trainer.step(gal::nothing{}, target).learning_rate;
    CHECK(rate == (step < 3 ? 0.1 : 0.0));
    const std::vector<double> after = values_of(trainer.adjuster());
    CHECK((after == before) == (rate == 0.0));
    before = after;
  }
}

TEST_CASE("Eigen types go in as they are") {
  gal::nn::mlp<float> model({3, 5, 1}, {.seed = 111});
  gal::adam<float> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
  const Eigen::MatrixXf x = Eigen::MatrixXf::Random(3, 8);
  const Eigen::RowVectorXf row = Eigen::RowVectorXf::Random(8);
  const Eigen::VectorXf column = row.transpose();
  const Eigen::Matrix<float, 3, 8> fixed = x;
  const std::vector<float> plain(row.data(), row.data() + 8);
  gal::nn::mlp<float> reference = model;
  const auto loss_of = [&](const auto& features, const auto& target) {
    gal::nn::mlp<float> copy = reference;
    gal::adam<float> fresh;
    gal::adjust once(copy, fresh, gal::mse());
    return once.step(features, target).loss;
  };
  const double expected = loss_of(x, row);
  CHECK(expected > 0.0);
  CHECK(loss_of(fixed, column) == expected);
  CHECK(loss_of(Eigen::Map<const Eigen::MatrixXf>(x.data(), 3, 8), plain) == expected);
  CHECK(loss_of(x.middleCols(0, 8), row) == expected);
  CHECK(loss_of(gal::matrix_view<const float>(x.data(), 3, 8), row) == expected);
  CHECK_THROWS_AS(loss_of(x.topRows(2), row), gal::error);
}

namespace {

/// A model of the user's own with Eigen's features and no Map or view in sight.
struct eigen_linear {
  using input_type = Eigen::MatrixXd;
  using feature_type = Eigen::MatrixXd;
  Eigen::MatrixXd weight = Eigen::MatrixXd::Constant(2, 3, 0.1);
  Eigen::MatrixXd weight_gradient = Eigen::MatrixXd::Zero(2, 3);
  Eigen::MatrixXd input, features;

  const feature_type& forward(const input_type& x) {
    input = x;
    features = weight * x;
    return features;
  }
  void backward(const feature_type& g) { weight_gradient += g * input.transpose(); }
  std::vector<gal::parameter<double>> parameters() {
    return {{std::span(weight.data(), 6), std::span(weight_gradient.data(), 6)}};
  }
};

}  // namespace

TEST_CASE("a model with Eigen features trains like the library's own, for batches of changing size") {
  eigen_linear own;
  gal::nn::mlp<double> reference({3, 2}, {.bias = false});
  for (gal::index_type i = 0; i < 6; ++i) {
    reference.weight(0).data()[i] = 0.1;
  }
  gal::sgd<double> own_optimizer({.learning_rate = 0.1});
  gal::sgd<double> reference_optimizer({.learning_rate = 0.1});
  gal::adjust own_trainer(own, own_optimizer, gal::mse());
  gal::adjust reference_trainer(reference, reference_optimizer, gal::mse());
  for (const gal::index_type samples : {5, 9, 2, 9, 1}) {
    const Eigen::MatrixXd x = Eigen::MatrixXd::Random(3, samples);
    const Eigen::MatrixXd y = Eigen::MatrixXd::Random(2, samples);
    const gal::adjust_report a = own_trainer.step(x, y);
    const gal::adjust_report b = reference_trainer.step(x, y);
    CHECK(a.loss == Approx(b.loss).epsilon(1e-12));
    CHECK(a.tentative_loss == Approx(b.tentative_loss).epsilon(1e-12));
  }
}

TEST_CASE("on the paper's 3D problem the recommended adjuster learns to descend faster") {
  const gal::sample_loss surface([](auto p, auto gradient) {
    const double x = p[0];
    const double y = p[1];
    const double ridge = std::exp(-x * x * y * y);
    const double valley = std::exp(-(x + y) * (x + y));
    const double sine = std::sin(x * x);
    const double cosine = std::cos(3 * y * y);
    gradient[0] = -cosine * ridge * (2 * x * std::cos(x * x) - 2 * x * y * y * sine) + 2 * (x + y) * valley;
    gradient[1] =
        sine * ridge * (6 * y * std::sin(3 * y * y) + 2 * x * x * y * cosine) + 2 * (x + y) * valley;
    return -sine * cosine * ridge - valley;
  });
  {
    gal::nn::point<double> point({0.75, 1.0});
    CHECK(gal::check_gradients(point, surface).passed);
    // A loss that throws leaves the parameters as they are.
    int calls = 0;
    const gal::sample_loss broken([&](auto p, auto gradient) {
      if (++calls == 7) {
        throw std::runtime_error("no");
      }
      gradient[0] = gradient[1] = 0.0;
      return p[0];
    });
    CHECK_THROWS_AS(static_cast<void>(gal::check_gradients(point, broken)), std::runtime_error);
    CHECK(point.coordinates()(0, 0) == 0.75);
    CHECK(point.coordinates()(1, 0) == 1.0);
  }
  const auto mean_height = [&](gal::adjust_options options) {
    gal::nn::point<double> point({0.75, 1.0});
    gal::sgd<double> optimizer({.learning_rate = 0.1});
    gal::adjust trainer(point, optimizer, surface, options);
    double sum = 0.0;
    for (int k = 0; k < 100; ++k) {
      sum += trainer.step().loss;
    }
    return sum / 100;
  };
  const double vanilla = mean_height(vanilla_options());
  int better = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    gal::adjust_options options = gal::recommended();
    options.adjuster_learning_rate = 3e-3;
    options.adjuster_steps = 5;
    options.adjuster.seed = seed;
    better += mean_height(options) < vanilla ? 1 : 0;
  }
  CHECK(better == 10);
}

TEST_CASE("misuse is named, and nothing has changed") {
  gal::nn::mlp<double> model({3, 4, 2}, {.seed = 121});
  gal::sgd<double> optimizer;
  const auto construct = [&](gal::adjust_options options) {
    return message_of([&] { gal::adjust(model, optimizer, gal::mse(), options); });
  };
  CHECK(construct({.epsilon = -1.0}).find("epsilon is -1") != std::string::npos);
  CHECK(construct({.tau = -0.5}).find("tau is -0.5") != std::string::npos);
  CHECK(construct({.tau = std::numeric_limits<double>::quiet_NaN()}).find("tau is nan") != std::string::npos);
  CHECK(construct({.hidden = {8, 0}}).find("hidden width is 0") != std::string::npos);
  gal::adjust_options no_steps;
  no_steps.adjuster_steps = 0;
  CHECK(construct(no_steps).find("adjuster_steps is 0") != std::string::npos);
  gal::adjust_options backwards;
  backwards.adjuster_learning_rate = -1e-3;
  CHECK(construct(backwards).find("adjuster_learning_rate is -0.001") != std::string::npos);

  const std::vector<double> before = values_of(model);
  gal::adjust trainer(model, optimizer, gal::mse());
  CHECK(message_of([&] { static_cast<void>(trainer.adjuster()); }).find("first step") != std::string::npos);
  const gal::matrix<double> x(3, 5, 1.0);
  CHECK(message_of([&] { trainer.step(x, gal::matrix<double>(2, 4)); }).find("2 x 4") != std::string::npos);
  CHECK(message_of([&] {
          trainer.step(gal::matrix<double>(2, 5), gal::matrix<double>(2, 5));
        }).find("2 x 5") != std::string::npos);
  CHECK(message_of([&] {
          trainer.step(gal::matrix<double>(3, 0), gal::matrix<double>(2, 0));
        }).find("3 x 0") != std::string::npos);
  gal::adjust classifier(model, optimizer, gal::softmax_cross_entropy());
  const std::string label = message_of([&] { classifier.step(x, std::vector<int>{0, 1, 2, 0, 1}); });
  CHECK(label.find("label 2 of sample 2") != std::string::npos);
  CHECK(label.find("0 to 1") != std::string::npos);
  CHECK(message_of([&] {
          classifier.step(x, std::vector<int>{0, -1, 0, 0, 1});
        }).find("label -1") != std::string::npos);
  CHECK(message_of([&] {
          classifier.step(x, std::vector<int>{0, 1});
        }).find("5 labels") != std::string::npos);
  CHECK(values_of(model) == before);
}

namespace {

/// An optimizer that cannot be copied, as one that refers to its parameters.
struct uncopyable {
  uncopyable() = default;
  uncopyable(const uncopyable&) = delete;
  uncopyable& operator=(const uncopyable&) = delete;
  double learning_rate() const { return 0.1; }
  void step(std::span<const gal::parameter<double>> parameters) {
    for (const auto& block : parameters) {
      for (std::size_t i = 0; i < block.value.size(); ++i) {
        block.value[i] -= 0.1 * block.gradient[i];
      }
    }
  }
};

/// A feature type that copies the address, not the numbers.
struct shallow {
  using input_type = gal::nothing;
  using feature_type = gal::matrix_view<double>;
  gal::matrix<double> value{2, 1, 1.0};
  gal::matrix<double> gradient{2, 1};
  feature_type view = value.view();
  const feature_type& forward(const gal::nothing&) { return view; }
  void backward(const feature_type&) {}
  auto parameters() {
    return std::array{gal::parameter<double>(std::span(value.data(), 2), std::span(gradient.data(), 2))};
  }
};

}  // namespace

TEST_CASE("an optimizer that cannot be copied trains with the adjuster's own Adam, and says so otherwise") {
  gal::nn::point<double> model({1.0, -1.0});
  uncopyable optimizer;
  const gal::sample_loss bowl([](auto x, auto gradient) {
    gradient[0] = 2 * x[0];
    gradient[1] = 2 * x[1];
    return x[0] * x[0] + x[1] * x[1];
  });
  CHECK(message_of([&] { gal::adjust(model, optimizer, bowl, gal::paper()); }).find("own_adam") !=
        std::string::npos);
  gal::adjust trainer(model, optimizer, bowl);
  const double first = trainer.step().loss;
  CHECK(trainer.step().loss < first);
}

namespace {

/// An adjuster of the user's own, without parameters: along the gradient's all-ones direction.
struct all_ones {
  gal::matrix<double> ones;
  const gal::matrix<double>& forward(gal::matrix_view<const double> input) {
    ones = gal::matrix<double>(input.rows(), input.columns(), 1.0);
    return ones;
  }
  void backward(gal::matrix_view<const double>) {}
  std::span<gal::parameter<double>> parameters() { return {}; }
};

}  // namespace

TEST_CASE("an adjuster of one's own is deduced from the constructor") {
  gal::nn::point<double> model(random_matrix(2, 3, 131).view());
  gal::sgd<double> optimizer;
  gal::adjust_options options = gal::paper();
  options.epsilon = 0.5;
  gal::adjust trainer(model, optimizer, gal::mse(), options, all_ones{});
  trainer.step(gal::nothing{}, random_matrix(2, 3, 132));
  for (gal::index_type j = 0; j < 3; ++j) {
    const double norm = std::hypot(trainer.last_gradient()(0, j), trainer.last_gradient()(1, j));
    CHECK(trainer.last_adjustment()(0, j) == Approx(0.5 * norm / std::sqrt(2.0)));
    CHECK(trainer.last_adjustment()(1, j) == trainer.last_adjustment()(0, j));
  }

  gal::adjust on_backend(model, optimizer, gal::mse(), options, all_ones{}, gal::eigen_backend(2));
  static_assert(std::same_as<decltype(on_backend), decltype(trainer)>);
  gal::adjust on_default(model, optimizer, gal::mse(), options, all_ones{}, {});
  static_assert(std::same_as<decltype(on_default), decltype(trainer)>);
  gal::adjust without(model, optimizer, gal::mse(), options, gal::eigen_backend(2));
  static_assert(std::same_as<decltype(without.adjuster()), gal::adjuster<double>&>);
}

TEST_CASE("a feature type that shares its memory with its copy is refused") {
  shallow model;
  gal::sgd<double> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
  CHECK(message_of([&] {
          trainer.step(gal::nothing{}, gal::matrix<double>(2, 1, 3.0));
        }).find("shares its memory") != std::string::npos);
}

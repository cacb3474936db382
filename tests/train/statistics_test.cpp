// What a backward pass changes besides gradients: a refused step takes it back, and it never ceases to be finite.
#include <gal/backends/eigen.hpp>
#include <gal/loss.hpp>
#include <gal/nn/cnn.hpp>
#include <gal/optim/optimizers.hpp>
#include <gal/train/adjust.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using gal::nn::batch_normalization;
using gal::nn::cnn;

// Two normalised channels of three numbers.
template <class T>
cnn<T> small_network() {
  return cnn<T>({2, 1, 3}, {batch_normalization{}, gal::nn::flatten{}, gal::nn::linear{2}}, {.seed = 1});
}

template <class T>
bool all_finite(gal::matrix_view<const T> numbers) {
  return std::all_of(numbers.data(), numbers.data() + numbers.size(), [](T x) { return std::isfinite(x); });
}

// A number whose square no T can hold, though its variance is a double, and one whose square T can just hold.
template <class T>
constexpr T too_large = std::is_same_v<T, float> ? T(1e30) : T(1e160);
template <class T>
constexpr T large = std::is_same_v<T, float> ? T(1e15) : T(1e150);

// Mean squared error whose gradient is multiplied: the loss is finite, the parameters' gradients cannot be squared.
struct steep_mse {
  double factor;
  template <class Backend, class T>
  void evaluate(const Backend& backend, gal::matrix_view<const T> x, const gal::matrix<T>& y,
                gal::matrix_view<double> values, gal::matrix_view<T> gradient) const {
    gal::mse().evaluate(backend, x, y, values, gradient);
    for (gal::index_type i = 0; i < gradient.size(); ++i) {
      gradient.data()[i] *= static_cast<T>(factor);
    }
  }
};

}  // namespace

TEST_CASE_TEMPLATE("a batch whose variance cannot be held is refused, and leaves no trace", T, float,
                   double) {
  for (const T number : {too_large<T>, std::numeric_limits<T>::max(), std::numeric_limits<T>::infinity(),
                         std::numeric_limits<T>::quiet_NaN()}) {
    CAPTURE(number);
    cnn<T> model = small_network<T>();
    gal::sgd<T> optimizer({.learning_rate = 0.1});
    gal::adjust trainer(model, optimizer, gal::mse{});
    const auto y = random_matrix<T>(2, 4, 2);
    auto x = random_matrix<T>(6, 4, 3);
    trainer.step(x, y);
    const gal::matrix<T> statistics(model.statistics().as_const());
    const gal::matrix<T> values(model.values().as_const());
    x(1, 2) = number;
    CHECK(trainer.step(x, y).non_finite);
    CHECK(gal::matrix<T>(model.statistics().as_const()) == statistics);
    CHECK(gal::matrix<T>(model.values().as_const()) == values);
    x(1, 2) = T(1);
    CHECK(!trainer.step(x, y).non_finite);
    CHECK(gal::matrix<T>(model.statistics().as_const()) != statistics);
    CHECK(all_finite(model.statistics().as_const()));

    // With all steps taken the batch does not enter the statistics of its channel.
    cnn<T> ignoring = small_network<T>();
    gal::adjust taking(ignoring, optimizer = gal::sgd<T>(), gal::mse{},
                       {.non_finite = gal::non_finite_policy::ignore});
    x(1, 2) = number;
    taking.step(x, y);
    const auto gathered = ignoring.statistics();  // means, then variances
    CHECK(all_finite(gathered.as_const()));
    CHECK(gathered.data()[0] == T(0));
    CHECK(gathered.data()[1] != T(0));
    CHECK(gathered.data()[2] == T(1));
    CHECK(gathered.data()[3] != T(1));
  }
}

TEST_CASE_TEMPLATE("a batch whose variance can just be held is normalised", T, float, double) {
  cnn<T> model({1, 1, 2}, {batch_normalization{}}, {.seed = 1});
  auto x = matrix<T>({{large<T>, -large<T>}, {large<T>, -large<T>}});
  const auto& y = model.forward(x);
  CHECK(y(0, 0) == doctest::Approx(1.0));
  CHECK(y(1, 1) == doctest::Approx(-1.0));
  model.backward(random_matrix<T>(2, 2, 1).view());
  const double variance = 4.0 / 3.0 * static_cast<double>(large<T>) * static_cast<double>(large<T>);
  CHECK(static_cast<double>(model.statistics().data()[1]) == doctest::Approx(0.1 * variance + 0.9));
}

TEST_CASE_TEMPLATE("a step refused for its gradients leaves the statistics", T, float, double) {
  const double factor = std::is_same_v<T, float> ? 1e25 : 1e200;
  for (const auto policy : {gal::non_finite_policy::skip, gal::non_finite_policy::raise}) {
    cnn<T> model = small_network<T>();
    gal::adam<T> optimizer;
    gal::adjust trainer(model, optimizer, steep_mse{factor}, {.non_finite = policy});
    const gal::matrix<T> statistics(model.statistics().as_const());
    const gal::matrix<T> values(model.values().as_const());
    const auto x = random_matrix<T>(6, 4, 3), y = random_matrix<T>(2, 4, 2);
    if (policy == gal::non_finite_policy::raise) {
      CHECK_THROWS_AS(trainer.step(x, y), gal::error);
    } else {
      CHECK(trainer.step(x, y).non_finite);
    }
    CHECK(gal::matrix<T>(model.statistics().as_const()) == statistics);
    CHECK(gal::matrix<T>(model.values().as_const()) == values);
  }
}

TEST_CASE_TEMPLATE("the adjuster's statistics go back with its steps", T, float, double) {
  // Learns nothing, and counts its backward passes; the gradient of its one weight is what it is told.
  struct counting {
    gal::matrix<T> h, count{1, 1};
    std::vector<T> weight = {T(1)}, gradient = {T(0)};
    T slope = T(1);
    gal::matrix_view<const T> forward(gal::matrix_view<const T> x) {
      h.assign(x);
      return std::as_const(h).view();
    }
    void backward(gal::matrix_view<const T>) {
      count(0, 0) += T(1);
      gradient[0] += slope;
    }
    auto parameters() { return std::array{gal::parameter<T>(weight, gradient)}; }
    gal::matrix_view<T> statistics() { return count.view(); }
  };
  const auto x = random_matrix<T>(6, 4, 3), y = random_matrix<T>(2, 4, 2);
  const auto run = [&](double factor, T slope, int steps) {
    cnn<T> model = small_network<T>();
    gal::sgd<T> optimizer({.learning_rate = 1e-3});
    counting h;
    h.slope = slope;
    gal::adjust trainer(model, optimizer, steep_mse{factor},
                        {.input = gal::adjuster_input::features, .adjuster_steps = steps}, h);
    const bool refused = trainer.step(x, y).non_finite;
    return std::pair(refused, trainer.adjuster().count(0, 0));
  };
  const double steep = std::is_same_v<T, float> ? 1e25 : 1e200;
  for (const int steps : {1, 3}) {
    CHECK(run(1.0, T(1), steps) == std::pair(false, static_cast<T>(steps)));
    CHECK(run(steep, T(1), steps) == std::pair(true, T(0)));
    // Gradients of its own that cannot be squared: it learns nothing, the model does.
    CHECK(run(1.0, std::numeric_limits<T>::max(), steps) == std::pair(false, T(0)));
  }
}

// The contract, with the minimal types of its documentation: they meet it, and train.
#include <gal/backends/eigen.hpp>
#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/taylor/check_gradients.hpp>
#include <gal/train/adjust.hpp>
#include <gal/train/plain.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <list>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using doctest::Approx;

// Word for word as in gal/core/concepts.hpp and gal/core/backend.hpp.
// clang-format off

struct proportional {
  using input_type = std::vector<double>;
  using feature_type = std::vector<double>;                 // a row: one feature, one sample per element
  double a = 0, da = 0;
  std::vector<double> x, y;
  const feature_type& forward(const input_type& input) {
    x = input; y = x;
    for (double& value : y) value *= a;
    return y;
  }
  void backward(const feature_type& g) { for (std::size_t j = 0; j < g.size(); ++j) da += g[j] * x[j]; }
  auto parameters() { return std::array{gal::parameter<double>({&a, 1}, {&da, 1})}; }
};

struct descent {
  double learning_rate() const { return 0.1; }
  void step(std::span<const gal::parameter<double>> parameters) {
    for (auto& p : parameters)
      for (std::size_t i = 0; i < p.value.size(); ++i) p.value[i] -= 0.1 * p.gradient[i];
  }
};

struct half_square {                    // (x - y)^2 / 2 of one feature
  void evaluate(const gal::eigen_backend&, gal::matrix_view<const double> x, const std::vector<double>& y,
                gal::matrix_view<double> values, gal::matrix_view<double> gradient) const {
    for (gal::index_type j = 0; j < x.columns(); ++j) {
      const double r = x(0, j) - y[static_cast<std::size_t>(j)];
      values(0, j) = r * r / 2;
      if (!gradient.empty()) gradient(0, j) = r / static_cast<double>(x.columns());
    }
  }
};

struct constant {                       // does not learn; adjusts every feature alike
  gal::matrix<double> ones;
  const gal::matrix<double>& forward(gal::matrix_view<const double> x) {
    ones = gal::matrix<double>(x.rows(), x.columns(), 1.0);
    return ones;
  }
  void backward(gal::matrix_view<const double>) {}
  std::span<gal::parameter<double>> parameters() { return {}; }
};

struct loops {
  using memory_type = gal::host_memory;
  template <class T> T* allocate(gal::index_type n) const { return new T[static_cast<std::size_t>(n)]; }
  template <class T> void deallocate(T* p, gal::index_type) const { delete[] p; }
  template <class T> void copy(const T* from, T* to, gal::index_type n) const { std::copy_n(from, n, to); }
  template <class T> void fill(T* to, gal::index_type n, T value) const { std::fill_n(to, n, value); }
  template <class F> void for_each(gal::index_type n, F f) const { for (gal::index_type i = 0; i < n; ++i) f(i); }
  template <class F> void for_each(gal::index_type rows, gal::index_type columns, F f) const {
    for (gal::index_type j = 0; j < columns; ++j) for_each(rows, [&](gal::index_type i) { f(i, j); });
  }
  template <class F> void sum(gal::index_type n, F f, double* result) const {
    *result = 0;
    for_each(n, [&](gal::index_type i) { *result += f(i); });
  }
  template <class F> void sum_rows(gal::index_type rows, gal::index_type columns, F f, double* results) const {
    for (gal::index_type j = 0; j < columns; ++j) sum(rows, [&](gal::index_type i) { return f(i, j); }, results + j);
  }
  template <class T>
  void product(gal::transpose ta, gal::transpose tb, T alpha, gal::matrix_view<const T> a,
               gal::matrix_view<const T> b, T beta, gal::matrix_view<T> c) const {
    const bool flip_a = ta == gal::transpose::yes, flip_b = tb == gal::transpose::yes;
    for_each(c.rows(), c.columns(), [&](gal::index_type i, gal::index_type j) {
      T total(0);
      for_each(flip_a ? a.rows() : a.columns(), [&](gal::index_type k) {
        total += (flip_a ? a(k, i) : a(i, k)) * (flip_b ? b(j, k) : b(k, j));
      });
      c(i, j) = alpha * total + (beta == T(0) ? T(0) : beta * c(i, j));
    });
  }
  template <class T> T read(const T* value) const { return *value; }
};

// clang-format on

// A model that knows nothing of the library's types, pairs and all.
struct independent {
  using input_type = std::array<double, 2>;
  using feature_type = std::array<double, 2>;
  std::vector<double> value = {0.0, 0.0};
  std::vector<double> gradient = {0.0, 0.0};
  feature_type y = {};
  const feature_type& forward(const input_type& x) { return y = {value[0] + x[0], value[1] * x[1]}; }
  void backward(const feature_type& g) {
    gradient[0] += g[0];
    gradient[1] += g[1];
  }
  std::list<std::pair<std::span<double>, std::span<double>>> parameters() { return {{value, gradient}}; }
};

// A loss of the library's concept: half the squared distance of every feature from 1.
struct distance_from_one {
  template <class Backend, class T, class Memory>
  void evaluate(const Backend&, gal::matrix_view<const T, Memory> features, const gal::nothing&,
                gal::matrix_view<double, Memory> values, gal::matrix_view<T, Memory> gradient) const {
    for (gal::index_type j = 0; j < features.columns(); ++j) {
      values(0, j) = 0.0;
      for (gal::index_type i = 0; i < features.rows(); ++i) {
        const T r = features(i, j) - T(1);
        values(0, j) += 0.5 * static_cast<double>(r * r);
        if (!gradient.empty()) {
          gradient(i, j) = r / static_cast<T>(features.columns());
        }
      }
    }
  }
};

static_assert(gal::model<proportional>);
static_assert(gal::model<independent>);
static_assert(gal::optimizer_for<descent, double>);
static_assert(!gal::optimizer_for<descent, float>);
static_assert(gal::loss_for<half_square, double, gal::eigen_backend, std::vector<double>>);
static_assert(!gal::loss_for<half_square, float, gal::eigen_backend, std::vector<double>>);
static_assert(gal::adjuster_for<constant, double>);
static_assert(!gal::adjuster_for<constant, float>);
static_assert(gal::loss_for<distance_from_one, double, gal::eigen_backend, gal::nothing>);
static_assert(!gal::loss_for<distance_from_one, double, gal::eigen_backend, std::vector<double>>);
static_assert(!gal::closed_form_loss_for<distance_from_one, double, gal::eigen_backend, gal::nothing>);
static_assert(gal::backend<loops> && !gal::backend<constant>);

static_assert(!gal::model<int> && !gal::model<descent> && !gal::model<constant>);
static_assert(!gal::optimizer_for<proportional, double>);
static_assert(!gal::adjuster_for<descent, double>);

static_assert(std::same_as<gal::model_scalar<proportional>, double>);
static_assert(std::same_as<gal::backend_of<proportional>, gal::eigen_backend>);
static_assert(std::same_as<gal::model_scalar<gal::nn::mlp<float>>, float>);

}  // namespace

TEST_CASE("parameters from spans and from pairs") {
  std::vector<float> value = {1, 2, 3};
  std::vector<float> gradient = {4, 5, 6};
  const gal::parameter<float> from_spans({value.data(), 3}, {gradient.data(), 3}, 2);
  CHECK(from_spans.group == 2);
  CHECK(from_spans.value.data() == value.data());
  const std::pair<std::span<float>, std::span<float>> pair(value, gradient);
  const gal::parameter<float> from_pair = pair;
  CHECK(from_pair.value.data() == value.data());
  CHECK(from_pair.gradient.data() == gradient.data());
  CHECK(from_pair.gradient.size() == 3);
  CHECK(from_pair.group == 0);
  CHECK(gal::parameter<float>().value.empty());
}

TEST_CASE("the minimal model, optimizer and adjuster train") {
  proportional model;
  model.a = 2.0;
  descent optimizer;
  const std::vector<double> x = {1, 2};
  const std::vector<double> y = {3, 6};
  gal::adjust<proportional, descent, gal::mse, constant> trainer(
      model, optimizer, {},
      {.epsilon = 0.5,
       .tau = 1.0,
       .normalisation = gal::normalisation::per_sample,
       .safeguard = gal::safeguard::always,
       .tentative_step = gal::tentative_step::mean_gradient,
       .input = gal::adjuster_input::features},
      constant());
  const gal::adjust_report report = trainer.step(x, y);
  // Features (2, 4), residuals (-1, -2): L = 2.5, G = (-1, -2). A = 0.5 |G| = (0.5, 1), D = 0.1 (G + A).
  CHECK(report.loss == Approx(2.5));
  CHECK(trainer.last_gradient()(0, 0) == Approx(-1.0));
  CHECK(trainer.last_gradient()(0, 1) == Approx(-2.0));
  CHECK(trainer.last_adjustment()(0, 0) == Approx(0.5));
  CHECK(trainer.last_adjustment()(0, 1) == Approx(1.0));
  CHECK(report.tentative_loss == Approx((0.95 * 0.95 + 1.9 * 1.9) / 2.0));
  CHECK(report.remainder == Approx((0.05 * 0.05 + 0.1 * 0.1) / 2.0));
  CHECK(report.accepted);
  CHECK(report.accepted_share == 1.0);
  CHECK(report.cosine == Approx(-1.0));
  CHECK(report.learning_rate == 0.1);
  // da = <G + A, x> = -0.5 - 2, and the step is a tenth of it.
  CHECK(model.da == Approx(-2.5));
  CHECK(model.a == Approx(2.25));
}

TEST_CASE("without adjustment a step is the optimizer's own") {
  proportional model;
  model.a = 2.0;
  descent optimizer;
  const std::vector<double> x = {1, 2};
  const std::vector<double> y = {3, 6};
  gal::plain trainer(model, optimizer, gal::mse());
  double a = 2.0;
  for (int step = 0; step < 20; ++step) {
    const gal::step_report report = trainer.step(x, y);
    CHECK(report.loss == Approx(2.5 * (a - 3) * (a - 3)));
    a -= 0.1 * 5.0 * (a - 3);
    CHECK(model.a == Approx(a));
  }
  CHECK(model.a == Approx(3.0).epsilon(1e-5));
}

TEST_CASE("a model and a loss that know nothing of the library's types train") {
  independent model;
  gal::sgd<double> optimizer({.learning_rate = 0.5});
  gal::plain trainer(model, optimizer, distance_from_one());
  const std::array<double, 2> x = {0.5, 2.0};
  for (int step = 0; step < 60; ++step) {
    trainer.step(x, gal::nothing{});
  }
  CHECK(model.value[0] == Approx(0.5));
  CHECK(model.value[1] == Approx(0.5));
}

TEST_CASE("the minimal model trains with the library's own adjuster") {
  proportional model;
  descent optimizer;
  const std::vector<double> x = {1, 2, -1};
  const std::vector<double> y = {3, 6, -3};
  gal::adjust trainer(model, optimizer, gal::mse());
  double first = 0.0;
  double last = 0.0;
  for (int step = 0; step < 100; ++step) {
    last = trainer.step(x, y).loss;
    first = step == 0 ? last : first;
  }
  CHECK(first == 18.0);
  CHECK(last < 1e-6);
}

TEST_CASE("the minimal loss trains as half the library's own") {
  proportional here;
  proportional there;
  descent optimizer;
  descent slow;
  const std::vector<double> x = {1, 2, -1};
  const std::vector<double> y = {3, 6, -3};
  gal::adjust halved(here, optimizer, half_square());
  gal::plain whole(there, slow, gal::mse());
  CHECK(gal::check_gradients(here, half_square(), x, y).passed);
  const double first = halved.step(x, y).loss;
  CHECK(first == whole.step(x, y).loss / 2.0);
  double last = first;
  for (int step = 0; step < 100; ++step) {
    last = halved.step(x, y).loss;
  }
  CHECK(last < 1e-6);
}

TEST_CASE("the minimal backend computes what the library's own does") {
  const auto train = []<class Backend>(Backend) {
    gal::matrix<double, Backend> x(2, 5);
    gal::matrix<double, Backend> y(1, 5);
    for (gal::index_type j = 0; j < 5; ++j) {
      x(0, j) = 0.1 * static_cast<double>(j);
      x(1, j) = 1.0 - x(0, j);
      y(0, j) = x(0, j) * x(1, j);
    }
    gal::nn::mlp<double, Backend> model({2, 4, 1}, {.seed = 1});
    gal::adam<double, Backend> optimizer({.learning_rate = 1e-2});
    gal::adjust trainer(model, optimizer, gal::mse());
    double loss = 0.0;
    for (int step = 0; step < 30; ++step) {
      loss = trainer.step(x, y).loss;
    }
    return loss;
  };
  CHECK(train(loops()) == Approx(train(gal::eigen_backend())).epsilon(1e-9));
}

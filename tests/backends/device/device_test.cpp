// The device backend: its primitives against plain loops, and everything that is trained on it against the CPU backend.
// The same file is compiled for Thrust's OpenMP and C++ systems and, by device_test.cu, for CUDA.

#include <gal/backends/thrust.hpp>
#include <gal/core/detail/math.hpp>
#include <gal/train/captured_step.hpp>
#include <gal/train/rescaled.hpp>

#include "infinite_logits.hpp"
#include "reference.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <new>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_OMP
#include <omp.h>
#endif

namespace {

using backend_type = gal::thrust_backend;
template <class T>
using device_matrix = gal::matrix<T, backend_type>;
using gal::transpose;

// The largest difference, relative to max(1, size); NaN on both sides is none, on one side infinite.
double difference(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) {
    return std::numeric_limits<double>::infinity();
  }
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) {
      continue;
    }
    const double d = std::abs(a[i] - b[i]) / std::fmax(1.0, std::abs(b[i]));
    largest = std::isnan(d) ? std::numeric_limits<double>::infinity() : std::fmax(largest, d);
  }
  return largest;
}

template <class T>
std::vector<T> host(const device_matrix<T>& m) {
  return gal::to_host(backend_type(), m.view());
}

}  // namespace

// nvcc takes no lambdas of tests as kernels.
namespace kernels {

struct count_up {
  double* to;
  GAL_HOST_DEVICE void operator()(gal::index_type i) const { to[i] += 1.0; }
};
struct mark_entry {
  double* to;
  gal::index_type rows;
  GAL_HOST_DEVICE void operator()(gal::index_type i, gal::index_type j) const {
    to[j * rows + i] += static_cast<double>(10 * i + j);
  }
};
struct one_more {
  GAL_HOST_DEVICE double operator()(gal::index_type i) const { return static_cast<double>(i + 1); }
};
struct value_at {
  const double* from;
  GAL_HOST_DEVICE double operator()(gal::index_type i) const { return from[i]; }
};
struct triangle {
  GAL_HOST_DEVICE double operator()(gal::index_type i, gal::index_type j) const {
    return static_cast<double>((j + 1) * (i + 1));
  }
};

template <class T>
struct mixed_products {
  const T* a;
  const T* b;
  T* to;
  GAL_HOST_DEVICE void operator()(gal::index_type i) const {
    to[i] = a[i] * b[i] + (a[i] * a[i] - b[i] * to[i]) + gal::detail::tanh(a[i]);
  }
};
template <class T>
struct mixed_term {
  const T* a;
  const T* b;
  GAL_HOST_DEVICE double operator()(gal::index_type i) const {
    return static_cast<double>(a[i]) * static_cast<double>(b[i]) +
           static_cast<double>(a[i]) * static_cast<double>(a[i]);
  }
};

}  // namespace kernels

TEST_CASE("pointers of the other memory do not convert") {
  static_assert(!std::convertible_to<gal::matrix_view<float>, gal::matrix_view<float, gal::device_memory>>);
  static_assert(!std::convertible_to<gal::matrix_view<float, gal::device_memory>, gal::matrix_view<float>>);
  static_assert(gal::asynchronous_backend<backend_type>);
}

TEST_CASE_TEMPLATE("memory: upload, copy, fill, read, download", T, float, double, int) {
  const backend_type backend;
  const paths::host_matrix<T> from{2, 3, {1, 2, 3, 4, 5, 6}};
  const auto a = gal::to_device(backend, from.view());
  device_matrix<T> b(2, 3, T(7), backend);
  CHECK(host(a) == from.values);
  CHECK(host(b) == std::vector<T>(6, T(7)));
  backend.copy(a.data(), b.data(), 4);
  CHECK(host(b) == std::vector<T>{1, 2, 3, 4, 7, 7});
  CHECK(backend.read(b.data() + 1) == T(2));
  const device_matrix<T> c = b;  // a copy has memory of its own
  b.fill(T(0));
  CHECK(host(c) == std::vector<T>{1, 2, 3, 4, 7, 7});
  CHECK(host(device_matrix<T>(0, 3, T(0), backend)).empty());
}

TEST_CASE("every index and every entry is visited once") {
  const backend_type backend;
  for (const gal::index_type count : {0, 1, 31, 1000, 2047, 2048, 5003}) {  // from 2048 on in parts
    device_matrix<double> visits(1, count + 1, 0.0, backend);
    backend.for_each(count, kernels::count_up{visits.data()});
    std::vector<double> once(static_cast<std::size_t>(count) + 1, 1.0);
    once.back() = 0.0;
    CHECK(host(visits) == once);
  }
  device_matrix<double> entries(3, 4, 0.5, backend);
  backend.for_each(3, 4, kernels::mark_entry{entries.data(), 3});
  backend.for_each(0, 4, kernels::mark_entry{entries.data(), 3});
  std::vector<double> expected;
  for (int j = 0; j < 4; ++j) {
    for (int i = 0; i < 3; ++i) {
      expected.push_back(0.5 + 10 * i + j);
    }
  }
  CHECK(host(entries) == expected);
}

TEST_CASE("sums are right at every length and repeat bit by bit") {
  const backend_type backend;
  device_matrix<double> result(1, 1, -1.0, backend);
  for (gal::index_type count = 0; count <= 70; ++count) {  // integers: exact in any order
    backend.sum(count, kernels::one_more{}, result.data());
    CHECK(backend.read(result.data()) == static_cast<double>(count * (count + 1) / 2));
  }
  const auto numbers = paths::normal<double>(1, 100'003, 1);
  const auto on_device = gal::to_device(backend, numbers.view());
  long double exact = 0.0L;
  for (const double x : numbers.values) {
    exact += x;
  }
  backend.sum(on_device.size(), kernels::value_at{on_device.data()}, result.data());
  const double first = backend.read(result.data());
  backend.sum(on_device.size(), kernels::value_at{on_device.data()}, result.data());
  CHECK(backend.read(result.data()) == first);
  CHECK(std::abs(first - static_cast<double>(exact)) < 1e-9);
}

TEST_CASE("sums of columns are right for every height") {
  const backend_type backend;
  for (gal::index_type rows = 0; rows <= 100; ++rows) {
    device_matrix<double> results(1, 4, -1.0, backend);
    backend.sum_rows(rows, 3, kernels::triangle{}, results.data());
    const auto sum = static_cast<double>(rows * (rows + 1) / 2);
    CHECK(host(results) == std::vector<double>{sum, 2 * sum, 3 * sum, -1.0});
  }
}

#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_OMP
TEST_CASE_TEMPLATE("the number of threads does not change a bit", T, float, double) {
  const backend_type backend;
  const int usual = omp_get_max_threads();
  for (const gal::index_type rows : {1, 3, 7, 8, 33, 50}) {
    const gal::index_type columns = 2048 / rows + 61;
    const auto a = gal::to_device(backend, paths::normal<T>(rows, columns, 1).view());
    const auto b = gal::to_device(backend, paths::normal<T>(rows, columns, 2).view());
    const auto numbers = [&](int threads) {
      omp_set_num_threads(threads);
      device_matrix<T> c = b;
      backend.for_each(c.size(), kernels::mixed_products<T>{a.data(), b.data(), c.data()});
      device_matrix<T> product(columns, columns, T(0), backend);
      backend.product(transpose::yes, transpose::no, T(0.7), a.view(), std::as_const(c).view(), T(0),
                      product.view());
      backend.product(transpose::no, transpose::no, T(0.1), a.view(), std::as_const(product).view(), T(1),
                      c.view());
      device_matrix<double> sum(1, 1, 0.0, backend);
      backend.sum(c.size(), kernels::mixed_term<T>{a.data(), c.data()}, sum.data());
      return std::pair(host(c), host(sum));
    };
    const auto once = numbers(1);
    for (int threads = 2; threads <= 9; ++threads) {
      CAPTURE(rows);
      CAPTURE(threads);
      CHECK(numbers(threads) == once);
    }
  }
  omp_set_num_threads(usual);
}
#endif

TEST_CASE_TEMPLATE("products agree with three loops", T, float, double) {
  const backend_type backend;
  const double unit = std::numeric_limits<T>::epsilon();
  for (const auto& sizes : std::vector<std::array<gal::index_type, 3>>{
           {1, 1, 1}, {1, 7, 5}, {7, 1, 5}, {3, 4, 0}, {33, 17, 9}, {64, 32, 100}}) {
    const gal::index_type rows = sizes[0];
    const gal::index_type columns = sizes[1];
    const gal::index_type depth = sizes[2];
    for (const bool ta : {false, true}) {
      for (const bool tb : {false, true}) {
        for (const T beta : {T(0), T(1), T(0.5)}) {
          const auto a = paths::normal<T>(ta ? depth : rows, ta ? rows : depth, 1);
          const auto b = paths::normal<T>(tb ? columns : depth, tb ? depth : columns, 2);
          auto before = paths::normal<T>(rows, columns, 3);
          if (beta == T(0)) {
            before.values.assign(before.values.size(), std::numeric_limits<T>::quiet_NaN());
          }
          auto c = gal::to_device(backend, before.view());
          const auto left = gal::to_device(backend, a.view());
          const auto right = gal::to_device(backend, b.view());
          backend.product(ta ? transpose::yes : transpose::no, tb ? transpose::yes : transpose::no, T(-0.75),
                          left.view(), right.view(), beta, c.view());
          const auto result = host(c);
          double largest = 0.0;
          for (gal::index_type j = 0; j < columns; ++j) {
            for (gal::index_type i = 0; i < rows; ++i) {
              double sum = 0.0;
              double size = 0.0;
              for (gal::index_type k = 0; k < depth; ++k) {
                const double term = static_cast<double>(ta ? a.view()(k, i) : a.view()(i, k)) *
                                    static_cast<double>(tb ? b.view()(j, k) : b.view()(k, j));
                sum += term;
                size += std::abs(term);
              }
              const double old = beta == T(0) ? 0.0 : static_cast<double>(beta * before.view()(i, j));
              const double error = std::abs(
                  static_cast<double>(result[static_cast<std::size_t>(j * rows + i)]) - (-0.75 * sum + old));
              const double bound = unit * static_cast<double>(depth + 3) * (size + std::abs(old));
              largest = std::fmax(largest, error == 0.0 ? 0.0 : error / bound);
            }
          }
          INFO(rows << " x " << columns << ", depth " << depth << (ta ? ", a transposed" : "")
                    << (tb ? ", b transposed" : "") << ", beta " << beta);
          CHECK(largest <= 1.0);
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("a hundred steps of the regression networks are those of the CPU backend", T, float,
                   double) {
  const double tolerance = std::same_as<T, float> ? 1e-5 : 1e-12;
  for (const paths::network& net : paths::regression_networks()) {
    for (const bool paper : {true, false}) {
      const paths::path here = paths::train_regression<backend_type, T>(net, paper, 100);
      const paths::path there = reference_regression<T>(net, paper, 100);
      INFO(net.widths.front() << " inputs, " << (paper ? "paper" : "recommended"));
      CHECK(here.losses.front() > 1.2 * here.losses.back());
      CHECK(difference(here.losses, there.losses) <= tolerance);
    }
  }
}

TEST_CASE_TEMPLATE("a hundred steps without adjustment are those of the CPU backend", T, float, double) {
  const double tolerance = std::same_as<T, float> ? 1e-5 : 1e-12;
  const paths::path here = paths::train_plain<backend_type, T>(100);
  const paths::path there = reference_plain<T>(100);
  CHECK(here.losses.front() > 1.2 * here.losses.back());
  CHECK(difference(here.losses, there.losses) <= tolerance);
  CHECK(difference(here.numbers, there.numbers) <= (std::same_as<T, float> ? 2e-4 : 1e-11));
}

TEST_CASE_TEMPLATE("every setting does what it does on the CPU backend", T, float, double) {
  const double tolerance = std::same_as<T, float> ? 2e-4 : 1e-11;
  for (const paths::setting& s : paths::settings()) {
    const paths::path here = paths::train_setting<backend_type, T>(s, 12);
    const paths::path there = reference_setting<T>(s, 12);
    INFO(s.name);
    CHECK(difference(here.losses, there.losses) <= tolerance);
    CHECK(difference(here.numbers, there.numbers) <= tolerance);
  }
}

TEST_CASE_TEMPLATE("a convolutional network trains as on the CPU backend", T, float, double) {
  const paths::path here = paths::train_images<backend_type, T>(12);
  const paths::path there = reference_images<T>(12);
  const double tolerance = std::same_as<T, float> ? 2e-4 : 1e-11;
  CHECK(difference(here.losses, there.losses) <= tolerance);
  CHECK(difference(here.numbers, there.numbers) <= tolerance);
}

namespace {

struct small_training {
  backend_type backend;
  device_matrix<float> x = paths::put(backend, paths::normal<float>(5, 16, 1));
  device_matrix<float> y = paths::put(backend, paths::normal<float>(2, 16, 2));
  gal::nn::mlp<float, backend_type> model{{5, 8, 2}, {.seed = 1}, backend};
};

}  // namespace

TEST_CASE("a refused step leaves parameters and state as they were, without the host") {
  for (const int steps : {1, 3}) {
    small_training clean, hurt;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    auto broken = hurt.y;
    hurt.backend.upload(&nan, broken.data() + 3, 1);

    gal::adjust_options options{.hidden = {4}, .adjuster_steps = steps};
    gal::lookahead a(gal::adam<float, backend_type>({.learning_rate = 0.01}, clean.backend), {.k = 2});
    gal::lookahead b(gal::adam<float, backend_type>({.learning_rate = 0.01}, hurt.backend), {.k = 2});
    options.training = gal::adjuster_training::model_optimizer;
    gal::adjust first(clean.model, a, gal::mse(), options);
    gal::adjust second(hurt.model, b, gal::mse(), options);
    for (int k = 0; k < 5; ++k) {
      first.step(clean.x, clean.y);
      second.step(hurt.x, hurt.y);
      const auto before = paths::parameters_of(hurt.backend, hurt.model);
      const gal::adjust_report refused = second.step(hurt.x, broken);
      CHECK(refused.non_finite);
      CHECK_FALSE(refused.accepted);
      CHECK(paths::parameters_of(hurt.backend, hurt.model) == before);
    }
    CHECK(paths::parameters_of(clean.backend, clean.model) == paths::parameters_of(hurt.backend, hurt.model));
    CHECK(paths::parameters_of(clean.backend, first.adjuster().network()) ==
          paths::parameters_of(hurt.backend, second.adjuster().network()));
  }
}

TEST_CASE_TEMPLATE("parameter blocks that share memory are refused", T, float, double) {
  const backend_type backend;
  device_matrix<T> value(4, 1, T(1), backend), gradient(4, 1, T(1), backend);
  using parameter = gal::parameter<T, gal::device_memory>;
  const auto block = [&](std::size_t first, std::size_t count) {
    return parameter({value.data() + first, count}, {gradient.data() + first, count});
  };
  gal::adam<T, backend_type> optimizer({}, backend);
  CHECK_THROWS_WITH_AS(
      optimizer.step(std::array{block(0, 3), block(2, 2)}),
      "gal: the optimizer: the value of parameter block 0 and the value of parameter block 1 share memory; "
      "expected every number in one place",
      gal::error);
  CHECK(host(value) == std::vector<T>(4, T(1)));
  optimizer.step(std::array{block(0, 2), block(2, 2)});
  CHECK(host(value) != std::vector<T>(4, T(1)));
}

TEST_CASE_TEMPLATE("a refused step leaves the running statistics as they were", T, float, double) {
  const backend_type backend;
  gal::nn::cnn<T, backend_type> model(
      {2, 1, 3}, {gal::nn::batch_normalization{}, gal::nn::flatten{}, gal::nn::linear{2}}, {.seed = 1},
      backend);
  gal::adam<T, backend_type> optimizer({}, backend);
  gal::adjust trainer(model, optimizer, gal::mse{});
  const auto statistics = [&] { return gal::to_host(backend, model.statistics()); };
  const auto step = [&](T number, T target) {
    auto input = paths::normal<T>(6, 4, 3), output = paths::normal<T>(2, 4, 2);
    input.values[13] = number;
    output.values[1] = target;
    const auto x = gal::to_device(backend, input.view());
    const auto y = gal::to_device(backend, output.view());
    return gal::adjust_report(trainer.step(x, y)).non_finite;
  };
  CHECK(!step(T(1), T(1)));
  const auto before = statistics();
  CHECK(step(std::is_same_v<T, float> ? T(1e30) : T(1e160), T(1)));  // a variance beyond T
  CHECK(statistics() == before);
  if constexpr (std::is_same_v<T, float>) {
    CHECK(step(1.0f, 1e25f));  // the loss is a double; gradients cannot be squared
    CHECK(statistics() == before);
  }
  CHECK(!step(T(1), T(1)));
  CHECK(statistics() != before);
}

TEST_CASE("a refused step without adjustment leaves parameters and state as they were, without the host") {
  small_training clean, hurt;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  auto broken = hurt.y;
  hurt.backend.upload(&nan, broken.data() + 3, 1);
  gal::lookahead a(gal::adam<float, backend_type>({.learning_rate = 0.01}, clean.backend), {.k = 2});
  gal::lookahead b(gal::adam<float, backend_type>({.learning_rate = 0.01}, hurt.backend), {.k = 2});
  gal::plain first(clean.model, a, gal::mse());
  gal::plain second(hurt.model, b, gal::mse());
  for (int k = 0; k < 5; ++k) {
    first.step(clean.x, clean.y);
    second.step(hurt.x, hurt.y);
    const auto before = paths::parameters_of(hurt.backend, hurt.model);
    const gal::step_report refused = second.step(hurt.x, broken);
    CHECK(refused.non_finite);
    CHECK(paths::parameters_of(hurt.backend, hurt.model) == before);
  }
  CHECK(paths::parameters_of(clean.backend, clean.model) == paths::parameters_of(hurt.backend, hurt.model));
}

TEST_CASE("where an exception is asked for, the host waits for it") {
  small_training training;
  training.y.fill(std::numeric_limits<float>::infinity());
  gal::adam<float, backend_type> optimizer({}, training.backend);
  gal::adjust trainer(training.model, optimizer, gal::mse(), {.non_finite = gal::non_finite_policy::raise});
  const auto before = paths::parameters_of(training.backend, training.model);
  CHECK_THROWS_AS(trainer.step(training.x, training.y), gal::error);
  CHECK(paths::parameters_of(training.backend, training.model) == before);
}

TEST_CASE("a report is of its own step only") {
  small_training training;
  gal::adam<float, backend_type> optimizer({}, training.backend);
  gal::adjust trainer(training.model, optimizer, gal::mse());
  const auto first = trainer.step(training.x, training.y);
  CHECK(first.get().loss == trainer.report().loss);
  const auto second = trainer.step(training.x, training.y);
  CHECK(second.get().loss < 10.0);
  CHECK_THROWS_AS(static_cast<void>(first.get()), gal::error);
}

TEST_CASE("a captured step repeats the ordinary ones, also where the learning rate changes") {
  const auto run = [](bool captured, auto make) {
    small_training training;
    gal::adam<float, backend_type> optimizer({.learning_rate = 0.02, .schedule = gal::step_schedule(4, 0.5)},
                                             training.backend);
    auto trainer = make(training.model, optimizer);
    gal::captured_step step(trainer, training.x, training.y);
    const auto other = paths::put(training.backend, paths::normal<float>(5, 16, 9));
    std::vector<double> losses;
    for (int k = 0; k < 12; ++k) {
      if (k == 6) {
        training.backend.copy(other.data(), training.x.data(), other.size());
      }
      if (captured) {
        step();
      } else {
        trainer.step(training.x, training.y);
      }
      losses.push_back(trainer.report().loss);
    }
    CHECK(trainer.steps() == 12);
    CHECK(optimizer.steps() == 12);
    const auto parameters = paths::parameters_of(training.backend, training.model);
    losses.insert(losses.end(), parameters.begin(), parameters.end());
    return losses;
  };
  const auto adjusted = [](auto& model, auto& optimizer) {
    return gal::adjust(model, optimizer, gal::mse(), {.hidden = {4}});
  };
  const auto plain = [](auto& model, auto& optimizer) { return gal::plain(model, optimizer, gal::mse()); };
  CHECK(run(true, adjusted) == run(false, adjusted));
  CHECK(run(true, plain) == run(false, plain));
  const auto rescaled = [](auto& model, auto& optimizer) {
    return gal::rescaled(model, optimizer, gal::mse());
  };
  CHECK(run(true, rescaled) == run(false, rescaled));
  const auto by_remainder = [](auto& model, auto& optimizer) {
    return gal::rescaled(model, optimizer, gal::mse(), {.curvature = gal::curvature_kind::remainder});
  };
  CHECK(run(true, by_remainder) == run(false, by_remainder));
  CHECK(run(true, plain) != run(true, adjusted));
}

TEST_CASE("steps that cannot be repeated are not captured") {
  small_training training;
  gal::adam<float, backend_type> optimizer({}, training.backend);
  gal::adjust noisy(training.model, optimizer, gal::mse(),
                    {.adjuster = {.kind = gal::adjuster_kind::uniform}});
  CHECK_THROWS_AS(gal::captured_step(noisy, training.x, training.y), gal::error);
  const auto classes = paths::put(training.backend, paths::labels(16, 2, 12));
  gal::adjust mixing(training.model, optimizer, gal::softmax_cross_entropy(), gal::mixed_features(0.1));
  CHECK_THROWS_AS(gal::captured_step(mixing, training.x, classes), gal::error);
  gal::nn::cnn<float, backend_type> with_dropout(
      {5, 1, 1}, {gal::nn::flatten{}, gal::nn::dropout{0.5}, gal::nn::linear{2}}, {}, training.backend);
  gal::adjust dropping(with_dropout, optimizer, gal::mse());
  CHECK_THROWS_AS(gal::captured_step(dropping, training.x, training.y), gal::error);
  gal::adjust raising(training.model, optimizer, gal::mse(), {.non_finite = gal::non_finite_policy::raise});
  CHECK_THROWS_AS(gal::captured_step(raising, training.x, training.y), gal::error);
  gal::rescaled fading(training.model, optimizer, gal::mse(), {.schedule = gal::cosine_schedule(10)});
  CHECK_THROWS_AS(gal::captured_step(fading, training.x, training.y), gal::error);
}

TEST_CASE("a rescaled step that is refused leaves parameters, state and averages") {
  const auto path = [](gal::curvature_kind kind, bool disturbed) {
    small_training training;
    gal::adam<float, backend_type> optimizer({}, training.backend);
    gal::rescaled trainer(training.model, optimizer, gal::mse(), {.curvature = kind});
    auto bad = paths::normal<float>(2, 16, 11);
    bad.values[3] = std::numeric_limits<float>::quiet_NaN();
    const auto bad_targets = paths::put(training.backend, bad);
    for (int k = 0; k < 6; ++k) {
      if (disturbed && k == 3) {
        const gal::rescaled_report report = trainer.step(training.x, bad_targets);
        CHECK(report.non_finite);
        CHECK(std::isnan(report.multiplier));
      }
      trainer.step(training.x, training.y);
    }
    return paths::parameters_of(training.backend, training.model);
  };
  for (const auto kind : {gal::curvature_kind::larger, gal::curvature_kind::remainder}) {
    CHECK(path(kind, true) == path(kind, false));
  }
}

TEST_CASE("memory that is not to be had is an error, and leaves a matrix as it was") {
  const backend_type backend;
  device_matrix<double> m(2, 2, 3.0, backend);
  try {
    m.resize(gal::index_type{1} << 28, gal::index_type{1} << 28);
    FAIL("not refused");
  } catch (const gal::error& failure) {
    CHECK(failure.code() == gal::error_code::out_of_memory);
    CHECK(std::string(failure.what()).find("bytes") != std::string::npos);
  }
  CHECK(m.shape() == gal::shape{2, 2});
  CHECK(host(m) == std::vector<double>(4, 3.0));
}

TEST_CASE("targets that the host would refuse make a step that is refused") {
  small_training training;
  gal::adam<float, backend_type> optimizer({}, training.backend);
  const auto before = paths::parameters_of(training.backend, training.model);
  auto labels = paths::put(training.backend, paths::labels(16, 2, 1));
  const int no_class = 2;
  training.backend.upload(&no_class, labels.data() + 5, 1);
  gal::adjust with_labels(training.model, optimizer, gal::softmax_cross_entropy());
  CHECK(with_labels.step(training.x, labels).get().non_finite);
  gal::adjust with_shares(training.model, optimizer, gal::binary_cross_entropy());
  CHECK(with_shares.step(training.x, device_matrix<float>(2, 16, 1.5f, training.backend)).get().non_finite);
  CHECK(paths::parameters_of(training.backend, training.model) == before);
}

TEST_CASE_TEMPLATE("a class that is masked out by the logit -infinity has no part in the loss", T, float,
                   double) {
  infinite_logits::check_softmax<backend_type, T>();
}

TEST_CASE_TEMPLATE("every entrywise loss has its limit at infinite features", T, float, double) {
  infinite_logits::check_entrywise<backend_type, T>();
}

TEST_CASE_TEMPLATE("classes that are masked out train the others, and get no gradient themselves", T, float,
                   double) {
  infinite_logits::check_training<backend_type, T>();
}

TEST_CASE("shapes that do not fit are refused") {
  small_training training;
  gal::adam<float, backend_type> optimizer({}, training.backend);
  gal::adjust trainer(training.model, optimizer, gal::mse());
  CHECK_THROWS_AS(trainer.step(training.y, training.y), gal::error);
  CHECK_THROWS_AS(trainer.step(training.x, training.x), gal::error);
}

// The expansion along a direction: against differences, identities that hold whatever the network, and misuse.

#include <gal/gal.hpp>

#include "counted_allocations.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using gal::expansion_order;
using gal::index_type;

template <class T>
using row = std::vector<T>;

template <class E>
std::vector<E> all() {
  std::vector<E> result;
  for (std::size_t k = 0; k < gal::enumerators_of<E>.size(); ++k) {
    result.push_back(static_cast<E>(k));
  }
  return result;
}

/// One that has X', and no more.
template <class Model>
struct first_order : opaque_model<Model> {
  auto forward_tangent(gal::parameter_direction<gal::model_scalar<Model>> direction) {
    return this->model.forward_tangent(direction);
  }
};

static_assert(gal::second_order_model<gal::nn::mlp<float>> && gal::adjoint_model<gal::nn::mlp<float>>);
static_assert(gal::second_order_model<gal::nn::point<float>> && gal::adjoint_model<gal::nn::point<float>>);
static_assert(gal::second_order_model<gal::nn::cnn<float>> && gal::adjoint_model<gal::nn::cnn<float>>);
static_assert(!gal::tangent_model<opaque_model<gal::nn::mlp<float>>>);
static_assert(gal::tangent_model<first_order<gal::nn::mlp<float>>> &&
              !gal::second_order_model<first_order<gal::nn::mlp<float>>>);

template <class T>
gal::parameter_vector<T> random_direction(std::span<const gal::parameter<T>> parameters, std::uint64_t seed,
                                          double scale = 0.5) {
  gal::parameter_vector<T> result;
  result.resize(parameters);
  gal::random_stream random{seed};
  for (index_type i = 0; i < result.size(); ++i) {
    result.data()[i] = static_cast<T>(scale * random.normal());
  }
  return result;
}

template <class Range>
row<double> numbers(const Range& values) {
  return {values.data(), values.data() + values.size()};
}

void check_close(const row<double>& a, const row<double>& b, double tolerance) {
  REQUIRE(a.size() == b.size());
  REQUIRE(!a.empty());
  double largest = 0.0;
  double difference = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(b[i]));
    REQUIRE(std::isfinite(a[i]));
    difference = std::max(difference, std::abs(a[i] - b[i]));
  }
  CHECK(difference <= tolerance * std::max(1.0, largest));
}

/// Networks: every activation, with and without biases, one to three layers, and those that are one affine map.
struct network {
  std::vector<index_type> widths;
  gal::nn::mlp_options options;
};
std::vector<network> networks() {
  std::vector<network> result;
  for (const auto activation : all<gal::nn::activation>()) {
    for (const bool bias : {true, false}) {
      result.push_back({{4, 3}, {.activation = activation, .bias = bias, .seed = 3}});
      result.push_back({{4, 6, 3}, {.activation = activation, .bias = bias, .seed = 4}});
      result.push_back({{4, 6, 5, 3}, {.activation = activation, .bias = bias, .seed = 5}});
    }
  }
  // Of 9 samples, 4 x (40, 40) x 3 is taken as one map of 5 probes.
  for (const bool bias : {true, false}) {
    result.push_back(
        {{4, 40, 40, 3}, {.activation = gal::nn::activation::identity, .bias = bias, .seed = 6}});
  }
  return result;
}

constexpr index_type samples = 9;

}  // namespace

TEST_CASE("the second derivatives of activations are those of their slopes") {
  for (const auto which : all<gal::nn::activation>()) {
    CAPTURE(gal::to_string(which));
    gal::nn::detail::dispatch(which, [&](auto activation) {
      for (const double z : {-30.0, -3.0, -1.278, -0.7518, -0.2, 0.1, 0.7, 2.5, 30.0}) {
        CAPTURE(z);
        const auto slope = [&](double at) {
          return gal::nn::detail::slope<activation.value>(at,
                                                          gal::nn::detail::activate<activation.value>(at));
        };
        const double y = gal::nn::detail::activate<activation.value>(z);
        const double numerical = (slope(z + 1e-5) - slope(z - 1e-5)) / 2e-5;
        CHECK(gal::nn::detail::second_slope<activation.value>(z, y) ==
              doctest::Approx(numerical).epsilon(1e-8));
      }
    });
  }
}

TEST_CASE_TEMPLATE("networks: X' and X'' are those of differences", T, float, double) {
  const bool is_double = std::is_same_v<T, double>;
  const auto x = random_matrix<T>(4, samples, 1);
  const auto y = random_matrix<T>(3, samples, 2);
  for (const network& n : networks()) {
    CAPTURE(gal::to_string(n.options.activation));
    CAPTURE(n.options.bias);
    CAPTURE(n.widths.size());
    gal::nn::mlp<T> model(n.widths, n.options);
    opaque_model<gal::nn::mlp<T>> other{model};
    const auto u = random_direction<T>(model.parameters(), 7);
    gal::directional_expansion exact(model);
    gal::directional_expansion numerical(other);

    exact.expand(gal::mse(), x, y, u.blocks(), expansion_order::first);
    numerical.expand(gal::mse(), x, y, u.blocks(), expansion_order::first);
    check_close(numbers(exact.features_first()), numbers(numerical.features_first()),
                is_double ? 1e-8 : 1e-2);
    check_close(numbers(exact.sample_first()), numbers(numerical.sample_first()), is_double ? 1e-8 : 1e-2);
    if (n.options.activation == gal::nn::activation::relu && !is_double) {
      continue;  // points so far apart have kinks between them
    }
    exact.expand(gal::mse(), x, y, u.blocks(), expansion_order::second);
    numerical.expand(gal::mse(), x, y, u.blocks(), expansion_order::second);
    const double tolerance = is_double ? 1e-6 : 2e-2;
    check_close(numbers(exact.features_second()), numbers(numerical.features_second()), tolerance);
    check_close(numbers(exact.sample_gauss_newton()), numbers(numerical.sample_gauss_newton()), tolerance);
    check_close(numbers(exact.sample_second()), numbers(numerical.sample_second()), tolerance);
  }
}

TEST_CASE_TEMPLATE("networks: the exact ways agree, and with the gradient", T, float, double) {
  const double tolerance = std::is_same_v<T, double> ? 1e-12 : 1e-4;
  const auto x = random_matrix<T>(4, samples, 1);
  std::vector<int> labels;
  for (index_type j = 0; j < samples; ++j) {
    labels.push_back(static_cast<int>(j % 3));
  }
  const gal::softmax_cross_entropy loss(0.1);
  for (const network& n : networks()) {
    CAPTURE(gal::to_string(n.options.activation));
    CAPTURE(n.options.bias);
    CAPTURE(n.widths.size());
    gal::nn::mlp<T> model(n.widths, n.options);
    const auto u = random_direction<T>(model.parameters(), 8);
    gal::directional_expansion along(model);

    along.expand(loss, x, labels, u.blocks(), expansion_order::second);
    const gal::directional_derivatives by_second = along.derivatives();
    const row<double> first = numbers(along.sample_first());
    const row<double> second = numbers(along.sample_second());
    const row<double> curvature = numbers(along.sample_gauss_newton());
    const auto mean = [](const row<double>& values) {
      double sum = 0.0;
      for (const double value : values) {
        sum += value;
      }
      return sum / static_cast<double>(values.size());
    };
    CHECK(by_second.first == doctest::Approx(mean(first)).epsilon(1e-12));
    CHECK(by_second.second == doctest::Approx(mean(second)).epsilon(1e-12));
    CHECK(by_second.gauss_newton == doctest::Approx(mean(curvature)).epsilon(1e-12));
    CHECK(*std::min_element(curvature.begin(), curvature.end()) >= 0.0);

    for (const auto& block : model.parameters()) {
      std::ranges::fill(block.gradient, T(0));
    }
    along.expand(loss, x, labels, u.blocks(), expansion_order::adjoint_second);
    const gal::directional_derivatives by_adjoints = along.derivatives();
    CHECK(by_adjoints.first == doctest::Approx(by_second.first).epsilon(tolerance));
    CHECK(by_adjoints.gauss_newton == doctest::Approx(by_second.gauss_newton).epsilon(tolerance));
    CHECK(std::abs(by_adjoints.second - by_second.second) <=
          tolerance * std::max(1.0, std::abs(by_second.second)));
    CHECK(along.features_second().empty());

    // <g, u>, with the gradient that the same call left.
    double slope = 0.0;
    std::size_t k = 0;
    for (const auto& block : model.parameters()) {
      for (std::size_t i = 0; i < block.gradient.size(); ++i) {
        slope += static_cast<double>(block.gradient[i]) * static_cast<double>(u.blocks()[k][i]);
      }
      ++k;
    }
    CHECK(std::abs(slope - by_second.first) <= tolerance * std::max(1.0, std::abs(slope)));

    along.expand(loss, x, labels, u.blocks(), expansion_order::gauss_newton);
    CHECK(along.derivatives().gauss_newton == doctest::Approx(by_second.gauss_newton).epsilon(tolerance));
    CHECK(std::isnan(along.derivatives().second));

    along.expand(loss, x, labels, u.blocks(), expansion_order::adjoint_first);
    check_close(numbers(along.sample_first()), first, tolerance);
    CHECK(along.derivatives().first == doctest::Approx(by_second.first).epsilon(tolerance));
    CHECK(along.features_first().empty());

    // A batch is its samples.
    for (index_type j = 0; j < samples; ++j) {
      const std::vector<int> label{labels[static_cast<std::size_t>(j)]};
      along.expand(loss, std::as_const(x).view().columns(j, 1), label, u.blocks());
      CHECK(std::abs(along.derivatives().first - first[static_cast<std::size_t>(j)]) <= 10 * tolerance);
      CHECK(std::abs(along.derivatives().second - second[static_cast<std::size_t>(j)]) <= 10 * tolerance);
    }
  }
}

namespace {

/// Convolutional networks that have every layer, of images of 2 x 6 x 5 and with 3 features.
std::vector<std::vector<gal::nn::layer>> convolutional_layers() {
  using namespace gal::nn;
  constexpr auto tanh = activation::tanh;
  return {
      {convolution{.channels = 4, .kernel = 3, .padding = 1}, silu, max_pool{2}, flatten{}, linear{3}},
      {convolution{.channels = 4, .kernel = 3, .stride = 2, .padding = 1, .groups = 2, .bias = false},
       batch_normalization{}, tanh, average_pool{2}, flatten{}, linear{5, false}, gelu, linear{3}},
      // A normalisation, a pool and a residual before the first parameters that are affine.
      {batch_normalization{}, silu, average_pool{3, 1, 1},
       residual{{depthwise_convolution{.kernel = 3, .padding = 1}, batch_normalization{}, sigmoid,
                 convolution{.channels = 2, .kernel = 1}}},
       max_pool{3, 1, 1}, global_average_pool{}, linear{3}},
      {residual{{convolution{.channels = 4, .kernel = 3, .padding = 2, .dilation = 2}, silu, dropout{0.3}},
                {convolution{.channels = 4, .kernel = 1, .bias = false}}},
       batch_normalization{}, silu,
       channel_gate{{global_average_pool{}, linear{2}, silu, linear{4}, sigmoid}},
       depthwise_convolution{.kernel = 3, .stride = 2, .bias = false}, tanh, flatten{}, dropout{0.2},
       linear{3}},
  };
}

}  // namespace

TEST_CASE_TEMPLATE("convolutional networks: X' and X'' are those of differences, and the exact ways agree", T,
                   float, double) {
  const bool is_double = std::is_same_v<T, double>;
  constexpr index_type batch = 5;
  const auto x = random_matrix<T>(60, batch, 1);
  const auto y = random_matrix<T>(3, batch, 2);
  for (const auto& layers : convolutional_layers()) {
    for (const bool training : {true, false}) {
      CAPTURE(layers.size());
      CAPTURE(training);
      gal::nn::cnn<T> model({2, 6, 5}, layers, {.seed = 3, .training = training});
      for (const auto& block : model.parameters()) {  // scales that are not 1
        for (std::size_t i = 0; i < block.value.size(); ++i) {
          block.value[i] += static_cast<T>(0.02 * static_cast<double>(i % 7));
        }
      }
      opaque_model<gal::nn::cnn<T>> other{model};
      const auto u = random_direction<T>(model.parameters(), 7, 0.3);
      gal::directional_expansion exact(model);
      gal::directional_expansion numerical(other);
      exact.expand(gal::mse(), x, y, u.blocks());
      const gal::directional_derivatives by_second = exact.derivatives();
      if (is_double) {
        numerical.expand(gal::mse(), x, y, u.blocks());
        check_close(numbers(exact.features_first()), numbers(numerical.features_first()), 2e-6);
        check_close(numbers(exact.features_second()), numbers(numerical.features_second()), 2e-6);
        check_close(numbers(exact.sample_second()), numbers(numerical.sample_second()), 2e-6);
      }
      for (const auto& block : model.parameters()) {
        std::ranges::fill(block.gradient, T(0));
      }
      exact.expand(gal::mse(), x, y, u.blocks(), expansion_order::adjoint_second);
      const gal::directional_derivatives by_adjoints = exact.derivatives();
      const double tolerance = is_double ? 1e-11 : 1e-3;
      CHECK(std::abs(by_adjoints.second - by_second.second) <=
            tolerance * std::max(1.0, std::abs(by_second.second)));
      CHECK(by_adjoints.first == doctest::Approx(by_second.first).epsilon(tolerance));
      double slope = 0.0;
      std::size_t k = 0;
      for (const auto& block : model.parameters()) {
        for (std::size_t i = 0; i < block.gradient.size(); ++i) {
          slope += static_cast<double>(block.gradient[i]) * static_cast<double>(u.blocks()[k][i]);
        }
        ++k;
      }
      CHECK(std::abs(slope - by_second.first) <= tolerance * std::max(1.0, std::abs(slope)));
    }
  }
}

TEST_CASE_TEMPLATE("convolutional networks: products of samples from adjoints are those of tangents", T,
                   float, double) {
  const double tolerance = std::is_same_v<T, double> ? 1e-12 : 1e-3;
  constexpr index_type batch = 5;
  const auto x = random_matrix<T>(60, batch, 1);
  const auto y = random_matrix<T>(3, batch, 2);
  for (const auto& layers : convolutional_layers()) {
    CAPTURE(layers.size());
    gal::nn::cnn<T> model({2, 6, 5}, layers, {.seed = 3, .training = false, .bias_group = 1});
    const auto u = random_direction<T>(model.parameters(), 7, 0.3);
    gal::directional_expansion along(model);
    along.expand(gal::mse(), x, y, u.blocks(), expansion_order::first);
    const row<double> tangents = numbers(along.sample_first());
    along.expand(gal::mse(), x, y, u.blocks(), expansion_order::adjoint_first);
    check_close(numbers(along.sample_first()), tangents, tolerance);

    // Normalised by each other, samples have no gradients of their own; still their products with weights add up to the batch's.
    gal::parameter_vector<T> weights = random_direction<T>(model.parameters(), 7, 0.3);
    std::size_t first = 0;
    for (const auto& block : model.parameters()) {
      std::ranges::fill(block.gradient, T(0));
      if (block.group == 1) {
        std::fill_n(weights.data() + first, block.value.size(), T(0));
      }
      first += block.value.size();
    }
    model.set_training(true);
    along.expand(gal::mse(), x, y, weights.blocks(), expansion_order::adjoint_first);
    double slope = 0.0;
    std::size_t k = 0;
    for (const auto& block : model.parameters()) {
      for (std::size_t i = 0; i < block.gradient.size(); ++i) {
        slope += static_cast<double>(block.gradient[i]) * static_cast<double>(weights.blocks()[k][i]);
      }
      ++k;
    }
    CHECK(std::abs(along.derivatives().first - slope) <= tolerance * std::max(1.0, std::abs(slope)));
  }
}

TEST_CASE("a pass that was put aside is taken up where it was") {
  const auto x = random_matrix<double>(60, 5, 1);
  const auto other = random_matrix<double>(60, 70, 2);  // more than the affine shortcut's probes
  const auto check = [&](auto model, const auto& batch, const auto& between) {
    const auto u = random_direction<double>(model.parameters(), 7, 0.3);
    model.keep_adjoints(true);
    const gal::matrix<double> features(model.forward(batch));
    model.backward(features);
    const auto products = [&] {
      row<double> result(static_cast<std::size_t>(batch.columns()));
      model.sample_products(u.blocks(), result.data());
      return result;
    };
    const row<double> first = products();
    const row<double> tangent = numbers(model.forward_tangent(u.blocks()));
    auto aside = model.pass();
    std::swap(model.pass(), aside);
    const gal::matrix<double> more(model.forward(between));
    model.backward(more);
    std::swap(model.pass(), aside);
    CHECK(products() == first);
    CHECK(numbers(model.forward_tangent(u.blocks())) == tangent);
  };
  for (const auto activation : {gal::nn::activation::gelu, gal::nn::activation::identity}) {
    const gal::nn::mlp<double> model({60, 90, 90, 3}, {.activation = activation, .seed = 3});
    check(model, x, other);
    check(model, other, x);
  }
  for (const auto& layers : convolutional_layers()) {
    check(gal::nn::cnn<double>({2, 6, 5}, layers, {.seed = 3}), x, other);
  }
}

TEST_CASE("convolutional networks: an expansion changes no bit of a gradient, and allocates once") {
  constexpr index_type batch = 5;
  const auto x = random_matrix<float>(60, batch, 1);
  const auto y = random_matrix<float>(3, batch, 2);
  for (const auto& layers : convolutional_layers()) {
    gal::nn::cnn<float> plain({2, 6, 5}, layers, {.seed = 3});
    gal::nn::cnn<float> expanded({2, 6, 5}, layers, {.seed = 3});
    const auto u = random_direction<float>(plain.parameters(), 7);
    plain.forward(x);
    plain.backward(y);
    expanded.keep_adjoints(true);
    expanded.forward(x);
    expanded.forward_second_order(u.blocks());
    expanded.backward(y);
    CHECK(std::ranges::equal(numbers(plain.gradients()), numbers(expanded.gradients())));
    CHECK(std::ranges::equal(numbers(plain.statistics()), numbers(expanded.statistics())));
    double product = 0.0;
    expanded.forward_tangent(u.blocks(), &product);
    const long before = allocations;
    expanded.forward_tangent(u.blocks(), &product);
    expanded.forward_second_order(u.blocks());
    CHECK(allocations - before == 0);
  }
}

TEST_CASE("keeping adjoints changes no bit of a gradient") {
  const auto x = random_matrix<float>(4, samples, 1);
  const auto g = random_matrix<float>(3, samples, 2);
  for (const network& n : networks()) {
    gal::nn::mlp<float> plain(n.widths, n.options);
    gal::nn::mlp<float> keeping(n.widths, n.options);
    keeping.keep_adjoints(true);
    plain.forward(x);
    plain.backward(g);
    keeping.forward(x);
    keeping.backward(g);
    for (std::size_t k = 0; k < plain.parameters().size(); ++k) {
      CHECK(std::ranges::equal(plain.parameters()[k].gradient, keeping.parameters()[k].gradient));
    }
  }
}

TEST_CASE(
    "a quadratic loss of an affine model: the remainder is half the second derivative, the line has its "
    "minimum") {
  const auto x = random_matrix(4, samples, 1);
  const auto y = random_matrix(3, samples, 2);
  gal::nn::mlp<double> model({4, 3}, {.seed = 3});
  const auto u = random_direction<double>(model.parameters(), 9);
  gal::directional_expansion along(model);
  along.expand(gal::mse(), x, y, u.blocks());
  const gal::directional_derivatives d = along.derivatives();
  CHECK(d.gauss_newton == doctest::Approx(d.second).epsilon(1e-14));

  gal::expansion<double, gal::eigen_backend> step{gal::eigen_backend()};
  const gal::matrix<double> displacement(along.features_first());
  gal::matrix<double> remainders(1, samples);
  gal::mse loss;
  step.remainder(loss, along.features_first(), y, along.gradient(), std::as_const(displacement).view(),
                 remainders.view(), gal::matrix_view<double>());
  for (index_type j = 0; j < samples; ++j) {
    CHECK(remainders(0, j) == doctest::Approx(0.5 * along.sample_second()(0, j)).epsilon(1e-14));
  }

  // At theta - (n/c) u the slope along u is zero.
  std::size_t k = 0;
  for (const auto& block : model.parameters()) {
    for (std::size_t i = 0; i < block.value.size(); ++i) {
      block.value[i] -= d.first / d.second * u.blocks()[k][i];
    }
    ++k;
  }
  along.expand(gal::mse(), x, y, u.blocks(), expansion_order::first);
  CHECK(std::abs(along.derivatives().first) <= 1e-14);
}

TEST_CASE_TEMPLATE("losses: q is the difference of their gradients", T, float, double) {
  const double tolerance = std::is_same_v<T, double> ? 1e-8 : 1e-4;
  const auto check = [&](auto loss, const gal::matrix<T>& features, const auto& targets) {
    const auto t = random_matrix<T>(features.rows(), features.columns(), 11);
    gal::matrix<double> exact(1, features.columns());
    gal::matrix<double> numerical(1, features.columns());
    loss.second_derivative(gal::eigen_backend(), features.view(), targets, std::as_const(t).view(),
                           exact.view());
    gal::detail::loss_differences<T, gal::eigen_backend> differences{gal::eigen_backend()};
    differences.second_derivative(loss, features.view(), targets, std::as_const(t).view(), numerical.view());
    check_close(numbers(exact), numbers(numerical), tolerance);
  };
  const auto x = random_matrix<T>(4, samples, 12);
  const auto y = random_matrix<T>(4, samples, 13);
  check(gal::mse(), x, y);
  check(gal::mae(), x, y);
  check(gal::huber(0.8), x, y);
  gal::matrix<T> shares(4, samples);
  for (index_type j = 0; j < samples; ++j) {
    for (index_type i = 0; i < 4; ++i) {
      shares(i, j) = i == j % 4 ? T(0.7) : T(0.1);
    }
  }
  check(gal::binary_cross_entropy(), x, shares);
  check(gal::softmax_cross_entropy(), x, shares);
  check(gal::softmax_cross_entropy(0.2), x, shares);
  check(gal::softmax_cross_entropy(0.2), x, std::vector<int>{0, 1, 2, 3, 0, 1, 2, 3, 0});

  // Boxes that meet, lie apart, in each other, and one of negative width; none on a kink.
  gal::matrix<T> boxes(4, samples), truth(4, samples);
  gal::random_stream random{14};
  for (index_type j = 0; j < samples; ++j) {
    truth(0, j) = T(0.3);
    truth(1, j) = T(0.6);
    truth(2, j) = T(0.5);
    truth(3, j) = T(0.4);
    const auto far = j == 1 ? 2.0 : 0.2;
    boxes(0, j) = static_cast<T>(0.3 + far * random.normal());
    boxes(1, j) = static_cast<T>(0.6 + 0.2 * random.normal());
    boxes(2, j) = static_cast<T>(j == 2 ? -0.2 : (j == 3 ? 2.0 : 0.3 + 0.1 * random.normal()));
    boxes(3, j) = static_cast<T>(j == 3 ? 2.0 : 0.5 + 0.1 * random.normal());
  }
  check(gal::box_loss(), boxes, truth);

  const auto quartic = [](auto a, auto b, auto g) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double r = a[i] - static_cast<double>(b[i]);
      g[i] = 4 * r * r * r;
      sum += r * r * r * r;
    }
    return sum;
  };
  const auto second = [](auto a, auto b, auto t) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double r = a[i] - static_cast<double>(b[i]);
      sum += 12 * r * r * t[i] * t[i];
    }
    return sum;
  };
  check(gal::sample_loss(quartic, second), x, y);
  static_assert(!gal::second_order_loss_for<decltype(gal::sample_loss(quartic)), T, gal::eigen_backend,
                                            gal::matrix<T>>);

  // And without one, by differences in the expansion.
  gal::nn::point<T> with(x.view());
  gal::directional_expansion along(with);
  const auto u = random_direction<T>(with.parameters(), 15);
  along.expand(gal::sample_loss(quartic, second), gal::nothing{}, y, u.blocks());
  const row<double> expected = numbers(along.sample_second());
  along.expand(gal::sample_loss(quartic), gal::nothing{}, y, u.blocks());
  check_close(numbers(along.sample_second()), expected, tolerance);
}

TEST_CASE("a class that is masked out has no part in the second derivative") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto x = matrix({{1.0, -infinity}, {0.5, 0.25}, {-infinity, 0.0}});
  const auto t = matrix({{0.3, 7.0}, {-0.4, 0.2}, {5.0, 0.1}});
  gal::matrix<double> q(1, 2);
  gal::softmax_cross_entropy().second_derivative(gal::eigen_backend(), x.view(), std::vector<int>{0, 1},
                                                 t.view(), q.view());
  const auto pair = [](double a, double b, double s, double u) {
    const double p = 1.0 / (1.0 + std::exp(b - a));
    return p * (1.0 - p) * (s - u) * (s - u);
  };
  CHECK(q(0, 0) == doctest::Approx(pair(1.0, 0.5, 0.3, -0.4)));
  CHECK(q(0, 1) == doctest::Approx(pair(0.25, 0.0, 0.2, 0.1)));
}

TEST_CASE("a model with X' alone takes X'' from differences, and stays as it was") {
  const auto x = random_matrix(4, samples, 1);
  const auto y = random_matrix(3, samples, 2);
  gal::nn::mlp<double> model({4, 6, 3}, {.activation = gal::nn::activation::tanh, .seed = 4});
  first_order<gal::nn::mlp<double>> other{{model}};
  const auto u = random_direction<double>(model.parameters(), 7);
  const gal::parameter_vector<double> before = [&] {
    gal::parameter_vector<double> values;
    values.assign_values(other.parameters());
    return values;
  }();
  gal::directional_expansion exact(model);
  gal::directional_expansion mixed(other);
  exact.expand(gal::mse(), x, y, u.blocks());
  for (const auto order : {expansion_order::second, expansion_order::adjoint_second}) {
    mixed.expand(gal::mse(), x, y, u.blocks(), order);
    check_close(numbers(mixed.features_first()), numbers(exact.features_first()), 1e-15);
    check_close(numbers(mixed.sample_second()), numbers(exact.sample_second()), 1e-6);
    CHECK(mixed.derivatives().second == doctest::Approx(exact.derivatives().second).epsilon(1e-6));
  }
  // Values, and what backward adds, as without the expansion.
  gal::parameter_vector<double> after;
  after.assign_values(other.parameters());
  CHECK(std::ranges::equal(std::span(before.data(), 51), std::span(after.data(), 51)));
  const gal::matrix<double> g(exact.gradient());
  model.backward(g);
  other.backward(g);
  for (std::size_t k = 0; k < model.parameters().size(); ++k) {
    CHECK(std::ranges::equal(model.parameters()[k].gradient, other.parameters()[k].gradient));
  }
}

TEST_CASE_TEMPLATE("the number of threads changes no bit", T, float, double) {
  constexpr index_type many = 300;
  const auto x = random_matrix<T>(40, many, 1);
  const auto y = random_matrix<T>(10, many, 2);
  const auto run = [&](int threads, gal::nn::activation activation, expansion_order order) {
    const std::vector<index_type> widths = activation == gal::nn::activation::identity
                                               ? std::vector<index_type>{40, 200, 200, 10}
                                               : std::vector<index_type>{40, 90, 70, 10};
    gal::nn::mlp<T> model(widths, {.activation = activation, .seed = 3}, gal::eigen_backend(threads));
    const auto u = random_direction<T>(model.parameters(), 5);
    gal::directional_expansion along(model);
    along.expand(gal::huber(), x, y, u.blocks(), order);
    row<double> result = numbers(along.sample_first());
    if (order == expansion_order::adjoint_first) {
      return result;  // all that there is
    }
    for (const auto& more : {numbers(along.features_first()), numbers(along.features_second()),
                             numbers(along.sample_gauss_newton())}) {
      result.insert(result.end(), more.begin(), more.end());
    }
    result.push_back(along.derivatives().first);
    result.push_back(along.derivatives().gauss_newton);
    result.push_back(along.derivatives().second);
    return result;
  };
  for (const auto activation : all<gal::nn::activation>()) {
    for (const auto order :
         {expansion_order::adjoint_first, expansion_order::second, expansion_order::adjoint_second}) {
      const row<double> once = run(1, activation, order);
      for (const int threads : {2, 3, 5}) {
        CHECK(run(threads, activation, order) == once);
      }
    }
  }
}

TEST_CASE("nothing is allocated after the first call") {
  const auto x = random_matrix<float>(4, samples, 1);
  const auto y = random_matrix<float>(3, samples, 2);
  const auto check = [&](auto& model) {
    gal::directional_expansion along(model);
    const auto u = random_direction<float>(model.parameters(), 5);
    const std::span<const std::span<const float>> direction = u.blocks();
    for (const auto order : all<expansion_order>()) {
      along.expand(gal::mse(), x, y, direction, order);
      const long before = allocations;
      along.expand(gal::mse(), x, y, direction, order);
      along.expand(gal::mse(), x, y, direction, order);
      CHECK(allocations - before == 0);
    }
  };
  for (const auto activation : {gal::nn::activation::gelu, gal::nn::activation::identity}) {
    gal::nn::mlp<float> model({4, 40, 40, 3}, {.activation = activation, .seed = 3});
    check(model);
    opaque_model<gal::nn::mlp<float>> other{model};
    check(other);
  }
}

TEST_CASE("an expansion of an expansion is a copy") {
  gal::nn::mlp<double> model({2, 3}, {.seed = 1});
  gal::directional_expansion along(model);
  const auto u = random_direction<double>(model.parameters(), 5);
  gal::directional_expansion copy(along);
  static_assert(std::is_same_v<decltype(copy), decltype(along)>);
  const auto x = random_matrix(2, samples, 1);
  const auto y = random_matrix(3, samples, 2);
  along.expand(gal::mse(), x, y, u.blocks());
  copy.expand(gal::mse(), x, y, u.blocks());
  CHECK(copy.derivatives().second == along.derivatives().second);
}

TEST_CASE("a vector of parameters copies as what it holds") {
  gal::nn::mlp<double> model({2, 3}, {.seed = 1});
  gal::parameter_vector<double> values;
  values.assign_values(model.parameters());
  const gal::parameter_vector<double> copy(values);
  values.data()[0] = 17.0;
  REQUIRE(copy.blocks().size() == 2);
  CHECK(copy.blocks()[0].data() == copy.data());
  CHECK(copy.blocks()[1].data() == copy.data() + 6);
  CHECK(copy.data()[0] == model.weight(0).data()[0]);
  values = copy;
  CHECK(values.data()[0] == copy.data()[0]);
  CHECK(values.blocks()[1].data() == values.data() + 6);
}

TEST_CASE("misuse") {
  const auto x = random_matrix(4, samples, 1);
  const auto y = random_matrix(3, samples, 2);
  gal::nn::mlp<double> model({4, 6, 3}, {.seed = 4});
  const auto u = random_direction<double>(model.parameters(), 7);

  CHECK(refusal(gal::error_code::invalid_option, [&] { return model.forward_tangent(u.blocks()); }) ==
        "gal::nn::mlp::forward_tangent: no forward came before; expected one");
  model.forward(x);
  CHECK(
      refusal(gal::error_code::shape_mismatch, [&] { return model.forward_tangent(u.blocks().first(3)); }) ==
      "gal::nn::mlp::forward_tangent: the direction has 3 blocks; expected 4, one for each of parameters()");
  const std::array wrong{u.blocks()[0], u.blocks()[1], u.blocks()[2], u.blocks()[1]};
  CHECK(refusal(gal::error_code::shape_mismatch, [&] { return model.forward_second_order(wrong); }) ==
        "gal::nn::mlp::forward_second_order: block 3 of the direction has 6 numbers; expected 3, the size of "
        "the "
        "parameters' block");

  double product = 0.0;
  const std::string missing =
      "gal::nn::mlp::forward_tangent: no adjoints of the last forward; expected keep_adjoints(true), then "
      "forward "
      "and backward";
  const auto ask = [&] { return model.forward_tangent(u.blocks(), &product); };
  CHECK(refusal(gal::error_code::invalid_option, ask) == missing);
  model.keep_adjoints(true);
  model.backward(y);
  CHECK_NOTHROW(ask());
  model.forward(x);
  CHECK(refusal(gal::error_code::invalid_option, ask) == missing);
  model.backward(y);
  model.keep_adjoints(false);
  CHECK(refusal(gal::error_code::invalid_option, ask) == missing);

  gal::nn::point<double> point({1.0, 2.0});
  CHECK(refusal(gal::error_code::shape_mismatch, [&] { return point.forward_tangent(u.blocks()); }) ==
        "gal::nn::point::forward_tangent: the direction has 4 blocks; expected 1, one for each of "
        "parameters()");

  opaque_model<gal::nn::mlp<double>> other{model};
  gal::directional_expansion along(other);
  CHECK(refusal(gal::error_code::shape_mismatch,
                [&] {
                  along.expand(gal::mse(), x, y, u.blocks().first(3));
                  return 0;
                }) ==
        "gal::directional_expansion: the direction has 3 blocks; expected 4, one for each of parameters()");
  CHECK(refusal(gal::error_code::invalid_option, [&] {
          along.expand(gal::mse(), x, y, u.blocks(), static_cast<expansion_order>(9));
          return 0;
        }).starts_with("gal::directional_expansion: order"));
}

TEST_CASE("a model that draws noise and has no tangents is refused, and left as it was") {
  struct noisy : opaque_model<gal::nn::mlp<double>> {
    [[nodiscard]] bool draws_noise() const { return true; }
  };
  const auto x = random_matrix(4, samples, 1);
  const auto y = random_matrix(3, samples, 2);
  noisy model{{gal::nn::mlp<double>({4, 3})}};
  const auto u = random_direction<double>(model.parameters(), 7);
  gal::directional_expansion along(model);
  CHECK(refusal(gal::error_code::invalid_option, [&] {
          along.expand(gal::mse(), x, y, u.blocks());
          return 0;
        }).starts_with("gal::directional_expansion: the model draws noise"));

  struct throwing : opaque_model<gal::nn::mlp<double>> {
    int left = 2;
    const feature_type& forward(const input_type& input) {
      if (--left < 0) {
        throw std::runtime_error("no more");
      }
      return model.forward(input);
    }
  };
  throwing breaks{{gal::nn::mlp<double>({4, 3})}};
  gal::parameter_vector<double> before;
  before.assign_values(breaks.parameters());
  gal::directional_expansion of(breaks);
  CHECK_THROWS(of.expand(gal::mse(), x, y, u.blocks()));
  gal::parameter_vector<double> after;
  after.assign_values(breaks.parameters());
  CHECK(std::ranges::equal(std::span(before.data(), 15), std::span(after.data(), 15)));
}

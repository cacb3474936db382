// The adjuster and its controls, and the map from its output to the adjustment.
#include <gal/backends/eigen.hpp>
#include <gal/core/random.hpp>
#include <gal/train/adjust_options.hpp>
#include <gal/train/adjuster.hpp>
#include <gal/train/adjustment_map.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace {

using doctest::Approx;
using gal::adjuster_kind;
using gal::normalisation;
using gal::detail::text;
constexpr std::array normalisations = {normalisation::per_sample, normalisation::per_batch,
                                       normalisation::gate};
constexpr std::array kinds = {adjuster_kind::learned,       adjuster_kind::untrained,
                              adjuster_kind::zero,          adjuster_kind::uniform,
                              adjuster_kind::normal,        adjuster_kind::label_smoothing,
                              adjuster_kind::feature_decay, adjuster_kind::mixed_features};

template <class T>
double norm(gal::matrix_view<const T> m) {
  double square = 0.0;
  for (gal::index_type i = 0; i < m.size(); ++i) {
    square += static_cast<double>(m.data()[i]) * static_cast<double>(m.data()[i]);
  }
  return std::sqrt(square);
}
template <class T>
double column_norm(const gal::matrix<T>& m, gal::index_type j) {
  return norm(m.view().columns(j, 1));
}

template <class T>
using map = gal::adjustment_map<T, gal::eigen_backend>;

template <class T>
gal::matrix<T> adjustment(normalisation kind, double epsilon, bool remove_mean, const gal::matrix<T>& h,
                          const gal::matrix<T>& g) {
  gal::matrix<T> a(h.rows(), h.columns(), std::numeric_limits<T>::quiet_NaN());
  map<T>(kind, epsilon, remove_mean, gal::eigen_backend()).forward(h.view(), g.view(), a.view());
  return a;
}

static_assert(gal::adjuster_for<gal::adjuster<float>, float> &&
              gal::adjuster_for<gal::adjuster<double>, double>);
static_assert(!gal::adjuster_for<gal::adjuster<float>, double>);
static_assert(std::copyable<gal::adjuster<float>>);

}  // namespace

TEST_CASE_TEMPLATE("every kind of adjuster gives a direction for every feature", T, float, double) {
  for (const adjuster_kind kind : kinds) {
    CAPTURE(static_cast<int>(kind));
    gal::adjuster<T> h({4, 8, 2}, {.kind = kind, .seed = 1, .strength = 0.1});
    for (const gal::index_type samples : {5, 1, 9}) {
      const auto x = random_matrix<T>(4, samples, 1);
      CHECK(h.forward(x).shape() == gal::shape{2, samples});
    }
    CHECK(h.options().kind == kind);
    CHECK(h.parameters().empty() == (kind != adjuster_kind::learned));
  }
}

TEST_CASE("the presets start the adjuster as the table of docs/algorithm.md says") {
  CHECK(gal::recommended().hidden == std::vector<gal::index_type>{16});
  CHECK(gal::recommended().adjuster.initialization == gal::nn::initialization::fan_in);
  CHECK(gal::recommended().adjuster.activation == gal::nn::tanh);
  CHECK(gal::paper().hidden == std::vector<gal::index_type>{64, 24});
  CHECK(gal::paper().adjuster.initialization == gal::nn::initialization::xavier);
  CHECK(gal::paper().adjuster.activation == gal::nn::identity);
}

TEST_CASE_TEMPLATE("the learned adjuster is a network from given weights or from its seed", T, float,
                   double) {
  gal::adjuster<T> h({2, 2, 1});
  // Its defaults: tanh between the layers, weights and biases as a model's.
  CHECK(h.options().activation == gal::nn::tanh);
  CHECK(h.network().bias(0).column(0)[0] != T(0));
  CHECK(h.network().options().initialization == gal::nn::initialization::fan_in);
  // A model of the same seed does not draw the same numbers.
  gal::nn::mlp<T> model({2, 2, 1});
  CHECK(h.network().weight(0)(0, 0) != model.weight(0)(0, 0));

  std::ranges::copy(std::array<T, 4>{1, 2, -1, T(0.5)}, h.network().weight(0).data());
  std::ranges::copy(std::array<T, 2>{3, -2}, h.network().weight(1).data());
  std::ranges::copy(std::array<T, 2>{0, 0}, h.network().bias(0).data());
  h.network().bias(1)(0, 0) = T(0.5);
  const auto x = matrix<T>({{1}, {-1}});
  const double expected = 3 * std::tanh(1.0 - 2.0) - 2 * std::tanh(-1.0 - 0.5) + 0.5;
  CHECK(h.forward(x)(0, 0) == Approx(expected).epsilon(1e-6));

  gal::adjuster<T> linear({2, 2, 1}, {.activation = gal::nn::identity, .bias = false});
  CHECK(linear.parameters().size() == 2);
  std::ranges::copy(std::array<T, 4>{1, 2, -1, T(0.5)}, linear.network().weight(0).data());
  std::ranges::copy(std::array<T, 2>{3, -2}, linear.network().weight(1).data());
  CHECK(linear.forward(x)(0, 0) == T(0));  // 3 (1 - 2) - 2 (-1 - 0.5)
  CHECK(linear.forward(matrix<T>({{2}, {1}}))(0, 0) == T(15));

  CHECK(gal::adjuster<T>({3, 4, 2}, {.seed = 5}).forward(random_matrix<T>(3, 2, 1)) ==
        gal::adjuster<T>({3, 4, 2}, {.seed = 5}).forward(random_matrix<T>(3, 2, 1)));
  CHECK_FALSE(gal::adjuster<T>({3, 4, 2}, {.seed = 5}).forward(random_matrix<T>(3, 2, 1)) ==
              gal::adjuster<T>({3, 4, 2}, {.seed = 6}).forward(random_matrix<T>(3, 2, 1)));
}

TEST_CASE_TEMPLATE("only the learned adjuster learns", T, float, double) {
  const auto x = random_matrix<T>(3, 4, 1);
  const auto g = random_matrix<T>(2, 4, 2);
  gal::adjuster<T> learned({3, 5, 2}, {.seed = 3});
  gal::adjuster<T> untrained({3, 5, 2}, {.kind = adjuster_kind::untrained, .seed = 3});
  CHECK(learned.forward(x) == untrained.forward(x));

  gal::nn::mlp<T> network = learned.network();
  CHECK(network.options().activation == gal::nn::tanh);
  learned.backward(g);
  network.forward(x);
  network.backward(g);
  for (std::size_t l = 0; l < 2; ++l) {
    const auto expected = network.weight_gradient(l);
    const auto gradient = learned.network().weight_gradient(l);
    CHECK(std::equal(expected.data(), expected.data() + expected.size(), gradient.data()));
    CHECK(norm(gradient.as_const()) > 0.0);
  }
  REQUIRE(learned.parameters().size() == 4);
  CHECK(learned.parameters()[0].value.data() == learned.network().weight(0).data());

  untrained.backward(g);
  CHECK(norm(untrained.network().weight_gradient(0).as_const()) == 0.0);
  CHECK(norm(untrained.network().weight_gradient(1).as_const()) == 0.0);

  gal::adjuster<T> copy = learned;
  copy.network().weight(0)(0, 0) += T(1);
  CHECK_FALSE(copy.forward(x) == learned.forward(x));
  CHECK(learned.forward(x) == untrained.forward(x));
}

TEST_CASE_TEMPLATE("the zero adjuster proposes nothing", T, float, double) {
  gal::adjuster<T> h({4, 8, 2}, {.kind = adjuster_kind::zero});
  CHECK(h.forward(random_matrix<T>(4, 5, 1)) == gal::matrix<T>(2, 5, T(0)));
  h.backward(random_matrix<T>(2, 5, 1));
  CHECK(h.noise() == gal::random_stream{});
}

TEST_CASE_TEMPLATE("noise advances, repeats from its seed, and can be replayed", T, float, double) {
  for (const adjuster_kind kind : {adjuster_kind::uniform, adjuster_kind::normal}) {
    gal::adjuster<T> h({4, 8, 2}, {.kind = kind, .seed = 7});
    gal::adjuster<T> again({4, 8, 2}, {.kind = kind, .seed = 7});
    gal::adjuster<T> other({4, 8, 2}, {.kind = kind, .seed = 8});
    const auto x = random_matrix<T>(4, 5, 1);
    CHECK(h.noise() == gal::random_stream{.seed = 7, .counter = 0});
    const gal::matrix<T> first = h.forward(x);
    CHECK(h.noise() == gal::random_stream{.seed = 7, .counter = 10});
    for (gal::index_type i = 0; i < 10; ++i) {
      const auto counter = static_cast<std::uint64_t>(i);
      const double expected = kind == adjuster_kind::uniform ? 2.0 * gal::random_uniform(7, counter) - 1.0
                                                             : gal::random_normal(7, counter);
      CHECK(first.data()[i] == static_cast<T>(expected));
    }
    CHECK(again.forward(x) == first);
    CHECK_FALSE(other.forward(x) == first);

    const gal::random_stream remembered = h.noise();
    const gal::matrix<T> second = h.forward(x);
    CHECK_FALSE(second == first);
    const gal::matrix<T> third = h.forward(x);
    h.set_noise(remembered);
    CHECK(h.forward(x) == second);
    CHECK(h.forward(x) == third);

    gal::adjuster<T> copy = h;
    CHECK(copy.forward(x) == h.forward(x));
  }
}

TEST_CASE_TEMPLATE("noise has its moments, within four standard errors", T, float, double) {
  constexpr gal::index_type count = 100'000;
  const gal::matrix<T> x(1, count);
  for (const adjuster_kind kind : {adjuster_kind::uniform, adjuster_kind::normal}) {
    const bool uniform = kind == adjuster_kind::uniform;
    gal::adjuster<T> h({1, 1}, {.kind = kind, .seed = 2});
    const auto& noise = h.forward(x);
    double sum = 0.0, squares = 0.0, largest = 0.0;
    for (gal::index_type i = 0; i < count; ++i) {
      const auto number = static_cast<double>(noise(0, i));
      sum += number;
      squares += number * number;
      largest = std::max(largest, std::abs(number));
    }
    const double variance = uniform ? 1.0 / 3.0 : 1.0;
    const double variance_of_square = uniform ? 1.0 / 5.0 - 1.0 / 9.0 : 2.0;
    CHECK(std::abs(sum / count) < 4.0 * std::sqrt(variance / count));
    CHECK(std::abs(squares / count - variance) < 4.0 * std::sqrt(variance_of_square / count));
    CHECK((largest <= 1.0) == uniform);
  }
}

TEST_CASE("an adjuster refuses what does not fit") {
  using enum gal::error_code;
  for (const adjuster_kind kind : kinds) {
    CAPTURE(static_cast<int>(kind));
    CHECK(refusal(invalid_option, [&] {
            return gal::adjuster<float>({}, {.kind = kind, .strength = 0.1});
          }).find("0 widths") != std::string::npos);
    CHECK(refusal(invalid_option, [&] {
            return gal::adjuster<float>({2}, {.kind = kind, .strength = 0.1});
          }).find("1 widths") != std::string::npos);
    CHECK(refusal(invalid_option, [&] {
            return gal::adjuster<float>({2, 0, 2}, {.kind = kind, .strength = 0.1});
          }).find("width 0; expected a positive number") != std::string::npos);
    CHECK(refusal(invalid_option, [&] {
            return gal::adjuster<float>({2, -3}, {.kind = kind, .strength = 0.1});
          }).find("width -3; expected a positive number") != std::string::npos);
  }
  for (const adjuster_kind kind : {adjuster_kind::zero, adjuster_kind::uniform, adjuster_kind::normal}) {
    gal::adjuster<float> h({2, 2}, {.kind = kind});
    CHECK(refusal(invalid_option, [&] { return h.network(); }) ==
          text("gal::adjuster::network: an adjuster of kind ", kind, " has no network"));
  }
  gal::adjuster<float> h({2, 3});
  CHECK(refusal(shape_mismatch, [&] { return h.forward(gal::matrix<float>(3, 4)); }) ==
        "gal::nn::mlp::forward: input is 3 x 4; expected 2 rows and at least one column");
}

TEST_CASE_TEMPLATE("per sample, the adjustment has epsilon times the gradient's norm, along h", T, float,
                   double) {
  const auto h = random_matrix<T>(5, 7, 1);
  const auto g = random_matrix<T>(5, 7, 2);
  const auto a = adjustment(normalisation::per_sample, 0.3, false, h, g);
  for (gal::index_type j = 0; j < 7; ++j) {
    CHECK(column_norm(a, j) == Approx(0.3 * column_norm(g, j)).epsilon(1e-6));
    const double scale = 0.3 * column_norm(g, j) / column_norm(h, j);
    for (gal::index_type i = 0; i < 5; ++i) {
      CHECK(static_cast<double>(a(i, j)) ==
            Approx(scale * static_cast<double>(h(i, j))).epsilon(1e-6).scale(0));
    }
  }
  // The length of h does not matter, sample by sample.
  auto longer = h;
  for (gal::index_type j = 0; j < 7; ++j) {
    for (T& number : longer.view().column(j)) {
      number *= static_cast<T>(1 << j);
    }
  }
  const auto same = adjustment(normalisation::per_sample, 0.3, false, longer, g);
  for (gal::index_type i = 0; i < a.size(); ++i) {
    CHECK(same.data()[i] == Approx(a.data()[i]).epsilon(1e-6).scale(0));
  }
  // Of a single row nothing is left but the sign.
  const auto row = adjustment(normalisation::per_sample, 0.5, false, matrix<T>({{3, T(-0.1), 7}}),
                              matrix<T>({{2, 2, -4}}));
  CHECK(row == matrix<T>({{1, -1, 2}}));
}

TEST_CASE_TEMPLATE("per batch, the adjustment has epsilon times the gradient's Frobenius norm", T, float,
                   double) {
  const auto h = random_matrix<T>(5, 7, 1);
  const auto g = random_matrix<T>(5, 7, 2);
  const auto a = adjustment(normalisation::per_batch, 0.3, false, h, g);
  CHECK(norm(a.view().as_const()) == Approx(0.3 * norm(g.view())).epsilon(1e-6));
  const double scale = 0.3 * norm(g.view()) / norm(h.view());
  for (gal::index_type i = 0; i < a.size(); ++i) {
    CHECK(static_cast<double>(a.data()[i]) ==
          Approx(scale * static_cast<double>(h.data()[i])).epsilon(1e-6).scale(0));
  }
  // Of one sample it is the same as per sample.
  const auto one_h = random_matrix<T>(5, 1, 3);
  const auto one_g = random_matrix<T>(5, 1, 4);
  CHECK(adjustment(normalisation::per_batch, 0.3, false, one_h, one_g) ==
        adjustment(normalisation::per_sample, 0.3, false, one_h, one_g));
}

TEST_CASE_TEMPLATE("the gate bounds the adjustment entry by entry", T, float, double) {
  auto h = random_matrix<T>(5, 7, 1);
  h(0, 0) = T(1e4);
  h(1, 0) = T(-1e4);
  const auto g = random_matrix<T>(5, 7, 2);
  const auto a = adjustment(normalisation::gate, 3.0, false, h, g);
  for (gal::index_type i = 0; i < a.size(); ++i) {
    CHECK(std::abs(a.data()[i]) <= T(3) * std::abs(g.data()[i]));
    const double expected =
        3.0 * std::tanh(static_cast<double>(h.data()[i])) * static_cast<double>(g.data()[i]);
    CHECK(static_cast<double>(a.data()[i]) == Approx(expected).epsilon(1e-6).scale(0));
  }
  CHECK(a(0, 0) == T(3) * g(0, 0));
  CHECK(a(1, 0) == T(-3) * g(1, 0));
}

TEST_CASE_TEMPLATE("where h or the gradient is zero there is no adjustment, and no NaN", T, float, double) {
  for (const normalisation kind : normalisations) {
    for (const bool remove_mean : {false, true}) {
      const gal::matrix<T> zero(4, 3, T(0));
      const auto some = random_matrix<T>(4, 3, 1);
      CHECK(adjustment(kind, 0.5, remove_mean, zero, some) == zero);
      CHECK(adjustment(kind, 0.5, remove_mean, some, zero) == zero);
      CHECK(adjustment(kind, 0.5, remove_mean, zero, zero) == zero);
      CHECK(adjustment(kind, 0.0, remove_mean, some, some) == zero);

      // One sample of them only; the others are as without it.
      auto h = random_matrix<T>(4, 3, 2);
      std::ranges::fill(h.view().column(1), T(0));
      const auto a = adjustment(kind, 0.5, remove_mean, h, some);
      CHECK(column_norm(a, 0) > 0.0);
      CHECK(column_norm(a, 1) == 0.0);
      CHECK(column_norm(a, 2) > 0.0);

      // Nor on the way back.
      map<T> m(kind, 0.5, remove_mean, gal::eigen_backend());
      gal::matrix<T> out(4, 3);
      auto slope = random_matrix<T>(4, 3, 3);
      if (kind != normalisation::gate) {
        m.forward(zero.view(), some.view(), out.view());
        m.backward(some.view(), slope.view());
        CHECK(slope == zero);
        slope = random_matrix<T>(4, 3, 3);
      }
      m.forward(some.view(), zero.view(), out.view());
      m.backward(zero.view(), slope.view());
      CHECK(slope == zero);
    }
  }
}

TEST_CASE("norms do not overflow or vanish in float") {
  for (const float size : {3e30f, 1e-30f}) {
    const gal::matrix<float> h(4, 2, size);
    const gal::matrix<float> g(4, 2, 2.0f);
    CHECK(adjustment(normalisation::per_sample, 0.5, false, h, g) == gal::matrix<float>(4, 2, 1.0f));
    CHECK(adjustment(normalisation::per_batch, 0.5, false, h, g)(3, 1) == Approx(1.0).epsilon(1e-6));
    const auto a = adjustment(normalisation::per_sample, 0.5, false, g, h);
    CHECK(a(0, 0) == Approx(0.5 * static_cast<double>(size)).epsilon(1e-6).scale(0));
  }
}

TEST_CASE_TEMPLATE("removing the mean leaves columns of mean zero, and nothing else", T, float, double) {
  for (const normalisation kind : normalisations) {
    const auto h = random_matrix<T>(5, 7, 1);
    const auto g = random_matrix<T>(5, 7, 2);
    const auto with_mean = adjustment(kind, 0.5, false, h, g);
    const auto without = adjustment(kind, 0.5, true, h, g);
    for (gal::index_type j = 0; j < 7; ++j) {
      double sum = 0.0, mean = 0.0;
      for (gal::index_type i = 0; i < 5; ++i) {
        sum += static_cast<double>(without(i, j));
        mean += static_cast<double>(with_mean(i, j)) / 5.0;
      }
      CHECK(std::abs(sum) < 8 * static_cast<double>(std::numeric_limits<T>::epsilon()));
      CHECK(std::abs(mean) > 1e-3);
      for (gal::index_type i = 0; i < 5; ++i) {
        CHECK(std::abs(static_cast<double>(without(i, j)) - (static_cast<double>(with_mean(i, j)) - mean)) <
              8 * static_cast<double>(std::numeric_limits<T>::epsilon()));
      }
    }
    // A single row is all mean.
    CHECK(adjustment(kind, 0.5, true, matrix<T>({{1, 2}}), matrix<T>({{3, 4}})) ==
          gal::matrix<T>(1, 2, T(0)));
  }
}

TEST_CASE("the way back agrees with central differences") {
  for (const normalisation kind :
       {normalisation::per_sample, normalisation::per_batch, normalisation::gate, normalisation::additive}) {
    for (const bool remove_mean : {false, true}) {
      for (const gal::shape size : {gal::shape{4, 3}, gal::shape{2, 1}, gal::shape{1, 5}, gal::shape{7, 1}}) {
        INFO("normalisation " << static_cast<int>(kind) << ", remove_mean " << remove_mean << ", "
                              << size.rows << " x " << size.columns);
        const auto h = random_matrix<double>(size.rows, size.columns, 1);
        const auto g = random_matrix<double>(size.rows, size.columns, 2);
        const auto c = random_matrix<double>(size.rows, size.columns, 3);
        // f(h) = <c, A(h)>
        map<double> m(kind, 0.7, remove_mean, gal::eigen_backend());
        gal::matrix<double> a(size.rows, size.columns);
        m.forward(h.view(), g.view(), a.view());
        gal::matrix<double> slope = c;
        m.backward(g.view(), slope.view());
        const auto f = [&](const gal::matrix<double>& at) {
          const auto there = adjustment(kind, 0.7, remove_mean, at, g);
          double sum = 0.0;
          for (gal::index_type i = 0; i < c.size(); ++i) {
            sum += c.data()[i] * there.data()[i];
          }
          return sum;
        };
        double along = 0.0;
        for (gal::index_type i = 0; i < h.size(); ++i) {
          auto moved = h;
          moved.data()[i] = h.data()[i] + 1e-5;
          const double above = f(moved);
          moved.data()[i] = h.data()[i] - 1e-5;
          CHECK(std::abs(slope.data()[i] - (above - f(moved)) / 2e-5) < 1e-8);
          along += slope.data()[i] * h.data()[i];
        }
        if (kind == normalisation::per_sample ||
            kind == normalisation::per_batch) {  // a longer h is the same h
          CHECK(std::abs(along) < 1e-14);
        }

        // In float, the same numbers.
        const auto narrow = [](const gal::matrix<double>& from) {
          gal::matrix<float> to(from.rows(), from.columns());
          std::transform(from.data(), from.data() + from.size(), to.data(),
                         [](double x) { return static_cast<float>(x); });
          return to;
        };
        const auto h_float = narrow(h), g_float = narrow(g);
        gal::matrix<float> slope_float = narrow(c), a_float(size.rows, size.columns);
        map<float> m_float(kind, 0.7, remove_mean, gal::eigen_backend());
        m_float.forward(h_float.view(), g_float.view(), a_float.view());
        m_float.backward(g_float.view(), slope_float.view());
        for (gal::index_type i = 0; i < h.size(); ++i) {
          CHECK(std::abs(static_cast<double>(a_float.data()[i]) - a.data()[i]) < 2e-6);
          CHECK(std::abs(static_cast<double>(slope_float.data()[i]) - slope.data()[i]) < 1e-5);
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("a weight of the sample takes from its gradient, and learns by it", T, float, double) {
  const double exact = std::is_same_v<T, double> ? 1e-12 : 1e-6;
  const gal::matrix<T> h = matrix<T>({{T(0.3), T(-2), T(0)}});
  const auto g = random_matrix<T>(4, 3, 2);
  const auto c = random_matrix<T>(4, 3, 3);
  map<T> m(normalisation::sample_weight, 0.7, false, gal::eigen_backend());
  gal::matrix<T> a(4, 3);
  m.forward(h.view(), g.view(), a.view());
  gal::matrix<T> slope = c;
  const gal::matrix<T> back(m.backward(g.view(), slope.view()));
  REQUIRE(back.shape() == gal::shape{1, 3});
  for (gal::index_type j = 0; j < 3; ++j) {
    const double weight = 1.0 / (1.0 + std::exp(-static_cast<double>(h(0, j))));
    double expected = 0.0;  // of <c, A>
    for (gal::index_type i = 0; i < 4; ++i) {
      const auto gradient = static_cast<double>(g(i, j));
      CHECK(static_cast<double>(a(i, j)) == Approx(0.7 * (weight - 1.0) * gradient).epsilon(exact));
      expected += 0.7 * weight * (1.0 - weight) * gradient * static_cast<double>(c(i, j));
    }
    CHECK(static_cast<double>(back(0, j)) == Approx(expected).epsilon(10.0 * exact));
  }
}

TEST_CASE_TEMPLATE("what is additive is the adjustment itself", T, float, double) {
  const auto h = random_matrix<T>(4, 3, 1);
  const auto g = random_matrix<T>(4, 3, 2);
  CHECK(adjustment(normalisation::additive, 0.7, false, h, g) == h);
  CHECK(adjustment(normalisation::additive, 0.7, false, h, gal::matrix<T>(4, 3, T(0))) == h);
}

TEST_CASE("a map serves batches of changing size") {
  for (const normalisation kind : normalisations) {
    map<double> used(kind, 0.5, true, gal::eigen_backend());
    for (const gal::index_type samples : {3, 8, 1}) {
      const auto h = random_matrix<double>(4, samples, 1);
      const auto g = random_matrix<double>(4, samples, 2);
      gal::matrix<double> a(4, samples);
      used.forward(h.view(), g.view(), a.view());
      CHECK(a == adjustment(kind, 0.5, true, h, g));
      gal::matrix<double> slope = g, expected = g;
      used.backward(g.view(), slope.view());
      map<double> fresh(kind, 0.5, true, gal::eigen_backend());
      fresh.forward(h.view(), g.view(), a.view());
      fresh.backward(g.view(), expected.view());
      CHECK(slope == expected);
    }
  }
}

TEST_CASE("a NaN in h stays visible in the adjustment") {
  for (const auto kind : {gal::normalisation::per_sample, gal::normalisation::per_batch,
                          gal::normalisation::gate, gal::normalisation::additive}) {
    gal::adjustment_map<double, gal::eigen_backend> map(kind, 0.5, false, gal::eigen_backend());
    const gal::matrix<double> h(2, 1, std::numeric_limits<double>::quiet_NaN());
    const gal::matrix<double> g(2, 1, 1.0);
    gal::matrix<double> a(2, 1);
    map.forward(h.view(), g.view(), a.view());
    CHECK(std::isnan(a(0, 0)));
  }
}

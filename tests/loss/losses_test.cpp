// Losses, their gradients, and the remainders of their first-order expansions, against their definitions in long double
// and against central differences.
#include <gal/backends/eigen.hpp>
#include <gal/core/random.hpp>
#include <gal/loss.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/taylor/expansion.hpp>

#include "../backends/device/infinite_logits.hpp"
#include "backends/device/infinite_logits.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using doctest::Approx;
using gal::matrix_view;
using real = long double;
using reals = std::vector<real>;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
const gal::eigen_backend backend;

template <class T>
reals column(const gal::matrix<T>& m, gal::index_type j) {
  return {m.data() + j * m.rows(), m.data() + (j + 1) * m.rows()};
}

// The targets of sample j alone.
template <class T>
gal::matrix<T> of_sample(const gal::matrix<T>& targets, gal::index_type j) {
  return gal::matrix<T>(targets.view().columns(j, 1));
}
std::vector<int> of_sample(const std::vector<int>& labels, gal::index_type j) {
  return {labels[static_cast<std::size_t>(j)]};
}

// A loss of one sample and its gradient, from their definitions.
struct definition {
  std::function<real(const reals& x, const reals& y)> value;
  std::function<reals(const reals& x, const reals& y)> gradient;
};

// The mean over a sample's entries of a function of one entry.
definition mean_of(const std::function<real(real, real)>& value,
                   const std::function<real(real, real)>& slope) {
  return {[=](const reals& x, const reals& y) {
            real sum = 0;
            for (std::size_t i = 0; i < x.size(); ++i) {
              sum += value(x[i], y[i]);
            }
            return sum / static_cast<real>(x.size());
          },
          [=](const reals& x, const reals& y) {
            reals result(x.size());
            for (std::size_t i = 0; i < x.size(); ++i) {
              result[i] = slope(x[i], y[i]) / static_cast<real>(x.size());
            }
            return result;
          }};
}

const definition squared =
    mean_of([](real x, real y) { return (x - y) * (x - y); }, [](real x, real y) { return 2 * (x - y); });
const definition absolute = mean_of([](real x, real y) { return std::abs(x - y); },
                                    [](real x, real y) { return x > y ? 1.0L : (x < y ? -1.0L : 0.0L); });
definition huber_of(real delta) {
  return mean_of(
      [=](real x, real y) {
        const real r = std::abs(x - y);
        return r <= delta ? r * r / 2 : delta * (r - delta / 2);
      },
      [=](real x, real y) { return std::clamp(x - y, -delta, delta); });
}
const definition logistic =
    mean_of([](real x, real y) { return y * std::log1p(std::exp(-x)) + (1 - y) * std::log1p(std::exp(x)); },
            [](real x, real y) { return 1 / (1 + std::exp(-x)) - y; });

reals softmax(const reals& x) {
  const real largest = *std::max_element(x.begin(), x.end());
  reals p(x.size());
  real total = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    p[k] = std::exp(x[k] - largest);
    total += p[k];
  }
  for (real& probability : p) {
    probability /= total;
  }
  return p;
}
// -sum_k t_k log p_k, t the smoothed target.
definition cross_entropy_of(real smoothing) {
  const auto smoothed = [=](reals y) {
    for (real& t : y) {
      t = (1 - smoothing) * t + smoothing / static_cast<real>(y.size());
    }
    return y;
  };
  return {[=](const reals& x, const reals& y) {
            const reals p = softmax(x);
            const reals t = smoothed(y);
            real sum = 0;
            for (std::size_t k = 0; k < x.size(); ++k) {
              sum -= t[k] * std::log(p[k]);
            }
            return sum;
          },
          [=](const reals& x, const reals& y) {
            reals result = softmax(x);
            const reals t = smoothed(y);
            real weight = 0;
            for (const real share : t) {
              weight += share;
            }
            for (std::size_t k = 0; k < x.size(); ++k) {
              result[k] = weight * result[k] - t[k];
            }
            return result;
          }};
}

// The first-order expansion's remainder at x - d, by subtraction, and the size of the numbers that were subtracted.
struct subtraction {
  real value;
  real size;
};
subtraction remainder_of(const definition& loss, const reals& x, const reals& y, const reals& d) {
  reals moved = x;
  real tilt = 0;
  real size = 0;
  const reals gradient = loss.gradient(x, y);
  for (std::size_t i = 0; i < x.size(); ++i) {
    moved[i] -= d[i];
    tilt += d[i] * gradient[i];
    size += std::abs(d[i] * gradient[i]);
  }
  const real before = loss.value(x, y);
  const real after = loss.value(moved, y);
  return {after - before + tilt, size + std::abs(before) + std::abs(after)};
}

// Whether a and b differ by no more than `tolerance` of the larger, or `floor`.
bool close(real a, real b, real tolerance, real floor = 0) {
  return std::abs(a - b) <= std::max(tolerance * std::max(std::abs(a), std::abs(b)), floor);
}

template <class T, class Loss, class Target>
struct remainders {
  gal::matrix<double> samples;
  gal::matrix<T> gradient;
  double mean = 0.0;

  remainders(Loss loss, const gal::matrix<T>& x, const Target& targets, const gal::matrix<T>& d)
      : samples(1, x.columns()), gradient(x.rows(), x.columns()) {
    loss.remainder(backend, x.view(), targets, d.view(), samples.view(), gradient.view());
    for (gal::index_type j = 0; j < x.columns(); ++j) {
      mean += samples(0, j) / static_cast<double>(x.columns());
    }
  }
};

// Everything that holds for any loss. `y` are the targets as numbers, a column per sample.
template <class T, class Loss, class Target>
void check_evaluation(Loss loss, const definition& expected, const gal::matrix<T>& x, const Target& targets,
                      const gal::matrix<double>& y) {
  const real unit = std::numeric_limits<T>::epsilon();
  const auto samples = static_cast<double>(x.columns());
  const auto result = gal::evaluate_loss(loss, x, targets);

  double sum = 0.0;
  for (gal::index_type j = 0; j < x.columns(); ++j) {
    CAPTURE(j);
    CHECK(close(result.samples(0, j), expected.value(column(x, j), column(y, j)), 1e-13L));
    sum += result.samples(0, j);
    const reals gradient = expected.gradient(column(x, j), column(y, j));
    const auto single = gal::evaluate_loss(loss, of_sample(x, j), of_sample(targets, j));
    CHECK(single.samples(0, 0) == result.samples(0, j));
    CHECK(single.mean == result.samples(0, j));
    for (gal::index_type i = 0; i < x.rows(); ++i) {
      const real exact = gradient[static_cast<std::size_t>(i)];
      CHECK(close(samples * static_cast<double>(result.gradient(i, j)), exact, 4 * unit, 1e-15L));
      CHECK(close(single.gradient(i, 0), exact, 4 * unit, 1e-15L));
    }
  }
  CHECK(result.mean == Approx(sum / samples).epsilon(1e-14));

  // Values alone.
  gal::matrix<double> values(1, x.columns(), -1.0);
  loss.evaluate(backend, x.view(), targets, values.view(), matrix_view<T>());
  CHECK(values == result.samples);

  if constexpr (std::same_as<T, double>) {
    gal::matrix<double> moved = x;
    for (gal::index_type i = 0; i < x.size(); ++i) {
      const double step = 1e-5;
      moved.data()[i] = x.data()[i] + step;
      const double above = gal::evaluate_loss(loss, moved, targets).mean;
      moved.data()[i] = x.data()[i] - step;
      const double below = gal::evaluate_loss(loss, moved, targets).mean;
      moved.data()[i] = x.data()[i];
      CHECK(close((above - below) / (2 * step), result.gradient.data()[i], 1e-8L, 1e-10L));
    }
  }
}

template <class T, class Loss, class Target>
void check_remainder(Loss loss, const definition& expected, const gal::matrix<T>& x, const Target& targets,
                     const gal::matrix<double>& y) {
  const real unit = std::numeric_limits<T>::epsilon();
  const auto samples = static_cast<double>(x.columns());
  for (const double scale : {3.0, 0.3, 1e-2, 1e-4}) {
    CAPTURE(scale);
    const auto d = random_matrix<T>(x.rows(), x.columns(), 77, scale);
    const remainders result(loss, x, targets, d);
    for (gal::index_type j = 0; j < x.columns(); ++j) {
      CAPTURE(j);
      const auto [value, size] = remainder_of(expected, column(x, j), column(y, j), column(d, j));
      const real noise = 32 * std::numeric_limits<real>::epsilon() * size;
      CHECK(close(result.samples(0, j), value, 1e-12L, noise));

      // Its gradient with respect to d: the change of the loss's gradient from x - d to x.
      reals moved = column(x, j);
      const reals displacement = column(d, j);
      for (std::size_t i = 0; i < moved.size(); ++i) {
        moved[i] -= displacement[i];
      }
      const reals here = expected.gradient(column(x, j), column(y, j));
      const reals there = expected.gradient(moved, column(y, j));
      for (std::size_t i = 0; i < moved.size(); ++i) {
        CHECK(close(samples * static_cast<double>(result.gradient(static_cast<gal::index_type>(i), j)),
                    here[i] - there[i], 4 * unit + 1e-11L, 1e-16L));
      }

      const remainders single(loss, of_sample(x, j), of_sample(targets, j), of_sample(d, j));
      CHECK(single.samples(0, 0) == result.samples(0, j));
    }

    gal::matrix<double> values(1, x.columns(), -1.0);
    loss.remainder(backend, x.view(), targets, d.view(), values.view(), matrix_view<T>());
    CHECK(values == result.samples);

    if constexpr (std::same_as<T, double>) {
      gal::matrix<double> moved = d;
      for (gal::index_type i = 0; i < x.size(); ++i) {
        const double step = 1e-4 * scale;
        moved.data()[i] = d.data()[i] + step;
        const double above = remainders(loss, x, targets, moved).mean;
        moved.data()[i] = d.data()[i] - step;
        const double below = remainders(loss, x, targets, moved).mean;
        moved.data()[i] = d.data()[i];
        CHECK(close((above - below) / (2 * step), result.gradient.data()[i], 1e-6L, 1e-8L * scale));
      }
    }
  }
}

template <class T, class Loss, class Target>
void check_loss(Loss loss, const definition& expected, const gal::matrix<T>& x, const Target& targets,
                const gal::matrix<double>& y) {
  check_evaluation(loss, expected, x, targets, y);
  check_remainder(loss, expected, x, targets, y);
}

// A displacement of about one millionth of the features, at which a difference of losses in float is noise: the
// closed form in float against the definition in long double.
template <class Loss, class Target>
void check_tiny_remainder(Loss loss, const definition& expected, const gal::matrix<float>& x,
                          const Target& targets, const gal::matrix<double>& y) {
  const auto d = random_matrix<float>(x.rows(), x.columns(), 78, 1e-6);
  const remainders result(loss, x, targets, d);
  for (gal::index_type j = 0; j < x.columns(); ++j) {
    const auto [value, size] = remainder_of(expected, column(x, j), column(y, j), column(d, j));
    CHECK(result.samples(0, j) > 0.0);
    CHECK(close(result.samples(0, j), value, 1e-12L, 32 * std::numeric_limits<real>::epsilon() * size));
    if constexpr (std::numeric_limits<real>::digits >= 64) {  // the reference itself is good to about 1e-6
      CHECK(close(result.samples(0, j), value, 3e-6L));
    }
  }
}

template <class T>
gal::matrix<double> as_double(const gal::matrix<T>& m) {
  gal::matrix<double> result(m.rows(), m.columns());
  for (gal::index_type i = 0; i < m.size(); ++i) {
    result.data()[i] = static_cast<double>(m.data()[i]);
  }
  return result;
}

gal::matrix<double> one_hot(const std::vector<int>& labels, gal::index_type classes) {
  gal::matrix<double> result(classes, static_cast<gal::index_type>(labels.size()));
  for (std::size_t j = 0; j < labels.size(); ++j) {
    result(labels[j], static_cast<gal::index_type>(j)) = 1.0;
  }
  return result;
}

template <class T>
gal::matrix<T> random_probabilities(gal::index_type rows, gal::index_type columns, bool of_classes,
                                    std::uint64_t seed) {
  gal::matrix<T> result(rows, columns);
  gal::random_stream stream{seed};
  for (gal::index_type j = 0; j < columns; ++j) {
    double total = 0.0;
    for (gal::index_type i = 0; i < rows; ++i) {
      const double draw = stream.uniform();
      result(i, j) = static_cast<T>(draw);
      total += draw;
    }
    for (gal::index_type i = 0; of_classes && i < rows; ++i) {
      result(i, j) = static_cast<T>(static_cast<double>(result(i, j)) / total);
    }
  }
  return result;
}

const std::vector<int> labels = {2, 0, 4, 1, 1};

// A loss that hides its closed form, for both scalars or for one.
template <class Loss, class... Scalars>
struct without_closed_form {
  Loss loss;
  template <class Backend, class T, class Memory, class Target>
    requires(sizeof...(Scalars) == 0 || (std::same_as<T, Scalars> || ...))
  void evaluate(const Backend& b, matrix_view<const T, Memory> features, const Target& targets,
                matrix_view<double, Memory> values, matrix_view<T, Memory> gradient) {
    loss.evaluate(b, features, targets, values, gradient);
  }
};

template <class L, class T, class Target>
constexpr bool has_closed_form = gal::closed_form_loss_for<L, T, gal::eigen_backend, Target>;
using doubles_matrix = gal::matrix<double>;
static_assert(has_closed_form<gal::mse, double, doubles_matrix> &&
              has_closed_form<gal::mae, float, doubles_matrix>);
static_assert(has_closed_form<gal::huber, double, doubles_matrix>);
static_assert(has_closed_form<gal::binary_cross_entropy, float, doubles_matrix>);
static_assert(has_closed_form<gal::softmax_cross_entropy, double, std::vector<int>>);
static_assert(!has_closed_form<without_closed_form<gal::mse>, double, doubles_matrix>);
static_assert(gal::loss_for<without_closed_form<gal::mse>, float, gal::eigen_backend, doubles_matrix>);
static_assert(!gal::loss_for<gal::mse, double, gal::eigen_backend, gal::nothing>);
static_assert(
    !gal::loss_for<gal::softmax_cross_entropy, double, gal::eigen_backend, std::vector<std::string>>);

// Remainders by the expansion, as a trainer asks for them.
template <class T, class Loss, class Target>
std::pair<gal::matrix<double>, gal::matrix<T>> expand(Loss loss, const gal::matrix<T>& x,
                                                      const Target& targets, const gal::matrix<T>& d) {
  gal::expansion<T, gal::eigen_backend> expansion(backend);
  const auto at_x = gal::evaluate_loss(loss, x, targets);
  std::pair<gal::matrix<double>, gal::matrix<T>> result{gal::matrix<double>(1, x.columns()),
                                                        gal::matrix<T>(x.rows(), x.columns())};
  expansion.remainder(loss, x.view(), targets, at_x.gradient.view(), d.view(), result.first.view(),
                      result.second.view());
  gal::matrix<double> alone(1, x.columns());
  expansion.remainder(loss, x.view(), targets, at_x.gradient.view(), d.view(), alone.view(),
                      matrix_view<T>());
  CHECK(alone == result.first);
  return result;
}

template <class T, class Loss, class Other, class Target>
void check_expansions_agree(Loss closed, Other subtracted, const gal::matrix<T>& x, const Target& targets,
                            double noise) {
  for (const double scale : {1.0, 0.1}) {
    const auto d = random_matrix<T>(x.rows(), x.columns(), 79, scale);
    const auto [expected, slope] = expand(closed, x, targets, d);
    const auto [value, change] = expand(subtracted, x, targets, d);
    for (gal::index_type j = 0; j < x.columns(); ++j) {
      CHECK(close(value(0, j), expected(0, j), 0, noise));
    }
    for (gal::index_type i = 0; i < x.size(); ++i) {
      const real unit = std::numeric_limits<T>::epsilon();
      CHECK(close(change.data()[i], slope.data()[i], 2 * unit, noise));
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("mean squared error", T, float, double) {
  const auto x = random_matrix<T>(3, 5, 1);
  const auto y = random_matrix<T>(3, 5, 2);
  check_loss(gal::mse(), squared, x, y, as_double(y));
  check_loss(gal::mse(), squared, random_matrix<T>(1, 1, 3), random_matrix<T>(1, 1, 4),
             as_double(random_matrix<T>(1, 1, 4)));
  CHECK(gal::evaluate_loss(gal::mse(), matrix<T>({{1, 2}, {3, 4}}), matrix<T>({{1, 0}, {0, 5}})).mean == 3.5);
}

TEST_CASE_TEMPLATE("mean absolute error", T, float, double) {
  const auto x = random_matrix<T>(3, 5, 1);
  const auto y = random_matrix<T>(3, 5, 2);
  check_loss(gal::mae(), absolute, x, y, as_double(y));
  CHECK(gal::evaluate_loss(gal::mae(), matrix<T>({{1, 2}, {3, 4}}), matrix<T>({{1, 0}, {0, 5}})).mean == 1.5);

  // At the kink the slope is zero, and the remainder is the whole loss at the new point.
  const auto at_kink = gal::evaluate_loss(gal::mae(), matrix<T>({{2}}), matrix<T>({{2}}));
  CHECK(at_kink.gradient(0, 0) == T(0));
  CHECK(remainders(gal::mae(), matrix<T>({{2}}), matrix<T>({{2}}), matrix<T>({{-3}})).samples(0, 0) == 3.0);
  // On one side of it there is no remainder; across it, twice the way beyond.
  CHECK(remainders(gal::mae(), matrix<T>({{5}}), matrix<T>({{2}}), matrix<T>({{2}})).samples(0, 0) == 0.0);
  CHECK(remainders(gal::mae(), matrix<T>({{5}}), matrix<T>({{2}}), matrix<T>({{4}})).samples(0, 0) == 2.0);
}

TEST_CASE_TEMPLATE("Huber loss", T, float, double) {
  const auto x = random_matrix<T>(4, 9, 1);
  const auto y = random_matrix<T>(4, 9, 2);
  check_loss(gal::huber(), huber_of(1.0L), x, y, as_double(y));
  check_loss(gal::huber(0.25), huber_of(0.25L), x, y, as_double(y));
  // All ways from and to the three pieces: below -delta, between, above delta.
  for (const T from : {T(-3), T(-0.5), T(0), T(0.5), T(3)}) {
    for (const T to : {T(-5), T(-2), T(-0.75), T(0.25), T(1.5), T(4)}) {
      check_remainder(gal::huber(), huber_of(1.0L), matrix<T>({{from}}), matrix<T>({{0}}), matrix({{0}}));
      const remainders result(gal::huber(), matrix<T>({{from}}), matrix<T>({{0}}), matrix<T>({{from - to}}));
      CHECK(close(result.samples(0, 0), remainder_of(huber_of(1.0L), {from}, {0}, {from - to}).value, 1e-14L,
                  1e-15L));
    }
  }
  CHECK(gal::evaluate_loss(gal::huber(), matrix<T>({{0.5}}), matrix<T>({{0}})).mean == 0.125);
  CHECK(gal::evaluate_loss(gal::huber(), matrix<T>({{0}}), matrix<T>({{3}})).mean == 2.5);
  CHECK(gal::evaluate_loss(gal::huber(2.0), matrix<T>({{0}}), matrix<T>({{3}})).mean == 4.0);
  // With a wide parabola, half the squared error.
  CHECK(gal::evaluate_loss(gal::huber(100.0), x, y).mean ==
        Approx(0.5 * gal::evaluate_loss(gal::mse(), x, y).mean).epsilon(1e-14));
}

TEST_CASE_TEMPLATE("binary cross-entropy of logits", T, float, double) {
  const auto x = random_matrix<T>(3, 5, 1, 2.0);
  const auto y = random_probabilities<T>(3, 5, false, 2);
  check_loss(gal::binary_cross_entropy(), logistic, x, y, as_double(y));
  const gal::matrix<T> decided = matrix<T>({{0, 1, 1, 0, 1}, {1, 0, 1, 0, 0}, {0, 0, 0, 1, 1}});
  check_loss(gal::binary_cross_entropy(), logistic, x, decided, as_double(decided));
  CHECK(gal::evaluate_loss(gal::binary_cross_entropy(), matrix<T>({{0}}), matrix<T>({{T(0.3)}})).mean ==
        Approx(std::log(2.0)).epsilon(1e-15));

  // Integer targets are probabilities, too.
  const auto row = random_matrix<T>(1, 4, 3, 2.0);
  const auto expected = gal::evaluate_loss(gal::binary_cross_entropy(), row, matrix<T>({{1, 0, 0, 1}}));
  CHECK(gal::evaluate_loss(gal::binary_cross_entropy(), row, std::vector<int>{1, 0, 0, 1}).samples ==
        expected.samples);
  CHECK(gal::evaluate_loss(gal::binary_cross_entropy(), row, std::vector<std::uint8_t>{1, 0, 0, 1}).samples ==
        expected.samples);
}

TEST_CASE_TEMPLATE("softmax cross-entropy of labels and of probabilities", T, float, double) {
  const auto x = random_matrix<T>(5, 5, 1, 1.5);
  check_loss(gal::softmax_cross_entropy(), cross_entropy_of(0), x, labels, one_hot(labels, 5));
  check_loss(gal::softmax_cross_entropy(0.25), cross_entropy_of(0.25L), x, labels, one_hot(labels, 5));
  const auto y = random_probabilities<T>(5, 5, true, 2);
  check_loss(gal::softmax_cross_entropy(), cross_entropy_of(0), x, y, as_double(y));
  check_loss(gal::softmax_cross_entropy(0.25), cross_entropy_of(0.25L), x, y, as_double(y));
  // Probabilities that add to one but for rounding: coarse ones scale the loss a little.
  auto coarse = y;
  for (gal::index_type i = 0; i < coarse.size(); ++i) {
    coarse.data()[i] = static_cast<T>(std::round(4096 * static_cast<double>(coarse.data()[i])) / 4096);
  }
  check_loss(gal::softmax_cross_entropy(), cross_entropy_of(0), x, coarse, as_double(coarse));
}

TEST_CASE_TEMPLATE("cross-entropy: known values and identities", T, float, double) {
  const gal::softmax_cross_entropy loss;
  // Equal logits: log K, whatever the target, smoothed or not.
  for (const gal::index_type classes : {1, 2, 3, 10}) {
    const gal::matrix<T> x(classes, 1, T(0.7));
    const double expected = std::log(static_cast<double>(classes));
    CHECK(gal::evaluate_loss(loss, x, std::vector<int>{0}).mean == Approx(expected).epsilon(1e-15));
    CHECK(gal::evaluate_loss(gal::softmax_cross_entropy(0.3), x, std::vector<int>{0}).mean ==
          Approx(expected).epsilon(1e-15));
  }

  // Two logits that are log 3 apart.
  const auto two = matrix<T>({{static_cast<T>(std::log(3.0))}, {0}});
  CHECK(gal::evaluate_loss(loss, two, std::vector<int>{0}).mean == Approx(std::log(4.0 / 3.0)).epsilon(1e-6));

  // A shift of a sample's logits changes nothing, bit by bit where the shift is exact.
  const auto x = matrix<T>({{0.5, -1.25}, {2, 0.75}, {-3, 1.5}});
  const auto shifted = matrix<T>({{8.5, -5.25}, {10, -3.25}, {5, -2.5}});
  const std::vector<int> y = {2, 0};
  const auto here = gal::evaluate_loss(loss, x, y);
  const auto there = gal::evaluate_loss(loss, shifted, y);
  CHECK(there.samples == here.samples);
  CHECK(there.gradient == here.gradient);
  // So a displacement of all logits alike has no remainder, and changes that of another displacement by rounding only.
  const remainders alike(loss, x, y, gal::matrix<T>(3, 2, T(5)));
  CHECK(std::abs(alike.mean) < 1e-15);
  const auto d = matrix<T>({{0.5, 0.25}, {-0.25, 1}, {0, -0.5}});
  const auto d_shifted = matrix<T>({{4.5, 4.25}, {3.75, 5}, {4, 3.5}});
  CHECK(remainders(loss, x, y, d_shifted).mean == Approx(remainders(loss, x, y, d).mean).epsilon(1e-13));
  // The gradient of a sample adds to zero over the classes.
  for (gal::index_type j = 0; j < 2; ++j) {
    const T sum = here.gradient(0, j) + here.gradient(1, j) + here.gradient(2, j);
    CHECK(std::abs(sum) <= std::numeric_limits<T>::epsilon());
  }

  // Labels, one-hot rows, and the mixture that smoothing stands for.
  CHECK(gal::evaluate_loss(loss, x, matrix<T>({{0, 1}, {0, 0}, {1, 0}})).samples == here.samples);
  double mixture = 0.7 * here.mean;
  for (int k = 0; k < 3; ++k) {
    mixture += 0.3 / 3.0 * gal::evaluate_loss(loss, x, std::vector<int>{k, k}).mean;
  }
  CHECK(gal::evaluate_loss(gal::softmax_cross_entropy(0.3), x, y).mean == Approx(mixture).epsilon(1e-14));

  // Labels of any integer type, in a row or in a column.
  CHECK(gal::evaluate_loss(loss, x, std::vector<std::uint8_t>{2, 0}).samples == here.samples);
  CHECK(gal::evaluate_loss(loss, x, std::array<std::int64_t, 2>{2, 0}).samples == here.samples);
  CHECK(gal::evaluate_loss(loss, x, Eigen::Vector2i(2, 0)).samples == here.samples);
  CHECK(gal::evaluate_loss(loss, x, Eigen::RowVector2i(2, 0)).samples == here.samples);
}

TEST_CASE_TEMPLATE("binary cross-entropy is the softmax of two classes with logits x and 0", T, float,
                   double) {
  const auto x = random_matrix<T>(1, 6, 5, 2.0);
  const auto d = random_matrix<T>(1, 6, 6, 0.5);
  gal::matrix<T> two(2, 6), two_d(2, 6), two_y(2, 6);
  const auto y = random_probabilities<T>(1, 6, false, 7);
  for (gal::index_type j = 0; j < 6; ++j) {
    two(0, j) = x(0, j);
    two_d(0, j) = d(0, j);
    two_y(0, j) = y(0, j);
    two_y(1, j) = T(1) - y(0, j);
  }
  const auto binary = gal::evaluate_loss(gal::binary_cross_entropy(), x, y);
  const auto softmax = gal::evaluate_loss(gal::softmax_cross_entropy(), two, two_y);
  const remainders binary_remainder(gal::binary_cross_entropy(), x, y, d);
  const remainders softmax_remainder(gal::softmax_cross_entropy(), two, two_y, two_d);
  const real unit = std::numeric_limits<T>::epsilon();  // 1 - y is rounded
  for (gal::index_type j = 0; j < 6; ++j) {
    CHECK(close(binary.samples(0, j), softmax.samples(0, j), 4 * unit));
    CHECK(close(binary.gradient(0, j), softmax.gradient(0, j), 4 * unit, 4 * unit));
    CHECK(close(binary_remainder.samples(0, j), softmax_remainder.samples(0, j), 4 * unit));
    CHECK(close(binary_remainder.gradient(0, j), softmax_remainder.gradient(0, j), 4 * unit));
  }
}

TEST_CASE("in float, at displacements of a millionth, remainders are resolved") {
  const auto x = random_matrix<float>(5, 5, 1);
  const auto y = random_matrix<float>(5, 5, 2);
  check_tiny_remainder(gal::mse(), squared, x, y, as_double(y));
  check_tiny_remainder(gal::huber(10.0), huber_of(10.0L), x, y, as_double(y));
  const auto share = random_probabilities<float>(5, 5, false, 2);
  check_tiny_remainder(gal::binary_cross_entropy(), logistic, x, share, as_double(share));
  check_tiny_remainder(gal::softmax_cross_entropy(), cross_entropy_of(0), x, labels, one_hot(labels, 5));

  // Softmax and logistic remainders as series of cumulants of d, whose fourth term is already beyond double here.
  const auto d = random_matrix<float>(5, 5, 78, 1e-6);
  const remainders softmax_result(gal::softmax_cross_entropy(), x, labels, d);
  const remainders logistic_result(gal::binary_cross_entropy(), x, share, d);
  const auto series = [](const reals& p, const reals& c) {
    real mean = 0, second = 0, third = 0;
    for (std::size_t k = 0; k < p.size(); ++k) {
      mean += p[k] * c[k];
    }
    for (std::size_t k = 0; k < p.size(); ++k) {
      second += p[k] * (c[k] - mean) * (c[k] - mean);
      third += p[k] * (c[k] - mean) * (c[k] - mean) * (c[k] - mean);
    }
    return second / 2 - third / 6;
  };
  for (gal::index_type j = 0; j < 5; ++j) {
    CHECK(close(softmax_result.samples(0, j), series(softmax(column(x, j)), column(d, j)), 1e-10L));
    real sum = 0;
    for (gal::index_type i = 0; i < 5; ++i) {
      sum += series(softmax({x(i, j), 0}), {d(i, j), 0}) / 5;
    }
    CHECK(close(logistic_result.samples(0, j), sum, 1e-10L));
  }
}

TEST_CASE_TEMPLATE("the remainder of the squared error is the mean square of the displacement", T, float,
                   double) {
  // All numbers are short binary fractions: equality is exact.
  const auto x = matrix<T>({{0.5, -1, 3}, {2, 0.25, -8}});
  const auto y = matrix<T>({{1, 1, 1}, {-2, 0, 0.5}});
  const auto d = matrix<T>({{0.5, 0.25, -1}, {2, 0, 0.125}});
  const remainders result(gal::mse(), x, y, d);
  CHECK(result.samples(0, 0) == 4.25 / 2);
  CHECK(result.samples(0, 1) == 0.0625 / 2);
  CHECK(result.samples(0, 2) == 1.015625 / 2);
  CHECK(result.mean == Approx((4.25 + 0.0625 + 1.015625) / 6).epsilon(1e-15));
  for (gal::index_type i = 0; i < 6; ++i) {
    CHECK(result.gradient.data()[i] ==
          doctest::Approx(2.0 * static_cast<double>(d.data()[i]) / 6.0).epsilon(1e-7));
  }
}

TEST_CASE("large logits do not overflow") {
  const auto check = []<class T>(T) {
    const auto x = matrix<T>({{10000, 10000, 10000}, {0, 0, 0}, {-10000, -10000, -10000}});
    const std::vector<int> y = {0, 1, 2};
    const auto result = gal::evaluate_loss(gal::softmax_cross_entropy(), x, y);
    CHECK(result.samples(0, 0) == 0.0);
    CHECK(result.samples(0, 1) == 10000.0);
    CHECK(result.samples(0, 2) == 20000.0);
    CHECK(result.gradient(0, 0) == T(0));
    CHECK(result.gradient(0, 1) == static_cast<T>(1.0 / 3.0));
    CHECK(result.gradient(1, 1) == static_cast<T>(-1.0 / 3.0));
    const remainders small(gal::softmax_cross_entropy(), x, y, gal::matrix<T>(3, 3, T(0.5)));
    CHECK(small.mean == 0.0);

    const auto logits = matrix<T>({{10000, -10000, 10000, -10000}});
    const auto binary = gal::evaluate_loss(gal::binary_cross_entropy(), logits, matrix<T>({{0, 0, 1, 1}}));
    CHECK(binary.samples == matrix({{10000, 0, 0, 10000}}));
    CHECK(binary.gradient == matrix<T>({{0.25, 0, 0, -0.25}}));
  };
  check(1.0f);
  check(1.0);
}

TEST_CASE("displacements across large logits have finite remainders") {
  const auto check = [](const gal::matrix<double>& x, const gal::matrix<double>& d,
                        const std::vector<double>& expected, const gal::matrix<double>& slope) {
    const remainders result(gal::softmax_cross_entropy(), x, std::vector<int>{0}, d);
    CHECK(result.samples(0, 0) == Approx(expected[0]).epsilon(1e-12));
    for (gal::index_type k = 0; k < x.rows(); ++k) {
      CHECK(result.gradient(k, 0) == Approx(slope(k, 0)).epsilon(1e-12));
    }
  };
  // Of two equal classes one overtakes by 2000: R = log((exp(1000) + exp(-1000)) / 2).
  check(matrix({{0}, {0}}), matrix({{-1000}, {1000}}), {1000.0 - std::log(2.0)}, matrix({{-0.5}, {0.5}}));
  // A class of no probability comes nearer, but stays without: R = 0.
  check(matrix({{10000}, {0}}), matrix({{0}, {-1000}}), {0.0}, matrix({{0}, {0}}));
  // It overtakes: all of the loss of 10000 is beyond the first order.
  check(matrix({{10000}, {0}}), matrix({{0}, {-20000}}), {10000.0}, matrix({{1}, {-1}}));

  const gal::binary_cross_entropy binary;
  CHECK(remainders(binary, matrix({{0}}), matrix({{1}}), matrix({{-2000}})).samples(0, 0) ==
        Approx(1000.0 - std::log(2.0)).epsilon(1e-12));
  const remainders across(binary, matrix({{10000}}), matrix({{1}}), matrix({{20000}}));
  CHECK(across.samples(0, 0) == Approx(10000.0).epsilon(1e-12));
  CHECK(across.gradient(0, 0) == Approx(1.0).epsilon(1e-12));
}

TEST_CASE("long displacements of confident predictions are resolved, too") {
  // The other class has the probability q = exp(-40), so that R = q (exp(d) - 1 - d): 1e-17 beside logits of 40, which
  // a difference of losses cannot show.
  for (const double d : {0.5, 1.5, 2.0, 5.0, 20.0}) {
    CAPTURE(d);
    const double q = std::exp(-40.0);
    const double expected = q * (std::exp(d) - 1.0 - d);
    const double slope = q * (std::exp(d) - 1.0);
    const remainders binary(gal::binary_cross_entropy(), matrix({{40}}), matrix({{1}}), matrix({{d}}));
    CHECK(close(binary.samples(0, 0), expected, 1e-7L));
    CHECK(close(binary.gradient(0, 0), slope, 1e-7L));
    const remainders softmax(gal::softmax_cross_entropy(), matrix({{40}, {0}}), std::vector<int>{0},
                             matrix({{d}, {0}}));
    CHECK(close(softmax.samples(0, 0), expected, 1e-7L));
    // Of the likely class, up to the rounding of its displacement less the mean.
    CHECK(close(softmax.gradient(0, 0), slope, 1e-7L, d * std::numeric_limits<double>::epsilon()));
    CHECK(close(softmax.gradient(1, 0), -slope, 1e-7L));
  }
}

TEST_CASE_TEMPLATE("the expansion agrees with and without the closed form", T, float, double) {
  const auto x = random_matrix<T>(5, 5, 1);
  const auto y = random_matrix<T>(5, 5, 2);
  const auto share = random_probabilities<T>(5, 5, false, 3);
  using gal::softmax_cross_entropy;
  check_expansions_agree(gal::mse(), without_closed_form<gal::mse>{}, x, y, 1e-14);
  check_expansions_agree(gal::mae(), without_closed_form<gal::mae>{}, x, y, 1e-14);
  check_expansions_agree(gal::huber(0.5), without_closed_form<gal::huber>{gal::huber(0.5)}, x, y, 1e-14);
  check_expansions_agree(gal::binary_cross_entropy(), without_closed_form<gal::binary_cross_entropy>{}, x,
                         share, 1e-14);
  check_expansions_agree(softmax_cross_entropy(0.2),
                         without_closed_form<softmax_cross_entropy>{softmax_cross_entropy(0.2)}, x, labels,
                         1e-14);
}

TEST_CASE("a loss that is evaluated in float only is subtracted in float") {
  const auto x = random_matrix<float>(5, 5, 1);
  const auto y = random_matrix<float>(5, 5, 2);
  using float_only = without_closed_form<gal::mse, float>;
  static_assert(!gal::loss_for<float_only, double, gal::eigen_backend, gal::matrix<float>>);
  check_expansions_agree(gal::mse(), float_only{}, x, y, 4e-6);
}

TEST_CASE("an expansion serves batches of changing size") {
  gal::expansion<float, gal::eigen_backend> expansion(backend);
  without_closed_form<gal::mse> loss;
  for (const gal::index_type samples : {7, 2, 9}) {
    const auto x = random_matrix<float>(3, samples, 4);
    const auto y = random_matrix<float>(3, samples, 5);
    const auto d = random_matrix<float>(3, samples, 6);
    const auto at_x = gal::evaluate_loss(gal::mse(), x, y);
    gal::matrix<double> values(1, samples);
    gal::matrix<float> slope(3, samples);
    expansion.remainder(loss, x.view(), y, at_x.gradient.view(), d.view(), values.view(), slope.view());
    const remainders expected(gal::mse(), x, y, d);
    for (gal::index_type j = 0; j < samples; ++j) {
      CHECK(close(values(0, j), expected.samples(0, j), 1e-13L));
    }
  }
}

TEST_CASE_TEMPLATE("any function of a sample is a loss", T, float, double) {
  const auto x = random_matrix<T>(3, 5, 1);
  const auto y = random_matrix<T>(2, 5, 2);
  // l = (x0 - y0)^2 + exp(x1 y1) + x2; its targets have other rows than its features.
  const auto function = [](auto features, auto targets, auto gradient) {
    const auto r = features[0] - targets[0];
    const auto e = std::exp(features[1] * targets[1]);
    gradient[0] += 2 * r;  // starts at zero for every sample
    gradient[1] = e * targets[1];
    gradient[2] = 1;
    return r * r + e + features[2];
  };
  const definition expected = {[](const reals& a, const reals& b) {
                                 return (a[0] - b[0]) * (a[0] - b[0]) + std::exp(a[1] * b[1]) + a[2];
                               },
                               [](const reals& a, const reals& b) {
                                 return reals{2 * (a[0] - b[0]), b[1] * std::exp(a[1] * b[1]), 1};
                               }};
  check_evaluation(gal::sample_loss(function), expected, x, y, as_double(y));

  const auto d = random_matrix<T>(3, 5, 3, 0.1);
  const auto [values, slope] = expand(gal::sample_loss(function), x, y, d);
  for (gal::index_type j = 0; j < 5; ++j) {
    CHECK(close(values(0, j), remainder_of(expected, column(x, j), column(y, j), column(d, j)).value, 0,
                1e-14L));
  }
}

TEST_CASE("a function of floats is called with floats, a generic one with doubles") {
  std::vector<std::string> called;
  gal::sample_loss narrow([&](std::span<const float> x, std::span<float> gradient) {
    called.emplace_back("float");
    gradient[0] = 2 * x[0];
    return x[0] * x[0];
  });
  gal::sample_loss generic([&](auto x, auto gradient) {
    called.emplace_back(std::same_as<decltype(x), std::span<const double>> ? "double" : "other");
    gradient[0] = 2 * x[0];
    return x[0] * x[0];
  });
  const auto x = matrix<float>({{3}});
  const auto result = gal::evaluate_loss(narrow, x);
  CHECK(result.mean == 9.0);
  CHECK(result.gradient(0, 0) == 6.0f);
  CHECK(gal::evaluate_loss(generic, x).mean == 9.0);
  CHECK(gal::evaluate_loss(generic, matrix({{3}})).gradient(0, 0) == 6.0);
  CHECK(called == std::vector<std::string>{"float", "double", "double"});
}

TEST_CASE_TEMPLATE("a linear loss has no remainder", T, float, double) {
  const gal::sample_loss linear([](auto x, auto gradient) {
    gradient[0] = 3.0;
    gradient[1] = -0.7;
    return 3.0 * x[0] - 0.7 * x[1];
  });
  const auto x = random_matrix<T>(2, 4, 1);
  const auto d = random_matrix<T>(2, 4, 2);
  const auto [values, slope] = expand(linear, x, gal::nothing{}, d);
  for (gal::index_type j = 0; j < 4; ++j) {
    CHECK(std::abs(values(0, j)) < 1e-14);
  }
  CHECK(slope == gal::matrix<T>(2, 4, T(0)));
}

TEST_CASE("targets of one-row features are a row or a column") {
  const auto x = random_matrix<double>(1, 4, 1);
  const Eigen::VectorXd column_vector = Eigen::Vector4d(0.1, 0.9, 0.3, 0.6);
  const Eigen::RowVectorXd row_vector = column_vector.transpose();
  const std::vector<double> numbers(column_vector.data(), column_vector.data() + 4);
  const auto check = [&](auto loss) {
    const auto expected = gal::evaluate_loss(loss, x, row_vector);
    CHECK(gal::evaluate_loss(loss, x, column_vector).samples == expected.samples);
    CHECK(gal::evaluate_loss(loss, x, column_vector).gradient == expected.gradient);
    CHECK(gal::evaluate_loss(loss, x, numbers).samples == expected.samples);
    CHECK(gal::evaluate_loss(loss, x, std::span<const double>(numbers)).samples == expected.samples);
    const auto d = random_matrix<double>(1, 4, 2);
    CHECK(remainders(loss, x, column_vector, d).samples == remainders(loss, x, row_vector, d).samples);
  };
  check(gal::mse());
  check(gal::mae());
  check(gal::huber());
  check(gal::binary_cross_entropy());

  // A column of d numbers is the target of one sample of d features.
  const Eigen::MatrixXd sample = Eigen::Vector3d(1, 2, 3);
  CHECK(gal::evaluate_loss(gal::mse(), sample, Eigen::VectorXd(Eigen::Vector3d(1, 2, 6))).mean == 3.0);
}

TEST_CASE("numbers that go wrong are data") {
  const auto check = [](auto loss, const auto& targets) {
    for (const double wrong : {not_a_number, infinity, -infinity}) {
      auto x = random_matrix<double>(3, 2, 1);
      const double good = gal::evaluate_loss(loss, x, targets).samples(0, 1);
      for (gal::index_type i = 0; i < 3; ++i) {
        auto changed = x;
        changed(i, 0) = wrong;
        const auto result = gal::evaluate_loss(loss, changed, targets);
        if (std::isnan(wrong)) {
          CHECK(std::isnan(result.mean));
          CHECK(std::isnan(result.samples(0, 0)));
          CHECK(std::isnan(result.gradient(i, 0)));
        }
        CHECK(result.samples(0, 1) == good);
        CHECK(std::isfinite(result.gradient(i, 1)));

        // And in the displacement.
        gal::matrix<double> d(3, 2, 0.1);
        d(i, 0) = wrong;
        const remainders r(loss, x, targets, d);
        if (std::isnan(wrong)) {
          CHECK(std::isnan(r.samples(0, 0)));
        }
        CHECK(std::isfinite(r.samples(0, 1)));
      }
    }
  };
  const auto y = random_probabilities<double>(3, 2, true, 2);
  check(gal::mse(), y);
  check(gal::mae(), y);
  check(gal::huber(), y);
  check(gal::binary_cross_entropy(), y);
  check(gal::softmax_cross_entropy(), y);
  check(gal::softmax_cross_entropy(0.1), std::vector<int>{2, 0});

  const auto unknown = matrix({{0.2, not_a_number}});
  CHECK(std::isnan(gal::evaluate_loss(gal::mse(), matrix({{1, 2}}), unknown).samples(0, 1)));
}

TEST_CASE_TEMPLATE("a class that is masked out by the logit -infinity has no part in the loss", T, float,
                   double) {
  infinite_logits::check_softmax<gal::eigen_backend, T>();
}

TEST_CASE_TEMPLATE("every entrywise loss has its limit at infinite features", T, float, double) {
  infinite_logits::check_entrywise<gal::eigen_backend, T>();
}

TEST_CASE("options out of range are refused") {
  using enum gal::error_code;
  CHECK(refusal(invalid_option, [] { return gal::huber(0.0); }) ==
        "gal::huber: delta 0; expected a positive number");
  CHECK(refusal(invalid_option, [] { return gal::huber(-1.5); }) ==
        "gal::huber: delta -1.5; expected a positive number");
  CHECK(refusal(invalid_option, [] { return gal::huber(not_a_number); }) ==
        "gal::huber: delta nan; expected a positive number");
  CHECK(refusal(invalid_option, [] { return gal::huber(infinity); }) ==
        "gal::huber: delta inf; expected a positive number");
  CHECK(refusal(invalid_option, [] { return gal::softmax_cross_entropy(-0.1); }) ==
        "gal::softmax_cross_entropy: label smoothing -0.1; expected a number in [0, 1)");
  CHECK(refusal(invalid_option, [] { return gal::softmax_cross_entropy(1.0); }) ==
        "gal::softmax_cross_entropy: label smoothing 1; expected a number in [0, 1)");
  CHECK(refusal(invalid_option, [] { return gal::softmax_cross_entropy(not_a_number); }) ==
        "gal::softmax_cross_entropy: label smoothing nan; expected a number in [0, 1)");
}

TEST_CASE("shapes that do not fit are refused") {
  using enum gal::error_code;
  const gal::matrix<double> x(3, 2);
  const auto check = [&](auto loss, const std::string& name) {
    CHECK(refusal(shape_mismatch, [&] {
            return gal::evaluate_loss(loss, gal::matrix<double>(3, 0), gal::matrix<double>(3, 0));
          }) == name + ": features are 3 x 0; expected at least one row and one sample");
    CHECK(refusal(shape_mismatch, [&] {
            return gal::evaluate_loss(loss, gal::matrix<double>(0, 2), gal::matrix<double>(0, 2));
          }) == name + ": features are 0 x 2; expected at least one row and one sample");
    gal::matrix<double> two(1, 2), three(1, 3), gradient(2, 3);
    const gal::matrix<double> y(3, 2);
    CHECK(refusal(shape_mismatch, [&] {
            return loss.evaluate(backend, x.view(), y, three.view(), matrix_view<double>()), 0;
          }) == name + ": room for 3 sample values; expected 2");
    CHECK(refusal(shape_mismatch, [&] {
            return loss.evaluate(backend, x.view(), y, two.view(), gradient.view()), 0;
          }) == name + ": the gradient is 2 x 3; expected 3 x 2");
  };
  check(gal::mse(), "gal::mse");
  check(gal::mae(), "gal::mae");
  check(gal::huber(), "gal::huber");
  check(gal::binary_cross_entropy(), "gal::binary_cross_entropy");
  check(gal::softmax_cross_entropy(), "gal::softmax_cross_entropy");

  for (const gal::shape size : {gal::shape{2, 3}, gal::shape{3, 1}, gal::shape{1, 2}, gal::shape{6, 1}}) {
    const gal::matrix<double> y(size.rows, size.columns);
    const std::string tail = std::to_string(size.rows) + " x " + std::to_string(size.columns) +
                             "; expected the features' size 3 x 2";
    CHECK(refusal(shape_mismatch, [&] { return gal::evaluate_loss(gal::mse(), x, y); }) ==
          "gal::mse: targets are " + tail);
    CHECK(refusal(shape_mismatch, [&] { return gal::evaluate_loss(gal::mae(), x, y); }) ==
          "gal::mae: targets are " + tail);
    CHECK(refusal(shape_mismatch, [&] { return gal::evaluate_loss(gal::huber(), x, y); }) ==
          "gal::huber: targets are " + tail);
    CHECK(refusal(shape_mismatch, [&] { return gal::evaluate_loss(gal::binary_cross_entropy(), x, y); }) ==
          "gal::binary_cross_entropy: targets are " + tail);
    CHECK(refusal(shape_mismatch, [&] { return gal::evaluate_loss(gal::softmax_cross_entropy(), x, y); }) ==
          "gal::softmax_cross_entropy: target probabilities are " + tail +
              (size == gal::shape{1, 2} ? ", or integers as labels" : ""));
  }
  CHECK(refusal(shape_mismatch, [&] {
          return gal::evaluate_loss(gal::softmax_cross_entropy(), x, std::vector<int>{1});
        }) == "gal::softmax_cross_entropy: labels are 1 x 1; expected 2 labels, one per sample");
  CHECK(refusal(shape_mismatch, [&] {
          return gal::evaluate_loss(gal::softmax_cross_entropy(), x, gal::matrix<int>(3, 2));
        }) == "gal::softmax_cross_entropy: labels are 3 x 2; expected 2 labels, one per sample");

  const gal::sample_loss with_targets([](auto a, auto b, auto g) { return g[0] = 0, a[0] * b[0]; });
  CHECK(refusal(shape_mismatch, [&] {
          return gal::evaluate_loss(with_targets, x, std::vector<double>{1, 2, 3});
        }) == "gal::sample_loss: targets are 1 x 3; expected 2 columns, one per sample");
  const gal::sample_loss alone([](auto a, auto g) { return g[0] = 0, a[0]; });
  CHECK(refusal(shape_mismatch, [&] { return gal::evaluate_loss(alone, gal::matrix<double>(2, 0)); }) ==
        "gal::sample_loss: features are 2 x 0; expected at least one row and one sample");
}

TEST_CASE("a displacement of another size is refused") {
  const auto check = [](auto loss, const auto& targets) {
    const gal::matrix<double> x(3, 2), larger(4, 3, 0.1);
    gal::matrix<double> values(1, 2);
    const std::string message = refusal(gal::error_code::shape_mismatch, [&] {
      return loss.remainder(backend, x.view(), targets, larger.view(), values.view(), matrix_view<double>()),
             0;
    });
    CHECK(message.find("the displacement is 4 x 3; expected 3 x 2") != std::string::npos);
  };
  check(gal::mse(), gal::matrix<double>(3, 2));
  check(gal::binary_cross_entropy(), gal::matrix<double>(3, 2));
  check(gal::softmax_cross_entropy(), std::vector<int>{0, 1});
}

TEST_CASE("labels that name no class are refused") {
  using enum gal::error_code;
  const gal::matrix<float> x(3, 4);
  const gal::softmax_cross_entropy loss;
  CHECK(refusal(invalid_target, [&] {
          return gal::evaluate_loss(loss, x, std::vector<int>{0, 2, 3, 1});
        }) == "gal::softmax_cross_entropy: label 3 of sample 2; expected a class from 0 to 2");
  CHECK(refusal(invalid_target, [&] {
          return gal::evaluate_loss(loss, x, std::vector<int>{0, -1, 3, 1});
        }) == "gal::softmax_cross_entropy: label -1 of sample 1; expected a class from 0 to 2");
  CHECK(refusal(invalid_target, [&] {
          return gal::evaluate_loss(loss, x, std::vector<std::uint8_t>{255, 0, 0, 0});
        }) == "gal::softmax_cross_entropy: label 255 of sample 0; expected a class from 0 to 2");
  CHECK(refusal(invalid_target,
                [&] {
                  return gal::evaluate_loss(loss, x, std::vector<std::uint64_t>{0, 0, 0, ~std::uint64_t{0}});
                }) ==
        "gal::softmax_cross_entropy: label 18446744073709551615 of sample 3; expected a class from 0 to 2");
}

TEST_CASE("probabilities outside [0, 1] are refused") {
  using enum gal::error_code;
  const gal::binary_cross_entropy loss;
  CHECK(refusal(invalid_target, [&] {
          return gal::evaluate_loss(loss, matrix({{0, 0, 0}}), matrix({{0, 1.25, 1}}));
        }) == "gal::binary_cross_entropy: target 1.25 of sample 1; expected a probability in [0, 1]");
  CHECK(refusal(invalid_target, [&] {
          return gal::evaluate_loss(loss, gal::matrix<float>(2, 2), matrix<float>({{0, 1}, {1, -0.5f}}));
        }) == "gal::binary_cross_entropy: target -0.5 of sample 1; expected a probability in [0, 1]");
  CHECK(refusal(invalid_target, [&] {
          return gal::evaluate_loss(loss, matrix({{0, 0, 0}}), std::vector<int>{0, 1, 2});
        }) == "gal::binary_cross_entropy: target 2 of sample 2; expected a probability in [0, 1]");
  CHECK(refusal(invalid_target, [&] {
          return gal::evaluate_loss(loss, matrix({{0, 0, 0}}), Eigen::Vector3d(0, 1, -1));
        }) == "gal::binary_cross_entropy: target -1 of sample 2; expected a probability in [0, 1]");
  CHECK(refusal(invalid_target, [&] {
          return gal::evaluate_loss(loss, matrix({{0, 0}}), matrix({{0, not_a_number}}));
        }) == "gal::binary_cross_entropy: target nan of sample 1; expected a probability in [0, 1]");
}

TEST_CASE("targets that are no distribution over the classes are refused") {
  using enum gal::error_code;
  const gal::softmax_cross_entropy loss;
  const auto message = [&](const auto& targets) {
    const gal::matrix<double> x(2, 3);
    gal::matrix<double> values(1, 3);
    const std::string result = refusal(invalid_target, [&] { return gal::evaluate_loss(loss, x, targets); });
    CHECK(refusal(invalid_target, [&] {
            return loss.remainder(backend, x.view(), targets, x.view(), values.view(), matrix_view<double>()),
                   0;
          }) == result);
    return result;
  };
  const std::string name = "gal::softmax_cross_entropy: ";
  const std::string expected = "; expected a probability in [0, 1]";
  CHECK(message(matrix({{0.5, 1.25, 1}, {0.5, -0.25, 0}})) ==
        name + "target 1.25 of sample 1, class 0" + expected);
  CHECK(message(matrix<float>({{0.5f, 0, 1.5f}, {0.5f, 1, -0.5f}})) ==
        name + "target 1.5 of sample 2, class 0" + expected);
  CHECK(message(matrix({{0, 1, 0}, {1, -0.01, 1}})) == name + "target -0.01 of sample 1, class 1" + expected);
  CHECK(message(matrix({{0, 1, 0}, {1, 0, not_a_number}})) ==
        name + "target nan of sample 2, class 1" + expected);
  CHECK(message(matrix({{0, infinity, 0}, {1, 0, 1}})) ==
        name + "target inf of sample 1, class 0" + expected);
  CHECK(message(matrix({{0, 0.4, 0}, {1, 0.4, 1}})) ==
        name + "targets of sample 1 add to 0.8; expected probabilities that add to 1");
  CHECK(message(matrix({{0, 0, 1}, {1, 0, 1}})) ==
        name + "targets of sample 1 add to 0; expected probabilities that add to 1");

  // Probabilities that were divided by their sum in float, over many classes.
  const gal::index_type classes = 10000;
  gal::matrix<float> many = random_probabilities<float>(classes, 1, false, 5);
  float sum = 0.0f;
  for (gal::index_type k = 0; k < classes; ++k) {
    sum += many(k, 0);
  }
  for (gal::index_type k = 0; k < classes; ++k) {
    many(k, 0) /= sum;
  }
  CHECK(std::isfinite(gal::evaluate_loss(loss, gal::matrix<float>(classes, 1), many).mean));
}

TEST_CASE("where no gradient is wanted none is written, though the empty view has an address") {
  const auto check = [](auto loss, const auto& targets) {
    const auto x = random_matrix<double>(3, 2, 1);
    std::array<double, 6> memory{};
    memory.fill(7.0);
    gal::matrix<double> values(1, 2);
    const matrix_view<double> empty(memory.data(), 0, 0);
    loss.evaluate(backend, x.view(), targets, values.view(), empty);
    loss.remainder(backend, x.view(), targets, x.view(), values.view(), empty);
    CHECK(std::count(memory.begin(), memory.end(), 7.0) == 6);
  };
  check(gal::mse(), gal::matrix<double>(3, 2));
  check(gal::binary_cross_entropy(), gal::matrix<double>(3, 2));
  check(gal::softmax_cross_entropy(), std::vector<int>{0, 1});
}

TEST_CASE("a sample loss takes one number per sample as a row or as a column") {
  const auto x = random_matrix<double>(2, 4, 77);
  const gal::sample_loss loss([](auto sample, auto target, auto gradient) {
    gradient[0] = 2.0 * (sample[0] - target[0]);
    gradient[1] = sample[1];
    return (sample[0] - target[0]) * (sample[0] - target[0]) + 0.5 * sample[1] * sample[1];
  });
  const auto row = random_matrix<double>(1, 4, 78);
  const gal::matrix_view<const double> column(row.data(), 4, 1);
  CHECK(gal::evaluate_loss(loss, x, row).samples == gal::evaluate_loss(loss, x, column).samples);
}

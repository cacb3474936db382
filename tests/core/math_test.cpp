// The elementary functions that loops vectorise, against long double.
#include <gal/core/detail/math.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace {

// The distance between a number and its exact value, in units of the last place of the type.
template <class T>
double units(T actual, long double exact) {
  const T size = static_cast<T>(std::abs(exact));
  const T next = std::nextafter(size, std::numeric_limits<T>::infinity());
  return static_cast<double>(std::abs(static_cast<long double>(actual) - exact) /
                             (static_cast<long double>(next) - static_cast<long double>(size)));
}

}  // namespace

TEST_CASE_TEMPLATE("tanh is right within four units in the last place", T, float, double) {
  double worst = 0.0;
  for (double size = 1e-30; size < 60.0; size *= 1.0007) {
    for (const double sign : {1.0, -1.0}) {
      const T x = static_cast<T>(sign * size);
      worst = std::max(worst, units(gal::detail::tanh(x), std::tanh(static_cast<long double>(x))));
    }
  }
  CHECK(worst <= 4.0);
}

TEST_CASE_TEMPLATE("tanh of zeros, infinities and NaN", T, float, double) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  CHECK(gal::detail::tanh(T(0)) == T(0));
  CHECK(std::signbit(gal::detail::tanh(T(-0.0))));
  CHECK(gal::detail::tanh(infinity) == T(1));
  CHECK(gal::detail::tanh(-infinity) == T(-1));
  CHECK(gal::detail::tanh(std::numeric_limits<T>::max()) == T(1));
  CHECK(std::isnan(gal::detail::tanh(std::numeric_limits<T>::quiet_NaN())));
}

TEST_CASE_TEMPLATE("the sigmoid is right within four units in the last place, also where it is small", T,
                   float, double) {
  double worst = 0.0;
  for (double size = 1e-30; size < (sizeof(T) == 4 ? 87.0 : 708.0); size *= 1.0007) {
    for (const double sign : {1.0, -1.0}) {
      const T x = static_cast<T>(sign * size);
      worst = std::max(
          worst, units(gal::detail::sigmoid(x), 1.0L / (1.0L + std::exp(-static_cast<long double>(x)))));
    }
  }
  CHECK(worst <= 4.0);
}

TEST_CASE_TEMPLATE("the sigmoid of zero, infinities and NaN", T, float, double) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  CHECK(gal::detail::sigmoid(T(0)) == T(0.5));
  CHECK(gal::detail::sigmoid(T(-0.0)) == T(0.5));
  CHECK(gal::detail::sigmoid(infinity) == T(1));
  CHECK(gal::detail::sigmoid(-infinity) == T(0));
  CHECK(gal::detail::sigmoid(T(-800)) == T(0));
  CHECK(std::isnan(gal::detail::sigmoid(std::numeric_limits<T>::quiet_NaN())));
  CHECK(std::isnan(gal::detail::sigmoid(-std::numeric_limits<T>::quiet_NaN())));
}

TEST_CASE_TEMPLATE("the square root is right within one unit in the last place", T, float, double) {
  double worst = 0.0;
  for (T x = std::numeric_limits<T>::min(); x < std::numeric_limits<T>::max() / 2; x *= T(1.0037)) {
    worst = std::max(worst, units(gal::detail::square_root(x), std::sqrt(static_cast<long double>(x))));
  }
  CHECK(worst <= 1.0);
  CHECK(gal::detail::square_root(T(0)) == T(0));
  CHECK(std::isnan(gal::detail::square_root(std::numeric_limits<T>::quiet_NaN())));
}

TEST_CASE_TEMPLATE("denormal numbers become zero, others stay", T, float, double) {
  using limits = std::numeric_limits<T>;
  for (const T x : {limits::denorm_min(), limits::min() / 2, -limits::min() / 2, T(0)}) {
    CHECK(gal::detail::without_denormals(x) == T(0));
  }
  for (const T x :
       {limits::min(), -limits::min(), T(1), limits::max(), limits::infinity(), -limits::infinity()}) {
    CHECK(gal::detail::without_denormals(x) == x);
  }
  CHECK(std::isnan(gal::detail::without_denormals(limits::quiet_NaN())));
}

TEST_CASE_TEMPLATE("numbers below a size become zero, others stay", T, float, double) {
  using limits = std::numeric_limits<T>;
  for (const T x : {T(0.499), T(-0.499), T(0), limits::denorm_min()}) {
    CHECK(gal::detail::zero_below(x, T(0.5)) == T(0));
  }
  for (const T x : {T(0.5), T(-0.5), T(3), limits::max(), limits::infinity(), -limits::infinity()}) {
    CHECK(gal::detail::zero_below(x, T(0.5)) == x);
  }
  CHECK(std::isnan(gal::detail::zero_below(limits::quiet_NaN(), T(0.5))));
}

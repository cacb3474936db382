// right_numbers BOSTON_CSV: what the compiler's flags could spoil, in one small program that is built with each of them.
// Prints what is wrong and ends with 1, or ends with 0.
#include <gal/gal.hpp>

#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace {

int faults = 0;

template <class T>
constexpr const char* name_of = sizeof(T) == 4 ? "float" : "double";

void check(bool right, const char* type, std::string_view what, double actual, double expected) {
  if (!right) {
    ++faults;
    std::printf("%s: %.*s is %.9g; expected %.9g\n", type, static_cast<int>(what.size()), what.data(), actual,
                expected);
  }
}

// In units of the last place: by how much a number misses its exact value.
template <class T>
double units(T actual, long double exact) {
  const T size = static_cast<T>(std::abs(exact));
  const T next = std::nextafter(size, std::numeric_limits<T>::infinity());
  return static_cast<double>(std::abs(static_cast<long double>(actual) - exact) /
                             (static_cast<long double>(next) - static_cast<long double>(size)));
}

// `function` of `numbers` as a backend's loop computes it, vectorised, against long double.
template <class T, class Function, class Exact>
void check_function(std::string_view what, const std::vector<T>& numbers, double allowed, Function function,
                    Exact exact) {
  std::vector<T> results(numbers.size());
  gal::eigen_backend().for_each(static_cast<gal::index_type>(numbers.size()),
                                [from = numbers.data(), to = results.data(), function](gal::index_type i) {
                                  to[i] = function(from[i]);
                                });
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const long double expected = exact(static_cast<long double>(numbers[i]));
    if (!(units(results[i], expected) <= allowed)) {
      check(false, name_of<T>, what, static_cast<double>(results[i]), static_cast<double>(expected));
      std::printf("  at %.9g\n", static_cast<double>(numbers[i]));
      return;
    }
  }
}

template <class T>
void check_functions() {
  std::vector<T> numbers;
  std::vector<T> positive;
  for (double size = 1e-30; size < 60.0; size *= 1.01) {
    numbers.push_back(static_cast<T>(size));
    numbers.push_back(static_cast<T>(-size));
  }
  // From 1e-30 on: a program that is linked with -ffast-math flushes denormal numbers, among them the last correction of
  // the root of a float below that.
  for (double size = 1e-30; size < 1e37; size *= 1.1) {
    positive.push_back(static_cast<T>(size));
  }
  check_function(
      "tanh", numbers, 4.0, [](T x) { return gal::detail::tanh(x); },
      [](long double x) { return std::tanh(x); });
  check_function(
      "the sigmoid", numbers, 4.0, [](T x) { return gal::detail::sigmoid(x); },
      [](long double x) { return 1.0L / (1.0L + std::exp(-x)); });
  check_function(
      "the square root", positive, 1.0, [](T x) { return gal::detail::square_root(x); },
      [](long double x) { return std::sqrt(x); });

  constexpr T infinity = std::numeric_limits<T>::infinity();
  std::array<T, 4> special = {T(0), infinity, -infinity, std::numeric_limits<T>::quiet_NaN()};
  std::array<T, 4> tanh{};
  std::array<T, 4> sigmoid{};
  gal::eigen_backend().for_each(4, [&](gal::index_type i) {
    const auto k = static_cast<std::size_t>(i);
    tanh[k] = gal::detail::tanh(special[k]);
    sigmoid[k] = gal::detail::sigmoid(special[k]);
  });
  const std::array<double, 4> expected = {0.0, 1.0, -1.0, 0.0};
  for (std::size_t k = 0; k < 3; ++k) {
    check(tanh[k] == static_cast<T>(expected[k]), name_of<T>, "tanh of a special number",
          static_cast<double>(tanh[k]), expected[k]);
    check(sigmoid[k] == static_cast<T>(0.5 + 0.5 * expected[k]), name_of<T>,
          "the sigmoid of a special number", static_cast<double>(sigmoid[k]), 0.5 + 0.5 * expected[k]);
  }
  check(std::isnan(tanh[3]), name_of<T>, "tanh of NaN", static_cast<double>(tanh[3]), NAN);
  check(std::isnan(sigmoid[3]), name_of<T>, "the sigmoid of NaN", static_cast<double>(sigmoid[3]), NAN);
}

// One step of each method from {1, 2, 3, 4} along {.1, -.2, 0, .4}. Adam's first step has the length of its rate.
template <class T, class Optimizer>
void check_optimizer(std::string_view what, Optimizer optimizer, const std::array<double, 4>& expected) {
  std::array<T, 4> values = {T(1), T(2), T(3), T(4)};
  std::array<T, 4> gradients = {T(0.1), T(-0.2), T(0), T(0.4)};
  const std::array parameters = {gal::parameter<T>(values, gradients)};
  optimizer.step(parameters);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto value = static_cast<double>(values[i]);
    check(std::abs(value - expected[i]) < 2e-6, name_of<T>, what, value, expected[i]);
  }
}

template <class T>
void check_optimizers() {
  check_optimizer<T>("a parameter after Adam", gal::adam<T>({.learning_rate = 0.1}), {0.9, 2.1, 3.0, 3.9});
  check_optimizer<T>("a parameter after AdamW", gal::adamw<T>({.learning_rate = 0.1}),
                     {0.899, 2.098, 2.997, 3.896});
  check_optimizer<T>("a parameter after RMSProp", gal::rmsprop<T>({.learning_rate = 0.01}),
                     {0.9, 2.1, 3.0, 3.9});
  check_optimizer<T>("a parameter after SGD", gal::sgd<T>({.learning_rate = 0.1}), {0.99, 2.02, 3.0, 3.96});
}

// Closed forms of the remainder at a displacement whose square is below the resolution of the loss.
template <class T, class Loss, class Target>
void check_remainder(std::string_view what, Loss loss, const Target& target, double d, double curvature) {
  const std::array<T, 2> x = {T(0.3), T(-0.5)};
  const std::array<T, 2> displacement = {static_cast<T>(d), static_cast<T>(-d)};
  std::array<double, 1> value{};
  loss.remainder(gal::eigen_backend(), gal::matrix_view<const T>(x.data(), 2, 1), target,
                 gal::matrix_view<const T>(displacement.data(), 2, 1),
                 gal::matrix_view<double>(value.data(), 1, 1), gal::matrix_view<T>());
  const double expected = curvature * d * d;
  check(std::abs(value[0] - expected) < 1e-5 * expected, name_of<T>, what, value[0], expected);
}

template <class T>
void check_losses() {
  const auto probability = [](double x) { return 1.0 / (1.0 + std::exp(-x)); };
  const double p = probability(static_cast<double>(T(0.3)));
  const double q = probability(static_cast<double>(T(-0.5)));
  const double s = probability(static_cast<double>(T(0.3)) - static_cast<double>(T(-0.5)));
  const std::array<T, 2> y = {T(0.5), T(0.25)};
  const gal::matrix_view<const T> targets(y.data(), 2, 1);
  const double d = 0x1p-24;
  check_remainder<T>("the remainder of mse", gal::mse(), targets, d, 1.0);
  check_remainder<T>("the remainder of huber", gal::huber(), targets, d, 0.5);
  check_remainder<T>("the remainder of binary_cross_entropy", gal::binary_cross_entropy(), targets, d,
                     0.25 * (p * (1 - p) + q * (1 - q)));
  check_remainder<T>("the remainder of softmax_cross_entropy", gal::softmax_cross_entropy(),
                     std::vector<int>{1}, d, 2.0 * s * (1 - s));
}

void check_csv() {
  for (const char* const bad : {"nan", "inf", "-inf", "1e999"}) {
    bool refused = false;
    try {
      static_cast<void>(gal::parse_csv(std::string("x,y\n1,2\n3,") + bad + "\n"));
    } catch (const gal::error&) {
      refused = true;
    }
    check(refused, bad, "refusal in a CSV", refused, 1.0);
  }
}

// The first program of README.md, for ten epochs.
void check_training(const char* file) {
  using T = float;
  auto data = gal::make_dataset<T>(gal::read_csv(file));
  gal::standardizer<T> scale;
  scale.fit(data.features);
  scale.apply(data.features);
  gal::nn::mlp<T> model({13, 100, 50, 1}, {.activation = gal::nn::relu, .seed = 1});
  gal::adam<T> optimizer({.learning_rate = 1e-3});
  gal::adjust trainer(model, optimizer, gal::mse());
  int refused = 0;
  for (unsigned epoch = 0; epoch < 10; ++epoch) {
    for (auto [x, y] : gal::batches(data, 32, epoch)) {
      const gal::adjust_report report = trainer.step(x, y);
      refused += report.non_finite ? 1 : 0;
    }
  }
  check(refused == 0, name_of<T>, "the number of refused steps", refused, 0.0);
  const double error = gal::mean_absolute_error(model.forward(data.features), data.targets);
  check(std::abs(error - 3.624) < 0.01, name_of<T>, "the mean absolute error", error, 3.624);

  // What is not finite has to be seen.
  data.features.data()[0] = std::numeric_limits<T>::quiet_NaN();
  data.features.data()[14] = std::numeric_limits<T>::infinity();
  const gal::adjust_report report = trainer.step(data.features, data.targets);
  check(report.non_finite, name_of<T>, "non_finite of a batch with NaN", report.non_finite, 1.0);
}

}  // namespace

int main(int count, char** arguments) try {
  if (count != 2) {
    std::fprintf(stderr, "usage: right_numbers BOSTON_CSV\n");
    return 2;
  }
  check_functions<float>();
  check_functions<double>();
  check_optimizers<float>();
  check_optimizers<double>();
  check_losses<float>();
  check_losses<double>();
  check_csv();
  check_training(arguments[1]);
  return faults == 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "right_numbers: %s\n", error.what());
  return 1;
}

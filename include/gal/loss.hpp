// gal/loss.hpp: losses of features and targets, with closed forms of the remainder.
// Provides: mse, mae, huber, binary_cross_entropy, softmax_cross_entropy, sample_loss, evaluate_loss.
#pragma once

#include <gal/backend.hpp>
#include <gal/concepts.hpp>
#include <gal/math.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// A batch's loss is the mean of its samples' losses l_j, and its gradient carries that 1/n.
//
// Each loss also offers the remainder of its first-order expansion at the tentative point,
//
//     R_j = l_j(x_j - d_j) - l_j(x_j) + <d_j, grad l_j(x_j)>,
//
// in a form that does not subtract nearly equal numbers: at usual settings R is about 1e-9 of the loss, below what
// float can resolve in a difference of losses. The gradient of mean R with respect to D is grad L(X) - grad L(X - D).
// docs/algorithm.md derives the forms ("Closed forms of the remainder").

namespace gal {

namespace detail {

template <class Target>
concept matrix_target = viewable<const Target>;

template <matrix_target Target>
using target_scalar = scalar_of<const Target>;

// The integers that are numbers: no bool, no character.
template <class U>
concept label_number =
    std::integral<U> && !std::same_as<U, bool> && !std::same_as<U, char> && !std::same_as<U, wchar_t> &&
    !std::same_as<U, char8_t> && !std::same_as<U, char16_t> && !std::same_as<U, char32_t>;

// The targets as a matrix of the features' size. A vector of n numbers is a row or a column, as its owner likes.
template <class T, class Memory, matrix_target Target>
auto targets_like(matrix_view<const T, Memory> features, const Target& targets, std::string_view loss) {
  const auto given = gal::view(targets);
  const auto y = features.rows() == 1 ? as_row(given, features.columns()) : given;
  require(y.shape() == features.shape(), error_code::shape_mismatch, loss, ": targets are ", y.shape(),
          "; expected the features' size ", features.shape());
  return y;
}

template <class T, class Memory>
void check_batch(matrix_view<const T, Memory> features, matrix_view<double, Memory> values,
                 matrix_view<T, Memory> gradient, std::string_view loss) {
  require(!features.empty(), error_code::shape_mismatch, loss, ": features are ", features.shape(),
          "; expected at least one row and one sample");
  require(values.size() == features.columns(), error_code::shape_mismatch, loss, ": room for ", values.size(),
          " sample values; expected ", features.columns());
  require(gradient.empty() || gradient.shape() == features.shape(), error_code::shape_mismatch, loss,
          ": the gradient is ", gradient.shape(), "; expected ", features.shape());
}

template <class T, class Memory>
void check_displacement(matrix_view<const T, Memory> features, matrix_view<const T, Memory> displacement,
                        std::string_view loss) {
  require(displacement.shape() == features.shape(), error_code::shape_mismatch, loss,
          ": the displacement is ", displacement.shape(), "; expected ", features.shape());
}

// A loss that is the mean over a sample's entries of a function of one entry. `Entry` provides
//   value(x, y), slope(x, y) = d value / dx, and the two parts of the expansion at x - d:
//   remainder(x, d, y) = value(x - d) - value(x) + d slope(x) and slope_change(x, d, y) = slope(x) - slope(x - d).
template <class Entry>
class entrywise_loss {
 public:
  /// Losses of the samples in `values` (`1 x n`) and the gradient of their mean in `gradient` (`d x n`, or empty).
  /// Throws where the shapes do not fit.
  template <class Backend, class T, class Memory, matrix_target Target>
  void evaluate(const Backend& backend, matrix_view<const T, Memory> features, const Target& targets,
                matrix_view<double, Memory> values, matrix_view<T, Memory> gradient) const {
    check_batch(features, values, gradient, Entry::name);
    const auto y = targets_like(features, targets, Entry::name);
    const double share = 1.0 / static_cast<double>(features.rows());
    backend.sum_rows(
        features.rows(), features.columns(),
        [=, entry = entry_] GAL_KERNEL(index i, index j) {
          return share * entry.value(static_cast<double>(features(i, j)), static_cast<double>(y(i, j)));
        },
        values.data());
    if (!gradient.empty()) {
      const double scale = share / static_cast<double>(features.columns());
      backend.for_each(features.size(), [=, entry = entry_] GAL_KERNEL(index i) {
        gradient.data()[i] = without_denormals(static_cast<T>(
            scale * entry.slope(static_cast<double>(features.data()[i]), static_cast<double>(y.data()[i]))));
      });
    }
  }

  /// Remainders of the samples at X - `displacement`, and the gradient of their mean with respect to it.
  template <class Backend, class T, class Memory, matrix_target Target>
  void remainder(const Backend& backend, matrix_view<const T, Memory> features, const Target& targets,
                 std::type_identity_t<matrix_view<const T, Memory>> displacement,
                 matrix_view<double, Memory> values, matrix_view<T, Memory> gradient) const {
    check_batch(features, values, gradient, Entry::name);
    check_displacement(features, displacement, Entry::name);
    const auto y = targets_like(features, targets, Entry::name);
    const double share = 1.0 / static_cast<double>(features.rows());
    backend.sum_rows(
        features.rows(), features.columns(),
        [=, entry = entry_] GAL_KERNEL(index i, index j) {
          return share * entry.remainder(static_cast<double>(features(i, j)),
                                         static_cast<double>(displacement(i, j)),
                                         static_cast<double>(y(i, j)));
        },
        values.data());
    if (!gradient.empty()) {
      const double scale = share / static_cast<double>(features.columns());
      backend.for_each(features.size(), [=, entry = entry_] GAL_KERNEL(index i) {
        gradient.data()[i] = without_denormals(
            static_cast<T>(scale * entry.slope_change(static_cast<double>(features.data()[i]),
                                                      static_cast<double>(displacement.data()[i]),
                                                      static_cast<double>(y.data()[i]))));
      });
    }
  }

 protected:
  explicit entrywise_loss(Entry entry = {}) : entry_(entry) {}

 private:
  Entry entry_;
};

struct squared_error {
  static constexpr std::string_view name = "gal::mse";
  GAL_HOST_DEVICE double value(double x, double y) const { return (x - y) * (x - y); }
  GAL_HOST_DEVICE double slope(double x, double y) const { return 2.0 * (x - y); }
  GAL_HOST_DEVICE double remainder(double, double d, double) const { return d * d; }
  GAL_HOST_DEVICE double slope_change(double, double d, double) const { return 2.0 * d; }
};

struct absolute_error {
  static constexpr std::string_view name = "gal::mae";
  GAL_HOST_DEVICE static double sign(double r) { return r > 0.0 ? 1.0 : (r < 0.0 ? -1.0 : r); }  // keeps NaN
  GAL_HOST_DEVICE double value(double x, double y) const { return std::abs(x - y); }
  GAL_HOST_DEVICE double slope(double x, double y) const { return sign(x - y); }
  GAL_HOST_DEVICE double remainder(double x, double d, double y) const {
    const double before = x - y;
    const double after = before - d;
    return std::abs(after) - sign(before) * after;  // zero on the same side, else 2 |after|
  }
  GAL_HOST_DEVICE double slope_change(double x, double d, double y) const {
    return sign(x - y) - sign(x - y - d);
  }
};

struct huber_error {
  static constexpr std::string_view name = "gal::huber";
  double delta = 1.0;
  // r^2/2 less (|r| - delta)^2/2 beyond delta: one formula for both pieces.
  GAL_HOST_DEVICE double excess(double r) const {
    const double beyond = std::abs(r) - delta;
    return beyond > 0.0 ? beyond : 0.0;
  }
  GAL_HOST_DEVICE double slope_at(double r) const { return r > delta ? delta : (r < -delta ? -delta : r); }
  GAL_HOST_DEVICE double value(double x, double y) const {
    const double r = x - y;
    const double beyond = excess(r);
    return beyond > 0.0 ? delta * (std::abs(r) - 0.5 * delta) : 0.5 * r * r;
  }
  GAL_HOST_DEVICE double slope(double x, double y) const { return slope_at(x - y); }
  GAL_HOST_DEVICE double remainder(double x, double d, double y) const {
    const double before = x - y;
    const double after = before - d;
    const double beyond = excess(after);
    if (excess(before) == 0.0) {
      // From inside the parabola: its own remainder, less what the straight piece falls below it.
      return 0.5 * (std::abs(d) - beyond) * (std::abs(d) + beyond);
    }
    // From a straight piece, measured along its direction: the height of the loss over that line.
    const double along = before > 0.0 ? after : -after;
    if (along >= delta) {
      return 0.0;
    }
    return along > -delta ? 0.5 * (along - delta) * (along - delta) : -2.0 * delta * along;
  }
  GAL_HOST_DEVICE double slope_change(double x, double d, double y) const {
    return slope_at(x - y) - slope_at(x - y - d);
  }
};

// exp(-c) - 1 + c for any c, without cancellation near zero.
GAL_HOST_DEVICE inline double exp_remainder(double c) {
  if (std::abs(c) < 1e-2) {
    return c * c * (1.0 / 2 - c * (1.0 / 6 - c * (1.0 / 24 - c * (1.0 / 120 - c * (1.0 / 720 - c / 5040)))));
  }
  return std::expm1(-c) + c;
}

struct logit_entropy {
  static constexpr std::string_view name = "gal::binary_cross_entropy";
  GAL_HOST_DEVICE static double probability(double x) {
    const double e = std::exp(-std::abs(x));
    return x < 0.0 ? e / (1.0 + e) : 1.0 / (1.0 + e);
  }
  GAL_HOST_DEVICE double value(double x, double y) const { return softplus(x) - x * checked(y); }
  GAL_HOST_DEVICE double slope(double x, double y) const { return probability(x) - checked(y); }
  // Of targets that the host would have refused, and the device cannot.
  GAL_HOST_DEVICE static double checked(double y) {
    return y >= 0.0 && y <= 1.0 ? y : std::numeric_limits<double>::quiet_NaN();
  }
  GAL_HOST_DEVICE static double softplus(double x) {
    return (x < 0.0 ? 0.0 : x) + std::log1p(std::exp(-std::abs(x)));
  }
  // The softmax form for the two classes with logits x and 0, c = (q d, -p d). The exponentials of a very long
  // displacement may overflow: there the plain log-sum-exp.
  GAL_HOST_DEVICE static bool is_long(double p, double q, double d) {
    return std::fmax(p, q) * std::abs(d) > 300.0;
  }
  GAL_HOST_DEVICE double remainder(double x, double d, double) const {
    const double p = probability(x);
    const double q = probability(-x);
    if (is_long(p, q, d)) {
      const double one = -softplus(-x) - q * d;
      const double zero = -softplus(x) + p * d;
      return std::fmax(one, zero) + std::log1p(std::exp(-std::abs(one - zero)));
    }
    return std::log1p(p * exp_remainder(q * d) + q * exp_remainder(-p * d));
  }
  GAL_HOST_DEVICE double slope_change(double x, double d, double y) const {
    const double p = probability(x);
    const double q = probability(-x);
    const double change = -q * d - remainder(x, d, y);
    return is_long(p, q, d) ? p - std::exp(change - softplus(-x)) : -p * std::expm1(change);
  }
};

}  // namespace detail

/// Mean squared error over all entries; targets are of the features' size. R = norm(D)^2 / N over N entries.
class mse : public detail::entrywise_loss<detail::squared_error> {
 public:
  mse() = default;
};

/// Mean absolute error over all entries; the slope at zero is zero.
class mae : public detail::entrywise_loss<detail::absolute_error> {
 public:
  mae() = default;
};

/// Huber loss, the mean over all entries of r^2/2 up to `delta` and delta (|r| - delta/2) beyond (Huber, 1964).
class huber : public detail::entrywise_loss<detail::huber_error> {
 public:
  /// Throws unless `delta` is positive.
  explicit huber(double delta = 1.0) : entrywise_loss({delta}) {
    detail::require(delta > 0.0 && std::isfinite(delta), error_code::invalid_option, "gal::huber: delta ",
                    delta, "; expected a positive number");
  }
};

/// Binary cross-entropy of logits, the mean over all entries; targets are probabilities in [0, 1].
class binary_cross_entropy : public detail::entrywise_loss<detail::logit_entropy> {
 public:
  binary_cross_entropy() = default;

  /// As `entrywise_loss::evaluate`; throws also on a target outside [0, 1], of which a device makes NaN.
  template <class Backend, class T, class Memory, detail::matrix_target Target>
  void evaluate(const Backend& backend, matrix_view<const T, Memory> features, const Target& targets,
                matrix_view<double, Memory> values, matrix_view<T, Memory> gradient) const {
    if constexpr (std::same_as<Memory, host_memory>) {
      const auto y = gal::view(targets);
      for (index i = 0; i < y.size(); ++i) {
        detail::require(y.data()[i] >= 0 && y.data()[i] <= 1, error_code::invalid_target,
                        "gal::binary_cross_entropy: target ", y.data()[i], " of sample ",
                        y.rows() == features.rows() ? i / y.rows() : i, "; expected a probability in [0, 1]");
      }
    }
    entrywise_loss::evaluate(backend, features, targets, values, gradient);
  }
};

/// Cross-entropy of the softmax of the features (logits, a row per class).
///
/// Targets are n integer labels (class numbers from 0), or a matrix of the features' size with a probability per class:
/// a sample's are not negative and add to 1 within 1e-3, as those rounded to half precision do. With `label_smoothing`
/// s the target becomes (1 - s) target + s / classes. The remainder of a sample is log sum_k p_k exp(-c_k),
/// c = d - sum_k p_k d_k.
///
/// `evaluate` and `remainder` throw where shapes do not fit, and on host memory where a label names no class or the
/// target of a sample is no distribution. On a device a label that names no class makes the sample's loss NaN, and
/// distributions are not checked.
class softmax_cross_entropy {
 public:
  explicit softmax_cross_entropy(double label_smoothing = 0.0) : smoothing_(label_smoothing) {
    detail::require(label_smoothing >= 0.0 && label_smoothing < 1.0, error_code::invalid_option,
                    "gal::softmax_cross_entropy: label smoothing ", label_smoothing,
                    "; expected a number in [0, 1)");
  }

  [[nodiscard]] double label_smoothing() const { return smoothing_; }

  template <class Backend, class T, class Memory, detail::matrix_target Target>
  void evaluate(const Backend& backend, matrix_view<const T, Memory> features, const Target& targets,
                matrix_view<double, Memory> values, matrix_view<T, Memory> gradient) const {
    detail::check_batch(features, values, gradient, name);
    const auto target = checked_targets(features, targets);
    const index classes = features.rows();
    const double scale = 1.0 / static_cast<double>(features.columns());
    const bool wanted = !gradient.empty();
    backend.for_each(features.columns(), [=] GAL_KERNEL(index j) {
      const softmax<T> p(features.data() + j * classes, classes);
      double weight = 0.0;
      double expected_logit = 0.0;
      for (index k = 0; k < classes; ++k) {
        const double t = target(k, j);
        weight += t;
        expected_logit += t * (static_cast<double>(features(k, j)) - p.largest);
      }
      values.data()[j] = weight * std::log(p.total) - expected_logit;
      if (wanted) {
        for (index k = 0; k < classes; ++k) {
          gradient(k, j) = detail::without_denormals(static_cast<T>(scale * (weight * p(k) - target(k, j))));
        }
      }
    });
  }

  template <class Backend, class T, class Memory, detail::matrix_target Target>
  void remainder(const Backend& backend, matrix_view<const T, Memory> features, const Target& targets,
                 std::type_identity_t<matrix_view<const T, Memory>> displacement,
                 matrix_view<double, Memory> values, matrix_view<T, Memory> gradient) const {
    detail::check_batch(features, values, gradient, name);
    detail::check_displacement(features, displacement, name);
    const auto target = checked_targets(features, targets);
    const index classes = features.rows();
    const double scale = 1.0 / static_cast<double>(features.columns());
    const bool wanted = !gradient.empty();
    backend.for_each(features.columns(), [=] GAL_KERNEL(index j) {
      const softmax<T> p(features.data() + j * classes, classes);
      double weight = 0.0;
      double mean = 0.0;
      for (index k = 0; k < classes; ++k) {
        weight += target(k, j);
        mean += p(k) * static_cast<double>(displacement(k, j));
      }
      double longest = 0.0;
      for (index k = 0; k < classes; ++k) {
        longest = std::fmax(longest, std::abs(static_cast<double>(displacement(k, j)) - mean));
      }
      // The exponentials of a very long displacement may overflow: there the plain log-sum-exp.
      const bool is_long = longest > 300.0;
      const double remainder = is_long ? p.log_mean_exp(&displacement(0, j), mean) : std::log1p([&] {
        double excess = 0.0;
        for (index k = 0; k < classes; ++k) {
          excess += p(k) * detail::exp_remainder(static_cast<double>(displacement(k, j)) - mean);
        }
        return excess;
      }());
      values.data()[j] = weight * remainder;
      if (wanted) {
        for (index k = 0; k < classes; ++k) {
          const double c = static_cast<double>(displacement(k, j)) - mean;
          const double change =
              is_long ? p(k) - std::exp(p.log(k) - c - remainder) : -p(k) * std::expm1(-c - remainder);
          gradient(k, j) = detail::without_denormals(static_cast<T>(scale * weight * change));
        }
      }
    });
  }

  GAL_PRIVATE_KERNELS
  static constexpr std::string_view name = "gal::softmax_cross_entropy";

  // p_k = exp(x_k - largest) / total of one sample.
  template <class T>
  struct softmax {
    const T* logits;
    index classes;
    double largest;
    double total = 0.0;

    GAL_HOST_DEVICE softmax(const T* sample, index count)
        : logits(sample), classes(count), largest(static_cast<double>(sample[0])) {
      for (index k = 1; k < classes; ++k) {
        const auto logit = static_cast<double>(logits[k]);
        largest = logit > largest ? logit : largest;
      }
      for (index k = 0; k < classes; ++k) {
        total += std::exp(static_cast<double>(logits[k]) - largest);
      }
    }
    GAL_HOST_DEVICE double operator()(index k) const {
      return std::exp(static_cast<double>(logits[k]) - largest) / total;
    }
    GAL_HOST_DEVICE double log(index k) const {
      return static_cast<double>(logits[k]) - largest - std::log(total);
    }
    // log sum_k p_k exp(mean - d_k).
    GAL_HOST_DEVICE double log_mean_exp(const T* d, double mean) const {
      double top = log(0) + mean - static_cast<double>(d[0]);
      for (index k = 1; k < classes; ++k) {
        top = std::fmax(top, log(k) + mean - static_cast<double>(d[k]));
      }
      double sum = 0.0;
      for (index k = 0; k < classes; ++k) {
        sum += std::exp(log(k) + mean - static_cast<double>(d[k]) - top);
      }
      return top + std::log(sum);
    }
  };

  // The target probability of a class, from labels or from a matrix of probabilities, smoothed.
  template <class U>
  struct target_probability {
    const U* data;
    index classes;
    double kept;
    double spread;

    GAL_HOST_DEVICE double operator()(index k, index j) const {
      if constexpr (std::integral<U>) {
        const auto label = static_cast<index>(data[j]);
        if (label < 0 || label >= classes) {  // which the host refuses, and the device cannot
          return std::numeric_limits<double>::quiet_NaN();
        }
        return (label == k ? kept : 0.0) + spread;
      } else {
        return kept * static_cast<double>(data[j * classes + k]) + spread;
      }
    }
  };

  // Throws where a column is no distribution over the classes.
  template <class U>
  static void check_distributions(matrix_view<U> y) {
    constexpr double tolerance = 1e-3;
    for (index j = 0; j < y.columns(); ++j) {
      double sum = 0.0;
      for (index k = 0; k < y.rows(); ++k) {
        const auto probability = static_cast<double>(y(k, j));
        detail::require(probability >= 0.0 && probability <= 1.0 + tolerance, error_code::invalid_target,
                        name, ": target ", probability, " of sample ", j, ", class ", k,
                        "; expected a probability in [0, 1]");
        sum += probability;
      }
      detail::require(std::abs(sum - 1.0) <= tolerance, error_code::invalid_target, name,
                      ": targets of sample ", j, " add to ", sum, "; expected probabilities that add to 1");
    }
  }

  template <class T, class Memory, class Target>
  auto checked_targets(matrix_view<const T, Memory> features, const Target& targets) const {
    const auto y = gal::view(targets);
    using U = typename decltype(y)::value_type;
    const index classes = features.rows();
    if constexpr (std::integral<U>) {
      static_assert(
          detail::label_number<U>,
          "gal::softmax_cross_entropy: labels must be integers; a bool or a character is none. Convert them "
          "to int or std::uint8_t.");
      detail::require(detail::as_row(y, features.columns()).shape() == shape{1, features.columns()},
                      error_code::shape_mismatch, name, ": labels are ", y.shape(), "; expected ",
                      features.columns(), " labels, one per sample");
      if constexpr (std::same_as<Memory, host_memory> && detail::label_number<U>) {
        for (index j = 0; j < y.size(); ++j) {
          detail::require(std::cmp_greater_equal(y.data()[j], 0) && std::cmp_less(y.data()[j], classes),
                          error_code::invalid_target, name, ": label ", y.data()[j], " of sample ", j,
                          "; expected a class from 0 to ", classes - 1);
        }
      }
    } else {
      static_assert(!detail::number_range<const Target>,
                    "gal::softmax_cross_entropy: a range of floating-point numbers holds no labels; expected "
                    "integers, such as a std::vector<int>, or a matrix with a probability for every class.");
      const bool labels = classes > 1 && y.size() == features.columns();
      detail::require(y.shape() == features.shape(), error_code::shape_mismatch, name,
                      ": target probabilities are ", y.shape(), "; expected the features' size ",
                      features.shape(), labels ? ", or integers as labels" : "");
      if constexpr (std::same_as<Memory, host_memory>) {
        check_distributions(y);
      }
    }
    return target_probability<U>{y.data(), classes, 1.0 - smoothing_,
                                 smoothing_ / static_cast<double>(classes)};
  }

  double smoothing_;
};

/// Any function of one sample as a loss: `f(x, y, gradient)` or, without targets, `f(x, gradient)`, returns the loss of
/// one sample and writes its gradient. `x` is a `std::span<const S>` of the sample's features, `y` one of its targets,
/// `gradient` a `std::span<S>`. With a generic lambda S is double whatever the model's scalar, so that the remainder,
/// a small difference, is resolved; a function of floats is called with floats.
///
///     gal::sample_loss bowl([](auto x, auto gradient) {
///       gradient[0] = 2 * x[0];
///       return x[0] * x[0];
///     });
///
/// Host memory only. Targets are viewable with a column per sample (n numbers are one per sample), or `gal::nothing`.
template <class F>
class sample_loss {
 public:
  explicit sample_loss(F f) : function_(std::move(f)) {}

  template <class Backend, class T, class Target>
  void evaluate(const Backend&, matrix_view<const T, host_memory> features, const Target& targets,
                matrix_view<double, host_memory> values, matrix_view<T, host_memory> gradient) {
    detail::check_batch(features, values, gradient, "gal::sample_loss");
    using S = std::conditional_t<callable<double, Target>, double, T>;
    static_assert(
        callable<S, Target>,
        "gal::sample_loss: the function must be callable as f(x, y, gradient), or f(x, gradient) without "
        "targets, with spans of the features' scalar, and return a number.");
    if constexpr (!std::same_as<Target, nothing>) {
      const auto y = detail::as_row(gal::view(targets).as_const(), features.columns());
      detail::require(y.columns() == features.columns(), error_code::shape_mismatch,
                      "gal::sample_loss: targets are ", y.shape(), "; expected ", features.columns(),
                      " columns, one per sample");
    }
    auto& [x, g] = scratch<S>();
    const auto rows = static_cast<std::size_t>(features.rows());
    const double scale = 1.0 / static_cast<double>(features.columns());
    for (index j = 0; j < features.columns(); ++j) {
      const std::span<const T> sample = features.column(j);
      x.assign(sample.begin(), sample.end());
      g.assign(rows, S(0));
      values.data()[j] =
          static_cast<double>(call(std::span<const S>(x), targets, j, features.columns(), std::span<S>(g)));
      if (!gradient.empty()) {
        for (std::size_t i = 0; i < rows; ++i) {
          gradient.column(j)[i] = static_cast<T>(scale * static_cast<double>(g[i]));
        }
      }
    }
  }

 private:
  template <class S>
  struct buffers {
    std::vector<S> x;
    std::vector<S> gradient;
  };

  template <class S, class Target>
  static constexpr bool callable = [] {
    if constexpr (std::same_as<Target, nothing>) {
      return std::is_invocable_r_v<double, F&, std::span<const S>, std::span<S>>;
    } else if constexpr (detail::matrix_target<Target>) {
      return std::is_invocable_r_v<double, F&, std::span<const S>,
                                   std::span<const detail::target_scalar<Target>>, std::span<S>>;
    } else {
      return false;
    }
  }();

  template <class S, class Target>
  auto call(std::span<const S> x, const Target& targets, index sample, index samples, std::span<S> gradient) {
    if constexpr (std::same_as<Target, nothing>) {
      return function_(x, gradient);
    } else {
      return function_(x, detail::as_row(gal::view(targets).as_const(), samples).column(sample), gradient);
    }
  }

  template <class S>
  buffers<S>& scratch() {
    if constexpr (std::same_as<S, double>) {
      return double_;
    } else {
      return float_;
    }
  }

  F function_;
  buffers<double> double_;
  buffers<float> float_;
};

/// What a loss says of one batch.
template <class T, class Backend = eigen_backend>
struct loss_values {
  double mean = 0.0;
  matrix<double, Backend> samples;  ///< the loss of every sample, `1 x n`
  matrix<T, Backend> gradient;      ///< of the mean, `d x n`
};

/// Mean, per-sample values and gradient of any loss, for use outside of training.
///
///     const auto result = gal::evaluate_loss(gal::mse(), model.forward(x), y);
template <class Loss, viewable Features, class Target = nothing, class Backend = eigen_backend>
[[nodiscard]] loss_values<scalar_of<const Features>, Backend> evaluate_loss(Loss loss,
                                                                            const Features& features,
                                                                            const Target& targets = {},
                                                                            const Backend& backend = {}) {
  using T = scalar_of<const Features>;
  static_assert(detail::explain_loss<Loss, T, Backend, Target>());
  const matrix_view<const T, typename Backend::memory_type> x(features);
  loss_values<T, Backend> result{0.0, matrix<double, Backend>(1, x.columns(), 0.0, backend),
                                 matrix<T, Backend>(x.rows(), x.columns(), T(0), backend)};
  loss.evaluate(backend, x, targets, result.samples.view(), result.gradient.view());
  matrix<double, Backend> total(1, 1, 0.0, backend);
  backend.sum(
      x.columns(), [from = result.samples.data()] GAL_KERNEL(index j) { return from[j]; }, total.data());
  result.mean = backend.read(total.data()) / static_cast<double>(x.columns());
  return result;
}

}  // namespace gal

// gal/loss/softmax_cross_entropy.hpp: cross-entropy of classes, with closed forms of the remainder and of the second derivative.
// Provides: softmax_cross_entropy.
#pragma once

#include <gal/core/concepts.hpp>
#include <gal/core/detail/math.hpp>
#include <gal/core/detail/softmax.hpp>
#include <gal/core/error.hpp>
#include <gal/core/view.hpp>
#include <gal/loss/detail/batch_checks.hpp>
#include <gal/loss/detail/exp_remainder.hpp>
#include <gal/loss/detail/target_probability.hpp>

#include <cmath>
#include <concepts>
#include <string_view>
#include <type_traits>
#include <utility>

namespace gal::inline GAL_ABI {

/// Cross-entropy of the softmax of the features (logits, a row per class).
///
/// Targets are n integer labels (class numbers from 0), or a matrix of the features' size with a probability per class:
/// a sample's are not negative and add to 1 within 1e-3, as those rounded to half precision do. With `label_smoothing`
/// s the target becomes (1 - s) target + s / classes. The remainder of a sample is log sum_k p_k exp(-c_k),
/// c = d - sum_k p_k d_k.
///
/// A class is masked out by the logit -infinity: its probability is 0, it has no part in the remainder, and where its target
/// is 0 neither in the loss nor in the gradient. Where its target is positive, as under label smoothing, the loss is
/// infinite. A sample with all classes masked out, or a logit of infinity or NaN, has the loss NaN.
///
/// `evaluate` and `remainder` throw where shapes do not fit, and on host memory where a label names no class or the
/// target of a sample is no distribution. On a device a label that names no class makes the sample's loss NaN, and
/// distributions are not checked.
class softmax_cross_entropy {
 public:
  /// What closed-form adjusters ask of a loss: n G_j is softmax(x_j) less the target.
  static constexpr bool is_softmax_cross_entropy = true;

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
    const index_type classes = features.rows();
    const double scale = 1.0 / static_cast<double>(features.columns());
    const bool wanted = !gradient.empty();
    backend.for_each(features.columns(), [=] GAL_KERNEL(index_type j) {
      const detail::softmax<T> p(features.data() + j * classes, classes);
      double weight = 0.0;
      double expected_logit = 0.0;
      for (index_type k = 0; k < classes; ++k) {
        const double t = target(k, j);
        weight += t;
        if (t != 0.0) {  // else the logit may be -infinity
          expected_logit += t * (static_cast<double>(features(k, j)) - p.largest);
        }
      }
      values.data()[j] = weight * std::log(p.total) - expected_logit;
      if (wanted) {
        for (index_type k = 0; k < classes; ++k) {
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
    const index_type classes = features.rows();
    const double scale = 1.0 / static_cast<double>(features.columns());
    const bool wanted = !gradient.empty();
    backend.for_each(features.columns(), [=] GAL_KERNEL(index_type j) {
      const detail::softmax<T> p(features.data() + j * classes, classes);
      double weight = 0.0;
      double mean = 0.0;
      for (index_type k = 0; k < classes; ++k) {
        weight += target(k, j);
        mean += p(k) * p.moved(&displacement(0, j), k, 0.0);
      }
      double longest = 0.0;
      for (index_type k = 0; k < classes; ++k) {
        longest = std::fmax(longest, std::abs(p.moved(&displacement(0, j), k, mean)));
      }
      // The exponentials of a very long displacement may overflow: there the plain log-sum-exp.
      const bool is_long = longest > 300.0;
      const double remainder = is_long ? p.log_mean_exp(&displacement(0, j), mean) : std::log1p([&] {
        double excess = 0.0;
        for (index_type k = 0; k < classes; ++k) {
          excess += p(k) * detail::exp_remainder(p.moved(&displacement(0, j), k, mean));
        }
        return excess;
      }());
      values.data()[j] = weight * remainder;
      if (wanted) {
        for (index_type k = 0; k < classes; ++k) {
          const double c = p.moved(&displacement(0, j), k, mean);
          const double change =
              is_long ? p(k) - std::exp(p.log(k) - c - remainder) : -p(k) * std::expm1(-c - remainder);
          gradient(k, j) = detail::without_denormals(static_cast<T>(scale * weight * change));
        }
      }
    });
  }

  /// Second derivatives of the samples' losses along `tangent`: the variance of t under the softmax.
  template <class Backend, class T, class Memory, detail::matrix_target Target>
  void second_derivative(const Backend& backend, matrix_view<const T, Memory> features, const Target& targets,
                         std::type_identity_t<matrix_view<const T, Memory>> tangent,
                         matrix_view<double, Memory> values) const {
    detail::check_tangent(features, tangent, values, name);
    const auto target = checked_targets(features, targets);
    const index_type classes = features.rows();
    backend.for_each(features.columns(), [=] GAL_KERNEL(index_type j) {
      const detail::softmax<T> p(features.data() + j * classes, classes);
      double weight = 0.0;
      double mean = 0.0;
      for (index_type k = 0; k < classes; ++k) {
        weight += target(k, j);
        mean += p(k) * p.moved(&tangent(0, j), k, 0.0);
      }
      double variance = 0.0;
      for (index_type k = 0; k < classes; ++k) {
        const double t = p.moved(&tangent(0, j), k, mean);
        variance += p(k) * t * t;
      }
      values.data()[j] = weight * variance;
    });
  }

 private:
  static constexpr std::string_view name = "gal::softmax_cross_entropy";

  // Throws where a column is no distribution over the classes.
  template <class U>
  static void check_distributions(matrix_view<U> y) {
    constexpr double tolerance = 1e-3;
    for (index_type j = 0; j < y.columns(); ++j) {
      double sum = 0.0;
      for (index_type k = 0; k < y.rows(); ++k) {
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
    const index_type classes = features.rows();
    if constexpr (std::integral<U>) {
      static_assert(
          detail::label_number<U>,
          "gal::softmax_cross_entropy: labels must be integers; a bool or a character is none. Convert them "
          "to int or std::uint8_t.");
      detail::require(detail::as_row(y, features.columns()).shape() == shape{1, features.columns()},
                      error_code::shape_mismatch, name, ": labels are ", y.shape(), "; expected ",
                      features.columns(), " labels, one per sample");
      if constexpr (std::same_as<Memory, host_memory> && detail::label_number<U>) {
        for (index_type j = 0; j < y.size(); ++j) {
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
    return detail::target_probability<U>{y.data(), classes, 1.0 - smoothing_,
                                         smoothing_ / static_cast<double>(classes)};
  }

  double smoothing_;
};

}  // namespace gal

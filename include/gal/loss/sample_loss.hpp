// gal/loss/sample_loss.hpp: any function of one sample as a loss.
// Provides: sample_loss.
#pragma once

#include <gal/core/concepts.hpp>
#include <gal/core/error.hpp>
#include <gal/core/view.hpp>
#include <gal/loss/detail/batch_checks.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

template <class F, class Second = nothing>
class sample_loss;

namespace detail {

// `second_derivative` of a loss that was given the function for it.
template <class F, class Second>
struct second_of_samples {
  template <class Backend, class T, class Target>
  void second_derivative(const Backend&, matrix_view<const T, host_memory> features, const Target& targets,
                         std::type_identity_t<matrix_view<const T, host_memory>> tangent,
                         matrix_view<double, host_memory> values) {
    static_cast<sample_loss<F, Second>&>(*this).find_second(features, targets, tangent, values);
  }
};
template <class F>
struct second_of_samples<F, nothing> {};

}  // namespace detail

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
/// A second function, `second(x, y, t)` or `second(x, t)`, returns the sample's second derivative along `t`, a span as `x`; without
/// one it is had from differences of the gradient (gal/taylor/directional_expansion.hpp):
///
///     gal::sample_loss parabola([](auto x, auto g) { g[0] = 2 * x[0]; return x[0] * x[0]; },
///                               [](auto, auto t) { return 2 * t[0] * t[0]; });
///
/// Host memory only. Targets are viewable with a column per sample (n numbers are one per sample), or `gal::nothing`.
template <class F, class Second>
class sample_loss : public detail::second_of_samples<F, Second> {
 public:
  explicit sample_loss(F f) : function_(std::move(f)) {}
  sample_loss(F f, Second second) : function_(std::move(f)), second_(std::move(second)) {}

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
    for (index_type j = 0; j < features.columns(); ++j) {
      const std::span<const T> sample = features.column(j);
      x.assign(sample.begin(), sample.end());
      g.assign(rows, S(0));
      values.data()[j] = static_cast<double>(
          call(function_, std::span<const S>(x), targets, j, features.columns(), std::span<S>(g)));
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
    std::vector<S> gradient;  // or the tangent
  };

  friend detail::second_of_samples<F, Second>;

  template <class T, class Target>
  void find_second(matrix_view<const T, host_memory> features, const Target& targets,
                   matrix_view<const T, host_memory> tangent, matrix_view<double, host_memory> values) {
    detail::check_tangent(features, tangent, values, "gal::sample_loss");
    using S = std::conditional_t<second_callable<double, Target>, double, T>;
    static_assert(
        second_callable<S, Target>,
        "gal::sample_loss: the second function must be callable as second(x, y, t), or second(x, t) without "
        "targets, with spans of the features' scalar, and return a number.");
    auto& [x, t] = scratch<S>();
    for (index_type j = 0; j < features.columns(); ++j) {
      const std::span<const T> sample = features.column(j);
      const std::span<const T> along = tangent.column(j);
      x.assign(sample.begin(), sample.end());
      t.assign(along.begin(), along.end());
      values.data()[j] = static_cast<double>(
          call(second_, std::span<const S>(x), targets, j, features.columns(), std::span<const S>(t)));
    }
  }

  // Whether `Function` takes a sample, a target where there are any, and what is `Last`.
  template <class Function, class S, class Target, class Last>
  static constexpr bool takes = [] {
    if constexpr (std::same_as<Target, nothing>) {
      return std::is_invocable_r_v<double, Function&, std::span<const S>, Last>;
    } else if constexpr (detail::matrix_target<Target>) {
      return std::is_invocable_r_v<double, Function&, std::span<const S>,
                                   std::span<const detail::target_scalar<Target>>, Last>;
    } else {
      return false;
    }
  }();
  template <class S, class Target>
  static constexpr bool callable = takes<F, S, Target, std::span<S>>;
  template <class S, class Target>
  static constexpr bool second_callable = takes<Second, S, Target, std::span<const S>>;

  template <class Function, class S, class Target, class Last>
  static auto call(Function& function, std::span<const S> x, const Target& targets, index_type sample,
                   index_type samples, Last last) {
    if constexpr (std::same_as<Target, nothing>) {
      return function(x, last);
    } else {
      return function(x, detail::as_row(gal::view(targets).as_const(), samples).column(sample), last);
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
  Second second_{};
  buffers<double> double_;
  buffers<float> float_;
};

}  // namespace gal

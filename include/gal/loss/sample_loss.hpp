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
    for (index_type j = 0; j < features.columns(); ++j) {
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
  auto call(std::span<const S> x, const Target& targets, index_type sample, index_type samples,
            std::span<S> gradient) {
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

}  // namespace gal

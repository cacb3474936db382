// gal/taylor/expansion.hpp: the first-order expansion of a loss in the features, and what it leaves out.
// Provides: expansion.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/kernels.hpp>

#include <type_traits>
#include <utility>

namespace gal::inline GAL_ABI {

namespace detail {

template <class T, class S, class Memory, class Backend>
void convert(const Backend& backend, matrix_view<const T, Memory> from, matrix_view<S, Memory> to) {
  backend.for_each(from.size(), [from = from.data(), to = to.data()] GAL_KERNEL(index_type i) {
    to[i] = static_cast<S>(from[i]);
  });
}

// a - b in the type of `a` or, where that is wider, of the difference.
template <class A, class B, class C, class Memory, class Backend>
void subtract(const Backend& backend, matrix_view<const A, Memory> a, matrix_view<const B, Memory> b,
              matrix_view<C, Memory> difference) {
  using wider = std::common_type_t<A, C>;
  backend.for_each(a.size(), [a = a.data(), b = b.data(), to = difference.data()] GAL_KERNEL(index_type i) {
    to[i] = static_cast<C>(static_cast<wider>(a[i]) - static_cast<wider>(b[i]));
  });
}

// What the samples' losses have changed by, less the first order.
template <class Memory, class Backend>
void become_remainders(const Backend& backend, const double* before, const double* tilt,
                       matrix_view<double, Memory> after) {
  backend.for_each(after.columns(), [before, tilt, after = after.data()] GAL_KERNEL(index_type j) {
    after[j] = (after[j] - before[j]) + tilt[j];
  });
}

}  // namespace detail

/// The remainder of the expansion of a loss at X - D,
///
///     R_j = l_j(x_j - d_j) - l_j(x_j) + <d_j, grad l_j(x_j)>,
///
/// sample by sample: by the loss's closed form where it has one, else by subtraction in double (as far as the loss can
/// be evaluated in double). With l_j the samples' losses, the change of the loss at the tentative point is
/// R_j - <d_j, grad l_j>, again without a difference of nearly equal numbers.
template <class T, class Backend>
class expansion {
 public:
  using memory_type = typename Backend::memory_type;

  explicit expansion(Backend backend)
      : backend_(backend),
        point_(backend),
        gradient_(backend),
        slope_(backend),
        values_(backend),
        tilt_(backend),
        single_point_(backend),
        single_slope_(backend) {}

  /// Remainders of the samples at `features - displacement` in `remainders` (`1 x n`) and, unless empty, the gradient
  /// of their mean with respect to the displacement, grad L(X) - grad L(X - D), in `curvature` (`d x n`). `gradient`
  /// is grad L(X).
  template <class Loss, class Target>
  void remainder(Loss& loss, matrix_view<const T, memory_type> features, const Target& target,
                 matrix_view<const T, memory_type> gradient, matrix_view<const T, memory_type> displacement,
                 matrix_view<double, memory_type> remainders, matrix_view<T, memory_type> curvature) {
    if constexpr (closed_form_loss_for<Loss, T, Backend, Target>) {
      loss.remainder(backend_, features, target, displacement, remainders, curvature);
    } else if constexpr (!std::is_same_v<T, double> && loss_for<Loss, double, Backend, Target>) {
      point_.resize(features.rows(), features.columns());
      gradient_.resize(features.rows(), features.columns());
      detail::convert(backend_, features, point_.view());
      values_.resize(1, features.columns());
      loss.evaluate(backend_, std::as_const(point_).view(), target, values_.view(), gradient_.view());
      subtract<double>(loss, features, target, std::as_const(gradient_).view(), displacement, remainders,
                       curvature, point_, slope_);
    } else {
      values_.resize(1, features.columns());
      single_slope_.resize(features.rows(), features.columns());
      loss.evaluate(backend_, features, target, values_.view(), matrix_view<T, memory_type>());
      subtract<T>(loss, features, target, gradient, displacement, remainders, curvature, single_point_,
                  single_slope_);
    }
  }

 private:
  template <class S, class Loss, class Target>
  void subtract(Loss& loss, matrix_view<const T, memory_type> features, const Target& target,
                matrix_view<const S, memory_type> gradient, matrix_view<const T, memory_type> displacement,
                matrix_view<double, memory_type> remainders, matrix_view<T, memory_type> curvature,
                matrix<S, Backend>& point, matrix<S, Backend>& slope) {
    point.resize(features.rows(), features.columns());
    slope.resize(features.rows(), features.columns());
    detail::subtract(backend_, features, displacement, point.view());
    loss.evaluate(backend_, std::as_const(point).view(), target, remainders, slope.view());
    // The gradient is that of the mean: a sample's own is n times larger.
    tilt_.resize(1, features.columns());
    detail::scaled_column_products(backend_, static_cast<double>(features.columns()), displacement, gradient,
                                   tilt_.data());
    detail::become_remainders(backend_, values_.data(), tilt_.data(), remainders);
    if (!curvature.empty()) {
      detail::subtract(backend_, gradient, std::as_const(slope).view(), curvature);
    }
  }

  Backend backend_;
  matrix<double, Backend> point_;
  matrix<double, Backend> gradient_;
  matrix<double, Backend> slope_;
  matrix<double, Backend> values_;
  matrix<double, Backend> tilt_;
  matrix<T, Backend> single_point_;
  matrix<T, Backend> single_slope_;
};

}  // namespace gal

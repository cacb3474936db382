// gal/taylor/expansion.hpp: the first-order expansion of a loss in the features, and what it leaves out.
// Provides: expansion.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>

#include <type_traits>
#include <utility>

namespace gal::inline GAL_ABI {

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
      backend_.for_each(features.size(), [to = point_.data(), from = features.data()] GAL_KERNEL(
                                             index_type i) { to[i] = static_cast<double>(from[i]); });
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

  GAL_PRIVATE_KERNELS
  template <class S, class Loss, class Target>
  void subtract(Loss& loss, matrix_view<const T, memory_type> features, const Target& target,
                matrix_view<const S, memory_type> gradient, matrix_view<const T, memory_type> displacement,
                matrix_view<double, memory_type> remainders, matrix_view<T, memory_type> curvature,
                matrix<S, Backend>& point, matrix<S, Backend>& slope) {
    point.resize(features.rows(), features.columns());
    slope.resize(features.rows(), features.columns());
    backend_.for_each(features.size(), [=, to = point.data()] GAL_KERNEL(index_type i) {
      to[i] = static_cast<S>(features.data()[i]) - static_cast<S>(displacement.data()[i]);
    });
    loss.evaluate(backend_, std::as_const(point).view(), target, remainders, slope.view());
    // The gradient is that of the mean: a sample's own is n times larger.
    tilt_.resize(1, features.columns());
    const auto samples = static_cast<double>(features.columns());
    backend_.sum_rows(
        features.rows(), features.columns(),
        [=] GAL_KERNEL(index_type i, index_type j) {
          return samples * static_cast<double>(displacement(i, j)) * static_cast<double>(gradient(i, j));
        },
        tilt_.data());
    backend_.for_each(features.columns(),
                      [after = remainders.data(), before = values_.data(), tilt = tilt_.data()] GAL_KERNEL(
                          index_type j) { after[j] = (after[j] - before[j]) + tilt[j]; });
    if (!curvature.empty()) {
      backend_.for_each(features.size(),
                        [=, to = curvature.data(), after = slope.data()] GAL_KERNEL(index_type i) {
                          to[i] = static_cast<T>(gradient.data()[i] - after[i]);
                        });
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

// gal/taylor/detail/loss_differences.hpp: second derivatives of any loss along a tangent, by differences of its gradient.
// Provides: nothing public; detail::loss_differences for gal/taylor/directional_expansion.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>

#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

namespace gal::inline GAL_ABI::detail {

/// q_j = <t_j, grad l_j(x_j + h_j t_j) - grad l_j(x_j - h_j t_j)> / 2 h_j, in double where the loss can be called with doubles,
/// with h_j t_j of the length e max(1, |x_j|), e the cube root of epsilon.
template <class T, class Backend>
class loss_differences {
 public:
  using memory_type = typename Backend::memory_type;
  using view = matrix_view<const T, memory_type>;

  explicit loss_differences(const Backend& backend)
      : backend_(backend),
        ignored_(backend),
        tangent_squares_(backend),
        feature_squares_(backend),
        points_(backend),
        single_points_(backend) {}

  template <class Loss, class Target>
  void second_derivative(Loss& loss, view features, const Target& target, view tangent,
                         matrix_view<double, memory_type> values) {
    if constexpr (!std::is_same_v<T, double> && loss_for<Loss, double, Backend, Target>) {
      differentiate<double>(loss, features, target, tangent, values, points_);
    } else {
      differentiate<T>(loss, features, target, tangent, values, single_points_);
    }
  }

  GAL_PRIVATE_KERNELS
  template <class S, class Loss, class Target>
  void differentiate(Loss& loss, view features, const Target& target, view tangent,
                     matrix_view<double, memory_type> values, matrix<S, Backend>& points) {
    const index_type d = features.rows();
    const index_type n = features.columns();
    column_products(backend_, tangent, tangent, tangent_squares_);
    column_products(backend_, features, features, feature_squares_);
    backend_.for_each(
        n, [to = tangent_squares_.data(), size = feature_squares_.data(),
            relative =
                std::cbrt(static_cast<double>(std::numeric_limits<S>::epsilon()))] GAL_KERNEL(index_type j) {
          to[j] = to[j] > 0.0 ? relative * std::fmax(1.0, std::sqrt(size[j])) / std::sqrt(to[j]) : 0.0;
        });
    const double* const steps = tangent_squares_.data();

    points.resize(d, 3 * n);  // the point, and the gradients on both sides
    ignored_.resize(1, n);
    const matrix_view<S, memory_type> point = points.view().columns(0, n);
    for (int side = 0; side < 2; ++side) {
      backend_.for_each(d, n, [=, sign = side == 0 ? 1.0 : -1.0] GAL_KERNEL(index_type i, index_type j) {
        point(i, j) = static_cast<S>(static_cast<double>(features(i, j)) +
                                     sign * steps[j] * static_cast<double>(tangent(i, j)));
      });
      loss.evaluate(backend_, point.as_const(), target, ignored_.view(),
                    points.view().columns((side + 1) * n, n));
    }
    // The gradients are those of the mean: a sample's own is n times larger.
    backend_.sum_rows(
        d, n,
        [=, above = points.view().columns(n, n), below = points.view().columns(2 * n, n)] GAL_KERNEL(
            index_type i, index_type j) {
          const double change = static_cast<double>(above(i, j)) - static_cast<double>(below(i, j));
          return steps[j] == 0.0 ? 0.0
                                 : static_cast<double>(n) * static_cast<double>(tangent(i, j)) * change /
                                       (2.0 * steps[j]);
        },
        values.data());
  }

  Backend backend_;
  matrix<double, Backend> ignored_;          // losses beside the gradients
  matrix<double, Backend> tangent_squares_;  // then h_j
  matrix<double, Backend> feature_squares_;
  matrix<double, Backend> points_;
  matrix<T, Backend> single_points_;
};

}  // namespace gal::detail

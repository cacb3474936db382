// gal/taylor/detail/loss_differences.hpp: second derivatives of any loss along a tangent, by differences of its gradient.
// Provides: nothing public; detail::loss_differences for gal/taylor/directional_expansion.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/taylor/detail/feature_differences.hpp>

#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

namespace gal::inline GAL_ABI::detail {

// x_j + sign h_j t_j.
template <class T, class S, class Memory, class Backend>
void move_columns(const Backend& backend, matrix_view<const T, Memory> x,
                  matrix_view<const T, Memory> tangent, double sign, const double* steps,
                  matrix_view<S, Memory> point) {
  backend.for_each(x.rows(), x.columns(), [=] GAL_KERNEL(index_type i, index_type j) {
    point(i, j) =
        static_cast<S>(static_cast<double>(x(i, j)) + sign * steps[j] * static_cast<double>(tangent(i, j)));
  });
}

// n <t_j, above_j - below_j> / 2 h_j.
template <class T, class S, class Memory, class Backend>
void divide_gradient_differences(const Backend& backend, matrix_view<const S, Memory> above,
                                 matrix_view<const S, Memory> below, matrix_view<const T, Memory> tangent,
                                 const double* steps, double* values) {
  backend.sum_rows(
      tangent.rows(), tangent.columns(),
      [=, n = static_cast<double>(tangent.columns())] GAL_KERNEL(index_type i, index_type j) {
        const double change = static_cast<double>(above(i, j)) - static_cast<double>(below(i, j));
        return steps[j] == 0.0 ? 0.0 : n * static_cast<double>(tangent(i, j)) * change / (2.0 * steps[j]);
      },
      values);
}

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

 private:
  template <class S, class Loss, class Target>
  void differentiate(Loss& loss, view features, const Target& target, view tangent,
                     matrix_view<double, memory_type> values, matrix<S, Backend>& points) {
    const index_type d = features.rows();
    const index_type n = features.columns();
    column_products(backend_, tangent, tangent, tangent_squares_);
    column_products(backend_, features, features, feature_squares_);
    find_difference_steps(backend_, std::cbrt(static_cast<double>(std::numeric_limits<S>::epsilon())),
                          feature_squares_.data(), tangent_squares_.data(), n, tangent_squares_.data());
    const double* const steps = tangent_squares_.data();

    points.resize(d, 3 * n);  // the point, and the gradients on both sides
    ignored_.resize(1, n);
    const matrix_view<S, memory_type> point = points.view().columns(0, n);
    for (int side = 0; side < 2; ++side) {
      move_columns(backend_, features, tangent, side == 0 ? 1.0 : -1.0, steps, point);
      loss.evaluate(backend_, point.as_const(), target, ignored_.view(),
                    points.view().columns((side + 1) * n, n));
    }
    // The gradients are those of the mean: a sample's own is n times larger.
    divide_gradient_differences(backend_, points.view().columns(n, n).as_const(),
                                points.view().columns(2 * n, n).as_const(), tangent, steps, values.data());
  }

  Backend backend_;
  matrix<double, Backend> ignored_;          // losses beside the gradients
  matrix<double, Backend> tangent_squares_;  // then h_j
  matrix<double, Backend> feature_squares_;
  matrix<double, Backend> points_;
  matrix<T, Backend> single_points_;
};

}  // namespace gal::detail

// gal/taylor/parameter_remainder.hpp: the curvature of a batch's loss along a step, from one more forward pass.
// Provides: parameter_remainder. Includes gal/taylor/directional_expansion.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/core/direction.hpp>
#include <gal/core/error.hpp>
#include <gal/taylor/detail/displaced_parameters.hpp>
#include <gal/taylor/directional_expansion.hpp>
#include <gal/taylor/expansion.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace gal::inline GAL_ABI {

namespace detail {

// X - X(theta - u); zero where both are the same infinity, as the logits of a class that is masked out.
template <class T, class Memory, class Backend>
void find_displacement(const Backend& backend, matrix_view<const T, Memory> before,
                       matrix_view<const T, Memory> after, matrix_view<T, Memory> displacement) {
  backend.for_each(before.size(),
                   [from = before.data(), at = after.data(), to = displacement.data()] GAL_KERNEL(
                       index_type i) { to[i] = from[i] == at[i] ? T(0) : from[i] - at[i]; });
}

// <g, u> of a block.
template <class T, class Backend>
void multiply_block(const Backend& backend, std::span<const T> gradient, std::span<const T> u,
                    double* product) {
  backend.sum(
      static_cast<index_type>(u.size()),
      [g = gradient.data(), along = u.data()] GAL_KERNEL(index_type i) {
        return static_cast<double>(g[i]) * static_cast<double>(along[i]);
      },
      product);
}

// <g, u> and 2 R, from the mean remainder in the features and <G, D>.
template <class Backend>
void add_remainder(const Backend& backend, const double* slope, const double* remainder, const double* tilt,
                   directional_derivatives* numbers) {
  backend.for_each(1, [=] GAL_KERNEL(index_type) {
    numbers->first = *slope;
    numbers->second = 2.0 * (*remainder + (*slope - *tilt));
  });
}

}  // namespace detail

/// The remainder of the first order of a batch's mean loss in the parameters, at theta - u,
///
///     R = L(theta - u) - L(theta) + <g, u> = u^T H u / 2 + O(u^3),
///
/// with D = X(theta) - X(theta - u) as what the first order leaves out of the loss in the features, and of the features in
/// the parameters:
///
///     R = 1/n sum_j R_j(D) + (<g, u> - <G, D>)
///
/// The samples' R_j are those of `expansion`: where the loss has closed forms no losses are subtracted, and the
/// bracket, of the second order of the features, is all that rounds. For every model that draws no noise and every loss.
///
///     gal::parameter_remainder along(model);
///     along.expand_at(gal::mse(), x, features, y, gradient, u);
///     along.derivatives().second;      // 2 R
///
/// The model is referred to and must outlive this. After the first call for the largest batch nothing is allocated.
template <class Model>
  requires(!detail::expands_a_model<Model>) && detail::checked_model<Model>
class parameter_remainder {
 public:
  using model_type = Model;
  using value_type = model_scalar<Model>;
  using backend_type = backend_of<Model>;
  using memory_type = typename backend_type::memory_type;
  using input_type = typename Model::input_type;
  using view = matrix_view<const value_type, memory_type>;
  using direction_type = parameter_direction<value_type>;

  /// Works on the model's own backend, or on the one that is given.
  explicit parameter_remainder(Model& model)
      : parameter_remainder(model, detail::backend_from<backend_type>(model)) {}
  parameter_remainder(Model& model, backend_type backend)
      : model_(&model),
        backend_(backend),
        parameters_(backend),
        expansion_(backend),
        features_(backend),
        displacement_(backend),
        remainders_(backend),
        products_(backend),
        sums_(backend),
        whole_(1, 1, 1.0, backend),
        numbers_(backend) {}

  /// Throws where the model draws noise: its second forward pass would not be the first.
  void require_no_noise() const {
    detail::require(!detail::draws_noise(*model_), error_code::invalid_option,
                    "gal::parameter_remainder: the model draws noise in every forward pass; expected none");
  }

  /// Along the step u, from theta to theta - u: one forward pass there, after which the parameters are as they were, bit for
  /// bit, and what the model remembers is of theta - u. `features` (`d x n`) are those of its last `forward`, of `input`, and
  /// `gradient` is G of the mean loss, whose `backward` gave the parameters their gradients g. Throws where shapes do not fit.
  template <class Loss, class Target>
  void expand_at(Loss&& loss, const input_type& input, view features, const Target& target, view gradient,
                 direction_type u) {
    require_no_noise();
    detail::require(!features.empty() && features.shape() == gradient.shape(), error_code::shape_mismatch,
                    "gal::parameter_remainder: the features are ", features.shape(), ", their gradient ",
                    gradient.shape(), "; expected one size, with at least one row and sample");
    parameters_.keep(*model_, u, "gal::parameter_remainder");
    multiply(u);
    features_.assign(features);
    displacement_.resize(features.rows(), features.columns());
    {
      const typename detail::displaced_parameters<value_type, backend_type>::guard put_back(parameters_);
      parameters_.move(u, -1.0, whole_.data());
      const view after(model_->forward(input));
      detail::require(after.shape() == features_.shape(), error_code::shape_mismatch,
                      "gal::parameter_remainder: the features are ", features_.shape(), ", then ",
                      after.shape(), "; expected one size");
      detail::find_displacement(backend_, std::as_const(features_).view(), after, displacement_.view());
    }
    remainders_.resize(1, features_.columns());
    const view d = std::as_const(displacement_).view();
    expansion_.remainder(loss, std::as_const(features_).view(), target, gradient, d, remainders_.view(), {});
    detail::mean_of(backend_, remainders_.data(), remainders_.size(), sum(mean_remainder));
    detail::inner_product(backend_, gradient, d, sum(tilt));
    numbers_.resize(1, 1);
    numbers_.fill({});
    detail::add_remainder(backend_, sum(slope), sum(mean_remainder), sum(tilt), numbers_.data());
  }

  /// Of the last expansion: <g, u> as `first`, 2 R as `second`, no `gauss_newton`. Waits for them where the backend is
  /// asynchronous; `numbers` is where they then are, in the backend's memory. NaN before the first.
  [[nodiscard]] directional_derivatives derivatives() const {
    return numbers_.size() == 0 ? directional_derivatives() : backend_.read(numbers_.data());
  }
  [[nodiscard]] const directional_derivatives* numbers() const { return numbers_.data(); }

 private:
  enum sum_name : index_type { slope, mean_remainder, tilt, sum_count };
  [[nodiscard]] double* sum(sum_name name) { return sums_.data() + name; }

  // <g, u>, block by block, then of all of them.
  void multiply(direction_type u) {
    const auto blocks = parameters_.blocks();
    products_.resize(1, static_cast<index_type>(blocks.size()));
    sums_.resize(1, sum_count);
    for (std::size_t k = 0; k < blocks.size(); ++k) {
      detail::multiply_block(backend_, std::span<const value_type>(blocks[k].gradient), u[k],
                             products_.data() + k);
    }
    detail::sum_of(backend_, products_.data(), products_.size(), sum(slope));
  }

  Model* model_;
  backend_type backend_;
  detail::displaced_parameters<value_type, backend_type> parameters_;
  expansion<value_type, backend_type> expansion_;
  matrix<value_type, backend_type> features_;      // X
  matrix<value_type, backend_type> displacement_;  // D
  matrix<double, backend_type> remainders_;
  matrix<double, backend_type> products_;  // <g, u> of the blocks
  matrix<double, backend_type> sums_;
  matrix<double, backend_type> whole_;  // 1: of u
  matrix<directional_derivatives, backend_type> numbers_;
};

}  // namespace gal

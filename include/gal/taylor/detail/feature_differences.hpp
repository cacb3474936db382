// gal/taylor/detail/feature_differences.hpp: derivatives of any model's features along a direction, by central differences.
// Provides: nothing public; detail::feature_differences for gal/taylor/directional_expansion.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/core/direction.hpp>
#include <gal/core/error.hpp>
#include <gal/taylor/detail/displaced_parameters.hpp>

#include <cmath>
#include <limits>

namespace gal::inline GAL_ABI::detail {

// h_j of the length `relative` max(1, size_j) along a direction, both given by their squares; zero along one of length zero.
template <class Backend>
void find_difference_steps(const Backend& backend, double relative, const double* size_squares,
                           const double* direction_squares, index_type count, double* steps) {
  backend.for_each(count, [=] GAL_KERNEL(index_type j) {
    steps[j] = direction_squares[j] > 0.0
                   ? relative * std::fmax(1.0, std::sqrt(size_squares[j])) / std::sqrt(direction_squares[j])
                   : 0.0;
  });
}

// X' in place of X(theta - h u), and X''.
template <class T, class Memory, class Backend>
void divide_differences(const Backend& backend, matrix_view<const T, Memory> x, const T* above,
                        const double* step, T* below, T* second) {
  backend.for_each(x.size(), [=, at = x.data(), distance = deferred(backend, step)] GAL_KERNEL(index_type i) {
    const auto up = static_cast<double>(above[i]);
    const auto down = static_cast<double>(below[i]);
    const auto here = static_cast<double>(at[i]);
    const double h = distance();
    below[i] = static_cast<T>(h == 0.0 ? 0.0 : (up - down) / (2.0 * h));
    second[i] = static_cast<T>(h == 0.0 ? 0.0 : ((up - here) - (here - down)) / (h * h));
  });
}

/// X' = (X(theta + h u) - X(theta - h u)) / 2h and X'' = (X(theta + h u) - 2 X + X(theta - h u)) / h^2, with h u of the length
/// e max(1, |theta|): e is the fourth root of the scalar's epsilon where X'' is wanted, else the cube root. Three forward passes,
/// the last of which leaves the model as it was.
template <class Model>
class feature_differences {
 public:
  using T = model_scalar<Model>;
  using backend_type = backend_of<Model>;
  using memory_type = typename backend_type::memory_type;
  using input_type = typename Model::input_type;
  using view = matrix_view<const T, memory_type>;

  explicit feature_differences(const backend_type& backend)
      : backend_(backend),
        parameters_(backend),
        sums_(backend),
        steps_(backend),
        above_(backend),
        first_(backend),
        second_(backend) {}

  /// The features, in the memory that the last forward pass gave them.
  view run(Model& model, const input_type& input, parameter_direction<T> direction, bool wants_second) {
    require(!draws_noise(model), error_code::invalid_option,
            "gal::directional_expansion: the model draws noise in every forward pass and has no "
            "forward_tangent; expected one of the two not to be so");
    parameters_.keep(model, direction, "gal::directional_expansion");
    find_step(direction, wants_second);
    {
      const typename displaced_parameters<T, backend_type>::guard put_back(parameters_);
      parameters_.move(direction, 1.0, steps_.data());
      above_.assign(view(model.forward(input)));
      parameters_.move(direction, -1.0, steps_.data());
      first_.assign(view(model.forward(input)));
    }
    const view x(model.forward(input));
    require(x.shape() == first_.shape() && x.shape() == above_.shape(), error_code::shape_mismatch,
            "gal::directional_expansion: the features are ", above_.shape(), ", then ", first_.shape(),
            ", then ", x.shape(), "; expected one size");
    second_.resize(x.rows(), x.columns());
    divide(x);
    return x;
  }

  [[nodiscard]] view first() const { return first_.view(); }
  [[nodiscard]] view second() const { return second_.view(); }

 private:
  // h, in the backend's memory; zero along a direction of length zero.
  void find_step(parameter_direction<T> direction, bool wants_second) {
    const auto blocks = static_cast<index_type>(direction.size());
    sums_.resize(blocks + 1, 2);
    sum_of_squares(backend_, parameters_.before().data(), parameters_.before().size(), sums_.data() + blocks);
    for (index_type k = 0; k < blocks; ++k) {
      const auto block = direction[static_cast<std::size_t>(k)];
      sum_of_squares(backend_, block.data(), static_cast<index_type>(block.size()), sums_.data() + k);
    }
    double* const total = sums_.data() + sums_.rows();
    sum_of(backend_, sums_.data(), blocks, total);
    steps_.resize(1, 1);
    const double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());
    const double relative = wants_second ? std::sqrt(std::sqrt(epsilon)) : std::cbrt(epsilon);
    find_difference_steps(backend_, relative, sums_.data() + blocks, total, 1, steps_.data());
  }

  void divide(view x) {
    divide_differences(backend_, x, above_.data(), steps_.data(), first_.data(), second_.data());
  }

  backend_type backend_;
  displaced_parameters<T, backend_type> parameters_;
  matrix<double, backend_type> sums_;   // squares of the direction's blocks, and of the parameters
  matrix<double, backend_type> steps_;  // h
  matrix<T, backend_type> above_;
  matrix<T, backend_type> first_;  // X(theta - h u), then X'
  matrix<T, backend_type> second_;
};

}  // namespace gal::detail

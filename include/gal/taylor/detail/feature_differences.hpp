// gal/taylor/detail/feature_differences.hpp: derivatives of any model's features along a direction, by central differences.
// Provides: nothing public; detail::feature_differences for gal/taylor/directional_expansion.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/core/direction.hpp>
#include <gal/core/error.hpp>

#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

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

// to = from + sign h u.
template <class T, class Backend>
void move_along(const Backend& backend, std::span<const T> direction, const T* from, double sign,
                const double* step, T* to) {
  backend.for_each(
      static_cast<index_type>(direction.size()),
      [=, h = deferred(backend, step), along = direction.data()] GAL_KERNEL(index_type i) {
        to[i] = static_cast<T>(static_cast<double>(from[i]) + sign * h() * static_cast<double>(along[i]));
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
        before_(backend),
        sums_(backend),
        steps_(backend),
        above_(backend),
        first_(backend),
        second_(backend) {}

  /// The features, in the memory that the last forward pass gave them.
  view run(Model& model, const input_type& input, parameter_direction<T> direction, bool wants_second) {
    if constexpr (requires { model.draws_noise(); }) {
      require(!model.draws_noise(), error_code::invalid_option,
              "gal::directional_expansion: the model draws noise in every forward pass and has no "
              "forward_tangent; expected one of the two not to be so");
    }
    collect(model);
    require_direction(direction, std::span<const parameter<T, memory_type>>(parameters_),
                      "gal::directional_expansion");
    find_step(direction, wants_second);

    const restored put_back(*this);
    move(direction, 1);
    above_.assign(view(model.forward(input)));
    move(direction, -1);
    first_.assign(view(model.forward(input)));
    put_back.now();
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
  // The parameters as they were, also where the model throws.
  class restored {
   public:
    explicit restored(feature_differences& owner) : owner_(owner) {}
    restored(const restored&) = delete;
    restored& operator=(const restored&) = delete;
    ~restored() { now(); }
    void now() const {
      const T* from = owner_.before_.data();
      for (const auto& block : owner_.parameters_) {
        const auto size = static_cast<index_type>(block.value.size());
        owner_.backend_.copy(from, block.value.data(), size);
        from += size;
      }
    }

   private:
    feature_differences& owner_;
  };

  void collect(Model& model) {
    parameters_.clear();
    index_type total = 0;
    for (auto&& block : model.parameters()) {
      parameters_.push_back(parameter<T, memory_type>(block));
      total += static_cast<index_type>(parameters_.back().value.size());
    }
    before_.resize(total, 1);
    T* to = before_.data();
    for (const auto& block : parameters_) {
      const auto size = static_cast<index_type>(block.value.size());
      backend_.copy(block.value.data(), to, size);
      to += size;
    }
  }

  // h, in the backend's memory; zero along a direction of length zero.
  void find_step(parameter_direction<T> direction, bool wants_second) {
    const auto blocks = static_cast<index_type>(direction.size());
    sums_.resize(blocks + 1, 2);
    sum_of_squares(backend_, before_.data(), before_.size(), sums_.data() + blocks);
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

  void move(parameter_direction<T> direction, int sign) {
    const T* from = before_.data();
    for (std::size_t k = 0; k < parameters_.size(); ++k) {
      move_along(backend_, direction[k], from, static_cast<double>(sign), steps_.data(),
                 parameters_[k].value.data());
      from += direction[k].size();
    }
  }

  void divide(view x) {
    divide_differences(backend_, x, above_.data(), steps_.data(), first_.data(), second_.data());
  }

  backend_type backend_;
  std::vector<parameter<T, memory_type>> parameters_;
  matrix<T, backend_type> before_;
  matrix<double, backend_type> sums_;   // squares of the direction's blocks, and of the parameters
  matrix<double, backend_type> steps_;  // h
  matrix<T, backend_type> above_;
  matrix<T, backend_type> first_;  // X(theta - h u), then X'
  matrix<T, backend_type> second_;
};

}  // namespace gal::detail

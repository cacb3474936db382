// gal/nn/point.hpp: the simplest model: its features are its parameters.
// Provides: nn::point.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/direction.hpp>
#include <gal/core/error.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <utility>

namespace gal::inline GAL_ABI::nn {

/// The model whose features are its parameters: a point in d dimensions, or n points side by side. With a function of
/// the features as the loss, training minimises that function.
///
///     gal::nn::point<double> point({0.75, 1.0});
template <class T, class Backend = eigen_backend>
class point {
 public:
  using value_type = T;
  using backend_type = Backend;
  using memory_type = typename Backend::memory_type;
  using input_type = nothing;
  using feature_type = matrix<T, Backend>;

  /// One point, from its coordinates in host memory.
  point(std::initializer_list<T> coordinates)
    requires std::same_as<memory_type, host_memory>
      : point(matrix_view<const T, memory_type>(coordinates.begin(),
                                                static_cast<index_type>(coordinates.size()), 1)) {}

  /// One point per column.
  explicit point(matrix_view<const T, memory_type> coordinates, Backend backend = {})
      : backend_(backend),
        value_(coordinates, backend),
        gradient_(coordinates.rows(), coordinates.columns(), T(0), backend),
        zero_(backend) {
    gal::detail::require(!coordinates.empty(), error_code::shape_mismatch, "gal::nn::point: coordinates are ",
                         coordinates.shape(), "; expected at least one row and column");
  }

  [[nodiscard]] matrix_view<T, memory_type> coordinates() { return value_.view(); }
  [[nodiscard]] matrix_view<const T, memory_type> coordinates() const { return value_.view(); }
  [[nodiscard]] const Backend& backend() const { return backend_; }

  const feature_type& forward(const nothing& = {}) { return value_; }

  void backward(matrix_view<const T, memory_type> gradient) {
    gal::detail::require(gradient.shape() == value_.shape(), error_code::shape_mismatch,
                         "gal::nn::point::backward: gradient is ", gradient.shape(), "; expected ",
                         value_.shape());
    backend_.for_each(gradient.size(), [from = gradient.data(), to = gradient_.data()] GAL_KERNEL(
                                           index_type i) { to[i] += from[i]; });
  }

  /// X', the direction itself.
  matrix_view<const T, memory_type> forward_tangent(parameter_direction<T> direction) {
    gal::detail::require_direction(direction, parameters(), "gal::nn::point::forward_tangent");
    return {direction[0].data(), value_.rows(), value_.columns()};
  }
  /// And <G, X''> = 0.
  matrix_view<const T, memory_type> forward_tangent(parameter_direction<T> direction, double* product) {
    backend_.fill(product, 1, 0.0);
    return forward_tangent(direction);
  }
  /// X' and X'' = 0.
  std::pair<matrix_view<const T, memory_type>, matrix_view<const T, memory_type>> forward_second_order(
      parameter_direction<T> direction) {
    if (zero_.shape() != value_.shape()) {
      zero_.resize(value_.rows(), value_.columns());
      zero_.fill(T(0));
    }
    return {forward_tangent(direction), std::as_const(zero_).view()};
  }
  /// There is nothing to keep.
  void keep_adjoints(bool) {}

  std::span<const parameter<T, memory_type>> parameters() {
    const auto size = static_cast<std::size_t>(value_.size());
    block_ = {std::span<T>(value_.data(), size), std::span<T>(gradient_.data(), size)};
    return {&block_, 1};
  }

  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit("coordinates", value_);
  }

 private:
  Backend backend_;
  feature_type value_;
  feature_type gradient_;
  feature_type zero_;  // X'', from the first time that it is asked for
  parameter<T, memory_type> block_;
};

}  // namespace gal::nn

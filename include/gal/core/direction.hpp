// gal/core/direction.hpp: directions in the space of a model's parameters.
// Provides: parameter_direction, parameter_vector.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/error.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// A direction in the space of a model's parameters: a block of constant numbers for each of `parameters()`, of its size,
/// in its order and memory.
template <class T>
using parameter_direction = std::span<const std::span<const T>>;

namespace detail {

// Throws unless there is a block of its size for each of the parameters.
template <class T, class Memory>
void require_direction(parameter_direction<T> direction, std::span<const parameter<T, Memory>> parameters,
                       std::string_view where) {
  require(direction.size() == parameters.size(), error_code::shape_mismatch, where, ": the direction has ",
          direction.size(), " blocks; expected ", parameters.size(), ", one for each of parameters()");
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    require(direction[k].size() == parameters[k].value.size(), error_code::shape_mismatch, where, ": block ",
            k, " of the direction has ", direction[k].size(), " numbers; expected ",
            parameters[k].value.size(), ", the size of the parameters' block");
  }
}

}  // namespace detail

/// A direction that owns its numbers, in one flat buffer, block after block.
///
///     gal::parameter_vector<float> u;
///     u.assign_gradients(model.parameters());     // the direction of steepest ascent
///     model.forward_tangent(u.blocks());
template <class T, class Backend = eigen_backend>
class parameter_vector {
 public:
  using memory_type = typename Backend::memory_type;
  using parameters_type = std::span<const parameter<T, memory_type>>;

  explicit parameter_vector(Backend backend = {}) : backend_(backend), values_(backend) {}
  parameter_vector(const parameter_vector& other) : backend_(other.backend_), values_(other.values_) {
    divide_like(other);
  }
  parameter_vector& operator=(const parameter_vector& other) {
    backend_ = other.backend_;
    values_ = other.values_;
    divide_like(other);
    return *this;
  }
  parameter_vector(parameter_vector&&) noexcept = default;
  parameter_vector& operator=(parameter_vector&&) noexcept = default;
  ~parameter_vector() = default;

  /// Takes the sizes of these parameters; the numbers are unspecified afterwards. Memory is kept where it suffices.
  void resize(parameters_type parameters) {
    index_type total = 0;
    for (const auto& block : parameters) {
      total += static_cast<index_type>(block.value.size());
    }
    values_.resize(total, 1);
    blocks_.resize(parameters.size());
    const T* at = values_.data();
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      blocks_[k] = std::span<const T>(at, parameters[k].value.size());
      at += parameters[k].value.size();
    }
  }

  /// Takes the sizes and the values of these parameters, or their gradients.
  void assign_values(parameters_type parameters) {
    assign(parameters, [](const auto& block) { return block.value; });
  }
  void assign_gradients(parameters_type parameters) {
    assign(parameters, [](const auto& block) { return block.gradient; });
  }

  /// Copies the numbers back, to the values of parameters of these sizes, or to their gradients.
  void copy_to_values(parameters_type parameters) const {
    copy_to(parameters, [](const auto& block) { return block.value; });
  }
  void copy_to_gradients(parameters_type parameters) const {
    copy_to(parameters, [](const auto& block) { return block.gradient; });
  }

  [[nodiscard]] parameter_direction<T> blocks() const { return blocks_; }
  [[nodiscard]] T* data() { return values_.data(); }
  [[nodiscard]] const T* data() const { return values_.data(); }
  [[nodiscard]] index_type size() const { return values_.size(); }

 private:
  template <class Part>
  void assign(parameters_type parameters, Part part) {
    resize(parameters);
    T* to = values_.data();
    for (const auto& block : parameters) {
      const std::span<const T> from = part(block);
      detail::require(from.size() == block.value.size(), error_code::shape_mismatch,
                      "gal::parameter_vector: a parameter of ", block.value.size(),
                      " numbers has a gradient of ", from.size());
      backend_.copy(from.data(), to, static_cast<index_type>(from.size()));
      to += from.size();
    }
  }

  template <class Part>
  void copy_to(parameters_type parameters, Part part) const {
    detail::require_direction(blocks(), parameters, "gal::parameter_vector");
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      backend_.copy(blocks_[k].data(), part(parameters[k]).data(),
                    static_cast<index_type>(blocks_[k].size()));
    }
  }

  void divide_like(const parameter_vector& other) {
    blocks_.clear();
    for (const std::span<const T> block : other.blocks_) {
      blocks_.emplace_back(values_.data() + (block.data() - other.values_.data()), block.size());
    }
  }

  Backend backend_;
  matrix<T, Backend> values_;
  std::vector<std::span<const T>> blocks_;
};

}  // namespace gal

// gal/taylor/detail/displaced_parameters.hpp: parameters that are moved along a direction for a pass, and put back.
// Provides: nothing public; detail::displaced_parameters for the expansions along a direction.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/direction.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace gal::inline GAL_ABI::detail {

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

/// A model's parameters, and their values at the last `keep`.
template <class T, class Backend>
class displaced_parameters {
 public:
  using memory_type = typename Backend::memory_type;

  explicit displaced_parameters(const Backend& backend) : backend_(backend), before_(backend) {}

  /// Keeps the values of the model's parameters. Throws unless the direction fits them; `where` is who says so.
  template <class Model>
  void keep(Model& model, parameter_direction<T> direction, std::string_view where) {
    blocks_.clear();
    for (auto&& block : model.parameters()) {
      blocks_.push_back(parameter<T, memory_type>(block));
    }
    require_direction(direction, blocks(), where);
    before_.assign_values(blocks());
  }

  /// The parameters, and the values that are kept, block after block.
  [[nodiscard]] std::span<const parameter<T, memory_type>> blocks() const { return blocks_; }
  [[nodiscard]] const parameter_vector<T, Backend>& before() const { return before_; }

  /// The parameters at before + sign h u, h in the backend's memory.
  void move(parameter_direction<T> direction, double sign, const double* step) const {
    for (std::size_t k = 0; k < blocks_.size(); ++k) {
      move_along(backend_, direction[k], before_.blocks()[k].data(), sign, step, blocks_[k].value.data());
    }
  }

  /// The parameters as they were, bit for bit.
  void put_back() const { before_.copy_to_values(blocks()); }

  /// Puts the parameters back where it ends, also where the model throws.
  class guard {
   public:
    explicit guard(const displaced_parameters& owner) : owner_(owner) {}
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;
    ~guard() { owner_.put_back(); }

   private:
    const displaced_parameters& owner_;
  };

 private:
  Backend backend_;
  std::vector<parameter<T, memory_type>> blocks_;
  parameter_vector<T, Backend> before_;
};

}  // namespace gal::detail

// gal/adapters/detail/torch_random.hpp: draws that leave torch's generators as they were: these are the program's, not ours.
// Provides nothing to call by name. Included by gal/adapters/detail/torch_loss.hpp.
#pragma once

#include <gal/core/detail/flags.hpp>

#include <torch/torch.h>

#include <cstdint>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::detail {

/// A generator of our own for tensors on `device`.
[[nodiscard]] inline at::Generator own_generator(torch::Device device, std::uint64_t seed) {
  at::Generator shared = at::globalContext().defaultGenerator(device);
  at::Generator own = [&] {
    const std::lock_guard<std::mutex> lock(shared.mutex());
    return shared.clone();
  }();
  own.set_current_seed(seed);
  return own;
}

/// The state of the generators that code for `device` draws from unless told otherwise: the processor's and, for CUDA, the
/// device's. The host holds them: nothing is waited for.
class default_generators {
 public:
  explicit default_generators(torch::Device device) {
    add(torch::kCPU);
    if (device.is_cuda()) {
      add(device);
    }
  }

  /// All as it was when this was made.
  void restore() const {
    for (const auto& [generator, state] : states_) {
      at::Generator shared = generator;
      const std::lock_guard<std::mutex> lock(shared.mutex());
      shared.set_state(state);
    }
  }

  void set_seed(std::uint64_t seed) const {
    for (const auto& [generator, state] : states_) {
      at::Generator shared = generator;
      const std::lock_guard<std::mutex> lock(shared.mutex());
      shared.set_current_seed(seed);
    }
  }

  friend bool operator==(const default_generators& a, const default_generators& b) {
    bool same = a.states_.size() == b.states_.size();
    for (std::size_t i = 0; same && i < a.states_.size(); ++i) {
      const torch::Tensor& x = a.states_[i].second;
      const torch::Tensor& y = b.states_[i].second;
      same = x.nbytes() == y.nbytes() && std::memcmp(x.data_ptr(), y.data_ptr(), x.nbytes()) == 0;
    }
    return same;
  }

 private:
  void add(torch::Device device) {
    at::Generator generator = at::globalContext().defaultGenerator(device);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    states_.emplace_back(generator, generator.get_state());
  }

  std::vector<std::pair<at::Generator, torch::Tensor>> states_;
};

/// Lends the default generators: whatever is drawn or set in its life is taken back at the end.
class borrowed_generators {
 public:
  explicit borrowed_generators(torch::Device device) : before_(device) {}
  borrowed_generators(const borrowed_generators&) = delete;
  borrowed_generators& operator=(const borrowed_generators&) = delete;
  ~borrowed_generators() { before_.restore(); }

  void set_seed(std::uint64_t seed) const { before_.set_seed(seed); }

 private:
  default_generators before_;
};

}  // namespace gal::detail

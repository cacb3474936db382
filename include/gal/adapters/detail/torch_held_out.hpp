// gal/adapters/detail/torch_held_out.hpp: held-out samples of a libtorch model.
// Provides nothing to call by name. Included by gal/adapters/torch_*.hpp.
#pragma once

#include <gal/adapters/detail/torch_module.hpp>
#include <gal/adapters/detail/torch_random.hpp>
#include <gal/fit/evaluation_mode.hpp>

#include <torch/torch.h>

#include <type_traits>

namespace gal::inline GAL_ABI::detail {

/// Held-out samples, and what they are to be. A tensor is the one that was given, not a copy.
template <class HeldOut, class HeldOutTarget>
struct torch_held_out {
  HeldOut samples;
  HeldOutTarget target;

  /// Throws where they do not fit model and loss. A module is evaluated, so that no statistics move; torch's generators are left
  /// alone.
  template <class Trainer>
  void check(Trainer& trainer, torch::Device device) const {
    using model_type = std::remove_reference_t<decltype(trainer.model())>;
    if constexpr (torch_model<model_type>) {
      const borrowed_generators borrowed(device);
      const evaluation_mode<model_type> evaluating(trainer.model());
      static_cast<void>(trainer.evaluate(samples, target));
    }
  }
};

}  // namespace gal::detail

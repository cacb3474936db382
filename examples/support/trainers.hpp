// support/trainers.hpp: an optimizer alone, or with adjusted gradients.
// Provides: maybe_adjusted, with_seed, with_trainer.
#pragma once

#include <gal/train/adjust.hpp>
#include <gal/train/plain.hpp>

#include <cstdint>
#include <optional>

namespace support {

/// How gradients are adjusted; none: not at all.
using maybe_adjusted = std::optional<gal::adjust_options>;

/// The same with an adjuster of that seed.
[[nodiscard]] inline maybe_adjusted with_seed(maybe_adjusted options, std::uint64_t seed) {
  if (options) {
    options->adjuster.seed = seed;
  }
  return options;
}

/// What `f` makes of `gal::adjust` with these options or, where there are none, of `gal::plain`.
template <class Model, class Optimizer, class Loss, class F>
auto with_trainer(Model& model, Optimizer& optimizer, const Loss& loss, const maybe_adjusted& options, F f) {
  if (options) {
    gal::adjust trainer(model, optimizer, loss, *options);
    return f(trainer);
  }
  gal::plain trainer(model, optimizer, loss);
  return f(trainer);
}

}  // namespace support

// support/walks.hpp: walks down a surface with five optimizers, plain and with adjusted gradients.
// Provides: optimizer_entry, optimizers, any_optimizer, make_optimizer, walk_options, position, walk_result, walk_down,
// missed.
#pragma once

#include "support/surfaces.hpp"
#include "support/trainers.hpp"

#include <gal/gal.hpp>

#include <array>
#include <concepts>
#include <string_view>
#include <variant>
#include <vector>

namespace support {

/// An optimizer that walks, and the paper's settings of it.
struct optimizer_entry {
  std::string_view name;
  std::string_view title;
  double paper_epsilon;  ///< on all surfaces
  double paper_tau;      ///< on the paper's surface; elsewhere that of the table of settings
};

inline constexpr optimizer_entry optimizers[] = {
    {"gd", "gradient descent", 0.2, 1.0}, {"lookahead", "Lookahead", 0.1, 1.0},
    {"rmsprop", "RMSProp", 0.3, 1.0},     {"adam", "Adam", 0.4, 0.1},
    {"adabound", "AdaBound", 0.5, 1.0},
};

using any_optimizer = std::variant<gal::sgd<double>, gal::lookahead<gal::sgd<double>>, gal::rmsprop<double>,
                                   gal::adam<double>, gal::adabound<double>>;

/// Any of them, as it starts.
inline any_optimizer make_optimizer(const walk_settings& walk) {
  const double rate = walk.learning_rate;
  if (walk.optimizer == "gd") {
    return gal::sgd<double>({.learning_rate = rate});
  }
  if (walk.optimizer == "lookahead") {
    return gal::lookahead(gal::sgd<double>({.learning_rate = rate}), {.k = 5, .alpha = 0.5});
  }
  if (walk.optimizer == "rmsprop") {
    return gal::rmsprop<double>({.learning_rate = rate, .epsilon = 0.1});
  }
  if (walk.optimizer == "adam") {
    return gal::adam<double>({.learning_rate = rate, .beta1 = 0.8, .beta2 = 0.999, .epsilon = 0.1});
  }
  return gal::adabound<double>(
      {.learning_rate = rate, .final_learning_rate = walk.final_learning_rate, .gamma = 0.5});
}

/// Preset paper: the paper's options and settings, normalised per batch; recommended: the library's own, with 5 steps of
/// the adjuster at learning rate 3e-3 in each of the walk's, since it has only the walk to learn.
inline gal::adjust_options walk_options(std::string_view preset, const optimizer_entry& entry,
                                        const walk_settings& walk) {
  if (preset == "paper") {
    gal::adjust_options options = gal::paper();
    options.normalisation = gal::normalisation::per_batch;
    options.epsilon = entry.paper_epsilon;
    options.tau = walk.surface == "paper" ? entry.paper_tau : walk.tau;
    return options;
  }
  gal::adjust_options options = gal::recommended();
  options.tau = walk.tau;
  options.adjuster_learning_rate = 3e-3;
  options.adjuster_steps = 5;
  return options;
}

/// A point on the surface.
struct position {
  double x, y, z;
};

/// What became of a walk.
struct walk_result {
  std::vector<position> path;  ///< every point visited, start and end included
  double mean = 0.0;           ///< height over the path
  double accepted_share = 0.0;
  int refused = 0;  ///< steps not taken, since a number was not finite

  [[nodiscard]] double final_height() const { return path.back().z; }
};

/// Walks down from the surface's start; without options by the optimizer alone.
inline walk_result walk_down(const surface& ground, any_optimizer any, const maybe_adjusted& options,
                             int steps) {
  return std::visit(
      [&](auto& optimizer) {
        gal::nn::point<double> walker({ground.start[0], ground.start[1]});
        const auto place = walker.coordinates();
        walk_result result;
        double sum = 0.0;
        int accepted = 0;
        with_trainer(walker, optimizer, gal::sample_loss(ground.value), options, [&](auto& trainer) {
          for (int step = 0; step < steps; ++step) {
            const double x = place(0, 0);
            const double y = place(1, 0);
            const auto report = trainer.step();
            result.path.push_back({x, y, report.loss});
            sum += report.loss;
            result.refused += report.non_finite ? 1 : 0;
            if constexpr (std::same_as<decltype(report), const gal::adjust_report>) {
              accepted += report.accepted ? 1 : 0;
            }
          }
        });
        std::array<double, 2> unused{};
        result.path.push_back({place(0, 0), place(1, 0), ground.value(place.column(0), unused)});
        result.mean = (sum + result.final_height()) / static_cast<double>(steps + 1);
        result.accepted_share = static_cast<double>(accepted) / steps;
        return result;
      },
      any);
}

/// Whether the walk ended above the surface's goal: on the paper's, in the wrong basin.
inline bool missed(const surface& ground, const walk_result& walk) {
  return !(walk.final_height() <= ground.goal);
}

}  // namespace support

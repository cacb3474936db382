// study/methods.hpp: what is compared.
// Provides: method, methods_of, narrow_options, candidates.
#pragma once

#include "support/comparison.hpp"

#include <gal/options.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace study {

struct method {
  std::string name;   ///< in files
  std::string title;  ///< for people
  gal::adjust_options options;
};

/// Vanilla, then `recommended` and `paper` with the controls of recommended: the same adjustment by an adjuster that does
/// not learn, by noise, and by an adjuster without hidden layers.
[[nodiscard]] inline std::vector<method> methods_of(gal::adjust_options recommended,
                                                    gal::adjust_options paper) {
  std::vector<method> result = {{"vanilla", "vanilla", support::vanilla_options(recommended)},
                                {"recommended", "recommended", recommended},
                                {"paper", "paper", std::move(paper)}};
  const auto control = [&](std::string name, std::string title, gal::adjuster_kind kind) {
    result.push_back({std::move(name), std::move(title), recommended});
    result.back().options.adjuster.kind = kind;
  };
  control("untrained", "untrained adjuster", gal::adjuster_kind::untrained);
  control("uniform", "uniform noise", gal::adjuster_kind::uniform);
  control("normal", "normal noise", gal::adjuster_kind::normal);
  control("linear", "linear adjuster", gal::adjuster_kind::learned);
  result.back().options.hidden = {};
  return result;
}

/// The candidate that did best on the validation parts of the regressions: see `search`.
[[nodiscard]] inline gal::adjust_options narrow_options() {
  return {.hidden = {16, 4}, .adjuster = {.initialization = gal::nn::initialization::fan_in}};
}

/// Settings that might do better than the recommended ones, each one configuration for all tasks.
[[nodiscard]] inline std::vector<method> candidates() {
  using gal::adjust_options;
  const auto robust = [](double epsilon, adjust_options options = {}) {
    options.epsilon = epsilon;
    options.objective = gal::objective::remainder;
    options.safeguard = gal::safeguard::not_worse;
    return options;
  };
  return {
      {"epsilon_1", "epsilon 1", {.epsilon = 1.0}},
      {"narrow", "hidden 16-4", {.hidden = {16, 4}}},
      {"narrow_1", "hidden 16-4, epsilon 1", {.epsilon = 1.0, .hidden = {16, 4}}},
      {"narrow_2", "hidden 16-4, epsilon 2", {.epsilon = 2.0, .hidden = {16, 4}}},
      {"short", "hidden 16-4, tau 0.1", {.tau = 0.1, .hidden = {16, 4}}},
      {"long", "hidden 16-4, epsilon 1, tau 100", {.epsilon = 1.0, .tau = 100.0, .hidden = {16, 4}}},
      {"longer", "hidden 16-4, epsilon 1, tau 300", {.epsilon = 1.0, .tau = 300.0, .hidden = {16, 4}}},
      {"batchwise",
       "hidden 16-4, epsilon 1, one decision for the batch",
       {.epsilon = 1.0, .hidden = {16, 4}, .decision = gal::decision::per_batch}},
      {"narrow_fan_in", "hidden 16-4, fan_in weights", narrow_options()},
      {"narrow_slow", "hidden 16-4, adjuster at 1e-4", {.hidden = {16, 4}, .adjuster_learning_rate = 1e-4}},
      {"narrow_fast", "hidden 16-4, adjuster at 1e-2", {.hidden = {16, 4}, .adjuster_learning_rate = 1e-2}},
      {"tiny", "hidden 4, epsilon 1", {.epsilon = 1.0, .hidden = {4}}},
      {"per_batch",
       "normalised per batch, epsilon 0.3, one decision for the batch",
       {.epsilon = 0.3,
        .normalisation = gal::normalisation::per_batch,
        .decision = gal::decision::per_batch}},
      {"remainder", "objective abs(R), epsilon 1, safeguard Lt <= L", robust(1.0)},
      {"remainder_half", "objective abs(R), epsilon 0.5, safeguard Lt <= L", robust(0.5)},
      {"remainder_narrow", "objective abs(R), epsilon 1, hidden 16-4, safeguard Lt <= L",
       robust(1.0, {.hidden = {16, 4}})},
      {"remainder_slow", "objective abs(R), epsilon 1, adjuster at 1e-4, safeguard Lt <= L",
       robust(1.0, {.adjuster_learning_rate = 1e-4})},
  };
}

}  // namespace study

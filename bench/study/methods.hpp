// study/methods.hpp: what is compared.
// Provides: method, vanilla, measured_vanilla, methods_of, candidates.
#pragma once

#include "ideas.hpp"

#include "support/trainers.hpp"

#include <gal/train/adjust_options.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace study {

struct method {
  std::string name;   ///< in files
  std::string title;  ///< for people
  gal::adjust_options options;
  std::optional<idea_settings> idea{};
  bool adjusts = true;  ///< false: the optimizer alone, whatever the options say

  [[nodiscard]] support::maybe_adjusted adjusted() const {
    return adjusts ? support::maybe_adjusted(options) : std::nullopt;
  }
};

/// The optimizer alone.
[[nodiscard]] inline method vanilla() {
  return {.name = "vanilla", .title = "vanilla", .options = {}, .adjusts = false};
}

/// Options under which `gal::adjust` trains as the optimizer alone, and still measures the tentative step of the
/// recommended settings.
[[nodiscard]] inline gal::adjust_options measured_vanilla() {
  gal::adjust_options options = gal::recommended();
  options.adjuster.kind = gal::adjuster_kind::zero;
  options.safeguard = gal::safeguard::never;
  return options;
}

/// Vanilla, then `recommended` and `paper` with the controls of recommended: the same adjustment by an adjuster that does
/// not learn, by noise, and by an adjuster without hidden layers.
[[nodiscard]] inline std::vector<method> methods_of(gal::adjust_options recommended,
                                                    gal::adjust_options paper) {
  std::vector<method> result = {
      vanilla(), {"recommended", "recommended", recommended}, {"paper", "paper", std::move(paper)}};
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

/// Settings and ideas that might do better than the recommended settings, each one configuration for all tasks.
[[nodiscard]] inline std::vector<method> candidates() {
  using gal::adjust_options;
  using enum idea_settings::aim;
  using gal::nn::initialization;
  const auto robust = [](double epsilon) {
    return adjust_options{
        .epsilon = epsilon, .objective = gal::objective::remainder, .safeguard = gal::safeguard::not_worse};
  };
  return {
      {"recommended", "recommended: hidden 16, epsilon 3, tau 1", {}},
      {"epsilon_half", "epsilon 0.5", {.epsilon = 0.5}},
      {"epsilon_1", "epsilon 1", {.epsilon = 1.0}},
      {"epsilon_5", "epsilon 5", {.epsilon = 5.0}},
      {"tau_100", "tau 100", {.tau = 100.0}},
      {"tau_300", "tau 300", {.tau = 300.0}},
      {"epsilon_1_tau_100", "epsilon 1, tau 100", {.epsilon = 1.0, .tau = 100.0}},
      {"hidden_4", "hidden 4", {.hidden = {4}}},
      {"hidden_8", "hidden 8", {.hidden = {8}}},
      {"hidden_8_8", "hidden 8-8", {.hidden = {8, 8}}},
      {"hidden_16_4", "hidden 16-4", {.hidden = {16, 4}}},
      {"hidden_32", "hidden 32", {.hidden = {32}}},
      {"hidden_64_24", "hidden 64-24", {.hidden = {64, 24}}},
      {"xavier", "Xavier weights", {.adjuster = {.initialization = initialization::xavier}}},
      {"xavier_64_24",
       "hidden 64-24, Xavier weights",
       {.hidden = {64, 24}, .adjuster = {.initialization = initialization::xavier}}},
      {"slow", "adjuster at 3e-4", {.adjuster_learning_rate = 3e-4}},
      {"fast", "adjuster at 1e-2", {.adjuster_learning_rate = 1e-2}},
      {"per_batch",
       "normalised per batch, epsilon 0.3, one decision for the batch",
       {.epsilon = 0.3,
        .normalisation = gal::normalisation::per_batch,
        .decision = gal::decision::per_batch}},
      {"remainder", "objective abs(R), epsilon 1, safeguard Lt <= L", robust(1.0)},
      {"remainder_half", "objective abs(R), epsilon 0.5, safeguard Lt <= L", robust(0.5)},
      {"loop", "the loop of the ideas below, nothing changed", {}, idea_settings{}},
      {"last_hidden", "feature: last hidden layer", {}, idea_settings{.last_hidden = true}},
      {"last_hidden_1",
       "feature: last hidden layer, epsilon 1",
       {.epsilon = 1.0},
       idea_settings{.last_hidden = true}},
      {"last_hidden_64",
       "feature: last hidden layer, hidden 64, epsilon 1",
       {.epsilon = 1.0, .hidden = {64}},
       idea_settings{.last_hidden = true}},
      {"true_step",
       "objective: the batch's loss after the optimizer's real step, epsilon 0.9",
       {.epsilon = 0.9},
       idea_settings{.objective = same_batch}},
      {"next_batch",
       "objective: loss of the next batch, epsilon 0.9",
       {.epsilon = 0.9},
       idea_settings{.objective = next_batches}},
      {"next_batch_fast",
       "objective: loss of the next batch, epsilon 0.9, adjuster at 1e-2",
       {.epsilon = 0.9, .adjuster_learning_rate = 1e-2},
       idea_settings{.objective = next_batches}},
      {"next_16",
       "objective: mean loss of the next 16 batches, epsilon 0.9",
       {.epsilon = 0.9, .adjuster_learning_rate = 3e-3},
       idea_settings{.objective = next_batches, .horizon = 16}},
      {"next_batch_centred",
       "objective: loss of the next batch, epsilon 0.9, the gate's mean taken out",
       {.epsilon = 0.9},
       idea_settings{.objective = next_batches, .centred = true}},
      {"motion",
       "input: also where the last step would move the features",
       {},
       idea_settings{.sees_motion = true}},
      {"motion_next_batch",
       "the same, objective: loss of the next batch, epsilon 0.9",
       {.epsilon = 0.9},
       idea_settings{.objective = next_batches, .sees_motion = true}},
      {"epsilon_falls", "epsilon falling from 3 to 0", {}, idea_settings{.final_epsilon = 0.0}},
      {"epsilon_turns",
       "epsilon falling from 1 to -0.9",
       {.epsilon = 1.0},
       idea_settings{.final_epsilon = -0.9}},
      {"vanilla_falls", "vanilla, learning rate falling to 0", measured_vanilla(),
       idea_settings{.final_rate = 0.0}},
      {"recommended_falls", "recommended, learning rate falling to 0", {}, idea_settings{.final_rate = 0.0}},
  };
}

}  // namespace study

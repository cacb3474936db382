// gal/train/alignment_reward_options.hpp: settings and report of the gradient-alignment reward, and what it teaches.
// Provides: alignment_reward_options, alignment_reward_report, choice_policy. Includes gal/train/step_report.hpp.
#pragma once

#include <gal/core/view.hpp>
#include <gal/train/detail/step_numbers.hpp>
#include <gal/train/step_report.hpp>

#include <cmath>
#include <concepts>
#include <numeric>
#include <span>

namespace gal::inline GAL_ABI {

/// Settings of `alignment_reward`.
struct alignment_reward_options {
  non_finite_policy non_finite = non_finite_policy::skip;  ///< what happens to a step that is not finite

  template <class Visitor>
  void visit_state(Visitor& visit) const {
    visit.setting("non_finite", non_finite);
  }
};

/// What a step of `alignment_reward` reports besides; NaN where no rewards were found.
struct alignment_reward_report : step_report {
  double alignment = none;      ///< <g, V>, the sum of the rewards, of the batch that they are for
  double held_out_loss = none;  ///< mean loss of the held-out samples after the step, where there are such
  double effective_choices =
      none;  ///< exp of the entropy of the choices' probabilities: from 1 to their number

  template <class Visitor>
  void visit_numbers(Visitor& visit) const {
    visit(reported_number{.name = "alignment",
                          .value = alignment,
                          .meaning = "inner product of the batch's gradient with the one that rewards it"});
    visit(reported_number{
        .name = "held_out_loss", .value = held_out_loss, .meaning = "loss of the held-out samples"});
    visit(reported_number{.name = "effective_choices",
                          .value = effective_choices,
                          .meaning = "exp of the entropy of the choices' probabilities"});
  }
};

/// Learns from rewards which choices to make for samples, such as `choice_sampler`: `s.choices()` are those
/// of the samples of the batch that was handed out last, in its order; `s.learn(rewards, choices)` takes what
/// they have earned; `s.probabilities()` are those of the choices.
template <class S>
concept choice_policy = requires(S& s, std::span<const double> rewards, std::span<const index_type> choices) {
  { s.choices() } -> std::convertible_to<std::span<const index_type>>;
  { s.probabilities() } -> std::convertible_to<std::span<const double>>;
  s.learn(rewards, choices);
};

namespace detail {

struct alignment_reward_numbers : held_out_numbers {
  double alignment = none;
  double effective_choices = none;
};

[[nodiscard]] inline alignment_reward_report report_of(const alignment_reward_numbers& sums, double weight,
                                                       index_type samples, double learning_rate) {
  alignment_reward_report report;
  static_cast<step_report&>(report) =
      report_of(static_cast<const step_numbers&>(sums), weight, samples, learning_rate);
  report.alignment = sums.alignment;
  report.held_out_loss = sums.held_out_loss;
  report.effective_choices = sums.effective_choices;
  return report;
}

// What a policy has been taught.
struct lesson {
  double alignment;          // the sum of the rewards
  double effective_choices;  // exp of the entropy of its probabilities afterwards
};

// Makes rewards of a batch's products with V, in their place, and has the policy learn from them.
template <class Policy>
lesson teach(Policy& policy, std::span<double> products, std::span<const index_type> choices) {
  for (double& reward : products) {
    reward /= static_cast<double>(products.size());
  }
  policy.learn(std::span<const double>(products), choices);
  double entropy = 0.0;
  for (const double p : std::span<const double>(policy.probabilities())) {
    entropy -= p > 0.0 ? p * std::log(p) : 0.0;
  }
  return {std::accumulate(products.begin(), products.end(), 0.0), std::exp(entropy)};
}

}  // namespace detail
}  // namespace gal

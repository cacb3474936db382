// gal/data/choice_sampler.hpp: draws one of some choices for every sample, and learns from rewards which to draw more often.
// Provides: choice_sampler, choice_sampler_options.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/transfer.hpp>
#include <gal/core/error.hpp>
#include <gal/core/random.hpp>
#include <gal/optim/optimizers.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// Settings of `choice_sampler`.
struct choice_sampler_options {
  double learning_rate = 0.005;  ///< of Adam on the logits: about their change in a step, >= 0; 0: they stay
  double beta1 = 0.0;            ///< share of Adam's mean gradient that is kept in a step, in [0, 1)
  double beta2 = 0.999;          ///< share of its mean square that is kept in a step, in [0, 1)
  double epsilon = 1e-8;         ///< added to the root of the mean square, > 0
  double clipping = 5.0;         ///< largest absolute value of an element of the gradient, > 0
  bool average_per_choice = false;  ///< rewards are averaged over the samples of a choice, not summed (ours)
  std::uint64_t seed = 0;           ///< of the draws

  template <class Visitor>
  void visit_state(Visitor& visit) const {
    visit.setting("average_per_choice", average_per_choice);
  }
};

/// Draws a choice from 0 to K - 1 for every sample of a batch, with the probabilities p = softmax(phi), phi =
/// 0 at the start, and learns phi from the samples' rewards by REINFORCE (Williams, 1992), as arXiv
/// 2102.03275 does for the source of a sample and for its augmentation. With r_i and s_i the reward and the
/// choice of sample i of B
///
///     w_i      = (r_i - mean r) / deviation of r                      of B - 1; where it is zero nothing is learned
///     grad phi = -(1/B) sum_i w_i (e_{s_i} - p)                       p drops out, for the w_i sum to zero
///                -mean of w_i over the samples of the choice          with `average_per_choice`
///
/// and phi takes a step of Adam along grad phi, clipped element by element. Rewards may be of any scale.
///
///     gal::choice_sampler sampler(10, {.seed = 1});
///     const auto choices = sampler.draw(32);                          // of the samples of a batch
///     ...                                                             // train, and find rewards
///     sampler.learn(rewards, choices);
///     sampler.probabilities();
///
/// Draws are the same on every platform for a seed. After the first of its size neither `draw` nor `learn`
/// allocates. `Backend` is where Adam runs; numbers come and go by the host.
template <class Backend = eigen_backend>
class choice_sampler {
 public:
  /// Throws for fewer than one choice, and where an option is outside its range.
  explicit choice_sampler(index_type choices, choice_sampler_options options = {}, Backend backend = {})
      : options_(options),
        backend_(backend),
        logits_(checked(choices), 1, 0.0, backend),
        gradients_(choices, 1, 0.0, backend),
        optimizer_({.learning_rate = options.learning_rate,
                    .beta1 = options.beta1,
                    .beta2 = options.beta2,
                    .epsilon = options.epsilon,
                    .clipping = {.value = options.clipping}},
                   backend),
        random_{options.seed, 0},
        values_(static_cast<std::size_t>(choices), 0.0),
        probabilities_(values_),
        gradient_(values_),
        counts_(values_) {
    optimizer_.reserve(parameters());
    find_probabilities();
  }

  [[nodiscard]] const choice_sampler_options& options() const { return options_; }

  /// Choices for `count` samples, in their order; valid up to the next draw, and as `choices()`.
  std::span<const index_type> draw(index_type count) {
    detail::require(count >= 0, error_code::invalid_option, "gal::choice_sampler::draw: ", count,
                    " samples; expected a number of at least 0");
    choices_.resize(static_cast<std::size_t>(count));
    for (index_type& choice : choices_) {
      choice = drawn(random_.uniform());
    }
    return choices_;
  }
  [[nodiscard]] std::span<const index_type> choices() const { return choices_; }

  /// Learns from the rewards of samples whose choices these were. Whether it did: not where their deviation
  /// is zero or not finite, nor from fewer than two. Throws for rewards and choices of different numbers, and
  /// choices that there are not.
  bool learn(std::span<const double> rewards, std::span<const index_type> choices) {
    detail::require(rewards.size() == choices.size(), error_code::shape_mismatch,
                    "gal::choice_sampler::learn: ", rewards.size(), " rewards and ", choices.size(),
                    " choices; expected as many");
    const auto known = static_cast<index_type>(values_.size());
    for (const index_type choice : choices) {
      detail::require(choice >= 0 && choice < known, error_code::invalid_option,
                      "gal::choice_sampler::learn: choice ", choice, "; expected a number from 0 to ",
                      known - 1);
    }
    if (!standardise(rewards)) {
      return false;
    }
    std::ranges::fill(gradient_, 0.0);
    std::ranges::fill(counts_, 0.0);
    for (std::size_t i = 0; i < choices.size(); ++i) {
      const auto choice = static_cast<std::size_t>(choices[i]);
      gradient_[choice] -= weights_[i];
      counts_[choice] += 1.0;
    }
    for (std::size_t k = 0; k < gradient_.size(); ++k) {
      gradient_[k] /=
          options_.average_per_choice ? std::max(counts_[k], 1.0) : static_cast<double>(choices.size());
    }
    detail::from_host(backend_, gradient_.data(), gradients_.data(), known);
    optimizer_.step(parameters());
    find_probabilities();
    return true;
  }

  /// p and phi, of every choice.
  [[nodiscard]] std::span<const double> probabilities() const { return probabilities_; }
  [[nodiscard]] std::span<const double> logits() const { return values_; }

  /// Of the last rewards that it learned from: w_i of every sample, and grad phi before it was clipped.
  [[nodiscard]] std::span<const double> last_weights() const { return weights_; }
  [[nodiscard]] std::span<const double> last_gradient() const { return gradient_; }

  /// Logits, Adam's moments and the place in the sequence of draws: after loading them draws go on as they
  /// would have.
  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit.setting("choices", logits_.rows());
    visit("options", options_);
    visit("logits", logits_);
    visit("optimizer", optimizer_);
    visit("random", random_);
    visit.after_loading([this] { find_probabilities(); });
  }

 private:
  static index_type checked(index_type choices) {
    detail::require(choices >= 1, error_code::invalid_option, "gal::choice_sampler: ", choices,
                    " choices; expected at least one");
    return choices;
  }

  std::array<parameter<double, typename Backend::memory_type>, 1> parameters() {
    const auto size = static_cast<std::size_t>(logits_.size());
    return {{{std::span(logits_.data(), size), std::span(gradients_.data(), size)}}};
  }

  // The first choice whose probabilities up to it are above u.
  [[nodiscard]] index_type drawn(double u) const {
    index_type choice = 0;
    const auto last = static_cast<index_type>(probabilities_.size()) - 1;
    for (double sum = probabilities_[0]; choice < last && u >= sum;) {
      sum += probabilities_[static_cast<std::size_t>(++choice)];
    }
    return choice;
  }

  void find_probabilities() {
    detail::to_host(backend_, std::as_const(logits_).data(), values_.data(), logits_.size());
    const double largest = *std::ranges::max_element(values_);
    double sum = 0.0;
    for (std::size_t k = 0; k < values_.size(); ++k) {
      probabilities_[k] = std::exp(values_[k] - largest);
      sum += probabilities_[k];
    }
    for (double& p : probabilities_) {
      p /= sum;
    }
  }

  // Fills the weights; false where there are none.
  bool standardise(std::span<const double> rewards) {
    const auto count = static_cast<double>(rewards.size());
    double sum = 0.0;
    for (const double reward : rewards) {
      sum += reward;
    }
    const double mean = sum / count;
    double square = 0.0;
    for (const double reward : rewards) {
      square += (reward - mean) * (reward - mean);
    }
    const double deviation = std::sqrt(square / (count - 1.0));
    if (rewards.size() < 2 || !(deviation > 0.0) || !std::isfinite(deviation)) {
      return false;
    }
    weights_.resize(rewards.size());
    for (std::size_t i = 0; i < rewards.size(); ++i) {
      weights_[i] = (rewards[i] - mean) / deviation;
    }
    return true;
  }

  choice_sampler_options options_;
  Backend backend_;
  matrix<double, Backend> logits_;     // phi
  matrix<double, Backend> gradients_;  // of phi
  adam<double, Backend> optimizer_;
  random_stream random_;

  std::vector<index_type> choices_;    // drawn last
  std::vector<double> values_;         // phi, on the host
  std::vector<double> probabilities_;  // p
  std::vector<double> gradient_;
  std::vector<double> counts_;   // samples of each choice
  std::vector<double> weights_;  // w
};

}  // namespace gal

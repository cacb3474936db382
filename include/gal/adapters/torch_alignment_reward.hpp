// gal/adapters/torch_alignment_reward.hpp: the gradient-alignment reward for libtorch.
// Provides: torch_alignment_reward. Includes gal/train/alignment_reward_options.hpp, gal/loss/entrywise.hpp and
// gal/loss/softmax_cross_entropy.hpp. Needs the CMake target gal::torch.
#pragma once

#include <gal/adapters/detail/torch_held_out.hpp>
#include <gal/adapters/detail/torch_method.hpp>
#include <gal/adapters/detail/torch_pass.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/error.hpp>
#include <gal/train/alignment_reward_options.hpp>

#include <torch/torch.h>

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// `alignment_reward` for libtorch: the same formulas, options and report. For sample i of the B of batch t, at the parameters
/// theta_t that the batch met,
///
///     r_i = <grad l_i(theta_t), V> / B      V = the gradient of batch t + 1 at theta_{t+1}, or that of held-out samples there
///
/// by double backward. A `choice_policy`, such as `choice_sampler`, has made the choices of the samples, and learns from the
/// rewards: of held-out samples right after the step, of the training gradient in the next.
///
///     gal::choice_sampler sampler(10, {.seed = 1});
///     gal::torch_alignment_reward trainer(model, optimizer, gal::softmax_cross_entropy(), sampler, clean_x, clean_y);
///     sampler.draw(32);                                  // a batch's choices
///     trainer.step(x, y);                                // its samples
///
/// Model, loss and optimizer are what `torch_adjust` takes; the loss gives the losses of the samples, one for each choice. Of the
/// training gradient's way, the graph of a batch's pass and a copy of the parameters are kept until the next, so that no pass is
/// taken twice; they are not part of a checkpoint, and the first batch after loading rewards none. With held-out samples the
/// model runs forward over them too, so that in training it draws for both, and its statistics move by both. Batch normalisation
/// in training couples the samples, whose gradients of their own do not exist then. A batch with a loss or gradient that is not
/// finite changes nothing (`non_finite`). A step waits for the device.
///
/// Model, optimizer and policy are referred to and must outlive the trainer; loss, options and held-out samples are copied
/// (tensors share their memory).
template <class Model, class Loss, class Policy, class HeldOut = nothing, class HeldOutTarget = nothing>
class torch_alignment_reward : public detail::torch_method<Model, Loss, detail::alignment_reward_numbers> {
  using base = typename torch_alignment_reward::torch_method;
  using base::numbers_;
  static constexpr bool holds_out = !std::same_as<HeldOut, nothing>;
  static_assert(
      choice_policy<Policy>,
      "gal::torch_alignment_reward: the policy has choices(), probabilities() and learn(rewards, choices), "
      "as gal::choice_sampler does.");

 public:
  using typename base::report_type;

  /// V is the training gradient.
  torch_alignment_reward(Model& model, torch::optim::Optimizer& optimizer, Loss loss, Policy& policy,
                         alignment_reward_options options = {})
    requires std::same_as<HeldOut, nothing>
      : torch_alignment_reward(model, optimizer, std::move(loss), policy, nothing(), nothing(), options) {}

  /// V is the gradient of the held-out samples. Throws where they do not fit a module and the loss.
  torch_alignment_reward(Model& model, torch::optim::Optimizer& optimizer, Loss loss, Policy& policy,
                         HeldOut held_out, HeldOutTarget held_out_target,
                         alignment_reward_options options = {})
      : base("gal::torch_alignment_reward", model, optimizer, std::move(loss), options.non_finite),
        options_(options),
        policy_(&policy),
        held_out_{std::move(held_out), std::move(held_out_target)} {
    if constexpr (holds_out) {
      held_out_.check(*this, this->device());
    }
  }

  /// One training step on the batch whose choices the policy has made last. Throws `gal::error` for features, targets and losses
  /// that do not fit, and a batch of another size than `choices()`, before anything changes but what the model's forward changes.
  template <class Input, class Target = nothing>
  report_type step(const Input& input, const Target& target = {}) {
    const torch::AutoGradMode with_gradients(true);
    detail::torch_pass pass = this->pass_over(input, target, /*twice=*/true);
    pass.require_samples();
    const std::span<const index_type> choices = policy_->choices();
    detail::require(static_cast<std::int64_t>(choices.size()) == pass.samples(), error_code::shape_mismatch,
                    this->name_, "::step: a batch of ", pass.samples(), " samples; expected the ",
                    choices.size(), " whose choices were made last");
    if (!this->take_loss(pass)) {
      return this->refuse_loss();
    }
    if (!this->take_gradients(pass, pass.differentiate())) {
      return this->refuse_gradient();
    }

    if constexpr (holds_out) {
      const detail::torch_place theta(pass.parameters());
      this->optimizer_->step();
      const detail::torch_list v = this->find_held_out_gradient(held_out_);
      if (numbers_.held_out_proceeds == 1.0) {
        reward(pass, theta, v, choices);
      }
    } else {
      if (before_) {
        reward(before_->pass, before_->theta, this->gradients_of(before_->pass), before_->choices);
      }
      before_.emplace(std::move(pass), choices);
      this->optimizer_->step();
    }
    return this->report();
  }

  [[nodiscard]] const alignment_reward_options& options() const { return options_; }
  [[nodiscard]] Policy& policy() { return *policy_; }

  /// The rewards r_i that were found last; none before the first. With held-out samples they are those of the last step's
  /// batch, otherwise of the batch before it.
  [[nodiscard]] std::span<const double> last_rewards() const { return rewards_; }

  /// All that the next step depends on but torch's generators and the batch that waits for its rewards: the model's parameters
  /// and buffers, other parameters of the optimizer, what that keeps, and the policy. Settings have to be the same where it is
  /// loaded.
  void visit_state(state_view& visit) {
    visit("options", options_);
    this->show_model_and_optimizer(visit);
    visit("policy", *policy_);
    visit.after_loading([this] { before_.reset(); });
    this->show_steps_and_forget(visit);
  }

 private:
  // A batch that waits for its rewards: its graph, and the parameters that it met.
  struct waiting {
    waiting(detail::torch_pass its_pass, std::span<const index_type> its_choices)
        : pass(std::move(its_pass)),
          theta(pass.parameters()),
          choices(its_choices.begin(), its_choices.end()) {}
    detail::torch_pass pass;
    detail::torch_place theta;
    std::vector<index_type> choices;
  };

  // Of the samples' products with V.
  void reward(const detail::torch_pass& pass, const detail::torch_place& theta, const detail::torch_list& v,
              std::span<const index_type> choices) {
    torch::Tensor products;
    theta.look_back([&] { products = pass.along(v, expansion_order::first).samples_first; });
    rewards_ = detail::on_host_from(products);
    const detail::lesson learned = detail::teach(*policy_, rewards_, choices);
    numbers_.alignment = learned.alignment;
    numbers_.effective_choices = learned.effective_choices;
  }

  alignment_reward_options options_;
  Policy* policy_;
  detail::torch_held_out<HeldOut, HeldOutTarget> held_out_;
  std::optional<waiting> before_;
  std::vector<double> rewards_;
};

}  // namespace gal

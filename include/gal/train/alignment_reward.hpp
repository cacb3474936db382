// gal/train/alignment_reward.hpp: which samples to train on: those whose gradients point where the next one does.
// Provides: alignment_reward. Includes gal/train/alignment_reward_options.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/at_exit.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/core/detail/transfer.hpp>
#include <gal/core/direction.hpp>
#include <gal/core/error.hpp>
#include <gal/core/tangents.hpp>
#include <gal/taylor/directional_expansion.hpp>
#include <gal/train/alignment_reward_options.hpp>
#include <gal/train/detail/batch_before.hpp>
#include <gal/train/detail/held_out_gradient.hpp>
#include <gal/train/detail/trainer_base.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

namespace detail {

template <class Backend>
void report_rewards(const Backend& backend, double alignment, double effective_choices,
                    alignment_reward_numbers* numbers) {
  backend.for_each(1, [=] GAL_KERNEL(index_type) {
    numbers->alignment = alignment;
    numbers->effective_choices = effective_choices;
  });
}

}  // namespace detail

/// Trains `Model` as `plain` does, and rewards what was chosen for the samples by where their gradients point
/// (after arXiv 2102.03275, its abstract). For sample i of the B of batch t, at the parameters theta_t that
/// the batch met,
///
///     r_i = <grad l_i(theta_t), V> / B      V = the gradient of batch t + 1 at theta_{t+1}, or that of held-out samples there
///
/// all from the adjoints of the batch's pass, a product a layer, where the model can keep both (`pass_keeping_model`,
/// `sample_product_model`), and otherwise from one forward tangent along V. A `choice_policy`, such as `choice_sampler`, has made the choices,
/// of the split that a sample comes from or of its augmentation, and learns from the rewards: of held-out
/// samples right after the step, before batch t + 1 is drawn; of the training gradient in the step on batch
/// t + 1, before batch t + 2 is drawn.
///
///     gal::choice_sampler sampler(10, {.seed = 1});
///     gal::mixed_batches batches(train, split_of_sample, sampler, 32, /*seed=*/1);
///     gal::alignment_reward trainer(model, optimizer, gal::softmax_cross_entropy(), sampler);
///     gal::fit(trainer, batches, {.epochs = 20});
///     sampler.probabilities();                           // of the splits
///
/// The training gradient speaks for the majority: it finds what differs from most of the data. Held-out
/// samples say what to train for, as `gal::alignment_reward(model, optimizer, loss, sampler,
/// clean.features.view(), clean.targets.view())`; they are rewards alone, and not trained on.
///
/// Model, optimizer and policy are referred to and must outlive the trainer; the held-out samples are copied
/// (a view is the memory it shows), and all of them pass through the model in every step. Of the training
/// gradient's way the batch, its gradient, the parameters and its pass are kept until the next; a model that cannot keep its
/// pass passes forward a second time, and so does the first batch after loading. A model that draws noise is refused there,
/// as that second pass would not be the first, and of the held-out samples' way where it cannot put its pass aside. Batch
/// normalisation in training mode couples the samples (`couples_samples()` says so), whose gradients of their own do not exist
/// then: by a forward tangent r_i is that of the sample's loss in its batch. Models without `forward_tangent` work by differences (`directional_expansion`). Rewards are
/// the host's: on a device a step waits for them. After the first steps of the largest batch, two on the way
/// of the training gradient, a step allocates nothing (given a model that does not).
template <class Model, class Optimizer, class Loss, class Policy, class HeldOut = nothing,
          class HeldOutTarget = nothing>
  requires detail::checked_model<Model> && detail::checked_optimizer<Optimizer, Model>
class alignment_reward
    : public detail::trainer_base<alignment_reward<Model, Optimizer, Loss, Policy, HeldOut, HeldOutTarget>,
                                  Model, Optimizer, Loss, detail::alignment_reward_numbers> {
  using base = typename alignment_reward::trainer_base;
  using base::frame_;
  static constexpr bool holds_out = !std::same_as<HeldOut, nothing>;

 public:
  using typename base::backend_type;
  using typename base::feature_type;
  using typename base::input_type;
  using typename base::mutable_view;
  using typename base::pending_type;
  using typename base::value_type;
  using typename base::view;
  static_assert(
      choice_policy<Policy>,
      "gal::alignment_reward: the policy has choices(), probabilities() and learn(rewards, choices), as "
      "gal::choice_sampler does.");

  /// V is the training gradient.
  alignment_reward(Model& model, Optimizer& optimizer, Loss loss, Policy& policy,
                   alignment_reward_options options = {})
    requires std::same_as<HeldOut, nothing>
      : alignment_reward(model, optimizer, std::move(loss), policy, nothing(), nothing(), options) {}

  /// V is the gradient of the held-out samples. Throws where they do not fit model and loss.
  alignment_reward(Model& model, Optimizer& optimizer, Loss loss, Policy& policy, HeldOut held_out,
                   HeldOutTarget held_out_target, alignment_reward_options options = {})
      : base("gal::alignment_reward", model, optimizer, std::move(loss), options.non_finite,
             detail::backend_from<backend_type>(model)),
        options_(options),
        policy_(&policy),
        held_out_(std::move(held_out), std::move(held_out_target), backend()),
        along_(model, backend()),
        before_(backend()),
        input_(std::make_unique<typename detail::batch_before<Model>::kept_type>(backend())),
        now_(backend()),
        direction_(backend()) {
    if constexpr (holds_out) {
      static_assert(
          std::convertible_to<const HeldOut&, const input_type&>,
          "gal::alignment_reward: the held-out samples do not convert to the model's `input_type`.");
      static_assert(detail::explain_loss<Loss, value_type, backend_type, HeldOutTarget>());
      held_out_.check_samples(frame_);
    }
  }

  /// One training step on the batch whose choices the policy has made last: `input` as the model takes it,
  /// `target` as the loss does, a sample per column. Throws `gal::error` for shapes that do not fit, a batch
  /// of another size than `choices()`, and labels out of range, before anything changes.
  template <class Input, class Target>
  pending_type step(const Input& input, const Target& target) {
    static_assert(std::convertible_to<const Input&, const input_type&>,
                  "gal::alignment_reward::step: the input does not convert to the model's `input_type`.");
    static_assert(detail::explain_loss<Loss, value_type, backend_type, Target>());
    if constexpr (holds_out) {
      held_out_.check_model(frame_);
    } else {
      frame_.require_no_noise();
    }
    detail::keep_adjoints(frame_.model());

    const input_type& given = input;
    const input_type& batch = kept(given);
    const feature_type& features = frame_.forward(batch);
    const std::span<const index_type> choices = policy_->choices();
    detail::require(static_cast<index_type>(choices.size()) == view(features).columns(),
                    error_code::shape_mismatch, "gal::alignment_reward::step: a batch of ",
                    view(features).columns(), " samples; expected the ", choices.size(),
                    " whose choices were made last");
    const mutable_view gradient = frame_.gradient_memory(features, gradient_);
    frame_.evaluate(view(features), target, gradient);
    if (frame_.refused()) {
      return this->refuse("the loss is not finite");
    }
    detail::inner_product(backend(), gradient.as_const(), gradient.as_const(),
                          &frame_.numbers()->gradient_square);
    frame_.backward(*gradient_);
    if (frame_.refused()) {
      return this->refuse("a parameter's gradient is not finite, or too large to be squared");
    }
    if (is_zero(&frame_.numbers()->proceeds)) {
      return this->result();  // as the device has found; the batch before waits for the next one
    }

    if constexpr (holds_out) {
      held_out_.find_after_step(frame_);
      if (!is_zero(&frame_.numbers()->held_out_proceeds)) {
        held_out_.look_back(frame_, batch, features, [&](view at) {
          along_.expand_at(batch, at, gradient.as_const(), held_out_.blocks(), order());
        });
        reward(choices);
      }
    } else {
      if (before_.is_there) {
        find_products_of_batch_before();
        reward(before_.choices);
      }
      before_.keep(input_, gradient.as_const(), frame_.parameters(), choices);
      before_.pass_is_there = detail::from_kept_pass(frame_.model());
      if constexpr (detail::keeps_products<Model>) {
        if (before_.pass_is_there) {
          before_.exchange_passes(frame_.model());
        }
      }
      frame_.update();
    }
    return this->result();
  }
  using base::step;

  [[nodiscard]] const alignment_reward_options& options() const { return options_; }
  [[nodiscard]] Policy& policy() { return *policy_; }

  /// The rewards r_i that were found last; none before the first. With held-out samples they are those of the
  /// last step's batch, otherwise of the batch before it.
  [[nodiscard]] std::span<const double> last_rewards() const { return rewards_; }

  /// The gradient G of the loss with respect to the features (`d x n`) of the last step.
  [[nodiscard]] view last_gradient() const { return gradient_ ? view(*gradient_) : view(); }

  /// The state of model, optimizer and policy, and the batch that waits for its rewards: after loading it
  /// training goes on as it would have. Where the model's `input_type` is no `gal::matrix_view` that batch is
  /// left out, and earns nothing after loading.
  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit("options", options_);
    frame_.visit_state(visit);
    visit("policy", *policy_);
    if constexpr (!holds_out) {
      auto batch = [this](auto& its_visit) { before_.visit_state(its_visit, frame_.parameters()); };
      visit("batch_before", batch);
    }
    frame_.visit_steps(visit);
  }

  using base::backend;

 private:
  [[nodiscard]] bool is_zero(const double* number) { return backend().read(number) == 0.0; }

  [[nodiscard]] expansion_order order() const {
    return detail::from_kept_pass(frame_.model()) ? expansion_order::adjoint_first : expansion_order::first;
  }

  // A batch that waits for the next one is copied before it passes forward.
  decltype(auto) kept(const input_type& input) {
    if constexpr (holds_out) {
      return (input);
    } else {
      input_->keep(input);
      return input_->get();
    }
  }

  // With V, the gradient that the parameters have now, at those that the batch met. Values and gradients stay.
  void find_products_of_batch_before() {
    direction_.assign_gradients(frame_.parameters());
    now_.assign_values(frame_.parameters());
    const detail::at_exit back([this] { now_.copy_to_values(frame_.parameters()); });
    before_.theta.copy_to_values(frame_.parameters());
    const auto& input = before_.input->get();
    const view gradient = std::as_const(before_.gradient).view();
    Model& model = frame_.model();
    if constexpr (detail::keeps_products<Model>) {
      if (detail::from_kept_pass(model)) {
        before_.exchange_passes(model);
        const detail::at_exit forth([&] { before_.exchange_passes(model); });
        if (!before_.pass_is_there) {
          pass_again(input, gradient);
        }
        // Of the features only the size is looked at.
        along_.expand_at(input, gradient, gradient, direction_.blocks(), expansion_order::adjoint_first);
        return;
      }
    }
    along_.expand_at(input, view(model.forward(input)), gradient, direction_.blocks());
  }

  // What a checkpoint has left out.
  void pass_again(const input_type& input, view gradient) {
    const detail::at_exit back([this] { direction_.copy_to_gradients(frame_.parameters()); });
    mutable_view again = frame_.gradient_memory(frame_.model().forward(input), gradient_again_);
    backend().copy(gradient.data(), again.data(), gradient.size());
    frame_.backward(*gradient_again_, &frame_.numbers()->held_out_proceeds);
    before_.pass_is_there = true;
  }

  // Of the samples' products with V.
  void reward(std::span<const index_type> choices) {
    const auto products = along_.sample_first();
    rewards_.resize(choices.size());
    detail::to_host(backend(), products.data(), rewards_.data(), products.columns());
    const detail::lesson learned = detail::teach(*policy_, rewards_, choices);
    detail::report_rewards(backend(), learned.alignment, learned.effective_choices, frame_.numbers());
  }

  alignment_reward_options options_;
  Policy* policy_;
  detail::held_out_gradient<Model, typename base::frame_type, HeldOut, HeldOutTarget> held_out_;
  directional_expansion<Model> along_;
  detail::batch_before<Model> before_;
  std::unique_ptr<typename detail::batch_before<Model>::kept_type>
      input_;                                             // of the batch, where it waits for the next one
  parameter_vector<value_type, backend_type> now_;        // theta, while the batch before is looked at
  parameter_vector<value_type, backend_type> direction_;  // V, of the training gradient
  std::optional<feature_type> gradient_;                  // G
  std::optional<feature_type> gradient_again_;            // of the batch before, after loading
  std::vector<double> rewards_;
};

}  // namespace gal

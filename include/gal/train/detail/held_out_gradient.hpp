// gal/train/detail/held_out_gradient.hpp: the gradient of held-out samples after a step, and the way back to before it.
// Provides: nothing public; detail::held_out_gradient, keeps_products, from_kept_pass, keep_adjoints for trainers.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/at_exit.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/core/direction.hpp>
#include <gal/core/tangents.hpp>
#include <gal/taylor/directional_expansion.hpp>
#include <gal/train/detail/step_numbers.hpp>

#include <optional>
#include <utility>

namespace gal::inline GAL_ABI::detail {

/// Whether the products of a batch's samples with a gradient that came later follow from what its backward pass has kept: where
/// its pass can wait for that gradient, and the samples are not coupled, so that each has adjoints of its own. Otherwise they take
/// a forward tangent.
template <class Model>
inline constexpr bool keeps_products = pass_keeping_model<Model> && sample_product_model<Model>;

template <class Model>
[[nodiscard]] bool from_kept_pass(const Model& model) {
  return keeps_products<Model> && !couples_samples(model);
}

/// Has the model keep it where that is so. At every step: somebody else may have switched it off.
template <class Model>
void keep_adjoints(Model& model) {
  if constexpr (keeps_products<Model>) {
    if (from_kept_pass(model)) {
      model.keep_adjoints(true);
    }
  }
}

/// V = grad L_held_out(theta+), theta+ the parameters after a step on a batch, and a look at the batch from theta again. A model
/// that can puts the batch's pass aside meanwhile (`pass_keeping_model`); another passes forward a second time, and is
/// refused while it draws noise.
template <class Model, class Frame, class HeldOut, class HeldOutTarget>
class held_out_gradient {
 public:
  using value_type = model_scalar<Model>;
  using backend_type = backend_of<Model>;
  using memory_type = typename backend_type::memory_type;
  using input_type = typename Model::input_type;
  using feature_type = typename Model::feature_type;
  using view = matrix_view<const value_type, memory_type>;

  held_out_gradient(HeldOut samples, HeldOutTarget target, const backend_type& backend)
      : samples_(std::move(samples)),
        target_(std::move(target)),
        losses_(backend),
        before_(backend),
        after_(backend),
        gradient_(backend) {}

  /// Throws where the held-out samples do not fit model and loss.
  void check_samples(Frame& frame) {
    if (pass_keeping_model<Model> || !frame.draws_noise()) {
      static_cast<void>(frame.evaluate_only(samples_, target_));
    }
  }

  /// Throws where the model's second pass over a batch would not be its first.
  static void check_model(const Frame& frame) {
    if constexpr (!pass_keeping_model<Model>) {
      frame.require_no_noise();
    }
  }

  /// The optimizer's step, along the parameters' gradients; then V.
  void find_after_step(Frame& frame) {
    before_.assign_values(frame.parameters());
    frame.update();
    exchange_passes(frame.model());
    const at_exit back([&] { exchange_passes(frame.model()); });
    const input_type& batch = samples_;
    const feature_type& features = frame.model().forward(batch);
    const auto gradient = frame.gradient_memory(features, gradient_of_features_);
    losses_.resize(1, gradient.columns());
    frame.loss().evaluate(frame.backend(), view(features), target_, losses_.view(), gradient);
    mean_of(frame.backend(), losses_.data(), losses_.columns(), &frame.numbers()->held_out_loss);
    frame.backward(*gradient_of_features_, &frame.numbers()->held_out_proceeds);
    gradient_.assign_gradients(frame.parameters());
  }

  /// Calls `work(features)` with the model at theta, as its pass over the batch has left it, and returns to theta+.
  template <class Work>
  void look_back(Frame& frame, const input_type& batch, const feature_type& features, const Work& work) {
    after_.assign_values(frame.parameters());
    const at_exit back([&] { after_.copy_to_values(frame.parameters()); });
    before_.copy_to_values(frame.parameters());
    if constexpr (pass_keeping_model<Model>) {
      work(view(features));
    } else {
      work(view(frame.model().forward(batch)));
    }
  }

  /// V.
  [[nodiscard]] parameter_direction<value_type> blocks() const { return gradient_.blocks(); }

 private:
  void exchange_passes([[maybe_unused]] Model& model) {
    if constexpr (pass_keeping_model<Model>) {
      if (!other_pass_) {
        other_pass_ = model.pass();
      }
      std::swap(model.pass(), *other_pass_);
    }
  }

  HeldOut samples_;
  HeldOutTarget target_;
  std::optional<pass_of<Model>> other_pass_;
  std::optional<feature_type> gradient_of_features_;
  matrix<double, backend_type> losses_;
  parameter_vector<value_type, backend_type> before_;    // theta
  parameter_vector<value_type, backend_type> after_;     // theta+
  parameter_vector<value_type, backend_type> gradient_;  // V
};

}  // namespace gal::detail

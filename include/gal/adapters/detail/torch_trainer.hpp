// gal/adapters/detail/torch_trainer.hpp: the members that every trainer of libtorch's models has.
// Provides nothing to call by name. Included by gal/adapters/torch_*.hpp.
#pragma once

#include <gal/adapters/detail/torch_loss.hpp>
#include <gal/adapters/detail/torch_module.hpp>
#include <gal/adapters/detail/torch_optim.hpp>
#include <gal/adapters/detail/torch_state.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/error.hpp>
#include <gal/io/state.hpp>
#include <gal/train/step_report.hpp>

#include <torch/torch.h>

#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

namespace gal::inline GAL_ABI::detail {

template <class Loss, class Target>
constexpr void require_torch_loss() {
  static_assert(torch_loss<Loss, Target>,
                "gal/adapters/torch.hpp: the loss is neither gal::mse nor gal::softmax_cross_entropy of a "
                "tensor, nor a function of (features, target) that returns a torch::Tensor.");
}

/// A trainer derives from this and brings `step`, `report` and `visit_state`.
template <class Model, class Loss>
class torch_trainer {
 public:
  /// Loss of a batch as the model is: learns nothing, and leaves alone whether it is in training or evaluation
  /// (`gal::evaluation_mode`). On a device it waits.
  template <class Input, class Target = nothing>
  [[nodiscard]] batch_loss evaluate(const Input& input, const Target& target = {}) {
    require_torch_loss<Loss, Target>();
    const torch::NoGradGuard no_grad;
    const torch::Tensor features = torch_features(name_, *model_, input);
    check_features(name_, features);
    const torch::Tensor x = features.to(torch::kDouble);
    const torch::Tensor losses = torch_values_of<Loss, Target>(loss_, x, in_double(target));
    check_values(name_, losses, x);
    return {losses.mean().template item<double>(),
            static_cast<index_type>(losses.dim() > 0 ? losses.numel() : features.size(0))};
  }

  /// Lets the optimizer, or an adjuster of one's own, hold parameters that no gradient reaches in a step, as where a part of
  /// the model runs in some steps only: such a step leaves them as they are. Otherwise, as by default, it throws an error
  /// that names them. Frozen ones (`requires_grad` false) may always be there.
  void allow_unreached_parameters(bool allowed = true) { allows_unreached_ = allowed; }

  /// Steps taken or refused.
  [[nodiscard]] std::int64_t steps() const { return steps_; }

  [[nodiscard]] Model& model() { return *model_; }
  [[nodiscard]] torch::optim::Optimizer& optimizer() { return *optimizer_; }

 protected:
  torch_trainer(std::string_view name, Model& model, torch::optim::Optimizer& optimizer, Loss loss)
      : name_(name), model_(&model), optimizer_(&optimizer), loss_(std::move(loss)) {
    require(dynamic_cast<torch::optim::LBFGS*>(&optimizer) == nullptr, error_code::invalid_option, name,
            ": the optimizer is LBFGS, which evaluates the loss by itself; expected one that steps without a "
            "closure");
  }

  // Throws where the last backward pass left parameters of the optimizer without a gradient.
  void require_gradients() {
    detail::require_gradients(name_, *optimizer_, *model_, "optimizer", allows_unreached_);
  }

  // Parameters and buffers of the model, other parameters of the optimizer, and what that keeps.
  void show_model_and_optimizer(state_view& visit) {
    if constexpr (stateful<Model>) {
      visit("model", *model_);
    }
    show_other_parameters(visit, *optimizer_, *model_);
    show_optimizer(visit, "optimizer", *optimizer_,
                   [this]() -> torch::optim::Optimizer& { return *optimizer_; });
  }
  void show_steps(state_view& visit) { visit("steps", steps_, 0, std::numeric_limits<std::int64_t>::max()); }

  std::string_view name_;  // a literal, for messages
  Model* model_;
  torch::optim::Optimizer* optimizer_;
  Loss loss_;
  bool allows_unreached_ = false;
  std::int64_t steps_ = 0;
};

}  // namespace gal::detail

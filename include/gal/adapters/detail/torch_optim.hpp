// gal/adapters/detail/torch_optim.hpp: steps of torch's optimizers that the device may refuse, and companions of them.
// Provides nothing to call by name. Included by gal/adapters/torch_*.hpp.
#pragma once

#include <gal/adapters/detail/torch_module.hpp>
#include <gal/core/error.hpp>

#include <torch/torch.h>

#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::detail {

/// Learning rate of the first parameter group.
[[nodiscard]] inline double learning_rate_of(torch::optim::Optimizer& optimizer) {
  return optimizer.param_groups().front().options().get_lr();
}

/// The parameters of all groups that have a gradient.
[[nodiscard]] inline std::vector<torch::Tensor> parameters_with_gradient(torch::optim::Optimizer& optimizer) {
  std::vector<torch::Tensor> result;
  for (auto& group : optimizer.param_groups()) {
    for (torch::Tensor& parameter : group.params()) {
      if (parameter.grad().defined()) {
        result.push_back(parameter);
      }
    }
  }
  return result;
}

/// The parameters of all groups that are not frozen.
[[nodiscard]] inline std::vector<torch::Tensor> learning_parameters(torch::optim::Optimizer& optimizer) {
  std::vector<torch::Tensor> result;
  for (auto& group : optimizer.param_groups()) {
    for (torch::Tensor& parameter : group.params()) {
      if (parameter.requires_grad()) {
        result.push_back(parameter);
      }
    }
  }
  return result;
}

/// Takes the gradients away, so that afterwards those are undefined that no backward pass reached. (torch's own `zero_grad`
/// does so from 2.0 on; before that it leaves zeros.)
inline void clear_gradients(torch::optim::Optimizer& optimizer) {
  for (auto& group : optimizer.param_groups()) {
    for (torch::Tensor& parameter : group.params()) {
      parameter.mutable_grad().reset();
    }
  }
}

/// Throws where the last backward pass, since `clear_gradients`, reached no parameter of the optimizer, or, unless
/// `allowed`, not all that require a gradient. It names up to eight as `model` does, or by their place; `owner` is whose
/// they are, "optimizer" or "adjuster", and `who` asks.
template <class Model>
void require_gradients(std::string_view who, torch::optim::Optimizer& optimizer, Model& model,
                       std::string_view owner, bool allowed) {
  std::ostringstream missing;
  int unreached = 0;
  bool any = false;
  for (std::size_t g = 0; g < optimizer.param_groups().size(); ++g) {
    const std::vector<torch::Tensor>& parameters = optimizer.param_groups()[g].params();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const torch::Tensor& parameter = parameters[i];
      any = any || parameter.grad().defined();
      if (parameter.grad().defined() || !parameter.requires_grad() || ++unreached > 8) {
        continue;
      }
      std::string name = "parameter " + std::to_string(i) + " of group " + std::to_string(g);
      for_each_named_parameter(model, [&](const std::string& key, const torch::Tensor& value) {
        name = value.is_same(parameter) ? key : name;
      });
      missing << (unreached > 1 ? ", " : "") << name << ' ' << parameter.sizes();
    }
  }
  require(any, error_code::invalid_option, who, ": no parameter of the ", owner,
          " has a gradient; expected parameters that the model's features depend on");
  if (unreached > 8) {
    missing << " and " << unreached - 8 << " more";
  }
  require(unreached == 0 || allowed, error_code::invalid_option, who, ": no gradient reaches ", missing.str(),
          " of the ", owner,
          "; expected parameters that the features or the loss depend on, or allow_unreached_parameters()");
}

/// The moments of a parameter, where the type of its state is known: undefined where they are not in use.
[[nodiscard]] inline std::vector<torch::Tensor*> moments_of(torch::optim::OptimizerParamState& state) {
  if (auto* const sgd = dynamic_cast<torch::optim::SGDParamState*>(&state)) {
    return {&sgd->momentum_buffer()};
  }
  if (auto* const adam = dynamic_cast<torch::optim::AdamParamState*>(&state)) {
    return {&adam->exp_avg(), &adam->exp_avg_sq(), &adam->max_exp_avg_sq()};
  }
  if (auto* const adamw = dynamic_cast<torch::optim::AdamWParamState*>(&state)) {
    return {&adamw->exp_avg(), &adamw->exp_avg_sq(), &adamw->max_exp_avg_sq()};
  }
  if (auto* const rmsprop = dynamic_cast<torch::optim::RMSpropParamState*>(&state)) {
    return {&rmsprop->square_avg(), &rmsprop->momentum_buffer(), &rmsprop->grad_avg()};
  }
  if (auto* const adagrad = dynamic_cast<torch::optim::AdagradParamState*>(&state)) {
    return {&adagrad->sum()};
  }
  return {};
}

/// Calls `use.operator()<Optimizer, Options>()` for torch's elementwise optimizer that this is; false where it is none.
template <class Use>
bool with_type_of(const torch::optim::Optimizer& optimizer, Use use) {
  const auto is = [&]<class Optimizer, class Options>(std::pair<Optimizer*, Options*>) {
    const bool same = typeid(optimizer) == typeid(Optimizer);
    if (same) {
      use.template operator()<Optimizer, Options>();
    }
    return same;
  };
  using namespace torch::optim;
  return is(std::pair<SGD*, SGDOptions*>()) || is(std::pair<Adam*, AdamOptions*>()) ||
         is(std::pair<AdamW*, AdamWOptions*>()) || is(std::pair<RMSprop*, RMSpropOptions*>()) ||
         is(std::pair<Adagrad*, AdagradOptions*>());
}

[[nodiscard]] inline bool is_elementwise(const torch::optim::Optimizer& optimizer) {
  return with_type_of(optimizer, []<class Optimizer, class Options>() {});
}

/// An optimizer of the same method and settings over other parameters, with a state of its own.
[[nodiscard]] inline std::unique_ptr<torch::optim::Optimizer> companion_of(
    torch::optim::Optimizer& optimizer, const std::vector<torch::Tensor>& parameters) {
  std::unique_ptr<torch::optim::Optimizer> result;
  const bool known = with_type_of(optimizer, [&]<class Optimizer, class Options>() {
    const auto& options = static_cast<const Options&>(optimizer.param_groups().front().options());
    result = std::make_unique<Optimizer>(parameters, options);
  });
  require(
      known, error_code::invalid_option,
      "gal::adjust_options: training by the model's optimizer, which is none of SGD, Adam, AdamW, RMSprop, "
      "Adagrad; expected one of them, or adjuster_training::own_adam");
  return result;
}

/// What an optimizer and its parameters were before steps that may have to be taken back. Of an elementwise optimizer.
class optimizer_snapshot {
 public:
  explicit optimizer_snapshot(torch::optim::Optimizer& optimizer) : optimizer_(&optimizer) {
    for (auto& group : optimizer.param_groups()) {
      for (const torch::Tensor& parameter : group.params()) {
        parameters_.push_back(parameter);
        values_.push_back(parameter.detach().clone());
      }
    }
    for (const auto& [key, state] : optimizer.state()) {
      state_[key] = state->clone();  // which shares the moments
      for (torch::Tensor* const moment : moments_of(*state_[key])) {
        *moment = moment->defined() ? moment->clone() : *moment;
      }
    }
  }

  /// All as it was, bit for bit. Once.
  void restore() {
    const torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      parameters_[i].copy_(values_[i]);
    }
    optimizer_->state() = std::move(state_);
  }

  /// The same where `proceeds` is false, without asking the device. The optimizer's count of steps, which the host holds,
  /// goes on.
  void restore_unless(const torch::Tensor& proceeds) {
    const torch::NoGradGuard no_grad;
    const auto keep = [&](torch::Tensor& now, const torch::Tensor& before) {
      now.copy_(torch::where(proceeds.to(now.device(), /*non_blocking=*/true), now, before));
    };
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      keep(parameters_[i], values_[i]);
    }
    for (auto& [key, state] : optimizer_->state()) {
      const std::vector<torch::Tensor*> now = moments_of(*state);
      const auto saved = state_.find(key);
      const std::vector<torch::Tensor*> before =
          saved == state_.end() ? std::vector<torch::Tensor*>(now.size()) : moments_of(*saved->second);
      for (std::size_t i = 0; i < now.size(); ++i) {
        if (now[i]->defined()) {
          // Moments that the step brought into being start at zero.
          const bool had = before[i] != nullptr && before[i]->defined();
          keep(*now[i], had ? *before[i] : torch::zeros_like(*now[i]));
        }
      }
    }
  }

 private:
  torch::optim::Optimizer* optimizer_;
  std::vector<torch::Tensor> parameters_;
  std::vector<torch::Tensor> values_;
  std::decay_t<decltype(std::declval<torch::optim::Optimizer&>().state())> state_;
};

/// A step where `proceeds`, a truth value on the device, is true. It is read where `reads` allows that, or where the
/// optimizer's state is not known, so that a step could not be taken back.
inline void step_if(const torch::Tensor& proceeds, bool reads, torch::optim::Optimizer& optimizer) {
  if (reads || !is_elementwise(optimizer)) {
    if (proceeds.item<bool>()) {
      optimizer.step();
    }
    return;
  }
  optimizer_snapshot before(optimizer);
  optimizer.step();
  before.restore_unless(proceeds);
}

/// Squared norm of the gradients, a double on `device`.
[[nodiscard]] inline torch::Tensor squared_gradient_norm(const std::vector<torch::Tensor>& parameters,
                                                         torch::Device device) {
  std::vector<torch::Tensor> gradients;
  for (const torch::Tensor& parameter : parameters) {
    gradients.push_back(parameter.grad());
  }
  std::vector<torch::Tensor> norms;
  for (const torch::Tensor& norm : at::_foreach_norm(gradients)) {
    norms.push_back(norm.to(torch::TensorOptions(device).dtype(torch::kDouble), /*non_blocking=*/true));
  }
  return torch::stack(norms).square().sum();
}

/// Whether the gradients are finite, as a truth value on `device`. Squares beyond the scalar's range would make the moments
/// infinite, and keep them so.
[[nodiscard]] inline torch::Tensor gradients_are_bounded(torch::optim::Optimizer& optimizer,
                                                         torch::ScalarType type, torch::Device device) {
  const double limit = type == torch::kDouble ? std::numeric_limits<double>::max()
                                              : static_cast<double>(std::numeric_limits<float>::max());
  return squared_gradient_norm(parameters_with_gradient(optimizer), device) <= limit;
}

}  // namespace gal::detail

// gal/adapters/detail/torch_method.hpp: what the methods of the Taylor engine share in a step on a libtorch model.
// Provides nothing to call by name. Included by gal/adapters/torch_*.hpp.
#pragma once

#include <gal/adapters/detail/torch_optim.hpp>
#include <gal/adapters/detail/torch_pass.hpp>
#include <gal/adapters/detail/torch_trainer.hpp>
#include <gal/core/error.hpp>
#include <gal/train/step_report.hpp>

#include <torch/torch.h>

#include <cmath>
#include <cstddef>
#include <string_view>
#include <utility>

namespace gal::inline GAL_ABI::detail {

/// A trainer that differentiates along directions derives from this. `Numbers` is what a step finds out, of which `report_of`
/// makes the report. The host reads them in the step, and waits where the model is on a device.
template <class Model, class Loss, class Numbers>
class torch_method : public torch_trainer<Model, Loss> {
  using base = typename torch_method::torch_trainer;

 public:
  using report_type = decltype(report_of(std::declval<const Numbers&>(), double(), index_type(), double()));

  /// What the last step did. NaN before the first step, and before the next after a state was loaded.
  [[nodiscard]] report_type report() const {
    return report_of(numbers_, samples_ > 0 ? 1.0 : 0.0, samples_, learning_rate_);
  }

  /// Of the last step: the gradient G of the loss with respect to the features, of their size, and the samples' losses (or
  /// their mean, where the loss gives no more), in double.
  [[nodiscard]] const torch::Tensor& last_gradient() const { return gradient_; }
  [[nodiscard]] const torch::Tensor& last_sample_losses() const { return losses_; }

 protected:
  torch_method(std::string_view name, Model& model, torch::optim::Optimizer& optimizer, Loss loss,
               non_finite_policy policy)
      : base(name, model, optimizer, std::move(loss)), policy_(policy) {}

  // That of the parameters, and of the draws.
  [[nodiscard]] torch::Device device() const {
    return this->optimizer_->param_groups().front().params().front().device();
  }

  // Model and loss of a batch, of which nothing is recorded yet.
  template <class Input, class Target>
  [[nodiscard]] torch_pass pass_over(const Input& input, const Target& target, bool twice) {
    require_torch_loss<Loss, Target>();
    return torch_pass(this->name_, *this->model_, this->loss_, input, target,
                      learning_parameters(*this->optimizer_), twice);
  }

  // A step begins. Whether it goes on to the parameters' gradients.
  [[nodiscard]] bool take_loss(const torch_pass& pass) {
    ++this->steps_;
    numbers_ = {};
    samples_ = static_cast<index_type>(pass.samples());
    learning_rate_ = learning_rate_of(*this->optimizer_);
    losses_ = pass.losses();
    gradient_ = pass.gradient();
    feature_type_ = pass.feature_type();
    numbers_.loss = losses_.mean().template item<double>();
    numbers_.gradient_square = gradient_.square().sum().template item<double>();
    numbers_.proceeds = policy_ == non_finite_policy::ignore || std::isfinite(numbers_.loss) ? 1.0 : 0.0;
    return numbers_.proceeds == 1.0;
  }

  // Whether it goes on from them.
  [[nodiscard]] bool take_gradients(const torch_pass& pass, const torch_list& gradients) {
    set_gradients(pass, gradients);
    this->require_gradients();
    numbers_.proceeds = has_bounded_gradients() ? 1.0 : 0.0;
    return numbers_.proceeds == 1.0;
  }

  void set_gradients(const torch_pass& pass, const torch_list& gradients) {
    clear_gradients(*this->optimizer_);
    for (std::size_t k = 0; k < gradients.size(); ++k) {
      torch::Tensor parameter = pass.parameters()[k];
      parameter.mutable_grad() = gradients[k];
    }
  }

  [[nodiscard]] bool has_bounded_gradients() {
    // As `torch_adjust` has it: features of double precision, or of less.
    return policy_ == non_finite_policy::ignore ||
           gradients_are_bounded(*this->optimizer_, feature_type_, losses_.device()).template item<bool>();
  }

  // The gradients that the parameters of a pass have now; zeros where they have none.
  [[nodiscard]] static torch_list gradients_of(const torch_pass& pass) {
    torch_list result;
    for (const torch::Tensor& parameter : pass.parameters()) {
      result.push_back(parameter.grad().defined() ? parameter.grad() : torch::zeros_like(parameter.detach()));
    }
    return result;
  }

  // V, the gradient of held-out samples as the model is now; afterwards it is the parameters' own.
  template <class HeldOut>
  [[nodiscard]] torch_list find_held_out_gradient(const HeldOut& held_out) {
    torch_pass pass = pass_over(held_out.samples, held_out.target, /*twice=*/false);
    numbers_.held_out_loss = pass.losses().mean().template item<double>();
    set_gradients(pass, pass.differentiate());
    numbers_.held_out_proceeds = has_bounded_gradients() ? 1.0 : 0.0;
    return gradients_of(pass);
  }

  // Ends a step that changes nothing.
  report_type refuse(std::string_view what) {
    require(policy_ != non_finite_policy::raise, error_code::non_finite, this->name_, "::step: ", what,
            " (loss ", numbers_.loss, ", learning rate ", learning_rate_, "); nothing was changed");
    return report();
  }
  report_type refuse_loss() { return refuse("the loss is not finite"); }
  report_type refuse_gradient() {
    return refuse("a parameter's gradient is not finite, or too large to be squared");
  }

  // The last part of a state.
  void show_steps_and_forget(state_view& visit) {
    this->show_steps(visit);
    visit.after_loading([this] {
      numbers_ = {};
      samples_ = 0;
      learning_rate_ = step_report::none;
    });
  }

  Numbers numbers_;
  non_finite_policy policy_;
  index_type samples_ = 0;
  double learning_rate_ = step_report::none;
  torch::Tensor gradient_;
  torch::Tensor losses_;
  torch::ScalarType feature_type_ = torch::kDouble;
};

}  // namespace gal::detail

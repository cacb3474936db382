// gal/adapters/torch_rescaled.hpp: curvature-rescaled steps for libtorch: any of its optimizers, modules and TorchScript.
// Provides: torch_rescaled. Includes gal/train/rescaled_options.hpp, gal/loss/entrywise.hpp and
// gal/loss/softmax_cross_entropy.hpp. Needs the CMake target gal::torch.
#pragma once

#include <gal/adapters/detail/torch_method.hpp>
#include <gal/adapters/detail/torch_pass.hpp>
#include <gal/adapters/detail/torch_random.hpp>
#include <gal/core/detail/transfer.hpp>
#include <gal/train/rescaled_options.hpp>

#include <torch/torch.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

namespace detail {

/// What a module gathers without learning, such as the statistics of batch normalisation: as it was, at the end.
template <class Model>
class kept_buffers {
 public:
  explicit kept_buffers(Model& model) {
    if constexpr (torch_model<Model>) {
      for_each_named_buffer(model, [this](const std::string&, const torch::Tensor& buffer) {
        if (buffer.defined()) {
          buffers_.emplace_back(buffer, buffer.detach().clone());
        }
      });
    }
  }
  kept_buffers(const kept_buffers&) = delete;
  kept_buffers& operator=(const kept_buffers&) = delete;
  ~kept_buffers() {
    const torch::NoGradGuard no_grad;
    for (auto& [buffer, value] : buffers_) {
      buffer.copy_(value);
    }
  }

 private:
  std::vector<std::pair<torch::Tensor, torch::Tensor>> buffers_;
};

}  // namespace detail

/// `rescaled` for libtorch: the same formulas, options and report. The optimizer proposes a step u, the parameters return, and
/// they take u as many times as slope and curvature along it say:
///
///     n = <g, u>       d = abs(u^T H u), the Gauss-Newton curvature, the larger, or abs(2 R)      on the same batch
///     theta = theta - factor (m_n / m_d) u             m_n and m_d averages of n and d
///
/// The curvatures come by torch's double backward (`torch_derivatives_along`); `options.pass`, the way to them, has no part here.
/// `curvature_kind::remainder` needs none: it is a second forward pass at theta - u, with the same draws, after which the buffers
/// of a module are as they were.
///
///     torch::optim::Adam optimizer(model->parameters(), 1e-3);   // the rate cancels
///     gal::torch_rescaled trainer(model, optimizer, gal::mse());
///     gal::rescaled_report report = trainer.step(x, y);
///
/// Model, loss and optimizer are what `torch_adjust` takes, and the optimizer's parameters likewise; those that others step get no
/// gradients. u is the difference of the parameters before and after the optimizer's step: its learning rate should not be so
/// small that this is rounding. A batch with a loss or gradient that is not finite changes nothing (`non_finite`). A step waits
/// for the device.
///
/// Model and optimizer are referred to and must outlive the trainer; loss and options are copied.
template <class Model, class Loss>
class torch_rescaled : public detail::torch_method<Model, Loss, detail::rescaled_numbers> {
  using base = typename torch_rescaled::torch_method;
  using base::numbers_;

 public:
  using typename base::report_type;

  /// Throws where an option is outside its range.
  torch_rescaled(Model& model, torch::optim::Optimizer& optimizer, Loss loss, rescaled_options options = {})
      : base("gal::torch_rescaled", model, optimizer, std::move(loss), options.non_finite),
        options_(detail::validated(std::move(options))) {}

  /// One training step on a batch: `input` as the model takes it, `target` as the loss does. Throws `gal::error` for
  /// features, targets and losses that do not fit, before anything changes but what the model's forward changes; and where an
  /// operation has no double backward, with the parameters as they were and the optimizer's state a step ahead.
  template <class Input, class Target = nothing>
  report_type step(const Input& input, const Target& target = {}) {
    const torch::AutoGradMode with_gradients(true);
    const bool by_remainder = options_.curvature == curvature_kind::remainder;
    std::optional<detail::default_generators> draws;
    if (by_remainder) {
      draws.emplace(this->device());
    }
    detail::torch_pass pass = this->pass_over(input, target, !by_remainder);
    if (!this->take_loss(pass)) {
      return this->refuse_loss();
    }
    if (!this->take_gradients(pass, pass.differentiate())) {
      return this->refuse_gradient();
    }

    detail::torch_place theta(pass.parameters());
    directional_derivatives along;
    try {
      propose(theta, pass);
      if (by_remainder) {
        along = remainder_along(pass, input, target, *draws);
      }
      theta.return_parameters();
    } catch (...) {
      theta.return_parameters();
      throw;
    }
    if (!by_remainder) {
      along = pass.along(proposal_, order()).read();
    }

    numbers_.slope = along.first;
    numbers_.gauss_newton = along.gauss_newton;
    numbers_.second = along.second;
    const double factor = options_.factor * options_.schedule.factor(this->steps_ - 1);
    detail::set_multiplier(options_.curvature, options_.averaging, factor, options_.largest, averages_.data(),
                           &numbers_);
    if (numbers_.multiplier > 0.0) {
      const torch::NoGradGuard no_grad;
      for (std::size_t k = 0; k < proposal_.size(); ++k) {
        torch::Tensor parameter = pass.parameters()[k];
        parameter.sub_(proposal_[k], numbers_.multiplier);
      }
    }
    return this->report();
  }

  [[nodiscard]] const rescaled_options& options() const { return options_; }

  /// Of the last step: u, the step that the optimizer proposed, for each of its parameters that require gradients.
  [[nodiscard]] const std::vector<torch::Tensor>& last_proposal() const { return proposal_; }

  /// All that the next step depends on but torch's generators: the model's parameters and buffers, other parameters of the
  /// optimizer, what that keeps, and the averages. Settings have to be the same where it is loaded.
  void visit_state(state_view& visit) {
    visit("options", options_);
    visit("schedule", options_.schedule);
    this->show_model_and_optimizer(visit);
    visit.tensor("averages", detail::on_host(), averages_.data(),
                 {static_cast<index_type>(averages_.size())});
    this->show_steps_and_forget(visit);
  }

 private:
  [[nodiscard]] expansion_order order() const {
    return options_.curvature == curvature_kind::gauss_newton ? expansion_order::gauss_newton
                                                              : expansion_order::second;
  }

  // The optimizer's step; u.
  void propose(const detail::torch_place& theta, const detail::torch_pass& pass) {
    this->optimizer_->step();
    const torch::NoGradGuard no_grad;
    proposal_.clear();
    for (std::size_t k = 0; k < theta.values().size(); ++k) {
      proposal_.push_back(theta.values()[k] - pass.parameters()[k].detach());
    }
  }

  // <g, u> and 2 R, with the parameters at theta - u.
  template <class Input, class Target>
  [[nodiscard]] directional_derivatives remainder_along(const detail::torch_pass& pass, const Input& input,
                                                        const Target& target,
                                                        const detail::default_generators& draws) {
    const torch::NoGradGuard no_grad;
    const detail::borrowed_generators borrowed(this->device());
    const detail::kept_buffers<Model> kept(*this->model_);
    draws.restore();
    const torch::Tensor x = detail::torch_features(this->name_, *this->model_, input).to(torch::kDouble);
    const torch::Tensor before = pass.features();
    detail::require(x.sizes() == before.sizes(), error_code::shape_mismatch, this->name_,
                    ": the features are ", detail::sizes_of(before), ", then ", detail::sizes_of(x),
                    "; expected one size");
    detail::torch_list gradients;
    for (const torch::Tensor& parameter : pass.parameters()) {
      gradients.push_back(parameter.grad());
    }
    const torch::Tensor slope = detail::inner_product(gradients, proposal_, before.device());
    torch::Tensor remainder;
    if constexpr (detail::torch_closed_form<Loss>) {
      // Zero where both are the same infinity, as the logits of a class that is masked out.
      const torch::Tensor d = (before - x).masked_fill(before == x, 0.0);
      const torch::Tensor losses =
          detail::torch_remainders(this->loss_, before, detail::in_double(target), d);
      remainder = losses.mean() + (slope - (pass.gradient() * d).sum());
    } else {
      const torch::Tensor losses =
          detail::torch_values_of<Loss, Target>(this->loss_, x, detail::in_double(target));
      remainder = losses.mean() - pass.losses().mean() + slope;
    }
    directional_derivatives result;
    result.first = slope.template item<double>();
    result.second = 2.0 * remainder.template item<double>();
    return result;
  }

  rescaled_options options_;
  detail::torch_list proposal_;               // u
  std::array<double, 2> averages_{0.0, 0.0};  // m_n and m_d
};

}  // namespace gal

// gal/adapters/torch_instance_rates.hpp: a learning rate for every sample of the data, for libtorch.
// Provides: torch_instance_rates. Includes gal/train/instance_rates_options.hpp, gal/loss/entrywise.hpp and
// gal/loss/softmax_cross_entropy.hpp. Needs the CMake target gal::torch.
#pragma once

#include <gal/adapters/detail/torch_held_out.hpp>
#include <gal/adapters/detail/torch_method.hpp>
#include <gal/adapters/detail/torch_pass.hpp>
#include <gal/core/concepts.hpp>
#include <gal/train/instance_rates_options.hpp>

#include <torch/torch.h>

#include <span>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// `instance_rates` for libtorch: the same formulas, options and report. With B samples in the batch, V the held-out samples'
/// gradient at theta+ and alpha the optimizer's learning rate
///
///     theta+   = a step of the optimizer along (1/B) sum_i lambda_i grad l_i(theta)
///     s_i      = <grad l_i(theta), V>                                      by double backward, with the pass at theta
///     lambda_i = clip(lambda_i + rate s_i / rms(s), 0, largest)            or + rate (alpha/B) s_i
///     theta    = a step of the optimizer along V                           with `train_on_held_out`
///
///     gal::torch_instance_rates trainer(model, optimizer, gal::softmax_cross_entropy(), batches, clean_x, clean_y);
///     for (...) trainer.step(x, y);                    // the samples that batches.rows() names
///     trainer.least_trusted(10);
///
/// `batches` says which samples it has handed out last (`row_source`). Model, loss and optimizer are what `torch_adjust` takes; the
/// loss gives the losses of the samples, one for each row. The model runs forward over the batch and over the held-out samples, so
/// that in training it draws for both, and its statistics move by both. Batch normalisation in training couples the samples, whose
/// gradients of their own do not exist then: s_i is the derivative of the sample's loss in its batch. A batch with a loss or
/// gradient that is not finite changes nothing (`non_finite`). A step waits for the device.
///
/// Model, optimizer and batches are referred to and must outlive the trainer; loss, options and held-out samples are copied
/// (tensors share their memory).
template <class Model, class Loss, class Rows, class HeldOut, class HeldOutTarget>
class torch_instance_rates : public detail::torch_method<Model, Loss, detail::instance_rates_numbers> {
  using base = typename torch_instance_rates::torch_method;
  using base::numbers_;
  static_assert(row_source<Rows>,
                "gal::torch_instance_rates: the batches say which samples they hold by samples() and rows(), "
                "as gal::batches does.");

 public:
  using typename base::report_type;

  /// Throws where an option is outside its range, and where the held-out samples do not fit a module and the loss.
  torch_instance_rates(Model& model, torch::optim::Optimizer& optimizer, Loss loss, const Rows& batches,
                       HeldOut held_out, HeldOutTarget held_out_target, instance_rates_options options = {})
      : base("gal::torch_instance_rates", model, optimizer, std::move(loss), options.non_finite),
        options_(detail::validated(options)),
        batches_(&batches),
        held_out_{std::move(held_out), std::move(held_out_target)},
        rates_("gal::torch_instance_rates", batches.samples(), options_) {
    held_out_.check(*this, this->device());
  }

  /// One training step on the batch that the batches have handed out last. Throws `gal::error` for features, targets and losses
  /// that do not fit, and a batch of another size than `rows()`, before anything changes but what the model's forward changes.
  template <class Input, class Target = nothing>
  report_type step(const Input& input, const Target& target = {}) {
    const torch::AutoGradMode with_gradients(true);
    detail::torch_pass pass = this->pass_over(input, target, /*twice=*/true);
    pass.require_samples();
    const std::span<const double> rates =
        rates_.take(batches_->rows(), static_cast<index_type>(pass.samples()));
    const bool has_loss = this->take_loss(pass);
    numbers_.mean_rate = rates_.mean();
    numbers_.zero_share = rates_.zero_share();
    if (!has_loss) {
      return this->refuse_loss();
    }
    if (!this->take_gradients(pass, pass.differentiate(detail::on_device_of(rates, pass.losses())))) {
      return this->refuse_gradient();
    }

    // V at theta+. The samples' products are taken at theta, where their pass was.
    const detail::torch_place theta(pass.parameters());
    this->optimizer_->step();
    const detail::torch_list v = this->find_held_out_gradient(held_out_);
    theta.look_back([&] { products_ = pass.along(v, expansion_order::first).samples_first; });
    rates_.move(batches_->rows(), detail::on_host_from(products_), this->learning_rate_);
    if (options_.train_on_held_out && numbers_.held_out_proceeds == 1.0) {
      this->optimizer_->step();
    }
    return this->report();
  }

  [[nodiscard]] const instance_rates_options& options() const { return options_; }

  /// The samples' rates, by their numbers in the data.
  [[nodiscard]] std::span<const double> rates() const { return rates_.rates(); }

  /// Sets them all; throws for another number of samples, and for rates outside [0, largest].
  void set_rates(std::span<const double> rates) { rates_.set(rates); }

  /// The samples of the smallest and of the largest rates, by their numbers, the most extreme first; of equal rates those of
  /// smaller numbers first.
  [[nodiscard]] std::vector<index_type> least_trusted(index_type count) const {
    return rates_.least_trusted(count);
  }
  [[nodiscard]] std::vector<index_type> most_trusted(index_type count) const {
    return rates_.most_trusted(count);
  }

  /// Of the last step: the products s_i = <grad l_i(theta), V>, of the losses' sizes.
  [[nodiscard]] const torch::Tensor& last_products() const { return products_; }

  /// All that the next step depends on but torch's generators: the model's parameters and buffers, other parameters of the
  /// optimizer, what that keeps, and the rates. Settings have to be the same where it is loaded.
  void visit_state(state_view& visit) {
    visit("options", options_);
    this->show_model_and_optimizer(visit);
    rates_.visit_state(visit, "rates");
    this->show_steps_and_forget(visit);
  }

 private:
  instance_rates_options options_;
  const Rows* batches_;
  detail::torch_held_out<HeldOut, HeldOutTarget> held_out_;
  detail::rate_table rates_;
  torch::Tensor products_;  // s_i
};

}  // namespace gal

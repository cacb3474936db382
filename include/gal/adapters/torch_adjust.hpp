// gal/adapters/torch_adjust.hpp: gradient adjustment learning for libtorch: modules, TorchScript, optimizers, on their device.
// Provides: torch_adjust. Includes gal/train/adjust_options.hpp, gal/loss/entrywise.hpp and
// gal/loss/softmax_cross_entropy.hpp. Needs the CMake target gal::torch.
#pragma once

#include <gal/adapters/detail/torch_adjustment.hpp>
#include <gal/adapters/detail/torch_loss.hpp>
#include <gal/adapters/detail/torch_module.hpp>
#include <gal/adapters/detail/torch_optim.hpp>
#include <gal/adapters/detail/torch_state.hpp>
#include <gal/adapters/detail/torch_trainer.hpp>
#include <gal/train/adjust_options.hpp>
#include <gal/train/adjust_report.hpp>

#include <torch/torch.h>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

namespace detail {

/// Whether a number may be read in a step: on the processor, where nothing has to be waited for. The tests put another in
/// its place, and so do on the processor what a device does.
struct reads_on_processor {
  static bool may_read(torch::Device device) { return device.is_cpu(); }
};

}  // namespace detail

/// `adjust` for libtorch: the same algorithm, options and report, in ATen on the features' own device and dtype (the loss,
/// the remainder and all sums in double; adjuster and adjustment of half-precision features in float). On a device no
/// step waits for it: the safeguard and the policy for numbers that are not finite are decided there.
///
/// The model is any module, TorchScript module, or function of the input; it runs forward once in a step. The features
/// have at least two axes, the last of which is the feature: `(n, d)`, boxes `(n, q, 4)`, sequences `(n, t, d)`. The loss is
/// `gal::mse` or `gal::softmax_cross_entropy`, with closed forms of the remainder, where all axes but the last count
/// samples; or a function of features and target (both in double) that returns the losses of the samples, of the sizes of
/// the features' first axes (all but the last, or fewer: `(n)` of sequences), or their mean. Parameters that the loss
/// depends on get its gradient at the features, as in a plain step.
///
/// The optimizer is any of torch's that steps without a closure, over the parameters of model and loss. Those that no
/// gradient reaches in a step are an error, unless they are frozen or `allow_unreached_parameters` was called. Torch's
/// default generators are left as a plain step leaves them.
///
///     torch::nn::Sequential model(torch::nn::Linear(13, 50), torch::nn::ReLU(), torch::nn::Linear(50, 1));
///     torch::optim::Adam optimizer(model->parameters(), 1e-3);
///     gal::torch_adjust trainer(model, optimizer, gal::mse());
///     gal::adjust_report report = trainer.step(x, y);   // reads, and on a device waits
///
/// `gal::fit` trains with it, as with any trainer: batches are pairs of tensors, and the module is in evaluation in
/// validation.
///
/// Model and optimizer are referred to and must outlive the trainer; loss and options are copied.
template <class Model, class Loss, class Reading = detail::reads_on_processor>
class torch_adjust : public detail::torch_trainer<Model, Loss> {
  using base = typename torch_adjust::torch_trainer;
  using base::allows_unreached_;
  using base::loss_;
  using base::model_;
  using base::name_;
  using base::optimizer_;
  using base::steps_;

 public:
  using report_type = adjust_report;

  /// The adjuster is built from the options at the first step. Throws where an option is outside its range.
  torch_adjust(Model& model, torch::optim::Optimizer& optimizer, Loss loss, adjust_options options = {})
      : base("gal::torch_adjust", model, optimizer, std::move(loss)),
        options_(detail::validated(std::move(options))) {
    detail::require(options_.normalisation != normalisation::sample_weight &&
                        options_.normalisation != normalisation::additive,
                    error_code::invalid_option, "gal::torch_adjust: normalisation ", options_.normalisation,
                    "; expected per_sample, per_batch or gate");
    detail::require(!detail::is_closed_form(options_.adjuster.kind), error_code::invalid_option,
                    "gal::torch_adjust: adjuster ", options_.adjuster.kind,
                    "; expected learned, untrained, zero, uniform or normal");
    detail::require(options_.input != adjuster_input::losses, error_code::invalid_option,
                    "gal::torch_adjust: input losses; expected features or features_and_gradients");
    detail::require(
        options_.training == adjuster_training::own_adam || detail::is_elementwise(optimizer),
        error_code::invalid_option,
        "gal::adjust_options: training by the model's optimizer, which is none of SGD, Adam, AdamW, "
        "RMSprop, Adagrad; expected one of them, or adjuster_training::own_adam");
  }

  /// With an adjuster of one's own: any modules, from the adjuster's input `(..., d)`, or `(..., 2 d)` where it sees the
  /// gradients, to `(..., d)`, on the device and in the dtype of the features.
  torch_adjust(Model& model, torch::optim::Optimizer& optimizer, Loss loss, adjust_options options,
               torch::nn::Sequential adjuster)
      : torch_adjust(model, optimizer, std::move(loss), std::move(options)) {
    options_.adjuster.kind = adjuster_kind::learned;
    is_given_ = true;
    adopt(std::move(adjuster));
  }

  /// One training step on a batch: `input` as the model takes it, `target` as the loss does. Throws `gal::error` for
  /// features, targets and losses that do not fit, before anything changes but what the model's forward changes.
  template <class Input, class Target = nothing>
  pending_report<torch_adjust> step(const Input& input, const Target& target = {}) {
    detail::require_torch_loss<Loss, Target>();
    const torch::AutoGradMode with_gradients(true);

    // Features X, loss L and its gradient G.
    const torch::Tensor features = detail::torch_features(name_, *model_, input);
    detail::check_features(name_, features);
    detail::require(
        features.requires_grad(), error_code::invalid_option,
        "gal::torch_adjust: the features do not depend on a parameter that requires a gradient; expected a "
        "model to train");
    const torch::Tensor x = features.detach().to(working_type(features));
    prepare(x);
    const detail::torch_expansion<Loss, Target> expansion(name_, loss_, x, target);
    check_decision(expansion.has_samples());
    remember_adjuster();
    try {
      return step_along(features, x, expansion);
    } catch (...) {
      restore_adjuster();
      throw;
    }
  }

  /// What the last step did; waits for the device. NaN before the first step, and before the next after a state was loaded.
  [[nodiscard]] adjust_report report() const {
    if (!numbers_.loss.defined()) {
      return detail::report_of(detail::adjust_numbers(), 0.0, 0, adjust_report::none);
    }
    return detail::report_of(numbers_.read(), 1.0, static_cast<index_type>(samples_), learning_rate_);
  }

  [[nodiscard]] const adjust_options& options() const { return options_; }

  /// All that the next step depends on but torch's generators: the model's parameters and buffers, other parameters of the
  /// optimizer, and what optimizer and adjuster keep. Settings have to be the same where it is loaded.
  void visit_state(state_view& visit) {
    visit("options", options_);
    this->show_model_and_optimizer(visit);

    // The adjuster is built at the first step, so that it may be in the state alone.
    const index_type features = visit.count("features", features_);
    const bool in_double = visit.count("adjuster_in_double", adjuster_in_double_ ? 1 : 0) == 1;
    torch::nn::Sequential adjuster = adjuster_;
    std::shared_ptr<torch::optim::Optimizer> loaded;
    if (!has_adjuster() && features > 0) {
      const torch::Device device = optimizer_->param_groups().front().params().front().device();
      const torch::ScalarType type = in_double ? torch::kDouble : torch::kFloat;
      adjuster = new_adjuster(features, torch::TensorOptions(device).dtype(type));
      loaded = optimizer_for(detail::learning_parameters(*adjuster));
      visit.after_loading([this, adjuster, features, in_double] {
        adopt(adjuster);
        features_ = features;
        adjuster_in_double_ = in_double;
      });
    }
    if (!adjuster.is_empty()) {
      visit("adjuster", adjuster);
    }
    if (torch::optim::Optimizer* const here = loaded ? loaded.get() : adjuster_optimizer_.get()) {
      detail::show_optimizer(visit, "adjuster_optimizer", *here,
                             [this]() -> torch::optim::Optimizer& { return *adjuster_optimizer_; });
    }
    visit("draws", draws_);
    this->show_steps(visit);
    visit.after_loading([this] { numbers_ = {}; });
  }

  /// The adjuster; throws before the first step unless one was given, and where its kind has no network.
  [[nodiscard]] torch::nn::Sequential adjuster() const {
    detail::require(
        has_adjuster(), error_code::invalid_option,
        "gal::torch_adjust::adjuster: none; it is built at the first step, if its kind has a network");
    return adjuster_;
  }

  /// What steps the adjuster, to be saved and loaded; throws where none learns.
  [[nodiscard]] torch::optim::Optimizer& adjuster_optimizer() {
    detail::require(
        trains(), error_code::invalid_option,
        "gal::torch_adjust::adjuster_optimizer: no adjuster that learns; it is built at the first step");
    return *adjuster_optimizer_;
  }

  /// Of the last step: the gradient G of the loss with respect to the features and the adjustment A, of the features'
  /// size, and the samples' losses (or their mean, where the loss gives no more).
  [[nodiscard]] const torch::Tensor& last_gradient() const { return gradient_; }
  [[nodiscard]] const torch::Tensor& last_adjustment() const { return adjustment_; }
  [[nodiscard]] const torch::Tensor& last_sample_losses() const { return losses_; }

 private:
  // A step on the features, and on them as the adjuster takes them, `x`.
  template <class Expansion>
  pending_report<torch_adjust> step_along(const torch::Tensor& features, const torch::Tensor& x,
                                          const Expansion& expansion) {
    ++steps_;
    numbers_ = {};
    samples_ = expansion.samples();
    sample_axes_ = expansion.sample_axes();
    losses_ = expansion.losses();
    gradient_ = expansion.gradient().to(x.dtype());
    numbers_.loss = losses_.mean();
    const bool ignores = options_.non_finite == non_finite_policy::ignore;
    numbers_.proceeds = ignores ? torch::ones_like(numbers_.loss, torch::kBool) : numbers_.loss.isfinite();
    if (refused()) {
      return refuse("the loss is not finite");
    }

    const double length = step_length();
    numbers_.gradient_square = inner(gradient_, gradient_);
    torch::Tensor vanilla_changes;
    if (options_.safeguard == safeguard::not_worse_than_vanilla || options_.report_vanilla) {
      const torch::NoGradGuard no_grad;
      const torch::Tensor displacement = (length * gradient_).to(torch::kDouble);
      vanilla_changes = expansion.remainder(displacement) - expansion.first_order(displacement);
      numbers_.vanilla_change = vanilla_changes.mean();
    }

    // Adjustment A = h(X), tentative step D along G + A, remainder R; then the adjuster learns from it.
    torch::Tensor changes;
    for (int k = 1;; ++k) {
      const torch::AutoGradMode only_where_it_learns(trains());
      const torch::Tensor adjustment =
          detail::torch_adjustment(options_, propose(x), gradient_, sample_axes_);
      const torch::Tensor displacement = (length * (gradient_ + adjustment)).to(torch::kDouble);
      const torch::Tensor remainders = expansion.remainder(displacement);
      const torch::Tensor first_order = expansion.first_order(displacement);
      const torch::Tensor remainder = remainders.mean() + (first_order_weight(x) - 1.0) * first_order.mean();
      // Lt - L = R - <D, G>, sample by sample, where both terms are small.
      const torch::Tensor tentative = remainders - first_order;
      adjustment_ = adjustment.detach();
      numbers_.remainder = remainder.detach();
      changes = tentative.detach();
      if (!trains()) {
        break;
      }
      teach(options_.objective == objective::remainder ? remainder.abs() : tentative.mean());
      if (k == options_.adjuster_steps) {
        break;
      }
      step_or_refuse(bounded(*adjuster_optimizer_), *adjuster_optimizer_);
    }
    numbers_.change = changes.mean();
    numbers_.gradient_adjustment = inner(gradient_, adjustment_);
    numbers_.adjustment_square = inner(adjustment_, adjustment_);

    // The safeguard, and the chosen gradient through the model; model and adjuster step.
    const torch::Tensor accepted = detail::torch_decision(options_, changes, vanilla_changes);
    numbers_.accepted = accepted.to(torch::kDouble).mean();
    // An infinite feature stays where it is, whatever A says.
    const torch::Tensor adjusts =
        detail::beside_features(accepted, gradient_).logical_and(x.isinf().logical_not());
    const torch::Tensor chosen =
        torch::where(adjusts, gradient_ + adjustment_, gradient_).to(features.dtype());
    detail::clear_gradients(*optimizer_);
    if (const torch::Tensor& mean = expansion.mean_of_parameters(); mean.defined()) {
      // In one pass: the loss may depend on tensors of the model too.
      torch::autograd::backward({features, mean}, {chosen, torch::ones_like(mean)});
    } else {
      features.backward(chosen);
    }
    this->require_gradients();
    numbers_.proceeds = numbers_.proceeds.logical_and(bounded(*optimizer_));
    if (refused()) {
      return refuse("a parameter's gradient is not finite, or too large to be squared");
    }
    if (before_ && !reads_) {
      before_->restore_unless(numbers_.proceeds);
    }
    before_.reset();
    step_or_refuse(numbers_.proceeds, *optimizer_);
    if (trains()) {
      step_or_refuse(numbers_.proceeds.logical_and(bounded(*adjuster_optimizer_)), *adjuster_optimizer_);
    }
    return pending_report(*this);
  }

  // The objective's gradient for the adjuster, and for nothing else that the loss depends on.
  void teach(const torch::Tensor& objective) {
    detail::clear_gradients(*adjuster_optimizer_);
    objective.backward({}, /*retain_graph=*/false, /*create_graph=*/false, adjuster_parameters_);
    detail::require_gradients(name_, *adjuster_optimizer_, adjuster_, "adjuster", allows_unreached_);
  }

  static torch::ScalarType working_type(const torch::Tensor& features) {
    return features.scalar_type() == torch::kDouble ? torch::kDouble : torch::kFloat;
  }

  static torch::Tensor inner(const torch::Tensor& a, const torch::Tensor& b) {
    return (a.to(torch::kDouble) * b).sum();
  }

  [[nodiscard]] bool has_adjuster() const { return !adjuster_.is_empty(); }
  [[nodiscard]] bool trains() const { return adjuster_optimizer_ != nullptr; }
  [[nodiscard]] bool sees_gradients() const {
    return options_.input == adjuster_input::features_and_gradients;
  }

  void check_decision(bool has_samples) const {
    detail::require(
        has_samples || options_.decision == decision::per_batch || detail::decides_alike(options_),
        error_code::invalid_option,
        "gal::adjust_options: decision per_sample, and the loss returned one number; expected "
        "decision::per_batch, or a loss that returns the losses of the samples");
  }
  // Builds the adjuster at the first batch.
  void prepare(const torch::Tensor& x) {
    learning_rate_ = detail::learning_rate_of(*optimizer_);
    reads_ = Reading::may_read(x.device());
    const bool has_network = detail::has_network(options_.adjuster.kind);
    if (has_network && !has_adjuster()) {
      adopt(new_adjuster(x.size(-1), x.options()));
      features_ = x.size(-1);
      adjuster_in_double_ = x.scalar_type() == torch::kDouble;
    }
    detail::require(features_ == 0 || features_ == x.size(-1), error_code::shape_mismatch,
                    "gal::torch_adjust: the features are ", detail::sizes_of(x), "; expected ", features_,
                    " as the last size, for which the adjuster was built");
  }

  [[nodiscard]] torch::nn::Sequential new_adjuster(index_type features,
                                                   const torch::TensorOptions& where) const {
    std::vector<index_type> widths(options_.hidden);
    widths.insert(widths.begin(), sees_gradients() ? 2 * features : features);
    widths.push_back(features);
    return detail::torch_adjuster(widths, options_.adjuster, where);
  }

  // Takes an adjuster, and an optimizer for it where it learns.
  void adopt(torch::nn::Sequential adjuster) {
    adjuster_ = std::move(adjuster);
    adjuster_parameters_ = detail::learning_parameters(*adjuster_);
    adjuster_optimizer_ = optimizer_for(adjuster_parameters_);
  }

  // Null where nothing learns.
  [[nodiscard]] std::unique_ptr<torch::optim::Optimizer> optimizer_for(
      const std::vector<torch::Tensor>& parameters) const {
    if (options_.adjuster.kind != adjuster_kind::learned || parameters.empty()) {
      return nullptr;
    }
    if (options_.training == adjuster_training::model_optimizer) {
      return detail::companion_of(*optimizer_, parameters);
    }
    return std::make_unique<torch::optim::Adam>(parameters,
                                                torch::optim::AdamOptions(options_.adjuster_learning_rate));
  }

  // eta tau, and n where every sample steps along its own gradient: D = length (G + A).
  [[nodiscard]] double step_length() const {
    const bool own = options_.tentative_step == tentative_step::sample_gradients;
    return learning_rate_ * options_.tau * (own ? static_cast<double>(samples_) : 1.0);
  }

  [[nodiscard]] double first_order_weight(const torch::Tensor& x) const {
    return detail::first_order_weight(options_.remainder, x.numel() / samples_, samples_);
  }

  // h of the features, or of the features beside the samples' own gradients; or noise.
  torch::Tensor propose(const torch::Tensor& x) {
    if (options_.adjuster.kind == adjuster_kind::zero) {
      return torch::zeros_like(x);
    }
    if (!has_adjuster()) {
      const at::Generator generator =
          detail::own_generator(x.device(), random_bits(options_.adjuster.seed, draws_++));
      return options_.adjuster.kind == adjuster_kind::uniform
                 ? 2.0 * torch::rand(x.sizes(), generator, x.options()) - 1.0
                 : torch::randn(x.sizes(), generator, x.options());
    }
    std::optional<detail::borrowed_generators> borrowed;  // by dropout, of an adjuster that was given
    if (is_given_) {
      borrowed.emplace(x.device());
      borrowed->set_seed(random_bits(options_.adjuster.seed, draws_++));
    }
    const auto samples = static_cast<double>(samples_);
    const torch::Tensor shown = x.masked_fill(x.isinf(), 0.0);  // a network makes NaN of a masked class
    const torch::Tensor h =
        adjuster_->forward(sees_gradients() ? torch::cat({shown, samples * gradient_}, -1) : shown);
    detail::require(h.sizes() == x.sizes(), error_code::shape_mismatch,
                    "gal::torch_adjust: the adjuster returned ", detail::sizes_of(h),
                    "; expected the features' size ", detail::sizes_of(x));
    return h;
  }

  // Whether the gradients of an optimizer's parameters are finite.
  [[nodiscard]] torch::Tensor bounded(torch::optim::Optimizer& optimizer) const {
    return options_.non_finite == non_finite_policy::ignore
               ? torch::ones_like(numbers_.loss, torch::kBool)
               : detail::gradients_are_bounded(optimizer, gradient_.scalar_type(), gradient_.device());
  }

  // Whether the step ends here. Where nothing may be read it never does, unless somebody waits for an exception: the
  // device keeps everything as it is.
  [[nodiscard]] bool refused() const {
    if (!reads_ && options_.non_finite != non_finite_policy::raise) {
      return false;
    }
    return !numbers_.proceeds.template item<bool>();
  }

  // Ends a step that changes nothing.
  pending_report<torch_adjust> refuse(std::string_view what) {
    restore_adjuster();
    detail::require(options_.non_finite != non_finite_policy::raise, error_code::non_finite,
                    "gal::torch_adjust::step: ", what, " (loss ", report().loss, ", learning rate ",
                    learning_rate_, "); nothing was changed");
    return pending_report(*this);
  }

  // A step of the model's optimizer, or of the adjuster's, at the model's learning rate where that is a companion.
  void step_or_refuse(const torch::Tensor& proceeds, torch::optim::Optimizer& optimizer) {
    if (&optimizer == adjuster_optimizer_.get() && options_.training == adjuster_training::model_optimizer) {
      for (auto& group : optimizer.param_groups()) {
        group.options().set_lr(learning_rate_);
      }
    }
    if (options_.non_finite == non_finite_policy::ignore) {
      optimizer.step();
    } else {
      detail::step_if(proceeds, reads_, optimizer);
    }
  }

  // What a refused step takes back: the noise drawn, and the adjuster's steps but the last, which comes after the check.
  void remember_adjuster() {
    draws_before_ = draws_;
    if (trains() && options_.adjuster_steps > 1 && options_.non_finite != non_finite_policy::ignore) {
      before_.emplace(*adjuster_optimizer_);
    }
  }

  void restore_adjuster() {
    draws_ = draws_before_;
    if (before_) {
      before_->restore();
      before_.reset();
    }
  }

  adjust_options options_;

  torch::nn::Sequential adjuster_ = nullptr;
  bool is_given_ = false;                                        // the adjuster, at construction
  std::vector<torch::Tensor> adjuster_parameters_;               // that learn
  std::unique_ptr<torch::optim::Optimizer> adjuster_optimizer_;  // where the adjuster learns
  std::int64_t features_ = 0;                                    // that the adjuster was built for
  bool adjuster_in_double_ = false;
  std::optional<detail::optimizer_snapshot> before_;
  std::uint64_t draws_ = 0;  // of noise
  std::uint64_t draws_before_ = 0;

  torch::Tensor gradient_;    // G
  torch::Tensor adjustment_;  // A
  torch::Tensor losses_;
  std::int64_t samples_ = 1;
  std::int64_t sample_axes_ = 1;  // of the features, the first
  detail::torch_numbers numbers_;
  double learning_rate_ = step_report::none;
  bool reads_ = true;
};

}  // namespace gal

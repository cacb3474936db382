// gal/train/held_out_adjust.hpp: an adjuster that learns what its adjustments do to held-out samples.
// Provides: held_out_adjust, held_out_adjust_options, held_out_adjust_report. Includes gal/train/adjust_options.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/taylor/directional_expansion.hpp>
#include <gal/train/adjust_options.hpp>
#include <gal/train/adjuster.hpp>
#include <gal/train/adjustment_map.hpp>
#include <gal/train/detail/adjuster_at_work.hpp>
#include <gal/train/detail/adjuster_learner.hpp>
#include <gal/train/detail/held_out_gradient.hpp>
#include <gal/train/detail/trainer_base.hpp>

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// Settings of `held_out_adjust`. The defaults are weights of the samples by a network of their losses (Meta-Weight-Net, Shu
/// et al., arXiv 1902.07379).
struct held_out_adjust_options {
  double epsilon = 1.0;                    ///< strength of the adjustment relative to the gradient, >= 0
  std::vector<index_type> hidden = {100};  ///< hidden widths of the adjuster
  gal::normalisation normalisation = gal::normalisation::sample_weight;
  adjuster_input input = adjuster_input::losses;
  bool remove_mean = false;              ///< take the mean over the rows from A
  double adjuster_learning_rate = 1e-3;  ///< of Adam, which steps the adjuster, >= 0
  bool train_on_held_out = true;  ///< the model also steps along the held-out gradient, which is there anyway
  adjuster_options adjuster = {.activation = nn::relu};
  non_finite_policy non_finite = non_finite_policy::skip;

  template <class Visitor>
  void visit_state(Visitor& visit) const {
    visit.setting("epsilon", epsilon);
    visit.setting("hidden", hidden);
    visit.setting("normalisation", normalisation);
    visit.setting("input", input);
    visit.setting("remove_mean", remove_mean);
    visit.setting("adjuster_learning_rate", adjuster_learning_rate);
    visit.setting("train_on_held_out", train_on_held_out);
    visit.setting("non_finite", non_finite);
  }
};

/// What a step of `held_out_adjust` reports besides.
struct held_out_adjust_report : step_report {
  double held_out_loss = none;  ///< mean loss of the held-out samples, after the step on the batch
  double kept = none;  ///< <G + A, G> / <G, G>: of sample weights their mean, by the size of the gradients

  template <class Visitor>
  void visit_numbers(Visitor& visit) const {
    visit(reported_number{
        .name = "held_out_loss", .value = held_out_loss, .meaning = "loss of the held-out samples"});
    visit(reported_number{.name = "kept",
                          .value = kept,
                          .meaning = "share of the gradient that the adjustment leaves along itself"});
  }
};

namespace detail {

struct held_out_adjust_numbers : held_out_numbers {
  double gradient_adjustment = none;  // <G, A>
  double learns = none;               // the verdict on the adjuster's gradients
};

[[nodiscard]] inline held_out_adjust_report report_of(const held_out_adjust_numbers& sums, double weight,
                                                      index_type samples, double learning_rate) {
  held_out_adjust_report report;
  static_cast<step_report&>(report) =
      report_of(static_cast<const step_numbers&>(sums), weight, samples, learning_rate);
  report.held_out_loss = sums.held_out_loss;
  report.kept = 1.0 + sums.gradient_adjustment / sums.gradient_square;
  return report;
}

// The same settings where an adjuster learns from the batch alone: checked there, or an error that names what is outside its
// range.
[[nodiscard]] inline adjust_options adjusting(const held_out_adjust_options& options) {
  return validated({.epsilon = options.epsilon,
                    .hidden = options.hidden,
                    .normalisation = options.normalisation,
                    .input = options.input,
                    .remove_mean = options.remove_mean,
                    .training = adjuster_training::own_adam,
                    .adjuster_learning_rate = options.adjuster_learning_rate,
                    .adjuster = options.adjuster,
                    .non_finite = options.non_finite},
                   "gal::held_out_adjust_options");
}

template <class T, class Memory, class Backend>
void add_adjustment(const Backend& backend, matrix_view<const T, Memory> g, matrix_view<const T, Memory> a,
                    matrix_view<T, Memory> to) {
  backend.for_each(g.size(), [from = g.data(), more = a.data(), to = to.data()] GAL_KERNEL(index_type i) {
    to[i] = from[i] + more[i];
  });
}

template <class T, class Memory, class Backend>
void scale_to(const Backend& backend, T factor, matrix_view<const T, Memory> from,
              matrix_view<T, Memory> to) {
  backend.for_each(from.size(), [from = from.data(), to = to.data(), factor] GAL_KERNEL(index_type i) {
    to[i] = factor * from[i];
  });
}

}  // namespace detail

/// Trains `Model` by adjusted gradients, as `adjust` does, with an adjuster that learns from held-out samples. With n samples in
/// the batch, J_i the derivative of a sample's features and eta the learning rate
///
///     A        = the adjuster's adjustment of G
///     theta+   = a step of the optimizer along sum_i J_i^T (G_i + A_i)
///     V        = grad L_held_out(theta+)                       one pass forward and back
///     d L_held_out / d A_i = -eta J_i V                        one forward tangent along V: the adjuster learns
///     theta    = a step of the optimizer along V               with `train_on_held_out`
///
/// The derivative is exact for descent (`sgd` without momentum); with another optimizer it stands for what a descent step along
/// the same gradient would do. With the default options the adjuster weighs the samples by their
/// losses (Meta-Weight-Net); what it learned of a batch serves the next one. It takes few clean samples to find wrong labels among
/// many; with clean data there is nothing to find.
///
///     gal::held_out_adjust trainer(model, optimizer, gal::softmax_cross_entropy(), clean.x.view(), clean.y);
///     gal::fit(trainer, batches, {.epochs = 20});
///
/// Model and optimizer are referred to and must outlive the trainer; the held-out samples are copied (a view is the memory
/// it shows), and all of them are held out in every step. Models as for `instance_rates`: one without `pass()` passes forward
/// over the batch a second time, and is refused while it draws noise; one without `forward_tangent` works by differences. After the
/// first step of the largest batch a step allocates nothing (given a model that does not).
template <class Model, class Optimizer, class Loss, class HeldOut, class HeldOutTarget, class Adjuster = void>
  requires detail::checked_model<Model> && detail::checked_optimizer<Optimizer, Model>
class held_out_adjust
    : public detail::trainer_base<held_out_adjust<Model, Optimizer, Loss, HeldOut, HeldOutTarget, Adjuster>,
                                  Model, Optimizer, Loss, detail::held_out_adjust_numbers> {
  using base = typename held_out_adjust::trainer_base;
  using base::frame_;

 public:
  using typename base::backend_type;
  using typename base::feature_type;
  using typename base::input_type;
  using typename base::memory_type;
  using typename base::mutable_view;
  using typename base::pending_type;
  using typename base::value_type;
  using typename base::view;
  using adjuster_type = typename detail::adjuster_at_work<Adjuster, value_type, backend_type>::adjuster_type;
  static_assert(std::convertible_to<const HeldOut&, const input_type&>,
                "gal::held_out_adjust: the held-out samples do not convert to the model's `input_type`.");

  /// The adjuster is built from the options at the first step, when the number of features is known. Throws where an option
  /// is outside its range, and where the held-out samples do not fit model and loss.
  held_out_adjust(Model& model, Optimizer& optimizer, Loss loss, HeldOut held_out,
                  HeldOutTarget held_out_target, held_out_adjust_options options = {})
    requires std::is_void_v<Adjuster>
      : held_out_adjust(model, optimizer, std::move(loss), std::move(held_out), std::move(held_out_target),
                        std::move(options), std::optional<adjuster_type>()) {}

  /// With an adjuster of one's own.
  held_out_adjust(Model& model, Optimizer& optimizer, Loss loss, HeldOut held_out,
                  HeldOutTarget held_out_target, held_out_adjust_options options, adjuster_type adjuster)
      : held_out_adjust(model, optimizer, std::move(loss), std::move(held_out), std::move(held_out_target),
                        std::move(options), std::optional(std::move(adjuster))) {}

  /// One training step on a batch: `input` as the model takes it, `target` as the loss does, a sample per column. Throws
  /// `gal::error` for shapes that do not fit, empty batches and labels out of range, before anything changes.
  template <class Input, class Target>
  pending_type step(const Input& input, const Target& target) {
    static_assert(std::convertible_to<const Input&, const input_type&>,
                  "gal::held_out_adjust::step: the input does not convert to the model's `input_type`.");
    static_assert(detail::explain_loss<Loss, value_type, backend_type, Target>());
    held_out_.check_model(frame_);

    // The batch's loss and gradient, its adjustment, and the step along both.
    const input_type& batch = input;
    const feature_type& features = frame_.forward(batch);
    const view x(features);
    const mutable_view gradient = frame_.gradient_memory(features, gradient_);
    prepare(x);
    frame_.evaluate(x, target, gradient);
    if (frame_.refused()) {
      return this->refuse("the loss is not finite");
    }
    detail::inner_product(backend(), g(), g(), &frame_.numbers()->gradient_square);
    learner_.remember(*adjuster_);
    map_.forward(adjuster_.propose(x, g(), frame_.losses()), g(), adjustment_.view());
    detail::inner_product(backend(), g(), a(), &frame_.numbers()->gradient_adjustment);
    detail::add_adjustment(backend(), g(), a(), frame_.gradient_memory(features, chosen_));
    frame_.backward(*chosen_);
    if (frame_.refused()) {
      learner_.restore(*adjuster_, &frame_.numbers()->proceeds);
      return this->refuse("a parameter's gradient is not finite, or too large to be squared");
    }
    learner_.restore_unless(&frame_.numbers()->proceeds);

    // V at theta+, and what the adjustment did to the held-out loss, by the features' tangent at theta.
    held_out_.find_after_step(frame_);
    if (learner_.learns()) {
      held_out_.look_back(frame_, batch, features, [&](view at) {
        along_.expand_at(batch, at, g(), held_out_.blocks());
        detail::scale_to(backend(), static_cast<value_type>(-frame_.learning_rate()), along_.features_first(),
                         slope_.view());
      });
      learner_.clear_gradients(*adjuster_);
      (*adjuster_).backward(map_.backward(g(), slope_.view()));
      learner_.step(*adjuster_, frame_.learning_rate(), &frame_.numbers()->held_out_proceeds,
                    &frame_.numbers()->learns);
    }
    if (options_.train_on_held_out) {
      frame_.update(&frame_.numbers()->held_out_proceeds);
    }
    return this->result();
  }
  using base::step;

  [[nodiscard]] const held_out_adjust_options& options() const { return options_; }

  /// The adjuster; throws before the first step unless one was given. After a step its parameters' gradients are those of
  /// the held-out loss.
  [[nodiscard]] adjuster_type& adjuster() { return adjuster_.get(); }

  /// Of the last step: the gradient G of the loss with respect to the features, and the adjustment A, both `d x n`.
  [[nodiscard]] view last_gradient() const { return gradient_ ? view(*gradient_) : view(); }
  [[nodiscard]] view last_adjustment() const { return adjustment_.view(); }

  /// The state of model, optimizer, adjuster and the adjuster's optimizer: after loading it training goes on as it would have.
  /// A trainer that has not stepped yet builds the adjuster that is loaded.
  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit("options", options_);
    frame_.visit_state(visit);
    adjuster_.visit_state(visit, learner_);
    frame_.visit_steps(visit);
  }

  using base::backend;

 private:
  using storage = matrix<value_type, backend_type>;

  held_out_adjust(Model& model, Optimizer& optimizer, Loss loss, HeldOut held_out,
                  HeldOutTarget held_out_target, held_out_adjust_options options,
                  std::optional<adjuster_type> adjuster)
      : base("gal::held_out_adjust", model, optimizer, std::move(loss), detail::adjusting(options).non_finite,
             detail::backend_from<backend_type>(model)),
        options_(std::move(options)),
        held_out_(std::move(held_out), std::move(held_out_target), backend()),
        along_(model),
        adjuster_("gal::held_out_adjust", detail::adjusting(options_), std::move(adjuster), frame_.loss(),
                  backend()),
        map_(options_.normalisation, options_.epsilon, options_.remove_mean, backend()),
        learner_(detail::adjusting(options_), optimizer, backend()),
        adjustment_(backend()),
        slope_(backend()) {
    static_assert(detail::explain_loss<Loss, value_type, backend_type, HeldOutTarget>());
    held_out_.check_samples(frame_);
  }

  [[nodiscard]] view g() const { return view(*gradient_); }
  [[nodiscard]] view a() const { return adjustment_.view(); }

  // Sizes the workspace for a batch, and builds the adjuster at the first one.
  void prepare(view x) {
    adjustment_.resize(x.rows(), x.columns());
    slope_.resize(x.rows(), x.columns());
    adjuster_.prepare(x.rows());
    learner_.collect(*adjuster_);
  }

  held_out_adjust_options options_;
  detail::held_out_gradient<Model, typename base::frame_type, HeldOut, HeldOutTarget> held_out_;
  directional_expansion<Model> along_;

  detail::adjuster_at_work<Adjuster, value_type, backend_type> adjuster_;
  adjustment_map<value_type, backend_type> map_;
  detail::adjuster_learner<adjuster_type, Optimizer, value_type, backend_type> learner_;

  std::optional<feature_type> gradient_;  // G
  std::optional<feature_type> chosen_;    // G + A
  storage adjustment_;                    // A
  storage slope_;                         // gradients with respect to A
};

template <class Model, class Optimizer, class Loss, class HeldOut, class HeldOutTarget, class Adjuster>
held_out_adjust(Model&, Optimizer&, Loss, HeldOut, HeldOutTarget, held_out_adjust_options, Adjuster)
    -> held_out_adjust<Model, Optimizer, Loss, HeldOut, HeldOutTarget, Adjuster>;

}  // namespace gal

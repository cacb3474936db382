// gal/train/adjust.hpp: gradient adjustment learning, the algorithm.
// Provides: adjust. Includes gal/train/adjust_options.hpp, gal/train/adjust_report.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/optim/optimizers.hpp>
#include <gal/taylor/expansion.hpp>
#include <gal/train/adjust_options.hpp>
#include <gal/train/adjust_report.hpp>
#include <gal/train/adjuster.hpp>
#include <gal/train/adjustment_map.hpp>
#include <gal/train/detail/adjust_kernels.hpp>
#include <gal/train/detail/adjuster_at_work.hpp>
#include <gal/train/detail/adjuster_learner.hpp>
#include <gal/train/detail/trainer_base.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace gal::inline GAL_ABI {

/// Trains `Model` with `Optimizer` on `Loss` by gradient adjustment learning. Model and optimizer are referred to and
/// must outlive the trainer; the loss and the options are copied.
///
///     gal::adjust trainer(model, optimizer, gal::mse{}, {.epsilon = 1.0, .hidden = {16, 4}});
///     gal::adjust_report report = trainer.step(x, y);
///
/// After the first step of the largest batch a step allocates nothing (given a model that does not). On the same seed
/// and data every run gives the same bits.
template <class Model, class Optimizer, class Loss, class Adjuster = void>
  requires detail::checked_model<Model> && detail::checked_optimizer<Optimizer, Model>
class adjust : public detail::trainer_base<adjust<Model, Optimizer, Loss, Adjuster>, Model, Optimizer, Loss,
                                           detail::adjust_numbers> {
  using base = typename adjust::trainer_base;
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

  /// The adjuster is built from the options at the first step, when the number of features is known. Throws where an
  /// option is outside its range.
  /// Works on the model's own backend, or on the one that is given.
  adjust(Model& model, Optimizer& optimizer, Loss loss, adjust_options options = {})
    requires std::is_void_v<Adjuster>
      : adjust(model, optimizer, std::move(loss), std::move(options), std::nullopt,
               detail::backend_from<backend_type>(model)) {}
  adjust(Model& model, Optimizer& optimizer, Loss loss, adjust_options options, backend_type backend)
    requires std::is_void_v<Adjuster>
      : adjust(model, optimizer, std::move(loss), std::move(options), std::nullopt, std::move(backend)) {}

  /// With an adjuster of one's own.
  adjust(Model& model, Optimizer& optimizer, Loss loss, adjust_options options, adjuster_type adjuster)
      : adjust(model, optimizer, std::move(loss), std::move(options), std::optional(std::move(adjuster)),
               detail::backend_from<backend_type>(model)) {}
  adjust(Model& model, Optimizer& optimizer, Loss loss, adjust_options options, adjuster_type adjuster,
         backend_type backend)
      : adjust(model, optimizer, std::move(loss), std::move(options), std::optional(std::move(adjuster)),
               std::move(backend)) {}

  /// One training step on a batch: `input` as the model takes it, `target` as the loss does, a sample per column.
  /// Throws `gal::error` for shapes that do not fit, empty batches and labels out of range, before anything changes.
  template <class Input, class Target>
  pending_type step(const Input& input, const Target& target) {
    static_assert(std::convertible_to<const Input&, const input_type&>,
                  "gal::adjust::step: the input does not convert to the model's `input_type`.");
    static_assert(detail::explain_loss<Loss, value_type, backend_type, Target>());
    static_assert(!detail::loss_with_parameters<Loss, value_type, memory_type>,
                  "gal::adjust: the loss has parameters(), which no step trains; expected them in the model, "
                  "whose features then come behind them.");

    // Features X, loss L and its gradient G.
    const input_type& batch = input;  // a converted input lives until the model's backward pass
    const feature_type& features = frame_.forward(batch);
    const view x(features);
    prepare(x);
    frame_.evaluate(x, target, gradient_.view());
    if (frame_.refused()) {
      return this->refuse("the loss is not finite");
    }

    const double length = step_length(x);
    const double kappa = detail::first_order_weight(options_.remainder, x.rows(), x.columns());
    column_products(backend_, g(), g(), squares_);
    total(squares_, &numbers()->gradient_square);
    if (options_.safeguard == safeguard::not_worse_than_vanilla || options_.report_vanilla) {
      detail::displace(backend_, length, g(), {}, displacement_.view());
      expand(x, target, vanilla_changes_, {});
      detail::subtract_first_order(backend_, length, squares_.view(), {}, vanilla_changes_.view());
      total(vanilla_changes_, &numbers()->vanilla_change);
    }

    // Adjustment A = h(X), tentative step D along G + A, remainder R; then the adjuster learns from it.
    learner_.remember(*adjuster_);
    for (int k = 1;; ++k) {
      const view h = adjuster_.propose(x, g(), frame_.losses());
      map_.forward(h, g(), adjustment_.view());
      column_products(backend_, g(), a(), products_);
      total(products_, &numbers()->gradient_adjustment);
      detail::displace(backend_, length, g(), a(), displacement_.view());
      expand(x, target, changes_, learner_.learns() ? slope_.view() : mutable_view());
      total(changes_, &numbers()->change);
      detail::find_remainder(backend_, options_.objective, static_cast<double>(x.columns()), kappa, length,
                             numbers());
      if (!learner_.learns()) {
        break;
      }
      detail::differentiate_objective(backend_, options_.objective, kappa, g(), &numbers()->objective_scale,
                                      slope_.view());
      learner_.clear_gradients(*adjuster_);
      (*adjuster_).backward(map_.backward(g(), slope_.view()));
      if (k == options_.adjuster_steps) {
        break;
      }
      learner_.step(*adjuster_, frame_.learning_rate(), nullptr, &numbers()->learns);
    }

    // Lt - L = R - <D, G>, sample by sample, where both terms are small and nothing cancels; then the safeguard.
    detail::subtract_first_order(backend_, length, squares_.view(), products_.view(), changes_.view());
    total(changes_, &numbers()->change);
    column_products(backend_, a(), a(), squares_);
    total(squares_, &numbers()->adjustment_square);
    detail::decide(backend_, options_, changes_.view(), vanilla_changes_.view(), numbers(), accepted_.view());
    total(accepted_, &numbers()->accepted);

    // The gradient that was chosen goes through the model; model and adjuster step.
    detail::choose(backend_, x, g(), a(), std::as_const(accepted_).view(),
                   frame_.gradient_memory(features, chosen_));
    frame_.backward(*chosen_);
    if (frame_.refused()) {
      learner_.restore(*adjuster_, &numbers()->proceeds);
      return this->refuse("a parameter's gradient is not finite, or too large to be squared");
    }
    learner_.restore_unless(&numbers()->proceeds);
    frame_.update();
    if (learner_.learns()) {
      learner_.step(*adjuster_, frame_.learning_rate(), &numbers()->proceeds, &numbers()->learns);
    }
    return this->result();
  }
  using base::step;

  [[nodiscard]] const adjust_options& options() const { return options_; }

  /// The adjuster; throws before the first step unless one was given. After a step its parameters' gradients are those
  /// of the objective.
  [[nodiscard]] adjuster_type& adjuster() { return adjuster_.get(); }

  /// The gradient G of the loss with respect to the features and the adjustment A (both `d x n`) of the last step.
  [[nodiscard]] auto last_gradient() const { return gradient_.view(); }
  [[nodiscard]] auto last_adjustment() const { return adjustment_.view(); }

  /// Throws where a recorded step, replayed, would not do what a new one does: random numbers would repeat themselves, and a policy
  /// that throws, or an optimizer that cannot be told by the device to keep still, has to wait for the device.
  void check_repeatable() const {
    frame_.check_repeatable();
    detail::require(!detail::draws_noise(options_.adjuster.kind) && std::is_void_v<Adjuster>,
                    error_code::invalid_option,
                    "gal::adjust: the adjuster draws random numbers, or is not the library's; expected what "
                    "a recorded step can "
                    "repeat");
  }

  /// The state of model, optimizer, adjuster and the adjuster's optimizer: after loading it training goes on as it would
  /// have. A trainer that has not stepped yet builds the adjuster that is loaded.
  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit("options", options_);
    frame_.visit_state(visit);
    adjuster_.visit_state(visit, learner_);
    frame_.visit_steps(visit);
  }

 private:
  using T = value_type;
  using storage = matrix<T, backend_type>;
  using numbers_type = matrix<double, backend_type>;

  adjust(Model& model, Optimizer& optimizer, Loss loss, adjust_options options,
         std::optional<adjuster_type> adjuster, backend_type backend)
      : base("gal::adjust", model, optimizer, std::move(loss), detail::validated(options).non_finite,
             backend),
        options_(std::move(options)),
        backend_(backend),
        adjuster_("gal::adjust", options_, std::move(adjuster), frame_.loss(), backend),
        map_(options_.normalisation, options_.epsilon, options_.remove_mean, backend),
        expansion_(backend),
        learner_(options_, optimizer, backend) {
    for (storage* part : {&gradient_, &adjustment_, &displacement_, &slope_}) {
      *part = storage(backend_);
    }
    for (numbers_type* row : {&changes_, &vanilla_changes_, &accepted_, &squares_, &products_}) {
      *row = numbers_type(backend_);
    }
  }

  [[nodiscard]] view g() const { return gradient_.view(); }
  [[nodiscard]] view a() const { return adjustment_.view(); }
  [[nodiscard]] detail::adjust_numbers* numbers() { return frame_.numbers(); }

  // Sizes the workspace for a batch, and builds the adjuster at the first one.
  void prepare(view x) {
    for (storage* part : {&gradient_, &adjustment_, &displacement_, &slope_}) {
      part->resize(x.rows(), x.columns());
    }
    for (numbers_type* row : {&changes_, &vanilla_changes_, &accepted_}) {
      row->resize(1, x.columns());
    }
    adjuster_.prepare(x.rows());
    learner_.collect(*adjuster_);
  }

  // eta tau, and n where every sample steps along its own gradient: D = length (G + A).
  [[nodiscard]] double step_length(view x) const {
    const bool own = options_.tentative_step == tentative_step::sample_gradients;
    return frame_.learning_rate() * options_.tau * (own ? static_cast<double>(x.columns()) : 1.0);
  }

  template <class Target>
  void expand(view x, const Target& target, numbers_type& remainders, mutable_view slope) {
    expansion_.remainder(frame_.loss(), x, target, g(), std::as_const(displacement_).view(),
                         remainders.view(), slope);
  }

  void total(const numbers_type& row, double* result) { frame_.total(row.view(), result); }

  adjust_options options_;
  backend_type backend_;

  detail::adjuster_at_work<Adjuster, T, backend_type> adjuster_;
  adjustment_map<T, backend_type> map_;
  expansion<T, backend_type> expansion_;
  detail::adjuster_learner<adjuster_type, Optimizer, T, backend_type> learner_;

  storage gradient_;      // G
  storage adjustment_;    // A
  storage displacement_;  // D
  storage slope_;         // G - grad L(X - D), then gradients of the objective
  std::optional<feature_type> chosen_;
  numbers_type changes_;  // one per sample, as all rows below: remainders, then changes of the loss at X - D
  numbers_type vanilla_changes_;
  numbers_type accepted_;
  numbers_type squares_;   // <G_j, G_j>; at the end <A_j, A_j>
  numbers_type products_;  // <G_j, A_j>
};

// What is no backend is meant as an adjuster; the class says what it misses.
template <class Model, class Optimizer, class Loss, class Adjuster>
  requires(!std::convertible_to<Adjuster, backend_of<Model>>)
adjust(Model&, Optimizer&, Loss, adjust_options, Adjuster) -> adjust<Model, Optimizer, Loss, Adjuster>;

template <class Model, class Optimizer, class Loss, class Adjuster>
adjust(Model&, Optimizer&, Loss, adjust_options, Adjuster, backend_of<Model>)
    -> adjust<Model, Optimizer, Loss, Adjuster>;

}  // namespace gal

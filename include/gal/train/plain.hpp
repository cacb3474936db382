// gal/train/plain.hpp: training without adjustment.
// Provides: plain, plain_options. Includes gal/train/step_report.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/train/detail/step_numbers.hpp>
#include <gal/train/detail/trainer_base.hpp>
#include <gal/train/step_report.hpp>

#include <concepts>
#include <optional>
#include <utility>

namespace gal::inline GAL_ABI {

/// Settings of `plain`.
struct plain_options {
  non_finite_policy non_finite = non_finite_policy::skip;  ///< what happens to a step that is not finite

  template <class Visitor>
  void visit_state(Visitor& visit) const {
    visit.setting("non_finite", non_finite);
  }
};

/// Trains `Model` with `Optimizer` on `Loss`: forward, loss, backward, step. The control of every method, and what to
/// train with where none helps. Model and optimizer are referred to and must outlive the trainer; the loss is copied.
///
///     gal::plain trainer(model, optimizer, gal::mse());
///     gal::step_report report = trainer.step(x, y);
///
/// After the first step of the largest batch a step allocates nothing (given a model that does not).
template <class Model, class Optimizer, class Loss>
  requires detail::checked_model<Model> && detail::checked_optimizer<Optimizer, Model>
class plain : public detail::trainer_base<plain<Model, Optimizer, Loss>, Model, Optimizer, Loss,
                                          detail::step_numbers> {
  using base = typename plain::trainer_base;
  using base::frame_;

 public:
  using typename base::backend_type;
  using typename base::feature_type;
  using typename base::input_type;
  using typename base::mutable_view;
  using typename base::pending_type;
  using typename base::value_type;
  using typename base::view;

  /// Works on the model's own backend, or on the one that is given.
  plain(Model& model, Optimizer& optimizer, Loss loss, plain_options options = {})
      : plain(model, optimizer, std::move(loss), options, detail::backend_from<backend_type>(model)) {}
  plain(Model& model, Optimizer& optimizer, Loss loss, plain_options options, backend_type backend)
      : base("gal::plain", model, optimizer, std::move(loss), options.non_finite, std::move(backend)),
        options_(options) {}

  /// One training step on a batch: `input` as the model takes it, `target` as the loss does, a sample per column.
  /// Throws `gal::error` for shapes that do not fit, empty batches and labels out of range, before anything changes.
  template <class Input, class Target>
  pending_type step(const Input& input, const Target& target) {
    static_assert(std::convertible_to<const Input&, const input_type&>,
                  "gal::plain::step: the input does not convert to the model's `input_type`.");
    static_assert(detail::explain_loss<Loss, value_type, backend_type, Target>());

    const input_type& batch = input;  // a converted input lives until the model's backward pass
    const feature_type& features = frame_.forward(batch);
    const mutable_view gradient = frame_.gradient_memory(features, gradient_);
    frame_.evaluate(view(features), target, gradient);
    if (frame_.refused()) {
      return this->refuse("the loss is not finite");
    }
    detail::inner_product(frame_.backend(), gradient.as_const(), gradient.as_const(),
                          &frame_.numbers()->gradient_square);
    frame_.backward(*gradient_);
    if (frame_.refused()) {
      return this->refuse("a parameter's gradient is not finite, or too large to be squared");
    }
    frame_.update();
    return this->result();
  }
  using base::step;

  [[nodiscard]] const plain_options& options() const { return options_; }

  /// The gradient G of the loss with respect to the features (`d x n`) of the last step.
  [[nodiscard]] view last_gradient() const { return gradient_ ? view(*gradient_) : view(); }

  /// Throws where a recorded step, replayed, would not do what a new one does.
  void check_repeatable() const { frame_.check_repeatable(); }

  /// The state of model and optimizer: after loading it training goes on as it would have.
  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit("options", options_);
    frame_.visit_state(visit);
    frame_.visit_steps(visit);
  }

 private:
  plain_options options_;
  std::optional<feature_type> gradient_;  // G, in the model's own type
};

}  // namespace gal

// gal/train/plain.hpp: training without adjustment.
// Provides: plain, plain_options. Includes gal/train/step_report.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/train/detail/step_frame.hpp>
#include <gal/train/step_report.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
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
class plain {
 public:
  using value_type = model_scalar<Model>;
  using backend_type = backend_of<Model>;
  static_assert(detail::explain_backend<backend_type>());
  using memory_type = typename backend_type::memory_type;
  using input_type = typename Model::input_type;
  using feature_type = typename Model::feature_type;
  using view = matrix_view<const value_type, memory_type>;
  using mutable_view = matrix_view<value_type, memory_type>;
  using report_type = step_report;
  /// What `step` returns: the report or, where the backend would have to be waited for, what it can be had from.
  using pending_type =
      std::conditional_t<asynchronous_backend<backend_type>, pending_report<plain>, step_report>;

  /// Works on the model's own backend, or on the one that is given.
  plain(Model& model, Optimizer& optimizer, Loss loss, plain_options options = {})
      : plain(model, optimizer, std::move(loss), options, detail::backend_from<backend_type>(model)) {}
  plain(Model& model, Optimizer& optimizer, Loss loss, plain_options options, backend_type backend)
      : options_(options),
        frame_("gal::plain", model, optimizer, std::move(loss), options.non_finite, std::move(backend)) {}

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
      return refuse("the loss is not finite");
    }
    measure(gradient);
    frame_.backward(*gradient_);
    if (frame_.refused()) {
      return refuse("a parameter's gradient is not finite, or too large to be squared");
    }
    frame_.update();
    return result();
  }

  /// One step of a model without input on a loss without targets, such as `nn::point`.
  pending_type step()
    requires std::same_as<input_type, nothing>
  {
    return step(nothing{}, nothing{});
  }

  /// The mean loss of a batch, of which nothing is learned; waits for it where the backend is asynchronous. The model is
  /// asked for its features, in the mode that it is in.
  template <class Input, class Target>
  [[nodiscard]] batch_loss evaluate(const Input& input, const Target& target) {
    return frame_.evaluate_only(input, target);
  }

  /// What the last step did; waits for it where the backend is asynchronous. NaN before the first step.
  [[nodiscard]] step_report report() const {
    step_report result;
    const index_type samples = frame_.losses().size();
    detail::fill_report(result, frame_.read(), static_cast<double>(samples), samples, frame_.learning_rate());
    return result;
  }

  /// Steps taken or refused.
  [[nodiscard]] std::int64_t steps() const { return frame_.steps(); }

  [[nodiscard]] const backend_type& backend() const { return frame_.backend(); }

  [[nodiscard]] Model& model() { return frame_.model(); }
  [[nodiscard]] Optimizer& optimizer() { return frame_.optimizer(); }
  [[nodiscard]] const plain_options& options() const { return options_; }

  /// Of the last step: the gradient G of the loss with respect to the features (`d x n`), and the samples' losses
  /// (`1 x n`).
  [[nodiscard]] view last_gradient() const { return gradient_ ? view(*gradient_) : view(); }
  [[nodiscard]] auto last_sample_losses() const { return frame_.losses(); }

  /// Throws where a recorded step, replayed, would not do what a new one does.
  void check_repeatable() const { frame_.check_repeatable(); }

  /// Counts a step that the device took without the host.
  void count_replayed_step() { frame_.count_replayed_step(); }

  /// The state of model and optimizer: after loading it training goes on as it would have.
  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit("options", options_);
    frame_.visit_state(visit);
    frame_.visit_steps(visit);
  }

  GAL_PRIVATE_KERNELS
  // The square of G's norm.
  void measure(mutable_view gradient) {
    backend().sum(
        gradient.size(),
        [from = gradient.data()] GAL_KERNEL(index_type i) {
          return static_cast<double>(from[i]) * static_cast<double>(from[i]);
        },
        &frame_.numbers()->gradient_square);
  }

  // Ends a step that changes nothing.
  pending_type refuse(std::string_view what) {
    frame_.refuse(what);
    return result();
  }

  pending_type result() const {
    if constexpr (asynchronous_backend<backend_type>) {
      return pending_type(*this);
    } else {
      return report();
    }
  }

  plain_options options_;
  detail::step_frame<Model, Optimizer, Loss> frame_;
  std::optional<feature_type> gradient_;  // G, in the model's own type
};

}  // namespace gal

// gal/train/detail/trainer_base.hpp: the members that every trainer of a gal::model has.
// Provides: nothing public; detail::trainer_base for trainers.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/train/detail/step_frame.hpp>
#include <gal/train/step_report.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace gal::inline GAL_ABI::detail {

/// `Trainer` derives from this and brings `step(input, target)`, between `frame_.forward` and `frame_.update`. `Numbers`
/// is what its step adds up (`step_frame`), of which `report_of` makes the report.
template <class Trainer, class Model, class Optimizer, class Loss, class Numbers>
class trainer_base {
 public:
  using value_type = model_scalar<Model>;
  using backend_type = backend_of<Model>;
  static_assert(explain_backend<backend_type>());
  using memory_type = typename backend_type::memory_type;
  using input_type = typename Model::input_type;
  using feature_type = typename Model::feature_type;
  using view = matrix_view<const value_type, memory_type>;
  using mutable_view = matrix_view<value_type, memory_type>;
  using report_type = decltype(report_of(std::declval<const Numbers&>(), double(), index_type(), double()));
  /// What `step` returns: the report or, where the backend would have to be waited for, what it can be had from.
  using pending_type =
      std::conditional_t<asynchronous_backend<backend_type>, pending_report<Trainer>, report_type>;

  /// One step of a model without input on a loss without targets, such as `nn::point`.
  pending_type step()
    requires std::same_as<input_type, nothing>
  {
    return static_cast<Trainer&>(*this).step(nothing{}, nothing{});
  }

  /// The mean loss of a batch, of which nothing is learned; waits for it where the backend is asynchronous. The model is
  /// asked for its features, in the mode that it is in.
  template <class Input, class Target>
  [[nodiscard]] batch_loss evaluate(const Input& input, const Target& target) {
    return frame_.evaluate_only(input, target);
  }

  /// What the last step did; waits for it where the backend is asynchronous. NaN before the first step.
  [[nodiscard]] report_type report() const {
    const index_type samples = frame_.losses().size();
    return report_of(frame_.read(), static_cast<double>(samples), samples, frame_.learning_rate());
  }

  /// Steps taken or refused.
  [[nodiscard]] std::int64_t steps() const { return frame_.steps(); }

  [[nodiscard]] Model& model() { return frame_.model(); }
  [[nodiscard]] Optimizer& optimizer() { return frame_.optimizer(); }
  [[nodiscard]] const backend_type& backend() const { return frame_.backend(); }

  /// The samples' losses of the last step (`1 x n`).
  [[nodiscard]] auto last_sample_losses() const { return frame_.losses(); }

  /// Counts a step that the device took without the host.
  void count_replayed_step() { frame_.count_replayed_step(); }

 protected:
  trainer_base(std::string_view name, Model& model, Optimizer& optimizer, Loss loss, non_finite_policy policy,
               backend_type backend)
      : frame_(name, model, optimizer, std::move(loss), policy, std::move(backend)) {}

  // Ends a step that changes nothing.
  pending_type refuse(std::string_view what) {
    frame_.refuse(what);
    return result();
  }

  [[nodiscard]] pending_type result() const {
    if constexpr (asynchronous_backend<backend_type>) {
      return pending_type(static_cast<const Trainer&>(*this));
    } else {
      return report();
    }
  }

  using frame_type = step_frame<Model, Optimizer, Loss, Numbers>;
  frame_type frame_;
};

}  // namespace gal::detail

// gal/train/trainer.hpp: the contract between trainers and what works with any of them, such as gal::fit.
// Provides: trainer_for. Includes gal/train/step_report.hpp.
#pragma once

#include <gal/train/step_report.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace gal::inline GAL_ABI {

namespace detail {

template <class T>
concept names_report = requires {
  typename T::report_type;
  requires std::derived_from<typename T::report_type, step_report>;
};

template <class T, class Input, class Target>
concept trainer_has_step = requires(T& t, const Input& input, const Target& target) {
  { t.step(input, target) } -> std::convertible_to<typename T::report_type>;
};

template <class T, class Input, class Target>
concept trainer_has_evaluate = requires(T& t, const Input& input, const Target& target) {
  { t.evaluate(input, target) } -> std::convertible_to<batch_loss>;
};

template <class T>
concept trainer_has_model = requires(T& t) {
  t.model();
  requires std::is_lvalue_reference_v<decltype(t.model())>;
};

template <class T>
concept trainer_has_report = requires(const T& t) {
  { t.report() } -> std::convertible_to<typename T::report_type>;
};

template <class T>
concept trainer_has_steps = requires(const T& t) {
  { t.steps() } -> std::convertible_to<std::int64_t>;
};

}  // namespace detail

/// Requirements on a trainer `T` of batches of `Input` and `Target`, such as `gal::plain` and `gal::adjust`:
///
///  1. `T::report_type` names what a step reports: `step_report`, or a type that derives from it and shows the numbers of
///     its method in `visit_numbers` (`reported_number`).
///  2. `t.step(input, target)` trains on a batch and returns what converts to the report.
///  3. `t.evaluate(input, target)` returns the mean loss of a batch, as a `batch_loss`, and learns nothing.
///  4. `t.model()` returns a reference to the model; `fit` switches its `set_training`, where it has that
///     (`evaluation_mode`), and keeps and restores what it is made of: its `visit_state`, else its `parameters()`; of a type
///     of another library `state_of`.
///  5. `t.report()` on a const trainer returns the report of the last step.
///  6. `t.steps()` on a const trainer returns the number of steps so far, those that were refused included.
///
/// and, optionally: `t.visit_state(visit)`, without which there are no checkpoints; `t.optimizer()` and `t.options()`,
/// whose settings `html_report` then shows; `t.backend()`, `value_type`, `backend_type` and `memory_type`, which
/// `gradient_statistics` needs.
///
///     struct walker {                                       // y = a: steps towards the targets' mean
///       using report_type = gal::step_report;
///       struct constant {
///         double a = 0, da = 0;
///         auto parameters() { return std::array{gal::parameter<double>({&a, 1}, {&da, 1})}; }
///       };
///       constant y;
///       gal::step_report last;
///       std::int64_t taken = 0;
///       gal::batch_loss evaluate(const gal::nothing&, const std::vector<double>& targets) {
///         double sum = 0;
///         for (double t : targets) sum += (y.a - t) * (y.a - t);
///         return {sum / double(targets.size()), gal::index_type(targets.size())};
///       }
///       gal::step_report step(const gal::nothing& none, const std::vector<double>& targets) {
///         const gal::batch_loss before = evaluate(none, targets);
///         for (double t : targets) y.a += 0.1 * (t - y.a) / double(targets.size());
///         ++taken;
///         return last = {.loss = before.mean, .learning_rate = 0.1, .samples = before.samples};
///       }
///       constant& model() { return y; }
///       gal::step_report report() const { return last; }
///       std::int64_t steps() const { return taken; }
///     };
template <class T, class Input, class Target>
concept trainer_for = detail::names_report<T> && detail::trainer_has_step<T, Input, Target> &&
                      detail::trainer_has_evaluate<T, Input, Target> && detail::trainer_has_model<T> &&
                      detail::trainer_has_report<T> && detail::trainer_has_steps<T>;

namespace detail {

// One sentence per missing requirement. The first stands alone for what names the type before it knows the batches.
template <class T>
consteval bool explain_report_type() {
  static_assert(names_report<T>,
                "gal::trainer_for, requirement 1: name what a step reports in a member `report_type`: "
                "gal::step_report, or a type that derives from it.");
  return names_report<T>;
}

template <class T, class Input, class Target>
consteval bool explain_trainer() {
  if constexpr (explain_report_type<T>()) {
    static_assert(trainer_has_step<T, Input, Target>,
                  "gal::trainer_for, requirement 2: provide `report_type step(input, target)` for these "
                  "batches.");
    static_assert(trainer_has_report<T>,
                  "gal::trainer_for, requirement 5: provide `report_type report() const`, that of the last "
                  "step.");
  }
  static_assert(
      trainer_has_evaluate<T, Input, Target>,
      "gal::trainer_for, requirement 3: provide `gal::batch_loss evaluate(input, target)` for these "
      "batches.");
  static_assert(
      trainer_has_model<T>,
      "gal::trainer_for, requirement 4: provide `model()`, which returns a reference to the model.");
  static_assert(trainer_has_steps<T>,
                "gal::trainer_for, requirement 6: provide `std::int64_t steps() const`, the number of steps "
                "so far.");
  return true;
}

}  // namespace detail
}  // namespace gal

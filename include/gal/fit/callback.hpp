// gal/fit/callback.hpp: the contract with callbacks of training; those that there are, are in gal/fit/callbacks.hpp.
// Provides: callback_for.
#pragma once

#include <gal/io/state.hpp>

#include <concepts>
#include <type_traits>

namespace gal::inline GAL_ABI {

namespace detail {

template <class C, class Run>
concept has_fit_begin = requires(C& callback, Run& run) {
  { callback.fit_begin(run) } -> std::same_as<void>;
};
template <class C, class Run>
concept has_step_end = requires(C& callback, Run& run) {
  { callback.step_end(run) } -> std::same_as<void>;
};
template <class C, class Run>
concept has_epoch_end = requires(C& callback, Run& run) {
  { callback.epoch_end(run) } -> std::same_as<void>;
};
template <class C, class Run>
concept has_fit_end = requires(C& callback, Run& run) {
  { callback.fit_end(run) } -> std::same_as<void>;
};

// Whether a class has a member of that name, of any kind: beside one, the base's own cannot be named. The last are
// names that no event has, and that one would try.
struct event_names {
  int fit_begin, step_end, epoch_end, fit_end;
  int step_begin, epoch_begin, on_step_end, on_epoch_end, begin, end;
};
template <class C>
struct event_probe : C, event_names {};
template <class C>
concept can_be_probed = std::is_class_v<C> && !std::is_final_v<C>;
template <class C>
concept names_fit_begin = can_be_probed<C> && !requires { &event_probe<C>::fit_begin; };
template <class C>
concept names_step_end = can_be_probed<C> && !requires { &event_probe<C>::step_end; };
template <class C>
concept names_epoch_end = can_be_probed<C> && !requires { &event_probe<C>::epoch_end; };
template <class C>
concept names_fit_end = can_be_probed<C> && !requires { &event_probe<C>::fit_end; };
template <class C>
concept names_no_event = can_be_probed<C> && !(requires {
                           &event_probe<C>::step_begin;
                           &event_probe<C>::epoch_begin;
                           &event_probe<C>::on_step_end;
                           &event_probe<C>::on_epoch_end;
                           &event_probe<C>::begin;
                           &event_probe<C>::end;
                         });

}  // namespace detail

/// Requirements on a callback `C` of training that is seen as `Run`, a `fit_run<Trainer>`. At least one of
///
///  1. `c.fit_begin(run)`: before the first step,
///  2. `c.step_end(run)`: after every step,
///  3. `c.epoch_end(run)`: after every epoch and its validation; `run.last_epoch()` is its report,
///  4. `c.fit_end(run)`: after the last step, before the best weights are restored,
///
/// each of which returns nothing; `run.stop("why")` ends training. Callbacks are called in their order. With a
/// `visit_state` of its own a callback is part of checkpoints. It then stands before `checkpointing`, which otherwise
/// would save it before it was told of the event: that does not compile. So does a callback that writes of every epoch to
/// a file, and says so: `static constexpr bool keeps_record = true`. What saves the run says `saves_run` likewise.
///
///     struct print_loss {
///       void epoch_end(auto& run) { std::printf("%g\n", run.last_epoch().training_loss); }
///     };
template <class C, class Run>
concept callback_for = detail::has_fit_begin<C, Run> || detail::has_step_end<C, Run> ||
                       detail::has_epoch_end<C, Run> || detail::has_fit_end<C, Run>;

namespace detail {

template <class C, class Run>
consteval bool explain_callback() {
  static_assert(!names_fit_begin<C> || has_fit_begin<C, Run>,
                "gal::callback_for, requirement 1: `fit_begin` cannot be called as `void fit_begin(run)`; "
                "correct it, or "
                "leave it out.");
  static_assert(!names_step_end<C> || has_step_end<C, Run>,
                "gal::callback_for, requirement 2: `step_end` cannot be called as `void step_end(run)`; "
                "correct it, or leave "
                "it out.");
  static_assert(!names_epoch_end<C> || has_epoch_end<C, Run>,
                "gal::callback_for, requirement 3: `epoch_end` cannot be called as `void epoch_end(run)`; "
                "correct it, or "
                "leave it out.");
  static_assert(!names_fit_end<C> || has_fit_end<C, Run>,
                "gal::callback_for, requirement 4: `fit_end` cannot be called as `void fit_end(run)`; "
                "correct it, or leave it "
                "out.");
  static_assert(
      !names_no_event<C>,
      "gal::callback_for: a member is called like an event that does not exist; the events are fit_begin, "
      "step_end, epoch_end and fit_end.");
  static_assert(
      callback_for<C, Run>,
      "gal::callback_for: provide at least one of `void fit_begin(run)`, `step_end(run)`, "
      "`epoch_end(run)` and `fit_end(run)`, or wrap a function in gal::on_step_end or gal::on_epoch_end.");
  return true;
}

// A callback that saves the run, and one that would lose an event to a program that ends between the two.
template <class C>
concept saves_run = requires { requires C::saves_run; };
template <class C>
concept keeps_record = visits_state<C> || requires { requires C::keeps_record; };

template <class... Callbacks>
consteval bool records_stand_before_saving() {
  bool saved = false;
  bool result = true;
  ((result = result && !(saved && keeps_record<Callbacks>), saved = saved || saves_run<Callbacks>), ...);
  return result;
}

}  // namespace detail

}  // namespace gal

// gal/fit/fit.hpp: the loop over epochs and batches, with a validation set, early stopping and callbacks (POSIX).
// Provides: fit, fit_result. Includes gal/fit/fit_run.hpp, gal/fit/callback.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/error.hpp>
#include <gal/fit/callback.hpp>
#include <gal/fit/detail/interrupt.hpp>
#include <gal/fit/evaluation_mode.hpp>
#include <gal/fit/fit_run.hpp>
#include <gal/io/state.hpp>
#include <gal/train/trainer.hpp>

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// What `fit` did.
struct fit_result {
  stop_reason reason = stop_reason::epochs;
  std::string message;          ///< the reason in words
  std::int64_t epochs = 0;      ///< whole ones, those before a resume included
  std::int64_t steps = 0;       ///< of the trainer
  std::int64_t best_epoch = 0;  ///< of the validation loss; 0 without a validation set
  double best_validation_loss = epoch_report::none;
  std::vector<epoch_report> history;  ///< the epochs of this call
};

namespace detail {

template <class Batches>
using batch_iterator = decltype(std::declval<Batches&>().begin());
template <class Batches>
concept batch_range = requires(Batches& batches) {
  batches.begin() != batches.end();
  *batches.begin();
  ++std::declval<batch_iterator<Batches>&>();
};

// Mean loss over the samples of all batches, in evaluation.
template <class Trainer, class Validation>
double validate(Trainer& trainer, Validation& batches) {
  const evaluation_mode<std::remove_reference_t<decltype(trainer.model())>> mode(trainer.model());
  double sum = 0.0;
  double samples = 0.0;
  for (auto&& [x, y] : batches) {
    const batch_loss loss = trainer.evaluate(x, y);
    sum += loss.mean * static_cast<double>(loss.samples);
    samples += static_cast<double>(loss.samples);
  }
  return sum / samples;
}

// The loop. `validation` is null where there is none.
struct fit_loop {
  template <class Trainer, class Batches, class Validation, class... Callbacks>
  static fit_result run(Trainer& trainer, Batches& batches, Validation* validation,
                        const fit_options& options, Callbacks&... callbacks) {
    static_assert(batch_range<Batches> && batch_range<Validation>,
                  "gal::fit: batches are a range of (input, target) pairs, such as gal::batches.");
    static_assert(explain_report_type<Trainer>());
    using run_type = fit_run<Trainer>;
    using report_type = typename Trainer::report_type;
    static_assert((explain_callback<Callbacks, run_type>() && ...));
    static_assert(
        records_stand_before_saving<Callbacks...>(),
        "gal::fit: behind checkpointing stands a callback that keeps a record (csv_log, html_report, "
        "tensorboard, or one with visit_state), whose last event the checkpoint would miss; put "
        "checkpointing behind it.");
    check(options, validation != nullptr);

    run_type run(trainer, options, validation != nullptr, [&](state_view& visit) {
      if constexpr (stateful<Batches>) {
        visit("batches", batches);
      }
      index_type number = 0;
      (show_state(visit, ++number, callbacks), ...);
    });
    if constexpr (requires { batches.size(); }) {
      run.batches_in_epoch_ = static_cast<std::int64_t>(batches.size());
    }
    fit_result result;
    const interrupt_guard guard(options.handle_interrupt);
    (tell_fit_begin(callbacks, run), ...);
    for (run.look_for_end(); !run.reason_; run.look_for_end()) {
      // A checkpoint may be of an epoch whose batches are done.
      if (!run.epoch_is_complete_) {
        auto at = batches.begin();
        require(at != batches.end(), error_code::shape_mismatch,
                "gal::fit: an epoch without batches; expected at least one");
        while (at != batches.end() && !run.reason_) {
          auto&& [x, y] = *at;
          static_assert(
              explain_trainer<Trainer, std::remove_cvref_t<decltype(x)>, std::remove_cvref_t<decltype(y)>>());
          auto pending = trainer.step(x, y);
          ++at;
          run.epoch_is_complete_ = !(at != batches.end());
          const bool reads = run.epoch_is_complete_ || trainer.steps() % options.report_every == 0;
          const report_type report = reads ? static_cast<report_type>(pending) : report_type();
          run.count_step(reads ? &report : nullptr);
          (tell_step_end(callbacks, run), ...);
          if (guard.interrupted()) {
            run.interrupt();
          }
        }
        if (!run.epoch_is_complete_ || run.reason_ == stop_reason::interrupted) {
          break;
        }
      }
      run.finish_epoch(validation == nullptr ? epoch_report::none : validate(trainer, *validation));
      result.history.push_back(run.last_epoch_);
      (tell_epoch_end(callbacks, run), ...);
      if (guard.interrupted()) {
        run.interrupt();
      }
    }
    (tell_fit_end(callbacks, run), ...);
    // Who interrupts wants to go on later, from where training is.
    if (run.best_ && options.restore_best && run.reason_ != stop_reason::interrupted) {
      run.best_->weights.restore(trainer.model());
    }
    result.reason = *run.reason_;
    result.message = run.message_ + run.advice_;
    result.epochs = run.epochs_;
    result.steps = trainer.steps();
    if (run.best_) {
      result.best_epoch = run.best_->epoch;
      result.best_validation_loss = run.best_->loss;
    }
    return result;
  }

 private:
  template <class C>
  static void show_state(state_view& visit, index_type number, C& callback) {
    if constexpr (visits_state<C>) {
      visit(text("callback", number), callback);
    }
  }
  template <class C, class Run>
  static void tell_fit_begin(C& callback, Run& run) {
    if constexpr (has_fit_begin<C, Run>) {
      callback.fit_begin(run);
    }
  }
  template <class C, class Run>
  static void tell_step_end(C& callback, Run& run) {
    if constexpr (has_step_end<C, Run>) {
      callback.step_end(run);
    }
  }
  template <class C, class Run>
  static void tell_epoch_end(C& callback, Run& run) {
    if constexpr (has_epoch_end<C, Run>) {
      callback.epoch_end(run);
    }
  }
  template <class C, class Run>
  static void tell_fit_end(C& callback, Run& run) {
    if constexpr (has_fit_end<C, Run>) {
      callback.fit_end(run);
    }
  }
};

}  // namespace detail

/// Trains for epochs over `batches`, and says why it ended. Does what the loop
///
///     for (int epoch = 0; epoch < epochs; ++epoch)
///       for (auto [x, y] : batches) trainer.step(x, y);
///
/// does, bit for bit, and tells callbacks about it. Ctrl-C ends it after the step, with the earlier handler restored
/// afterwards. Throws for options out of range; what a callback or the validation throws comes through, with the model in
/// the mode (`set_training`) and the signal handler back that were there before.
///
///     gal::fit_result result = gal::fit(trainer, batches, {.epochs = 20}, gal::progress_bar());
template <class Trainer, class Batches, class... Callbacks>
fit_result fit(Trainer& trainer, Batches&& batches, const fit_options& options = {},
               Callbacks&&... callbacks) {
  return detail::fit_loop::run(trainer, batches, static_cast<std::remove_reference_t<Batches>*>(nullptr),
                               options, callbacks...);
}

/// The same with a validation set, whose mean loss after every epoch finds the best one: with `patience` training ends
/// where it does not improve, and with `restore_best` (the default) the model ends with the weights of the best epoch,
/// unless it was interrupted. A model with `set_training` is in evaluation there.
///
///     gal::batches validation(test, 256, {.shuffle = false});
///     gal::fit_result result = gal::fit(trainer, batches, validation, {.epochs = 200, .patience = 10});
template <class Trainer, class Batches, detail::batch_range Validation, class... Callbacks>
fit_result fit(Trainer& trainer, Batches&& batches, Validation&& validation, const fit_options& options = {},
               Callbacks&&... callbacks) {
  return detail::fit_loop::run(trainer, batches, &validation, options, callbacks...);
}

}  // namespace gal

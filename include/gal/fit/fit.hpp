// gal/fit/fit.hpp: the loop over epochs and batches, with a validation set, early stopping and callbacks (POSIX).
// Provides: fit, fit_options, fit_result, epoch_report, stop_reason, fit_run, callback_for.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/error.hpp>
#include <gal/io/state.hpp>
#include <gal/train/step_report.hpp>
#include <gal/train/trainer.hpp>

#include <signal.h>

#include <array>
#include <atomic>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal {

/// Why training ended.
enum class stop_reason {
  epochs,       ///< all epochs were trained
  patience,     ///< the validation loss did not improve any more
  requested,    ///< a callback asked for it
  interrupted,  ///< Ctrl-C
};
constexpr auto enumerator_names(stop_reason) {
  return std::to_array<std::string_view>({"epochs", "patience", "requested", "interrupted"});
}

/// Settings of `fit`.
struct fit_options {
  std::int64_t epochs = 100;  ///< in all, those before a resume included, >= 0
  std::int64_t patience =
      0;  ///< epochs without a better validation loss before the end; 0: no early stopping
  double min_improvement = 0.0;  ///< a validation loss is better where it is lower by more than this, >= 0
  bool restore_best = true;      ///< with a validation set, end with the weights of the best epoch
  bool handle_interrupt = true;  ///< Ctrl-C ends training after the step; a second one ends the program
  /// Of the trainer's steps, counted over the whole training, every so many-th is reported, >= 1, and the last of every
  /// epoch; on a device each report waits.
  std::int64_t report_every = 1;
};

/// What one epoch did. Losses, numbers and refusals are those of the steps that were reported, of which the last step is
/// always one; NaN where there is no such number, as for the training loss where every step was refused.
struct epoch_report {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();

  std::int64_t epoch = 0;         ///< from 1
  std::int64_t steps = 0;         ///< of the trainer, at its end
  std::int64_t refused = 0;       ///< steps whose loss or gradients were not finite
  double training_loss = none;    ///< mean over the samples, each before the step that it was in
  double validation_loss = none;  ///< mean over the samples, after the epoch; NaN without a validation set
  double learning_rate = none;    ///< of the last step
  bool is_best = false;           ///< the best validation loss so far
  /// The numbers of the method (`reported_number`): means over the steps that were not refused.
  std::vector<reported_number> numbers = {};

  /// The number of that name; NaN where the method has none.
  [[nodiscard]] double number(std::string_view name) const {
    for (const reported_number& each : numbers) {
      if (each.name == name) {
        return each.value;
      }
    }
    return none;
  }
};

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
struct fit_loop;

// The numbers of a method over the steps of an epoch: sums, as they are or of their sizes, and how many they are of.
template <class Report>
class number_means {
 public:
  number_means() {
    visit_numbers(Report(), [&](const reported_number& number) { numbers_.push_back(number); });
    clear();
  }

  void add(const Report& report) {
    std::size_t k = 0;
    visit_numbers(report, [&](const reported_number& number) {
      if (std::isfinite(number.value)) {
        sums_[k] += number.magnitude ? std::abs(number.value) : number.value;
        ++counts_[k];
      }
      ++k;
    });
  }

  [[nodiscard]] std::vector<reported_number> means() const {
    std::vector<reported_number> result = numbers_;
    for (std::size_t k = 0; k < result.size(); ++k) {
      result[k].value = counts_[k] == 0 ? step_report::none : sums_[k] / static_cast<double>(counts_[k]);
    }
    return result;
  }

  void clear() {
    sums_.assign(numbers_.size(), 0.0);
    counts_.assign(numbers_.size(), 0);
  }

  template <class Visitor>
  void visit_state(Visitor& visit) {
    for (std::size_t k = 0; k < numbers_.size(); ++k) {
      visit(text(numbers_[k].name, ".sum"), sums_[k]);
      visit(text(numbers_[k].name, ".count"), counts_[k], 0, std::numeric_limits<std::int64_t>::max());
    }
  }

 private:
  std::vector<reported_number> numbers_;
  std::vector<double> sums_;
  std::vector<std::int64_t> counts_;
};

}  // namespace detail

/// Training as callbacks see it. `visit_state` shows all that a resume needs.
template <class Trainer>
class fit_run {
 public:
  using trainer_type = Trainer;
  using report_type = typename Trainer::report_type;

  [[nodiscard]] Trainer& trainer() { return *trainer_; }
  [[nodiscard]] auto& model() { return trainer_->model(); }
  [[nodiscard]] const fit_options& options() const { return options_; }

  /// Whole epochs so far, steps of the epoch that runs, and batches in an epoch (0 where the range does not say).
  [[nodiscard]] std::int64_t epochs() const { return epochs_; }
  [[nodiscard]] std::int64_t steps_in_epoch() const { return steps_in_epoch_; }
  [[nodiscard]] std::int64_t batches_in_epoch() const { return batches_in_epoch_; }

  /// Whether there is a validation set.
  [[nodiscard]] bool validates() const { return validates_; }

  /// The last step that was reported (fit_options::report_every), and its number, the trainer's `steps()` after it; 0
  /// where this call of `fit` has not reported one yet.
  [[nodiscard]] const report_type& last_step() const { return last_step_; }
  [[nodiscard]] std::int64_t last_step_number() const { return last_step_number_; }

  /// Whether that is the step that was just taken.
  [[nodiscard]] bool step_is_reported() const { return last_step_number_ == trainer_->steps(); }

  /// What the step that was just taken did, reported or not; where it was not, a device is waited for.
  [[nodiscard]] report_type read_step() const {
    return step_is_reported() ? last_step_ : static_cast<report_type>(trainer_->report());
  }

  /// The last whole epoch.
  [[nodiscard]] const epoch_report& last_epoch() const { return last_epoch_; }

  /// Ends training after this step or epoch, and says why.
  void stop(std::string why) {
    if (reason_ != stop_reason::interrupted) {
      reason_ = stop_reason::requested;
      message_ = std::move(why);
    }
  }

  /// Why training ends, once it is known.
  [[nodiscard]] std::optional<stop_reason> stopping() const { return reason_; }
  [[nodiscard]] const std::string& message() const { return message_; }

  void visit_state(state_view& visit) {
    static_assert(
        detail::visits_state<Trainer>,
        "gal::checkpointing: the trainer cannot be saved; provide `visit_state(visit)`, which shows "
        "all that its next step depends on (gal/io/state.hpp).");
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    visit("trainer", *trainer_);
    others_(visit);
    visit("epochs", epochs_, 0, most);
    visit("epoch_is_complete", epoch_is_complete_);
    visit("epoch.steps", steps_in_epoch_, 0, most);
    visit("epoch.refused", refused_, 0, most);
    visit("epoch.samples", samples_, 0, most);
    visit("epoch.loss", loss_sum_);
    visit("epoch.numbers", numbers_);
    visit("epoch.learning_rate", learning_rate_);
    if (visit.count("has_best", best_ ? 1 : 0) == 0) {
      visit.after_loading([this] { best_.reset(); });
      return;
    }
    // A copy of the model has the names and sizes that the best one has.
    const auto best = best_ ? best_ : std::make_shared<best_epoch>(best_epoch{0, 0.0, state_copy(model())});
    visit("best.epoch", best->epoch, 0, most);
    visit("best.loss", best->loss);
    visit("best.weights", best->weights);
    visit.after_loading([this, best] { best_ = best; });
  }

 private:
  struct best_epoch {
    std::int64_t epoch;
    double loss;
    state_copy weights;
  };

  fit_run(Trainer& trainer, const fit_options& options, bool validates,
          std::function<void(state_view&)> others)
      : trainer_(&trainer), options_(options), validates_(validates), others_(std::move(others)) {}

  void count_step(const report_type* report) {
    ++steps_in_epoch_;
    if (report == nullptr) {
      return;
    }
    last_step_ = *report;
    last_step_number_ = trainer_->steps();
    learning_rate_ = report->learning_rate;
    refused_ += report->non_finite ? 1 : 0;
    if (std::isfinite(report->loss)) {
      loss_sum_ += report->loss * static_cast<double>(report->samples);
      samples_ += static_cast<std::int64_t>(report->samples);
    }
    if (!report->non_finite) {
      numbers_.add(*report);
    }
  }

  // Ends the epoch: its report, and a state in which the next has not begun.
  void finish_epoch(double validation_loss) {
    last_epoch_ = {
        .epoch = ++epochs_,
        .steps = trainer_->steps(),
        .refused = refused_,
        .training_loss = samples_ == 0 ? epoch_report::none : loss_sum_ / static_cast<double>(samples_),
        .validation_loss = validation_loss,
        .learning_rate = learning_rate_,
        .numbers = numbers_.means()};
    if (std::isfinite(validation_loss) &&
        (!best_ || validation_loss < best_->loss - options_.min_improvement)) {
      last_epoch_.is_best = true;
      best_ = std::make_shared<best_epoch>(best_epoch{epochs_, validation_loss, state_copy(model())});
    }
    steps_in_epoch_ = refused_ = samples_ = 0;
    loss_sum_ = 0.0;
    numbers_.clear();
    epoch_is_complete_ = false;
  }

  // Whether the epochs or the patience are at their end.
  void look_for_end() {
    if (reason_) {
      return;
    }
    const std::int64_t best = best_ ? best_->epoch : 0;
    if (options_.patience > 0 && epochs_ - best >= options_.patience) {
      reason_ = stop_reason::patience;
      message_ = detail::text(options_.patience, " epochs without a better validation loss");
    } else if (epochs_ >= options_.epochs) {
      reason_ = stop_reason::epochs;
      message_ = detail::text(epochs_, " epochs");
    }
  }

  void interrupt() {
    reason_ = stop_reason::interrupted;
    message_ = "interrupted";
  }

  friend struct detail::fit_loop;

  Trainer* trainer_;
  fit_options options_;
  bool validates_;
  std::function<void(state_view&)> others_;  // batches, and callbacks that have a state
  std::optional<stop_reason> reason_;
  std::string message_;
  report_type last_step_;
  std::int64_t last_step_number_ = 0;
  epoch_report last_epoch_;
  std::int64_t batches_in_epoch_ = 0;

  std::int64_t epochs_ = 0;
  bool epoch_is_complete_ = false;  // all its batches were seen, and it was not looked at yet
  std::int64_t steps_in_epoch_ = 0;
  std::int64_t refused_ = 0;
  std::int64_t samples_ = 0;
  double loss_sum_ = 0.0;
  double learning_rate_ = 0.0;
  detail::number_means<report_type> numbers_;
  std::shared_ptr<best_epoch> best_;
};

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
concept names_fit_begin = can_be_probed<C> && !requires {
  &event_probe<C>::fit_begin;
};
template <class C>
concept names_step_end = can_be_probed<C> && !requires {
  &event_probe<C>::step_end;
};
template <class C>
concept names_epoch_end = can_be_probed<C> && !requires {
  &event_probe<C>::epoch_end;
};
template <class C>
concept names_fit_end = can_be_probed<C> && !requires {
  &event_probe<C>::fit_end;
};
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
concept saves_run = requires {
  requires C::saves_run;
};
template <class C>
concept keeps_record = visits_state<C> || requires {
  requires C::keeps_record;
};

template <class... Callbacks>
consteval bool records_stand_before_saving() {
  bool saved = false;
  bool result = true;
  ((result = result && !(saved && keeps_record<Callbacks>), saved = saved || saves_run<Callbacks>), ...);
  return result;
}

template <class Batches>
using batch_iterator = decltype(std::declval<Batches&>().begin());
template <class Batches>
concept batch_range = requires(Batches& batches) {
  batches.begin() != batches.end();
  *batches.begin();
  ++std::declval<batch_iterator<Batches>&>();
};

// Ctrl-C as a flag, for as long as any of these lives; then the earlier handler is back. Where the signal is ignored, as
// under nohup, it stays so.
class interrupt_guard {
 public:
  explicit interrupt_guard(bool active) : active_(active) {
    if (!active_) {
      return;
    }
    const std::lock_guard lock(shared().mutex);
    if (shared().count++ == 0) {
      interrupted_ = false;
      struct ::sigaction action = {};
      action.sa_handler = [](int) { interrupted_ = true; };
      // A second Ctrl-C ends the program; what waits for a file or a device is not disturbed by the first.
      action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
      ::sigaction(SIGINT, nullptr, &shared().before);
      if (shared().before.sa_handler != SIG_IGN) {
        ::sigaction(SIGINT, &action, nullptr);
      }
    }
  }
  interrupt_guard(const interrupt_guard&) = delete;
  interrupt_guard& operator=(const interrupt_guard&) = delete;
  ~interrupt_guard() {
    if (active_) {
      const std::lock_guard lock(shared().mutex);
      if (--shared().count == 0) {
        ::sigaction(SIGINT, &shared().before, nullptr);
      }
    }
  }

  [[nodiscard]] bool interrupted() const { return active_ && interrupted_; }

 private:
  struct shared_state {
    std::mutex mutex;
    int count = 0;
    struct ::sigaction before = {};
  };
  static shared_state& shared() {
    static shared_state state;
    return state;
  }

  static inline std::atomic<bool> interrupted_ = false;
  static_assert(std::atomic<bool>::is_always_lock_free);  // what a handler may write
  bool active_;
};

// Keeps a model in evaluation, where it knows of that, for as long as this lives.
template <class Model>
class evaluation_mode {
 public:
  explicit evaluation_mode(Model& model) : model_(&model) {
    if constexpr (has_modes) {
      training_ = model.training();
      model.set_training(false);
    }
  }
  evaluation_mode(const evaluation_mode&) = delete;
  evaluation_mode& operator=(const evaluation_mode&) = delete;
  ~evaluation_mode() {
    if constexpr (has_modes) {
      model_->set_training(training_);
    }
  }

 private:
  static constexpr bool has_modes = requires(Model & model) { model.set_training(model.training()); };
  Model* model_;
  bool training_ = false;
};

// Mean loss over the samples of all batches, in evaluation.
template <class Trainer, class Validation>
double validate(Trainer& trainer, Validation& batches) {
  const evaluation_mode mode(trainer.model());
  double sum = 0.0;
  double samples = 0.0;
  for (auto&& [x, y] : batches) {
    const batch_loss loss = trainer.evaluate(x, y);
    sum += loss.mean * static_cast<double>(loss.samples);
    samples += static_cast<double>(loss.samples);
  }
  return sum / samples;
}

inline void check(const fit_options& options, bool validates) {
  require(options.epochs >= 0, error_code::invalid_option, "gal::fit_options: epochs is ", options.epochs,
          "; expected at least 0");
  require(options.patience >= 0, error_code::invalid_option, "gal::fit_options: patience is ",
          options.patience, "; expected at least 0");
  require(options.patience == 0 || validates, error_code::invalid_option, "gal::fit_options: patience is ",
          options.patience, " without a validation set; expected 0, or batches to validate on");
  require(options.min_improvement >= 0.0 && std::isfinite(options.min_improvement),
          error_code::invalid_option, "gal::fit_options: min_improvement is ", options.min_improvement,
          "; expected a non-negative number");
  require(options.report_every >= 1, error_code::invalid_option, "gal::fit_options: report_every is ",
          options.report_every, "; expected at least 1");
}

// The loop. `validation` is null where there is none.
struct fit_loop {
  template <class Trainer, class Batches, class Validation, class... Callbacks>
  static fit_result run(Trainer& trainer, Batches& batches, Validation* validation,
                        const fit_options& options, Callbacks&... callbacks) {
    static_assert(batch_range<Batches> && batch_range<Validation>,
                  "gal::fit: batches are a range of (input, target) pairs, such as gal::batches.");
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
      index number = 0;
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
    result.message = run.message_;
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
  static void show_state(state_view& visit, index number, C& callback) {
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

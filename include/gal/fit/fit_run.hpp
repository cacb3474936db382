// gal/fit/fit_run.hpp: training as callbacks see it.
// Provides: fit_run, stop_reason. Includes gal/fit/fit_options.hpp, gal/fit/epoch_report.hpp.
#pragma once

#include <gal/core/error.hpp>
#include <gal/fit/epoch_report.hpp>
#include <gal/fit/fit_options.hpp>
#include <gal/io/state.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace gal::inline GAL_ABI {

/// Why training ended.
enum class stop_reason {
  epochs,       ///< all epochs were trained
  patience,     ///< the validation loss did not improve any more
  refused,      ///< no step of a whole epoch, all reported, was taken: losses or gradients were not finite
  requested,    ///< a callback asked for it
  interrupted,  ///< Ctrl-C
};
constexpr auto enumerator_names(stop_reason) {
  return std::to_array<std::string_view>({"epochs", "patience", "refused", "requested", "interrupted"});
}

namespace detail {
struct fit_loop;
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

  /// Where this call of `fit` took up a training, as `checkpointing` says it: "resumed after 30 epochs of run.safetensors".
  [[nodiscard]] const std::string& resumption() const { return resumption_; }
  void resumed_from(std::string_view path) {
    resumption_ = detail::text("resumed after ", epochs_, epochs_ == 1 ? " epoch of " : " epochs of ", path);
    if (steps_in_epoch_ > 0) {
      resumption_ += detail::text(", at batch ", steps_in_epoch_ + 1, " of the next");
    }
  }

  /// Why training ends, once it is known.
  [[nodiscard]] std::optional<stop_reason> stopping() const { return reason_; }
  [[nodiscard]] const std::string& message() const { return message_; }

  /// What to do where a training had ended before this call of `fit`, to be read behind the message; empty elsewhere.
  [[nodiscard]] const std::string& advice() const { return advice_; }

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
    static_assert(stateful<std::remove_reference_t<decltype(model())>>,
                  "gal::fit: the best weights cannot be kept; let the model show what it is made of: "
                  "`visit_state(visit)`, `parameters()`, or a specialised gal::state_of (gal/io/state.hpp).");
    if (std::isfinite(validation_loss) &&
        (!best_ || validation_loss < best_->loss - options_.min_improvement)) {
      last_epoch_.is_best = true;
      best_ = std::make_shared<best_epoch>(best_epoch{epochs_, validation_loss, state_copy(model())});
    }
    trains_ = refused_ < steps_in_epoch_;  // steps that were not reported may have been taken
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
    const bool at_once = !std::exchange(has_looked_, true);
    const std::int64_t best = best_ ? best_->epoch : 0;
    std::string_view raised;
    if (!trains_) {
      reason_ = stop_reason::refused;
      message_ =
          detail::text("every step of epoch ", epochs_,
                       " was refused: losses or gradients are not finite; look at targets and learning rate");
    } else if (options_.patience > 0 && epochs_ - best >= options_.patience) {
      reason_ = stop_reason::patience;
      message_ = detail::text(options_.patience, " epochs without a better validation loss");
      raised = "patience";
    } else if (epochs_ >= options_.epochs) {
      reason_ = stop_reason::epochs;
      message_ = detail::text(epochs_, " epochs");
      raised = "epochs";
    }
    if (at_once && !raised.empty() && epochs_ > 0) {
      advice_ = detail::text(", all of them before: raise ", raised, " to train longer");
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
  std::string advice_;
  std::string resumption_;
  bool has_looked_ = false;  // for an end
  bool trains_ = true;       // the last epoch had a step that was taken
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

}  // namespace gal

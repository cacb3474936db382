// gal/train/captured_step.hpp: a training step that a device records and replays.
// Provides: captured_step, for trainers on a backend that records, as gal/backends/thrust.hpp.
#pragma once

#include <gal/core/backend.hpp>

#include <utility>

namespace gal::inline GAL_ABI {

/// A training step that is recorded once and then replayed: on CUDA as a graph, which spares small networks the
/// launch of every kernel. The batch is always read from the same device memory: write the next one there before a
/// step. The trainer, its model and the batch must outlive this.
///
///     gal::captured_step step(trainer, x, y);
///     for (...) { /* put a batch into x and y */ step(); }
///     const gal::step_report report = trainer.report();
///
/// The first step runs as usual, and gives every buffer its size. The step is recorded anew whenever the optimizer's
/// learning rate changes: with a schedule that changes it at every step nothing is gained. An adjuster of noise is
/// refused, since a replay would draw the same numbers again.
template <class Trainer, class Input, class Target>
class captured_step {
 public:
  captured_step(Trainer& trainer, const Input& input, const Target& target)
      : trainer_(&trainer), input_(&input), target_(&target) {
    trainer.check_repeatable();
  }
  captured_step(const captured_step&) = delete;
  captured_step& operator=(const captured_step&) = delete;

  void operator()() {
    const double rate = trainer_->optimizer().learning_rate();
    if (!warm_) {
      trainer_->step(*input_, *target_);
      warm_ = true;
      return;
    }
    if (recording_.empty() || rate != rate_) {
      recording_ = trainer_->backend().record([this] { trainer_->step(*input_, *target_); });
      rate_ = rate;
    } else if constexpr (!recording_type::calls_again) {
      trainer_->count_replayed_step();
    }
    recording_.replay();
  }

 private:
  using recording_type =
      decltype(std::declval<const typename Trainer::backend_type&>().record(std::declval<void (*)()>()));

  Trainer* trainer_;
  const Input* input_;
  const Target* target_;
  bool warm_ = false;
  double rate_ = 0.0;
  recording_type recording_;
};

}  // namespace gal

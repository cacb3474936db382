// gal/train/detail/adjuster_learner.hpp: the adjuster's own steps, and what a refused step takes back.
// Provides: nothing public; detail::adjuster_learner for gal/train/adjust.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/error.hpp>
#include <gal/core/random.hpp>
#include <gal/optim/gradients.hpp>
#include <gal/optim/optimizers.hpp>
#include <gal/train/adjust_options.hpp>
#include <gal/train/detail/guarded_step.hpp>

#include <concepts>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::detail {

/// Steps the adjuster: by a companion of the model's optimizer (paper), or by an Adam of its own.
template <class Adjuster, class Optimizer, class T, class Backend>
class adjuster_learner {
 public:
  using memory_type = typename Backend::memory_type;

  /// Throws where the options ask for a companion and the optimizer cannot be copied.
  adjuster_learner(const adjust_options& options, Optimizer& optimizer, Backend backend)
      : backend_(backend),
        policy_(options.non_finite),
        steps_ahead_(options.adjuster_steps > 1 && options.non_finite != non_finite_policy::ignore),
        adam_({.learning_rate = options.adjuster_learning_rate}, backend),
        squares_(backend),
        values_before_(backend),
        statistics_before_(backend),
        statistics_of_step_(backend) {
    if (options.training == adjuster_training::model_optimizer) {
      if constexpr (requires { companion_.emplace(optimizer.companion()); }) {
        companion_.emplace(optimizer.companion());
      } else if constexpr (std::copyable<Optimizer>) {
        companion_.emplace(optimizer);
      } else {
        require(
            false, error_code::invalid_option,
            "gal::adjust_options: training by the model's optimizer needs an optimizer that can be copied; "
            "expected adjuster_training::own_adam");
      }
    }
  }

  /// Takes the adjuster's parameters anew: they may have moved.
  void collect(Adjuster& h) { detail::collect(h, parameters_, "gal::adjust, the adjuster"); }

  /// Whether there is anything to learn.
  [[nodiscard]] bool learns() const { return !parameters_.empty(); }

  /// Before its backward pass.
  void clear_gradients(Adjuster& h) {
    detail::clear_gradients(backend_, parameters_);
    statistics_of_step_.remember(h);
  }

  /// A step, at the model's learning rate where the companion takes it. A gradient that is not finite, as from a tentative
  /// loss that overflowed, teaches nothing; nor does a step that `before`, unless null, forbids. `verdict` is the judgement.
  void step(Adjuster& h, double learning_rate, const double* before, double* verdict) {
    judge_gradients(backend_, parameters_, policy_, before, squares_, verdict);
    if (companion_) {
      if constexpr (requires { companion_->set_base_learning_rate(learning_rate); }) {
        companion_->set_base_learning_rate(learning_rate);
      }
      step_if(backend_, *companion_, parameters_, verdict);
    } else {
      step_if(backend_, adam_, parameters_, verdict);
    }
    statistics_of_step_.restore_unless(h, verdict);
    if (before != nullptr) {
      statistics_before_.restore_unless(h, before);
    }
  }

  /// What a refused step takes back: the noise drawn, what backward passes gathered, and the adjuster's steps but the last,
  /// which comes after the check.
  void remember(Adjuster& h) {
    statistics_before_.remember(h);
    if constexpr (draws_noise) {
      noise_before_ = h.noise();
    }
    if (!steps_ahead()) {
      return;
    }
    if (companion_) {
      reserve_for(*companion_, parameters_);
    } else {
      reserve_for(adam_, parameters_);
    }
    values_before_.resize(number_of_values(std::span<const parameter<T, memory_type>>(parameters_)), 1);
    T* to = values_before_.data();
    for (const auto& block : parameters_) {
      backend_.copy(block.value.data(), to, static_cast<index_type>(block.value.size()));
      to += block.value.size();
    }
    adam_before_ = adam_;
    companion_before_ = companion_;
  }

  void restore(Adjuster& h, const double* proceeds) {
    statistics_before_.restore_unless(h, proceeds);
    if constexpr (draws_noise) {
      h.set_noise(noise_before_);
    }
    if (!steps_ahead()) {
      return;
    }
    const T* from = values_before_.data();
    for (const auto& block : parameters_) {
      backend_.copy(from, block.value.data(), static_cast<index_type>(block.value.size()));
      from += block.value.size();
    }
    adam_ = adam_before_;
    companion_ = companion_before_;
  }

  /// The same where the device finds `*proceeds` zero. Elsewhere the host has asked before.
  void restore_unless(const double* proceeds) {
    if constexpr (asynchronous_backend<Backend>) {
      if (!steps_ahead()) {
        return;
      }
      const T* from = values_before_.data();
      for (const auto& block : parameters_) {
        const auto size = static_cast<index_type>(block.value.size());
        detail::restore_unless(backend_, proceeds, from, block.value.data(), size);
        from += size;
      }
      if (!companion_) {
        adam_.undo(adam_before_, proceeds);
      } else if constexpr (requires { companion_->undo(*companion_before_, proceeds); }) {
        companion_->undo(*companion_before_, proceeds);
      } else if (backend_.read(proceeds) == 0.0) {
        companion_ = companion_before_;
      }
    }
  }

  /// The adjuster and its optimizer.
  template <class Visitor>
  void visit_state(Visitor& visit, Adjuster& h) {
    visit("adjuster", h);
    parameter_list<T, memory_type> list;
    detail::collect(h, list, "gal::adjust, the adjuster");
    if (companion_) {
      reserve_for(*companion_, list);
      visit("adjuster_optimizer", *companion_);
    } else {
      reserve_for(adam_, list);
      visit("adjuster_optimizer", adam_);
    }
  }

 private:
  // The copy of the model's optimizer; Adam only stands in where that cannot be copied.
  using companion_type = std::conditional_t<std::copyable<Optimizer>, Optimizer, adam<T, Backend>>;
  static constexpr bool draws_noise = requires(Adjuster& h) { h.set_noise(h.noise()); };

  [[nodiscard]] bool steps_ahead() const { return steps_ahead_ && learns(); }

  Backend backend_;
  non_finite_policy policy_;
  bool steps_ahead_;  // steps are taken before the model's gradients are checked
  parameter_list<T, memory_type> parameters_;
  adam<T, Backend> adam_;
  std::optional<companion_type> companion_;
  matrix<double, Backend> squares_;

  random_stream noise_before_;
  matrix<T, Backend> values_before_;
  kept_statistics<Adjuster, T, Backend> statistics_before_;   // before the trainer's step
  kept_statistics<Adjuster, T, Backend> statistics_of_step_;  // before the adjuster's last one
  adam<T, Backend> adam_before_ = adam_;
  std::optional<companion_type> companion_before_;
};

}  // namespace gal::detail

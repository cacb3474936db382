// gal/adjuster_learner.hpp: the adjuster's own steps, and what a refused step takes back.
// Provides: nothing public; detail::adjuster_learner and what the model's step shares with it, for gal/adjust.hpp.
#pragma once

#include <gal/backend.hpp>
#include <gal/concepts.hpp>
#include <gal/error.hpp>
#include <gal/optim.hpp>
#include <gal/options.hpp>
#include <gal/random.hpp>

#include <concepts>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal::detail {

template <class T, class Memory>
using parameter_list = std::vector<parameter<T, Memory>>;

// The owner's parameters as a list that keeps its memory. Throws where blocks overlap, which is looked at when they are new
// or have moved.
template <class Owner, class T, class Memory>
const parameter_list<T, Memory>& collect(Owner& owner, parameter_list<T, Memory>& list,
                                         std::string_view whose) {
  std::size_t count = 0;
  bool same = true;
  for (auto&& block : owner.parameters()) {
    const parameter<T, Memory> next(block);
    if (count == list.size()) {
      list.push_back(next);
      same = false;
    }
    same = same && same_block(list[count], next);
    list[count++] = next;
  }
  same = same && count == list.size();
  list.resize(count);
  if (!same) {
    parameter_list<T, Memory> fresh = std::exchange(list, {});  // none are known where they are refused
    require_distinct(std::span<const parameter<T, Memory>>(fresh), whose);
    list = std::move(fresh);
  }
  return list;
}

template <class Backend, class T, class Memory>
void clear_gradients(const Backend& backend, const parameter_list<T, Memory>& parameters) {
  for (const auto& block : parameters) {
    backend.fill(block.gradient.data(), static_cast<index>(block.gradient.size()), T(0));
  }
}

// Gives an optimizer that has not stepped yet the state for these parameters.
template <class Stepping, class T, class Memory>
void reserve_for(Stepping& optimizer, const parameter_list<T, Memory>& parameters) {
  const std::span<const parameter<T, Memory>> blocks(parameters);
  if constexpr (requires { optimizer.reserve(blocks); }) {
    optimizer.reserve(blocks);
  }
}

// Whether gradients let a step be taken, as 1 or 0: unless `before` forbids it, where they are finite. Squares beyond the
// scalar's range would make the optimizer's moments infinite, and keep them so.
template <class Backend, class T, class Memory>
void judge_gradients(const Backend& backend, const parameter_list<T, Memory>& parameters,
                     non_finite_policy policy, const double* before, matrix<double, Backend>& squares,
                     double* verdict) {
  if (policy == non_finite_policy::ignore) {
    backend.for_each(1, [verdict] GAL_KERNEL(index) { *verdict = 1.0; });
    return;
  }
  sum_squares(backend, std::span<const parameter<T, Memory>>(parameters),
              std::numeric_limits<double>::infinity(), squares);
  backend.for_each(
      1, [=, square = squares.data(), limit = static_cast<double>(std::numeric_limits<T>::max())] GAL_KERNEL(
             index) { *verdict = (before == nullptr || *before != 0.0) && *square <= limit ? 1.0 : 0.0; });
}

// A step that is taken unless `*proceeds` is zero: as the device finds it where the optimizer can be told so.
template <class Backend, class Stepping, class T, class Memory>
void step_if(const Backend& backend, Stepping& optimizer, const parameter_list<T, Memory>& parameters,
             const double* proceeds) {
  const std::span<const parameter<T, Memory>> blocks(parameters);
  if constexpr (asynchronous_backend<Backend> && requires { optimizer.step(blocks, proceeds); }) {
    optimizer.step(blocks, proceeds);
  } else if (backend.read(proceeds) != 0.0) {
    optimizer.step(blocks);
  }
}

// Numbers that an owner's `backward` changes besides gradients, such as the running means of batch normalisation: its
// `statistics()`, where it has them. A copy, to go back to.
template <class Owner, class T, class Backend>
class kept_statistics {
 public:
  explicit kept_statistics(Backend backend) : backend_(backend), before_(backend) {}

  void remember(Owner& owner) {
    if constexpr (has_any) {
      const view now = owner.statistics();
      before_.assign(now.as_const());
    } else {
      static_cast<void>(owner);
    }
  }

  void restore_unless(Owner& owner, const double* proceeds) {
    if constexpr (has_any) {
      const view now = owner.statistics();
      require(now.shape() == before_.shape(), error_code::shape_mismatch, "gal::adjust: the statistics are ",
              now.shape(), " after the backward pass; expected the size before, ", before_.shape());
      gal::detail::restore_unless(backend_, proceeds, std::as_const(before_).view(), now);
    } else {
      static_cast<void>(owner);
      static_cast<void>(proceeds);
    }
  }

 private:
  using view = matrix_view<T, typename Backend::memory_type>;
  static constexpr bool has_any = requires(Owner & owner) {
    { owner.statistics() } -> std::convertible_to<view>;
  };

  Backend backend_;
  matrix<T, Backend> before_;
};

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
      backend_.copy(block.value.data(), to, static_cast<index>(block.value.size()));
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
      backend_.copy(from, block.value.data(), static_cast<index>(block.value.size()));
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
        const auto size = static_cast<index>(block.value.size());
        backend_.for_each(size, [from, to = block.value.data(), proceeds] GAL_KERNEL(index i) {
          if (*proceeds == 0.0) {
            to[i] = from[i];
          }
        });
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

  GAL_PRIVATE_KERNELS
  // The copy of the model's optimizer; Adam only stands in where that cannot be copied.
  using companion_type = std::conditional_t<std::copyable<Optimizer>, Optimizer, adam<T, Backend>>;
  static constexpr bool draws_noise = requires(Adjuster & h) { h.set_noise(h.noise()); };

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

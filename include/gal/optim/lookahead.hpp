// gal/optim/lookahead.hpp: slow weights over any optimizer.
// Provides: lookahead, lookahead_options.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/math.hpp>
#include <gal/optim/gradients.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

namespace gal::inline GAL_ABI {

/// Settings of `lookahead`.
struct lookahead_options {
  std::int64_t k = 5;  ///< fast steps between two slow ones
  double alpha = 0.5;  ///< share of the way that the slow weights go
};

namespace detail {

// Slow weights start where the fast ones do, wherever these are not what the last step left.
template <class T, class Backend, class Taken>
void start_anew(const Backend& backend, index_type size, T* slow, const T* left, const T* fast,
                Taken is_taken) {
  backend.for_each(size, [=] GAL_KERNEL(index_type i) {
    if (is_taken() && fast[i] != left[i]) {
      slow[i] = fast[i];
    }
  });
}

template <class Backend, class Taken>
void count_where(const Backend& backend, Taken is_taken, double* taken) {
  backend.for_each(1, [=] GAL_KERNEL(index_type) { *taken += is_taken() ? 1.0 : 0.0; });
}

// Whether the number of steps taken is a multiple of k.
struct every_kth {
  const double* taken;
  double k;

  GAL_HOST_DEVICE bool operator()() const { return std::fmod(*taken, k) == 0.0; }
};

// The slow weights go their share of the way where that is due, and the fast ones restart from there.
template <class T, class Backend, class Taken, class Due>
void move_slow_weights(const Backend& backend, index_type size, T* slow, T* left, T* fast, T alpha,
                       Taken is_taken, Due is_due) {
  backend.for_each(size, [=] GAL_KERNEL(index_type i) {
    if (is_taken()) {
      if (is_due()) {
        slow[i] = without_denormals(slow[i] + alpha * (fast[i] - slow[i]));
        fast[i] = slow[i];
      }
      left[i] = fast[i];
    }
  });
}

}  // namespace detail

/// Lookahead over any optimizer (Zhang et al., 2019): after every k steps the slow weights, which start where the fast
/// ones do, move a share alpha of the way towards the fast ones, which restart from there.
///
/// A number that somebody else has set since the last step, by loading weights, by going back to the best ones, or by
/// hand, starts its slow weight anew: it is not pulled back to where it was. So each keeps, beside its slow weight, what
/// the last step left; both are part of the state. The blocks must be the same, in the same order, at every step; throws
/// where their total size has changed.
///
///     gal::lookahead optimizer(gal::sgd<double>({.learning_rate = 0.01}), {.k = 5, .alpha = 0.5});
template <class Optimizer>
class lookahead {
 public:
  static_assert(
      requires { typename Optimizer::value_type; },
      "gal::lookahead: name the scalar of the inner optimizer in a member `value_type`.");
  using value_type = typename Optimizer::value_type;
  using backend_type = backend_of<Optimizer>;
  using memory_type = typename backend_type::memory_type;
  static_assert(detail::explain_optimizer<Optimizer, value_type, memory_type>());

  explicit lookahead(Optimizer inner, lookahead_options options = {})
      : inner_(std::move(inner)),
        options_(options),
        backend_(detail::backend_from<backend_type>(inner_)),
        slow_(backend_),
        left_(backend_),
        taken_(1, 1, 0.0, backend_) {
    detail::require(options_.k >= 1, error_code::invalid_option, "gal::lookahead: k is ", options_.k,
                    "; expected at least 1");
    detail::require(options_.alpha > 0.0 && options_.alpha <= 1.0, error_code::invalid_option,
                    "gal::lookahead: alpha is ", options_.alpha, "; expected a number in (0, 1]");
  }

  [[nodiscard]] double learning_rate() const { return inner_.learning_rate(); }
  [[nodiscard]] double base_learning_rate() const
    requires requires(const Optimizer& inner) { inner.base_learning_rate(); }
  {
    return inner_.base_learning_rate();
  }
  void set_base_learning_rate(double learning_rate)
    requires requires(Optimizer& inner) { inner.set_base_learning_rate(1.0); }
  {
    inner_.set_base_learning_rate(learning_rate);
  }
  [[nodiscard]] std::int64_t steps() const { return steps_; }
  [[nodiscard]] const backend_type& backend() const { return backend_; }
  void count_replayed_step()
    requires requires(Optimizer& inner) { inner.count_replayed_step(); }
  {
    ++steps_;
    inner_.count_replayed_step();
  }

  [[nodiscard]] lookahead companion() const
    requires requires(const Optimizer& inner) { inner.companion(); }
  {
    return lookahead(inner_.companion(), options_);
  }

  void reserve(std::span<const parameter<value_type, memory_type>> parameters) {
    if constexpr (requires { inner_.reserve(parameters); }) {
      inner_.reserve(parameters);
    }
    if (steps_ == 0) {
      for (matrix<value_type, backend_type>* part : {&slow_, &left_}) {
        part->resize(detail::number_of_values(parameters), 1);
        part->fill(value_type(0));  // where the parameters are not, they are new to the first step
      }
    }
  }

  void step(std::span<const parameter<value_type, memory_type>> parameters) {
    const auto always = [] GAL_KERNEL() { return true; };
    begin_step(parameters, always);
    inner_.step(parameters);
    ++steps_;
    if constexpr (asynchronous_backend<backend_type>) {
      end_step_where(parameters, always);
    } else if (steps_ % options_.k == 0) {
      end_step(parameters, always, always);
    } else {
      end_step(parameters, always, [] GAL_KERNEL() { return false; });
    }
  }

  /// As `step`, unless the device then finds zero in `*proceeds`: nothing is changed there.
  void step(std::span<const parameter<value_type, memory_type>> parameters, const double* proceeds)
    requires requires(Optimizer& inner) { inner.step(parameters, proceeds); }
  {
    const auto is_taken = [proceeds] GAL_KERNEL() { return *proceeds != 0.0; };
    begin_step(parameters, is_taken);
    inner_.step(parameters, proceeds);
    ++steps_;
    end_step_where(parameters, is_taken);
  }

  /// Takes back the steps since `before` was copied from this, where the device then finds zero in `*proceeds`.
  void undo(const lookahead& before, const double* proceeds)
    requires requires(Optimizer& inner) { inner.undo(inner, proceeds); }
  {
    inner_.undo(before.inner_, proceeds);
    detail::restore_unless(backend_, proceeds, before.slow_.view(), slow_.view());
    detail::restore_unless(backend_, proceeds, before.left_.view(), left_.view());
    detail::restore_unless(backend_, proceeds, before.taken_.view(), taken_.view());
  }

  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit.setting("k", options_.k);
    visit.setting("alpha", options_.alpha);
    visit("inner", inner_);
    visit("slow", slow_);
    visit("left", left_);
    visit("steps", steps_, 0, std::numeric_limits<std::int64_t>::max());
    if constexpr (asynchronous_backend<backend_type>) {
      visit("taken", taken_);
    }
  }

 private:
  // Slow weights start where the fast ones do: at first, and wherever these are not what the last step left.
  template <class Taken>
  void begin_step(std::span<const parameter<value_type, memory_type>> parameters, Taken is_taken) {
    if (steps_ == 0) {
      detail::require_distinct(parameters, "gal::lookahead");
    }
    reserve(parameters);
    const index_type count = detail::number_of_values(parameters);
    detail::require(count == slow_.size(), error_code::shape_mismatch, "gal: the optimizer steps ", count,
                    " numbers; expected the ", slow_.size(), " that it has state for");
    value_type* slow = slow_.data();
    const value_type* left = left_.data();
    for (const auto& block : parameters) {
      const auto size = static_cast<index_type>(block.value.size());
      detail::start_anew(backend_, size, slow, left, block.value.data(), is_taken);
      slow += size;
      left += size;
    }
  }

  // The device counts the steps that it does not refuse, and finds every k-th.
  template <class Taken>
  void end_step_where(std::span<const parameter<value_type, memory_type>> parameters, Taken is_taken) {
    detail::count_where(backend_, is_taken, taken_.data());
    end_step(parameters, is_taken, detail::every_kth{taken_.data(), static_cast<double>(options_.k)});
  }

  template <class Taken, class Due>
  void end_step(std::span<const parameter<value_type, memory_type>> parameters, Taken is_taken, Due is_due) {
    value_type* slow = slow_.data();
    value_type* left = left_.data();
    const auto alpha = static_cast<value_type>(options_.alpha);
    for (const auto& block : parameters) {
      const auto size = static_cast<index_type>(block.value.size());
      detail::move_slow_weights(backend_, size, slow, left, block.value.data(), alpha, is_taken, is_due);
      slow += size;
      left += size;
    }
  }

  Optimizer inner_;
  lookahead_options options_;
  backend_type backend_;
  matrix<value_type, backend_type> slow_;
  matrix<value_type, backend_type> left_;  // the fast weights at the end of the last step
  matrix<double, backend_type> taken_;     // steps, where the device counts them
  std::int64_t steps_ = 0;
};

}  // namespace gal

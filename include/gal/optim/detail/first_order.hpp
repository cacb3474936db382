// gal/optim/detail/first_order.hpp: what all first-order methods share.
// Included by gal/optim/optimizers.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/math.hpp>
#include <gal/core/error.hpp>
#include <gal/optim/gradients.hpp>
#include <gal/optim/optimizer_options.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::detail {

inline void require_at_least(double value, double least, std::string_view where) {
  require(value >= least && std::isfinite(value), error_code::invalid_option, where, " is ", value,
          "; expected a number of at least ", least);
}
inline void require_positive(double value, std::string_view where) {
  require(value > 0.0 && std::isfinite(value), error_code::invalid_option, where, " is ", value,
          "; expected a positive number");
}
inline void require_share(double value, std::string_view where) {
  require(value >= 0.0 && value < 1.0, error_code::invalid_option, where, " is ", value,
          "; expected a number in [0, 1)");
}

// Of one parameter group in one step.
struct step_rates {
  double learning_rate;
  double share;  // of the rate that the group began with: the schedule's, or that of a changed base rate
  double weight_decay;
};

/// What the method of these options does to one number of type T:
///
///     template <class T>
///     struct update_rule<my_options, T> {
///       static index_type moments(const my_options&);     // numbers that it keeps for each
///       static void validate(const my_options&);     // throws where one is outside its range
///       update_rule(const my_options&, const step_rates&);
///       void set_step(double number);                // 1 at the first; a kernel may call it
///       void operator()(T& value, T gradient, T* moment, index_type stride) const;
///       T change(T value, T gradient, T* moment, index_type stride) const;   // what that would take from the value
///     };
///
/// Moment k of a number lies `k * stride` behind its first.
template <class Options, class T>
struct update_rule;

// One more step, unless the device finds zero in `*proceeds`, if that is not null.
template <class Backend>
void count_on_device(const Backend& backend, const double* proceeds, double* taken) {
  backend.for_each(1, [taken, proceeds] GAL_KERNEL(index_type) {
    *taken += proceeds == nullptr || *proceeds != 0.0 ? 1.0 : 0.0;
  });
}

// The rule for the step whose number the device has counted.
template <class Rule, class Backend>
void set_step_on_device(const Backend& backend, const Rule& method, const double* taken, Rule* to) {
  backend.for_each(1, [method, to, taken] GAL_KERNEL(index_type) {
    *to = method;
    to->set_step(*taken < 1.0 ? 1.0 : *taken);
  });
}

// Turns a sum of squares into what clipping to `limit` multiplies every gradient with.
template <class Backend>
void become_clipping_scale(const Backend& backend, double limit, double* square) {
  backend.for_each(1, [square, limit] GAL_KERNEL(index_type) {
    const double norm = std::sqrt(*square);
    *square = norm > limit ? limit / norm : 1.0;
  });
}

// Values that have decayed so far that arithmetic with them would soon be that with denormal numbers become zero.
template <class T, class Backend>
void sweep(const Backend& backend, index_type size, T* value, const double* proceeds) {
  backend.for_each(size, [value, proceeds] GAL_KERNEL(index_type i) {
    constexpr T least = std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon();
    if (proceeds == nullptr || *proceeds != 0.0) {
      value[i] = zero_below(value[i], least);
    }
  });
}

// What is done with number i of a block: its value takes the step, or what the step would take from it is written.
template <class T>
struct steps_value {
  T* value;
  template <class Rule>
  GAL_HOST_DEVICE void operator()(const Rule& rule, index_type i, T gradient, T* moment,
                                  index_type stride) const {
    rule(value[i], gradient, moment, stride);
  }
};
template <class T>
struct writes_change {
  const T* value;
  T* change;
  template <class Rule>
  GAL_HOST_DEVICE void operator()(const Rule& rule, index_type i, T gradient, T* moment,
                                  index_type stride) const {
    change[i] = rule.change(value[i], gradient, moment, stride);
  }
};

// Applies the rule to `size` numbers, as `done` says, whose gradients are cut to `limit` and then multiplied by `*scale`, unless null.
template <class RuleAt, class Done, class T, class Backend>
void update(const Backend& backend, RuleAt method, index_type size, Done done, const T* gradient, T* moment,
            index_type stride, double limit, const double* scale, const double* proceeds) {
  const T cut = limit >= static_cast<double>(std::numeric_limits<T>::max())
                    ? std::numeric_limits<T>::infinity()
                    : static_cast<T>(limit);
  // Loops of their own for what most steps do not need: the compiler vectorises them.
  if constexpr (asynchronous_backend<Backend>) {
    const index_type moment_step = moment == nullptr ? 0 : 1;  // a rule that keeps none
    backend.for_each(size, [=] GAL_KERNEL(index_type i) {
      if (proceeds == nullptr || *proceeds != 0.0) {
        const T factor = scale == nullptr ? T(1) : static_cast<T>(*scale);
        done(method(), i, clipped(gradient[i], cut) * factor, moment + moment_step * i, stride);
      }
    });
  } else if (const T factor = scale == nullptr ? T(1) : static_cast<T>(backend.read(scale));
             cut != std::numeric_limits<T>::infinity() || factor != T(1) || moment == nullptr) {
    const index_type moment_step = moment == nullptr ? 0 : 1;
    backend.for_each(size, [=] GAL_KERNEL(index_type i) {
      done(method(), i, clipped(gradient[i], cut) * factor, moment + moment_step * i, stride);
    });
  } else {
    backend.for_each(size,
                     [=] GAL_KERNEL(index_type i) { done(method(), i, gradient[i], moment + i, stride); });
  }
}

/// What all first-order methods share: groups, clipping, schedule, and one flat buffer for the moments. Under weight decay
/// values below 1e-31 in float, 1e-292 in double, are set to zero at every 64th step. `Options` are those
/// of the method, with the fields `learning_rate`, `weight_decay`, `schedule`, `clipping` and `groups` among them.
template <class Options, class T, class Backend>
class first_order {
  using rule = update_rule<Options, T>;

 public:
  using value_type = T;
  using backend_type = Backend;
  using memory_type = typename Backend::memory_type;
  using options_type = Options;

  /// Throws where an option is outside its range.
  explicit first_order(Options options = {}, Backend backend = {})
      : options_(std::move(options)),
        backend_(std::move(backend)),
        moments_(backend_),
        squares_(1, 1, 0.0, backend_),
        taken_(1, 1, 0.0, backend_),
        base_rate_(options_.learning_rate) {
    require_at_least(options_.learning_rate, 0.0, "gal: the optimizer's learning_rate");
    require_at_least(options_.weight_decay, 0.0, "gal: the optimizer's weight_decay");
    require(options_.clipping.value > 0.0, error_code::invalid_option, "gal: clipping.value is ",
            options_.clipping.value, "; expected a positive number");
    require(options_.clipping.norm > 0.0, error_code::invalid_option, "gal: clipping.norm is ",
            options_.clipping.norm, "; expected a positive number");
    for (const parameter_group& group : options_.groups) {
      require_at_least(group.learning_rate.value_or(0.0), 0.0, "gal: a parameter group's learning_rate");
      require_at_least(group.weight_decay.value_or(0.0), 0.0, "gal: a parameter group's weight_decay");
    }
    rule::validate(options_);
    if constexpr (asynchronous_backend<Backend>) {
      rule_ = matrix<rule, Backend>(backend_);
    }
  }

  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] const Backend& backend() const { return backend_; }

  /// Learning rate of the next step: the base rate times the schedule's factor.
  [[nodiscard]] double learning_rate() const { return base_rate_ * options_.schedule.factor(steps_); }

  /// The rate before the schedule's factor; at first the options' `learning_rate`.
  void set_base_learning_rate(double learning_rate) {
    require_at_least(learning_rate, 0.0, "gal: the optimizer's learning_rate");
    base_rate_ = learning_rate;
  }
  [[nodiscard]] double base_learning_rate() const { return base_rate_; }

  /// An optimizer of the same method and settings for other parameters: without state, groups and schedule. Whoever
  /// steps it sets its rate.
  [[nodiscard]] first_order companion() const {
    Options settings = options_;
    settings.schedule = {};
    settings.groups.clear();
    return first_order(std::move(settings), backend_);
  }

  /// Steps taken; on an asynchronous backend steps asked for, whether or not the device then refused them.
  [[nodiscard]] std::int64_t steps() const { return steps_; }

  /// Counts a step that the device took without the host, as a recorded one does.
  void count_replayed_step() { ++steps_; }

  /// Allocates the state for these blocks ahead of the first step, which does it otherwise.
  void reserve(std::span<const parameter<T, memory_type>> parameters) {
    if (steps_ == 0) {
      count_ = number_of_values(parameters);
      moments_.resize(count_, rule::moments(options_));
      moments_.fill(T(0));
      squares_.resize(1, static_cast<index_type>(parameters.size()) + 1);
      check(parameters);
    }
  }

  /// Updates the values from the gradients. The blocks must be the same, in the same order, at every step, though they
  /// may move; throws where their total size has changed, a value has no gradient, or two blocks share a number.
  void step(std::span<const parameter<T, memory_type>> parameters) {
    step_where(parameters, nullptr, step_of_values);
  }

  /// As `step`, unless the device then finds zero in `*proceeds`: nothing is changed there.
  void step(std::span<const parameter<T, memory_type>> parameters, const double* proceeds)
    requires asynchronous_backend<Backend>
  {
    step_where(parameters, proceeds, step_of_values);
  }

  /// Steps the state, not the values: what the step would take from these goes to `changes`, block after block, with the
  /// digits that it loses in values much larger than itself.
  void propose(std::span<const parameter<T, memory_type>> parameters, T* changes) {
    step_where(parameters, nullptr, proposal_to(changes));
  }
  /// As `propose`, unless the device then finds zero in `*proceeds`.
  void propose(std::span<const parameter<T, memory_type>> parameters, T* changes, const double* proceeds)
    requires asynchronous_backend<Backend>
  {
    step_where(parameters, proceeds, proposal_to(changes));
  }

  /// All that the next step depends on. Before it is loaded the moments have to be there: `reserve` where no step was
  /// taken, which a trainer does.
  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit("options", options_);
    visit_common_options(visit);
    visit("moments", moments_);
    visit("base_rate", base_rate_);
    visit("steps", steps_, 0, std::numeric_limits<std::int64_t>::max());
    if constexpr (asynchronous_backend<Backend>) {
      visit("taken", taken_);
    }
  }

  /// Takes back the steps since `before` was copied from this, where the device then finds zero in `*proceeds`.
  void undo(const first_order& before, const double* proceeds)
    requires asynchronous_backend<Backend>
  {
    restore_unless(backend_, proceeds, before.moments_.view(), moments_.view());
    restore_unless(backend_, proceeds, before.taken_.view(), taken_.view());
  }

 private:
  static constexpr std::int64_t steps_between_sweeps = 64;

  static steps_value<T> step_of_values(T* value, index_type) { return {value}; }
  static auto proposal_to(T* changes) {
    return [changes](T* value, index_type offset) { return writes_change<T>{value, changes + offset}; };
  }

  // `action(value, offset)` is what is done with a run of numbers that many behind the first.
  template <class Action>
  void step_where(std::span<const parameter<T, memory_type>> parameters, const double* proceeds,
                  Action action) {
    reserve(parameters);
    check(parameters);
    find_clipping_scale(parameters);
    const double factor = options_.schedule.factor(steps_);
    count_step(proceeds);
    index_type offset = 0;
    for (std::size_t first = 0; first < parameters.size();) {
      const auto [next, size] = run_from(parameters, first);
      const step_rates of_group = rates(parameters[first].group, factor);
      const rule method(options_, of_group);
      T* const value = parameters[first].value.data();
      const auto done = action(value, offset);
      update(backend_, at_this_step(method), size, done, parameters[first].gradient.data(),
             moments_.size() == 0 ? nullptr : moments_.data() + offset, count_, options_.clipping.value,
             clips_norm() ? squares_.data() : nullptr, proceeds);
      constexpr bool moves = std::is_same_v<decltype(done), const steps_value<T>>;
      if (moves && of_group.weight_decay > 0.0 && steps_ % steps_between_sweeps == 0) {
        sweep(backend_, size, value, proceeds);
      }
      offset += size;
      first = next;
    }
  }

  template <class Visitor>
  void visit_common_options(Visitor& visit) {
    visit.setting("learning_rate", options_.learning_rate);
    visit.setting("weight_decay", options_.weight_decay);
    visit.setting("clipping", std::array{options_.clipping.value, options_.clipping.norm});
    visit("schedule", options_.schedule);
    std::vector<double> groups;  // negative: the optimizer's own
    for (const parameter_group& group : options_.groups) {
      groups.insert(groups.end(), {group.learning_rate.value_or(-1.0), group.weight_decay.value_or(-1.0)});
    }
    visit.setting("groups", groups);
  }

  void count_step(const double* proceeds) {
    ++steps_;
    if constexpr (asynchronous_backend<Backend>) {
      count_on_device(backend_, proceeds, taken_.data());
    }
  }

  // The rule for the step's number, which only the device knows where it may have refused some.
  auto at_this_step(rule method) {
    if constexpr (asynchronous_backend<Backend>) {
      rule_.resize(1, 1);
      set_step_on_device(backend_, method, taken_.data(), rule_.data());
      return pending<rule>{rule_.data()};
    } else {
      method.set_step(static_cast<double>(steps_));
      return known<rule>{method};
    }
  }

  void check(std::span<const parameter<T, memory_type>> parameters) {
    if (std::ranges::equal(parameters, bound_, same_block<T, memory_type>)) {
      return;
    }
    for (const auto& block : parameters) {
      require(block.value.size() == block.gradient.size(), error_code::shape_mismatch, "gal: a parameter of ",
              block.value.size(), " numbers has a gradient of ", block.gradient.size());
    }
    const index_type count = number_of_values(parameters);
    require(count == count_, error_code::shape_mismatch, "gal: the optimizer steps ", count,
            " numbers; expected the ", count_, " that it has state for");
    require_distinct(parameters, "gal: the optimizer");
    bound_.assign(parameters.begin(), parameters.end());
  }

  // A group's own settings, or the optimizer's.
  [[nodiscard]] step_rates rates(std::size_t group, double factor) const {
    const parameter_group* const own = group < options_.groups.size() ? &options_.groups[group] : nullptr;
    const bool own_rate = own != nullptr && own->learning_rate.has_value();
    const bool own_decay = own != nullptr && own->weight_decay.has_value();
    const double rate = factor * (own_rate ? *own->learning_rate : base_rate_);
    const double first = own_rate ? *own->learning_rate : options_.learning_rate;
    return {.learning_rate = rate,
            .share = first > 0.0 ? rate / first : (rate > 0.0 ? 1.0 : 0.0),
            .weight_decay = own_decay ? *own->weight_decay : options_.weight_decay};
  }

  [[nodiscard]] bool clips_norm() const {
    return options_.clipping.norm != std::numeric_limits<double>::infinity();
  }

  // What clipping by norm multiplies every gradient with, in place of the sum of squares.
  void find_clipping_scale(std::span<const parameter<T, memory_type>> parameters) {
    if (clips_norm()) {
      sum_squares(backend_, parameters, options_.clipping.value, squares_);
      become_clipping_scale(backend_, options_.clipping.norm, squares_.data());
    }
  }

  Options options_;
  Backend backend_;
  matrix<T, Backend> moments_;
  matrix<double, Backend> squares_;  // of the gradients, then the scale that clips them
  matrix<double, Backend> taken_;    // steps, where the device counts them
  // The rule of this step, where the device makes it.
  std::conditional_t<asynchronous_backend<Backend>, matrix<rule, Backend>, nothing> rule_;
  double base_rate_;
  std::int64_t steps_ = 0;
  index_type count_ = 0;
  std::vector<parameter<T, memory_type>> bound_;  // the blocks of the last step, which have been checked
};

}  // namespace gal::detail

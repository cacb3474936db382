// gal/optim.hpp: optimizers, gradient clipping, parameter groups.
// Provides: sgd, rmsprop, adam, adamw, adabound; clipping; parameter_group. Includes gal/schedule.hpp.
#pragma once

#include <gal/backend.hpp>
#include <gal/concepts.hpp>
#include <gal/math.hpp>
#include <gal/schedule.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal {

/// Limits on gradients before a step; infinity is no limit. First every entry is cut to `value`, then all gradients
/// together are scaled down to the norm `norm`.
struct clipping {
  double value = std::numeric_limits<double>::infinity();
  double norm = std::numeric_limits<double>::infinity();
  friend bool operator==(const clipping&, const clipping&) = default;
};

/// Settings of the parameters of one group; what is left out is the optimizer's own.
struct parameter_group {
  std::optional<double> learning_rate = {};
  std::optional<double> weight_decay = {};
  friend bool operator==(const parameter_group&, const parameter_group&) = default;
};

namespace detail {

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

template <class T, class Memory>
index number_of_values(std::span<const parameter<T, Memory>> parameters) {
  index count = 0;
  for (const auto& block : parameters) {
    count += static_cast<index>(block.value.size());
  }
  return count;
}

// Of one parameter group in one step.
struct step_rates {
  double learning_rate;
  double share;  // of the rate that the group began with: the schedule's, or that of a changed base rate
  double weight_decay;
};

template <class Number>
GAL_HOST_DEVICE Number clipped(Number g, Number limit) {
  return g > limit ? limit : (g < -limit ? -limit : g);
}

// Neighbouring blocks of one group, from `first`, are one run of memory, which one kernel takes: the block after it, and
// its size.
template <class T, class Memory>
std::pair<std::size_t, index> run_from(std::span<const parameter<T, Memory>> parameters, std::size_t first) {
  std::size_t next = first + 1;
  auto size = parameters[first].value.size();
  while (next < parameters.size() && parameters[next].group == parameters[first].group &&
         parameters[next].value.data() == parameters[first].value.data() + size &&
         parameters[next].gradient.data() == parameters[first].gradient.data() + size) {
    size += parameters[next++].value.size();
  }
  return {next, static_cast<index>(size)};
}

// The sum of the gradients' squares, every entry cut to `limit` before, in `result(0, 0)`.
template <class T, class Memory, class Backend>
void sum_squares(const Backend& backend, std::span<const parameter<T, Memory>> parameters, double limit,
                 matrix<double, Backend>& result) {
  result.resize(1, static_cast<index>(parameters.size()) + 1);
  index runs = 0;
  for (std::size_t first = 0; first < parameters.size();) {
    const auto [next, size] = run_from(parameters, first);
    const T* const from = parameters[first].gradient.data();
    double* const to = result.data() + ++runs;
    if (limit == std::numeric_limits<double>::infinity()) {  // a loop that the compiler vectorises
      backend.sum(
          size,
          [from] GAL_KERNEL(index i) { return static_cast<double>(from[i]) * static_cast<double>(from[i]); },
          to);
    } else {
      backend.sum(
          size,
          [from, limit] GAL_KERNEL(index i) {
            const double g = clipped(static_cast<double>(from[i]), limit);
            return g * g;
          },
          to);
    }
    first = next;
  }
  backend.sum(
      runs, [from = result.data() + 1] GAL_KERNEL(index run) { return from[run]; }, result.data());
}

// Copies `before` over `now` where the device finds zero in `*proceeds`.
template <class T, class Memory, class Backend>
void restore_unless(const Backend& backend, const double* proceeds, matrix_view<const T, Memory> before,
                    matrix_view<T, Memory> now) {
  backend.for_each(now.size(), [proceeds, from = before.data(), to = now.data()] GAL_KERNEL(index i) {
    if (*proceeds == 0.0) {
      to[i] = from[i];
    }
  });
}

// The least gradient whose square, times its weight in a mean of squares, is not denormal. Smaller ones add nothing.
template <class T>
T least_to_square(T weight) {
  return std::sqrt(std::numeric_limits<T>::min() / weight);
}

/// What all first-order methods share: groups, clipping, schedule, and one flat buffer for the moments. Under weight decay
/// values below 1e-31 in float, 1e-292 in double, are set to zero at every 64th step. A `Rule` names
/// its options and the update of one number:
///
///     struct rule { struct options; static index moments(const options&); static void validate(const options&);
///                   rule(const options&, const step_rates&);
///                   void set_step(double number);   // 1 at the first; a kernel may call it
///                   void operator()(T& value, T gradient, T* moment, index stride) const; };
///
/// Moment k of a number lies `k * stride` behind its first.
template <template <class> class Rule, class T, class Backend>
class first_order {
 public:
  using value_type = T;
  using backend_type = Backend;
  using memory_type = typename Backend::memory_type;
  using options_type = typename Rule<T>::options;

  /// Throws where an option is outside its range.
  explicit first_order(options_type options = {}, Backend backend = {})
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
    Rule<T>::validate(options_);
    if constexpr (asynchronous_backend<Backend>) {
      rule_ = matrix<Rule<T>, Backend>(backend_);
    }
  }

  [[nodiscard]] const options_type& options() const { return options_; }
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
    options_type settings = options_;
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
      moments_.resize(count_, Rule<T>::moments(options_));
      moments_.fill(T(0));
      squares_.resize(1, static_cast<index>(parameters.size()) + 1);
      check(parameters);
    }
  }

  /// Updates the values from the gradients. The blocks must be the same, in the same order, at every step, though they
  /// may move; throws where their total size has changed, a value has no gradient, or two blocks share a number.
  void step(std::span<const parameter<T, memory_type>> parameters) { step_where(parameters, nullptr); }

  /// As `step`, unless the device then finds zero in `*proceeds`: nothing is changed there.
  void step(std::span<const parameter<T, memory_type>> parameters,
            const double* proceeds) requires asynchronous_backend<Backend> {
    step_where(parameters, proceeds);
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
  void undo(const first_order& before, const double* proceeds) requires asynchronous_backend<Backend> {
    restore_unless(backend_, proceeds, before.moments_.view(), moments_.view());
    restore_unless(backend_, proceeds, before.taken_.view(), taken_.view());
  }

  GAL_PRIVATE_KERNELS
  void step_where(std::span<const parameter<T, memory_type>> parameters, const double* proceeds) {
    reserve(parameters);
    check(parameters);
    find_clipping_scale(parameters);
    const double factor = options_.schedule.factor(steps_);
    count_step(proceeds);
    index offset = 0;
    for (std::size_t first = 0; first < parameters.size();) {
      const auto [next, size] = run_from(parameters, first);
      const step_rates of_group = rates(parameters[first].group, factor);
      const Rule<T> rule(options_, of_group);
      update(at_this_step(rule), size, parameters[first].value.data(), parameters[first].gradient.data(),
             moments_.size() == 0 ? nullptr : moments_.data() + offset, proceeds);
      if (of_group.weight_decay > 0.0 && steps_ % steps_between_sweeps == 0) {
        sweep(size, parameters[first].value.data(), proceeds);
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
      backend_.for_each(1, [taken = taken_.data(), proceeds] GAL_KERNEL(index) {
        *taken += proceeds == nullptr || *proceeds != 0.0 ? 1.0 : 0.0;
      });
    }
  }

  // The rule for the step's number, which only the device knows where it may have refused some.
  auto at_this_step(Rule<T> rule) {
    if constexpr (asynchronous_backend<Backend>) {
      rule_.resize(1, 1);
      prepare_rule(rule);
      return pending<Rule<T>>{rule_.data()};
    } else {
      rule.set_step(static_cast<double>(steps_));
      return known<Rule<T>>{rule};
    }
  }
  void prepare_rule(const Rule<T>& rule) {
    backend_.for_each(1, [rule, to = rule_.data(), taken = taken_.data()] GAL_KERNEL(index) {
      *to = rule;
      to->set_step(*taken < 1.0 ? 1.0 : *taken);
    });
  }

  void check(std::span<const parameter<T, memory_type>> parameters) {
    if (std::ranges::equal(parameters, bound_, same_block<T, memory_type>)) {
      return;
    }
    for (const auto& block : parameters) {
      require(block.value.size() == block.gradient.size(), error_code::shape_mismatch, "gal: a parameter of ",
              block.value.size(), " numbers has a gradient of ", block.gradient.size());
    }
    const index count = number_of_values(parameters);
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
      backend_.for_each(1, [square = squares_.data(), limit = options_.clipping.norm] GAL_KERNEL(index) {
        const double norm = std::sqrt(*square);
        *square = norm > limit ? limit / norm : 1.0;
      });
    }
  }

  // Values that have decayed so far that arithmetic with them would soon be that with denormal numbers become zero.
  static constexpr std::int64_t steps_between_sweeps = 64;
  void sweep(index size, T* value, const double* proceeds) {
    backend_.for_each(size, [value, proceeds] GAL_KERNEL(index i) {
      constexpr T least = std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon();
      if (proceeds == nullptr || *proceeds != 0.0) {
        value[i] = zero_below(value[i], least);
      }
    });
  }

  template <class RuleAt>
  void update(RuleAt rule, index size, T* value, const T* gradient, T* moment, const double* proceeds) {
    const index stride = count_;
    const T limit = options_.clipping.value >= static_cast<double>(std::numeric_limits<T>::max())
                        ? std::numeric_limits<T>::infinity()
                        : static_cast<T>(options_.clipping.value);
    // Loops of their own for what most steps do not need: the compiler vectorises them.
    if constexpr (asynchronous_backend<Backend>) {
      const index moment_step = moment == nullptr ? 0 : 1;  // a rule that keeps none
      const double* const scale = clips_norm() ? squares_.data() : nullptr;
      backend_.for_each(size, [=] GAL_KERNEL(index i) {
        if (proceeds == nullptr || *proceeds != 0.0) {
          const T factor = scale == nullptr ? T(1) : static_cast<T>(*scale);
          rule()(value[i], clipped(gradient[i], limit) * factor, moment + moment_step * i, stride);
        }
      });
    } else if (const T scale = clips_norm() ? static_cast<T>(backend_.read(squares_.data())) : T(1);
               limit != std::numeric_limits<T>::infinity() || scale != T(1) || moment == nullptr) {
      const index moment_step = moment == nullptr ? 0 : 1;
      backend_.for_each(size, [=] GAL_KERNEL(index i) {
        rule()(value[i], clipped(gradient[i], limit) * scale, moment + moment_step * i, stride);
      });
    } else {
      backend_.for_each(size, [=] GAL_KERNEL(index i) { rule()(value[i], gradient[i], moment + i, stride); });
    }
  }

  options_type options_;
  Backend backend_;
  matrix<T, Backend> moments_;
  matrix<double, Backend> squares_;  // of the gradients, then the scale that clips them
  matrix<double, Backend> taken_;    // steps, where the device counts them
  // The rule of this step, where the device makes it.
  std::conditional_t<asynchronous_backend<Backend>, matrix<Rule<T>, Backend>, nothing> rule_;
  double base_rate_;
  std::int64_t steps_ = 0;
  index count_ = 0;
  std::vector<parameter<T, memory_type>> bound_;  // the blocks of the last step, which have been checked
};

template <class T>
struct sgd_rule {
  struct options {
    double learning_rate = 1e-2;
    double momentum = 0.0;
    bool nesterov = false;
    double weight_decay = 0.0;
    gal::schedule schedule = {};
    gal::clipping clipping = {};
    std::vector<parameter_group> groups = {};

    template <class Visitor>
    void visit_state(Visitor& visit) const {
      visit.setting("method", "sgd");
      visit.setting("momentum", momentum);
      visit.setting("nesterov", nesterov);
    }
  };

  static index moments(const options& o) { return o.momentum == 0.0 ? 0 : 1; }
  static void validate(const options& o) {
    require_share(o.momentum, "gal::sgd: momentum");
    require(!o.nesterov || o.momentum > 0.0, error_code::invalid_option,
            "gal::sgd: nesterov is set with momentum 0; expected a positive momentum");
  }

  sgd_rule(const options& o, const step_rates& rates)
      : rate(static_cast<T>(rates.learning_rate)),
        decay(static_cast<T>(rates.weight_decay)),
        momentum(static_cast<T>(o.momentum)),
        nesterov(o.nesterov) {}

  GAL_HOST_DEVICE void set_step(double) {}
  GAL_HOST_DEVICE void operator()(T& value, T gradient, T* moment, index) const {
    T direction = gradient + decay * value;
    if (momentum != T(0)) {
      moment[0] = without_denormals(momentum * moment[0] + direction);
      direction = nesterov ? direction + momentum * moment[0] : moment[0];
    }
    value -= rate * direction;
  }

  T rate, decay, momentum;
  bool nesterov;
};

template <class T>
struct rmsprop_rule {
  struct options {
    double learning_rate = 1e-2;
    double smoothing = 0.99;
    double epsilon = 1e-8;
    double momentum = 0.0;
    bool centred = false;
    double weight_decay = 0.0;
    gal::schedule schedule = {};
    gal::clipping clipping = {};
    std::vector<parameter_group> groups = {};

    template <class Visitor>
    void visit_state(Visitor& visit) const {
      visit.setting("method", "rmsprop");
      visit.setting("smoothing", smoothing);
      visit.setting("epsilon", epsilon);
      visit.setting("momentum", momentum);
      visit.setting("centred", centred);
    }
  };

  static index moments(const options&) { return 3; }
  static void validate(const options& o) {
    require_share(o.smoothing, "gal::rmsprop: smoothing");
    require_share(o.momentum, "gal::rmsprop: momentum");
    require_positive(o.epsilon, "gal::rmsprop: epsilon");
  }

  rmsprop_rule(const options& o, const step_rates& rates)
      : rate(static_cast<T>(rates.learning_rate)),
        decay(static_cast<T>(rates.weight_decay)),
        smoothing(static_cast<T>(o.smoothing)),
        fresh(static_cast<T>(1.0 - o.smoothing)),
        fresh_mean(o.centred ? fresh : T(0)),
        least(least_to_square(fresh)),
        epsilon(static_cast<T>(o.epsilon)),
        momentum(static_cast<T>(o.momentum)) {}

  GAL_HOST_DEVICE void set_step(double) {}
  GAL_HOST_DEVICE void operator()(T& value, T gradient, T* moment, index stride) const {
    T& square = moment[0];
    T& mean = moment[stride];
    T& velocity = moment[2 * stride];
    const T g = gradient + decay * value;
    const T squared = zero_below(g, least);
    square = without_denormals(smoothing * square + fresh * squared * squared);
    mean = without_denormals(smoothing * mean + fresh_mean * g);  // stays zero where nothing is centred
    const T variance = zero_if_negative(square - mean * mean);  // as rounding may make a constant gradient's
    velocity = without_denormals(momentum * velocity + g / (square_root(variance) + epsilon));
    value -= rate * velocity;
  }

  T rate, decay, smoothing, fresh, fresh_mean, least, epsilon, momentum;
};

// Adam's moments and bias corrections, which AdamW and AdaBound share.
template <class T>
struct adam_moments {
  adam_moments(double beta1, double beta2, double added)
      : decay1(beta1),
        decay2(beta2),
        first(static_cast<T>(beta1)),
        fresh_first(static_cast<T>(1.0 - beta1)),
        second(static_cast<T>(beta2)),
        fresh_second(static_cast<T>(1.0 - beta2)),
        least(least_to_square(fresh_second)),
        epsilon(static_cast<T>(added)) {}

  // What the moments at that step lack, having started at zero: 1 - beta1^step, and the root of 1 - beta2^step.
  GAL_HOST_DEVICE double correction(double step) const { return 1.0 - std::pow(decay1, step); }
  GAL_HOST_DEVICE double root_correction(double step) const {
    return std::sqrt(1.0 - std::pow(decay2, step));
  }

  static void validate(double beta1, double beta2, double epsilon) {
    require_share(beta1, "gal: the optimizer's beta1");
    require_share(beta2, "gal: the optimizer's beta2");
    require_positive(epsilon, "gal: the optimizer's epsilon");
  }

  GAL_HOST_DEVICE void accumulate(T g, T* moment, index stride) const {
    moment[0] = without_denormals(first * moment[0] + fresh_first * g);
    const T squared = zero_below(g, least);
    moment[stride] = without_denormals(second * moment[stride] + fresh_second * squared * squared);
  }

  double decay1, decay2;
  T first, fresh_first, second, fresh_second, least, epsilon;
};

template <class T>
struct adam_rule : adam_moments<T> {
  struct options {
    double learning_rate = 1e-3;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    double weight_decay = 0.0;
    gal::schedule schedule = {};
    gal::clipping clipping = {};
    std::vector<parameter_group> groups = {};

    template <class Visitor>
    void visit_state(Visitor& visit) const {
      visit.setting("method", "adam");
      visit.setting("beta1", beta1);
      visit.setting("beta2", beta2);
      visit.setting("epsilon", epsilon);
    }
  };

  static index moments(const options&) { return 2; }
  static void validate(const options& o) { adam_moments<T>::validate(o.beta1, o.beta2, o.epsilon); }

  adam_rule(const options& o, const step_rates& rates)
      : adam_moments<T>(o.beta1, o.beta2, o.epsilon),
        rate(rates.learning_rate),
        decay(static_cast<T>(rates.weight_decay)) {}

  GAL_HOST_DEVICE void set_step(double step) {
    size = static_cast<T>(rate / this->correction(step));
    root = static_cast<T>(1.0 / this->root_correction(step));
  }

  GAL_HOST_DEVICE void operator()(T& value, T gradient, T* moment, index stride) const {
    this->accumulate(gradient + decay * value, moment, stride);
    value -= size * moment[0] / (square_root(moment[stride]) * root + this->epsilon);
  }

  double rate;
  T decay;
  T size = 0, root = 0;
};

template <class T>
struct adamw_rule : adam_moments<T> {
  struct options {
    double learning_rate = 1e-3;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    double weight_decay = 1e-2;
    gal::schedule schedule = {};
    gal::clipping clipping = {};
    std::vector<parameter_group> groups = {};

    template <class Visitor>
    void visit_state(Visitor& visit) const {
      visit.setting("method", "adamw");
      visit.setting("beta1", beta1);
      visit.setting("beta2", beta2);
      visit.setting("epsilon", epsilon);
    }
  };

  static index moments(const options&) { return 2; }
  static void validate(const options& o) { adam_moments<T>::validate(o.beta1, o.beta2, o.epsilon); }

  adamw_rule(const options& o, const step_rates& rates)
      : adam_moments<T>(o.beta1, o.beta2, o.epsilon),
        rate(rates.learning_rate),
        kept(static_cast<T>(1.0 - rates.learning_rate * rates.weight_decay)) {}

  GAL_HOST_DEVICE void set_step(double step) {
    size = static_cast<T>(rate / this->correction(step));
    root = static_cast<T>(1.0 / this->root_correction(step));
  }

  GAL_HOST_DEVICE void operator()(T& value, T gradient, T* moment, index stride) const {
    this->accumulate(gradient, moment, stride);
    value = kept * value - size * moment[0] / (square_root(moment[stride]) * root + this->epsilon);
  }

  double rate;
  T kept;
  T size = 0, root = 0;
};

template <class T>
struct adabound_rule : adam_moments<T> {
  struct options {
    double learning_rate = 1e-3;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    double final_learning_rate = 0.1;
    double gamma = 1e-3;
    double weight_decay = 0.0;
    gal::schedule schedule = {};
    gal::clipping clipping = {};
    std::vector<parameter_group> groups = {};

    template <class Visitor>
    void visit_state(Visitor& visit) const {
      visit.setting("method", "adabound");
      visit.setting("beta1", beta1);
      visit.setting("beta2", beta2);
      visit.setting("epsilon", epsilon);
      visit.setting("final_learning_rate", final_learning_rate);
      visit.setting("gamma", gamma);
    }
  };

  static index moments(const options&) { return 2; }
  static void validate(const options& o) {
    adam_moments<T>::validate(o.beta1, o.beta2, o.epsilon);
    require_at_least(o.final_learning_rate, 0.0, "gal::adabound: final_learning_rate");
    require(o.gamma > 0.0 && std::isfinite(o.gamma), error_code::invalid_option, "gal::adabound: gamma is ",
            o.gamma, "; expected a positive number");
  }

  adabound_rule(const options& o, const step_rates& rates)
      : adam_moments<T>(o.beta1, o.beta2, o.epsilon),
        rate(rates.learning_rate),
        gamma(o.gamma),
        final_rate(o.final_learning_rate * rates.share),  // scaled as the learning rate is
        decay(static_cast<T>(rates.weight_decay)) {}

  // The bounds close in on the final rate.
  GAL_HOST_DEVICE void set_step(double step) {
    size = static_cast<T>(rate * this->root_correction(step) / this->correction(step));
    lower = static_cast<T>(final_rate * (1.0 - 1.0 / (gamma * step + 1.0)));
    upper = static_cast<T>(final_rate * (1.0 + 1.0 / (gamma * step)));
  }

  GAL_HOST_DEVICE void operator()(T& value, T gradient, T* moment, index stride) const {
    this->accumulate(gradient + decay * value, moment, stride);
    const T bounded = size / (square_root(moment[stride]) + this->epsilon);
    value -= (bounded < lower ? lower : (bounded > upper ? upper : bounded)) * moment[0];
  }

  double rate, gamma, final_rate;
  T decay;
  T size = 0, lower = 0, upper = 0;
};

}  // namespace detail

/// Stochastic gradient descent: m = momentum m + g; value -= rate m (g + momentum m with `nesterov`). Options:
/// learning_rate 1e-2, momentum 0, nesterov, weight_decay 0 (added to the gradient), schedule, clipping, groups.
///
///     gal::sgd<float> optimizer({.learning_rate = 0.05, .momentum = 0.9});
template <class T, class Backend = eigen_backend>
using sgd = detail::first_order<detail::sgd_rule, T, Backend>;

/// RMSProp (Hinton, 2012): the gradient over the root of its smoothed square (`centred`: of its smoothed variance).
/// Options: learning_rate 1e-2, smoothing 0.99, epsilon 1e-8, momentum 0, centred, weight_decay 0, schedule, clipping, groups.
template <class T, class Backend = eigen_backend>
using rmsprop = detail::first_order<detail::rmsprop_rule, T, Backend>;

/// Adam (Kingma and Ba, 2015). Options: learning_rate 1e-3, beta1 0.9, beta2 0.999, epsilon 1e-8, weight_decay 0
/// (added to the gradient), schedule, clipping, groups.
template <class T, class Backend = eigen_backend>
using adam = detail::first_order<detail::adam_rule, T, Backend>;

/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019). Options: as `adam`, weight_decay 1e-2.
template <class T, class Backend = eigen_backend>
using adamw = detail::first_order<detail::adamw_rule, T, Backend>;

/// AdaBound (Luo et al., 2019): Adam's rates held between bounds that close in on `final_learning_rate`. Options: as
/// `adam`, and final_learning_rate 0.1, gamma 1e-3.
template <class T, class Backend = eigen_backend>
using adabound = detail::first_order<detail::adabound_rule, T, Backend>;

}  // namespace gal

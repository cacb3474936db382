// gal/optim/detail/rules.hpp: what each method does to one number.
// Included by gal/optim/optimizers.hpp.
#pragma once

#include <gal/core/detail/math.hpp>
#include <gal/core/error.hpp>
#include <gal/optim/detail/first_order.hpp>
#include <gal/optim/optimizer_options.hpp>

#include <cmath>
#include <limits>

namespace gal::inline GAL_ABI::detail {

// The least gradient whose square, times its weight in a mean of squares, is not denormal. Smaller ones add nothing.
template <class T>
T least_to_square(T weight) {
  return std::sqrt(std::numeric_limits<T>::min() / weight);
}

template <class T>
struct update_rule<sgd_options, T> {
  static index_type moments(const sgd_options& o) { return o.momentum == 0.0 ? 0 : 1; }
  static void validate(const sgd_options& o) {
    require_share(o.momentum, "gal::sgd: momentum");
    require(!o.nesterov || o.momentum > 0.0, error_code::invalid_option,
            "gal::sgd: nesterov is set with momentum 0; expected a positive momentum");
  }

  update_rule(const sgd_options& o, const step_rates& rates)
      : rate(static_cast<T>(rates.learning_rate)),
        decay(static_cast<T>(rates.weight_decay)),
        momentum(static_cast<T>(o.momentum)),
        nesterov(o.nesterov) {}

  GAL_HOST_DEVICE void set_step(double) {}
  GAL_HOST_DEVICE T change(T value, T gradient, T* moment, index_type) const {
    T direction = gradient + decay * value;
    if (momentum != T(0)) {
      moment[0] = without_denormals(momentum * moment[0] + direction);
      direction = nesterov ? direction + momentum * moment[0] : moment[0];
    }
    return rate * direction;
  }
  GAL_HOST_DEVICE void operator()(T& value, T gradient, T* moment, index_type stride) const {
    value -= change(value, gradient, moment, stride);
  }

  T rate, decay, momentum;
  bool nesterov;
};

template <class T>
struct update_rule<rmsprop_options, T> {
  static index_type moments(const rmsprop_options&) { return 3; }
  static void validate(const rmsprop_options& o) {
    require_share(o.smoothing, "gal::rmsprop: smoothing");
    require_share(o.momentum, "gal::rmsprop: momentum");
    require_positive(o.epsilon, "gal::rmsprop: epsilon");
  }

  update_rule(const rmsprop_options& o, const step_rates& rates)
      : rate(static_cast<T>(rates.learning_rate)),
        decay(static_cast<T>(rates.weight_decay)),
        smoothing(static_cast<T>(o.smoothing)),
        fresh(static_cast<T>(1.0 - o.smoothing)),
        fresh_mean(o.centred ? fresh : T(0)),
        least(least_to_square(fresh)),
        epsilon(static_cast<T>(o.epsilon)),
        momentum(static_cast<T>(o.momentum)) {}

  GAL_HOST_DEVICE void set_step(double) {}
  GAL_HOST_DEVICE T change(T value, T gradient, T* moment, index_type stride) const {
    T& square = moment[0];
    T& mean = moment[stride];
    T& velocity = moment[2 * stride];
    const T g = gradient + decay * value;
    const T squared = zero_below(g, least);
    square = without_denormals(smoothing * square + fresh * squared * squared);
    mean = without_denormals(smoothing * mean + fresh_mean * g);  // stays zero where nothing is centred
    const T variance = zero_if_negative(square - mean * mean);  // as rounding may make a constant gradient's
    velocity = without_denormals(momentum * velocity + g / (square_root(variance) + epsilon));
    return rate * velocity;
  }
  GAL_HOST_DEVICE void operator()(T& value, T gradient, T* moment, index_type stride) const {
    value -= change(value, gradient, moment, stride);
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

  GAL_HOST_DEVICE void accumulate(T g, T* moment, index_type stride) const {
    moment[0] = without_denormals(first * moment[0] + fresh_first * g);
    const T squared = zero_below(g, least);
    moment[stride] = without_denormals(second * moment[stride] + fresh_second * squared * squared);
  }

  double decay1, decay2;
  T first, fresh_first, second, fresh_second, least, epsilon;
};

template <bool Decoupled, class T>
struct update_rule<adam_options_of<Decoupled>, T> : adam_moments<T> {
  using options = adam_options_of<Decoupled>;

  static index_type moments(const options&) { return 2; }
  static void validate(const options& o) { adam_moments<T>::validate(o.beta1, o.beta2, o.epsilon); }

  update_rule(const options& o, const step_rates& rates)
      : adam_moments<T>(o.beta1, o.beta2, o.epsilon),
        rate(rates.learning_rate),
        decay(static_cast<T>(rates.weight_decay)),
        lost(static_cast<T>(rates.learning_rate * rates.weight_decay)),
        kept(static_cast<T>(1.0 - rates.learning_rate * rates.weight_decay)) {}

  GAL_HOST_DEVICE void set_step(double step) {
    size = static_cast<T>(rate / this->correction(step));
    root = static_cast<T>(1.0 / this->root_correction(step));
  }

  GAL_HOST_DEVICE T change(T value, T gradient, T* moment, index_type stride) const {
    const T moved = without_decay(value, gradient, moment, stride);
    return Decoupled ? moved + lost * value : moved;
  }
  GAL_HOST_DEVICE void operator()(T& value, T gradient, T* moment, index_type stride) const {
    const T moved = without_decay(value, gradient, moment, stride);
    value = Decoupled ? kept * value - moved : value - moved;
  }
  GAL_HOST_DEVICE T without_decay(T value, T gradient, T* moment, index_type stride) const {
    this->accumulate(Decoupled ? gradient : gradient + decay * value, moment, stride);
    return size * moment[0] / (square_root(moment[stride]) * root + this->epsilon);
  }

  double rate;
  T decay;       // of the gradient, where it is not decoupled
  T lost, kept;  // of the value, where it is: shares
  T size = 0, root = 0;
};

template <class T>
struct update_rule<adabound_options, T> : adam_moments<T> {
  static index_type moments(const adabound_options&) { return 2; }
  static void validate(const adabound_options& o) {
    adam_moments<T>::validate(o.beta1, o.beta2, o.epsilon);
    require_at_least(o.final_learning_rate, 0.0, "gal::adabound: final_learning_rate");
    require(o.gamma > 0.0 && std::isfinite(o.gamma), error_code::invalid_option, "gal::adabound: gamma is ",
            o.gamma, "; expected a positive number");
  }

  update_rule(const adabound_options& o, const step_rates& rates)
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

  GAL_HOST_DEVICE T change(T value, T gradient, T* moment, index_type stride) const {
    this->accumulate(gradient + decay * value, moment, stride);
    const T bounded = size / (square_root(moment[stride]) + this->epsilon);
    return (bounded < lower ? lower : (bounded > upper ? upper : bounded)) * moment[0];
  }
  GAL_HOST_DEVICE void operator()(T& value, T gradient, T* moment, index_type stride) const {
    value -= change(value, gradient, moment, stride);
  }

  double rate, gamma, final_rate;
  T decay;
  T size = 0, lower = 0, upper = 0;
};

}  // namespace gal::detail

// gal/loss/detail/entries.hpp: the entrywise losses as functions of one entry, with their parts of the expansion.
#pragma once

#include <gal/core/view.hpp>
#include <gal/loss/detail/exp_remainder.hpp>

#include <cmath>
#include <limits>
#include <string_view>

namespace gal::inline GAL_ABI::detail {

struct squared_error {
  static constexpr std::string_view name = "gal::mse";
  GAL_HOST_DEVICE double value(double x, double y) const { return (x - y) * (x - y); }
  GAL_HOST_DEVICE double slope(double x, double y) const { return 2.0 * (x - y); }
  GAL_HOST_DEVICE double remainder(double, double d, double) const { return d * d; }
  GAL_HOST_DEVICE double slope_change(double, double d, double) const { return 2.0 * d; }
  GAL_HOST_DEVICE double second(double, double) const { return 2.0; }
};

struct absolute_error {
  static constexpr std::string_view name = "gal::mae";
  GAL_HOST_DEVICE static double sign(double r) { return r > 0.0 ? 1.0 : (r < 0.0 ? -1.0 : r); }  // keeps NaN
  GAL_HOST_DEVICE double value(double x, double y) const { return std::abs(x - y); }
  GAL_HOST_DEVICE double slope(double x, double y) const { return sign(x - y); }
  GAL_HOST_DEVICE double remainder(double x, double d, double y) const {
    const double before = x - y;
    const double after = before - d;
    if (before == 0.0) {
      return std::abs(after);
    }
    const double along = sign(before) * after;
    return along >= 0.0 ? 0.0 : -2.0 * along;  // zero on the same side
  }
  GAL_HOST_DEVICE double slope_change(double x, double d, double y) const {
    return sign(x - y) - sign(x - y - d);
  }
  GAL_HOST_DEVICE double second(double, double) const { return 0.0; }
};

struct huber_error {
  static constexpr std::string_view name = "gal::huber";
  double delta = 1.0;
  // r^2/2 less (|r| - delta)^2/2 beyond delta: one formula for both pieces.
  GAL_HOST_DEVICE double excess(double r) const {
    const double beyond = std::abs(r) - delta;
    return beyond > 0.0 ? beyond : 0.0;
  }
  GAL_HOST_DEVICE double slope_at(double r) const { return r > delta ? delta : (r < -delta ? -delta : r); }
  GAL_HOST_DEVICE double value(double x, double y) const {
    const double r = x - y;
    const double beyond = excess(r);
    return beyond > 0.0 ? delta * (std::abs(r) - 0.5 * delta) : 0.5 * r * r;
  }
  GAL_HOST_DEVICE double slope(double x, double y) const { return slope_at(x - y); }
  GAL_HOST_DEVICE double remainder(double x, double d, double y) const {
    const double before = x - y;
    const double after = before - d;
    const double beyond = excess(after);
    if (std::abs(before) < delta) {
      // From inside the parabola: its own remainder, less what the straight piece falls below it, as a product, whose first
      // factor is |d| - beyond without a difference of nearly equal numbers.
      const double within = delta + (d < 0.0 ? -before : before);
      return beyond > 0.0 ? 0.5 * within * (std::abs(d) + beyond) : 0.5 * d * d;
    }
    // From a straight piece, measured along its direction: the height of the loss over that line.
    const double along = before > 0.0 ? after : -after;
    if (along >= delta) {
      return 0.0;
    }
    return along > -delta ? 0.5 * (along - delta) * (along - delta) : -2.0 * delta * along;
  }
  GAL_HOST_DEVICE double slope_change(double x, double d, double y) const {
    return slope_at(x - y) - slope_at(x - y - d);
  }
  GAL_HOST_DEVICE double second(double x, double y) const { return std::abs(x - y) > delta ? 0.0 : 1.0; }
};

struct logit_entropy {
  static constexpr std::string_view name = "gal::binary_cross_entropy";
  GAL_HOST_DEVICE static double probability(double x) {
    const double e = std::exp(-std::abs(x));
    return x < 0.0 ? e / (1.0 + e) : 1.0 / (1.0 + e);
  }
  // log(1 + exp(-|x|)), and |x| times the probability of the other side: of an infinite logit 0 where that is none.
  GAL_HOST_DEVICE double value(double x, double y) const {
    const double other = x < 0.0 ? checked(y) : 1.0 - checked(y);
    return std::log1p(std::exp(-std::abs(x))) + (other == 0.0 ? 0.0 : other * std::abs(x));
  }
  GAL_HOST_DEVICE double slope(double x, double y) const { return probability(x) - checked(y); }
  // Of targets that the host would have refused, and the device cannot.
  GAL_HOST_DEVICE static double checked(double y) {
    return y >= 0.0 && y <= 1.0 ? y : std::numeric_limits<double>::quiet_NaN();
  }
  GAL_HOST_DEVICE static double softplus(double x) {
    return (x < 0.0 ? 0.0 : x) + std::log1p(std::exp(-std::abs(x)));
  }
  // The softmax form for the two classes with logits x and 0, c = (q d, -p d). The exponentials of a very long
  // displacement may overflow: there the plain log-sum-exp.
  GAL_HOST_DEVICE static bool is_long(double p, double q, double d) {
    return std::fmax(p, q) * std::abs(d) > 300.0;
  }
  GAL_HOST_DEVICE double remainder(double x, double d, double) const {
    const double p = probability(x);
    const double q = probability(-x);
    if (is_long(p, q, d)) {
      const double one = -softplus(-x) - q * d;
      const double zero = -softplus(x) + p * d;
      return std::fmax(one, zero) + std::log1p(std::exp(-std::abs(one - zero)));
    }
    return std::log1p(p * exp_remainder(q * d) + q * exp_remainder(-p * d));
  }
  GAL_HOST_DEVICE double slope_change(double x, double d, double y) const {
    const double p = probability(x);
    const double q = probability(-x);
    if (is_long(p, q, d)) {
      return x > 0.0 ? probability(d - x) - q : p - probability(x - d);
    }
    return -p * std::expm1(-q * d - remainder(x, d, y));
  }
  GAL_HOST_DEVICE double second(double x, double) const { return probability(x) * probability(-x); }
};

}  // namespace gal::detail

// gal/optim/schedule.hpp: learning-rate schedules.
// Provides: schedule, constant_schedule, step_schedule, cosine_schedule, linear_schedule, linear_warm_up.
#pragma once

#include <gal/core/error.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

namespace gal::inline GAL_ABI {

/// Factor on the learning rate as a function of the number of steps taken: a plain value made of pieces, one after the
/// other. Its last piece goes on for ever.
///
///     auto schedule = gal::linear_warm_up(100).then(gal::cosine_schedule(2000));
class schedule {
 public:
  enum class kind { constant, step, cosine, linear };
  friend constexpr auto enumerator_names(kind) {
    return std::to_array<std::string_view>({"constant", "step", "cosine", "linear"});
  }

  /// Part of a schedule, made by the functions below.
  struct piece {
    schedule::kind kind = kind::constant;
    std::int64_t length = 0;  ///< steps, 0 without end; of `step`: steps between two drops
    double from = 1.0;        ///< factor at its start
    double to = 1.0;          ///< factor at its end; of `step`: the factor of a drop
    std::int64_t duration = std::numeric_limits<std::int64_t>::max();  ///< steps until the next piece
    friend bool operator==(const piece&, const piece&) = default;
  };

  schedule() : pieces_{piece{}} {}
  friend schedule constant_schedule(std::int64_t length);
  friend schedule step_schedule(std::int64_t interval, double factor);
  friend schedule cosine_schedule(std::int64_t length, double floor);
  friend schedule linear_schedule(std::int64_t length, double floor);
  friend schedule linear_warm_up(std::int64_t length, double from);

  /// This schedule, then `next`, which counts its own steps from there. Throws unless this one ends.
  [[nodiscard]] schedule then(const schedule& next) const& {
    detail::require(pieces_.back().length > 0 && pieces_.back().kind != kind::step,
                    error_code::invalid_option,
                    "gal::schedule::then: the schedule before never ends; give it a length");
    schedule result = *this;
    result.pieces_.back().duration = result.pieces_.back().length;
    result.pieces_.insert(result.pieces_.end(), next.pieces_.begin(), next.pieces_.end());
    return result;
  }

  /// Factor for the step after `steps` steps.
  [[nodiscard]] double factor(std::int64_t steps) const {
    std::size_t number = 0;
    while (steps >= pieces_[number].duration) {
      steps -= pieces_[number++].duration;
    }
    return factor(pieces_[number], steps);
  }

  friend bool operator==(const schedule&, const schedule&) = default;

  /// Where it stands is the number of steps, which whoever follows it keeps: its pieces only have to be the same.
  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit.setting("pieces", pieces_.size());
    for (const piece& p : pieces_) {
      const auto number = std::to_string(&p - pieces_.data());
      visit.setting(number + ".kind", p.kind);
      visit.setting(number + ".steps", std::array{p.length, p.duration});
      visit.setting(number + ".factors", std::array{p.from, p.to});
    }
  }

 private:
  schedule(std::string_view name, kind which, std::int64_t length, double from, double to)
      : pieces_{piece{which, length, from, to}} {
    detail::require(length > 0, error_code::invalid_option, name, ": length ", length,
                    "; expected a positive number of steps");
    detail::require(from >= 0.0 && to >= 0.0 && std::isfinite(from) && std::isfinite(to),
                    error_code::invalid_option, name, ": factors ", from, " and ", to,
                    "; expected non-negative numbers");
  }

  static double factor(const piece& p, std::int64_t steps) {
    const double share =
        p.length <= 0 ? 1.0 : std::min(1.0, static_cast<double>(steps) / static_cast<double>(p.length));
    switch (p.kind) {
      case kind::step:
        return std::pow(p.to, static_cast<double>(steps / p.length));
      case kind::cosine:
        return p.to + (p.from - p.to) * 0.5 * (1.0 + std::cos(std::numbers::pi * share));
      case kind::linear:
        return p.from + (p.to - p.from) * share;
      case kind::constant:
        break;
    }
    return p.from;
  }

  std::vector<piece> pieces_;
};

/// The factor 1 for `length` steps.
[[nodiscard]] inline schedule constant_schedule(std::int64_t length) {
  return schedule("gal::constant_schedule", schedule::kind::constant, length, 1.0, 1.0);
}
/// Times `factor` after every `interval` steps, for ever.
[[nodiscard]] inline schedule step_schedule(std::int64_t interval, double factor = 0.1) {
  return schedule("gal::step_schedule", schedule::kind::step, interval, 1.0, factor);
}
/// From 1 to `floor` along half a cosine in `length` steps (Loshchilov and Hutter, 2017).
[[nodiscard]] inline schedule cosine_schedule(std::int64_t length, double floor = 0.0) {
  return schedule("gal::cosine_schedule", schedule::kind::cosine, length, 1.0, floor);
}
/// From 1 to `floor` along a line in `length` steps.
[[nodiscard]] inline schedule linear_schedule(std::int64_t length, double floor = 0.0) {
  return schedule("gal::linear_schedule", schedule::kind::linear, length, 1.0, floor);
}
/// From `from` to 1 along a line in `length` steps.
[[nodiscard]] inline schedule linear_warm_up(std::int64_t length, double from = 0.0) {
  return schedule("gal::linear_warm_up", schedule::kind::linear, length, from, 1.0);
}

}  // namespace gal

// support/surfaces.hpp: functions of two variables to walk down on, and what each optimizer is set to there.
// Provides: point, surface, surfaces, walk_settings, settings_for.
#pragma once

#include "support/text.hpp"

#include <gal/core/error.hpp>

#include <array>
#include <cmath>
#include <span>
#include <string_view>

namespace support {

using point = std::array<double, 2>;  ///< x, y

/// A function z(x, y) with its gradient, where walks on it start, and how to draw it.
struct surface {
  std::string_view name;
  std::string_view title;
  std::string_view formula;  ///< as gnuplot writes it in a title
  double (*value)(std::span<const double> point, std::span<double> gradient);
  point start;
  std::span<const point> minima;  ///< the lowest points, all of one height
  double goal;                    ///< a walk that ends above this height has missed the minimum
  std::array<double, 2> x_range;
  std::array<double, 2> y_range;
  std::array<int, 2> view;  ///< gnuplot's angles, in degrees
  bool logarithmic;         ///< heights span decades: draw their logarithm
};

namespace detail {

// The 3D problem of arXiv 2201.09193: -sin(x^2) cos(3 y^2) exp(-(xy)^2) - exp(-(x + y)^2).
inline double paper_surface(std::span<const double> point, std::span<double> gradient) {
  const double x = point[0];
  const double y = point[1];
  const double sine = std::sin(x * x);
  const double cosine = std::cos(3.0 * y * y);
  const double ridge = std::exp(-x * x * y * y);
  const double valley = std::exp(-(x + y) * (x + y));
  const double slope = 2.0 * (x + y) * valley;
  gradient[0] = -cosine * ridge * (2.0 * x * std::cos(x * x) - 2.0 * x * y * y * sine) + slope;
  gradient[1] = sine * ridge * (6.0 * y * std::sin(3.0 * y * y) + 2.0 * x * x * y * cosine) + slope;
  return -sine * cosine * ridge - valley;
}

inline double rosenbrock(std::span<const double> point, std::span<double> gradient) {
  const double x = point[0];
  const double a = 1.0 - x;
  const double b = point[1] - x * x;
  gradient[0] = -2.0 * a - 400.0 * x * b;
  gradient[1] = 200.0 * b;
  return a * a + 100.0 * b * b;
}

inline double himmelblau(std::span<const double> point, std::span<double> gradient) {
  const double x = point[0];
  const double y = point[1];
  const double a = x * x + y - 11.0;
  const double b = x + y * y - 7.0;
  gradient[0] = 4.0 * x * a + 2.0 * b;
  gradient[1] = 2.0 * a + 4.0 * y * b;
  return a * a + b * b;
}

inline double beale(std::span<const double> point, std::span<double> gradient) {
  const double x = point[0];
  const double y = point[1];
  const double a = 1.5 - x + x * y;
  const double b = 2.25 - x + x * y * y;
  const double c = 2.625 - x + x * y * y * y;
  gradient[0] = 2.0 * (a * (y - 1.0) + b * (y * y - 1.0) + c * (y * y * y - 1.0));
  gradient[1] = 2.0 * x * (a + 2.0 * y * b + 3.0 * y * y * c);
  return a * a + b * b + c * c;
}

inline constexpr std::array<point, 2> paper_minima = {{{0.967964, -0.321749}, {-0.967964, 0.321749}}};
inline constexpr std::array<point, 1> rosenbrock_minima = {{{1.0, 1.0}}};
inline constexpr std::array<point, 4> himmelblau_minima = {
    {{3.0, 2.0}, {-2.805118, 3.131312}, {-3.779310, -3.283186}, {3.584428, -1.848127}}};
inline constexpr std::array<point, 1> beale_minima = {{{3.0, 0.5}}};
}  // namespace detail

/// Goals: on the paper's surface the height halfway between its deep basin (-1.3549) and the wrong one (-0.1843);
/// elsewhere the height at which 99 % of the way down from the start is done.
inline constexpr std::array surfaces = {
    surface{.name = "paper",
            .title = "The paper's 3D problem",
            .formula = "z = −sin(x²) cos(3y²) exp(−x²y²) − exp(−(x+y)²)",
            .value = detail::paper_surface,
            .start = {0.75, 1.0},
            .minima = detail::paper_minima,
            .goal = -0.7696,
            .x_range = {-1.5, 1.5},
            .y_range = {-1.5, 1.5},
            .view = {40, 30},
            .logarithmic = false},
    surface{.name = "rosenbrock",
            .title = "Rosenbrock's valley",
            .formula = "z = (1 − x)² + 100 (y − x²)²",
            .value = detail::rosenbrock,
            .start = {-1.2, 1.0},
            .minima = detail::rosenbrock_minima,
            .goal = 0.242,
            .x_range = {-1.6, 1.6},
            .y_range = {-0.6, 2.0},
            .view = {28, 20},
            .logarithmic = true},
    surface{.name = "himmelblau",
            .title = "Himmelblau's function",
            .formula = "z = (x² + y − 11)² + (x + y² − 7)²",
            .value = detail::himmelblau,
            .start = {0.0, -0.5},
            .minima = detail::himmelblau_minima,
            .goal = 1.7631,
            .x_range = {-5.0, 5.0},
            .y_range = {-5.0, 5.0},
            .view = {28, 20},
            .logarithmic = true},
    surface{.name = "beale",
            .title = "Beale's function",
            .formula = "z = (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
            .value = detail::beale,
            .start = {1.0, 1.5},
            .minima = detail::beale_minima,
            .goal = 0.414,
            .x_range = {-1.0, 4.0},
            .y_range = {-1.5, 2.0},
            .view = {28, 20},
            .logarithmic = true},
};

/// What one optimizer is set to on one surface. The rest, such as momenta, is the same on all surfaces: see toy3d.cpp.
struct walk_settings {
  std::string_view surface;
  std::string_view optimizer;
  double learning_rate;
  double final_learning_rate;  ///< of AdaBound
  double tau;  ///< of preset recommended, and of preset paper where the surface is not the paper's
  int steps;
};

/// The paper's surface: the paper's settings, and tau 1. The others: learning rates at which the plain optimizer goes
/// down, about the steps that it needs for it, and tau such that a tentative step, which follows the gradient, is not
/// longer than the steps of optimizers that scale the gradient down: gradients there reach hundreds. The rates leave
/// room for a gradient that is adjusted to up to four times its length: plain optimizers can be set to go faster.
inline constexpr std::array settings_table = {
    // clang-format off
    walk_settings{"paper", "gd",             0.1,   0.0,   1.0,   100},
    walk_settings{"paper", "lookahead",      0.01,  0.0,   1.0,   600},
    walk_settings{"paper", "rmsprop",        0.02,  0.0,   1.0,   150},
    walk_settings{"paper", "adam",           0.02,  0.0,   1.0,   250},
    walk_settings{"paper", "adabound",       0.4,   0.02,  1.0,   300},
    walk_settings{"rosenbrock", "gd",        1e-3,  0.0,   1.0,  2000},
    walk_settings{"rosenbrock", "lookahead", 1e-3,  0.0,   1.0,  4000},
    walk_settings{"rosenbrock", "rmsprop",   0.02,  0.0,   0.01,  600},
    walk_settings{"rosenbrock", "adam",      0.05,  0.0,   0.01,  600},
    walk_settings{"rosenbrock", "adabound",  0.1,   1e-3,  0.01, 1500},
    walk_settings{"himmelblau", "gd",        5e-3,  0.0,   1.0,    60},
    walk_settings{"himmelblau", "lookahead", 5e-3,  0.0,   1.0,   100},
    walk_settings{"himmelblau", "rmsprop",   0.02,  0.0,   0.05,  100},
    walk_settings{"himmelblau", "adam",      0.1,   0.0,   0.02,  120},
    walk_settings{"himmelblau", "adabound",  0.1,   5e-3,  0.1,   120},
    walk_settings{"beale", "gd",             4e-3,  0.0,   1.0,  1000},
    walk_settings{"beale", "lookahead",      4e-3,  0.0,   1.0,  2000},
    walk_settings{"beale", "rmsprop",        0.02,  0.0,   0.1,   400},
    walk_settings{"beale", "adam",           0.05,  0.0,   0.1,   300},
    walk_settings{"beale", "adabound",       0.1,   5e-3,  0.1,   400},
    // clang-format on
};

/// The settings of an optimizer on a surface. Throws `gal::error` for names that are not in the table.
inline const walk_settings& settings_for(std::string_view surface, std::string_view optimizer) {
  for (const walk_settings& settings : settings_table) {
    if (settings.surface == surface && settings.optimizer == optimizer) {
      return settings;
    }
  }
  throw gal::error(gal::error_code::invalid_option,
                   text("no settings for ", optimizer, " on the surface ", surface));
}

}  // namespace support

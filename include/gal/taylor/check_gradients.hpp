// gal/taylor/check_gradients.hpp: finite-difference checks of gradients, for users' own models and losses.
// Provides: gradient_check_options, gradient_check, check_gradients.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// Settings of `check_gradients`. The defaults suit double; in float, steps of 1e-2 and a tolerance of 1e-2 are typical.
struct gradient_check_options {
  double step = 1e-5;       ///< of the central difference, relative to max(1, abs(value))
  double tolerance = 1e-6;  ///< allowed difference, relative to max(1, abs(gradient))
  index_type stride = 1;    ///< checks every stride-th number; larger is faster
};

/// What `check_gradients` found: the largest relative difference, and where it is.
struct gradient_check {
  bool passed = true;
  double largest_difference = 0.0;
  std::string where;       ///< "parameter block 2, number 17" or "feature 3 of sample 5"
  double analytic = 0.0;   ///< the gradient there, as the model or loss gives it
  double numerical = 0.0;  ///< and by the central difference
  index_type checked = 0;  ///< numbers compared
};

/// Compares the gradients of a model and a loss with central differences of the loss on one batch: first the loss's
/// gradient with respect to the features, then the model's with respect to every parameter. Host memory; the
/// parameters are as before afterwards, also where the model or the loss throws. Throws for options out of range, and where
/// two parameter blocks share a number.
///
///     const gal::gradient_check check = gal::check_gradients(model, loss, x, y);
///     if (!check.passed) std::cerr << check.where << ": " << check.analytic << " against " << check.numerical;
template <class Model, class Loss, class Input = nothing, class Target = nothing>
  requires detail::checked_model<Model>
[[nodiscard]] gradient_check check_gradients(Model& model, Loss loss, const Input& input = {},
                                             const Target& target = {}, gradient_check_options options = {}) {
  using T = model_scalar<Model>;
  using feature_type = typename Model::feature_type;
  static_assert(std::same_as<typename backend_of<Model>::memory_type, host_memory>,
                "gal::check_gradients: the model's memory must be the host's.");
  static_assert(detail::explain_loss<Loss, T, backend_of<Model>, Target>());
  detail::require(options.step > 0.0 && options.tolerance > 0.0 && options.stride >= 1,
                  error_code::invalid_option, "gal::check_gradients: step ", options.step, ", tolerance ",
                  options.tolerance, ", stride ", options.stride, "; expected positive numbers");

  std::vector<parameter<T>> blocks;
  for (auto&& block : model.parameters()) {
    blocks.push_back(parameter<T>(block));
  }
  detail::require_distinct(std::span<const parameter<T>>(blocks), "gal::check_gradients");

  const backend_of<Model> backend{};
  matrix<double, backend_of<Model>> values;
  const auto mean_loss = [&](matrix_view<const T> features, matrix_view<T> gradient) {
    values.resize(1, features.columns());
    loss.evaluate(backend, features, target, values.view(), gradient);
    double total = 0.0;
    for (index_type j = 0; j < features.columns(); ++j) {
      total += values(0, j);
    }
    return total / static_cast<double>(features.columns());
  };

  struct restored {
    T& number;
    T value;
    ~restored() { number = value; }
  };
  gradient_check result;
  const auto compare = [&](double analytic, T& number, std::string where, auto&& loss_now) {
    const T before = number;
    const restored put_back{number, before};
    const double step = options.step * std::max(1.0, std::abs(static_cast<double>(before)));
    number = static_cast<T>(static_cast<double>(before) + step);
    const double above = loss_now();
    const double up = static_cast<double>(number);
    number = static_cast<T>(static_cast<double>(before) - step);
    const double below = loss_now();
    const double numerical = (above - below) / (up - static_cast<double>(number));
    const double difference = std::abs(analytic - numerical) / std::max(1.0, std::abs(analytic));
    ++result.checked;
    if (!(difference <= result.largest_difference)) {  // also where it is NaN
      result.largest_difference =
          std::isnan(difference) ? std::numeric_limits<double>::infinity() : difference;
      result.where = std::move(where);
      result.analytic = analytic;
      result.numerical = numerical;
    }
  };

  feature_type features = model.forward(input);
  feature_type gradient = features;
  const matrix_view<T> x(features);
  const matrix_view<T> g(gradient);
  mean_loss(x.as_const(), g);
  for (index_type i = 0; i < x.size(); i += options.stride) {
    compare(static_cast<double>(g.data()[i]), x.data()[i],
            detail::text("feature ", i % x.rows(), " of sample ", i / x.rows()),
            [&] { return mean_loss(x.as_const(), matrix_view<T>()); });
  }

  for (parameter<T> block : model.parameters()) {
    std::ranges::fill(block.gradient, T(0));
  }
  model.forward(input);
  model.backward(gradient);
  index_type number = 0;
  index_type block_number = 0;
  for (parameter<T> block : model.parameters()) {
    const std::vector<T> analytic(block.gradient.begin(), block.gradient.end());
    for (std::size_t i = 0; i < block.value.size(); ++i, ++number) {
      if (number % options.stride == 0) {
        compare(static_cast<double>(analytic[i]), block.value[i],
                detail::text("parameter block ", block_number, ", number ", i),
                [&] { return mean_loss(matrix_view<const T>(model.forward(input)), matrix_view<T>()); });
      }
    }
    ++block_number;
  }
  result.passed = result.largest_difference <= options.tolerance;
  return result;
}

}  // namespace gal

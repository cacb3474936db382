// gal/adjust.hpp: gradient adjustment learning, the algorithm.
// Provides: adjust. Includes gal/options.hpp.
#pragma once

#include <gal/adjuster.hpp>
#include <gal/backend.hpp>
#include <gal/concepts.hpp>
#include <gal/expansion.hpp>
#include <gal/normalisation.hpp>
#include <gal/optim.hpp>
#include <gal/options.hpp>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal {

/// Trains `Model` with `Optimizer` on `Loss` by gradient adjustment learning. Model and optimizer are referred to and
/// must outlive the trainer; the loss and the options are copied.
///
///     gal::adjust trainer(model, optimizer, gal::mse{}, {.epsilon = 1.0, .hidden = {16, 4}});
///     gal::step_report report = trainer.step(x, y);
///
/// After the first step of the largest batch a step allocates nothing (given a model that does not). On the same seed
/// and data every run gives the same bits.
template <class Model, class Optimizer, class Loss, class Adjuster = void>
  requires detail::checked_model<Model> && detail::checked_optimizer<Optimizer, Model>
class adjust {
 public:
  using value_type = model_scalar<Model>;
  using backend_type = backend_of<Model>;
  static_assert(detail::explain_backend<backend_type>());
  using memory_type = typename backend_type::memory_type;
  using input_type = typename Model::input_type;
  using feature_type = typename Model::feature_type;
  using adjuster_type =
      std::conditional_t<std::is_void_v<Adjuster>, gal::adjuster<value_type, backend_type>, Adjuster>;

  static_assert(detail::explain_adjuster<adjuster_type, value_type, memory_type>());

  /// The adjuster is built from the options at the first step, when the number of features is known. Throws where an
  /// option is outside its range.
  adjust(Model& model, Optimizer& optimizer, Loss loss, adjust_options options = {},
         backend_type backend = {}) requires std::is_void_v<Adjuster>
      : adjust(model, optimizer, std::move(loss), std::move(options), std::nullopt, std::move(backend)) {}

  /// With an adjuster of one's own.
  adjust(Model& model, Optimizer& optimizer, Loss loss, adjust_options options, adjuster_type adjuster,
         backend_type backend = {})
      : adjust(model, optimizer, std::move(loss), std::move(options), std::optional(std::move(adjuster)),
               std::move(backend)) {}

  /// One training step on a batch: `input` as the model takes it, `target` as the loss does, a sample per column.
  /// Throws `gal::error` for shapes that do not fit, empty batches and labels out of range, before anything changes.
  template <class Input, class Target>
  step_report step(const Input& input, const Target& target) {
    static_assert(std::convertible_to<const Input&, const input_type&>,
                  "gal::adjust::step: the input does not convert to the model's `input_type`.");
    static_assert(detail::explain_loss<Loss, value_type, backend_type, Target>());

    step_report report;
    report.learning_rate = optimizer_->learning_rate();

    // Features X, loss L and its gradient G.
    const input_type& batch = input;  // a converted input lives until the model's backward pass
    const feature_type& features = model_->forward(batch);
    const view x(features);
    prepare(x);
    loss_.evaluate(backend_, x, target, losses_.view(), gradient_.view());
    report.loss = mean(losses_);
    if (!acceptable(report.loss)) {
      return refuse(report, "the loss is not finite");
    }

    const double length = step_length(x, report.learning_rate);
    column_products(backend_, g(), g(), gradient_squares_);
    if (options_.safeguard == safeguard::not_worse_than_vanilla || options_.report_vanilla) {
      displace(length, false);
      expand(x, target, vanilla_changes_, {});
      subtract_first_order(length, false, vanilla_changes_);
      report.vanilla_tentative_loss = report.loss + mean(vanilla_changes_);
    }

    // Adjustment A = h(X), tentative step D along G + A, remainder R; then the adjuster learns from it.
    remember_adjuster();
    for (int k = 1;; ++k) {
      const view h = propose(x);
      map_.forward(h, g(), adjustment_.view());
      column_products(backend_, g(), a(), gradient_adjustments_);
      displace(length, true);
      expand(x, target, changes_, trains() ? slope_.view() : mutable_view());
      report.remainder = mean(changes_) + (first_order_weight(x) - 1.0) * first_order_term(length);
      if (!trains()) {
        break;
      }
      differentiate_objective(x, length, report.remainder);
      if (k == options_.adjuster_steps) {
        break;
      }
      step_adjuster(report.learning_rate);
    }

    // Lt - L = R - <D, G>, sample by sample, where both terms are small and nothing cancels; then the safeguard.
    subtract_first_order(length, true, changes_);
    report.tentative_loss = report.loss + mean(changes_);
    decide(report);
    describe(report);

    // The gradient that was chosen goes through the model; model and adjuster step.
    choose(features);
    clear_gradients(collect(*model_, parameters_));
    model_->backward(*chosen_);
    if (!acceptable(parameters_)) {
      restore_adjuster();
      return refuse(report, "a parameter's gradient is not finite, or too large to be squared");
    }
    optimizer_->step(std::span<const parameter_type>(parameters_));
    if (trains()) {
      step_adjuster(report.learning_rate);
    }
    return report;
  }

  /// One step of a model without input on a loss without targets, such as `nn::point`.
  step_report step() requires std::same_as<input_type, nothing> { return step(nothing{}, nothing{}); }

  [[nodiscard]] Model& model() { return *model_; }
  [[nodiscard]] Optimizer& optimizer() { return *optimizer_; }
  [[nodiscard]] const adjust_options& options() const { return options_; }

  /// The adjuster; throws before the first step unless one was given. After a step its parameters' gradients are those
  /// of the objective.
  [[nodiscard]] adjuster_type& adjuster() {
    detail::require(adjuster_.has_value(), error_code::invalid_option,
                    "gal::adjust::adjuster: none yet; it is built at the first step");
    return *adjuster_;
  }

  /// Of the last step: the gradient G of the loss with respect to the features, the adjustment A (both `d x n`), and
  /// the samples' losses (`1 x n`).
  [[nodiscard]] auto last_gradient() const { return gradient_.view(); }
  [[nodiscard]] auto last_adjustment() const { return adjustment_.view(); }
  [[nodiscard]] auto last_sample_losses() const { return losses_.view(); }

 private:
  using T = value_type;
  using view = matrix_view<const T, memory_type>;
  using mutable_view = matrix_view<T, memory_type>;
  using storage = matrix<T, backend_type>;
  using numbers = matrix<double, backend_type>;
  using parameter_type = parameter<T, memory_type>;
  using parameters_type = std::vector<parameter_type>;

  adjust(Model& model, Optimizer& optimizer, Loss loss, adjust_options options,
         std::optional<adjuster_type> adjuster, backend_type backend)
      : model_(&model),
        optimizer_(&optimizer),
        loss_(std::move(loss)),
        options_(validated(std::move(options))),
        backend_(backend),
        adjuster_(std::move(adjuster)),
        map_(options_.normalisation, options_.epsilon, options_.remove_mean, backend),
        expansion_(backend),
        adjuster_adam_({.learning_rate = options_.adjuster_learning_rate}, backend) {
    if (options_.training == adjuster_training::model_optimizer) {
      if constexpr (requires { companion_.emplace(optimizer.companion()); }) {
        companion_.emplace(optimizer.companion());
      } else if constexpr (std::copyable<Optimizer>) {
        companion_.emplace(optimizer);
      } else {
        detail::require(
            false, error_code::invalid_option,
            "gal::adjust_options: training by the model's optimizer needs an optimizer that can be copied; "
            "expected adjuster_training::own_adam");
      }
    }
  }

  static adjust_options validated(adjust_options options) {
    const auto at_least_zero = [](double value, std::string_view field) {
      detail::require(value >= 0.0 && std::isfinite(value), error_code::invalid_option,
                      "gal::adjust_options: ", field, " is ", value, "; expected a non-negative number");
    };
    at_least_zero(options.epsilon, "epsilon");
    at_least_zero(options.tau, "tau");
    at_least_zero(options.adjuster_learning_rate, "adjuster_learning_rate");
    detail::require(options.adjuster_steps >= 1, error_code::invalid_option,
                    "gal::adjust_options: adjuster_steps is ", options.adjuster_steps,
                    "; expected at least 1");
    for (const index width : options.hidden) {
      detail::require(width > 0, error_code::invalid_option, "gal::adjust_options: a hidden width is ", width,
                      "; expected a positive number");
    }
    return options;
  }

  [[nodiscard]] view g() const { return gradient_.view(); }
  [[nodiscard]] view a() const { return adjustment_.view(); }
  [[nodiscard]] bool trains() const { return !adjuster_parameters_.empty(); }

  // Sizes the workspace for a batch, and builds the adjuster at the first one.
  void prepare(view x) {
    detail::require(!x.empty(), error_code::shape_mismatch, "gal::adjust::step: the features are ", x.shape(),
                    "; expected at least one row and one sample");
    for (storage* part : {&gradient_, &adjustment_, &displacement_, &slope_}) {
      part->resize(x.rows(), x.columns());
    }
    for (numbers* row : {&losses_, &changes_, &vanilla_changes_, &accepted_}) {
      row->resize(1, x.columns());
    }
    if constexpr (std::is_void_v<Adjuster>) {
      if (!adjuster_) {
        std::vector<index> widths(options_.hidden);
        widths.insert(widths.begin(), sees_gradients() ? 2 * x.rows() : x.rows());
        widths.push_back(x.rows());
        adjuster_.emplace(std::move(widths), options_.adjuster, backend_);
      }
    }
    collect(*adjuster_, adjuster_parameters_);
  }

  [[nodiscard]] std::span<const parameter_type> adjuster_span() const { return adjuster_parameters_; }

  [[nodiscard]] bool sees_gradients() const {
    return options_.input == adjuster_input::features_and_gradients;
  }

  // eta tau, and n where every sample steps along its own gradient: D = length (G + A).
  [[nodiscard]] double step_length(view x, double learning_rate) const {
    const bool own = options_.tentative_step == tentative_step::sample_gradients;
    return learning_rate * options_.tau * (own ? static_cast<double>(x.columns()) : 1.0);
  }

  // kappa, the weight of <D, G> in the remainder.
  [[nodiscard]] double first_order_weight(view x) const {
    switch (options_.remainder) {
      case remainder_kind::mean_over_samples:
        return 1.0 / static_cast<double>(x.columns());
      case remainder_kind::mean_over_coordinates:
        return 1.0 / static_cast<double>(x.rows());
      case remainder_kind::exact:
        break;
    }
    return 1.0;
  }

  // h of the features, or of the features above the samples' own gradients.
  view propose(view x) {
    view input = x;
    if (sees_gradients()) {
      const index rows = x.rows();
      adjuster_input_.resize(2 * rows, x.columns());
      backend_.for_each(rows, x.columns(),
                        [=, to = adjuster_input_.view(), from = g(),
                         samples = static_cast<T>(x.columns())] GAL_HOST_DEVICE(index i, index j) {
                          to(i, j) = x(i, j);
                          to(rows + i, j) = samples * from(i, j);
                        });
      input = std::as_const(adjuster_input_).view();
    }
    const view h(adjuster_->forward(input));
    detail::require(h.shape() == x.shape(), error_code::shape_mismatch, "gal::adjust: the adjuster returned ",
                    h.shape(), "; expected the features' size ", x.shape());
    return h;
  }

  // D = length (G + A), or length G.
  void displace(double length, bool adjusted) {
    const T scale = static_cast<T>(length);
    backend_.for_each(gradient_.size(), [=, to = displacement_.data(), gradient = gradient_.data(),
                                         adjustment = adjustment_.data()] GAL_HOST_DEVICE(index i) {
      to[i] = scale * (adjusted ? gradient[i] + adjustment[i] : gradient[i]);
    });
  }

  template <class Target>
  void expand(view x, const Target& target, numbers& remainders, mutable_view slope) {
    expansion_.remainder(loss_, x, target, g(), std::as_const(displacement_).view(), remainders.view(),
                         slope);
  }

  // <D, G>, from the samples' inner products.
  [[nodiscard]] double first_order_term(double length) {
    return length * (total(gradient_squares_) + total(gradient_adjustments_));
  }

  // Turns the samples' remainders into the changes of their losses. G carries 1/n: a sample's own gradient is n G_j.
  void subtract_first_order(double length, bool adjusted, numbers& remainders) {
    const double scale = length * static_cast<double>(remainders.columns());
    backend_.for_each(remainders.columns(), [=, to = remainders.data(), gg = gradient_squares_.data(),
                                             ga = gradient_adjustments_.data()] GAL_HOST_DEVICE(index j) {
      to[j] -= scale * (adjusted ? gg[j] + ga[j] : gg[j]);
    });
  }

  // Gradient of the objective with respect to A, to h, and to the adjuster's weights. With slope = G - grad L(X - D):
  //   d|R|/dA = sign(R) length (kappa G - grad L(X - D)),   dLt/dA = -length grad L(X - D).
  void differentiate_objective(view x, double length, double remainder) {
    const bool fits_remainder = options_.objective == objective::remainder;
    const double sign = remainder > 0.0 ? 1.0 : (remainder < 0.0 ? -1.0 : remainder);  // keeps NaN
    const T scale = static_cast<T>(fits_remainder ? sign * length : length);
    const T weight = static_cast<T>((fits_remainder ? first_order_weight(x) : 0.0) - 1.0);
    backend_.for_each(x.size(), [=, to = slope_.data(), gradient = gradient_.data()] GAL_HOST_DEVICE(
                                    index i) { to[i] = scale * (to[i] + weight * gradient[i]); });
    map_.backward(g(), slope_.view());
    clear_gradients(adjuster_parameters_);
    adjuster_->backward(std::as_const(slope_).view());
  }

  // The safeguard: which samples' gradients are adjusted, as 1 or 0.
  void decide(step_report& report) {
    const gal::safeguard rule = options_.safeguard;
    const bool to_vanilla = rule == safeguard::not_worse_than_vanilla;
    const auto passes = [=] GAL_HOST_DEVICE(double change, double vanilla_change) {
      return rule == safeguard::always || (rule == safeguard::better && change < 0.0) ||
             (rule == safeguard::not_worse && change <= 0.0) || (to_vanilla && change <= vanilla_change);
    };
    if (options_.decision == decision::per_sample) {
      backend_.for_each(accepted_.columns(), [=, to = accepted_.data(), change = changes_.data(),
                                              vanilla = vanilla_changes_.data()] GAL_HOST_DEVICE(index j) {
        to[j] = passes(change[j], to_vanilla ? vanilla[j] : 0.0) ? 1.0 : 0.0;
      });
    } else {
      accepted_.fill(passes(mean(changes_), to_vanilla ? mean(vanilla_changes_) : 0.0) ? 1.0 : 0.0);
    }
    report.accepted_share = mean(accepted_);
    report.accepted = report.accepted_share > 0.0;
  }

  // Norms of G and A, and the cosine of their angle.
  void describe(step_report& report) {
    column_products(backend_, a(), a(), adjustment_squares_);
    report.gradient_norm = std::sqrt(total(gradient_squares_));
    report.adjustment_norm = std::sqrt(total(adjustment_squares_));
    const double norms = report.gradient_norm * report.adjustment_norm;
    report.cosine = norms == 0.0 ? 0.0 : total(gradient_adjustments_) / norms;
  }

  // The gradient for the model, in a copy of its own feature type: G + A where accepted, else G.
  void choose(const feature_type& features) {
    if (!chosen_ || view(*chosen_).shape() != gradient_.shape()) {
      chosen_ = features;
    }
    const mutable_view to(*chosen_);
    detail::require(
        to.data() != view(features).data(), error_code::invalid_option,
        "gal::adjust: a copy of the model's feature_type shares its memory; expected a type that owns it");
    backend_.for_each(
        to.rows(), to.columns(),
        [=, gradient = g(), adjustment = a(), accepted = accepted_.data()] GAL_HOST_DEVICE(index i, index j) {
          to(i, j) = accepted[j] > 0.0 ? gradient(i, j) + adjustment(i, j) : gradient(i, j);
        });
  }

  // The adjuster's step: by a companion of the model's optimizer (paper), or by its own Adam. A non-finite gradient,
  // as from a tentative loss that overflowed, teaches nothing.
  void step_adjuster(double learning_rate) {
    if (!acceptable(adjuster_parameters_)) {
      return;
    }
    if (companion_) {
      if constexpr (requires { companion_->set_base_learning_rate(learning_rate); }) {
        companion_->set_base_learning_rate(learning_rate);
      }
      companion_->step(adjuster_span());
    } else {
      adjuster_adam_.step(adjuster_span());
    }
  }

  // Whether a loss or gradients let the step go on: finite, or ignored.
  [[nodiscard]] bool acceptable(double loss) const {
    return options_.non_finite == non_finite_policy::ignore || std::isfinite(loss);
  }
  // Squares beyond the scalar's range would make the optimizer's moments infinite, and keep them so.
  [[nodiscard]] bool acceptable(const parameters_type& parameters) {
    return options_.non_finite == non_finite_policy::ignore ||
           squared_norm(parameters) <= static_cast<double>(std::numeric_limits<T>::max());
  }

  // Ends a step that changes nothing.
  step_report refuse(step_report& report, std::string_view what) {
    report.non_finite = true;
    report.accepted = false;
    report.accepted_share = 0.0;
    detail::require(options_.non_finite != non_finite_policy::raise, error_code::non_finite,
                    "gal::adjust::step: ", what, " (loss ", report.loss, ", learning rate ",
                    report.learning_rate, "); nothing was changed");
    return report;
  }

  // What a refused step takes back: the noise drawn, and the adjuster's steps but the last, which comes after the check.
  void remember_adjuster() {
    if constexpr (draws_noise) {
      noise_before_ = adjuster_->noise();
    }
    if (steps_ahead()) {
      if (!companion_) {
        adjuster_adam_.reserve(adjuster_span());
      } else if constexpr (requires { companion_->reserve(adjuster_span()); }) {
        companion_->reserve(adjuster_span());
      }
      values_before_.resize(detail::number_of_values(adjuster_span()), 1);
      T* to = values_before_.data();
      for (const auto& block : adjuster_parameters_) {
        backend_.copy(block.value.data(), to, static_cast<index>(block.value.size()));
        to += block.value.size();
      }
      adam_before_ = adjuster_adam_;
      companion_before_ = companion_;
    }
  }

  void restore_adjuster() {
    if constexpr (draws_noise) {
      adjuster_->set_noise(noise_before_);
    }
    if (steps_ahead()) {
      const T* from = values_before_.data();
      for (const auto& block : adjuster_parameters_) {
        backend_.copy(from, block.value.data(), static_cast<index>(block.value.size()));
        from += block.value.size();
      }
      adjuster_adam_ = adam_before_;
      companion_ = companion_before_;
    }
  }

  [[nodiscard]] bool steps_ahead() const {
    return options_.adjuster_steps > 1 && trains() && options_.non_finite != non_finite_policy::ignore;
  }

  // The owner's parameters as a list that keeps its memory.
  template <class Owner>
  static const parameters_type& collect(Owner& owner, parameters_type& list) {
    list.clear();
    for (auto&& block : owner.parameters()) {
      list.push_back(parameter_type(block));
    }
    return list;
  }

  void clear_gradients(const parameters_type& parameters) {
    for (const auto& block : parameters) {
      backend_.fill(block.gradient.data(), static_cast<index>(block.gradient.size()), T(0));
    }
  }

  [[nodiscard]] double squared_norm(const parameters_type& parameters) {
    double result = 0.0;
    for (const auto& block : parameters) {
      backend_.sum(
          static_cast<index>(block.gradient.size()),
          [from = block.gradient.data()] GAL_HOST_DEVICE(index i) {
            return static_cast<double>(from[i]) * static_cast<double>(from[i]);
          },
          number_.data());
      result += backend_.read(number_.data());
    }
    return result;
  }

  [[nodiscard]] double total(const numbers& row) {
    backend_.sum(
        row.size(), [from = row.data()] GAL_HOST_DEVICE(index j) { return from[j]; }, number_.data());
    return backend_.read(number_.data());
  }

  [[nodiscard]] double mean(const numbers& row) { return total(row) / static_cast<double>(row.size()); }

  // The adjuster's copy of the model's optimizer; Adam only stands in where that cannot be copied.
  using companion_type = std::conditional_t<std::copyable<Optimizer>, Optimizer, adam<T, backend_type>>;
  static constexpr bool draws_noise = requires(adjuster_type & h) { h.set_noise(h.noise()); };

  Model* model_;
  Optimizer* optimizer_;
  Loss loss_;
  adjust_options options_;
  backend_type backend_;

  std::optional<adjuster_type> adjuster_;
  adjustment_map<T, backend_type> map_;
  expansion<T, backend_type> expansion_;
  adam<T, backend_type> adjuster_adam_;
  std::optional<companion_type> companion_;

  storage gradient_;        // G
  storage adjustment_;      // A
  storage displacement_;    // D
  storage slope_;           // G - grad L(X - D), then gradients of the objective
  storage adjuster_input_;  // features above gradients
  std::optional<feature_type> chosen_;
  numbers losses_;   // one per sample, as all rows below
  numbers changes_;  // remainders, then changes of the loss at the tentative point
  numbers vanilla_changes_;
  numbers accepted_;
  numbers gradient_squares_;      // <G_j, G_j>
  numbers gradient_adjustments_;  // <G_j, A_j>
  numbers adjustment_squares_;    // <A_j, A_j>
  numbers number_{1, 1};          // where a sum lands
  parameters_type parameters_;
  parameters_type adjuster_parameters_;

  random_stream noise_before_;
  storage values_before_;
  adam<T, backend_type> adam_before_ = adjuster_adam_;
  std::optional<companion_type> companion_before_;
};

template <class Model, class Optimizer, class Loss, class Adjuster>
  requires adjuster_for < Adjuster, model_scalar<Model>,
typename backend_of<Model>::memory_type >
    adjust(Model&, Optimizer&, Loss, adjust_options, Adjuster)->adjust<Model, Optimizer, Loss, Adjuster>;

}  // namespace gal

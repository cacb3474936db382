// gal/train/adjust.hpp: gradient adjustment learning, the algorithm.
// Provides: adjust. Includes gal/train/adjust_options.hpp, gal/train/adjust_report.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/optim/optimizers.hpp>
#include <gal/taylor/expansion.hpp>
#include <gal/train/adjust_options.hpp>
#include <gal/train/adjust_report.hpp>
#include <gal/train/adjuster.hpp>
#include <gal/train/adjustment_map.hpp>
#include <gal/train/detail/adjuster_learner.hpp>
#include <gal/train/detail/step_frame.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// Trains `Model` with `Optimizer` on `Loss` by gradient adjustment learning. Model and optimizer are referred to and
/// must outlive the trainer; the loss and the options are copied.
///
///     gal::adjust trainer(model, optimizer, gal::mse{}, {.epsilon = 1.0, .hidden = {16, 4}});
///     gal::adjust_report report = trainer.step(x, y);
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
  /// Works on the model's own backend, or on the one that is given.
  adjust(Model& model, Optimizer& optimizer, Loss loss, adjust_options options = {})
    requires std::is_void_v<Adjuster>
      : adjust(model, optimizer, std::move(loss), std::move(options), std::nullopt,
               detail::backend_from<backend_type>(model)) {}
  adjust(Model& model, Optimizer& optimizer, Loss loss, adjust_options options, backend_type backend)
    requires std::is_void_v<Adjuster>
      : adjust(model, optimizer, std::move(loss), std::move(options), std::nullopt, std::move(backend)) {}

  /// With an adjuster of one's own.
  adjust(Model& model, Optimizer& optimizer, Loss loss, adjust_options options, adjuster_type adjuster)
      : adjust(model, optimizer, std::move(loss), std::move(options), std::optional(std::move(adjuster)),
               detail::backend_from<backend_type>(model)) {}
  adjust(Model& model, Optimizer& optimizer, Loss loss, adjust_options options, adjuster_type adjuster,
         backend_type backend)
      : adjust(model, optimizer, std::move(loss), std::move(options), std::optional(std::move(adjuster)),
               std::move(backend)) {}

  using report_type = adjust_report;
  /// What `step` returns: the report or, where the backend would have to be waited for, what it can be had from.
  using pending_type =
      std::conditional_t<asynchronous_backend<backend_type>, pending_report<adjust>, adjust_report>;

  /// One training step on a batch: `input` as the model takes it, `target` as the loss does, a sample per column.
  /// Throws `gal::error` for shapes that do not fit, empty batches and labels out of range, before anything changes.
  template <class Input, class Target>
  pending_type step(const Input& input, const Target& target) {
    static_assert(std::convertible_to<const Input&, const input_type&>,
                  "gal::adjust::step: the input does not convert to the model's `input_type`.");
    static_assert(detail::explain_loss<Loss, value_type, backend_type, Target>());
    static_assert(!detail::loss_with_parameters<Loss, value_type, memory_type>,
                  "gal::adjust: the loss has parameters(), which no step trains; expected them in the model, "
                  "whose features then come behind them.");

    // Features X, loss L and its gradient G.
    const input_type& batch = input;  // a converted input lives until the model's backward pass
    const feature_type& features = frame_.forward(batch);
    const view x(features);
    prepare(x);
    frame_.evaluate(x, target, gradient_.view());
    if (frame_.refused()) {
      return refuse("the loss is not finite");
    }

    const double length = step_length(x);
    column_products(backend_, g(), g(), squares_);
    total(squares_, &numbers()->gradient_square);
    if (options_.safeguard == safeguard::not_worse_than_vanilla || options_.report_vanilla) {
      displace(length, false);
      expand(x, target, vanilla_changes_, {});
      subtract_first_order(length, false, vanilla_changes_);
      total(vanilla_changes_, &numbers()->vanilla_change);
    }

    // Adjustment A = h(X), tentative step D along G + A, remainder R; then the adjuster learns from it.
    learner_.remember(*adjuster_);
    for (int k = 1;; ++k) {
      const view h = propose(x);
      map_.forward(h, g(), adjustment_.view());
      column_products(backend_, g(), a(), products_);
      total(products_, &numbers()->gradient_adjustment);
      displace(length, true);
      expand(x, target, changes_, learner_.learns() ? slope_.view() : mutable_view());
      total(changes_, &numbers()->change);
      find_remainder(x, length);
      if (!learner_.learns()) {
        break;
      }
      differentiate_objective(x);
      if (k == options_.adjuster_steps) {
        break;
      }
      learner_.step(*adjuster_, frame_.learning_rate(), nullptr, &numbers()->learns);
    }

    // Lt - L = R - <D, G>, sample by sample, where both terms are small and nothing cancels; then the safeguard.
    subtract_first_order(length, true, changes_);
    total(changes_, &numbers()->change);
    column_products(backend_, a(), a(), squares_);
    total(squares_, &numbers()->adjustment_square);
    decide();

    // The gradient that was chosen goes through the model; model and adjuster step.
    choose(features);
    frame_.backward(*chosen_);
    if (frame_.refused()) {
      learner_.restore(*adjuster_, &numbers()->proceeds);
      return refuse("a parameter's gradient is not finite, or too large to be squared");
    }
    learner_.restore_unless(&numbers()->proceeds);
    frame_.update();
    if (learner_.learns()) {
      learner_.step(*adjuster_, frame_.learning_rate(), &numbers()->proceeds, &numbers()->learns);
    }
    return result();
  }

  /// One step of a model without input on a loss without targets, such as `nn::point`.
  pending_type step()
    requires std::same_as<input_type, nothing>
  {
    return step(nothing{}, nothing{});
  }

  /// The mean loss of a batch, of which nothing is learned; waits for it where the backend is asynchronous. The model is
  /// asked for its features, in the mode that it is in.
  template <class Input, class Target>
  [[nodiscard]] batch_loss evaluate(const Input& input, const Target& target) {
    return frame_.evaluate_only(input, target);
  }

  /// What the last step did; waits for it where the backend is asynchronous. NaN before the first step.
  [[nodiscard]] adjust_report report() const {
    const index_type samples = frame_.losses().size();
    return detail::report_of(frame_.read(), static_cast<double>(samples), samples, frame_.learning_rate());
  }

  /// Steps taken or refused.
  [[nodiscard]] std::int64_t steps() const { return frame_.steps(); }

  [[nodiscard]] const backend_type& backend() const { return frame_.backend(); }

  [[nodiscard]] Model& model() { return frame_.model(); }
  [[nodiscard]] Optimizer& optimizer() { return frame_.optimizer(); }
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
  [[nodiscard]] auto last_sample_losses() const { return frame_.losses(); }

  /// Throws where a recorded step, replayed, would not do what a new one does: noise would repeat itself, and a policy
  /// that throws, or an optimizer that cannot be told by the device to keep still, has to wait for the device.
  void check_repeatable() const {
    frame_.check_repeatable();
    const adjuster_kind kind = options_.adjuster.kind;
    detail::require(
        kind != adjuster_kind::uniform && kind != adjuster_kind::normal && std::is_void_v<Adjuster>,
        error_code::invalid_option,
        "gal::adjust: the adjuster draws noise, or is not the library's; expected what a recorded step can "
        "repeat");
  }

  /// Counts a step that the device took without the host.
  void count_replayed_step() { frame_.count_replayed_step(); }

  /// The state of model, optimizer, adjuster and the adjuster's optimizer: after loading it training goes on as it would
  /// have. A trainer that has not stepped yet builds the adjuster that is loaded.
  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit("options", options_);
    frame_.visit_state(visit);
    if constexpr (std::is_void_v<Adjuster>) {
      const index_type rows = visit.count("features", adjusted_rows_);
      if (!adjuster_ && rows > 0) {
        // It is the trainer's once everything is loaded.
        const auto loaded = std::make_shared<adjuster_type>(new_adjuster(rows));
        visit.after_loading([this, loaded, rows] {
          adjuster_.emplace(std::move(*loaded));
          adjusted_rows_ = rows;
        });
        learner_.visit_state(visit, *loaded);
      }
    }
    if (adjuster_) {
      learner_.visit_state(visit, *adjuster_);
    }
    frame_.visit_steps(visit);
  }

  GAL_PRIVATE_KERNELS
  using T = value_type;
  using view = matrix_view<const T, memory_type>;
  using mutable_view = matrix_view<T, memory_type>;
  using storage = matrix<T, backend_type>;
  using numbers_type = matrix<double, backend_type>;

  adjust(Model& model, Optimizer& optimizer, Loss loss, adjust_options options,
         std::optional<adjuster_type> adjuster, backend_type backend)
      : options_(detail::validated(std::move(options))),
        frame_("gal::adjust", model, optimizer, std::move(loss), options_.non_finite, backend),
        backend_(backend),
        adjuster_(std::move(adjuster)),
        map_(options_.normalisation, options_.epsilon, options_.remove_mean, backend),
        expansion_(backend),
        learner_(options_, optimizer, backend) {
    for (storage* part : {&gradient_, &adjustment_, &displacement_, &slope_, &adjuster_input_}) {
      *part = storage(backend_);
    }
    for (numbers_type* row : {&changes_, &vanilla_changes_, &accepted_, &squares_, &products_}) {
      *row = numbers_type(backend_);
    }
  }

  [[nodiscard]] view g() const { return gradient_.view(); }
  [[nodiscard]] view a() const { return adjustment_.view(); }
  [[nodiscard]] detail::adjust_numbers* numbers() { return frame_.numbers(); }

  // Sizes the workspace for a batch, and builds the adjuster at the first one.
  void prepare(view x) {
    for (storage* part : {&gradient_, &adjustment_, &displacement_, &slope_}) {
      part->resize(x.rows(), x.columns());
    }
    for (numbers_type* row : {&changes_, &vanilla_changes_, &accepted_}) {
      row->resize(1, x.columns());
    }
    if constexpr (std::is_void_v<Adjuster>) {
      if (!adjuster_) {
        adjuster_.emplace(new_adjuster(x.rows()));
        adjusted_rows_ = x.rows();
      }
    }
    learner_.collect(*adjuster_);
  }

  [[nodiscard]] adjuster_type new_adjuster(index_type rows) const
    requires std::is_void_v<Adjuster>
  {
    std::vector<index_type> widths(options_.hidden);
    widths.insert(widths.begin(), sees_gradients() ? 2 * rows : rows);
    widths.push_back(rows);
    return adjuster_type(std::move(widths), options_.adjuster, backend_);
  }

  [[nodiscard]] bool sees_gradients() const {
    return options_.input == adjuster_input::features_and_gradients;
  }

  // eta tau, and n where every sample steps along its own gradient: D = length (G + A).
  [[nodiscard]] double step_length(view x) const {
    const bool own = options_.tentative_step == tentative_step::sample_gradients;
    return frame_.learning_rate() * options_.tau * (own ? static_cast<double>(x.columns()) : 1.0);
  }

  // kappa, the weight of <D, G> in the remainder.
  [[nodiscard]] double first_order_weight(view x) const {
    return detail::first_order_weight(options_.remainder, x.rows(), x.columns());
  }

  // h of the features, or of the features above the samples' own gradients. An infinite feature, such as the logit of a
  // class that is masked out, is shown as zero: a network would make NaN of it.
  view propose(view x) {
    const bool with_gradients = sees_gradients();
    const index_type rows = x.rows();
    adjuster_input_.resize(with_gradients ? 2 * rows : rows, x.columns());
    backend_.for_each(rows, x.columns(),
                      [=, to = adjuster_input_.view(), from = g(),
                       samples = static_cast<T>(x.columns())] GAL_KERNEL(index_type i, index_type j) {
                        to(i, j) = detail::is_infinite(x(i, j)) ? T(0) : x(i, j);
                        if (with_gradients) {
                          to(rows + i, j) = samples * from(i, j);
                        }
                      });
    const view h(adjuster_->forward(std::as_const(adjuster_input_).view()));
    detail::require(h.shape() == x.shape(), error_code::shape_mismatch, "gal::adjust: the adjuster returned ",
                    h.shape(), "; expected the features' size ", x.shape());
    return h;
  }

  // D = length (G + A), or length G.
  void displace(double length, bool adjusted) {
    const T scale = static_cast<T>(length);
    backend_.for_each(gradient_.size(), [=, to = displacement_.data(), gradient = gradient_.data(),
                                         adjustment = adjustment_.data()] GAL_KERNEL(index_type i) {
      to[i] = scale * (adjusted ? gradient[i] + adjustment[i] : gradient[i]);
    });
  }

  template <class Target>
  void expand(view x, const Target& target, numbers_type& remainders, mutable_view slope) {
    expansion_.remainder(frame_.loss(), x, target, g(), std::as_const(displacement_).view(),
                         remainders.view(), slope);
  }

  // R, of the samples' sum and the weight of <D, G>, and the factor of the objective's gradient.
  void find_remainder(view x, double length) {
    const bool fits_remainder = options_.objective == objective::remainder;
    backend_.for_each(1, [=, at = numbers(), samples = static_cast<double>(x.columns()),
                          weight = first_order_weight(x) - 1.0] GAL_KERNEL(index_type) {
      const double first_order = length * (at->gradient_square + at->gradient_adjustment);
      const double remainder = at->change / samples + weight * first_order;
      const double sign = remainder > 0.0 ? 1.0 : (remainder < 0.0 ? -1.0 : remainder);  // keeps NaN
      at->remainder = remainder;
      at->objective_scale = fits_remainder ? sign * length : length;
    });
  }

  // Turns the samples' remainders into the changes of their losses. G carries 1/n: a sample's own gradient is n G_j.
  void subtract_first_order(double length, bool adjusted, numbers_type& remainders) {
    const double scale = length * static_cast<double>(remainders.columns());
    backend_.for_each(remainders.columns(),
                      [=, to = remainders.data(), gg = squares_.data(), ga = products_.data()] GAL_KERNEL(
                          index_type j) { to[j] -= scale * (adjusted ? gg[j] + ga[j] : gg[j]); });
  }

  // Gradient of the objective with respect to A, to h, and to the adjuster's weights. With slope = G - grad L(X - D):
  //   d|R|/dA = sign(R) length (kappa G - grad L(X - D)),   dLt/dA = -length grad L(X - D).
  void differentiate_objective(view x) {
    const T weight =
        static_cast<T>((options_.objective == objective::remainder ? first_order_weight(x) : 0.0) - 1.0);
    backend_.for_each(x.size(), [=, scale = detail::deferred(backend_, &numbers()->objective_scale),
                                 to = slope_.data(), gradient = gradient_.data()] GAL_KERNEL(index_type i) {
      to[i] = static_cast<T>(scale()) * (to[i] + weight * gradient[i]);
    });
    map_.backward(g(), slope_.view());
    learner_.clear_gradients(*adjuster_);
    adjuster_->backward(std::as_const(slope_).view());
  }

  // The safeguard: which samples' gradients are adjusted, as 1 or 0.
  void decide() {
    const gal::safeguard rule = options_.safeguard;
    const bool to_vanilla = rule == safeguard::not_worse_than_vanilla;
    const auto passes = [=] GAL_KERNEL(double change, double vanilla_change) {
      return rule == safeguard::always || (rule == safeguard::better && change < 0.0) ||
             (rule == safeguard::not_worse && change <= 0.0) || (to_vanilla && change <= vanilla_change);
    };
    if (options_.decision == decision::per_sample) {
      backend_.for_each(accepted_.columns(), [=, to = accepted_.data(), change = changes_.data(),
                                              vanilla = vanilla_changes_.data()] GAL_KERNEL(index_type j) {
        to[j] = passes(change[j], to_vanilla ? vanilla[j] : 0.0) ? 1.0 : 0.0;
      });
    } else {
      backend_.for_each(
          accepted_.columns(),
          [=, to = accepted_.data(), change = detail::deferred(backend_, &numbers()->change),
           vanilla = detail::deferred(backend_, &numbers()->vanilla_change)] GAL_KERNEL(index_type j) {
            to[j] = passes(change(), vanilla()) ? 1.0 : 0.0;
          });
    }
    total(accepted_, &numbers()->accepted);
  }

  // The gradient for the model, in a copy of its own feature type: G + A where accepted, else G. An infinite feature stays
  // where it is, whatever A says.
  void choose(const feature_type& features) {
    const mutable_view to = frame_.gradient_memory(features, chosen_);
    backend_.for_each(to.rows(), to.columns(),
                      [=, x = view(features), gradient = g(), adjustment = a(),
                       accepted = accepted_.data()] GAL_KERNEL(index_type i, index_type j) {
                        const bool adjusted = accepted[j] > 0.0 && !detail::is_infinite(x(i, j));
                        to(i, j) = adjusted ? gradient(i, j) + adjustment(i, j) : gradient(i, j);
                      });
  }

  // Ends a step that changes nothing.
  pending_type refuse(std::string_view what) {
    frame_.refuse(what);
    return result();
  }

  pending_type result() const {
    if constexpr (asynchronous_backend<backend_type>) {
      return pending_type(*this);
    } else {
      return report();
    }
  }

  void total(const numbers_type& row, double* result) { frame_.total(row.view(), result); }

  adjust_options options_;
  detail::step_frame<Model, Optimizer, Loss, detail::adjust_numbers> frame_;
  backend_type backend_;

  std::optional<adjuster_type> adjuster_;
  index_type adjusted_rows_ = 0;  // features that the trainer's own adjuster was built for
  adjustment_map<T, backend_type> map_;
  expansion<T, backend_type> expansion_;
  detail::adjuster_learner<adjuster_type, Optimizer, T, backend_type> learner_;

  storage gradient_;        // G
  storage adjustment_;      // A
  storage displacement_;    // D
  storage slope_;           // G - grad L(X - D), then gradients of the objective
  storage adjuster_input_;  // features, or features above gradients
  std::optional<feature_type> chosen_;
  numbers_type changes_;  // one per sample, as all rows below: remainders, then changes of the loss at X - D
  numbers_type vanilla_changes_;
  numbers_type accepted_;
  numbers_type squares_;   // <G_j, G_j>; at the end <A_j, A_j>
  numbers_type products_;  // <G_j, A_j>
};

// What is no backend is meant as an adjuster; the class says what it misses.
template <class Model, class Optimizer, class Loss, class Adjuster>
  requires(!std::convertible_to<Adjuster, backend_of<Model>>)
adjust(Model&, Optimizer&, Loss, adjust_options, Adjuster) -> adjust<Model, Optimizer, Loss, Adjuster>;

template <class Model, class Optimizer, class Loss, class Adjuster>
adjust(Model&, Optimizer&, Loss, adjust_options, Adjuster, backend_of<Model>)
    -> adjust<Model, Optimizer, Loss, Adjuster>;

}  // namespace gal

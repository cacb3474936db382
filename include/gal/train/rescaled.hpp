// gal/train/rescaled.hpp: an optimizer's steps, as long as slope and curvature along them say.
// Provides: rescaled. Includes gal/train/rescaled_options.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/core/detail/math.hpp>
#include <gal/core/tangents.hpp>
#include <gal/taylor/directional_expansion.hpp>
#include <gal/taylor/parameter_remainder.hpp>
#include <gal/train/detail/trainer_base.hpp>
#include <gal/train/rescaled_options.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

namespace gal::inline GAL_ABI {

namespace detail {

// What the expansion says, and what u is multiplied with.
template <class Backend>
void find_multiplier(const Backend& backend, const rescaled_options& options, double factor,
                     const directional_derivatives* from, double* mean, rescaled_numbers* at) {
  backend.for_each(1, [=, kind = options.curvature, kept = options.averaging,
                       largest = options.largest] GAL_KERNEL(index_type) {
    if (at->proceeds == 0.0) {
      return;
    }
    at->slope = from->first;
    at->gauss_newton = from->gauss_newton;
    at->second = from->second;
    set_multiplier(kind, kept, factor, largest, mean, at);
  });
}

// theta - multiplier u, where the multiplier is positive.
template <class T, class Backend>
void move_against(const Backend& backend, const double* multiplier, std::span<const T> u,
                  std::span<T> value) {
  const auto times = deferred(backend, multiplier);
  backend.for_each(static_cast<index_type>(value.size()),
                   [times, to = value.data(), along = u.data()] GAL_KERNEL(index_type i) {
                     if (times() > 0.0) {
                       to[i] = without_denormals(static_cast<T>(static_cast<double>(to[i]) -
                                                                times() * static_cast<double>(along[i])));
                     }
                   });
}

}  // namespace detail

/// Trains `Model` with the directions of `Optimizer` on `Loss`: the optimizer proposes a step u, from theta to theta - u, and
///
///     n = <g, u>       d = abs(u^T H u), the Gauss-Newton curvature, the larger, or abs(2 R)      on the same batch
///     m_n = averaging m_n + (1 - averaging) n,    m_d likewise
///     theta = theta - factor (m_n / m_d) u
///
/// after curvature-rescaled learning rates (arXiv 2210.14520, its abstract; the averages, `larger` and `remainder` are our
/// own), with R = L(theta - u) - L(theta) + <g, u>. The optimizer's learning rate cancels: it may be any number whose steps
/// are finite, but for `remainder`, which wants steps on which the loss is nearly a parabola. Its state goes on as in its own
/// step.
/// Where m_n or m_d is not positive, or n or d not finite, the parameters stay. A batch with a loss or gradient that is not
/// finite changes nothing at all (`non_finite`).
///
///     gal::adam<float> optimizer;
///     gal::rescaled trainer(model, optimizer, gal::mse());
///     gal::rescaled_report report = trainer.step(x, y);
///
/// Model and optimizer are referred to and must outlive the trainer; loss and options are copied. An optimizer with
/// `propose(parameters, changes)`, as the library's first-order methods have it, keeps the digits of steps that are much
/// smaller than the parameters; of any other u is the difference of the parameters before and after its step. Not for
/// `lookahead`, whose slow weights would start anew with every step. What the engine needs of the model, and what it does
/// without, is told at `directional_expansion`. After the first step of the largest batch a step allocates nothing (given a
/// model that does not).
template <class Model, class Optimizer, class Loss>
  requires detail::checked_model<Model> && detail::checked_optimizer<Optimizer, Model>
class rescaled : public detail::trainer_base<rescaled<Model, Optimizer, Loss>, Model, Optimizer, Loss,
                                             detail::rescaled_numbers> {
  using base = typename rescaled::trainer_base;
  using base::frame_;

 public:
  using typename base::backend_type;
  using typename base::feature_type;
  using typename base::input_type;
  using typename base::mutable_view;
  using typename base::pending_type;
  using typename base::value_type;
  using typename base::view;

  /// Works on the model's own backend, or on the one that is given. Throws where an option is outside its range.
  rescaled(Model& model, Optimizer& optimizer, Loss loss, rescaled_options options = {})
      : rescaled(model, optimizer, std::move(loss), std::move(options),
                 detail::backend_from<backend_type>(model)) {}
  rescaled(Model& model, Optimizer& optimizer, Loss loss, rescaled_options options, backend_type backend)
      : base("gal::rescaled", model, optimizer, std::move(loss), options.non_finite, backend),
        options_(detail::validated(std::move(options))),
        along_(model, backend),
        remainder_(model, backend),
        proposal_(backend),
        averages_(1, 2, 0.0, backend) {}

  /// One training step on a batch: `input` as the model takes it, `target` as the loss does, a sample per column.
  /// Throws `gal::error` for shapes that do not fit, empty batches and labels out of range, before anything changes.
  template <class Input, class Target>
  pending_type step(const Input& input, const Target& target) {
    static_assert(std::convertible_to<const Input&, const input_type&>,
                  "gal::rescaled::step: the input does not convert to the model's `input_type`.");
    static_assert(detail::explain_loss<Loss, value_type, backend_type, Target>());

    const input_type& batch = input;  // a converted input lives until the last pass
    prepare();
    const feature_type& features = frame_.forward(batch);
    const mutable_view gradient = frame_.gradient_memory(features, gradient_);
    frame_.evaluate(view(features), target, gradient);
    if (frame_.refused()) {
      return this->refuse("the loss is not finite");
    }
    detail::inner_product(frame_.backend(), gradient.as_const(), gradient.as_const(),
                          &frame_.numbers()->gradient_square);
    frame_.backward(*gradient_);
    if (frame_.refused()) {
      return this->refuse("a parameter's gradient is not finite, or too large to be squared");
    }

    proposal_.resize(frame_.parameters());
    const double factor = options_.factor * options_.schedule.factor(frame_.steps() - 1);
    frame_.propose(proposal_.data());
    detail::find_multiplier(frame_.backend(), options_, factor, differentiate(batch, view(features), target),
                            averages_.data(), frame_.numbers());
    for (std::size_t k = 0; k < proposal_.blocks().size(); ++k) {
      detail::move_against(frame_.backend(), &std::as_const(*frame_.numbers()).multiplier,
                           proposal_.blocks()[k], frame_.parameters()[k].value);
    }
    return this->result();
  }
  using base::step;

  [[nodiscard]] const rescaled_options& options() const { return options_; }

  /// Of the last step: the gradient G of the loss with respect to the features (`d x n`), and u, the step that the optimizer
  /// proposed.
  [[nodiscard]] view last_gradient() const { return gradient_ ? view(*gradient_) : view(); }
  [[nodiscard]] parameter_direction<value_type> last_proposal() const { return proposal_.blocks(); }

  /// Throws where a recorded step, replayed, would not do what a new one does.
  void check_repeatable() const {
    frame_.check_repeatable();
    detail::require(
        options_.schedule == gal::schedule(), error_code::invalid_option,
        "gal::rescaled: the factor has a schedule; expected none, for a recorded step would repeat "
        "one factor");
  }

  /// The state of model and optimizer, and the averages: after loading it training goes on as it would have.
  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit("options", options_);
    visit("schedule", options_.schedule);
    frame_.visit_state(visit);
    visit("averages", averages_);
    frame_.visit_steps(visit);
  }

 private:
  [[nodiscard]] bool by_remainder() const { return options_.curvature == curvature_kind::remainder; }
  [[nodiscard]] expansion_order order() const {
    if (options_.curvature == curvature_kind::gauss_newton) {
      return expansion_order::gauss_newton;
    }
    return options_.pass == curvature_pass::adjoints ? expansion_order::adjoint_second
                                                     : expansion_order::second;
  }

  // What the model has to be, and what it has to keep.
  void prepare() {
    if (by_remainder()) {
      remainder_.require_no_noise();
      return;
    }
    if constexpr (adjoint_model<Model>) {
      if (order() == expansion_order::adjoint_second) {
        frame_.model().keep_adjoints(true);  // at every step: somebody else may have switched it off
      }
    }
  }

  // Slope and curvature along u; the parameters are at theta before and after.
  template <class Target>
  const directional_derivatives* differentiate(const input_type& batch, view features, const Target& target) {
    if (by_remainder()) {
      remainder_.expand_at(frame_.loss(), batch, features, target, view(*gradient_), proposal_.blocks());
      return remainder_.numbers();
    }
    along_.expand_at(frame_.loss(), batch, features, target, view(*gradient_), proposal_.blocks(), order());
    return along_.numbers();
  }

  rescaled_options options_;
  std::optional<feature_type> gradient_;  // G, in the model's own type
  directional_expansion<Model> along_;
  parameter_remainder<Model> remainder_;
  parameter_vector<value_type, backend_type> proposal_;  // u
  matrix<double, backend_type> averages_;                // m_n and m_d
};

}  // namespace gal

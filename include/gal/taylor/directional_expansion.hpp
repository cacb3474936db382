// gal/taylor/directional_expansion.hpp: what a batch's loss does along a direction of the parameters, to second order.
// Provides: directional_expansion, directional_derivatives, expansion_order. Includes gal/core/tangents.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/core/enumeration.hpp>
#include <gal/core/error.hpp>
#include <gal/core/tangents.hpp>
#include <gal/taylor/detail/feature_differences.hpp>
#include <gal/taylor/detail/loss_differences.hpp>

#include <array>
#include <concepts>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>

namespace gal::inline GAL_ABI {

/// Which derivatives along a direction, and the way to them. Some have two exact ways.
enum class expansion_order {
  first,          ///< X', the samples' l', and their mean: one forward tangent
  adjoint_first,  ///< the samples' l' and their mean, from what `backward` kept: a product a layer, no X'
  gauss_newton,   ///< also q, the samples' Gauss-Newton curvatures: no other pass
  second,         ///< also X'' and the samples' l'': the second-order forward pass
  adjoint_second,  ///< q, and the second derivative of the batch alone, from what `backward` kept: a product a layer
};
constexpr auto enumerator_names(expansion_order) {
  return std::to_array<std::string_view>(
      {"first", "adjoint_first", "gauss_newton", "second", "adjoint_second"});
}

/// The derivatives of a batch's mean loss along a direction; NaN where they were not asked for.
struct directional_derivatives {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();

  double first = none;         ///< <g, u>
  double gauss_newton = none;  ///< mean q: the second derivative without the features' own
  double second = none;        ///< u^T H u
};

namespace detail {
// An expansion itself, which is asked whether it is a model where one is made from another.
template <class X>
concept expands_a_model = requires(const X& x) {
  typename X::model_type;
  x.derivatives();
};
}  // namespace detail

namespace detail {

// to[j] += row[j].
template <class Memory, class Backend>
void add_row(const Backend& backend, matrix_view<const double, Memory> row, double* to) {
  backend.for_each(row.columns(), [to, from = row.data()] GAL_KERNEL(index_type j) { to[j] += from[j]; });
}

// values[j] *= factor.
template <class Backend>
void scale_by(const Backend& backend, double factor, index_type count, double* values) {
  backend.for_each(count, [values, factor] GAL_KERNEL(index_type j) { values[j] *= factor; });
}

// u^T H u of the Gauss-Newton curvature and the mean of <G, X''>.
template <class Backend>
void add_product(const Backend& backend, const double* product, directional_derivatives* numbers) {
  backend.for_each(
      1, [product, numbers] GAL_KERNEL(index_type) { numbers->second = numbers->gauss_newton + *product; });
}

}  // namespace detail

/// The expansion of a batch's loss along theta + s u, of the features X(s) and the samples' losses l_j(s) at s = 0:
///
///     l_j'  = <G_j, x_j'>               G_j the gradient of l_j with respect to its features x_j
///     l_j'' = q_j + <G_j, x_j''>        q_j = x_j'^T H_j x_j', H_j the matrix of second derivatives of l_j there
///
/// and their means over the batch, <g, u>, the Gauss-Newton curvature and u^T H u (Pearlmutter, 1994;
/// Schraudolph, 2002). Along a gradient V of other samples, l_j' is the inner product <grad l_j, V>.
///
///     gal::directional_expansion along(model);
///     along.expand(gal::mse(), x, y, u, gal::expansion_order::second);
///     along.derivatives().second;      // u^T H u
///     along.sample_first();            // l_j', 1 x n
///
/// Works with every model and loss. Exact, up to rounding, for a `tangent_model` (second order: a `second_order_model` or
/// `adjoint_model`) and a `second_order_loss_for`, such as the library's networks and all its losses; a ReLU on
/// its kink has the derivative of its flat side. Otherwise by central differences, of the features where the model
/// lacks a derivative (three more forward passes) and of the loss's gradient where the loss lacks q. Their error, relative to
/// derivatives of the order of 1 at parameters, features and directions of that order, is about e^(2/3) of the scalar's
/// epsilon e (4e-11 in double, 2e-5 in float) in X' of `first` and `gauss_newton` and in q, and e^(1/2) (1.5e-8, 3e-4) in X''
/// and in X' beside it; a kink between the points adds the size of its jump. A model that draws noise is then refused.
///
/// The model is referred to and must outlive this. After the first call for the largest batch nothing is allocated.
template <class Model>
  requires(!detail::expands_a_model<Model>) && detail::checked_model<Model>
class directional_expansion {
 public:
  using model_type = Model;
  using value_type = model_scalar<Model>;
  using backend_type = backend_of<Model>;
  using memory_type = typename backend_type::memory_type;
  using input_type = typename Model::input_type;
  using feature_type = typename Model::feature_type;
  using view = matrix_view<const value_type, memory_type>;
  using row = matrix_view<const double, memory_type>;
  using direction_type = parameter_direction<value_type>;
  static_assert(detail::explain_tangents<Model>());

  /// Works on the model's own backend, or on the one that is given.
  explicit directional_expansion(Model& model)
      : directional_expansion(model, detail::backend_from<backend_type>(model)) {}
  directional_expansion(Model& model, backend_type backend)
      : model_(&model),
        backend_(backend),
        losses_(backend),
        firsts_(backend),
        curvatures_(backend),
        seconds_(backend),
        product_(backend),
        numbers_(backend),
        model_differences_(backend),
        loss_differences_(backend) {}

  /// All of it for one batch: a forward pass, the loss, and the derivatives along `direction`. Where adjoints are asked for
  /// and the model can keep them also a backward pass, with all that it changes: it adds to the parameters' gradients. The
  /// model then goes on to keep adjoints. Throws where shapes do not fit.
  template <class Loss, class Input, class Target>
  void expand(Loss&& loss, const Input& input, const Target& target, direction_type direction,
              expansion_order order = expansion_order::second) {
    static_assert(std::convertible_to<const Input&, const input_type&>,
                  "gal::directional_expansion: the input does not convert to the model's `input_type`.");
    const input_type& batch = input;
    const bool by_adjoints = reads_adjoints(order);
    if constexpr (adjoint_model<Model>) {
      if (by_adjoints) {
        model_->keep_adjoints(true);
      }
    }
    const feature_type& features = model_->forward(batch);
    const view x(features);
    if (!gradient_ || view(*gradient_).shape() != x.shape()) {
      gradient_ = features;
    }
    losses_.resize(1, x.columns());
    loss.evaluate(backend_, x, target, losses_.view(), matrix_view<value_type, memory_type>(*gradient_));
    if (by_adjoints) {
      model_->backward(*gradient_);
    }
    expand_at(loss, batch, x, target, view(*gradient_), direction, order);
  }

  /// The same where the forward pass and the loss are done: `features` of the model's last `forward`, of `input`, and `gradient`,
  /// G of the mean loss. Where `reads_adjoints(order)`, `backward(G)` has to have come since, with `keep_adjoints(true)` before
  /// it: of a gradient that is not the loss's, it would be another number.
  template <class Loss, class Target>
  void expand_at(Loss&& loss, const input_type& input, view features, const Target& target, view gradient,
                 direction_type direction, expansion_order order) {
    using loss_type = std::remove_cvref_t<Loss>;
    static_assert(detail::explain_loss<loss_type, value_type, backend_type, Target>());
    static_assert(detail::explain_second_derivative<loss_type, value_type, backend_type, Target>());
    detail::require_enumerator(order, "gal::directional_expansion: order");
    features = expand_first(input, features, gradient, direction, order);
    if (order == expansion_order::first || order == expansion_order::adjoint_first) {
      return;
    }
    curvatures_.resize(1, features.columns());
    if constexpr (second_order_loss_for<loss_type, value_type, backend_type, Target>) {
      loss.second_derivative(backend_, features, target, features_first_, curvatures_.view());
    } else {
      loss_differences_.second_derivative(loss, features, target, features_first_, curvatures_.view());
    }
    mean(curvatures_, &numbers_.data()->gauss_newton);
    if (order == expansion_order::gauss_newton) {
      return;
    }
    if (!features_second_.empty()) {
      multiply(gradient, features_second_, static_cast<double>(features.columns()), seconds_);
      detail::add_row(backend_, curvatures_.view().as_const(), seconds_.data());
      mean(seconds_, &numbers_.data()->second);
    } else {
      detail::add_product(backend_, product_.data(), numbers_.data());
    }
  }

  /// Whether an expansion of this order reads what the model's `backward` has kept. Without a `sample_product_model`
  /// `adjoint_first` is `first`, without an `adjoint_model` `adjoint_second` is `second`.
  [[nodiscard]] static constexpr bool reads_adjoints(expansion_order order) {
    return (order == expansion_order::adjoint_first && sample_product_model<Model>) ||
           (order == expansion_order::adjoint_second && adjoint_model<Model>);
  }

  /// The same of the orders `first` and `adjoint_first`, which ask nothing more of loss and targets.
  void expand_at(const input_type& input, view features, view gradient, direction_type direction,
                 expansion_order order = expansion_order::first) {
    detail::require(order == expansion_order::first || order == expansion_order::adjoint_first,
                    error_code::invalid_option, "gal::directional_expansion: order ", order,
                    " without a loss; expected first or adjoint_first");
    static_cast<void>(expand_first(input, features, gradient, direction, order));
  }

  /// Of the last expansion: the batch's derivatives. Waits for them where the backend is asynchronous; `numbers` is where they
  /// then are, in the backend's memory. NaN before the first.
  [[nodiscard]] directional_derivatives derivatives() const {
    return numbers_.size() == 0 ? directional_derivatives() : backend_.read(numbers_.data());
  }
  [[nodiscard]] const directional_derivatives* numbers() const { return numbers_.data(); }

  /// Of the last expansion: the samples' l_j', q_j and l_j'', `1 x n`, each up to its order; l_j'' of `second`, and of
  /// `adjoint_second` without an `adjoint_model`.
  [[nodiscard]] row sample_first() const { return firsts_.view(); }
  [[nodiscard]] row sample_gauss_newton() const { return curvatures_.view(); }
  [[nodiscard]] row sample_second() const { return seconds_.view(); }

  /// Of the last expansion: X', but from adjoints, and, where there are l_j'', X''; `d x n`. They hold until the model is
  /// called again.
  [[nodiscard]] view features_first() const { return features_first_; }
  [[nodiscard]] view features_second() const { return features_second_; }

  /// Of the last `expand`: the samples' losses (`1 x n`), and G of their mean (`d x n`).
  [[nodiscard]] row sample_losses() const { return losses_.view(); }
  [[nodiscard]] view gradient() const { return gradient_ ? view(*gradient_) : view(); }

  [[nodiscard]] const backend_type& backend() const { return backend_; }

 private:
  // What every order begins with: X', or what more the order wants of the model, and l'. The features, which may have moved.
  view expand_first(const input_type& input, view features, view gradient, direction_type direction,
                    expansion_order order) {
    detail::require(!features.empty() && features.shape() == gradient.shape(), error_code::shape_mismatch,
                    "gal::directional_expansion: the features are ", features.shape(), ", their gradient ",
                    gradient.shape(), "; expected one size, with at least one row and sample");
    numbers_.resize(1, 1);
    numbers_.fill({});
    const auto samples = static_cast<double>(features.columns());
    if constexpr (sample_product_model<Model>) {
      if (order == expansion_order::adjoint_first) {
        features_first_ = features_second_ = {};
        firsts_.resize(1, features.columns());
        model_->sample_products(direction, firsts_.data());
        detail::scale_by(backend_, samples, firsts_.columns(), firsts_.data());
        mean(firsts_, &numbers_.data()->first);
        return features;
      }
    }
    features = find_tangents(input, features, direction, order);
    detail::require(features_first_.shape() == features.shape(), error_code::shape_mismatch,
                    "gal::directional_expansion: X' is ", features_first_.shape(),
                    "; expected the features' size ", features.shape());

    // The gradient is that of the mean: a sample's own is n times larger.
    multiply(gradient, features_first_, samples, firsts_);
    mean(firsts_, &numbers_.data()->first);
    return features;
  }

  // X' and, as far as it is asked for, X'' or <G, X''>: the model's own, or by differences. The features, which may have moved.
  view find_tangents(const input_type& input, view features, direction_type direction,
                     expansion_order order) {
    const bool wants_second = order == expansion_order::second || order == expansion_order::adjoint_second;
    features_second_ = {};
    if constexpr (adjoint_model<Model>) {
      if (order == expansion_order::adjoint_second) {
        product_.resize(1, 1);
        features_first_ = model_->forward_tangent(direction, product_.data());
        return features;
      }
    }
    if constexpr (second_order_model<Model>) {
      if (wants_second) {
        const auto both = model_->forward_second_order(direction);
        features_first_ = both.first;
        features_second_ = both.second;
        return features;
      }
    }
    if (!tangent_model<Model> || wants_second) {
      features = model_differences_.run(*model_, input, direction, wants_second);
      features_first_ = model_differences_.first();
      features_second_ = wants_second ? model_differences_.second() : view();
    }
    if constexpr (tangent_model<Model>) {
      features_first_ = model_->forward_tangent(direction);
    }
    return features;
  }

  // samples <a_j, b_j> for every sample.
  void multiply(view a, view b, double samples, matrix<double, backend_type>& products) {
    products.resize(1, a.columns());
    detail::scaled_column_products(backend_, samples, a, b, products.data());
  }

  void mean(const matrix<double, backend_type>& values, double* result) {
    detail::mean_of(backend_, values.data(), values.size(), result);
  }

  Model* model_;
  backend_type backend_;
  std::optional<feature_type> gradient_;     // of `expand`
  matrix<double, backend_type> losses_;      // of `expand`
  matrix<double, backend_type> firsts_;      // l'
  matrix<double, backend_type> curvatures_;  // q
  matrix<double, backend_type> seconds_;     // l''
  matrix<double, backend_type> product_;     // <G, X''>, from adjoints
  matrix<directional_derivatives, backend_type> numbers_;
  view features_first_;
  view features_second_;
  detail::feature_differences<Model> model_differences_;
  detail::loss_differences<value_type, backend_type> loss_differences_;
};

}  // namespace gal

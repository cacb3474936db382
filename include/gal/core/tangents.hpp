// gal/core/tangents.hpp: what models and losses may offer besides, so that their derivatives along a direction are exact and cheap.
// Provides: tangent_model, second_order_model, adjoint_model, sample_product_model, pass_keeping_model, second_order_loss_for,
// and the sentences that explain a miss.
// Includes gal/core/direction.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/direction.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace gal::inline GAL_ABI {

namespace detail {

template <class X, class M>
concept viewed_as_features_of =
    std::convertible_to<X, matrix_view<const model_scalar<M>, typename backend_of<M>::memory_type>>;

template <class M>
concept has_tangent = requires(M& m, parameter_direction<model_scalar<M>> direction) {
  { m.forward_tangent(direction) } -> viewed_as_features_of<M>;
};

template <class M>
concept has_second_order = requires(M& m, parameter_direction<model_scalar<M>> direction) {
  { m.forward_second_order(direction).first } -> viewed_as_features_of<M>;
  { m.forward_second_order(direction).second } -> viewed_as_features_of<M>;
};

template <class M>
concept has_adjoint_switch = requires(M& m) { m.keep_adjoints(true); };

template <class M>
concept has_adjoint_tangent =
    requires(M& m, parameter_direction<model_scalar<M>> direction, double* product) {
      { m.forward_tangent(direction, product) } -> viewed_as_features_of<M>;
    };

template <class M>
concept has_sample_products = requires(M& m, parameter_direction<model_scalar<M>> direction,
                                       double* products) { m.sample_products(direction, products); };

template <class M>
concept has_pass = requires(M& m) {
  requires std::is_lvalue_reference_v<decltype(m.pass())>;
  requires std::copyable<std::remove_reference_t<decltype(m.pass())>>;
};

}  // namespace detail

/// Optional requirements on a model `M` whose features have a derivative along a direction of its parameters:
///
///  1. `m.forward_tangent(direction)` takes a `gal::parameter_direction<T>` and returns X', the derivative of the features
///     along it: viewable, of the features' size, in the model's memory.
///
/// It refers to the last `forward`, whose parameters and input are as they were; it changes neither what `backward` then
/// adds nor any gradient. What it returns holds until the next call of the model, while the direction stays in place.
///
/// For y = a x, of one parameter:
///
///     struct proportional {
///       ...                                                       // as gal::model shows it
///       std::vector<double> tangent;
///       const std::vector<double>& forward_tangent(gal::parameter_direction<double> direction) {
///         tangent = x;
///         for (double& value : tangent) value *= direction[0][0];
///         return tangent;
///       }
///     };
template <class M>
concept tangent_model = model<M> && detail::has_tangent<M>;

/// Optional requirements on a `tangent_model` whose features also have a second derivative along a direction:
///
///  1. `m.forward_second_order(direction)` returns X' and X'' as a pair (`first`, `second`), both as `forward_tangent`
///     returns X'.
///
///     std::pair<const std::vector<double>&, const std::vector<double>&> forward_second_order(
///         gal::parameter_direction<double> direction) {
///       zero.assign(x.size(), 0.0);                               // a x is linear in a
///       return {forward_tangent(direction), zero};
///     }
template <class M>
concept second_order_model = tangent_model<M> && detail::has_second_order<M>;

/// Optional requirements on a `tangent_model` that finds <G, X''> without X'', from what `backward` has computed of G:
///
///  1. `m.keep_adjoints(true)` makes every later `backward` keep that, and `m.keep_adjoints(false)` ends it.
///  2. `m.forward_tangent(direction, product)` returns X' and stores <G, X''> in `*product`, a double in the model's memory,
///     for the gradient G of the last `backward`, which came after the last `forward` (`gal::error` where it did not).
///
///     void keep_adjoints(bool) {}
///     const std::vector<double>& forward_tangent(gal::parameter_direction<double> direction, double* product) {
///       *product = 0.0;
///       return forward_tangent(direction);
///     }
template <class M>
concept adjoint_model = tangent_model<M> && detail::has_adjoint_switch<M> && detail::has_adjoint_tangent<M>;

/// Optional requirements on an `adjoint_model` that finds the products of the samples' gradients with a direction from what
/// `backward` has kept, without X':
///
///  1. `m.sample_products(direction, products)` stores <grad l_j, direction> for every sample j of the last `forward` in
///     `products[j]`, doubles in the model's memory, where l_j = <G_j, x_j> with the gradient G of the last `backward`
///     (`gal::error` where it kept nothing, or came before the last `forward`).
///
///  2. A model of which a sample's features depend on the other samples of the batch, as by batch normalisation in training, says
///     so by `m.couples_samples()`: such samples have no gradients of their own, and trainers take a forward tangent.
///
///     void sample_products(gal::parameter_direction<double> direction, double* products) {
///       for (std::size_t j = 0; j < x.size(); ++j) products[j] = gradient[j] * x[j] * direction[0][0];
///     }
template <class M>
concept sample_product_model = adjoint_model<M> && detail::has_sample_products<M>;

/// Optional requirements on a model whose last pass can be put aside while it passes with another batch:
///
///  1. `m.pass()` returns a reference to what `forward` and `backward` leave for the calls that refer to them. It can be copied,
///     and exchanged by `std::swap` with a copy from the same model: those calls then refer to the pass that the other one was.
///     The features that its `forward` returned stay in place.
///
///     struct pass_type { gal::matrix_view<const double> input; std::vector<double> x; };
///     pass_type& pass() { return last; }
template <class M>
concept pass_keeping_model = model<M> && detail::has_pass<M>;

namespace detail {

// What `pass()` of the model refers to; nothing where it keeps none.
template <class M>
struct pass_of_model {
  using type = nothing;
};
template <has_pass M>
struct pass_of_model<M> {
  using type = std::remove_reference_t<decltype(std::declval<M&>().pass())>;
};
template <class M>
using pass_of = typename pass_of_model<M>::type;

}  // namespace detail

/// A loss with a closed form of the second-order term: `l.second_derivative(backend, features, targets, tangent, values)`
/// stores q_j = t_j^T H_j t_j for every sample in `values` (`1 x n`, double), t_j its column of `tangent` (`d x n`) and H_j the
/// matrix of second derivatives of its own loss l_j at its features; where H_j jumps, that of one side. Optional.
///
///     struct half_square {                    // (x - y)^2 / 2 of one feature
///       ...                                   // as gal::loss_for shows it
///       void second_derivative(const gal::eigen_backend&, gal::matrix_view<const double>, const std::vector<double>&,
///                              gal::matrix_view<const double> t, gal::matrix_view<double> values) const {
///         for (gal::index_type j = 0; j < t.columns(); ++j) values(0, j) = t(0, j) * t(0, j);
///       }
///     };
template <class L, class T, class Backend, class Target>
concept second_order_loss_for =
    loss_for<L, T, Backend, Target> &&
    requires(L& l, const Backend& backend, matrix_view<const T, typename Backend::memory_type> features,
             const Target& targets, matrix_view<double, typename Backend::memory_type> values) {
      l.second_derivative(backend, features, targets, features, values);
    };

namespace detail {

// As `names_remainder`, for the members above.
template <class X>
concept can_be_base = std::is_class_v<X> && !std::is_final_v<X>;

struct named_tangent {
  int forward_tangent;
};
struct named_second_order {
  int forward_second_order;
};
struct named_adjoints {
  int keep_adjoints;
};
struct named_sample_products {
  int sample_products;
};
struct named_pass {
  int pass;
};
struct named_second_derivative {
  int second_derivative;
};
template <class X, class Name>
struct name_probe : X, Name {};

template <class M>
concept names_tangent = can_be_base<M> && !requires { &name_probe<M, named_tangent>::forward_tangent; };
template <class M>
concept names_second_order =
    can_be_base<M> && !requires { &name_probe<M, named_second_order>::forward_second_order; };
template <class M>
concept names_adjoints = can_be_base<M> && !requires { &name_probe<M, named_adjoints>::keep_adjoints; };
template <class M>
concept names_sample_products =
    can_be_base<M> && !requires { &name_probe<M, named_sample_products>::sample_products; };
template <class M>
concept names_pass = can_be_base<M> && !requires { &name_probe<M, named_pass>::pass; };
template <class L>
concept names_second_derivative =
    can_be_base<L> && !requires { &name_probe<L, named_second_derivative>::second_derivative; };

// One sentence for each member that is there and would never be called.
template <class M>
consteval bool explain_tangents() {
  static_assert(!names_tangent<M> || has_tangent<M>,
                "gal::tangent_model, requirement 1: `forward_tangent` cannot be called as "
                "forward_tangent(gal::parameter_direction<T> direction) to return a viewable matrix of the "
                "features' scalar; correct it, or leave it out.");
  static_assert(!names_second_order<M> || has_second_order<M>,
                "gal::second_order_model, requirement 1: `forward_second_order` cannot be called as "
                "forward_second_order(gal::parameter_direction<T> direction) to return a pair of viewable "
                "matrices, X' and X''; correct it, or leave it out.");
  static_assert(!names_second_order<M> || names_tangent<M>,
                "gal::second_order_model: provide `forward_tangent(gal::parameter_direction<T> direction)` "
                "beside `forward_second_order`.");
  static_assert(
      !names_adjoints<M> || has_adjoint_switch<M>,
      "gal::adjoint_model, requirement 1: `keep_adjoints` cannot be called as keep_adjoints(bool keep); "
      "correct it, or leave it out.");
  static_assert(!names_adjoints<M> || has_adjoint_tangent<M>,
                "gal::adjoint_model, requirement 2: provide "
                "`forward_tangent(gal::parameter_direction<T> direction, double* product)`, which also "
                "stores <G, X''>, or leave out `keep_adjoints`.");
  static_assert(!names_sample_products<M> || has_sample_products<M>,
                "gal::sample_product_model, requirement 1: `sample_products` cannot be called as "
                "sample_products(gal::parameter_direction<T> direction, double* products); correct it, or "
                "leave it out.");
  static_assert(!names_sample_products<M> || names_adjoints<M>,
                "gal::sample_product_model: provide `keep_adjoints(bool keep)` beside `sample_products`.");
  static_assert(!names_pass<M> || has_pass<M>,
                "gal::pass_keeping_model, requirement 1: `pass()` has to return a reference to something "
                "that can be copied; correct it, or leave it out.");
  return true;
}

template <class L, class T, class Backend, class Target>
consteval bool explain_second_derivative() {
  if constexpr (loss_for<L, T, Backend, Target> && !second_order_loss_for<L, T, Backend, Target>) {
    static_assert(!names_second_derivative<L>,
                  "gal::second_order_loss_for: `second_derivative` cannot be called as "
                  "second_derivative(backend, features, targets, tangent, values); correct it, or leave it "
                  "out.");
  }
  return true;
}

}  // namespace detail
}  // namespace gal

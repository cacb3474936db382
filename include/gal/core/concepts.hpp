// gal/core/concepts.hpp: the contract between the algorithm and the types of its users.
// Provides: parameter, nothing, model, optimizer_for, loss_for, adjuster_for, and the sentences that explain a miss.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/view.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// One contiguous block of trainable numbers and the gradient of the loss with respect to them. Blocks of one `group`
/// share the learning rate and weight decay that the optimizer's options give that group.
template <class T, class Memory = host_memory>
struct parameter {
  std::span<T> value;
  std::span<T> gradient;
  std::size_t group = 0;

  parameter() = default;
  parameter(std::span<T> values, std::span<T> gradients, std::size_t group_number = 0)
      : value(values), gradient(gradients), group(group_number) {}

  /// Any (value, gradient) pair of contiguous ranges: models need not know this type.
  template <class Pair>
    requires requires(const Pair& pair) {
      std::span<T>(pair.first);
      std::span<T>(pair.second);
    }
  parameter(const Pair& pair)  // NOLINT(google-explicit-constructor)
      : value(pair.first), gradient(pair.second) {}
};

namespace detail {

// Memory, and whose it is: "the value of parameter block 0".
struct owned_memory {
  const std::byte* begin;
  std::size_t bytes;
  std::string owner;
};

// Throws where two of them overlap, with both owners in the order of the list.
inline void require_distinct(std::span<const owned_memory> list, std::string_view where) {
  std::vector<const owned_memory*> order;
  for (const owned_memory& memory : list) {
    if (memory.bytes > 0) {
      order.push_back(&memory);
    }
  }
  std::ranges::stable_sort(order, std::less<>(), &owned_memory::begin);
  for (std::size_t k = 1; k < order.size(); ++k) {
    const auto [first, second] = std::minmax(order[k - 1], order[k]);
    require(static_cast<std::size_t>(order[k]->begin - order[k - 1]->begin) >= order[k - 1]->bytes,
            error_code::invalid_option, where, ": ", first->owner, " and ", second->owner,
            " share memory; expected every number in one place");
  }
}

template <class T, class Memory>
bool same_block(const parameter<T, Memory>& a, const parameter<T, Memory>& b) {
  return a.value.data() == b.value.data() && a.value.size() == b.value.size() &&
         a.gradient.data() == b.gradient.data() && a.gradient.size() == b.gradient.size();
}

// Throws where a number, as a value or a gradient, belongs to two blocks: it would be stepped twice.
template <class T, class Memory>
void require_distinct(std::span<const parameter<T, Memory>> parameters, std::string_view where) {
  std::vector<owned_memory> list;
  const auto add = [&](std::span<T> numbers, std::string_view what, std::size_t block) {
    list.push_back({reinterpret_cast<const std::byte*>(numbers.data()), numbers.size_bytes(),
                    text("the ", what, " of parameter block ", block)});
  };
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    add(parameters[k].value, "value", k);
  }
  require_distinct(list, where);  // of a block that is listed twice the values are named
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    add(parameters[k].gradient, "gradient", k);
  }
  require_distinct(list, where);
}

}  // namespace detail

namespace detail {

// Whether a model says that a second forward pass over a batch would not be the first (`draws_noise()`, optional).
template <class Model>
[[nodiscard]] bool draws_noise([[maybe_unused]] const Model& model) {
  if constexpr (requires { model.draws_noise(); }) {
    return model.draws_noise();
  } else {
    return false;
  }
}

// Whether a model says that a sample's features depend on the other samples of the batch (`couples_samples()`, optional).
template <class Model>
[[nodiscard]] bool couples_samples([[maybe_unused]] const Model& model) {
  if constexpr (requires { model.couples_samples(); }) {
    return model.couples_samples();
  } else {
    return false;
  }
}

}  // namespace detail

/// Input of a model or target of a loss that has none, as when the features are the parameters themselves.
struct nothing {
  friend bool operator==(const nothing&, const nothing&) = default;
};

namespace detail {

template <class M>
concept names_input = requires { typename M::input_type; };

template <class M>
concept names_feature = requires { typename M::feature_type; };

template <class M>
concept feature_is_viewable = requires(typename M::feature_type& feature) {
  requires viewable<typename M::feature_type>;
  requires !std::is_const_v<std::remove_pointer_t<decltype(gal::view(feature).data())>>;
};

template <class M>
concept feature_is_copyable = std::copyable<typename M::feature_type>;

template <class M>
concept has_forward = requires(M& m, const typename M::input_type& input) {
  { m.forward(input) } -> std::convertible_to<const typename M::feature_type&>;
};

template <class M>
concept has_backward = requires(M& m, const typename M::feature_type& gradient) { m.backward(gradient); };

template <class Range, class T, class Memory>
concept parameter_range = std::ranges::input_range<Range> &&
                          std::convertible_to<std::ranges::range_reference_t<Range>, parameter<T, Memory>>;

template <class M>
struct named_backend {
  using type = eigen_backend;
};
template <class M>
  requires requires { typename M::backend_type; }
struct named_backend<M> {
  using type = typename M::backend_type;
};

}  // namespace detail

/// The backend that a model or an optimizer runs on: its member `backend_type`, or the CPU backend.
template <class M>
using backend_of = typename detail::named_backend<M>::type;

namespace detail {
// The backend that a model or an optimizer works on, where it says so in a member `backend()`, or a new one.
template <class Backend, class Owner>
Backend backend_from(const Owner& owner) {
  if constexpr (requires {
                  { owner.backend() } -> std::convertible_to<Backend>;
                }) {
    return owner.backend();
  } else {
    return Backend{};
  }
}
}  // namespace detail

/// Scalar of a model's features.
template <class M>
using model_scalar = scalar_of<typename M::feature_type>;

namespace detail {

template <class M>
concept has_parameters = requires(M& m) {
  {
    m.parameters()
  } -> parameter_range<scalar_of<typename M::feature_type>,
                       typename decltype(gal::view(std::declval<typename M::feature_type&>()))::memory_type>;
};

}  // namespace detail

/// Requirements on a model `M`:
///
///  1. `M::input_type` names what `forward` takes.
///  2. `M::feature_type` names what `forward` returns: the features, d rows and one column per sample.
///  3. `feature_type` is viewable and writable: `gal::view(feature)` is a mutable `matrix_view`.
///  4. `feature_type` is copyable and owns its values: a copy of it holds the gradient.
///  5. `m.forward(input)` returns the features of a batch.
///  6. `m.backward(gradient)` takes a `feature_type` and adds the gradients of <gradient, features>, for the last
///     `forward`, to the parameters' gradients.
///  7. `m.parameters()` returns a range of (value, gradient) pairs of contiguous memory, in the same order every time. No
///     number is in two of them: a shared layer is listed once (`gal::error`, with both blocks).
///
/// Optional: `m.statistics()`, a `matrix_view` of numbers that `backward` changes besides gradients; a refused step takes
/// the change back.
///
/// A minimal model, y = a x, of one parameter:
///
///     struct proportional {
///       using input_type = std::vector<double>;
///       using feature_type = std::vector<double>;                 // a row: one feature, one sample per element
///       double a = 0, da = 0;
///       std::vector<double> x, y;
///       const feature_type& forward(const input_type& input) {
///         x = input; y = x;
///         for (double& value : y) value *= a;
///         return y;
///       }
///       void backward(const feature_type& g) { for (std::size_t j = 0; j < g.size(); ++j) da += g[j] * x[j]; }
///       auto parameters() { return std::array{gal::parameter<double>({&a, 1}, {&da, 1})}; }
///     };
template <class M>
concept model = detail::names_input<M> && detail::names_feature<M> && detail::feature_is_viewable<M> &&
                detail::feature_is_copyable<M> && detail::has_forward<M> && detail::has_backward<M> &&
                detail::has_parameters<M>;

namespace detail {

template <class O>
concept has_learning_rate = requires(const O& o) {
  { o.learning_rate() } -> std::convertible_to<double>;
};

template <class O, class T, class Memory>
concept has_step = requires(O& o, std::span<const parameter<T, Memory>> parameters) { o.step(parameters); };

}  // namespace detail

/// Requirements on an optimizer `O` of parameters of scalar `T`:
///
///  1. `o.learning_rate()` on a const optimizer returns the learning rate of the next step.
///  2. `o.step(parameters)` takes a `std::span<const gal::parameter<T>>` and updates the values from the gradients.
///
///     struct descent {
///       double learning_rate() const { return 0.1; }
///       void step(std::span<const gal::parameter<double>> parameters) {
///         for (auto& p : parameters)
///           for (std::size_t i = 0; i < p.value.size(); ++i) p.value[i] -= 0.1 * p.gradient[i];
///       }
///     };
template <class O, class T, class Memory = host_memory>
concept optimizer_for = detail::has_learning_rate<O> && detail::has_step<O, T, Memory>;

/// Requirements on a loss `L` for features of scalar `T` on `Backend` and targets of type `Target`:
///
///  1. `l.evaluate(backend, features, targets, values, gradient)` stores the loss of every sample in `values`
///     (`1 x n`, double) and the gradient of the samples' mean in `gradient` (`d x n`; empty where not wanted).
///
/// and, optionally, `l.remainder(backend, features, targets, displacement, values, gradient)`: what the first-order
/// expansion at X leaves out at X - D, without cancellation, for every sample, with the gradient of its mean with
/// respect to D. A function of one sample becomes a loss through `gal::sample_loss`. A loss is not trained: `gal::adjust`
/// refuses one with `parameters()` of (value, gradient) pairs, which belong to the model.
///
///     struct half_square {                    // (x - y)^2 / 2 of one feature
///       void evaluate(const gal::eigen_backend&, gal::matrix_view<const double> x, const std::vector<double>& y,
///                     gal::matrix_view<double> values, gal::matrix_view<double> gradient) const {
///         for (gal::index_type j = 0; j < x.columns(); ++j) {
///           const double r = x(0, j) - y[static_cast<std::size_t>(j)];
///           values(0, j) = r * r / 2;
///           if (!gradient.empty()) gradient(0, j) = r / static_cast<double>(x.columns());
///         }
///       }
///     };
template <class L, class T, class Backend, class Target>
concept loss_for =
    requires(L& l, const Backend& backend, matrix_view<const T, typename Backend::memory_type> features,
             const Target& targets, matrix_view<double, typename Backend::memory_type> values,
             matrix_view<T, typename Backend::memory_type> gradient) {
      l.evaluate(backend, features, targets, values, gradient);
    };

/// A loss with a closed form of the remainder.
template <class L, class T, class Backend, class Target>
concept closed_form_loss_for =
    loss_for<L, T, Backend, Target> &&
    requires(L& l, const Backend& backend, matrix_view<const T, typename Backend::memory_type> features,
             const Target& targets, matrix_view<double, typename Backend::memory_type> values,
             matrix_view<T, typename Backend::memory_type> gradient) {
      l.remainder(backend, features, targets, features, values, gradient);
    };

namespace detail {

template <class A, class T, class Memory>
concept adjuster_has_forward = requires(A& a, matrix_view<const T, Memory> input) {
  { matrix_view<const T, Memory>(a.forward(input)) };
};

template <class A, class T, class Memory>
concept adjuster_has_backward =
    requires(A& a, matrix_view<const T, Memory> gradient) { a.backward(gradient); };

template <class A, class T, class Memory>
concept adjuster_has_parameters = requires(A& a) {
  { a.parameters() } -> parameter_range<T, Memory>;
};

}  // namespace detail

/// Requirements on an adjuster `A`, the network h:
///
///  1. `a.forward(input)` takes a view of its input (`d x n`, or `2d x n` with gradients) and returns h, `d x n`.
///  2. `a.backward(gradient)` adds the gradients of <gradient, h>, for the last `forward`, to its parameters' gradients.
///  3. `a.parameters()` returns its (value, gradient) pairs; none for an adjuster that does not learn.
///
///     struct constant {                       // does not learn; adjusts every feature alike
///       gal::matrix<double> ones;
///       const gal::matrix<double>& forward(gal::matrix_view<const double> x) {
///         ones = gal::matrix<double>(x.rows(), x.columns(), 1.0);
///         return ones;
///       }
///       void backward(gal::matrix_view<const double>) {}
///       std::span<gal::parameter<double>> parameters() { return {}; }
///     };
template <class A, class T, class Memory = host_memory>
concept adjuster_for =
    detail::adjuster_has_forward<A, T, Memory> && detail::adjuster_has_backward<A, T, Memory> &&
    detail::adjuster_has_parameters<A, T, Memory>;

namespace detail {

// One sentence per missing requirement. A requirement that needs a missing one before it keeps quiet.
template <class M>
consteval bool explain_model() {
  constexpr bool input = names_input<M>;
  constexpr bool feature = names_feature<M>;
  static_assert(input,
                "gal::model, requirement 1: name the type that forward takes in a member `input_type`.");
  static_assert(feature,
                "gal::model, requirement 2: name the type of the features in a member `feature_type`.");
  if constexpr (feature) {
    static_assert(feature_is_viewable<M>,
                  "gal::model, requirement 3: `feature_type` must be viewable and writable; specialise "
                  "gal::view_of for it.");
    static_assert(
        feature_is_copyable<M>,
        "gal::model, requirement 4: `feature_type` must be copyable; a copy of it holds the gradient.");
    static_assert(has_backward<M>,
                  "gal::model, requirement 6: provide `void backward(const feature_type& gradient)`.");
    if constexpr (feature_is_viewable<M>) {
      static_assert(has_parameters<M>,
                    "gal::model, requirement 7: provide `parameters()`, a range of (value, gradient) pairs "
                    "of contiguous "
                    "memory with the scalar of the features.");
    }
  }
  if constexpr (input && feature) {
    static_assert(
        has_forward<M>,
        "gal::model, requirement 5: provide `const feature_type& forward(const input_type& input)`.");
  }
  return true;
}

template <class O, class T, class Memory>
consteval bool explain_optimizer() {
  static_assert(has_learning_rate<O>,
                "gal::optimizer_for, requirement 1: provide `double learning_rate() const`, the rate of the "
                "next step.");
  static_assert(
      has_step<O, T, Memory>,
      "gal::optimizer_for, requirement 2: provide `void step(std::span<const gal::parameter<T>> parameters)` "
      "with the scalar T of the model's features.");
  return true;
}

template <class A, class T, class Memory>
consteval bool explain_adjuster() {
  static_assert(
      adjuster_has_forward<A, T, Memory>,
      "gal::adjuster_for, requirement 1: provide `forward(gal::matrix_view<const T> input)` that returns a "
      "viewable matrix of the features' size.");
  static_assert(
      adjuster_has_backward<A, T, Memory>,
      "gal::adjuster_for, requirement 2: provide `void backward(gal::matrix_view<const T> gradient)`.");
  static_assert(
      adjuster_has_parameters<A, T, Memory>,
      "gal::adjuster_for, requirement 3: provide `parameters()`, a range of (value, gradient) pairs.");
  return true;
}

// Whether a class has a member of that name, of any kind: beside one, the base's own cannot be named.
struct named_remainder {
  int remainder;
};
template <class L>
struct remainder_probe : L, named_remainder {};
template <class L>
concept names_remainder =
    std::is_class_v<L> && !std::is_final_v<L> && !requires { &remainder_probe<L>::remainder; };

// A loss that expects to be trained, which no step does.
template <class L, class T, class Memory>
concept loss_with_parameters = requires(L& l) {
  { l.parameters() } -> parameter_range<T, Memory>;
};

template <class L, class T, class Backend, class Target>
consteval bool explain_loss() {
  if constexpr (!loss_for<L, T, Backend, Target>) {
    static_assert(explain_numbers<Target>());
  }
  static_assert(
      loss_for<L, T, Backend, Target>,
      "gal::loss_for, requirement 1: provide `evaluate(backend, features, targets, values, gradient)` for "
      "these targets, or wrap a function of one sample in gal::sample_loss.");
  if constexpr (loss_for<L, T, Backend, Target> && !closed_form_loss_for<L, T, Backend, Target>) {
    static_assert(!names_remainder<L>,
                  "gal::loss_for: `remainder` cannot be called as remainder(backend, features, targets, "
                  "displacement, values, gradient); correct it, or leave it out.");
  }
  return true;
}

template <class B>
consteval bool explain_backend() {
  if constexpr (!requires { typename B::memory_type; }) {
    static_assert(
        requires { typename B::memory_type; },
        "gal::backend, requirement 1: name the memory in a member `memory_type`.");
  } else {
    using memory = typename B::memory_type;
    using factor = matrix_view<const float, memory>;
    using product = matrix_view<float, memory>;
    static_assert(std::copyable<B>, "gal::backend: a backend must be copyable.");
    static_assert(
        requires(B b, float* p, index_type n) {
          { b.template allocate<float>(n) } -> std::same_as<float*>;
          b.deallocate(p, n);
        }, "gal::backend, requirement 2: provide `allocate<T>(count)` and `deallocate(pointer, count)`.");
    static_assert(
        requires(B b, const float* from, float* to, index_type n) {
          b.copy(from, to, n);
          b.fill(to, n, 0.0f);
        }, "gal::backend, requirement 3: provide `copy(from, to, count)` and `fill(to, count, value)`.");
    static_assert(
        requires(B b, index_type n) {
          b.for_each(n, archetype_action{});
          b.for_each(n, n, archetype_action{});
        }, "gal::backend, requirement 4: provide `for_each(count, f)` and `for_each(rows, columns, f)`.");
    static_assert(
        requires(B b, index_type n, double* result) { b.sum(n, archetype_element{}, result); },
        "gal::backend, requirement 5: provide `sum(count, f, result)`.");
    static_assert(
        requires(B b, index_type n, double* results) { b.sum_rows(n, n, archetype_entry{}, results); },
        "gal::backend, requirement 6: provide `sum_rows(rows, columns, f, results)`.");
    static_assert(
        requires(B b, factor a, product c) { b.product(transpose::no, transpose::yes, 1.0f, a, a, 0.0f, c); },
        "gal::backend, requirement 7: provide `product(ta, tb, alpha, a, b, beta, c)`.");
    static_assert(
        requires(B b, const float* p) {
          { b.read(p) } -> std::same_as<float>;
        }, "gal::backend, requirement 8: provide `read(pointer)`.");
  }
  return true;
}

// The concepts as class heads use them: true where the contract is kept, one sentence per miss where it is not. The
// backend comes first, since the others speak of its memory.
template <class B>
concept checked_backend = backend<B> || (explain_backend<B>() && false);
template <class M>
concept checked_model = checked_backend<backend_of<M>> && (model<M> || (explain_model<M>() && false));
template <class O, class M>
concept checked_optimizer =
    optimizer_for<O, model_scalar<M>, typename backend_of<M>::memory_type> ||
    (explain_optimizer<O, model_scalar<M>, typename backend_of<M>::memory_type>() && false);

}  // namespace detail
}  // namespace gal

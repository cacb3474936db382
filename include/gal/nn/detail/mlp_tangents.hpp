// gal/nn/detail/mlp_tangents.hpp: derivatives of a multilayer perceptron's features along a direction of its parameters.
// Provides: nothing public; nn::detail::mlp_tangents for gal/nn/mlp.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/core/direction.hpp>
#include <gal/nn/activation.hpp>
#include <gal/nn/detail/kernels.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::nn::detail {

// A layer's part of <G, X''>, for every sample: the sum of D (phi''(z) z'^2 + 2 phi'(z) through), z' = `moved` and, from column
// `first_biased` on, the shift; `inner` and `outer` are what phi's derivatives are computed from, `through` may be null.
template <activation Activation, class T, class Memory, class Backend>
void sum_curvature(const Backend& backend, matrix_view<const T, Memory> moved, const T* shift,
                   index_type first_biased, const T* inner, const T* outer, const T* through,
                   const T* adjoint, double* sums) {
  backend.sum_rows(
      moved.rows(), moved.columns(),
      [=, rows = moved.rows(), from = moved.data()] GAL_KERNEL(index_type i, index_type j) {
        const index_type e = j * rows + i;
        const T along = from[e] + (shift != nullptr && j >= first_biased ? shift[i] : T(0));
        const T bent = second_slope<Activation>(inner[e], outer[e]) * along * along;
        const T crossed =
            through == nullptr ? T(0) : T(2) * slope<Activation>(inner[e], outer[e]) * through[e];
        return static_cast<double>(adjoint[e]) * static_cast<double>(bent + crossed);
      },
      sums);
}

// The sum of D phi'(z) (along + shift) for every sample.
template <activation Activation, class T, class Memory, class Backend>
void sum_slanted(const Backend& backend, matrix_view<const T, Memory> along, const T* shift, const T* inner,
                 const T* outer, const T* adjoint, double* sums) {
  backend.sum_rows(
      along.rows(), along.columns(),
      [=, rows = along.rows(), from = along.data()] GAL_KERNEL(index_type i, index_type j) {
        const index_type e = j * rows + i;
        const T moved = from[e] + (shift != nullptr ? shift[i] : T(0));
        return static_cast<double>(adjoint[e]) *
               static_cast<double>(slope<Activation>(inner[e], outer[e]) * moved);
      },
      sums);
}

// a' from z' less the shift, in place, and a'' from z'' unless `second` is null.
template <activation Activation, class T, class Memory, class Backend>
void move_outputs(const Backend& backend, matrix_view<T, Memory> first, const T* shift, const T* inner,
                  const T* outer, T* second) {
  backend.for_each(first.rows(), first.columns(),
                   [=, rows = first.rows(), to = first.data()] GAL_KERNEL(index_type i, index_type j) {
                     const index_type e = j * rows + i;
                     const T along = to[e] + (shift != nullptr ? shift[i] : T(0));
                     const T slant = slope<Activation>(inner[e], outer[e]);
                     to[e] = slant * along;
                     if (second != nullptr) {
                       second[e] =
                           second_slope<Activation>(inner[e], outer[e]) * along * along + slant * second[e];
                     }
                   });
}

/// The two passes of a chain of layers z_l = W_l^T a_{l-1} + b_l, a_l = phi(z_l), along the direction U_l, v_l:
///
///     z'_l = U_l^T a_{l-1} + W_l^T a'_{l-1} + v_l       a'_l = phi'(z_l) z'_l
///     z''_l = 2 U_l^T a'_{l-1} + W_l^T a''_{l-1}        a''_l = phi''(z_l) z'_l^2 + phi'(z_l) z''_l
///
/// where the input has a' = a'' = 0, so that the first layer takes one product. With D_l the gradient with respect to a_l
/// that came back, <G, X''> is the sum over layers of <D_l, 2 phi'(z_l) U_l^T a'_{l-1} + phi''(z_l) z'_l^2>.
template <class T, class Backend>
class mlp_tangents {
 public:
  using storage = matrix<T, Backend>;
  using view = matrix_view<const T, typename Backend::memory_type>;
  using mutable_view = matrix_view<T, typename Backend::memory_type>;

  /// What the last forward pass left, and its columns: those from `first_biased` on got the bias.
  struct chain {
    std::span<const index_type> widths;
    activation between;
    bool bias;
    std::span<const view> weights;
    view input;
    std::span<const storage> outputs;   // after the activation
    std::span<const storage> inner;     // before it, where its slopes read that; else empty
    std::span<const storage> adjoints;  // D_l, where `product` is asked for
    index_type first_biased;

    [[nodiscard]] std::size_t layers() const { return outputs.size(); }
    [[nodiscard]] activation activation_of(std::size_t layer) const {
      return layer + 1 == layers() ? activation::identity : between;
    }
    [[nodiscard]] view input_of(std::size_t layer) const {
      return layer == 0 ? input : outputs[layer - 1].view();
    }
  };

  explicit mlp_tangents(const Backend& backend)
      : backend_(backend),
        buffers_{storage(backend), storage(backend)},
        through_(backend),
        sample_sums_(backend),
        sums_(backend),
        features_{storage(backend), storage(backend)} {}

  /// X', and <G, X''> in `*product` unless that is null.
  view first(const chain& at, parameter_direction<T> direction, double* product) {
    sums_.resize(1, static_cast<index_type>(at.layers()));
    for (std::size_t l = 0; l < at.layers(); ++l) {
      const mutable_view z = next(l, at, 1);
      backend_.product(transpose::yes, transpose::no, T(1), weight(at, direction, l), at.input_of(l), T(0),
                       z);
      if (l > 0) {
        backend_.product(transpose::yes, transpose::no, T(1), at.weights[l], before(l), T(1), z);
        if (product != nullptr) {
          through_.resize(z.rows(), z.columns());
          backend_.product(transpose::yes, transpose::no, T(1), weight(at, direction, l), before(l), T(0),
                           through_.view());
        }
      }
      dispatch(at.activation_of(l), [&](auto activation) {
        if (product != nullptr) {
          add_up<activation.value>(at, l, shift(at, direction, l), z);
        }
        finish_first<activation.value>(at, l, shift(at, direction, l), z);
      });
    }
    if (product != nullptr) {
      gal::detail::sum_of(backend_, sums_.data(), sums_.size(), product);
    }
    return std::as_const(buffers_[(at.layers() - 1) % 2]).view();
  }

  /// X' and X''.
  std::pair<view, view> second(const chain& at, parameter_direction<T> direction) {
    const index_type n = at.input.columns();
    for (std::size_t l = 0; l < at.layers(); ++l) {
      const mutable_view both = next(l, at, 2);  // z' in the left half, z'' in the right one
      const mutable_view z = both.columns(0, n);
      if (l > 0) {
        backend_.product(transpose::yes, transpose::no, T(1), at.weights[l], before(l), T(0), both);
        backend_.product(transpose::yes, transpose::no, T(2), weight(at, direction, l),
                         before(l).columns(0, n), T(1), both.columns(n, n));
      } else {
        backend_.fill(both.columns(n, n).data(), z.size(), T(0));
      }
      backend_.product(transpose::yes, transpose::no, T(1), weight(at, direction, l), at.input_of(l),
                       l > 0 ? T(1) : T(0), z);
      dispatch(at.activation_of(l), [&](auto activation) {
        finish_second<activation.value>(at, l, shift(at, direction, l), both);
      });
    }
    const view both = std::as_const(buffers_[(at.layers() - 1) % 2]).view();
    return {both.columns(0, n), both.columns(n, n)};
  }

  /// The sum over the layers of <D_l, phi'(z_l) (U_l^T a_{l-1} + v_l)> for every sample, in `products`: a product a layer, and
  /// no derivative but the one of its own parameters.
  void sample_products(const chain& at, parameter_direction<T> direction, double* products) {
    const index_type n = at.input.columns();
    sample_sums_.resize(1, n);
    for (std::size_t l = 0; l < at.layers(); ++l) {
      through_.resize(at.widths[l + 1], n);
      backend_.product(transpose::yes, transpose::no, T(1), weight(at, direction, l), at.input_of(l), T(0),
                       through_.view());
      double* const sums = l == 0 ? products : sample_sums_.data();
      dispatch(at.activation_of(l), [&](auto activation) {
        const auto [inner, outer] = point_of(at, l);
        sum_slanted<activation.value>(backend_, std::as_const(through_).view(), shift(at, direction, l),
                                      inner, outer, at.adjoints[l].data(), sums);
      });
      if (l > 0) {
        add_to(backend_, n, static_cast<const double*>(sums), products);
      }
    }
  }

  /// Where features go that are made of what the passes return: X' is number 0, X'' number 1.
  [[nodiscard]] storage& features(std::size_t number) { return features_[number]; }

 private:
  // Memory for what layer `l` makes of `parts` derivatives side by side; what its predecessor made stays.
  mutable_view next(std::size_t l, const chain& at, index_type parts) {
    buffers_[l % 2].resize(at.widths[l + 1], parts * at.input.columns());
    return buffers_[l % 2].view();
  }
  [[nodiscard]] view before(std::size_t l) const { return buffers_[(l + 1) % 2].view(); }

  static view weight(const chain& at, parameter_direction<T> direction, std::size_t l) {
    return {direction[at.bias ? 2 * l : l].data(), at.widths[l], at.widths[l + 1]};
  }
  static const T* shift(const chain& at, parameter_direction<T> direction, std::size_t l) {
    return at.bias ? direction[2 * l + 1].data() : nullptr;
  }

  // What an activation's derivatives at layer `l` are computed from: z (or a where they do not read z) and a.
  static std::pair<const T*, const T*> point_of(const chain& at, std::size_t l) {
    const T* const y = at.outputs[l].data();
    return {slope_reads_input(at.activation_of(l)) ? at.inner[l].data() : y, y};
  }

  // The layer's part of <G, X''>; `z` still lacks the bias.
  template <activation Activation>
  void add_up(const chain& at, std::size_t l, const T* shift, mutable_view z) {
    sample_sums_.resize(1, z.columns());
    const auto [inner, outer] = point_of(at, l);
    sum_curvature<Activation>(backend_, z.as_const(), shift, at.first_biased, inner, outer,
                              l == 0 ? nullptr : std::as_const(through_).data(), at.adjoints[l].data(),
                              sample_sums_.data());
    gal::detail::sum_of(backend_, sample_sums_.data(), z.columns(), sums_.data() + l);
  }

  template <activation Activation>
  void finish_first(const chain& at, std::size_t l, const T* shift, mutable_view z) {
    if (Activation == activation::identity && shift == nullptr) {
      return;
    }
    const auto [inner, outer] = point_of(at, l);
    const index_type skipped = at.first_biased * z.rows();  // none where there is an activation
    move_outputs<Activation>(backend_, z.columns(at.first_biased, z.columns() - at.first_biased), shift,
                             inner + skipped, outer + skipped, static_cast<T*>(nullptr));
  }

  template <activation Activation>
  void finish_second(const chain& at, std::size_t l, const T* shift, mutable_view both) {
    if (Activation == activation::identity && shift == nullptr) {
      return;
    }
    const auto [inner, outer] = point_of(at, l);
    const index_type skipped = at.first_biased * both.rows();
    const index_type columns = both.columns() / 2;
    move_outputs<Activation>(backend_, both.columns(at.first_biased, columns - at.first_biased), shift,
                             inner + skipped, outer + skipped, both.data() + both.size() / 2 + skipped);
  }

  Backend backend_;
  std::array<storage, 2> buffers_;  // by turns
  storage through_;                 // U_l^T a'_{l-1}
  matrix<double, Backend> sample_sums_;
  matrix<double, Backend> sums_;     // a layer each
  std::array<storage, 2> features_;  // of the affine shortcut
};

}  // namespace gal::nn::detail

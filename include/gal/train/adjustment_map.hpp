// gal/train/adjustment_map.hpp: how the adjuster's output h becomes the adjustment A of a gradient G, and the way back.
// Provides: normalisation, adjustment_map.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/core/detail/math.hpp>

#include <array>
#include <cmath>
#include <string_view>
#include <utility>

namespace gal::inline GAL_ABI {

/// How h becomes the adjustment A of the feature gradient G.
enum class normalisation {
  per_sample,  ///< A_i = epsilon h_i / norm(h_i) norm(G_i) (paper, eq. 4). Cannot learn on a single feature row.
  per_batch,  ///< A = epsilon H / norm(H) norm(G), Frobenius norms (the paper's 3D problem)
  gate,       ///< A = epsilon tanh(H) .* G: bounded, entry by entry
  sample_weight,  ///< A_i = epsilon (sigmoid(h_i) - 1) G_i, one number h_i a sample: with epsilon 1 a weight in (0, 1)
  additive,  ///< A = H: h is the adjustment itself, and epsilon has no part
};
constexpr auto enumerator_names(normalisation) {
  return std::to_array<std::string_view>({"per_sample", "per_batch", "gate", "sample_weight", "additive"});
}

namespace detail {

// Rows of h for so many features.
[[nodiscard]] constexpr index_type direction_rows(normalisation kind, index_type features) {
  return kind == normalisation::sample_weight ? 1 : features;
}

// Square roots in place.
template <class Memory, class Backend>
void take_roots(const Backend& backend, matrix_view<double, Memory> squares) {
  backend.for_each(squares.size(),
                   [to = squares.data()] GAL_KERNEL(index_type j) { to[j] = std::sqrt(to[j]); });
}

// Takes the mean over its rows out of every column; `sums` is memory.
template <class T, class Memory, class Backend>
void subtract_column_means(const Backend& backend, matrix_view<T, Memory> a, matrix<double, Backend>& sums) {
  sums.resize(1, a.columns());
  backend.sum_rows(
      a.rows(), a.columns(),
      [=] GAL_KERNEL(index_type i, index_type j) { return static_cast<double>(a(i, j)); }, sums.data());
  backend.for_each(a.rows(), a.columns(),
                   [=, share = 1.0 / static_cast<double>(a.rows()), sums = sums.data()] GAL_KERNEL(
                       index_type i, index_type j) { a(i, j) -= static_cast<T>(share * sums[j]); });
}

}  // namespace detail

/// The map from (h, G) to A, all `d x n` (h `1 x n` of `sample_weight`), and its derivative with respect to h. Where a norm is
/// zero, A is zero.
/// With `remove_mean` every column of A has the mean over its rows taken out.
template <class T, class Backend>
class adjustment_map {
 public:
  using memory_type = typename Backend::memory_type;
  using view = matrix_view<const T, memory_type>;

  adjustment_map(normalisation kind, double epsilon, bool remove_mean, Backend backend)
      : kind_(kind),
        epsilon_(static_cast<T>(epsilon)),
        remove_mean_(remove_mean),
        backend_(backend),
        direction_(backend),
        direction_norms_(backend),
        gradient_norms_(backend),
        sums_(backend),
        weight_slope_(backend) {
    detail::require_enumerator(kind, "gal::adjustment_map: kind");
  }

  /// A from h and G.
  void forward(view h, view g, matrix_view<T, memory_type> a) {
    direction_.resize(h.rows(), h.columns());
    T* const direction = direction_.data();
    const T epsilon = epsilon_;
    if (kind_ == normalisation::additive) {
      backend_.copy(h.data(), a.data(), h.size());
    } else if (kind_ == normalisation::gate) {
      backend_.for_each(h.size(), [=] GAL_KERNEL(index_type i) {
        direction[i] = detail::tanh(h.data()[i]);
        a.data()[i] = epsilon * direction[i] * g.data()[i];
      });
    } else if (kind_ == normalisation::sample_weight) {
      backend_.for_each(h.columns(),
                        [=] GAL_KERNEL(index_type j) { direction[j] = detail::sigmoid(h(0, j)); });
      backend_.for_each(g.rows(), g.columns(), [=] GAL_KERNEL(index_type i, index_type j) {
        a(i, j) = epsilon * (direction[j] - T(1)) * g(i, j);
      });
    } else {
      norms(h, direction_norms_);
      norms(g, gradient_norms_);
      const double* const hh = direction_norms_.data();
      const double* const gg = gradient_norms_.data();
      const index_type rows = h.rows();
      const index_type step = norm_step();
      backend_.for_each(rows, h.columns(), [=] GAL_KERNEL(index_type i, index_type j) {
        const double norm = hh[step * j];
        const double unit = norm == 0.0 ? 0.0 : static_cast<double>(h(i, j)) / norm;  // keeps NaN
        direction[j * rows + i] = static_cast<T>(unit);
        a(i, j) = epsilon * static_cast<T>(gg[step * j] * unit);
      });
    }
    if (remove_mean_) {
      detail::subtract_column_means(backend_, a, sums_);
    }
  }

  /// The gradient of a function with respect to h, from that with respect to A, whose memory it takes, after `forward`:
  /// epsilon norm(G_i) / norm(h_i) (I - u_i u_i^T), u_i the unit vector of h_i; epsilon (1 - tanh^2 h) .* G; or
  /// epsilon w_i (1 - w_i) <G_i, .>, w_i = sigmoid(h_i); or the same, where A = H.
  view backward(view g, matrix_view<T, memory_type> slope) {
    if (remove_mean_) {
      detail::subtract_column_means(backend_, slope, sums_);
    }
    if (kind_ == normalisation::additive) {
      return slope.as_const();
    }
    const T* const direction = direction_.data();
    const T epsilon = epsilon_;
    if (kind_ == normalisation::gate) {
      backend_.for_each(slope.size(), [=] GAL_KERNEL(index_type i) {
        slope.data()[i] *= epsilon * (T(1) - direction[i] * direction[i]) * g.data()[i];
      });
      return slope.as_const();
    }
    if (kind_ == normalisation::sample_weight) {
      column_products(backend_, g, slope.as_const(), sums_);
      weight_slope_.resize(1, slope.columns());
      backend_.for_each(slope.columns(),
                        [=, to = weight_slope_.data(), sums = sums_.data()] GAL_KERNEL(index_type j) {
                          to[j] = epsilon * direction[j] * (T(1) - direction[j]) * static_cast<T>(sums[j]);
                        });
      return std::as_const(weight_slope_).view();
    }
    inner_products(std::as_const(direction_).view(), slope.as_const(), sums_);
    const double* const along = sums_.data();
    const double* const hh = direction_norms_.data();
    const double* const gg = gradient_norms_.data();
    const index_type rows = slope.rows();
    const index_type step = norm_step();
    backend_.for_each(rows, slope.columns(), [=] GAL_KERNEL(index_type i, index_type j) {
      const double norm = hh[step * j];
      const double scale = norm == 0.0 ? 0.0 : gg[step * j] / norm;
      const double across =
          static_cast<double>(slope(i, j)) - along[step * j] * static_cast<double>(direction[j * rows + i]);
      slope(i, j) = epsilon * static_cast<T>(scale * across);
    });
    return slope.as_const();
  }

 private:
  // <a_j, b_j> of every column, or one <a, b> of the whole batch; `norm_step` leads from a column's to the next one's.
  void inner_products(view a, view b, matrix<double, Backend>& products) {
    if (kind_ == normalisation::per_sample) {
      column_products(backend_, a, b, products);
      return;
    }
    products.resize(1, 1);
    detail::inner_product(backend_, a, b, products.data());
  }
  [[nodiscard]] index_type norm_step() const { return kind_ == normalisation::per_sample ? 1 : 0; }

  void norms(view a, matrix<double, Backend>& result) {
    inner_products(a, a, result);
    detail::take_roots(backend_, result.view());
  }

  normalisation kind_;
  T epsilon_;
  bool remove_mean_;
  Backend backend_;
  matrix<T, Backend> direction_;             // tanh(h), h over its norm, or the weights
  matrix<double, Backend> direction_norms_;  // of every column, or of the batch
  matrix<double, Backend> gradient_norms_;
  matrix<double, Backend> sums_;
  matrix<T, Backend> weight_slope_;
};

}  // namespace gal

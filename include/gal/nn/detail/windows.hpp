// gal/nn/detail/windows.hpp: what the layers of a convolutional network share: the pass of a batch, sums over samples, images with a
// border. Every kernel gathers: no two of its indices write one number, so that results do not depend on the order.
// Provides: nothing public; nn::detail::pass and functions for the units of gal/nn/cnn.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/view.hpp>
#include <gal/nn/layers.hpp>

#include <cstdint>

namespace gal::inline GAL_ABI::nn::detail {

/// What a layer sees of its network while a batch goes through it.
template <class T, class Backend>
struct pass {
  Backend backend;
  T* values;      // of all parameters
  T* gradients;   // likewise
  T* statistics;  // of all batch normalisations
  bool training;
  std::uint64_t seed;  // of dropout, in this pass
};

/// Gives scratch matrices that hold nothing yet the backend of the pass.
template <class Backend, class... Matrices>
void use_backend(const Backend& backend, Matrices&... scratch) {
  ((scratch.data() == nullptr ? static_cast<void>(scratch = Matrices(backend)) : static_cast<void>(0)), ...);
}

/// sums[j] = sum over the rows i < rows and the samples s < samples of f(i, s * groups + j), for all j < groups: the sum
/// of a channel where a column of f is a channel of a sample. In two steps, so that each runs along memory.
template <class Backend, class F>
void sum_over_samples(const Backend& backend, index_type rows, index_type groups, index_type samples, F f,
                      matrix<double, Backend>& partial, double* sums) {
  partial.resize(groups, samples);
  backend.sum_rows(rows, groups * samples, f, partial.data());
  backend.sum_rows(
      samples, groups,
      [from = partial.data(), groups] GAL_KERNEL(index_type s, index_type j) { return from[s * groups + j]; },
      sums);
}

// Images with a border of zeros, so that every window lies inside and rows of it are copied whole; and back without it.
template <class T, class Backend>
void pad_images(const Backend& backend, const window& g, index_type samples, const T* from, T* to) {
  backend.for_each(g.padded_height(), g.channels * samples, [=] GAL_KERNEL(index_type i, index_type j) {
    T* const line = to + (j * g.padded_height() + i) * g.padded_width();
    const index_type row = i - g.padding_height;
    if (row < 0 || row >= g.height) {
      for (index_type q = 0; q < g.padded_width(); ++q) {
        line[q] = T(0);
      }
      return;
    }
    for (index_type q = 0; q < g.padding_width; ++q) {
      line[q] = T(0);
      line[g.padding_width + g.width + q] = T(0);
    }
    for (index_type q = 0; q < g.width; ++q) {
      line[g.padding_width + q] = from[(j * g.height + row) * g.width + q];
    }
  });
}
template <class T, class Backend>
void crop_images(const Backend& backend, const window& g, index_type samples, const T* from, T* to) {
  backend.for_each(g.height, g.channels * samples, [=] GAL_KERNEL(index_type i, index_type j) {
    const T* const line = from + (j * g.padded_height() + g.padding_height + i) * g.padded_width();
    for (index_type q = 0; q < g.width; ++q) {
      to[(j * g.height + i) * g.width + q] = line[g.padding_width + q];
    }
  });
}

// The row of positions whose windows see row `row` of the padded image by row `kernel_row` of the kernel, or none: -1.
GAL_HOST_DEVICE constexpr index_type position_seeing(const window& g, index_type row, index_type kernel_row) {
  const index_type moved = row - kernel_row * g.dilation_height;
  if (moved < 0) {
    return -1;
  }
  const index_type position = g.stride_height == 1 ? moved : moved / g.stride_height;
  return position * g.stride_height == moved && position < g.out_height ? position : -1;
}

// to[q] = from[q step]; loops of their own where the compiler vectorises them.
template <class T>
GAL_HOST_DEVICE void copy_row(const T* from, index_type step, index_type count, T* to) {
  if (step == 1) {
    for (index_type q = 0; q < count; ++q) {
      to[q] = from[q];
    }
  } else if (step == 2) {
    for (index_type q = 0; q < count; ++q) {
      to[q] = from[2 * q];
    }
  } else {
    for (index_type q = 0; q < count; ++q) {
      to[q] = from[step * q];
    }
  }
}

// to[q to_step] += factor from[q], in a loop that vectorises where neighbours are.
template <class T>
GAL_HOST_DEVICE void add_row(const T* from, T factor, index_type count, T* to, index_type to_step) {
  if (to_step == 1) {
    for (index_type q = 0; q < count; ++q) {
      to[q] += factor * from[q];
    }
  } else {
    for (index_type q = 0; q < count; ++q) {
      to[q * to_step] += factor * from[q];
    }
  }
}

/// Adds the gradient of a bias: the sums of the outputs' gradients over samples and positions.
template <class T, class Backend>
void add_bias_gradient(const Backend& backend, const T* gradient, index_type positions, index_type outputs,
                       index_type samples, matrix<double, Backend>& partial, matrix<double, Backend>& sums,
                       T* bias_gradient) {
  sums.resize(outputs, 1);
  sum_over_samples(
      backend, positions, outputs, samples,
      [gradient, positions] GAL_KERNEL(index_type i, index_type j) {
        return static_cast<double>(gradient[j * positions + i]);
      },
      partial, sums.data());
  backend.for_each(outputs, [bias_gradient, from = sums.data()] GAL_KERNEL(index_type o) {
    bias_gradient[o] += static_cast<T>(from[o]);
  });
}

/// Where the weights of a convolution, and the bias behind them, lie among the parameters of its network.
template <class T, class Backend>
class convolution_parameters {
 public:
  /// `depth`: numbers that one output sees; `first_value`: the place of the first weight.
  convolution_parameters(index_type outputs, index_type depth, bool has_bias, index_type first_value)
      : outputs_(outputs), depth_(depth), has_bias_(has_bias), first_value_(first_value) {}

  [[nodiscard]] index_type outputs() const { return outputs_; }
  [[nodiscard]] index_type depth() const { return depth_; }
  [[nodiscard]] index_type weights() const { return outputs_ * depth_; }
  [[nodiscard]] index_type biases() const { return has_bias_ ? outputs_ : 0; }

 protected:
  [[nodiscard]] const T* weight(const pass<T, Backend>& p) const { return p.values + first_value_; }
  /// Null without bias.
  [[nodiscard]] const T* bias(const pass<T, Backend>& p) const {
    return has_bias_ ? weight(p) + weights() : nullptr;
  }
  [[nodiscard]] T* weight_gradient(const pass<T, Backend>& p) const { return p.gradients + first_value_; }

  /// Adds the gradient of the bias, where there is one, from that of the outputs.
  void add_bias_gradient(const pass<T, Backend>& p,
                         matrix_view<const T, typename Backend::memory_type> gradient) {
    if (has_bias_) {
      use_backend(p.backend, partial_, sums_);
      detail::add_bias_gradient(p.backend, gradient.data(), gradient.rows() / outputs_, outputs_,
                                gradient.columns(), partial_, sums_, weight_gradient(p) + weights());
    }
  }

 private:
  index_type outputs_;
  index_type depth_;
  bool has_bias_;
  index_type first_value_;
  matrix<double, Backend> partial_;
  matrix<double, Backend> sums_;
};

}  // namespace gal::nn::detail

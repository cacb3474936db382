// gal/nn/detail/windows.hpp: what layers with a window share: images with a border, rows that move over them, and the parameters of
// convolutions. Every kernel gathers, as those of kernels.hpp.
// Provides: nothing public; nn::detail::convolution_parameters and functions for the units of gal/nn/cnn.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/view.hpp>
#include <gal/nn/detail/kernels.hpp>
#include <gal/nn/layers.hpp>

#include <utility>

namespace gal::inline GAL_ABI::nn::detail {

// Rows are always inlined: a loop is then compiled for the instructions that the code around it is compiled for.
template <class T>
[[gnu::always_inline]] GAL_HOST_DEVICE inline void fill_row(T* to, index_type count, T value) {
  for (index_type q = 0; q < count; ++q) {
    to[q] = value;
  }
}

// to[q] = from[q step]; loops of their own where the compiler vectorises them.
template <class T>
[[gnu::always_inline]] GAL_HOST_DEVICE inline void copy_row(const T* from, index_type step, index_type count,
                                                            T* to) {
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

// to[q to_step] += factor from[q from_step], in a loop that vectorises where neighbours are.
template <class T>
[[gnu::always_inline]] GAL_HOST_DEVICE inline void add_row(const T* from, index_type from_step, T factor,
                                                           index_type count, T* to, index_type to_step) {
  if (from_step == 1 && to_step == 1) {
    for (index_type q = 0; q < count; ++q) {
      to[q] += factor * from[q];
    }
  } else {
    for (index_type q = 0; q < count; ++q) {
      to[q * to_step] += factor * from[q * from_step];
    }
  }
}

// Images with a border of zeros, so that every window lies inside and rows of it are copied whole; and back without it.
template <class T, class Backend>
void pad_images(const Backend& backend, const window& g, index_type samples, const T* from, T* to) {
  backend.for_each(g.padded_height(), g.channels * samples, [=] GAL_KERNEL(index_type i, index_type j) {
    T* const line = to + (j * g.padded_height() + i) * g.padded_width();
    const index_type row = i - g.padding_height;
    if (row < 0 || row >= g.height) {
      fill_row(line, g.padded_width(), T(0));
      return;
    }
    fill_row(line, g.padding_width, T(0));
    copy_row(from + (j * g.height + row) * g.width, 1, g.width, line + g.padding_width);
    fill_row(line + g.padding_width + g.width, g.padding_width, T(0));
  });
}
template <class T, class Backend>
void crop_images(const Backend& backend, const window& g, index_type samples, const T* from, T* to) {
  backend.for_each(g.height, g.channels * samples, [=] GAL_KERNEL(index_type i, index_type j) {
    copy_row(from + (j * g.padded_height() + g.padding_height + i) * g.padded_width() + g.padding_width, 1,
             g.width, to + (j * g.height + i) * g.width);
  });
}

/// The images with their border: x itself where there is none, else a copy in `padded`.
template <class T, class Backend>
const T* padded_images(const Backend& backend, const window& g, view_in<const T, Backend> x,
                       matrix<T, Backend>& padded) {
  if (!g.is_padded()) {
    return x.data();
  }
  padded.resize(g.channels * g.padded_area(), x.columns());
  pad_images(backend, g, x.columns(), x.data(), padded.data());
  return padded.data();
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

/// A row of positions, and what it is multiplied by.
template <class T>
struct scaled_row {
  const T* numbers;
  T factor;
};

/// The gradient with respect to images, from their windows': every row of the padded image collects what the windows
/// that see it have for it (col2im). `row_of(s, c, k, i)` is the `scaled_row` that row i of positions gives to channel c of
/// sample s at place k of the kernel. `padded` holds the images with their border, where they have one.
template <class T, class Backend, class RowOf>
void collect_windows(const Backend& backend, const window& g, index_type samples, RowOf row_of,
                     matrix<T, Backend>& padded, T* images) {
  T* to = images;
  if (g.is_padded()) {
    padded.resize(g.channels * g.padded_area(), samples);
    to = padded.data();
  }
  backend.for_each(g.padded_height(), g.channels * samples, [=] GAL_KERNEL(index_type row, index_type j) {
    const index_type s = j / g.channels;
    const index_type c = j - s * g.channels;
    T* const line = to + (j * g.padded_height() + row) * g.padded_width();
    fill_row(line, g.padded_width(), T(0));
    for (index_type kernel_row = 0; kernel_row < g.kernel_height; ++kernel_row) {
      const index_type position = position_seeing(g, row, kernel_row);
      if (position < 0) {
        continue;
      }
      for (index_type kernel_column = 0; kernel_column < g.kernel_width; ++kernel_column) {
        const scaled_row<T> summand = row_of(s, c, kernel_row * g.kernel_width + kernel_column, position);
        add_row(summand.numbers, 1, summand.factor, g.out_width, line + kernel_column * g.dilation_width,
                g.stride_width);
      }
    }
  });
  if (g.is_padded()) {
    crop_images(backend, g, samples, std::as_const(padded).data(), images);
  }
}

/// The parameters of a convolution.
template <class T, class Backend>
class convolution_parameters : public affine_parameters<T, Backend> {
 public:
  using affine_parameters<T, Backend>::affine_parameters;

 protected:
  /// Adds the gradient of the bias, where there is one: the sums of that of the outputs over samples and positions.
  void add_bias_gradient(const pass<T, Backend>& p, view_in<const T, Backend> gradient) {
    T* const to = this->bias_gradient(p);
    if (to == nullptr) {
      return;
    }
    use_backend(p.backend, partial_, sums_);
    const index_type outputs = this->outputs();
    const index_type positions = gradient.rows() / outputs;
    sums_.resize(outputs, 1);
    sum_channels(p.backend, positions, outputs, gradient.columns(),
                 column_entry<T>{gradient.data(), positions}, partial_, sums_.data());
    add_rounded(p.backend, outputs, sums_.data(), to);
  }

 private:
  matrix<double, Backend> partial_;
  matrix<double, Backend> sums_;
};

}  // namespace gal::nn::detail

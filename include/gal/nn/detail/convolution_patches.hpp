// gal/nn/detail/convolution_patches.hpp: the arithmetic of convolution as a product with patches, on any backend.
// Provides: nothing public; nn::detail::patch_convolution_unit for gal/nn/cnn.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/view.hpp>
#include <gal/nn/detail/windows.hpp>
#include <gal/nn/layers.hpp>

#include <algorithm>
#include <utility>

namespace gal::inline GAL_ABI::nn::detail {

/// Convolution as a product. The patches of all positions of some samples are a matrix of positions x (channels x kernel),
/// in memory (channel, kernel row, kernel column, sample, position); the product with the weights, a C-order (outputs,
/// channels of a group, kernel rows, kernel columns) array, has the outputs in its columns. Groups are ranges of columns.
template <class T, class Backend>
class patch_convolution_unit : public convolution_parameters<T, Backend> {
  using base = convolution_parameters<T, Backend>;

 public:
  using base::depth;
  using base::outputs;
  using memory_type = typename Backend::memory_type;
  using view = matrix_view<const T, memory_type>;
  using mutable_view = matrix_view<T, memory_type>;

  patch_convolution_unit(const convolution& options, const window& geometry, index_type first_value)
      : base(options.channels, geometry.channels / options.groups * geometry.kernel_area(), options.bias,
             first_value),
        geometry_(geometry),
        groups_(options.groups) {}

  void forward(const pass<T, Backend>& p, view x, mutable_view y) {
    prepare(p.backend, x.columns());
    const T* const weight = this->weight(p);
    const index_type of_one = outputs() / groups_;
    in_parts(x.columns(), [&](index_type first, index_type samples) {
      const index_type positions = samples * geometry_.out_area();
      gather_patches(p.backend, x.columns(first, samples));
      for (index_type group = 0; group < groups_; ++group) {
        p.backend.product(transpose::no, transpose::no, T(1),
                          of_group(std::as_const(patches_).data(), positions, group, depth()),
                          of_group(weight, depth(), group, of_one), T(0),
                          of_group(products_.data(), positions, group, of_one));
      }
      scatter_outputs(p.backend, samples, this->bias(p), y.columns(first, samples));
    });
  }

  /// Adds to the parameters' gradients, and stores that with respect to x in `delta` unless it is empty.
  void backward(const pass<T, Backend>& p, view x, view, view gradient, mutable_view delta) {
    const T* const weight = this->weight(p);
    T* const weight_gradient = this->weight_gradient(p);
    const index_type of_one = outputs() / groups_;
    in_parts(x.columns(), [&](index_type first, index_type samples) {
      const index_type positions = samples * geometry_.out_area();
      gather_patches(p.backend, x.columns(first, samples));
      gather_outputs(p.backend, samples, gradient.columns(first, samples));
      const T* const outer = products_.data();
      for (index_type group = 0; group < groups_; ++group) {
        p.backend.product(transpose::yes, transpose::no, T(1),
                          of_group(std::as_const(patches_).data(), positions, group, depth()),
                          of_group(outer, positions, group, of_one), T(1),
                          of_group(weight_gradient, depth(), group, of_one));
      }
      if (delta.empty()) {
        return;
      }
      for (index_type group = 0; group < groups_; ++group) {
        p.backend.product(transpose::no, transpose::yes, T(1), of_group(outer, positions, group, of_one),
                          of_group(weight, depth(), group, of_one), T(0),
                          of_group(patches_.data(), positions, group, depth()));
      }
      gather_delta(p.backend, samples, delta.columns(first, samples));
    });
    this->add_bias_gradient(p, gradient);
  }

  GAL_PRIVATE_KERNELS
  static constexpr index_type budget = index_type{1} << 24;  // numbers of the patches

  [[nodiscard]] index_type most_samples(index_type samples) const {
    const index_type of_one = geometry_.channels * geometry_.kernel_area() * geometry_.out_area();
    return std::clamp(budget / of_one, index_type{1}, samples);
  }

  void prepare(const Backend& backend, index_type samples) {
    use_backend(backend, image_, patches_, products_);
    const index_type most = most_samples(samples);
    const index_type positions = most * geometry_.out_area();
    if (geometry_.is_padded()) {
      image_.resize(geometry_.channels * geometry_.padded_area(), most);
    }
    patches_.resize(positions, geometry_.channels * geometry_.kernel_area());
    products_.resize(positions, outputs());
  }

  template <class Part>
  void in_parts(index_type samples, Part run) const {
    const index_type most = most_samples(samples);
    for (index_type first = 0; first < samples; first += most) {
      run(first, std::min(most, samples - first));
    }
  }

  template <class U>
  [[nodiscard]] static matrix_view<U, memory_type> of_group(U* data, index_type rows, index_type group,
                                                            index_type columns) {
    return {data + group * columns * rows, rows, columns};
  }

  // From (output, sample, position) to (sample, output, position), with the bias; and back.
  void scatter_outputs(const Backend& backend, index_type samples, const T* bias, mutable_view y) {
    const index_type area = geometry_.out_area();
    backend.for_each(area, outputs() * samples,
                     [=, from = products_.data(), to = y.data(), outputs = outputs()] GAL_KERNEL(
                         index_type i, index_type j) {
                       const index_type s = j / outputs;
                       const index_type o = j - s * outputs;
                       to[j * area + i] =
                           from[(o * samples + s) * area + i] + (bias != nullptr ? bias[o] : T(0));
                     });
  }
  void gather_outputs(const Backend& backend, index_type samples, view gradient) {
    const index_type area = geometry_.out_area();
    backend.for_each(area, outputs() * samples,
                     [=, from = gradient.data(), to = products_.data(), outputs = outputs()] GAL_KERNEL(
                         index_type i, index_type j) {
                       const index_type o = j / samples;
                       const index_type s = j - o * samples;
                       to[j * area + i] = from[(s * outputs + o) * area + i];
                     });
  }

  // A row of positions is a row of the padded image moved by the kernel's position (im2col).
  void gather_patches(const Backend& backend, view x) {
    const window g = geometry_;
    const index_type samples = x.columns();
    const T* image = x.data();
    if (g.is_padded()) {
      pad_images(backend, g, samples, x.data(), image_.data());
      image = image_.data();
    }
    backend.for_each(
        g.out_height, g.channels * g.kernel_area() * samples,
        [=, to = patches_.data()] GAL_KERNEL(index_type i, index_type j) {
          const index_type k = j / samples;
          const index_type c = k / g.kernel_area();
          const index_type kernel_row = (k - c * g.kernel_area()) / g.kernel_width;
          const index_type kernel_column = k - (c * g.kernel_height + kernel_row) * g.kernel_width;
          const index_type row = i * g.stride_height + kernel_row * g.dilation_height;
          copy_row(image +
                       (((j - k * samples) * g.channels + c) * g.padded_height() + row) * g.padded_width() +
                       kernel_column * g.dilation_width,
                   g.stride_width, g.out_width, to + (j * g.out_height + i) * g.out_width);
        });
  }

  // The way back: every row of the padded image collects from the patches that it is in.
  void gather_delta(const Backend& backend, index_type samples, mutable_view delta) {
    const window g = geometry_;
    T* const to = g.is_padded() ? image_.data() : delta.data();
    backend.for_each(g.padded_height(), g.channels * samples,
                     [=, from = patches_.data()] GAL_KERNEL(index_type row, index_type j) {
                       const index_type s = j / g.channels;
                       const index_type c = j - s * g.channels;
                       T* const line = to + (j * g.padded_height() + row) * g.padded_width();
                       for (index_type q = 0; q < g.padded_width(); ++q) {
                         line[q] = T(0);
                       }
                       for (index_type kernel_row = 0; kernel_row < g.kernel_height; ++kernel_row) {
                         const index_type position = position_seeing(g, row, kernel_row);
                         if (position < 0) {
                           continue;
                         }
                         for (index_type kernel_column = 0; kernel_column < g.kernel_width; ++kernel_column) {
                           const index_type k =
                               (c * g.kernel_height + kernel_row) * g.kernel_width + kernel_column;
                           add_row(from + ((k * samples + s) * g.out_height + position) * g.out_width, T(1),
                                   g.out_width, line + kernel_column * g.dilation_width, g.stride_width);
                         }
                       }
                     });
    if (g.is_padded()) {
      crop_images(backend, g, samples, std::as_const(image_).data(), delta.data());
    }
  }

  window geometry_;
  index_type groups_;
  matrix<T, Backend> image_;     // with its border; then its gradient
  matrix<T, Backend> patches_;   // then their gradients
  matrix<T, Backend> products_;  // outputs, or their gradients
};

}  // namespace gal::nn::detail

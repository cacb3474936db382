// gal/nn/detail/convolution_patches.hpp: the arithmetic of convolution as a product with patches, on any backend.
// Provides: nothing public; nn::detail::patch_convolution_unit for gal/nn/cnn.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/view.hpp>
#include <gal/nn/detail/kernels.hpp>
#include <gal/nn/detail/windows.hpp>
#include <gal/nn/layers.hpp>

#include <algorithm>
#include <utility>

namespace gal::inline GAL_ABI::nn::detail {

// The patches of all positions, from images that have their border: a row of positions is a row of the image moved by
// the kernel's position (im2col).
template <class T, class Backend>
void gather_patches(const Backend& backend, const window& g, index_type samples, const T* images,
                    T* patches) {
  backend.for_each(
      g.out_height, g.channels * g.kernel_area() * samples, [=] GAL_KERNEL(index_type i, index_type j) {
        const index_type k = j / samples;
        const index_type c = k / g.kernel_area();
        const index_type kernel_row = (k - c * g.kernel_area()) / g.kernel_width;
        const index_type kernel_column = k - (c * g.kernel_height + kernel_row) * g.kernel_width;
        const index_type row = i * g.stride_height + kernel_row * g.dilation_height;
        copy_row(images +
                     (((j - k * samples) * g.channels + c) * g.padded_height() + row) * g.padded_width() +
                     kernel_column * g.dilation_width,
                 g.stride_width, g.out_width, patches + (j * g.out_height + i) * g.out_width);
      });
}

// The gradient with respect to images, from that of their patches.
template <class T, class Backend>
void collect_patches(const Backend& backend, const window& g, const T* patches, matrix<T, Backend>& padded,
                     view_in<T, Backend> delta) {
  const index_type samples = delta.columns();
  collect_windows(
      backend, g, samples,
      [=] GAL_KERNEL(index_type s, index_type c, index_type k, index_type position) {
        return scaled_row<T>{
            patches + (((c * g.kernel_area() + k) * samples + s) * g.out_height + position) * g.out_width,
            T(1)};
      },
      padded, delta.data());
}

// From images in the order (inner, outer) to (outer, inner), the last of which runs along memory, with a number for every
// `inner` added; null: nothing.
template <class T, class Backend>
void exchange_images(const Backend& backend, index_type area, index_type inner, index_type outer,
                     const T* from, const T* bias, T* to) {
  backend.for_each(area, inner * outer, [=] GAL_KERNEL(index_type i, index_type j) {
    const index_type of_outer = j / inner;
    const index_type of_inner = j - of_outer * inner;
    const T number = from[(of_inner * outer + of_outer) * area + i];
    to[j * area + i] = bias != nullptr ? number + bias[of_inner] : number;
  });
}

/// Convolution as a product. The patches of all positions of some samples are a matrix of positions x (channels x kernel),
/// in memory (channel, kernel row, kernel column, sample, position); the product with the weights, a C-order (outputs,
/// channels of a group, kernel rows, kernel columns) array, has the outputs in its columns. Groups are ranges of columns.
template <class T, class Backend>
class patch_convolution_unit : public convolution_parameters<T, Backend> {
  using base = convolution_parameters<T, Backend>;

 public:
  using base::depth;
  using base::outputs;

  patch_convolution_unit(const convolution& options, const window& geometry, index_type first_value)
      : base(options.channels, geometry.channels / options.groups * geometry.kernel_area(), options.bias,
             first_value),
        geometry_(geometry),
        groups_(options.groups) {}

  void forward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<T, Backend> y) {
    use_backend(p.backend, padded_, patches_, products_);
    const index_type most = most_samples(x.columns());
    patches_.resize(most * geometry_.out_area(), geometry_.channels * geometry_.kernel_area());
    products_.resize(most * geometry_.out_area(), outputs());
    const T* const weight = this->weight(p);
    in_parts(x.columns(), [&](index_type first, index_type samples) {
      const index_type positions = samples * geometry_.out_area();
      fill_patches(p.backend, x.columns(first, samples));
      for (index_type group = 0; group < groups_; ++group) {
        p.backend.product(transpose::no, transpose::no, T(1),
                          of_group(std::as_const(patches_).data(), positions, group, depth()),
                          of_group(weight, depth(), group, group_outputs()), T(0),
                          of_group(products_.data(), positions, group, group_outputs()));
      }
      exchange_images(p.backend, geometry_.out_area(), outputs(), samples, std::as_const(products_).data(),
                      this->bias(p), y.columns(first, samples).data());
    });
  }

  /// Adds to the parameters' gradients, and stores that with respect to x in `delta` unless it is empty.
  void backward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<const T, Backend>,
                view_in<const T, Backend> gradient, view_in<T, Backend> delta) {
    const T* const weight = this->weight(p);
    T* const weight_gradient = this->weight_gradient(p);
    const T* const no_bias = nullptr;
    in_parts(x.columns(), [&](index_type first, index_type samples) {
      const index_type positions = samples * geometry_.out_area();
      fill_patches(p.backend, x.columns(first, samples));
      exchange_images(p.backend, geometry_.out_area(), samples, outputs(),
                      gradient.columns(first, samples).data(), no_bias, products_.data());
      const T* const output_gradient = products_.data();
      for (index_type group = 0; group < groups_; ++group) {
        p.backend.product(transpose::yes, transpose::no, T(1),
                          of_group(std::as_const(patches_).data(), positions, group, depth()),
                          of_group(output_gradient, positions, group, group_outputs()), T(1),
                          of_group(weight_gradient, depth(), group, group_outputs()));
      }
      if (delta.empty()) {
        return;
      }
      for (index_type group = 0; group < groups_; ++group) {
        p.backend.product(transpose::no, transpose::yes, T(1),
                          of_group(output_gradient, positions, group, group_outputs()),
                          of_group(weight, depth(), group, group_outputs()), T(0),
                          of_group(patches_.data(), positions, group, depth()));
      }
      collect_patches(p.backend, geometry_, std::as_const(patches_).data(), padded_,
                      delta.columns(first, samples));
    });
    this->add_bias_gradient(p, gradient);
  }

 private:
  static constexpr index_type budget = index_type{1} << 24;  // numbers of the patches

  [[nodiscard]] index_type group_outputs() const { return outputs() / groups_; }

  [[nodiscard]] index_type most_samples(index_type samples) const {
    const index_type of_one = geometry_.channels * geometry_.kernel_area() * geometry_.out_area();
    return std::clamp(budget / of_one, index_type{1}, samples);
  }

  template <class Part>
  void in_parts(index_type samples, Part run) const {
    const index_type most = most_samples(samples);
    for (index_type first = 0; first < samples; first += most) {
      run(first, std::min(most, samples - first));
    }
  }

  template <class U>
  [[nodiscard]] static view_in<U, Backend> of_group(U* data, index_type rows, index_type group,
                                                    index_type columns) {
    return {data + group * columns * rows, rows, columns};
  }

  void fill_patches(const Backend& backend, view_in<const T, Backend> x) {
    gather_patches(backend, geometry_, x.columns(), padded_images(backend, geometry_, x, padded_),
                   patches_.data());
  }

  window geometry_;
  index_type groups_;
  matrix<T, Backend> padded_;    // images with their border; then their gradient
  matrix<T, Backend> patches_;   // then their gradients
  matrix<T, Backend> products_;  // outputs, or their gradients
};

}  // namespace gal::nn::detail

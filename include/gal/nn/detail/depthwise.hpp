// gal/nn/detail/depthwise.hpp: the arithmetic of depthwise convolution, directly. Every kernel gathers, as those of windows.hpp.
// Provides: nothing public; nn::detail::depthwise_unit for gal/nn/cnn.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/view.hpp>
#include <gal/nn/detail/kernels.hpp>
#include <gal/nn/detail/windows.hpp>
#include <gal/nn/layers.hpp>

#include <utility>

namespace gal::inline GAL_ABI::nn::detail {

// A number of the kernel of a channel times one sample's gradient, for all of both, from images that have their border.
template <class T, class Backend>
void multiply_by_windows(const Backend& backend, const window& g, index_type samples, const T* images,
                         const T* gradient, double* products) {
  backend.for_each(g.kernel_area(), g.channels * samples, [=] GAL_KERNEL(index_type k, index_type j) {
    constexpr index_type lanes = 16;  // sums that run side by side, which vectorises
    T sums[lanes] = {};
    const index_type kernel_row = k / g.kernel_width;
    const index_type kernel_column = k - kernel_row * g.kernel_width;
    const T* const image = images +
                           (j * g.padded_height() + kernel_row * g.dilation_height) * g.padded_width() +
                           kernel_column * g.dilation_width;
    for (index_type i = 0; i < g.out_height; ++i) {
      const T* const line = image + i * g.stride_height * g.padded_width();
      const T* const factor = gradient + (j * g.out_height + i) * g.out_width;
      index_type q = 0;
      if (g.stride_width == 1) {
        for (; q + lanes <= g.out_width; q += lanes) {
          for (index_type lane = 0; lane < lanes; ++lane) {
            sums[lane] += factor[q + lane] * line[q + lane];
          }
        }
      }
      for (; q < g.out_width; ++q) {
        sums[q % lanes] += factor[q] * line[q * g.stride_width];
      }
    }
    double total = 0.0;
    for (const T sum : sums) {
      total += static_cast<double>(sum);
    }
    products[j * g.kernel_area() + k] = total;
  });
}

// The gradient with respect to images, from that of the outputs.
template <class T, class Backend>
void collect_depthwise(const Backend& backend, const window& g, const T* weight, const T* gradient,
                       matrix<T, Backend>& padded, view_in<T, Backend> delta) {
  collect_windows(
      backend, g, delta.columns(),
      [=] GAL_KERNEL(index_type s, index_type c, index_type k, index_type position) {
        return scaled_row<T>{gradient + ((s * g.channels + c) * g.out_height + position) * g.out_width,
                             weight[c * g.kernel_area() + k]};
      },
      padded, delta.data());
}

/// Depthwise convolution: every channel has a kernel of its own, too small for a product. Row by row: an output's row is
/// a sum of the image's rows, moved.
template <class T, class Backend>
class depthwise_unit : public convolution_parameters<T, Backend> {
  using base = convolution_parameters<T, Backend>;

 public:
  using base::weights;

  depthwise_unit(const convolution& options, const window& geometry, index_type first_value)
      : base(geometry.channels, geometry.kernel_area(), options.bias, first_value), geometry_(geometry) {}

  void forward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<T, Backend> y) {
    use_backend(p.backend, padded_, padded_delta_, products_, weight_sums_);
    p.backend.for_each(
        geometry_.out_height, geometry_.channels * x.columns(),
        [g = geometry_, weight = this->weight(p), bias = this->bias(p),
         from = padded_images(p.backend, geometry_, x, padded_),
         to = y.data()] GAL_KERNEL(index_type i, index_type j) {
          const index_type c = j % g.channels;
          T* const line = to + (j * g.out_height + i) * g.out_width;
          fill_row(line, g.out_width, bias != nullptr ? bias[c] : T(0));
          for (index_type kernel_row = 0; kernel_row < g.kernel_height; ++kernel_row) {
            const T* const row =
                from + (j * g.padded_height() + i * g.stride_height + kernel_row * g.dilation_height) *
                           g.padded_width();
            for (index_type kernel_column = 0; kernel_column < g.kernel_width; ++kernel_column) {
              const T factor = weight[(c * g.kernel_height + kernel_row) * g.kernel_width + kernel_column];
              add_row(row + kernel_column * g.dilation_width, g.stride_width, factor, g.out_width, line, 1);
            }
          }
        });
  }

  void backward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<const T, Backend>,
                view_in<const T, Backend> gradient, view_in<T, Backend> delta) {
    // The border is there since the forward pass.
    const T* const images = geometry_.is_padded() ? std::as_const(padded_).data() : x.data();
    products_.resize(geometry_.kernel_area(), geometry_.channels * x.columns());
    multiply_by_windows(p.backend, geometry_, x.columns(), images, gradient.data(), products_.data());
    weight_sums_.resize(weights(), 1);
    sum_samples(p.backend, weights(), x.columns(), products_.data(), weight_sums_.data());
    add_rounded(p.backend, weights(), weight_sums_.data(), this->weight_gradient(p));
    this->add_bias_gradient(p, gradient);
    if (!delta.empty()) {
      collect_depthwise(p.backend, geometry_, this->weight(p), gradient.data(), padded_delta_, delta);
    }
  }

 private:
  window geometry_;
  matrix<T, Backend> padded_;  // images with their border
  matrix<T, Backend> padded_delta_;
  matrix<double, Backend> products_;
  matrix<double, Backend> weight_sums_;
};

}  // namespace gal::nn::detail

// gal/nn/detail/depthwise.hpp: the arithmetic of depthwise convolution, directly. Every kernel gathers, as those of windows.hpp.
// Provides: nothing public; nn::detail::depthwise_unit for gal/nn/cnn.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/view.hpp>
#include <gal/nn/detail/windows.hpp>
#include <gal/nn/layers.hpp>

#include <utility>

namespace gal::inline GAL_ABI::nn::detail {

/// Depthwise convolution: every channel has a kernel of its own, too small for a product. Row by row: an output's row is
/// a sum of the image's rows, moved.
template <class T, class Backend>
class depthwise_unit : public convolution_parameters<T, Backend> {
  using base = convolution_parameters<T, Backend>;

 public:
  using base::weights;
  using memory_type = typename Backend::memory_type;
  using view = matrix_view<const T, memory_type>;
  using mutable_view = matrix_view<T, memory_type>;

  depthwise_unit(const convolution& options, const window& geometry, index_type first_value)
      : base(geometry.channels, geometry.kernel_area(), options.bias, first_value), geometry_(geometry) {}

  void forward(const pass<T, Backend>& p, view x, mutable_view y) {
    use_backend(p.backend, image_, image_delta_, products_, kernel_sums_);
    const window g = geometry_;
    const T* const weight = this->weight(p);
    const T* const bias = this->bias(p);
    p.backend.for_each(g.out_height, g.channels * x.columns(),
                       [=, from = pad(p.backend, x), to = y.data()] GAL_KERNEL(index_type i, index_type j) {
                         const index_type c = j % g.channels;
                         T* const line = to + (j * g.out_height + i) * g.out_width;
                         const T first = bias != nullptr ? bias[c] : T(0);
                         for (index_type q = 0; q < g.out_width; ++q) {
                           line[q] = first;
                         }
                         for (index_type k = 0; k < g.kernel_height; ++k) {
                           const T* const row =
                               from + (j * g.padded_height() + i * g.stride_height + k * g.dilation_height) *
                                          g.padded_width();
                           for (index_type l = 0; l < g.kernel_width; ++l) {
                             const T factor = weight[(c * g.kernel_height + k) * g.kernel_width + l];
                             const T* const moved = row + l * g.dilation_width;
                             if (g.stride_width == 1) {
                               for (index_type q = 0; q < g.out_width; ++q) {
                                 line[q] += factor * moved[q];
                               }
                             } else {
                               for (index_type q = 0; q < g.out_width; ++q) {
                                 line[q] += factor * moved[q * g.stride_width];
                               }
                             }
                           }
                         }
                       });
  }

  void backward(const pass<T, Backend>& p, view x, view, view gradient, mutable_view delta) {
    // The border is there since the forward pass.
    const T* const image = geometry_.is_padded() ? std::as_const(image_).data() : x.data();
    add_weight_gradient(p.backend, x.columns(), image, gradient, this->weight_gradient(p));
    this->add_bias_gradient(p, gradient);
    if (!delta.empty()) {
      gather_delta(p.backend, this->weight(p), gradient, delta);
    }
  }

  GAL_PRIVATE_KERNELS
  const T* pad(const Backend& backend, view x) {
    if (!geometry_.is_padded()) {
      return x.data();
    }
    image_.resize(geometry_.channels * geometry_.padded_area(), x.columns());
    pad_images(backend, geometry_, x.columns(), x.data(), image_.data());
    return image_.data();
  }

  // A number of the kernel times one sample's gradient, for all of both; then the sums over the samples.
  void add_weight_gradient(const Backend& backend, index_type samples, const T* from, view gradient, T* to) {
    const window g = geometry_;
    products_.resize(g.kernel_area(), g.channels * samples);
    backend.for_each(
        g.kernel_area(), g.channels * samples,
        [=, outer = gradient.data(), products = products_.data()] GAL_KERNEL(index_type k, index_type j) {
          constexpr index_type lanes = 16;  // sums that run side by side, which vectorises
          T sums[lanes] = {};
          const index_type kernel_row = k / g.kernel_width;
          const index_type kernel_column = k - kernel_row * g.kernel_width;
          const T* const image = from +
                                 (j * g.padded_height() + kernel_row * g.dilation_height) * g.padded_width() +
                                 kernel_column * g.dilation_width;
          for (index_type i = 0; i < g.out_height; ++i) {
            const T* const line = image + i * g.stride_height * g.padded_width();
            const T* const factor = outer + (j * g.out_height + i) * g.out_width;
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
    kernel_sums_.resize(weights(), 1);
    backend.sum_rows(
        samples, weights(),
        [count = weights(), products = products_.data()] GAL_KERNEL(index_type s, index_type i) {
          return products[s * count + i];
        },
        kernel_sums_.data());
    backend.for_each(weights(), [to, from = kernel_sums_.data()] GAL_KERNEL(index_type i) {
      to[i] += static_cast<T>(from[i]);
    });
  }

  void gather_delta(const Backend& backend, const T* weight, view gradient, mutable_view delta) {
    const window g = geometry_;
    const index_type samples = delta.columns();
    T* to = delta.data();
    if (g.is_padded()) {
      image_delta_.resize(g.channels * g.padded_area(), samples);
      to = image_delta_.data();
    }
    backend.for_each(g.padded_height(), g.channels * samples,
                     [=, from = gradient.data()] GAL_KERNEL(index_type row, index_type j) {
                       const index_type c = j % g.channels;
                       T* const line = to + (j * g.padded_height() + row) * g.padded_width();
                       for (index_type q = 0; q < g.padded_width(); ++q) {
                         line[q] = T(0);
                       }
                       for (index_type k = 0; k < g.kernel_height; ++k) {
                         const index_type position = position_seeing(g, row, k);
                         if (position < 0) {
                           continue;
                         }
                         for (index_type l = 0; l < g.kernel_width; ++l) {
                           add_row(from + (j * g.out_height + position) * g.out_width,
                                   weight[(c * g.kernel_height + k) * g.kernel_width + l], g.out_width,
                                   line + l * g.dilation_width, g.stride_width);
                         }
                       }
                     });
    if (g.is_padded()) {
      crop_images(backend, g, samples, std::as_const(to), delta.data());
    }
  }

  window geometry_;
  matrix<T, Backend> image_;  // with its border
  matrix<T, Backend> image_delta_;
  matrix<double, Backend> products_;
  matrix<double, Backend> kernel_sums_;
};

}  // namespace gal::nn::detail

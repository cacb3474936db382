// gal/convolution.hpp: the arithmetic of windows that move over images: convolution as a product, and pooling. Every
// kernel gathers: no two of its indices write one number, so that results do not depend on the order.
// Provides: nothing public; nn::detail::pass, convolution_unit, max_pool_unit, average_pool_unit for gal/cnn.hpp.
#pragma once

#include <gal/backend.hpp>
#include <gal/layers.hpp>
#include <gal/view.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

namespace gal::nn::detail {

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
void sum_over_samples(const Backend& backend, index rows, index groups, index samples, F f,
                      matrix<double, Backend>& partial, double* sums) {
  partial.resize(groups, samples);
  backend.sum_rows(rows, groups * samples, f, partial.data());
  backend.sum_rows(
      samples, groups,
      [from = partial.data(), groups] GAL_KERNEL(index s, index j) { return from[s * groups + j]; }, sums);
}

/// First and one past the last position whose window sees column `offset` of it inside an image of that width.
struct position_range {
  index first, last;
};
[[nodiscard]] GAL_HOST_DEVICE constexpr position_range positions_inside(index start, index stride,
                                                                        index width, index positions) {
  const index first = start >= 0 ? 0 : (stride - 1 - start) / stride;
  const index last = start >= width ? 0 : (width - 1 - start) / stride + 1;
  return {first < positions ? first : positions, last < positions ? last : positions};
}

/// Convolution as a product. The patches of m samples are a matrix of (m positions) x (channels x kernel), in memory
/// (channel, kernel row, kernel column, sample, position); the product with the weights, a C-order (outputs, channels
/// of a group, kernel rows, kernel columns) array, has the outputs in its columns. Groups are ranges of columns.
template <class T, class Backend>
class convolution_unit {
 public:
  using memory_type = typename Backend::memory_type;
  using view = matrix_view<const T, memory_type>;
  using mutable_view = matrix_view<T, memory_type>;

  convolution_unit(const convolution& options, const window& geometry, index first_value)
      : geometry_(geometry),
        outputs_(options.channels),
        groups_(options.groups),
        bias_(options.bias),
        first_value_(first_value) {}

  [[nodiscard]] index weights() const { return outputs_ * depth(); }
  [[nodiscard]] index biases() const { return bias_ ? outputs_ : 0; }
  /// Numbers that one output sees.
  [[nodiscard]] index depth() const { return geometry_.channels / groups_ * geometry_.kernel_area(); }

  void forward(const pass<T, Backend>& p, view x, mutable_view y) {
    use_backend(p.backend, patches_, products_, partial_, sums_);
    const T* const weight = p.values + first_value_;
    const T* const bias = bias_ ? weight + weights() : nullptr;
    in_parts(x.columns(), [&](index first, index samples) {
      gather_patches(p.backend, x.columns(first, samples));
      const mutable_view part = y.columns(first, samples);
      // The product of one sample has the layout of its output.
      T* const product = samples == 1 ? part.data() : resized(products_, samples * part.rows());
      for (index g = 0; g < groups_; ++g) {
        p.backend.product(transpose::no, transpose::no, T(1), patches_of(g, samples), weight_of(weight, g),
                          T(0), product_of(product, g, samples));
      }
      if (samples > 1 || bias != nullptr) {
        p.backend.for_each(geometry_.out_area(), outputs_ * samples,
                           [=, to = part.data(), positions = geometry_.out_area(),
                            outputs = outputs_] GAL_KERNEL(index i, index j) {
                             const index s = j / outputs;
                             const index o = j - s * outputs;
                             to[j * positions + i] = product[(o * samples + s) * positions + i] +
                                                     (bias != nullptr ? bias[o] : T(0));
                           });
      }
    });
  }

  /// Adds to the parameters' gradients, and stores that with respect to x in `delta` unless it is empty.
  void backward(const pass<T, Backend>& p, view x, view, view gradient, mutable_view delta) {
    const T* const weight = p.values + first_value_;
    T* const weight_gradient = p.gradients + first_value_;
    in_parts(x.columns(), [&](index first, index samples) {
      gather_patches(p.backend, x.columns(first, samples));
      const view part = gradient.columns(first, samples);
      const T* outer = part.data();
      if (samples > 1) {
        T* const to = resized(products_, samples * part.rows());
        p.backend.for_each(geometry_.out_area(), outputs_ * samples,
                           [=, from = part.data(), positions = geometry_.out_area(),
                            outputs = outputs_] GAL_KERNEL(index i, index j) {
                             const index o = j / samples;
                             const index s = j - o * samples;
                             to[j * positions + i] = from[(s * outputs + o) * positions + i];
                           });
        outer = to;
      }
      for (index g = 0; g < groups_; ++g) {
        p.backend.product(transpose::yes, transpose::no, T(1), patches_of(g, samples),
                          product_of(outer, g, samples), T(1), weight_of(weight_gradient, g));
      }
      if (!delta.empty()) {
        for (index g = 0; g < groups_; ++g) {
          p.backend.product(transpose::no, transpose::yes, T(1), product_of(outer, g, samples),
                            weight_of(weight, g), T(0), mutable_patches_of(g, samples));
        }
        gather_delta(p.backend, delta.columns(first, samples));
      }
    });
    if (bias_) {
      sums_.resize(outputs_, 1);
      sum_over_samples(
          p.backend, geometry_.out_area(), outputs_, x.columns(),
          [from = gradient.data(), positions = geometry_.out_area()] GAL_KERNEL(index i, index j) {
            return static_cast<double>(from[j * positions + i]);
          },
          partial_, sums_.data());
      p.backend.for_each(outputs_, [to = weight_gradient + weights(), from = sums_.data()] GAL_KERNEL(
                                       index o) { to[o] += static_cast<T>(from[o]); });
    }
  }

  GAL_PRIVATE_KERNELS
  // The patches of as many samples as a cache holds; of more on a device, which wants few large products.
  static constexpr index patch_budget =
      std::same_as<memory_type, host_memory> ? index{1} << 15 : index{1} << 24;

  template <class Part>
  void in_parts(index samples, Part part) const {
    const index of_one =
        std::max(index{1}, geometry_.channels * geometry_.kernel_area() * geometry_.out_area());
    const index size = std::clamp(patch_budget / of_one, index{1}, samples);
    for (index first = 0; first < samples; first += size) {
      part(first, std::min(size, samples - first));
    }
  }

  static T* resized(matrix<T, Backend>& buffer, index count) {
    buffer.resize(count, 1);
    return buffer.data();
  }

  [[nodiscard]] mutable_view mutable_patches_of(index group, index samples) {
    const index rows = samples * geometry_.out_area();
    return {patches_.data() + group * depth() * rows, rows, depth()};
  }
  [[nodiscard]] view patches_of(index group, index samples) {
    return mutable_patches_of(group, samples).as_const();
  }
  template <class U>
  [[nodiscard]] matrix_view<U, memory_type> product_of(U* product, index group, index samples) const {
    const index rows = samples * geometry_.out_area();
    const index columns = outputs_ / groups_;
    return {product + group * columns * rows, rows, columns};
  }
  template <class U>
  [[nodiscard]] matrix_view<U, memory_type> weight_of(U* weight, index group) const {
    const index columns = outputs_ / groups_;
    return {weight + group * columns * depth(), depth(), columns};
  }

  // A row of positions at a time, which is a row of the image moved by the kernel's position (im2col).
  void gather_patches(const Backend& backend, view x) {
    const window g = geometry_;
    const index samples = x.columns();
    patches_.resize(samples * g.out_area(), g.channels * g.kernel_area());
    backend.for_each(
        g.out_height, patches_.columns() * samples,
        [g, samples, from = x.data(), to = patches_.data()] GAL_KERNEL(index i, index j) {
          const index k = j / samples;
          const index s = j - k * samples;
          const index c = k / g.kernel_area();
          const index kernel_row = (k - c * g.kernel_area()) / g.kernel_width;
          const index kernel_column = k % g.kernel_width;
          const index row = i * g.stride_height - g.padding_height + kernel_row * g.dilation_height;
          T* const patch = to + (j * g.out_height + i) * g.out_width;
          if (row < 0 || row >= g.height) {
            for (index q = 0; q < g.out_width; ++q) {
              patch[q] = T(0);
            }
            return;
          }
          const index start = kernel_column * g.dilation_width - g.padding_width;
          const auto [first, last] = positions_inside(start, g.stride_width, g.width, g.out_width);
          const T* const line = from + ((s * g.channels + c) * g.height + row) * g.width;
          for (index q = 0; q < first; ++q) {
            patch[q] = T(0);
          }
          if (g.stride_width == 1) {  // a copy, which vectorises
            for (index q = first; q < last; ++q) {
              patch[q] = line[start + q];
            }
          } else {
            for (index q = first; q < last; ++q) {
              patch[q] = line[start + q * g.stride_width];
            }
          }
          for (index q = last; q < g.out_width; ++q) {
            patch[q] = T(0);
          }
        });
  }

  // The way back: every row of the image collects from the patches that it is in.
  void gather_delta(const Backend& backend, mutable_view delta) {
    const window g = geometry_;
    const index samples = delta.columns();
    backend.for_each(
        g.height, g.channels * samples,
        [g, samples, from = patches_.data(), to = delta.data()] GAL_KERNEL(index row, index j) {
          const index s = j / g.channels;
          const index c = j - s * g.channels;
          T* const line = to + (j * g.height + row) * g.width;
          for (index q = 0; q < g.width; ++q) {
            line[q] = T(0);
          }
          for (index kernel_row = 0; kernel_row < g.kernel_height; ++kernel_row) {
            const index above = row + g.padding_height - kernel_row * g.dilation_height;
            if (above < 0 || above % g.stride_height != 0 || above / g.stride_height >= g.out_height) {
              continue;
            }
            for (index kernel_column = 0; kernel_column < g.kernel_width; ++kernel_column) {
              const index k = c * g.kernel_area() + kernel_row * g.kernel_width + kernel_column;
              const T* const patch =
                  from + ((k * samples + s) * g.out_height + above / g.stride_height) * g.out_width;
              const index start = kernel_column * g.dilation_width - g.padding_width;
              const auto [first, last] = positions_inside(start, g.stride_width, g.width, g.out_width);
              if (g.stride_width == 1) {
                for (index q = first; q < last; ++q) {
                  line[start + q] += patch[q];
                }
              } else {
                for (index q = first; q < last; ++q) {
                  line[start + q * g.stride_width] += patch[q];
                }
              }
            }
          }
        });
  }

  window geometry_;
  index outputs_;
  index groups_;
  bool bias_;
  index first_value_;
  matrix<T, Backend> patches_;
  matrix<T, Backend> products_;
  matrix<double, Backend> partial_;
  matrix<double, Backend> sums_;
};

/// The positions of the window that see row (or column) `at`: [first, last).
[[nodiscard]] GAL_HOST_DEVICE constexpr position_range positions_that_see(index at, index kernel,
                                                                          index stride, index padding,
                                                                          index positions) {
  const index low = at + padding - kernel + 1;  // start of the first window that reaches `at`
  const index first = low <= 0 ? 0 : (low + stride - 1) / stride;
  const index last = (at + padding) / stride + 1;
  return {first, last < positions ? last : positions};
}

/// The largest number of every window; of equal ones the first, and NaN before all.
template <class T, class Backend>
class max_pool_unit {
 public:
  using memory_type = typename Backend::memory_type;
  using view = matrix_view<const T, memory_type>;
  using mutable_view = matrix_view<T, memory_type>;

  explicit max_pool_unit(const window& geometry) : geometry_(geometry) {}

  void forward(const pass<T, Backend>& p, view x, mutable_view y) {
    use_backend(p.backend, places_);
    const window g = geometry_;
    places_.resize(y.rows(), y.columns());
    p.backend.for_each(
        g.out_area(), g.channels * x.columns(),
        [g, from = x.data(), to = y.data(), places = places_.data()] GAL_KERNEL(index i, index j) {
          const T* const image = from + j * g.area();
          const index top = i / g.out_width * g.stride_height - g.padding_height;
          const index left = i % g.out_width * g.stride_width - g.padding_width;
          const index bottom = top + g.kernel_height < g.height ? top + g.kernel_height : g.height;
          const index right = left + g.kernel_width < g.width ? left + g.kernel_width : g.width;
          const index first_column = left < 0 ? 0 : left;
          index place = (top < 0 ? 0 : top) * g.width + first_column;
          T largest = image[place];
          for (index r = top < 0 ? 0 : top; r < bottom; ++r) {
            for (index c = first_column; c < right; ++c) {
              const T value = image[r * g.width + c];
              if (value > largest || value != value) {
                largest = value;
                place = r * g.width + c;
              }
            }
          }
          to[j * g.out_area() + i] = largest;
          places[j * g.out_area() + i] = static_cast<std::int32_t>(place);
        });
  }

  void backward(const pass<T, Backend>& p, view, view, view gradient, mutable_view delta) {
    if (delta.empty()) {
      return;
    }
    const window g = geometry_;
    p.backend.for_each(
        g.area(), g.channels * delta.columns(),
        [g, from = gradient.data(), to = delta.data(), places = places_.data()] GAL_KERNEL(index i, index j) {
          const auto [top, bottom] = positions_that_see(i / g.width, g.kernel_height, g.stride_height,
                                                        g.padding_height, g.out_height);
          const auto [left, right] =
              positions_that_see(i % g.width, g.kernel_width, g.stride_width, g.padding_width, g.out_width);
          T sum = T(0);
          for (index r = top; r < bottom; ++r) {
            for (index c = left; c < right; ++c) {
              const index at = j * g.out_area() + r * g.out_width + c;
              sum += places[at] == i ? from[at] : T(0);
            }
          }
          to[j * g.area() + i] = sum;
        });
  }

  GAL_PRIVATE_KERNELS
  window geometry_;
  matrix<std::int32_t, Backend> places_;  // of the largest number, in its channel
};

/// The mean of every window, zeros of the padding included.
template <class T, class Backend>
class average_pool_unit {
 public:
  using memory_type = typename Backend::memory_type;
  using view = matrix_view<const T, memory_type>;
  using mutable_view = matrix_view<T, memory_type>;

  explicit average_pool_unit(const window& geometry) : geometry_(geometry) {}

  void forward(const pass<T, Backend>& p, view x, mutable_view y) {
    const window g = geometry_;
    const T share = T(1) / static_cast<T>(g.kernel_area());
    p.backend.for_each(
        g.out_area(), g.channels * x.columns(),
        [g, share, from = x.data(), to = y.data()] GAL_KERNEL(index i, index j) {
          const T* const image = from + j * g.area();
          const index top = i / g.out_width * g.stride_height - g.padding_height;
          const index left = i % g.out_width * g.stride_width - g.padding_width;
          const index bottom = top + g.kernel_height < g.height ? top + g.kernel_height : g.height;
          const index right = left + g.kernel_width < g.width ? left + g.kernel_width : g.width;
          T sum = T(0);
          for (index r = top < 0 ? 0 : top; r < bottom; ++r) {
            for (index c = left < 0 ? 0 : left; c < right; ++c) {
              sum += image[r * g.width + c];
            }
          }
          to[j * g.out_area() + i] = share * sum;
        });
  }

  void backward(const pass<T, Backend>& p, view, view, view gradient, mutable_view delta) {
    if (delta.empty()) {
      return;
    }
    const window g = geometry_;
    const T share = T(1) / static_cast<T>(g.kernel_area());
    p.backend.for_each(g.area(), g.channels * delta.columns(),
                       [g, share, from = gradient.data(), to = delta.data()] GAL_KERNEL(index i, index j) {
                         const auto [top, bottom] = positions_that_see(
                             i / g.width, g.kernel_height, g.stride_height, g.padding_height, g.out_height);
                         const auto [left, right] = positions_that_see(
                             i % g.width, g.kernel_width, g.stride_width, g.padding_width, g.out_width);
                         T sum = T(0);
                         for (index r = top; r < bottom; ++r) {
                           for (index c = left; c < right; ++c) {
                             sum += from[j * g.out_area() + r * g.out_width + c];
                           }
                         }
                         to[j * g.area() + i] = share * sum;
                       });
  }

  GAL_PRIVATE_KERNELS
  window geometry_;
};

}  // namespace gal::nn::detail

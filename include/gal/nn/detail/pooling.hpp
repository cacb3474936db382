// gal/nn/detail/pooling.hpp: the arithmetic of pooling. Every kernel gathers: no two of its indices write one number.
// Provides: nothing public; nn::detail::max_pool_unit, average_pool_unit for gal/nn/cnn.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/view.hpp>
#include <gal/nn/detail/kernels.hpp>
#include <gal/nn/layers.hpp>

#include <cstdint>

namespace gal::inline GAL_ABI::nn::detail {

/// First and one past the last of some positions.
struct position_range {
  index_type first, last;
};

/// Those whose window sees column `start` + position times stride inside an image of that width.
[[nodiscard]] GAL_HOST_DEVICE constexpr position_range positions_inside(index_type start, index_type stride,
                                                                        index_type width,
                                                                        index_type positions) {
  const index_type first = start >= 0 ? 0 : (stride - 1 - start) / stride;
  const index_type last = start >= width ? 0 : (width - 1 - start) / stride + 1;
  return {first < positions ? first : positions, last < positions ? last : positions};
}

/// The positions of the window that see row (or column) `at`: [first, last).
[[nodiscard]] GAL_HOST_DEVICE constexpr position_range positions_that_see(index_type at, index_type kernel,
                                                                          index_type stride,
                                                                          index_type padding,
                                                                          index_type positions) {
  const index_type low = at + padding - kernel + 1;  // start of the first window that reaches `at`
  const index_type first = low <= 0 ? 0 : (low + stride - 1) / stride;
  const index_type last = (at + padding) / stride + 1;
  return {first, last < positions ? last : positions};
}

template <class T>
[[gnu::always_inline]] GAL_HOST_DEVICE inline void keep_larger(T value, index_type at, T& largest,
                                                               std::int32_t& place) {
  const bool better = value > largest || value != value;
  largest = better ? value : largest;
  place = better ? static_cast<std::int32_t>(at) : place;
}

// A row of positions: all of them compare the number that their windows have at one place, then at the next.
template <class T>
[[gnu::always_inline]] GAL_HOST_DEVICE inline void find_largest(const window& g, index_type i, const T* image,
                                                                T* y, std::int32_t* places) {
  const index_type top = i * g.stride_height - g.padding_height;
  const index_type first_row = top < 0 ? 0 : top;
  const index_type bottom = top + g.kernel_height < g.height ? top + g.kernel_height : g.height;
  T* const largest = y + i * g.out_width;
  std::int32_t* const place = places + i * g.out_width;
  for (index_type q = 0; q < g.out_width; ++q) {
    const index_type left = q * g.stride_width - g.padding_width;
    const index_type start = first_row * g.width + (left < 0 ? 0 : left);
    largest[q] = image[start];
    place[q] = static_cast<std::int32_t>(start);
  }
  for (index_type row = first_row; row < bottom; ++row) {
    for (index_type column = 0; column < g.kernel_width; ++column) {
      const index_type left = column - g.padding_width;
      const position_range inside = positions_inside(left, g.stride_width, g.width, g.out_width);
      const index_type start = row * g.width + left;
      if (g.stride_width == 2) {  // a loop that vectorises
        for (index_type q = inside.first; q < inside.last; ++q) {
          keep_larger(image[start + 2 * q], start + 2 * q, largest[q], place[q]);
        }
      } else {
        for (index_type q = inside.first; q < inside.last; ++q) {
          keep_larger(image[start + q * g.stride_width], start + q * g.stride_width, largest[q], place[q]);
        }
      }
    }
  }
}

// The gradient with respect to images, from that of pooling: number i of a channel collects `share_of(at, i)`, its share in
// the output at `at`, from all windows that see it, and is `factor` times their sum.
template <class T, class Backend, class ShareOf>
void collect_pooled(const Backend& backend, const window& g, T factor, ShareOf share_of,
                    view_in<T, Backend> delta) {
  backend.for_each(
      g.area(), g.channels * delta.columns(), [=, to = delta.data()] GAL_KERNEL(index_type i, index_type j) {
        const auto [top, bottom] =
            positions_that_see(i / g.width, g.kernel_height, g.stride_height, g.padding_height, g.out_height);
        const auto [left, right] =
            positions_that_see(i % g.width, g.kernel_width, g.stride_width, g.padding_width, g.out_width);
        T sum = T(0);
        for (index_type r = top; r < bottom; ++r) {
          for (index_type c = left; c < right; ++c) {
            sum += share_of(j * g.out_area() + r * g.out_width + c, i);
          }
        }
        to[j * g.area() + i] = factor * sum;
      });
}

/// The largest number of every window; of equal ones the first, and NaN before all.
template <class T, class Backend>
class max_pool_unit {
 public:
  explicit max_pool_unit(const window& geometry) : geometry_(geometry) {}

  void forward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<T, Backend> y) {
    use_backend(p.backend, places_);
    places_.resize(y.rows(), y.columns());
    p.backend.for_each(geometry_.out_height, geometry_.channels * x.columns(),
                       [g = geometry_, from = x.data(), to = y.data(), places = places_.data()] GAL_KERNEL(
                           index_type i, index_type j) {
                         find_largest(g, i, from + j * g.area(), to + j * g.out_area(),
                                      places + j * g.out_area());
                       });
  }

  void backward(const pass<T, Backend>& p, view_in<const T, Backend>, view_in<const T, Backend>,
                view_in<const T, Backend> gradient, view_in<T, Backend> delta) {
    if (delta.empty()) {
      return;
    }
    const window g = geometry_;
    if (g.kernel_height <= g.stride_height && g.kernel_width <= g.stride_width) {
      // A number is in one window at most: every window writes its own.
      p.backend.fill(delta.data(), delta.size(), T(0));
      p.backend.for_each(g.out_area(), g.channels * delta.columns(),
                         [g, from = gradient.data(), to = delta.data(), places = places_.data()] GAL_KERNEL(
                             index_type i, index_type j) {
                           const index_type at = j * g.out_area() + i;
                           to[j * g.area() + places[at]] = from[at];
                         });
      return;
    }
    collect_pooled(
        p.backend, g, T(1),
        [from = gradient.data(), places = places_.data()] GAL_KERNEL(index_type at, index_type i) {
          return places[at] == i ? from[at] : T(0);
        },
        delta);
  }

  [[nodiscard]] const window& geometry() const { return geometry_; }
  /// Of the last forward pass: where each output's number is, in its channel.
  [[nodiscard]] const std::int32_t* places() const { return places_.data(); }

 private:
  window geometry_;
  matrix<std::int32_t, Backend> places_;  // of the largest number, in its channel
};

/// The mean of every window, zeros of the padding included.
template <class T, class Backend>
class average_pool_unit {
 public:
  explicit average_pool_unit(const window& geometry) : geometry_(geometry) {}

  void forward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<T, Backend> y) {
    p.backend.for_each(
        geometry_.out_area(), geometry_.channels * x.columns(),
        [g = geometry_, factor = share(), from = x.data(), to = y.data()] GAL_KERNEL(index_type i,
                                                                                     index_type j) {
          const T* const image = from + j * g.area();
          const index_type top = i / g.out_width * g.stride_height - g.padding_height;
          const index_type left = i % g.out_width * g.stride_width - g.padding_width;
          const index_type bottom = top + g.kernel_height < g.height ? top + g.kernel_height : g.height;
          const index_type right = left + g.kernel_width < g.width ? left + g.kernel_width : g.width;
          T sum = T(0);
          for (index_type r = top < 0 ? 0 : top; r < bottom; ++r) {
            for (index_type c = left < 0 ? 0 : left; c < right; ++c) {
              sum += image[r * g.width + c];
            }
          }
          to[j * g.out_area() + i] = factor * sum;
        });
  }

  void backward(const pass<T, Backend>& p, view_in<const T, Backend>, view_in<const T, Backend>,
                view_in<const T, Backend> gradient, view_in<T, Backend> delta) {
    if (!delta.empty()) {
      collect_pooled(
          p.backend, geometry_, share(),
          [from = gradient.data()] GAL_KERNEL(index_type at, index_type) { return from[at]; }, delta);
    }
  }

 private:
  [[nodiscard]] T share() const { return T(1) / static_cast<T>(geometry_.kernel_area()); }

  window geometry_;
};

}  // namespace gal::nn::detail

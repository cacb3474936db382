// gal/nn/detail/gathered_convolution.hpp: the convolution of one sample as products that gather their factors from the image.
// Provides: nothing public; nn::detail::gathered_convolution for gal/nn/detail/convolution_direct.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/view.hpp>
#include <gal/nn/detail/windows.hpp>
#include <gal/nn/layers.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::nn::detail {

/// How the channels of an image lie in memory with a border of zeros, so that every window lies inside. With a stride,
/// columns that neighbouring windows see at the same place are neighbours: first those of remainder 0.
struct image_layout {
  index_type channels, height, width;  // without the border
  index_type top, left;                // border
  index_type stride;
  index_type pitch;  // numbers from row to row
  index_type plane;  // from channel to channel

  image_layout(index_type image_channels, index_type image_height, index_type image_width,
               index_type top_border, index_type left_border, index_type bottom_border,
               index_type right_border, index_type column_stride)
      : channels(image_channels),
        height(image_height),
        width(image_width),
        top(top_border),
        left(left_border),
        stride(column_stride),
        pitch((left + width + right_border + stride - 1) / stride * stride),
        // An odd number of cache lines: channels a power of two apart would share their places in the cache.
        plane(((top + height + bottom_border) * pitch + 15) / 16 / 2 * 32 + 16) {}

  [[nodiscard]] index_type size() const { return channels * plane + gathered_slack; }
  /// Where a column, counted with the border, lies in a row.
  [[nodiscard]] index_type column(index_type c) const { return c % stride * (pitch / stride) + c / stride; }

  /// Copies an image to where it has its border already.
  template <class T, class Backend>
  void copy(const Backend& backend, const T* from, T* to) const {
    if (stride == 1) {
      backend.for_each(height, channels, [=, *this](index_type i, index_type c) {
        std::copy_n(from + (c * height + i) * width, width, to + c * plane + (top + i) * pitch + left);
      });
      return;
    }
    for (index_type q = 0; q < std::min(stride, width); ++q) {
      backend.for_each(height, channels,
                       [=, *this, first = column(left + q), count = (width - q + stride - 1) / stride](
                           index_type i, index_type c) {
                         copy_row(from + (c * height + i) * width + q, stride, count,
                                  to + c * plane + (top + i) * pitch + first);
                       });
    }
  }
};

/// What a thread works in, for one sample, and its sum of the weights' gradients.
template <class T, class Backend>
struct convolution_scratch {
  matrix<T, Backend> input;                // with its border, or the numbers that positions see
  matrix<T, Backend> output_gradient;      // with its border
  matrix<T, Backend> transposed_gradient;  // of a block of positions, outputs x positions
  matrix<T, Backend> weight_gradient;      // of the thread's samples
};

/// Numbers of a scratch's parts.
struct convolution_sizes {
  index_type input, output_gradient, transposed_gradient;
};

/// Convolution of a sample as products whose factors are gathered from the image itself. With x(p, k) the number that
/// position p of the output sees at place k of the kernel (k counts channels, kernel rows and kernel columns):
///
///     y(p, o) = sum over k of x(p, k) w(k, o)
///     dw(o, k) = sum over p of g(p, o) x(p, k)
///     dx(p, c) = sum over k of g(p, k) w(k, c), where p sees the gradient g of the outputs, the kernel turned by half
///
/// x(p, k) lies at places[p] + steps[k], for tables that depend on the geometry alone. With a stride, dx has one such product
/// for every remainder of its row and column.
class gathered_convolution {
 public:
  gathered_convolution(const window& geometry, index_type outputs, index_type groups)
      : geometry_(geometry),
        outputs_(outputs),
        groups_(groups),
        depth_(geometry.channels / groups * geometry.kernel_area()),
        input_layout_(input_layout(geometry)),
        gradient_layout_(gradient_layout(geometry, outputs)) {
    const window& g = geometry_;
    for (index_type c = 0; c < g.channels / groups_; ++c) {
      channel_places_.push_back(c * g.kernel_area());
      for (index_type i = 0; i < g.kernel_height; ++i) {
        for (index_type q = 0; q < g.kernel_width; ++q) {
          taps_.push_back(c * input_layout_.plane + i * g.dilation_height * input_layout_.pitch +
                          input_layout_.column(q * g.dilation_width));
        }
      }
    }
    for (index_type o = 0; o < outputs_ / groups_; ++o) {
      output_places_.push_back(o * depth_);
    }
    for (index_type k = 0; k < depth_; ++k) {
      weight_steps_.push_back(k);
    }
    for (index_type i = 0; i < g.out_height; ++i) {
      rows_.push_back(i * g.stride_height * input_layout_.pitch);
      out_rows_.push_back(i * g.out_width);
      for (index_type q = 0; q < g.out_width; ++q) {
        positions_.push_back(rows_.back() + q);
      }
    }
    for (index_type p = 0; p < block_positions(); ++p) {
      block_steps_.push_back(p * outputs_);
    }
    for (index_type i = 0; i < std::min(g.stride_height, g.height); ++i) {
      for (index_type q = 0; q < std::min(g.stride_width, g.width); ++q) {
        add_phase(i, q);
      }
    }
  }

  [[nodiscard]] convolution_sizes sizes() const {
    return {input_layout_.size(), gradient_layout_.size(), block_positions() * outputs_ + gathered_slack};
  }

  template <class T, class Backend>
  void forward(const Backend& backend, convolution_scratch<T, Backend>& scratch, const T* x, const T* weight,
               const T* bias, T* y) const {
    const window& g = geometry_;
    const index_type outputs = outputs_ / groups_;
    input_layout_.copy(backend, x, scratch.input.data());
    for (index_type group = 0; group < groups_; ++group) {
      const index_type first = group * outputs;
      backend.gathered_product(
          g.out_height, g.out_width, outputs, depth_,
          gathered_factor<T>{of_group(scratch.input, input_layout_, group), rows_.data(), taps_.data()},
          gathered_factor<T>{weight + first * depth_, output_places_.data(), weight_steps_.data()},
          gathered_target<T>{y + first * g.out_area(), out_rows_.data(), 1, g.out_area(),
                             bias != nullptr ? bias + first : nullptr, false});
    }
  }

  /// To the scratch's sum, of every group outputs x depth; in blocks of positions whose gradients the first cache holds.
  template <class T, class Backend>
  void add_weight_gradient(const Backend& backend, convolution_scratch<T, Backend>& scratch, const T* x,
                           const T* gradient) const {
    const index_type area = geometry_.out_area();
    const index_type outputs = outputs_ / groups_;
    input_layout_.copy(backend, x, scratch.input.data());
    for (index_type first = 0; first < area; first += block_positions()) {
      const index_type count = std::min(block_positions(), area - first);
      backend.transposed_copy(outputs_, count, gradient + first, area, scratch.transposed_gradient.data(),
                              outputs_);
      for (index_type group = 0; group < groups_; ++group) {
        backend.gathered_product(1, outputs, depth_, count,
                                 gathered_factor<T>{scratch.transposed_gradient.data() + group * outputs,
                                                    &start_, block_steps_.data()},
                                 gathered_factor<T>{of_group(scratch.input, input_layout_, group),
                                                    taps_.data(), positions_.data() + first},
                                 gathered_target<T>{scratch.weight_gradient.data() + group * outputs * depth_,
                                                    &start_, 1, outputs, nullptr, true});
      }
    }
  }

  /// Adds a scratch's sum, of every group outputs x depth, to the weights' gradient, depth x outputs.
  template <class T, class Backend>
  void add_weight_gradient_sum(const Backend& backend, const T* sum, T* to) const {
    backend.for_each(depth_, outputs_,
                     [=, depth = depth_, outputs = outputs_ / groups_](index_type k, index_type j) {
                       const index_type group = j / outputs;
                       to[j * depth + k] += sum[(group * depth + k) * outputs + j - group * outputs];
                     });
  }

  template <class T, class Backend>
  void store_delta(const Backend& backend, convolution_scratch<T, Backend>& scratch, const T* gradient,
                   const T* weight, T* delta) const {
    const window& g = geometry_;
    const index_type channels = g.channels / groups_;
    gradient_layout_.copy(backend, gradient, scratch.output_gradient.data());
    for (index_type group = 0; group < groups_; ++group) {
      for (const phase& at : phases_) {
        backend.gathered_product(
            static_cast<index_type>(at.places.size()), at.width, channels,
            static_cast<index_type>(at.steps.size()),
            gathered_factor<T>{of_group(scratch.output_gradient, gradient_layout_, group), at.places.data(),
                               at.steps.data()},
            gathered_factor<T>{weight + group * (outputs_ / groups_) * depth_, channel_places_.data(),
                               at.weights.data()},
            gathered_target<T>{delta + group * channels * g.area(), at.targets.data(), g.stride_width,
                               g.area(), nullptr, false});
      }
    }
  }

 private:
  static constexpr index_type most_positions = 256;

  // The rows and columns of the image with one remainder by the stride: a convolution of the outputs' gradient.
  struct phase {
    index_type width;
    std::vector<index_type> places;   // of its rows in gradient_layout_
    std::vector<index_type> targets;  // in the image
    std::vector<index_type> steps;    // from there to what the kernel sees, output by output
    std::vector<index_type> weights;  // that those are multiplied with
  };

  static image_layout input_layout(const window& g) {
    return {g.channels,      g.height,         g.width,         g.padding_height,
            g.padding_width, g.padding_height, g.padding_width, g.stride_width};
  }
  // With a border wide enough for every window that sees a number of the image.
  static image_layout gradient_layout(const window& g, index_type outputs) {
    const auto before = [](index_type kernel, index_type dilation, index_type padding, index_type stride) {
      return std::max<index_type>((kernel - 1) * dilation - padding, 0) / stride;
    };
    const auto after = [](index_type size, index_type padding, index_type stride, index_type positions) {
      return std::max<index_type>((size - 1 + padding) / stride - (positions - 1), 0);
    };
    return {outputs,
            g.out_height,
            g.out_width,
            before(g.kernel_height, g.dilation_height, g.padding_height, g.stride_height),
            before(g.kernel_width, g.dilation_width, g.padding_width, g.stride_width),
            after(g.height, g.padding_height, g.stride_height, g.out_height),
            after(g.width, g.padding_width, g.stride_width, g.out_width),
            1};
  }

  void add_phase(index_type row, index_type column) {
    const window& g = geometry_;
    phase result;
    result.width = (g.width - column + g.stride_width - 1) / g.stride_width;
    for (index_type i = 0; row + i * g.stride_height < g.height; ++i) {
      result.places.push_back(i * gradient_layout_.pitch);
      result.targets.push_back((row + i * g.stride_height) * g.width + column);
    }
    for (index_type o = 0; o < outputs_ / groups_; ++o) {
      for (index_type i = 0; i < g.kernel_height; ++i) {
        for (index_type q = 0; q < g.kernel_width; ++q) {
          const index_type down = row + g.padding_height - i * g.dilation_height;
          const index_type right = column + g.padding_width - q * g.dilation_width;
          if (down % g.stride_height == 0 && right % g.stride_width == 0) {
            result.steps.push_back(o * gradient_layout_.plane +
                                   (gradient_layout_.top + down / g.stride_height) * gradient_layout_.pitch +
                                   gradient_layout_.left + right / g.stride_width);
            result.weights.push_back(o * depth_ + i * g.kernel_width + q);
          }
        }
      }
    }
    phases_.push_back(std::move(result));
  }

  [[nodiscard]] index_type block_positions() const { return std::min(most_positions, geometry_.out_area()); }

  // The channels that a group sees.
  template <class T, class Backend>
  [[nodiscard]] const T* of_group(const matrix<T, Backend>& images, const image_layout& layout,
                                  index_type group) const {
    return images.data() + group * (layout.channels / groups_) * layout.plane;
  }

  window geometry_;
  index_type outputs_;
  index_type groups_;
  index_type depth_;
  image_layout input_layout_;
  image_layout gradient_layout_;            // of the outputs' gradient
  std::vector<index_type> taps_;            // from a position to what it sees
  std::vector<index_type> rows_;            // of positions, in input_layout_
  std::vector<index_type> positions_;       // likewise
  std::vector<index_type> out_rows_;        // of positions, in the output
  std::vector<index_type> output_places_;   // in a group's weights
  std::vector<index_type> channel_places_;  // likewise
  std::vector<index_type> weight_steps_;    // 0, 1, ...
  std::vector<index_type> block_steps_;     // from position to position in a block, outputs x positions
  std::vector<phase> phases_;
  index_type start_ = 0;
};

}  // namespace gal::nn::detail

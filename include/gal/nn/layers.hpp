// gal/nn/layers.hpp: the layers of a convolutional network, as one writes them down, and the shapes that they make.
// Provides: nn::extent, nn::layer and what it can be: nn::convolution, nn::depthwise_convolution,
// nn::batch_normalization, nn::max_pool, nn::average_pool, nn::global_average_pool, nn::dropout, nn::flatten, nn::linear,
// nn::residual, nn::channel_gate, and the activations of gal/nn/activation.hpp.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/view.hpp>
#include <gal/nn/activation.hpp>
#include <gal/nn/image_shape.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gal::inline GAL_ABI::nn {

/// Height and width of a window or a step; one number stands for both: `3` is `{3, 3}`.
struct extent {
  index_type height;
  index_type width;

  constexpr extent(index_type both) : height(both), width(both) {}  // NOLINT(google-explicit-constructor)
  constexpr extent(index_type rows, index_type columns) : height(rows), width(columns) {}
  friend bool operator==(const extent&, const extent&) = default;
};

[[nodiscard]] inline std::string to_string(extent e) { return gal::detail::text(e.height, " x ", e.width); }

/// y_o = b_o + sum over the channels c of o's group and the positions k of the kernel of w_ock x_c, moved by k. Each
/// side becomes (size + 2 padding - dilation (kernel - 1) - 1) / stride + 1, rounded down.
struct convolution {
  index_type channels = 0;  ///< of the output, > 0; a multiple of `groups`
  extent kernel = 3;
  extent stride = 1;
  extent padding = 0;  ///< zeros on every side
  extent dilation = 1;
  index_type groups = 1;  ///< a divisor of the input's channels
  bool bias = true;
};

/// A convolution of every channel by itself: as many groups and channels as the input has channels.
struct depthwise_convolution {
  extent kernel = 3;
  extent stride = 1;
  extent padding = 0;
  extent dilation = 1;
  bool bias = true;
};

/// Batch normalisation of every channel (Ioffe and Szegedy, arXiv 1502.03167): y = scale (x - mean) / sqrt(variance +
/// epsilon) + shift. In training mean and variance are the batch's, over samples and positions; in evaluation those that
/// training has gathered.
struct batch_normalization {
  double momentum = 0.1;  ///< weight of a batch in the running mean and (unbiased) variance, in [0, 1]
  double epsilon = 1e-5;  ///< > 0
};

/// The largest number of every window. Padding counts as minus infinity; at most half the kernel.
struct max_pool {
  extent kernel = 2;
  extent stride = 0;  ///< 0: as the kernel
  extent padding = 0;
};

/// The mean of every window, zeros of the padding included. Padding is at most half the kernel.
struct average_pool {
  extent kernel = 2;
  extent stride = 0;  ///< 0: as the kernel
  extent padding = 0;
};

/// The mean of every channel.
struct global_average_pool {};

/// In training sets numbers to zero at random and divides the others by 1 - probability; nothing in evaluation. Which
/// ones is a function of the network's seed and the number of the training step: docs/layers.md.
struct dropout {
  double probability = 0.5;  ///< in [0, 1)
};

/// The image as one column of features, in the order of memory: nothing is computed.
struct flatten {};

/// y = W^T x + b of flat features.
struct linear {
  index_type outputs = 0;  ///< > 0
  bool bias = true;
};

class layer;

/// body(x) + shortcut(x), of the same shape; an empty shortcut is x itself.
struct residual {
  explicit residual(std::vector<layer> body_layers);
  residual(std::vector<layer> body_layers, std::vector<layer> shortcut_layers);

  std::vector<layer> body;
  std::vector<layer> shortcut;
};

/// x times body(x), which is one number per channel: with a body of global_average_pool, linear, activation, linear and
/// sigmoid this is squeeze-and-excitation (arXiv 1709.01507).
struct channel_gate {
  std::vector<layer> body;
};

/// One layer of a network: any of the types above, or an activation.
class layer {
 public:
  using kind =
      std::variant<convolution, depthwise_convolution, batch_normalization, activation, max_pool,
                   average_pool, global_average_pool, dropout, flatten, linear, residual, channel_gate>;

  // NOLINTBEGIN(google-explicit-constructor): a list of layers is written without naming this type
  layer(nn::convolution l) : kind_(l) {}
  layer(nn::depthwise_convolution l) : kind_(l) {}
  layer(nn::batch_normalization l) : kind_(l) {}
  layer(nn::activation l) : kind_(l) {}
  layer(nn::max_pool l) : kind_(l) {}
  layer(nn::average_pool l) : kind_(l) {}
  layer(nn::global_average_pool l) : kind_(l) {}
  layer(nn::dropout l) : kind_(l) {}
  layer(nn::flatten l) : kind_(l) {}
  layer(nn::linear l) : kind_(l) {}
  layer(nn::residual l) : kind_(std::move(l)) {}
  layer(nn::channel_gate l) : kind_(std::move(l)) {}
  // NOLINTEND(google-explicit-constructor)

  [[nodiscard]] const kind& get() const { return kind_; }

 private:
  kind kind_;
};

inline residual::residual(std::vector<layer> body_layers) : body(std::move(body_layers)) {}
inline residual::residual(std::vector<layer> body_layers, std::vector<layer> shortcut_layers)
    : body(std::move(body_layers)), shortcut(std::move(shortcut_layers)) {}

namespace detail {

/// A window that moves over an image: what convolution and pooling have in common. Plain numbers, which kernels capture.
struct window {
  index_type channels, height, width;          // of the input
  index_type out_height, out_width;            // positions
  index_type kernel_height, kernel_width;      //
  index_type stride_height, stride_width;      //
  index_type padding_height, padding_width;    //
  index_type dilation_height, dilation_width;  //

  [[nodiscard]] GAL_HOST_DEVICE constexpr index_type area() const { return height * width; }
  [[nodiscard]] GAL_HOST_DEVICE constexpr index_type padded_height() const {
    return height + 2 * padding_height;
  }
  [[nodiscard]] GAL_HOST_DEVICE constexpr index_type padded_width() const {
    return width + 2 * padding_width;
  }
  [[nodiscard]] GAL_HOST_DEVICE constexpr index_type padded_area() const {
    return padded_height() * padded_width();
  }
  [[nodiscard]] GAL_HOST_DEVICE constexpr bool is_padded() const {
    return padding_height > 0 || padding_width > 0;
  }
  [[nodiscard]] GAL_HOST_DEVICE constexpr index_type out_area() const { return out_height * out_width; }
  [[nodiscard]] GAL_HOST_DEVICE constexpr index_type kernel_area() const {
    return kernel_height * kernel_width;
  }
};

// In the order of layer::kind.
inline constexpr std::array<std::string_view, std::variant_size_v<layer::kind>> layer_names = {
    "convolution",
    "depthwise_convolution",
    "batch_normalization",
    "activation",
    "max_pool",
    "average_pool",
    "global_average_pool",
    "dropout",
    "flatten",
    "linear",
    "residual",
    "channel_gate"};

[[nodiscard]] inline std::string_view name_of(const layer& l) { return layer_names[l.get().index()]; }

[[nodiscard]] inline std::string options_of(const convolution& c) {
  return gal::detail::text(" to ", c.channels, " channels, kernel ", c.kernel, ", stride ", c.stride,
                           ", padding ", c.padding, ", dilation ", c.dilation, ", groups ", c.groups,
                           c.bias ? "" : ", without bias");
}
[[nodiscard]] inline std::string options_of(const depthwise_convolution& d) {
  return gal::detail::text(", kernel ", d.kernel, ", stride ", d.stride, ", padding ", d.padding,
                           ", dilation ", d.dilation, d.bias ? "" : ", without bias");
}
[[nodiscard]] inline std::string options_of(const batch_normalization& b) {
  return gal::detail::text(", momentum ", b.momentum, ", epsilon ", b.epsilon);
}
[[nodiscard]] inline std::string options_of(activation which) { return gal::detail::text(" ", which); }
template <class Pool>
  requires(std::same_as<Pool, max_pool> || std::same_as<Pool, average_pool>)
[[nodiscard]] std::string options_of(const Pool& p) {
  return gal::detail::text(", kernel ", p.kernel, ", stride ", p.stride, ", padding ", p.padding);
}
[[nodiscard]] inline std::string options_of(const dropout& d) {
  return gal::detail::text(", probability ", d.probability);
}
[[nodiscard]] inline std::string options_of(const linear& l) {
  return gal::detail::text(" to ", l.outputs, l.bias ? "" : ", without bias");
}
[[nodiscard]] inline std::string options_of(const residual& r) {
  return gal::detail::text(", body ", r.body.size(), ", shortcut ", r.shortcut.size());
}
[[nodiscard]] inline std::string options_of(const channel_gate& g) {
  return gal::detail::text(", body ", g.body.size());
}
template <class Layer>  // flatten, global_average_pool: without options
[[nodiscard]] std::string options_of(const Layer&) {
  return "";
}

// What is wrong with a layer, where it stands.
template <class... Parts>
void require_layer(bool condition, error_code code, std::string_view where, const Parts&... parts) {
  gal::detail::require(condition, code, "gal::nn::cnn: ", where, ": ", parts...);
}

inline void require_at_least(extent e, index_type lowest, std::string_view where, std::string_view field) {
  require_layer(e.height >= lowest && e.width >= lowest, error_code::invalid_option, where, field, " is ", e,
                "; expected at least ", lowest);
  require_layer(e.height <= largest_side && e.width <= largest_side, error_code::invalid_option, where, field,
                " is ", e, "; expected at most ", largest_side);
}

[[nodiscard]] inline window window_over(image_shape input, extent kernel, extent stride, extent padding,
                                        extent dilation, std::string_view where) {
  require_at_least(kernel, 1, where, "kernel");
  require_at_least(stride, 1, where, "stride");
  require_at_least(padding, 0, where, "padding");
  require_at_least(dilation, 1, where, "dilation");
  const extent padded(input.height + 2 * padding.height, input.width + 2 * padding.width);
  const extent reach(dilation.height * (kernel.height - 1) + 1, dilation.width * (kernel.width - 1) + 1);
  require_layer(reach.height <= padded.height && reach.width <= padded.width, error_code::shape_mismatch,
                where, "input is ", input, ", ", padded, " with padding; expected at least ", reach,
                ", which the kernel reaches over");
  require_layer(gal::detail::product_of({input.channels, padded.height, padded.width}).has_value(),
                error_code::invalid_option, where, "input is ", input, ", ", padded,
                " with padding; expected a product below 2^63");
  return {.channels = input.channels,
          .height = input.height,
          .width = input.width,
          .out_height = (padded.height - reach.height) / stride.height + 1,
          .out_width = (padded.width - reach.width) / stride.width + 1,
          .kernel_height = kernel.height,
          .kernel_width = kernel.width,
          .stride_height = stride.height,
          .stride_width = stride.width,
          .padding_height = padding.height,
          .padding_width = padding.width,
          .dilation_height = dilation.height,
          .dilation_width = dilation.width};
}

[[nodiscard]] inline window pool_window(image_shape input, extent kernel, extent stride, extent padding,
                                        std::string_view where) {
  const extent step(stride.height == 0 ? kernel.height : stride.height,
                    stride.width == 0 ? kernel.width : stride.width);
  const window result = window_over(input, kernel, step, padding, 1, where);
  require_layer(2 * padding.height <= kernel.height && 2 * padding.width <= kernel.width,
                error_code::invalid_option, where, "padding is ", padding,
                "; expected at most half the kernel, which is ", kernel);
  return result;
}

[[nodiscard]] inline window convolution_window(const convolution& c, image_shape input,
                                               std::string_view where) {
  require_layer(c.groups >= 1 && input.channels % c.groups == 0, error_code::invalid_option, where,
                "groups is ", c.groups, "; expected a divisor of the input's channels, which are ",
                input.channels);
  require_layer(c.channels >= 1 && c.channels % c.groups == 0, error_code::invalid_option, where,
                "channels is ", c.channels, "; expected a positive multiple of groups, which is ", c.groups);
  return window_over(input, c.kernel, c.stride, c.padding, c.dilation, where);
}

[[nodiscard]] inline convolution as_convolution(const depthwise_convolution& d, index_type channels) {
  return {.channels = channels,
          .kernel = d.kernel,
          .stride = d.stride,
          .padding = d.padding,
          .dilation = d.dilation,
          .groups = channels,
          .bias = d.bias};
}

inline void check(const batch_normalization& b, std::string_view where) {
  require_layer(b.momentum >= 0.0 && b.momentum <= 1.0, error_code::invalid_option, where, "momentum is ",
                b.momentum, "; expected a number in [0, 1]");
  require_layer(b.epsilon > 0.0, error_code::invalid_option, where, "epsilon is ", b.epsilon,
                "; expected a positive number");
}

inline void check(const dropout& d, std::string_view where) {
  require_layer(d.probability >= 0.0 && d.probability < 1.0, error_code::invalid_option, where,
                "probability is ", d.probability, "; expected a number in [0, 1)");
}

inline void check(activation which, std::string_view where) {
  gal::detail::require_enumerator(which, gal::detail::text("gal::nn::cnn: ", where, ": activation"));
}

inline void check(const linear& l, image_shape input, std::string_view where) {
  require_layer(l.outputs >= 1, error_code::invalid_option, where, "outputs is ", l.outputs,
                "; expected a positive number");
  require_layer(input.area() == 1, error_code::shape_mismatch, where, "input is ", input,
                "; expected flat features, as after flatten or global_average_pool");
}

}  // namespace detail

/// A layer and its options in words, such as "linear to 10"; of a residual or a gate how many layers it holds.
[[nodiscard]] inline std::string to_string(const layer& l) {
  return std::visit(
      [&](const auto& options) { return gal::detail::text(detail::name_of(l), detail::options_of(options)); },
      l.get());
}

}  // namespace gal::nn

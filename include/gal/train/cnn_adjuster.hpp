// gal/train/cnn_adjuster.hpp: an adjuster that is a convolutional network, for features that are images or sequences.
// Provides: cnn_adjuster.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/kernels.hpp>
#include <gal/core/random.hpp>
#include <gal/nn/cnn.hpp>
#include <gal/train/adjust_options.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// The adjuster h as a convolutional network (arXiv 2201.09193, Table VIII): features as an image of `channels x height x
/// width`, or as a sequence of `channels x 1 x width`, such as the scores of the classes. Convolutions that keep height and
/// width, with `options.hidden` channels between them and those of the features at the end; with
/// `adjuster_input::features_and_gradients` the gradients are as many channels more.
///
///     gal::adjust_options options = {.hidden = {16, 16}};
///     gal::cnn_adjuster<float> h({.channels = 1, .height = 1, .width = 10}, options);   // of ten scores
///     gal::adjust trainer(model, optimizer, loss, options, h);
///
/// Of the options it uses `hidden`, `input` and `adjuster`; give the trainer the same. `kernel` is odd, the side of the
/// windows; along a side of length 1 windows have length 1. Throws for options out of range, and for a kind of adjuster that
/// has no network: `gal::adjuster` has those.
template <class T, class Backend = eigen_backend>
class cnn_adjuster {
 public:
  using memory_type = typename Backend::memory_type;

  explicit cnn_adjuster(nn::image_shape features, const adjust_options& options = {}, index_type kernel = 3,
                        Backend backend = {})
      : options_(detail::validated(options.adjuster)),
        network_(input_of(features, options), layers(features, options, kernel),
                 {.seed = detail::adjuster_network_seed(options.adjuster.seed)}, std::move(backend)) {
    detail::require(detail::has_network(options_.kind), error_code::invalid_option,
                    "gal::cnn_adjuster: kind is ", options_.kind,
                    ", which has no network; expected learned or untrained");
    if (options_.initialization == nn::initialization::xavier) {
      initialize(features, options.hidden);
    }
  }

  [[nodiscard]] const adjuster_options& options() const { return options_; }
  [[nodiscard]] nn::cnn<T, Backend>& network() { return network_; }

  /// h of a batch: `input` is `d x n`, or `2d x n` with gradients, the result `d x n`.
  const matrix<T, Backend>& forward(matrix_view<const T, memory_type> input) {
    return network_.forward(input);
  }

  /// Adds the gradients of <gradient, h>; nothing to do for an adjuster that does not learn.
  void backward(matrix_view<const T, memory_type> gradient) {
    if (options_.kind == adjuster_kind::learned) {
      network_.backward(gradient);
    }
  }

  /// The network's blocks where it learns, else none.
  std::span<const parameter<T, memory_type>> parameters() {
    return options_.kind == adjuster_kind::learned ? network_.parameters()
                                                   : std::span<const parameter<T, memory_type>>{};
  }

  /// What a checkpoint keeps (gal/io/state.hpp).
  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit.setting("kind", options_.kind);
    visit("network", network_);
  }

 private:
  static nn::image_shape input_of(nn::image_shape features, const adjust_options& options) {
    features = nn::detail::checked_image(features, "gal::cnn_adjuster: shape of the features");
    if (options.input == adjuster_input::features_and_gradients) {
      features.channels *= 2;
    }
    return features;
  }

  static std::vector<nn::layer> layers(nn::image_shape features, const adjust_options& options,
                                       index_type kernel) {
    detail::require(kernel >= 1 && kernel % 2 == 1, error_code::invalid_option,
                    "gal::cnn_adjuster: kernel is ", kernel, "; expected an odd positive number");
    const auto side = [kernel](index_type length) { return length == 1 ? 1 : kernel; };
    const nn::extent window(side(features.height), side(features.width));
    const nn::extent padding(window.height / 2, window.width / 2);
    std::vector<nn::layer> result;
    for (const index_type channels : options.hidden) {
      result.push_back(nn::convolution{
          .channels = channels, .kernel = window, .padding = padding, .bias = options.adjuster.bias});
      result.push_back(options.adjuster.activation);
    }
    result.push_back(nn::convolution{
        .channels = features.channels, .kernel = window, .padding = padding, .bias = options.adjuster.bias});
    return result;
  }

  // Weights uniform in +-sqrt(6 / (inputs + outputs of a window)), biases 0.
  void initialize(nn::image_shape features, const std::vector<index_type>& hidden) {
    std::vector<index_type> channels(hidden);
    channels.insert(channels.begin(), network_.input_shape().channels);
    channels.push_back(features.channels);
    const auto blocks = network_.parameters();
    const std::size_t of_layer = options_.bias ? 2 : 1;
    std::uint64_t counter = 0;
    for (std::size_t l = 0; l + 1 < channels.size(); ++l) {
      const auto& weights = blocks[of_layer * l].value;
      const double area =
          static_cast<double>(weights.size()) / static_cast<double>(channels[l] * channels[l + 1]);
      const double bound = std::sqrt(6.0 / (area * static_cast<double>(channels[l] + channels[l + 1])));
      detail::fill_uniform(network_.backend(), weights.data(), static_cast<index_type>(weights.size()),
                           {network_.options().seed, counter}, bound);
      counter += weights.size();
      if (options_.bias) {
        const auto& bias = blocks[of_layer * l + 1].value;
        network_.backend().fill(bias.data(), static_cast<index_type>(bias.size()), T(0));
      }
    }
  }

  adjuster_options options_;
  nn::cnn<T, Backend> network_;
};

}  // namespace gal

// gal/predict/network_structure.hpp: what a network is built from, without its weights.
// Provides: mlp_structure, cnn_structure, network_structure, structure_of.
#pragma once

#include <gal/core/view.hpp>
#include <gal/nn/cnn.hpp>
#include <gal/nn/mlp.hpp>

#include <variant>
#include <vector>

namespace gal::inline GAL_ABI {

/// Of an `nn::mlp`.
struct mlp_structure {
  std::vector<index_type> widths;  ///< of the input, of every hidden layer and of the outputs
  nn::activation activation = nn::relu;
  bool bias = true;
};

/// Of an `nn::cnn`.
struct cnn_structure {
  nn::image_shape input;
  std::vector<nn::layer> layers;
};

using network_structure = std::variant<mlp_structure, cnn_structure>;

template <class T, class Backend>
[[nodiscard]] mlp_structure structure_of(const nn::mlp<T, Backend>& network) {
  return {network.widths(), network.options().activation, network.options().bias};
}
template <class T, class Backend>
[[nodiscard]] cnn_structure structure_of(const nn::cnn<T, Backend>& network) {
  return {network.input_shape(), network.layers()};
}

namespace detail {

template <class T>
using built_network = std::variant<nn::mlp<T>, nn::cnn<T>>;

// The network, in evaluation, with weights to be replaced.
template <class T>
built_network<T> build_network(const mlp_structure& s) {
  return nn::mlp<T>(s.widths, {.activation = s.activation, .bias = s.bias});
}
template <class T>
built_network<T> build_network(const cnn_structure& s) {
  return nn::cnn<T>(s.input, s.layers, {.training = false});
}

}  // namespace detail

}  // namespace gal

// gal/nn/detail/kernels.hpp: what all layers of a convolutional network share: the pass of a batch, and kernels over its numbers and
// channels. Every kernel gathers: no two of its indices write one number, so that results do not depend on the order.
// Provides: nothing public; nn::detail::pass, view_in, affine_parameters and functions for the units of
// gal/nn/cnn.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/view.hpp>

#include <cstdint>

namespace gal::inline GAL_ABI::nn::detail {

/// A matrix in the memory of a backend. Of a batch, a sample per column: its channels one after the other.
template <class T, class Backend>
using view_in = matrix_view<T, typename Backend::memory_type>;

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

/// to[i] += from[i].
template <class T, class Backend>
void add_to(const Backend& backend, index_type count, const T* from, T* to) {
  backend.for_each(count, [=] GAL_KERNEL(index_type i) { to[i] += from[i]; });
}

/// to[i] += from[i], rounded to T.
template <class T, class Backend>
void add_rounded(const Backend& backend, index_type count, const double* from, T* to) {
  backend.for_each(count, [=] GAL_KERNEL(index_type i) { to[i] += static_cast<T>(from[i]); });
}

/// to[i] = factor from[i], rounded to T.
template <class T, class Backend>
void store_rounded(const Backend& backend, index_type count, double factor, const double* from, T* to) {
  backend.for_each(count, [=] GAL_KERNEL(index_type i) { to[i] = static_cast<T>(factor * from[i]); });
}

/// Number i of column j, for sums.
template <class T>
struct column_entry {
  const T* from;
  index_type rows;
  GAL_HOST_DEVICE double operator()(index_type i, index_type j) const {
    return static_cast<double>(from[j * rows + i]);
  }
};

/// sums[j] = sum over the samples s < samples of from[s * count + j], for all j < count.
template <class Backend>
void sum_samples(const Backend& backend, index_type count, index_type samples, const double* from,
                 double* sums) {
  backend.sum_rows(
      samples, count, [=] GAL_KERNEL(index_type s, index_type j) { return from[s * count + j]; }, sums);
}

/// sums[c] = sum over the positions i < area and the samples s < samples of f(i, s * channels + c), for all c < channels:
/// the sum of a channel where a column of f is a channel of a sample. In two steps, so that each runs along memory.
template <class Backend, class F>
void sum_channels(const Backend& backend, index_type area, index_type channels, index_type samples, F f,
                  matrix<double, Backend>& partial, double* sums) {
  partial.resize(channels, samples);
  backend.sum_rows(area, channels * samples, f, partial.data());
  sum_samples(backend, channels, samples, partial.data(), sums);
}

/// Where the weights of an affine layer, and the bias behind them, lie among the parameters of its network.
template <class T, class Backend>
class affine_parameters {
 public:
  /// `depth`: numbers that one output sees; `first_value`: the place of the first weight.
  affine_parameters(index_type outputs, index_type depth, bool has_bias, index_type first_value)
      : outputs_(outputs), depth_(depth), has_bias_(has_bias), first_value_(first_value) {}

  [[nodiscard]] index_type outputs() const { return outputs_; }
  [[nodiscard]] index_type depth() const { return depth_; }
  [[nodiscard]] index_type weights() const { return outputs_ * depth_; }
  [[nodiscard]] index_type biases() const { return has_bias_ ? outputs_ : 0; }

 protected:
  [[nodiscard]] const T* weight(const pass<T, Backend>& p) const { return p.values + first_value_; }
  [[nodiscard]] T* weight_gradient(const pass<T, Backend>& p) const { return p.gradients + first_value_; }
  /// Null without bias, as its gradient.
  [[nodiscard]] const T* bias(const pass<T, Backend>& p) const {
    return has_bias_ ? weight(p) + weights() : nullptr;
  }
  [[nodiscard]] T* bias_gradient(const pass<T, Backend>& p) const {
    return has_bias_ ? weight_gradient(p) + weights() : nullptr;
  }

 private:
  index_type outputs_;
  index_type depth_;
  bool has_bias_;
  index_type first_value_;
};

}  // namespace gal::nn::detail

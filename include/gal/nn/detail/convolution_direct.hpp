// gal/nn/detail/convolution_direct.hpp: the arithmetic of convolution on the processor, without patches.
// Provides: nothing public; nn::detail::direct_convolution_unit for gal/nn/cnn.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/view.hpp>
#include <gal/nn/detail/gathered_convolution.hpp>
#include <gal/nn/detail/kernels.hpp>
#include <gal/nn/detail/windows.hpp>
#include <gal/nn/layers.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>
#include <vector>

namespace gal::inline GAL_ABI::nn::detail {

/// Convolution of a sample by a kernel of one number a channel, without border: Y = X W with the image itself as X,
/// positions x channels; with a stride, with the positions that are seen.
class pointwise_convolution {
 public:
  static bool computes(const window& g) { return g.kernel_area() == 1 && !g.is_padded(); }

  pointwise_convolution(const window& geometry, index_type outputs, index_type groups)
      : geometry_(geometry),
        outputs_(outputs / groups),
        groups_(groups),
        depth_(geometry.channels / groups) {}

  [[nodiscard]] convolution_sizes sizes() const {
    return {is_strided() ? geometry_.channels * geometry_.out_area() : 0, 0, 0};
  }

  template <class T, class Backend>
  void forward(const Backend& backend, convolution_scratch<T, Backend>& scratch, const T* x, const T* weight,
               const T* bias, T* y) const {
    const T* const input = strided_input(backend, scratch, x);
    for (index_type group = 0; group < groups_; ++group) {
      backend.product(transpose::no, transpose::no, T(1), of_group(input, group, depth_),
                      weights_of(weight, group), T(0), of_group(y, group, outputs_));
    }
    if (bias != nullptr) {
      backend.for_each(
          geometry_.out_area(), groups_ * outputs_,
          [=, area = geometry_.out_area()](index_type i, index_type o) { y[o * area + i] += bias[o]; });
    }
  }

  template <class T, class Backend>
  void add_weight_gradient(const Backend& backend, convolution_scratch<T, Backend>& scratch, const T* x,
                           const T* gradient) const {
    const T* const input = strided_input(backend, scratch, x);
    for (index_type group = 0; group < groups_; ++group) {
      backend.product(
          transpose::yes, transpose::no, T(1), of_group(input, group, depth_),
          of_group(gradient, group, outputs_), T(1),
          matrix_view<T>(scratch.weight_gradient.data() + group * outputs_ * depth_, depth_, outputs_));
    }
  }

  template <class T, class Backend>
  void add_weight_gradient_sum(const Backend& backend, const T* sum, T* to) const {
    add_to(backend, groups_ * outputs_ * depth_, sum, to);
  }

  template <class T, class Backend>
  void store_delta(const Backend& backend, convolution_scratch<T, Backend>& scratch, const T* gradient,
                   const T* weight, T* delta) const {
    T* const input_gradient = is_strided() ? scratch.input.data() : delta;
    for (index_type group = 0; group < groups_; ++group) {
      backend.product(transpose::no, transpose::yes, T(1), of_group(gradient, group, outputs_),
                      weights_of(weight, group), T(0), of_group(input_gradient, group, depth_));
    }
    if (is_strided()) {
      const window& g = geometry_;
      backend.fill(delta, g.channels * g.area(), T(0));
      backend.for_each(g.out_height, g.channels, [=](index_type i, index_type c) {
        const T* const from = input_gradient + (c * g.out_height + i) * g.out_width;
        T* const to = delta + (c * g.height + i * g.stride_height) * g.width;
        for (index_type q = 0; q < g.out_width; ++q) {
          to[q * g.stride_width] = from[q];
        }
      });
    }
  }

 private:
  [[nodiscard]] bool is_strided() const { return geometry_.stride_height > 1 || geometry_.stride_width > 1; }

  // The numbers that the positions see: the image itself without a stride.
  template <class T, class Backend>
  const T* strided_input(const Backend& backend, convolution_scratch<T, Backend>& scratch, const T* x) const {
    if (!is_strided()) {
      return x;
    }
    const window& g = geometry_;
    backend.for_each(g.out_height, g.channels, [=, to = scratch.input.data()](index_type i, index_type c) {
      copy_row(x + (c * g.height + i * g.stride_height) * g.width, g.stride_width, g.out_width,
               to + (c * g.out_height + i) * g.out_width);
    });
    return scratch.input.data();
  }

  template <class T>
  [[nodiscard]] matrix_view<T> of_group(T* images, index_type group, index_type channels) const {
    return {images + group * channels * geometry_.out_area(), geometry_.out_area(), channels};
  }
  template <class T>
  [[nodiscard]] matrix_view<const T> weights_of(const T* weight, index_type group) const {
    return {weight + group * outputs_ * depth_, depth_, outputs_};
  }

  window geometry_;
  index_type outputs_;  // of a group
  index_type groups_;
  index_type depth_;  // inputs of a group
};

/// Convolution sample by sample. Samples are taken in chunks, which threads share; there are as many chunks whatever the
/// number of threads, since each sums its own gradient of the weights.
template <class T, class Backend>
class direct_convolution_unit : public convolution_parameters<T, Backend> {
  using base = convolution_parameters<T, Backend>;

 public:
  using base::weights;

  direct_convolution_unit(const convolution& options, const window& geometry, index_type first_value)
      : base(options.channels, geometry.channels / options.groups * geometry.kernel_area(), options.bias,
             first_value),
        algorithm_(algorithm_of(geometry, options.channels, options.groups)) {}

  void forward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<T, Backend> y) {
    prepare(p.backend, x.columns());
    const T* const weight = this->weight(p);
    const T* const bias = this->bias(p);
    for_each_sample(p.backend, x.columns(),
                    [&](const auto& backend, const auto& algorithm, auto& scratch, index_type sample) {
                      algorithm.forward(backend, scratch, x.columns(sample, 1).data(), weight, bias,
                                        y.columns(sample, 1).data());
                    });
  }

  /// Adds to the parameters' gradients, and stores that with respect to x in `delta` unless it is empty.
  void backward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<const T, Backend>,
                view_in<const T, Backend> gradient, view_in<T, Backend> delta) {
    const T* const weight = this->weight(p);
    for (auto& scratch : scratch_) {
      scratch.weight_gradient.fill(T(0));
    }
    for_each_sample(
        p.backend, x.columns(),
        [&](const auto& backend, const auto& algorithm, auto& scratch, index_type sample) {
          const T* const output_gradient = gradient.columns(sample, 1).data();
          algorithm.add_weight_gradient(backend, scratch, x.columns(sample, 1).data(), output_gradient);
          if (!delta.empty()) {
            algorithm.store_delta(backend, scratch, output_gradient, weight, delta.columns(sample, 1).data());
          }
        });
    add_chunk_gradients(p.backend, x.columns(), this->weight_gradient(p));
    this->add_bias_gradient(p, gradient);
  }

 private:
  using convolution_algorithm = std::variant<gathered_convolution, pointwise_convolution>;

  static constexpr index_type most_chunks = 16;
  static constexpr index_type chunk_budget = index_type{1} << 22;  // numbers of all chunks

  static convolution_algorithm algorithm_of(const window& geometry, index_type outputs, index_type groups) {
    if (pointwise_convolution::computes(geometry)) {
      return pointwise_convolution(geometry, outputs, groups);
    }
    return gathered_convolution(geometry, outputs, groups);
  }

  [[nodiscard]] convolution_sizes scratch_sizes() const {
    return std::visit([](const auto& algorithm) { return algorithm.sizes(); }, algorithm_);
  }
  [[nodiscard]] index_type chunk_count(index_type samples) const {
    const convolution_sizes sizes = scratch_sizes();
    return std::clamp(chunk_budget / std::max(weights(), sizes.input + sizes.output_gradient), index_type{1},
                      std::min(samples, most_chunks));
  }

  // Every buffer at its size, with the zeros of the borders, so that threads allocate nothing.
  void prepare(const Backend& backend, index_type samples) {
    const convolution_sizes sizes = scratch_sizes();
    const auto zeros = [&](index_type size) { return matrix<T, Backend>(size, 1, T(0), backend); };
    while (static_cast<index_type>(scratch_.size()) < chunk_count(samples)) {
      scratch_.push_back({zeros(sizes.input), zeros(sizes.output_gradient), zeros(sizes.transposed_gradient),
                          zeros(weights())});
    }
  }

  // Runs `process(backend, algorithm, scratch, sample)` for all samples, by threads where the backend has them.
  template <class Process>
  void for_each_sample(const Backend& backend, index_type samples, Process process) {
    const index_type chunks = chunk_count(samples);
    const auto process_chunk = [&](const Backend& of_thread, index_type chunk) {
      std::visit(
          [&](const auto& algorithm) {
            for (index_type sample = chunk * samples / chunks; sample < (chunk + 1) * samples / chunks;
                 ++sample) {
              process(of_thread, algorithm, scratch_[static_cast<std::size_t>(chunk)], sample);
            }
          },
          algorithm_);
    };
    if constexpr (requires { backend.for_each_task(chunks, process_chunk); }) {
      if (chunks > 1) {
        backend.for_each_task(chunks, process_chunk);
        return;
      }
    }
    for (index_type chunk = 0; chunk < chunks; ++chunk) {
      process_chunk(backend, chunk);
    }
  }

  // Adds the weights' gradients that the chunks have summed, in their order.
  void add_chunk_gradients(const Backend& backend, index_type samples, T* to) {
    T* const sum = scratch_.front().weight_gradient.data();
    for (index_type chunk = 1; chunk < chunk_count(samples); ++chunk) {
      add_to(backend, weights(),
             std::as_const(scratch_[static_cast<std::size_t>(chunk)].weight_gradient).data(), sum);
    }
    std::visit([&](const auto& algorithm) { algorithm.add_weight_gradient_sum(backend, sum, to); },
               algorithm_);
  }

  convolution_algorithm algorithm_;
  std::vector<convolution_scratch<T, Backend>> scratch_;  // of the chunks
};

}  // namespace gal::nn::detail

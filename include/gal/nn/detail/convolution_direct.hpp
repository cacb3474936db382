// gal/nn/detail/convolution_direct.hpp: the arithmetic of convolution on the processor, without patches.
// Provides: nothing public; nn::detail::direct_convolution_unit for gal/nn/cnn.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/view.hpp>
#include <gal/nn/detail/gathered_convolution.hpp>
#include <gal/nn/detail/windows.hpp>
#include <gal/nn/layers.hpp>

#include <algorithm>
#include <cstddef>
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
  void forward(const Backend& backend, convolution_scratch<T, Backend>& own, const T* x, const T* weight,
               const T* bias, T* y) const {
    const T* const seen = seen_of(backend, own, x);
    for (index_type group = 0; group < groups_; ++group) {
      backend.product(transpose::no, transpose::no, T(1), of_group(seen, group, depth_),
                      weights_of(weight, group), T(0), of_group(y, group, outputs_));
    }
    if (bias != nullptr) {
      backend.for_each(
          geometry_.out_area(), groups_ * outputs_,
          [=, area = geometry_.out_area()](index_type i, index_type o) { y[o * area + i] += bias[o]; });
    }
  }

  template <class T, class Backend>
  void add_weight_gradient(const Backend& backend, convolution_scratch<T, Backend>& own, const T* x,
                           const T* gradient) const {
    const T* const seen = seen_of(backend, own, x);
    for (index_type group = 0; group < groups_; ++group) {
      backend.product(
          transpose::yes, transpose::no, T(1), of_group(seen, group, depth_),
          of_group(gradient, group, outputs_), T(1),
          matrix_view<T>(own.weight_gradient.data() + group * outputs_ * depth_, depth_, outputs_));
    }
  }

  template <class T, class Backend>
  void add_sum(const Backend& backend, const T* sum, T* to) const {
    backend.for_each(groups_ * outputs_ * depth_, [=](index_type i) { to[i] += sum[i]; });
  }

  template <class T, class Backend>
  void store_delta(const Backend& backend, convolution_scratch<T, Backend>& own, const T* gradient,
                   const T* weight, T* delta) const {
    T* const to = is_strided() ? own.image.data() : delta;
    for (index_type group = 0; group < groups_; ++group) {
      backend.product(transpose::no, transpose::yes, T(1), of_group(gradient, group, outputs_),
                      weights_of(weight, group), T(0), of_group(to, group, depth_));
    }
    if (is_strided()) {
      const window& g = geometry_;
      backend.fill(delta, g.channels * g.area(), T(0));
      backend.for_each(g.out_height, g.channels, [=](index_type i, index_type c) {
        const T* const row = to + (c * g.out_height + i) * g.out_width;
        T* const line = delta + (c * g.height + i * g.stride_height) * g.width;
        for (index_type q = 0; q < g.out_width; ++q) {
          line[q * g.stride_width] = row[q];
        }
      });
    }
  }

 private:
  [[nodiscard]] bool is_strided() const { return geometry_.stride_height > 1 || geometry_.stride_width > 1; }

  template <class T, class Backend>
  const T* seen_of(const Backend& backend, convolution_scratch<T, Backend>& own, const T* x) const {
    if (!is_strided()) {
      return x;
    }
    const window& g = geometry_;
    backend.for_each(g.out_height, g.channels, [=, to = own.image.data()](index_type i, index_type c) {
      copy_row(x + (c * g.height + i * g.stride_height) * g.width, g.stride_width, g.out_width,
               to + (c * g.out_height + i) * g.out_width);
    });
    return own.image.data();
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
  index_type depth_;
};

/// Convolution sample by sample. Samples are taken in chunks, which threads share; there are as many chunks whatever the
/// number of threads, since each sums its own gradient of the weights.
template <class T, class Backend>
class direct_convolution_unit : public convolution_parameters<T, Backend> {
  using base = convolution_parameters<T, Backend>;

 public:
  using base::weights;
  using view = matrix_view<const T>;
  using mutable_view = matrix_view<T>;

  direct_convolution_unit(const convolution& options, const window& geometry, index_type first_value)
      : base(options.channels, geometry.channels / options.groups * geometry.kernel_area(), options.bias,
             first_value),
        arithmetic_(arithmetic_of(geometry, options.channels, options.groups)) {}

  void forward(const pass<T, Backend>& p, view x, mutable_view y) {
    prepare(p.backend, x.columns());
    const T* const weight = this->weight(p);
    const T* const bias = this->bias(p);
    in_chunks(
        p.backend, x.columns(), [&](const auto& backend, auto& own, const auto& how, index_type sample) {
          how.forward(backend, own, x.columns(sample, 1).data(), weight, bias, y.columns(sample, 1).data());
        });
  }

  /// Adds to the parameters' gradients, and stores that with respect to x in `delta` unless it is empty.
  void backward(const pass<T, Backend>& p, view x, view, view gradient, mutable_view delta) {
    const T* const weight = this->weight(p);
    for (auto& own : scratch_) {
      own.weight_gradient.fill(T(0));
    }
    in_chunks(p.backend, x.columns(),
              [&](const auto& backend, auto& own, const auto& how, index_type sample) {
                const T* const outer = gradient.columns(sample, 1).data();
                how.add_weight_gradient(backend, own, x.columns(sample, 1).data(), outer);
                if (!delta.empty()) {
                  how.store_delta(backend, own, outer, weight, delta.columns(sample, 1).data());
                }
              });
    add_sums(p.backend, x.columns(), this->weight_gradient(p));
    this->add_bias_gradient(p, gradient);
  }

 private:
  using arithmetic = std::variant<gathered_convolution, pointwise_convolution>;
  using scratch = convolution_scratch<T, Backend>;

  static constexpr index_type most_chunks = 16;
  static constexpr index_type chunk_budget = index_type{1} << 22;  // numbers of all chunks

  static arithmetic arithmetic_of(const window& geometry, index_type outputs, index_type groups) {
    if (pointwise_convolution::computes(geometry)) {
      return pointwise_convolution(geometry, outputs, groups);
    }
    return gathered_convolution(geometry, outputs, groups);
  }

  [[nodiscard]] convolution_sizes sizes() const {
    return std::visit([](const auto& a) { return a.sizes(); }, arithmetic_);
  }
  [[nodiscard]] index_type chunks(index_type samples) const {
    const convolution_sizes of = sizes();
    return std::clamp(chunk_budget / std::max(weights(), of.image + of.outer), index_type{1},
                      std::min(samples, most_chunks));
  }

  // Every buffer at its size, with the zeros of the borders, so that threads allocate nothing.
  void prepare(const Backend& backend, index_type samples) {
    const convolution_sizes of = sizes();
    const auto zeros = [&](index_type size) { return matrix<T, Backend>(size, 1, T(0), backend); };
    while (static_cast<index_type>(scratch_.size()) < chunks(samples)) {
      scratch_.push_back({zeros(of.image), zeros(of.outer), zeros(of.block), zeros(weights())});
    }
  }

  // Runs `one(backend, scratch, arithmetic, sample)` for all samples, by threads where the backend has them.
  template <class One>
  void in_chunks(const Backend& backend, index_type samples, One one) {
    const index_type count = chunks(samples);
    const auto run = [&](const Backend& of_thread, index_type chunk) {
      std::visit(
          [&](const auto& how) {
            for (index_type sample = chunk * samples / count; sample < (chunk + 1) * samples / count;
                 ++sample) {
              one(of_thread, scratch_[static_cast<std::size_t>(chunk)], how, sample);
            }
          },
          arithmetic_);
    };
    if constexpr (requires { backend.for_each_task(count, run); }) {
      if (count > 1) {
        backend.for_each_task(count, run);
        return;
      }
    }
    for (index_type chunk = 0; chunk < count; ++chunk) {
      run(backend, chunk);
    }
  }

  // Adds what the chunks have summed, in their order.
  void add_sums(const Backend& backend, index_type samples, T* to) {
    T* const sum = scratch_.front().weight_gradient.data();
    for (index_type chunk = 1; chunk < chunks(samples); ++chunk) {
      const T* const from = scratch_[static_cast<std::size_t>(chunk)].weight_gradient.data();
      backend.for_each(weights(), [sum, from](index_type i) { sum[i] += from[i]; });
    }
    std::visit([&](const auto& how) { how.add_sum(backend, sum, to); }, arithmetic_);
  }

  arithmetic arithmetic_;
  std::vector<scratch> scratch_;
};

}  // namespace gal::nn::detail

// gal/convolution.hpp: the arithmetic of convolution, as a product.
// Provides: nothing public; nn::detail::convolution_unit for gal/cnn.hpp.
#pragma once

#include <gal/backend.hpp>
#include <gal/layers.hpp>
#include <gal/view.hpp>
#include <gal/windows.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <utility>
#include <vector>

namespace gal::nn::detail {

/// Convolution as a product. The patches of some positions are a matrix of positions x (channels x kernel), in memory
/// (channel, kernel row, kernel column, position); the product with the weights, a C-order (outputs, channels of a
/// group, kernel rows, kernel columns) array, has the outputs in its columns. Groups are ranges of columns.
///
/// On the host the positions are taken in parts whose patches the first cache holds, and the samples in chunks, which
/// threads share. There are as many chunks whatever the number of threads, since each sums its own gradient of the
/// weights. On a device all is one part.
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
        first_value_(first_value),
        is_pointwise_(geometry.kernel_area() == 1 && geometry.stride_height == 1 &&
                      geometry.stride_width == 1 && !geometry.is_padded()) {}

  [[nodiscard]] index weights() const { return outputs_ * depth(); }
  [[nodiscard]] index biases() const { return bias_ ? outputs_ : 0; }
  /// Numbers that one output sees.
  [[nodiscard]] index depth() const { return geometry_.channels / groups_ * geometry_.kernel_area(); }

  void forward(const pass<T, Backend>& p, view x, mutable_view y) {
    prepare(p.backend, x.columns());
    const T* const weight = p.values + first_value_;
    in_chunks(p.backend, x.columns(), [&](const Backend& backend, worker& own, index first, index last) {
      in_groups(first, last, [&](index sample, index samples) {
        const T* const image = padded(backend, own, x.columns(sample, samples));
        in_parts(sample, samples, [&](const part& at) { forward_part(backend, own, at, weight, image, y); });
      });
    });
  }

  /// Adds to the parameters' gradients, and stores that with respect to x in `delta` unless it is empty.
  void backward(const pass<T, Backend>& p, view x, view, view gradient, mutable_view delta) {
    const T* const weight = p.values + first_value_;
    T* const weight_gradient = p.gradients + first_value_;
    const bool shared = chunks(x.columns()) > 1;
    in_chunks(p.backend, x.columns(), [&](const Backend& backend, worker& own, index first, index last) {
      T* sum = weight_gradient;
      if (shared) {
        sum = own.weight_gradient.data();
        backend.fill(sum, weights(), T(0));
      }
      in_groups(first, last, [&](index sample, index samples) {
        const T* const image = padded(backend, own, x.columns(sample, samples));
        T* const image_delta = delta.empty() ? nullptr : start_delta(backend, own, sample, samples, delta);
        in_parts(sample, samples, [&](const part& at) {
          backward_part(backend, own, at, weight, image, gradient, sum, image_delta);
        });
        if (image_delta != nullptr && geometry_.is_padded()) {
          crop_images(backend, geometry_, samples, std::as_const(image_delta),
                      delta.columns(sample, samples).data());
        }
      });
    });
    if (shared) {
      for (index chunk = 0; chunk < chunks(x.columns()); ++chunk) {
        add_weight_gradient(p.backend, workers_[static_cast<std::size_t>(chunk)], weight_gradient);
      }
    }
    if (bias_) {
      add_bias_gradient(p.backend, gradient.data(), geometry_.out_area(), outputs_, x.columns(), partial_,
                        sums_, weight_gradient + weights());
    }
  }

  GAL_PRIVATE_KERNELS
  static constexpr bool on_host = std::same_as<memory_type, host_memory>;
  static constexpr index part_positions = 256;
  static constexpr index most_chunks = 16;
  static constexpr index chunk_budget = index{1} << 22;   // numbers of all chunks' patches, or gradients
  static constexpr index device_budget = index{1} << 24;  // numbers of a device's patches

  // What the chunks do not share.
  struct worker {
    matrix<T, Backend> image;        // with its border
    matrix<T, Backend> image_delta;  // likewise
    matrix<T, Backend> patches;
    matrix<T, Backend> products;
    matrix<T, Backend> weight_gradient;
  };

  // Rows of positions of some samples; of several samples all rows.
  struct part {
    index sample, samples;
    index row, rows;
  };

  [[nodiscard]] index chunks(index samples) const {
    if (!on_host) {
      return 1;
    }
    const index patches = is_pointwise_ ? 0 : part_positions * geometry_.channels * geometry_.kernel_area();
    return std::clamp(chunk_budget / std::max(weights(), patches), index{1}, std::min(samples, most_chunks));
  }

  // Samples and rows of a part.
  [[nodiscard]] part largest_part(index samples) const {
    const window& g = geometry_;
    if (!on_host) {
      const index of_one = g.channels * g.kernel_area() * g.out_area();
      return {0, std::clamp(device_budget / std::max(of_one, index{1}), index{1}, samples), 0, g.out_height};
    }
    if (is_pointwise_) {
      return {0, 1, 0, g.out_height};  // the image itself is its patches
    }
    if (g.out_area() <= part_positions) {
      return {0, std::min(part_positions / g.out_area(), samples), 0, g.out_height};
    }
    return {0, 1, 0, std::clamp(part_positions / g.out_width, index{1}, g.out_height)};
  }

  // Every buffer at its size, so that threads allocate nothing.
  void prepare(const Backend& backend, index samples) {
    use_backend(backend, partial_, sums_);
    const index count = chunks(samples);
    workers_.resize(std::max(workers_.size(), static_cast<std::size_t>(count)));
    const part largest = largest_part((samples + count - 1) / count);
    const index positions = largest.samples * largest.rows * geometry_.out_width;
    for (worker& own : workers_) {
      use_backend(backend, own.image, own.image_delta, own.patches, own.products, own.weight_gradient);
      if (geometry_.is_padded()) {
        own.image.resize(geometry_.channels * geometry_.padded_area(), largest.samples);
        own.image_delta.resize(geometry_.channels * geometry_.padded_area(), largest.samples);
      }
      own.patches.resize(is_pointwise_ && on_host ? 0 : positions,
                         geometry_.channels * geometry_.kernel_area());
      own.products.resize(positions, outputs_);
      own.weight_gradient.resize(count > 1 ? weights() : 0, 1);
    }
  }

  // Runs `chunk(backend, worker, first, last)` for ranges of samples, by threads where the backend has them.
  template <class Chunk>
  void in_chunks(const Backend& backend, index samples, Chunk chunk) {
    const index count = chunks(samples);
    const auto run = [&](const Backend& own, index i) {
      chunk(own, workers_[static_cast<std::size_t>(i)], i * samples / count, (i + 1) * samples / count);
    };
    if constexpr (requires { backend.for_each_task(count, run); }) {
      if (count > 1) {
        backend.for_each_task(count, run);
        return;
      }
    }
    for (index i = 0; i < count; ++i) {
      run(backend, i);
    }
  }

  // Runs `run` for the groups of samples in [first, last) whose patches are made together, and for a group's parts.
  template <class Group>
  void in_groups(index first, index last, Group run) const {
    const index size = largest_part(last - first).samples;
    for (index sample = first; sample < last; sample += size) {
      run(sample, std::min(size, last - sample));
    }
  }
  template <class Part>
  void in_parts(index sample, index samples, Part run) const {
    const index rows = largest_part(samples).rows;
    for (index row = 0; row < geometry_.out_height; row += rows) {
      run(part{sample, samples, row, std::min(rows, geometry_.out_height - row)});
    }
  }

  const T* padded(const Backend& backend, worker& own, view x) {
    if (!geometry_.is_padded()) {
      return x.data();
    }
    pad_images(backend, geometry_, x.columns(), x.data(), own.image.data());
    return own.image.data();
  }
  T* start_delta(const Backend& backend, worker& own, index sample, index samples, mutable_view delta) {
    T* const to = geometry_.is_padded() ? own.image_delta.data() : delta.columns(sample, samples).data();
    if (!is_pointwise_) {
      backend.fill(to, samples * geometry_.channels * geometry_.padded_area(), T(0));
    }
    return to;
  }

  [[nodiscard]] index positions_of(const part& at) const {
    return at.samples * at.rows * geometry_.out_width;
  }
  // Whether the outputs of a part lie in memory as the product writes them.
  [[nodiscard]] bool is_one_sample(const part& at) const {
    return at.samples == 1 && at.rows == geometry_.out_height;
  }
  template <class U>
  [[nodiscard]] static matrix_view<U, memory_type> columns_of(U* data, index rows, index group,
                                                              index columns) {
    return {data + group * columns * rows, rows, columns};
  }

  // The patches of a pointwise convolution are the image.
  const T* patches_of(const Backend& backend, worker& own, const part& at, const T* image) {
    if (is_pointwise_ && is_one_sample(at)) {
      return image;
    }
    gather_patches(backend, at, image, own.patches.data());
    return own.patches.data();
  }

  void forward_part(const Backend& backend, worker& own, const part& at, const T* weight, const T* image,
                    mutable_view y) {
    const index positions = positions_of(at);
    const T* const patches = patches_of(backend, own, at, image);
    const bool direct = is_one_sample(at);
    T* const product = direct ? y.columns(at.sample, 1).data() : own.products.data();
    const index outputs = outputs_ / groups_;
    for (index group = 0; group < groups_; ++group) {
      backend.product(transpose::no, transpose::no, T(1), columns_of(patches, positions, group, depth()),
                      columns_of(weight, depth(), group, outputs), T(0),
                      columns_of(product, positions, group, outputs));
    }
    if (!direct || bias_) {
      scatter_outputs(backend, at, product, bias_ ? weight + weights() : nullptr, y);
    }
  }

  void backward_part(const Backend& backend, worker& own, const part& at, const T* weight, const T* image,
                     view gradient, T* weight_gradient, T* image_delta) {
    const index positions = positions_of(at);
    const T* const patches = patches_of(backend, own, at, image);
    const T* outer = gradient.columns(at.sample, 1).data();
    if (!is_one_sample(at)) {
      gather_outputs(backend, at, gradient, own.products.data());
      outer = own.products.data();
    }
    const index outputs = outputs_ / groups_;
    for (index group = 0; group < groups_; ++group) {
      backend.product(transpose::yes, transpose::no, T(1), columns_of(patches, positions, group, depth()),
                      columns_of(outer, positions, group, outputs), T(1),
                      columns_of(weight_gradient, depth(), group, outputs));
    }
    if (image_delta == nullptr) {
      return;
    }
    const bool direct = is_pointwise_ && is_one_sample(at);
    T* const to = direct ? image_delta : own.patches.data();
    for (index group = 0; group < groups_; ++group) {
      backend.product(transpose::no, transpose::yes, T(1), columns_of(outer, positions, group, outputs),
                      columns_of(weight, depth(), group, outputs), T(0),
                      columns_of(to, positions, group, depth()));
    }
    if (!direct) {
      gather_delta(backend, at, own.patches.data(), image_delta);
    }
  }

  static void add_weight_gradient(const Backend& backend, const worker& own, T* to) {
    backend.for_each(own.weight_gradient.size(),
                     [to, from = own.weight_gradient.data()] GAL_KERNEL(index i) { to[i] += from[i]; });
  }

  // From (output, sample, position) to (sample, output, position), with the bias; and back.
  void scatter_outputs(const Backend& backend, const part& at, const T* product, const T* bias,
                       mutable_view y) {
    const index area = geometry_.out_area();
    const index count = at.rows * geometry_.out_width;
    backend.for_each(count, outputs_ * at.samples,
                     [=, to = y.columns(at.sample, at.samples).data() + at.row * geometry_.out_width,
                      samples = at.samples, outputs = outputs_] GAL_KERNEL(index i, index j) {
                       const index s = j / outputs;
                       const index o = j - s * outputs;
                       to[j * area + i] =
                           product[(o * samples + s) * count + i] + (bias != nullptr ? bias[o] : T(0));
                     });
  }
  void gather_outputs(const Backend& backend, const part& at, view gradient, T* to) {
    const index area = geometry_.out_area();
    const index count = at.rows * geometry_.out_width;
    backend.for_each(count, outputs_ * at.samples,
                     [=, from = gradient.columns(at.sample, at.samples).data() + at.row * geometry_.out_width,
                      samples = at.samples, outputs = outputs_] GAL_KERNEL(index i, index j) {
                       const index o = j / samples;
                       const index s = j - o * samples;
                       to[j * count + i] = from[(s * outputs + o) * area + i];
                     });
  }

  // A row of positions is a row of the padded image moved by the kernel's position (im2col).
  void gather_patches(const Backend& backend, const part& at, const T* image, T* to) {
    const window g = geometry_;
    // On the host by channels, which divides seldom; on a device by rows, which are many.
    if constexpr (on_host) {
      backend.for_each(g.channels * at.samples, [=] GAL_KERNEL(index j) {
        const index c = j / at.samples;
        for (index k = 0; k < g.kernel_area(); ++k) {
          gather_rows(g, at, c, j - c * at.samples, k, 0, at.rows, image, to);
        }
      });
    } else {
      backend.for_each(at.rows, g.channels * g.kernel_area() * at.samples, [=] GAL_KERNEL(index i, index j) {
        const index k = j / at.samples;
        const index c = k / g.kernel_area();
        gather_rows(g, at, c, j - k * at.samples, k - c * g.kernel_area(), i, i + 1, image, to);
      });
    }
  }
  GAL_HOST_DEVICE static void gather_rows(const window& g, const part& at, index channel, index sample,
                                          index k, index first, index last, const T* image, T* to) {
    const index kernel_row = k / g.kernel_width;
    const index kernel_column = k - kernel_row * g.kernel_width;
    const T* const from = image + (sample * g.channels + channel) * g.padded_area() +
                          (at.row * g.stride_height + kernel_row * g.dilation_height) * g.padded_width() +
                          kernel_column * g.dilation_width;
    T* const patch = to + ((channel * g.kernel_area() + k) * at.samples + sample) * at.rows * g.out_width;
    for (index i = first; i < last; ++i) {
      copy_row(from + i * g.stride_height * g.padded_width(), g.stride_width, g.out_width,
               patch + i * g.out_width);
    }
  }

  // The way back: every row of the padded image collects from the patches that it is in.
  void gather_delta(const Backend& backend, const part& at, const T* from, T* to) {
    const window g = geometry_;
    const index first_row = at.row * g.stride_height;
    const index rows = (at.rows - 1) * g.stride_height + (g.kernel_height - 1) * g.dilation_height + 1;
    backend.for_each(rows, g.channels * at.samples, [=] GAL_KERNEL(index i, index j) {
      const index s = j / g.channels;
      const index c = j - s * g.channels;
      const index row = first_row + i;
      T* const line = to + (j * g.padded_height() + row) * g.padded_width();
      for (index kernel_row = 0; kernel_row < g.kernel_height; ++kernel_row) {
        const index position = position_seeing(g, row, kernel_row) - at.row;
        if (position < 0 || position >= at.rows) {
          continue;
        }
        for (index kernel_column = 0; kernel_column < g.kernel_width; ++kernel_column) {
          const index k = c * g.kernel_area() + kernel_row * g.kernel_width + kernel_column;
          add_row(from + ((k * at.samples + s) * at.rows + position) * g.out_width, T(1), g.out_width,
                  line + kernel_column * g.dilation_width, g.stride_width);
        }
      }
    });
  }

  window geometry_;
  index outputs_;
  index groups_;
  bool bias_;
  index first_value_;
  bool is_pointwise_;
  std::vector<worker> workers_;
  matrix<double, Backend> partial_;
  matrix<double, Backend> sums_;
};

}  // namespace gal::nn::detail

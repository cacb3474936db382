// gal/nn/detail/layer_units.hpp: the arithmetic of the layers without a window: batch normalisation, activations, dropout, linear
// layers, the global mean.
// Provides: nothing public; nn::detail units for gal/nn/cnn.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/detail/math.hpp>
#include <gal/core/random.hpp>
#include <gal/core/view.hpp>
#include <gal/nn/activation.hpp>
#include <gal/nn/detail/activate.hpp>
#include <gal/nn/detail/kernels.hpp>
#include <gal/nn/layers.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace gal::inline GAL_ABI::nn::detail {

// From the variance of a batch of so many numbers a channel to the one that it estimates.
[[nodiscard]] inline double unbiased_factor(index_type count) {
  return static_cast<double>(count) / static_cast<double>(count - 1);
}

// A running mean or variance after a batch that has `batch`.
template <class T>
[[nodiscard]] GAL_HOST_DEVICE T moved_statistic(T running, double batch, double momentum) {
  return gal::detail::without_denormals(
      static_cast<T>((1.0 - momentum) * static_cast<double>(running) + momentum * batch));
}

/// Batch normalisation. Values: the scales of all channels, then the shifts. Statistics: the running means, then the
/// running variances. They change in `backward`, not in `forward`: a batch counts once it is learned from, so that a
/// step that is refused for its loss, or a forward pass that is only looked at, leaves no trace.
/// A batch whose mean or variance the statistics' scalar cannot hold has NaN features, so that its step is refused.
template <class T, class Backend>
class batch_normalization_unit {
 public:
  batch_normalization_unit(const batch_normalization& options, image_shape shape, index_type first_value,
                           index_type first_statistic, std::string where)
      : options_(options),
        shape_(shape),
        first_value_(first_value),
        first_statistic_(first_statistic),
        where_(std::move(where)) {}

  void forward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<T, Backend> y) {
    use_backend(p.backend, mean_, variance_, inverse_, partial_, sums_);
    const index_type channels = shape_.channels;
    const index_type area = shape_.area();
    mean_.resize(channels, 1);
    variance_.resize(channels, 1);
    inverse_.resize(channels, 1);
    counted_ = !p.training;
    const double epsilon = options_.epsilon;
    if (p.training) {
      const index_type count = area * x.columns();
      require_layer(
          count > 1, error_code::shape_mismatch, where_,
          "one number per channel, whose variance is zero; expected a batch of at least 2 samples, or "
          "evaluation");
      const double share = 1.0 / static_cast<double>(count);
      sum_channels(p.backend, area, channels, x.columns(), column_entry<T>{x.data(), area}, partial_,
                   mean_.data());
      p.backend.for_each(channels, [to = mean_.data(), share] GAL_KERNEL(index_type c) { to[c] *= share; });
      sum_channels(
          p.backend, area, channels, x.columns(),
          [from = x.data(), mean = mean_.data(), area, channels] GAL_KERNEL(index_type i, index_type j) {
            const double difference = static_cast<double>(from[j * area + i]) - mean[j % channels];
            return difference * difference;
          },
          partial_, variance_.data());
      p.backend.for_each(channels, [to = variance_.data(), inverse = inverse_.data(), share, epsilon,
                                    largest = static_cast<double>(std::numeric_limits<T>::max()) /
                                              unbiased_factor(count)] GAL_KERNEL(index_type c) {
        to[c] *= share;
        inverse[c] =
            to[c] <= largest ? 1.0 / std::sqrt(to[c] + epsilon) : std::numeric_limits<double>::quiet_NaN();
      });
    } else {
      const T* const running = p.statistics + first_statistic_;
      p.backend.for_each(channels, [running, channels, epsilon, mean = mean_.data(),
                                    inverse = inverse_.data()] GAL_KERNEL(index_type c) {
        mean[c] = static_cast<double>(running[c]);
        inverse[c] = 1.0 / std::sqrt(static_cast<double>(running[channels + c]) + epsilon);
      });
    }
    p.backend.for_each(area, channels * x.columns(),
                       [from = x.data(), to = y.data(), scale = p.values + first_value_, mean = mean_.data(),
                        inverse = inverse_.data(), area, channels] GAL_KERNEL(index_type i, index_type j) {
                         const index_type c = j % channels;
                         const T factor = scale[c] * static_cast<T>(inverse[c]);
                         to[j * area + i] =
                             (from[j * area + i] - static_cast<T>(mean[c])) * factor + scale[channels + c];
                       });
  }

  void backward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<const T, Backend>,
                view_in<const T, Backend> gradient, view_in<T, Backend> delta) {
    const index_type channels = shape_.channels;
    const index_type area = shape_.area();
    sums_.resize(channels, 2);
    double* const scale_sum = sums_.data();             // of the gradient times the normalised input
    double* const shift_sum = sums_.data() + channels;  // of the gradient
    const double* const mean = mean_.data();
    const double* const inverse = inverse_.data();
    sum_channels(p.backend, area, channels, x.columns(), column_entry<T>{gradient.data(), area}, partial_,
                 shift_sum);
    sum_channels(
        p.backend, area, channels, x.columns(),
        [from = gradient.data(), input = x.data(), mean, inverse, area, channels] GAL_KERNEL(index_type i,
                                                                                             index_type j) {
          const index_type c = j % channels;
          return static_cast<double>(from[j * area + i]) *
                 ((static_cast<double>(input[j * area + i]) - mean[c]) * inverse[c]);
        },
        partial_, scale_sum);
    add_rounded(p.backend, 2 * channels, sums_.data(), p.gradients + first_value_);
    if (!delta.empty()) {
      // In training mean and variance move with x: g - mean(g) - normalised x times mean(g normalised x).
      const double share = p.training ? 1.0 / static_cast<double>(area * x.columns()) : 0.0;
      p.backend.for_each(
          area, channels * x.columns(),
          [from = gradient.data(), input = x.data(), to = delta.data(), scale = p.values + first_value_, mean,
           inverse, shift_sum, scale_sum, share, area, channels] GAL_KERNEL(index_type i, index_type j) {
            const index_type c = j % channels;
            const T factor = scale[c] * static_cast<T>(inverse[c]);
            const T along = static_cast<T>(share * scale_sum[c] * inverse[c]);
            to[j * area + i] = factor * (from[j * area + i] - static_cast<T>(share * shift_sum[c]) -
                                         (input[j * area + i] - static_cast<T>(mean[c])) * along);
          });
    }
    if (!counted_) {
      counted_ = true;
      p.backend.for_each(channels, [to = p.statistics + first_statistic_, mean, variance = variance_.data(),
                                    inverse, channels, momentum = options_.momentum,
                                    unbiased = unbiased_factor(area * x.columns())] GAL_KERNEL(index_type c) {
        if (inverse[c] >= 0.0) {  // else the batch has no statistics: also where such steps are taken
          to[c] = moved_statistic(to[c], mean[c], momentum);
          to[channels + c] = moved_statistic(to[channels + c], unbiased * variance[c], momentum);
        }
      });
    }
  }

  /// Of the last forward pass, of every channel: the mean, and one over the deviation.
  [[nodiscard]] const double* mean() const { return mean_.data(); }
  [[nodiscard]] const double* inverse() const { return inverse_.data(); }
  [[nodiscard]] image_shape shape() const { return shape_; }
  [[nodiscard]] index_type first_value() const { return first_value_; }

 private:
  batch_normalization options_;
  image_shape shape_;
  index_type first_value_;
  index_type first_statistic_;
  std::string where_;
  bool counted_ = true;               // whether the statistics know the last forward pass
  matrix<double, Backend> mean_;      // of every channel, as all below
  matrix<double, Backend> variance_;  // biased
  matrix<double, Backend> inverse_;   // of the deviation
  matrix<double, Backend> partial_;
  matrix<double, Backend> sums_;
};

// y = phi(x).
template <activation Which, class T, class Backend>
void activate_batch(const Backend& backend, view_in<const T, Backend> x, view_in<T, Backend> y) {
  backend.for_each(x.size(), [from = x.data(), to = y.data()] GAL_KERNEL(index_type i) {
    to[i] = activate<Which>(from[i]);
  });
}

/// An activation of every number.
template <class T, class Backend>
class activation_unit {
 public:
  explicit activation_unit(activation which) : which_(which) {}

  void forward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<T, Backend> y) {
    dispatch(which_, [&](auto which) { activate_batch<which.value>(p.backend, x, y); });
  }

  void backward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<const T, Backend> y,
                view_in<const T, Backend> gradient, view_in<T, Backend> delta) {
    if (!delta.empty()) {
      dispatch(which_, [&](auto which) {
        multiply_by_slope<which.value>(p.backend, x.size(), x.data(), y.data(), gradient.data(),
                                       delta.data());
      });
    }
  }

  [[nodiscard]] activation which() const { return which_; }

 private:
  activation which_;
};

// Numbers kept and divided by 1 - probability, or zero, as the sequence of that seed says.
template <class T, class Backend>
void drop_numbers(const Backend& backend, std::uint64_t seed, double probability, view_in<const T, Backend> x,
                  view_in<T, Backend> y) {
  backend.for_each(x.size(), [=, from = x.data(), to = y.data(),
                              scale = static_cast<T>(1.0 / (1.0 - probability))] GAL_KERNEL(index_type i) {
    const bool kept = random_uniform(seed, static_cast<std::uint64_t>(i)) >= probability;
    to[i] = kept ? scale * from[i] : T(0);
  });
}

/// Dropout: number i of the batch is kept or not by the counter i of the layer's own sequence in this pass.
template <class T, class Backend>
class dropout_unit {
 public:
  dropout_unit(const dropout& options, index_type number)
      : probability_(options.probability), number_(static_cast<std::uint64_t>(number)) {}

  void forward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<T, Backend> y) {
    if (p.training) {
      drop_numbers(p.backend, random_bits(p.seed, number_), probability_, x, y);
    } else {
      p.backend.copy(x.data(), y.data(), x.size());
    }
  }

  // The same numbers of the gradient.
  void backward(const pass<T, Backend>& p, view_in<const T, Backend>, view_in<const T, Backend>,
                view_in<const T, Backend> gradient, view_in<T, Backend> delta) {
    if (!delta.empty()) {
      forward(p, gradient, delta);
    }
  }

 private:
  double probability_;
  std::uint64_t number_;  // among the network's dropout layers
};

/// y = W^T x + b. Values: the weights, `inputs x outputs`, then the bias.
template <class T, class Backend>
class linear_unit : public affine_parameters<T, Backend> {
  using base = affine_parameters<T, Backend>;

 public:
  using base::depth;
  using base::outputs;

  linear_unit(const linear& options, index_type inputs, index_type first_value)
      : base(options.outputs, inputs, options.bias, first_value) {}

  void forward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<T, Backend> y) {
    use_backend(p.backend, ones_);
    p.backend.product(transpose::yes, transpose::no, T(1), weight_matrix(p), x, T(0), y);
    if (const T* const bias = this->bias(p); bias != nullptr) {
      p.backend.for_each(outputs(), x.columns(),
                         [=] GAL_KERNEL(index_type i, index_type j) { y(i, j) += bias[i]; });
    }
  }

  void backward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<const T, Backend>,
                view_in<const T, Backend> gradient, view_in<T, Backend> delta) {
    p.backend.product(transpose::no, transpose::yes, T(1), x, gradient, T(1),
                      view_in<T, Backend>(this->weight_gradient(p), depth(), outputs()));
    if (T* const to = this->bias_gradient(p); to != nullptr) {
      if (ones_.rows() != x.columns()) {
        ones_.resize(x.columns(), 1);
        ones_.fill(T(1));
      }
      p.backend.product(transpose::no, transpose::no, T(1), gradient, std::as_const(ones_).view(), T(1),
                        view_in<T, Backend>(to, outputs(), 1));
    }
    if (!delta.empty()) {
      p.backend.product(transpose::no, transpose::no, T(1), weight_matrix(p), gradient, T(0), delta);
    }
  }

 private:
  [[nodiscard]] view_in<const T, Backend> weight_matrix(const pass<T, Backend>& p) const {
    return {this->weight(p), depth(), outputs()};
  }

  matrix<T, Backend> ones_;
};

/// The mean of every channel.
template <class T, class Backend>
class global_average_pool_unit {
 public:
  explicit global_average_pool_unit(image_shape shape) : shape_(shape) {}

  void forward(const pass<T, Backend>& p, view_in<const T, Backend> x, view_in<T, Backend> y) {
    use_backend(p.backend, sums_);
    const index_type area = shape_.area();
    const double share = 1.0 / static_cast<double>(area);
    sums_.resize(y.rows(), y.columns());
    p.backend.sum_rows(area, y.size(), column_entry<T>{x.data(), area}, sums_.data());
    store_rounded(p.backend, y.size(), share, sums_.data(), y.data());
  }

  void backward(const pass<T, Backend>& p, view_in<const T, Backend>, view_in<const T, Backend>,
                view_in<const T, Backend> gradient, view_in<T, Backend> delta) {
    if (!delta.empty()) {
      const index_type area = shape_.area();
      p.backend.for_each(
          area, gradient.size(),
          [from = gradient.data(), to = delta.data(), area, share = T(1) / static_cast<T>(area)] GAL_KERNEL(
              index_type i, index_type j) { to[j * area + i] = share * from[j]; });
    }
  }

 private:
  image_shape shape_;
  matrix<double, Backend> sums_;
};

}  // namespace gal::nn::detail

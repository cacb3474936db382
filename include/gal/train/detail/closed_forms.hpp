// gal/train/detail/closed_forms.hpp: adjustments that follow from features and gradients by a formula.
// Provides: nothing public; functions for gal/train/adjuster.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/detail/math.hpp>
#include <gal/core/detail/softmax.hpp>
#include <gal/core/random.hpp>
#include <gal/core/view.hpp>

#include <cstdint>
#include <limits>

namespace gal::inline GAL_ABI::detail {

// Here `input` (2d x n) has the features X above the samples' own gradients n G, and `a` (d x n) becomes A. Under softmax
// cross-entropy n G_j = softmax(x_j) - t_j, from which the target t_j follows. A class that is masked out, by the logit
// -infinity, takes no part.

// A_j = strength/n (t_j - 1/classes).
template <class T, class Memory, class Backend>
void smooth_labels(const Backend& backend, double strength, matrix_view<const T, Memory> input,
                   matrix_view<T, Memory> a) {
  const index_type rows = a.rows();
  const double scale = strength / static_cast<double>(a.columns());
  backend.for_each(a.columns(), [=] GAL_KERNEL(index_type j) {
    const softmax<T> p(&input(0, j), rows);
    double classes = 0.0;
    for (index_type k = 0; k < rows; ++k) {
      classes += is_infinite(input(k, j)) ? 0.0 : 1.0;
    }
    for (index_type k = 0; k < rows; ++k) {
      const double target = p(k) - static_cast<double>(input(rows + k, j));
      a(k, j) = is_infinite(input(k, j)) ? T(0) : static_cast<T>(scale * (target - 1.0 / classes));
    }
  });
}

// A_j = strength/n (x_j - mean of x_j).
template <class T, class Memory, class Backend>
void decay_features(const Backend& backend, double strength, matrix_view<const T, Memory> input,
                    matrix_view<T, Memory> a) {
  const index_type rows = a.rows();
  const double scale = strength / static_cast<double>(a.columns());
  backend.for_each(a.columns(), [=] GAL_KERNEL(index_type j) {
    double sum = 0.0;
    double features = 0.0;
    for (index_type k = 0; k < rows; ++k) {
      if (!is_infinite(input(k, j))) {
        sum += static_cast<double>(input(k, j));
        features += 1.0;
      }
    }
    for (index_type k = 0; k < rows; ++k) {
      const double x = static_cast<double>(input(k, j));
      a(k, j) = is_infinite(input(k, j)) ? T(0) : static_cast<T>(scale * (x - sum / features));
    }
  });
}

// The share l_j of a sample in its mix with the next one.
struct mixing_share {
  double strength;
  random_stream random;

  GAL_HOST_DEVICE double operator()(index_type j) const {
    return 1.0 - 0.5 * strength * random_uniform(random.seed, random.counter + static_cast<std::uint64_t>(j));
  }
};

// n (G_j + A_j) = l_j m_j + (1 - l_i) m_i, where m_j = softmax(l_j x_j + (1 - l_j) x_next) - (l_j t_j + (1 - l_j) t_next) and i
// is the sample before j, in a circle. Takes a random number a sample; `mixed` (d x n) is memory.
template <class T, class Memory, class Backend>
void mix_features(const Backend& backend, double strength, random_stream random,
                  matrix_view<const T, Memory> input, matrix_view<T, Memory> mixed,
                  matrix_view<T, Memory> a) {
  const index_type rows = a.rows();
  const index_type samples = a.columns();
  const mixing_share share{strength, random};
  backend.for_each(samples, [=, targets = a] GAL_KERNEL(index_type j) {
    const softmax<T> p(&input(0, j), rows);
    for (index_type k = 0; k < rows; ++k) {
      targets(k, j) = static_cast<T>(p(k) - static_cast<double>(input(rows + k, j)));
    }
  });
  backend.for_each(samples, [=, targets = a] GAL_KERNEL(index_type j) {
    const index_type next = j + 1 < samples ? j + 1 : 0;
    const double own = share(j);
    const auto mix = [&](T x, T y) {
      return own * static_cast<double>(x) + (1.0 - own) * static_cast<double>(y);
    };
    for (index_type k = 0; k < rows; ++k) {
      const bool masked = is_infinite(input(k, j)) || is_infinite(input(k, next));  // 0 times it is NaN
      mixed(k, j) =
          masked ? -std::numeric_limits<T>::infinity() : static_cast<T>(mix(input(k, j), input(k, next)));
    }
    const softmax<T> p(&mixed(0, j), rows);
    for (index_type k = 0; k < rows; ++k) {  // p(k) reads no other entry
      mixed(k, j) = static_cast<T>(p(k) - mix(targets(k, j), targets(k, next)));
    }
  });
  backend.for_each(samples, [=, scale = 1.0 / static_cast<double>(samples)] GAL_KERNEL(index_type j) {
    const index_type before = j > 0 ? j - 1 : samples - 1;
    const double own = share(j);
    const double others = 1.0 - share(before);
    for (index_type k = 0; k < rows; ++k) {
      const double gradient =
          own * static_cast<double>(mixed(k, j)) + others * static_cast<double>(mixed(k, before));
      const double change = gradient - static_cast<double>(input(rows + k, j));
      a(k, j) = is_infinite(input(k, j)) ? T(0) : static_cast<T>(scale * change);
    }
  });
}

}  // namespace gal::detail

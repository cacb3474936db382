// gal/core/detail/softmax.hpp: the softmax of one sample.
// Provides: nothing public; detail::softmax.
#pragma once

#include <gal/core/view.hpp>

#include <cmath>
#include <limits>

namespace gal::inline GAL_ABI::detail {

// p_k = exp(x_k - largest) / total of one sample.
template <class T>
struct softmax {
  const T* logits;
  index_type classes;
  double largest;
  double total = 0.0;

  GAL_HOST_DEVICE softmax(const T* sample, index_type count)
      : logits(sample), classes(count), largest(static_cast<double>(sample[0])) {
    for (index_type k = 1; k < classes; ++k) {
      const auto logit = static_cast<double>(logits[k]);
      largest = logit > largest ? logit : largest;
    }
    for (index_type k = 0; k < classes; ++k) {
      total += std::exp(static_cast<double>(logits[k]) - largest);
    }
  }
  GAL_HOST_DEVICE double operator()(index_type k) const {
    return std::exp(static_cast<double>(logits[k]) - largest) / total;
  }
  GAL_HOST_DEVICE double log(index_type k) const {
    return static_cast<double>(logits[k]) - largest - std::log(total);
  }
  // d_k - mean, or zero of a masked class: it stays where it is.
  GAL_HOST_DEVICE double moved(const T* d, index_type k, double mean) const {
    const bool masked = logits[k] == -std::numeric_limits<T>::infinity();
    return masked ? 0.0 : static_cast<double>(d[k]) - mean;
  }
  // log sum_k p_k exp(mean - d_k).
  GAL_HOST_DEVICE double log_mean_exp(const T* d, double mean) const {
    double top = log(0) - moved(d, 0, mean);
    for (index_type k = 1; k < classes; ++k) {
      top = std::fmax(top, log(k) - moved(d, k, mean));
    }
    double sum = 0.0;
    for (index_type k = 0; k < classes; ++k) {
      sum += std::exp(log(k) - moved(d, k, mean) - top);
    }
    return top + std::log(sum);
  }
};

}  // namespace gal::detail

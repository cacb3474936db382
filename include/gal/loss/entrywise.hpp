// gal/loss/entrywise.hpp: losses that are a mean over all entries, with closed forms of the remainder and of the second derivative.
// Provides: mse, mae, huber, binary_cross_entropy.
#pragma once

#include <gal/core/concepts.hpp>
#include <gal/core/error.hpp>
#include <gal/core/view.hpp>
#include <gal/loss/detail/entries.hpp>
#include <gal/loss/detail/entrywise_loss.hpp>

#include <cmath>
#include <concepts>

// A batch's loss is the mean of its samples' losses l_j, and its gradient carries that 1/n.
//
// Each loss also offers the remainder of its first-order expansion at the tentative point,
//
//     R_j = l_j(x_j - d_j) - l_j(x_j) + <d_j, grad l_j(x_j)>,
//
// in a form that does not subtract nearly equal numbers: at usual settings R is about 1e-9 of the loss, below what
// float can resolve in a difference of losses. The gradient of mean R with respect to D is grad L(X) - grad L(X - D).
// docs/algorithm.md derives the forms ("Closed forms of the remainder").

namespace gal::inline GAL_ABI {

/// Mean squared error over all entries; targets are of the features' size. R = norm(D)^2 / N over N entries.
class mse : public detail::entrywise_loss<detail::squared_error> {
 public:
  mse() = default;
};

/// Mean absolute error over all entries; the slope at zero is zero.
class mae : public detail::entrywise_loss<detail::absolute_error> {
 public:
  mae() = default;
};

/// Huber loss, the mean over all entries of r^2/2 up to `delta` and delta (|r| - delta/2) beyond (Huber, 1964).
class huber : public detail::entrywise_loss<detail::huber_error> {
 public:
  /// Throws unless `delta` is positive.
  explicit huber(double delta = 1.0) : entrywise_loss({delta}) {
    detail::require(delta > 0.0 && std::isfinite(delta), error_code::invalid_option, "gal::huber: delta ",
                    delta, "; expected a positive number");
  }
};

/// Binary cross-entropy of logits, the mean over all entries; targets are probabilities in [0, 1]. A logit of infinity
/// or -infinity has the loss 0 where the target is 1 or 0, which it says, and infinity elsewhere.
class binary_cross_entropy : public detail::entrywise_loss<detail::logit_entropy> {
 public:
  binary_cross_entropy() = default;

  /// As `entrywise_loss::evaluate`; throws also on a target outside [0, 1], of which a device makes NaN.
  template <class Backend, class T, class Memory, detail::matrix_target Target>
  void evaluate(const Backend& backend, matrix_view<const T, Memory> features, const Target& targets,
                matrix_view<double, Memory> values, matrix_view<T, Memory> gradient) const {
    if constexpr (std::same_as<Memory, host_memory>) {
      const auto y = gal::view(targets);
      for (index_type i = 0; i < y.size(); ++i) {
        detail::require(y.data()[i] >= 0 && y.data()[i] <= 1, error_code::invalid_target,
                        "gal::binary_cross_entropy: target ", y.data()[i], " of sample ",
                        y.rows() == features.rows() ? i / y.rows() : i, "; expected a probability in [0, 1]");
      }
    }
    entrywise_loss::evaluate(backend, features, targets, values, gradient);
  }
};

}  // namespace gal

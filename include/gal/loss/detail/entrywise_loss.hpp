// gal/loss/detail/entrywise_loss.hpp: a loss from a function of one entry.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/detail/math.hpp>
#include <gal/loss/detail/batch_checks.hpp>

#include <type_traits>

namespace gal::inline GAL_ABI::detail {

// A loss that is the mean over a sample's entries of a function of one entry. `Entry` provides
//   value(x, y), slope(x, y) = d value / dx, and the two parts of the expansion at x - d:
//   remainder(x, d, y) = value(x - d) - value(x) + d slope(x) and slope_change(x, d, y) = slope(x) - slope(x - d);
//   second(x, y) = d slope / dx.
template <class Entry>
class entrywise_loss {
 public:
  /// Losses of the samples in `values` (`1 x n`) and the gradient of their mean in `gradient` (`d x n`, or empty).
  /// Throws where the shapes do not fit.
  template <class Backend, class T, class Memory, matrix_target Target>
  void evaluate(const Backend& backend, matrix_view<const T, Memory> features, const Target& targets,
                matrix_view<double, Memory> values, matrix_view<T, Memory> gradient) const {
    check_batch(features, values, gradient, Entry::name);
    const auto y = targets_like(features, targets, Entry::name);
    const double share = 1.0 / static_cast<double>(features.rows());
    backend.sum_rows(
        features.rows(), features.columns(),
        [=, entry = entry_] GAL_KERNEL(index_type i, index_type j) {
          return share * entry.value(static_cast<double>(features(i, j)), static_cast<double>(y(i, j)));
        },
        values.data());
    if (!gradient.empty()) {
      const double scale = share / static_cast<double>(features.columns());
      backend.for_each(features.size(), [=, entry = entry_] GAL_KERNEL(index_type i) {
        gradient.data()[i] = without_denormals(static_cast<T>(
            scale * entry.slope(static_cast<double>(features.data()[i]), static_cast<double>(y.data()[i]))));
      });
    }
  }

  /// Remainders of the samples at X - `displacement`, and the gradient of their mean with respect to it.
  template <class Backend, class T, class Memory, matrix_target Target>
  void remainder(const Backend& backend, matrix_view<const T, Memory> features, const Target& targets,
                 std::type_identity_t<matrix_view<const T, Memory>> displacement,
                 matrix_view<double, Memory> values, matrix_view<T, Memory> gradient) const {
    check_batch(features, values, gradient, Entry::name);
    check_displacement(features, displacement, Entry::name);
    const auto y = targets_like(features, targets, Entry::name);
    const double share = 1.0 / static_cast<double>(features.rows());
    backend.sum_rows(
        features.rows(), features.columns(),
        [=, entry = entry_] GAL_KERNEL(index_type i, index_type j) {
          return share * entry.remainder(static_cast<double>(features(i, j)),
                                         static_cast<double>(displacement(i, j)),
                                         static_cast<double>(y(i, j)));
        },
        values.data());
    if (!gradient.empty()) {
      const double scale = share / static_cast<double>(features.columns());
      backend.for_each(features.size(), [=, entry = entry_] GAL_KERNEL(index_type i) {
        gradient.data()[i] = without_denormals(
            static_cast<T>(scale * entry.slope_change(static_cast<double>(features.data()[i]),
                                                      static_cast<double>(displacement.data()[i]),
                                                      static_cast<double>(y.data()[i]))));
      });
    }
  }

  /// Second derivatives of the samples' losses along `tangent`, one column a sample.
  template <class Backend, class T, class Memory, matrix_target Target>
  void second_derivative(const Backend& backend, matrix_view<const T, Memory> features, const Target& targets,
                         std::type_identity_t<matrix_view<const T, Memory>> tangent,
                         matrix_view<double, Memory> values) const {
    check_tangent(features, tangent, values, Entry::name);
    const auto y = targets_like(features, targets, Entry::name);
    const double share = 1.0 / static_cast<double>(features.rows());
    backend.sum_rows(
        features.rows(), features.columns(),
        [=, entry = entry_] GAL_KERNEL(index_type i, index_type j) {
          const auto t = static_cast<double>(tangent(i, j));
          return share * t * t *
                 entry.second(static_cast<double>(features(i, j)), static_cast<double>(y(i, j)));
        },
        values.data());
  }

 protected:
  explicit entrywise_loss(Entry entry = {}) : entry_(entry) {}

 private:
  Entry entry_;
};

}  // namespace gal::detail

// gal/loss/evaluate_loss.hpp: what any loss says of a batch, outside of training.
// Provides: evaluate_loss, loss_values.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>

namespace gal::inline GAL_ABI {

/// What a loss says of one batch.
template <class T, class Backend = eigen_backend>
struct loss_values {
  double mean = 0.0;
  matrix<double, Backend> samples;  ///< the loss of every sample, `1 x n`
  matrix<T, Backend> gradient;      ///< of the mean, `d x n`
};

namespace detail {

// In a function without constraints, whose kernels nvcc can name.
template <class Backend>
void add_up(const Backend& backend, index_type count, const double* from, double* sum) {
  backend.sum(
      count, [from] GAL_KERNEL(index_type j) { return from[j]; }, sum);
}

}  // namespace detail

/// Mean, per-sample values and gradient of any loss, for use outside of training.
///
///     const auto result = gal::evaluate_loss(gal::mse(), model.forward(x), y);
template <class Loss, viewable Features, class Target = nothing, class Backend = eigen_backend>
[[nodiscard]] loss_values<scalar_of<const Features>, Backend> evaluate_loss(Loss loss,
                                                                            const Features& features,
                                                                            const Target& targets = {},
                                                                            const Backend& backend = {}) {
  using T = scalar_of<const Features>;
  static_assert(detail::explain_loss<Loss, T, Backend, Target>());
  const matrix_view<const T, typename Backend::memory_type> x(features);
  loss_values<T, Backend> result{0.0, matrix<double, Backend>(1, x.columns(), 0.0, backend),
                                 matrix<T, Backend>(x.rows(), x.columns(), T(0), backend)};
  loss.evaluate(backend, x, targets, result.samples.view(), result.gradient.view());
  matrix<double, Backend> total(1, 1, 0.0, backend);
  detail::add_up(backend, x.columns(), result.samples.data(), total.data());
  result.mean = backend.read(total.data()) / static_cast<double>(x.columns());
  return result;
}

}  // namespace gal

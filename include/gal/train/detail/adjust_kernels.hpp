// gal/train/detail/adjust_kernels.hpp: the arithmetic of gradient adjustment learning, entry by entry.
// Provides: nothing public; functions on the matrices of gal/train/adjust.hpp, whose names they share.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/detail/math.hpp>
#include <gal/core/view.hpp>
#include <gal/train/adjust_options.hpp>
#include <gal/train/adjust_report.hpp>

namespace gal::inline GAL_ABI::detail {

// D = length (G + A), or length G where `a` is empty.
template <class T, class Memory, class Backend>
void displace(const Backend& backend, double length, matrix_view<const T, Memory> g,
              matrix_view<const T, Memory> a, matrix_view<T, Memory> d) {
  const bool adjusted = !a.empty();
  backend.for_each(g.size(), [=, scale = static_cast<T>(length), to = d.data(), gradient = g.data(),
                              adjustment = a.data()] GAL_KERNEL(index_type i) {
    to[i] = scale * (adjusted ? gradient[i] + adjustment[i] : gradient[i]);
  });
}

// R, of the samples' sum and kappa, the weight of <D, G>, and the factor of the objective's gradient.
template <class Backend>
void find_remainder(const Backend& backend, objective of, double samples, double kappa, double length,
                    adjust_numbers* numbers) {
  const bool fits_remainder = of == objective::remainder;
  backend.for_each(1, [=, weight = kappa - 1.0] GAL_KERNEL(index_type) {
    const double first_order = length * (numbers->gradient_square + numbers->gradient_adjustment);
    const double remainder = numbers->change / samples + weight * first_order;
    const double sign = remainder > 0.0 ? 1.0 : (remainder < 0.0 ? -1.0 : remainder);  // keeps NaN
    numbers->remainder = remainder;
    numbers->objective_scale = fits_remainder ? sign * length : length;
  });
}

// Turns the samples' remainders into the changes of their losses: less <D, G> of <G, G> and, unless it is empty, <G, A>.
// G carries 1/n: a sample's own gradient is n G_j.
template <class Backend>
void subtract_first_order(const Backend& backend, double length,
                          matrix_view<const double, typename Backend::memory_type> squares,
                          matrix_view<const double, typename Backend::memory_type> products,
                          matrix_view<double, typename Backend::memory_type> remainders) {
  const bool adjusted = !products.empty();
  backend.for_each(remainders.columns(),
                   [=, scale = length * static_cast<double>(remainders.columns()), to = remainders.data(),
                    gg = squares.data(), ga = products.data()] GAL_KERNEL(index_type j) {
                     to[j] -= scale * (adjusted ? gg[j] + ga[j] : gg[j]);
                   });
}

// Gradient of the objective with respect to A, in place of `slope` = G - grad L(X - D):
//   d|R|/dA = sign(R) length (kappa G - grad L(X - D)),   dLt/dA = -length grad L(X - D).
template <class T, class Memory, class Backend>
void differentiate_objective(const Backend& backend, objective of, double kappa,
                             matrix_view<const T, Memory> g, const double* objective_scale,
                             matrix_view<T, Memory> slope) {
  const T weight = static_cast<T>((of == objective::remainder ? kappa : 0.0) - 1.0);
  backend.for_each(slope.size(), [=, scale = deferred(backend, objective_scale), to = slope.data(),
                                  gradient = g.data()] GAL_KERNEL(index_type i) {
    to[i] = static_cast<T>(scale()) * (to[i] + weight * gradient[i]);
  });
}

// The safeguard: which samples' gradients are adjusted, as 1 or 0. `change` of the loss along G + A and `vanilla_change`
// along G, which is read under `not_worse_than_vanilla` alone, are the samples' own or the batch's.
template <class Backend>
void decide(const Backend& backend, const adjust_options& options,
            matrix_view<const double, typename Backend::memory_type> changes,
            matrix_view<const double, typename Backend::memory_type> vanilla_changes,
            const adjust_numbers* numbers, matrix_view<double, typename Backend::memory_type> accepted) {
  const gal::safeguard rule = options.safeguard;
  const bool to_vanilla = rule == safeguard::not_worse_than_vanilla;
  const auto passes = [=] GAL_KERNEL(double change, double vanilla_change) {
    return rule == safeguard::always || (rule == safeguard::better && change < 0.0) ||
           (rule == safeguard::not_worse && change <= 0.0) || (to_vanilla && change <= vanilla_change);
  };
  if (options.decision == decision::per_sample) {
    backend.for_each(accepted.columns(), [=, to = accepted.data(), change = changes.data(),
                                          vanilla = vanilla_changes.data()] GAL_KERNEL(index_type j) {
      to[j] = passes(change[j], to_vanilla ? vanilla[j] : 0.0) ? 1.0 : 0.0;
    });
  } else {
    backend.for_each(accepted.columns(),
                     [=, to = accepted.data(), change = deferred(backend, &numbers->change),
                      vanilla = deferred(backend, &numbers->vanilla_change)] GAL_KERNEL(index_type j) {
                       to[j] = passes(change(), vanilla()) ? 1.0 : 0.0;
                     });
  }
}

// The gradient for the model: G + A where accepted, else G. An infinite feature stays where it is, whatever A says.
template <class T, class Memory, class Backend>
void choose(const Backend& backend, matrix_view<const T, Memory> x, matrix_view<const T, Memory> g,
            matrix_view<const T, Memory> a, matrix_view<const double, Memory> accepted,
            matrix_view<T, Memory> chosen) {
  backend.for_each(chosen.rows(), chosen.columns(),
                   [=, accepted = accepted.data()] GAL_KERNEL(index_type i, index_type j) {
                     const bool adjusted = accepted[j] > 0.0 && !is_infinite(x(i, j));
                     chosen(i, j) = adjusted ? g(i, j) + a(i, j) : g(i, j);
                   });
}

}  // namespace gal::detail

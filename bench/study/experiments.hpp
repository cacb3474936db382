// study/experiments.hpp: the parts of the study. Each returns its numbers; nothing but times depends on the threads.
// Provides: walks, compare, compare_splits, tune, related, follow, sweep, search, bound, bound_of_walks.
#pragma once

#include "networks.hpp"
#include "numbers.hpp"

namespace study {

/// The 3D problem under five optimizers: mean height along the path, at equal steps and in equal time.
[[nodiscard]] json walks(const scope& s);

/// All methods at the default learning rate on the split of seed 1: at equal steps, and with as many more epochs for
/// vanilla as take the method's time.
[[nodiscard]] json compare(const network_task& task, const scope& s);

/// Recommended against vanilla on the splits of seeds 2 to 6.
[[nodiscard]] json compare_splits(const network_task& task, const scope& s);

/// Each method at its own best learning rate: chosen on a validation part of the samples for training, measured on the test
/// part.
[[nodiscard]] json tune(const network_task& task, const scope& s);

/// GAL and the related methods of the expansion against the optimizer, by gal::compare: each at its best learning rate, and in
/// equal time.
[[nodiscard]] json related(const network_task& task, const scope& s);

/// Remainder, cosine, share accepted and share ahead over training (paper, Figs. 6 and 8).
[[nodiscard]] json follow(const network_task& task, const scope& s);

/// Epsilon, tau and hidden widths, one at a time (paper, Fig. 7), and the safeguards (Fig. 8a).
[[nodiscard]] json sweep(const network_task& task, const scope& s);

/// Other settings than the recommended ones, and ideas that the library does not offer, on the validation part: at the
/// default learning rate, and each at its own best.
[[nodiscard]] json search(const network_task& task, const scope& s);

/// Theorem IV.4 along the trainings of the first seed, in the space of the parameters, and along the 3D problem's walks.
[[nodiscard]] json bound(const network_task& task, const scope& s);
[[nodiscard]] json bound_of_walks();

}  // namespace study

// study/experiments.hpp: the parts of the study. Each returns its numbers; nothing but times depends on the threads.
// Provides: walk_names, walks; networks, defaults; follow; bound, bound_of_walks; controls_of.
#pragma once

#include "numbers.hpp"
#include "tasks.hpp"

#include <gal/train/adjust_options.hpp>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace study {

/// `recommended` with other adjusters, each a control with its name: one that does not learn, noise in its place, and one
/// without hidden layers.
[[nodiscard]] inline std::vector<std::pair<std::string, gal::adjust_options>> controls_of(
    const gal::adjust_options& recommended) {
  std::vector<std::pair<std::string, gal::adjust_options>> result;
  const auto add = [&](std::string name, gal::adjuster_kind kind) {
    result.emplace_back(std::move(name), recommended);
    result.back().second.adjuster.kind = kind;
  };
  add("untrained adjuster", gal::adjuster_kind::untrained);
  add("uniform noise", gal::adjuster_kind::uniform);
  add("normal noise", gal::adjuster_kind::normal);
  add("linear adjuster", gal::adjuster_kind::learned);
  result.back().second.hidden = {};
  return result;
}

/// The 3D problem under one of five optimizers: mean height along the path, by gal::compare. `missed` has how many walks of
/// every method end in the wrong basin.
inline constexpr std::array<std::string_view, 5> walk_names = {"gd", "lookahead", "rmsprop", "adam",
                                                               "adabound"};
[[nodiscard]] json walks(std::string_view optimizer, const scope& s);

/// Everything that the library offers against the optimizer, each at its own best learning rate and setting, by
/// gal::compare; every seed has its own division of the samples, and all rates fall to zero.
[[nodiscard]] json networks(const network_task& task, const scope& s);

/// The same at the default learning rate, constant: gradient adjustment with its controls and, on tasks that sweep, with
/// other values of epsilon, tau and hidden widths (paper, Fig. 7) and other safeguards (Fig. 8a).
[[nodiscard]] json defaults(const network_task& task, const scope& s);

/// Remainder, cosine, share accepted and share ahead over training (paper, Figs. 6 and 8).
[[nodiscard]] json follow(const network_task& task, const scope& s);

/// Theorem IV.4 along the trainings of the first seed, in the space of the parameters, and along the 3D problem's walks.
[[nodiscard]] json bound(const network_task& task, const scope& s);
[[nodiscard]] json bound_of_walks();

}  // namespace study

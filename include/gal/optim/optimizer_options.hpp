// gal/optim/optimizer_options.hpp: the settings of the optimizers.
// Provides: sgd_options, rmsprop_options, adam_options, adamw_options, adabound_options; clipping; parameter_group. Includes
// gal/optim/schedule.hpp.
#pragma once

#include <gal/optim/schedule.hpp>

#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace gal::inline GAL_ABI {

/// Limits on gradients before a step; infinity is no limit. First every entry is cut to `value`, then all gradients
/// together are scaled down to the norm `norm`.
struct clipping {
  double value = std::numeric_limits<double>::infinity();
  double norm = std::numeric_limits<double>::infinity();
  friend bool operator==(const clipping&, const clipping&) = default;
};

/// Settings of the parameters of one group; what is left out is the optimizer's own.
struct parameter_group {
  std::optional<double> learning_rate = {};
  std::optional<double> weight_decay = {};
  friend bool operator==(const parameter_group&, const parameter_group&) = default;
};

// `visit_state` shows what the methods do not share; the optimizer shows the rest.

/// Settings of `sgd`.
struct sgd_options {
  double learning_rate = 1e-2;               ///< factor on the direction, >= 0
  double momentum = 0.0;                     ///< share of the last direction that is kept, in [0, 1)
  bool nesterov = false;                     ///< look ahead by the momentum, which is then positive
  double weight_decay = 0.0;                 ///< share of the value that is added to its gradient, >= 0
  gal::schedule schedule = {};               ///< factor on the learning rate over the steps
  gal::clipping clipping = {};               ///< limits on the gradients
  std::vector<parameter_group> groups = {};  ///< settings of the blocks of group 0, 1, ...

  template <class Visitor>
  void visit_state(Visitor& visit) const {
    visit.setting("method", "sgd");
    visit.setting("momentum", momentum);
    visit.setting("nesterov", nesterov);
  }
};

/// Settings of `rmsprop`.
struct rmsprop_options {
  double learning_rate = 1e-2;  ///< factor on the direction, >= 0
  double smoothing = 0.99;      ///< share of the mean square that is kept in a step, in [0, 1)
  double epsilon = 1e-8;        ///< added to the root of the mean square, > 0
  double momentum = 0.0;        ///< share of the last direction that is kept, in [0, 1)
  bool centred = false;         ///< divide by the deviation: the mean square less the square of the mean
  double weight_decay = 0.0;    ///< share of the value that is added to its gradient, >= 0
  gal::schedule schedule = {};  ///< factor on the learning rate over the steps
  gal::clipping clipping = {};  ///< limits on the gradients
  std::vector<parameter_group> groups = {};  ///< settings of the blocks of group 0, 1, ...

  template <class Visitor>
  void visit_state(Visitor& visit) const {
    visit.setting("method", "rmsprop");
    visit.setting("smoothing", smoothing);
    visit.setting("epsilon", epsilon);
    visit.setting("momentum", momentum);
    visit.setting("centred", centred);
  }
};

/// Settings of Adam, by the names `adam_options` and `adamw_options`. `Decoupled`: weights decay beside the step, as in
/// AdamW.
template <bool Decoupled>
struct adam_options_of {
  double learning_rate = 1e-3;  ///< about the change of a value in a step, >= 0
  double beta1 = 0.9;           ///< share of the mean gradient that is kept in a step, in [0, 1)
  double beta2 = 0.999;         ///< share of the mean square that is kept in a step, in [0, 1)
  double epsilon = 1e-8;        ///< added to the root of the mean square, > 0
  /// Of `adam` the share of the value that is added to its gradient, 0; of `adamw` the share that a value loses in a step,
  /// times the learning rate, 0.01. >= 0
  double weight_decay = Decoupled ? 1e-2 : 0.0;
  gal::schedule schedule = {};               ///< factor on the learning rate over the steps
  gal::clipping clipping = {};               ///< limits on the gradients
  std::vector<parameter_group> groups = {};  ///< settings of the blocks of group 0, 1, ...

  template <class Visitor>
  void visit_state(Visitor& visit) const {
    visit.setting("method", Decoupled ? "adamw" : "adam");
    visit.setting("beta1", beta1);
    visit.setting("beta2", beta2);
    visit.setting("epsilon", epsilon);
  }
};

/// Settings of `adam`: `weight_decay` is 0, and part of the gradient.
using adam_options = adam_options_of<false>;

/// Settings of `adamw`: `weight_decay` is 0.01, and no part of the gradient.
using adamw_options = adam_options_of<true>;

/// Settings of `adabound`.
struct adabound_options {
  double learning_rate = 1e-3;       ///< of Adam, with which it begins, >= 0
  double beta1 = 0.9;                ///< share of the mean gradient that is kept in a step, in [0, 1)
  double beta2 = 0.999;              ///< share of the mean square that is kept in a step, in [0, 1)
  double epsilon = 1e-8;             ///< added to the root of the mean square, > 0
  double final_learning_rate = 0.1;  ///< of the descent with which it ends, scaled as learning_rate is, >= 0
  double gamma = 1e-3;               ///< speed at which the bounds close in on it, per step, > 0
  double weight_decay = 0.0;         ///< share of the value that is added to its gradient, >= 0
  gal::schedule schedule = {};       ///< factor on the learning rate over the steps
  gal::clipping clipping = {};       ///< limits on the gradients
  std::vector<parameter_group> groups = {};  ///< settings of the blocks of group 0, 1, ...

  template <class Visitor>
  void visit_state(Visitor& visit) const {
    visit.setting("method", "adabound");
    visit.setting("beta1", beta1);
    visit.setting("beta2", beta2);
    visit.setting("epsilon", epsilon);
    visit.setting("final_learning_rate", final_learning_rate);
    visit.setting("gamma", gamma);
  }
};

}  // namespace gal

// gal/optim/optimizers.hpp: optimizers.
// Provides: sgd, rmsprop, adam, adamw, adabound. Includes gal/optim/optimizer_options.hpp, gal/optim/schedule.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/optim/detail/first_order.hpp>
#include <gal/optim/detail/rules.hpp>
#include <gal/optim/optimizer_options.hpp>
#include <gal/optim/schedule.hpp>

namespace gal::inline GAL_ABI {

/// Stochastic gradient descent: m = momentum m + g; value -= rate m, with `nesterov` rate (g + momentum m). Settings:
/// `sgd_options`.
///
///     gal::sgd<float> optimizer({.learning_rate = 0.05, .momentum = 0.9});
template <class T, class Backend = eigen_backend>
using sgd = detail::first_order<sgd_options, T, Backend>;

/// RMSProp (Hinton, 2012): the gradient over the root of its smoothed square (`centred`: of its smoothed variance).
/// Settings: `rmsprop_options`.
template <class T, class Backend = eigen_backend>
using rmsprop = detail::first_order<rmsprop_options, T, Backend>;

/// Adam (Kingma and Ba, 2015): the smoothed gradient over the root of its smoothed square, both corrected for having
/// started at zero. Settings: `adam_options`.
template <class T, class Backend = eigen_backend>
using adam = detail::first_order<adam_options, T, Backend>;

/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019). Settings: `adamw_options`.
template <class T, class Backend = eigen_backend>
using adamw = detail::first_order<adamw_options, T, Backend>;

/// AdaBound (Luo et al., 2019): Adam's rates held between bounds that close in on `final_learning_rate`. Settings:
/// `adabound_options`.
template <class T, class Backend = eigen_backend>
using adabound = detail::first_order<adabound_options, T, Backend>;

}  // namespace gal

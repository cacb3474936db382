// gal/adapters/torch_derivatives.hpp: what a loss of a libtorch model does along a direction of its parameters, by autograd.
// Provides: torch_derivatives_along, torch_derivatives. Includes gal/taylor/directional_expansion.hpp. Needs the CMake target
// gal::torch.
#pragma once

#include <gal/adapters/detail/torch_pass.hpp>
#include <gal/adapters/detail/torch_trainer.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/error.hpp>
#include <gal/taylor/directional_expansion.hpp>

#include <torch/torch.h>

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <vector>

namespace gal::inline GAL_ABI {

/// The derivatives of a batch's mean loss along a direction u, and of every sample.
struct torch_derivatives : directional_derivatives {
  torch::Tensor
      samples_first;  ///< <grad l_j, u>, a double for every loss; of a loss that gives the mean alone, of the mean
};

/// The derivatives along theta + s u at s = 0 of the mean loss L of a batch: <g, u>; the Gauss-Newton curvature, the second
/// derivative of the loss as a function of the features (and of parameters that it has itself); u^T H u. As
/// `directional_expansion` has them for the library's own models, here by torch's double backward: with the cotangent v of the
/// features as a variable, d <J^T v, u> / dv = J u (Townsend, 2017).
///
/// Model and loss are what `torch_adjust` takes; `u` has a tensor of its size for every one of `parameters`, which require
/// gradients; others rest. One forward pass, a backward pass that keeps its graph, and one through that; parameters and their
/// gradients stay as they are. Where features and losses of the order of 1 are double the numbers are exact to rounding, of float
/// models to that of float. Throws where an operation has no double backward, and where sizes do not fit. On a device it waits.
///
///     const gal::torch_derivatives along = gal::torch_derivatives_along(model, gal::mse(), x, y, model->parameters(), u);
///     along.second;           // u^T H u
template <class Model, class Loss, class Input, class Target>
[[nodiscard]] torch_derivatives torch_derivatives_along(Model& model, Loss&& loss, const Input& input,
                                                        const Target& target,
                                                        const std::vector<torch::Tensor>& parameters,
                                                        const std::vector<torch::Tensor>& u,
                                                        expansion_order order = expansion_order::second) {
  constexpr std::string_view who = "gal::torch_derivatives_along";
  detail::require_torch_loss<std::remove_reference_t<Loss>, Target>();
  detail::require(parameters.size() == u.size() && !u.empty(), error_code::shape_mismatch, who, ": ",
                  u.size(), " tensors of the direction; expected ", parameters.size(),
                  ", one for each parameter, and at least one");
  for (std::size_t k = 0; k < u.size(); ++k) {
    detail::require(parameters[k].sizes() == u[k].sizes(), error_code::shape_mismatch, who, ": tensor ", k,
                    " of the direction is ", detail::sizes_of(u[k]), "; expected ",
                    detail::sizes_of(parameters[k]), ", the size of its parameter");
    detail::require(parameters[k].requires_grad(), error_code::invalid_option, who, ": parameter ", k,
                    " requires no gradient; expected parameters that do");
  }
  const torch::AutoGradMode with_gradients(true);
  detail::torch_pass pass(who, model, loss, input, target, parameters, /*twice=*/true);
  pass.differentiate();
  const detail::torch_along along = pass.along(u, order);
  torch_derivatives result;
  result.samples_first = along.samples_first;
  static_cast<directional_derivatives&>(result) = along.read();
  return result;
}

}  // namespace gal

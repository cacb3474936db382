// gal/adapters/torch.hpp: all of the adapter for libtorch: its trainers, and derivatives along a direction.
// Provides: what the headers below provide. Needs the CMake target gal::torch.
#pragma once

#include <gal/adapters/torch_adjust.hpp>
#include <gal/adapters/torch_alignment_reward.hpp>
#include <gal/adapters/torch_derivatives.hpp>
#include <gal/adapters/torch_instance_rates.hpp>
#include <gal/adapters/torch_rescaled.hpp>

// gal/nn.hpp: the room nn/: networks.
#pragma once

#include <gal/nn/activation.hpp>
#include <gal/nn/cnn.hpp>
#include <gal/nn/convolution_unit.hpp>
#include <gal/nn/image_shape.hpp>
#include <gal/nn/layers.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/nn/point.hpp>

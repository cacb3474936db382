// gal/gal.hpp: the library for programs that run on the host: everything that needs only Eigen.
#pragma once

#include <gal/backends/eigen.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/error.hpp>
#include <gal/core/version.hpp>
#include <gal/data/csv.hpp>
#include <gal/data/dataset.hpp>
#include <gal/data/images.hpp>
#include <gal/loss/boxes.hpp>
#include <gal/loss/losses.hpp>
#include <gal/nn/cnn.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/nn/point.hpp>
#include <gal/optim/lookahead.hpp>
#include <gal/optim/optimizers.hpp>
#include <gal/stats/stats.hpp>
#include <gal/taylor/check_gradients.hpp>
#include <gal/train/adjust.hpp>
#include <gal/train/adjuster.hpp>
#include <gal/train/cnn_adjuster.hpp>
#include <gal/train/plain.hpp>

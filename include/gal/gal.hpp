// gal/gal.hpp: the library for programs that run on the host: everything that needs only Eigen.
#pragma once

#include <gal/adjust.hpp>
#include <gal/adjuster.hpp>
#include <gal/boxes.hpp>
#include <gal/check.hpp>
#include <gal/cnn.hpp>
#include <gal/cnn_adjuster.hpp>
#include <gal/concepts.hpp>
#include <gal/csv.hpp>
#include <gal/data.hpp>
#include <gal/eigen.hpp>
#include <gal/error.hpp>
#include <gal/images.hpp>
#include <gal/lookahead.hpp>
#include <gal/loss.hpp>
#include <gal/nn.hpp>
#include <gal/optim.hpp>
#include <gal/stats.hpp>
#include <gal/version.hpp>

// gal/data.hpp: the room data/, without gzip.hpp, which needs zlib, and npy.hpp, which needs POSIX.
#pragma once

#include <gal/data/batches.hpp>
#include <gal/data/choice_sampler.hpp>
#include <gal/data/csv.hpp>
#include <gal/data/dataset.hpp>
#include <gal/data/images.hpp>
#include <gal/data/mixed_batches.hpp>
#include <gal/data/split.hpp>
#include <gal/data/standardizer.hpp>

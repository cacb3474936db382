// gal/core.hpp: the room core/: the contract between models, losses, optimizers and backends.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/concepts.hpp>
#include <gal/core/direction.hpp>
#include <gal/core/enumeration.hpp>
#include <gal/core/error.hpp>
#include <gal/core/random.hpp>
#include <gal/core/tangents.hpp>
#include <gal/core/text.hpp>
#include <gal/core/version.hpp>
#include <gal/core/view.hpp>

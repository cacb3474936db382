// gal/predict.hpp: the room predict/: trained networks that predict, and their files (POSIX, nlohmann-json).
#pragma once

#include <gal/predict/network_structure.hpp>
#include <gal/predict/predictor.hpp>
#include <gal/predict/predictor_file.hpp>

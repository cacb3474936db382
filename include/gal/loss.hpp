// gal/loss.hpp: the room loss/: losses.
#pragma once

#include <gal/loss/boxes.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/loss/evaluate_loss.hpp>
#include <gal/loss/sample_loss.hpp>
#include <gal/loss/softmax_cross_entropy.hpp>

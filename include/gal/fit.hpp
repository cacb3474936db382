// gal/fit.hpp: the room fit/: the training loop and its callbacks (POSIX). gal/io/checkpoint.hpp has one more.
#pragma once

#include <gal/fit/callback.hpp>
#include <gal/fit/callbacks.hpp>
#include <gal/fit/epoch_report.hpp>
#include <gal/fit/evaluation_mode.hpp>
#include <gal/fit/fit.hpp>
#include <gal/fit/fit_options.hpp>
#include <gal/fit/fit_run.hpp>
#include <gal/fit/html_page.hpp>
#include <gal/fit/html_report.hpp>
#include <gal/fit/tensorboard.hpp>

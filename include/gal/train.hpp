// gal/train.hpp: the room train/: trainers.
#pragma once

#include <gal/train/adjust.hpp>
#include <gal/train/adjust_options.hpp>
#include <gal/train/adjust_report.hpp>
#include <gal/train/adjuster.hpp>
#include <gal/train/adjustment_map.hpp>
#include <gal/train/alignment_reward.hpp>
#include <gal/train/alignment_reward_options.hpp>
#include <gal/train/captured_step.hpp>
#include <gal/train/cnn_adjuster.hpp>
#include <gal/train/held_out_adjust.hpp>
#include <gal/train/instance_rates.hpp>
#include <gal/train/instance_rates_options.hpp>
#include <gal/train/plain.hpp>
#include <gal/train/rescaled.hpp>
#include <gal/train/rescaled_options.hpp>
#include <gal/train/step_report.hpp>
#include <gal/train/trainer.hpp>

// gpu_regression.hpp: what the two halves of the example exchange. Data are read and measured by a C++ compiler, with
// Eigen; the training is compiled by a device compiler, which never sees it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// Standardised features and their targets, a sample per column.
struct regression_part {
  long rows = 0;
  long samples = 0;
  std::vector<float> features;
  std::vector<float> targets;
};

struct regression_data {
  regression_part train, test;
};

struct regression_settings {
  std::vector<long> hidden;           // of the model
  std::vector<long> adjuster_hidden;  // of the paper's adjuster
  bool adjusted = true;
  bool paper = false;
  bool graph = true;
  int epochs = 100;
  long batch = 32;
  double learning_rate = 1e-3;
  std::uint64_t seed = 1;
};

struct regression_result {
  std::vector<float> predictions;  // of the test part
  double training_loss = 0.0;      // of the last step
  double accepted_share = 0.0;     // in the last step
  long steps = 0;
  double seconds = 0.0;  // of the training, data transfers left out
};

/// Trains on the device. Throws `gal::error` where it fails.
regression_result train_on_device(const regression_data& data, const regression_settings& settings);

/// The device's name.
std::string device_name();

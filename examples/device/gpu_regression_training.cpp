// The training of gpu_regression: everything stays on the device, and nothing waits for it but the end.
#include "gpu_regression.hpp"

#include <gal/backends/thrust.hpp>
#include <gal/core/random.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/optim/optimizers.hpp>
#include <gal/train/adjust.hpp>
#include <gal/train/captured_step.hpp>
#include <gal/train/plain.hpp>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>
#include <vector>

namespace {

using backend_type = gal::thrust_backend;
using device_matrix = gal::matrix<float, backend_type>;

// Puts the samples of `order` from `first` on next to each other.
struct gather {
  const float* from;
  const gal::index_type* order;
  gal::index_type first;
  gal::index_type rows;
  float* to;

  GAL_HOST_DEVICE void operator()(gal::index_type i, gal::index_type j) const {
    to[j * rows + i] = from[order[first + j] * rows + i];
  }
};

// A new order of the samples, the same for the same random state.
void shuffle(std::vector<gal::index_type>& order, gal::random_stream& random) {
  std::iota(order.begin(), order.end(), gal::index_type{0});
  for (std::size_t i = order.size() - 1; i > 0; --i) {
    std::swap(order[i], order[static_cast<std::size_t>(random.below(i + 1))]);
  }
}

}  // namespace

regression_result train_on_device(const regression_data& data, const regression_settings& s) {
  const backend_type backend;
  const gal::index_type rows = data.train.rows;
  const gal::index_type samples = data.train.samples;
  const gal::index_type batch = std::min<gal::index_type>(s.batch, samples);
  const device_matrix features =
      gal::to_device(backend, gal::matrix_view<const float>(data.train.features.data(), rows, samples));
  const device_matrix targets =
      gal::to_device(backend, gal::matrix_view<const float>(data.train.targets.data(), 1, samples));
  const device_matrix test = gal::to_device(
      backend, gal::matrix_view<const float>(data.test.features.data(), rows, data.test.samples));
  device_matrix x(rows, batch, 0.0f, backend);
  device_matrix y(1, batch, 0.0f, backend);
  gal::matrix<gal::index_type, backend_type> order(1, samples, 0, backend);

  std::vector<gal::index_type> widths{rows};
  widths.insert(widths.end(), s.hidden.begin(), s.hidden.end());
  widths.push_back(1);
  gal::nn::mlp<float, backend_type> model(widths, {.activation = gal::nn::relu, .seed = s.seed}, backend);
  gal::adam<float, backend_type> optimizer({.learning_rate = s.learning_rate}, backend);
  regression_result result;
  std::vector<gal::index_type> shuffled(static_cast<std::size_t>(samples));
  gal::random_stream random{s.seed};
  const auto train_with = [&](auto trainer) {
    gal::captured_step captured(trainer, x, y);
    backend.synchronize();
    const auto start = std::chrono::steady_clock::now();
    for (int epoch = 0; epoch < s.epochs; ++epoch) {
      shuffle(shuffled, random);
      backend.upload(shuffled.data(), order.data(), samples);
      // The last, shorter batch is left out: the recorded step has one size. Another order leaves out others.
      for (gal::index_type first = 0; first + batch <= samples; first += batch) {
        backend.for_each(rows, batch, gather{features.data(), order.data(), first, rows, x.data()});
        backend.for_each(1, batch, gather{targets.data(), order.data(), first, 1, y.data()});
        if (s.graph) {
          captured();
        } else {
          trainer.step(x, y);
        }
      }
    }
    backend.synchronize();
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const auto report = trainer.report();
    result.training_loss = report.loss;
    result.steps = static_cast<long>(trainer.steps());
    return report;
  };
  if (s.adjusted) {
    gal::adjust_options options = gal::recommended();
    if (s.paper) {
      options = gal::paper();
      options.normalisation = gal::normalisation::per_batch;  // that per sample cannot learn with one feature
      options.hidden.assign(s.adjuster_hidden.begin(), s.adjuster_hidden.end());
    }
    options.adjuster.seed = s.seed;
    result.accepted_share = train_with(gal::adjust(model, optimizer, gal::mse(), options)).accepted_share;
  } else {
    train_with(gal::plain(model, optimizer, gal::mse()));
  }
  const gal::matrix_view<const float, gal::device_memory> predictions = model.forward(test).view();
  result.predictions = gal::to_host(backend, predictions);
  return result;
}

std::string device_name() { return backend_type().name(); }

// Checkpoints and fit of a trainer on the device backend, with recorded steps, and weights from there to the host.
#include <gal/backends/thrust.hpp>
#include <gal/core/random.hpp>
#include <gal/fit/callbacks.hpp>
#include <gal/io/checkpoint.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/nn/cnn.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/optim/lookahead.hpp>
#include <gal/train/adjust.hpp>
#include <gal/train/captured_step.hpp>

#include <doctest/doctest.h>

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace {

using backend_type = gal::thrust_backend;
using model_type = gal::nn::mlp<float, backend_type>;
using optimizer_type = gal::lookahead<gal::adam<float, backend_type>>;

gal::matrix<float, backend_type> numbers(gal::index_type rows, gal::index_type columns, std::uint64_t seed) {
  std::vector<float> values;
  gal::random_stream random{seed};
  for (gal::index_type i = 0; i < rows * columns; ++i) {
    values.push_back(static_cast<float>(random.normal()));
  }
  return gal::to_device(backend_type(), gal::matrix_view<const float>(values.data(), rows, columns));
}

struct run {
  backend_type backend;
  model_type model{{6, 8, 2}, {.activation = gal::nn::tanh, .seed = 1}, backend};
  optimizer_type optimizer{gal::adam<float, backend_type>({.learning_rate = 0.01}, backend), {.k = 3}};
  gal::adjust<model_type, optimizer_type, gal::mse> trainer;

  explicit run(const gal::adjust_options& options) : trainer(model, optimizer, gal::mse(), options) {}
};

// What every backend has.
struct plain_backend {
  using memory_type = gal::device_memory;
  backend_type inner;
  [[nodiscard]] float read(const float* from) const { return inner.read(from); }
  void fill(float* to, gal::index_type count, float value) const { inner.fill(to, count, value); }
};

struct scratch_file {
  std::string path =
      (std::filesystem::temp_directory_path() / ("gal_device_checkpoint_" + std::to_string(::getpid())))
          .string();
  ~scratch_file() { std::filesystem::remove(path); }
};

}  // namespace

TEST_CASE("a trainer on the device resumes, bit for bit") {
  const scratch_file file;
  const auto x = numbers(6, 12, 1);
  const auto y = numbers(2, 12, 2);
  for (const gal::adjust_options& options :
       {gal::adjust_options{.hidden = {4}, .adjuster_steps = 2},
        gal::adjust_options{.hidden = {4}, .training = gal::adjuster_training::model_optimizer}}) {
    for (const int first : {0, 1, 4}) {
      run whole(options);
      for (int k = 0; k < first; ++k) {
        whole.trainer.step(x, y);
      }
      gal::save_checkpoint(file.path, whole.trainer);
      run resumed(options);
      gal::load_checkpoint(file.path, resumed.trainer);
      for (int k = 0; k < 4; ++k) {
        CHECK(gal::state_difference(whole.trainer, resumed.trainer) == "");
        whole.trainer.step(x, y);
        resumed.trainer.step(x, y);
      }
      CHECK(whole.trainer.report().loss == resumed.trainer.report().loss);
    }
  }
}

TEST_CASE("recorded steps go on from a checkpoint") {
  const scratch_file file;
  const auto x = numbers(6, 12, 1);
  const auto y = numbers(2, 12, 2);
  const gal::adjust_options options{.hidden = {4}};
  run whole(options);
  gal::captured_step step(whole.trainer, x, y);
  for (int k = 0; k < 5; ++k) {
    step();
  }
  gal::save_checkpoint(file.path, whole.trainer);
  run resumed(options);
  gal::load_checkpoint(file.path, resumed.trainer);
  gal::captured_step again(resumed.trainer, x, y);
  for (int k = 0; k < 5; ++k) {
    step();
    again();
  }
  CHECK(gal::state_difference(whole.trainer, resumed.trainer) == "");
  // Back, under a recording.
  gal::load_checkpoint(file.path, whole.trainer);
  for (int k = 0; k < 5; ++k) {
    step();
  }
  CHECK(gal::state_difference(whole.trainer, resumed.trainer) == "");
}

TEST_CASE("fit on the device, with the best weights, and resumed") {
  const scratch_file file;
  std::vector<std::pair<gal::matrix<float, backend_type>, gal::matrix<float, backend_type>>> batches;
  batches.emplace_back(numbers(6, 12, 1), numbers(2, 12, 2));
  batches.emplace_back(numbers(6, 5, 3), numbers(2, 5, 4));
  run loop({.hidden = {4}});
  run fitted({.hidden = {4}});
  for (int epoch = 0; epoch < 4; ++epoch) {
    for (const auto& [x, y] : batches) {
      loop.trainer.step(x, y);
    }
  }
  const gal::fit_options options{.epochs = 4, .report_every = 2};
  gal::fit(fitted.trainer, batches, options);
  CHECK(gal::state_difference(loop.trainer, fitted.trainer) == "");

  run whole({.hidden = {4}});
  const gal::fit_result expected = gal::fit(whole.trainer, batches, batches, options);
  run first({.hidden = {4}});
  gal::fit(first.trainer, batches, batches, {.epochs = 3, .report_every = 2}, gal::checkpointing(file.path));
  run second({.hidden = {4}});
  gal::gradient_statistics norms;
  const gal::fit_result result =
      gal::fit(second.trainer, batches, batches, options, gal::checkpointing(file.path), norms);
  CHECK(gal::state_difference(whole.trainer, second.trainer) == "");
  CHECK(result.best_validation_loss == expected.best_validation_loss);
  CHECK(norms.epochs().back().largest > 0.0);
}

TEST_CASE("slow weights on the device do not pull loaded weights back, nor does a recording") {
  const scratch_file file;
  run trained({.hidden = {4}});
  const auto x = numbers(6, 12, 1);
  const auto y = numbers(2, 12, 2);
  gal::save_safetensors(file.path, trained.model);
  gal::captured_step step(trained.trainer, x, y);
  for (int k = 0; k < 8; ++k) {
    step();
  }
  trained.optimizer.set_base_learning_rate(0.0);
  step();  // recorded anew
  gal::load_safetensors(file.path, trained.model);
  gal::state_copy loaded(trained.model);
  for (int k = 0; k < 7; ++k) {
    step();
    gal::state_copy now(trained.model);
    CHECK(gal::state_difference(now, loaded) == "");
  }
}

TEST_CASE("a backend without ways of its own is read and filled number by number") {
  const auto x = numbers(3, 2, 5);
  std::vector<float> host(6);
  gal::detail::to_host(plain_backend(), x.data(), host.data(), 6);
  CHECK(host == gal::to_host(backend_type(), x.view()));
  auto y = numbers(3, 2, 6);
  gal::detail::from_host(plain_backend(), host.data(), y.data(), 6);
  CHECK(host == gal::to_host(backend_type(), y.view()));
}

TEST_CASE("weights and statistics of a network on the device") {
  const scratch_file file;
  const auto make = [](std::uint64_t seed) {
    return gal::nn::cnn<double, backend_type>(
        {1, 4, 4},
        {gal::nn::convolution{.channels = 2}, gal::nn::batch_normalization{}, gal::nn::flatten{},
         gal::nn::linear{2}},
        {.seed = seed}, backend_type());
  };
  auto model = make(1);
  auto other = make(2);
  gal::save_safetensors(file.path, model);
  gal::load_safetensors(file.path, other);
  other.set_noise(model.noise());
  CHECK(gal::state_difference(model, other) == "");
}

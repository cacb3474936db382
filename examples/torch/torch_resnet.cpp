// A small ResNet in libtorch on images, plain and with adjusted gradients: CIFAR-10's binary files, or images made up.
#include "support/command_line.hpp"

#include <gal/adapters/torch.hpp>
#include <gal/data/images.hpp>

#include <ATen/CPUGeneratorImpl.h>
#include <torch/torch.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

namespace nn = torch::nn;
using torch::Tensor;

struct block_impl : nn::Module {
  block_impl(std::int64_t inputs, std::int64_t outputs, std::int64_t stride)
      : inner(register_module(
            "inner",
            nn::Sequential(convolution(inputs, outputs, 3, stride), nn::BatchNorm2d(outputs), nn::ReLU(),
                           convolution(outputs, outputs, 3, 1), nn::BatchNorm2d(outputs)))),
        shortcut(register_module(
            "shortcut", nn::Sequential(convolution(inputs, outputs, 1, stride), nn::BatchNorm2d(outputs)))) {}
  Tensor forward(const Tensor& x) { return torch::relu(inner->forward(x) + shortcut->forward(x)); }

  static nn::Conv2d convolution(std::int64_t inputs, std::int64_t outputs, std::int64_t side,
                                std::int64_t stride) {
    return nn::Conv2d(nn::Conv2dOptions(inputs, outputs, side).stride(stride).padding(side / 2).bias(false));
  }

  nn::Sequential inner;
  nn::Sequential shortcut;
};
TORCH_MODULE_IMPL(block, block_impl);

nn::Sequential resnet() {
  return nn::Sequential(block(3, 16, 1), block(16, 32, 2), block(32, 64, 2), nn::AdaptiveAvgPool2d(1),
                        nn::Flatten(), nn::Linear(64, 10));
}

struct images {
  Tensor pixels;  // n x 3 x height x width
  Tensor labels;  // n
};

// Stripes in ten directions, of random phase and colour, under noise.
images made_up(std::int64_t count, std::uint64_t seed) {
  torch::manual_seed(seed);
  const Tensor labels = torch::randint(10, {count}, torch::kLong);
  const Tensor angle = labels.to(torch::kFloat).mul(M_PI / 10).reshape({-1, 1, 1, 1});
  const Tensor at = torch::arange(16, torch::kFloat);
  const Tensor distance = at.reshape({1, 1, 1, 16}) * angle.cos() + at.reshape({1, 1, 16, 1}) * angle.sin();
  const Tensor stripes = (distance + 6.3 * torch::rand({count, 1, 1, 1})).sin();
  return {stripes * torch::randn({count, 3, 1, 1}) + 0.7 * torch::randn({count, 3, 16, 16}), labels};
}

images cifar(const std::vector<std::string>& paths) {
  gal::image_data data = gal::read_cifar10(paths);  // an image after the other, as torch has them
  const Tensor pixels = torch::from_blob(data.pixels.data(), {data.size(), 3, 32, 32}, torch::kByte);
  return {pixels.to(torch::kFloat).div(64).sub(2), torch::tensor(data.labels).to(torch::kLong)};
}

struct settings {
  int epochs = 3;
  int batch = 64;
  double learning_rate = 0.05;
  double epsilon = 1.0;  // at the 3 of recommended() the steps of SGD become long
  std::uint64_t seed = 1;
};

// Both methods start from the same weights and see the same batches.
void train(const images& training, const images& test, bool adjusted, const settings& s) {
  const torch::Device device(torch::cuda::is_available() ? torch::kCUDA : torch::kCPU);
  torch::manual_seed(s.seed);
  nn::Sequential model = resnet();
  model->to(device);
  torch::optim::SGD optimizer(model->parameters(), torch::optim::SGDOptions(s.learning_rate).momentum(0.9));
  gal::torch_adjust trainer(model, optimizer, gal::softmax_cross_entropy(),
                            {.epsilon = s.epsilon, .adjuster = {.seed = s.seed}});
  const at::Generator shuffling = at::make_generator<at::CPUGeneratorImpl>(s.seed);
  double accepted = 0.0;
  std::int64_t steps = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int epoch = 0; epoch < s.epochs; ++epoch) {
    const Tensor order = torch::randperm(training.labels.size(0), shuffling, torch::kLong);
    for (const Tensor& rows : order.split(s.batch)) {
      const Tensor x = training.pixels.index_select(0, rows).to(device);
      const Tensor y = training.labels.index_select(0, rows).to(device);
      ++steps;
      if (adjusted) {
        const gal::adjust_report report = trainer.step(x, y);
        accepted += report.accepted_share;
      } else {
        optimizer.zero_grad();
        torch::cross_entropy_loss(model->forward(x), y).backward();
        optimizer.step();
      }
    }
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;

  model->eval();
  const torch::NoGradGuard no_grad;
  double wrong = 0.0;
  double loss = 0.0;
  for (std::int64_t first = 0; first < test.labels.size(0); first += 500) {
    const Tensor logits = model->forward(test.pixels.slice(0, first, first + 500).to(device));
    const Tensor y = test.labels.slice(0, first, first + 500).to(device);
    loss += torch::cross_entropy_loss(logits, y, {}, at::Reduction::Sum).item<double>();
    wrong += (logits.argmax(1) != y).sum().item<double>();
  }
  const double size = static_cast<double>(test.labels.size(0));
  std::printf("%-8s %9.2f %% %12.4f %10.1f %% %14.2f\n", adjusted ? "GAL" : "vanilla", 100.0 * wrong / size,
              loss / size, 100.0 * accepted / static_cast<double>(steps),
              1e3 * seconds.count() / static_cast<double>(steps));
}

}  // namespace

int main(int count, char** arguments) try {
  std::string data;
  settings s;
  std::int64_t size = 1000;
  CLI::App app(
      "A small ResNet in libtorch, plain SGD (vanilla) against adjusted gradients (GAL), on CUDA where it "
      "is.");
  app.add_option("--data", data, "folder of CIFAR-10's binary files; without it the images are made up");
  app.add_option("--size", size, "made-up images for training")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--epochs", s.epochs)->check(CLI::Range(1, 10'000))->capture_default_str();
  app.add_option("--batch", s.batch, "images a step")->check(CLI::Range(1, 10'000))->capture_default_str();
  app.add_option("--learning-rate", s.learning_rate)->check(support::positive_number)->capture_default_str();
  app.add_option("--epsilon", s.epsilon, "strength of the adjustment")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--seed", s.seed, "of weights, batches and adjuster")->capture_default_str();
  CLI11_PARSE(app, count, arguments);

  std::vector<std::string> batches;
  for (int i = 1; i <= 5; ++i) {
    batches.push_back(data + "/data_batch_" + std::to_string(i) + ".bin");
  }
  const images training = data.empty() ? made_up(size, 1) : cifar(batches);
  const images test = data.empty() ? made_up(1000, 2) : cifar({data + "/test_batch.bin"});
  std::printf("%s: %lld images for training, %lld for testing\n\n",
              data.empty() ? "made-up stripes" : "CIFAR-10", static_cast<long long>(training.labels.size(0)),
              static_cast<long long>(test.labels.size(0)));
  std::printf("%-8s %11s %12s %12s %14s\n", "method", "test error", "test loss", "accepted", "ms a step");
  for (const bool adjusted : {false, true}) {
    train(training, test, adjusted, s);
  }
} catch (const std::exception& failure) {
  std::fprintf(stderr, "torch_resnet: %s\n", failure.what());
  return 1;
}

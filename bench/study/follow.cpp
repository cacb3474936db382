// What adjustment does over a training: the default learning rate, constant.
#include "support/trainers.hpp"

#include "experiments.hpp"

#include <gal/gal.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace study {

namespace {

// Means over the steps of an epoch: size of the remainder, cosine of the angle between gradient and adjustment, share of the
// samples accepted, share of steps whose adjusted tentative loss is below the plain one.
using row = std::array<double, 4>;
constexpr std::array<const char*, 4> columns = {"remainder", "cosine", "accepted", "ahead"};

template <class Target, class Optimizer, class Loss>
std::vector<row> train(const network_task& task, const gal::dataset<float, Target>& samples,
                       gal::adjust_options options, int epochs, std::uint64_t seed, Optimizer optimizer,
                       const Loss& loss) {
  const divided<Target> data = divide(samples, seed);
  gal::nn::mlp<float> model(task.widths, {.activation = gal::nn::relu, .seed = seed});
  gal::batches batches(data.train, batch, seed);
  options.adjuster.seed = seed;
  options.report_vanilla = true;
  gal::adjust trainer(model, optimizer, loss, options);
  std::vector<row> result;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    row sums{};
    for (auto [x, y] : batches) {
      const gal::adjust_report report = trainer.step(x, y);
      const row step = {std::abs(report.remainder), report.cosine, report.accepted_share,
                        report.tentative_loss < report.vanilla_tentative_loss ? 1.0 : 0.0};
      for (std::size_t k = 0; k < step.size(); ++k) {
        sums[k] += step[k] / static_cast<double>(batches.size());
      }
    }
    result.push_back(sums);
  }
  return result;
}

std::vector<row> train(const network_task& task, const gal::adjust_options& options, int epochs,
                       std::uint64_t seed) {
  const double rate = task.learning_rate;
  if (const auto* regression = std::get_if<gal::dataset<float>>(&task.samples)) {
    return train(task, *regression, options, epochs, seed, gal::adam<float>({.learning_rate = rate}),
                 gal::mse());
  }
  return train(task, std::get<gal::dataset<float, int>>(task.samples), options, epochs, seed,
               gal::sgd<float>({.learning_rate = rate, .momentum = 0.9}), gal::softmax_cross_entropy());
}

}  // namespace

json follow(const network_task& task, const scope& s) {
  // Trains as the optimizer alone, and still measures the tentative step.
  gal::adjust_options plain = gal::recommended();
  plain.adjuster.kind = gal::adjuster_kind::zero;
  plain.safeguard = gal::safeguard::never;
  const int epochs = s.epochs > 0 ? s.epochs : task.epochs;
  json result{{"title", task.title}, {"epochs", epochs}, {"seeds", s.seeds}};
  for (const auto& [name, options] :
       {std::pair("plain", plain), std::pair("GAL, recommended", gal::recommended()),
        std::pair("GAL, paper", task.paper)}) {
    std::vector<row> sums(static_cast<std::size_t>(epochs));
    for (int seed = 1; seed <= s.seeds; ++seed) {
      const std::vector<row> curve = train(task, options, epochs, static_cast<std::uint64_t>(seed));
      for (std::size_t k = 0; k < sums.size(); ++k) {
        for (std::size_t j = 0; j < columns.size(); ++j) {
          sums[k][j] += curve[k][j] / s.seeds;
        }
      }
    }
    json part{{"method", name}};
    for (std::size_t j = 0; j < columns.size(); ++j) {
      for (const row& means : sums) {
        part[columns[j]].push_back(rounded(means[j]));
      }
    }
    result["methods"].push_back(std::move(part));
  }
  return result;
}

}  // namespace study

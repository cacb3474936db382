// Digits in ten splits, some of them with wrong labels: a sampler that learns from which splits to draw, by the gradient-alignment reward
// (arXiv 2102.03275) and by simpler ones, compared by `gal::compare`.
#include "support/compare.hpp"
#include "support/problems.hpp"
#include "support/text.hpp"

#include <gal/gal.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::string_view description =
    R"(Classification of handwritten digits, 8 x 8 pixels, from ten sources of which some cannot be trusted.

A quarter of the samples is for testing, always the same. Of the others a seed takes some that are held out, deals the rest to ten
splits, and spoils all labels of some splits; it also sets the first weights and all draws. All methods share it, and take as many
steps, so that their differences are tested in pairs (Student's t-test). The network is an MLP, 64-64-10 with ReLU.

Methods:
  uniform     draws from every split as often
  loss        a sampler learns to draw what has a small loss
  alignment   a sampler learns to draw what has a gradient along the next batch's
  held-out    a sampler learns to draw what has a gradient along that of the held-out samples
  fine-tuned  uniform for half of the epochs, then the held-out samples alone
  oracle      draws from the splits whose labels are right)";

constexpr gal::index_type splits = 10;

struct settings : support::compare_settings {
  std::string spoilt = "five-random";
  int held_out_samples = 100;
  double learning_rate = 0.1;
  double sampler_rate = 0.005;
  bool average_per_split = false;

  [[nodiscard]] gal::index_type spoilt_splits() const {
    return spoilt == "one-random" ? 1 : spoilt == "five-random" ? 5 : 7;
  }
  [[nodiscard]] bool shifts() const { return spoilt == "seven-shifted"; }
};

// ---- Data ----------------------------------------------------------------------------------------------------------

using labelled = gal::dataset<float, int>;

struct mixture {
  labelled train;                                // the splits below `spoilt_splits` with their labels spoilt
  std::vector<gal::index_type> split_of_sample;  // of `train`
  labelled held_out;
  labelled right;  // the samples of the other splits
  labelled test;
};

mixture deal(const support::parts<int>& parts, const settings& s, std::uint64_t seed) {
  gal::random_stream random{gal::random_bits(seed, 19)};
  auto [held_out_part, train] = support::parted(parts.train, s.held_out_samples, random);
  mixture data{.train = std::move(train),
               .split_of_sample = {},
               .held_out = std::move(held_out_part),
               .right = {},
               .test = parts.test};
  std::vector<gal::index_type> right;
  for (gal::index_type j = 0; j < data.train.size(); ++j) {  // whose order is at random
    const gal::index_type split = j % splits;
    data.split_of_sample.push_back(split);
    if (split >= s.spoilt_splits()) {
      right.push_back(j);
    } else {
      int& label = data.train.targets(0, j);
      label = s.shifts() ? (label + 1) % support::digit_classes
                         : static_cast<int>(random.below(support::digit_classes));
    }
  }
  data.right = gal::take(data.train, std::span<const gal::index_type>(right));
  return data;
}

// ---- Training ------------------------------------------------------------------------------------------------------

gal::measures train(const mixture& data, const settings& s, const std::string& method, const gal::trial& t) {
  gal::nn::mlp<float> model({support::digit_shape.size(), 64, support::digit_classes}, {.seed = t.seed});
  gal::sgd<float> optimizer({.learning_rate = t.learning_rate});
  const gal::softmax_cross_entropy loss;
  gal::choice_sampler sampler(splits, {.learning_rate = s.sampler_rate,
                                       .average_per_choice = s.average_per_split,
                                       .seed = gal::random_bits(t.seed, 1)});
  gal::mixed_batches batches(data.train, data.split_of_sample, sampler, s.batch, gal::random_bits(t.seed, 2));
  // An epoch is as many steps for every method.
  const auto train_with = [&](auto& trainer, auto& its_batches, std::int64_t epochs, auto after_step) {
    gal::index_type left = batches.size() * epochs;
    while (left > 0) {
      for (auto [x, y] : its_batches) {
        trainer.step(x, y);
        after_step();
        if (--left == 0) {
          break;
        }
      }
    }
  };
  const auto nothing_more = [] {};
  gal::plain plain(model, optimizer, loss);
  const auto on_all_of = [&](const labelled& samples, std::int64_t epochs) {  // drawn as the others are
    gal::choice_sampler one_choice(1);
    const std::vector<gal::index_type> one_split(static_cast<std::size_t>(samples.size()), 0);
    gal::mixed_batches its_batches(samples, one_split, one_choice, s.batch, gal::random_bits(t.seed, 2));
    train_with(plain, its_batches, epochs, nothing_more);
  };
  if (method == "uniform") {
    train_with(plain, batches, t.budget, nothing_more);
  } else if (method == "loss") {
    std::vector<double> rewards(static_cast<std::size_t>(s.batch));
    train_with(plain, batches, t.budget, [&] {
      const auto losses = plain.last_sample_losses();
      std::transform(losses.data(), losses.data() + losses.size(), rewards.begin(), std::negate<>());
      sampler.learn(rewards, sampler.choices());
    });
  } else if (method == "alignment") {
    gal::alignment_reward trainer(model, optimizer, loss, sampler);
    train_with(trainer, batches, t.budget, nothing_more);
  } else if (method == "held-out") {
    gal::alignment_reward trainer(model, optimizer, loss, sampler, data.held_out.features.view(),
                                  data.held_out.targets.view());
    train_with(trainer, batches, t.budget, nothing_more);
  } else if (method == "fine-tuned") {
    train_with(plain, batches, t.budget - t.budget / 2, nothing_more);
    on_all_of(data.held_out, t.budget / 2);
  } else {
    on_all_of(data.right, t.budget);
  }
  const auto p = sampler.probabilities();
  return {.test = 1.0 - gal::error_rate(model.forward(data.test.features), data.test.targets),
          .further = {{"chance of the spoilt splits",
                       std::accumulate(p.begin(), p.begin() + s.spoilt_splits(), 0.0)}}};
}

}  // namespace

int main(int count, char** arguments) {
  settings s;
  s.budget = 60;
  s.seeds = 5;
  CLI::App app{std::string(description)};
  support::add_choice(app, "--spoilt", s.spoilt, "Splits with wrong labels: how many, and what labels",
                      {"one-random", "five-random", "seven-shifted"});
  app.add_option("--held-out", s.held_out_samples, "Held-out samples")
      ->check(CLI::Range(10, 1000))
      ->capture_default_str();
  support::add_positive(app, "--learning-rate", s.learning_rate, "Learning rate of the network");
  support::add_positive(app, "--sampler-rate", s.sampler_rate, "Learning rate of the sampler");
  app.add_flag("--average-per-split", s.average_per_split, "Average rewards over the samples of a split");
  support::add_options(app, s);
  CLI11_PARSE(app, count, arguments);

  return support::run_program("mixture", [&] {
    const support::parts<int> parts = support::divide(support::read_digits());
    support::prepare_outputs(s);
    std::vector<gal::method> methods;
    for (const std::string name : {"held-out", "uniform", "fine-tuned", "loss", "alignment", "oracle"}) {
      methods.push_back({name, [&s, &parts, name](const gal::trial& t) {
                           return train(deal(parts, s, t.seed), s, name, t);
                         }});
    }
    const auto result = support::compare(
        s, "mixture", methods,
        {.title = support::text(
             "Digits, ", parts.train.size(), " for training and ", s.held_out_samples, " of them held out, ",
             parts.test.size(), " for testing; ", s.spoilt_splits(), " of ", splits, " splits with ",
             s.shifts() ? "labels shifted by one; " : "random labels; ", support::summary(s)),
         .measure = "test accuracy",
         .larger_is_better = true,
         .learning_rates = {s.learning_rate}});
    std::printf("\nchance of the spoilt splits, at the start %.2f:",
                static_cast<double>(s.spoilt_splits()) / static_cast<double>(splits));
    for (const char* const learner : {"loss", "alignment", "held-out"}) {
      std::printf(" %s %.3f", learner,
                  gal::mean(support::numbers_of(result, learner, "chance of the spoilt splits")));
    }
    std::printf("\n");
    support::write_results(s, "mixture", "Digits from ten splits",
                           {{"spoilt", s.spoilt},
                            {"held_out_samples", s.held_out_samples},
                            {"sampler_rate", s.sampler_rate},
                            {"average_per_split", s.average_per_split},
                            {"batch", s.batch}},
                           {result});
  });
}

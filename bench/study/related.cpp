// The related methods of the expansion beside GAL and a tuned optimizer, by gal::compare.
#include "experiments.hpp"

#include "support/problems.hpp"

#include <gal/gal.hpp>
#include <gal/study.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace study {

namespace {

constexpr gal::index_type batch = 32;
constexpr gal::index_type splits = 10;  // of the samples, at random, for the reward

// The samples of a task: for training, to choose by and to test; and those for training once more, of which one in ten is held
// out for the methods that learn from such.
template <class Target>
struct divided {
  gal::dataset<float, Target> train;
  gal::dataset<float, Target> validation;
  gal::dataset<float, Target> test;
  gal::dataset<float, Target> rest;
  gal::dataset<float, Target> held_out;
};

template <class Target>
divided<Target> divide_for_all(const gal::dataset<float, Target>& samples, bool standardises) {
  const support::parts<Target> outer = support::divide(samples);
  support::parts<Target> inner = support::divide(outer.train);
  divided<Target> result{std::move(inner.train), std::move(inner.test), outer.test,
                         gal::dataset<float, Target>(), gal::dataset<float, Target>()};
  if (standardises) {
    gal::standardizer<float> scale;
    scale.fit(result.train.features);
    for (auto* part : {&result.train, &result.validation, &result.test}) {
      scale.apply(part->features);
    }
  }
  const auto [rest, held_out] = gal::train_test_split(result.train.size(), {.test_fraction = 0.1, .seed = 2});
  result.rest = gal::take(result.train, rest);
  result.held_out = gal::take(result.train, held_out);
  return result;
}

template <class Target>
double error_on(gal::nn::mlp<float>& model, const gal::dataset<float, Target>& part) {
  const auto& predictions = model.forward(part.features);
  if constexpr (std::is_same_v<Target, int>) {
    return gal::error_rate(predictions, part.targets);
  } else {
    return gal::mean_squared_error(predictions, part.targets);
  }
}

template <class Trainer, class Batches>
void take_steps(Trainer trainer, Batches& batches, std::int64_t steps) {
  while (steps > 0) {
    for (auto [x, y] : batches) {
      trainer.step(x, y);
      if (--steps == 0) {
        return;
      }
    }
  }
}

// What a method makes of a run, all of whose rates fall to zero along a line.
template <class Target, class Optimizer, class Loss>
class related_methods {
 public:
  related_methods(const network_task& task, divided<Target> data,
                  std::function<Optimizer(double, gal::schedule)> make)
      : task_(task), data_(std::move(data)), make_(std::move(make)) {
    for (gal::index_type j = 0; j < data_.train.size(); ++j) {
      split_of_.push_back(j % splits);
    }
  }

  [[nodiscard]] std::vector<gal::method> all() {
    return {
        method("plain",
               [this](auto& model, auto& optimizer, const gal::trial& t) {
                 gal::batches batches(data_.train, batch, t.seed);
                 take_steps(gal::plain(model, optimizer, Loss()), batches, t.budget);
               }),
        method("GAL",
               [this](auto& model, auto& optimizer, const gal::trial& t) {
                 gal::batches batches(data_.train, batch, t.seed);
                 gal::adjust_options options = gal::recommended();
                 options.adjuster.seed = t.seed;
                 take_steps(gal::adjust(model, optimizer, Loss(), options), batches, t.budget);
               }),
        method("rescaled",
               [this](auto& model, auto& optimizer, const gal::trial& t) {
                 gal::batches batches(data_.train, batch, t.seed);
                 const gal::rescaled_options options{.schedule = gal::linear_schedule(t.budget)};
                 take_steps(gal::rescaled(model, optimizer, Loss(), options), batches, t.budget);
               }),
        method("held-out samples mixed in",
               [this](auto& model, auto& optimizer, const gal::trial& t) {
                 train_by_rates(model, optimizer, t, 0.0);
               }),
        method("rates of samples",
               [this](auto& model, auto& optimizer, const gal::trial& t) {
                 train_by_rates(model, optimizer, t, gal::instance_rates_options().rate);
               }),
        method("weights by a network",
               [this](auto& model, auto& optimizer, const gal::trial& t) {
                 gal::batches batches(data_.rest, batch, t.seed);
                 take_steps(gal::held_out_adjust(model, optimizer, Loss(), data_.held_out.features.view(),
                                                 data_.held_out.targets.view()),
                            batches, t.budget);
               }),
        method("alignment reward",
               [this](auto& model, auto& optimizer, const gal::trial& t) {
                 gal::choice_sampler sampler(splits, {.seed = t.seed});
                 gal::mixed_batches batches(data_.train, split_of_, sampler, batch, t.seed);
                 take_steps(gal::alignment_reward(model, optimizer, Loss(), sampler), batches, t.budget);
               }),
    };
  }

 private:
  template <class Train>
  gal::method method(std::string name, Train train) {
    return {.name = std::move(name), .run = [this, train](const gal::trial& t) -> gal::measures {
              gal::nn::mlp<float> model(task_.widths, {.activation = gal::nn::relu, .seed = t.seed});
              Optimizer optimizer = make_(t.learning_rate, gal::linear_schedule(t.budget));
              train(model, optimizer, t);
              return {.validation = error_on(model, data_.validation),
                      .test = error_on(model, data_.test),
                      .steps = t.budget};
            }};
  }

  void train_by_rates(auto& model, auto& optimizer, const gal::trial& t, double rate) const {
    gal::batches batches(data_.rest, batch, t.seed);
    take_steps(gal::instance_rates(model, optimizer, Loss(), batches, data_.held_out.features.view(),
                                   data_.held_out.targets.view(), {.rate = rate}),
               batches, t.budget);
  }

  const network_task& task_;
  divided<Target> data_;
  std::function<Optimizer(double, gal::schedule)> make_;
  std::vector<gal::index_type> split_of_;
};

template <class Target, class Optimizer, class Loss>
json compare_related(const network_task& task, const scope& s, divided<Target> data,
                     std::vector<double> rates, std::function<Optimizer(double, gal::schedule)> make) {
  const auto per_epoch = static_cast<std::int64_t>((data.train.size() + batch - 1) / batch);
  const int epochs = s.epochs > 0 ? s.epochs : task.epochs;
  related_methods<Target, Optimizer, Loss> methods(task, std::move(data), std::move(make));
  json result = gal::to_json(gal::compare(methods.all(), {.title = task.title,
                                                          .measure = task.classifies() ? "test_error" : "mse",
                                                          .learning_rates = std::move(rates),
                                                          .budget = per_epoch * epochs,
                                                          .verdict_seeds = std::max(2, s.seeds),
                                                          .threads = s.threads}));
  result.erase("runs");  // thousands
  result["epochs"] = epochs;
  return result;
}

}  // namespace

json related(const network_task& task, const scope& s) {
  using schedule = gal::schedule;
  const std::vector<double> for_adam = {3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1};
  const auto adam = [](double rate, schedule decay) {
    return gal::adam<float>({.learning_rate = rate, .schedule = std::move(decay)});
  };
  if (const auto* regression = std::get_if<gal::dataset<float>>(&task.samples)) {
    return compare_related<float, gal::adam<float>, gal::mse>(task, s, divide_for_all(*regression, true),
                                                              for_adam, adam);
  }
  const auto digits = divide_for_all(std::get<gal::dataset<float, int>>(task.samples), false);
  if (task.optimizer == "adam") {
    return compare_related<int, gal::adam<float>, gal::softmax_cross_entropy>(task, s, digits, for_adam,
                                                                              adam);
  }
  return compare_related<int, gal::sgd<float>, gal::softmax_cross_entropy>(
      task, s, digits, {3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0}, [](double rate, schedule decay) {
        return gal::sgd<float>({.learning_rate = rate, .momentum = 0.9, .schedule = std::move(decay)});
      });
}

}  // namespace study

// What the library offers against a tuned optimizer, and gradient adjustment at the default learning rate.
#include "experiments.hpp"

#include <gal/gal.hpp>
#include <gal/study.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace study {

namespace {

constexpr gal::index_type sources = 10;  // of the samples, at random, for the reward

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

// What a schedule is made of for so many steps.
using schedule_maker = std::function<gal::schedule(std::int64_t)>;

// The ways to train on a task. Each gets the model, the optimizer, the parts of the data and the trial.
template <class Target, class Optimizer>
class ways {
 public:
  using loss = std::conditional_t<std::is_same_v<Target, int>, gal::softmax_cross_entropy, gal::mse>;
  using samples = gal::dataset<float, Target>;
  static constexpr bool classifies = std::is_same_v<Target, int>;

  ways(const network_task& task, schedule_maker schedule)
      : task_(task), samples_(std::get<samples>(task.samples)), schedule_(std::move(schedule)) {}

  // At the default learning rate.
  [[nodiscard]] std::vector<gal::method> defaults() const {
    std::vector<gal::method> result = {method("plain", plain()),
                                       method("GAL, recommended", adjusted(gal::recommended())),
                                       method("GAL, paper", adjusted(task_.paper))};
    for (const auto& [name, options] : controls_of(gal::recommended())) {
      result.push_back(method(name, adjusted(options)));
    }
    if (task_.sweeps) {
      add_sweep(result, "recommended", gal::recommended(), {0.3, 1.0, 10.0});
      add_sweep(result, "paper", task_.paper, {0.01, 0.3, 1.0});
    }
    return result;
  }

  // To be tuned. In classification weight decay, tuned, belongs to every method that has no other setting.
  [[nodiscard]] std::vector<gal::method> tuned() const {
    const std::vector<double> decays =
        task_.adam ? std::vector{0.0, 0.01, 0.1, 1.0} : std::vector{0.0, 1e-4, 1e-3, 1e-2};
    const std::vector<double> common = classifies ? decays : std::vector<double>();
    std::vector<gal::method> result = {
        method("plain", plain(), common), method("GAL, recommended", adjusted(gal::recommended()), common),
        with_strength("GAL, epsilon tuned", {0.5, 1.0, 3.0, 10.0}, adjusted_by([](double epsilon) {
                        gal::adjust_options options = gal::recommended();
                        options.epsilon = epsilon;
                        return options;
                      })),
        method("GAL, paper", adjusted(task_.paper), common)};
    for (const auto& [name, options] : controls_of(gal::recommended())) {
      result.push_back(method(name, adjusted(options), common));
    }
    if constexpr (classifies) {
      add_closed_forms(result);
    } else {
      result.push_back(method("weight decay", plain(), decays));
    }
    add_related(result, common);
    return result;
  }

 private:
  static auto plain() {
    return [](auto& model, auto& optimizer, const divided<Target>& data, const gal::trial& t) {
      gal::batches batches(data.train, batch, t.seed);
      take_steps(gal::plain(model, optimizer, loss()), batches, t.budget);
    };
  }

  // With the options that a setting gives.
  template <class Options>
  static auto adjusted_by(Options options_of) {
    return [options_of](auto& model, auto& optimizer, const divided<Target>& data, const gal::trial& t) {
      gal::batches batches(data.train, batch, t.seed);
      gal::adjust_options options = options_of(t.setting);
      options.adjuster.seed = t.seed;
      take_steps(gal::adjust(model, optimizer, loss(), options), batches, t.budget);
    };
  }
  static auto adjusted(const gal::adjust_options& options) {
    return adjusted_by([options](double) { return options; });
  }

  // The settings are weight decays.
  template <class Train>
  gal::method method(std::string name, Train train, std::vector<double> decays = {}) const {
    return {std::move(name), runner(train, true), std::move(decays)};
  }
  // The settings are the method's own; weights do not decay.
  template <class Train>
  gal::method with_strength(std::string name, std::vector<double> strengths, Train train) const {
    return {std::move(name), runner(train, false), std::move(strengths)};
  }

  template <class Train>
  std::function<gal::measures(const gal::trial&)> runner(Train train, bool decays) const {
    return [this, train, decays](const gal::trial& t) -> gal::measures {
      const divided<Target> data = divide(samples_, t.seed);
      gal::nn::mlp<float> model(task_.widths, {.activation = gal::nn::relu, .seed = t.seed});
      Optimizer optimizer = make_optimizer(t, decays && std::isfinite(t.setting) ? t.setting : 0.0);
      const double start = processor_seconds();
      train(model, optimizer, data, t);
      const double seconds = processor_seconds() - start;
      return {.validation = error_on(model, data.validation),
              .test = error_on(model, data.test),
              .seconds = seconds};
    };
  }

  [[nodiscard]] Optimizer make_optimizer(const gal::trial& t, double decay) const {
    if constexpr (std::is_same_v<Optimizer, gal::adamw<float>>) {
      return Optimizer(
          {.learning_rate = t.learning_rate, .weight_decay = decay, .schedule = schedule_(t.budget)});
    } else {
      return Optimizer({.learning_rate = t.learning_rate,
                        .momentum = 0.9,
                        .weight_decay = decay,
                        .schedule = schedule_(t.budget)});
    }
  }

  // Epsilon, tau, hidden widths and safeguards, one at a time.
  void add_sweep(std::vector<gal::method>& to, const std::string& preset, const gal::adjust_options& base,
                 const std::vector<double>& epsilons) const {
    const auto add = [&](const std::string& what, auto change) {
      gal::adjust_options options = base;
      change(options);
      to.push_back(method(preset + ", " + what, adjusted(options)));
    };
    for (const double epsilon : epsilons) {
      add(support::text("epsilon ", epsilon), [&](auto& options) { options.epsilon = epsilon; });
    }
    for (const double tau : {0.1, 10.0, 100.0}) {
      add(support::text("tau ", tau), [&](auto& options) { options.tau = tau; });
    }
    for (const std::vector<gal::index_type>& hidden :
         {std::vector<gal::index_type>{16}, {16, 4}, {64, 24}, {64, 32, 16}}) {
      std::string widths;
      for (const gal::index_type width : hidden) {
        widths += support::text(widths.empty() ? "" : "-", width);
      }
      if (hidden != base.hidden) {
        add("hidden " + widths, [&](auto& options) { options.hidden = hidden; });
      }
    }
    using enum gal::safeguard;
    for (const auto& [name, safeguard] :
         {std::pair("Lt <= L", not_worse), std::pair("Lt < L", better),
          std::pair("Lt <= plain's", not_worse_than_vanilla), std::pair("always", always)}) {
      if (safeguard != base.safeguard) {
        add(std::string("safeguard ") + name, [&](auto& options) { options.safeguard = safeguard; });
      }
    }
  }

  // Adjustments in closed form: gradient adjustment without an adjuster.
  void add_closed_forms(std::vector<gal::method>& to) const {
    to.push_back(with_strength("label smoothing", {0.03, 0.1, 0.2, 0.4},
                               adjusted_by([](double strength) { return gal::label_smoothing(strength); })));
    to.push_back(with_strength("feature decay", {1e-4, 1e-3, 1e-2, 1e-1},
                               adjusted_by([](double strength) { return gal::feature_decay(strength); })));
    to.push_back(with_strength("mixed features", {0.03, 0.1, 0.3, 1.0},
                               adjusted_by([](double strength) { return gal::mixed_features(strength); })));
  }

  // The related methods of the expansion. One in ten of the samples for training is held out for those that learn from such.
  void add_related(std::vector<gal::method>& to, const std::vector<double>& decays) const {
    const auto with_held_out = [](const divided<Target>& data, auto f) {
      const auto [rest, held_out] =
          gal::train_test_split(data.train.size(), {.test_fraction = 0.1, .seed = 2});
      const auto training = gal::take(data.train, rest);
      const auto other = gal::take(data.train, held_out);
      f(training, other.features.view(), other.targets.view());
    };
    const auto by_rates = [=](double rate) {
      return [=](auto& model, auto& optimizer, const divided<Target>& data, const gal::trial& t) {
        with_held_out(data, [&](const auto& training, auto x, auto y) {
          gal::batches batches(training, batch, t.seed);
          take_steps(gal::instance_rates(model, optimizer, loss(), batches, x, y, {.rate = rate}), batches,
                     t.budget);
        });
      };
    };
    to.push_back(method(
        "rescaled",
        [this](auto& model, auto& optimizer, const divided<Target>& data, const gal::trial& t) {
          gal::batches batches(data.train, batch, t.seed);
          const gal::rescaled_options options{.schedule = schedule_(t.budget)};
          take_steps(gal::rescaled(model, optimizer, loss(), options), batches, t.budget);
        },
        decays));
    to.push_back(method("held-out samples mixed in", by_rates(0.0), decays));
    to.push_back(method("rates of samples", by_rates(gal::instance_rates_options().rate), decays));
    to.push_back(method(
        "weights by a network",
        [=](auto& model, auto& optimizer, const divided<Target>& data, const gal::trial& t) {
          with_held_out(data, [&](const auto& training, auto x, auto y) {
            gal::batches batches(training, batch, t.seed);
            take_steps(gal::held_out_adjust(model, optimizer, loss(), x, y), batches, t.budget);
          });
        },
        decays));
    to.push_back(method(
        "alignment reward",
        [](auto& model, auto& optimizer, const divided<Target>& data, const gal::trial& t) {
          std::vector<gal::index_type> source_of;
          for (gal::index_type j = 0; j < data.train.size(); ++j) {
            source_of.push_back(j % sources);
          }
          gal::choice_sampler sampler(sources, {.seed = t.seed});
          gal::mixed_batches batches(data.train, source_of, sampler, batch, t.seed);
          take_steps(gal::alignment_reward(model, optimizer, loss(), sampler), batches, t.budget);
        },
        decays));
  }

  const network_task& task_;
  const samples& samples_;
  schedule_maker schedule_;
};

// By gal::compare; what is compared is `which`, a member of ways.
json compare(const network_task& task, const scope& s, schedule_maker schedule, bool tunes) {
  return std::visit(
      [&](const auto& samples) -> json {
        using target = std::remove_cvref_t<decltype(samples.targets(0, 0))>;
        const auto with = [&](const auto& made) {
          const gal::index_type training = divide(samples, 1).train.size();
          const int epochs = s.epochs > 0 ? s.epochs : task.epochs;
          json result = gal::to_json(
              gal::compare(tunes ? made.tuned() : made.defaults(),
                           {.title = task.title,
                            .measure = std::is_same_v<target, int> ? "test_error" : "mse",
                            .learning_rates = tunes ? task.rates : std::vector{task.learning_rate},
                            .budget = std::int64_t{(training + batch - 1) / batch} * epochs,
                            .tuning_seeds = s.seeds > task.tuning_seeds ? task.tuning_seeds : 1,
                            .verdict_seeds = std::max(2, s.seeds),
                            .threads = s.threads,
                            .ledger = s.ledger,
                            .progress = gal::show_progress}));
          result.erase("runs");  // thousands
          result["epochs"] = epochs;
          return result;
        };
        if constexpr (std::is_same_v<target, int>) {
          if (!task.adam) {
            return with(ways<target, gal::sgd<float>>(task, std::move(schedule)));
          }
        }
        return with(ways<target, gal::adamw<float>>(task, std::move(schedule)));
      },
      task.samples);
}

}  // namespace

json networks(const network_task& task, const scope& s) {
  return compare(
      task, s, [](std::int64_t steps) { return gal::linear_schedule(steps); }, true);
}

json defaults(const network_task& task, const scope& s) {
  return compare(
      task, s, [](std::int64_t) { return gal::schedule(); }, false);
}

}  // namespace study

// The gradient-alignment reward: rewards that are inner products of gradients, a sampler that moves to what is rewarded, training that
// the rewards leave as it is, states that go on, and misuse. The arithmetic of single steps is in the golden files.
#include <gal/fit.hpp>
#include <gal/gal.hpp>
#include <gal/io.hpp>
#include <gal/io/checkpoint.hpp>

#include "scratch.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>

#if defined(_OPENMP)
#include <omp.h>
#endif

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace nn = gal::nn;
using doctest::Approx;
using indices = std::vector<gal::index_type>;

constexpr std::uint64_t seed = 3;

// Two classes, the side of a plane, in three splits one after the other; every label of the last split is wrong.
template <class T>
struct mixture {
  gal::dataset<T, int> data;
  indices splits;

  explicit mixture(gal::index_type samples, std::uint64_t its_seed = seed, gal::index_type wrong_split = 2)
      : data{random_matrix<T>(4, samples, its_seed), gal::matrix<int>(1, samples)} {
    for (gal::index_type j = 0; j < samples; ++j) {
      const gal::matrix<T>& x = data.features;
      const gal::index_type split = j * 3 / samples;
      data.targets(0, j) = (x(0, j) + x(1, j) > x(2, j)) != (split == wrong_split) ? 1 : 0;
      splits.push_back(split);
    }
  }
};

// Choices and rewards as somebody else has them.
struct listener {
  indices now;
  std::vector<std::vector<double>> rewards{};
  std::vector<indices> rewarded{};
  std::vector<double> even = std::vector<double>(2, 0.5);

  [[nodiscard]] std::span<const gal::index_type> choices() const { return now; }
  [[nodiscard]] std::span<const double> probabilities() const { return even; }
  void learn(std::span<const double> r, std::span<const gal::index_type> c) {
    rewards.emplace_back(r.begin(), r.end());
    rewarded.emplace_back(c.begin(), c.end());
  }
  template <class Visitor>
  void visit_state(Visitor&) {}
};

// The gradient of the mean loss of a batch, at the model's parameters.
template <class Model, class Input, class Target>
std::vector<double> gradient_of(Model model, const Input& x, const Target& y) {
  gal::matrix<double> losses(1, y.columns());
  gal::matrix<double> g(2, y.columns());
  gal::softmax_cross_entropy().evaluate(gal::eigen_backend(), gal::view(model.forward(x)).as_const(), y,
                                        losses.view(), g.view());
  for (const auto& block : model.parameters()) {
    std::ranges::fill(block.gradient, 0.0);
  }
  model.backward(g);
  std::vector<double> result;
  for (const auto& block : model.parameters()) {
    result.insert(result.end(), block.gradient.begin(), block.gradient.end());
  }
  return result;
}

// <gradient of every sample's loss, V>, sample by sample, over their number.
template <class Model>
std::vector<double> rewards_one_by_one(const Model& model, const gal::matrix<double>& x,
                                       const gal::matrix<int>& y, const std::vector<double>& v) {
  std::vector<double> result;
  for (gal::index_type j = 0; j < x.columns(); ++j) {
    const std::vector<double> own =
        gradient_of(model, x.view().columns(j, 1).as_const(), y.view().columns(j, 1).as_const());
    double sum = 0.0;
    for (std::size_t k = 0; k < own.size(); ++k) {
      sum += own[k] * v[k];
    }
    result.push_back(sum / static_cast<double>(x.columns()));
  }
  return result;
}

void check_close(const std::vector<double>& actual, const std::vector<double>& expected, double tolerance) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t k = 0; k < actual.size(); ++k) {
    CHECK(std::abs(actual[k] - expected[k]) <= tolerance);
  }
}

nn::mlp<double> small_network() { return nn::mlp<double>({4, 6, 2}, {.activation = nn::gelu, .seed = 1}); }

// Three steps on batches of different sizes, and with held-out samples or without the rewards that they must give.
template <class Model>
void check_rewards(Model model, double tolerance) {
  const std::vector<mixture<double>> batches{mixture<double>(9, 1), mixture<double>(5, 2),
                                             mixture<double>(7, 3)};
  const mixture<double> held_out(8, 4);
  for (const bool holds_out : {false, true}) {
    Model trained = model;
    gal::sgd<double> optimizer({.learning_rate = 0.3, .momentum = 0.5});
    listener policy{};
    const auto step = [&](auto& trainer) {
      std::vector<Model> met;
      for (const mixture<double>& batch : batches) {
        met.push_back(trained);
        policy.now = batch.splits;
        const auto report = trainer.step(batch.data.features, batch.data.targets);
        if (!policy.rewards.empty()) {
          double sum = 0.0;
          for (const double r : policy.rewards.back()) {
            sum += r;
          }
          CHECK(report.alignment == Approx(sum).epsilon(1e-13));
          CHECK(report.effective_choices == Approx(2.0).epsilon(1e-14));
        }
      }
      met.push_back(trained);
      return met;
    };
    std::vector<Model> met;
    if (holds_out) {
      gal::alignment_reward trainer(trained, optimizer, gal::softmax_cross_entropy(), policy,
                                    held_out.data.features, held_out.data.targets);
      met = step(trainer);
    } else {
      gal::alignment_reward trainer(trained, optimizer, gal::softmax_cross_entropy(), policy);
      met = step(trainer);
    }
    REQUIRE(policy.rewards.size() == (holds_out ? 3 : 2));
    for (std::size_t t = 0; t < policy.rewards.size(); ++t) {
      const gal::dataset<double, int>& v_of = holds_out ? held_out.data : batches[t + 1].data;
      const std::vector<double> v = gradient_of(met[t + 1], v_of.features.view(), v_of.targets.view());
      CHECK(policy.rewarded[t] == batches[t].splits);
      check_close(policy.rewards[t],
                  rewards_one_by_one(met[t], batches[t].data.features, batches[t].data.targets, v),
                  tolerance);
    }
  }
}

}  // namespace

TEST_CASE("rewards are the inner products of the samples' own gradients with the one that follows") {
  check_rewards(small_network(), 1e-14);
}

TEST_CASE("also of a model without a tangent, by differences") {
  check_rewards(opaque_model<nn::mlp<double>>{small_network()}, 1e-9);
}

TEST_CASE_TEMPLATE("rewards leave training as it is, bit for bit", T, float, double) {
  const mixture<T> mixed(60);
  const mixture<T> clean(10, seed + 1, 3);
  const auto run = [&](int kind) {
    nn::mlp<T> model({4, 8, 2}, {.activation = nn::tanh, .seed = 1});
    gal::adam<T> optimizer;
    gal::choice_sampler sampler(3, {.learning_rate = 0.0, .seed = 1});
    gal::mixed_batches batches(mixed.data, mixed.splits, sampler, 16, 1);
    const gal::softmax_cross_entropy loss;
    const auto train = [&](auto trainer) {
      gal::fit(trainer, batches, {.epochs = 3});
      return values_of(model);
    };
    return kind == 0   ? train(gal::plain(model, optimizer, loss))
           : kind == 1 ? train(gal::alignment_reward(model, optimizer, loss, sampler))
                       : train(gal::alignment_reward(model, optimizer, loss, sampler,
                                                     clean.data.features.view(), clean.data.targets.view()));
  };
  CHECK(run(1) == run(0));
  CHECK(run(2) == run(0));
}

TEST_CASE_TEMPLATE("the split of wrong labels is drawn less and less", T, float, double) {
  const mixture<T> mixed(300);
  const mixture<T> clean(40, seed + 1, 3);
  nn::mlp<T> model({4, 16, 2}, {.seed = 1});
  gal::sgd<T> optimizer({.learning_rate = 0.1});
  gal::choice_sampler sampler(3, {.learning_rate = 0.02, .seed = 1});
  gal::mixed_batches batches(mixed.data, mixed.splits, sampler, 20, 1);
  const auto train = [&](auto trainer) {
    const gal::fit_result result = gal::fit(trainer, batches, {.epochs = 20});
    CHECK(result.history.back().number("effective_choices") < 2.7);
  };
  SUBCASE("by the training gradient: two of three splits agree") {
    train(gal::alignment_reward(model, optimizer, gal::softmax_cross_entropy(), sampler));
  }
  SUBCASE("by held-out samples") {
    train(gal::alignment_reward(model, optimizer, gal::softmax_cross_entropy(), sampler,
                                clean.data.features.view(), clean.data.targets.view()));
  }
  CHECK(sampler.probabilities()[2] < 0.1);
  CHECK(sampler.probabilities()[0] > 0.2);
  CHECK(sampler.probabilities()[1] > 0.2);
}

TEST_CASE("the sampler draws as its probabilities say, and learns towards rewards of any scale") {
  for (const bool average : {false, true}) {
    for (const double scale : {1e-9, 1.0, 1e9}) {
      gal::choice_sampler sampler(4, {.learning_rate = 0.05, .average_per_choice = average, .seed = 5});
      std::vector<double> rewards(50);
      for (int step = 0; step < 100; ++step) {
        const auto choices = sampler.draw(50);
        std::ranges::transform(choices, rewards.begin(),
                               [&](gal::index_type k) { return scale * (k == 1 ? 2.0 : 1.0); });
        sampler.learn(rewards, choices);
      }
      CHECK(sampler.probabilities()[1] > 0.9);
    }
  }
  gal::choice_sampler sampler(3, {.learning_rate = 0.4, .seed = 7});
  const indices all{0, 1, 2, 2};
  CHECK(sampler.learn(std::vector<double>{0.0, 1.0, 3.0, 4.0}, all));
  const std::vector<double> p(sampler.probabilities().begin(), sampler.probabilities().end());
  CHECK(p[0] + p[1] + p[2] == Approx(1.0).epsilon(1e-15));
  CHECK(p[0] < p[2]);
  const auto drawn = sampler.draw(100'000);
  for (gal::index_type k = 0; k < 3; ++k) {
    const double share = static_cast<double>(std::ranges::count(drawn, k)) / 1e5;
    CHECK(std::abs(share - p[static_cast<std::size_t>(k)]) < 0.006);  // four deviations
  }
}

TEST_CASE("the gradient of the logits is that of the expected weight") {
  // (1/B) sum_i w_i log p_{s_i}, differentiated.
  gal::choice_sampler sampler(3, {.learning_rate = 0.1, .seed = 5});
  const indices choices{0, 2, 2, 1, 0};
  const std::vector<double> rewards{0.3, -1.0, 2.0, 0.5, 0.1};
  sampler.learn(rewards, choices);
  const std::vector<double> phi(sampler.logits().begin(), sampler.logits().end());
  sampler.learn(rewards, choices);
  const auto objective = [&](std::size_t k, double h) {
    std::vector<double> moved = phi;
    moved[k] += h;
    double sum = 0.0;
    for (const double value : moved) {
      sum += std::exp(value);
    }
    double result = 0.0;
    for (std::size_t i = 0; i < choices.size(); ++i) {
      result +=
          sampler.last_weights()[i] / 5.0 * (moved[static_cast<std::size_t>(choices[i])] - std::log(sum));
    }
    return result;
  };
  for (std::size_t k = 0; k < 3; ++k) {
    CHECK(sampler.last_gradient()[k] ==
          Approx(-(objective(k, 1e-6) - objective(k, -1e-6)) / 2e-6).epsilon(1e-8));
  }
}

TEST_CASE("nothing is learned from rewards without deviation, or that are not finite") {
  gal::choice_sampler sampler(2);
  const indices choices{0, 1, 1};
  const double infinity = std::numeric_limits<double>::infinity();
  for (const auto& rewards : std::vector<std::vector<double>>{
           {2.0, 2.0, 2.0}, {1.0, std::nan(""), 0.0}, {1.0, infinity, 0.0}, {1e300, -1e300, 0.0}}) {
    CHECK_FALSE(sampler.learn(rewards, choices));
  }
  CHECK_FALSE(sampler.learn(std::vector<double>{1.0}, indices{0}));
  CHECK_FALSE(sampler.learn({}, {}));
  CHECK(sampler.logits()[0] == 0.0);
  CHECK(sampler.probabilities()[1] == 0.5);
}

TEST_CASE("batches hold samples of the splits that were drawn") {
  const mixture<double> mixed(30);
  gal::choice_sampler sampler(3, {.seed = 1});
  gal::mixed_batches batches(mixed.data, mixed.splits, sampler, 8, 1);
  CHECK(batches.size() == 4);
  int seen = 0;
  for (auto [x, y] : batches) {
    ++seen;
    REQUIRE(x.columns() == 8);
    for (gal::index_type i = 0; i < 8; ++i) {
      const gal::index_type row = batches.rows()[static_cast<std::size_t>(i)];
      CHECK(mixed.splits[static_cast<std::size_t>(row)] == sampler.choices()[static_cast<std::size_t>(i)]);
      CHECK(x(3, i) == mixed.data.features(3, row));
      CHECK(y(0, i) == mixed.data.targets(0, row));
    }
  }
  CHECK(seen == 4);
}

#if defined(_OPENMP)
TEST_CASE("rewards do not depend on the number of threads") {
  const int before = omp_get_max_threads();
  const auto run = [&](int threads) {
    omp_set_num_threads(threads);
    gal::dataset<float, int> data{random_matrix<float>(60, 400, 1), gal::matrix<int>(1, 400)};
    indices splits(400);
    for (gal::index_type j = 0; j < 400; ++j) {
      splits[static_cast<std::size_t>(j)] = j % 2;
      data.targets(0, j) = data.features(0, j) > 0.0f ? 1 : 0;
    }
    nn::mlp<float> model({60, 200, 2}, {.seed = 1});
    gal::sgd<float> optimizer({.learning_rate = 0.1});
    gal::choice_sampler sampler(2, {.seed = 1});
    gal::mixed_batches batches(data, splits, sampler, 200, 1);
    gal::alignment_reward trainer(model, optimizer, gal::softmax_cross_entropy(), sampler);
    gal::fit(trainer, batches, {.epochs = 3});
    return std::vector<double>(trainer.last_rewards().begin(), trainer.last_rewards().end());
  };
  const std::vector<double> one = run(1);
  CHECK(one.size() == 200);
  CHECK(run(2) == one);
  CHECK(run(5) == one);
  omp_set_num_threads(before);
}
#endif

TEST_CASE("training goes on from a checkpoint bit for bit, also within an epoch") {
  const mixture<double> mixed(50);
  const mixture<double> clean(10, seed + 1, 3);
  const scratch folder;
  const auto run_with = [&](bool holds_out, int steps, bool saves, bool loads, int steps_before_loading = 0) {
    nn::mlp<double> model({4, 8, 2}, {.seed = 1});
    gal::adam<double> optimizer;
    gal::choice_sampler sampler(3, {.learning_rate = 0.05, .beta1 = 0.9, .seed = 1});
    gal::mixed_batches batches(mixed.data, mixed.splits, sampler, 16, 1);
    const auto train = [&](auto trainer) {
      auto all = [&](auto& visit) {
        visit("trainer", trainer);
        visit("batches", batches);
      };
      const auto take = [&](int count) {
        while (count > 0) {
          for (auto [x, y] : batches) {
            trainer.step(x, y);
            if (--count == 0) {
              break;
            }
          }
        }
      };
      if (loads) {
        take(steps_before_loading);  // of which nothing must be left
        gal::load_checkpoint(folder.file("state"), all);
      }
      take(steps);
      if (saves) {
        gal::save_checkpoint(folder.file("state"), all);
      }
      auto result = values_of(model);
      result.insert(result.end(), sampler.logits().begin(), sampler.logits().end());
      result.insert(result.end(), trainer.last_rewards().begin(), trainer.last_rewards().end());
      return result;
    };
    return holds_out ? train(gal::alignment_reward(model, optimizer, gal::softmax_cross_entropy(), sampler,
                                                   clean.data.features.view(), clean.data.targets.view()))
                     : train(gal::alignment_reward(model, optimizer, gal::softmax_cross_entropy(), sampler));
  };
  for (const bool holds_out : {false, true}) {
    const auto whole = run_with(holds_out, 11, false, false);
    for (const int before : {1, 4, 6}) {
      run_with(holds_out, before, true, false);
      CHECK(run_with(holds_out, 11 - before, false, true) == whole);
      CHECK(run_with(holds_out, 11 - before, false, true, 3) == whole);
    }
  }
}

// y = a x, whose pass refers to the input where it is, and which can refuse to multiply.
struct proportional {
  using input_type = std::vector<double>;
  using feature_type = gal::matrix<double>;
  struct pass_type {
    const std::vector<double>* x = nullptr;
    std::vector<double> gradient;
  };

  double a = 0.5;
  double da = 0.0;
  bool refuses = false;
  pass_type last;
  gal::matrix<double> y;

  const feature_type& forward(const input_type& x) {
    last.x = &x;
    y = times(a);
    return y;
  }
  void backward(gal::matrix_view<const double> gradient) {
    last.gradient.assign(gradient.data(), gradient.data() + gradient.size());
    for (std::size_t j = 0; j < last.x->size(); ++j) {
      da += last.gradient[j] * (*last.x)[j];
    }
  }
  auto parameters() { return std::array{gal::parameter<double>({&a, 1}, {&da, 1})}; }
  pass_type& pass() { return last; }
  void keep_adjoints(bool) {}
  gal::matrix<double> forward_tangent(gal::parameter_direction<double> u) { return times(u[0][0]); }
  gal::matrix<double> forward_tangent(gal::parameter_direction<double> u, double* product) {
    *product = 0.0;
    return times(u[0][0]);
  }
  void sample_products(gal::parameter_direction<double> u, double* products) {
    if (refuses) {
      throw std::runtime_error("no products");
    }
    for (std::size_t j = 0; j < last.x->size(); ++j) {
      products[j] = last.gradient[j] * (*last.x)[j] * u[0][0];
    }
  }

 private:
  [[nodiscard]] gal::matrix<double> times(double factor) const {
    gal::matrix<double> result(1, static_cast<gal::index_type>(last.x->size()));
    for (std::size_t j = 0; j < last.x->size(); ++j) {
      result(0, static_cast<gal::index_type>(j)) = factor * (*last.x)[j];
    }
    return result;
  }
};
static_assert(gal::sample_product_model<proportional> && gal::pass_keeping_model<proportional>);

TEST_CASE("a kept pass sees its own batch, and what the model throws leaves everything in its place") {
  proportional model;
  gal::sgd<double> optimizer({.learning_rate = 0.1});
  listener policy{.now = {0, 1}};
  gal::alignment_reward trainer(model, optimizer, gal::mse(), policy);
  gal::matrix<double> target(1, 2, 1.0);
  target(0, 1) = -1.0;
  const std::vector<std::vector<double>> inputs{{1.0, 2.0}, {3.0, -1.0}, {0.5, 4.0}, {2.0, 2.0}};
  std::vector<double> before;  // the gradient's share of every sample of the batch before
  for (const std::vector<double>& x : inputs) {
    const double a = model.a;
    const std::vector<double> now{(a * x[0] - 1.0) * x[0],
                                  (a * x[1] + 1.0) * x[1]};  // of the mean of squares
    if (!before.empty()) {
      model.refuses = true;
      CHECK_THROWS_AS(trainer.step(x, target), std::runtime_error);
      CHECK(model.a == a);
      CHECK(model.da == Approx(now[0] + now[1]).epsilon(1e-14));
      model.refuses = false;
    }
    trainer.step(x, target);
    CHECK(model.a == Approx(a - 0.1 * (now[0] + now[1])).epsilon(1e-14));
    if (!before.empty()) {
      for (std::size_t j = 0; j < 2; ++j) {
        CHECK(policy.rewards.back()[j] == Approx(before[j] * (now[0] + now[1])).epsilon(1e-14));
      }
    }
    before = now;
  }
}

TEST_CASE("a step that is not finite changes nothing, and the batch before waits for the next") {
  mixture<double> mixed(12);
  nn::mlp<double> model = small_network();
  gal::sgd<double> optimizer({.learning_rate = 0.1});
  listener policy{.now = mixed.splits};
  gal::alignment_reward trainer(model, optimizer, gal::softmax_cross_entropy(), policy);
  auto spoilt = mixed.data.features;
  spoilt(0, 3) = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(trainer.step(mixed.data.features, mixed.data.targets).non_finite);
  const auto before = values_of(model);
  CHECK(trainer.step(spoilt, mixed.data.targets).non_finite);
  CHECK(values_of(model) == before);
  CHECK(policy.rewards.empty());
  CHECK_FALSE(trainer.step(mixed.data.features, mixed.data.targets).non_finite);
  REQUIRE(policy.rewards.size() == 1);
  CHECK(std::ranges::all_of(policy.rewards[0], [](double r) { return std::isfinite(r); }));

  // Held-out samples whose gradient is not finite teach nothing; the batch's step is taken.
  listener quiet{.now = mixed.splits};
  gal::alignment_reward holding_out(model, optimizer, gal::softmax_cross_entropy(), quiet, spoilt,
                                    mixed.data.targets);
  const auto then = values_of(model);
  CHECK_FALSE(holding_out.step(mixed.data.features, mixed.data.targets).non_finite);
  CHECK(values_of(model) != then);
  CHECK(quiet.rewards.empty());
}

TEST_CASE("misuse is named") {
  const mixture<double> mixed(12);
  nn::mlp<double> model = small_network();
  gal::sgd<double> optimizer({.learning_rate = 0.1});
  gal::choice_sampler sampler(3);
  const gal::softmax_cross_entropy loss;
  using enum gal::error_code;

  CHECK(refusal(invalid_option, [] { return gal::choice_sampler(0); }) ==
        "gal::choice_sampler: 0 choices; expected at least one");
  CHECK(refusal(invalid_option, [] { return gal::choice_sampler(2, {.learning_rate = -1.0}); }) ==
        "gal: the optimizer's learning_rate is -1; expected a number of at least 0");
  CHECK(refusal(invalid_option, [] { return gal::choice_sampler(2, {.clipping = 0.0}); }) ==
        "gal: clipping.value is 0; expected a positive number");
  CHECK(refusal(invalid_option, [&] { return sampler.draw(-1).size(); }) ==
        "gal::choice_sampler::draw: -1 samples; expected a number of at least 0");
  CHECK(refusal(shape_mismatch, [&] { return sampler.learn(std::vector<double>(3), indices(2)); }) ==
        "gal::choice_sampler::learn: 3 rewards and 2 choices; expected as many");
  CHECK(refusal(invalid_option, [&] {
          return sampler.learn(std::vector<double>(2), indices{0, 3});
        }) == "gal::choice_sampler::learn: choice 3; expected a number from 0 to 2");

  const auto batches_of = [&](const indices& splits, gal::index_type size) {
    return gal::mixed_batches(mixed.data, splits, sampler, size);
  };
  CHECK(refusal(invalid_option, [&] { return batches_of(mixed.splits, 0).size(); }) ==
        "gal::mixed_batches: size 0; expected a positive number of samples");
  CHECK(refusal(shape_mismatch, [&] { return batches_of(indices(11), 4).size(); }) ==
        "gal::mixed_batches: features of 12 samples, targets of 12, splits of 11; expected as many");
  CHECK(refusal(invalid_option, [&] { return batches_of(indices(12, 3), 4).size(); }) ==
        "gal::mixed_batches: split 3 of sample 0; expected a number from 0 to 2");
  CHECK(refusal(invalid_option, [&] { return batches_of(indices(12, 0), 4).size(); }) ==
        "gal::mixed_batches: split 1 has no samples; expected at least one");

  CHECK(refusal(invalid_target, [&] {
          return gal::alignment_reward(model, optimizer, loss, sampler, mixed.data.features,
                                       std::vector<int>(12, 2));
        }) == "gal::softmax_cross_entropy: label 2 of sample 0; expected a class from 0 to 1");
  gal::alignment_reward trainer(model, optimizer, loss, sampler);
  sampler.draw(5);
  CHECK(refusal(shape_mismatch, [&] { return trainer.step(mixed.data.features, mixed.data.targets); }) ==
        "gal::alignment_reward::step: a batch of 12 samples; expected the 5 whose choices were made last");
  nn::cnn<double> noisy({1, 2, 2}, {nn::flatten{}, nn::dropout{0.5}, nn::linear{2}}, {.seed = 1});
  gal::alignment_reward refused(noisy, optimizer, loss, sampler);
  CHECK(refusal(invalid_option, [&] { return refused.step(mixed.data.features, mixed.data.targets); }) ==
        "gal::alignment_reward: the model draws noise; expected one whose second pass over a batch is the "
        "first");
}

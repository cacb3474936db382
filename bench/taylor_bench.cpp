// What the methods of the expansion cost: a forward tangent over a forward pass, and training steps over the plain step, on one
// thread. All are timed by turns; a number is the median over the rounds of the ratio within a round.
// Usage: taylor_bench [ROUNDS] [NETWORK...]
#include "networks.hpp"
#include "random_matrix.hpp"

#include <gal/gal.hpp>

#ifdef _OPENMP
#include <omp.h>
#endif

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

struct work {
  std::string name;
  std::function<void()> run;
};

// Calls in about a hundredth of a second, at least one.
int calls_of(const work& w) {
  const auto start = std::chrono::steady_clock::now();
  w.run();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return std::max(1, static_cast<int>(0.01 / seconds));
}

double seconds_of(const work& w, int calls) {
  const auto start = std::chrono::steady_clock::now();
  for (int k = 0; k < calls; ++k) {
    w.run();
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / calls;
}

// The first is what the others are divided by.
void compare(const std::string& network, const std::vector<work>& works, int rounds) {
  std::vector<int> calls;
  std::vector<std::vector<double>> ratios(works.size());
  for (const work& w : works) {
    w.run();  // allocates
    calls.push_back(calls_of(w));
  }
  for (int round = 0; round < rounds; ++round) {
    const double base = seconds_of(works[0], calls[0]);
    for (std::size_t k = 0; k < works.size(); ++k) {
      ratios[k].push_back(k == 0 ? base : seconds_of(works[k], calls[k]) / base);
    }
  }
  for (std::size_t k = 0; k < works.size(); ++k) {
    std::ranges::sort(ratios[k]);
    const double median = ratios[k][ratios[k].size() / 2];
    if (k == 0) {
      std::printf("%s, %s: %.3g ms\n", network.c_str(), works[k].name.c_str(), 1e3 * median);
    } else {
      std::printf("  %-48s %.2f\n", works[k].name.c_str(), median);
    }
  }
  std::fflush(stdout);
}

// Every sample of one choice, of which nothing is learned.
struct one_choice {
  std::vector<gal::index_type> made;
  std::vector<double> chances = {1.0};

  [[nodiscard]] const std::vector<gal::index_type>& choices() const { return made; }
  [[nodiscard]] const std::vector<double>& probabilities() const { return chances; }
  void learn(std::span<const double>, std::span<const gal::index_type>) {}
};

struct all_rows {
  gal::index_type count;
  std::vector<gal::index_type> numbers;

  [[nodiscard]] gal::index_type samples() const { return count; }
  [[nodiscard]] const std::vector<gal::index_type>& rows() const { return numbers; }
};

template <class Model, class Loss, class Target>
void measure(const std::string& name, const Model& first, Loss loss, const gal::matrix<float>& x,
             const Target& y, const gal::matrix<float>& held_out, int rounds) {
  Model model = first;
  gal::parameter_vector<float> u;
  u.assign_values(model.parameters());
  model.forward(x);
  compare(name,
          {{"a forward pass", [&] { model.forward(x); }},
           {"forward tangent", [&] { model.forward_tangent(u.blocks()); }},
           {"second-order forward pass, beside the first", [&] { model.forward_second_order(u.blocks()); }}},
          rounds);

  gal::adam<float> optimizer({.learning_rate = 1e-5});
  Model keeping = first;  // adjoints, whose memory the others would give back
  gal::adam<float> its_optimizer({.learning_rate = 1e-5});
  const auto rescaled = [&](gal::curvature_kind kind, gal::curvature_pass pass) {
    return gal::rescaled(model, optimizer, loss, {.curvature = kind, .pass = pass, .factor = 1e-4});
  };
  gal::plain plain(model, optimizer, loss);
  auto gauss_newton = rescaled(gal::curvature_kind::gauss_newton, gal::curvature_pass::adjoints);
  gal::rescaled by_adjoints(keeping, its_optimizer, loss,
                            {.curvature = gal::curvature_kind::exact, .factor = 1e-4});
  auto second_order = rescaled(gal::curvature_kind::exact, gal::curvature_pass::second_order);
  auto remainder = rescaled(gal::curvature_kind::remainder, gal::curvature_pass::adjoints);
  all_rows rows{x.columns(), {}};
  for (gal::index_type j = 0; j < x.columns(); ++j) {
    rows.numbers.push_back(j);
  }
  gal::instance_rates rates(model, optimizer, loss, rows, held_out.view(), y, {.train_on_held_out = false});
  gal::held_out_adjust weights(model, optimizer, loss, held_out.view(), y, {.train_on_held_out = false});
  one_choice policy{std::vector<gal::index_type>(rows.numbers.size(), 0)};
  gal::alignment_reward rewards(model, optimizer, loss, policy);
  gal::alignment_reward held_out_rewards(keeping, its_optimizer, loss, policy, held_out.view(), y);
  compare(name,
          {{"a plain step", [&] { plain.step(x, y); }},
           {"rescaled by the Gauss-Newton curvature", [&] { gauss_newton.step(x, y); }},
           {"rescaled by the exact one, from adjoints", [&] { by_adjoints.step(x, y); }},
           {"rescaled by the exact one, second-order pass", [&] { second_order.step(x, y); }},
           {"rescaled by the remainder", [&] { remainder.step(x, y); }},
           {"rates of samples, as many held out", [&] { rates.step(x, y); }},
           {"weights by a network, as many held out", [&] { weights.step(x, y); }},
           {"alignment rewards", [&] { rewards.step(x, y); }},
           {"alignment rewards, as many held out", [&] { held_out_rewards.step(x, y); }}},
          rounds);
}

}  // namespace

int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 15;
  if (rounds < 1) {
    std::fprintf(stderr, "usage: taylor_bench [ROUNDS] [NETWORK...]\n");
    return 2;
  }
  const auto wanted = [&](const std::string& name) {
    return count <= 2 || std::find(arguments + 2, arguments + count, name) != arguments + count;
  };
#ifdef _OPENMP
  omp_set_num_threads(1);
#endif
  const auto of_mlp = [&](const bench::network& net, const char* name, gal::nn::activation activation) {
    if (wanted(name)) {
      const gal::nn::mlp<float> model({net.widths.begin(), net.widths.end()},
                                      {.activation = activation, .seed = 1});
      measure(name, model, gal::mse(), bench::random_matrix<float>(net.widths.front(), net.batch, 1),
              bench::random_matrix<float>(net.widths.back(), net.batch, 2),
              bench::random_matrix<float>(net.widths.front(), net.batch, 3), rounds);
    }
  };
  of_mlp(bench::wide, "wide", gal::nn::relu);
  of_mlp(bench::wide, "wide_tanh", gal::nn::tanh);
  of_mlp(bench::regressions[0], "boston", gal::nn::relu);
  if (wanted("lenet")) {
    const gal::nn::image_shape picture{1, 28, 28};
    const gal::nn::cnn<float> model(picture, gal::nn::lenet(picture, 10), {.seed = 1});
    const std::vector<int> labels(64, 3);
    measure("lenet", model, gal::softmax_cross_entropy(), bench::random_matrix<float>(picture.size(), 64, 1),
            labels, bench::random_matrix<float>(picture.size(), 64, 3), rounds);
  }
}

// What the methods of the expansion cost: a forward tangent over a forward pass, and training steps over the plain step, on one
// thread. All are timed by turns; a number is the median over the rounds of the ratio within a round. Beside it is the memory of
// model, optimizer and trainer, at its most, over that of the plain step's. With libtorch also the same product by double backward.
// Usage: taylor_bench [ROUNDS] [NETWORK...]
#include "networks.hpp"
#include "random_matrix.hpp"
#ifdef GAL_BENCH_TORCH
#include "torch_taylor_peer.hpp"
#endif

#include <gal/gal.hpp>

#ifdef _OPENMP
#include <omp.h>
#endif

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

std::size_t live_bytes = 0;  // one thread allocates
std::size_t peak_bytes = 0;

void* counted(void* memory) {
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  live_bytes += malloc_usable_size(memory);
  peak_bytes = std::max(peak_bytes, live_bytes);
  return memory;
}

void give_back(void* memory) {
  live_bytes -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return counted(std::malloc(size == 0 ? 1 : size)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto boundary = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(boundary, (size + boundary - 1) / boundary * boundary));
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { give_back(memory); }

namespace {

struct work {
  std::string name;
  std::function<void()> run;
  double bytes = 0.0;  // 0: not known
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
      std::printf("%s, %s: %.3g ms", network.c_str(), works[k].name.c_str(), 1e3 * median);
    } else {
      std::printf("  %-48s %.2f", works[k].name.c_str(), median);
    }
    if (works[k].bytes > 0.0) {
      std::printf(k == 0 ? ", %.3g MB" : "   memory %.2f", works[k].bytes / (k == 0 ? 1e6 : works[0].bytes));
    }
    std::printf("\n");
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

  std::vector<work> steps;
  const auto add = [&](const char* step, auto make) {
    struct training {
      Model model;
      gal::adam<float> optimizer{{.learning_rate = 1e-5}};
      decltype(make(model, optimizer)) trainer;
      training(const Model& start, const decltype(make)& m) : model(start), trainer(m(model, optimizer)) {}
    };
    const std::size_t before = live_bytes;
    peak_bytes = live_bytes;
    const auto all = std::make_shared<training>(first, make);
    const auto run = [all, &x, &y] { all->trainer.step(x, y); };
    for (int k = 0; k < 3; ++k) {
      run();
    }
    steps.push_back({step, run, static_cast<double>(peak_bytes - before)});
  };
  const auto rescaled = [&](gal::curvature_kind kind, gal::curvature_pass pass) {
    return [=](Model& m, gal::adam<float>& o) {
      return gal::rescaled(m, o, loss, {.curvature = kind, .pass = pass, .factor = 1e-4});
    };
  };
  all_rows rows{x.columns(), {}};
  for (gal::index_type j = 0; j < x.columns(); ++j) {
    rows.numbers.push_back(j);
  }
  one_choice policy{std::vector<gal::index_type>(rows.numbers.size(), 0)};
  using enum gal::curvature_kind;
  add("a plain step", [&](Model& m, gal::adam<float>& o) { return gal::plain(m, o, loss); });
  add("rescaled by the Gauss-Newton curvature", rescaled(gauss_newton, gal::curvature_pass::adjoints));
  add("rescaled by the exact one, from adjoints", rescaled(exact, gal::curvature_pass::adjoints));
  add("rescaled by the exact one, second-order pass", rescaled(exact, gal::curvature_pass::second_order));
  add("rescaled by the remainder", rescaled(remainder, gal::curvature_pass::adjoints));
  add("rates of samples, as many held out", [&](Model& m, gal::adam<float>& o) {
    return gal::instance_rates(m, o, loss, rows, held_out.view(), y, {.train_on_held_out = false});
  });
  add("weights by a network, as many held out", [&](Model& m, gal::adam<float>& o) {
    return gal::held_out_adjust(m, o, loss, held_out.view(), y, {.train_on_held_out = false});
  });
  add("alignment rewards",
      [&](Model& m, gal::adam<float>& o) { return gal::alignment_reward(m, o, loss, policy); });
  add("alignment rewards, as many held out", [&](Model& m, gal::adam<float>& o) {
    return gal::alignment_reward(m, o, loss, policy, held_out.view(), y);
  });
  compare(name, steps, rounds);
}

#ifdef GAL_BENCH_TORCH
void measure_torch(const bench::network& net, int rounds) {
  bench::torch_steps steps = bench::torch_steps_of(net);
  compare(net.name + ", libtorch",
          {{"a plain step", steps.plain}, {"with u^T H u by double backward", steps.with_curvature}}, rounds);
}
#endif

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
#ifdef GAL_BENCH_TORCH
  for (const bench::network& net : {bench::wide, bench::regressions[0]}) {
    if (wanted(net.name)) {
      measure_torch(net, rounds);
    }
  }
#endif
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

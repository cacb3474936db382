// A training step on the device backend over width and batch: plain, with adjusted gradients, and as a recorded graph,
// beside the rate of a large product in the same run. Prints a table; --json FILE writes the numbers.
#include <gal/backends/thrust.hpp>
#include <gal/io/files.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/optim/optimizers.hpp>
#include <gal/train/adjust.hpp>
#include <gal/train/captured_step.hpp>

#include "support/run_record.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace {

using backend_type = gal::thrust_backend;
using json = nlohmann::ordered_json;
template <class T>
using device_matrix = gal::matrix<T, backend_type>;

// Microseconds between two points of the device's work: by its own events on CUDA, else by the clock.
class stopwatch {
 public:
#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
  explicit stopwatch(cudaStream_t stream) : stream_(stream) {
    gal::detail::check_cuda(cudaEventCreate(&start_), "cudaEventCreate");
    gal::detail::check_cuda(cudaEventCreate(&end_), "cudaEventCreate");
  }
  ~stopwatch() {
    cudaEventDestroy(start_);
    cudaEventDestroy(end_);
  }
  void start() { gal::detail::check_cuda(cudaEventRecord(start_, stream_), "cudaEventRecord"); }
  double stop(const backend_type&) {
    gal::detail::check_cuda(cudaEventRecord(end_, stream_), "cudaEventRecord");
    gal::detail::check_cuda(cudaEventSynchronize(end_), "cudaEventSynchronize");
    float milliseconds = 0.0f;
    gal::detail::check_cuda(cudaEventElapsedTime(&milliseconds, start_, end_), "cudaEventElapsedTime");
    return 1e3 * static_cast<double>(milliseconds);
  }

 private:
  cudaStream_t stream_;
  cudaEvent_t start_ = nullptr, end_ = nullptr;
#else
  void start() { start_ = std::chrono::steady_clock::now(); }
  double stop(const backend_type& backend) {
    backend.synchronize();
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_;
#endif
};

struct device {
  gal::device_options options;
  backend_type backend{options};

#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
  static gal::device_options with_stream(gal::product_precision precision) {
    gal::device_options result{.precision = precision};
    gal::detail::check_cuda(cudaStreamCreateWithFlags(&result.stream, cudaStreamNonBlocking),
                            "cudaStreamCreate");
    return result;
  }
  [[nodiscard]] stopwatch clock() const { return stopwatch(options.stream); }
#else
  [[nodiscard]] static stopwatch clock() { return {}; }
#endif
};

device make_device(const std::string& precision) {
#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
  return {device::with_stream(precision == "tf32"   ? gal::product_precision::tf32
                              : precision == "bf16" ? gal::product_precision::bfloat16
                                                    : gal::product_precision::full)};
#else
  gal::detail::require(precision == "float", gal::error_code::invalid_option, "precision ", precision,
                       "; expected float, since this is no GPU");
  return {};
#endif
}

// Numbers that are neither zero nor alike: products of zeros may be faster than those of data.
template <class T>
device_matrix<T> random_matrix(const backend_type& backend, gal::index_type rows, gal::index_type columns,
                               std::uint64_t seed) {
  device_matrix<T> result(backend);
  result.resize(rows, columns);
  backend.for_each(result.size(), [to = result.data(), seed] GAL_KERNEL(gal::index_type i) {
    to[i] = static_cast<T>(gal::random_normal(seed, static_cast<std::uint64_t>(i)));
  });
  return result;
}

// The median of `rounds` rounds of `repeat` steps, in microseconds a step, after two that size and record.
template <class Step>
double time_step(const device& d, int rounds, int repeat, Step step) {
  step();
  step();
  auto clock = d.clock();
  std::vector<double> times;
  for (int round = 0; round < rounds; ++round) {
    clock.start();
    for (int k = 0; k < repeat; ++k) {
      step();
    }
    times.push_back(clock.stop(d.backend) / repeat);
  }
  std::nth_element(times.begin(), times.begin() + rounds / 2, times.end());
  return times[static_cast<std::size_t>(rounds / 2)];
}

// GFLOP/s of a square product.
double product_peak(const device& d, gal::index_type size) {
  const auto a = random_matrix<float>(d.backend, size, size, 1);
  const auto b = random_matrix<float>(d.backend, size, size, 2);
  device_matrix<float> c(size, size, 0.0f, d.backend);
  const double time = time_step(d, 5, 3, [&] {
    d.backend.product(gal::transpose::no, gal::transpose::no, 1.0f, a.view(), b.view(), 0.0f, c.view());
  });
  return 2e-3 * static_cast<double>(size) * static_cast<double>(size) * static_cast<double>(size) / time;
}

struct row {
  gal::index_type width, batch;
  double vanilla, adjusted, recorded;  // microseconds a step
  double rate;                         // GFLOP/s of the vanilla step
};

row measure(const device& d, const std::vector<gal::index_type>& widths,
            const std::vector<gal::index_type>& hidden, gal::index_type batch, int rounds, int repeat) {
  const auto x = random_matrix<float>(d.backend, widths.front(), batch, 1);
  const auto y = random_matrix<float>(d.backend, widths.back(), batch, 2);
  const auto with = [&](bool adjusted, bool recorded) {
    gal::nn::mlp<float, backend_type> model(widths, {.seed = 1}, d.backend);
    gal::adam<float, backend_type> optimizer({.learning_rate = 1e-3}, d.backend);
    if (!adjusted) {  // as one would write it
      const gal::mse loss;
      device_matrix<double> losses(1, batch, 0.0, d.backend);
      device_matrix<float> gradient(widths.back(), batch, 0.0f, d.backend);
      return time_step(d, rounds, repeat, [&] {
        const auto& features = model.forward(x);
        loss.evaluate(d.backend, features.view(), y, losses.view(), gradient.view());
        for (const auto& block : model.parameters()) {
          d.backend.fill(block.gradient.data(), static_cast<gal::index_type>(block.gradient.size()), 0.0f);
        }
        model.backward(gradient);
        optimizer.step(model.parameters());
      });
    }
    gal::adjust_options options = gal::paper();
    options.normalisation = gal::normalisation::per_batch;
    options.hidden = hidden;
    gal::adjust trainer(model, optimizer, gal::mse(), options);
    gal::captured_step captured(trainer, x, y);
    return recorded ? time_step(d, rounds, repeat, [&] { captured(); })
                    : time_step(d, rounds, repeat, [&] { trainer.step(x, y); });
  };
  double operations = 0.0;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    operations += (l == 0 ? 4.0 : 6.0) * static_cast<double>(widths[l] * widths[l + 1] * batch);
  }
  row result{widths[1], batch, with(false, false), with(true, false), with(true, true), 0.0};
  result.rate = 1e-3 * operations / result.vanilla;
  return result;
}

}  // namespace

int main(int count, char** arguments) try {
  std::string precision = "float";
  std::string file;
  std::vector<gal::index_type> widths = {64, 256, 1024, 2048, 4096, 8192};
  std::vector<gal::index_type> batches = {32, 256, 4096, 16384, 65536};
  gal::index_type peak_size = 8192;
  int rounds = 5;
  int repeat = 10;
  CLI::App app(
      "Training steps on the device backend: Boston's network, then networks of three equal layers.");
  app.add_option("--precision", precision, "of products: float, tf32 or bf16")
      ->check(CLI::IsMember({"float", "tf32", "bf16"}))
      ->capture_default_str();
  app.add_option("--widths", widths)->delimiter(',')->capture_default_str();
  app.add_option("--batches", batches)->delimiter(',')->capture_default_str();
  app.add_option("--peak-size", peak_size, "of the square product")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--rounds", rounds)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--repeat", repeat, "steps a round")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--json", file, "where the numbers go");
  CLI11_PARSE(app, count, arguments);

  const device d = make_device(precision);
  const double peak = product_peak(d, peak_size);
  std::printf("%s, products in %s: %.0f GFLOP/s for a square of %td\n\n", d.backend.name().c_str(),
              precision.c_str(), peak, peak_size);
  std::printf(
      "| width | batch | vanilla us | GAL us | GAL, recorded us | GAL / vanilla | GFLOP/s | of the product "
      "|\n");
  std::printf("|---:|---:|---:|---:|---:|---:|---:|---:|\n");
  json rows = json::array();
  const auto report = [&](const row& r) {
    std::printf("| %td | %td | %.1f | %.1f | %.1f | %.3f | %.0f | %.0f %% |\n", r.width, r.batch, r.vanilla,
                r.adjusted, r.recorded, r.adjusted / r.vanilla, r.rate, 100.0 * r.rate / peak);
    std::fflush(stdout);
    rows.push_back({{"width", r.width},
                    {"batch", r.batch},
                    {"vanilla_us", r.vanilla},
                    {"gal_us", r.adjusted},
                    {"gal_recorded_us", r.recorded},
                    {"gflops", r.rate}});
  };
  report(measure(d, {13, 100, 50, 1}, {16, 4}, 32, rounds, 20 * repeat));
  for (const gal::index_type width : widths) {
    for (const gal::index_type batch : batches) {
      report(measure(d, {width, width, width, 10}, {64, 24}, batch, rounds, repeat));
    }
  }
  if (!file.empty()) {
    json result{
        {"device", d.backend.name()}, {"precision", precision}, {"peak_gflops", peak}, {"steps", rows}};
    support::add_run_record(result["run"]);
    gal::replace_file(file, {result.dump(2), "\n"});
  }
} catch (const std::exception& failure) {
  std::fprintf(stderr, "device_bench: %s\n", failure.what());
  return 1;
}

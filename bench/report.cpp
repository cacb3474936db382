// Usage: bench_report RESULTS.json [PAGE.md [PYTORCH.json]]
// Prints the tables of a run of gal_bench (medians of its repetitions), with those of lenet_peer.py where they are given, and
// writes them to PAGE.md.
#include <gal/core/text.hpp>
#include <gal/io/files.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <locale>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using json = nlohmann::json;

struct result {
  double microseconds = 0.0;  // of the processor
  double elapsed = 0.0;       // by the clock
  double rate = 0.0;          // GFLOP/s
  double bytes = 0.0;
  double first_bytes = 0.0;
};

class results {
 public:
  void add(const json& file) {
    for (const json& run : file.at("benchmarks")) {
      if (run.value("aggregate_name", "median") != "median" || run.value("error_occurred", false)) {
        continue;
      }
      std::string name = run.at("run_name").get<std::string>();
      for (const char* const ending : {"/process_time", "/real_time", "/iterations:"}) {
        if (const auto end = name.find(ending); end != std::string::npos) {
          name.erase(end);
        }
      }
      by_name_[name] = {run.at("cpu_time").get<double>(), run.at("real_time").get<double>(),
                        run.value("GFLOP/s", 0.0), run.value("bytes_allocated", 0.0),
                        run.value("bytes_of_first_step", 0.0)};
    }
  }

  [[nodiscard]] std::optional<result> find(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] double microseconds(const std::string& name) const {
    const auto found = find(name);
    return found ? found->microseconds : std::nan("");
  }
  [[nodiscard]] double elapsed(const std::string& name) const {
    const auto found = find(name);
    return found ? found->elapsed : std::nan("");
  }
  [[nodiscard]] double rate(const std::string& name) const {
    const auto found = find(name);
    return found ? found->rate : std::nan("");
  }
  [[nodiscard]] const std::map<std::string, result>& all() const { return by_name_; }

 private:
  std::map<std::string, result> by_name_;
};

std::string number(double value, int digits = 1) {
  return std::isfinite(value) ? gal::detail::fixed(value, digits) : "-";
}

// Of the run, not of this program: gal_bench writes it beside the numbers.
void describe_machine(std::ostream& page, const json& context) {
  const auto of_run = [&](const std::string& name) {
    return context.value("run." + name, "unknown " + name);
  };
  page << of_run("processor") << ", " << context.value("num_cpus", 0) << " cores";
  for (const json& cache : context.value("caches", json::array())) {
    page << ", L" << cache.at("level").get<int>() << " " << cache.at("type").get<std::string>() << " "
         << cache.at("size").get<long>() / 1024 << " KiB";
  }
  page << "; " << of_run("library") << ", commit " << of_run("commit") << "; " << of_run("compiler") << ",\n`"
       << of_run("flags") << "` (" << of_run("instructions") << "); " << of_run("date")
       << "; one thread where nothing else is said.\n\n";
}

void compare_with_peers(std::ostream& page, const results& r) {
  page << "## A step beside the peers\n\n"
          "Microseconds of the processor a training step, float, Adam. *vanilla*: without adjustment. "
          "*paper*: gradient "
          "adjustment with "
          "`gal::paper()`\n(normalisation per batch). dlib gives no access to the gradient of its features, "
          "so it has no "
          "adjusted step.\n\n"
          "| network | step | gal | libtorch | libtorch over gal | dlib | dlib over gal |\n"
          "|---|---|---:|---:|---:|---:|---:|\n";
  for (const std::string network : {"boston", "diabetes", "california"}) {
    for (const std::string method : {"vanilla", "paper"}) {
      const std::string rest = network + "/" + method + "/float";
      const double gal = r.microseconds("gal/" + rest);
      const double torch = r.microseconds("torch/" + rest);
      const double dlib = r.microseconds("dlib/" + rest);
      page << "| " << network << " | " << method << " | " << number(gal) << " | " << number(torch) << " | "
           << number(torch / gal) << " | " << number(dlib) << " | " << number(dlib / gal) << " |\n";
    }
  }
  page << "\nNetworks: Boston 13-100-50-1, batch 32, adjuster 16-4; diabetes 10-64-32-1, batch 32, adjuster "
          "128-4; "
          "California\n8-256-64-1, batch 128, adjuster 128-2.\n\n";
}

void compare_images(std::ostream& page, const results& r) {
  const bool has_onednn = r.find("onednn/lenet/batch:1/threads:1").has_value();
  const std::string columns = has_onednn ? "gal | with oneDNN | libtorch | gal over libtorch |"
                                         : "gal | libtorch | gal over libtorch |";
  const std::string lines = has_onednn ? "---:|---:|---:|---:|" : "---:|---:|---:|";
  page << "## Convolutional networks\n\n"
          "Milliseconds a training step by the clock, images of 3 x 32 x 32, SGD with momentum on the "
          "cross-entropy: the lists\n`lenet`, `resnet(8)` and `efficientnet` of `gal/nn/cnn.hpp`. libtorch "
          "calls "
          "oneDNN.";
  if (has_onednn) {
    page << " *with oneDNN*: gal's `onednn_backend`.";
  }
  page << "\n\n| network | batch | " << columns << " two threads: " << columns << "\n|---|---:|" << lines
       << lines << "\n";
  for (const std::string network : {"lenet", "resnet8", "efficientnet"}) {
    for (const std::string batch : {"1", "8", "32"}) {
      page << "| " << network << " | " << batch;
      for (const std::string threads : {"1", "2"}) {
        const std::string rest = network + "/batch:" + batch + "/threads:" + threads;
        const double gal = 1e-3 * r.elapsed("gal/" + rest);
        const double torch = 1e-3 * r.elapsed("torch/" + rest);
        page << " | " << number(gal, 2);
        if (has_onednn) {
          page << " | " << number(1e-3 * r.elapsed("onednn/" + rest), 2);
        }
        page << " | " << number(torch, 2) << " | " << number(gal / torch, 2);
      }
      page << " |\n";
    }
  }
  page << "\n";
}

void compare_lenet(std::ostream& page, const results& r) {
  page << "### LeNet, a step and an epoch\n\n"
          "Images of 1 x 28 x 28 in batches of 64, SGD with momentum, by the clock: milliseconds a step, and "
          "seconds an epoch of\n60,000 images in a new order. PyTorch runs eagerly.\n\n"
          "| what | threads | gal | with oneDNN | libtorch | PyTorch | gal over libtorch | gal over PyTorch "
          "|\n"
          "|---|---:|---:|---:|---:|---:|---:|---:|\n";
  for (const auto& [what, in_report, unit] :
       {std::tuple("batch:64", "step", 1e-3), std::tuple("epoch", "epoch", 1e-6)}) {
    for (const std::string threads : {"1", "2"}) {
      const auto time = [&, name = std::string(what)](const char* library) {
        return r.elapsed(std::string(library) + "/lenet-28/" + name + "/threads:" + threads);
      };
      page << "| " << in_report << " | " << threads;
      for (const char* library : {"gal", "onednn", "torch", "pytorch"}) {
        page << " | " << number(unit * time(library), 2);
      }
      page << " | " << number(time("gal") / time("torch"), 2) << " | "
           << number(time("gal") / time("pytorch"), 2) << " |\n";
    }
  }
  page << "\n";
}

void compare_methods(std::ostream& page, const results& r) {
  page << "## What an adjustment costs\n\n"
          "| network | scalar | vanilla, us | paper, us | over vanilla | recommended, us | over vanilla |\n"
          "|---|---|---:|---:|---:|---:|---:|\n";
  for (const std::string network : {"boston", "diabetes", "california", "wide"}) {
    for (const std::string scalar : {"float", "double"}) {
      const auto time = [&](const char* method) {
        return r.microseconds("gal/" + network + "/" + method + "/" + scalar);
      };
      const double vanilla = time("vanilla");
      if (std::isfinite(vanilla)) {
        page << "| " << network << " | " << scalar << " | " << number(vanilla) << " | "
             << number(time("paper")) << " | " << number(time("paper") / vanilla, 2) << " | "
             << number(time("recommended")) << " | " << number(time("recommended") / vanilla, 2) << " |\n";
      }
    }
  }
  for (const auto& [name, title] : {std::pair("gd", "gradient descent"), std::pair("adam", "Adam")}) {
    const auto time = [&](const std::string& method) {
      return number(r.microseconds("gal/toy3d-" + std::string(name) + "/" + method + "/double"), 2);
    };
    page << "| 3D problem, " << title << " | double | | " << time("paper") << " | | " << time("recommended")
         << " | |\n";
  }
  page << "\n"
       << "wide: 1024-1024-1024-10, batch 512. Paper: the adjuster of the paper's widths, on wide 64-16, on "
          "the "
          "3D problem 64-24;\nrecommended: 16 everywhere. One adjuster step.\n\n";
}

void compare_with_peak(std::ostream& page, const results& r) {
  const double peak = r.rate("peak/gal/product/float");
  page << "## How close to the machine\n\n"
          "The limit is the library's product of two 1024 x 1024 matrices in the same run: "
       << number(peak, 0) << " GFLOP/s in float, " << number(r.rate("peak/gal/product/double"), 0)
       << " in double (Eigen's: " << number(r.rate("peak/eigen/product/float"), 0) << " and "
       << number(r.rate("peak/eigen/product/double"), 0)
       << ").\nA step's rate counts the products of the model, and its time everything.\n\n"
          "| step | us | GFLOP/s | of the limit |\n|---|---:|---:|---:|\n";
  for (const auto& [name, value] : r.all()) {
    const bool one_thread = name.find("/threads:") == std::string::npos;
    if (one_thread && (name.starts_with("size/") || name.starts_with("gal/wide"))) {
      const std::string shown = name.starts_with("size/") ? name.substr(5) : name.substr(4);
      page << "| " << shown << " | " << number(value.microseconds) << " | " << number(value.rate, 0) << " | "
           << number(100.0 * value.rate / peak, 0) << " % |\n";
    }
  }
  page << "\nTwo threads inside the wide step: "
       << number(r.elapsed("gal/wide/paper/float") / r.elapsed("gal/wide/paper/float/threads:2"), 2)
       << " times one thread, by the clock: what else the machine runs counts here.\n\n";
}

void report_memory(std::ostream& page, const results& r) {
  double allocated = 0.0;
  page
      << "## Memory\n\nWhat the first step allocates is what a step needs. It grows with the batch by the "
         "same "
         "number of bytes a sample.\n\n"
         "| batch, California's network, paper | bytes allocated by the first step | for each sample more |\n"
         "|---|---:|---:|\n";
  double samples = 0.0;
  double bytes = std::nan("");
  for (const int batch : {64, 256, 1024, 4096}) {
    const auto found = r.find("size/california-batch:" + std::to_string(batch) + "/paper/float");
    if (found) {
      page << "| " << batch << " | " << number(found->first_bytes, 0) << " | "
           << number((found->first_bytes - bytes) / (batch - samples)) << " |\n";
      samples = batch;
      bytes = found->first_bytes;
    }
  }
  for (const auto& [name, value] : r.all()) {
    if (!name.starts_with("torch/") && !name.starts_with("dlib/") && !name.starts_with("peak/eigen")) {
      allocated += value.bytes;
    }
  }
  page << "\nAfter the first step all benchmarks of gal together allocated " << number(allocated, 0)
       << " bytes.\n";
}

json read(const char* path) {
  std::ifstream file(path);
  if (!file) {
    throw std::runtime_error(std::string("cannot read ") + path);
  }
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  for (const std::string name : {"-nan", "nan", "NaN"}) {  // of no spread, which JSON has no number for
    for (auto at = text.find(": " + name); at != std::string::npos; at = text.find(": " + name, at)) {
      text.replace(at, 2 + name.size(), ": null");
    }
  }
  return json::parse(text);
}

}  // namespace

int main(int count, char** arguments) try {
  if (count < 2 || count > 4) {
    std::fprintf(stderr, "usage: bench_report RESULTS.json [PAGE.md [PYTORCH.json]]\n");
    return 2;
  }
  const json content = read(arguments[1]);
  results r;
  r.add(content);
  if (count == 4) {
    r.add(read(arguments[3]));
  }
  std::ostringstream page;
  page.imbue(std::locale::classic());
  page << "# Benchmarks\n\nFor readers who ask what a step costs. `sh bench/compare.sh` measures everything "
          "below in "
          "one run and writes this page;\nmedians of nine repetitions in random order. Machine: ";
  describe_machine(page, content.at("context"));
  compare_with_peers(page, r);
  compare_images(page, r);
  compare_lenet(page, r);
  compare_methods(page, r);
  compare_with_peak(page, r);
  report_memory(page, r);
  page << "\n## On a GPU\n\nNot measured: no GPU was at hand. `sh scripts/gpu.sh` builds for CUDA, runs the "
          "tests there, "
          "again under\ncompute-sanitizer, and this over widths 64 to 8192 and batches 32 to 65536: a plain "
          "step, one "
          "with adjusted\ngradients and its recorded graph, beside the rate of cuBLAS in the same run, with "
          "products in "
          "float, TF32 and\nbfloat16, and PyTorch's eager step where PyTorch is installed.\n";
  std::cout << page.str();
  if (count >= 3) {
    gal::replace_file(arguments[2], {page.str()});
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_report: %s\n", error.what());
  return 1;
}

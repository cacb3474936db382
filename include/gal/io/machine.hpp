// gal/io/machine.hpp: what the numbers of a run depend on beside the program: library, compiler, machine (POSIX).
// Provides: machine_record.
#pragma once

#include <gal/core/version.hpp>

#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// The library, how the program was compiled, and the machine that runs it, as pairs of name and value:
///
/// | name | value |
/// |---|---|
/// | `library` | `gal` and its version |
/// | `compiler` | name and version |
/// | `optimised` | `yes` or `no`; without optimisation a step takes tens of times as long |
/// | `instructions` | the largest SIMD set that the program was compiled for; the CPU backend may take AVX2 beside it |
/// | `processor` | its model on Linux, elsewhere its architecture |
/// | `hardware_threads` | how many threads the processor runs at once |
/// | `system` | the kernel and its release |
///
/// What is not known is left out. Same program, same machine: same record, so it has no date.
[[nodiscard]] inline std::vector<std::pair<std::string, std::string>> machine_record() {
  std::vector<std::pair<std::string, std::string>> result;
  const auto add = [&](std::string name, std::string value) {
    if (!value.empty()) {
      result.emplace_back(std::move(name), std::move(value));
    }
  };
  add("library", "gal " + std::to_string(GAL_VERSION_MAJOR) + "." + std::to_string(GAL_VERSION_MINOR) + "." +
                     std::to_string(GAL_VERSION_PATCH));
#if defined(__CUDACC_VER_MAJOR__)
  add("cuda_compiler",
      "nvcc " + std::to_string(__CUDACC_VER_MAJOR__) + "." + std::to_string(__CUDACC_VER_MINOR__));
#endif
#if defined(__clang__)
  add("compiler", "Clang " __clang_version__);
#elif defined(__GNUC__)
  add("compiler", "GCC " __VERSION__);
#endif
#if defined(__OPTIMIZE__)
  add("optimised", "yes");
#elif defined(__GNUC__)
  add("optimised", "no");
#endif
#if defined(__AVX512F__)
  add("instructions", "AVX-512");
#elif defined(__AVX2__)
  add("instructions", "AVX2");
#elif defined(__AVX__)
  add("instructions", "AVX");
#elif defined(__SSE2__)
  add("instructions", "SSE2");
#elif defined(__ARM_NEON)
  add("instructions", "NEON");
#endif
  ::utsname system{};
  const bool known = ::uname(&system) >= 0;
  std::string processor;
  std::ifstream information("/proc/cpuinfo");
  for (std::string line; processor.empty() && std::getline(information, line);) {
    if (line.starts_with("model name")) {
      processor = line.substr(std::min(line.find(": "), line.size() - 2) + 2);
    }
  }
  add("processor", processor.empty() && known ? system.machine : processor);
  add("hardware_threads", std::to_string(std::thread::hardware_concurrency()));
  add("system", known ? std::string(system.sysname) + " " + system.release : "");
  return result;
}

}  // namespace gal

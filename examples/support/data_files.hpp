// support/data_files.hpp: where the examples' data are.
// Provides: data_directories, data_file, no_data_file, fashion_mnist_files.
#pragma once

#include "support/text.hpp"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace support {

/// Where data are looked for: in the directory that the environment variable GAL_DATA_DIR names, then in the one that
/// comes with the examples, whose path the build compiles in, or the variable GAL_EXAMPLE_DATA_DIR gives.
inline std::vector<std::filesystem::path> data_directories() {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  std::vector<std::filesystem::path> result;
  if (const std::string own = variable("GAL_DATA_DIR"); !own.empty()) {
    result.emplace_back(own);
  }
  const std::string examples = variable("GAL_EXAMPLE_DATA_DIR");
  result.emplace_back(examples.empty() ? GAL_EXAMPLE_DATA_DIR : examples);
  return result;
}

/// Path of a file of data; none where it is in none of `data_directories()`.
inline std::optional<std::string> data_file(const std::string& name) {
  for (const std::filesystem::path& directory : data_directories()) {
    if (std::filesystem::exists(directory / name)) {
      return (directory / name).string();
    }
  }
  return std::nullopt;
}

/// For messages: where the file was looked for in vain.
inline std::string no_data_file(const std::string& name) {
  std::string places;
  for (const std::filesystem::path& directory : data_directories()) {
    places += (places.empty() ? "" : ", nor in ") + directory.string();
  }
  return "no " + name + " in " + places;
}

/// Paths of the images and the labels of Fashion-MNIST's part `train` or `t10k`, IDX files in gzip: where other data are, or
/// where Debian's package puts them. Throws `gal::error`, which names the package, where there are none.
inline std::pair<std::string, std::string> fashion_mnist_files(const std::string& part) {
  const auto find = [](const std::string& name) {
    const std::filesystem::path packaged = "/usr/share/datasets/fashion-mnist/" + name;
    const std::optional<std::string> file =
        std::filesystem::exists(packaged) ? packaged.string() : data_file(name);
    require(file.has_value(), gal::error_code::unreadable_file, no_data_file(name), ", nor in ",
            packaged.parent_path().string(), "; on Debian: apt-get install dataset-fashion-mnist");
    return *file;
  };
  return {find(part + "-images-idx3-ubyte.gz"), find(part + "-labels-idx1-ubyte.gz")};
}

}  // namespace support

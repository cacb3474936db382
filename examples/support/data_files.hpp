// support/data_files.hpp: where the examples' data are.
// Provides: data_directories, data_file, no_data_file.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
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

}  // namespace support

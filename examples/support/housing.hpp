// support/housing.hpp: where the examples' data are, and the features of the California housing data.
// Provides: data_directories, data_file, no_data_file, california_features.
#pragma once

#include "support/text.hpp"

#include <gal/csv.hpp>
#include <gal/error.hpp>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
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

/// The eight features of scikit-learn's `fetch_california_housing`, in its order, and its target, in 100,000 dollars,
/// from the raw columns of `california.csv`. Throws `gal::error` for a missing column and a block group without
/// households; `source` names the file in messages.
inline gal::table california_features(const gal::table& raw, const std::string& source) {
  const gal::index longitude = raw.column_index("longitude");
  const gal::index latitude = raw.column_index("latitude");
  const gal::index age = raw.column_index("housing_median_age");
  const gal::index rooms = raw.column_index("total_rooms");
  const gal::index bedrooms = raw.column_index("total_bedrooms");
  const gal::index population = raw.column_index("population");
  const gal::index households = raw.column_index("households");
  const gal::index income = raw.column_index("median_income");
  const gal::index value = raw.column_index("median_house_value");

  gal::table result{.names = {"MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup",
                              "Latitude", "Longitude", "MedHouseVal"},
                    .values = {}};
  for (gal::index i = 0; i < raw.rows(); ++i) {
    const double count = raw(i, households);
    require(count > 0.0, gal::error_code::malformed_data, source, ", row ", i + 1, ": ", count,
            " households; expected a positive number");
    result.values.insert(
        result.values.end(),
        {raw(i, income), raw(i, age), raw(i, rooms) / count, raw(i, bedrooms) / count, raw(i, population),
         raw(i, population) / count, raw(i, latitude), raw(i, longitude), raw(i, value) / 100'000.0});
  }
  return result;
}

}  // namespace support

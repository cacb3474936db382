// support/housing.hpp: the features of the California housing data.
// Provides: california_features.
#pragma once

#include "support/text.hpp"

#include <gal/core/error.hpp>
#include <gal/data/csv.hpp>

#include <string>

namespace support {

/// The eight features of scikit-learn's `fetch_california_housing`, in its order, and its target, in 100,000 dollars,
/// from the raw columns of `california.csv`. Throws `gal::error` for a missing column and a block group without
/// households; `source` names the file in messages.
inline gal::table california_features(const gal::table& raw, const std::string& source) {
  const gal::index_type longitude = raw.column_index("longitude");
  const gal::index_type latitude = raw.column_index("latitude");
  const gal::index_type age = raw.column_index("housing_median_age");
  const gal::index_type rooms = raw.column_index("total_rooms");
  const gal::index_type bedrooms = raw.column_index("total_bedrooms");
  const gal::index_type population = raw.column_index("population");
  const gal::index_type households = raw.column_index("households");
  const gal::index_type income = raw.column_index("median_income");
  const gal::index_type value = raw.column_index("median_house_value");

  gal::table result{.names = {"MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup",
                              "Latitude", "Longitude", "MedHouseVal"},
                    .values = {}};
  for (gal::index_type i = 0; i < raw.rows(); ++i) {
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

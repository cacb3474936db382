// What the examples share: output files, where data are looked for, California's features, the surfaces.
#include "support/console.hpp"
#include "support/data_files.hpp"
#include "support/files.hpp"
#include "support/housing.hpp"
#include "support/run_record.hpp"
#include "support/surfaces.hpp"

#include <gal/backends/eigen.hpp>
#include <gal/data/csv.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/loss/sample_loss.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/nn/point.hpp>
#include <gal/taylor/check_gradients.hpp>

#include "other_locale.hpp"

#include <doctest/doctest.h>

#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

// An empty directory that goes with the object.
struct scratch {
  fs::path path = fs::temp_directory_path() / support::text("gal_support_test_", ::getpid());
  scratch() { fs::create_directory(path); }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() { fs::remove_all(path); }

  [[nodiscard]] std::ptrdiff_t entries() const {
    return std::distance(fs::directory_iterator(path), fs::directory_iterator());
  }
};

template <class Call>
std::string refusal(Call call, gal::error_code code = gal::error_code::unreadable_file) {
  try {
    call();
  } catch (const gal::error& e) {
    CHECK(e.code() == code);
    return e.what();
  }
  return "not refused";
}

// Sets a variable of the environment, and what it was again in the end.
struct variable {
  const char* name;
  std::string before = ::getenv(name) == nullptr ? "" : ::getenv(name);
  variable(const char* of_name, const fs::path& path) : name(of_name) { ::setenv(name, path.c_str(), 1); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;
  ~variable() { ::setenv(name, before.c_str(), 1); }
};

}  // namespace

TEST_CASE("files and tables have the same numbers in every locale, and files have them exactly") {
  const auto written = [] {
    std::string row;
    support::append_csv_row(row, 1234567, std::array{1.0 / 3.0, 1234567.5, std::nan("")});
    return std::array{row, support::fixed(1234567.5, 2), support::scientific(0.125, 1),
                      support::text(1234567, " ", 0.33333349)};
  };
  const auto plain = written();
  CHECK(plain[0] == "1234567,0.3333333333333333,1234567.5,\n");
  CHECK(plain[1] == "1234567.50");
  CHECK(plain[2] == "1.2e-01");
  CHECK(plain[3] == "1234567 0.33333349");
  const other_locale locale;
  CHECK(written() == plain);
}

TEST_CASE("a file that cannot get its name leaves nothing behind") {
  const scratch here;
  fs::create_directory(here.path / "taken");
  CHECK(refusal([&] {
          support::write_file(here.path / "taken", "text");
        }).starts_with("gal::replace_file: cannot write " + (here.path / "taken").string() + ": "));
  CHECK(here.entries() == 1);
  support::write_file(here.path / "deep" / "free", "text");
  CHECK(fs::file_size(here.path / "deep" / "free") == 4);
}

TEST_CASE("output is tried without a trace but its directories") {
  const scratch here;
  support::prepare_output("", "");
  support::prepare_output(here.path / "out", here.path / "json" / "all.json");
  CHECK(here.entries() == 2);
  CHECK(fs::is_empty(here.path / "out"));
  CHECK(fs::is_empty(here.path / "json"));

  support::write_file(here.path / "file", "old");
  support::prepare_output("", here.path / "file");
  CHECK(fs::file_size(here.path / "file") == 3);
  CHECK(refusal([&] {
          support::prepare_output(here.path / "file", "");
        }).starts_with("cannot create directory " + (here.path / "file").string()));
  CHECK(refusal([&] {
          support::prepare_output("", here.path / "file" / "x.json");
        }).starts_with("cannot create directory " + (here.path / "file").string()));
  CHECK(refusal([&] { support::prepare_output("", here.path / "out"); }) ==
        "cannot write " + (here.path / "out").string() + ": it is a directory");
}

TEST_CASE("data are looked for in GAL_DATA_DIR, then in the directory of the examples") {
  const scratch here;
  const std::string examples = GAL_EXAMPLE_DATA_DIR;
  const variable built("GAL_EXAMPLE_DATA_DIR", "");
  {
    const variable none("GAL_DATA_DIR", "");
    CHECK(support::data_file("boston.csv") == examples + "/boston.csv");
    CHECK(support::no_data_file("x.csv") == "no x.csv in " + examples);
  }
  const variable set("GAL_DATA_DIR", here.path);
  CHECK(support::data_file("boston.csv") == examples + "/boston.csv");
  CHECK_FALSE(support::data_file("x.csv").has_value());
  CHECK(support::no_data_file("x.csv") == "no x.csv in " + here.path.string() + ", nor in " + examples);
  support::write_file(here.path / "boston.csv", "x,y\n");
  CHECK(support::data_file("boston.csv") == (here.path / "boston.csv").string());
  const variable moved("GAL_EXAMPLE_DATA_DIR", here.path / "elsewhere");
  CHECK(support::no_data_file("x.csv") ==
        "no x.csv in " + here.path.string() + ", nor in " + (here.path / "elsewhere").string());
  CHECK_FALSE(support::data_file("diabetes.csv").has_value());
}

TEST_CASE("California's features are those of scikit-learn") {
  const gal::table raw{
      .names = {"longitude", "latitude", "housing_median_age", "total_rooms", "total_bedrooms", "population",
                "households", "median_income", "median_house_value"},
      .values = {-122.23, 37.88, 41, 880, 129, 322, 126, 8.3252, 452600,  //
                 -121.24, 39.37, 16, 2785, 616, 1387, 530, 2.3886, 89400}};
  const gal::table table = support::california_features(raw, "file.csv");
  CHECK(table.names == std::vector<std::string>{"MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population",
                                                "AveOccup", "Latitude", "Longitude", "MedHouseVal"});
  // The first and the last row of fetch_california_housing().
  const double expected[2][9] = {
      {8.3252, 41.0, 6.984126984126984, 1.0238095238095237, 322.0, 2.5555555555555554, 37.88, -122.23, 4.526},
      {2.3886, 16.0, 5.254716981132075, 1.1622641509433962, 1387.0, 2.616981132075472, 39.37, -121.24,
       0.894}};
  REQUIRE(table.rows() == 2);
  for (gal::index_type i = 0; i < 2; ++i) {
    for (gal::index_type j = 0; j < 9; ++j) {
      CHECK(table(i, j) == doctest::Approx(expected[i][j]).epsilon(1e-14));
    }
  }
}

TEST_CASE("a block group without households, and a missing column, are named") {
  gal::table raw{.names = {"longitude", "latitude", "housing_median_age", "total_rooms", "total_bedrooms",
                           "population", "households", "median_income", "median_house_value"},
                 .values = {-122.23, 37.88, 41, 880, 129, 322, 0, 8.3252, 452600}};
  const auto features = [&] { support::california_features(raw, "file.csv"); };
  CHECK(refusal(features, gal::error_code::malformed_data) ==
        "file.csv, row 1: 0 households; expected a positive number");
  raw.names[6] = "houses";
  CHECK(refusal(features, gal::error_code::invalid_option).find("\"households\"") != std::string::npos);
}

TEST_CASE("a run's record says of which library, build and machine its numbers are") {
  std::map<std::string, std::string> record;
  for (const auto& [name, value] : support::dated_run_record()) {
    CHECK(!value.empty());
    CHECK(record.emplace(name, value).second);
  }
  for (const char* const name :
       {"library", "build_type", "compiler", "processor", "hardware_threads", "system", "date"}) {
    CAPTURE(name);
    CHECK(record.contains(name));
  }
  CHECK(record["build_type"] == GAL_EXAMPLE_BUILD_TYPE);
  CHECK(record["date"].size() == 10);
  // Where the project is a checkout: its commit, which is a number of forty digits.
  if (std::filesystem::exists(GAL_EXAMPLE_SOURCE_DIR "/.git")) {
    CHECK(record["commit"].find_first_not_of("0123456789abcdef") >= 40);
    CHECK(record["commit"].size() >= 40);
  }
}

TEST_CASE("the surfaces have the gradients of their heights, and their minima where they say") {
  for (const support::surface& ground : support::surfaces) {
    CAPTURE(ground.name);
    const gal::sample_loss height(ground.value);
    gal::matrix<double> places(2, 9);
    for (gal::index_type j = 0; j < places.columns(); ++j) {
      const double across = static_cast<double>(j % 3) / 2.0;
      const double up = static_cast<double>(j / 3) / 2.0;
      places(0, j) = ground.x_range[0] + across * (ground.x_range[1] - ground.x_range[0]);
      places(1, j) = ground.y_range[0] + up * (ground.y_range[1] - ground.y_range[0]);
    }
    places.view().column(0)[0] = ground.start[0];
    places.view().column(0)[1] = ground.start[1];
    gal::nn::point<double> point(places.view());
    const gal::gradient_check check = gal::check_gradients(point, height);
    CAPTURE(check.where);
    CHECK(check.passed);

    std::array<double, 2> gradient{};
    CHECK(ground.value(ground.start, gradient) > ground.goal);
    const double lowest = ground.value(ground.minima[0], gradient);
    CHECK(lowest < ground.goal);
    for (const support::point& minimum : ground.minima) {
      CHECK(ground.value(minimum, gradient) == doctest::Approx(lowest).epsilon(1e-6));
      CHECK(std::hypot(gradient[0], gradient[1]) < 1e-3);
    }
  }
}

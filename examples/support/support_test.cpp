// What the examples share: comparisons, output files, where data are looked for, California's features, the surfaces.
#include "support/comparison.hpp"
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

// Two epochs of two seeds; numbers that are told apart.
support::comparison<> two_seeds() {
  const auto run = [](double start) {
    return support::training_run{
        .epochs = {{start, 0.5, 0.25, 1.0, 10 * start}, {start + 1, 0.5, 0.25, 0.5, 20 * start}}, .steps = 6};
  };
  return {.name = "task",
          .title = "A task",
          .measures = {{.name = "score", .title = "score", .larger_is_better = true}},
          .runs = {{{run(1), run(2)}, {run(3), run(6)}}}};
}

}  // namespace

TEST_CASE("a comparison's numbers are those of its runs") {
  support::comparison<> c = two_seeds();
  CHECK(support::by_seed(c, support::vanilla, 0) == std::vector<double>{20, 40});
  CHECK(support::by_seed(c, support::adjusted, 0) == std::vector<double>{60, 120});
  CHECK(support::mean_curve(c, support::adjusted)[1] == std::vector<double>{5.5, 0.5, 0.25, 0.5, 90});
  CHECK(support::accepted_share(c) == 0.75);
  CHECK(support::total(c, support::vanilla, &support::training_run::steps) == 12);
  CHECK(support::p_value(c, 0) ==
        doctest::Approx(0.2048327646991335).epsilon(1e-9));  // differences 40 and 80, t = 3
  CHECK(support::curves_csv(c) ==
        "epoch,vanilla_training_loss,vanilla_score,"
        "gal_training_loss,gal_remainder,gal_cosine,gal_accepted_share,gal_score\n"
        "1,1.5,15,4.5,0.5,0.25,1,45\n"
        "2,2.5,30,5.5,0.5,0.25,0.5,90\n");
  const support::json numbers = support::to_json(c);
  CHECK(numbers["gal"]["summary"]["score"]["mean"] == 90.0);
  CHECK(numbers["vanilla"]["runs"][1]["score"] == 40.0);
  CHECK(numbers["vanilla"]["mean_curve"]["training_loss"][1] == 2.5);
  CHECK_FALSE(numbers["vanilla"]["mean_curve"].contains("remainder"));
  CHECK(numbers["gal"]["mean_curve"]["remainder"][1] == 0.5);
  const std::string script = support::script_head(c);
  CHECK(script.find("title = 'A task, mean of 2 seeds'") != std::string::npos);
  CHECK(script.find("gal_score = 8\n") != std::string::npos);

  CHECK(support::drawable(c));
  for (auto& runs : c.runs) {
    for (auto& run : runs) {
      for (auto& row : run.epochs) {
        row[0] = std::numeric_limits<double>::quiet_NaN();
      }
    }
  }
  CHECK_FALSE(support::drawable(c));
  c.runs[support::adjusted][0].epochs[1][4] = std::numeric_limits<double>::infinity();
  CHECK_FALSE(support::p_value(c, 0).has_value());
  // A run that left the range of numbers is in the range of the runs, wherever it stands.
  CHECK(support::curve_of(c, support::vanilla, 4).low[1] == 20.0);
  CHECK(support::curve_of(c, support::vanilla, 4).high[1] == 40.0);
  for (const std::size_t seed : {0U, 1U}) {
    for (const double bad :
         {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
      c = two_seeds();
      c.runs[support::adjusted][seed].epochs[1][4] = bad;
      CHECK(std::isnan(support::range_of(support::by_seed(c, support::adjusted, 0))[1]));
      CHECK(std::isnan(support::curve_of(c, support::adjusted, 4).low[1]));
      CHECK(std::isnan(support::curve_of(c, support::adjusted, 4).high[1]));
    }
  }
  c = two_seeds();
  for (auto& runs : c.runs) {
    runs.pop_back();
  }
  CHECK_FALSE(support::p_value(c, 0).has_value());
  CHECK_FALSE(support::deviation_of(support::by_seed(c, support::vanilla, 0)).has_value());
}

TEST_CASE("files and tables have the same numbers in every locale, and files have them exactly") {
  const auto written = [] {
    std::string row;
    support::append_csv_row(row, 1234567, std::array{1.0 / 3.0, 1234567.5, std::nan("")});
    return std::array{row, support::fixed(1234567.5, 2), support::scientific(0.125, 1),
                      support::text(1234567, " ", 0.33333349), support::curves_csv(two_seeds())};
  };
  const auto plain = written();
  CHECK(plain[0] == "1234567,0.3333333333333333,1234567.5,\n");
  CHECK(plain[1] == "1234567.50");
  CHECK(plain[2] == "1.2e-01");
  CHECK(plain[3] == "1234567 0.33333349");
  const other_locale locale;
  CHECK(written() == plain);
}

TEST_CASE("an epoch's numbers are means over its samples and steps, and both methods share their seeds") {
  const gal::matrix<float> x(2, 10, 1.0f);
  const gal::matrix<float> y(1, 10, 2.0f);
  support::comparison_settings s;
  s.seeds = 2;
  s.epochs = 3;
  std::array<std::vector<std::uint64_t>, 2> seeds{};
  s.threads = 1;
  const auto c = support::compare(
      "task", "A task", {{.name = "first", .title = "first"}}, s,
      [&](std::size_t method, std::uint64_t seed, support::progress_bar& progress) {
        seeds[method].push_back(seed);
        gal::nn::mlp<float> model({2, 1}, {.seed = seed});
        gal::sgd<float> optimizer({.learning_rate = 0.0});
        gal::batches batches(x, y, 4, seed);  // 4, 4 and 2 samples
        const std::array options = {support::maybe_adjusted(), support::maybe_adjusted(gal::recommended())};
        return support::with_trainer(model, optimizer, gal::mse(), options[method], [&](auto& trainer) {
          return support::train(
              trainer, batches, s.epochs, [](auto part) { return part; },
              [&](auto& trained) { return std::array{static_cast<double>(trained.forward(x)(0, 0))}; },
              progress);
        });
      });
  CHECK(seeds[support::vanilla] == std::vector<std::uint64_t>{1, 2});
  CHECK(seeds[support::adjusted] == seeds[support::vanilla]);
  for (const support::training_run& run : c.runs[support::adjusted]) {
    CHECK(run.steps == 9);
    REQUIRE(run.epochs.size() == 3);
    const double error = run.epochs[2][4] - 2.0;
    CHECK(run.epochs[2][0] == doctest::Approx(error * error));
    CHECK(run.epochs[2][3] <= 1.0);
  }
  for (std::size_t seed = 0; seed < 2;
       ++seed) {  // a learning rate of 0: the same losses, whatever the gradients
    const std::vector<double>& plain = c.runs[support::vanilla][seed].epochs[2];
    CHECK(plain[0] == c.runs[support::adjusted][seed].epochs[2][0]);
    CHECK(std::isnan(plain[1]));
    CHECK(std::isnan(plain[3]));
  }
  CHECK(support::drawable(c));
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

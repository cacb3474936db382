// What the examples share: output files and where data are looked for.
#include "support/files.hpp"
#include "support/housing.hpp"

#include <doctest/doctest.h>

#include <stdlib.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>

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
std::string refusal(Call call) {
  try {
    call();
  } catch (const gal::error& e) {
    CHECK(e.code() == gal::error_code::unreadable_file);
    return e.what();
  }
  return "not refused";
}

// Sets GAL_DATA_DIR, and what it was again in the end.
struct data_dir {
  std::string before = ::getenv("GAL_DATA_DIR") == nullptr ? "" : ::getenv("GAL_DATA_DIR");
  explicit data_dir(const fs::path& path) { ::setenv("GAL_DATA_DIR", path.c_str(), 1); }
  data_dir(const data_dir&) = delete;
  data_dir& operator=(const data_dir&) = delete;
  ~data_dir() { ::setenv("GAL_DATA_DIR", before.c_str(), 1); }
};

}  // namespace

TEST_CASE("a file that cannot get its name leaves nothing behind") {
  const scratch here;
  fs::create_directory(here.path / "taken");
  CHECK(refusal([&] {
          support::write_file(here.path / "taken", "text");
        }).starts_with("cannot write " + (here.path / "taken").string() + ": "));
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
  {
    const data_dir none("");
    CHECK(support::data_file("boston.csv") == examples + "/boston.csv");
    CHECK(support::no_data_file("x.csv") == "no x.csv in " + examples);
  }
  const data_dir set(here.path);
  CHECK(support::data_file("boston.csv") == examples + "/boston.csv");
  CHECK_FALSE(support::data_file("x.csv").has_value());
  CHECK(support::no_data_file("x.csv") == "no x.csv in " + here.path.string() + ", nor in " + examples);
  support::write_file(here.path / "boston.csv", "x,y\n");
  CHECK(support::data_file("boston.csv") == (here.path / "boston.csv").string());
}

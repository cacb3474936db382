// support/run_record.hpp: where the numbers of a run come from, for the files and pages that hold them.
// Provides: build_commit, build_type, build_flags, run_record, dated_run_record, add_run_record.
#pragma once

#include <gal/io/machine.hpp>

#include <ctime>
#include <string>
#include <utility>
#include <vector>

namespace support {

/// Of the build, by cmake/gal_build_record.cmake: the commit of the checkout, "COMMIT with changes" where tracked files
/// differ from it, empty where there is no checkout; the build type; the flags of all of the build's programs.
extern const char* const build_commit;
extern const char* const build_type;
extern const char* const build_flags;

/// `gal::machine_record` and the build, as pairs of name and value; what is not known is left out.
[[nodiscard]] inline std::vector<std::pair<std::string, std::string>> run_record() {
  auto result = gal::machine_record();
  const std::pair<const char*, const char*> build[] = {
      {"commit", build_commit}, {"build_type", build_type}, {"flags", build_flags}};
  auto place = result.begin() + 1;  // behind the library
  for (const auto& [name, value] : build) {
    if (*value != '\0') {
      place = result.emplace(place, name, value) + 1;
    }
  }
  return result;
}

/// `run_record` with the day, in UTC.
[[nodiscard]] inline std::vector<std::pair<std::string, std::string>> dated_run_record() {
  auto result = run_record();
  const std::time_t now = std::time(nullptr);
  char date[16] = "";
  std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&now));
  result.emplace_back("date", date);
  return result;
}

/// `dated_run_record` as members of the JSON object `object`.
template <class Json>
void add_run_record(Json& object) {
  for (auto& [name, value] : dated_run_record()) {
    object[name] = value;
  }
}

}  // namespace support

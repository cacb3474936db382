// support/program.hpp: what every program with a command line does.
// Provides: json, add_count, add_choice, add_positive, add_path, prepare_outputs, write_json, run_program.
#pragma once

#include "support/command_line.hpp"
#include "support/files.hpp"
#include "support/run_record.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <exception>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

using json = nlohmann::ordered_json;  // NaN and infinity become null

/// An option that takes a count from 1 to `most`.
inline void add_count(CLI::App& app, const char* name, int& value, const char* what, int most = 1'000'000) {
  app.add_option(name, value, what)->check(CLI::Range(1, most))->capture_default_str();
}

/// An option that takes one of some words.
inline void add_choice(CLI::App& app, const char* name, std::string& value, const char* what,
                       std::vector<std::string> words) {
  app.add_option(name, value, what)->check(CLI::IsMember(std::move(words)))->capture_default_str();
}

/// An option that takes a positive number.
inline void add_positive(CLI::App& app, const char* name, double& value, const char* what) {
  app.add_option(name, value, what)->check(positive_number)->capture_default_str();
}

/// An option that takes the name of a file or of a directory.
inline void add_path(CLI::App& app, const char* name, std::string& value, const char* what) {
  app.add_option(name, value, what)->check(no_name);
}

/// Before the work: that a directory and files can be written; an empty name is none. Throws `gal::error`.
inline void prepare_outputs(const std::string& directory, std::initializer_list<std::string> files) {
  prepare_output(directory, {});
  for (const std::string& file : files) {
    prepare_output({}, file);
  }
}

/// The file of `--json`, where it is asked for: the program's name, its `numbers`, and `run`, to which library, build, machine
/// and day are added. All but `run` should be the same again.
inline void write_json(const std::string& file, std::string_view program, const json& numbers,
                       json run = json::object()) {
  if (file.empty()) {
    return;
  }
  json result{{"program", program}};
  result.update(numbers);
  add_run_record(run);
  result["run"] = std::move(run);
  write_file(file, result.dump(2) + "\n");
}

/// The exit code of a program that runs `body`: 1 where it throws, with the message on stderr.
template <class Body>
int run_program(const char* name, Body body) {
  try {
    body();
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s: %s\n", name, failure.what());
    return 1;
  }
  return 0;
}

}  // namespace support

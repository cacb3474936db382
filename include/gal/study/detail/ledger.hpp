// gal/study/detail/ledger.hpp: finished runs, a line of JSON each, in a file that only grows (POSIX). Includes
// nlohmann-json.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/text.hpp>
#include <gal/io/files.hpp>
#include <gal/study/comparison_result.hpp>

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::detail {

using json = nlohmann::ordered_json;

// Numbers of JSON read back exactly; NaN is null.
inline double number_of(const json& value) { return value.is_null() ? measures::none : value.get<double>(); }

inline std::string line_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

inline constexpr std::string_view ledger_layout = "gal::compare 2";

// What the runs of a comparison depend on, as far as the options say it. The other options may change.
inline json fingerprint(const std::vector<method>& methods, const compare_options& o) {
  json names = json::array();
  json settings = json::array();
  for (const method& m : methods) {
    names.push_back(m.name);
    settings.push_back(m.settings.empty() ? std::vector<double>() : settings_or_none(m));
  }
  return {{"ledger", ledger_layout},
          {"title", o.title},
          {"methods", names},
          {"settings", settings},
          {"baseline", o.baseline},
          {"larger_is_better", o.larger_is_better},
          {"learning_rates", o.learning_rates},
          {"budget", o.budget},
          {"first_seed", o.first_seed},
          {"tuning_seeds", o.tuning_seeds},
          {"verdict_seeds", o.verdict_seeds},
          {"equal_time", o.equal_time}};
}

inline json to_json(const comparison_run& run) {
  json result{{"method", run.method},
              {"purpose", to_string(run.trial.purpose)},
              {"learning_rate", run.trial.learning_rate},
              {"setting", run.trial.setting},
              {"budget", run.trial.budget},
              {"seed", run.trial.seed},
              {"validation", run.result.validation},
              {"test", run.result.test},
              {"steps", run.result.steps},
              {"seconds", run.result.seconds}};
  for (const auto& [name, value] : run.result.further) {
    result["further"][name] = value;
  }
  if (!run.failure.empty()) {
    result["failure"] = run.failure;
  }
  return result;
}

// Nothing for a line that is no run.
inline std::optional<comparison_run> run_of(const std::string& line) {
  try {
    const json run = json::parse(line);
    measures result{.validation = number_of(run.at("validation")),
                    .test = number_of(run.at("test")),
                    .steps = run.at("steps").get<std::int64_t>(),
                    .seconds = number_of(run.at("seconds"))};
    const json further = run.value("further", json::object());
    for (const auto& [name, value] : further.items()) {
      result.further.emplace_back(name, number_of(value));
    }
    return comparison_run{.method = run.at("method").get<std::string>(),
                          .trial = {.seed = run.at("seed").get<std::uint64_t>(),
                                    .learning_rate = run.at("learning_rate").get<double>(),
                                    .budget = run.at("budget").get<std::int64_t>(),
                                    .purpose = run.at("purpose") == "choosing" ? trial_purpose::choosing
                                                                               : trial_purpose::verdict,
                                    .setting = number_of(run.at("setting"))},
                          .result = std::move(result),
                          .failure = run.value("failure", "")};
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

// The file is locked for as long as this lives, so that two processes do not make the same runs.
class ledger {
 public:
  // Opens the file, or begins one, and reads its runs. What a killed process left of its last line is cut off.
  ledger(const std::string& path, const json& header)
      : path_(path), file_(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
    if (!file_.valid()) {
      fail("cannot write");
    }
    require(::flock(file_.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK, error_code::unreadable_file,
            "gal::compare: the ledger ", path_, " is in use by another process");
    const std::string contents = read();
    const std::string first = line_of(header);
    const std::size_t end = contents.find('\n');
    if (end == std::string::npos) {
      require(first.starts_with(contents), error_code::malformed_data, "gal::compare: ", path_,
              " is no ledger of a comparison; expected one, or a file that is not there yet");
      cut(0);
      append(first);
      return;
    }
    check_header(contents.substr(0, end), json::parse(first));
    read_runs(contents, end + 1);
  }

  [[nodiscard]] const std::vector<comparison_run>& runs() const { return runs_; }

  void add(const comparison_run& run) { append(line_of(to_json(run))); }

 private:
  void fail(std::string_view what) const {
    throw error(error_code::unreadable_file, text("gal::compare: ", what, " the ledger ", path_, ": ",
                                                  std::generic_category().message(errno)));
  }

  [[nodiscard]] std::string read() const {
    std::string contents;
    char buffer[65536];
    for (;;) {
      const ::ssize_t count =
          ::pread(file_.get(), buffer, sizeof buffer, static_cast<::off_t>(contents.size()));
      if (count < 0) {
        fail("cannot read");
      }
      if (count <= 0) {
        return contents;
      }
      contents.append(buffer, static_cast<std::size_t>(count));
    }
  }

  void cut(std::size_t size) const {
    if (::ftruncate(file_.get(), static_cast<::off_t>(size)) != 0) {
      fail("cannot write");
    }
  }

  void append(const std::string& line) const {
    if (!write_all(file_.get(), line)) {
      fail("cannot write");
    }
  }

  void check_header(const std::string& line, const json& expected) const {
    const json found = json::parse(line, nullptr, false);
    require(found.is_object() && found.contains("ledger"), error_code::malformed_data,
            "gal::compare: ", path_,
            " is no ledger of a comparison; expected one, or a file that is not there yet");
    require(found.at("ledger") == ledger_layout, error_code::malformed_data, "gal::compare: the ledger ",
            path_, " has the layout ", found.at("ledger").dump(),
            ", as another version of the library wrote it, and not \"", ledger_layout,
            "\"; expected a file that is not there yet");
    for (const auto& [name, value] : expected.items()) {
      require(found.contains(name) && found.at(name) == value, error_code::shape_mismatch,
              "gal::compare: the ledger ", path_, " is of another comparison: its ", name, " is ",
              found.contains(name) ? found.at(name).dump() : "missing", ", and this one's ", value.dump(),
              "; expected a ledger of its own");
    }
  }

  void read_runs(const std::string& contents, std::size_t begin) {
    for (std::size_t number = 2; begin < contents.size(); ++number) {
      const std::size_t end = contents.find('\n', begin);
      const bool is_last = end == std::string::npos || end + 1 == contents.size();
      const auto run = end == std::string::npos ? std::nullopt : run_of(contents.substr(begin, end - begin));
      require(run || is_last, error_code::malformed_data, "gal::compare: line ", number, " of the ledger ",
              path_, " is no run; expected one a line, of which only the last may be torn");
      if (!run) {
        cut(begin);
        return;
      }
      runs_.push_back(*run);
      begin = end + 1;
    }
  }

  std::string path_;
  descriptor file_;
  std::vector<comparison_run> runs_;
};

}  // namespace gal::detail

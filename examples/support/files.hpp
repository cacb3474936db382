// support/files.hpp: output files that are there completely or not at all.
// Provides: write_file, prepare_output, no_name, temporary_suffix, remove_temporary, try_to_write, append_csv_row.
#pragma once

#include "support/text.hpp"

#include <gal/core/error.hpp>
#include <gal/io/files.hpp>

#include <unistd.h>

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

namespace support {

/// Creates a directory and those above it. Throws `gal::error` where that fails.
inline void make_directories(const std::filesystem::path& directory) {
  std::error_code status;
  std::filesystem::create_directories(directory, status);
  require(!status, gal::error_code::unreadable_file, "cannot create directory ", directory.string(), ": ",
          status.message());
}

/// What a file is called beyond its name while it is being written: another for every process.
inline std::string temporary_suffix() { return text(".", ::getpid(), ".part"); }

/// Removes what was written under the temporary name of `path`.
inline void remove_temporary(const std::filesystem::path& path) {
  std::error_code ignored;
  std::filesystem::remove(path.string() + temporary_suffix(), ignored);
}

/// Tries to write under the temporary name of `path`, in directories that are made where they are missing, and leaves
/// nothing. Throws `gal::error` where that fails.
inline void try_to_write(const std::filesystem::path& path) {
  if (path.has_parent_path()) {
    make_directories(path.parent_path());
  }
  const std::filesystem::path target = gal::detail::followed(path.string()).value_or(path.string());
  const bool written = std::ofstream(target.string() + temporary_suffix(), std::ios::binary).is_open();
  remove_temporary(target);
  require(written, gal::error_code::unreadable_file, "cannot write ", path.string());
}

/// Writes a file, and the directories above it where they are missing. Throws `gal::error` where that fails, with the
/// file as it was before.
inline void write_file(const std::filesystem::path& path, std::string_view contents) {
  if (path.has_parent_path()) {
    make_directories(path.parent_path());
  }
  gal::replace_file(path.string(), {contents});
}

/// Before work whose results go to `file` and into `directory` (empty: nowhere): creates the directories and tries to
/// write. Throws `gal::error` where that fails, so that the work is not lost.
inline void prepare_output(const std::filesystem::path& directory, const std::filesystem::path& file) {
  if (!directory.empty()) {
    make_directories(directory);
    try_to_write(directory / "output");
  }
  if (!file.empty()) {
    require(!std::filesystem::is_directory(file), gal::error_code::unreadable_file, "cannot write ",
            file.string(), ": it is a directory");
    try_to_write(file);
  }
}

/// For the command line: the message where the name of a file or directory is empty.
inline std::string no_name(const std::string& path) {
  return path.empty() ? "an empty name; expected a path" : "";
}

/// Appends a row of a CSV file: a count, then numbers, which read back exactly; an empty field for NaN and infinity.
template <class Numbers>
void append_csv_row(std::string& text, std::size_t count, const Numbers& numbers) {
  text += support::text(count);
  for (const double number : numbers) {
    text += support::text(",", std::isfinite(number) ? support::text(number) : "");
  }
  text += '\n';
}

}  // namespace support

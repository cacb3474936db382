// support/files.hpp: output files that are there completely or not at all.
// Provides: write_file, temporary_suffix, move_into_place, make_directories, append_csv_row.
#pragma once

#include <gal/error.hpp>

#include <unistd.h>

#include <cmath>
#include <cstddef>
#include <cstdio>
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
  gal::detail::require(!status, gal::error_code::unreadable_file, "cannot create directory ",
                       directory.string(), ": ", status.message());
}

/// What a file is called beyond its name while it is being written: another for every process.
inline std::string temporary_suffix() { return gal::detail::text(".", ::getpid(), ".part"); }

/// Gives `path`, written under its temporary name, its own. Throws `gal::error` where that fails.
inline void move_into_place(const std::filesystem::path& path) {
  std::error_code status;
  std::filesystem::rename(path.string() + temporary_suffix(), path, status);
  gal::detail::require(!status, gal::error_code::unreadable_file, "cannot write ", path.string(), ": ",
                       status.message());
}

/// Writes a file, and the directories above it where they are missing. Throws `gal::error` where that fails, with the
/// file as it was before.
inline void write_file(const std::filesystem::path& path, std::string_view contents) {
  if (path.has_parent_path()) {
    make_directories(path.parent_path());
  }
  const std::string temporary = path.string() + temporary_suffix();
  std::ofstream file(temporary, std::ios::binary);
  file << contents;
  file.close();
  if (!file) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw gal::error(gal::error_code::unreadable_file, "cannot write " + path.string());
  }
  move_into_place(path);
}

/// Appends a row of a CSV file: a count, then numbers; an empty field for NaN and infinity.
template <class Numbers>
void append_csv_row(std::string& text, std::size_t count, const Numbers& numbers) {
  text += std::to_string(count);
  for (const double number : numbers) {
    char field[32] = "";
    if (std::isfinite(number)) {
      std::snprintf(field, sizeof field, "%.10g", number);
    }
    text += ',';
    text += field;
  }
  text += '\n';
}

}  // namespace support

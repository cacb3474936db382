// gal/io/files.hpp: files that are there completely or not at all (POSIX).
// Provides: replace_file.
#pragma once

#include <gal/core/error.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace gal {

namespace detail {

// A file descriptor that is closed at the end.
class descriptor {
 public:
  explicit descriptor(int number) : number_(number) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }

  [[nodiscard]] bool valid() const { return number_ >= 0; }
  [[nodiscard]] int get() const { return number_; }

  // Closes it now; false where the system reports what a write left behind.
  [[nodiscard]] bool close() { return ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

inline bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ::ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace detail

/// Writes `parts`, one after the other, to a file: under the temporary name `PATH.PROCESS.part`, synchronised with the
/// disk and renamed, so that `path` is the old file or the new one, also where the process or the machine stops. What a
/// killed process leaves under the temporary name may be deleted. Throws `unreadable_file`, with the file as it was.
inline void replace_file(const std::string& path, std::span<const std::string_view> parts) {
  const std::string temporary = detail::text(path, ".", ::getpid(), ".part");
  errno = 0;
  detail::descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  bool written = file.valid();
  for (const std::string_view part : parts) {
    written = written && detail::write_all(file.get(), part);
  }
  written = written && ::fsync(file.get()) == 0;
  written = written && file.close();
  written = written && std::rename(temporary.c_str(), path.c_str()) == 0;
  if (!written) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    throw error(error_code::unreadable_file, detail::text("gal::replace_file: cannot write ", path, ": ",
                                                          std::generic_category().message(reason)));
  }
  // The new name lies in the directory. A file system that cannot synchronise one has done what it can.
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const detail::descriptor folder(::open(directory.c_str(), O_RDONLY | O_CLOEXEC));
  if (folder.valid()) {
    static_cast<void>(::fsync(folder.get()));
  }
}
inline void replace_file(const std::string& path, std::initializer_list<std::string_view> parts) {
  replace_file(path, std::span<const std::string_view>(parts.begin(), parts.size()));
}

}  // namespace gal

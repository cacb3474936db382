// gal/io/files.hpp: files that are there completely or not at all (POSIX).
// Provides: replace_file.
#pragma once

#include <gal/core/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace gal::inline GAL_ABI {

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

// Where a path leads, through all symbolic links; nothing where they lead in a circle. What a link names may be missing.
inline std::optional<std::string> followed(std::string path) {
  constexpr int most_links = 40;  // as Linux
  for (int k = 0; k < most_links; ++k) {
    std::error_code status;
    const std::filesystem::path next = std::filesystem::read_symlink(path, status);
    if (status) {
      return path;  // no link, or nothing that can be read: who opens it learns why
    }
    path = (std::filesystem::path(path).parent_path() / next).string();
  }
  return std::nullopt;
}

// Gives a file the owner and the mode of another, as far as the system allows. Where the group cannot be kept, the group
// gets no more than all others.
inline void keep_owner_and_mode(int file, const struct ::stat& other) {
  ::mode_t mode = other.st_mode & 0777U;
  if (::fchown(file, other.st_uid, other.st_gid) != 0 &&
      ::fchown(file, static_cast<::uid_t>(-1), other.st_gid) != 0) {
    mode = (mode & 0707U) | (mode & 07U) << 3U;
  }
  static_cast<void>(::fchmod(file, mode));
}

}  // namespace detail

/// Writes `parts`, one after the other, to a file: under the temporary name `PATH.PROCESS.part`, synchronised with the
/// disk and renamed, so that `path` is the old file or the new one, also where the process or the machine stops. What a
/// killed process leaves under the temporary name may be deleted.
///
/// A symbolic link stays: the file that it leads to is replaced, or made where it is missing, and the temporary one lies
/// beside that. The new file has the mode of the old one, and its owner and group where the process may give them; one that
/// was not there before has what the umask leaves of 0666. Other hard links keep the old contents.
///
/// Throws `unreadable_file`, with the file as it was, where its directory cannot be written to, and for what is no file: a
/// directory, a device.
inline void replace_file(const std::string& path, std::span<const std::string_view> parts) {
  const std::optional<std::string> target = detail::followed(path);
  const auto fail = [&](const std::string& reason) {
    const bool is_link = target && *target != path;
    throw error(error_code::unreadable_file,
                detail::text("gal::replace_file: cannot write ", path,
                             is_link ? ", a link to " + *target : "", ": ", reason));
  };
  const auto message = [](int reason) { return std::generic_category().message(reason); };
  if (!target) {
    fail(message(ELOOP));
  }
  struct ::stat before {};
  const bool replaces = ::stat(target->c_str(), &before) == 0;
  if (replaces && !S_ISREG(before.st_mode)) {
    fail(S_ISDIR(before.st_mode) ? message(EISDIR) : "it is no regular file");
  }
  const std::string temporary = detail::text(*target, ".", ::getpid(), ".part");
  errno = 0;
  // Nobody else's until it has the mode of the old one.
  detail::descriptor file(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, replaces ? 0600 : 0666));
  bool written = file.valid();
  if (written && replaces) {
    detail::keep_owner_and_mode(file.get(), before);
  }
  for (const std::string_view part : parts) {
    written = written && detail::write_all(file.get(), part);
  }
  written = written && ::fsync(file.get()) == 0;
  written = written && file.close();
  written = written && std::rename(temporary.c_str(), target->c_str()) == 0;
  if (!written) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    fail(message(reason));
  }
  // The new name lies in the directory. A file system that cannot synchronise one has done what it can.
  const std::size_t slash = target->rfind('/');
  const std::string directory = slash == std::string::npos ? "." : target->substr(0, slash + 1);
  const detail::descriptor folder(::open(directory.c_str(), O_RDONLY | O_CLOEXEC));
  if (folder.valid()) {
    static_cast<void>(::fsync(folder.get()));
  }
}
inline void replace_file(const std::string& path, std::initializer_list<std::string_view> parts) {
  replace_file(path, std::span<const std::string_view>(parts.begin(), parts.size()));
}

}  // namespace gal

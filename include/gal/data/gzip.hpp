// gal/data/gzip.hpp: compressed files. The only header that includes zlib: link it (CMake: ZLIB::ZLIB).
// Provides: read_gzip, read_idx_gzip. Includes gal/data/images.hpp.
#pragma once

#include <gal/core/error.hpp>
#include <gal/data/images.hpp>

#include <zlib.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>
#include <system_error>

namespace gal::inline GAL_ABI {

/// The contents of a gzip file, or of any other as they are. Throws `unreadable_file` where it cannot be read, and
/// `malformed_data` where it is damaged or ends too early, with the byte of the contents at which it stops.
[[nodiscard]] inline std::string read_gzip(const std::string& path) {
  errno = 0;
  gzFile file = gzopen(path.c_str(), "rb");
  std::string contents;
  std::string failure;
  bool damaged = false;
  if (file == nullptr) {
    failure = std::generic_category().message(errno);
  } else {
    std::size_t size = 0;
    while (true) {
      contents.resize(size + (std::size_t{1} << 20));
      const int count = gzread(file, contents.data() + size, 1U << 20);
      if (count <= 0) {
        break;
      }
      size += static_cast<std::size_t>(count);
    }
    contents.resize(size);
    int code = Z_OK;
    std::string message = gzerror(file, &code);
    message.erase(0, message.starts_with(path + ": ") ? path.size() + 2 : 0);  // zlib says it as well
    const int closed = gzclose(file);
    if (code == Z_ERRNO) {
      failure = std::generic_category().message(errno);
    } else if (code != Z_OK || closed != Z_OK) {
      failure = message.empty() ? "it ends too early" : message;
      damaged = true;
    }
  }
  detail::require(failure.empty() || damaged, error_code::unreadable_file, "gal::read_gzip: cannot read ",
                  path, ": ", failure);
  detail::require(failure.empty(), error_code::malformed_data, "gal::read_gzip: ", path, ": ", failure,
                  ", after ", contents.size(), " bytes of its contents; expected a complete gzip file");
  return contents;
}

/// `read_idx` of files that may be compressed.
[[nodiscard]] inline image_data read_idx_gzip(const std::string& images, const std::string& labels,
                                              int classes = 10) {
  return parse_idx(read_gzip(images), read_gzip(labels), classes, images, labels);
}

}  // namespace gal

// gal/data/gzip.hpp: compressed files. The only header that includes zlib: link it (CMake: ZLIB::ZLIB).
// Provides: read_gzip, read_idx_gzip, image_parts, read_image_folder. Includes gal/data/images.hpp.
#pragma once

#include <gal/core/error.hpp>
#include <gal/data/images.hpp>

#include <zlib.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
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
  const std::string pixels = read_gzip(images);  // whose failure is said first
  return parse_idx(pixels, read_gzip(labels), classes, images, labels);
}

/// Images of one size for training and for testing.
struct image_parts {
  image_data train, test;
};

/// What a folder holds, told by the names that its files were published under:
///
///  - MNIST, Fashion-MNIST and others in IDX: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the same of `t10k`,
///    with .gz or without, labels 0 to 255;
///  - CIFAR-10: `data_batch_1.bin` to `data_batch_5.bin`, `test_batch.bin`;
///  - CIFAR-100: `train.bin`, `test.bin`, by their fine labels.
///
/// Throws, beside what the readers do, `unreadable_file` where there is none of them and `malformed_data` where the parts have
/// images of different sizes.
///
///     const auto [train, test] = gal::read_image_folder("/usr/share/datasets/fashion-mnist");
[[nodiscard]] inline image_parts read_image_folder(const std::string& folder) {
  const auto there = [&](const std::string& name) {
    return std::filesystem::exists(std::filesystem::path(folder) / name);
  };
  const auto path = [&](const std::string& name) {
    return (std::filesystem::path(folder) / name).string() + (there(name + ".gz") ? ".gz" : "");
  };
  const auto read_idx_part = [&](const std::string& part) {
    return read_idx_gzip(path(part + "-images-idx3-ubyte"), path(part + "-labels-idx1-ubyte"), 256);
  };
  image_parts result;
  if (there("data_batch_1.bin")) {
    result.train = read_cifar10({path("data_batch_1.bin"), path("data_batch_2.bin"), path("data_batch_3.bin"),
                                 path("data_batch_4.bin"), path("data_batch_5.bin")});
    result.test = read_cifar10({path("test_batch.bin")});
  } else if (there("train.bin")) {
    result = {read_cifar100({path("train.bin")}), read_cifar100({path("test.bin")})};
  } else {
    detail::require(std::filesystem::exists(path("train-images-idx3-ubyte")), error_code::unreadable_file,
                    "gal::read_image_folder: no images in ", folder,
                    "; expected train-images-idx3-ubyte, with .gz or without, data_batch_1.bin or train.bin");
    result = {read_idx_part("train"), read_idx_part("t10k")};
  }
  detail::require(result.train.shape == result.test.shape, error_code::malformed_data,
                  "gal::read_image_folder: ", folder, ": images of ", result.train.shape,
                  " for training and ", result.test.shape, " for testing; expected one size");
  return result;
}

}  // namespace gal

// gal/data/images.hpp: images from files, and what is done to them at random before training.
// Provides: image_data, read_idx, parse_idx, read_cifar10, parse_cifar10, read_cifar100, parse_cifar100, cifar100_labels,
// augmentation, augmentation_options. For gzip files: gal/data/gzip.hpp.
#pragma once

#include <gal/core/backend.hpp>
#include <gal/core/error.hpp>
#include <gal/core/random.hpp>
#include <gal/core/view.hpp>
#include <gal/data/csv.hpp>
#include <gal/nn/image_shape.hpp>

#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// Images as bytes, a sample per column in the order of `nn::image_shape`, and their labels.
struct image_data {
  nn::image_shape shape{};
  std::vector<std::uint8_t> pixels{};  ///< image after image
  std::vector<int> labels{};           ///< one for each

  /// Number of images.
  [[nodiscard]] index_type size() const { return static_cast<index_type>(labels.size()); }

  /// The pixels as the library reads them: (channels height width) x n.
  [[nodiscard]] matrix_view<const std::uint8_t> view() const { return {pixels.data(), shape.size(), size()}; }

  friend bool operator==(const image_data&, const image_data&) = default;
};

namespace detail {

// Bytes of a file, read in order; what does not fit is said with its place.
class byte_reader {
 public:
  byte_reader(std::string_view bytes, std::string_view source, std::string_view caller)
      : bytes_(bytes), source_(source), caller_(caller) {}

  [[nodiscard]] index_type position() const { return position_; }
  [[nodiscard]] index_type left() const { return static_cast<index_type>(bytes_.size()) - position_; }

  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    detail::require(condition, error_code::malformed_data, caller_, ": ", source_, ": ", parts...);
  }

  [[nodiscard]] int byte() {
    require(left() >= 1, "ends at byte ", position_, "; expected more");
    return static_cast<unsigned char>(bytes_[static_cast<std::size_t>(position_++)]);
  }

  // Four bytes, the highest first.
  [[nodiscard]] index_type number(std::string_view meaning) {
    require(left() >= 4, "ends at byte ", bytes_.size(), "; expected ", meaning, " in bytes ", position_,
            " to ", position_ + 3);
    index_type result = 0;
    for (int k = 0; k < 4; ++k) {
      result = 256 * result + byte();
    }
    return result;
  }

  [[nodiscard]] int label(int classes, std::string_view meaning = "label") {
    const index_type place = position_;
    const int result = byte();
    require(result < classes, "byte ", place, ": ", meaning, " ", result, "; expected 0 to ", classes - 1);
    return result;
  }

  void append_to(std::vector<std::uint8_t>& to, index_type count) {
    const std::string_view part =
        bytes_.substr(static_cast<std::size_t>(position_), static_cast<std::size_t>(count));
    to.insert(to.end(), part.begin(), part.end());
    position_ += count;
  }

 private:
  std::string_view bytes_;
  std::string_view source_;
  std::string_view caller_;
  index_type position_ = 0;
};

// The head of an IDX file of unsigned bytes: two zeros, the type, the number of dimensions, then each of them.
inline std::vector<index_type> idx_sizes(byte_reader& reader, index_type dimensions,
                                         std::string_view contents) {
  const index_type magic = reader.number("the magic number");
  reader.require(magic != 0x1f8b0800 && magic >> 16 != 0x1f8b,
                 "is compressed by gzip; expected the file inside, or gal::read_idx_gzip");
  const index_type expected = 0x0800 + dimensions;
  reader.require(magic == expected, "magic number ", magic, " in bytes 0 to 3; expected ", expected, ", ",
                 contents);
  std::vector<index_type> sizes;
  for (index_type k = 0; k < dimensions; ++k) {
    const index_type place = reader.position();
    sizes.push_back(reader.number("a size"));
    reader.require(sizes.back() > 0, "size 0 in bytes ", place, " to ", place + 3,
                   "; expected a positive number");
  }
  return sizes;
}

// That `count` items of `size` bytes come next, and nothing after them; without a product, which could overflow.
inline void require_items(const byte_reader& reader, index_type count, index_type size,
                          const std::string& items) {
  const bool fits = reader.left() % size == 0 && reader.left() / size == count;
  const bool too_long = reader.left() / size >= count;
  reader.require(fits, too_long ? "goes on beyond" : "ends inside", " its ", items, ": ", reader.left(),
                 " bytes from byte ", reader.position(), " on; expected ", count, " times ", size);
}

}  // namespace detail

/// Images and labels from the contents of two IDX files (MNIST, Fashion-MNIST); the sources name them in messages. All or
/// nothing: throws `malformed_data`, naming the byte and what was expected, where a file is none of its kind, ends early
/// or goes on too long, a label is not below `classes`, or the two have different numbers of samples.
[[nodiscard]] inline image_data parse_idx(std::string_view images, std::string_view labels, int classes = 10,
                                          std::string_view images_source = "images",
                                          std::string_view labels_source = "labels") {
  detail::byte_reader pixels(images, images_source, "gal::parse_idx");
  const std::vector<index_type> sizes = detail::idx_sizes(pixels, 3, "images of unsigned bytes");
  const nn::image_shape shape{1, sizes[1], sizes[2]};
  pixels.require(detail::product_of({shape.height, shape.width}).has_value(), "images of ", shape.height,
                 " x ", shape.width, " in bytes 8 to 15; expected sizes whose product is below 2^63");
  detail::require_items(pixels, sizes[0], shape.size(),
                        detail::text(sizes[0], " images of ", shape.height, " x ", shape.width));
  detail::byte_reader names(labels, labels_source, "gal::parse_idx");
  const index_type count = detail::idx_sizes(names, 1, "labels of unsigned bytes").front();
  detail::require_items(names, count, 1, detail::text(count, " labels"));
  names.require(count == sizes[0], count, " labels; expected ", sizes[0], ", as many as there are images");

  image_data result{.shape = shape};
  pixels.append_to(result.pixels, count * shape.size());
  result.labels.reserve(static_cast<std::size_t>(count));
  for (index_type j = 0; j < count; ++j) {
    result.labels.push_back(names.label(classes));
  }
  return result;
}

/// The same from files. Throws `unreadable_file` for one that cannot be read.
///
///     gal::image_data train = gal::read_idx("train-images-idx3-ubyte", "train-labels-idx1-ubyte");
[[nodiscard]] inline image_data read_idx(const std::string& images, const std::string& labels,
                                         int classes = 10) {
  return parse_idx(detail::read_file(images, "gal::read_idx"), detail::read_file(labels, "gal::read_idx"),
                   classes, images, labels);
}

/// Which of the two labels of CIFAR-100: one of 100 classes, or of 20 groups of them.
enum class cifar100_labels { fine, coarse };
constexpr auto enumerator_names(cifar100_labels) {
  return std::to_array<std::string_view>({"fine", "coarse"});
}

namespace detail {

// Records of `label_bytes` labels and 3 x 32 x 32 pixels, appended to `to`.
template <class ReadLabel>
void append_cifar(image_data& to, byte_reader reader, index_type label_bytes, ReadLabel read_label) {
  const index_type pixels = 3 * 32 * 32;
  const index_type record = label_bytes + pixels;
  reader.require(reader.left() > 0 && reader.left() % record == 0, "ends at byte ", reader.left(), ", after ",
                 reader.left() / record, " images and ", reader.left() % record,
                 " bytes; expected a positive multiple of ", record, " bytes: ", label_bytes,
                 label_bytes == 1 ? " label" : " labels", " and 3 x 32 x 32 pixels");
  const index_type count = reader.left() / record;
  to.shape = {3, 32, 32};
  for (index_type j = 0; j < count; ++j) {
    to.labels.push_back(read_label(reader));
    reader.append_to(to.pixels, pixels);
  }
}

inline void append_cifar10(image_data& to, std::string_view bytes, std::string_view source) {
  append_cifar(to, byte_reader(bytes, source, "gal::parse_cifar10"), 1,
               [](byte_reader& reader) { return reader.label(10); });
}

inline void append_cifar100(image_data& to, std::string_view bytes, std::string_view source,
                            cifar100_labels labels) {
  require_enumerator(labels, "gal::parse_cifar100: labels");
  append_cifar(to, byte_reader(bytes, source, "gal::parse_cifar100"), 2, [labels](byte_reader& reader) {
    const int coarse = reader.label(20, "coarse label");
    const int fine = reader.label(100, "fine label");
    return labels == cifar100_labels::fine ? fine : coarse;
  });
}

inline void require_files(const std::vector<std::string>& paths, std::string_view caller) {
  require(!paths.empty(), error_code::invalid_option, caller, ": no files; expected at least one");
}

}  // namespace detail

/// Images of the contents of a CIFAR-10 binary file: 3 x 32 x 32, labels 0 to 9. All or nothing: throws
/// `malformed_data`, naming the byte, for an incomplete record, none at all, and a label out of range.
[[nodiscard]] inline image_data parse_cifar10(std::string_view bytes, std::string_view source = "CIFAR-10") {
  image_data result;
  detail::append_cifar10(result, bytes, source);
  return result;
}

/// The same of a CIFAR-100 binary file, by its fine labels, 0 to 99, or its coarse ones, 0 to 19.
[[nodiscard]] inline image_data parse_cifar100(std::string_view bytes,
                                               cifar100_labels labels = cifar100_labels::fine,
                                               std::string_view source = "CIFAR-100") {
  image_data result;
  detail::append_cifar100(result, bytes, source, labels);
  return result;
}

/// The images of several files, one after the other. Throws `unreadable_file` for one that cannot be read.
///
///     gal::image_data test = gal::read_cifar10({"cifar-10-batches-bin/test_batch.bin"});
[[nodiscard]] inline image_data read_cifar10(const std::vector<std::string>& paths) {
  detail::require_files(paths, "gal::read_cifar10");
  image_data result;
  for (const std::string& path : paths) {
    detail::append_cifar10(result, detail::read_file(path, "gal::read_cifar10"), path);
  }
  return result;
}

[[nodiscard]] inline image_data read_cifar100(const std::vector<std::string>& paths,
                                              cifar100_labels labels = cifar100_labels::fine) {
  detail::require_files(paths, "gal::read_cifar100");
  image_data result;
  for (const std::string& path : paths) {
    detail::append_cifar100(result, detail::read_file(path, "gal::read_cifar100"), path, labels);
  }
  return result;
}

/// Settings of `augmentation`, in the order in which they are applied.
struct augmentation_options {
  index_type padding = 0;      ///< zeros around the image, of which a window of its size is cropped at random
  bool flip = false;           ///< left and right, every second image on average
  double scale = 1.0 / 255.0;  ///< factor of every pixel
  std::vector<double> mean{};  ///< of every channel, subtracted after the scale; none: 0
  std::vector<double> deviation{};  ///< of every channel, divided by; none: 1
  index_type cutout = 0;  ///< side of a square set to zero, its centre anywhere in the image (1708.04552)
  std::uint64_t seed = 0;
};

/// Turns bytes, or other numbers, into images for a network: a random crop, flip and cutout, and the normalisation. What
/// happens to image number k is a function of the seed and k, where images count on from one call to the next: the same
/// for any number of threads and any size of batch.
///
///     gal::augmentation<float> augment({3, 32, 32}, {.padding = 4, .flip = true, .seed = 1});
///     for (auto [x, y] : gal::batches(train.view(), train.labels, 128)) trainer.step(augment(x), y);
///     model.forward(augment.normalise(test.view()));   // nothing at random
///
/// The result is valid up to the next call. Throws for options out of range.
template <std::floating_point T, class Backend = eigen_backend>
class augmentation {
 public:
  using memory_type = typename Backend::memory_type;

  explicit augmentation(nn::image_shape shape, augmentation_options options = {}, Backend backend = {})
      : backend_(std::move(backend)),
        shape_(nn::detail::checked_image(shape, "gal::augmentation: shape")),
        options_(std::move(options)),
        random_{options_.seed, 0},
        affine_(shape.channels, 2, T(0), backend_) {
    const auto check = [](bool condition, const auto&... parts) {
      detail::require(condition, error_code::invalid_option, "gal::augmentation: ", parts...);
    };
    check(options_.padding >= 0, "padding is ", options_.padding, "; expected a non-negative number");
    check(options_.padding < largest_padding, "padding is ", options_.padding, "; expected a number below ",
          largest_padding);
    check(options_.cutout >= 0, "cutout is ", options_.cutout, "; expected a non-negative number");
    check(std::isfinite(options_.scale) && options_.scale != 0.0, "scale is ", options_.scale,
          "; expected a number that is not zero");
    const auto channels = static_cast<std::size_t>(shape.channels);
    check(options_.mean.empty() || options_.mean.size() == channels, options_.mean.size(),
          " means; expected none, or one for each of ", channels, " channels");
    check(options_.deviation.empty() || options_.deviation.size() == channels, options_.deviation.size(),
          " deviations; expected none, or one for each of ", channels, " channels");
    for (const double deviation : options_.deviation) {
      check(deviation > 0.0, "deviation is ", deviation, "; expected a positive number");
    }
    for (index_type c = 0; c < shape.channels; ++c) {  // pixel to factor * pixel + shift
      const auto k = static_cast<std::size_t>(c);
      const double deviation = options_.deviation.empty() ? 1.0 : options_.deviation[k];
      const double mean = options_.mean.empty() ? 0.0 : options_.mean[k];
      const T factor = static_cast<T>(options_.scale / deviation);
      const T shift = static_cast<T>(-mean / deviation);
      backend_.fill(affine_.data() + c, 1, factor);
      backend_.fill(affine_.data() + shape.channels + c, 1, shift);
    }
  }

  [[nodiscard]] const augmentation_options& options() const { return options_; }

  /// A batch, at random and normalised; `images` is `(channels height width) x n`.
  template <viewable Images>
  const matrix<T, Backend>& operator()(const Images& images) {
    return transform(gal::view(images), true);
  }

  /// A batch, normalised only.
  template <viewable Images>
  const matrix<T, Backend>& normalise(const Images& images) {
    return transform(gal::view(images), false);
  }

  /// The seed, and the number of images that were drawn for: store it to resume.
  [[nodiscard]] random_stream state() const { return random_; }
  void set_state(random_stream state) { random_ = state; }

 private:
  static constexpr index_type largest_padding = index_type{1}
                                                << 30;  // places of the crop are drawn as 32 bits
  static constexpr index_type draws = 5;  // of every image: crop down and right, flip, centre of the cutout

  template <class U>
  const matrix<T, Backend>& transform(matrix_view<U, memory_type> images, bool at_random) {
    detail::require(images.rows() == shape_.size(), error_code::shape_mismatch,
                    "gal::augmentation: images are ", images.shape(), "; expected ", shape_.size(), " rows (",
                    shape_, ")");
    const index_type n = images.columns();
    if (at_random) {
      draw(n);
    }
    result_.resize(images.rows(), n);
    const index_type height = shape_.height;
    const index_type width = shape_.width;
    const index_type channels = shape_.channels;
    const index_type cutout = at_random ? options_.cutout : 0;
    backend_.for_each(
        height, channels * n,
        [=, from = images.data(), to = result_.data(), affine = affine_.data(),
         draw = at_random ? draws_.data() : nullptr] GAL_KERNEL(index_type i, index_type j) {
          const index_type c = j % channels;
          const std::int32_t* const drawn = draw == nullptr ? nullptr : draw + j / channels * draws;
          const index_type row = drawn == nullptr ? i : i + drawn[0];
          const index_type right = drawn == nullptr ? 0 : drawn[1];
          const bool flipped = drawn != nullptr && drawn[2] != 0;
          const bool row_inside = row >= 0 && row < height;
          const T factor = affine[c];
          const T shift = affine[channels + c];
          // The cutout's first row and column; none where its side is 0.
          const index_type top = drawn == nullptr ? 0 : drawn[3] - cutout / 2;
          const index_type left = drawn == nullptr ? 0 : drawn[4] - cutout / 2;
          const bool row_cut = i >= top && i < top + cutout;
          for (index_type q = 0; q < width; ++q) {
            const index_type column = (flipped ? width - 1 - q : q) + right;
            const bool inside = row_inside && column >= 0 && column < width;
            const T pixel = inside ? static_cast<T>(from[(j * height + row) * width + column]) : T(0);
            const bool cut = row_cut && q >= left && q < left + cutout;
            to[(j * height + i) * width + q] = cut ? T(0) : factor * pixel + shift;
          }
        });
    return result_;
  }

  void draw(index_type n) {
    draws_.resize(draws, n);
    backend_.for_each(n, [to = draws_.data(), random = random_, padding = options_.padding,
                          flip = options_.flip, shape = shape_] GAL_KERNEL(index_type j) {
      const std::uint64_t seed = random_bits(random.seed, random.counter + static_cast<std::uint64_t>(j));
      const auto below = [seed](std::uint64_t counter, index_type bound) {  // in [0, bound)
        return static_cast<std::int32_t>(random_uniform(seed, counter) * static_cast<double>(bound));
      };
      std::int32_t* const drawn = to + j * draws;
      drawn[0] = below(0, 2 * padding + 1) - static_cast<std::int32_t>(padding);
      drawn[1] = below(1, 2 * padding + 1) - static_cast<std::int32_t>(padding);
      drawn[2] = flip ? below(2, 2) : 0;
      drawn[3] = below(3, shape.height);
      drawn[4] = below(4, shape.width);
    });
    random_.counter += static_cast<std::uint64_t>(n);
  }

  Backend backend_;
  nn::image_shape shape_;
  augmentation_options options_;
  random_stream random_;
  matrix<T, Backend> affine_;  // factors, then shifts, of the channels
  matrix<std::int32_t, Backend> draws_;
  matrix<T, Backend> result_;
};

}  // namespace gal

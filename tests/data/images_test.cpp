// Images from files, with what is refused byte by byte, and augmentation against plain loops.
#include <gal/data/gzip.hpp>
#include <gal/data/images.hpp>

#include <gal/backends/eigen.hpp>
#include <gal/data/batches.hpp>

#include "testing.hpp"

#include <doctest/doctest.h>
#include <zlib.h>

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using enum gal::error_code;
using bytes = std::vector<int>;

std::string text_of(const bytes& numbers) {
  std::string result;
  for (const int number : numbers) {
    result += static_cast<char>(static_cast<unsigned char>(number));
  }
  return result;
}

// Two images of 2 x 3, and their labels.
const bytes images_file = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2,  0,  0,
                           0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255};
const bytes labels_file = {0, 0, 8, 1, 0, 0, 0, 2, 9, 4};

bytes with(bytes file, std::size_t place, int value) {
  file.at(place) = value;
  return file;
}

bytes first(const bytes& file, std::ptrdiff_t count) { return {file.begin(), file.begin() + count}; }

std::string idx_refusal(const bytes& images, const bytes& labels, int classes = 10) {
  return refusal(malformed_data, [&] { return gal::parse_idx(text_of(images), text_of(labels), classes); });
}

class directory {
 public:
  directory() { std::filesystem::create_directories(path_); }
  ~directory() { std::filesystem::remove_all(path_); }
  directory(const directory&) = delete;
  directory& operator=(const directory&) = delete;

  [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, std::string_view contents) const {
    std::ofstream(path_ / name, std::ios::binary) << contents;
    return *this / name;
  }

 private:
  std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("gal_images_test." + std::to_string(::getpid()));
};

std::string cifar(int label_bytes, const std::vector<int>& labels) {
  std::string result;
  for (std::size_t j = 0; j < labels.size(); ++j) {
    if (label_bytes == 2) {
      result += static_cast<char>(labels[j] / 5);
    }
    result += static_cast<char>(labels[j]);
    for (std::size_t i = 0; i < 3072; ++i) {
      result += static_cast<char>(static_cast<unsigned char>((i + 7 * j) % 251));
    }
  }
  return result;
}

gal::matrix<std::uint8_t> ramp(gal::index_type rows, gal::index_type columns) {
  gal::matrix<std::uint8_t> result(rows, columns);
  for (gal::index_type i = 0; i < result.size(); ++i) {
    result.data()[i] = static_cast<std::uint8_t>(i * 37 % 251 + 1);
  }
  return result;
}

template <class T>
gal::matrix<T> copy(const gal::matrix<T>& x) {
  return x;
}

}  // namespace

TEST_CASE("IDX files") {
  const gal::image_data data = gal::parse_idx(text_of(images_file), text_of(labels_file));
  CHECK(data.size() == 2);
  CHECK(data.shape == gal::nn::image_shape{1, 2, 3});
  CHECK(data.labels == std::vector<int>{9, 4});
  CHECK(data.view().shape() == gal::shape{6, 2});
  CHECK(data.pixels == std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255});

  const directory files;
  const std::string images = files.write("images", text_of(images_file));
  const std::string labels = files.write("labels", text_of(labels_file));
  CHECK(gal::read_idx(images, labels) == data);
  CHECK(gal::read_idx_gzip(images, labels) == data);  // not compressed
  CHECK(refusal(unreadable_file, [&] { return gal::read_idx(images, files / "none"); }) ==
        "gal::read_idx: cannot read " + files / "none" + ": No such file or directory");
  files.write("labels", text_of(first(labels_file, 9)));
  CHECK(refusal(malformed_data, [&] { return gal::read_idx(images, labels); }) ==
        "gal::parse_idx: " + labels +
            ": ends inside its 2 labels: 1 bytes from byte 8 on; expected 2 times 1");
}

TEST_CASE("IDX files that are not what they should be") {
  CHECK(idx_refusal({}, labels_file) ==
        "gal::parse_idx: images: ends at byte 0; expected the magic number in bytes 0 to 3");
  CHECK(idx_refusal(first(images_file, 3), labels_file) ==
        "gal::parse_idx: images: ends at byte 3; expected the magic number in bytes 0 to 3");
  CHECK(idx_refusal(first(images_file, 10), labels_file) ==
        "gal::parse_idx: images: ends at byte 10; expected a size in bytes 8 to 11");
  CHECK(idx_refusal(first(images_file, 27), labels_file) ==
        "gal::parse_idx: images: ends inside its 2 images of 2 x 3: 11 bytes from byte 16 on; expected 2 "
        "times 6");
  auto longer = images_file;
  longer.push_back(0);
  CHECK(idx_refusal(longer, labels_file) ==
        "gal::parse_idx: images: goes on beyond its 2 images of 2 x 3: 13 bytes from byte 16 on; expected 2 "
        "times 6");
  // Sizes whose product is no 64-bit number, but that of two is.
  auto huge = images_file;
  std::fill(huge.begin() + 4, huge.begin() + 16, 255);
  huge[8] = huge[12] = 127;
  CHECK(idx_refusal(huge, labels_file) ==
        "gal::parse_idx: images: ends inside its 4294967295 images of 2147483647 x 2147483647: 12 bytes from "
        "byte 16 "
        "on; expected 4294967295 times 4611686014132420609");
  // The largest there are, and some just beyond.
  huge[8] = huge[12] = 255;
  CHECK(idx_refusal(huge, labels_file) ==
        "gal::parse_idx: images: images of 4294967295 x 4294967295 in bytes 8 to 15; expected sizes whose "
        "product "
        "is below 2^63");
  huge[8] = 0xf1;
  huge[12] = 0x8c;
  CHECK(idx_refusal(huge, labels_file) ==
        "gal::parse_idx: images: images of 4060086271 x 2365587455 in bytes 8 to 15; expected sizes whose "
        "product "
        "is below 2^63");
  CHECK(idx_refusal(with(images_file, 11, 0), labels_file) ==
        "gal::parse_idx: images: size 0 in bytes 8 to 11; expected a positive number");
  CHECK(idx_refusal(labels_file, labels_file) ==
        "gal::parse_idx: images: magic number 2049 in bytes 0 to 3; expected 2051, images of unsigned bytes");
  CHECK(idx_refusal(images_file, images_file) ==
        "gal::parse_idx: labels: magic number 2051 in bytes 0 to 3; expected 2049, labels of unsigned bytes");
  CHECK(idx_refusal({0x1f, 0x8b, 8, 0, 1, 2}, labels_file) ==
        "gal::parse_idx: images: is compressed by gzip; expected the file inside, or gal::read_idx_gzip");
  CHECK(idx_refusal(images_file, with(labels_file, 8, 10)) ==
        "gal::parse_idx: labels: byte 8: label 10; expected 0 to 9");
  CHECK(idx_refusal(images_file, labels_file, 5) ==
        "gal::parse_idx: labels: byte 8: label 9; expected 0 to 4");
  CHECK(idx_refusal(images_file, first(labels_file, 9)) ==
        "gal::parse_idx: labels: ends inside its 2 labels: 1 bytes from byte 8 on; expected 2 times 1");
  CHECK(idx_refusal(images_file, first(with(labels_file, 7, 1), 9)) ==
        "gal::parse_idx: labels: 1 labels; expected 2, as many as there are images");
}

TEST_CASE("files compressed by gzip") {
  const directory files;
  const auto compress = [&](const std::string& name, const std::string& contents) {
    gzFile file = gzopen((files / name).c_str(), "wb");
    REQUIRE(gzwrite(file, contents.data(), static_cast<unsigned>(contents.size())) ==
            static_cast<int>(contents.size()));
    REQUIRE(gzclose(file) == Z_OK);
    return files / name;
  };
  const std::string images = compress("images.gz", text_of(images_file));
  const std::string labels = compress("labels.gz", text_of(labels_file));
  CHECK(gal::read_idx_gzip(images, labels) == gal::parse_idx(text_of(images_file), text_of(labels_file)));
  CHECK(refusal(malformed_data, [&] { return gal::read_idx(images, labels); }) ==
        "gal::parse_idx: " + images +
            ": is compressed by gzip; expected the file inside, or gal::read_idx_gzip");

  const std::string large = cifar(1, std::vector<int>(700, 3));  // more than a chunk
  CHECK(gal::read_gzip(compress("large.gz", large)) == large);
  std::string whole;
  {
    std::ifstream stream(images, std::ios::binary);
    whole.assign(std::istreambuf_iterator<char>(stream), {});
  }
  const std::string cut = files.write("cut.gz", std::string_view(whole).substr(0, whole.size() - 10));
  const std::string message = refusal(malformed_data, [&] { return gal::read_gzip(cut); });
  CHECK(message.starts_with("gal::read_gzip: " + cut + ": "));
  CHECK(message.rfind(cut) == message.find(cut));  // once
  CHECK(message.ends_with("bytes of its contents; expected a complete gzip file"));
  whole[whole.size() - 6] = static_cast<char>(whole[whole.size() - 6] ^ 1);  // the checksum
  const std::string damaged = files.write("damaged.gz", whole);
  CHECK(refusal(malformed_data, [&] { return gal::read_gzip(damaged); }) ==
        "gal::read_gzip: " + damaged +
            ": incorrect data check, after 0 bytes of its contents; expected a complete "
            "gzip file");
  CHECK(refusal(unreadable_file, [&] { return gal::read_gzip(files / "none"); }) ==
        "gal::read_gzip: cannot read " + files / "none" + ": No such file or directory");

  // Through the reader of images, too, and labels of other images.
  CHECK(refusal(malformed_data, [&] { return gal::read_idx_gzip(cut, labels); }) == message);
  const std::string other = compress("other.gz", text_of(first(with(labels_file, 7, 1), 9)));
  CHECK(refusal(malformed_data, [&] { return gal::read_idx_gzip(images, other); }) ==
        "gal::parse_idx: " + other + ": 1 labels; expected 2, as many as there are images");
}

TEST_CASE("a folder of images, by the names of its files") {
  const directory files;
  CHECK(refusal(unreadable_file, [&] { return gal::read_image_folder(files / ""); }) ==
        "gal::read_image_folder: no images in " + files / "" +
            "; expected train-images-idx3-ubyte, with .gz or without, data_batch_1.bin or train.bin");
  files.write("train-images-idx3-ubyte", text_of(images_file));
  CHECK(refusal(unreadable_file, [&] {
          return gal::read_image_folder(files / "");
        }).starts_with("gal::read_gzip: cannot read " + files / "train-labels-idx1-ubyte"));
  files.write("train-labels-idx1-ubyte", text_of(with(labels_file, 8, 255)));
  files.write("t10k-images-idx3-ubyte", text_of(images_file));
  files.write("t10k-labels-idx1-ubyte.gz", text_of(labels_file));  // not compressed
  const auto [train, test] = gal::read_image_folder(files / "");
  CHECK(train.labels == std::vector<int>{255, 4});
  CHECK(test == gal::parse_idx(text_of(images_file), text_of(labels_file)));
  files.write("t10k-images-idx3-ubyte", text_of(with(with(images_file, 11, 3), 15, 2)));
  CHECK(refusal(malformed_data, [&] { return gal::read_image_folder(files / ""); }) ==
        "gal::read_image_folder: " + files / "" +
            ": images of 1 x 2 x 3 for training and 1 x 3 x 2 for testing; expected one size");
  files.write("train.bin", cifar(2, {99, 7}));
  files.write("test.bin", cifar(2, {5}));
  CHECK(gal::read_image_folder(files / "").train.labels == std::vector<int>{99, 7});
  CHECK(gal::read_image_folder(files / "").test.labels == std::vector<int>{5});
  for (int k = 1; k <= 5; ++k) {
    files.write("data_batch_" + std::to_string(k) + ".bin", cifar(1, {k}));
  }
  files.write("test_batch.bin", cifar(1, {9, 0}));
  CHECK(gal::read_image_folder(files / "").train.labels == std::vector<int>{1, 2, 3, 4, 5});
  CHECK(gal::read_image_folder(files / "").test.labels == std::vector<int>{9, 0});
}

TEST_CASE("Fashion-MNIST") {
  const std::string folder = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("skipped: no Debian package dataset-fashion-mnist");
    return;
  }
  const auto [train, test] = gal::read_image_folder(folder);
  CHECK(train.shape == gal::nn::image_shape{1, 28, 28});
  REQUIRE(train.size() == 60000);
  REQUIRE(test.size() == 10000);
  for (int label = 0; label < 10; ++label) {
    CHECK(std::ranges::count(train.labels, label) == 6000);
    CHECK(std::ranges::count(test.labels, label) == 1000);
  }
  CHECK(train.labels.front() == 9);  // an ankle boot, dark at its edges
  CHECK(train.view()(0, 0) == 0);
  CHECK(std::ranges::max(test.pixels) == 255);
}

TEST_CASE("CIFAR files") {
  const gal::image_data ten = gal::parse_cifar10(cifar(1, {3, 9, 0}));
  CHECK(ten.shape == gal::nn::image_shape{3, 32, 32});
  CHECK(ten.labels == std::vector<int>{3, 9, 0});
  CHECK(ten.view().shape() == gal::shape{3072, 3});
  CHECK(ten.view()(1, 0) == 1);
  CHECK(ten.view()(0, 2) == 14);
  const std::string hundred = cifar(2, {99, 7});
  CHECK(gal::parse_cifar100(hundred).labels == std::vector<int>{99, 7});
  CHECK(gal::parse_cifar100(hundred, gal::cifar100_labels::coarse).labels == std::vector<int>{19, 1});
  CHECK(gal::parse_cifar100(hundred).view()(3071, 1) == (3071 + 7) % 251);

  const directory files;
  const std::string one = files.write("one.bin", cifar(1, {3, 9}));
  const std::string two = files.write("two.bin", cifar(1, {0}));
  const gal::image_data both = gal::read_cifar10({one, two});
  CHECK(both.labels == ten.labels);
  CHECK(both.view()(5, 2) == 5);
  CHECK(both.view()(5, 1) == ten.view()(5, 1));
  const std::string of_hundred = files.write("train.bin", hundred);
  CHECK(gal::read_cifar100({of_hundred}) == gal::parse_cifar100(hundred));

  CHECK(refusal(malformed_data, [&] { return gal::parse_cifar10(""); }) ==
        "gal::parse_cifar10: CIFAR-10: ends at byte 0, after 0 images and 0 bytes; expected a positive "
        "multiple of "
        "3073 bytes: 1 label and 3 x 32 x 32 pixels");
  CHECK(refusal(malformed_data,
                [&] {
                  return gal::parse_cifar10(cifar(1, {1, 2}).substr(0, 5000));
                }) ==
        "gal::parse_cifar10: CIFAR-10: ends at byte 5000, after 1 images and 1927 bytes; expected a positive "
        "multiple "
        "of 3073 bytes: 1 label and 3 x 32 x 32 pixels");
  CHECK(refusal(malformed_data, [&] {
          return gal::parse_cifar10(cifar(1, {1, 10}));
        }) == "gal::parse_cifar10: CIFAR-10: byte 3073: label 10; expected 0 to 9");
  CHECK(refusal(malformed_data, [&] { return gal::parse_cifar100(cifar(2, {100})); }) ==
        "gal::parse_cifar100: CIFAR-100: byte 0: coarse label 20; expected 0 to 19");
  std::string wrong = hundred;
  wrong[3074 + 1] = 100;
  CHECK(refusal(malformed_data, [&] { return gal::parse_cifar100(wrong); }) ==
        "gal::parse_cifar100: CIFAR-100: byte 3075: fine label 100; expected 0 to 99");
  CHECK(refusal(malformed_data, [&] {
          return gal::read_cifar10({one, of_hundred});
        }).starts_with("gal::parse_cifar10: " + of_hundred + ": ends at byte 6148"));
  CHECK(refusal(invalid_option, [] { return gal::read_cifar10({}); }) ==
        "gal::read_cifar10: no files; expected at least one");
  CHECK(refusal(unreadable_file, [&] { return gal::read_cifar100({files / "none"}); }) ==
        "gal::read_cifar100: cannot read " + files / "none" + ": No such file or directory");
}

TEST_CASE_TEMPLATE("normalisation", T, float, double) {
  gal::augmentation<T> augment(
      {2, 1, 2},
      {.padding = 3, .flip = true, .scale = 0.5, .mean = {1.0, 2.0}, .deviation = {2.0, 0.25}, .cutout = 2});
  const auto x = matrix<std::uint8_t>({{0}, {2}, {4}, {6}});
  CHECK(augment.normalise(x) == matrix<T>({{-0.5}, {0}, {0}, {4}}));
  CHECK(augment.state() == gal::random_stream{0, 0});
  // Without options a pixel of 255 is 1.
  gal::augmentation<T> plain({1, 1, 2});
  CHECK(plain(matrix<std::uint8_t>({{0}, {255}})) == matrix<T>({{0}, {1}}));
  // Other numbers than bytes.
  CHECK(plain(matrix<T>({{0}, {51}}))(1, 0) == doctest::Approx(0.2));
}

TEST_CASE("a crop is a window of the padded image, flipped or not, and every window comes") {
  const gal::index_type height = 4, width = 5, padding = 2, n = 2000;
  gal::augmentation<double> augment({1, height, width},
                                    {.padding = padding, .flip = true, .scale = 1.0, .seed = 3});
  gal::matrix<std::uint8_t> x = ramp(height * width, 1);
  gal::matrix<std::uint8_t> many(height * width, n);
  for (gal::index_type j = 0; j < n; ++j) {
    std::copy_n(x.data(), x.size(), many.data() + j * x.size());
  }
  const auto y = augment(many);
  std::vector<int> seen(50, 0);
  for (gal::index_type j = 0; j < n; ++j) {
    int matches = 0;
    for (std::size_t kind = 0; kind < 50; ++kind) {
      const auto down = static_cast<gal::index_type>(kind) / 10 - padding;
      const auto right = static_cast<gal::index_type>(kind) / 2 % 5 - padding;
      bool same = true;
      for (gal::index_type r = 0; r < height && same; ++r) {
        for (gal::index_type c = 0; c < width && same; ++c) {
          const gal::index_type row = r + down;
          const gal::index_type column = (kind % 2 == 1 ? width - 1 - c : c) + right;
          const bool inside = row >= 0 && row < height && column >= 0 && column < width;
          same = y(r * width + c, j) == (inside ? static_cast<double>(x(row * width + column, 0)) : 0.0);
        }
      }
      matches += same ? 1 : 0;
      seen[kind] += same ? 1 : 0;
    }
    CHECK(matches == 1);
  }
  // 40 each on average, within about five standard deviations.
  CHECK(*std::ranges::min_element(seen) > 10);
  CHECK(*std::ranges::max_element(seen) < 75);
}

TEST_CASE("a cutout is a square around a place in the image, in all channels") {
  gal::augmentation<double> augment({2, 6, 7}, {.scale = 1.0, .mean = {-1.0, -1.0}, .cutout = 3, .seed = 5});
  const auto x = ramp(84, 300);
  const auto y = augment(x);
  std::vector<int> centres(42, 0);
  for (gal::index_type j = 0; j < 300; ++j) {
    gal::index_type top = 6, bottom = -1, left = 7, right = -1, zeros = 0;
    for (gal::index_type i = 0; i < 84; ++i) {
      if (y(i, j) == 0.0) {
        ++zeros;
        top = std::min(top, i % 42 / 7);
        bottom = std::max(bottom, i % 42 / 7);
        left = std::min(left, i % 7);
        right = std::max(right, i % 7);
      } else {
        CHECK(y(i, j) == static_cast<double>(x(i, j)) + 1.0);
      }
    }
    REQUIRE(zeros >= 2 * 4);  // a corner leaves 2 x 2
    CHECK(zeros == 2 * (bottom - top + 1) * (right - left + 1));
    CHECK(bottom - top <= 2);
    CHECK(right - left <= 2);
  }
}

TEST_CASE("an image's augmentation does not depend on batches or threads") {
  const gal::augmentation_options options{.padding = 2, .flip = true, .cutout = 5, .seed = 11};
  const gal::nn::image_shape shape{3, 32, 30};
  const auto x = ramp(shape.size(), 70);
  gal::augmentation<float> whole(shape, options);
  const auto once = copy(whole(x));
  for (const int threads : {2, 3}) {
    gal::augmentation<float> other(shape, options, gal::eigen_backend(threads));
    CHECK(other(x) == once);
  }
  gal::augmentation<float> in_parts(shape, options);
  for (gal::index_type first = 0; first < 70; first += 32) {
    const gal::index_type count = std::min<gal::index_type>(32, 70 - first);
    const auto& part = in_parts(x.view().columns(first, count));
    CHECK(std::equal(part.data(), part.data() + part.size(), once.data() + first * shape.size()));
  }
  CHECK(in_parts.state() == gal::random_stream{11, 70});
  CHECK_FALSE(in_parts(x) == once);  // other images
  in_parts.set_state({11, 0});
  CHECK(in_parts(x) == once);
}

TEST_CASE("batches of bytes go through augmentation") {
  const gal::image_data data = gal::parse_cifar10(cifar(1, {1, 2, 3, 4, 5}));
  gal::augmentation<float> augment(data.shape, {.padding = 4, .flip = true});
  gal::index_type images = 0;
  for (auto [x, y] : gal::batches(data.view(), data.labels, 2, {.seed = 1})) {
    CHECK(augment(x).shape() == gal::shape{3072, x.columns()});
    images += y.columns();
  }
  CHECK(images == 5);
}

TEST_CASE("options that are out of range") {
  const auto message = [](gal::augmentation_options options, gal::nn::image_shape shape = {2, 3, 3}) {
    return refusal(invalid_option, [&] { return gal::augmentation<float>(shape, options); });
  };
  CHECK(message({}, {0, 3, 3}) == "gal::augmentation: shape is 0 x 3 x 3; expected positive numbers");
  CHECK(message({.padding = -1}) == "gal::augmentation: padding is -1; expected a non-negative number");
  CHECK(message({.padding = gal::index_type{1} << 30}) ==
        "gal::augmentation: padding is 1073741824; expected a number below 1073741824");
  CHECK(message({}, {gal::index_type{1} << 40, 3, 3}) ==
        "gal::augmentation: shape is 1099511627776 x 3 x 3; expected numbers up to 2147483647 and a product "
        "below "
        "2^63");
  CHECK(message({.cutout = -2}) == "gal::augmentation: cutout is -2; expected a non-negative number");
  CHECK(message({.scale = 0.0}) == "gal::augmentation: scale is 0; expected a number that is not zero");
  CHECK(message({.mean = {1.0}}) ==
        "gal::augmentation: 1 means; expected none, or one for each of 2 channels");
  CHECK(message({.deviation = {1.0, 1.0, 1.0}}) ==
        "gal::augmentation: 3 deviations; expected none, or one for each of 2 channels");
  CHECK(message({.deviation = {1.0, 0.0}}) ==
        "gal::augmentation: deviation is 0; expected a positive number");
  gal::augmentation<float> augment({2, 3, 3});
  CHECK(refusal(shape_mismatch, [&] { return augment(gal::matrix<std::uint8_t>(17, 4)); }) ==
        "gal::augmentation: images are 17 x 4; expected 18 rows (2 x 3 x 3)");
}

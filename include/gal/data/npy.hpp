// gal/data/npy.hpp: arrays in NumPy's files.
// Provides: npy_array, read_npy, parse_npy, write_npy.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/view.hpp>
#include <gal/data/csv.hpp>
#include <gal/io/files.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// Numbers that a file may hold: float, double, and integers but bool.
template <class T>
concept npy_scalar =
    std::same_as<T, float> || std::same_as<T, double> || (std::integral<T> && !std::same_as<T, bool>);

/// The contents of a file: an array in C order whose first dimension counts the samples.
template <npy_scalar T>
struct npy_array {
  std::vector<index_type> shape{};
  std::vector<T> values{};

  /// As the library reads it: a column per sample, `rows` the product of the other dimensions.
  [[nodiscard]] matrix_view<const T> view() const { return view_of_values(values.data()); }
  [[nodiscard]] matrix_view<T> view() { return view_of_values(values.data()); }

  friend bool operator==(const npy_array&, const npy_array&) = default;

 private:
  template <class U>
  [[nodiscard]] matrix_view<U> view_of_values(U* data) const {
    const index_type samples = shape.empty() ? 0 : shape.front();
    return {data, samples == 0 ? 0 : static_cast<index_type>(values.size()) / samples, samples};
  }
};

namespace detail {

constexpr std::string_view npy_magic = "\x93NUMPY";
constexpr std::size_t most_npy_dimensions = 32;  // NumPy's own limit

/// NumPy's name of a type on this machine, such as <f4.
template <npy_scalar T>
[[nodiscard]] std::string npy_type() {
  const char order = sizeof(T) == 1 ? '|' : (std::endian::native == std::endian::little ? '<' : '>');
  const char kind = std::floating_point<T> ? 'f' : (std::signed_integral<T> ? 'i' : 'u');
  return text(std::string{order, kind}, sizeof(T));
}

/// Reads the head of a file: magic string, version, length, and a dictionary in Python's notation.
class npy_reader {
 public:
  npy_reader(std::string_view bytes, std::string_view source)
      : bytes_(bytes), end_(bytes.size()), source_(source) {}

  /// The shape; afterwards `rest()` are the numbers. The type must be `type`.
  std::vector<index_type> shape(const std::string& type) {
    require(bytes_.starts_with(npy_magic),
            "bytes 0 to 5 are not NumPy's magic string; expected a file of numpy.save");
    position_ = npy_magic.size();
    const index_type major = number(1, "the version");
    const index_type minor = number(1, "the version");
    require(major >= 1 && major <= 3 && minor == 0, "version ", major, ".", minor,
            " in bytes 6 to 7; expected 1.0, 2.0 or 3.0");
    const index_type length = number(major == 1 ? 2 : 4, "the header's length");
    const auto left = static_cast<index_type>(bytes_.size() - position_);
    require(length <= left, "a header of ", length, " bytes from byte ", position_, " on; expected at most ",
            left, ", where the file ends");
    end_ = position_ + static_cast<std::size_t>(length);

    const std::size_t start = position_;
    std::optional<std::vector<index_type>> sizes;
    bool has_type = false;
    bool has_order = false;
    expect('{', "a dictionary");
    while (!take('}')) {
      skip_blanks();
      const std::size_t place = position_;
      const std::string_view key = quoted("a key in quotes");
      expect(':', "a colon");
      if (key == "descr" && !has_type) {
        has_type = true;
        read_type(type);
      } else if (key == "fortran_order" && !has_order) {
        has_order = true;
        read_order();
      } else if (key == "shape" && !sizes) {
        sizes = read_sizes();
      } else {
        require(false, "byte ", place, ": key ", in_quotes(key),
                "; expected descr, fortran_order and shape, once each");
      }
      if (!take(',')) {
        expect('}', "a comma or the dictionary's end");
        break;
      }
    }
    require(has_type && has_order && sizes, "the header in bytes ", start, " to ", end_ - 1, " has no ",
            !has_type ? "descr" : (!has_order ? "fortran_order" : "shape"),
            "; expected descr, fortran_order and shape");
    skip_blanks();
    require(position_ == end_, "byte ", position_, ": ", here(),
            " after the dictionary; expected blanks only");
    return *std::move(sizes);
  }

  [[nodiscard]] std::string_view rest() const { return bytes_.substr(end_); }

  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    detail::require(condition, error_code::malformed_data, "gal::parse_npy: ", source_, ": ", parts...);
  }

 private:
  // Some bytes as a number, the lowest first.
  index_type number(std::size_t count, std::string_view meaning) {
    require(bytes_.size() - position_ >= count, "ends at byte ", bytes_.size(), "; expected ", meaning,
            " in bytes ", position_, " to ", position_ + count - 1);
    index_type result = 0;
    for (std::size_t k = count; k-- > 0;) {
      result = 256 * result + static_cast<unsigned char>(bytes_[position_ + k]);
    }
    position_ += count;
    return result;
  }

  void skip_blanks() {
    while (position_ < end_ &&
           std::string_view(" \t\r\n").find(bytes_[position_]) != std::string_view::npos) {
      ++position_;
    }
  }

  bool take(char c) {
    skip_blanks();
    const bool found = position_ < end_ && bytes_[position_] == c;
    position_ += found ? 1 : 0;
    return found;
  }

  // What stands at the position, for messages.
  [[nodiscard]] std::string here() const {
    if (position_ == end_) {
      return "the header's end";
    }
    const auto code = static_cast<unsigned char>(bytes_[position_]);
    return code > ' ' && code < 127 ? text("\"", bytes_.substr(position_, 1), "\"")
                                    : text("a byte of code ", int{code});
  }

  void expect(char c, std::string_view meaning) {
    const bool found = take(c);
    require(found, "byte ", position_, ": ", here(), "; expected ", meaning);
  }

  // A string, in either kind of quotes.
  std::string_view quoted(std::string_view meaning) {
    skip_blanks();
    const char quote = position_ < end_ && bytes_[position_] == '"' ? '"' : '\'';
    expect(quote, meaning);
    const std::size_t length = bytes_.substr(position_, end_ - position_).find(quote);
    require(length != std::string_view::npos, "byte ", position_, ": a string that does not end; expected ",
            meaning);
    const std::string_view result = bytes_.substr(position_, length);
    position_ += length + 1;
    return result;
  }

  void read_type(const std::string& expected) {
    skip_blanks();
    const std::size_t place = position_;
    const std::string_view type = quoted(text("the type '", expected, "' in quotes"));
    require(type == expected, "byte ", place, ": numbers of type '", type.substr(0, 40), "'; expected '",
            expected, "'");
  }

  void read_order() {
    skip_blanks();
    const std::string_view word = bytes_.substr(position_, end_ - position_);
    require(!word.starts_with("True"), "byte ", position_,
            ": fortran_order is True; expected False, as of numpy.ascontiguousarray");
    require(word.starts_with("False"), "byte ", position_, ": ", here(), "; expected False");
    position_ += std::string_view("False").size();
  }

  // No size, and no product of sizes, can be larger than the file.
  std::vector<index_type> read_sizes() {
    std::vector<index_type> sizes;
    const auto limit = static_cast<index_type>(bytes_.size());
    index_type count = 1;
    expect('(', "a tuple of sizes");
    const std::size_t start = position_;
    while (!take(')')) {
      skip_blanks();
      const std::size_t place = position_;
      index_type size = 0;
      while (position_ < end_ && bytes_[position_] >= '0' && bytes_[position_] <= '9' && size <= limit) {
        size = 10 * size + (bytes_[position_++] - '0');
      }
      require(position_ > place, "byte ", place, ": ", here(), "; expected a size");
      require(size >= 1, "byte ", place, ": size 0; expected a positive number");
      require(size <= limit / count, "byte ", place, ": sizes whose product is more than the file's ", limit,
              " bytes; expected the array's");
      count *= size;
      sizes.push_back(size);
      if (!take(',')) {
        expect(')', "a comma or the tuple's end");
        break;
      }
    }
    require(!sizes.empty() && sizes.size() <= most_npy_dimensions, "byte ", start, ": ", sizes.size(),
            " dimensions; expected 1 to ", most_npy_dimensions, ", of which the first counts the samples");
    return sizes;
  }

  std::string_view bytes_;
  std::size_t position_ = 0;
  std::size_t end_;  // of what is read: the file's, then the header's
  std::string_view source_;
};

/// Magic string, version 1.0 and header, filled up with blanks to a multiple of 64 bytes.
[[nodiscard]] inline std::string npy_head(const std::string& type, const std::vector<index_type>& shape) {
  const std::string sizes = tuple_text(shape);
  std::string header = text("{'descr': '", type, "', 'fortran_order': False, 'shape': ",
                            shape.size() == 1 ? text("(", shape.front(), ",)") : sizes, ", }");
  const std::size_t before = npy_magic.size() + 4;
  header.append(63 - (before + header.size()) % 64, ' ');
  header += '\n';
  const std::string length = {static_cast<char>(header.size() % 256), static_cast<char>(header.size() / 256)};
  return text(npy_magic, std::string{'\1', '\0'}, length, header);
}

}  // namespace detail

/// An array of the contents of a .npy file; `source` names it in messages. All or nothing: throws `malformed_data`, naming
/// the byte and what was expected there, where the contents are no such file, of another type or byte order than `T`, in
/// Fortran's order, end early or go on too long, or have no dimension or an empty one. Takes no more memory than the file.
template <npy_scalar T>
[[nodiscard]] npy_array<T> parse_npy(std::string_view bytes, std::string_view source = "npy") {
  detail::npy_reader reader(bytes, source);
  npy_array<T> result{.shape = reader.shape(detail::npy_type<T>())};
  const auto count = static_cast<std::size_t>(detail::product_of(result.shape).value());
  const std::string_view numbers = reader.rest();
  reader.require(numbers.size() % sizeof(T) == 0 && numbers.size() / sizeof(T) == count,
                 numbers.size() / sizeof(T) >= count ? "goes on beyond" : "ends inside",
                 " its array of shape ", detail::tuple_text(result.shape), ": ", numbers.size(),
                 " bytes from byte ", bytes.size() - numbers.size(), " on; expected ", count, " times ",
                 sizeof(T));
  result.values.resize(count);
  std::memcpy(result.values.data(), numbers.data(), numbers.size());
  return result;
}

/// The same of a file. Throws `unreadable_file` where it cannot be read.
///
///     auto x = gal::read_npy<float>("images.npy");    // numpy.save("images.npy", images.astype("f4")), (n, 3, 32, 32)
///     model.forward(x.view());                        // 3072 x n
///     auto array = xt::adapt(x.values, x.shape);      // as an array of xtensor, on the same memory
template <npy_scalar T>
[[nodiscard]] npy_array<T> read_npy(const std::string& path) {
  return parse_npy<T>(detail::read_file(path, "gal::read_npy"), path);
}

/// Writes a matrix so that `numpy.load` returns an array of that shape, in C order. By default it is the shape that `x`
/// itself has where it has several dimensions, as an array of xtensor; else (columns, rows), a sample per row.
///
///     gal::write_npy("features.npy", model.forward(x));                   // (n, d)
///     gal::write_npy("images.npy", images.view(), {n, 3, 32, 32});
///
/// The file appears when it is complete: it is written under another name and renamed. Throws `shape_mismatch` where the
/// shape is not of as many numbers, and `unreadable_file` where it cannot be written; what was there stays.
template <viewable X>
  requires npy_scalar<scalar_of<X>>
void write_npy(const std::string& path, const X& x, std::vector<index_type> shape = {}) {
  using T = scalar_of<X>;
  const matrix_view<const T> values(x);
  if (shape.empty()) {
    if constexpr (requires { std::ranges::begin(x.shape()); }) {
      std::ranges::transform(x.shape(), std::back_inserter(shape),
                             [](auto size) { return static_cast<index_type>(size); });
    } else {
      shape = {values.columns(), values.rows()};
    }
  }
  index_type left = values.size();  // after division by the sizes, whose product could overflow
  bool fits = left > 0 && shape.size() <= detail::most_npy_dimensions;
  for (const index_type size : shape) {
    fits = fits && size > 0 && left % size == 0;
    left = fits ? left / size : 0;
  }
  detail::require(left == 1, error_code::shape_mismatch, "gal::write_npy: shape ", detail::tuple_text(shape),
                  " for ", values.size(), " numbers; expected 1 to ", detail::most_npy_dimensions,
                  " positive sizes whose product is their number");
  const std::string head = detail::npy_head(detail::npy_type<T>(), shape);
  const std::string_view bytes(reinterpret_cast<const char*>(values.data()),
                               static_cast<std::size_t>(values.size()) * sizeof(T));
  replace_file(path, {head, bytes});
}

}  // namespace gal

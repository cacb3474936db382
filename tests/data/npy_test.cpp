// NumPy's files: bytes that numpy.save wrote, what its format allows, what is refused and where, and writing.
#include <gal/backends/eigen.hpp>
#include <gal/data/npy.hpp>

#include "scratch.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;
using gal::error_code;
using sizes = std::vector<gal::index_type>;

// A file of version `major`.0 with that dictionary, and nothing added.
std::string file(std::string_view dictionary, std::string_view numbers, int major = 1) {
  std::string result = "\x93NUMPY";
  result += {static_cast<char>(major), '\0'};
  for (std::size_t k = 0; k < (major == 1 ? 2U : 4U); ++k) {
    result += static_cast<char>(dictionary.size() >> (8 * k));
  }
  return result.append(dictionary).append(numbers);
}

std::string with_shape(std::string_view shape, std::string_view numbers = "12345678") {
  return file("{'descr': '|u1', 'fortran_order': False, 'shape': " + std::string(shape) + ", }\n", numbers);
}

template <class T = std::uint8_t>
std::string parse_refusal(const std::string& bytes) {
  const std::string message =
      refusal(error_code::malformed_data, [&] { return gal::parse_npy<T>(bytes, "x.npy"); });
  constexpr std::string_view start = "gal::parse_npy: x.npy: ";
  return message.starts_with(start) ? message.substr(start.size()) : message;
}

// numpy.save of numpy.arange(6, dtype="f4").reshape(2, 3), by NumPy 1.24.
const std::string saved =
    std::string("\x93NUMPY\x01\x00v\x00", 10) +
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" + std::string(58, ' ') + "\n" +
    std::string("\x00\x00\x00\x00\x00\x00\x80?\x00\x00\x00@\x00\x00@@\x00\x00\x80@\x00\x00\xa0@", 24);

const gal::npy_array<float> counted{.shape = {2, 3}, .values = {0, 1, 2, 3, 4, 5}};

// An empty directory that goes with the object.
template <class T>
void check_round_trip(std::string_view type) {
  CAPTURE(type);
  const scratch here;
  const gal::npy_array<T> array{
      .shape = {2, 1, 2},
      .values = {T(0), T(1), std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max()}};
  gal::write_npy(here.file("x.npy"), array.view(), array.shape);
  CHECK(gal::read_npy<T>(here.file("x.npy")) == array);
  const std::string bytes = gal::detail::read_file(here.file("x.npy"), "test");
  CHECK(bytes.find("'descr': '" + std::string(type) + "'") != std::string::npos);
  CHECK(bytes.size() == 128 + 4 * sizeof(T));
}

}  // namespace

TEST_CASE("a file of NumPy's is read, and written byte by byte as NumPy does") {
  const gal::npy_array<float> array = gal::parse_npy<float>(saved);
  CHECK(array == counted);
  CHECK(array.view().shape() == gal::shape{3, 2});
  CHECK(array.view()(2, 1) == 5.0f);
  const scratch here;
  gal::write_npy(here.file("x.npy"), array.view());
  CHECK(gal::detail::read_file(here.file("x.npy"), "test") == saved);
  CHECK(here.entries() == 1);
}

TEST_CASE("all types of numbers make the way there and back") {
  check_round_trip<float>("<f4");
  check_round_trip<double>("<f8");
  check_round_trip<std::int8_t>("|i1");
  check_round_trip<std::uint8_t>("|u1");
  check_round_trip<std::int16_t>("<i2");
  check_round_trip<std::uint16_t>("<u2");
  check_round_trip<std::int32_t>("<i4");
  check_round_trip<std::uint32_t>("<u4");
  check_round_trip<std::int64_t>("<i8");
  check_round_trip<std::uint64_t>("<u8");
}

TEST_CASE("the format's freedom is taken: order of the keys, blanks, quotes, versions") {
  const auto read = [](std::string_view dictionary, int major = 1) {
    return gal::parse_npy<std::uint8_t>(file(dictionary, "abcdef", major)).shape;
  };
  CHECK(read("{'shape': (3, 2), 'fortran_order': False, 'descr': '|u1'}") == sizes{3, 2});
  CHECK(read("{\"descr\":\"|u1\",\"fortran_order\":False,\"shape\":(6,)}", 2) == sizes{6});
  CHECK(read(" {  'descr' : '|u1' , 'fortran_order' : False\n, 'shape' : ( 1 , 2 , 3 , ) , } \n\n", 3) ==
        sizes{1, 2, 3});
  // A header of more than 127 bytes, whose length has its highest bit set in the first byte.
  CHECK(read("{'descr': '|u1', 'fortran_order': False, 'shape': (6,), }" + std::string(150, ' ')).size() ==
        1);
}

TEST_CASE("what is no file of NumPy's is refused") {
  CHECK(parse_refusal("") == "bytes 0 to 5 are not NumPy's magic string; expected a file of numpy.save");
  CHECK(parse_refusal("PK\x03\x04 an archive of numpy.savez").starts_with("bytes 0 to 5 are not"));
  CHECK(parse_refusal(file("{}", "", 4)) == "version 4.0 in bytes 6 to 7; expected 1.0, 2.0 or 3.0");
  CHECK(parse_refusal(saved.substr(0, 9)) == "ends at byte 9; expected the header's length in bytes 8 to 9");
  CHECK(parse_refusal(saved.substr(0, 100)) ==
        "a header of 118 bytes from byte 10 on; expected at most 90, where the file ends");
  // A header of 4 GiB in a file of 12 bytes.
  CHECK(parse_refusal("\x93NUMPY" + std::string("\2\0\xff\xff\xff\xff", 6)) ==
        "a header of 4294967295 bytes from byte 12 on; expected at most 0, where the file ends");
}

TEST_CASE("another type, byte order or order of memory is refused, with its place") {
  CHECK(parse_refusal<double>(saved) == "byte 20: numbers of type '<f4'; expected '<f8'");
  CHECK(parse_refusal(file("{'descr': '>u1'}", "")) == "byte 20: numbers of type '>u1'; expected '|u1'");
  CHECK(parse_refusal(file("{'descr': '|O'}", "")) == "byte 20: numbers of type '|O'; expected '|u1'");
  CHECK(parse_refusal(file("{'descr': [('a', '<f4')]}", "")) ==
        "byte 20: \"[\"; expected the type '|u1' in quotes");
  CHECK(parse_refusal(file("{'fortran_order': True, ", "")) ==
        "byte 28: fortran_order is True; expected False, as of numpy.ascontiguousarray");
  CHECK(parse_refusal(file("{'fortran_order': 1, ", "")) == "byte 28: \"1\"; expected False");
}

TEST_CASE("a header that is damaged is refused, with the byte and what was expected there") {
  CHECK(parse_refusal(file("", "")) == "byte 10: the header's end; expected a dictionary");
  CHECK(parse_refusal(file("['descr']", "")) == "byte 10: \"[\"; expected a dictionary");
  CHECK(parse_refusal(file("{'descr", "")) ==
        "byte 12: a string that does not end; expected a key in quotes");
  CHECK(parse_refusal(file("{descr", "")) == "byte 11: \"d\"; expected a key in quotes");
  CHECK(parse_refusal(file("{'descr' '|u1'", "")) == "byte 19: \"'\"; expected a colon");
  CHECK(parse_refusal(file("{'descr': '|u1' 'shape'", "")) ==
        "byte 26: \"'\"; expected a comma or the dictionary's end");
  CHECK(parse_refusal(file("{'descr': '|u1', 'descr': '|u1'}", "")) ==
        "byte 27: key \"descr\"; expected descr, fortran_order and shape, once each");
  CHECK(parse_refusal(file("{'names': ()}", "")).starts_with("byte 11: key \"names\"; expected"));
  CHECK(parse_refusal(file("{}", "")) ==
        "the header in bytes 10 to 11 has no descr; expected descr, fortran_order and shape");
  CHECK(parse_refusal(file("{'descr': '|u1', 'shape': (1,)}", "")).find("has no fortran_order") !=
        std::string::npos);
  CHECK(parse_refusal(file("{'descr': '|u1', 'fortran_order': False}", "")).find("has no shape") !=
        std::string::npos);
  CHECK(parse_refusal(file("{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}\x01", "a")) ==
        "byte 65: a byte of code 1 after the dictionary; expected blanks only");
}

TEST_CASE("shapes that lie are refused before anything is allocated") {
  CHECK(parse_refusal(with_shape("8")) == "byte 60: \"8\"; expected a tuple of sizes");
  CHECK(parse_refusal(with_shape("(2, -4)")) == "byte 64: \"-\"; expected a size");
  CHECK(parse_refusal(with_shape("(2 4)")) == "byte 63: \"4\"; expected a comma or the tuple's end");
  CHECK(parse_refusal(with_shape("(8L,)")) == "byte 62: \"L\"; expected a comma or the tuple's end");
  CHECK(parse_refusal(with_shape("()")) ==
        "byte 61: 0 dimensions; expected 1 to 32, of which the first counts the samples");
  CHECK(parse_refusal(with_shape("(0, 4)")) == "byte 61: size 0; expected a positive number");
  CHECK(parse_refusal(with_shape("(99999999999999999999999999999999,)")) ==
        "byte 61: sizes whose product is more than the file's 107 bytes; expected the array's");
  // 2^32 x 2^32, whose product is 0 in 64 bits, and 9 x 9 x 9.
  CHECK(parse_refusal(with_shape("(4294967296, 4294967296)")).starts_with("byte 61: sizes whose product"));
  CHECK(parse_refusal(with_shape("(9, 9, 9)")).starts_with("byte 67: sizes whose product"));
  std::string ones = "(";
  for (int k = 0; k < 40; ++k) {
    ones += "1, ";
  }
  CHECK(parse_refusal(with_shape(ones + ")")).find("40 dimensions; expected 1 to 32") != std::string::npos);
}

TEST_CASE("numbers that are too few or too many are refused") {
  CHECK(parse_refusal<float>(saved.substr(0, saved.size() - 1)) ==
        "ends inside its array of shape (2, 3): 23 bytes from byte 128 on; expected 6 times 4");
  CHECK(parse_refusal<float>(saved + "x") ==
        "goes on beyond its array of shape (2, 3): 25 bytes from byte 128 on; expected 6 times 4");
  CHECK(
      parse_refusal<float>(saved + saved).starts_with("goes on beyond its array of shape (2, 3): 176 bytes"));
}

TEST_CASE("no damage passes, or reads beyond the file") {
  for (std::size_t length = 0; length < saved.size(); ++length) {
    CHECK(parse_refusal<float>(saved.substr(0, length)) != "not refused");
  }
  // Every byte of the head replaced by every other: refused, or an array of as many numbers.
  int accepted = 0;
  for (std::size_t place = 0; place < 128; ++place) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string bytes = saved;
      bytes[place] = static_cast<char>(byte);
      try {
        const gal::npy_array<float> array = gal::parse_npy<float>(bytes);
        REQUIRE(array.values == counted.values);
        ++accepted;
      } catch (const gal::error& e) {
        REQUIRE(e.code() == error_code::malformed_data);
      }
    }
  }
  CHECK(accepted > 128);  // the bytes as they are, and other blanks
}

TEST_CASE("files that cannot be read are said") {
  const scratch here;
  CHECK(refusal(error_code::unreadable_file, [&] {
          return gal::read_npy<float>(here.file("none.npy"));
        }).starts_with("gal::read_npy: cannot read " + here.file("none.npy") + ": "));
}

TEST_CASE("the shape is the matrix's, the array's own, or as it is said") {
  const scratch here;
  const std::string path = here.file("x.npy");
  const auto written = [&](const auto& x, sizes shape = {}) {
    gal::write_npy(path, x, std::move(shape));
    return gal::read_npy<double>(path).shape;
  };
  const gal::matrix<double> m(6, 4, 1.0);
  CHECK(written(m) == sizes{4, 6});
  CHECK(written(m, {4, 2, 3}) == sizes{4, 2, 3});
  CHECK(written(std::vector<double>(5, 1.0)) == sizes{5, 1});
  CHECK(written(std::vector<double>(5, 1.0), {5}) == sizes{5});

  const auto message = [&](sizes shape) {
    return refusal(error_code::shape_mismatch, [&] {
      gal::write_npy(path, m, std::move(shape));
      return 0;
    });
  };
  CHECK(message({4, 5}) ==
        "gal::write_npy: shape (4, 5) for 24 numbers; expected 1 to 32 positive sizes whose product is their "
        "number");
  CHECK(message({-4, -6}).find("(-4, -6) for 24") != std::string::npos);
  CHECK(message({24, 0}).find("(24, 0) for 24") != std::string::npos);
  CHECK(message(sizes(33, 1)) != "not refused");
  CHECK(refusal(error_code::shape_mismatch, [&] {
          gal::write_npy(path, gal::matrix<double>(3, 0));
          return 0;
        }) != "not refused");
  CHECK(gal::read_npy<double>(path).shape == sizes{5});  // what was there stays
}

TEST_CASE("a file that cannot be written leaves nothing behind") {
  const scratch here;
  const gal::matrix<float> m(2, 2, 1.0f);
  const auto message = [&](const std::string& path) {
    return refusal(error_code::unreadable_file, [&] {
      gal::write_npy(path, m);
      return 0;
    });
  };
  fs::create_directory(here.path / "taken");
  CHECK(message(here.file("taken"))
            .starts_with("gal::replace_file: cannot write " + here.file("taken") + ": "));
  CHECK(here.entries() == 1);
  CHECK(message(here.file("none/x.npy")).find("No such file") != std::string::npos);
}

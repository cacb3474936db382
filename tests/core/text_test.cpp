// Numbers as text, and back.
#include <gal/core/error.hpp>
#include <gal/core/random.hpp>
#include <gal/core/text.hpp>

#include "other_locale.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace {

using gal::detail::fixed;
using gal::detail::in_quotes;
using gal::detail::parse_number;
using gal::detail::scientific;
using gal::detail::significant;
using gal::detail::text;

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST_CASE_TEMPLATE("a number's text reads back as that number, bit for bit", T, float, double) {
  using bits_type = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  const other_locale locale;
  const auto check = [](T number) {
    const std::string digits = text(number);
    CAPTURE(digits);
    T back = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), back);
    CHECK(read.ptr == digits.data() + digits.size());
    CHECK(std::bit_cast<bits_type>(back) == std::bit_cast<bits_type>(number));
    CHECK(std::bit_cast<bits_type>(static_cast<T>(*parse_number(digits))) ==
          std::bit_cast<bits_type>(number));
  };
  gal::random_stream random{3};
  for (int k = 0; k < 1000; ++k) {
    const T number =
        std::bit_cast<T>(static_cast<bits_type>(gal::random_bits(random.seed, random.counter++)));
    if (number - number == T(0)) {  // neither NaN nor infinite
      check(number);
    }
  }
  for (const T number : {T(0), T(-0.0), T(0.1), T(1) / T(3), std::numeric_limits<T>::denorm_min(),
                         std::numeric_limits<T>::max(), std::numeric_limits<T>::lowest()}) {
    check(number);
  }
}

TEST_CASE("text has as few digits as tell a number apart") {
  CHECK(text(0.1, " ", 0.1F, " ", 0.30000000000000004, " ", 1e-5, " ", -2.5) ==
        "0.1 0.1 0.30000000000000004 1e-05 -2.5");
  CHECK(text(1234567, " ", std::uint64_t{18446744073709551615U}, " ", true, 'x', std::int8_t{7}) ==
        "1234567 18446744073709551615 1x7");
}

TEST_CASE("rounded numbers are printf's in the locale C") {
  for (const double number :
       {0.0, -0.0, 0.5, 2.5, 1.0 / 3.0, -1234567.891, 6.02e23, 1e-300, 1.7e308, infinity}) {
    for (const int digits : {1, 3, 6, 17}) {
      CAPTURE(number);
      CAPTURE(digits);
      const auto printed = [&](const char* format) {
        char buffer[400];
        std::snprintf(buffer, sizeof buffer, format, digits, number);
        return std::string(buffer);
      };
      CHECK(fixed(number, digits) == printed("%.*f"));
      CHECK(scientific(number, digits) == printed("%.*e"));
      CHECK(significant(number, digits) == printed("%.*g"));
    }
  }
  const other_locale locale;
  CHECK(fixed(1234.5, 2) == "1234.50");
  CHECK(scientific(1234.5, 2) == "1.23e+03");
  CHECK(significant(1234.5, 6) == "1234.5");
}

TEST_CASE("what is too small for double is zero, what is too large is infinite") {
  CHECK(parse_number("5e-324") == 5e-324);
  CHECK(parse_number("2.3e-310") == 2.3e-310);
  CHECK(parse_number("3e-324") == 5e-324);  // the nearest
  for (const char* tiny : {"1e-400", "2e-324", "+1e-400", "0.001e-399", "123456e-500",
                           "1e-99999999999999999999", "12345678901234567890e-1000", "1E-400"}) {
    CAPTURE(tiny);
    CHECK(parse_number(tiny) == 0.0);
  }
  CHECK(std::signbit(parse_number("-1e-400").value()));
  const std::string zeros(400, '0');
  CHECK(parse_number("0." + zeros + "1") == 0.0);
  CHECK(parse_number("0." + zeros + "1e401") == 1.0);
  CHECK(parse_number("0e99999999999999999999") == 0.0);
  for (const std::string& huge :
       {std::string("1e400"), std::string("1e309"), std::string("1e+400"), std::string("0.001e500"),
        std::string("1e99999999999999999999"), "1" + zeros, "1" + zeros + ".5", "1" + zeros + "e-10"}) {
    CAPTURE(huge);
    CHECK(parse_number(huge) == infinity);
    CHECK(parse_number("-" + huge) == -infinity);
  }
}

TEST_CASE("text that is no number is none") {
  for (const char* bad : {"", "+", "-", "+-1", "1,5", "1.5 ", " 1", "0x10", "one", "1e", "--1"}) {
    CAPTURE(bad);
    CHECK(parse_number(bad) == std::nullopt);
  }
}

TEST_CASE("no control character ends a message, or gets to the terminal") {
  const gal::error e(gal::error_code::malformed_data, std::string("a\0b\x1b[2Jc\x7f\nd\te", 13));
  CHECK(std::string(e.what()) == "a\\x00b\\x1b[2Jc\\x7f\nd\te");
  CHECK(in_quotes(std::string_view("a\0\nb", 4)) == "\"a\\x00\\x0ab\"");
  CHECK(in_quotes("abcdef", 3) == "\"abc...\"");
  CHECK(in_quotes("\xc3\xa4") == "\"\xc3\xa4\"");
}

}  // namespace

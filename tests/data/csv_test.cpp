// Reading tables: what RFC 4180 allows, what files from the wild hold, and what is refused.
#include <gal/data/csv.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace {

using names = std::vector<std::string>;
using values = std::vector<double>;

// The message of the gal::error with which `text` is refused.
std::string refusal(std::string_view text, gal::csv_options options = {}) {
  try {
    static_cast<void>(gal::parse_csv(std::string(text), options, "data.csv"));
  } catch (const gal::error& e) {
    CHECK(e.code() == gal::error_code::malformed_data);
    return e.what();
  }
  return "not refused";
}

}  // namespace

TEST_CASE("a table has names, rows and columns, and is a matrix with a sample per column") {
  const gal::table table = gal::parse_csv("x,y,z\n1,2,3\n4,5,6\n");
  CHECK(table.names == names{"x", "y", "z"});
  CHECK(table.rows() == 2);
  CHECK(table.columns() == 3);
  CHECK(table(1, 0) == 4.0);
  CHECK(table.view().shape() == gal::shape{3, 2});
  CHECK(table.view()(2, 1) == 6.0);
  CHECK(table.view().data() == table.values.data());
  CHECK(table.column_index("y") == 1);
  CHECK(gal::table{}.rows() == 0);
}

TEST_CASE("a table whose last row is not full is refused where its rows are asked for") {
  const auto message = [](const gal::table& table) {
    try {
      static_cast<void>(table.view());
    } catch (const gal::error& e) {
      CHECK(e.code() == gal::error_code::malformed_data);
      return std::string(e.what());
    }
    return std::string("not refused");
  };
  CHECK(message({{"x", "y"}, {1, 2, 3}}) ==
        "gal::table: 3 values for 2 columns; expected a whole number of rows");
  CHECK(message({{}, {1}}) == "gal::table: 1 values for 0 columns; expected a whole number of rows");
}

TEST_CASE("a header is found, asked for or denied") {
  CHECK(gal::parse_csv("1,2\n3,4\n").names == names{"column1", "column2"});
  CHECK(gal::parse_csv("1,2\n3,4\n").values == values{1, 2, 3, 4});
  CHECK(gal::parse_csv("1,b\n3,4\n", {.header = gal::csv_header::yes}).names == names{"1", "b"});
  CHECK(gal::parse_csv(",b\n0,4\n").names == names{"", "b"});
  CHECK(gal::parse_csv("2020,2021\n3,4\n", {.header = gal::csv_header::yes}).names == names{"2020", "2021"});
  CHECK(gal::parse_csv("1,2\n", {.header = gal::csv_header::no}).rows() == 1);
}

TEST_CASE("a first row that may be names or data with a bad value is refused") {
  CHECK(refusal("1,2,x3\n4,5,6\n") ==
        "gal::read_csv: data.csv, line 1, column 3: \"x3\" in a first row with numbers; expected "
        "csv_header::yes if "
        "the row names the columns, or csv_header::no and a number");
  CHECK(refusal("year,2020,2021\n1,2,3\n").find("line 1, column 1: \"year\"") != std::string::npos);
  CHECK(refusal("1,,3\n4,5,6\n").find("line 1, column 2: no value in a first row") != std::string::npos);
  CHECK(refusal("x,nan\n4,5\n").find("line 1, column 1: \"x\"") != std::string::npos);
  // Nothing but gaps is data with gaps.
  CHECK(refusal(",\n4,5\n").find("line 1, column 1 (\"column1\"): no value") != std::string::npos);
  CHECK(refusal("1,2,x3\n4,5,6\n", {.header = gal::csv_header::no}).find("column 3 (\"column3\"): \"x3\"") !=
        std::string::npos);
}

TEST_CASE("line ends, byte order mark, blank lines at the end and blanks around fields do not matter") {
  const gal::table expected = gal::parse_csv("x,y\n1,2\n3,4\n");
  CHECK(gal::parse_csv("x,y\n1,2\n3,4") == expected);
  CHECK(gal::parse_csv("x,y\r\n1,2\r\n3,4\r\n") == expected);
  CHECK(gal::parse_csv("x,y\r1,2\r3,4\r") == expected);
  CHECK(gal::parse_csv("\xEF\xBB\xBFx,y\n1,2\n3,4\n") == expected);
  CHECK(gal::parse_csv("x,y\n1,2\n3,4\n\n  \r\n\n") == expected);
  CHECK(gal::parse_csv(" x , y\n1\t, 2 \n 3,4\n") == expected);
  CHECK(gal::parse_csv("x\ty\n1\t2\n3\t4\n", {.delimiter = '\t'}) == expected);
  CHECK(gal::parse_csv("x;y\n1;2\n3;4\n", {.delimiter = ';'}) == expected);
}

TEST_CASE("quoted fields hold delimiters, quotes and line breaks") {
  CHECK(gal::parse_csv("\"x\",\"y\"\n\"1\",\"-2.5\"\n").values == values{1, -2.5});
  CHECK(gal::parse_csv("\"a, b\",\"the \"\"c\"\"\"\n1,2\n").names == names{"a, b", "the \"c\""});
  CHECK(gal::parse_csv("\"two\nlines\",\"\r\n\"\n1,2\n").names == names{"two\nlines", "\r\n"});
  CHECK(gal::parse_csv(" \"x\" ,y\n1,2\n").names == names{"x", "y"});
  CHECK(gal::parse_csv("\"\",y\n1,2").names == names{"", "y"});
}

TEST_CASE("numbers come in every usual spelling and to the last bit, whatever the locale") {
  const char* const before = std::setlocale(LC_NUMERIC, nullptr);
  const std::string restored = before;
  std::setlocale(LC_NUMERIC, "de_DE.UTF-8");  // where it is installed: its decimal mark is a comma
  CHECK(gal::parse_csv("1,-2,+3,4.5,.5,6.,7e2,-8E-3,0\n").values ==
        values{1, -2, 3, 4.5, 0.5, 6, 700, -0.008, 0});
  CHECK(gal::parse_csv("0.1,1.7976931348623157e308,5e-324\n").values ==
        values{0.1, 1.7976931348623157e308, 5e-324});
  CHECK(gal::parse_csv("1e-400,-1e-400,2.3e-310,1e-99999999999999999999\n").values ==
        values{0, 0, 2.3e-310, 0});
  std::setlocale(LC_NUMERIC, restored.c_str());
}

TEST_CASE("the files of the examples read") {
  const std::string folder = GAL_TEST_DATA_DIR "/../../examples/data/";
  const gal::table boston = gal::read_csv(folder + "boston.csv");
  CHECK(boston.view().shape() == gal::shape{14, 506});
  CHECK(boston(505, boston.column_index("medv")) == 11.9);
  const gal::table diabetes = gal::read_csv(folder + "diabetes.csv");
  CHECK(diabetes.view().shape() == gal::shape{11, 442});
  CHECK(diabetes(0, diabetes.column_index("progression")) == 151.0);
  const gal::table digits = gal::read_csv(folder + "digits.csv");
  CHECK(digits.view().shape() == gal::shape{65, 1797});
  CHECK(digits.column_index("label") == 64);
}

TEST_CASE("a value that is no finite number is refused with line, column, name and text") {
  CHECK(refusal("x,y\n1,2\n3,abc\n") ==
        "gal::read_csv: data.csv, line 3, column 2 (\"y\"): \"abc\"; expected a finite number in the range "
        "of double");
  CHECK(refusal("x,y\n1,2\n,4\n") ==
        "gal::read_csv: data.csv, line 3, column 1 (\"x\"): no value; expected a finite number in the range "
        "of double");
  for (const std::string bad : {"nan", "-NaN", "inf", "infinity", "1e999", "-1e400", "1e99999999999999999999",
                                "0x10", "1.5.2", "+-1", "+", "-", "1 2", "--1", "1,5\""}) {
    CAPTURE(bad);
    CHECK(refusal("x\n1\n\"" + bad + "\"\n") != "not refused");
  }
  CHECK(refusal("x\n1\n2\nnan\n") ==
        "gal::read_csv: data.csv, line 4, column 1 (\"x\"): \"nan\"; expected a finite number in the range "
        "of double");
  CHECK(refusal("x\n" + std::string(100, 'a')) ==
        "gal::read_csv: data.csv, line 2, column 1 (\"x\"): \"" + std::string(40, 'a') +
            "...\"; expected a finite number in the range of double");
  CHECK(refusal("1,nan\n4,5\n").find("line 1, column 2 (\"column2\"): \"nan\"") != std::string::npos);
  CHECK(refusal("x,y\n1,2\n", {.header = gal::csv_header::no}).find("line 1, column 1") != std::string::npos);
}

TEST_CASE("lines are counted as an editor does") {
  CHECK(refusal("\"x\r\n\",\"y\n\"\n1,2\n3,?\n").find("line 5, column 2") != std::string::npos);
  CHECK(refusal("x\r1\r?\r").find("line 3, column 1") != std::string::npos);
}

TEST_CASE("rows of different lengths are refused with the line and both counts") {
  CHECK(refusal("x,y\n1,2\n3\n") == "gal::read_csv: data.csv, line 3 has 1 fields; expected 2, as in line 1");
  CHECK(refusal("1,2\n3,4,5\n") == "gal::read_csv: data.csv, line 2 has 3 fields; expected 2, as in line 1");
  CHECK(refusal("1,2\n3,4,\n") == "gal::read_csv: data.csv, line 2 has 3 fields; expected 2, as in line 1");
  CHECK(refusal("1,2\n\n3,4\n") == "gal::read_csv: data.csv, line 2 has 1 fields; expected 2, as in line 1");
  CHECK(refusal("1\n\n3\n").find("line 2, column 1 (\"column1\"): no value") != std::string::npos);
}

TEST_CASE("broken quotes and repeated names are refused") {
  CHECK(refusal("x,y\n1,\"2\n3,4\n") ==
        "gal::read_csv: data.csv, line 2, column 2: a quoted field that does not end; expected a closing "
        "quote");
  CHECK(refusal("x,y\n\"1\"2,3\n") ==
        "gal::read_csv: data.csv, line 2, column 1: text after a closing quote; expected a delimiter or the "
        "end of "
        "the line");
  CHECK(refusal("x,y,x\n1,2,3\n") ==
        "gal::read_csv: data.csv, line 1: columns 1 and 3 are both called \"x\"; expected different names");
}

TEST_CASE("files without rows or that cannot be read are refused") {
  for (const std::string empty : {"", "\n", "\xEF\xBB\xBF", " \r\n\n"}) {
    CHECK(refusal(empty) == "gal::read_csv: data.csv is empty; expected rows of numbers");
  }
  CHECK(refusal("x,y\n\n") ==
        "gal::read_csv: data.csv holds only the names of its columns; expected rows of numbers");

  for (const std::string path : {GAL_TEST_DATA_DIR "/no_such_file.csv", GAL_TEST_DATA_DIR}) {
    CAPTURE(path);
    try {
      static_cast<void>(gal::read_csv(path));
      FAIL("not refused");
    } catch (const gal::error& e) {
      CHECK(e.code() == gal::error_code::unreadable_file);
      CHECK(std::string_view(e.what()).starts_with("gal::read_csv: cannot read " + path + ": "));
    }
  }
}

TEST_CASE("what is no text in UTF-8 is refused, with the line and the whole message") {
  using namespace std::string_literals;
  CHECK(refusal("\xFF\xFEx\0\n\0001\0\n\0"s) ==
        "gal::read_csv: data.csv begins with the byte order mark of UTF-16; expected UTF-8");
  CHECK(refusal("\xFE\xFF\0x\0\n"s) ==
        "gal::read_csv: data.csv begins with the byte order mark of UTF-16; expected UTF-8");
  CHECK(refusal("x\0,\0y\0\n\0"s) ==
        "gal::read_csv: data.csv, line 1: a byte of 0, as text in UTF-16 has; expected UTF-8");
  CHECK(refusal("x,y\r\n1,2\r3,\0\n"s) ==
        "gal::read_csv: data.csv, line 3: a byte of 0, as text in UTF-16 has; expected UTF-8");
  CHECK(refusal("x\n1\x1b[2J\n") ==
        "gal::read_csv: data.csv, line 2, column 1 (\"x\"): \"1\\x1b[2J\"; expected a finite number in the "
        "range of double");
}

TEST_CASE("a table takes time as it has columns") {
  // Half a million, which take under a second; in squares they would take minutes, and ctest ends this program after two.
  constexpr int columns = 500000;
  std::string names = "name", numbers = "1";
  for (int j = 1; j < columns; ++j) {
    names += ",name" + std::to_string(j);
    numbers += ",2";
  }
  for (const std::string& text : {numbers, names + "\n" + numbers}) {
    const gal::table table = gal::parse_csv(text);
    CHECK(table.columns() == columns);
    CHECK(table(0, columns - 1) == 2.0);
  }
}

TEST_CASE("impossible delimiters and unknown names are refused") {
  for (const char delimiter : {'"', '\n', '\r', '\0'}) {
    CHECK_THROWS_AS(static_cast<void>(gal::parse_csv("1\n", {.delimiter = delimiter})), gal::error);
  }
  CHECK_THROWS_WITH_AS(static_cast<void>(gal::parse_csv("x,y\n1,2\n").column_index("z")),
                       "gal::table: no column \"z\"; expected one of \"x\", \"y\"", gal::error);
}

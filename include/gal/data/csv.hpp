// gal/data/csv.hpp: tables of numbers in text files.
// Provides: table, csv_header, csv_options, read_csv, parse_csv.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/view.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// Numbers with a name for every column; rows and columns as they stand in the file, so a row is a sample.
struct table {
  std::vector<std::string> names;  ///< one per column
  std::vector<double> values;      ///< row after row, `rows() * columns()` of them

  /// Throws where the values do not fill the last row (`malformed_data`).
  [[nodiscard]] index_type rows() const {
    const bool filled = names.empty() ? values.empty() : values.size() % names.size() == 0;
    detail::require(filled, error_code::malformed_data, "gal::table: ", values.size(), " values for ",
                    names.size(), " columns; expected a whole number of rows");
    return names.empty() ? 0 : static_cast<index_type>(values.size()) / columns();
  }
  [[nodiscard]] index_type columns() const { return static_cast<index_type>(names.size()); }

  [[nodiscard]] double operator()(index_type row, index_type column) const {
    return values[static_cast<std::size_t>(row * columns() + column)];
  }

  /// `columns() x rows()`: the same memory as the library reads it, a sample per column.
  [[nodiscard]] matrix_view<const double> view() const { return {values.data(), columns(), rows()}; }

  /// Position of the column called `name`, from 0. Throws where there is none, listing those there are.
  [[nodiscard]] index_type column_index(std::string_view name) const {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      std::string available;
      for (const std::string& other : names) {
        available += (available.empty() ? "\"" : ", \"") + other + "\"";
      }
      throw error(error_code::invalid_option,
                  detail::text("gal::table: no column \"", name, "\"; expected one of ", available));
    }
    return found - names.begin();
  }

  friend bool operator==(const table&, const table&) = default;
};

/// Whether the first row of a file holds the names of its columns.
enum class csv_header {
  automatic,  ///< it does if it holds text and no number; a first row of both is refused. nan and inf are numbers
  yes,
  no,  ///< the columns are called column1, column2, ...
};
constexpr auto enumerator_names(csv_header) {
  return std::to_array<std::string_view>({"automatic", "yes", "no"});
}

/// Settings of `read_csv`.
struct csv_options {
  csv_header header = csv_header::automatic;
  char delimiter = ',';  ///< anything but a quote, a line break or a byte of 0
};

namespace detail {

// Cuts a text into the fields of its rows. Nothing is copied: fields point into the text, where doubled
// quotes are resolved in place.
class csv_reader {
 public:
  csv_reader(std::string& text, char delimiter, std::string_view source)
      : position_(text.data()), end_(text.data() + text.size()), delimiter_(delimiter), source_(source) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (std::string_view(text).starts_with(byte_order_mark)) {
      position_ += byte_order_mark.size();
    }
  }

  // Reads the next row; false where only blank lines are left.
  bool next() {
    if (std::all_of(position_, end_, [this](char c) { return is_blank(c) || is_line_break(c); })) {
      return false;
    }
    row_line_ = line_;
    fields_.clear();
    bool more = true;
    while (more) {
      fields_.push_back(field());
      more = position_ != end_ && *position_ == delimiter_;
      position_ += more ? 1 : 0;
    }
    if (position_ != end_) {
      line_break();
    }
    return true;
  }

  // Fields of the last row, without quotes and surrounding blanks.
  [[nodiscard]] const std::vector<std::string_view>& fields() const { return fields_; }

  // Line on which the last row begins, from 1. Quoted line breaks count, as they do in an editor.
  [[nodiscard]] index_type line() const { return row_line_; }

  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    throw error(error_code::malformed_data, text("gal::read_csv: ", source_, ", line ", row_line_, parts...));
  }

 private:
  [[nodiscard]] bool is_blank(char c) const { return (c == ' ' || c == '\t') && c != delimiter_; }
  [[nodiscard]] static bool is_line_break(char c) { return c == '\n' || c == '\r'; }
  [[nodiscard]] bool ends_field(char c) const { return c == delimiter_ || is_line_break(c); }

  // Steps over LF, CR LF or CR.
  void line_break() {
    const bool two = *position_ == '\r' && position_ + 1 != end_ && position_[1] == '\n';
    position_ += two ? 2 : 1;
    ++line_;
  }

  void skip_blanks() {
    position_ = std::find_if_not(position_, end_, [this](char c) { return is_blank(c); });
  }

  std::string_view field() {
    skip_blanks();
    if (position_ != end_ && *position_ == '"') {
      return quoted_field();
    }
    const char* const begin = position_;
    position_ = std::find_if(position_, end_, [this](char c) { return ends_field(c); });
    const char* last = position_;
    while (last != begin && is_blank(last[-1])) {
      --last;
    }
    return {begin, static_cast<std::size_t>(last - begin)};
  }

  std::string_view quoted_field() {
    char* const begin = ++position_;
    char* to = begin;
    while (true) {
      if (position_ == end_) {
        fail(", column ", fields_.size() + 1, ": a quoted field that does not end; expected a closing quote");
      }
      if (*position_ == '"') {
        ++position_;
        if (position_ == end_ || *position_ != '"') {
          break;
        }
        *to++ = *position_++;
      } else {
        const char c = *position_++;
        const bool line_ends = c == '\n' || (c == '\r' && (position_ == end_ || *position_ != '\n'));
        line_ += line_ends ? 1 : 0;
        *to++ = c;
      }
    }
    skip_blanks();
    if (position_ != end_ && !ends_field(*position_)) {
      fail(", column ", fields_.size() + 1,
           ": text after a closing quote; expected a delimiter or the end of the line");
    }
    return {begin, static_cast<std::size_t>(to - begin)};
  }

  char* position_;
  char* end_;
  char delimiter_;
  std::string_view source_;
  std::vector<std::string_view> fields_;
  index_type line_ = 1;
  index_type row_line_ = 1;
};

// A field as messages show it.
inline std::string shown(std::string_view field) { return field.empty() ? "no value" : in_quotes(field); }

// That a text is no UTF-16, nor binary: both show in bytes of zero, UTF-16 in its byte order mark too.
inline void require_plain_text(std::string_view contents, std::string_view source) {
  const bool marked = contents.starts_with("\xFF\xFE") || contents.starts_with("\xFE\xFF");
  require(!marked, error_code::malformed_data, "gal::read_csv: ", source,
          " begins with the byte order mark of UTF-16; expected UTF-8");
  const std::size_t zero = contents.find('\0');
  if (zero != std::string_view::npos) {
    // Lines end as csv_reader has it.
    const std::string_view before = contents.substr(0, zero);
    index_type line = 1;
    for (std::size_t k = 0; k < before.size(); ++k) {
      line += before[k] == '\n' || (before[k] == '\r' && contents[k + 1] != '\n') ? 1 : 0;
    }
    throw error(error_code::malformed_data, text("gal::read_csv: ", source, ", line ", line,
                                                 ": a byte of 0, as text in UTF-16 has; expected UTF-8"));
  }
}

// Whether the first row names the columns. One that holds numbers and text may be either: names with a year among
// them, or data with a bad value, which must not be lost as a name.
inline bool is_header(const csv_reader& reader) {
  const auto& fields = reader.fields();
  const auto is_number = [](std::string_view field) { return parse_number(field).has_value(); };
  const auto word = std::find_if_not(fields.begin(), fields.end(), is_number);
  const bool numbers = std::any_of(fields.begin(), fields.end(), is_number);
  if (word != fields.end() && numbers) {
    reader.fail(", column ", word - fields.begin() + 1, ": ", shown(*word),
                " in a first row with numbers; expected csv_header::yes if the row names the columns, or "
                "csv_header::no and a number");
  }
  // A row of nothing but gaps names nothing.
  return !numbers && !std::all_of(fields.begin(), fields.end(), [](auto field) { return field.empty(); });
}

inline std::vector<std::string> column_names(const csv_reader& reader, bool header) {
  std::vector<std::string> names;
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t j = 0; j < reader.fields().size(); ++j) {
    names.push_back(header ? std::string(reader.fields()[j]) : text("column", j + 1));
    const auto [same, is_new] = places.emplace(names.back(), j);
    if (!is_new) {
      reader.fail(": columns ", same->second + 1, " and ", j + 1, " are both called ",
                  in_quotes(names.back()), "; expected different names");
    }
  }
  return names;
}

inline void append_row(table& result, const csv_reader& reader, index_type first_line) {
  const auto& fields = reader.fields();
  if (fields.size() != result.names.size()) {
    reader.fail(" has ", fields.size(), " fields; expected ", result.names.size(), ", as in line ",
                first_line);
  }
  for (std::size_t j = 0; j < fields.size(); ++j) {
    const std::optional<double> value = parse_number(fields[j]);
    if (!value || !std::isfinite(*value)) [[unlikely]] {
      reader.fail(", column ", j + 1, " (", in_quotes(result.names[j]), "): ", shown(fields[j]),
                  "; expected a finite number in the range of double");
    }
    result.values.push_back(*value);
  }
}

// The contents of a file; `reader` names who asks in messages.
inline std::string read_file(const std::string& path, std::string_view reader) {
  struct closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  errno = 0;
  const std::unique_ptr<std::FILE, closer> file(std::fopen(path.c_str(), "rb"));
  std::string contents;
  bool readable = file != nullptr;
  std::size_t size = 0;
  for (std::size_t chunk = std::size_t{1} << 16; readable; chunk *= 2) {
    contents.resize(size + chunk);
    const std::size_t count = std::fread(contents.data() + size, 1, chunk, file.get());
    size += count;
    if (count < chunk) {
      readable = std::ferror(file.get()) == 0;  // fails here for a directory
      break;
    }
  }
  if (!readable) {
    const int reason = errno;
    throw error(error_code::unreadable_file,
                text(reader, ": cannot read ", path, ": ", std::generic_category().message(reason)));
  }
  contents.resize(size);
  return contents;
}

}  // namespace detail

/// Reads a table from text in memory, as `read_csv` does from a file. `source` names the text in messages.
///
///     gal::table t = gal::parse_csv("x,y\n1,2\n3,4\n");   // t.names: x, y; t(1, 0) is 3
[[nodiscard]] inline table parse_csv(std::string text, csv_options options = {},
                                     std::string_view source = "text") {
  detail::require(std::string_view("\"\n\r\0", 4).find(options.delimiter) == std::string_view::npos,
                  error_code::invalid_option, "gal::csv_options: delimiter with code ",
                  static_cast<int>(options.delimiter), "; expected no quote, line break or byte of 0");
  detail::require_enumerator(options.header, "gal::csv_options: header");
  detail::require_plain_text(text, source);
  detail::csv_reader reader(text, options.delimiter, source);
  detail::require(reader.next(), error_code::malformed_data, "gal::read_csv: ", source,
                  " is empty; expected rows of numbers");
  const bool header = options.header == csv_header::yes ||
                      (options.header == csv_header::automatic && detail::is_header(reader));
  const index_type first_line = reader.line();

  table result;
  result.names = detail::column_names(reader, header);
  bool has_row = !header || reader.next();
  detail::require(has_row, error_code::malformed_data, "gal::read_csv: ", source,
                  " holds only the names of its columns; expected rows of numbers");
  for (; has_row; has_row = reader.next()) {
    detail::append_row(result, reader, first_line);
  }
  return result;
}

/// Reads a table of numbers from a text file with a row per line, as described by RFC 4180: fields may be
/// quoted, and then hold delimiters, line breaks and doubled quotes. Lines end with LF, CR LF or CR; a UTF-8
/// byte order mark, blanks around fields and blank lines at the end are ignored. The decimal mark is a point
/// in every locale; a number too small for double is 0.
///
///     gal::table boston = gal::read_csv("examples/data/boston.csv");
///     gal::table plain = gal::read_csv("samples.txt", {.header = gal::csv_header::no, .delimiter = ';'});
///
/// Strict about the contents. Throws `gal::error` where the file cannot be read (`unreadable_file`), and,
/// naming file, line and column, where it is empty, rows differ in length, two columns share a name, or a
/// value is missing, infinite, too large for double, NaN or no number at all, it is not clear whether the first
/// row names the columns, or the text is UTF-16 or holds a byte of 0 (`malformed_data`).
[[nodiscard]] inline table read_csv(const std::string& path, csv_options options = {}) {
  return parse_csv(detail::read_file(path, "gal::read_csv"), options, path);
}

}  // namespace gal

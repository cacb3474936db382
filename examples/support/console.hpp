// support/console.hpp: what the examples show on the terminal.
// Provides: console_table, fixed, scientific.
#pragma once

#include <gal/core/text.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace support {

/// A number with so many decimals; "n/a" for none, NaN and infinity.
inline std::string fixed(std::optional<double> number, int decimals) {
  return number && std::isfinite(*number) ? gal::detail::fixed(*number, decimals) : "n/a";
}

/// The same with an exponent: 1.20e-03.
inline std::string scientific(std::optional<double> number, int decimals) {
  return number && std::isfinite(*number) ? gal::detail::scientific(*number, decimals) : "n/a";
}

/// Text in columns as wide as they need: the first `left` flush left, the others flush right.
class console_table {
 public:
  explicit console_table(std::vector<std::string> header, std::size_t left = 1)
      : rows_{std::move(header)}, left_(left) {}

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  /// A line between the rows before and those to come.
  void add_rule() { rows_.emplace_back(); }

  void print() const {
    std::vector<std::size_t> widths(rows_.front().size(), 0);
    for (const auto& row : rows_) {
      for (std::size_t j = 0; j < row.size(); ++j) {
        widths.at(j) = std::max(widths.at(j), row[j].size());
      }
    }
    print_row(rows_.front(), widths);
    print_row({}, widths);
    for (std::size_t i = 1; i < rows_.size(); ++i) {
      print_row(rows_[i], widths);
    }
  }

 private:
  void print_row(const std::vector<std::string>& row, const std::vector<std::size_t>& widths) const {
    std::string line;
    for (std::size_t j = 0; j < widths.size(); ++j) {
      const std::string cell = row.empty() ? std::string(widths[j], '-') : row.at(j);
      const std::string padding(widths[j] - cell.size(), ' ');
      line += (j == 0 ? "" : "  ") + (j < left_ ? cell + padding : padding + cell);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    std::printf("%s\n", line.c_str());
  }

  std::vector<std::vector<std::string>> rows_;
  std::size_t left_;
};

}  // namespace support

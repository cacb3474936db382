// A locale with a decimal comma and points between thousands, as German has it, for as long as an object lives.
#pragma once

#include <clocale>
#include <locale>
#include <string>

class other_locale {
 public:
  other_locale() : c_before_(std::setlocale(LC_ALL, nullptr)) {
    const bool installed =
        std::setlocale(LC_ALL, "de_DE.UTF-8") != nullptr || std::setlocale(LC_ALL, "de_DE.utf8") != nullptr;
    has_c_locale_ = installed;
    before_ = std::locale::global(std::locale(std::locale::classic(), new punctuation));  // C++ streams
  }
  ~other_locale() {
    std::locale::global(before_);
    std::setlocale(LC_ALL, c_before_.c_str());
  }
  other_locale(const other_locale&) = delete;
  other_locale& operator=(const other_locale&) = delete;

  /// Whether printf has it too: only where it is installed.
  [[nodiscard]] bool has_c_locale() const { return has_c_locale_; }

 private:
  struct punctuation : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };

  std::string c_before_;
  std::locale before_;
  bool has_c_locale_ = false;
};

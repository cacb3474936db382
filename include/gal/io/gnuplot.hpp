// gal/io/gnuplot.hpp: pictures by the program gnuplot, from a script that stays beside them (POSIX).
// Provides: gnuplot. Includes gal/io/files.hpp.
#pragma once

#include <gal/core/error.hpp>
#include <gal/core/text.hpp>
#include <gal/io/files.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI {

/// The program gnuplot. It runs in the directory of the pictures, so that scripts name files without their directory:
/// `cd DIRECTORY && gnuplot NAME.gp` draws them again.
class gnuplot {
 public:
  /// The gnuplot that a shell would run; nothing where there is none.
  [[nodiscard]] static std::optional<gnuplot> find() {
    const char* const path = std::getenv("PATH");
    std::istringstream directories(path == nullptr ? "" : path);
    for (std::string directory; std::getline(directories, directory, ':');) {
      const auto program = std::filesystem::path(directory.empty() ? "." : directory) / "gnuplot";
      std::error_code ignored;
      if (std::filesystem::is_regular_file(program, ignored) && ::access(program.c_str(), X_OK) == 0) {
        return gnuplot(std::filesystem::absolute(program).string());
      }
    }
    return std::nullopt;
  }

  /// Text as a string of gnuplot's language.
  [[nodiscard]] static std::string literal(std::string_view text) { return quoted(text, "''"); }

  /// Writes `script` to `directory`/`name`.gp, as one that draws `name`.KIND: it calls `start(kind, width, height)` before
  /// every picture; variables `vanilla`, `adjusted` and `ink` hold colours that the colour-blind can tell apart, and data
  /// are separated by commas. The directory exists. Throws `gal::error` where the file cannot be written.
  static void write_script(const std::filesystem::path& directory, const std::string& name,
                           std::string_view script) {
    replace_file((directory / (name + ".gp")).string(), {prologue(name), script, "unset output\n"});
  }

  /// Writes the script and runs it there, for the kinds given (png, svg, gif). Pictures are there completely or not at all.
  /// Throws `gal::error` with gnuplot's message where it fails.
  void draw(const std::filesystem::path& directory, const std::string& name, std::string_view script,
            const std::vector<std::string>& kinds) const {
    write_script(directory, name, script);
    // Pictures get their own names only once all of them are complete.
    const std::string suffix = detail::text(".", ::getpid(), ".part");
    const std::string command = "cd " + quoted(std::filesystem::absolute(directory).string()) + " && " +
                                quoted(program_) + " -e \"suffix='" + suffix + "'\" " + quoted(name + ".gp") +
                                " 2>&1";
    std::vector<std::string> pictures;
    try {
      const auto [status, message] = run(command);
      detail::require(status == 0, error_code::unreadable_file, "gnuplot failed on ",
                      (directory / (name + ".gp")).string(), ":\n", message);
      for (const std::string& kind : kinds) {
        pictures.push_back(take((directory / (name + "." + kind + suffix)).string()));
      }
    } catch (const error&) {
      for (const std::string& kind : kinds) {
        std::error_code ignored;
        std::filesystem::remove((directory / (name + "." + kind + suffix)), ignored);
      }
      throw;
    }
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      replace_file((directory / (name + "." + kinds[k])).string(), {pictures[k]});
    }
  }

 private:
  explicit gnuplot(std::string program) : program_(std::move(program)) {}

  // Colours by Okabe and Ito.
  static std::string prologue(const std::string& name) {
    return "# Draws " + name + " again: gnuplot " + name + ".gp\n" +
           R"(if (!exists('suffix')) suffix = ''
set encoding utf8
set datafile separator ','
vanilla = '#D55E00'
adjusted = '#0072B2'
ink = '#333333'
set border linecolor rgb ink
set tics textcolor rgb ink
set key textcolor rgb ink
png = strstrt(GPVAL_TERMINALS, 'pngcairo') ? 'pngcairo rounded' : 'png truecolor'
terminal_of(kind) = kind eq 'svg' ? 'svg dynamic rounded' : kind eq 'gif' ? 'gif animate delay 6 loop 0 optimize' : png
font_of(kind) = kind eq 'gif' ? '' : sprintf(" font 'sans-serif,%d'", kind eq 'svg' ? 14 : 13)
start(kind, width, height) = sprintf("set terminal %s size %d,%d%s background rgb 'white'; set output '%s'", \
  terminal_of(kind), width, height, font_of(kind), ')" +
           name + R"(.' . kind . suffix)
)";
  }

  // In single quotes, where nothing is special but the quote itself: `quote` is how to write it, here for a shell.
  static std::string quoted(std::string_view text, std::string_view quote = "'\\''") {
    std::string result;
    for (const char c : text) {
      result += c == '\'' ? quote : std::string_view(&c, 1);
    }
    return "'" + result + "'";
  }

  // Contents of a file that goes away.
  static std::string take(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    detail::require(file.is_open(), error_code::unreadable_file, "gnuplot left no ", path);
    std::string contents{std::istreambuf_iterator<char>(file), {}};
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    return contents;
  }

  // Exit status of a command, and what it printed.
  static std::pair<int, std::string> run(const std::string& command) {
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    detail::require(pipe != nullptr, error_code::unreadable_file, "cannot start a shell for gnuplot");
    std::string output;
    char buffer[4096];
    while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe)) {
      output.append(buffer, count);
    }
    const int status = ::pclose(pipe);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 1, output};
  }

  std::string program_;
};

}  // namespace gal

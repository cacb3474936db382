// Files that are there completely or not at all, where links, modes and directories are in the way.
#include <gal/io/files.hpp>

#include "scratch.hpp"
#include "testing.hpp"

#include <doctest/doctest.h>

#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace {

namespace fs = std::filesystem;

std::string refused(const std::string& path) {
  return refusal(gal::error_code::unreadable_file, [&] {
    gal::replace_file(path, {"new"});
    return 0;
  });
}

void write(const std::string& path, const char* text) { std::ofstream(path) << text; }

struct ::stat status_of(const std::string& path) {
  struct ::stat result {};
  REQUIRE(::stat(path.c_str(), &result) == 0);
  return result;
}

unsigned mode_of(const std::string& path) { return status_of(path).st_mode & 07777U; }

constexpr unsigned nobody = 65534;

// What `work` returns, where this is root in a process that may do little; false where it throws.
template <class Work>
bool as_nobody(Work work) {
  if (::geteuid() != 0) {
    return work();
  }
  const ::pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    bool holds = false;
    if (::setgroups(0, nullptr) == 0 && ::setgid(nobody) == 0 && ::setuid(nobody) == 0) {
      try {
        holds = work();
      } catch (...) {
      }
    }
    ::_exit(holds ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// For as long as it lives.
struct mask {
  ::mode_t before;
  explicit mask(::mode_t m) : before(::umask(m)) {}
  mask(const mask&) = delete;
  mask& operator=(const mask&) = delete;
  ~mask() { ::umask(before); }
};

TEST_CASE("a symbolic link stays one, and the file that it leads to is replaced") {
  const scratch folder;
  fs::create_directories(folder.path / "there");
  const std::string target = folder.file("there/target");
  write(target, "old");
  fs::create_symlink("there/target", folder.path / "relative");
  fs::create_symlink(target, folder.path / "absolute");
  fs::create_symlink("relative", folder.path / "chain");
  fs::create_directory_symlink("there", folder.path / "folder");
  for (const char* name : {"relative", "absolute", "chain", "folder/target"}) {
    CAPTURE(name);
    const std::string path = folder.file(name);
    gal::replace_file(path, {"new ", name});
    CHECK(contents(target) == std::string("new ") + name);
    CHECK(contents(path) == contents(target));
  }
  CHECK(fs::read_symlink(folder.path / "relative") == "there/target");
  CHECK(fs::read_symlink(folder.path / "absolute") == target);
  CHECK(fs::read_symlink(folder.path / "chain") == "relative");
  CHECK(fs::is_regular_file(fs::symlink_status(target)));
  CHECK(folder.entries() == 5);  // no temporary file stays
  CHECK(std::distance(fs::directory_iterator(folder.path / "there"), {}) == 1);
}

TEST_CASE("what a link leads to may be missing, but not the directory") {
  const scratch folder;
  fs::create_symlink("missing", folder.path / "dangling");
  gal::replace_file(folder.file("dangling"), {"new"});
  CHECK(fs::is_symlink(folder.path / "dangling"));
  CHECK(contents(folder.file("missing")) == "new");

  fs::create_symlink("none/missing", folder.path / "nowhere");
  CHECK(refused(folder.file("nowhere")) == "gal::replace_file: cannot write " + folder.file("nowhere") +
                                               ", a link to " + folder.file("none/missing") +
                                               ": No such file or directory");
  fs::create_symlink("circle", folder.path / "circle");
  CHECK(refused(folder.file("circle")) ==
        "gal::replace_file: cannot write " + folder.file("circle") + ": Too many levels of symbolic links");
  CHECK(fs::is_symlink(folder.path / "circle"));
  CHECK(folder.entries() == 4);
}

TEST_CASE("a file keeps its mode, and a new one has what the umask leaves") {
  const scratch folder;
  const mask everyone_reads(022);
  const std::string path = folder.file("file");
  gal::replace_file(path, {"new"});
  CHECK(mode_of(path) == 0644U);
  for (const unsigned mode : {0600U, 0640U, 0666U, 0444U, 0700U}) {
    CAPTURE(mode);
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    gal::replace_file(path, {"newer"});
    CHECK(mode_of(path) == mode);
    CHECK(contents(path) == "newer");
  }
  const mask nobody_reads(077);
  gal::replace_file(folder.file("secret"), {"new"});
  CHECK(mode_of(folder.file("secret")) == 0600U);
}

TEST_CASE("a file keeps its owner and group, where the process may give them") {
  if (::geteuid() != 0) {
    MESSAGE("not root: not tried");
    return;
  }
  const scratch folder;
  const std::string path = folder.file("file");
  write(path, "old");
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  REQUIRE(::chown(path.c_str(), 1234, 2345) == 0);
  gal::replace_file(path, {"new"});
  CHECK(status_of(path).st_uid == 1234);
  CHECK(status_of(path).st_gid == 2345);
  CHECK(mode_of(path) == 0640U);

  // Somebody else, who may write to the directory: the rights of the old group are not those of another.
  REQUIRE(::chmod(path.c_str(), 0664) == 0);
  REQUIRE(::chmod(folder.path.c_str(), 0777) == 0);
  CHECK(as_nobody([&] {
    gal::replace_file(path, {"newer"});
    return true;
  }));
  CHECK(contents(path) == "newer");
  CHECK(status_of(path).st_uid == nobody);
  CHECK(status_of(path).st_gid == nobody);
  CHECK(mode_of(path) == 0644U);
}

TEST_CASE("what is no file is not replaced") {
  const scratch folder;
  fs::create_directory(folder.path / "taken");
  CHECK(refused(folder.file("taken")) ==
        "gal::replace_file: cannot write " + folder.file("taken") + ": Is a directory");
  REQUIRE(::mkfifo(folder.file("pipe").c_str(), 0600) == 0);
  CHECK(refused(folder.file("pipe")) ==
        "gal::replace_file: cannot write " + folder.file("pipe") + ": it is no regular file");
  CHECK(fs::is_fifo(folder.path / "pipe"));
  CHECK(folder.entries() == 2);
}

TEST_CASE("in a directory that cannot be written to the file stays as it was") {
  const scratch folder;
  fs::create_directory(folder.path / "locked");
  const std::string path = folder.file("locked/file");
  write(path, "old");
  REQUIRE(::chmod(folder.file("locked").c_str(), 0555) == 0);
  CHECK(as_nobody(
      [&] { return refused(path) == "gal::replace_file: cannot write " + path + ": Permission denied"; }));
  CHECK(contents(path) == "old");
  REQUIRE(::chmod(folder.file("locked").c_str(), 0755) == 0);
}

}  // namespace

#include <gal/io/machine.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>

TEST_CASE("the machine's record names library, compiler and processor, the same every time") {
  const auto record = gal::machine_record();
  std::map<std::string, std::string> values;
  for (const auto& [name, value] : record) {
    CHECK(!value.empty());
    CHECK(values.emplace(name, value).second);
  }
  CHECK(values["library"] == "gal " GAL_TEST_VERSION);  // the version that CMake installs
  for (const char* const name : {"compiler", "optimised", "processor", "hardware_threads", "system"}) {
    CAPTURE(name);
    CHECK(values.contains(name));
  }
#if defined(__OPTIMIZE__)
  CHECK(values["optimised"] == "yes");
#else
  CHECK(values["optimised"] == "no");
#endif
  CHECK(gal::machine_record() == record);
}

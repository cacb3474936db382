# The Debian package: it is made, lintian (where it is) finds no error, and what it unpacks, wherever that is, serves a
# program by pkg-config (where that is).
# cmake -D binary_dir=BUILD -D out=FOLDER -D compiler=CXX -D source=MAIN.cpp -P package.cmake
file(REMOVE_RECURSE "${out}")
file(MAKE_DIRECTORY "${out}")
cmake_path(GET CMAKE_COMMAND PARENT_PATH tools)

execute_process(COMMAND "${tools}/cpack" --config "${binary_dir}/CPackConfig.cmake" -G DEB -B "${out}"
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(GLOB package "${out}/libgal-dev_*_all.deb")
execute_process(COMMAND dpkg-deb --extract "${package}" "${out}/root" COMMAND_ERROR_IS_FATAL ANY)

find_program(lintian lintian)
if(lintian)
  # The packager's address is the packager's.
  execute_process(COMMAND "${lintian}" --fail-on error --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog
    "${package}" COMMAND_ERROR_IS_FATAL ANY)
else()
  message(STATUS "No lintian: the package is not looked at")
endif()

find_program(pkg_config NAMES pkg-config pkgconf)
if(NOT pkg_config)
  message(STATUS "No pkg-config: gal.pc is not tried")
  return()
endif()
file(RENAME "${out}/root" "${out}/elsewhere")
set(ENV{PKG_CONFIG_PATH} "${out}/elsewhere/usr/share/pkgconfig:$ENV{PKG_CONFIG_PATH}")
execute_process(COMMAND "${pkg_config}" --cflags gal OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(flags UNIX_COMMAND "${flags}")
execute_process(COMMAND "${compiler}" -std=c++20 ${flags} "${source}" -o "${out}/program" COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${out}/program" COMMAND_ERROR_IS_FATAL ANY)

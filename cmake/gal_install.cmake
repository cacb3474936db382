# Installs the headers and a package, so that find_package(gal) offers gal::gal.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Nothing that is installed depends on the architecture, hence share/ and not lib/.
set(gal_package_dir "${CMAKE_INSTALL_DATADIR}/cmake/gal")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/gal"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.hpp")
install(TARGETS gal EXPORT gal_targets INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT gal_targets NAMESPACE gal:: FILE galTargets.cmake DESTINATION "${gal_package_dir}")

configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/galConfig.cmake.in" "${PROJECT_BINARY_DIR}/galConfig.cmake"
  INSTALL_DESTINATION "${gal_package_dir}"
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/galConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion
  ARCH_INDEPENDENT)
install(FILES "${PROJECT_SOURCE_DIR}/cmake/gal_thrust.cmake" "${PROJECT_SOURCE_DIR}/cmake/gal_xtensor.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/gal_torch.cmake" "${PROJECT_SOURCE_DIR}/cmake/gal_onednn.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/gal_warn_unoptimised.cmake"
  "${PROJECT_BINARY_DIR}/galConfig.cmake" "${PROJECT_BINARY_DIR}/galConfigVersion.cmake"
  DESTINATION "${gal_package_dir}")

# pkg-config --cflags gal.
configure_file("${PROJECT_SOURCE_DIR}/cmake/gal.pc.in" "${PROJECT_BINARY_DIR}/gal.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/gal.pc" DESTINATION "${CMAKE_INSTALL_DATADIR}/pkgconfig")

# cpack: a Debian package and an archive of the installation.
if(PROJECT_IS_TOP_LEVEL)
  include("${PROJECT_SOURCE_DIR}/cmake/gal_package.cmake")
endif()

# What `cpack` makes in the build folder: libgal-dev_VERSION_all.deb, and the same files as an archive.
set(CPACK_PACKAGE_NAME libgal-dev)
set(CPACK_PACKAGE_VENDOR "the gal authors")
# Whoever packages, by the variables of Debian's tools.
set(gal_packager "the gal authors <unknown@localhost>")
if(DEFINED ENV{DEBEMAIL})
  set(gal_packager "the gal authors <$ENV{DEBEMAIL}>")
  if(DEFINED ENV{DEBFULLNAME})
    set(gal_packager "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
  endif()
endif()
set(CPACK_PACKAGE_CONTACT "${gal_packager}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "gradient adjustment learning, a header-only C++20 library")
set(CPACK_PACKAGE_DESCRIPTION
  "Trains small networks inside C++ programs.\nAn adjuster learns from past steps to adjust the gradient at the model's\noutput features, and a safeguard compares tentative losses before an\nadjusted gradient is used.")
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_GENERATOR "DEB;TGZ")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES OFF)

# Headers alone: the same on every architecture. Other libraries are needed by the headers that include them.
set(CPACK_DEBIAN_PACKAGE_NAME libgal-dev)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libeigen3-dev (>= 3.4)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libboost-math-dev, nlohmann-json3-dev, zlib1g-dev")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libthrust-dev, libxtensor-dev, libdnnl-dev, libtorch-dev")

# What Debian asks of every package: the licence, and changes in its own form, compressed without a time in it.
set(gal_doc_dir "${CMAKE_INSTALL_DATADIR}/doc/libgal-dev")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${gal_doc_dir}" RENAME copyright)
find_program(GAL_GZIP NAMES gzip DOC "Compresses the changelog of the package")
mark_as_advanced(GAL_GZIP)
if(GAL_GZIP)
  string(TIMESTAMP gal_day "%a, %d %b %Y 00:00:00 +0000" UTC)  # SOURCE_DATE_EPOCH, where it is set
  file(WRITE "${PROJECT_BINARY_DIR}/changelog" "libgal-dev (${PROJECT_VERSION}) unstable; urgency=medium

  * Changes are in /usr/share/doc/libgal-dev/NEWS.gz.

 -- ${gal_packager}  ${gal_day}
")
  file(COPY_FILE "${PROJECT_SOURCE_DIR}/CHANGELOG.md" "${PROJECT_BINARY_DIR}/NEWS")
  execute_process(COMMAND "${GAL_GZIP}" -9nf "${PROJECT_BINARY_DIR}/changelog" "${PROJECT_BINARY_DIR}/NEWS"
    COMMAND_ERROR_IS_FATAL ANY)
  install(FILES "${PROJECT_BINARY_DIR}/changelog.gz" "${PROJECT_BINARY_DIR}/NEWS.gz" DESTINATION "${gal_doc_dir}")
endif()
include(CPack)

# The target of gal/adapters/onednn.hpp: gal::onednn, where oneDNN is found.
# Included by the project with GAL_ONEDNN and, for the component onednn, by its installed package.
# Not by oneDNN's own package, which asks for the headers of OpenCL where it was built for GPUs too.
find_path(GAL_ONEDNN_INCLUDE_DIR dnnl.hpp DOC "Where oneDNN's dnnl.hpp is")
find_library(GAL_ONEDNN_LIBRARY dnnl DOC "oneDNN's library")
mark_as_advanced(GAL_ONEDNN_INCLUDE_DIR GAL_ONEDNN_LIBRARY)

# gal/adapters/onednn.hpp is written for the versions 2 and 3.
if(GAL_ONEDNN_INCLUDE_DIR)
  file(STRINGS "${GAL_ONEDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h" GAL_ONEDNN_VERSION
    REGEX "^#define DNNL_VERSION_MAJOR [23]$")
endif()

if(GAL_ONEDNN_VERSION AND GAL_ONEDNN_LIBRARY AND NOT TARGET gal::onednn)
  add_library(gal::onednn INTERFACE IMPORTED GLOBAL)
  target_include_directories(gal::onednn SYSTEM INTERFACE "${GAL_ONEDNN_INCLUDE_DIR}")
  target_link_libraries(gal::onednn INTERFACE gal::gal "${GAL_ONEDNN_LIBRARY}")
endif()

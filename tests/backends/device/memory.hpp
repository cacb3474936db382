// Numbers on their way into a backend's memory and back, whatever memory that is.
#pragma once

#include <gal/core/backend.hpp>

#include <cstddef>
#include <vector>

namespace paths {

/// Column by column.
template <class T>
struct host_matrix {
  gal::index_type rows = 0;
  gal::index_type columns = 0;
  std::vector<T> values;

  [[nodiscard]] gal::matrix_view<const T> view() const { return {values.data(), rows, columns}; }
};

/// Copies to and from a backend's memory: `upload` and `download` where it has them, else it is the host's.
template <class Backend, class T>
gal::matrix<T, Backend> put(const Backend& backend, const host_matrix<T>& from) {
  gal::matrix<T, Backend> result(backend);
  result.resize(from.rows, from.columns);
  if constexpr (requires { backend.upload(from.values.data(), result.data(), from.rows); }) {
    backend.upload(from.values.data(), result.data(), result.size());
  } else {
    backend.copy(from.values.data(), result.data(), result.size());
  }
  return result;
}

template <class Backend, class T>
void append(const Backend& backend, const T* from, gal::index_type count, std::vector<double>& to) {
  std::vector<T> values(static_cast<std::size_t>(count));
  if constexpr (requires { backend.download(from, values.data(), count); }) {
    backend.download(from, values.data(), count);
  } else {
    backend.copy(from, values.data(), count);
  }
  to.insert(to.end(), values.begin(), values.end());
}

}  // namespace paths

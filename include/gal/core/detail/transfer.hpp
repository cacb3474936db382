// gal/core/detail/transfer.hpp: numbers between a backend's memory and the host's.
// Provides: nothing public; detail::to_host, from_host.
#pragma once

#include <gal/core/view.hpp>

#include <algorithm>
#include <concepts>

namespace gal::inline GAL_ABI::detail {

// Between a backend's memory and the host's, by what the backend has for it, else number by number.
template <class Backend, class T>
void to_host(const Backend& backend, const T* from, T* to, index_type count) {
  if constexpr (std::same_as<typename Backend::memory_type, host_memory>) {
    std::copy_n(from, count, to);
  } else if constexpr (requires { backend.download(from, to, count); }) {
    backend.download(from, to, count);
  } else {
    for (index_type i = 0; i < count; ++i) {
      to[i] = backend.read(from + i);
    }
  }
}
template <class Backend, class T>
void from_host(const Backend& backend, const T* from, T* to, index_type count) {
  if constexpr (std::same_as<typename Backend::memory_type, host_memory>) {
    std::copy_n(from, count, to);
  } else if constexpr (requires { backend.upload(from, to, count); }) {
    backend.upload(from, to, count);
  } else {
    for (index_type i = 0; i < count; ++i) {
      backend.fill(to + i, index_type{1}, from[i]);
    }
  }
}

// A backend's place where numbers are the host's already.
struct on_host {
  using memory_type = host_memory;
};

}  // namespace gal::detail

// gal/core/detail/at_exit.hpp: what is done where a scope ends, also by an exception.
// Provides: nothing public; detail::at_exit.
#pragma once

#include <gal/core/detail/flags.hpp>

#include <utility>

namespace gal::inline GAL_ABI::detail {

/// Calls `work`, which must not throw, at the end of the scope.
template <class Work>
class at_exit {
 public:
  explicit at_exit(Work work) : work_(std::move(work)) {}
  at_exit(const at_exit&) = delete;
  at_exit& operator=(const at_exit&) = delete;
  ~at_exit() { work_(); }

 private:
  Work work_;
};

}  // namespace gal::detail

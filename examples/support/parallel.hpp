// support/parallel.hpp: independent runs on all cores.
// Provides: parallel_for, default_threads.
#pragma once

#include <cstddef>
#include <exception>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace support {

/// Threads to use where nobody says how many: as many as OpenMP would, or one without it.
inline int default_threads() {
#ifdef _OPENMP
  return omp_get_max_threads();
#else
  return 1;
#endif
}

/// Runs f(0), ..., f(count - 1), each on one thread, as threads become free. Where f writes its result by index, the
/// results are the same for any number of threads. Throws what the first f in the order of the indices threw, after
/// all have ended.
template <class F>
void parallel_for(std::size_t count, int threads, F f) {
#ifdef _OPENMP
  omp_set_num_threads(threads);  // also for libraries: a run by itself must not spread over more
#else
  static_cast<void>(threads);
#endif
  std::vector<std::exception_ptr> failures(count);
#pragma omp parallel for schedule(dynamic)
  for (std::size_t i = 0; i < count; ++i) {
    try {
      f(i);
    } catch (...) {  // must not leave the parallel region
      failures[i] = std::current_exception();
    }
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) {
      std::rethrow_exception(failure);
    }
  }
}

}  // namespace support

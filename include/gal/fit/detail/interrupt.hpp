// gal/fit/detail/interrupt.hpp: Ctrl-C as a flag (POSIX).
#pragma once

#include <gal/core/detail/flags.hpp>

#include <signal.h>

#include <atomic>
#include <mutex>

namespace gal::inline GAL_ABI::detail {

// Ctrl-C as a flag, for as long as any of these lives; then the earlier handler is back. Where the signal is ignored, as
// under nohup, it stays so.
class interrupt_guard {
 public:
  explicit interrupt_guard(bool active) : active_(active) {
    if (!active_) {
      return;
    }
    const std::lock_guard lock(shared().mutex);
    if (shared().count++ == 0) {
      interrupted_ = false;
      struct ::sigaction action = {};
      action.sa_handler = [](int) { interrupted_ = true; };
      // A second Ctrl-C ends the program; what waits for a file or a device is not disturbed by the first.
      action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
      ::sigaction(SIGINT, nullptr, &shared().before);
      if (shared().before.sa_handler != SIG_IGN) {
        ::sigaction(SIGINT, &action, nullptr);
      }
    }
  }
  interrupt_guard(const interrupt_guard&) = delete;
  interrupt_guard& operator=(const interrupt_guard&) = delete;
  ~interrupt_guard() {
    if (active_) {
      const std::lock_guard lock(shared().mutex);
      if (--shared().count == 0) {
        ::sigaction(SIGINT, &shared().before, nullptr);
      }
    }
  }

  [[nodiscard]] bool interrupted() const { return active_ && interrupted_; }

 private:
  struct shared_state {
    std::mutex mutex;
    int count = 0;
    struct ::sigaction before = {};
  };
  static shared_state& shared() {
    static shared_state state;
    return state;
  }

  static inline std::atomic<bool> interrupted_ = false;
  static_assert(std::atomic<bool>::is_always_lock_free);  // what a handler may write
  bool active_;
};

}  // namespace gal::detail

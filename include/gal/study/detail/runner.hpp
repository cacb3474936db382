// gal/study/detail/runner.hpp: makes the runs of a comparison, each once, on several threads (POSIX).
#pragma once

#include <gal/core/error.hpp>
#include <gal/study/comparison_result.hpp>
#include <gal/study/detail/ledger.hpp>

#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::detail {

// f(0), ..., f(count - 1), each on one thread, as threads become free. What the first that fails throws ends it: no further
// ones begin, and it is thrown once all that have begun are done.
template <class F>
void parallel_for(std::size_t count, int threads, F f) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        f(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = failure ? failure : std::current_exception();
        next = count;
      }
    }
  };
  std::vector<std::thread> others;
  try {
    while (others.size() + 1 < std::min(count, static_cast<std::size_t>(threads))) {
      others.emplace_back(work);
    }
  } catch (const std::system_error&) {  // no more threads: those that there are do it
  }
  work();
  for (std::thread& other : others) {
    other.join();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

// Time of the processor that this thread has spent.
inline double thread_seconds() {
  ::timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

inline comparison_run perform(const method& m, const trial& t) {
  comparison_run run{.method = m.name, .trial = t};
  const double start = thread_seconds();
  try {
    run.result = m.run(t);
  } catch (const std::exception& failure) {
    run.failure = *failure.what() == '\0' ? "an exception without a message" : failure.what();
  } catch (...) {
    run.failure = "an exception that is no std::exception";
  }
  if (!std::isfinite(run.result.seconds)) {
    run.result.seconds = thread_seconds() - start;
  }
  for (double* value : {&run.result.validation, &run.result.test}) {
    *value = std::isfinite(*value) ? *value : measures::none;
  }
  if (run.result.steps <= 0) {
    run.result.steps = t.budget;
  }
  return run;
}

// A run that is wanted.
struct planned_run {
  std::size_t method;  // position
  gal::trial trial;
};

// Makes what is wanted, unless it has been made before, in this process or in that which left the ledger.
class runner {
 public:
  runner(const std::vector<method>& methods, const compare_options& options)
      : methods_(methods), options_(options), start_(std::chrono::steady_clock::now()) {
    if (!options.ledger.empty()) {
      ledger_.emplace(options.ledger, fingerprint(methods, options));
      for (const comparison_run& run : ledger_->runs()) {
        recorded_.emplace(key_of(run.method, run.trial), run);
      }
    }
  }

  // The runs of the plan, in its order. `later`: how many may follow it.
  std::vector<comparison_run> make(const std::vector<planned_run>& plan, std::size_t later) {
    std::vector<std::size_t> missing;  // positions in the plan
    std::vector<comparison_run> slots(plan.size());
    std::map<key, std::size_t> added;
    for (std::size_t i = 0; i < plan.size(); ++i) {
      const key k = key_of(methods_[plan[i].method].name, plan[i].trial);
      if (place_.contains(k) || !added.emplace(k, i).second) {
        continue;
      }
      if (const auto found = recorded_.find(k); found != recorded_.end()) {
        slots[i] = found->second;
        ++done_;
      } else {
        missing.push_back(i);
      }
    }
    expected_ = done_ + missing.size() + later;
    parallel_for(missing.size(), options_.threads, [&](std::size_t k) {
      const planned_run& wanted = plan[missing[k]];
      comparison_run run = perform(methods_[wanted.method], wanted.trial);
      const std::lock_guard lock(mutex_);
      if (ledger_) {
        ledger_->add(run);
      }
      slots[missing[k]] = std::move(run);
      ++done_;
      ++made_;
      tell_progress();
    });
    if (missing.empty() && later == 0) {
      tell_progress();  // that nothing is left
    }
    for (std::size_t i = 0; i < plan.size(); ++i) {
      const key k = key_of(methods_[plan[i].method].name, plan[i].trial);
      if (place_.emplace(k, runs_.size()).second) {
        runs_.push_back(std::move(slots[i]));
      }
    }
    std::vector<comparison_run> result;
    for (const planned_run& wanted : plan) {
      result.push_back(runs_[place_.at(key_of(methods_[wanted.method].name, wanted.trial))]);
    }
    return result;
  }

  // All that were made, in the order of the plans.
  [[nodiscard]] const std::vector<comparison_run>& runs() const { return runs_; }

 private:
  // Seeds for choosing and for the verdict are different ones.
  using key = std::tuple<std::string, double, std::optional<double>, std::int64_t, std::uint64_t>;
  static key key_of(const std::string& method, const trial& t) {
    const auto setting = std::isnan(t.setting) ? std::nullopt : std::optional(t.setting);
    return {method, t.learning_rate, setting, t.budget, t.seed};
  }

  void tell_progress() const {
    if (options_.progress) {
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
      const std::size_t left = expected_ - done_;
      options_.progress({.done = done_,
                         .expected = expected_,
                         .seconds_left = seconds / static_cast<double>(std::max<std::size_t>(made_, 1)) *
                                         static_cast<double>(left)});
    }
  }

  const std::vector<method>& methods_;
  const compare_options& options_;
  std::optional<ledger> ledger_;
  std::map<key, comparison_run> recorded_;
  std::vector<comparison_run> runs_;
  std::map<key, std::size_t> place_;  // in runs_
  std::mutex mutex_;
  std::chrono::steady_clock::time_point start_;
  std::size_t done_ = 0;
  std::size_t made_ = 0;  // in this process
  std::size_t expected_ = 0;
};

}  // namespace gal::detail

// gal/predict/detail/lending_pool.hpp: objects to work in, one for every call that runs at once.
// Provides: nothing public; detail::lending_pool for gal/predict/predictor.hpp.
#pragma once

#include <gal/core/detail/flags.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace gal::inline GAL_ABI::detail {

/// Objects that calls borrow and give back. The one that came back last goes out first: its memory is the warmest.
template <class Object>
class lending_pool {
 public:
  class loan {
   public:
    loan(const lending_pool& pool, std::unique_ptr<Object> object)
        : pool_(pool), object_(std::move(object)) {}
    loan(const loan&) = delete;
    loan& operator=(const loan&) = delete;
    ~loan() {
      const std::lock_guard lock(pool_.mutex_);
      pool_.idle_.push_back(std::move(object_));  // there is room
    }
    [[nodiscard]] Object* operator->() const { return object_.get(); }

   private:
    const lending_pool& pool_;
    std::unique_ptr<Object> object_;
  };

  /// An object that nobody else has until the loan ends: an idle one, else what `make` returns.
  template <class Make>
  [[nodiscard]] loan borrow(Make make) const {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<Object> object = std::move(idle_.back());
        idle_.pop_back();
        return loan(*this, std::move(object));
      }
      idle_.reserve(++made_);
    }
    return loan(*this, std::make_unique<Object>(make()));
  }

 private:
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Object>> idle_;
  mutable std::size_t made_ = 0;
};

}  // namespace gal::detail

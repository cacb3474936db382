// gal/data/detail/epoch_iterator.hpp: the way through an epoch of batches.
// Provides: nothing public; detail::epoch_iterator for ranges of batches.
#pragma once

#include <gal/core/view.hpp>

#include <iterator>

namespace gal::inline GAL_ABI::detail {

// Asks its owner for the current batch, for the next one, and whether the epoch is over.
template <class Owner>
class epoch_iterator {
 public:
  using iterator_concept = std::input_iterator_tag;
  using value_type = typename Owner::batch;
  using difference_type = index_type;

  explicit epoch_iterator(Owner& owner) : owner_(&owner) {}

  [[nodiscard]] value_type operator*() const { return owner_->current(); }
  epoch_iterator& operator++() {
    owner_->advance();
    return *this;
  }
  void operator++(int) { ++*this; }

  [[nodiscard]] bool operator==(std::default_sentinel_t) const { return owner_->at_end(); }

 private:
  Owner* owner_;
};

}  // namespace gal::detail

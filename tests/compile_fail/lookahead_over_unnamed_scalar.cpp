// An optimizer that does not say which numbers it steps.
// expected: gal::lookahead: name the scalar of the inner optimizer in a member `value_type`.
#include <gal/gal.hpp>

struct descent {
  double learning_rate() const { return 0.1; }
  void step(std::span<const gal::parameter<double>>) {}
};

int main() { gal::lookahead optimizer(descent{}); }

// A setting that is an enumerator without a name.
// expected: gal::state_view: an enumerator is kept by its name; provide `enumerator_names` beside the enumeration (gal/core/enumeration.hpp).
#include <gal/io/state.hpp>

enum class colour { red, green };

struct painter {
  template <class Visitor>
  void visit_state(Visitor& visit) {
    visit.setting("colour", colour::red);
  }
};

int main() {
  painter object;
  gal::state_view state(object);
}

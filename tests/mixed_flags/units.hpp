// What the two units of this program show of themselves.
#pragma once

#include <string>

struct unit_report {
  std::string flags;    // the name of gal's namespace in this unit
  int register_floats;  // floats in a register of its products
  int threads;          // that work on a large loop on a backend of two
  double loss;          // after a training
};

unit_report report_of_first();
unit_report report_of_second();

// The paths on the CPU backend, compiled apart: Eigen and a device compiler do not meet.
#pragma once

#include "paths.hpp"

template <class T>
paths::path reference_regression(const paths::network& net, bool paper, int steps);
template <class T>
paths::path reference_plain(int steps);
template <class T>
paths::path reference_images(int steps);
template <class T>
paths::path reference_setting(const paths::setting& s, int steps);

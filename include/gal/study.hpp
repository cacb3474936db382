// gal/study.hpp: the room study/: comparisons of methods (POSIX, Boost.Math, nlohmann-json).
#pragma once

#include <gal/study/compare.hpp>
#include <gal/study/compare_options.hpp>
#include <gal/study/comparison_page.hpp>
#include <gal/study/comparison_pictures.hpp>
#include <gal/study/comparison_report.hpp>
#include <gal/study/comparison_result.hpp>

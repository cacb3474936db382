// study/pictures.hpp: the pictures of the page.
// Provides: draw_pictures.
#pragma once

#include "numbers.hpp"

#include <filesystem>
#include <map>
#include <set>
#include <string>

namespace study {

/// The parts that are there, by the names of their files without `.json`.
using parts_by_name = std::map<std::string, json>;

/// Draws what the parts allow into `directory`; returns the names of the pictures that lie there, without `.png`. Nothing new
/// where there is no gnuplot.
std::set<std::string> draw_pictures(const std::filesystem::path& directory, const parts_by_name& parts);

}  // namespace study

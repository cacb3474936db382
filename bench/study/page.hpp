// study/page.hpp: the page of the results.
// Provides: write_page.
#pragma once

#include <filesystem>

namespace study {

/// Writes `directory`/results.md, and its pictures into `directory`/results, of the files there; parts without a file are
/// left out.
void write_page(const std::filesystem::path& directory);

}  // namespace study

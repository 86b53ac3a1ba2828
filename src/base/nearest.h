// SPDX-License-Identifier: Apache-2.0
// "Did you mean ...": the candidate nearest to a word by edit distance. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dlpu {

// Insertions, deletions, replacements and swaps of neighbours needed to turn `a` into `b`, letters
// compared without case (optimal string alignment distance).
size_t EditDistance(std::string_view a, std::string_view b);

// The candidate with the smallest distance to `word`, the first of equals. Empty when there is no
// candidate within half the word's length (at least 2), so that nothing absurd is suggested.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

// " (did you mean X?)" or nothing: the end of an error about an unknown name.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace dlpu

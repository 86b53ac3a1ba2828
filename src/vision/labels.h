// SPDX-License-Identifier: Apache-2.0
// Names of classes, from the text files that come with models. Values; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "vision/detection.h"

namespace dlpu {

// labels[class] is the class's name; empty for classes the file does not name.
using Labels = std::vector<std::string>;

// Two forms are known: one name a line in the order of the classes, and "12  name" or "12: name"
// with the class in front (Coral's), recognised when every line that is not empty starts so.
// Spaces around a name, carriage returns and empty lines at the end are dropped.
Labels ParseLabels(std::string_view text);
Result<Labels> ReadLabels(const std::string& path);

// The name, or "class 12" where there is none.
std::string LabelOf(const Labels& labels, int class_id);
void ApplyLabels(const Labels& labels, std::vector<Detection>& detections);

}  // namespace dlpu

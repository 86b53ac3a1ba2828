// SPDX-License-Identifier: Apache-2.0
// What a model's own metadata says, as lines for `dlpu inspect`. Pure; any thread.
#pragma once

#include <string>

#include "app/model.h"

namespace dlpu {

// "labels       output 'probability': 'imagenet_labels.txt', 1001 names" and the like, one line for
// each fact; empty when the model has no metadata.
std::string MetadataText(const LoadedModel& model);

}  // namespace dlpu

// SPDX-License-Identifier: Apache-2.0
// Names of the arithmetic profiles.
#include "ir/program.h"

namespace dlpu {

std::string_view ProfileName(Profile profile) {
  switch (profile) {
    case Profile::kTfliteReference:
      return "tflite-reference";
    case Profile::kTfliteBuiltin:
      return "tflite-builtin";
    case Profile::kXnnpack:
      return "xnnpack";
  }
  return "unknown";
}

}  // namespace dlpu

// SPDX-License-Identifier: Apache-2.0
// Names of ops, made from ops.def.
#include "ir/graph.h"

namespace dlpu {
namespace {

constexpr std::string_view kNames[] = {
#define DLPU_OP(Name, NAME, AttrsType) #NAME,
#define DLPU_CUSTOM_OP(Name, text, AttrsType) text,
#include "ir/ops.def"
#undef DLPU_OP
#undef DLPU_CUSTOM_OP
    "UNKNOWN",
};

}  // namespace

std::string_view OpName(Op op) { return kNames[static_cast<int>(op)]; }

Op OpFromName(std::string_view name) {
  for (int i = 0; i < kOpCount; ++i) {
    if (kNames[i] == name) return static_cast<Op>(i);
  }
  return Op::kUnknown;
}

bool IsCustomOp(Op op) {
  switch (op) {
#define DLPU_OP(Name, NAME, AttrsType)
#define DLPU_CUSTOM_OP(Name, text, AttrsType) \
  case Op::k##Name:                           \
    return true;
#include "ir/ops.def"
#undef DLPU_OP
#undef DLPU_CUSTOM_OP
    default:
      return false;
  }
}

Attrs DefaultAttrs(Op op) {
  switch (op) {
#define DLPU_OP(Name, NAME, AttrsType) \
  case Op::k##Name:                    \
    return AttrsType{};
#define DLPU_CUSTOM_OP(Name, text, AttrsType) DLPU_OP(Name, , AttrsType)
#include "ir/ops.def"
#undef DLPU_OP
#undef DLPU_CUSTOM_OP
    case Op::kUnknown:
      return UnknownAttrs{};
  }
  return NoAttrs{};
}

std::string NodeOpName(const Node& node) {
  if (const auto* unknown = std::get_if<UnknownAttrs>(&node.attrs)) return unknown->code;
  return std::string(OpName(node.op));
}

}  // namespace dlpu

// SPDX-License-Identifier: Apache-2.0
// MIRROR_PAD: padding with the input's own mirror image, with (SYMMETRIC) or without (REFLECT)
// its border.
#include <fmt/format.h>

#include <memory>

#include "ops/pad.h"

namespace dlpu {
namespace {

Result<PreparedOp> Prepare(const PrepareContext& context) {
  const int64_t offset = context.attrs<MirrorPadAttrs>().symmetric ? 0 : 1;
  DLPU_TRY(const PadSpec spec, ReadPaddings(context));
  for (size_t d = 0; d < spec.extents.size(); ++d) {
    const int64_t most = spec.extents[d] - offset;
    if (spec.before[d] > most || spec.after[d] > most) {
      return context.Invalid(fmt::format("paddings {} and {} of axis {} are more than {}",
                                         spec.before[d], spec.after[d], d, most));
    }
  }
  PreparedOp op;
  op.row = "rows";
  op.run = [pad = std::make_shared<const MirrorPad>(spec, offset)](const RunArgs& args) {
    pad->Run(args.inputs[0], args.outputs[0], args.pool);
    return OkStatus();
  };
  return op;
}

}  // namespace

const OpDef kMirrorPadOp = {
    .op = Op::kMirrorPad,
    .arity = Arity{2, 2, 1, 1},
    .infer = InferPad,
    .quantize = QuantizeRule{.kind = QuantizeRule::Kind::kSameAsInput},
    .work = MovementWork,
    .prepare = Prepare,
    .alias = Alias::kNone,
};

}  // namespace dlpu

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the node tests of the ONNX standard: those that the onnx package makes and those in
Debian's libonnx-testdata. Inputs that an op needs constant (weights, axes, shapes) are made
constant when the case is refused for that. Prints what passed, failed and is out of scope, by op
and with the reason, and exits with 1 when a case fails that docs/onnx.md does not excuse.
"""
import argparse
import collections
import glob
import os
import re
import sys
import tempfile
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import oracle  # noqa: E402

DEBIAN = "/usr/share/libonnx-testdata/data"

# Cases whose expected output LiteRT's ops cannot give; docs/onnx.md says so.
EXCUSED = {
    "LiteRT's ADD has no infinities, so masks of -inf are finite": [
        "test_attention_4d_with_past_and_present_qk_matmul_bias_3d_mask_causal_expanded",
        "test_attention_4d_with_past_and_present_qk_matmul_bias_4d_mask_causal_expanded",
        "test_attention_4d_causal_padded_kv_bf16_expanded",
        "test_attention_causal_boolmask_nan_robustness_expanded",
        "test_attention_23_boolmask_fullymasked_row_nan_robustness_expanded",
        "test_attention_4d_causal_nonpad_negative_offset_structural_empty_expanded",
        "test_attention_23_fullymasked_qk_matmul_output_mode3_zero_expanded",
        "test_attention_24_fullymasked_qk_matmul_output_mode3_zero_expanded",
        "test_attention_24_qk_matmul_output_mode3_softmax_precision_expanded",
        "test_attention_local_window_gqa_rank4_mask_expanded",
    ],
}
EXCUSE = {name: reason for reason, names in EXCUSED.items() for name in names}
# The expected outputs of these types are rounded to them, and so are the steps before.
COARSE = {10: 1e-3, 16: 1e-2}  # float16, bfloat16


def package_cases():
    """(name, model, [(inputs, outputs)]) of the installed onnx package."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = collect_testcases()
    for case in cases:
        yield case.name, case.model, case.data_sets


def file_cases(folder):
    import onnx
    from onnx import numpy_helper

    def load(path, info):
        with open(path, "rb") as file:
            data = file.read()
        if not info.type.HasField("tensor_type"):
            return None
        return numpy_helper.to_array(onnx.TensorProto.FromString(data))

    for path in sorted(glob.glob(os.path.join(folder, "*", "*", "model.onnx"))):
        where = os.path.dirname(path)
        model = onnx.load(path)
        given = {i.name for i in model.graph.initializer}
        infos = [i for i in model.graph.input if i.name not in given]
        sets = []
        for data in sorted(glob.glob(os.path.join(where, "test_data_set_*"))):
            ins = [os.path.join(data, f"input_{i}.pb") for i in range(len(infos))]
            outs = [os.path.join(data, f"output_{i}.pb") for i in range(len(model.graph.output))]
            if all(map(os.path.exists, ins + outs)):
                sets.append(([load(p, i) for p, i in zip(ins, infos)],
                             [load(p, i) for p, i in zip(outs, model.graph.output)]))
        name = os.path.basename(os.path.dirname(where)) + "/" + os.path.basename(where)
        yield "debian/" + name, model, sets


class Case:
    def __init__(self, name, model, inputs, outputs):
        self.name, self.model, self.expected = name, model, outputs
        given = {i.name for i in model.graph.initializer}
        names = [i.name for i in model.graph.input if i.name not in given]
        self.inputs = list(zip(names, inputs))
        self.ops = sorted({n.op_type for n in model.graph.node})
        self.constant = False

    def usable(self):
        import numpy as np

        def dense(a):
            return isinstance(a, (np.ndarray, np.generic)) and np.asarray(a).dtype.kind in "fiub"

        kinds = [a for _, a in self.inputs] + list(self.expected)
        # Old files hold bfloat16 as bare 16-bit integers.
        types = [i.type.tensor_type.elem_type for i in self.model.graph.output]
        if any(t == 16 and np.asarray(a).dtype == np.uint16 for t, a in zip(types, self.expected)):
            return False
        return all(dense(a) or "float16" in str(getattr(a, "dtype", "")) for a in kinds)

    def write(self, folder):
        oracle.write_case(folder, self.model.SerializeToString(), self.inputs)

    def with_constants(self, first):
        """The case with all inputs from number `first` on as initializers."""
        import numpy as np
        import onnx
        from onnx import numpy_helper

        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        for name, array in self.inputs[first:]:
            info = next(i for i in model.graph.input if i.name == name)
            kind = info.type.tensor_type.elem_type
            model.graph.input.remove(info)
            tensor = numpy_helper.from_array(np.asarray(array), name)
            tensor.data_type = kind
            model.graph.initializer.append(tensor)
        result = Case(self.name, model, [array for _, array in self.inputs[:first]], self.expected)
        result.constant = True
        return result


WANTS_CONSTANT = re.compile(r"constant|computed while the model runs|is_constant")


def run(cases, work):
    """{name: (word, message)}; "ok", "refused", "failed" or "died"."""
    folders = {}
    for i, case in enumerate(cases):
        folder = os.path.join(work, str(i))
        case.write(folder)
        folders[folder] = case
    return {folders[folder]: (word, details, folder)
            for folder, word, details in oracle.drive(folders)}


def verdict(case, word, details, folder, tolerance):
    """("passed" | "failed" | "unsupported", message, difference)"""
    import numpy as np

    if word == "refused" or word == "failed":
        return "unsupported", details[0], 0.0
    if word != "ok":
        return "failed", details[0], 0.0
    graph = case.model.graph
    types = {i.type.tensor_type.elem_type for i in [*graph.input, *graph.output]}
    types |= {i.data_type for i in graph.initializer}
    tolerance = max([tolerance] + [COARSE[t] for t in types if t in COARSE])
    worst = 0.0
    for i, (mine, reference) in enumerate(
            zip(oracle.outputs_of(folder, len(case.expected)), case.expected)):
        reference = oracle.plain(reference)
        if mine.dtype != reference.dtype:
            return "failed", f"output {i} is {mine.dtype}, not {reference.dtype}", 0.0
        found = oracle.difference(mine, reference)
        # The standard's own criterion, or ours.
        if found > tolerance and not np.allclose(mine, reference, rtol=1e-3, atol=1e-7):
            if case.name in EXCUSE:
                return "unsupported", EXCUSE[case.name], found
            return "failed", f"output {i} differs by {found:.3g} of its range", found
        worst = max(worst, found)
    return "passed", "", worst


def reason(message):
    """The message without names and numbers, so that equal reasons count together."""
    message = message.split("model.onnx: ")[-1]
    message = re.sub(r"^.*? nodes have no counterpart on a camera: .*", "no counterpart", message)
    message = re.sub(r"'[^']*'", "'..'", message)
    return re.sub(r"[0-9]+", "#", message)[:110]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", help="write the counts to this file")
    parser.add_argument("--only", default="", help="a regular expression for names")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--show", action="store_true", help="every case that did not pass")
    parser.add_argument("--keep", help="a folder for the cases")
    args = parser.parse_args()
    code = oracle.unavailable(1884, args.json)
    if code is not None:
        return code
    cases, unusable = [], 0
    sources = list(package_cases())
    if os.path.isdir(DEBIAN):
        sources += file_cases(DEBIAN)
    for name, model, sets in sources:
        if not re.search(args.only, name):
            continue
        for n, (inputs, outputs) in enumerate(sets):
            case = Case(name if n == 0 else f"{name}#{n}", model, inputs, outputs)
            if case.usable():
                cases.append(case)
            else:
                unusable += 1
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        work = args.keep or scratch
        answers = run(cases, os.path.join(work, "as_is"))
        for first, label in ((1, "constant"), (0, "all_constant")):
            retry = [c for c, (word, details, _) in answers.items()
                     if word in ("refused", "failed") and len(c.inputs) > first
                     and WANTS_CONSTANT.search(details[0])]
            for case in retry:
                del answers[case]
            again = [c.with_constants(first) for c in retry]
            answers.update(run(again, os.path.join(work, label)))
        for case, (word, details, folder) in answers.items():
            results.append((case, *verdict(case, word, details, folder, args.tolerance)))
    return report(results, unusable, args)


def report(results, unusable, args):
    counts = collections.Counter(word for _, word, _, _ in results)
    by_op = collections.defaultdict(collections.Counter)
    why = collections.defaultdict(collections.Counter)
    for case, word, message, _ in results:
        op = case.ops[0] if len(case.ops) == 1 else "(several ops)"
        by_op[op][word] += 1
        if word == "unsupported":
            why[op][reason(message)] += 1
    print("op                         passed in scope out of scope  why")
    for op, row in sorted(by_op.items()):
        reasons = "; ".join(f"{n} {text}" for text, n in why[op].most_common(3))
        print(f"{op:26} {row['passed']:6} {row['passed'] + row['failed']:8} "
              f"{row['unsupported']:12}  {reasons}")
    reasons = collections.Counter(reason(m) for _, word, m, _ in results if word == "unsupported")
    print("\nout of scope, by reason:")
    for text, n in reasons.most_common(60):
        print(f"{n:6}  {text}")
    failures = [r for r in results if r[1] == "failed"]
    for case, word, message, _ in results:
        if word == "failed" or (args.show and word == "unsupported"):
            print(f"{word}: {case.name}{' (constants)' if case.constant else ''}: {message}")
    constant = sum(1 for r in results if r[1] == "passed" and r[0].constant)
    worst = max((r[3] for r in results if r[1] == "passed"), default=0.0)
    print(f"\n{counts['passed']} passed ({constant} with inputs made constant) of "
          f"{counts['passed'] + counts['failed']} in scope, {counts['failed']} failed, "
          f"{counts['unsupported']} out of scope, "
          f"{unusable} without numeric tensors; largest difference {worst:.2g} of the range")
    oracle.write_counts(args.json, counts["passed"], counts["failed"], 0)
    return 1 if failures or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())

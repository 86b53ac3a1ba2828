#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Float32 .tflite models written as .onnx by `dlpu convert`: ONNX Runtime must give what LiteRT gives
for the .tflite. The models are the networks of networks.py, converted first, and the float models of
the zoo and of $DLPU_SHARED that are there. Prints differences as fractions of each output's range and
the Transpose nodes of each file; exits with 1 when one is above the tolerance, when a model that is
quantized is not refused, or when nothing was compared.
"""
import argparse
import glob
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import models  # noqa: E402
import networks  # noqa: E402
import oracle  # noqa: E402

PROGRAM = os.path.join(oracle.ROOT, "build", "release", "bin", "dlpu")
SHARED = os.environ.get("DLPU_SHARED", os.path.join(oracle.ROOT, "..", "shared"))
# A network may amplify rounding beyond the tolerance: then ONNX Runtime's own difference between its
# optimized and plain kernels counts, so many times.
OWN_FACTOR = 4
# What ONNX has no form for, and what compares values for equality.
REFUSALS = ("ONNX is not written for", "ONNX has nothing for", "is quantized", "is not written as ONNX",
            "subgraphs", "input is dynamic", "dlpu has no such op")


def convert(model, output, *options):
    """The error message of dlpu convert, or None."""
    done = subprocess.run([PROGRAM, "convert", model, "-o", output, *options], capture_output=True,
                          text=True, timeout=600)
    return None if done.returncode == 0 else done.stderr.strip()


def files(work):
    """(name, path of a .tflite, tolerance factor)"""
    for make in networks.ALL:
        path = os.path.join(work, make.__name__)
        with open(path + ".onnx", "wb") as file:
            file.write(make().SerializeToString())
        problem = convert(path + ".onnx", path + ".tflite")
        if problem:
            raise SystemExit(problem)
        yield make.__name__, path + ".tflite"
    for path in sorted(glob.glob(os.path.join(models.CACHE, "*", "*.tflite"))):
        yield os.path.basename(path), path
    for path in sorted(glob.glob(os.path.join(SHARED, "models", "tflite", "*.tflite"))):
        yield os.path.basename(path), path


def litert(path, rng):
    """(inputs, outputs) of LiteRT in the file's own order of axes; None when it does not run."""
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(path, num_threads=1)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError):
        return None
    inputs = []
    for detail in interpreter.get_input_details():
        array = models.smooth(rng, [int(n) for n in detail["shape"]], (-1, 1))
        inputs.append(array.astype(detail["dtype"]))
        interpreter.set_tensor(detail["index"], inputs[-1])
    interpreter.invoke()
    return inputs, [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


def in_order(array, shape):
    """An NHWC array for an ONNX value of that shape."""
    if array.ndim == 4 and list(array.shape) != list(shape):
        return array.transpose(0, 3, 1, 2)
    return array


def compare(path, written, rng):
    """(largest difference, ONNX Runtime's own between its kernels, Transpose nodes)"""
    import onnx
    import onnxruntime

    known = litert(path, rng)
    if known is None:
        return None
    results = []
    for level in ("ORT_ENABLE_ALL", "ORT_DISABLE_ALL"):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
        session = onnxruntime.InferenceSession(written, options,
                                               providers=["CPUExecutionProvider"])
        feed = {i.name: in_order(a, i.shape) for i, a in zip(session.get_inputs(), known[0])}
        results.append(session.run(None, feed))
    worst = own = 0.0
    for mine, plain, reference in zip(*results, known[1]):
        worst = max(worst, oracle.difference(mine, in_order(reference, mine.shape)))
        own = max(own, oracle.difference(mine, plain))
    turns = sum(n.op_type == "Transpose" for n in onnx.load(written).graph.node)
    return worst, own, turns


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", help="write the counts to this file")
    parser.add_argument("--only", default="", help="a part of the name")
    args = parser.parse_args()
    code = oracle.unavailable(len(networks.ALL), args.json)
    if code is not None:
        return code
    try:
        import ai_edge_litert.interpreter  # noqa: F401
    except ImportError as error:
        print(f"{error}; the comparison is skipped")
        oracle.write_counts(args.json, 0, 0, len(networks.ALL))
        return 0
    import numpy as np

    passed = failed = refused = 0
    print(f"{'model':40} {'difference':>10} {'ORT itself':>10} transposes")
    with tempfile.TemporaryDirectory() as work:
        for name, path in files(work):
            if args.only not in name:
                continue
            written = os.path.join(work, "written.onnx")
            problem = convert(path, written)
            if problem:
                known = any(r in problem for r in REFUSALS)
                refused, failed = refused + known, failed + (not known)
                print(f"{name[:40]:40} {'refused' if known else 'FAILED'}: {problem[:200]}")
                continue
            found = compare(path, written, np.random.default_rng(7))
            if found is None:
                print(f"{name[:40]:40} LiteRT does not run it")
                continue
            worst, own, turns = found
            bad = worst > max(models.TOLERANCE, OWN_FACTOR * own)
            failed, passed = failed + bad, passed + (not bad)
            print(f"{name[:40]:40} {worst:10.2g} {own:10.2g} {turns:10}{'  FAILED' if bad else ''}")
    print(f"{passed} passed, {failed} failed, {refused} refused with a reason")
    oracle.write_counts(args.json, passed, failed, 0)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

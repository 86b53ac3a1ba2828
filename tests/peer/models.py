#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares whole models with LiteRT's reference kernels.

Every .tflite in $DLPU_SHARED/models/tflite and in the cache of the model zoo gets a number of
inputs: random over the whole range, extremes, real pictures. A model with a custom op that LiteRT
lacks is cut before it with our own writer, for both sides. Each model is also read and written
again; LiteRT must give the same bytes for both files. Float outputs of the scalar references must be
equal bit for bit. Prints a table and exits with 1 when anything
differs or nothing was compared.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import litert  # noqa: E402
import pictures  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DRIVER = os.path.join(ROOT, "build", "release", "bin", "peer_models")
SHARED = os.environ.get("DLPU_SHARED", os.path.join(ROOT, "..", "shared"))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "dlpu",
                     "zoo")


def find_models():
    """Paths of all models there are, each content once."""
    found = []
    for folder in (os.path.join(SHARED, "models", "tflite"), CACHE):
        for where, _, names in sorted(os.walk(folder)):
            found += [os.path.join(where, n) for n in sorted(names) if n.endswith(".tflite")]
    return found


def driver(*arguments, **environment):
    """Runs peer_models; returns its error message, or None."""
    done = subprocess.run([DRIVER, *arguments], capture_output=True, text=True, timeout=1800,
                          env=dict(os.environ, **environment))
    if done.returncode == 0:
        return None
    return done.stderr.strip() or f"ended with code {done.returncode}"


def make_input(rng, n, detail, images):
    """Input number n for one input tensor: an array of its type and shape."""
    import numpy as np

    shape, dtype = [int(x) for x in detail["shape"]], np.dtype(detail["dtype"])
    if n % 2 == 1 and len(shape) == 4 and shape[3] in (1, 3) and images:
        return pictures.fill(images[(n // 2) % len(images)], shape, dtype, detail, n)
    if dtype.kind == "f":
        style = n % 10
        if style in (2, 4):
            return np.full(shape, -1 if style == 2 else 1, dtype)
        if style == 6:
            return rng.choice([-1.0, 0.0, 1.0], size=shape).astype(dtype)
        return rng.uniform(-1, 1, size=shape).astype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, size=shape).astype(dtype)
    info = np.iinfo(dtype)
    low, high = (info.min, info.max) if dtype.itemsize < 4 else (0, 3)
    if n % 10 in (2, 4):
        return np.full(shape, low if n % 10 == 2 else high, dtype)
    if n % 10 == 6:
        return rng.choice(np.array([low, high], dtype), size=shape)
    return rng.integers(low, high, size=shape, endpoint=True).astype(dtype)


# Models with several subgraphs are out of scope; the reader says so.
REFUSED_BY_DESIGN = "subgraphs; dlpu takes one"


# A float output may be so many times further from the reference than LiteRT's default kernels are.
DEFAULT_FACTOR = 4


class DefaultKernels:
    """How far LiteRT's own default kernels are from its reference kernels: the measure for float
    outputs that are further than FLOAT_BOUND, as sums in another order are in deep networks."""

    def __init__(self, content):
        self.content = content
        self.model = None

    def difference(self, inputs, reference):
        """The largest over the outputs: a single scalar may be near by luck."""
        if self.model is None:
            self.model = litert.Model(self.content, "AUTO")
        return max(litert.float_difference(ours, theirs)
                   for ours, theirs in zip(self.model.run(inputs), reference)
                   if theirs.dtype.kind == "f")


class Verdict:
    """What became of one model."""

    def __init__(self, name):
        self.name = name
        self.inputs = self.bytes = self.different = 0
        self.largest = 0.0
        self.beyond = 0  # float outputs beyond FLOAT_BOUND, yet like LiteRT's own default
        self.note = ""  # "cut at X"
        self.problem = ""  # why it counts as failed
        self.refused = ""  # why LiteRT (and dlpu) do not run it


def load(path, folder, verdict):
    """(LiteRT model, cut) of a file; a custom op that LiteRT lacks is cut off first."""
    with open(path, "rb") as file:
        content = file.read()
    try:
        return litert.Model(content), None
    except litert.Refused as error:
        custom = re.search(r"unresolved custom op: ([^\s.]+)", str(error))
        if not custom:
            verdict.refused = str(error)
            return None, None
    cut = custom.group(1)
    target = os.path.join(folder, "cut.tflite")
    problem = driver("rewrite", path, target, "--cut-at", cut)
    if problem:
        verdict.refused = f"unresolved custom op {cut}; cut: {problem}"
        return None, None
    verdict.note = f"cut before {cut}"
    with open(target, "rb") as file:
        return litert.Model(file.read()), cut


def check_rewritten(path, cut, folder, inputs, expected):
    """LiteRT must give the same bytes for the file that our reader and writer made of a model."""
    target = os.path.join(folder, "rewritten.tflite")
    problem = driver("rewrite", path, target, *(["--cut-at", cut] if cut else []))
    if problem:
        return f"cannot be written again: {problem}"
    with open(target, "rb") as file:
        outputs = litert.Model(file.read()).run(inputs)
    same = len(outputs) == len(expected) and all(
        a.tobytes() == b.tobytes() for a, b in zip(outputs, expected))
    return "" if same else "written again, LiteRT gives other outputs"


def check_references(path, cut, folder, outputs):
    """Float results of the scalar references must be LiteRT's bit for bit, where vector rows may
    add in another order. Runs the first input only."""
    if not any(output.dtype.kind == "f" for output in outputs):
        return ""
    problem = driver("run", path, folder, "1", *(["--cut-at", cut] if cut else []),
                     DLPU_CPU_DISABLE="all")
    if problem:
        return f"the scalar references do not run it: {problem}"
    for i, output in enumerate(outputs):
        with open(os.path.join(folder, f"out_0_{i}.raw"), "rb") as file:
            if file.read() != output.tobytes():
                return f"output {i} of the scalar references differs from LiteRT's"
    return ""


def compare_model(path, count, images):
    import numpy as np

    verdict = Verdict(os.path.basename(path))
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        model, cut = load(path, folder, verdict)
        if model is None:
            return verdict
        sets = [[make_input(rng, n, d, images) for d in model.inputs()] for n in range(count)]
        for n, arrays in enumerate(sets):
            for i, array in enumerate(arrays):
                np.ascontiguousarray(array).tofile(os.path.join(folder, f"in_{n}_{i}.raw"))
        problem = driver("run", path, folder, str(count), *(["--cut-at", cut] if cut else []))
        if problem and REFUSED_BY_DESIGN in problem:
            verdict.refused = f"dlpu refuses it by name: {REFUSED_BY_DESIGN}"
            return verdict
        if problem:
            verdict.problem = f"dlpu does not run it: {problem}"
            return verdict
        default = DefaultKernels(model.content)
        for n, arrays in enumerate(sets):
            outputs = model.run(arrays)
            if n == 0:
                verdict.problem = check_rewritten(path, cut, folder, arrays, outputs)
            for i, output in enumerate(outputs):
                with open(os.path.join(folder, f"out_{n}_{i}.raw"), "rb") as file:
                    result = litert.compare(file.read(), output)
                verdict.bytes += result.bytes
                verdict.different += result.different
                verdict.largest = max(verdict.largest, result.largest)
                if result.bad and output.dtype.kind == "f":
                    theirs = default.difference(arrays, outputs)
                    if result.largest <= DEFAULT_FACTOR * theirs:
                        verdict.beyond += 1
                        continue
                if result.bad and not verdict.problem:
                    verdict.problem = f"input {n}, output {i}: {result.reason}"
            verdict.inputs += 1
        if not verdict.problem:
            verdict.problem = check_references(path, cut, folder, model.run(sets[0]))
    return verdict


def compare_safely(path, count, images):
    try:
        return vars(compare_model(path, count, images))
    except (litert.Refused, OSError, subprocess.TimeoutExpired) as error:
        verdict = Verdict(os.path.basename(path))
        verdict.problem = f"{type(error).__name__}: {error}"
        return vars(verdict)


def print_heads():
    print(f"{'model':70}{'inputs':>8}{'bytes compared':>16}{'bytes different':>17}"
          f"{'largest difference':>20}  note", flush=True)


def print_row(v):
    beyond = (f"{v['beyond']} outputs beyond {litert.FLOAT_BOUND}, like LiteRT's default kernels"
              if v["beyond"] else "")
    note = "; ".join(filter(None, [v["note"], beyond, v["problem"], v["refused"]]))
    print(f"{v['name'][:69]:70}{v['inputs']:>8}{v['bytes']:>16}{v['different']:>17}"
          f"{v['largest']:>20.3g}  {note}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10, help="inputs for each model")
    parser.add_argument("--json", help="also write the counts and the table to this file")
    parser.add_argument("models", nargs="*", help="these models rather than all")
    args = parser.parse_args()
    models = args.models or find_models()
    code = litert.unavailable(max(1, len(models)), args.json)
    if code is not None:
        return code
    images = pictures.load_all(os.path.join(SHARED, "models", "images"))
    work = litert.Forked(lambda path: compare_safely(path, args.inputs, images))
    verdicts = []
    print_heads()
    for path, verdict in work(models):
        if verdict is None:
            verdict = vars(Verdict(os.path.basename(path)))
            verdict["problem"] = "LiteRT ended the process"
        verdicts.append(verdict)
        print_row(verdict)
    failed = sum(1 for v in verdicts if v["problem"])
    skipped = sum(1 for v in verdicts if v["refused"])
    passed = len(verdicts) - failed - skipped
    print(f"{passed} models equal, {failed} not, {skipped} that LiteRT does not run")
    if not models:  # a checkout without the shared folder and an empty zoo
        print("there are no models here: set DLPU_SHARED or run ./dev zoo pull NAME")
        skipped = 1
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            notes = [f"failed: {v['name']}: {v['problem']}" for v in verdicts if v["problem"]]
            notes += [f"skipped: {v['name']}: {v['refused']}" for v in verdicts if v["refused"]]
            json.dump({"passed": passed, "failed": failed, "skipped": skipped, "notes": notes,
                       "models": verdicts}, file, indent=1)
    if models and sum(v["bytes"] for v in verdicts) == 0:
        print("nothing was compared")
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

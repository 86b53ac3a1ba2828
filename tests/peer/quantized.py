#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Quantizes float models with every scheme and compares the results with LiteRT's reference kernels.

Small models of the zoo's cache (and the built-in one), with --all every model of the cache and of
the shared folder that is float or has a scale for each channel, are quantized by `dlpu quantize` with
every scheme on the pictures of --calibration; LiteRT has to load the file and to give the very bytes
that `dlpu run` gives on pictures and on random inputs. Prints a table and exits with 1 when anything
differs, when a model cannot be quantized, or when nothing was compared.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import litert  # noqa: E402
import models  # noqa: E402
import pictures  # noqa: E402

ROOT = models.ROOT
DLPU = os.environ.get("DLPU_PROGRAM", os.path.join(ROOT, "build", "release", "bin", "dlpu"))
SCHEMES = ("int8-per-channel", "int8-per-tensor", "uint8-per-tensor", "int16x8", "power-of-two")
# Float pictures in, and small enough to be run many times.
DEFAULT = ("digits", "blazeface-short", "face-landmark", "hand-recrop", "iris-landmark",
           "selfie-segmentation")
# What dlpu says of a model that the scheme does not ask for, or that it does not quantize by design.
OUT_OF_SCOPE = ("is quantized already", "subgraphs; dlpu takes one", "dlpu has no such op")


def all_models():
    """Every model there is, the smallest first."""
    found = []
    for name in sorted(os.listdir(models.CACHE) if os.path.isdir(models.CACHE) else []):
        files = os.listdir(os.path.join(models.CACHE, name))
        path = next((f for f in files if f.endswith((".tflite", ".onnx"))), None)
        if path:
            found.append((os.path.getsize(os.path.join(models.CACHE, name, path)), name))
    shared = os.path.join(models.SHARED, "models", "tflite")
    for name in sorted(os.listdir(shared) if os.path.isdir(shared) else []):
        path = os.path.join(shared, name)
        found.append((os.path.getsize(path), path))
    return ["digits"] + [name for _, name in sorted(found)]


def dlpu(*arguments):
    """Runs dlpu; returns its error message, or None."""
    done = subprocess.run([DLPU, *arguments], capture_output=True, text=True, timeout=1800)
    # 4: the model was written, and what it gives hardly depends on the input.
    return None if done.returncode in (0, 4) else done.stderr.strip() or f"code {done.returncode}"


def compare(job):
    """Quantizes one model with one scheme and compares; a plain dict."""
    import numpy as np

    name, scheme, calibration, count, images, extra = job
    verdict = {"model": name, "scheme": scheme, "inputs": 0, "bytes": 0, "different": 0,
               "sqnr": "", "problem": "", "refused": "", "scope": ""}
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "q.tflite")
        report = os.path.join(folder, "q.json")
        problem = dlpu("quantize", name, "-o", target, "--scheme", scheme, "--calibration",
                       calibration, "--json", report, *extra)
        if problem:
            out = any(text in problem for text in OUT_OF_SCOPE)
            verdict["scope" if out else "problem"] = problem
            return verdict
        with open(report, encoding="utf-8") as file:
            outputs = json.load(file)["outputs"]
        verdict["sqnr"] = " ".join(
            "exact" if o["sqnr_db"] is None else f"{o['sqnr_db']:.1f}" for o in outputs[:4])
        with open(target, "rb") as file:
            content = file.read()
        try:
            model = litert.Model(content)
        except litert.Refused as error:
            key = "refused" if "custom op" in str(error) else "problem"
            verdict[key] = f"LiteRT: {error}"
            return verdict
        for n in range(count):
            arrays = [models.make_input(rng, n, d, images) for d in model.inputs()]
            arguments = []
            for i, array in enumerate(arrays):
                np.save(os.path.join(folder, f"in{i}.npy"), np.ascontiguousarray(array))
                arguments += ["--input", os.path.join(folder, f"in{i}.npy")]
            out = os.path.join(folder, f"out{n}")
            problem = dlpu("run", target, *arguments, "--output-dir", out, "--task", "none")
            if problem:
                verdict["problem"] = f"dlpu does not run it: {problem}"
                return verdict
            expected = model.run(arrays)
            files = sorted(os.listdir(out), key=lambda f: int(f.split("_")[0]))
            for file, output in zip(files, expected):
                result = litert.compare(np.load(os.path.join(out, file)).tobytes(), output)
                verdict["bytes"] += result.bytes
                verdict["different"] += result.different
                if result.bad and not verdict["problem"]:
                    verdict["problem"] = f"input {n}, {file}: {result.reason}"
            verdict["inputs"] += 1
    return verdict


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calibration", help="pictures; default: those of $DLPU_SHARED")
    parser.add_argument("--inputs", type=int, default=4, help="inputs for each model and scheme")
    parser.add_argument("--schemes", default=",".join(SCHEMES))
    parser.add_argument("--options", default="--pictures 4 --fast",
                        help="more options of dlpu quantize")
    parser.add_argument("--json", help="also write the counts and the table to this file")
    parser.add_argument("--all", action="store_true", help="every model there is")
    parser.add_argument("models", nargs="*", help="these models rather than the usual ones")
    args = parser.parse_args()
    names = args.models or (all_models() if args.all else None) or [
        n for n in DEFAULT if n == "digits" or os.path.isdir(os.path.join(models.CACHE, n))]
    schemes = args.schemes.split(",")
    code = litert.unavailable(len(names) * len(schemes), args.json)
    if code is not None:
        return code
    images = pictures.load_all(os.path.join(models.SHARED, "models", "images"))
    shared = os.path.join(models.SHARED, "models", "images")
    digits = os.path.join(ROOT, "tests", "data", "digits")
    calibration = args.calibration or (shared if os.path.isdir(shared) else digits)
    jobs = [(n, s, calibration, args.inputs, images, args.options.split())
            for n in names for s in schemes]
    verdicts = []
    print(f"{'model':32}{'scheme':18}{'inputs':>7}{'bytes':>12}{'different':>11}  SQNR dB; note")
    for job, verdict in litert.Forked(compare)(jobs):
        if verdict is None:
            verdict = {"model": job[0], "scheme": job[1], "inputs": 0, "bytes": 0, "different": 0,
                       "sqnr": "", "problem": "LiteRT ended the process", "refused": "",
                       "scope": ""}
        verdicts.append(verdict)
        v = verdict
        note = "; ".join(filter(None, [v["sqnr"], v["problem"], v["refused"], v["scope"]]))
        print(f"{v['model'][-31:]:32}{v['scheme']:18}{v['inputs']:>7}{v['bytes']:>12}"
              f"{v['different']:>11}  {note}", flush=True)
    failed = sum(1 for v in verdicts if v["problem"])
    skipped = sum(1 for v in verdicts if v["refused"])
    outside = sum(1 for v in verdicts if v["scope"])
    passed = len(verdicts) - failed - skipped - outside
    print(f"{passed} quantized models equal, {failed} not, {skipped} that LiteRT does not run, "
          f"{outside} that are not to be quantized (again)")
    if args.json:
        notes = [f"failed: {v['model']} {v['scheme']}: {v['problem']}"
                 for v in verdicts if v["problem"]]
        notes += [f"skipped: {v['model']} {v['scheme']}: {v['refused']}"
                  for v in verdicts if v["refused"]]
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"passed": passed, "failed": failed, "skipped": skipped,
                       "out_of_scope": outside, "notes": notes,
                       "models": verdicts}, file, indent=1)
    if sum(v["bytes"] for v in verdicts) == 0:
        print("nothing was compared")
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

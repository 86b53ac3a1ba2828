#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Loads every .tflite that `dlpu compile` writes for a target in LiteRT.

Each model of $DLPU_SHARED/models/tflite and of the zoo's cache is compiled for the targets whose
hand-over is a .tflite (TARGETS). Each file that comes out must load, name the SHA-256 of the model
it was made from, and give the same bytes as the source for every input; `dlpu inspect` must read
it. A model that a target refuses is counted with the reason. Exits with 1 when anything differs or
nothing was compared.
"""
import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import litert  # noqa: E402
import models  # noqa: E402
import pictures  # noqa: E402

TARGETS = ("cpu", "artpec7", "artpec8", "artpec9")
PROGRAM = os.environ.get("DLPU_PROGRAM", os.path.join(models.ROOT, "build/release/bin/dlpu"))


def compile_for(path, target, folder, cut):
    """The JSON of `dlpu compile` for one target; raises OSError with its words."""
    command = [PROGRAM, "compile", path, "--target", target, "-o", folder, "--json", "-",
               *(["--cut-at", cut] if cut else [])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode not in (0, 5):
        raise OSError(done.stderr.strip() or f"ended with code {done.returncode}")
    facts = json.loads(done.stdout)
    if (done.returncode == 5) != bool(facts["refusal"]):
        raise OSError(f"exit code {done.returncode}, refusal '{facts['refusal']}'")
    return facts


def problem_of(content, digest, inputs, expected):
    """What is wrong with a written file; "" when nothing is."""
    if digest.encode() not in content:
        return "does not name the hash of its source"
    try:
        model = litert.Model(content)
        for arrays, outputs in zip(inputs, expected):
            got = model.run(arrays)
            same = len(got) == len(outputs) and all(
                a.tobytes() == b.tobytes() for a, b in zip(got, outputs))
            if not same:
                return "LiteRT gives other outputs than for the source"
    except litert.Refused as error:
        return f"LiteRT does not load it: {error}"
    return ""


def check_target(path, target, cut, inputs, expected, judged):
    """{"files", "bytes", "refused", "problem"} of one model and target. `judged`: what was wrong
    with files seen before; targets often get the same bytes."""
    row = {"model": os.path.basename(path), "target": target, "files": 0, "bytes": 0,
           "refused": "", "problem": ""}
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    with tempfile.TemporaryDirectory() as folder:
        facts = compile_for(path, target, folder, cut)
        row["refused"] = facts["refusal"]
        for artifact in facts["artifacts"]:
            if not artifact["path"].endswith(".tflite"):
                continue
            with open(artifact["path"], "rb") as file:
                content = file.read()
            row["files"] += 1
            row["bytes"] += sum(o.nbytes for outputs in expected for o in outputs)
            if content not in judged:
                judged[content] = problem_of(content, digest, inputs, expected)
            row["problem"] = row["problem"] or judged[content]
            inspected = subprocess.run([PROGRAM, "inspect", artifact["path"], "--json", "-"],
                                       capture_output=True, text=True, timeout=600)
            if inspected.returncode != 0 and not row["problem"]:
                row["problem"] = f"dlpu inspect: {inspected.stderr.strip()}"
    if not row["refused"] and row["files"] == 0 and not row["problem"]:
        row["problem"] = "no .tflite was written"
    return row


def check_model(path, count, images):
    """Rows of one model, one for each target."""
    import numpy as np

    rng = np.random.default_rng(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            verdict = models.Verdict(os.path.basename(path))
            model, cut = models.load(path, folder, verdict)
        if model is None:
            return [{"model": verdict.name, "target": "-", "files": 0, "bytes": 0,
                     "refused": "LiteRT does not run the source: " + verdict.refused,
                     "problem": ""}]
        inputs = [[models.make_input(rng, n, d, images) for d in model.inputs()]
                  for n in range(count)]
        expected = [model.run(arrays) for arrays in inputs]
        judged = {}
        return [check_target(path, target, cut, inputs, expected, judged) for target in TARGETS]
    except (litert.Refused, OSError, ValueError, subprocess.TimeoutExpired) as error:
        if models.REFUSED_BY_DESIGN in str(error):
            return [{"model": os.path.basename(path), "target": "-", "files": 0, "bytes": 0,
                     "refused": f"dlpu refuses it by name: {models.REFUSED_BY_DESIGN}",
                     "problem": ""}]
        return [{"model": os.path.basename(path), "target": "-", "files": 0, "bytes": 0,
                 "refused": "", "problem": f"{type(error).__name__}: {error}"}]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=2, help="inputs for each model")
    parser.add_argument("--json", help="also write the counts and the table to this file")
    parser.add_argument("models", nargs="*", help="these models rather than all")
    args = parser.parse_args()
    paths = args.models or models.find_models()
    code = litert.unavailable(max(1, len(paths)), args.json)
    if code is not None:
        return code
    images = pictures.load_all(os.path.join(models.SHARED, "models", "images"))
    rows = []
    print(f"{'model':62}{'target':>8}{'files':>6}{'bytes equal':>13}  note", flush=True)
    for path, found in litert.Forked(lambda p: check_model(p, args.inputs, images))(paths):
        if found is None:
            found = [{"model": os.path.basename(path), "target": "-", "files": 0, "bytes": 0,
                      "refused": "", "problem": "LiteRT ended the process"}]
        for row in found:
            equal = 0 if row["problem"] else row["bytes"]
            note = row["problem"] or (f"refused: {row['refused']}" if row["refused"] else "")
            print(f"{row['model'][:61]:62}{row['target']:>8}{row['files']:>6}{equal:>13}  {note}",
                  flush=True)
        rows += found
    failed = sum(1 for r in rows if r["problem"])
    refused = sum(1 for r in rows if r["refused"])
    passed = sum(1 for r in rows if r["files"] and not r["problem"])
    print(f"{passed} files load in LiteRT and compute what their sources do, {failed} do not;"
          f" {refused} models refused by a target")
    skipped = sum(1 for r in rows if r["target"] == "-" and r["refused"])
    if not paths:
        print("there are no models here: set DLPU_SHARED or run ./dev zoo pull NAME")
        skipped = 1
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            notes = [f"failed: {r['model']} for {r['target']}: {r['problem']}"
                     for r in rows if r["problem"]]
            json.dump({"passed": passed, "failed": failed, "skipped": skipped, "notes": notes,
                       "files": rows}, file, indent=1)
    if paths and passed == 0:
        print("nothing was compared")
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares a folder written by `peer_cases --write` with LiteRT's reference kernels.

Prints a table with a row for each generator and exits with 1 when anything differs or when nothing
was compared. Integers must be equal; see litert.compare for float32.
"""
import argparse
import collections
import hashlib
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import litert  # noqa: E402


class Row:
    """Counts of one generator."""

    def __init__(self):
        self.cases = self.bytes = self.different = self.failed = 0
        self.largest = 0.0
        self.bit_equal = 0
        self.refused_by_both = self.refused_by_litert = 0


def judge(folder, case):
    """Runs one case in LiteRT. Returns a plain dict (it crosses a process boundary)."""
    directory = os.path.join(folder, case["folder"])

    def read(name):
        with open(os.path.join(directory, name), "rb") as file:
            return file.read()

    try:
        inputs = [read(name) for name in case["inputs"]]
        outputs = litert.Model(read("model.tflite")).run(inputs)
    except litert.Refused as error:
        return {"refused": str(error)}
    digest = hashlib.sha256()
    for output in outputs:
        digest.update(repr([int(n) for n in output.shape]).encode() + output.tobytes())
    verdict = {
        "sha256": digest.hexdigest(),
        "float": any(output.dtype.kind == "f" for output in outputs),
        "bytes": 0, "different": 0, "largest": 0.0, "bit_equal": True, "reason": "",
    }
    if case["error"]:
        verdict["reason"] = f"dlpu refuses, LiteRT runs it: {case['error']}"
        return verdict
    if len(outputs) != len(case["outputs"]):
        verdict["reason"] = f"{len(case['outputs'])} outputs, LiteRT has {len(outputs)}"
        return verdict
    for mine, output in zip(case["outputs"], outputs):
        shape = [int(n) for n in output.shape]
        result = litert.compare(read(mine["file"]), output)
        verdict["bytes"] += result.bytes
        verdict["different"] += result.different
        verdict["largest"] = max(verdict["largest"], result.largest)
        verdict["bit_equal"] &= result.bit_equal
        if mine["shape"] != shape:
            verdict["reason"] = f"shape {mine['shape']}, LiteRT has {shape}"
        elif result.bad:
            verdict["reason"] = result.reason
    return verdict


def compare_cases(folder, cases, log):
    """(rows by generator, verdicts by case name) of the cases in a folder."""
    rows = collections.defaultdict(Row)
    verdicts = {}
    lists = collections.defaultdict(list)
    for case, verdict in litert.Forked(lambda c: judge(folder, c))(cases):
        row = rows[case["generator"]]
        if verdict is None:
            verdict = {"refused": "LiteRT ended the process (an internal check failed)"}
        verdicts[case["name"]] = verdict
        if "refused" in verdict:
            if case["error"]:
                row.refused_by_both += 1
            else:
                row.refused_by_litert += 1
                lists[(case["generator"], verdict["refused"][:160])].append(case["name"])
            continue
        row.cases += 1
        row.bytes += verdict["bytes"]
        row.different += verdict["different"]
        row.largest = max(row.largest, verdict["largest"])
        row.bit_equal += verdict["bit_equal"] and not verdict["reason"]
        if verdict["reason"]:
            row.failed += 1
            if row.failed <= 3:
                log(f"DIFFERENT {case['name']} ({case['folder']}): {verdict['reason']}")
    for (_, reason), names in sorted(lists.items()):
        log(f"only LiteRT refuses {len(names)} like {names[0]}: {reason}")
    return rows, verdicts


def print_table(rows):
    heads = ["cases", "bytes", "different", "largest", "bit-equal", "failed", "both refuse",
             "LiteRT refuses"]
    widths = [7, 10, 11, 10, 11, 8, 13, 16]
    print(f"{'generator':38}" + "".join(f"{h:>{w}}" for h, w in zip(heads, widths)))

    def line(name, r):
        cells = [r.cases, r.bytes, r.different, f"{r.largest:.3g}", r.bit_equal, r.failed,
                 r.refused_by_both, r.refused_by_litert]
        print(f"{name:38}" + "".join(f"{c:>{w}}" for c, w in zip(cells, widths)))

    total = Row()
    for name in sorted(rows):
        line(name, rows[name])
        for key, value in vars(rows[name]).items():
            combine = max if key == "largest" else lambda a, b: a + b
            setattr(total, key, combine(getattr(total, key), value))
    line("all", total)
    return total


def write_golden(path, verdicts, seed):
    """The hashes of LiteRT's integer outputs, for tests that have no LiteRT."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"# sha256 of the outputs (shape, bytes) of LiteRT {litert.VERSION}, reference"
                   f" kernels; written by tests/peer/compare.py\nseed {seed}\n")
        for name, verdict in sorted(verdicts.items()):
            if "refused" not in verdict and not verdict["float"]:
                file.write(f"{name} {verdict['sha256']}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--json", help="also write the totals to this file")
    parser.add_argument("--write-golden", metavar="FILE", help="write LiteRT's hashes to FILE")
    parser.add_argument("--seed", type=int, default=1, help="of the cases, for --write-golden")
    args = parser.parse_args()
    with open(os.path.join(args.folder, "index.jsonl"), encoding="utf-8") as file:
        cases = [json.loads(line) for line in file]
    code = litert.unavailable(max(1, len(cases)), args.json)
    if code is not None:
        return code
    rows, verdicts = compare_cases(args.folder, cases, print)
    total = print_table(rows)
    if args.write_golden:
        write_golden(args.write_golden, verdicts, args.seed)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            notes = [f"failed: {name}: {row.failed} of {row.cases} cases"
                     for name, row in sorted(rows.items()) if row.failed]
            json.dump({"passed": total.cases - total.failed, "failed": total.failed, "skipped": 0,
                       "notes": notes, "rows": {name: vars(row) for name, row in rows.items()}}, file)
    if total.cases == 0 or total.bytes == 0:
        print("nothing was compared")
        return 1
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())

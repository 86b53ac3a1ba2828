#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a person waits for an answer: check, predict and port, as whole processes.

Each command runs once to warm the page cache, then --repeats times; the median is compared with an
aim. Prints a Markdown table and writes build/bench/commands.json. Models come from $DLPU_SHARED
(default ../shared); those that are not there are listed as missing, and without any the program
fails. Keep the machine idle. Usage: bench/commands.py [--repeats N]"""
import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DLPU = os.path.join(ROOT, "build/release/bin/dlpu")
MODELS = os.path.join(os.environ.get("DLPU_SHARED", os.path.join(ROOT, "../shared")),
                      "models/tflite")
# Name, model, arguments ({model} is the file), exit codes that are an answer, aim in ms (None: no
# aim). Exit code 5: a target does not take the model as it is.
COMMANDS = [
    ("check MobileNetV2, one target", "mobilenet_v2_1.0_224_quant",
     ["check", "{model}", "--target", "artpec8"], (0,), 100),
    ("check MobileNetV2, all targets", "mobilenet_v2_1.0_224_quant",
     ["check", "{model}", "--all"], (0, 5), 100),
    ("predict MobileNetV2, one product", "mobilenet_v2_1.0_224_quant",
     ["predict", "{model}", "--product", "Q1656-LE"], (0,), 100),
    ("predict yolov5n, all targets", "yolov5n_artpec8_640", ["predict", "{model}"], (0,), None),
    ("check yolov5n, all targets", "yolov5n_artpec8_640", ["check", "{model}", "--all"], (0, 5),
     None),
    ("port yolov5n --to all", "yolov5n_artpec8_640", ["port", "{model}", "--to", "all"], (0, 5),
     5000),
]


def run(arguments, codes, environment):
    """Milliseconds of one process, by the clock and of processors; it must have answered."""
    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    start, before = time.perf_counter(), used()
    result = subprocess.run([DLPU] + arguments, capture_output=True, env=environment, check=False)
    ms, cpu_ms = 1000 * (time.perf_counter() - start), 1000 * (used() - before)
    if result.returncode not in codes or not result.stdout:
        sys.exit(f"dlpu {' '.join(arguments)}: exit code {result.returncode}: "
                 f"{result.stderr.decode().strip()}")
    return ms, cpu_ms


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    rows, missing = [], []
    print("| command | median ms | least | most | processors' ms | aim ms | median / aim |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as home:  # no calibration of the user's own
        environment = dict(os.environ, XDG_DATA_HOME=home)
        for name, model, arguments, codes, aim in COMMANDS:
            path = os.path.join(MODELS, model + ".tflite")
            if not os.path.exists(path):
                missing.append(f"{name}: no {model}.tflite")
                continue
            line = [path if a == "{model}" else a for a in arguments]
            run(line, codes, environment)
            runs = [run(line, codes, environment) for _ in range(max(1, options.repeats))]
            times = [ms for ms, _ in runs]
            median = statistics.median(times)
            cpu = statistics.median(ms for _, ms in runs)
            ratio = median / aim if aim else None
            rows.append({"name": name, "arguments": arguments, "model": model, "median_ms": median,
                         "cpu_ms": cpu, "times_ms": times, "aim_ms": aim, "ratio": ratio,
                         "met": None if aim is None else median <= aim})
            print(f"| {name} | {median:.1f} | {min(times):.1f} | {max(times):.1f} | {cpu:.1f} | "
                  f"{aim or '-'} | {f'{ratio:.2f}' if aim else '-'} |", flush=True)
    for line in missing:
        print("missing:", line)
    for row in rows:
        if row["met"] is False:
            print(f"aim missed: {row['name']}: {row['median_ms']:.0f} ms, aim {row['aim_ms']} ms")
    os.makedirs(os.path.join(ROOT, "build/bench"), exist_ok=True)
    with open(os.path.join(ROOT, "build/bench/commands.json"), "w", encoding="utf-8") as file:
        json.dump({"machine": platform.processor() or platform.machine(),
                   "repeats": options.repeats, "rows": rows, "missing": missing}, file, indent=1)
    return 0 if rows else 1


if __name__ == "__main__":
    sys.exit(main())

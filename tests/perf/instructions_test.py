# SPDX-License-Identifier: Apache-2.0
"""Instructions of one inference with the AVX2 rows, counted by valgrind: a figure without noise.

The count is that of a process with nine inferences less that of one with five, divided by four, on
one thread, with every row above AVX2 switched off, so that it does not depend on the machine. A
change of more than 2 % fails; a faster kernel writes the new counts with DLPU_REBASE=1, and the
commit says what changed. Counts belong to the release preset built with GCC 12."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "build/release/bin/dlpu")
SHARED = os.environ.get("DLPU_SHARED", os.path.join(ROOT, "..", "shared"))
STORED = os.path.join(ROOT, "tests/golden/instructions.json")
TOLERANCE = 0.02
MODELS = ["mobilenet_v1_0.25_128_quant", "tf2_mobilenet_v2_1.0_224_ptq", "keras_lstm_mnist_ptq"]
ABOVE_AVX2 = "avxvnni,avx512,avx512vnni"


def has_avx2():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return " avx2 " in file.read()
    except OSError:
        return False


def instructions(model, repeats):
    """Instructions of a whole process, by cachegrind without its model of caches."""
    with tempfile.NamedTemporaryFile() as out:
        command = ["valgrind", "--tool=cachegrind", "--cache-sim=no",
                   f"--cachegrind-out-file={out.name}", PROGRAM, "bench", model, "--threads", "1",
                   "--warm-up", "0", "--repeats", str(repeats), "--seconds", "0"]
        environment = dict(os.environ, DLPU_CPU_DISABLE=ABOVE_AVX2)
        done = subprocess.run(command, capture_output=True, text=True, env=environment,
                              timeout=900)
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if done.returncode != 0 or not found:
        raise AssertionError(done.stderr[-500:])
    return int(found.group(1).replace(",", ""))


def changed(stored, counted):
    """What differs by more than the tolerance, as sentences."""
    return [f"{name}: {counted[name]} instructions, stored {stored[name]} "
            f"({100 * (counted[name] / stored[name] - 1):+.1f} %)"
            for name in counted if abs(counted[name] / stored[name] - 1) > TOLERANCE]


class Instructions(unittest.TestCase):
    def test_counts_are_the_stored_ones(self):
        if not shutil.which("valgrind"):
            self.skipTest("valgrind is not installed")
        if not has_avx2():
            self.skipTest("this machine has no AVX2")
        counted = {}
        for name in MODELS:
            model = os.path.join(SHARED, "models/tflite", name + ".tflite")
            if not os.path.exists(model):
                self.skipTest(f"{model} is not there")
            counted[name] = (instructions(model, 9) - instructions(model, 5)) // 4
        if os.environ.get("DLPU_REBASE"):
            with open(STORED, "w", encoding="utf-8") as file:
                json.dump(counted, file, indent=1)
                file.write("\n")
        with open(STORED, encoding="utf-8") as file:
            stored = json.load(file)
        self.assertEqual(sorted(stored), sorted(MODELS))
        self.assertEqual(changed(stored, counted), [])

    def test_a_slower_kernel_is_found(self):
        self.assertEqual(changed({"m": 1000}, {"m": 1019}), [])
        self.assertEqual(len(changed({"m": 1000}, {"m": 1021})), 1)
        self.assertEqual(len(changed({"m": 1000}, {"m": 979})), 1)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""The comparison itself: it passes on equal bytes and fails on known-bad folders."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("DLPU_BUILD", os.path.join(ROOT, "build", "release"))
PROGRAM = os.path.join(BUILD, "bin", "peer_cases")
sys.path.insert(0, HERE)
import litert  # noqa: E402


@unittest.skipIf(litert.missing(), litert.missing())
class Compare(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        subprocess.run([PROGRAM, "--write", self.folder.name, "--generator", "conv_2d_int8",
                        "--count", "4"], check=True, stdout=subprocess.DEVNULL)
        with open(self.path("index.jsonl"), encoding="utf-8") as file:
            self.cases = [json.loads(line) for line in file]

    def path(self, *names):
        return os.path.join(self.folder.name, *names)

    def compare(self):
        command = [sys.executable, os.path.join(HERE, "compare.py"), self.folder.name]
        return subprocess.run(command, capture_output=True, text=True)

    def test_equal_outputs_pass(self):
        done = self.compare()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_one_changed_byte_fails(self):
        case = next(c for c in self.cases if not c["error"])
        name = self.path(case["folder"], case["outputs"][0]["file"])
        with open(name, "r+b") as file:
            first = file.read(1)[0]
            file.seek(0)
            file.write(bytes([first ^ 1]))
        done = self.compare()
        self.assertEqual(done.returncode, 1)
        self.assertIn("element 0 is", done.stdout)

    def write_index(self):
        with open(self.path("index.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(case) + "\n" for case in self.cases)

    def test_wrong_shape_fails(self):
        case = next(c for c in self.cases if not c["error"])
        case["outputs"][0]["shape"] = case["outputs"][0]["shape"][1:]
        self.write_index()
        self.assertEqual(self.compare().returncode, 1)

    def test_refusing_what_litert_runs_fails(self):
        next(c for c in self.cases if not c["error"])["error"] = "cannot"
        self.write_index()
        self.assertEqual(self.compare().returncode, 1)

    def test_nothing_to_compare_fails(self):
        self.cases = []
        self.write_index()
        done = self.compare()
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing was compared", done.stdout)


@unittest.skipIf(litert.missing(), litert.missing())
class Floats(unittest.TestCase):
    def largest(self, mine, reference):
        import numpy as np

        return litert.compare(np.array(mine, np.float32).tobytes(),
                              np.array(reference, np.float32))

    def test_bound_is_a_fraction_of_the_range(self):
        self.assertFalse(self.largest([0, 100.0005], [0, 100]).bad)
        self.assertTrue(self.largest([0, 100.002], [0, 100]).bad)
        self.assertTrue(self.largest([0, 0], [0, 1e-30]).bad)

    def test_not_a_number_must_stay_one(self):
        nan, inf = float("nan"), float("inf")
        self.assertFalse(self.largest([nan, inf, 1], [nan, inf, 1]).bad)
        self.assertTrue(self.largest([nan, 1], [0, 1]).bad)
        self.assertTrue(self.largest([0, 1], [nan, 1]).bad)
        self.assertTrue(self.largest([inf, 1], [-inf, 1]).bad)


if __name__ == "__main__":
    unittest.main()

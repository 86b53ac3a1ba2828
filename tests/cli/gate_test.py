# SPDX-License-Identifier: Apache-2.0
"""dlpu as a gate of continuous integration: check --strict, quantize and an accuracy threshold, with no
network, on this CPU, on an x86-64 without AVX (under qemu-user) and on what DLPU_GATE_OTHER names
(the command of a dlpu for AArch64, by ./dev check). Exit codes, reports and files must be the same,
byte for byte."""
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("DLPU_BUILD", os.path.join(ROOT, "build", "release"))
DLPU = os.path.join(BUILD, "bin", "dlpu")
FLOAT = os.path.join(ROOT, "data", "models", "digits.tflite")
INT8 = os.path.join(ROOT, "data", "models", "digits_int8.tflite")
DIGITS = os.path.join(ROOT, "tests", "data", "digits")
# What a project would run, and the exit code of each; {} is the folder for results.
STEPS = [
    (["check", INT8, "--target", "artpec8", "--strict", "0", "--json", "check.json"], 0),
    (["check", INT8, "--target", "artpec9", "--strict", "0", "--json", "strict.json"], 3),
    (["check", FLOAT, "--target", "artpec8", "--fail-on", "error", "--json", "float.json"], 5),
    # No --json: the losses in it are measured with this CPU's float kernels.
    (["quantize", FLOAT, "-o", "net.tflite", "--target", "artpec8", "--calibration", DIGITS], 0),
    (["check", "net.tflite", "--target", "artpec8", "--strict", "0", "--run"], 0),
    (["eval", "net.tflite@artpec8", "--images", DIGITS, "--truth", "truth.txt", "--min", "90",
      "--json", "eval.json"], 0),
    (["eval", "net.tflite@artpec8", "--images", DIGITS, "--truth", "wrong.txt", "--min", "90"], 4),
    (["compare", FLOAT, "net.tflite", "--sample", os.path.join(DIGITS, "3_0.png"), "--min-sqnr",
      "20", "--portable", "--json", "compare.json"], 0),
    (["eval", "net.tflite", "--images", DIGITS, "--float", FLOAT, "--min", "90", "--portable",
      "--json", "agreement.json"], 0),
    (["predict", "net.tflite", "--product", "AXIS Q1656", "--json", "predict.json"], 0),
]


def no_network():
    """A prefix that takes the network away, or [] where that is not allowed."""
    prefix = ["unshare", "--user", "--net", "--map-root-user"]
    if shutil.which("unshare") and subprocess.run([*prefix, "true"],
                                                  capture_output=True).returncode == 0:
        return prefix
    return []


class Gate(unittest.TestCase):
    def setUp(self):
        if not os.path.exists(DLPU):
            self.skipTest(f"{DLPU} is not built")

    def results(self, command):
        """{what: text or hash} of all steps."""
        results = {}
        with tempfile.TemporaryDirectory() as folder:
            names = sorted(os.listdir(DIGITS))
            for name, shift in (("truth.txt", 0), ("wrong.txt", 1)):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.writelines(f"{n} {(int(n[0]) + shift) % 10}\n" for n in names)
            for step, code in STEPS:
                done = subprocess.run([*no_network(), *command, *step], cwd=folder,
                                      capture_output=True, text=True)
                what = " ".join(step[:2])
                self.assertEqual(done.returncode, code, f"{what}\n{done.stdout}{done.stderr}")
                results[f"{what}: stdout {len(results)}"] = done.stdout
                results[f"{what}: stderr {len(results)}"] = done.stderr
            for name in sorted(os.listdir(folder)):
                with open(os.path.join(folder, name), "rb") as file:
                    data = file.read()
                text = name.endswith((".json", ".toml"))
                results[name] = data.decode() if text else hashlib.sha256(data).hexdigest()
        return results

    def others(self):
        """(name, command)"""
        qemu = shutil.which("qemu-x86_64")
        if qemu and os.uname().machine == "x86_64":
            yield "x86-64 without AVX", [qemu, "-cpu", "Nehalem", DLPU]
        if os.environ.get("DLPU_GATE_OTHER"):
            yield "DLPU_GATE_OTHER", shlex.split(os.environ["DLPU_GATE_OTHER"])

    def test_same_bytes_and_reports_on_every_cpu_without_a_network(self):
        mine = self.results([DLPU])
        self.assertIn("net.tflite", mine)
        self.assertEqual(self.results([DLPU]), mine)
        others = list(self.others())
        if not others:
            self.skipTest("no qemu-x86_64 (qemu-user): compared with itself only")
        for name, command in others:
            with self.subTest(cpu=name):
                theirs = self.results(command)
                self.assertEqual(sorted(theirs), sorted(mine))
                for what in mine:
                    self.assertEqual(theirs[what], mine[what], what)


if __name__ == "__main__":
    unittest.main()

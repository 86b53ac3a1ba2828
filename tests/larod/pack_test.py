# SPDX-License-Identifier: Apache-2.0
"""Known answers from end to end: `dlpu pack` writes a folder, its own run.sh is run with our
larod-client on a virtual camera, and `dlpu compare` judges what came back."""
import json
import os
import re
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("DLPU_BUILD", os.path.join(ROOT, "build", "release"))
DLPU = os.path.join(BUILD, "bin", "dlpu")
FLOAT = os.path.join(ROOT, "data", "models", "digits.tflite")
PICTURES = os.path.join(ROOT, "tests", "data", "digits")
DIGITS = os.path.join(ROOT, "data", "models", "digits_int8.tflite")
# A product of each target whose device loads an open format.
PRODUCTS = {"artpec7": "AXIS P3255-LVE", "artpec8": "AXIS Q1656", "artpec9": "AXIS Q1728",
            "cpu": "AXIS Q1656"}


class Pack(unittest.TestCase):
    def setUp(self):
        for program in (DLPU, os.path.join(BUILD, "bin", "larod-client")):
            if not os.path.exists(program):
                self.skipTest(f"{program} is not built")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.pack = os.path.join(folder.name, "pack")

    def dlpu(self, *arguments, code=0):
        done = subprocess.run([DLPU, *arguments], capture_output=True, text=True)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def on_camera(self, product, *arguments):
        env = dict(os.environ, DLPU_PRODUCT=product, DLPU_LAROD_LOG="none",
                   LD_LIBRARY_PATH=os.path.join(BUILD, "lib"),
                   PATH=os.path.join(BUILD, "bin") + ":" + os.environ["PATH"])
        return subprocess.run(["sh", "run.sh", *arguments], cwd=self.pack, env=env,
                              capture_output=True, text=True)

    def judged(self, code=0):
        results = os.path.join(self.pack, "results")
        return json.loads(self.dlpu("compare", self.pack, results, "--json", "-", code=code))

    def change(self, name, change):
        path = os.path.join(self.pack, "results", name)
        with open(path, "rb") as file:
            data = bytearray(file.read())
        for i, code in enumerate(data):
            data[i] = change(i, code)
        with open(path, "wb") as file:
            file.write(data)

    def test_every_device_of_an_open_format_gives_the_known_answers(self):
        for target, product in PRODUCTS.items():
            with self.subTest(target=target):
                self.dlpu("pack", DIGITS, "--target", target, "-o", self.pack)
                done = self.on_camera(product)
                if target == "artpec7":  # this device takes the vendor compiler's file only
                    self.assertNotEqual(done.returncode, 0, done.stdout)
                    continue
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                result = self.judged()
                self.assertTrue(result["passed"])
                self.assertEqual(len(result["answers"]), 3)
                for answer in result["answers"]:
                    self.assertEqual(answer["verdict"], "pass")
                    self.assertEqual(answer["code_distance"][1:], [0, 0, 0, 0])
                self.assertIn(result["confidence"], ("measured", "derived", "assumed"))
                self.assertTrue(all(op["confidence"] for op in result["ops"]))

    def test_what_is_off_is_counted_and_what_is_wrong_is_said(self):
        self.dlpu("pack", DIGITS, "--target", "artpec8", "-o", self.pack)
        done = self.on_camera(PRODUCTS["artpec8"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.change("s0_out0.bin", lambda i, c: c ^ 2 if i == 3 else c)
        self.change("s1_out0.bin", lambda i, c: 255 - c)
        os.remove(os.path.join(self.pack, "results", "s2_out0.bin"))
        answers = self.judged(code=4)["answers"]
        self.assertEqual([a["verdict"] for a in answers], ["off", "wrong", "wrong"])
        self.assertEqual(answers[0]["code_distance"], [9, 0, 1, 0, 0])
        self.assertIn("s2_out0.bin", answers[2]["problem"])

    def test_cvflow_takes_and_gives_planes_of_padded_rows(self):
        folder = os.path.dirname(self.pack)
        net = os.path.join(folder, "net.tflite")
        self.dlpu("quantize", FLOAT, "--target", "cv25", "--calibration", PICTURES, "-o", net)
        program = os.path.join(folder, "virtual.dlpu")
        self.dlpu("compile", net, "--target", "cv25", "-o", program)
        self.dlpu("pack", net, "--target", "cv25", "--input", os.path.join(PICTURES, "3_0.png"),
                  "-o", self.pack)
        size = os.path.getsize(os.path.join(self.pack, "s0_in0.bin"))
        self.assertEqual(size, 28 * 32)  # one plane of 28 rows, 32 bytes apart
        self.assertNotEqual(self.on_camera("AXIS M3085-V").returncode, 0)  # no file to load
        done = self.on_camera("AXIS M3085-V", program)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(os.path.getsize(os.path.join(self.pack, "results", "s0_out0.bin")), 10 * 32)
        result = self.judged()
        self.assertTrue(result["passed"], result)
        self.assertEqual(result["answers"][0]["max_abs"], 0)
        self.assertEqual(result["confidence"], "assumed")

    def test_a_camera_of_another_chip_has_no_such_device(self):
        self.dlpu("pack", DIGITS, "--target", "artpec8", "-o", self.pack)
        done = self.on_camera(PRODUCTS["artpec9"])
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stdout + done.stderr, re.escape("axis-a8-dlpu-tflite"))


if __name__ == "__main__":
    unittest.main()

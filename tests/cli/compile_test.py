# SPDX-License-Identifier: Apache-2.0
"""dlpu compile and run --target as a user meets them, with a stand-in for the Edge TPU Compiler in
PATH. The program is build/release/bin/dlpu, or $DLPU_PROGRAM."""
import json
import os
import stat
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("DLPU_PROGRAM", os.path.join(ROOT, "build/release/bin/dlpu"))
MODEL = os.path.join(ROOT, "data/models/digits_int8.tflite")

# Writes what Google's compiler writes: a model beside its input's name, a log with a table.
FAKE = """#!/bin/sh
echo "$@" > "$(dirname "$0")/arguments"
while [ $# -gt 1 ]; do
  [ "$1" = -o ] && out=$2
  shift
done
stem=$(basename "$1" .tflite)
cp "$1" "$out/${stem}_edgetpu.tflite"
cat > "$out/${stem}_edgetpu.log" <<EOF
Edge TPU Compiler version 16.0.384591198
Operator                       Count      Status

@TABLE@EOF
echo "Edge TPU Compiler version 16.0.384591198"
echo "On-chip memory used for caching model parameters: 0.05MiB"
"""


def dlpu(*arguments, path=None):
    environment = dict(os.environ)
    if path is not None:
        environment["PATH"] = path + ":" + environment["PATH"]
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=120,
                          env=environment)


class CompileTest(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = self.temporary.name

    def compile(self, *arguments, path=None, code=0):
        result = dlpu("compile", *arguments, "--json", "-", path=path)
        self.assertEqual(result.returncode, code, result.stderr)
        return json.loads(result.stdout)

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()

    def hashes(self, *arguments):
        result = dlpu("run", *arguments, "--json", "-")
        self.assertEqual(result.returncode, 0, result.stderr)
        return [row["sha256"] for row in json.loads(result.stdout)["outputs"]]

    def fake_compiler(self, table):
        tools = os.path.join(self.folder, "tools")
        os.makedirs(tools, exist_ok=True)
        path = os.path.join(tools, "edgetpu_compiler")
        with open(path, "w", encoding="utf-8") as file:
            file.write(FAKE.replace("@TABLE@", "".join(line + "\n" for line in table)))
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        return tools

    def test_all_targets(self):
        out = os.path.join(self.folder, "out")
        facts = self.compile(MODEL, "--target", "all", "-o", out)
        rows = {row["target"]: row for row in facts["targets"]}
        self.assertEqual(sorted(rows), ["artpec7", "artpec8", "artpec9", "cpu", "cv25", "cv75"])
        for target in ["cpu", "artpec8", "artpec9", "artpec7"]:
            self.assertTrue(rows[target]["loadable"])
            for ending in [".tflite", ".dlpu"]:
                self.assertTrue(os.path.exists(f"{out}/digits_int8_{target}{ending}"))
        self.assertFalse(rows["cv75"]["loadable"])
        self.assertEqual(rows["artpec8"]["partitions"], 1)

    def test_what_was_written_computes_what_the_model_does(self):
        self.compile(MODEL, "--target", "artpec8", "-o", self.folder)
        expected = self.hashes(MODEL)
        for name in ["digits_int8_artpec8.tflite", "digits_int8_artpec8.dlpu"]:
            self.assertEqual(self.hashes(os.path.join(self.folder, name)), expected)
        self.assertEqual(self.hashes(MODEL, "--target", "artpec8"), expected)
        self.assertEqual(self.hashes(MODEL, "--target", "artpec8", "--threads", "1"), expected)

    def test_the_same_input_gives_the_same_bytes(self):
        for name in ["a", "b"]:
            self.compile(MODEL, "--target", "artpec9", "-o", os.path.join(self.folder, name))
        for ending in [".tflite", ".dlpu"]:
            self.assertEqual(self.read("a/digits_int8_artpec9" + ending),
                             self.read("b/digits_int8_artpec9" + ending))

    def test_one_file(self):
        self.compile(MODEL, "--target", "artpec8", "-o", os.path.join(self.folder, "m.dlpu"))
        self.assertEqual(sorted(os.listdir(self.folder)), ["m.dlpu", "m.tflite"])
        path = os.path.join(self.folder, "m.dlpu")
        inspected = dlpu("inspect", path, "--layers")
        self.assertEqual(inspected.returncode, 0, inspected.stderr)
        self.assertIn("compiled     for artpec8", inspected.stdout)
        self.assertIn("made from", inspected.stdout)
        self.assertEqual(dlpu("bench", path, "--seconds", "0.05").returncode, 0)

    def test_a_damaged_program_is_refused(self):
        self.compile(MODEL, "--target", "artpec8", "-o", os.path.join(self.folder, "m.dlpu"))
        data = self.read("m.dlpu")
        for name, content in [("cut", data[:-100]), ("flip", data[:5000] + b"\0\1" + data[5002:])]:
            path = os.path.join(self.folder, name + ".dlpu")
            with open(path, "wb") as file:
                file.write(content)
            result = dlpu("run", path)
            self.assertEqual(result.returncode, 1)
            self.assertIn("damaged or cut off", result.stderr)

    def test_refusals_exit_with_5_and_the_words_of_the_camera(self):
        refused = dlpu("compile", "digits", "--target", "artpec7", "-o", self.folder)
        self.assertEqual(refused.returncode, 5)
        self.assertIn("Model not quantized", refused.stdout)
        self.assertEqual(os.listdir(self.folder), [])
        self.assertEqual(dlpu("compile", MODEL, "--target", "cv75").returncode, 5)
        run = dlpu("run", "digits", "--target", "artpec7")
        self.assertEqual(run.returncode, 5)
        self.assertIn("Model not quantized", run.stderr)

    def test_cv25_is_handed_off_and_not_run(self):
        facts = self.compile("digits", "--target", "cv25", "-o", self.folder)
        self.assertIn("only Ambarella CNNGen makes", facts["notes"][0])
        self.assertEqual(sorted(os.listdir(os.path.join(self.folder, "digits_cv25_handoff"))),
                         ["calibration_list.txt", "commands.sh", "facts.txt", "model.tflite"])
        run = dlpu("run", "digits", "--target", "cv25")
        self.assertEqual(run.returncode, 1)
        self.assertIn("dlpu quantize MODEL --target cv25", run.stderr)

    def test_calibration_is_refused_where_it_would_do_nothing(self):
        refused = dlpu("compile", MODEL, "--target", "artpec8", "--calibration",
                       os.path.join(ROOT, "tests/data/digits"), "-o", self.folder)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("dlpu quantize MODEL --target T", refused.stderr)
        self.assertEqual(os.listdir(self.folder), [])

    def test_the_vendors_compiler_is_run_and_agrees(self):
        expected = self.compile(MODEL, "--target", "artpec7", "-o", self.folder)
        self.assertIsNone(expected["vendor"])
        self.assertIn("not installed", expected["notes"][0])
        table = [f"{row['op']:30} {row['count']:<10} {row['status']}"
                 for row in expected["mapping"]]
        self.assertGreater(len(table), 0)
        facts = self.compile(MODEL, "--target", "artpec7", "-o", self.folder, "--os", "10.6",
                             path=self.fake_compiler(table))
        self.assertTrue(facts["vendor"]["mapping_equal"])
        self.assertEqual(facts["min_runtime"], 13)
        with open(os.path.join(self.folder, "tools/arguments"), encoding="utf-8") as file:
            self.assertTrue(file.read().startswith("-m 13 -s -o "))
        self.assertTrue(facts["artifacts"][-1]["path"].endswith("_edgetpu.tflite"))

    def test_the_vendors_compiler_is_run_and_disagrees(self):
        table = ["CONV_2D  1  More than one subgraph is not supported"]
        facts = self.compile(MODEL, "--target", "artpec7", "-o", self.folder,
                             path=self.fake_compiler(table))
        self.assertFalse(facts["vendor"]["mapping_equal"])
        differing = {row["op"]: row for row in facts["vendor"]["differences"]}
        self.assertEqual(differing["CONV_2D"]["vendor"], 0)
        self.assertGreater(differing["CONV_2D"]["dlpu"], 0)

    def assertTextsAreInside(self, picture, name):
        """No text of an SVG picture leaves it, at 6 pixels a letter or more."""
        texts = [t for t in picture.iter() if t.tag.endswith("}text")]
        self.assertGreater(len(texts), 5, name)
        for text in texts:
            wide = 6 * len(text.text or "")
            x, ends_there = float(text.get("x")), text.get("text-anchor") == "end"
            self.assertGreaterEqual(x - (wide if ends_there else 0), 0, text.text)
            self.assertLessEqual(x + (0 if ends_there else wide), float(picture.get("width")),
                                 text.text)

    def test_the_report(self):
        result = dlpu("compile", MODEL, "--target", "artpec7", "-o", self.folder,
                      "--compile-report")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("memory by tensor and time", result.stdout)
        names = os.listdir(self.folder)
        for ending in [".report.txt", ".report.partition.svg", ".report.memory.svg"]:
            self.assertIn("digits_int8_artpec7" + ending, names)
        for name in names:
            if name.endswith(".svg"):
                picture = xml.etree.ElementTree.parse(os.path.join(self.folder, name)).getroot()
                self.assertGreater(len(list(picture)), 5, name)
                self.assertTextsAreInside(picture, name)

    def test_targets_say_how_sure_their_arithmetic_is(self):
        result = dlpu("run", MODEL, "--target", "artpec9", "--steps", "--winograd-bound")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("ARTPEC-9: arithmetic tflite-reference (assumed)", result.stdout)
        self.assertIn("This model has none that could be", result.stdout)  # all are of stride 2
        self.assertIn("dlpu", result.stdout)
        refused = dlpu("run", MODEL, "--target", "artpec8", "--winograd-bound")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("--winograd-bound", refused.stderr)


if __name__ == "__main__":
    unittest.main()

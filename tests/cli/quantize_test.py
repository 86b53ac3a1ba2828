# SPDX-License-Identifier: Apache-2.0
"""dlpu quantize as a user meets it. The program is build/release/bin/dlpu, or $DLPU_PROGRAM."""
import json
import os
import struct
import subprocess
import tempfile
import unittest
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("DLPU_PROGRAM", os.path.join(ROOT, "build/release/bin/dlpu"))


def dlpu(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=120)


def onnx_layer(path, weights, inputs, outputs):
    """An ONNX model of one fully connected layer, written without any library."""

    def varint(value):
        out = b""
        while value > 127:
            out, value = out + bytes([value & 127 | 128]), value >> 7
        return out + bytes([value])

    def number(field, value):
        return varint(field << 3) + varint(value)

    def data(field, value):
        value = value.encode() if isinstance(value, str) else value
        return varint(field << 3 | 2) + varint(len(value)) + value

    def value_info(name, size):
        shape = b"".join(data(1, number(1, extent)) for extent in (1, size))
        return data(1, name) + data(2, data(1, number(1, 1) + data(2, shape)))

    tensor = (number(1, inputs) + number(1, outputs) + number(2, 1) + data(8, "w") +
              data(9, struct.pack(f"<{inputs * outputs}f", *weights)))
    node = data(1, "x") + data(1, "w") + data(2, "y") + data(3, "layer") + data(4, "MatMul")
    graph = (data(1, node) + data(2, "net") + data(5, tensor) + data(11, value_info("x", inputs)) +
             data(12, value_info("y", outputs)))
    with open(path, "wb") as file:
        file.write(number(1, 8) + data(7, graph) + data(8, data(1, "") + number(2, 13)))


def npy(shape, values):
    """The bytes of a .npy file of float32."""
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack(
        f"<{len(values)}f", *values)


class QuantizeTest(unittest.TestCase):
    DIGITS = os.path.join(ROOT, "tests/data/digits")

    def test_layers_get_more_bits_by_gain_and_predicted_time(self):
        with tempfile.TemporaryDirectory() as folder:
            out, facts = os.path.join(folder, "a.tflite"), os.path.join(folder, "a.json")
            common = ["quantize", "digits", "-o", out, "--calibration", self.DIGITS]
            done = dlpu(*common, "--product", "AXIS Q1656", "--max-ms-more", "100", "--json", facts)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("predicted", done.stdout)
            with open(facts, encoding="utf-8") as file:
                mixed = json.load(file)["mixed"]
            self.assertEqual(mixed["priced_for"], "AXIS Q1656")
            self.assertGreater(mixed["looked_at"], 3)
            self.assertTrue(any(layer["taken"] for layer in mixed["layers"]))
            self.assertGreater(mixed["after_db"], mixed["before_db"])
            done = dlpu(*common, "--target", "artpec8", "--min-sqnr", "59", "--max-ms-more", "0")
            self.assertEqual(done.returncode, 4, done.stdout + done.stderr)
            self.assertIn("is not reached", done.stdout)
            done = dlpu(*common, "--scheme", "int8-per-tensor", "--min-sqnr", "59")
            self.assertEqual(done.returncode, 1)
            self.assertIn("give --product or --target", done.stderr)

    def test_quantizes_writes_a_recipe_and_repeats_it(self):
        with tempfile.TemporaryDirectory() as folder:
            first, again = os.path.join(folder, "a.tflite"), os.path.join(folder, "b.tflite")
            done = dlpu("quantize", "digits", "-o", first, "--target", "artpec8", "--calibration",
                        self.DIGITS, "--json", "-")
            self.assertEqual(done.returncode, 0, done.stderr)
            report = json.loads(done.stdout)
            self.assertEqual(report["scheme"], "int8-per-tensor")
            self.assertEqual(report["calibration_inputs"], 20)
            self.assertGreater(report["outputs"][0]["sqnr_db"], 25)
            done = dlpu("quantize", "digits", "-o", again, "--recipe", report["recipe"],
                        "--threads", "1")
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(first, "rb") as a, open(again, "rb") as b:
                self.assertEqual(a.read(), b.read())
            picture = os.path.join(self.DIGITS, "7_0.png")
            run = dlpu("run", first, "--input", picture)
            self.assertEqual(run.returncode, 0, run.stderr)

    def test_a_dead_model_is_said_and_ends_with_4(self):
        """One weight of 1,000 for an input that never moves leaves the others no code."""
        with tempfile.TemporaryDirectory() as folder:
            model, inputs = os.path.join(folder, "net.onnx"), os.path.join(folder, "c.npz")
            out = os.path.join(folder, "q.tflite")
            for weight, code in ((1000, 4), (1, 0)):
                weights = [weight] * 4 + [((7 * i) % 11 - 5) / 10 for i in range(60)]
                onnx_layer(model, weights, 16, 4)
                samples = [0 if i % 16 == 0 else ((13 * i) % 17 - 8) / 8 for i in range(12 * 16)]
                with zipfile.ZipFile(inputs, "w") as file:
                    file.writestr("arr_0.npy", npy((12, 16), samples))
                done = dlpu("quantize", model, "-o", out, "--scheme", "int8-per-tensor", "--no-equalize",
                            "--calibration", inputs, "--json", "-")
                self.assertEqual(done.returncode, code, done.stderr)
                report = json.loads(done.stdout)
                self.assertEqual(report["outputs"][0]["nearly_constant"], code == 4)
                self.assertEqual("output nearly constant over the calibration set" in done.stderr, code == 4)
                self.assertTrue(os.path.exists(out))

    def test_chooses_a_scheme_for_each_chip(self):
        done = dlpu("quantize", "digits", "--choose", "artpec8,artpec9", "--calibration", self.DIGITS,
                    "--json", "-")
        self.assertEqual(done.returncode, 0, done.stderr)
        choices = {c["target"]: c for c in json.loads(done.stdout)["choices"]}
        self.assertEqual(choices["artpec8"]["recommended"], "int8-per-tensor")
        self.assertEqual(choices["artpec9"]["recommended"], "int8-per-channel")
        for choice in choices.values():
            for offer in choice["offers"]:
                self.assertGreater(offer["camera_ms"], 0)
                self.assertGreater(offer["sqnr_db"], 20)

    def test_replaces_only_what_is_there(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "q.tflite")
            for replacement, says in (("tanh", "there are hard-swish=relu6"),
                                      ("hard-swish", "the model has no such op")):
                done = dlpu("quantize", "digits", "-o", out, "--scheme", "int8-per-tensor",
                            "--calibration", self.DIGITS, "--replace", replacement)
                self.assertEqual(done.returncode, 1)
                self.assertIn(says, done.stderr)

    def test_mistakes_have_a_sentence(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "q.tflite")
            for arguments, says in (
                    (["--target", "artpec8", "--calibration", folder], "has no picture"),
                    (["--calibration", self.DIGITS], "give --target"),
                    (["--target", "cpu", "--calibration", self.DIGITS], "give --scheme"),
                    (["--target", "artpec8", "--wide-below", "30"], "is for power-of-two"),
                    (["--scheme", "int4", "--calibration", self.DIGITS], "int8-per-channel"),
                    (["--target", "artpec8"], "--calibration: give")):
                done = dlpu("quantize", "digits", "-o", out, *arguments)
                self.assertEqual(done.returncode, 1, arguments)
                self.assertIn(says, done.stderr)
                self.assertFalse(os.path.exists(out))

    def test_cv25_has_fixed_point_that_runs_here(self):
        with tempfile.TemporaryDirectory() as folder:
            quantized = os.path.join(folder, "q.tflite")
            done = dlpu("quantize", "digits", "-o", quantized, "--target", "cv25", "--calibration",
                        self.DIGITS, "--json", "-")
            self.assertEqual(done.returncode, 0, done.stderr)
            report = json.loads(done.stdout)
            self.assertEqual(report["scheme"], "power-of-two")
            self.assertEqual((report["input_type"], report["output_type"]), ("uint8", "float32"))
            self.assertGreater(report["bits"]["tensors"], 4)
            self.assertEqual(report["float_nodes"], [])
            picture = os.path.join(self.DIGITS, "7_0.png")
            run = dlpu("run", quantized, "--target", "cv25", "--input", picture, "--json", "-")
            self.assertEqual(run.returncode, 0, run.stderr)
            outputs = json.loads(run.stdout)["outputs"]
            self.assertEqual(json.loads(run.stdout)["arithmetic"]["confidence"], "assumed")
            checked = dlpu("check", quantized, "--target", "cv25")
            self.assertIn("dlpu's own fixed point", checked.stdout)
            # The program that port leaves computes the same, beside filled calibration inputs.
            done = dlpu("port", "digits", "--to", "cv25", "--calibration", self.DIGITS, "--out",
                        folder, "--json", "-")
            row = json.loads(done.stdout)["targets"][0]
            self.assertEqual((row["fixed_point"], row["quantized"]), ("power-of-two", ""))
            program = os.path.join(folder, "cv25", "digits_cv25.dlpu")
            run = dlpu("run", program, "--input", picture, "--json", "-")
            self.assertEqual(json.loads(run.stdout)["outputs"], outputs)
            handoff = os.path.join(folder, "cv25", "digits_cv25_handoff")
            with open(os.path.join(handoff, "calibration_list.txt"), encoding="utf-8") as file:
                names = file.read().split()
            self.assertEqual(len(names), 20)
            for name in names:
                self.assertEqual(os.path.getsize(os.path.join(handoff, name)), 784)

    def test_an_onnx_file_for_cv25_without_the_vendors_compiler(self):
        """Readiness, what fixed point costs, that no camera file can be made here, and what to do."""
        with tempfile.TemporaryDirectory() as folder:
            model, inputs = os.path.join(folder, "net.onnx"), os.path.join(folder, "c.npz")
            onnx_layer(model, [((7 * i) % 11 - 5) / 10 for i in range(64)], 16, 4)
            samples = [((13 * i) % 17 - 8) / 8 for i in range(12 * 16)]
            with zipfile.ZipFile(inputs, "w") as file:
                file.writestr("arr_0.npy", npy((12, 16), samples))
            checked = dlpu("check", model, "--target", "cv25", "--notes")
            self.assertEqual(checked.returncode, 0, checked.stderr)
            for says in ("no list of the ops that CVflow runs is published",
                         "only Ambarella's compiler makes the camera's .bin; dlpu cannot",
                         "dlpu compile --calibration PHOTOS"):
                self.assertIn(says, checked.stdout)
            done = dlpu("quantize", model, "-o", os.path.join(folder, "q.tflite"), "--target", "cv25",
                        "--calibration", inputs, "--json", "-")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertGreater(json.loads(done.stdout)["outputs"][0]["sqnr_db"], 20)
            done = dlpu("compile", model, "--target", "cv25", "--calibration", inputs, "-o",
                        os.path.join(folder, "out"))
            self.assertEqual(done.returncode, 0, done.stderr)
            handoff = os.path.join(folder, "out", "net_cv25_handoff")
            with open(os.path.join(handoff, "calibration_list.txt"), encoding="utf-8") as file:
                self.assertEqual(len(file.read().split()), 12)
            self.assertTrue(os.path.exists(os.path.join(handoff, "model.onnx")))
            with open(os.path.join(handoff, "commands.sh"), encoding="utf-8") as file:
                self.assertIn("model.onnx", file.read())

    def test_port_quantizes_for_those_who_want_it(self):
        with tempfile.TemporaryDirectory() as folder:
            done = dlpu("port", "digits", "--to", "artpec8,cpu", "--calibration", self.DIGITS, "--out",
                        folder, "--json", "-")
            self.assertEqual(done.returncode, 0, done.stderr)
            rows = {row["target"]: row for row in json.loads(done.stdout)["targets"]}
            self.assertEqual(rows["artpec8"]["quantized"], "int8-per-tensor")
            self.assertEqual(rows["artpec8"]["verdict"], "runs")
            self.assertEqual(rows["cpu"]["quantized"], "")
            self.assertTrue(os.path.exists(os.path.join(folder, "int8-per-tensor.recipe.toml")))
            written = [n for n in os.listdir(os.path.join(folder, "artpec8")) if n.endswith(".tflite")]
            self.assertEqual(len(written), 1)


if __name__ == "__main__":
    unittest.main()

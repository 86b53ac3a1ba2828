# SPDX-License-Identifier: Apache-2.0
"""The command line as a new user meets it: help texts, results, and one clear sentence for each
thing that is wrong. The program is build/release/bin/dlpu, or $DLPU_PROGRAM. With DLPU_REBASE=1
the golden help texts are rewritten."""
import json
import os
import re
import shutil
import stat
import struct
import subprocess
import tempfile
import unittest
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("DLPU_PROGRAM", os.path.join(ROOT, "build/release/bin/dlpu"))
GOLDEN = os.path.join(ROOT, "tests/golden/help")
COMMANDS = ["port", "check", "inspect", "convert", "quantize", "compile", "run", "predict", "calibrate",
            "compare", "pack", "eval", "bench", "targets", "products", "zoo", "serve"]


def dlpu(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=120)


def png(path, width, height, colour_type, depth, pixel):
    """A PNG of one colour, written without any library."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + pixel * width for _ in range(height))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)))
        file.write(chunk(b"IDAT", zlib.compress(rows)))
        file.write(chunk(b"IEND", b""))


class HelpTest(unittest.TestCase):
    def test_help_texts_are_the_golden_ones(self):
        os.makedirs(GOLDEN, exist_ok=True)
        for name in ["dlpu", *COMMANDS]:
            arguments = ["--help"] if name == "dlpu" else [name, "--help"]
            result = dlpu(*arguments)
            self.assertEqual(result.returncode, 0)
            path = os.path.join(GOLDEN, name + ".txt")
            if os.environ.get("DLPU_REBASE"):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(result.stdout)
            with open(path, encoding="utf-8") as file:
                self.assertEqual(result.stdout, file.read(), f"{path}: run with DLPU_REBASE=1")

    def test_every_command_is_covered(self):
        listed = re.findall(r"^  (\w+) ", dlpu("--help").stdout.split("Subcommands:")[1], re.M)
        self.assertEqual(listed, COMMANDS)

    def test_man_page_and_completion_name_every_command(self):
        man, completion = dlpu("--man").stdout, dlpu("--completion").stdout
        for name in COMMANDS:
            self.assertIn(f".SS dlpu {name}", man)
            self.assertIn(f"    {name}) words=", completion)

    def test_usage_errors_exit_with_2(self):
        for arguments in [[], ["nonsense"], ["run"], ["bench", "digits", "--threads", "0"],
                          ["check", "digits", "--target", "cpu", "--all"],
                          ["check", "digits", "--target", "cpu", "--product", "Q1656-LE"],
                          ["port", "digits", "--to", "cpu", "--product", "Q1656-LE"]]:
            self.assertEqual(dlpu(*arguments).returncode, 2, arguments)

    def test_what_is_mistyped_is_named_with_the_nearest(self):
        for arguments, said in [
                (["prot", "digits"], "no command 'prot' (did you mean port?)"),
                (["--hlep"], "no option --hlep (did you mean --help?)"),
                (["run", "digits", "--thread", "3"], "no option --thread (did you mean --threads?)"),
                (["run", "--thraeds=3", "digits"], "no option --thraeds (did you mean --threads?)"),
                (["run", "digits", "more"], "'more' is one argument too many")]:
            result = dlpu(*arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertIn(said, result.stderr)
        self.assertIn("Usage: dlpu", dlpu().stderr)


class ReadmeTest(unittest.TestCase):
    def test_what_the_readme_names_exists(self):
        """Every command and option that README.md shows is in the program's own help."""
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            text = file.read()
        help_of = {name: dlpu(name, "--help").stdout for name in COMMANDS}
        named = set()
        for line in text.splitlines():
            commands = [name for name in re.findall(r"dlpu (\w+)", line) if name in help_of]
            named.update(commands)
            for flag in re.findall(r"--[a-z-]+", line) if commands else []:
                self.assertTrue(any(flag in help_of[name] for name in commands), line)
        self.assertEqual(named, set(COMMANDS))

    def test_the_main_job_as_the_readme_shows_it(self):
        with tempfile.TemporaryDirectory() as folder:
            photo, drawn = os.path.join(folder, "photo.png"), os.path.join(folder, "found.png")
            png(photo, 28, 28, 0, 8, b"\x10")
            result = dlpu("port", "digits", "--to", "all", "--image", photo, "--draw", drawn)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertTrue(os.path.exists(drawn))
            self.assertIn("artpec8", result.stdout)

    def test_every_target_has_a_time_and_its_interval(self):
        report = json.loads(dlpu("port", "digits", "--to", "all", "--json", "-").stdout)
        self.assertEqual(len(report["targets"]), 6)
        for row in report["targets"]:
            self.assertLess(row["low_ms"], row["camera_ms"], row["target"])
            self.assertLess(row["camera_ms"], row["high_ms"], row["target"])
            self.assertEqual(row["prediction"]["total_ms"], row["camera_ms"])

    def test_one_camera_instead_of_all(self):
        result = dlpu("port", "digits", "--product", "q1656-le", "--json", "-")
        report = json.loads(result.stdout)
        self.assertEqual(result.returncode, 5)  # a float model is not taken as it is
        self.assertEqual([row["target"] for row in report["targets"]], ["artpec8"])
        self.assertEqual(report["targets"][0]["prediction"]["product"], "AXIS Q1656-LE")


class RulePagesTest(unittest.TestCase):
    def test_pages_are_those_of_the_data(self):
        """docs/targets/<target>.md is what `dlpu targets T --markdown` writes."""
        folder = os.path.join(ROOT, "docs/targets")
        os.makedirs(folder, exist_ok=True)
        targets = json.loads(dlpu("targets", "--json", "-").stdout)["targets"]
        pages = set()
        for target in targets:
            page = dlpu("targets", target["target"], "--markdown").stdout
            self.assertRegex(page, r"\n\d+ rules, \d+ of them checked on a model, \d+ notes\.\n")
            path = os.path.join(folder, target["target"] + ".md")
            pages.add(os.path.basename(path))
            if os.environ.get("DLPU_REBASE"):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(page)
            with open(path, encoding="utf-8") as file:
                self.assertEqual(page, file.read(), f"{path}: run with DLPU_REBASE=1")
        self.assertGreaterEqual(len(pages), 6)
        self.assertEqual(set(os.listdir(folder)), pages)


class CheckTest(unittest.TestCase):
    def check(self, *arguments):
        result = dlpu("check", *arguments, "--json", "-")
        return result.returncode, json.loads(result.stdout)

    def test_one_target_has_its_fields_at_top_level(self):
        code, report = self.check("digits", "--target", "artpec8")
        self.assertEqual(code, 5)
        self.assertEqual(report["verdict"], "refused")
        self.assertEqual([f["rule"] for f in report["findings"]][0], "float32")
        for finding in report["findings"]:
            for field in ["rule", "severity", "nodes", "message", "fix", "gain_ms", "source"]:
                self.assertIn(field, finding)

    def test_several_targets_are_a_list_and_refuse_nothing(self):
        code, report = self.check("digits")
        self.assertEqual(code, 0)
        self.assertEqual(len(report["targets"]), 6)
        self.assertEqual(report["targets"][0]["target"], "cpu")
        self.assertEqual(report["targets"][0]["verdict"], "runs")

    def test_fail_on_and_strict_are_gates(self):
        model = os.path.join(ROOT, "data/models/digits_int8.tflite")
        self.assertEqual(self.check(model, "--target", "artpec9")[0], 0)
        self.assertEqual(self.check(model, "--target", "artpec9", "--fail-on", "error")[0], 0)
        self.assertEqual(self.check(model, "--target", "artpec9", "--fail-on", "warning")[0], 3)
        self.assertEqual(self.check(model, "--target", "artpec9", "--strict")[0], 3)
        self.assertEqual(self.check(model, "--target", "cpu", "--strict")[0], 0)

    def test_a_share_of_the_time_may_be_off_the_dlpu(self):
        model = os.path.join(ROOT, "data/models/digits_int8.tflite")
        report = self.check(model, "--target", "artpec9")[1]
        self.assertEqual(report["verdict"], "runs_with_fallback")
        share = 100 * report["cpu_share"]
        self.assertGreater(share, 0)
        above, below = str(min(100, share + 0.1)), str(share * 0.9)
        self.assertEqual(self.check(model, "--target", "artpec9", "--strict", above)[0], 0)
        self.assertEqual(self.check(model, "--target", "artpec9", "--strict", below)[0], 3)

    def test_fix_writes_a_model_and_judges_it(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "fixed.tflite")
            model = os.path.join(ROOT, "data/models/digits_int8.tflite")
            report = self.check(model, "--target", "artpec9", "--fix", out)[1]
            self.assertTrue(os.path.exists(out))
            self.assertIn(report["fix"]["check"]["verdict"], ["runs", "runs_with_fallback"])
            self.assertEqual(dlpu("check", model, "--fix", out).returncode, 1)  # for which target?

    def test_a_compiled_program_is_not_judged(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "m.dlpu")
            model = os.path.join(ROOT, "data/models/digits_int8.tflite")
            self.assertEqual(dlpu("compile", model, "--target", "artpec8", "-o", out).returncode, 0)
            result = dlpu("check", out, "--target", "artpec8")
            self.assertEqual(result.returncode, 1)
            self.assertIn("compiled for artpec8; check the model it was made from", result.stderr)

    def test_a_product_brings_its_target(self):
        code, report = self.check("digits", "--product", "q1656-le")
        self.assertEqual((code, report["target"], report["product"]), (5, "artpec8", "AXIS Q1656-LE"))


class MistakeTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name, content=None):
        path = os.path.join(self.folder.name, name)
        if content is not None:
            with open(path, "wb") as file:
                file.write(content)
        return path

    def refused(self, arguments, *parts):
        """One sentence on stderr that has all the parts, and exit code 1."""
        result = dlpu(*arguments)
        self.assertEqual(result.returncode, 1, result.stderr)
        lines = [line for line in result.stderr.splitlines() if line.startswith("dlpu ")]
        self.assertEqual(len(lines), 1, result.stderr)
        for part in parts:
            self.assertIn(part, lines[0])

    def model(self):
        with open(os.path.join(ROOT, "data/models/digits.tflite"), "rb") as file:
            return file.read()

    def test_missing_file(self):
        for command in ["inspect", "run", "port"]:
            self.refused([command, self.path("no.tflite")], "no.tflite", "no such file")

    def test_directory(self):
        self.refused(["inspect", self.folder.name], "is a directory")

    def test_picture_as_model(self):
        path = self.path("photo.png")
        png(path, 4, 4, 2, 8, b"\1\2\3")
        self.refused(["run", path], "photo.png", "a PNG picture", "give a .tflite, .onnx or .dlpu")

    def test_truncated_model(self):
        path = self.path("cut.tflite", self.model()[:20000])
        self.refused(["inspect", path], "cut.tflite", "damaged or cut off")

    def test_empty_model(self):
        self.refused(["inspect", self.path("empty.tflite", b"")], "an empty file")

    def test_input_of_the_wrong_size_names_what_would_fit(self):
        path = self.path("input.raw", bytes(28 * 28))
        self.refused(["run", "digits", "--input", path], "float32 1x28x28x1, 3136 bytes",
                     "has 784, which would fit uint8")

    def test_too_many_inputs(self):
        path = self.path("input.raw", bytes(3136))
        self.refused(["run", "digits", "--input", path, "--input", path], "the model has 1 input")

    def test_output_folder_that_cannot_be_made(self):
        path = self.path("file", b"x")
        self.refused(["run", "digits", "--output-dir", os.path.join(path, "out")], "cannot be made")

    def test_unwritable_output_folder(self):
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        os.chmod(self.folder.name, stat.S_IRUSR | stat.S_IXUSR)
        self.addCleanup(os.chmod, self.folder.name, stat.S_IRWXU)
        self.refused(["run", "digits", "--output-dir", self.path("out")], "cannot be made")

    def test_unknown_names_are_named(self):
        for arguments, name, instead in [(["run", "digits", "--profile"], "exact", "tflite-reference"),
                                         (["port", "digits", "--to"], "artpec10", "artpec9"),
                                         (["check", "digits", "--product"], "Q99999", "products")]:
            result = dlpu(*arguments, name)
            self.assertEqual(result.returncode, 2, result.stderr)  # a mistake of usage
            self.assertIn(f"'{name}'", result.stderr)
            self.assertIn(instead, result.stderr)
        self.refused(["run", "digits", "--cut-at", "NOPE"], "--cut-at NOPE")
        self.refused(["run", "digits", "--shape", "x=1,2,3,4"], "--shape x", "'image'")
        self.refused(["run", "digits", "--input", "photo=x.png"], "no input 'photo'", "'image'")
        self.refused(["products", "Q99999"], "Q99999", "did you mean AXIS Q")
        self.refused(["bench", "digits", "--against", "tflow"], "--against tflow")

    def test_truncated_picture(self):
        path = self.path("cut.png")
        png(path, 32, 32, 2, 8, b"\1\2\3")
        with open(path, "rb") as file:
            data = file.read()
        self.refused(["run", "digits", "--input", self.path("cut2.png", data[:45])], "cut2.png")


class PredictTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.environment = dict(os.environ, XDG_DATA_HOME=self.folder.name)

    def dlpu(self, *arguments):
        return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True,
                              env=self.environment, check=False)

    def facts(self, *arguments):
        result = self.dlpu("predict", "digits", *arguments, "--json", "-")
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def test_steps_and_parts_sum_to_the_total(self):
        facts = self.facts("--product", "q1656-le")
        total = sum(item["ms"] for item in facts["steps"] + facts["parts"])
        self.assertAlmostEqual(total, facts["total_ms"], places=9)
        self.assertEqual(facts["product"], "AXIS Q1656-LE")
        self.assertLess(facts["low_ms"], facts["total_ms"])
        self.assertGreater(facts["high_ms"], facts["total_ms"])
        for name in ["assumptions", "warnings", "parameters"]:
            for item in facts[name]:
                self.assertTrue(item["source"])
                self.assertIn(item["confidence"], ["measured", "derived", "assumed"])

    def test_all_targets(self):
        targets = self.facts()["targets"]
        self.assertEqual([item["target"] for item in targets],
                         ["artpec7", "artpec8", "artpec9", "cpu", "cv25", "cv75"])

    def test_a_users_measurement_is_used_for_that_product(self):
        before = self.facts("--product", "P1518-E")
        self.assertEqual(len(before["classes"]), 2)
        path = os.path.join(self.folder.name, "mine.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"product,model,ms\nP1518-E,digits,{3 * before['total_ms']}\n")
        after = self.facts("--product", "P1518-E", "--calibrate", path)
        self.assertEqual(after["class"], "own")
        self.assertAlmostEqual(after["total_ms"] / before["total_ms"], 3, places=1)
        again = self.facts("--product", "P1518-E")
        self.assertEqual(again["total_ms"], after["total_ms"])
        self.assertTrue(any("your measurement" in a["says"] for a in again["assumptions"]))
        self.assertNotEqual(self.facts("--product", "Q1656-LE")["class"], "own")

    def test_a_gap_is_explained(self):
        facts = self.facts("--product", "M3085-V", "--explain", "1000")
        self.assertFalse(facts["explanation"]["inside"])
        self.assertTrue(facts["explanation"]["reasons"])

    def test_csv_and_trace(self):
        csv, trace = (os.path.join(self.folder.name, name) for name in ("a.csv", "a.json"))
        facts = self.facts("--target", "cv25", "--csv", csv, "--trace", trace)
        with open(csv, encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertEqual(len(lines), 1 + len(facts["steps"]) + len(facts["parts"]))
        with open(trace, encoding="utf-8") as file:
            events = json.load(file)["traceEvents"]
        self.assertAlmostEqual(sum(e["dur"] for e in events), 1000 * facts["total_ms"], places=6)

    def test_refusals(self):
        for arguments, words in [(["--target", "artpec10"], "artpec10"),
                                 (["--product", "AXIS"], "'AXIS'")]:
            result = self.dlpu("predict", "digits", *arguments)
            self.assertEqual(result.returncode, 2, arguments)  # usage
            self.assertIn(words, result.stderr)
        for arguments, words in [(["--os", "soon"], "AXIS OS"),
                                 (["--what-if", "colour=2x"], "colour=2x"),
                                 (["--what-if", "clock=-1"], "positive"),
                                 (["--product", "Q1728", "--explain", "nan"], "--explain"),
                                 (["--calibrate", "/no/such/file.csv"], "no such file"),
                                 (["--target", "artpec8", "--class", "fast"], "fast"),
                                 (["--pipeline", "1920x1080"], "no input that is an RGB picture"),
                                 (["--sizes", "0"], "--sizes")]:
            result = self.dlpu("predict", "digits", *arguments)
            self.assertEqual(result.returncode, 1, arguments)
            self.assertIn(words, result.stderr)

    def test_frames_a_second_of_a_pipeline(self):
        """On ARTPEC-8 the GPU and the DLPU take turns, the CPU prepares while the DLPU works."""
        shared = os.environ.get("DLPU_SHARED", os.path.join(ROOT, "../shared"))
        model = os.path.join(shared, "models", "tflite", "mobilenet_v2_1.0_224_quant.tflite")
        if not os.path.exists(model):
            self.skipTest(f"{model} is not there")
        arguments = ["predict", model, "--product", "Q1656-LE"]
        rows = {row["device"]: row for row in json.loads(self.dlpu(
            *arguments, "--pipeline", "1920x1080", "--json", "-").stdout)["pipelines"]}
        gpu, cpu = rows["axis-a8-gpu-proc"], rows["cpu-proc"]
        self.assertEqual((gpu["overlaps"], cpu["overlaps"]), (False, True))
        self.assertAlmostEqual(gpu["fps_queued"], 1000 / (gpu["prepare_ms"] + gpu["network_ms"]))
        self.assertAlmostEqual(cpu["fps_queued"], 1000 / max(cpu["prepare_ms"], cpu["network_ms"]))
        self.assertIn("Scaling", rows["axis-ace-proc"]["refusal"])
        text = self.dlpu(*arguments, "--pipeline", "1920x1080").stdout
        self.assertRegex(text, r"axis-a8-gpu-proc .* one after the other +[\d.]+ fps +[\d.]+ fps\n")
        self.assertRegex(text, r"cpu-proc .* overlap +[\d.]+ fps +[\d.]+ fps\n")
        for size in ["1920", "1920x", "0x0x0"]:
            result = self.dlpu(*arguments, "--pipeline", size)
            self.assertIn("--pipeline", result.stderr)

    def test_a_time_that_is_no_number_is_a_usage_error(self):
        for value in ["abc", "0", "-3"]:
            result = self.dlpu("predict", "digits", "--product", "Q1728", "--explain", value)
            self.assertEqual(result.returncode, 2, value)
            self.assertIn("--explain", result.stderr)

    def test_a_garbled_file_of_measurements_is_refused(self):
        path = os.path.join(self.folder.name, "mine.csv")
        for text in [b"", b"\x00\xff\x81 garbled", b"product,model,ms\nQ1728,digits,soon\n",
                     b"product,model,ms\nQ1728,digits,-1\n", b"product,model,ms\nQ0,digits,5\n"]:
            with open(path, "wb") as file:
                file.write(text)
            result = self.dlpu("predict", "digits", "--calibrate", path)
            self.assertEqual(result.returncode, 1, text)
            self.assertTrue(result.stderr.startswith("dlpu predict: "), result.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.folder.name, "dlpu")))

    def test_a_target_without_a_time_does_not_hide_the_others(self):
        targets = self.facts("--what-if", "sram=1MiB")["targets"]
        self.assertEqual(len(targets), 6)
        self.assertEqual([item["target"] for item in targets if "total_ms" in item],
                         ["artpec7", "artpec9"])
        self.assertTrue(all("sram" in item["error"] for item in targets if "error" in item))

    def test_other_priors(self):
        trial = ("calibrate", "--target", "artpec9", "--prior", "input_ms_per_mb=8", "--json", "-")
        facts = json.loads(self.dlpu(*trial).stdout)["calibrations"][-1]
        priors = {prior["name"]: prior for prior in facts["priors"]}
        self.assertEqual(priors["input_ms_per_mb"]["centre"], 8)
        self.assertTrue(all(prior["source"] for prior in facts["priors"]))
        self.assertEqual(self.dlpu("calibrate", "--prior", "fixed_ms=1").returncode, 1)
        self.assertEqual(self.dlpu(*trial, "--write").returncode, 1)

    def test_calibrate_shows_its_errors(self):
        result = self.dlpu("calibrate", "--target", "artpec8", "--without", "q3536",
                           "--json", "-")
        self.assertEqual(result.returncode, 0, result.stderr)
        facts = json.loads(result.stdout)["calibrations"][0]
        self.assertEqual(sum(not row["fitted"] for row in facts["rows"]), 10)
        self.assertLess(facts["dropped_worst"], 0.15)
        self.assertEqual(self.dlpu("calibrate", "--write", "--without", "x").returncode, 1)


class CompiledFileTest(unittest.TestCase):
    """Files in the forms that only cameras run."""

    CVFLOW = os.path.join(ROOT, "fuzz/corpus/cvflow2.bin")

    def test_a_cvflow_file_is_inspected(self):
        result = dlpu("inspect", self.CVFLOW, "--json", "-")
        self.assertEqual(result.returncode, 0, result.stderr)
        facts = json.loads(result.stdout)
        self.assertEqual(facts["kind"], "cvflow2-bin")
        self.assertEqual(facts["devices"], [{"device": "ambarella-cvflow", "target": "cv25"}])
        self.assertEqual(facts["cvflow"]["inputs"][0]["shape"], [1, 2, 3, 5])
        self.assertIn("generation 2 (CV25)", dlpu("inspect", self.CVFLOW).stdout)

    def test_it_does_not_run_here(self):
        result = dlpu("run", self.CVFLOW)
        self.assertEqual(result.returncode, 1)
        self.assertIn("ambarella-cvflow (cv25)", result.stderr)
        self.assertIn("give the .tflite or .onnx it was made from", result.stderr)

    def test_what_is_not_published_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.nb")
            with open(path, "wb") as file:
                file.write(b"VPMN" + bytes(100))
            facts = json.loads(dlpu("inspect", path, "--json", "-").stdout)
            self.assertIn({"device": "axis-a8-dlpu-native", "target": "artpec8"}, facts["devices"])
            self.assertIn("Vivante network binary", dlpu("run", path).stderr)

    def test_a_model_names_the_devices_that_take_it(self):
        facts = json.loads(dlpu("inspect", "digits", "--json", "-").stdout)
        self.assertEqual(facts["kind"], "tflite")
        self.assertIn({"device": "cpu-tflite", "target": "cpu"}, facts["devices"])

    def test_edge_tpu_files(self):
        shared = os.environ.get("DLPU_SHARED", os.path.join(ROOT, "../shared"))
        path = os.path.join(shared, "models/edgetpu/split_concat_edgetpu.tflite")
        if not os.path.exists(path):
            self.skipTest(f"no {path}")
        facts = json.loads(dlpu("inspect", path, "--json", "-").stdout)
        self.assertEqual(facts["edgetpu"][0]["min_runtime_version"], 13)
        self.assertEqual(facts["edgetpu"][0]["cached_bytes"], 192)
        self.assertEqual(facts["devices"],
                         [{"device": "google-edge-tpu-tflite", "target": "artpec7"}])
        self.assertIn("google-edge-tpu-tflite (artpec7)", dlpu("run", path).stderr)


class CompareTest(unittest.TestCase):
    def test_a_model_equals_itself_and_meets_a_gate(self):
        result = dlpu("compare", "digits", "digits@cpu", "--min-sqnr", "60", "--json", "-")
        self.assertEqual(result.returncode, 0, result.stderr)
        facts = json.loads(result.stdout)
        self.assertGreater(len(facts["layers"]), 3)
        for layer in facts["layers"]:
            self.assertTrue(layer["accumulated"]["equal"], layer["name"])
        self.assertTrue(facts["outputs"][0]["equal"])

    def test_a_pack_is_written_and_its_answers_judged(self):
        with tempfile.TemporaryDirectory() as folder:
            pack, results = os.path.join(folder, "pack"), os.path.join(folder, "results")
            written = dlpu("pack", "digits", "--target", "artpec8", "-o", pack, "--json", "-")
            self.assertEqual(written.returncode, 0, written.stderr)
            self.assertEqual(json.loads(written.stdout)["samples"], 3)
            os.mkdir(results)
            missing = dlpu("compare", pack, results)
            self.assertEqual(missing.returncode, 4)
            self.assertIn("s0_out0.bin", missing.stdout)
            for name in os.listdir(pack):
                if name.startswith("expected_"):
                    with open(os.path.join(pack, name), "rb") as source:
                        data = source.read()
                    with open(os.path.join(results, name[len("expected_"):]), "wb") as file:
                        file.write(data)
            judged = dlpu("compare", pack, results, "--json", "-")
            self.assertEqual(judged.returncode, 0, judged.stderr)
            self.assertEqual([a["verdict"] for a in json.loads(judged.stdout)["answers"]],
                             ["pass"] * 3)

    def test_mistakes_are_named(self):
        with tempfile.TemporaryDirectory() as folder:
            dump = os.path.join(folder, "x.out0")
            with open(dump, "wb") as file:
                file.write(bytes(3))
            no_input = dlpu("compare", "digits", dump)
            self.assertEqual(no_input.returncode, 1)
            self.assertIn("--input", no_input.stderr)
            two = dlpu("compare", dump, dump)
            self.assertIn("--of", two.stderr)
            no_target = dlpu("pack", "digits", "-o", folder)
            self.assertIn("--target", no_target.stderr)
            unknown = dlpu("compare", "digits", "digits@artpec88")
            self.assertEqual(unknown.returncode, 1)
            self.assertIn("artpec8", unknown.stderr)


class EvalTest(unittest.TestCase):
    DIGITS = os.path.join(ROOT, "tests/data/digits")

    def truth(self, folder):
        path = os.path.join(folder, "truth.txt")
        with open(path, "w", encoding="utf-8") as file:
            for name in sorted(os.listdir(self.DIGITS)):
                file.write(f"{name} {name[0]}\n")
        return path

    def test_digits_are_counted_and_shards_merge_to_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            options = ["--images", self.DIGITS, "--truth", self.truth(folder)]
            whole = dlpu("eval", "digits", *options, "--json", "-", "--min", "90")
            self.assertEqual(whole.returncode, 0, whole.stderr)
            facts = json.loads(whole.stdout)
            self.assertEqual(facts["pictures"], 20)
            self.assertGreaterEqual(facts["correct_top1"], 18)
            merge = []
            for i in (1, 2, 3):
                state = os.path.join(folder, f"{i}.jsonl")
                shard = dlpu("eval", "digits", *options, "--state", state, "--shard", f"{i}/3",
                             "--threads", str(i))
                self.assertEqual(shard.returncode, 0, shard.stderr)
                merge += ["--merge", state]
            merged = json.loads(dlpu("eval", *merge, "--json", "-").stdout)
            for field in ["pictures", "correct_top1", "correct_top5", "metric"]:
                self.assertEqual(merged[field], facts[field], field)
            gate = dlpu("eval", *merge, "--min", "101")
            self.assertEqual(gate.returncode, 4)

    def test_agreement_needs_no_labels(self):
        result = dlpu("eval", "digits@cpu", "--images", self.DIGITS, "--float", "digits",
                      "--json", "-")
        self.assertEqual(result.returncode, 0, result.stderr)
        facts = json.loads(result.stdout)
        self.assertTrue(facts["agreement"])
        self.assertEqual(facts["metric"], 1.0)

    def test_mistakes_are_named(self):
        cases = [(["digits"], "--images"),
                 (["digits", "--images", self.DIGITS], "class folder"),
                 (["digits", "--images", self.DIGITS, "--task", "count"], "classify, detect"),
                 (["digits", "--images", self.DIGITS, "--float", "digits", "--shard", "3/2"], "I/N"),
                 (["digits", "--images", self.DIGITS, "--float", "digits", "--task", "detect"],
                  "--task detect"),
                 (["--merge", os.path.join(ROOT, "README.md")], "not the records")]
        for arguments, text in cases:
            result = dlpu("eval", *arguments)
            self.assertEqual(result.returncode, 1, arguments)
            self.assertIn(text, result.stderr, arguments)


class FixTest(unittest.TestCase):
    """check --fix OUT."""

    MODEL = os.path.join(ROOT, "data/models/digits_int8.tflite")

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = os.path.join(self.folder.name, "fixed.tflite")

    def test_what_the_dlpu_cannot_run_at_the_end_is_cut_off_and_proved(self):
        result = dlpu("check", self.MODEL, "--target", "artpec9", "--fix", self.out, "--json", "-")
        self.assertEqual(result.returncode, 0, result.stderr)
        facts = json.loads(result.stdout)
        self.assertEqual(facts["verdict"], "runs_with_fallback")
        fix = facts["fix"]
        self.assertEqual(fix["check"]["verdict"], "runs")
        self.assertEqual([step["kind"] for step in fix["done"]], ["cut-post-processing"])
        self.assertEqual(fix["decoder"], "classification")
        self.assertGreater(fix["proofs"][0]["inputs"], 3)
        self.assertGreater(fix["proofs"][0]["bytes"], 0)
        again = dlpu("check", self.out, "--target", "artpec9", "--strict")
        self.assertEqual(again.returncode, 0, again.stdout)

    def test_the_written_file_loads_in_litert(self):
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError:
            self.skipTest("LiteRT is not installed")
        self.assertEqual(dlpu("check", self.MODEL, "--target", "artpec9", "--fix",
                              self.out).returncode, 0)
        interpreter = Interpreter(self.out)
        interpreter.allocate_tensors()
        self.assertEqual(interpreter.get_output_details()[0]["name"], "logits")

    def test_a_target_that_takes_all_leaves_nothing_to_fix(self):
        result = dlpu("check", self.MODEL, "--target", "cpu", "--fix", self.out)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("nothing to fix", result.stdout)

    def test_mistakes(self):
        for arguments, code, text in [
                (["--target", "cpu", "--fix-only", "fold-pads"], 2, "give --fix OUT"),
                (["--target", "cpu", "--fix", self.out, "--fix-only", "polish"], 1,
                 "there is no fix 'polish'")]:
            result = dlpu("check", self.MODEL, *arguments)
            self.assertEqual(result.returncode, code)
            self.assertIn(text, result.stderr)


class ResultTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def test_pictures_of_all_kinds_run(self):
        kinds = {"rgb": (2, 8, b"\x50\x60\x70"), "alpha": (6, 8, b"\x50\x60\x70\x80"),
                 "grey": (0, 8, b"\x50"), "grey16": (0, 16, b"\x50\x51"),
                 "rgb16": (2, 16, b"\x50\x51\x60\x61\x70\x71")}
        for name, (colour_type, depth, pixel) in kinds.items():
            path = os.path.join(self.folder.name, name + ".png")
            png(path, 40, 30, colour_type, depth, pixel)
            result = dlpu("run", "digits", "--input", path, "--json", "-")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(len(json.loads(result.stdout)["outputs"][0]["sha256"]), 64)

    def test_outputs_are_written_under_their_names_and_nothing_else(self):
        out = os.path.join(self.folder.name, "a/b")
        result = dlpu("run", "digits", "--output-dir", out)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(os.listdir(out), ["0_probabilities.npy"])
        with open(os.path.join(out, "0_probabilities.npy"), "rb") as file:
            self.assertEqual(file.read(6), b"\x93NUMPY")

    def test_threads_do_not_change_the_hash(self):
        hashes = set()
        for threads in ["1", "2", "4"]:
            result = dlpu("run", "digits", "--threads", threads, "--json", "-")
            hashes.add(json.loads(result.stdout)["outputs"][0]["sha256"])
        self.assertEqual(len(hashes), 1)

    def test_port_lists_every_target_once(self):
        result = dlpu("port", "digits", "--to", "all", "--json", "-")
        self.assertEqual(result.returncode, 0, result.stderr)
        rows = json.loads(result.stdout)["targets"]
        self.assertEqual(sorted(row["target"] for row in rows),
                         ["artpec7", "artpec8", "artpec9", "cpu", "cv25", "cv75"])
        verdicts = {row["target"]: row["verdict"] for row in rows}
        self.assertEqual(verdicts["cpu"], "runs")
        self.assertEqual(verdicts["artpec8"], "needs_preparation")

    def test_port_to_one_target_that_refuses_exits_with_5(self):
        self.assertEqual(dlpu("port", "digits", "--to", "artpec8").returncode, 5)
        self.assertEqual(dlpu("port", "digits", "--to", "cpu").returncode, 0)

    def test_a_product_is_found_under_the_names_people_use(self):
        for text in ["Q1656-LE", "q1656-le", "AXIS Q1656-LE"]:
            rows = json.loads(dlpu("products", text, "--json", "-").stdout)["products"]
            self.assertIn("AXIS Q1656-LE", [row["product"] for row in rows], text)
        words = dlpu("products", "AXIS", "Q1656-LE", "--json", "-")
        self.assertEqual(len(json.loads(words.stdout)["products"]), 1)

    def test_products_by_processor_and_memory(self):
        facts = json.loads(dlpu("products", "--soc", "artpec8", "--dlpu", "--min-ram", "2048",
                                "--json", "-").stdout)
        names = [row["product"] for row in facts["products"]]
        self.assertIn("AXIS Q1656", names)
        for row in facts["products"]:
            self.assertTrue(row["dlpu_fitted"])
            self.assertGreaterEqual(row["ram_mb"], 2048)
        self.assertGreater(facts["unknown_ram"], 0)
        limited = json.loads(dlpu("products", "P1465-LE", "--json", "-").stdout)["products"][0]
        self.assertEqual(limited["configuration"], "limited")
        missing = dlpu("products", "Q1665-LE")
        self.assertEqual(missing.returncode, 1)
        self.assertIn("did you mean AXIS Q1656-LE?", missing.stderr)

    def test_bench_has_its_fields(self):
        result = dlpu("bench", "digits", "--seconds", "0.05", "--steps", "--json", "-")
        facts = json.loads(result.stdout)
        for field in ["median_ms", "p90_ms", "p99_ms", "threads", "macs", "steps"]:
            self.assertIn(field, facts)


class DataTest(unittest.TestCase):
    """A new product and a new target of a known kind are data: no line of code knows their names."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.data = os.path.join(folder.name, "data")
        shutil.copytree(os.path.join(ROOT, "data"), self.data)
        self.change("products.toml", "products = [", 'products = [\n  { name = "AXIS Z9999-LE", '
                    'soc = "ARTPEC-8", dlpu = "ARTPEC-8 DLPU", target = "artpec8", '
                    'arch = "aarch64", source = "list", confidence = "assumed" },')
        for folder in ["targets", "cost"]:
            shutil.copy(os.path.join(self.data, folder, "artpec9.toml"),
                        os.path.join(self.data, folder, "artpec77.toml"))
        for old, new in [('name = "artpec9"', 'name = "artpec77"'),
                         ('title = "ARTPEC-9"', 'title = "ARTPEC-77"'),
                         ("a9-dlpu-tflite", "a77-dlpu-tflite")]:
            self.change("targets/artpec77.toml", old, new)

    def change(self, name, old, new):
        path = os.path.join(self.data, name)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(old, text)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))

    def dlpu(self, *arguments):
        return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=120,
                              env={**os.environ, "DLPU_DATA": self.data})

    def test_a_new_product_is_known_everywhere(self):
        self.assertIn("AXIS Z9999-LE", self.dlpu("products", "z9999le").stdout)
        report = json.loads(self.dlpu("check", "digits", "--product", "Z9999-LE",
                                      "--json", "-").stdout)
        self.assertEqual((report["target"], report["product"]), ("artpec8", "AXIS Z9999-LE"))
        predicted = json.loads(self.dlpu("predict", "digits", "--product", "Z9999-LE",
                                         "--json", "-").stdout)
        self.assertGreater(predicted["total_ms"], 0)

    def test_a_new_target_is_checked_compiled_run_and_predicted(self):
        model = os.path.join(ROOT, "data/models/digits_int8.tflite")
        self.assertIn("a77-dlpu-tflite", self.dlpu("targets").stdout)
        report = json.loads(self.dlpu("check", model, "--target", "artpec77", "--json", "-").stdout)
        self.assertEqual(report["device"], "a77-dlpu-tflite")
        self.assertGreater(report["dlpu_ops"], 0)
        self.assertGreater(report["predicted_ms"], 0)
        out = os.path.join(self.data, "..", "made.dlpu")
        made = self.dlpu("compile", model, "--target", "artpec77", "-o", out)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(self.dlpu("run", model, "--target", "artpec77").returncode, 0)
        rows = json.loads(self.dlpu("port", model, "--to", "all", "--json", "-").stdout)["targets"]
        self.assertIn("artpec77", [row["target"] for row in rows])

    def test_unreadable_data_is_said(self):
        self.change("targets/cv25.toml", 'title = "CV25"', 'title = 25')
        package = os.path.join(os.environ.get("DLPU_SHARED", os.path.join(ROOT, "../shared")),
                               "models/edgetpu/split_concat_edgetpu.tflite")
        if not os.path.exists(package):
            self.skipTest("no shared models")
        result = self.dlpu("inspect", package)
        self.assertEqual(result.returncode, 1)
        self.assertIn("cv25.toml", result.stderr)
        self.assertNotIn("none that is known", result.stdout)


if __name__ == "__main__":
    unittest.main()

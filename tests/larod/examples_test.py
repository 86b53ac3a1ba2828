# SPDX-License-Identifier: Apache-2.0
"""The examples, built by their Makefile against the build folder and against an installation, and
larod-client: they run, and compute what `dlpu run` computes."""
import array
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("DLPU_BUILD", os.path.join(ROOT, "build", "release"))
EXAMPLES = os.path.join(ROOT, "examples", "larod")
DLPU = os.path.join(BUILD, "bin", "dlpu")
CLIENT = os.path.join(BUILD, "bin", "larod-client")
PARHAND = os.path.join(BUILD, "bin", "parhandclient")
DIGITS = os.path.join(ROOT, "data", "models", "digits_int8.tflite")


def noise(count):
    return hashlib.shake_128(b"larod").digest(count)


class Programs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for program in (DLPU, CLIENT, PARHAND, os.path.join(BUILD, "lib", "liblarod.so")):
            if not os.path.exists(program):
                raise unittest.SkipTest(f"{program} is not built")
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.env = cls.build_against(BUILD, "build")
        cls.input = os.path.join(cls.folder.name, "input")
        with open(cls.input, "wb") as file:
            file.write(noise(784))

    @classmethod
    def build_against(cls, prefix, name):
        """Environment for programs built into <folder>/<name> against a prefix with lib/."""
        folder = os.path.join(cls.folder.name, name)
        os.makedirs(folder)
        libraries = next(path for path, _, files in os.walk(prefix) if "liblarod.so" in files)
        env = dict(os.environ, PKG_CONFIG_PATH=os.path.join(libraries, "pkgconfig"),
                   LD_LIBRARY_PATH=libraries, DLPU_PRODUCT="AXIS Q1656", DLPU_LAROD_LOG="none")
        subprocess.run(["make", "-s", "-C", EXAMPLES, f"OUT={folder}"], env=env, check=True)
        return env

    def run_program(self, name, *arguments, folder="build", env=None, code=0):
        program = name if os.path.isabs(name) else os.path.join(self.folder.name, folder, name)
        done = subprocess.run([program, *arguments], env=env or self.env, capture_output=True,
                              text=True, cwd=self.folder.name)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def expected(self, model, path):
        """SHA-256 of each output, by dlpu run."""
        text = subprocess.run([DLPU, "run", model, "--input", path, "--json", "-"],
                              capture_output=True, text=True, check=True).stdout
        return [output["sha256"] for output in json.loads(text)["outputs"]]


class Examples(Programs):
    """The programs of examples/larod."""

    def test_run(self):
        text = self.run_program("run", "axis-a8-dlpu-tflite", DIGITS, self.input)
        self.assertIn("input 0 'image' type 4 layout 2: 1 (784 bytes) 28 (784 bytes)", text)
        values = re.search(r"output 0 begins((?: \w\w)+)", text).group(1)
        self.assertEqual(hashlib.sha256(bytes.fromhex(values)).hexdigest(),
                         self.expected(DIGITS, self.input)[0])

    def test_wrong_device(self):
        text = self.run_program("run", "a9-dlpu-tflite", DIGITS, self.input, code=1)
        self.assertIn('Could not find device name "a9-dlpu-tflite" and instance 0 (-9)', text)

    def test_pipeline_computes_the_same_however_long(self):
        sums = [self.run_program("pipeline", device, DIGITS, "50")
                for device in ("cpu-tflite", "axis-a8-dlpu-tflite")]
        self.assertTrue(sums[0].startswith("50 frames, sum "))
        self.assertEqual(sums[0], sums[1])

    def test_preprocess(self):
        picture = os.path.join(self.folder.name, "nv12")
        with open(picture, "wb") as file:
            file.write(noise(320 * 240 * 3 // 2))
        text = self.run_program("preprocess", "axis-a8-dlpu-tflite", DIGITS, picture, "320", "240")
        self.assertRegex(text, r"^best \d value \d+\n$")

    def test_detect(self):
        text = self.run_program("detect", "cpu-tflite", DIGITS, self.input, code=1)
        self.assertIn("this is no such detector", text)
        test = os.path.join(BUILD, "bin", "larod_api_test")
        if not os.path.exists(test):
            self.skipTest(f"{test} is not built")
        model = os.path.join(self.folder.name, "detector.tflite")
        subprocess.run([test, "--gtest_filter=LarodJob.DetectorHasFourOutputs"], check=True,
                       env=dict(self.env, DLPU_WRITE_DETECTOR=model), capture_output=True, cwd=ROOT)
        picture = os.path.join(self.folder.name, "boxes")
        with open(picture, "wb") as file:
            file.write(array.array("f", [0.1, -0.2, 0.3, 0.1, 0.05, 0.9, 0.2] * 6).tobytes())
        text = self.run_program("detect", "axis-a8-dlpu-tflite", model, picture)
        found = re.findall(r"^class (\d) score (\S+) box", text, re.MULTILINE)
        self.assertGreater(len(found), 0)
        self.assertEqual(found[0], ("0", "0.900"))
        self.assertTrue(text.endswith(f"{len(found)} objects\n"))

    def test_python(self):
        script = os.path.join(EXAMPLES, "larod.py")
        text = subprocess.run([sys.executable, script, "axis-a8-dlpu-tflite", DIGITS, self.input],
                              env=self.env, capture_output=True, text=True, check=True).stdout
        self.assertEqual(text.split()[-1], self.expected(DIGITS, self.input)[0])
        sys.path.insert(0, EXAMPLES)
        program = ("import larod\nc = larod.Camera()\nprint(c.devices())\n"
                   f"m = c.load('cpu-tflite', {DIGITS!r})\n"
                   "try:\n  m.run([bytes(100)])\nexcept larod.LarodError as e:\n  print(e)\n"
                   "m.close()\nc.close()\n")
        text = subprocess.run([sys.executable, "-c", program], env=dict(self.env, PYTHONPATH=EXAMPLES),
                              capture_output=True, text=True, check=True).stdout
        self.assertIn("'axis-a8-dlpu-tflite'", text)
        self.assertIn("Could only read 100 out of 784 bytes from file descriptor (-1)", text)

    def test_installed(self):
        if not shutil.which("cmake"):
            self.skipTest("no cmake")
        prefix = os.path.join(self.folder.name, "prefix")
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix, "--component", "larod"],
                       check=True, capture_output=True)
        env = self.build_against(prefix, "installed")
        self.assertTrue(env["LD_LIBRARY_PATH"].startswith(prefix))
        text = self.run_program("run", "cpu-tflite", DIGITS, self.input, folder="installed", env=env)
        self.assertIn("output 0 begins", text)
        client = os.path.join(prefix, "bin", "larod-client")
        text = self.run_program(client, "-a", env=dict(env, LD_LIBRARY_PATH=""))
        self.assertIn("axis-a8-dlpu-tflite", text)
        script = os.path.join(EXAMPLES, "larod.py")
        text = subprocess.run([sys.executable, script, "axis-a8-dlpu-tflite", DIGITS, self.input],
                              env=env, capture_output=True, text=True, check=True).stdout
        self.assertEqual(text.split()[-1], self.expected(DIGITS, self.input)[0])


class Client(Programs):
    """larod-client, whose output scripts parse."""

    def test_lists_devices(self):
        text = self.run_program(CLIENT, "-a")
        self.assertIn("Devices:\n" + "_" * 43 + "\n Name" + " " * 29 + "Instance\n", text)
        self.assertIn("\n axis-a8-dlpu-tflite              0\n", text)

    def test_runs_and_says_the_mean(self):
        text = self.run_program(CLIENT, "-c", "axis-a8-dlpu-tflite", "-g", DIGITS, "-i", self.input,
                                "-o", "out.bin", "-R", "20", "-d", "-p", "-w", "5")
        self.assertRegex(text, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} Connecting to larod\.\.\.\n")
        self.assertRegex(text, r"Running job for 20 round\(s\)\.\.\.\n")
        self.assertRegex(text, r"Mean execution time for job: \d+\.\d\d ms\n")
        with open(os.path.join(self.folder.name, "out.bin"), "rb") as file:
            self.assertEqual(hashlib.sha256(file.read()).hexdigest(),
                             self.expected(DIGITS, self.input)[0])

    def test_random_input_is_the_same_for_a_seed(self):
        outputs = []
        for extra in ([], ["-q"], ["-X", "-Y"], ["-I", "larod-dma", "-O", "larod-dma"]):
            text = self.run_program(CLIENT, "-c", "cpu-tflite", "-g", DIGITS, "-i", "", "-R", "9",
                                    "--random-seed", "5", *extra)
            self.assertIn("using random seed 5", text)
            with open(os.path.join(self.folder.name, "5.out0"), "rb") as file:
                outputs.append(file.read())
        self.assertEqual(outputs, [outputs[0]] * 4)

    def test_preprocessing_by_parameters(self):
        self.run_program(CLIENT, "-c", "cpu-proc", "-b", "image.input.format:nv12",
                         "-b", "image.input.size:64,48", "-b", "image.output.format:rgb-planar",
                         "-b", "image.output.size:32,24", "-i", "", "-o", "small.rgb")
        size = os.path.getsize(os.path.join(self.folder.name, "small.rgb"))
        self.assertEqual(size, 3 * 32 * 24)

    def test_dumps_what_an_application_feeds(self):
        folder = os.path.join(self.folder.name, "dump")
        os.makedirs(folder)
        self.run_program(CLIENT, "-c", "axis-a8-dlpu-tflite", "-g", DIGITS, "-i", self.input, "-o",
                         "out.bin", "-R", "3", env=dict(self.env, DLPU_LAROD_DUMP=folder))
        self.assertEqual(sorted(os.listdir(folder)), ["model1-input0.npy", "model1-output0.npy"])
        dump = os.path.join(folder, "model1-input0.npy")
        done = subprocess.run([DLPU, "compare", "--inputs", self.input, dump, "--of", DIGITS],
                              capture_output=True, text=True)
        self.assertIn("the tensors are the same", done.stdout, done.stderr)
        with open(self.input, "rb") as file:
            other = bytes(255 - value for value in file.read())
        with open(os.path.join(self.folder.name, "other"), "wb") as file:
            file.write(other)
        done = subprocess.run([DLPU, "compare", "--inputs", file.name, dump, "--of", DIGITS],
                              capture_output=True, text=True)
        self.assertNotIn("the tensors are the same", done.stdout, done.stderr)
        self.assertIn("% equal", done.stdout)

    def test_errors_and_usage(self):
        text = self.run_program(CLIENT, "-c", "cpu-tflite", "-g", self.input, "-i", "", code=1)
        self.assertIn("ERROR: When loading model synchronously (-2): Could not load model: ", text)
        self.assertIn("needs a value", self.run_program(CLIENT, "-g", code=1))
        self.assertIn("unknown option", self.run_program(CLIENT, "--nonsense", code=1))
        self.assertIn("Usage: larod-client", self.run_program(CLIENT, "--help"))


class Daemon(Programs):
    """dlpu serve, with larod-client as its applications."""

    def setUp(self):
        self.socket = os.path.join(self.folder.name, "larod.sock")
        env = dict(self.env)
        del env["DLPU_PRODUCT"]
        self.log = os.path.join(self.folder.name, "daemon.log")
        self.daemon = subprocess.Popen(
            [DLPU, "serve", "--product", "AXIS Q1728", "--socket", self.socket, "--log", self.log],
            env=env, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.daemon.stdout.close)
        self.addCleanup(self.daemon.wait)
        self.addCleanup(self.daemon.terminate)
        self.assertIn("AXIS Q1728 with cpu-tflite", self.daemon.stdout.readline())
        self.assertEqual(self.daemon.stdout.readline(), f"export DLPU_LAROD_SOCKET={self.socket}\n")
        self.client_env = dict(env, DLPU_LAROD_SOCKET=self.socket)

    def test_is_shared_and_says_what_it_did(self):
        clients = [subprocess.Popen([CLIENT, "-c", "a9-dlpu-tflite", "-g", DIGITS, "-i", self.input,
                                     "-o", f"out{i}", "-R", "50", *extra],
                                    env=self.client_env, cwd=self.folder.name,
                                    stdout=subprocess.DEVNULL)
                   for i, extra in enumerate([[], ["-q"], ["-X", "-Y"]])]
        self.assertEqual([client.wait() for client in clients], [0, 0, 0])
        for i in range(3):
            with open(os.path.join(self.folder.name, f"out{i}"), "rb") as file:
                self.assertEqual(hashlib.sha256(file.read()).hexdigest(),
                                 self.expected(DIGITS, self.input)[0])
        text = self.run_program(DLPU, "serve", "--metrics", "--socket", self.socket)
        self.assertIn('dlpu_larod_info{product="AXIS Q1728",target="artpec9"} 1\n', text)
        self.assertIn('dlpu_larod_jobs_total{device="a9-dlpu-tflite",result="done"} 150\n', text)
        self.assertIn("dlpu_larod_sessions 0\n", text)

    def test_log_has_the_causes(self):
        self.run_program(CLIENT, "-c", "cpu-tflite", "-g", self.input, "-i", "", env=self.client_env,
                         code=1)
        with open(self.log, encoding="utf-8") as file:
            self.assertRegex(file.read(), r"Session \d+: Could not load model: .*Cause: the file is")

    def test_ends_with_its_socket(self):
        self.daemon.terminate()
        self.assertEqual(self.daemon.wait(), 0)
        self.assertFalse(os.path.exists(self.socket))
        text = self.run_program(CLIENT, "-a", env=self.client_env, code=1)
        self.assertIn("Could not create session", text)

    def test_parameters_are_those_of_its_camera(self):
        text = self.run_program(PARHAND, "getgroup", "root.Properties.System.Soc",
                                env=self.client_env)
        self.assertEqual(text, 'root.Properties.System.Soc="Axis Artpec-9"\n')


class Parameters(Programs):
    """What Axis' scripts ask before they run larod-client."""

    def test_product_and_soc(self):
        script = ("parhandclient getgroup root.Brand.ProdNbr | cut -d '\"' -f 2;"
                  "parhandclient getgroup root.Properties.System.Soc | cut -d '\"' -f 2")
        for product, answer in [("Q1656-LE", "Q1656-LE\nAxis Artpec-8\n"),
                                ("cv25", "CV25\nAmbarella CV25\n")]:
            env = dict(self.env, DLPU_PRODUCT=product,
                       PATH=os.path.dirname(PARHAND) + ":" + os.environ["PATH"])
            done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True,
                                  check=True)
            self.assertEqual(done.stdout, answer)
        self.assertIn("is not known here", self.run_program(PARHAND, "get", "root.Other", code=1))


if __name__ == "__main__":
    unittest.main()

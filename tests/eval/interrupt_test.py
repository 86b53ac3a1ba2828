# SPDX-License-Identifier: Apache-2.0
"""`dlpu eval --state` killed in the middle of a record and resumed: the records and the result are
those of an uninterrupted run, byte for byte, whatever the threads and the shards."""
import json
import os
import random
import resource
import signal
import struct
import subprocess
import tempfile
import unittest
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("DLPU_BUILD", os.path.join(ROOT, "build", "release"))
DLPU = os.path.join(BUILD, "bin", "dlpu")
INT8 = os.path.join(ROOT, "data", "models", "digits_int8.tflite")
PICTURES = 240


def write_png(path, rows):
    """A grey picture; rows: bytes each."""
    def chunk(name, data):
        return (struct.pack(">I", len(data)) + name + data
                + struct.pack(">I", zlib.crc32(name + data)))

    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data)
                   + chunk(b"IEND", b""))


class Interrupted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not os.path.exists(DLPU):
            raise unittest.SkipTest(f"{DLPU} is not built")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        rng = random.Random(4)
        for i in range(PICTURES):
            os.makedirs(os.path.join(cls.folder, "set", str(i % 10)), exist_ok=True)
            write_png(os.path.join(cls.folder, "set", str(i % 10), f"{i}.png"),
                      [rng.randbytes(28) for _ in range(28)])

    def evaluate(self, *options, limit=None):
        """(exit code, JSON); `limit`: no file may grow beyond so many bytes."""
        def cap():
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        done = subprocess.run([DLPU, "eval", *options, "--json", "-"], cwd=self.folder,
                              capture_output=True, text=True, preexec_fn=cap)
        return done.returncode, done.stdout

    def records(self, name):
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()

    def whole(self):
        code, result = self.evaluate(INT8, "--images", "set", "--state", "whole.jsonl")
        self.assertEqual(code, 0)
        self.assertEqual(json.loads(result)["pictures"], PICTURES)
        return result, self.records("whole.jsonl")

    def test_killed_in_the_middle_of_a_record(self):
        result, records = self.whole()
        head = records.index(b"\n")
        for at in (head + 9, len(records) // 3, len(records) // 2, len(records) - 5):
            run = [INT8, "--images", "set", "--state", f"cut{at}.jsonl"]
            code, _ = self.evaluate(*run, limit=at)
            self.assertIn(code, (-signal.SIGXFSZ, 1), f"limit {at}")
            self.assertLessEqual(len(self.records(run[-1])), at)
            code, resumed = self.evaluate(*run)
            self.assertEqual(code, 0, f"limit {at}")
            self.assertEqual(resumed, result)
            self.assertEqual(self.records(run[-1]), records)

    def test_shards_and_threads(self):
        result, records = self.whole()
        merge = []
        for shard in (1, 2, 3):
            name = f"shard{shard}.jsonl"
            code, _ = self.evaluate(INT8, "--images", "set", "--state", name, "--shard",
                                    f"{shard}/3", "--threads", str(shard))
            self.assertEqual(code, 0)
            merge += ["--merge", name]
        code, merged = self.evaluate(*merge)
        self.assertEqual(code, 0)
        self.assertEqual(json.loads(merged), json.loads(result))
        lines = sorted(set(self.records("shard1.jsonl").splitlines()
                           + self.records("shard2.jsonl").splitlines()
                           + self.records("shard3.jsonl").splitlines()))
        self.assertEqual(lines, sorted(records.splitlines()))


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""Sources are formatted as clang-format 14 formats them (./dev fmt)."""
import os
import shutil
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = "clang-format-14"


def unformatted(paths):
    command = [TOOL, "--dry-run", "-Werror", *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return sorted({line.split(":")[0] for line in done.stderr.splitlines() if ": error: " in line})


@unittest.skipUnless(shutil.which(TOOL), f"{TOOL} is not installed")
class Format(unittest.TestCase):
    def test_every_source_is_formatted(self):
        if not os.path.exists(os.path.join(ROOT, ".git")):
            self.skipTest("not a git checkout")
        command = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "*.cc", "*.h"]
        names = subprocess.run(command, capture_output=True, check=True).stdout.decode()
        names = [n for n in names.split("\0") if n and os.path.exists(os.path.join(ROOT, n))]
        self.assertGreater(len(names), 50, "the test looked at almost nothing")
        self.assertEqual(unformatted(names), [])

    def test_known_bad_source_is_found(self):
        path = os.path.join(ROOT, "build", "unformatted.cc")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write("int  f( ){return 1 ;}\n")
        self.addCleanup(os.remove, path)
        self.assertEqual(unformatted([path]), [path])


if __name__ == "__main__":
    unittest.main()

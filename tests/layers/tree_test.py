# SPDX-License-Identifier: Apache-2.0
"""What every source file keeps: its length, its licence line, no path of a developer's machine; and
no result of a run lies among the sources."""
import os
import re
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MAX_LINES = 800
CODE = (".cc", ".h", ".py", ".sh", ".cmake")
LICENSED = (".cc", ".h", ".py")
LICENCE = "SPDX-License-Identifier: Apache-2.0"
# Split, so that this file does not match itself.
MACHINE_PATH = re.compile("(?<![\\w.$/}])/(" + "root|home/" + "|work/" + ")")


def problems(path, text):
    found = []
    lines = text.count("\n")
    if path.endswith(CODE) and lines > MAX_LINES:
        found.append(f"{path}: {lines} lines; at most {MAX_LINES}")
    if path.endswith(LICENSED) and LICENCE not in "\n".join(text.split("\n")[:2]):
        found.append(f"{path}: the first line names no licence")
    if MACHINE_PATH.search(text):
        found.append(f"{path}: names a path of one machine")
    return found


def tracked():
    command = ["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, names):
        path = os.path.join(ROOT, name)
        if os.path.isfile(path):
            try:
                with open(path, encoding="utf-8") as file:
                    yield name, file.read()
            except UnicodeDecodeError:
                continue  # a picture or a model


# Files at the root of the repository; others belong in a folder.
AT_ROOT = re.compile(r"[A-Z]+(\.md)?|CMake\w+\.(txt|json)|dev|\..*")


class Tree(unittest.TestCase):
    def test_nothing_else_lies_at_the_root(self):
        if not os.path.exists(os.path.join(ROOT, ".git")):
            self.skipTest("not a git checkout")
        command = ["git", "-C", ROOT, "ls-files", "-z"]
        names = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
        at_root = [name for name in names if name and "/" not in name]
        self.assertIn("README.md", at_root)
        self.assertEqual([name for name in at_root if not AT_ROOT.fullmatch(name)], [])

    def test_every_file_keeps_the_rules(self):
        if not os.path.exists(os.path.join(ROOT, ".git")):
            self.skipTest("not a git checkout")
        files = list(tracked())
        self.assertGreater(len(files), 30, "the test read almost nothing")
        self.assertEqual([p for name, text in files for p in problems(name, text)], [])

    def test_known_bad_files_are_found(self):
        licence = f"// {LICENCE}\n"
        self.assertEqual(problems("a.cc", licence + "int a;\n"), [])
        self.assertEqual(len(problems("a.cc", licence + "\n" * MAX_LINES)), 1)
        self.assertEqual(len(problems("a.h", "#pragma once\n")), 1)
        self.assertEqual(len(problems("a.md", "see /" + "root/file\n")), 1)
        self.assertEqual(len(problems("a.md", "see /" + "work/file\n")), 1)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""Kernel files with CPU flags of their own leak no inline code (tools/check_isa_objects.sh).

Each one is compiled again without optimization, with the command that the build recorded.
"""
import json
import os
import re
import shlex
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("DLPU_BUILD", os.path.join(ROOT, "build", "release"))
CHECK = os.path.join(ROOT, "tools", "check_isa_objects.sh")


def isa_names():
    """The file names (without .cc) that cmake/layers.cmake gives flags of their own."""
    with open(os.path.join(ROOT, "cmake", "layers.cmake"), encoding="utf-8") as file:
        table = re.search(r"set\(DLPU_ISA_FILES(.*?)\)", file.read(), re.DOTALL).group(1)
    return re.findall(r'"(\w+)\|', table)


def compile_without_optimization(entry, output):
    words = shlex.split(entry["command"])
    if os.path.basename(words[0]) == "ccache":
        words = words[1:]
    kept, skip = [], False
    for word in words:
        if skip or word in ("-o", "-c"):
            skip = word == "-o"
            continue
        if not re.match(r"-O|-DNDEBUG|-flto|-fsanitize|.*\.cc$", word):
            kept.append(word)
    subprocess.run(kept + ["-O0", "-c", entry["file"], "-o", output], cwd=entry["directory"],
                   check=True)


def check(objects):
    return subprocess.run([CHECK, *objects], capture_output=True, text=True)


class IsaObjects(unittest.TestCase):
    def test_no_isa_file_leaks_inline_code(self):
        commands = os.path.join(BUILD, "compile_commands.json")
        if not os.path.exists(commands):
            self.skipTest(f"{commands} is missing: build first")
        with open(commands, encoding="utf-8") as file:
            entries = json.load(file)
        names = {name + ".cc" for name in isa_names()}
        entries = [e for e in entries if os.path.basename(e["file"]) in names]
        self.assertTrue(entries, "the build has no kernel file with flags of its own")
        with tempfile.TemporaryDirectory() as folder:
            objects = []
            for i, entry in enumerate(entries):
                source = os.path.relpath(entry["file"], ROOT).replace("/", "_")
                objects.append(os.path.join(folder, f"{i}_{source}.o"))
                compile_without_optimization(entry, objects[-1])
            result = check(objects)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_known_bad_object_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            def build(text):
                source, output = os.path.join(folder, "x.cc"), os.path.join(folder, "x.o")
                with open(source, "w", encoding="utf-8") as file:
                    file.write(text)
                subprocess.run(["c++", "-O0", "-c", source, "-o", output], check=True)
                return check([output])

            bad = build("inline int Twice(int x) { return 2 * x; }\nint f() { return Twice(3); }\n")
            self.assertEqual(bad.returncode, 1)
            self.assertIn("Twice(int)", bad.stdout)
            good = build("static int Twice(int x) { return 2 * x; }\nint f() { return Twice(3); }\n")
            self.assertEqual(good.returncode, 0, good.stdout)
        self.assertEqual(check([]).returncode, 1)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""Who may include whom: every #include below src/ against the table of docs/architecture.md."""
import os
import re
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

MAY_INCLUDE = {
    "base": "",
    "ir": "base",
    "kernels": "base",
    "ops": "base ir kernels",
    "target": "base ir",
    "formats": "base ir",
    "passes": "base ir ops target",
    "run": "base ir ops target",
    "vision": "base",
    "report": "base ir target run",
    "app": "base ir ops target formats passes run vision report",
    "larod": "base ir ops target formats passes run vision",
    "cli": "base ir ops target formats passes run vision report app larod",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.MULTILINE)


def violations(layer, path, text):
    """The includes of a file in src/<layer> that the table forbids."""
    allowed = set(MAY_INCLUDE[layer].split()) | {layer}
    found = []
    for name in INCLUDE.findall(text):
        folder = name.split("/")[0] if "/" in name else None
        if folder in MAY_INCLUDE and folder not in allowed:
            found.append(f"{path}: {layer} may not include {name}")
        if name == "tflite_generated.h" and layer != "formats":
            found.append(f"{path}: only formats reads .tflite files")
    return found


def sources():
    for folder, _, names in os.walk(os.path.join(ROOT, "src")):
        for name in sorted(names):
            if name.endswith((".h", ".cc", ".def")):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    yield os.path.relpath(path, ROOT), file.read()


class Layers(unittest.TestCase):
    def test_every_include_is_allowed(self):
        includes, wrong = 0, []
        for path, text in sources():
            layer = path.split(os.sep)[1]
            self.assertIn(layer, MAY_INCLUDE, f"{path}: a folder without a line in the table")
            includes += len(INCLUDE.findall(text))
            wrong += violations(layer, path, text)
        self.assertGreater(includes, 100, "the test read almost nothing")
        self.assertEqual(wrong, [])

    def test_known_bad_includes_are_found(self):
        bad = '#include "ops/op.h"\n#include <vector>\n'
        self.assertEqual(len(violations("kernels", "x.cc", bad)), 1)
        self.assertEqual(len(violations("app", "x.cc", '#include "kernels/conv/conv.h"')), 1)
        self.assertEqual(len(violations("vision", "x.cc", '  # include <ir/graph.h>')), 1)
        self.assertEqual(len(violations("ir", "x.h", '#include "tflite_generated.h"')), 1)
        self.assertEqual(violations("ops", "x.cc", '#include "kernels/conv/conv.h"'), [])

    def test_build_files_agree(self):
        with open(os.path.join(ROOT, "CMakeLists.txt"), encoding="utf-8") as file:
            lines = re.findall(r"^dlpu_layer\((\w+)([^)]*)\)", file.read(), re.MULTILINE)
        self.assertEqual([name for name, _ in lines], list(MAY_INCLUDE))
        for name, rest in lines:
            match = re.search(r"USES ([\w ]+?)(?: LIBS|$)", rest)
            for used in match.group(1).split() if match else []:
                self.assertIn(used, MAY_INCLUDE[name].split(), f"{name} links {used}")


if __name__ == "__main__":
    unittest.main()

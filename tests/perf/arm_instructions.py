#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions for each output of the int8 rows on AArch64, under qemu-user; a Markdown table.

Needs build/aarch64/bin/row_instructions (the aarch64 preset), qemu-aarch64 and a C compiler for the
plugin. The figure is the count of a process with three runs of a layer less that of one with one,
halved. Counts say nothing about cycles; no Arm hardware was at hand."""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SYSROOT = os.path.join(ROOT, "build/sysroot-aarch64/usr/lib/aarch64-linux-gnu")
PROGRAM = os.path.join(ROOT, "build/aarch64/bin/row_instructions")
ROWS = ["reference", "neon", "neondot", "neoni8mm"]
# What, kind, size, input channels, output channels, kernel, stride.
LAYERS = [("1x1 64 > 384 at 14", "conv", 14, 64, 384, 1, 1),
          ("1x1 32 > 16 at 56", "conv", 56, 32, 16, 1, 1),
          ("3x3 64 > 64 at 28", "conv", 28, 64, 64, 3, 1),
          ("first layer 3x3 stride 2, 3 > 32 at 112", "conv", 112, 3, 32, 3, 2),
          ("fully connected 1280 > 1001", "conv", 1, 1280, 1001, 1, 1),
          ("depthwise 3x3, 96 at 28", "depthwise", 28, 96, 96, 3, 1),
          ("depthwise 3x3 stride 2, 96 at 28", "depthwise", 28, 96, 96, 3, 2),
          ("depthwise 5x5, 240 at 14", "depthwise", 14, 240, 240, 5, 1)]


def count(plugin, row, layer, runs):
    """(instructions, outputs, products of an output), or None without the row."""
    command = ["qemu-aarch64", "-cpu", "max", "-E", f"LD_LIBRARY_PATH={SYSROOT}",
               "-L", "/usr/aarch64-linux-gnu", "-plugin", plugin, PROGRAM, row,
               *map(str, layer[1:]), str(runs)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 2:
        return None
    found = re.search(r"instructions (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        raise SystemExit(done.stderr[-300:])
    outputs, products = map(int, done.stdout.split())
    return int(found.group(1)), outputs, products // outputs


def main():
    with tempfile.TemporaryDirectory() as folder:
        plugin = os.path.join(folder, "count.so")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", plugin,
                        os.path.join(HERE, "count_plugin.c")], check=True)
        print("| layer | products of an output | " + " | ".join(ROWS) + " |")
        print("|---|---|" + "---|" * len(ROWS))
        for layer in LAYERS:
            cells, products = [], 0
            for row in ROWS:
                name = f"{layer[1]}_{row}"
                three = count(plugin, name, layer, 3)
                if three is None:
                    cells.append("-")
                    continue
                one = count(plugin, name, layer, 1)
                cells.append(f"{(three[0] - one[0]) / 2 / one[1]:.3g}")
                products = one[2]
            print(f"| {layer[0]} | {products} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dlpu and LiteRT side by side as they run on a CPU with AVX2 and no more, on one that has more.

dlpu's rows above AVX2 are switched off by DLPU_CPU_DISABLE. LiteRT has no such switch: a copy of it
is made in build/bench/avx2 in which every cpuid instruction, found by disassembly, is the invalid
instruction ud2; a preloaded handler (bench/engines/no_avx512.c) then answers for the CPU. Prints a
Markdown table. Needs the files of bench/all.py, gcc and objdump. Keep the machine idle."""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "engines"))
import models  # noqa: E402

FOLDER = os.path.join(models.ROOT, "build/bench/avx2")
LIBRARIES = ["libpywrap_litert_common.so", "libLiteRt.so"]
NETWORKS = ["mobilenet_v1_1.0_224_quant_embedding_extractor", "mobilenet_v2_1.0_224_quant",
            "tf2_mobilenet_v2_1.0_224_ptq", "ssd-mobilenet-v2-oidv4-int8", "yolov5n_artpec8_640",
            "resnet50_random"]


def segments(library):
    """(file offset, address, size) of what is loaded."""
    text = subprocess.run(["readelf", "-lW", library], capture_output=True, text=True).stdout
    for line in text.splitlines():
        if line.strip().startswith("LOAD"):
            offset, address, _, size = [int(x, 16) for x in re.findall(r"0x[0-9a-f]+", line)[:4]]
            yield offset, address, size


def without_cpuid(source, target):
    """Writes a copy with ud2 for cpuid; the number of places."""
    with open(source, "rb") as file:
        data = bytearray(file.read())
    text = subprocess.Popen(["objdump", "-d", "--no-show-raw-insn", source],
                            stdout=subprocess.PIPE, text=True)
    places = 0
    for line in text.stdout:
        found = "\tcpuid" in line and re.match(r"\s*([0-9a-f]+):", line)
        if not found:
            continue
        at = int(found.group(1), 16)
        for offset, address, size in segments(source):
            if address <= at < address + size:
                here = at - address + offset
                if data[here:here + 2] != b"\x0f\xa2":
                    raise SystemExit(f"{source}: no cpuid at {at:x}")
                data[here:here + 2] = b"\x0f\x0b"
                places += 1
    with open(target, "wb") as file:
        file.write(data)
    return places


def make_engine():
    """A Python that loads the restricted LiteRT."""
    import ai_edge_litert

    package = os.path.dirname(ai_edge_litert.__file__)
    copy = os.path.join(FOLDER, "ai_edge_litert")
    python = os.path.join(FOLDER, "python")
    if os.path.exists(python):
        return python
    shutil.rmtree(FOLDER, ignore_errors=True)
    shutil.copytree(package, copy)
    for library in LIBRARIES:
        places = without_cpuid(os.path.join(package, library), os.path.join(copy, library))
        if places == 0:
            raise SystemExit(f"{library} never asks for the CPU")
        print(f"{library}: {places} cpuid", file=sys.stderr)
    preload = os.path.join(FOLDER, "no_avx512.so")
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", preload,
                    os.path.join(HERE, "engines/no_avx512.c")], check=True)
    with open(python, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nLD_PRELOAD={preload} PYTHONPATH={FOLDER} exec {sys.executable} "$@"\n')
    os.chmod(python, 0o755)
    return python


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="comma-separated networks")
    parser.add_argument("--seconds", default="2")
    options = parser.parse_args()
    environment = dict(os.environ, DLPU_PYTHON=make_engine(),
                       DLPU_CPU_DISABLE="avxvnni,avx512,avx512vnni")
    print("| model | threads | dlpu ms (p10-p90) | LiteRT ms | ratio |\n|---|---|---|---|---|")
    for name in options.only.split(",") if options.only else NETWORKS:
        model = os.path.join(models.FOLDER, name + ".tflite")
        for threads in (1, 2):
            command = [models.DLPU, "bench", model, "--threads", str(threads), "--seconds",
                       options.seconds, "--against", f"litert={model}", "--json", "-"]
            done = subprocess.run(command, capture_output=True, text=True, env=environment)
            if done.returncode != 0:
                raise SystemExit(done.stderr)
            facts = json.loads(done.stdout)
            peer = facts["peers"][0]["median_ms"]
            print(f"| {name} | {threads} | {facts['median_ms']:.2f} ({facts['p10_ms']:.2f}-"
                  f"{facts['p90_ms']:.2f}) | {peer:.2f} | {facts['median_ms'] / peer:.2f} |",
                  flush=True)


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""From file to first result, and peak memory, beside LiteRT.

dlpu: the whole process of `dlpu bench MODEL --repeats 1`, from its start to its end. LiteRT: from
making the interpreter to the end of the first inference, inside a Python that has imported all it
needs, and the memory it has then above what it had before. Medians of several processes each."""
import os
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DLPU = os.path.join(ROOT, "build/release/bin/dlpu")
PEER = """
import resource, sys, time
import numpy as np
from ai_edge_litert import interpreter as tfl
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before, begin = peak(), time.perf_counter()
engine = tfl.Interpreter(model_path=sys.argv[1], num_threads=int(sys.argv[2]))
engine.allocate_tensors()
engine.invoke()
print((time.perf_counter() - begin) * 1e3, (peak() - before) / 1024)
"""


def ours(model, threads):
    """(milliseconds, MiB) of one process."""
    begin = time.perf_counter()
    child = subprocess.Popen([DLPU, "bench", model, "--threads", str(threads), "--repeats", "1",
                              "--warm-up", "0", "--seconds", "0"], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    if status != 0:
        raise RuntimeError(f"dlpu bench {model} failed")
    return (time.perf_counter() - begin) * 1e3, usage.ru_maxrss / 1024


def litert(model, threads):
    done = subprocess.run([sys.executable, "-c", PEER, model, str(threads)], capture_output=True,
                          text=True)
    if done.returncode != 0:
        return None
    return tuple(map(float, done.stdout.split()[-2:]))


def measure(model, threads=1, processes=7):
    """Facts of one model; LiteRT's are left out when it does not run."""
    mine, theirs = [], []
    for _ in range(processes):
        mine.append(ours(model, threads))
        peer = litert(model, threads)
        if peer:
            theirs.append(peer)
    facts = {"start_ms": statistics.median(t for t, _ in mine),
             "peak_mib": statistics.median(m for _, m in mine)}
    if theirs:
        facts.update(litert_start_ms=statistics.median(t for t, _ in theirs),
                     litert_more_mib=statistics.median(m for _, m in theirs))
    return facts

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dlpu beside LiteRT, ONNX Runtime, OpenVINO and ncnn on one list of networks: all engines in turns
in one run per network and number of threads, each in its best configuration for that network.

Prints a Markdown table; writes build/bench/all.json, all.csv and all.svg. Engines come from
bench/requirements.txt in build/venv-bench (./dev bench --all makes it); one that is missing or
cannot read a network is left out and named. --only runs some networks and keeps the rows of the
others from an earlier run; --list prints the names. Keep the machine idle."""
import argparse
import csv
import json
import math
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "engines"))
import models  # noqa: E402
import plot  # noqa: E402
import start  # noqa: E402

OUT = os.path.join(models.ROOT, "build/bench")
CHOICES = os.path.join(models.FOLDER, "choices.json")
# Engine: the kinds of file it may read.
ENGINES = {"litert": ["tflite"], "onnxruntime": ["onnx"], "openvino": ["onnx", "tflite"],
           "ncnn": ["ncnn", "ncnn_float"]}


def time_once(engine, path):
    """Median of a few runs with one thread, or None."""
    script = os.path.join(models.ROOT, "data/peers/bench_peer.py")
    done = subprocess.run([sys.executable, script, engine, path, "1", ""], input="9\n",
                          capture_output=True, text=True, timeout=300)
    lines = done.stdout.splitlines()
    return statistics.median(map(float, lines[1].split())) if len(lines) > 1 else None


def choose(name, made):
    """{engine: file}: of several files that an engine could read the fastest one; remembered."""
    chosen = {}
    if os.path.exists(CHOICES):
        with open(CHOICES, encoding="utf-8") as file:
            chosen = json.load(file)
    if name not in chosen:
        chosen[name] = {}
        for engine, kinds in ENGINES.items():
            paths = [made[kind] for kind in kinds if kind in made]
            times = {} if len(paths) < 2 else {p: time_once(engine, p) for p in paths}
            times = {p: t for p, t in times.items() if t is not None}
            if times or paths:
                chosen[name][engine] = min(times, key=times.get) if times else paths[0]
        with open(CHOICES, "w", encoding="utf-8") as file:
            json.dump(chosen, file, indent=1)
    return chosen[name]


def bench(name, made, engines, threads, seconds):
    against = ",".join(f"{engine}={path}" for engine, path in engines.items())
    command = [models.DLPU, "bench", made["tflite"], "--threads", str(threads), "--seconds",
               str(seconds), "--against", against, "--json", "-"]
    done = subprocess.run(command, capture_output=True, text=True,
                          env=dict(os.environ, DLPU_PYTHON=sys.executable))
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip()[-300:])
    facts = json.loads(done.stdout)
    row = {"model": name, "kind": models.MODELS[name][0], "threads": threads,
           "dlpu_ms": facts["median_ms"], "dlpu_p10_ms": facts["p10_ms"],
           "dlpu_p90_ms": facts["p90_ms"], "load_ms": facts["load_ms"], "macs": facts["macs"],
           "repeats": facts["repeats"], "cpu": facts["cpu"],
           "date": time.strftime("%Y-%m-%d %H:%M", time.gmtime()), "peers": facts["peers"]}
    for peer in row["peers"]:
        peer["file"] = os.path.basename(engines[peer["peer"]])
    timed = [p for p in row["peers"] if "median_ms" in p]
    if timed:
        best = min(timed, key=lambda p: p["median_ms"])
        row.update(best_peer=best["peer"], best_ms=best["median_ms"],
                   ratio=row["dlpu_ms"] / best["median_ms"])
    return row


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else float("nan")


def table(rows):
    lines = ["| model | threads | dlpu ms (p10-p90) | " + " | ".join(ENGINES) +
             " | best peer | ratio |", "|---|---|---|" + "---|" * len(ENGINES) + "---|---|"]
    for row in rows:
        peers = {p["peer"]: p for p in row["peers"]}
        cells = [f"{peers[e]['median_ms']:.2f}" if "median_ms" in peers.get(e, {}) else "-"
                 for e in ENGINES]
        spread = f"{row['dlpu_ms']:.2f} ({row['dlpu_p10_ms']:.2f}-{row['dlpu_p90_ms']:.2f})"
        lines.append(f"| {row['model']} | {row['threads']} | {spread} | " + " | ".join(cells) +
                     f" | {row.get('best_peer', '-')} | {row.get('ratio', float('nan')):.2f} |")
    return lines


def summary(rows):
    lines = []
    for kind in ("int8", "float"):
        for threads in sorted({r["threads"] for r in rows}):
            ratios = [r["ratio"] for r in rows
                      if r["kind"] == kind and r["threads"] == threads and "ratio" in r]
            if ratios:
                lines.append(f"{kind}, {threads} thread{'s' * (threads > 1)}: geometric mean "
                             f"{geometric_mean(ratios):.2f} of the best peer, worst "
                             f"{max(ratios):.2f}, {len(ratios)} networks")
    one = {r["model"]: r["dlpu_ms"] for r in rows if r["threads"] == 1}
    gains = {r["model"]: one[r["model"]] / r["dlpu_ms"] for r in rows
             if r["threads"] == 2 and one.get(r["model"], 0) > 5}
    if gains:
        least = min(gains, key=gains.get)
        lines.append(f"2 threads over 1 on networks above 5 ms: geometric mean "
                     f"{geometric_mean(list(gains.values())):.2f}, least {gains[least]:.2f} "
                     f"({least})")
    return lines


def start_table(starts):
    lines = ["| model | file to first result, ms | LiteRT | peak memory, MiB | LiteRT adds |",
             "|---|---|---|---|---|"]
    for name, s in starts.items():
        peer = [f"{s[k]:.0f}" if k in s else "-" for k in ("litert_start_ms", "litert_more_mib")]
        lines.append(f"| {name} | {s['start_ms']:.0f} | {peer[0]} | {s['peak_mib']:.0f} | "
                     f"{peer[1]} |")
    return lines


def save(rows, problems, starts):
    facts = {"cpu": rows[0]["cpu"], "engines": {}, "problems": problems, "rows": rows,
             "starts": starts}
    for row in rows:
        for peer in row["peers"]:
            if peer.get("version"):
                facts["engines"][peer["peer"]] = peer["version"]
    with open(os.path.join(OUT, "all.json"), "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=1)
    with open(os.path.join(OUT, "all.csv"), "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["model", "kind", "threads", "engine", "version", "median_ms", "p90_ms",
                      "dlpu_over_engine", "file", "cpu", "date"])
        for r in rows:
            tail = [r["cpu"], r["date"]]
            out.writerow([r["model"], r["kind"], r["threads"], "dlpu", "", r["dlpu_ms"],
                          r["dlpu_p90_ms"], 1, r["model"] + ".tflite"] + tail)
            for p in r["peers"]:
                if "median_ms" in p:
                    out.writerow([r["model"], r["kind"], r["threads"], p["peer"], p["version"],
                                  p["median_ms"], p["p90_ms"], p["ratio"], p["file"]] + tail)
    with open(os.path.join(OUT, "all.svg"), "w", encoding="utf-8") as file:
        file.write(plot.ratios(rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--only", default="", help="names, separated by commas")
    parser.add_argument("--prepare", action="store_true", help="make the files, time nothing")
    parser.add_argument("--start", action="store_true", help="start and memory only")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        print("\n".join(models.MODELS))
        return 0
    wanted = options.only.split(",") if options.only else list(models.MODELS)
    rows, problems, starts = {}, {}, {}
    if (options.only or options.start) and os.path.exists(os.path.join(OUT, "all.json")):
        with open(os.path.join(OUT, "all.json"), encoding="utf-8") as file:
            before = json.load(file)
        rows = {(r["model"], r["threads"]): r for r in before["rows"]}
        problems, starts = before["problems"], before.get("starts", {})
    for name in wanted:
        if name not in models.MODELS:
            raise SystemExit(f"--only: no network {name!r}; --list prints the names")
        made, missing = models.files(name)
        if not options.start:
            problems[name] = missing
        if "tflite" not in made:
            continue
        if not options.prepare and (options.start or not options.only):
            starts[name] = start.measure(made["tflite"])
            print(start_table({name: starts[name]})[-1], flush=True)
        if options.start:
            continue
        engines = choose(name, made)
        for threads in [] if options.prepare else map(int, options.threads.split(",")):
            row = rows[name, threads] = bench(name, made, engines, threads, options.seconds)
            problems[name] += [f"{p['peer']}: {p['problem']}" for p in row["peers"]
                               if "problem" in p and threads == 1]
            print(table([row])[-1], flush=True)
    problems = {name: list(dict.fromkeys(p)) for name, p in problems.items() if p}
    for name, lines in problems.items():
        for line in lines:
            print(f"left out: {name}: {line}")
    if options.prepare:
        return 0
    ordered = [rows[n, t] for n in models.MODELS for t in sorted({k[1] for k in rows})
               if (n, t) in rows]
    if not ordered:
        print("nothing was timed")
        return 1
    save(ordered, problems, starts)
    print("\n".join(["", *table(ordered), "", *summary(ordered), "", *start_table(starts)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())

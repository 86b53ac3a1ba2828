#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mean average precision of `dlpu eval` against pycocotools on random boxes: crowds, ties of scores,
more than 100 detections, small and large objects. The boxes reach dlpu as the records of a finished
run. Exits with 1 on a difference above 1e-12 or when nothing was compared; without pycocotools the
comparison is skipped and counted.
"""
import argparse
import contextlib
import io
import json
import os
import random
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("DLPU_PROGRAM", os.path.join(ROOT, "build/release/bin/dlpu"))
CASES = 20


def boxes(rng, pictures, categories):
    """Records of `pictures` pictures."""
    records = []
    for i in range(pictures):
        truth, found = [], []
        for _ in range(rng.randrange(0, 12)):
            w, h = rng.choice([8, 20, 60, 150]) * rng.uniform(0.5, 2), rng.uniform(5, 200)
            x, y = rng.uniform(0, 400), rng.uniform(0, 400)
            category = rng.choice(categories)
            truth.append([category, x, y, w, h, w * h * rng.uniform(0.4, 1), int(rng.random() < 0.1)])
            for _ in range(rng.choice([0, 1, 1, 1, 2, 20])):
                shift = rng.choice([0.0, 0.05, 0.15, 0.5])
                found.append([category, round(rng.random(), rng.choice([1, 6])),
                              x + rng.uniform(-shift, shift) * w, y + rng.uniform(-shift, shift) * h,
                              w * rng.uniform(0.8, 1.25), h])
        for _ in range(rng.randrange(0, 5)):
            found.append([rng.choice(categories), rng.random(), rng.uniform(0, 400),
                          rng.uniform(0, 400), rng.uniform(4, 300), rng.uniform(4, 300)])
        records.append({"i": i, "file": f"{i}.png", "found": found, "truth": truth})
    return records


def ours(records, categories):
    header = {"dlpu_eval": 1, "run": "x", "task": "detect", "agreement": False,
              "pictures": len(records), "class_names": [], "categories": categories}
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        for line in [header, *records]:
            file.write(json.dumps(line) + "\n")
        file.flush()
        done = subprocess.run([PROGRAM, "eval", "--merge", file.name, "--json", "-"],
                              capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    facts = json.loads(done.stdout)
    return [facts[key] for key in ("map", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")]


def theirs(records, categories):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    annotations, results = [], []
    for record in records:
        for category, x, y, w, h, area, crowd in record["truth"]:
            annotations.append({"id": len(annotations) + 1, "image_id": record["i"], "area": area,
                                "category_id": category, "bbox": [x, y, w, h], "iscrowd": crowd})
        for category, score, x, y, w, h in record["found"]:
            results.append({"image_id": record["i"], "category_id": category, "score": score,
                            "bbox": [x, y, w, h]})
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {"images": [{"id": r["i"]} for r in records], "annotations": annotations,
                         "categories": [{"id": c} for c in categories]}
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return list(evaluation.stats[:6])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", help="write the counts to this file")
    args = parser.parse_args()
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    try:
        import pycocotools.cocoeval  # noqa: F401
    except ImportError as error:
        must = os.environ.get("CI") == "true"
        print(f"{error}; the comparison {'fails, as CI is set' if must else 'is skipped'}")
        counts["failed" if must else "skipped"] = CASES
    worst = 0.0
    for seed in range(0 if counts["skipped"] or counts["failed"] else CASES):
        rng = random.Random(seed)
        categories = list(range(1, 1 + rng.randrange(1, 7)))
        records = boxes(rng, rng.randrange(1, 25), categories)
        if not any(r["found"] for r in records) or not any(r["truth"] for r in records):
            continue
        difference = max(abs((-1 if a is None else a) - b)
                         for a, b in zip(ours(records, categories), theirs(records, categories)))
        worst = max(worst, difference)
        counts["passed" if difference <= 1e-12 else "failed"] += 1
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped; "
          f"largest difference {worst:.3g}")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(counts, file)
    return 1 if counts["failed"] or not counts["passed"] + counts["skipped"] else 0


if __name__ == "__main__":
    sys.exit(main())

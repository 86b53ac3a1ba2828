#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Adds up the results of ./dev test: GoogleTest XML, CTest's own list and JSON counts.

The last line is "N passed, N failed, N skipped". Exits with 1 when a test failed or none passed.
"""
import json
import os
import sys
import xml.etree.ElementTree as ElementTree


def count_gtest(path):
    """[passed, failed, skipped] and the names of what was skipped or failed."""
    counts, notes = [0, 0, 0], []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None:
            counts[1] += 1
            notes.append(f"failed: {name}")
        elif case.find("skipped") is not None or case.get("result") == "skipped":
            counts[2] += 1
            skip = case.find("skipped")
            why = (skip.get("message") or "") if skip is not None else ""
            notes.append(f"skipped: {name}{': ' if why else ''}{' '.join(why.split())[:120]}")
        elif case.get("status") == "run":
            counts[0] += 1
    return counts, notes


def count_ctest(path, gtest_failures):
    """Programs that failed without a failing test in their XML: a crash or a time-out; and
    programs that are no GoogleTest."""
    counts, notes = [0, 0, 0], []
    folder = os.path.dirname(path)
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = case.get("name")
        has_xml = os.path.exists(os.path.join(folder, f"{name}_test.xml"))
        if case.get("status") == "fail" and not gtest_failures.get(f"{name}_test"):
            counts[1] += 1
            notes.append(f"failed: {name} did not finish")
        elif not has_xml and case.get("status") == "run":
            counts[0] += 1
        elif not has_xml and case.get("status") != "fail":
            counts[2] += 1
            notes.append(f"skipped: {name}")
    return counts, notes


def collect(folder):
    """Yields (what, counts, notes) for each file of results."""
    for where, _, names in sorted(os.walk(folder)):
        gtest_failures = {}
        for name in sorted(names):
            path = os.path.join(where, name)
            label = os.path.relpath(path, folder).rsplit(".", 1)[0]
            if name.endswith(".xml"):
                counts, notes = count_gtest(path)
                gtest_failures[name[:-4]] = counts[1]
                yield label, counts, notes
            elif name.endswith(".json"):
                with open(path, encoding="utf-8") as file:
                    data = json.load(file)
                counts = [data[k] for k in ("passed", "failed", "skipped")]
                yield label, counts, data.get("notes", [])
        if "ctest.junit" in names:
            counts, notes = count_ctest(os.path.join(where, "ctest.junit"), gtest_failures)
            if any(counts):
                yield os.path.relpath(where, folder) + "/programs", counts, notes


def main():
    total = [0, 0, 0]
    print(f"{'tests':28}{'passed':>9}{'failed':>9}{'skipped':>9}")
    remarks = []
    for label, counts, notes in collect(sys.argv[1]):
        print(f"{label:28}" + "".join(f"{n:>9}" for n in counts))
        total = [a + b for a, b in zip(total, counts)]
        remarks += [f"{label}: {note}" for note in notes]
    print("\n".join(remarks))
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())

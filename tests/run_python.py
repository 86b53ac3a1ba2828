#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every *_test.py below tests/ and counts the tests."""
import argparse
import json
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


def load():
    suite = unittest.TestSuite()
    for folder, _, names in sorted(os.walk(HERE)):
        if any(name.endswith("_test.py") for name in names):
            # A loader of its own for each folder: the folders are no packages.
            loader = unittest.TestLoader()
            suite.addTests(loader.discover(folder, pattern="*_test.py", top_level_dir=folder))
    return suite


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", help="write the counts to this file")
    args = parser.parse_args()
    result = unittest.TextTestRunner(verbosity=2).run(load())
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    passed = result.testsRun - failed - skipped
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            notes = [f"failed: {test.id()}" for test, _ in result.failures + result.errors]
            notes += [f"skipped: {test.id()}: {why}" for test, why in result.skipped]
            json.dump({"passed": passed, "failed": failed, "skipped": skipped, "notes": notes},
                      file)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What larod adds to a job, in the application's process and through a daemon: medians, and their
# difference to the plain runner.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cmake --build build/release --target larod_bench >/dev/null
build/release/bin/larod_bench --benchmark_repetitions=9 --benchmark_report_aggregates_only=true \
  --benchmark_enable_random_interleaving=true --benchmark_format=json 2>/dev/null |
  python3 -c '
import json, sys

rows = json.load(sys.stdin)["benchmarks"]
median = {row["run_name"].split("/")[0]: row["real_time"] / 1000
          for row in rows if row["aggregate_name"] == "median"}
assert "PlainRunner" in median, "the benchmark measured nothing"
for name, microseconds in median.items():
    added = microseconds - median["PlainRunner"]
    print(f"{name:18} {microseconds:8.1f} us   larod adds {added:6.1f} us")
'

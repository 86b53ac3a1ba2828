#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What larod adds to a job, in this process: medians of PlainRunner and RunJob.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cmake --build build/release --target larod_bench >/dev/null
build/release/bin/larod_bench --benchmark_repetitions=9 --benchmark_report_aggregates_only=true

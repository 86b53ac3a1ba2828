#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_isa_objects.sh OBJECT...: fails when an object file of a kernel that is compiled with flags
# of its own (avx2.cc, ...) holds weak functions or data. The linker keeps one copy of an inline
# function for the whole program; if it picks the copy compiled for AVX-512, the program dies on a
# CPU without it. Give it objects compiled without optimization: there every inline function that
# is used has a copy.
set -euo pipefail
if [ $# = 0 ]; then
  echo "check_isa_objects.sh: no object files given" >&2
  exit 1
fi
status=0
for object in "$@"; do
  # V, W: weak and defined; u: unique (statics of inline functions and templates).
  weak=$(nm --defined-only -C "$object" | awk '$2 ~ /^[VWu]$/' | cut -d' ' -f2-)
  if [ -n "$weak" ]; then
    echo "$object leaks inline code that is compiled with its own CPU flags:"
    echo "$weak" | sed 's/^/  /'
    status=1
  fi
done
exit $status

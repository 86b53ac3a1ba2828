#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# aarch64_sysroot.sh FOLDER: fetches the arm64 packages of the libraries that dlpu links from
# Debian and unpacks them into FOLDER, for the aarch64 preset. The system's own package list stays
# untouched: apt works with a state folder of its own, for arm64 alone. Does nothing when FOLDER is
# complete.
set -euo pipefail
folder=${1:?usage: aarch64_sysroot.sh FOLDER}
packages=(libfmt-dev libfmt9 libssl-dev libssl3 libpng-dev libpng16-16 zlib1g-dev zlib1g
  libturbojpeg0-dev libturbojpeg0 libyuv-dev libyuv0 libjpeg62-turbo libprotobuf-dev
  libprotobuf-lite32 libgtest-dev libgmock-dev googletest)
stamp=$folder/.complete
want="${packages[*]}"
[ -e "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && exit 0
rm -rf "$folder"
mkdir -p "$folder/apt/state/lists/partial" "$folder/apt/cache/archives/partial"
folder=$(cd "$folder" && pwd)
echo "Fetching Debian's arm64 packages of ${packages[*]}"
apt=(apt-get -q -o APT::Architecture=arm64 -o APT::Architectures::=arm64
  -o Dir::State="$folder/apt/state" -o Dir::State::status=/dev/null
  -o Dir::Cache="$folder/apt/cache" -o APT::Sandbox::User=root -o Debug::NoLocking=1
  -o pkgCacheGen::Essential=none)
"${apt[@]}" update >"$folder/apt/update.log" 2>&1 || true # other sources may have no arm64
(cd "$folder/apt" && "${apt[@]}" download "${packages[@]}" >download.log 2>&1) || {
  tail "$folder/apt/update.log" "$folder/apt/download.log" >&2
  exit 1
}
for deb in "$folder"/apt/*.deb; do dpkg-deb -x "$deb" "$folder"; done
rm -rf "$folder/apt"
echo "$want" >"$stamp"

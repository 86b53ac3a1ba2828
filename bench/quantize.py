#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long `dlpu quantize` takes on 100 pictures, with the default method on two cores.

The model is MobileNetV2 at 224x224 (from its int8 per-channel file, brought back to real values;
$DLPU_SHARED/models/tflite) for the ARTPEC-8; zoo models that are there are timed as well. The
pictures are crops of Debian's python3-skimage photos and of $DLPU_SHARED/models/images. Exits with
1 when MobileNetV2 takes more than a minute, or when there was nothing to time.
"""
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DLPU = os.path.join(ROOT, "build", "release", "bin", "dlpu")
SHARED = os.environ.get("DLPU_SHARED", os.path.join(ROOT, "..", "shared"))
PHOTOS = ("/usr/lib/python3/dist-packages/skimage/data", os.path.join(SHARED, "models", "images"))
MOBILENET = os.path.join(SHARED, "models", "tflite", "tf2_mobilenet_v2_1.0_224_ptq.tflite")
LIMIT = 60.0  # seconds
PICTURES = 100


def pictures(folder):
    """Links PICTURES pictures into the folder: the photos there are, again and again."""
    names = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png")
    found = [os.path.join(PHOTOS[0], n) for n in names]
    found += [os.path.join(PHOTOS[1], n) for n in sorted(os.listdir(PHOTOS[1]))
              if n.endswith((".bmp", ".jpg"))] if os.path.isdir(PHOTOS[1]) else []
    found = [f for f in found if os.path.exists(f)]
    for i in range(PICTURES if found else 0):
        path = found[i % len(found)]
        os.symlink(path, os.path.join(folder, f"{i:03}{os.path.splitext(path)[1]}"))
    return len(found)


def main():
    if not os.path.exists(MOBILENET):
        print(f"{MOBILENET} is not there: set DLPU_SHARED")
        return 1
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        photos = os.path.join(folder, "photos")
        os.mkdir(photos)
        if pictures(photos) == 0:
            print("found no photos: install python3-skimage")
            return 1
        for model, name in ((MOBILENET, "MobileNetV2 224"), ("ssd-mobilenet-v2-oidv4", "SSD 300")):
            start = time.monotonic()
            done = subprocess.run([DLPU, "quantize", model, "-o", os.path.join(folder, "q.tflite"),
                                   "--target", "artpec8", "--calibration", photos, "--threads", "2"],
                                  capture_output=True, text=True, check=False)
            seconds = time.monotonic() - start
            if done.returncode != 0:
                print(f"{name}: {done.stderr.strip()}")
                failed |= model == MOBILENET
                continue
            print(f"{name}, {PICTURES} pictures, two threads: {seconds:.1f} s (limit {LIMIT:.0f} s)")
            failed |= model == MOBILENET and seconds > LIMIT
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

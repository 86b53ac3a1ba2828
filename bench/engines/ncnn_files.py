# SPDX-License-Identifier: Apache-2.0
"""The network of a float .onnx as ncnn's .param and .bin: pnnx makes the float one, and int8() turns
its convolutions and fully connected layers into integer ones as ncnn's own ncnn2int8 would, with one
scale for all activations: made for timing, its results mean nothing."""
import os
import shutil
import struct
import subprocess
import sys

import numpy as np
import onnx

WEIGHTED = {"Convolution": 6, "ConvolutionDepthWise": 6, "InnerProduct": 2}  # key of the count
INT8_TAG = 0x000D4B38


def convert(model, stem):
    """Writes stem.ncnn.param and .bin."""
    work = stem + ".pnnx"
    os.makedirs(work, exist_ok=True)
    copy = os.path.join(work, "net.onnx")
    shutil.copy(model, copy)
    pnnx = os.path.join(os.path.dirname(sys.executable), "pnnx")
    shapes = []
    for value in onnx.load(model, load_external_data=False).graph.input:
        shapes.append([d.dim_value for d in value.type.tensor_type.shape.dim])
    sizes = ",".join(str(s).replace(" ", "") for s in shapes)
    done = subprocess.run([pnnx, "net.onnx", "fp16=0", f"inputshape={sizes}"], cwd=work,
                          capture_output=True, text=True, timeout=300)
    if not os.path.exists(os.path.join(work, "net.ncnn.param")):
        raise RuntimeError("pnnx: " + done.stderr.strip()[-200:])
    with open(os.path.join(work, "net.ncnn.param"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    # Input layers with their sizes, which the timing script reads.
    count = 0
    for i, line in enumerate(lines[2:], 2):
        if line.split()[0] == "Input":
            shape = shapes[count][1:]
            lines[i] = line + "".join(f" {k}={v}" for k, v in zip((0, 1, 2), reversed(shape)))
            count += 1
    with open(stem + ".ncnn.param", "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    shutil.copy(os.path.join(work, "net.ncnn.bin"), stem + ".ncnn.bin")
    shutil.rmtree(work)


class Layer:
    def __init__(self, line):
        words = line.split()
        self.kind, self.name, ins, outs = words[0], words[1], int(words[2]), int(words[3])
        self.ins, self.outs = words[4:4 + ins], words[4 + ins:4 + ins + outs]
        self.options = dict(w.split("=", 1) for w in words[4 + ins + outs:])

    def get(self, key, default=0):
        return int(self.options.get(str(key), default))

    def line(self):
        return " ".join([self.kind, self.name, str(len(self.ins)), str(len(self.outs)), *self.ins,
                         *self.outs, *(f"{k}={v}" for k, v in self.options.items())])


class Weights:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        self.at = 0

    def floats(self, count, tagged):
        if tagged:
            tag, = struct.unpack_from("<I", self.data, self.at)
            self.at += 4
            if tag != 0:
                raise RuntimeError(f"weights with tag {tag:#x}")
        out = np.frombuffer(self.data, np.float32, count, self.at)
        self.at += 4 * count
        return out


def int8(stem, target):
    """stem.ncnn.* with integers, as target.ncnn.*."""
    with open(stem + ".ncnn.param", encoding="utf-8") as file:
        head, layers = file.readline(), file.read().splitlines()
    sizes, layers = layers[0], [Layer(line) for line in layers[1:]]
    weights, out = Weights(stem + ".ncnn.bin"), bytearray()
    scale = np.float32(127 / 6)
    readers = {}
    for layer in layers:
        for blob in layer.ins:
            readers.setdefault(blob, []).append(layer)

    def integers_only(blob):
        """Whether all that reads it is an integer layer."""
        return bool(readers.get(blob)) and all(
            layer.kind in WEIGHTED or
            (layer.kind == "Split" and all(integers_only(b) for b in layer.outs))
            for layer in readers[blob])

    for layer in layers:
        if layer.kind in WEIGHTED:
            inner = layer.kind == "InnerProduct"
            count, rows = layer.get(WEIGHTED[layer.kind]), layer.get(0)
            values = weights.floats(count, True).reshape(rows, -1)
            bias = weights.floats(rows, False) if layer.get(1 if inner else 5) else None
            requantized = not inner and integers_only(layer.outs[0])
            layer.options["8"] = str(101 if requantized else 1 if not inner else 2)
            if layer.kind == "ConvolutionDepthWise" and layer.get(7) != rows:
                raise RuntimeError("a grouped convolution")
            scales = (127 / np.maximum(np.abs(values).max(axis=1), 1e-6)).astype(np.float32)
            codes = np.clip(np.round(values * scales[:, None]), -127, 127).astype(np.int8)
            out += struct.pack("<I", INT8_TAG) + codes.tobytes() + bytes(-codes.size % 4)
            out += bias.tobytes() if bias is not None else b""
            out += scales.tobytes() + scale.tobytes() + (scale.tobytes() if requantized else b"")
        elif layer.kind == "MemoryData":
            count = 1
            for key in (0, 1, 2, 11):
                count *= max(1, layer.get(key))
            out += weights.floats(count, False).tobytes()
        elif layer.kind == "PReLU":
            out += weights.floats(layer.get(0), False).tobytes()
        elif layer.kind in ("BatchNorm", "Scale", "Deconvolution", "DeconvolutionDepthWise",
                            "Gemm", "Embed", "LayerNorm"):
            raise RuntimeError(f"int8 of a network with {layer.kind}")
    if weights.at != len(weights.data):
        raise RuntimeError("weights of layers that are not known")
    with open(target + ".ncnn.param", "w", encoding="utf-8") as file:
        file.write("\n".join([head.strip(), sizes, *(layer.line() for layer in layers)]) + "\n")
    with open(target + ".ncnn.bin", "wb") as file:
        file.write(out)

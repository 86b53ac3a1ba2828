#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/onnx.txt: tiny ONNX models with random weights, their inputs and what ONNX
Runtime computes from them, so that onnx_test.cc compares without Python. Lines of a case: "case
NAME", "model BASE64", then "input" and "output" with the shape and float32 values as base64.
"""
import base64
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import models  # noqa: E402
from networks import Net  # noqa: E402

PATH = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden",
                    "onnx.txt")


def convolutions():
    net = Net(21)
    x = net.conv(net.input("input", [1, 3, 8, 8]), 4, 3, 2, norm=True)
    x = net.conv(x, 4, 3, 1, groups=4, act="SiLU")
    x = net.op("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    net.output(net.conv(x, 3, 1, act=None))
    return net.model()


def residual():
    net = Net(22)
    x = net.conv(net.input("input", [1, 2, 6, 6]), 4, 1)
    y = net.op("Add", [net.conv(x, 4, 3, act=None), x])
    z = net.op("Concat", [y, x], axis=1, channels=8)
    pads = net.ints("pads", [0, 0, 1, 0, 0, 0, 0, 1])
    z = net.op("Pad", [z, pads], mode="reflect")
    net.output(net.op("ReduceMean", [z], axes=[2, 3], keepdims=0))
    net.output(net.op("Softmax", [z], axis=1))
    return net.model()


def classifier():
    net = Net(23)
    x = net.conv(net.input("input", ["batch", 1, 6, 6]), 3, 3, 2)
    x = net.op("Flatten", [x], axis=1)
    w = net.weight("w", net.rng.normal(0, 0.3, (5, 27)))
    x = net.op("Gemm", [x, w, net.weight("b", net.rng.normal(0, 0.1, 5))], transB=1)
    net.output(net.op("Softmax", [x], axis=1))
    return net.model()


def resized():
    import numpy as np

    net = Net(24)
    x = net.conv(net.input("input", [1, 2, 5, 4]), 3, 3)
    scales = net.weight("scales", np.array([1, 1, 2, 2], "float32"))
    a = net.op("Resize", [x, "", scales], mode="nearest",
               coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    c = net.op("Resize", [x, "", scales], mode="linear",
               coordinate_transformation_mode="half_pixel")
    d = net.op("Resize", [x, "", scales], mode="cubic",
               coordinate_transformation_mode="pytorch_half_pixel")
    y = net.op("Concat", [a, c, d], axis=1, channels=9)
    net.output(net.conv(y, 2, 1, act=None))
    return net.model()


def upsampled():
    net = Net(25)
    x = net.input("input", [1, 3, 4, 4])
    w = net.weight("w", net.rng.normal(0, 0.3, (3, 2, 3, 3)))
    y = net.op("ConvTranspose", [x, w], channels=2, strides=[2, 2], pads=[1] * 4,
               output_padding=[1, 1])
    z = net.op("DepthToSpace", [net.conv(x, 8, 1)], channels=2, blocksize=2, mode="CRD")
    net.output(net.op("Mul", [y, z]))
    return net.model()


def shuffled():
    net = Net(26)
    x = net.conv(net.input("input", [1, 4, 4, 4]), 6, 1, groups=2)
    x = net.op("Reshape", [x, net.ints("split", [1, 2, 3, 4, 4])])
    x = net.op("Transpose", [x], perm=[0, 2, 1, 3, 4])
    x = net.op("Reshape", [x, net.ints("join", [1, 6, 4, 4])], channels=6)
    net.output(net.conv(x, 4, 1, groups=2, act=None))
    return net.model()


def main():
    import numpy as np

    def text(word, array):
        shape = ",".join(str(n) for n in array.shape)
        data = base64.b64encode(array.astype("<f4").tobytes()).decode()
        return f"{word} {shape} {data}\n"

    lines = ["# Written by tests/onnx/write_golden.py with ONNX Runtime; random weights.\n"]
    for make in (convolutions, residual, classifier, resized, upsampled, shuffled):
        model = make().SerializeToString()
        inputs, outputs = models.runtime(model, {}, (-1, 1), np.random.default_rng(31), plain=True)
        lines.append(f"case {make.__name__}\n")
        lines.append(f"model {base64.b64encode(model).decode()}\n")
        lines += [text("input", array) for _, array in inputs]
        lines += [text("output", array) for _, array in outputs]
    with open(PATH, "w", encoding="utf-8") as file:
        file.writelines(lines)
    print(f"{PATH}: {os.path.getsize(PATH)} bytes")


if __name__ == "__main__":
    main()

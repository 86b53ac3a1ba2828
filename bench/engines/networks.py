# SPDX-License-Identifier: Apache-2.0
"""Float ONNX networks with seeded random weights, for timing layers that no packaged model has:
ResNet-50 v1.5 (He et al., 2016; stride 2 in the 3x3 convolution) and EfficientNet-Lite0 (the layer
list of data/architectures/efficientnet_lite0_224.csv), both 224 x 224 x 3 with 1000 classes."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Net:
    """A chain of layers; weights scaled so that activations keep their size from layer to layer."""

    def __init__(self, name, seed):
        self.name, self.random = name, np.random.default_rng(seed)
        self.nodes, self.constants, self.count, self.channels = [], [], 0, {"input": 3}

    def add(self, op, inputs, **attributes):
        self.count += 1
        output = f"{op.lower()}_{self.count}"
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        self.channels[output] = self.channels.get(inputs[0])
        return output

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array.astype(np.float32), name))
        return name

    def conv(self, x, channels, kernel, stride=1, depthwise=False, act=None):
        inputs = self.channels[x]
        group = inputs if depthwise else 1
        shape = (channels, inputs // group, kernel, kernel)
        fan = np.prod(shape[1:])
        weights = self.random.normal(0, (2 / fan) ** 0.5, shape)
        out = self.add("Conv", [x, self.constant(weights),
                                self.constant(self.random.normal(0, 0.1, channels))],
                       kernel_shape=[kernel, kernel], strides=[stride, stride], group=group,
                       pads=[(kernel - 1) // 2] * 4)
        self.channels[out] = channels
        if act == "relu":
            out = self.add("Relu", [out])
        elif act == "relu6":
            out = self.add("Clip", [out, self.constant(np.array(0.0)),
                                    self.constant(np.array(6.0))])
        return out

    def model(self, x, classes=1000):
        x = self.add("Flatten", [self.add("GlobalAveragePool", [x])])
        weights = self.random.normal(0, 0.02, (classes, self.channels[x]))
        x = self.add("Gemm", [x, self.constant(weights), self.constant(np.zeros(classes))],
                     transB=1)
        graph = helper.make_graph(
            self.nodes, self.name,
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 224, 224])],
            [helper.make_tensor_value_info(x, TensorProto.FLOAT, [1, classes])], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        onnx.checker.check_model(model)
        return model


def resnet50():
    net = Net("resnet50", 50)
    x = net.conv("input", 64, 7, 2, act="relu")
    x = net.add("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for stage, blocks in enumerate((3, 4, 6, 3)):
        width = 64 << stage
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            y = net.conv(x, width, 1, act="relu")
            y = net.conv(y, width, 3, stride, act="relu")
            y = net.conv(y, 4 * width, 1)
            short = x if block > 0 else net.conv(x, 4 * width, 1, stride)
            x = net.add("Relu", [net.add("Add", [short, y])])
    return net.model(x)


def efficientnet_lite0():
    net = Net("efficientnet_lite0", 1)
    x = net.conv("input", 32, 3, 2, act="relu6")
    # expansion, channels, blocks, stride, kernel
    for expansion, channels, blocks, stride, kernel in (
            (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
            (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)):
        for block in range(blocks):
            inputs = net.channels[x]
            y = net.conv(x, inputs * expansion, 1, act="relu6") if expansion > 1 else x
            y = net.conv(y, inputs * expansion, kernel, stride if block == 0 else 1,
                         depthwise=True, act="relu6")
            y = net.conv(y, channels, 1)
            x = net.add("Add", [x, y]) if block > 0 else y
    return net.model(net.conv(x, 1280, 1, act="relu6"))


ALL = {"resnet50_random": resnet50, "efficientnet_lite0_random": efficientnet_lite0}

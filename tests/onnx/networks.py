# SPDX-License-Identifier: Apache-2.0
"""Small networks in the way PyTorch exports them, with random weights: each function returns a
ModelProto. They have the shapes of real families and take milliseconds to run."""


class Net:
    """Builds a graph node by node; values are named after the layer that makes them."""

    def __init__(self, seed, opset=17):
        import numpy as np

        self.rng, self.opset = np.random.default_rng(seed), opset
        self.nodes, self.weights, self.inputs, self.outputs, self.channels = [], [], [], [], {}

    def input(self, name, shape):
        from onnx import TensorProto, helper

        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        self.channels[name] = shape[1]
        return name

    def weight(self, name, array):
        import numpy as np
        from onnx import numpy_helper

        if array.dtype == np.float64:
            array = array.astype(np.float32)
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def ints(self, name, values):
        import numpy as np

        return self.weight(name, np.array(values, np.int64))

    def op(self, kind, inputs, name=None, outputs=None, channels=None, **attributes):
        from onnx import helper

        name = name or f"/{kind}_{len(self.nodes)}"
        outputs = outputs or [f"{name}_output_0"]
        self.nodes.append(helper.make_node(kind, inputs, outputs, name=name, **attributes))
        for output in outputs:
            self.channels[output] = channels or self.channels.get(inputs[0])
        return outputs[0] if len(outputs) == 1 else outputs

    def conv(self, x, out, kernel=1, stride=1, groups=1, act="Relu", norm=False, bias=True):
        import numpy as np

        name, given = f"/conv_{len(self.nodes)}", self.channels[x]
        scale = np.sqrt(2 / (kernel * kernel * given / groups))
        inputs = [x, self.weight(name + ".weight",
                                 self.rng.normal(0, scale, (out, given // groups, kernel, kernel)))]
        if bias:
            inputs.append(self.weight(name + ".bias", self.rng.normal(0, 0.1, out)))
        x = self.op("Conv", inputs, name, channels=out, kernel_shape=[kernel] * 2,
                    strides=[stride] * 2, pads=[kernel // 2] * 4, group=groups,
                    dilations=[1, 1])
        if norm:
            parts = [self.weight(f"{name}.bn.{i}", self.rng.uniform(0.5, 1.5, out))
                     for i in range(4)]
            x = self.op("BatchNormalization", [x, *parts], name + "/bn")
        return self.act(x, act)

    def act(self, x, kind):
        import numpy as np

        if kind == "SiLU":
            return self.op("Mul", [x, self.op("Sigmoid", [x])])
        if kind == "Relu6":
            low = self.weight(f"low_{len(self.nodes)}", np.float32(0).reshape(()))
            high = self.weight(f"high_{len(self.nodes)}", np.float32(6).reshape(()))
            return self.op("Clip", [x, low, high])
        return self.op(kind, [x]) if kind else x

    def output(self, value):
        from onnx import TensorProto, helper

        self.outputs.append(helper.make_tensor_value_info(value, TensorProto.FLOAT, None))

    def model(self):
        from onnx import helper

        graph = helper.make_graph(self.nodes, "torch_jit", self.inputs, self.outputs, self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)],
                                 ir_version=8, producer_name="tests")


def mobilenet(act="Relu6", norm=True):
    """Inverted residuals, global pooling, classifier: MobileNetV2."""
    net = Net(1)
    x = net.conv(net.input("input", ["batch", 3, 64, 64]), 16, 3, 2, act=act, norm=norm)
    for out, stride, expand in ((16, 1, 1), (24, 2, 4), (24, 1, 4), (40, 2, 4), (40, 1, 4)):
        given, start = net.channels[x], x
        wide = given * expand
        y = net.conv(x, wide, 1, act=act, norm=norm) if expand > 1 else x
        y = net.conv(y, wide, 3, stride, groups=wide, act=act, norm=norm)
        x = net.conv(y, out, 1, act=None, norm=norm)
        if stride == 1 and given == out:
            x = net.op("Add", [x, start])
    x = net.op("Flatten", [net.op("GlobalAveragePool", [x])], axis=1)
    w = net.weight("fc.weight", net.rng.normal(0, 0.2, (10, 40)))
    net.output(net.op("Gemm", [x, w, net.weight("fc.bias", net.rng.normal(0, 0.1, 10))], transB=1))
    return net.model()


def mobilenet_v3():
    """Squeeze-and-excitation with HardSigmoid, HardSwish."""
    net = Net(2)
    x = net.conv(net.input("input", [1, 3, 64, 64]), 16, 3, 2, act="HardSwish")
    for out, stride in ((16, 2), (24, 2), (24, 1)):
        start, wide = x, net.channels[x] * 3
        y = net.conv(x, wide, 1, act="HardSwish")
        y = net.conv(y, wide, 3, stride, groups=wide, act="HardSwish")
        s = net.conv(net.op("GlobalAveragePool", [y]), wide // 4, 1)
        s = net.conv(s, wide, 1, act=None)
        s = net.op("HardSigmoid", [s], alpha=1 / 6, beta=0.5)
        x = net.conv(net.op("Mul", [y, s]), out, 1, act=None)
        if stride == 1:
            x = net.op("Add", [x, start])
    net.output(net.op("ReduceMean", [x], axes=[2, 3], keepdims=0))
    return net.model()


def resnet():
    """Padded max pooling after a ReLU, residuals, flattened features into a classifier."""
    net = Net(3)
    x = net.conv(net.input("input", [1, 3, 64, 64]), 16, 7, 2, norm=True, bias=False)
    x = net.op("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for out, stride in ((16, 1), (32, 2)):
        start = x if stride == 1 else net.conv(x, out, 1, stride, act=None, norm=True, bias=False)
        y = net.conv(x, out, 3, stride, norm=True, bias=False)
        y = net.conv(y, out, 3, act=None, norm=True, bias=False)
        x = net.op("Relu", [net.op("Add", [y, start])])
    x = net.op("Flatten", [x], axis=1)
    w = net.weight("fc.weight", net.rng.normal(0, 0.02, (10, 32 * 8 * 8)))
    x = net.op("Gemm", [x, w, net.weight("fc.bias", net.rng.normal(0, 0.1, 10))], transB=1)
    net.output(net.op("Softmax", [x], axis=1))
    return net.model()


def yolo():
    """CSP blocks with SiLU, SPPF, upsampling and a head with the distribution of box edges."""
    net = Net(4)

    def c2f(x, out):
        y = net.conv(x, out, 1, act="SiLU")
        a, b = net.op("Split", [y, net.ints(f"split_{len(net.nodes)}", [out // 2] * 2)],
                      outputs=[f"a_{len(net.nodes)}", f"b_{len(net.nodes)}"], axis=1,
                      channels=out // 2)
        c = net.conv(net.conv(b, out // 2, 3, act="SiLU"), out // 2, 3, act="SiLU")
        c = net.op("Add", [b, c])
        return net.conv(net.op("Concat", [a, b, c], axis=1, channels=out // 2 * 3), out, 1,
                        act="SiLU")

    x = net.conv(net.input("images", [1, 3, 96, 96]), 8, 3, 2, act="SiLU")
    p3 = c2f(net.conv(x, 16, 3, 2, act="SiLU"), 16)
    x = c2f(net.conv(p3, 32, 3, 2, act="SiLU"), 32)
    y = [net.conv(x, 16, 1, act="SiLU")]
    for _ in range(3):
        y.append(net.op("MaxPool", [y[-1]], kernel_shape=[5, 5], strides=[1, 1], pads=[2] * 4))
    p4 = net.conv(net.op("Concat", y, axis=1, channels=64), 32, 1, act="SiLU")
    scales = net.weight("scales", __import__("numpy").array([1, 1, 2, 2], "float32"))
    up = net.op("Resize", [p4, "", scales], mode="nearest", nearest_mode="floor",
                coordinate_transformation_mode="asymmetric")
    p3 = c2f(net.op("Concat", [up, p3], axis=1, channels=48), 16)
    heads = []
    for p, n in ((p3, 24), (p4, 12)):
        box, cls = net.conv(p, 64, 3, act=None), net.conv(p, 5, 3, act=None)
        both = net.op("Concat", [box, cls], axis=1, channels=69)
        shape = net.ints(f"shape_{n}", [1, 69, n * n])
        heads.append(net.op("Reshape", [both, shape]))
    x = net.op("Concat", heads, axis=2)
    box, cls = net.op("Split", [x, net.ints("split", [64, 5])], outputs=["box", "cls"], axis=1)
    box = net.op("Reshape", [box, net.ints("dfl", [1, 4, 16, 720])])
    box = net.op("Softmax", [net.op("Transpose", [box], perm=[0, 2, 1, 3])], axis=1, channels=16)
    w = net.weight("dfl.weight", __import__("numpy").arange(16.0).reshape(1, 16, 1, 1))
    box = net.op("Conv", [box, w], channels=1, kernel_shape=[1, 1])
    box = net.op("Reshape", [box, net.ints("flat", [1, 4, 720])])
    cls = net.op("Sigmoid", [cls])
    net.output(net.op("Concat", [box, cls], axis=1))
    return net.model()


def segmenter():
    """Dilated and transposed convolutions, bilinear upsampling, a picture as the output."""
    net = Net(5)
    x = net.conv(net.input("input", [1, 3, 64, 64]), 16, 3, 2)
    skip = x
    name = "/dilated"
    w = net.weight(name + ".weight", net.rng.normal(0, 0.1, (16, 16, 3, 3)))
    x = net.op("Relu", [net.op("Conv", [x, w], name, kernel_shape=[3, 3], dilations=[2, 2],
                               pads=[2, 2, 2, 2])])
    w = net.weight("up.weight", net.rng.normal(0, 0.2, (16, 8, 3, 3)))
    x = net.op("ConvTranspose", [x, w, net.weight("up.bias", net.rng.normal(0, 0.1, 8))],
               channels=8, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4,
               output_padding=[1, 1])
    scales = net.weight("scales", __import__("numpy").array([1, 1, 2, 2], "float32"))
    up = net.op("Resize", [skip, "", scales], mode="linear",
                coordinate_transformation_mode="half_pixel")
    x = net.conv(net.op("Concat", [x, up], axis=1, channels=24), 4, 3, act=None)
    net.output(net.op("Softmax", [x], axis=1))
    return net.model()


def shufflenet():
    """Grouped convolutions and a channel shuffle by Reshape and Transpose."""
    net = Net(6)
    x = net.conv(net.input("input", [1, 3, 32, 32]), 24, 3, 2)
    for _ in range(2):
        y = net.conv(x, 24, 1, groups=3)
        y = net.op("Reshape", [y, net.ints(f"split_{len(net.nodes)}", [1, 3, 8, 16, 16])])
        y = net.op("Transpose", [y], perm=[0, 2, 1, 3, 4])
        y = net.op("Reshape", [y, net.ints(f"join_{len(net.nodes)}", [1, 24, 16, 16])],
                   channels=24)
        y = net.conv(y, 24, 3, groups=24, act=None)
        x = net.op("Relu", [net.op("Add", [x, net.conv(y, 24, 1, groups=3, act=None)])])
    net.output(net.op("GlobalAveragePool", [x]))
    return net.model()


def shufflenet_v2():
    """Halves of the channels that are split, joined and shuffled; a shuffle between dense layers."""
    net = Net(9)

    def shuffle(x, channels, side):
        y = net.op("Reshape", [x, net.ints(f"split_{len(net.nodes)}",
                                           [1, 2, channels // 2, side, side])])
        y = net.op("Transpose", [y], perm=[0, 2, 1, 3, 4])
        return net.op("Reshape", [y, net.ints(f"join_{len(net.nodes)}", [1, channels, side, side])],
                      channels=channels)

    x = net.conv(net.input("input", [1, 3, 32, 32]), 16, 3, 2)
    x = net.conv(shuffle(x, 16, 16), 16, 3, groups=16, act=None)
    x = shuffle(net.conv(x, 16, 1), 16, 16)
    for _ in range(2):
        a, b = net.op("Split", [x, net.ints(f"half_{len(net.nodes)}", [8, 8])],
                      outputs=[f"a_{len(net.nodes)}", f"b_{len(net.nodes)}"], axis=1, channels=8)
        b = net.conv(net.conv(net.conv(b, 8, 1), 8, 3, groups=8, act=None), 8, 1)
        x = shuffle(net.op("Concat", [a, b], axis=1, channels=16), 16, 16)
    net.output(net.op("GlobalAveragePool", [net.conv(x, 24, 1)]))
    return net.model()


def super_resolution():
    """PReLU and a pixel shuffle; shape arithmetic that must become constants."""
    net = Net(7)
    x = net.conv(net.input("input", [1, 3, 24, 24]), 16, 3, act=None)
    x = net.op("PRelu", [x, net.weight("slope", net.rng.uniform(0, 0.5, (16, 1, 1)))])
    x = net.conv(x, 12, 3, act=None)
    x = net.op("DepthToSpace", [x], channels=3, blocksize=2, mode="CRD")
    shape = net.op("Shape", ["input"])
    hw = net.op("Slice", [shape, net.ints("from", [2]), net.ints("to", [4])])
    size = net.op("Mul", [hw, net.ints("two", [2, 2])])
    size = net.op("Concat", [net.ints("nc", [1, 3]), size], axis=0)
    up = net.op("Resize", ["input", "", "", size], mode="linear",
                coordinate_transformation_mode="pytorch_half_pixel", channels=3)
    net.output(net.op("Add", [x, up]))
    return net.model()


def attention():
    """A vision transformer's block on the features of a convolution."""
    import numpy as np

    net = Net(8)
    x = net.conv(net.input("input", [1, 3, 32, 32]), 32, 8, 8, act=None)
    x = net.op("Reshape", [x, net.ints("tokens", [1, 32, 25])])
    x = net.op("Transpose", [x], perm=[0, 2, 1])

    def linear(x, rows, columns, name):
        y = net.op("MatMul", [x, net.weight(name, net.rng.normal(0, 0.2, (rows, columns)))])
        return net.op("Add", [net.weight(name + ".b", net.rng.normal(0, 0.1, columns)), y])

    y = net.op("LayerNormalization", [x, net.weight("ln.w", net.rng.uniform(0.5, 1.5, 32)),
                                      net.weight("ln.b", net.rng.normal(0, 0.1, 32))])
    parts = []
    for name, perm in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])):
        p = net.op("Reshape", [linear(y, 32, 32, name), net.ints(name + ".s", [1, 25, 4, 8])])
        parts.append(net.op("Transpose", [p], perm=perm))
    scale = net.weight("scale", np.float32(8 ** -0.5).reshape(()))
    scores = net.op("Softmax", [net.op("Mul", [net.op("MatMul", parts[:2]), scale])], axis=-1)
    y = net.op("Transpose", [net.op("MatMul", [scores, parts[2]])], perm=[0, 2, 1, 3])
    y = net.op("Reshape", [y, net.ints("join", [1, 25, 32])])
    x = net.op("Add", [x, linear(y, 32, 32, "proj")])
    y = linear(x, 32, 64, "fc1")
    half = net.op("Div", [y, net.weight("root", np.float32(2 ** 0.5).reshape(()))])
    gate = net.op("Add", [net.op("Erf", [half]), net.weight("one", np.float32(1).reshape(()))])
    y = net.op("Mul", [net.op("Mul", [y, gate]), net.weight("half", np.float32(0.5).reshape(()))])
    net.output(net.op("Add", [x, linear(y, 64, 32, "fc2")]))
    return net.model()


ALL = [mobilenet, mobilenet_v3, resnet, yolo, segmenter, shufflenet, shufflenet_v2,
       super_resolution, attention]

# SPDX-License-Identifier: Apache-2.0
"""The network of a .tflite as .onnx for engines that do not read .tflite: quantized ones in the QDQ
form that ONNX Runtime and OpenVINO run with integers (activations uint8, weights int8 per channel),
or all in float. Made for timing: shapes, layers and types are the network's, roundings are not.
Pictures are NCHW from the input on, so that no engine pays for a transposition it would not need."""
import numpy as np
import onnx
import tflite
from onnx import TensorProto, helper, numpy_helper

TYPES = {tflite.TensorType.FLOAT32: np.float32, tflite.TensorType.UINT8: np.uint8,
         tflite.TensorType.INT8: np.int8, tflite.TensorType.INT32: np.int32,
         tflite.TensorType.INT64: np.int64, tflite.TensorType.FLOAT16: np.float16}
OPS = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}


class Writer:
    def __init__(self, path, quantized):
        with open(path, "rb") as file:
            self.model = tflite.Model.GetRootAsModel(file.read(), 0)
        self.graph, self.quantized = self.model.Subgraphs(0), quantized
        self.nodes, self.constants, self.count = [], {}, 0
        self.layout = {}  # tensor -> whether its value is NCHW
        self.value = {}   # tensor -> name of its float value
        self.border = {}  # tensor -> (rows, columns) before and after, which its reader adds

    # Facts of the .tflite.
    def shape(self, t):
        shape = self.graph.Tensors(t).ShapeAsNumpy()
        return [] if isinstance(shape, int) else [int(d) for d in shape]

    def data(self, t):
        """Constant of a tensor as its type has it, or None."""
        tensor = self.graph.Tensors(t)
        raw = self.model.Buffers(tensor.Buffer()).DataAsNumpy()
        if isinstance(raw, int):
            return None
        return np.frombuffer(raw.tobytes(), TYPES[tensor.Type()]).reshape(self.shape(t))

    def codes(self, t):
        """(scales, zero points) or None."""
        q = self.graph.Tensors(t).Quantization()
        if q is None or isinstance(q.ScaleAsNumpy(), int) or q.ScaleLength() == 0:
            return None
        return q.ScaleAsNumpy(), q.ZeroPointAsNumpy()

    def real(self, t):
        """A constant as floats."""
        data, codes = self.data(t), self.codes(t)
        if data.dtype == np.float32 or codes is None:
            return data.astype(np.float32)
        scale, zero = (np.asarray(c, np.float64) for c in codes)
        if len(scale) > 1:
            axis = self.graph.Tensors(t).Quantization().QuantizedDimension()
            wide = [-1 if i == axis else 1 for i in range(data.ndim)]
            scale, zero = scale.reshape(wide), zero.reshape(wide)
        return ((data - zero) * scale).astype(np.float32)

    def only_convolutions_read(self, t):
        """A border of zeros can then be their padding."""
        kinds = (tflite.BuiltinOperator.CONV_2D, tflite.BuiltinOperator.DEPTHWISE_CONV_2D)
        if t in self.graph.OutputsAsNumpy():
            return False
        for i in range(self.graph.OperatorsLength()):
            op = self.graph.Operators(i)
            if t in op.InputsAsNumpy():
                code = self.model.OperatorCodes(op.OpcodeIndex())
                if max(code.BuiltinCode(), code.DeprecatedBuiltinCode()) not in kinds:
                    return False
        return True

    # Pieces of the .onnx.
    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def node(self, op, inputs, **attributes):
        self.count += 1
        name = f"{op}_{self.count}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def grid(self, t):
        """Scale and uint8 zero point of an activation, as constants; None for a float one."""
        codes = self.codes(t)
        kind = self.graph.Tensors(t).Type()
        if not self.quantized or codes is None or kind not in (tflite.TensorType.UINT8,
                                                               tflite.TensorType.INT8):
            return None
        shift = 128 if kind == tflite.TensorType.INT8 else 0
        return [self.constant(np.float32(codes[0][0])),
                self.constant(np.uint8(int(codes[1][0]) + shift))]

    def result(self, t, name, nchw):
        """Declares the float value `name` as tensor t."""
        grid = self.grid(t)
        if grid:
            name = self.node("QuantizeLinear", [name] + grid)
            name = self.node("DequantizeLinear", [name] + grid)
        self.value[t], self.layout[t] = name, nchw

    def get(self, t, nchw=None):
        """The float value of a tensor, brought to NCHW or the file's order if asked for."""
        if t not in self.value:
            array = self.real(t)
            if nchw and array.ndim == 4:
                array = array.transpose(0, 3, 1, 2)
            return self.constant(array)
        if nchw is None or self.layout[t] == nchw or len(self.shape(t)) != 4:
            return self.value[t]
        return self.node("Transpose", [self.value[t]],
                         perm=[0, 3, 1, 2] if nchw else [0, 2, 3, 1])

    def weights(self, array, input_tensor):
        """Output channels first: int8 and its scales, or the floats."""
        grid = self.grid(input_tensor)
        if not grid:
            return self.constant(array), None
        flat = np.abs(array.reshape(array.shape[0], -1)).max(axis=1)
        scale = np.maximum(flat, 1e-6).astype(np.float32) / 127
        wide = scale.reshape([-1] + [1] * (array.ndim - 1))
        codes = np.clip(np.round(array / wide), -127, 127).astype(np.int8)
        zeros = self.constant(np.zeros(len(scale), np.int8))
        return self.node("DequantizeLinear", [self.constant(codes), self.constant(scale), zeros],
                         axis=0), scale * self.codes(input_tensor)[0][0]

    def bias(self, t, scale, count):
        array = self.real(t) if t >= 0 else np.zeros(count, np.float32)
        if scale is None:
            return self.constant(array)
        codes = np.clip(np.round(array / scale), -2**30, 2**30).astype(np.int32)
        return self.node("DequantizeLinear",
                         [self.constant(codes), self.constant(scale.astype(np.float32)),
                          self.constant(np.zeros(count, np.int32))], axis=0)

    def activation(self, name, function, output):
        """The fused activation, unless the output's codes end where it does."""
        if function == tflite.ActivationFunctionType.NONE:
            return name
        codes = self.codes(output)
        if self.grid(output):
            low = 0 if self.graph.Tensors(output).Type() == tflite.TensorType.UINT8 else -128
            if int(codes[1][0]) == low and (function == tflite.ActivationFunctionType.RELU or
                                            255 * codes[0][0] < 6.1):
                return name
        if function == tflite.ActivationFunctionType.RELU:
            return self.node("Relu", [name])
        return self.node("Clip", [name, self.constant(np.float32(0)), self.constant(np.float32(6))])

    def model_proto(self, name):
        inputs = []
        for t in self.graph.InputsAsNumpy():
            shape = self.shape(t)
            nchw = len(shape) == 4
            if nchw:
                shape = [shape[0], shape[3], shape[1], shape[2]]
            grid = self.grid(t)
            kind = TensorProto.UINT8 if grid else TensorProto.FLOAT
            inputs.append(helper.make_tensor_value_info(f"in{len(inputs)}", kind, shape))
            value = inputs[-1].name
            self.value[t] = self.node("DequantizeLinear", [value] + grid) if grid else value
            self.layout[t] = nchw
        for i in range(self.graph.OperatorsLength()):
            op = self.graph.Operators(i)
            code = self.model.OperatorCodes(op.OpcodeIndex())
            kind = OPS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
            ins = [int(v) for v in op.InputsAsNumpy()]
            outs = [int(v) for v in op.OutputsAsNumpy()]
            getattr(RULES, kind.lower())(self, op, ins, outs)
        outputs = []
        for t in self.graph.OutputsAsNumpy():
            kind = TensorProto.INT64 if self.value[t].startswith("ArgMax") else TensorProto.FLOAT
            outputs.append(helper.make_tensor_value_info(self.get(t), kind, None))
        graph = helper.make_graph(self.nodes, name, inputs, outputs, list(self.constants.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        return onnx.shape_inference.infer_shapes(model)


def options(op, kind):
    made = kind()
    table = op.BuiltinOptions()
    made.Init(table.Bytes, table.Pos)
    return made


def pads(extent, kernel, stride, dilation, padding):
    """(output extent, before, after)"""
    reach = (kernel - 1) * dilation + 1
    if padding == tflite.Padding.VALID:
        return 0, 0
    total = max(0, ((extent + stride - 1) // stride - 1) * stride + reach - extent)
    return total // 2, total - total // 2


class RULES:
    """One rule for each op: the node it becomes."""

    @staticmethod
    def conv(w, ins, outs, weights, option, group):
        x, kernel = w.shape(ins[0]), weights.shape[2:]
        stride = [option.StrideH(), option.StrideW()]
        dilation = [option.DilationHFactor(), option.DilationWFactor()]
        sides = [pads(x[1 + i], kernel[i], stride[i], dilation[i], option.Padding())
                 for i in (0, 1)]
        name, scale = w.weights(weights, ins[0])
        bias = w.bias(ins[2] if len(ins) > 2 else -1, scale, weights.shape[0])
        if ins[0] in w.border:
            sides = [tuple(map(sum, zip(s, b))) for s, b in zip(sides, w.border[ins[0]])]
        y = w.node("Conv", [w.get(ins[0], True), name, bias], kernel_shape=list(kernel),
                   strides=stride, dilations=dilation, group=group,
                   pads=[sides[0][0], sides[1][0], sides[0][1], sides[1][1]])
        w.result(outs[0], w.activation(y, option.FusedActivationFunction(), outs[0]), True)

    @staticmethod
    def conv_2d(w, op, ins, outs):
        weights = w.real(ins[1]).transpose(0, 3, 1, 2)
        RULES.conv(w, ins, outs, weights, options(op, tflite.Conv2DOptions), 1)

    @staticmethod
    def depthwise_conv_2d(w, op, ins, outs):
        weights = w.real(ins[1]).transpose(3, 0, 1, 2)
        RULES.conv(w, ins, outs, weights, options(op, tflite.DepthwiseConv2DOptions),
                   w.shape(ins[0])[3])

    @staticmethod
    def fully_connected(w, op, ins, outs):
        name, scale = w.weights(w.real(ins[1]), ins[0])
        rows, depth = w.shape(ins[1])
        x = w.get(ins[0], False)
        if len(w.shape(ins[0])) != 2:
            x = w.node("Reshape", [x, w.constant(np.array([-1, depth]))])
        y = w.node("Gemm", [x, name, w.bias(ins[2], scale, rows)], transB=1)
        function = options(op, tflite.FullyConnectedOptions).FusedActivationFunction()
        w.result(outs[0], w.activation(y, function, outs[0]), False)

    @staticmethod
    def binary(w, kind, function, ins, outs):
        nchw = all(len(w.shape(t)) == 4 for t in ins) and any(w.layout.get(t) for t in ins)
        y = w.node(kind, [w.get(t, nchw) for t in ins])
        w.result(outs[0], w.activation(y, function, outs[0]), nchw)

    @staticmethod
    def add(w, op, ins, outs):
        RULES.binary(w, "Add", options(op, tflite.AddOptions).FusedActivationFunction(), ins, outs)

    @staticmethod
    def mul(w, op, ins, outs):
        RULES.binary(w, "Mul", options(op, tflite.MulOptions).FusedActivationFunction(), ins, outs)

    @staticmethod
    def unary(w, kind, ins, outs, **attributes):
        w.result(outs[0], w.node(kind, [w.get(ins[0])], **attributes), w.layout[ins[0]])

    @staticmethod
    def logistic(w, op, ins, outs):
        RULES.unary(w, "Sigmoid", ins, outs)

    @staticmethod
    def relu(w, op, ins, outs):
        RULES.unary(w, "Relu", ins, outs)

    @staticmethod
    def softmax(w, op, ins, outs):
        w.result(outs[0], w.node("Softmax", [w.get(ins[0], False)], axis=-1), False)

    @staticmethod
    def quantize(w, op, ins, outs):
        w.result(outs[0], w.get(ins[0]), w.layout[ins[0]])

    @staticmethod
    def dequantize(w, op, ins, outs):
        if ins[0] not in w.value:  # a constant
            return
        w.value[outs[0]], w.layout[outs[0]] = w.value[ins[0]], w.layout[ins[0]]

    @staticmethod
    def pool(w, kind, op, ins, outs):
        option, x = options(op, tflite.Pool2DOptions), w.shape(ins[0])
        kernel = [option.FilterHeight(), option.FilterWidth()]
        stride = [option.StrideH(), option.StrideW()]
        sides = [pads(x[1 + i], kernel[i], stride[i], 1, option.Padding()) for i in (0, 1)]
        if kernel == x[1:3] and kind == "AveragePool":
            y = w.node("GlobalAveragePool", [w.get(ins[0], True)])
        else:
            y = w.node(kind, [w.get(ins[0], True)], kernel_shape=kernel, strides=stride,
                       pads=[sides[0][0], sides[1][0], sides[0][1], sides[1][1]])
        w.result(outs[0], w.activation(y, option.FusedActivationFunction(), outs[0]), True)

    @staticmethod
    def max_pool_2d(w, op, ins, outs):
        RULES.pool(w, "MaxPool", op, ins, outs)

    @staticmethod
    def average_pool_2d(w, op, ins, outs):
        RULES.pool(w, "AveragePool", op, ins, outs)

    @staticmethod
    def mean(w, op, ins, outs):
        assert sorted(int(a) for a in w.data(ins[1]).ravel()) == [1, 2], "MEAN not over a picture"
        y = w.node("GlobalAveragePool", [w.get(ins[0], True)])
        keep = len(w.shape(outs[0])) == 4
        w.result(outs[0], y if keep else w.node("Flatten", [y]), keep)

    @staticmethod
    def pad(w, op, ins, outs):
        amounts = [[int(v) for v in row] for row in w.data(ins[1])]
        nchw = w.layout[ins[0]]
        if nchw and amounts[0] == amounts[3] == [0, 0] and w.only_convolutions_read(outs[0]):
            w.border[outs[0]] = (tuple(amounts[1]), tuple(amounts[2]))
            w.value[outs[0]], w.layout[outs[0]] = w.value[ins[0]], nchw
            return
        if nchw:
            amounts = [amounts[i] for i in (0, 3, 1, 2)]
        both = np.array([a for a, _ in amounts] + [b for _, b in amounts], np.int64)
        y = w.node("Pad", [w.get(ins[0]), w.constant(both), w.constant(np.float32(0))])
        w.result(outs[0], y, nchw)

    @staticmethod
    def reshape(w, op, ins, outs):
        shape = np.array(w.shape(outs[0]), np.int64)
        spots = w.shape(ins[0])
        flat = len(spots) == 4 and spots[1] == spots[2] == 1  # the order of axes does not matter
        x = w.get(ins[0], None if flat else False)
        w.result(outs[0], w.node("Reshape", [x, w.constant(shape)]), False)

    @staticmethod
    def squeeze(w, op, ins, outs):
        RULES.reshape(w, op, ins, outs)

    @staticmethod
    def concatenation(w, op, ins, outs):
        option, rank = options(op, tflite.ConcatenationOptions), len(w.shape(outs[0]))
        axis = option.Axis() % rank
        nchw = rank == 4 and any(w.layout.get(t) for t in ins)
        axis = [0, 2, 3, 1][axis] if nchw else axis
        w.result(outs[0], w.node("Concat", [w.get(t, nchw) for t in ins], axis=axis), nchw)

    @staticmethod
    def strided_slice(w, op, ins, outs):
        begin, end, step = (w.data(t).astype(np.int64) for t in ins[1:4])
        option, shape = options(op, tflite.StridedSliceOptions), w.shape(ins[0])
        assert option.ShrinkAxisMask() == 0 and option.NewAxisMask() == 0, "STRIDED_SLICE of an axis"
        for i, extent in enumerate(shape):
            begin[i] = 0 if option.BeginMask() >> i & 1 else begin[i]
            end[i] = extent if option.EndMask() >> i & 1 else end[i]
        axes = w.constant(np.arange(len(shape), dtype=np.int64))
        y = w.node("Slice", [w.get(ins[0], False), w.constant(begin), w.constant(end), axes,
                             w.constant(step)])
        w.result(outs[0], y, False)

    @staticmethod
    def resize(w, mode, corners, half, ins, outs):
        shape = w.shape(outs[0])
        how = "align_corners" if corners else "half_pixel" if half else "asymmetric"
        sizes = w.constant(np.array([shape[0], shape[3], shape[1], shape[2]], np.int64))
        more = {"nearest_mode": "floor"} if mode == "nearest" else {}
        y = w.node("Resize", [w.get(ins[0], True), "", "", sizes], mode=mode,
                   coordinate_transformation_mode=how, **more)
        w.result(outs[0], y, True)

    @staticmethod
    def resize_bilinear(w, op, ins, outs):
        option = options(op, tflite.ResizeBilinearOptions)
        RULES.resize(w, "linear", option.AlignCorners(), option.HalfPixelCenters(), ins, outs)

    @staticmethod
    def resize_nearest_neighbor(w, op, ins, outs):
        RULES.resize(w, "nearest", False, False, ins, outs)

    @staticmethod
    def arg_max(w, op, ins, outs):
        axis = int(w.data(ins[1]).ravel()[0]) % len(w.shape(ins[0]))
        nchw = w.layout[ins[0]]
        axis = [0, 2, 3, 1][axis] if nchw else axis
        w.value[outs[0]] = w.node("ArgMax", [w.get(ins[0])], axis=axis, keepdims=0)
        w.layout[outs[0]] = False


def write(source, target, quantized):
    import os
    onnx.save(Writer(source, quantized).model_proto(os.path.basename(source)), target)

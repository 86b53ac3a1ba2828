# SPDX-License-Identifier: Apache-2.0
"""Writes a chain of convolution, fully connected and softmax layers as a .tflite file.

Used by the tools that train the small models in data/models. The schema classes come from the
PyPI package ai-edge-litert, the encoder from flatbuffers.
"""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as tfl

_TYPES = {
    np.dtype(np.float32): tfl.TensorType.FLOAT32,
    np.dtype(np.int8): tfl.TensorType.INT8,
    np.dtype(np.int32): tfl.TensorType.INT32,
}


class TfliteWriter:
    """Collects tensors and operators of one subgraph, then returns the bytes of the file."""

    def __init__(self, description):
        self.description = description
        self.buffers = [tfl.BufferT()]  # buffer 0 is empty by convention
        self.tensors = []
        self.operators = []
        self.codes = []

    def tensor(self, name, shape, dtype, data=None, scale=None, zero_point=None, axis=0):
        """Adds a tensor; `data` makes it a constant. Scales may be a list, one per channel."""
        t = tfl.TensorT()
        t.name, t.shape, t.type = name, list(shape), _TYPES[np.dtype(dtype)]
        t.buffer = 0
        if data is not None:
            b = tfl.BufferT()
            b.data = np.frombuffer(np.ascontiguousarray(data, dtype).tobytes(), np.uint8)
            self.buffers.append(b)
            t.buffer = len(self.buffers) - 1
        if scale is not None:
            q = tfl.QuantizationParametersT()
            q.scale = np.atleast_1d(np.asarray(scale, np.float32))
            q.zeroPoint = np.broadcast_to(np.asarray(zero_point, np.int64), q.scale.shape).copy()
            q.quantizedDimension = axis
            t.quantization = q
        self.tensors.append(t)
        return len(self.tensors) - 1

    def op(self, builtin, version, inputs, outputs, options_type=None, options=None):
        """Adds an operator in execution order."""
        if (builtin, version) not in self.codes:
            self.codes.append((builtin, version))
        o = tfl.OperatorT()
        o.opcodeIndex = self.codes.index((builtin, version))
        o.inputs, o.outputs = list(inputs), list(outputs)
        if options is not None:
            o.builtinOptionsType, o.builtinOptions = options_type, options
        self.operators.append(o)

    def conv2d(self, x, weights, bias, out, stride):
        """CONV_2D, padding SAME, fused ReLU. Weights are O,H,W,I."""
        o = tfl.Conv2DOptionsT()
        o.padding, o.strideH, o.strideW = tfl.Padding.SAME, stride, stride
        o.dilationHFactor = o.dilationWFactor = 1
        o.fusedActivationFunction = tfl.ActivationFunctionType.RELU
        version = 3 if self.tensors[x].type == tfl.TensorType.INT8 else 1
        self.op(tfl.BuiltinOperator.CONV_2D, version, [x, weights, bias], [out],
                tfl.BuiltinOptions.Conv2DOptions, o)

    def reshape(self, x, shape, out):
        o = tfl.ReshapeOptionsT()
        o.newShape = list(shape)
        s = self.tensor("shape", [len(shape)], np.int32, np.asarray(shape, np.int32))
        self.op(tfl.BuiltinOperator.RESHAPE, 1, [x, s], [out],
                tfl.BuiltinOptions.ReshapeOptions, o)

    def fully_connected(self, x, weights, bias, out):
        """FULLY_CONNECTED without activation. Weights are O,I."""
        o = tfl.FullyConnectedOptionsT()
        version = 4 if self.tensors[x].type == tfl.TensorType.INT8 else 1
        self.op(tfl.BuiltinOperator.FULLY_CONNECTED, version, [x, weights, bias], [out],
                tfl.BuiltinOptions.FullyConnectedOptions, o)

    def softmax(self, x, out):
        o = tfl.SoftmaxOptionsT()
        o.beta = 1.0
        version = 2 if self.tensors[x].type == tfl.TensorType.INT8 else 1
        self.op(tfl.BuiltinOperator.SOFTMAX, version, [x], [out],
                tfl.BuiltinOptions.SoftmaxOptions, o)

    def finish(self, inputs, outputs):
        """Returns the bytes of the .tflite file."""
        g = tfl.SubGraphT()
        g.name, g.tensors, g.operators = "main", self.tensors, self.operators
        g.inputs, g.outputs = list(inputs), list(outputs)
        m = tfl.ModelT()
        m.version, m.description = 3, self.description
        m.subgraphs, m.buffers, m.operatorCodes = [g], self.buffers, []
        for builtin, version in self.codes:
            c = tfl.OperatorCodeT()
            c.builtinCode = builtin
            c.deprecatedBuiltinCode = min(builtin, 127)
            c.version = version
            m.operatorCodes.append(c)
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(m.Pack(builder), b"TFL3")
        return bytes(builder.Output())

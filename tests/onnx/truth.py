# SPDX-License-Identifier: Apache-2.0
"""The outputs of an ONNX model computed in float64: what decides when two float32 implementations
disagree. The ops that take the time are here, by their definition in the standard; the others are
those of ONNX's own reference evaluator.
"""


def wide(model):
    """The model with float64 in place of float32. model: bytes"""
    import numpy as np
    import onnx
    from onnx import TensorProto, numpy_helper

    def widen(tensor):
        if tensor.data_type == TensorProto.FLOAT:
            array = numpy_helper.to_array(tensor).astype(np.float64)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))

    proto = onnx.load_from_string(model)
    for tensor in proto.graph.initializer:
        widen(tensor)
    for value in [*proto.graph.input, *proto.graph.output, *proto.graph.value_info]:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    for node in proto.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                widen(attribute.t)
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.DOUBLE
    return proto


def fast_ops():
    import numpy as np
    from onnx.reference.op_run import OpRun

    def windows(x, kernel, dilations, strides, pads, value):
        """[n, c, rows, columns, kernel rows, kernel columns]"""
        x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])),
                   constant_values=value)
        reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilations)]
        view = np.lib.stride_tricks.sliding_window_view(x, reach, (2, 3))
        return view[:, :, ::strides[0], ::strides[1], ::dilations[0], ::dilations[1]]

    class Conv(OpRun):
        op_domain = ""

        def _run(self, x, w, b=None, auto_pad=None, dilations=None, group=None, kernel_shape=None,
                 pads=None, strides=None):
            if x.ndim != 4 or auto_pad not in (None, "NOTSET", "VALID"):
                raise NotImplementedError("a convolution that is no picture's, or pads by itself")
            view = windows(x, w.shape[2:], dilations or (1, 1), strides or (1, 1),
                           pads or (0,) * 4, 0.0)
            groups, maps = group or 1, w.shape[0]
            out = np.empty((x.shape[0], maps, *view.shape[2:4]), x.dtype)
            if groups == x.shape[1] == maps:
                out[:] = np.einsum("nchwij,cij->nchw", view, w[:, 0])
            else:
                from_, to = x.shape[1] // groups, maps // groups
                for g in range(groups):
                    part = np.tensordot(view[:, g * from_:(g + 1) * from_],
                                        w[g * to:(g + 1) * to], ([1, 4, 5], [1, 2, 3]))
                    out[:, g * to:(g + 1) * to] = np.moveaxis(part, 3, 1)
            return (out if b is None else out + b.reshape(1, -1, 1, 1),)

    class MaxPool(OpRun):
        op_domain = ""

        def _run(self, x, auto_pad=None, ceil_mode=None, dilations=None, kernel_shape=None,
                 pads=None, storage_order=None, strides=None):
            if x.ndim != 4 or ceil_mode or auto_pad not in (None, "NOTSET", "VALID"):
                raise NotImplementedError("a pooling that is no picture's, or pads by itself")
            view = windows(x, kernel_shape, dilations or (1, 1), strides or (1, 1),
                           pads or (0,) * 4, -np.inf)
            return (view.max((-2, -1)),)

    class Resize(OpRun):
        op_domain = ""

        def _run(self, x, roi=None, scales=None, sizes=None, **attributes):
            modes = attributes.get("mode"), attributes.get("coordinate_transformation_mode")
            have = scales is not None and scales.size > 0
            if x.ndim != 4 or attributes.get("antialias"):
                raise NotImplementedError("a resize that is no picture's")

            def matrix(axis):
                size = x.shape[axis]
                scale = float(scales[axis]) if have else sizes[axis] / size
                result = np.zeros((int(np.floor(size * scale)) if have else int(sizes[axis]), size))
                for row in range(result.shape[0]):
                    at = (row + 0.5) / scale - 0.5
                    if modes == ("nearest", "asymmetric"):
                        at = np.floor(row / scale)
                    elif modes != ("linear", "half_pixel"):
                        raise NotImplementedError(f"Resize {modes}")
                    low = int(np.floor(at))
                    for source, share in ((low, 1 - (at - low)), (low + 1, at - low)):
                        result[row, min(max(source, 0), size - 1)] += share
                return result

            return (np.einsum("Hh,nchw,Ww->ncHW", matrix(2), x, matrix(3), optimize=True),)

    return [Conv, MaxPool, Resize]


def outputs(model, inputs):
    """The outputs in float64. model: bytes; inputs: (name, array). Raises what the evaluator does
    when it does not know an op."""
    import numpy as np
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(wide(model), new_ops=fast_ops())
    wider = {name: a.astype(np.float64) if a.dtype == np.float32 else a for name, a in inputs}
    return evaluator.run(None, wider)

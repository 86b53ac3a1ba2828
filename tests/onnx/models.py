#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares whole ONNX models with ONNX Runtime, run by dlpu and, after conversion, by LiteRT: small
networks of the usual families (networks.py), and those of the model zoo that were pulled. Prints
the largest differences as fractions of each output's range and the TRANSPOSE nodes that are left.
Where dlpu or LiteRT differ from ONNX Runtime by more than the tolerance, float64 decides (truth.py):
both must be within the tolerance of it. Exits with 1 when a difference is above the tolerance, a
TRANSPOSE is left between convolutions, a layer of a quantized network computes in float, or nothing
was compared.
"""
import argparse
import glob
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import networks  # noqa: E402
import oracle  # noqa: E402
import truth  # noqa: E402

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "dlpu", "zoo")
# Sizes for open extents, and the range of the input, of zoo models.
ZOO = {
    "blazeface-short-onnx": ({}, (-1, 1)),
    "mlsd-large-512": ({}, (0, 255)),
    "mlsd-tiny-320": ({}, (0, 255)),
    "ppocr-cls": ({"x": [1, 3, 48, 192]}, (-1, 1)),
    "ppocr-det": ({"x": [1, 3, 320, 320]}, (-2, 2)),
    "ppocr-rec": ({"x": [1, 3, 48, 320]}, (-1, 1)),
}
TOLERANCE = 1e-4  # of an output's range


# Networks as ONNX Runtime quantizes them: form, types of activations and weights, per channel.
QUANTIZED = {
    "mobilenet_qdq_s8": (networks.mobilenet, "QDQ", "QInt8", True),
    "resnet_qdq_u8": (networks.resnet, "QDQ", "QUInt8", False),
    "resnet_qlinear_u8": (networks.resnet, "QOperator", "QUInt8", False),
}
QUANTIZED_TOLERANCE = 0.05  # of an output's range: codes may differ by one in every layer


def quantized(name):
    """The network of that name in QUANTIZED, as bytes."""
    import numpy as np
    from onnxruntime import quantization as q

    make, form, activations, per_channel = QUANTIZED[name]

    class Pictures(q.CalibrationDataReader):
        def __init__(self):
            rng = np.random.default_rng(5)
            self.left = [{"input": smooth(rng, [1, 3, 64, 64], (-1, 1))} for _ in range(8)]

        def get_next(self):
            return self.left.pop() if self.left else None

    with tempfile.TemporaryDirectory() as work:
        paths = [os.path.join(work, n) for n in ("float.onnx", "ready.onnx", "quantized.onnx")]
        with open(paths[0], "wb") as file:
            file.write(make().SerializeToString())
        q.quant_pre_process(*paths[:2], skip_symbolic_shape=True)  # folds batch normalizations
        q.quantize_static(paths[1], paths[2], Pictures(), quant_format=q.QuantFormat[form],
                          activation_type=q.QuantType[activations],
                          weight_type=q.QuantType.QInt8, per_channel=per_channel)
        with open(paths[2], "rb") as file:
            return file.read()


def models():
    """(name, bytes, shapes, range of the input)"""
    for make in networks.ALL:
        yield make.__name__, make().SerializeToString(), {"input": None}, (-1, 1)
    for name in QUANTIZED:
        yield name, quantized(name), {}, (-1, 1)
    for name, (shapes, span) in sorted(ZOO.items()):
        for path in glob.glob(os.path.join(CACHE, name, "*.onnx")):
            with open(path, "rb") as file:
                yield name, file.read(), shapes, span


def smooth(rng, shape, span):
    """Noise with structure, as pictures have it: coarse blocks and fine noise."""
    import numpy as np

    noise = rng.uniform(0, 1, shape)
    if len(shape) == 4:
        coarse = rng.uniform(0, 1, [-(-n // 8) if n > 8 else n for n in shape])
        for axis, n in enumerate(shape):
            if n > 8:
                coarse = np.repeat(coarse, 8, axis=axis)
        noise = 0.25 * noise + 0.75 * coarse[tuple(slice(0, n) for n in shape)]
    return (span[0] + (span[1] - span[0]) * noise).astype(np.float32)


def text_lines(shape, span):
    """A page of dark strokes on white, as text detectors expect it."""
    import numpy as np

    page = np.ones(shape, np.float32)
    glyphs = ("74444", "4747", "17171", "5575", "44447", "7557", "2222")
    for row in range(24, shape[2] - 40, 56):
        for i, column in enumerate(range(16, shape[3] - 32, 26)):
            for y, bits in enumerate(glyphs[(row + i) % len(glyphs)]):
                for x in range(3):
                    if int(bits, 16) >> (2 - x) & 1:
                        top, left = row + 6 * y, column + 6 * x
                        page[:, :, top:top + 6, left:left + 6] = 0
    return (span[0] + (span[1] - span[0]) * page).astype(np.float32)


def runtime(model, shapes, span, rng, picture=None):
    """([(name, input)], [(name, output)]) of ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    inputs = []
    for info in session.get_inputs():
        shape = shapes.get(info.name) or [n if isinstance(n, int) else 1 for n in info.shape]
        inputs.append((info.name, (picture or (lambda s, r: smooth(rng, s, r)))(shape, span)))
    names = [info.name for info in session.get_outputs()]
    return inputs, list(zip(names, session.run(None, dict(inputs))))


def litert(path, inputs):
    """Outputs of the converted file; the inputs keep their axis order. None without LiteRT."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        return None
    interpreter = Interpreter(path, num_threads=1)
    interpreter.allocate_tensors()
    for detail, (_, array) in zip(interpreter.get_input_details(), inputs):
        interpreter.set_tensor(detail["index"], array)
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


def worst(outputs, expected):
    return max(oracle.difference(a, e) for a, e in zip(outputs, expected))


class Row:
    """One model: how far dlpu, LiteRT and ONNX Runtime are from what counts."""

    def __init__(self, name, model, shapes, span, folder):
        import numpy as np

        self.name, self.problem, self.bad, self.judge = name, None, True, "ORT"
        inputs, expected = runtime(model, shapes, span, np.random.default_rng(9),
                                   text_lines if name == "ppocr-det" else None)
        expected = [array for _, array in expected]
        oracle.write_case(folder, model, inputs)
        _, word, details = next(iter(oracle.drive([folder])))
        if word != "ok":
            self.problem = f"{word}: {details[0]}"
            return
        mine = oracle.outputs_of(folder, len(expected))
        theirs = litert(os.path.join(folder, "model.tflite"), inputs)
        self.ours = worst(mine, expected)
        self.peer = worst(theirs, expected) if theirs is not None else 0.0
        self.runtime = 0.0
        tolerance = QUANTIZED_TOLERANCE if name in QUANTIZED else TOLERANCE
        if max(self.ours, self.peer) > tolerance and name not in QUANTIZED:
            exact = truth.outputs(model, inputs)
            self.judge = "float64"
            self.ours, self.runtime = worst(mine, exact), worst(expected, exact)
            self.peer = worst(theirs, exact) if theirs is not None else 0.0
        self.has_peer = theirs is not None
        self.transposes, self.between, self.nodes, self.in_float = (int(n) for n in details)
        self.bad = max(self.ours, self.peer) > tolerance or self.between > 0
        self.bad = self.bad or (name in QUANTIZED and self.in_float > 0)

    def text(self):
        if self.problem:
            return f"{self.name:24} {self.problem}"
        peer = f"{self.peer:9.2g}" if self.has_peer else "        -"
        return (f"{self.name:24} {self.judge:8} {self.ours:9.2g} {peer} {self.runtime:9.2g} "
                f"{self.transposes:10} {self.between:21} {self.nodes:6} {self.in_float:9}"
                f"{'  FAILED' if self.bad else ''}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", help="write the counts to this file")
    parser.add_argument("--only", default="", help="a part of the name")
    args = parser.parse_args()
    code = oracle.unavailable(len(networks.ALL) + len(QUANTIZED) + len(ZOO), args.json)
    if code is not None:
        return code
    passed = failed = 0
    seen = set()
    print(f"{'model':24} {'against':8} {'dlpu':>9} {'LiteRT':>9} {'ORT':>9} transposes  "
          "between convolutions  nodes  in float")
    with tempfile.TemporaryDirectory() as work:
        for name, model, shapes, span in models():
            seen.add(name)
            if args.only not in name:
                continue
            row = Row(name, model, shapes, span, os.path.join(work, name))
            print(row.text(), flush=True)
            failed, passed = failed + row.bad, passed + (not row.bad)
    absent = sorted(set(ZOO) - seen)
    if absent:
        print(f"skipped, not pulled (dlpu zoo pull): {', '.join(absent)}")
    print(f"{passed} passed, {failed} failed, {len(absent)} skipped")
    oracle.write_counts(args.json, passed, failed, len(absent))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

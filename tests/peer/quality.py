#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much float networks lose when they are quantized, beside other quantizers: the table of
docs/quantization.md.

For each zoo model that is here: signal to noise of the outputs (10 log10 of squared float values over
squared differences, in dB, the mean over outputs) on the pictures of --evaluation, quantized with
those of --calibration, by dlpu with several settings, by LiteRT's quantizer (ai-edge-quantizer) and
by ONNX Runtime's (static, QDQ, per channel), where these are installed. Pictures are stretched to
the input and scaled to -1..1 or 0..1 as the zoo says, and are the same for all.
"""
import argparse
import glob
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import litert  # noqa: E402
import models  # noqa: E402

DLPU = os.environ.get("DLPU_PROGRAM",
                      os.path.join(models.ROOT, "build", "release", "bin", "dlpu"))
# Zoo name, and what a pixel of 0 and one of 255 become.
NETWORKS = (("blazeface-short", -1, 1), ("face-landmark", 0, 1), ("iris-landmark", 0, 1),
            ("hand-recrop", 0, 1), ("palm-detection-full", 0, 1), ("hand-landmark-lite", 0, 1),
            ("ssd-mobilenet-v2-oidv4", -1, 1), ("pose-landmark-lite", 0, 1))
OURS = (("per-tensor, naive", ["int8-per-tensor", "--no-equalize", "--bias-correction", "none",
                               "--ranges", "min-max", "--weights", "min-max"]),
        ("per-tensor", ["int8-per-tensor"]), ("uint8", ["uint8-per-tensor"]),
        ("per-channel", ["int8-per-channel"]), ("int16x8", ["int16x8"]))


def load(folder, shape, low, high):
    """The folder's pictures as one float32 array."""
    import numpy as np
    from PIL import Image

    arrays = []
    for path in sorted(glob.glob(os.path.join(folder, "*"))):
        try:
            picture = Image.open(path).convert("RGB").resize((shape[2], shape[1]), Image.BILINEAR)
        except OSError:
            continue
        arrays.append(np.asarray(picture, np.float32) / 255 * (high - low) + low)
    return np.stack(arrays)


def noise(expected, found):
    """Mean over outputs of the signal to noise ratio in dB; both: [picture][output]."""
    import numpy as np

    values = []
    for i in range(len(expected[0])):
        f = np.concatenate([e[i].reshape(-1) for e in expected]).astype(np.float64)
        q = np.concatenate([o[i].reshape(-1) for o in found]).astype(np.float64)
        values.append(10 * np.log10((f * f).sum() / max(((f - q) ** 2).sum(), 1e-30)))
    return float(np.mean(values))


def by_dlpu(model, arguments, arrays, pictures, folder):
    target = os.path.join(folder, "q.tflite")
    subprocess.run([DLPU, "quantize", model, "-o", target, "--calibration", arrays, "--input-type",
                    "float", "--output-type", "float", "--fast", "--threads", "1",
                    "--scheme", *arguments],
                   capture_output=True, check=False)
    with open(target, "rb") as file:
        quantized = litert.Model(file.read())
    return [quantized.run([p[None]]) for p in pictures]


def by_litert(model, calibration, pictures):
    """LiteRT's own quantizer: static int8, weights per channel."""
    from ai_edge_quantizer import quantizer, recipe

    tool = quantizer.Quantizer(model, recipe.static_wi8_ai8())
    plain = litert.Model(open(model, "rb").read())
    signature = plain.interpreter.get_signature_list()
    key = next(iter(signature)) if signature else None
    name = signature[key]["inputs"][0] if key else plain.inputs()[0]["name"]
    data = {key: [{name: p[None]} for p in calibration]}
    content = tool.quantize(tool.calibrate(data)).quantized_model
    quantized = litert.Model(bytes(content), "BUILTIN_WITHOUT_DEFAULT_DELEGATES")
    return [quantized.run([p[None]]) for p in pictures]


def by_onnxruntime(model, calibration, pictures, folder):
    import onnxruntime
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    source, target = os.path.join(folder, "f.onnx"), os.path.join(folder, "q.onnx")
    subprocess.run([DLPU, "convert", model, "-o", source], capture_output=True, check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    plain = onnxruntime.InferenceSession(source, options, ["CPUExecutionProvider"])
    name, shape = plain.get_inputs()[0].name, plain.get_inputs()[0].shape

    def laid_out(p):
        return p[None] if shape[3] == 3 else p.transpose(2, 0, 1)[None]

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.left = iter([{name: laid_out(p)} for p in calibration])

        def get_next(self):
            return next(self.left, None)

    quantize_static(source, target, Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
                    activation_type=QuantType.QInt8, weight_type=QuantType.QInt8)
    made = onnxruntime.InferenceSession(target, options, ["CPUExecutionProvider"])
    run = lambda s: [s.run(None, {name: laid_out(p)}) for p in pictures]  # noqa: E731
    return run(plain), run(made)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--calibration", required=True, help="folder of pictures")
    parser.add_argument("--evaluation", required=True, help="folder of other pictures")
    parser.add_argument("networks", nargs="*", help="these rather than all")
    args = parser.parse_args()
    import numpy as np

    print("| network | " + " | ".join(n for n, _ in OURS) + " | LiteRT's quantizer | ONNX Runtime's |")
    print("|---|" + "--:|" * (len(OURS) + 2))
    rows = 0
    for name, low, high in NETWORKS:
        path = os.path.join(models.CACHE, name, name + ".tflite")
        if (args.networks and name not in args.networks) or not os.path.exists(path):
            continue
        with open(path, "rb") as file:
            plain = litert.Model(file.read())
        shape = [int(x) for x in plain.inputs()[0]["shape"]]
        calibration = load(args.calibration, shape, low, high)
        pictures = load(args.evaluation, shape, low, high)
        expected = [plain.run([p[None]]) for p in pictures]
        cells = []
        with tempfile.TemporaryDirectory() as folder:
            arrays = os.path.join(folder, "calibration.npz")
            np.savez(arrays, **{"input": calibration})
            for _, arguments in OURS:
                found = by_dlpu(path, arguments, arrays, pictures, folder)
                cells.append(f"{noise(expected, found):.1f}")
            try:
                cells.append(f"{noise(expected, by_litert(path, calibration, pictures)):.1f}")
            except Exception as error:  # noqa: BLE001: whatever it says is the result
                print(f"{name}: LiteRT's quantizer: {' '.join(str(error).split())[:200]}",
                      file=sys.stderr)
                cells.append("-")
            try:
                cells.append(f"{noise(*by_onnxruntime(path, calibration, pictures, folder)):.1f}")
            except Exception as error:  # noqa: BLE001
                print(f"{name}: ONNX Runtime: {' '.join(str(error).split())[:200]}", file=sys.stderr)
                cells.append("-")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
        rows += 1
    return 0 if rows else 1


if __name__ == "__main__":
    sys.exit(main())

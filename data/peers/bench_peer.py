# SPDX-License-Identifier: Apache-2.0
"""Times a model in another engine, on demand, for `dlpu bench --against`.

usage: bench_peer.py litert|litert-reference|onnxruntime|openvino|ncnn MODEL THREADS INPUT.raw...

MODEL is a .tflite (litert, openvino), .onnx (onnxruntime, openvino) or .ncnn.param beside its
.ncnn.bin. An input that the engine wants with another size than its .raw file has is random.
Prints "ready <version>" or "no <reason>". Then, for every line "N" on standard input, runs the
model once and N times more, and prints the milliseconds of each of the N on one line.
"""
import importlib.metadata
import os
import sys
import time


def data(path, shape, dtype):
    """The bytes of an input file as an array, or random numbers."""
    import numpy as np

    count = int(np.prod(shape))
    if path and os.path.getsize(path) == count * np.dtype(dtype).itemsize:
        return np.fromfile(path, dtype=dtype).reshape(shape)
    random = np.random.default_rng(1)
    if np.issubdtype(dtype, np.floating):
        return random.uniform(-1, 1, shape).astype(dtype)
    return random.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def litert(model, threads, inputs, reference):
    from ai_edge_litert import interpreter as tfl

    kind = tfl.OpResolverType.BUILTIN_REF if reference else tfl.OpResolverType.AUTO
    engine = tfl.Interpreter(
        model_path=model, num_threads=threads, experimental_op_resolver_type=kind)
    engine.allocate_tensors()
    for detail, path in zip(engine.get_input_details(), inputs):
        engine.set_tensor(detail["index"], data(path, detail["shape"], detail["dtype"]))
    return importlib.metadata.version("ai-edge-litert"), engine.invoke


def onnxruntime(model, threads, inputs):
    import numpy as np
    import onnxruntime as ort

    if not model.endswith(".onnx"):
        raise ValueError("onnxruntime reads .onnx files only")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads spin between the operators, not into another engine's turn.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    types = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8, "tensor(int8)": np.int8,
             "tensor(int64)": np.int64}
    feed = {}
    for value, path in zip(session.get_inputs(), inputs):
        shape = [d if isinstance(d, int) else 1 for d in value.shape]
        feed[value.name] = data(path, shape, types[value.type])
    return ort.__version__, lambda: session.run(None, feed)


def openvino(model, threads, inputs):
    import openvino as ov

    core = ov.Core()
    compiled = core.compile_model(model, "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "f32"})  # not the bfloat16 that it takes where the CPU has it
    request = compiled.create_infer_request()
    for i, (port, path) in enumerate(zip(compiled.inputs, inputs)):
        request.set_input_tensor(
            i, ov.Tensor(data(path, list(port.shape), port.element_type.to_dtype())))
    return ov.__version__.split("-")[0], request.infer


def ncnn(model, threads, inputs):
    """Pictures of one image; the .param's Input layers must name their sizes (w, h, c)."""
    import ncnn as engine
    import numpy as np

    net = engine.Net()
    net.opt.num_threads = threads
    net.opt.openmp_blocktime = 1  # threads spin between layers, not into another engine's turn
    if net.load_param(model) != 0 or net.load_model(model.removesuffix(".param") + ".bin") != 0:
        raise RuntimeError("it does not load the file")
    feeds = []
    with open(model, encoding="utf-8") as file:
        for words in (line.split() for line in file):
            if words and words[0] == "Input":
                size = {w.split("=")[0]: int(w.split("=")[1]) for w in words[5:]}
                shape = [size[k] for k in ("2", "1", "0") if k in size]
                feeds.append((words[4], engine.Mat(data(None, shape, np.float32)).clone()))

    def run():
        extractor = net.create_extractor()
        for name, value in feeds:
            extractor.input(name, value)
        for name in net.output_names():
            code, output = extractor.extract(name)
            if code != 0 or output.empty():
                raise RuntimeError(f"no output {name}")

    return importlib.metadata.version("ncnn"), run


def start(name, model, threads, inputs):
    if name.startswith("litert"):
        return litert(model, threads, inputs, name == "litert-reference")
    return {"onnxruntime": onnxruntime, "openvino": openvino, "ncnn": ncnn}[name](
        model, threads, inputs)


def main():
    name, model, threads, inputs = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    try:
        version, run = start(name, model, threads, inputs)
        run()
    except Exception as error:  # whatever keeps the peer from running is the answer
        print("no", " ".join(str(error).split()) or type(error).__name__, flush=True)
        return
    print("ready", version, flush=True)
    for line in sys.stdin:
        run()
        times = []
        for _ in range(int(line)):
            begin = time.perf_counter_ns()
            run()
            times.append((time.perf_counter_ns() - begin) * 1e-6)
        print(" ".join(f"{t:.6f}" for t in times), flush=True)


if __name__ == "__main__":
    main()

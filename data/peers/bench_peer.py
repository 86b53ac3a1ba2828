# SPDX-License-Identifier: Apache-2.0
"""Times a model in another engine, on demand, for `dlpu bench --against`.

usage: bench_peer.py litert|litert-reference|onnxruntime MODEL THREADS INPUT.raw...

Prints "ready <version>" or "no <reason>". Then, for every line "N" on standard input, runs the
model N times and prints the milliseconds of each run on one line.
"""
import sys
import time


def litert(model, threads, inputs, reference):
    import numpy as np
    from ai_edge_litert import interpreter as tfl
    import importlib.metadata

    kind = tfl.OpResolverType.BUILTIN_REF if reference else tfl.OpResolverType.AUTO
    engine = tfl.Interpreter(
        model_path=model, num_threads=threads, experimental_op_resolver_type=kind)
    engine.allocate_tensors()
    for detail, path in zip(engine.get_input_details(), inputs):
        data = np.fromfile(path, dtype=detail["dtype"]).reshape(detail["shape"])
        engine.set_tensor(detail["index"], data)
    return importlib.metadata.version("ai-edge-litert"), engine.invoke


def onnxruntime(model, threads, inputs):
    import numpy as np
    import onnxruntime as ort

    if not model.endswith(".onnx"):
        raise ValueError("onnxruntime reads .onnx files only")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    types = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8, "tensor(int8)": np.int8,
             "tensor(int64)": np.int64}
    feed = {}
    for value, path in zip(session.get_inputs(), inputs):
        shape = [d if isinstance(d, int) else 1 for d in value.shape]
        feed[value.name] = np.fromfile(path, dtype=types[value.type]).reshape(shape)
    return ort.__version__, lambda: session.run(None, feed)


def main():
    name, model, threads, inputs = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    try:
        if name == "onnxruntime":
            version, run = onnxruntime(model, threads, inputs)
        else:
            version, run = litert(model, threads, inputs, name == "litert-reference")
    except Exception as error:  # whatever keeps the peer from running is the answer
        print("no", " ".join(str(error).split()) or type(error).__name__, flush=True)
        return
    print("ready", version, flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            begin = time.perf_counter_ns()
            run()
            times.append((time.perf_counter_ns() - begin) * 1e-6)
        print(" ".join(f"{t:.6f}" for t in times), flush=True)


if __name__ == "__main__":
    main()

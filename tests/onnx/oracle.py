# SPDX-License-Identifier: Apache-2.0
"""What the comparisons with ONNX share: whether the oracles are there, the driver, differences."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DRIVER = os.path.join(ROOT, "build", "release", "bin", "onnx_driver")


def missing():
    """Why the oracles cannot be used here, or None."""
    try:
        import numpy  # noqa: F401
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        return f"{error}; install tests/onnx/requirements.txt"
    return None


def unavailable(skipped, json_path):
    """Counts what is skipped when an oracle is not there; fails under CI=true. Returns the exit
    code, or None when everything is there."""
    problem = missing()
    if problem is None:
        return None
    must = os.environ.get("CI") == "true"
    print(f"{problem}; {skipped} comparisons {'fail' if must else 'are skipped'}")
    write_counts(json_path, 0, skipped if must else 0, 0 if must else skipped)
    return 1 if must else 0


def write_counts(json_path, passed, failed, skipped):
    if json_path:
        with open(json_path, "w", encoding="utf-8") as file:
            json.dump({"passed": passed, "failed": failed, "skipped": skipped}, file)


def plain(array):
    """The array in a type that dlpu computes in: float16, bfloat16 and float64 are float32."""
    import numpy as np

    array = np.asarray(array)
    if array.dtype.kind == "f" or "float" in str(array.dtype):
        return array.astype(np.float32)
    return array


def write_case(folder, model, inputs):
    """model: bytes; inputs: (name, array) in the model's order."""
    import numpy as np

    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "model.onnx"), "wb") as file:
        file.write(model)
    with open(os.path.join(folder, "names.txt"), "w", encoding="utf-8") as file:
        file.writelines(name + "\n" for name, _ in inputs)
    for i, (_, array) in enumerate(inputs):
        # ascontiguousarray makes a scalar one-dimensional
        array = plain(array)
        np.save(os.path.join(folder, f"in_{i}.npy"), np.array(array, order="C"))


def outputs_of(folder, count):
    import numpy as np

    return [np.load(os.path.join(folder, f"out_{i}.npy")) for i in range(count)]


def drive(folders, *options):
    """Yields (folder, word, details) as the driver answers. A folder that kills it is reported as
    "died", and the others go on."""
    folders = list(folders)
    while folders:
        process = subprocess.Popen([DRIVER, *options], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        process.stdin.write("\n".join(folders) + "\n")
        process.stdin.close()
        done = 0
        for line in process.stdout:
            folder, word, *details = line.rstrip("\n").split("\t")
            done += 1
            yield folder, word, details
        if process.wait() == 0 and done == len(folders):
            return
        yield folders[done], "died", [f"the driver ended with code {process.returncode}"]
        folders = folders[done + 1:]


def difference(mine, reference):
    """Largest difference as a fraction of the reference's range (1 at least 1e-6); 0 when NaNs and
    infinities agree, inf when they or the shapes do not."""
    import numpy as np

    if mine.shape != reference.shape:
        return float("inf")
    if mine.size == 0:
        return 0.0
    a, b = mine.astype(np.float64), reference.astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    finite = np.isfinite(a) & np.isfinite(b)
    if not np.all(same | finite):
        return float("inf")
    if not finite.any():
        return 0.0
    span = max(np.abs(b[finite]).max(), b[finite].max() - b[finite].min(), 1e-6)
    return float(np.abs(a - b)[finite].max() / span)


if __name__ == "__main__":
    sys.exit(missing())

# SPDX-License-Identifier: Apache-2.0
"""LiteRT as the oracle: runs models with its reference kernels and compares outputs.

The version is pinned: results of the same op differ between releases (docs/arithmetic.md).
"""
import os
import re
import signal

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "requirements.txt"), encoding="utf-8") as _file:
    VERSION = re.search(r"^ai-edge-litert==(\S+)", _file.read(), re.MULTILINE).group(1)


def missing():
    """Why the oracle cannot be used here, or None."""
    try:
        import numpy  # noqa: F401
        from importlib.metadata import version

        import ai_edge_litert.interpreter  # noqa: F401
    except ImportError as error:
        return f"ai-edge-litert {VERSION} is not installed ({error})"
    found = version("ai-edge-litert")
    if found != VERSION:
        return f"ai-edge-litert is {found}; these comparisons need {VERSION}"
    return None


class Refused(Exception):
    """LiteRT does not load or run the model; the message is its own."""


# The reference resolver lacks these ops; its optimized kernels compute them in float.
ABSENT_IN_REFERENCE = ("ELU", "CEIL", "ROUND")


class Model:
    """A model loaded once; run() starts each time from the initial state."""

    def __init__(self, content, resolver="BUILTIN_REF"):
        self.content = content
        self._load(resolver)

    def _load(self, resolver):
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        try:
            self.interpreter = Interpreter(
                model_content=self.content,
                experimental_op_resolver_type=OpResolverType[resolver],
                num_threads=1,
            )
            self.interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            text = str(error)
            absent = any(f"'{name}'" in text for name in ABSENT_IN_REFERENCE)
            if absent and resolver == "BUILTIN_REF":
                self._load("BUILTIN_WITHOUT_DEFAULT_DELEGATES")
                return
            raise Refused(" ".join(text.split())) from None

    def inputs(self):
        return self.interpreter.get_input_details()

    def run(self, inputs):
        """Outputs (numpy arrays) for inputs (bytes or arrays of the inputs' types)."""
        import numpy as np

        interpreter = self.interpreter
        interpreter.reset_all_variables()
        try:
            for detail, data in zip(self.inputs(), inputs):
                if isinstance(data, bytes):
                    data = np.frombuffer(data, detail["dtype"]).reshape(detail["shape"])
                interpreter.set_tensor(detail["index"], data)
            interpreter.invoke()
            return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]
        except (ValueError, RuntimeError) as error:
            raise Refused(" ".join(str(error).split())) from None


class Difference:
    """What comparing one output gave. `bad` says whether it is more than allowed."""

    def __init__(self):
        self.bytes = 0  # compared
        self.different = 0  # bytes
        self.largest = 0.0  # integers: codes; float: fraction of the output's range
        self.bit_equal = True
        self.bad = False
        self.reason = ""


FLOAT_BOUND = 1e-5


def compare(ours, theirs):
    """Compares bytes of ours with LiteRT's array: integers must be equal, float32 within
    FLOAT_BOUND of the output's range (the larger of its spread and its largest magnitude)."""
    import numpy as np

    result = Difference()
    reference = np.ascontiguousarray(theirs)
    result.bytes = reference.nbytes
    if len(ours) != reference.nbytes:
        result.bad, result.bit_equal = True, False
        result.different = reference.nbytes
        result.reason = f"{len(ours)} bytes, LiteRT has {reference.nbytes} {theirs.shape}"
        return result
    raw = np.frombuffer(ours, np.uint8)
    result.different = int(np.count_nonzero(raw != reference.reshape(-1).view(np.uint8)))
    if result.different == 0:
        return result
    result.bit_equal = False
    mine = np.frombuffer(ours, reference.dtype).reshape(reference.shape)
    if reference.dtype.kind == "f":
        result.largest = float_difference(mine, reference)
        result.bad = not result.largest <= FLOAT_BOUND
    else:
        wide = np.abs(mine.astype(np.float64) - reference.astype(np.float64))
        result.largest = float(wide.max())
        result.bad = True
    if result.bad:
        where = np.flatnonzero(mine.reshape(-1) != reference.reshape(-1))
        at = int(where[0]) if len(where) else 0
        result.reason = (
            f"element {at} is {mine.reshape(-1)[at]}, LiteRT has {reference.reshape(-1)[at]};"
            f" {len(where)} of {reference.size} differ"
        )
    return result


def float_difference(mine, reference):
    """Largest difference as a fraction of the output's range; inf if NaNs or infinities differ."""
    import numpy as np

    mine, reference = mine.astype(np.float64), reference.astype(np.float64)
    finite = np.isfinite(reference)
    odd = ~finite
    same = (mine == reference) | (np.isnan(mine) & np.isnan(reference))
    if not np.all(same[odd]) or not np.all(np.isfinite(mine[finite])):
        return float("inf")
    if not np.any(finite):
        return 0.0
    values = reference[finite]
    span = max(values.max() - values.min(), np.abs(values).max())
    worst = np.abs(mine[finite] - values).max()
    if worst == 0:
        return 0.0
    return float(worst / span) if span > 0 else float("inf")


class Forked:
    """Calls function(item) for each item in a child process and yields (item, result). When the
    child dies on an item (LiteRT aborts on some models), that item's result is None and the next
    one gets a new child."""

    def __init__(self, function):
        self.function = function

    def __call__(self, items):
        import multiprocessing

        context = multiprocessing.get_context("fork")
        items = list(items)
        start = 0
        while start < len(items):
            receiver, sender = context.Pipe(duplex=False)
            child = context.Process(target=self._serve, args=(items[start:], sender))
            child.start()
            sender.close()
            done = 0
            try:
                while start + done < len(items):
                    yield items[start + done], receiver.recv()
                    done += 1
            except EOFError:
                yield items[start + done], None
                done += 1
            child.join()
            start += done

    def _serve(self, items, sender):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)  # LiteRT prints its refusals there
        for item in items:
            sender.send(self.function(item))
        sender.close()
        os._exit(0)


def unavailable(skipped, json_path):
    """Ends a comparison when LiteRT is not there: counts what is skipped, and fails under CI=true.
    Returns the exit code, or None when LiteRT can be used."""
    import json
    import sys

    problem = missing()
    if problem is None:
        return None
    must = os.environ.get("CI") == "true"
    print(f"{problem}; {skipped} comparisons {'fail' if must else 'are skipped'}")
    if json_path:
        counts = {"passed": 0, "failed": skipped if must else 0, "skipped": 0 if must else skipped}
        with open(json_path, "w", encoding="utf-8") as file:
            json.dump(counts, file)
    sys.stdout.flush()
    return 1 if must else 0


if __name__ == "__main__":
    raise SystemExit(missing())

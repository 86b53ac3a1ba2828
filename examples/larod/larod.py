#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""larod from Python by ctypes: larod.py DEVICE MODEL INPUT... runs a model on raw files and prints
the SHA-256 of each output. As a module: Camera().load(device, file).run([bytes])."""
import ctypes
import hashlib
import os
import sys

MAX_LEN = 12
ACCESS_PRIVATE = 1


class ErrorStruct(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("msg", ctypes.c_char_p)]


class Sizes(ctypes.Structure):
    """larodTensorDims and larodTensorPitches."""
    _fields_ = [("values", ctypes.c_size_t * MAX_LEN), ("len", ctypes.c_size_t)]

    def list(self):
        return list(self.values[:self.len])


class LarodError(Exception):
    def __init__(self, code, text):
        super().__init__(f"{text} ({code})")
        self.code, self.text = code, text


_library = ctypes.CDLL("liblarod.so.1")
_POINTER, _SIZE = ctypes.c_void_p, ctypes.c_size_t
_RESULTS = {"larodGetTensorDims": ctypes.POINTER(Sizes), "larodGetTensorName": ctypes.c_char_p,
            "larodGetTensorPitches": ctypes.POINTER(Sizes), "larodGetDeviceName": ctypes.c_char_p,
            "larodGetTensorDataType": ctypes.c_int, "larodConnect": ctypes.c_bool,
            "larodSetTensorFd": ctypes.c_bool, "larodRunJob": ctypes.c_bool,
            "larodGetTensorByteSize": ctypes.c_bool, "larodDisconnect": ctypes.c_bool,
            "larodDestroyTensors": ctypes.c_bool}


def call(name, *arguments):
    """Calls a function whose last parameter is the error; raises what it says."""
    function = getattr(_library, name)
    function.restype = _RESULTS.get(name, _POINTER)
    error = ctypes.POINTER(ErrorStruct)()
    result = function(*arguments, ctypes.byref(error))
    if not error:
        return result
    code, text = error.contents.code, error.contents.msg.decode()
    _library.larodClearError(ctypes.byref(error))
    raise LarodError(code, text)


class Tensor:
    def __init__(self, pointer):
        self.pointer = _POINTER(pointer)
        self.file = os.memfd_create("tensor")
        call("larodSetTensorFd", self.pointer, self.file)
        self.name = call("larodGetTensorName", self.pointer).decode()
        self.type = call("larodGetTensorDataType", self.pointer)
        self.dims = call("larodGetTensorDims", self.pointer).contents.list()
        self.pitches = call("larodGetTensorPitches", self.pointer).contents.list()
        size = _SIZE()
        call("larodGetTensorByteSize", self.pointer, ctypes.byref(size))
        self.bytes = size.value


class Model:
    def __init__(self, camera, pointer):
        self.camera, self.pointer = camera, _POINTER(pointer)
        self.inputs, self._inputs = self._tensors("larodCreateModelInputs")
        self.outputs, self._outputs = self._tensors("larodCreateModelOutputs")

    def _tensors(self, function):
        count = _SIZE()
        array = call(function, self.pointer, ctypes.byref(count))
        pointers = ctypes.cast(array, ctypes.POINTER(_POINTER))
        return [Tensor(pointers[i]) for i in range(count.value)], _POINTER(array)

    def run(self, values):
        for tensor, value in zip(self.inputs, values, strict=True):
            os.ftruncate(tensor.file, 0)
            os.pwrite(tensor.file, value, 0)
        request = _POINTER(call("larodCreateJobRequest", self.pointer, self._inputs,
                                _SIZE(len(self.inputs)), self._outputs,
                                _SIZE(len(self.outputs)), None))
        try:
            call("larodRunJob", self.camera.pointer, request)
        finally:
            _library.larodDestroyJobRequest(ctypes.byref(request))
        return [os.pread(tensor.file, tensor.bytes, 0) for tensor in self.outputs]

    def close(self):
        for tensors, array in ((self.inputs, self._inputs), (self.outputs, self._outputs)):
            call("larodDestroyTensors", self.camera.pointer, ctypes.byref(array),
                 _SIZE(len(tensors)))
            for tensor in tensors:
                os.close(tensor.file)
        _library.larodDestroyModel(ctypes.byref(self.pointer))


class Camera:
    def __init__(self):
        self.pointer = _POINTER()
        call("larodConnect", ctypes.byref(self.pointer))

    def devices(self):
        count = _SIZE()
        array = ctypes.cast(call("larodListDevices", self.pointer, ctypes.byref(count)),
                            ctypes.POINTER(_POINTER))
        return [call("larodGetDeviceName", _POINTER(array[i])).decode()
                for i in range(count.value)]

    def load(self, device, path, name="python"):
        handle = _POINTER(call("larodGetDevice", self.pointer, device.encode(),
                               ctypes.c_uint32(0)))
        with open(path, "rb") as file:
            return Model(self, call("larodLoadModel", self.pointer, file.fileno(), handle,
                                    ACCESS_PRIVATE, name.encode(), None))

    def close(self):
        call("larodDisconnect", ctypes.byref(self.pointer))


def main():
    if len(sys.argv) < 4:
        sys.exit("usage: larod.py DEVICE MODEL INPUT...")
    camera = Camera()
    model = camera.load(sys.argv[1], sys.argv[2])
    values = []
    for path in sys.argv[3:]:
        with open(path, "rb") as file:
            values.append(file.read())
    for tensor, value in zip(model.outputs, model.run(values)):
        print(tensor.name, tensor.dims, hashlib.sha256(value).hexdigest())
    model.close()
    camera.close()


if __name__ == "__main__":
    try:
        main()
    except LarodError as failure:
        sys.exit(str(failure))

/* SPDX-License-Identifier: Apache-2.0 */
/* preprocess DEVICE MODEL NV12 WIDTH HEIGHT: scales and converts a picture with cpu-proc into the
 * network's own input buffer and runs the network. Three channels get RGB, one gets the brightness.
 * Prints the largest byte of the first output and where it is. */
#include <fcntl.h>
#include <larod.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void Fail(const char* what, larodError* error) {
    fprintf(stderr, "%s: %s (%d)\n", what, error ? error->msg : "unknown",
            error ? (int)error->code : 0);
    exit(EXIT_FAILURE);
}

static void* Map(larodTensor* tensor, size_t* size) {
    larodError* error = NULL;
    if (!larodGetTensorByteSize(tensor, size, &error)) Fail("Could not get size", error);
    void* memory = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED,
                        larodGetTensorFd(tensor, &error), 0);
    if (memory == MAP_FAILED) Fail("Could not map", error);
    return memory;
}

static larodModel* LoadPreprocessing(larodConnection* conn, long width, long height,
                                     const larodTensorDims* dims) {
    larodError* error = NULL;
    larodMap* map = larodCreateMap(&error);
    const char* format = dims->dims[3] == 3 ? "rgb-interleaved" : "nv12";
    if (!map || !larodMapSetStr(map, "image.input.format", "nv12", &error) ||
        !larodMapSetIntArr2(map, "image.input.size", width, height, &error) ||
        !larodMapSetStr(map, "image.output.format", format, &error) ||
        !larodMapSetIntArr2(map, "image.output.size", (int64_t)dims->dims[2],
                            (int64_t)dims->dims[1], &error)) {
        Fail("Could not set parameters", error);
    }
    const larodDevice* device = larodGetDevice(conn, "cpu-proc", 0, &error);
    if (!device) Fail("Could not get cpu-proc", error);
    larodModel* model = larodLoadModel(conn, -1, device, LAROD_ACCESS_PRIVATE, "", map, &error);
    if (!model) Fail("Could not load preprocessing", error);
    larodDestroyMap(&map);
    return model;
}

int main(int argc, char** argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: preprocess DEVICE MODEL NV12 WIDTH HEIGHT\n");
        return 2;
    }
    larodError* error = NULL;
    larodConnection* conn = NULL;
    if (!larodConnect(&conn, &error)) Fail("Could not connect", error);
    const larodDevice* device = larodGetDevice(conn, argv[1], 0, &error);
    if (!device) Fail("Could not get device", error);
    int file = open(argv[2], O_RDONLY);
    larodModel* model =
        larodLoadModel(conn, file, device, LAROD_ACCESS_PRIVATE, "network", NULL, &error);
    if (!model) Fail("Could not load model", error);
    close(file);

    size_t count = 0, numPicture = 0, numScaled = 0, numOutputs = 0;
    larodTensor** inputs = larodAllocModelInputs(conn, model, 0, &count, NULL, &error);
    larodTensor** outputs =
        larodAllocModelOutputs(conn, model, LAROD_FD_TYPE_DISK, &numOutputs, NULL, &error);
    if (!inputs || !outputs) Fail("Could not allocate tensors", error);
    const larodTensorDims* dims = larodGetTensorDims(inputs[0], &error);
    if (count != 1 || dims->len != 4) {
        fprintf(stderr, "the model does not take one picture\n");
        return 1;
    }
    larodModel* scaling = LoadPreprocessing(conn, atol(argv[4]), atol(argv[5]), dims);
    larodTensor** picture = larodCreateModelInputs(scaling, &numPicture, &error);
    larodTensor** scaled = larodAllocModelOutputs(conn, scaling, 0, &numScaled, NULL, &error);
    int frame = open(argv[3], O_RDONLY);
    if (!picture || !scaled || frame < 0 || !larodSetTensorFd(picture[0], frame, &error)) {
        Fail("Could not set the picture", error);
    }
    larodJobRequest* scale =
        larodCreateJobRequest(scaling, picture, 1, scaled, 1, NULL, &error);
    larodJobRequest* infer =
        larodCreateJobRequest(model, inputs, 1, outputs, numOutputs, NULL, &error);
    if (!scale || !infer) Fail("Could not create job requests", error);
    if (!larodRunJob(conn, scale, &error)) Fail("Could not preprocess", error);

    /* The brightness is the first plane; int8 networks want it around 0. */
    size_t inputSize = 0, scaledSize = 0, outputSize = 0;
    unsigned char *from = Map(scaled[0], &scaledSize), *to = Map(inputs[0], &inputSize);
    const bool isSigned = larodGetTensorDataType(inputs[0], NULL) == LAROD_TENSOR_DATA_TYPE_INT8;
    for (size_t i = 0; i < inputSize && i < scaledSize; ++i) {
        to[i] = isSigned ? from[i] ^ 0x80 : from[i];
    }
    if (!larodRunJob(conn, infer, &error)) Fail("Could not run", error);

    unsigned char* output = Map(outputs[0], &outputSize);
    const unsigned char flip =
        larodGetTensorDataType(outputs[0], NULL) == LAROD_TENSOR_DATA_TYPE_INT8 ? 0x80 : 0;
    size_t best = 0;
    for (size_t i = 1; i < outputSize; ++i) {
        if ((output[i] ^ flip) > (output[best] ^ flip)) best = i;
    }
    printf("best %zu value %d\n", best, output[best] ^ flip);

    munmap(from, scaledSize);
    munmap(to, inputSize);
    munmap(output, outputSize);
    close(frame);
    larodDestroyJobRequest(&scale);
    larodDestroyJobRequest(&infer);
    larodDestroyTensors(conn, &picture, numPicture, NULL);
    larodDestroyTensors(conn, &scaled, numScaled, NULL);
    larodDestroyTensors(conn, &inputs, count, NULL);
    larodDestroyTensors(conn, &outputs, numOutputs, NULL);
    larodDestroyModel(&scaling);
    larodDestroyModel(&model);
    larodDisconnect(&conn, NULL);
    return 0;
}

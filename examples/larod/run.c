/* SPDX-License-Identifier: Apache-2.0 */
/* run DEVICE MODEL INPUT...: loads a model, says what its tensors are, runs it once on raw files and
 * prints the beginning of each output. The buffers are files of the application. */
#include <fcntl.h>
#include <larod.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void Fail(const char* what, larodError* error) {
    fprintf(stderr, "%s: %s (%d)\n", what, error ? error->msg : "unknown",
            error ? (int)error->code : 0);
    exit(EXIT_FAILURE);
}

static void Describe(const char* kind, larodTensor** tensors, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        const larodTensorDims* dims = larodGetTensorDims(tensors[i], NULL);
        const larodTensorPitches* pitches = larodGetTensorPitches(tensors[i], NULL);
        const larodTensorDataType type = larodGetTensorDataType(tensors[i], NULL);
        const larodTensorLayout layout = larodGetTensorLayout(tensors[i], NULL);
        printf("%s %zu '%s' type %d layout %d:", kind, i, larodGetTensorName(tensors[i], NULL),
               (int)type, (int)layout);
        for (size_t d = 0; d < dims->len; ++d) {
            printf(" %zu (%zu bytes)", dims->dims[d], pitches->pitches[d]);
        }
        printf("\n");
    }
}

static int TemporaryFile(void) {
    char name[] = "/tmp/larod-run-XXXXXX";
    int fd = mkstemp(name);
    if (fd < 0) {
        perror("mkstemp");
        exit(EXIT_FAILURE);
    }
    unlink(name);
    return fd;
}

int main(int argc, char** argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: run DEVICE MODEL INPUT...\n");
        return 2;
    }
    larodError* error = NULL;
    larodConnection* conn = NULL;
    if (!larodConnect(&conn, &error)) Fail("Could not connect", error);
    const larodDevice* device = larodGetDevice(conn, argv[1], 0, &error);
    if (!device) Fail("Could not get device", error);
    int file = open(argv[2], O_RDONLY);
    larodModel* model =
        larodLoadModel(conn, file, device, LAROD_ACCESS_PRIVATE, "example", NULL, &error);
    if (!model) Fail("Could not load model", error);
    close(file);

    size_t numInputs = 0, numOutputs = 0;
    larodTensor** inputs = larodCreateModelInputs(model, &numInputs, &error);
    larodTensor** outputs = larodCreateModelOutputs(model, &numOutputs, &error);
    if (!inputs || !outputs) Fail("Could not create tensors", error);
    Describe("input", inputs, numInputs);
    Describe("output", outputs, numOutputs);
    if ((size_t)argc - 3 != numInputs) {
        fprintf(stderr, "the model has %zu inputs\n", numInputs);
        return 2;
    }
    for (size_t i = 0; i < numInputs; ++i) {
        int fd = open(argv[3 + i], O_RDONLY);
        if (fd < 0 || !larodSetTensorFd(inputs[i], fd, &error)) Fail("Could not set input", error);
    }
    for (size_t i = 0; i < numOutputs; ++i) {
        if (!larodSetTensorFd(outputs[i], TemporaryFile(), &error)) {
            Fail("Could not set output", error);
        }
    }
    larodJobRequest* request =
        larodCreateJobRequest(model, inputs, numInputs, outputs, numOutputs, NULL, &error);
    if (!request) Fail("Could not create job request", error);
    if (!larodRunJob(conn, request, &error)) Fail("Could not run", error);

    for (size_t i = 0; i < numOutputs; ++i) {
        unsigned char bytes[16];
        int fd = larodGetTensorFd(outputs[i], NULL);
        ssize_t count = pread(fd, bytes, sizeof(bytes), 0);
        printf("output %zu begins", i);
        for (ssize_t k = 0; k < count; ++k) printf(" %02x", bytes[k]);
        printf("\n");
        close(fd);
    }
    for (size_t i = 0; i < numInputs; ++i) close(larodGetTensorFd(inputs[i], NULL));
    larodDestroyJobRequest(&request);
    larodDestroyTensors(conn, &inputs, numInputs, NULL);
    larodDestroyTensors(conn, &outputs, numOutputs, NULL);
    larodDestroyModel(&model);
    larodDisconnect(&conn, NULL);
    return 0;
}

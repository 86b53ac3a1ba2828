/* SPDX-License-Identifier: Apache-2.0 */
/* An application of API version 2: returns 0, or the line where something was not as expected. */
#define LAROD_API_VERSION_2
#include <errno.h>
#include <larod.h>
#include <string.h>
#include <unistd.h>

#include "versions.h"

#define NEED(what) \
    do {           \
        if (!(what)) return __LINE__; \
    } while (0)

/* Where it says that the call failed with that code. */
#define FAILS(call, wanted)                                                \
    do {                                                                   \
        if ((call) || error == NULL || error->code != (wanted)) return __LINE__; \
        larodClearError(&error);                                           \
    } while (0)

/* Callbacks tell it through a pipe. */
static int tell[2];
static void OnJob(void* userData, larodError* error) {
    const char word = error == NULL && userData == tell ? 'y' : 'n';
    if (write(tell[1], &word, 1) != 1) abort();
}
static void OnModel(larodModel* model, void* userData, larodError* error) {
    larodDestroyModel(&model);
    OnJob(userData, error);
}
static bool Told(void) {
    char word = 'n';
    return read(tell[0], &word, 1) == 1 && word == 'y';
}

int RunVersion2(int modelFd, int inputFd, int outputFd) {
    larodError* error = NULL;
    larodConnection* conn = NULL;
    NEED(larodConnect(&conn, &error));
    NEED(larodLoadModel(conn, modelFd, LAROD_CHIP_TPU, LAROD_ACCESS_PRIVATE, "v2", NULL, &error) ==
         NULL);
    NEED(error->code == LAROD_ERROR_INVALID_CHIP_ID);
    larodClearError(&error);
    larodMap* map = larodCreateMap(&error);
    NEED(larodMapSetStr(map, "image.input.format", "nv12", &error));
    NEED(larodMapSetStr(map, "image.output.format", "rgb-interleaved", &error));
    NEED(larodMapSetIntArr2(map, "image.input.size", 64, 48, &error));
    NEED(larodMapSetIntArr2(map, "image.output.size", 32, 24, &error));
    larodModel* picture =
        larodLoadModel(conn, -1, LAROD_CHIP_LIBYUV, LAROD_ACCESS_PRIVATE, "", map, &error);
    NEED(picture != NULL);
    NEED(larodGetModelChip(picture, &error) == LAROD_CHIP_LIBYUV);
    larodDestroyModel(&picture);
    larodDestroyMap(&map);
    larodModel* model = larodLoadModel(conn, modelFd, LAROD_CHIP_TFLITE_CPU, LAROD_ACCESS_PRIVATE,
                                       "v2", NULL, &error);
    NEED(model != NULL);
    size_t numInputs = 0, numOutputs = 0;
    larodTensor** inputs = larodCreateModelInputs(model, &numInputs, &error);
    larodTensor** outputs = larodCreateModelOutputs(model, &numOutputs, &error);
    NEED(larodSetTensorFd(inputs[0], inputFd, &error));
    NEED(larodSetTensorFd(outputs[0], outputFd, &error));
    larodJobRequest* request =
        larodCreateJobRequest(model, inputs, numInputs, outputs, numOutputs, NULL, &error);
    NEED(request != NULL);
    NEED(larodRunJob(conn, request, &error));
    NEED(pipe(tell) == 0);
    NEED(larodRunJobAsync(conn, request, OnJob, tell, &error) && Told());
    NEED(larodLoadModelAsync(conn, modelFd, LAROD_CHIP_TFLITE_CPU, LAROD_ACCESS_PRIVATE, "v2", NULL,
                             OnModel, tell, &error) &&
         Told());
    NEED(close(tell[0]) == 0 && close(tell[1]) == 0);
    larodDestroyJobRequest(&request);
    larodDestroyTensors(&inputs, numInputs);
    larodDestroyTensors(&outputs, numOutputs);
    NEED(!larodDeleteModel(conn, NULL, &error));
    larodClearError(&error);
    larodDestroyModel(&model);
    NEED(larodDisconnect(&conn, &error));
    return 0;
}

static int MisuseOf(larodConnection* conn, int code) {
    larodError* error = NULL;
    const larodChip chip = LAROD_CHIP_TFLITE_CPU;
    FAILS(larodLoadModel(conn, 0, chip, LAROD_ACCESS_PRIVATE, "", NULL, &error), code);
    FAILS(larodLoadModelAsync(conn, 0, chip, LAROD_ACCESS_PRIVATE, "", NULL, OnModel, NULL, &error),
          code);
    FAILS(larodRunJob(conn, NULL, &error), code);
    FAILS(larodRunJobAsync(conn, NULL, OnJob, NULL, &error), code);
    FAILS(larodGetModelChip(NULL, &error), EINVAL);
    return 0;
}

int MisuseVersion2(void) {
    larodError* error = NULL;
    larodConnection* conn = NULL;
    NEED(larodConnect(&conn, &error));
    larodConnection* const gone = conn;
    FAILS(larodRunJob(conn, NULL, &error), EINVAL);
    FAILS(larodRunJobAsync(conn, NULL, OnJob, NULL, &error), EINVAL);
    FAILS(larodLoadModel(conn, -1, LAROD_CHIP_TFLITE_CPU, LAROD_ACCESS_PRIVATE, "", NULL, &error),
          EINVAL);
    FAILS(larodLoadModel(conn, 0, LAROD_CHIP_TPU, LAROD_ACCESS_PRIVATE, "", NULL, &error),
          LAROD_ERROR_INVALID_CHIP_ID);
    FAILS(larodLoadModelAsync(conn, 0, LAROD_CHIP_TFLITE_CPU, LAROD_ACCESS_PRIVATE, "", NULL, NULL,
                              NULL, &error),
          EINVAL);
    NEED(larodDisconnect(&conn, &error));
    const int line = MisuseOf(gone, LAROD_ERROR_CONNECTION);
    return line != 0 ? line : MisuseOf(NULL, EINVAL);
}

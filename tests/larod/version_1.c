/* SPDX-License-Identifier: Apache-2.0 */
/* An application of API version 1: returns 0, or the line where something was not as expected. */
#define LAROD_API_VERSION_1
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

int RunVersion1(int modelFd, int inputFd, int outputFd) {
    larodError* error = NULL;
    larodConnection* conn = NULL;
    NEED(larodConnect(&conn, &error));
    larodChip* chips = NULL;
    size_t numChips = 0;
    NEED(larodListChips(conn, &chips, &numChips, &error));
    NEED(numChips == 5 && chips[0] == LAROD_CHIP_TFLITE_CPU);
    NEED(strlen(larodGetChipName(chips[0])) > 0);
    free(chips);
    NEED(larodLoadModel(conn, modelFd, LAROD_ACCESS_PRIVATE, "v1", &error) == NULL);
    NEED(error->code == LAROD_ERROR_INVALID_CHIP_ID);
    larodClearError(&error);
    NEED(!larodSetChip(conn, LAROD_CHIP_TPU, &error));
    NEED(strcmp(error->msg, "Could not select chip 4: Could not find chip 4") == 0);
    larodClearError(&error);
    NEED(larodSetChip(conn, LAROD_CHIP_TFLITE_ARTPEC8DLPU, &error));
    uint64_t id = 0;
    larodChip chip = LAROD_CHIP_INVALID;
    NEED(larodGetChipId(conn, &id, &error) && larodSetChipId(conn, id, &error));
    NEED(!larodSetChipId(conn, 999, NULL));
    NEED(larodGetChipType(conn, &chip, &error) && chip == LAROD_CHIP_TFLITE_ARTPEC8DLPU);
    larodModel* model = larodLoadModel(conn, modelFd, LAROD_ACCESS_PRIVATE, "v1", &error);
    NEED(model != NULL);
    size_t numInputs = 0, numOutputs = 0;
    larodTensor** inputs = larodCreateModelInputs(model, &numInputs, &error);
    larodTensor** outputs = larodCreateModelOutputs(model, &numOutputs, &error);
    NEED(larodSetTensorFd(inputs[0], inputFd, &error));
    NEED(larodSetTensorFd(outputs[0], outputFd, &error));
    larodInferenceRequest* request =
        larodCreateInferenceRequest(model, inputs, numInputs, outputs, numOutputs, &error);
    NEED(request != NULL);
    NEED(larodSetInferenceRequestPriority(request, 60, &error));
    NEED(larodSetInferenceRequestModel(request, model, &error));
    NEED(larodSetInferenceRequestInputs(request, inputs, numInputs, &error));
    NEED(larodSetInferenceRequestOutputs(request, outputs, numOutputs, &error));
    NEED(larodRunInference(conn, request, &error));
    NEED(LAROD_ERROR_INFERENCE == LAROD_ERROR_JOB);
    NEED(pipe(tell) == 0);
    NEED(larodRunInferenceAsync(conn, request, OnJob, tell, &error) && Told());
    NEED(larodLoadModelAsync(conn, modelFd, LAROD_ACCESS_PRIVATE, "v1", OnModel, tell, &error) &&
         Told());
    NEED(close(tell[0]) == 0 && close(tell[1]) == 0);
    larodDestroyInferenceRequest(&request);
    larodDestroyTensors(&inputs, numInputs);
    larodDestroyTensors(&outputs, numOutputs);
    larodDestroyModel(&model);
    NEED(larodDisconnect(&conn, &error));
    return 0;
}

static int MisuseOf(larodConnection* conn, int code) {
    larodError* error = NULL;
    larodChip* chips = NULL;
    size_t numChips = 0;
    uint64_t id = 0;
    larodChip chip = LAROD_CHIP_INVALID;
    FAILS(larodListChips(conn, &chips, &numChips, &error), code);
    FAILS(larodLoadModel(conn, 0, LAROD_ACCESS_PRIVATE, "", &error), code);
    FAILS(larodLoadModelAsync(conn, 0, LAROD_ACCESS_PRIVATE, "", OnModel, NULL, &error), code);
    FAILS(larodGetChipId(conn, &id, &error), code);
    FAILS(larodSetChipId(conn, 1, &error), code);
    FAILS(larodSetChip(conn, LAROD_CHIP_TFLITE_CPU, &error), code);
    FAILS(larodGetChipType(conn, &chip, &error), code);
    FAILS(larodRunInference(conn, NULL, &error), code);
    FAILS(larodRunInferenceAsync(conn, NULL, OnJob, NULL, &error), code);
    FAILS(larodCreateInferenceRequest(NULL, NULL, 0, NULL, 0, &error), EINVAL);
    return 0;
}

int MisuseVersion1(void) {
    larodError* error = NULL;
    larodConnection* conn = NULL;
    NEED(larodConnect(&conn, &error));
    larodConnection* const gone = conn;
    FAILS(larodListChips(conn, NULL, NULL, &error), EINVAL);
    NEED(larodSetChip(conn, LAROD_CHIP_TFLITE_CPU, &error));
    FAILS(larodGetChipId(conn, NULL, &error), EINVAL);
    FAILS(larodGetChipType(conn, NULL, &error), EINVAL);
    FAILS(larodRunInference(conn, NULL, &error), EINVAL);
    FAILS(larodRunInferenceAsync(conn, NULL, OnJob, NULL, &error), EINVAL);
    FAILS(larodLoadModel(conn, -1, LAROD_ACCESS_PRIVATE, "", &error), EINVAL);
    FAILS(larodLoadModelAsync(conn, 0, LAROD_ACCESS_PRIVATE, "", NULL, NULL, &error), EINVAL);
    NEED(strlen(larodGetChipName((larodChip)99)) > 0);
    larodDestroyTensors(NULL, 3);
    larodTensor** none = NULL;
    larodDestroyTensors(&none, 3);
    NEED(larodDisconnect(&conn, &error));
    const int line = MisuseOf(gone, LAROD_ERROR_CONNECTION);
    return line != 0 ? line : MisuseOf(NULL, EINVAL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* An application of API version 1: returns 0, or the line where something was not as expected. */
#define LAROD_API_VERSION_1
#include <larod.h>
#include <string.h>

#include "versions.h"

#define NEED(what) \
    do {           \
        if (!(what)) return __LINE__; \
    } while (0)

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
    larodDestroyInferenceRequest(&request);
    larodDestroyTensors(&inputs, numInputs);
    larodDestroyTensors(&outputs, numOutputs);
    larodDestroyModel(&model);
    NEED(larodDisconnect(&conn, &error));
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* An application of API version 2: returns 0, or the line where something was not as expected. */
#define LAROD_API_VERSION_2
#include <larod.h>
#include <string.h>

#include "versions.h"

#define NEED(what) \
    do {           \
        if (!(what)) return __LINE__; \
    } while (0)

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
    larodDestroyJobRequest(&request);
    larodDestroyTensors(&inputs, numInputs);
    larodDestroyTensors(&outputs, numOutputs);
    NEED(!larodDeleteModel(conn, NULL, &error));
    larodClearError(&error);
    larodDestroyModel(&model);
    NEED(larodDisconnect(&conn, &error));
    return 0;
}

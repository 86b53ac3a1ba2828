/* SPDX-License-Identifier: Apache-2.0 */
/* larod's C API, as the ACAP Native SDK documents it, for programs that are built and run on a PC
 * against virtual devices. Interface version 3.6; programs written for versions 1 and 2 define
 * LAROD_API_VERSION_1 or LAROD_API_VERSION_2 before they include this file. What the devices do,
 * and where the documentation leaves a choice, is in docs/larod.md.
 *
 * Conventions of all functions:
 * - `error` may be NULL. A function that fails sets *error to a new error, which the caller gives
 *   back with larodClearError; what *error held before is not freed. Success leaves it alone.
 * - Failure is false, NULL, 0, LAROD_INVALID_FD, LAROD_INVALID_MODEL_ID or an ..._INVALID value.
 * - Handles are only valid arguments until they are destroyed. Destroying sets the pointer to NULL;
 *   destroying NULL does nothing.
 * - As on cameras, one connection is not meant for several threads at a time. */
#ifndef COM_AXIS_LAROD_H
#define COM_AXIS_LAROD_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "larod-version.h"

#if defined(LAROD_API_VERSION_1) && defined(LAROD_API_VERSION_2)
#error "Define LAROD_API_VERSION_1 or LAROD_API_VERSION_2, not both"
#endif
#if defined(LAROD_DEPRECATION_WARNINGS) && \
    (defined(LAROD_API_VERSION_1) || defined(LAROD_API_VERSION_2))
#warning "larod API versions 1 and 2 are deprecated and gone from newer headers"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Largest number of extents of a tensor. */
#define LAROD_TENSOR_MAX_LEN 12
/* What larodGetModelId returns when it fails. */
#define LAROD_INVALID_MODEL_ID UINT64_MAX
/* What functions that return a descriptor return when they fail. A tensor without one has -1. */
#define LAROD_INVALID_FD (INT_MIN)

/* How the memory behind a descriptor can be reached. */
#define LAROD_FD_PROP_READWRITE (UINT32_C(1) << 0) /* read() and write() */
#define LAROD_FD_PROP_MAP (UINT32_C(1) << 1)       /* mmap() */
#define LAROD_FD_PROP_DMABUF (UINT32_C(1) << 2)    /* it is a Linux dma-buf */
#define LAROD_FD_TYPE_DMA (LAROD_FD_PROP_DMABUF | LAROD_FD_PROP_MAP)
#define LAROD_FD_TYPE_DISK (LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP)

/* Who may use a loaded model. */
typedef enum {
  LAROD_ACCESS_INVALID = 0,
  LAROD_ACCESS_PRIVATE = 1, /* the session that loaded it; gone with that session */
  LAROD_ACCESS_PUBLIC = 2,  /* every session, until someone deletes it (deprecated) */
  LAROD_ACCESS_USER_PROTECTED = 3
} larodAccess;

/* Negative: larod's own; positive: an errno value. */
typedef enum {
  LAROD_ERROR_NONE = 0,
  LAROD_ERROR_JOB = -1,
#ifdef LAROD_API_VERSION_1
  LAROD_ERROR_INFERENCE = -1,
#endif
  LAROD_ERROR_LOAD_MODEL = -2,
  LAROD_ERROR_FD = -3,
  LAROD_ERROR_MODEL_NOT_FOUND = -4,
  LAROD_ERROR_PERMISSION = -5, /* for example another session's private model */
  LAROD_ERROR_CONNECTION = -6, /* lost, or never there */
  LAROD_ERROR_CREATE_SESSION = -7,
  LAROD_ERROR_KILL_SESSION = -8,
  LAROD_ERROR_INVALID_CHIP_ID = -9, /* no such chip or device */
  LAROD_ERROR_INVALID_ACCESS = -10,
  LAROD_ERROR_DELETE_MODEL = -11,
  LAROD_ERROR_TENSOR_MISMATCH = -12, /* a tensor, or their number, is not what the model has */
  LAROD_ERROR_VERSION_MISMATCH = -13,
  LAROD_ERROR_ALLOC = -14,
  LAROD_ERROR_POWER_NOT_AVAILABLE = -15, /* for the moment; try again */
  LAROD_ERROR_MAX_ERRNO = 1024           /* no error has it */
} larodErrorCode;

typedef enum {
  LAROD_TENSOR_DATA_TYPE_INVALID = 0,
  LAROD_TENSOR_DATA_TYPE_UNSPECIFIED = 1,
  LAROD_TENSOR_DATA_TYPE_BOOL = 2,
  LAROD_TENSOR_DATA_TYPE_UINT8 = 3,
  LAROD_TENSOR_DATA_TYPE_INT8 = 4,
  LAROD_TENSOR_DATA_TYPE_UINT16 = 5,
  LAROD_TENSOR_DATA_TYPE_INT16 = 6,
  LAROD_TENSOR_DATA_TYPE_UINT32 = 7,
  LAROD_TENSOR_DATA_TYPE_INT32 = 8,
  LAROD_TENSOR_DATA_TYPE_UINT64 = 9,
  LAROD_TENSOR_DATA_TYPE_INT64 = 10,
  LAROD_TENSOR_DATA_TYPE_FLOAT16 = 11,
  LAROD_TENSOR_DATA_TYPE_FLOAT32 = 12,
  LAROD_TENSOR_DATA_TYPE_FLOAT64 = 13,
  LAROD_TENSOR_DATA_TYPE_MAX = 14
} larodTensorDataType;

/* What the extents stand for, outermost first. */
typedef enum {
  LAROD_TENSOR_LAYOUT_INVALID = 0,
  LAROD_TENSOR_LAYOUT_UNSPECIFIED = 1,
  LAROD_TENSOR_LAYOUT_NHWC = 2,
  LAROD_TENSOR_LAYOUT_NCHW = 3,
  LAROD_TENSOR_LAYOUT_420SP =
      4, /* NV12: all Y, then U and V interleaved; extents 3, height, width */
  LAROD_TENSOR_LAYOUT_MAX = 5
} larodTensorLayout;

#if defined(LAROD_API_VERSION_1) || defined(LAROD_API_VERSION_2)
/* What versions 1 and 2 have in place of devices. */
typedef enum {
  LAROD_CHIP_INVALID = 0,
  LAROD_CHIP_DEBUG = 1,
  LAROD_CHIP_TFLITE_CPU = 2,
  LAROD_CHIP_TPU = 4,
  LAROD_CHIP_CVFLOW_NN = 6,
  LAROD_CHIP_TFLITE_GLGPU = 8,
  LAROD_CHIP_CVFLOW_PROC = 9,
  LAROD_CHIP_ACE = 10,
  LAROD_CHIP_LIBYUV = 11,
  LAROD_CHIP_TFLITE_ARTPEC8DLPU = 12,
  LAROD_CHIP_OPENCL = 13
} larodChip;
#endif

/* Why a call failed. `msg` is never NULL. */
typedef struct {
  larodErrorCode code;
  const char* msg;
} larodError;

/* Extents of a tensor, outermost first; the first `len` count. */
typedef struct {
  size_t dims[LAROD_TENSOR_MAX_LEN];
  size_t len;
} larodTensorDims;

/* pitches[k] is the size in bytes, with padding, of what dims[k] to the last span: pitches[0] is
 * the whole tensor. */
typedef struct {
  size_t pitches[LAROD_TENSOR_MAX_LEN];
  size_t len;
} larodTensorPitches;

typedef struct larodDevice larodDevice;
typedef struct larodModel larodModel;
typedef struct larodConnection larodConnection;
typedef struct larodJobRequest larodJobRequest;
typedef struct larodTensor larodTensor;
typedef struct larodMap larodMap;

/* Callbacks run on a thread of the library, which frees `error` (NULL: success) when they return.
 * They must not block, and must not call larodRunJob, larodLoadModel, larodDeleteModel,
 * larodDestroyTensors or larodAllocModel...; queueing another job is fine. `model` becomes the
 * callback's own. */
typedef void (*larodLoadModelCallback)(larodModel* model, void* userData, larodError* error);
typedef void (*larodRunJobCallback)(void* userData, larodError* error);

/* ---- Connection and devices ---- */

void larodClearError(larodError** error);

/* Makes a session. A process may have several. */
bool larodConnect(larodConnection** conn, larodError** error);

/* Ends the session, even when it returns false: its private models are unloaded, and the buffers
 * that were allocated with it are released. */
bool larodDisconnect(larodConnection** conn, larodError** error);

/* Sessions of the whole service, this one included. */
bool larodGetNumSessions(larodConnection* conn, uint64_t* numSessions, larodError** error);

/* The device of that name and instance (from 0). It belongs to the connection. */
const larodDevice* larodGetDevice(const larodConnection* conn, const char* name,
                                  const uint32_t instance, larodError** error);
/* The text belongs to the device. */
const char* larodGetDeviceName(const larodDevice* dev, larodError** error);
bool larodGetDeviceInstance(const larodDevice* dev, uint32_t* instance, larodError** error);

/* All devices; array and entries belong to the connection. */
const larodDevice** larodListDevices(larodConnection* conn, size_t* numDevices, larodError** error);

/* ---- Models ---- */

/* Loads a model for a device: the file behind `fd`, from its first byte whatever the position is,
 * or with a negative `fd` what `params` describe (preprocessing). The descriptor may be closed
 * afterwards. */
larodModel* larodLoadModel(larodConnection* conn, const int fd, const larodDevice* dev,
                           const larodAccess access, const char* name, const larodMap* params,
                           larodError** error);
/* Returns once the loading is queued; the callback is called once. */
bool larodLoadModelAsync(larodConnection* conn, const int inFd, const larodDevice* dev,
                         const larodAccess access, const char* name, const larodMap* params,
                         larodLoadModelCallback callback, void* userData, larodError** error);

/* A new handle of a loaded model. */
larodModel* larodGetModel(larodConnection* conn, const uint64_t modelId, larodError** error);
/* New handles of all loaded models, those of other sessions too; NULL only on failure. */
larodModel** larodGetModels(larodConnection* conn, size_t* numModels, larodError** error);

/* Frees handles; the models stay loaded. */
void larodDestroyModel(larodModel** model);
void larodDestroyModels(larodModel*** models, size_t numModels);

/* Unloads the model; the handle is still to be destroyed. */
bool larodDeleteModel(larodConnection* conn, larodModel* model, larodError** error);

uint64_t larodGetModelId(const larodModel* model, larodError** error);
/* The device belongs to the connection of the handle. */
const larodDevice* larodGetModelDevice(const larodModel* model, larodError** error);
/* Bytes of the model. */
size_t larodGetModelSize(const larodModel* model, larodError** error);
/* The text belongs to the handle. */
const char* larodGetModelName(const larodModel* model, larodError** error);
larodAccess larodGetModelAccess(const larodModel* model, larodError** error);
size_t larodGetModelNumInputs(const larodModel* model, larodError** error);
size_t larodGetModelNumOutputs(const larodModel* model, larodError** error);
/* Deprecated: see larodGetTensorByteSize. The caller frees the array with free(). */
size_t* larodGetModelInputByteSizes(const larodModel* model, size_t* numInputs, larodError** error);
size_t* larodGetModelOutputByteSizes(const larodModel* model, size_t* numOutputs,
                                     larodError** error);

/* Writes the form of a model that its device would run to `outputFd`. */
bool larodExportModel(larodConnection* conn, int modelFd, int outputFd, const larodDevice* dev,
                      const larodMap* params, larodError** error);

/* ---- Tensors ---- */

/* A tensor for each input or output, described as the model wants it, without a descriptor. */
larodTensor** larodCreateModelInputs(const larodModel* model, size_t* numTensors,
                                     larodError** error);
larodTensor** larodCreateModelOutputs(const larodModel* model, size_t* numTensors,
                                      larodError** error);
/* The same with a buffer of the service for each, which is tracked. `fdPropFlags`: what the
 * descriptors must be capable of; 0 leaves it to the device. */
larodTensor** larodAllocModelInputs(larodConnection* conn, const larodModel* model,
                                    const uint32_t fdPropFlags, size_t* numTensors,
                                    larodMap* params, larodError** error);
larodTensor** larodAllocModelOutputs(larodConnection* conn, const larodModel* model,
                                     const uint32_t fdPropFlags, size_t* numTensors,
                                     larodMap* params, larodError** error);
/* Tensors of which nothing is said yet. */
larodTensor** larodCreateTensors(size_t numTensors, larodError** error);
/* Destroys an array as one of the functions above returned it; `conn` is the connection the tensors
 * were tracked or allocated with. */
bool larodDestroyTensors(larodConnection* conn, larodTensor*** tensors, size_t numTensors,
                         larodError** error);

bool larodSetTensorDims(larodTensor* tensor, const larodTensorDims* dims, larodError** error);
/* The extents of a picture in that layout. */
bool larodBuildTensorDims(larodTensor* tensor, larodTensorLayout layout, size_t width,
                          size_t height, size_t num_channels, larodError** error);
const larodTensorDims* larodGetTensorDims(const larodTensor* tensor, larodError** error);
bool larodSetTensorPitches(larodTensor* tensor, const larodTensorPitches* pitches,
                           larodError** error);
/* The pitches of a picture of bytes whose rows are `pitch` bytes apart. */
bool larodBuildTensorPitches(larodTensor* tensor, larodTensorLayout layout, size_t pitch,
                             size_t height, size_t num_channels, larodError** error);
const larodTensorPitches* larodGetTensorPitches(const larodTensor* tensor, larodError** error);
bool larodSetTensorDataType(larodTensor* tensor, const larodTensorDataType dataType,
                            larodError** error);
larodTensorDataType larodGetTensorDataType(const larodTensor* tensor, larodError** error);
bool larodSetTensorLayout(larodTensor* tensor, const larodTensorLayout layout, larodError** error);
larodTensorLayout larodGetTensorLayout(const larodTensor* tensor, larodError** error);

/* The file that holds the values. It stays the caller's. */
bool larodSetTensorFd(larodTensor* tensor, const int fd, larodError** error);
int larodGetTensorFd(const larodTensor* tensor, larodError** error);
/* At most so many bytes of the file are used; 0: as many as the tensor has. */
bool larodSetTensorFdSize(larodTensor* tensor, const size_t size, larodError** error);
bool larodGetTensorFdSize(const larodTensor* tensor, size_t* size, larodError** error);
/* Where in the file the values begin. -1 is returned on failure. */
bool larodSetTensorFdOffset(larodTensor* tensor, const int64_t offset, larodError** error);
int64_t larodGetTensorFdOffset(const larodTensor* tensor, larodError** error);
/* Lets the service keep the file open and mapped between jobs. Descriptor, size, offset and
 * properties cannot be changed afterwards. At most 32 tensors of a connection. */
bool larodTrackTensor(larodConnection* conn, larodTensor* tensor, larodError** error);
/* A dma-buf for a part of the camera's own video memory. */
int larodConvertVmemFdToDmabuf(int fd, int64_t offset, larodError** error);
/* LAROD_FD_PROP_... of the descriptor. */
bool larodSetTensorFdProps(larodTensor* tensor, const uint32_t fdPropFlags, larodError** error);
bool larodGetTensorFdProps(const larodTensor* tensor, uint32_t* fdPropFlags, larodError** error);
/* The text belongs to the tensor. */
const char* larodGetTensorName(const larodTensor* tensor, larodError** error);
/* Bytes with padding; 0: not known. */
bool larodGetTensorByteSize(const larodTensor* tensor, size_t* byteSize, larodError** error);

/* ---- Maps: parameters by name. Names and strings have at most 127 characters. ---- */

larodMap* larodCreateMap(larodError** error);
void larodDestroyMap(larodMap** map);
/* An existing entry is replaced by one of the same kind only. */
bool larodMapSetStr(larodMap* map, const char* key, const char* value, larodError** error);
bool larodMapSetInt(larodMap* map, const char* key, const int64_t value, larodError** error);
bool larodMapSetIntArr2(larodMap* map, const char* key, const int64_t value0, const int64_t value1,
                        larodError** error);
bool larodMapSetIntArr4(larodMap* map, const char* key, const int64_t value0, const int64_t value1,
                        const int64_t value2, const int64_t value3, larodError** error);
/* What is returned belongs to the map. */
const char* larodMapGetStr(larodMap* map, const char* key, larodError** error);
bool larodMapGetInt(larodMap* map, const char* key, int64_t* value, larodError** error);
const int64_t* larodMapGetIntArr2(larodMap* map, const char* key, larodError** error);
const int64_t* larodMapGetIntArr4(larodMap* map, const char* key, larodError** error);

/* ---- Jobs ---- */

/* A request copies what it is given: model, tensors as they are now, parameters. */
larodJobRequest* larodCreateJobRequest(const larodModel* model, larodTensor** inputTensors,
                                       size_t numInputs, larodTensor** outputTensors,
                                       size_t numOutputs, larodMap* params, larodError** error);
void larodDestroyJobRequest(larodJobRequest** jobReq);
bool larodSetJobRequestModel(larodJobRequest* jobReq, const larodModel* model, larodError** error);
bool larodSetJobRequestInputs(larodJobRequest* jobReq, larodTensor** tensors,
                              const size_t numTensors, larodError** error);
bool larodSetJobRequestOutputs(larodJobRequest* jobReq, larodTensor** tensors,
                               const size_t numTensors, larodError** error);
/* 0 to 100, 50 at first; among the asynchronous jobs of one session. */
bool larodSetJobRequestPriority(larodJobRequest* jobReq, const uint8_t priority,
                                larodError** error);
bool larodSetJobRequestParams(larodJobRequest* jobReq, const larodMap* params, larodError** error);
/* Returns when the outputs are written. */
bool larodRunJob(larodConnection* conn, const larodJobRequest* jobReq, larodError** error);
/* Returns once the job is queued; the callback is called once. */
bool larodRunJobAsync(larodConnection* conn, const larodJobRequest* jobReq,
                      larodRunJobCallback callback, void* userData, larodError** error);

/* ---- Versions 1 and 2: the same names for other functions ---- */

#if defined(LAROD_API_VERSION_1) || defined(LAROD_API_VERSION_2)
const char* larodGetChipName(const larodChip chip);
/* The caller frees *chips with free(). */
bool larodListChips(larodConnection* conn, larodChip** chips, size_t* numChips, larodError** error);
void larodDestroyTensors_API_VERSION_1(larodTensor*** tensors, size_t numTensors);
#define larodDestroyTensors larodDestroyTensors_API_VERSION_1
#endif

#ifdef LAROD_API_VERSION_2
larodModel* larodLoadModel_API_VERSION_2(larodConnection* conn, const int fd, const larodChip chip,
                                         const larodAccess access, const char* name,
                                         const larodMap* params, larodError** error);
bool larodLoadModelAsync_API_VERSION_2(larodConnection* conn, const int inFd, const larodChip chip,
                                       const larodAccess access, const char* name,
                                       const larodMap* params, larodLoadModelCallback callback,
                                       void* userData, larodError** error);
larodChip larodGetModelChip(const larodModel* model, larodError** error);
bool larodRunJob_API_VERSION_2(larodConnection* conn, const larodJobRequest* jobReq,
                               larodError** error);
bool larodRunJobAsync_API_VERSION_2(larodConnection* conn, const larodJobRequest* jobReq,
                                    larodRunJobCallback callback, void* userData,
                                    larodError** error);
#define larodLoadModel larodLoadModel_API_VERSION_2
#define larodLoadModelAsync larodLoadModelAsync_API_VERSION_2
#define larodRunJob larodRunJob_API_VERSION_2
#define larodRunJobAsync larodRunJobAsync_API_VERSION_2
#endif

#ifdef LAROD_API_VERSION_1
typedef struct larodJobRequest larodInferenceRequest;
typedef void (*larodRunInferenceCallback)(void* userData, larodError* error);

larodModel* larodLoadModel_API_VERSION_1(larodConnection* conn, const int fd,
                                         const larodAccess access, const char* name,
                                         larodError** error);
bool larodLoadModelAsync_API_VERSION_1(larodConnection* conn, const int inFd,
                                       const larodAccess access, const char* name,
                                       larodLoadModelCallback callback, void* userData,
                                       larodError** error);
larodInferenceRequest* larodCreateInferenceRequest(const larodModel* model,
                                                   larodTensor** inputTensors, size_t numInputs,
                                                   larodTensor** outputTensors, size_t numOutputs,
                                                   larodError** error);
bool larodRunInference(larodConnection* conn, const larodInferenceRequest* infReq,
                       larodError** error);
bool larodRunInferenceAsync(larodConnection* conn, const larodInferenceRequest* infReq,
                            larodRunInferenceCallback callback, void* userData, larodError** error);
/* The chip that the connection loads models to. An id is a number of the service. */
bool larodGetChipId(larodConnection* conn, uint64_t* chipId, larodError** error);
bool larodSetChipId(larodConnection* conn, const uint64_t chipId, larodError** error);
/* Of several chips of that kind the one with the smallest id. */
bool larodSetChip(larodConnection* conn, const larodChip chip, larodError** error);
bool larodGetChipType(larodConnection* conn, larodChip* chip, larodError** error);
#define larodLoadModel larodLoadModel_API_VERSION_1
#define larodLoadModelAsync larodLoadModelAsync_API_VERSION_1
#define larodDestroyInferenceRequest larodDestroyJobRequest
#define larodSetInferenceRequestModel larodSetJobRequestModel
#define larodSetInferenceRequestInputs larodSetJobRequestInputs
#define larodSetInferenceRequestOutputs larodSetJobRequestOutputs
#define larodSetInferenceRequestPriority larodSetJobRequestPriority
#endif

#ifdef __cplusplus
}
#endif

#endif

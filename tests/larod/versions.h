/* SPDX-License-Identifier: Apache-2.0 */
/* The applications of older API versions, in C as such applications are. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif
int RunVersion1(int modelFd, int inputFd, int outputFd);
int RunVersion2(int modelFd, int inputFd, int outputFd);
/* Every function of a version with NULL and with a connection that is gone. */
int MisuseVersion1(void);
int MisuseVersion2(void);
#ifdef __cplusplus
}
/* What those call that version 3 does not have. */
inline constexpr const char* kVersion1Functions[] = {"larodCreateInferenceRequest",
                                                     "larodDestroyTensors_API_VERSION_1",
                                                     "larodGetChipId",
                                                     "larodGetChipName",
                                                     "larodGetChipType",
                                                     "larodListChips",
                                                     "larodLoadModelAsync_API_VERSION_1",
                                                     "larodLoadModel_API_VERSION_1",
                                                     "larodRunInference",
                                                     "larodRunInferenceAsync",
                                                     "larodSetChip",
                                                     "larodSetChipId"};
inline constexpr const char* kVersion2Functions[] = {
    "larodGetModelChip", "larodLoadModelAsync_API_VERSION_2", "larodLoadModel_API_VERSION_2",
    "larodRunJobAsync_API_VERSION_2", "larodRunJob_API_VERSION_2"};
#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The applications of older API versions, in C as such applications are. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif
int RunVersion1(int modelFd, int inputFd, int outputFd);
int RunVersion2(int modelFd, int inputFd, int outputFd);
#ifdef __cplusplus
}
#endif

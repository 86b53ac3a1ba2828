/* SPDX-License-Identifier: Apache-2.0 */
/* What the camera's larod-version.h defines is not published; larod.h includes a file of this name,
 * so it exists. It defines nothing, because a name that a camera does not have would compile here
 * and fail there. */
#ifndef COM_AXIS_LAROD_VERSION_H
#define COM_AXIS_LAROD_VERSION_H
#endif

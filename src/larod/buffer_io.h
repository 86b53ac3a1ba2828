// SPDX-License-Identifier: Apache-2.0
// Moves a tensor's bytes between an application's file and memory. Files are read and written at
// the buffer's offset, whatever their position is, which is left behind the data; what cannot be
// read that way (a dma-buf) is mapped. Any thread.
#pragma once

#include <cstdint>
#include <span>

#include "larod/outcome.h"
#include "larod/types.h"

namespace dlpu::larod {

// Fills `to`, which is the whole tensor of `spec`. A shorter file is the camera's "Could only read
// N out of M bytes from file descriptor", with what the buffer would fit as the cause.
Outcome<Nothing> ReadBuffer(const Buffer& buffer, const TensorSpec& spec, std::span<uint8_t> to);
// A file that is shorter grows.
Outcome<Nothing> WriteBuffer(const Buffer& buffer, std::span<const uint8_t> from);

}  // namespace dlpu::larod

// SPDX-License-Identifier: Apache-2.0
#include "memory_count.h"

#include <atomic>
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define DLPU_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DLPU_HAS_ASAN 1
#endif
#endif

#ifdef DLPU_HAS_ASAN
// From the sanitizers' runtime; declared here because GCC 12 ships no header that does.
extern "C" {
int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, size_t),
                                              void (*)(const volatile void*));
size_t __sanitizer_get_allocated_size(const volatile void*);
}
#endif

namespace dlpu::hostile {
namespace {

std::atomic<int64_t> live{0}, peak{0}, base{0};

#ifdef DLPU_HAS_ASAN
void OnMalloc(const volatile void*, size_t size) {
  const int64_t now = live += static_cast<int64_t>(size);
  int64_t before = peak;
  while (now > before && !peak.compare_exchange_weak(before, now)) {
  }
}

void OnFree(const volatile void* memory) {
  if (memory != nullptr) live -= static_cast<int64_t>(__sanitizer_get_allocated_size(memory));
}

[[maybe_unused]] const int installed = __sanitizer_install_malloc_and_free_hooks(OnMalloc, OnFree);
#endif

}  // namespace

#ifdef DLPU_HAS_ASAN
const bool kCountsMemory = true;
#else
const bool kCountsMemory = false;
#endif

void ResetPeakMemory() {
  base = live.load();
  peak = live.load();
}

int64_t PeakMemory() { return peak - base; }

}  // namespace dlpu::hostile

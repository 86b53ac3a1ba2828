// SPDX-License-Identifier: Apache-2.0
// CPU detection: CPUID through the compiler's builtins on x86-64, getauxval on AArch64.
#include "base/cpu.h"

#include <sched.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "base/cpu_unfused.h"

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace dlpu {
namespace {

constexpr std::pair<CpuFlag, const char*> kNames[] = {
    {kCpuAvx2, "avx2"},         {kCpuAvxVnni, "avxvnni"},
    {kCpuAvx512, "avx512"},     {kCpuAvx512Vnni, "avx512vnni"},
    {kCpuNeon, "neon"},         {kCpuNeonDot, "neondot"},
    {kCpuNeonI8mm, "neoni8mm"},
};

#if defined(__x86_64__)
bool HasAvxVnni() {
  unsigned a = 7, b = 0, c = 1, d = 0;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return (a & (1u << 4)) != 0 && __builtin_cpu_supports("avx2");
}
#endif

CpuFlags Detect() {
  CpuFlags flags = 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    flags |= kCpuAvx2 | kCpuAvx2Unfused;
  }
  if (HasAvxVnni()) flags |= kCpuAvxVnni;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    flags |= kCpuAvx512 | kCpuAvx512Unfused;
    if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi")) {
      flags |= kCpuAvx512Vnni;
    }
  }
#elif defined(__aarch64__)
  flags |= kCpuNeon;
  if (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) flags |= kCpuNeonDot;
#ifdef HWCAP2_I8MM
  if (getauxval(AT_HWCAP2) & HWCAP2_I8MM) flags |= kCpuNeonI8mm;
#endif
#endif
  return flags;
}

}  // namespace

CpuFlags DetectedCpuFlags() {
  static const CpuFlags flags = Detect();
  return flags;
}

CpuFlags EnabledCpuFlags() {
  static const CpuFlags flags = [] {
    const char* disable = std::getenv("DLPU_CPU_DISABLE");
    return WithoutCpuFlags(DetectedCpuFlags(), disable != nullptr ? disable : "");
  }();
  return flags;
}

CpuFlags UnfusedCpuFlags() { return EnabledCpuFlags() & (kCpuAvx2Unfused | kCpuAvx512Unfused); }

CpuFlags WithoutCpuFlags(CpuFlags detected, const std::string& disable) {
  std::istringstream list(disable);
  for (std::string name; std::getline(list, name, ',');) {
    if (name == "all") return 0;
    for (const auto& [flag, text] : kNames) {
      if (name == text) detected &= ~flag;
    }
  }
  // A wider extension never stays without the one it builds on.
  if (!(detected & kCpuAvx2)) detected &= ~(kCpuAvxVnni | kCpuAvx512 | kCpuAvx512Vnni);
  if (!(detected & kCpuAvx512)) detected &= ~(kCpuAvx512Vnni | kCpuAvx512Unfused);
  if (!(detected & kCpuAvx2)) detected &= ~kCpuAvx2Unfused;
  if (!(detected & kCpuNeon)) detected &= ~kCpuNeonDot;
  if (!(detected & kCpuNeonDot)) detected &= ~kCpuNeonI8mm;
  return detected;
}

std::string CpuFlagNames(CpuFlags flags) {
  std::string text;
  for (const auto& [flag, name] : kNames) {
    if (flags & flag) text += (text.empty() ? "" : ",") + std::string(name);
  }
  return text.empty() ? "none" : text;
}

int PhysicalCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &set)) continue;
    const std::string path =
        "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list";
    std::ifstream in(path);
    std::string siblings;
    if (!std::getline(in, siblings)) siblings = std::to_string(cpu);
    cores.insert(siblings);
  }
  return cores.empty() ? 1 : static_cast<int>(cores.size());
}

std::string CpuModelName() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("model name", 0) == 0) {
      const size_t colon = line.find(": ");
      if (colon != std::string::npos) return line.substr(colon + 2);
    }
  }
  return "unknown";
}

}  // namespace dlpu

// SPDX-License-Identifier: Apache-2.0
// The devices of a product.
#include "larod/catalogue.h"

#include <fmt/format.h>

#include "larod/log.h"
#include "target/products.h"

namespace dlpu::larod {
namespace {

// What the device table of larod's documentation says where it is not the usual: read, write and
// map. run_*: what a job's tensors may have; alloc_*: what allocated tensors get when nothing is
// asked for. Of the CV75's device nothing is published: as the CV25's.
struct Access {
  const char* device;
  uint32_t run_input, run_output, alloc_input, alloc_output;
};
constexpr uint32_t kRw = LAROD_FD_PROP_READWRITE, kMap = LAROD_FD_PROP_MAP,
                   kDma = LAROD_FD_PROP_DMABUF;
constexpr Access kAccess[] = {
    {"google-edge-tpu-tflite", kRw | kMap | kDma, kRw | kMap, kMap | kDma, kRw | kMap},
    {"ambarella-cvflow", kRw | kDma, kRw | kDma, kMap | kDma, kMap | kDma},
    {"ambarella-cvflow-proc", kRw | kMap | kDma, kRw | kMap | kDma, kMap | kDma, kMap | kDma},
    {"cv75-dlpu-native", kRw | kDma, kRw | kDma, kMap | kDma, kMap | kDma},
};

// Devices that share hardware without sharing an engine: on ARTPEC-8 the DLPU and the GPU cannot
// work at the same time (acap-native-sdk-examples, issue 335).
struct Shared {
  const char* device;
  const char* lane;
};
constexpr Shared kShared[] = {{"axis-a8-gpu-proc", "dlpu"}};

// Caches of compiled models whose size is documented.
struct Cache {
  const char* device;
  CacheLimits limits;
};
constexpr Cache kCaches[] = {{"axis-a8-dlpu-tflite", {size_t{64} << 20, 16}}};

std::string LaneOf(const TargetDevice& device) {
  for (const Shared& shared : kShared) {
    if (device.name == shared.device) return shared.lane;
  }
  // Cores are shared by the operating system: each CPU device works on its own.
  return device.engine == "cpu" ? device.name : device.engine;
}

VirtualDevice MakeDevice(const TargetDevice& facts) {
  VirtualDevice device;
  device.facts = facts;
  device.lane = LaneOf(facts);
  device.info.name = facts.name;
  device.info.chip = facts.chip.value_or(0);
  if (facts.runs == "preprocess") device.picture = FindPictureRules(facts.name);
  for (const Cache& cache : kCaches) {
    if (facts.name == cache.device) device.cache = cache.limits;
  }
  for (const Access& access : kAccess) {
    if (facts.name != access.device) continue;
    device.info.run_input = access.run_input;
    device.info.run_output = access.run_output;
    device.info.alloc_input = access.alloc_input;
    device.info.alloc_output = access.alloc_output;
  }
  return device;
}

Failure NoSession(const std::string& product, const std::string& cause) {
  return {LAROD_ERROR_CREATE_SESSION,
          fmt::format("Could not create session: no virtual camera \"{}\"", product), cause};
}

// The target of a product or target name; says in the catalogue which it is.
Outcome<Target> TargetOfProduct(const std::string& name, Catalogue* catalogue) {
  const Result<Target> target = FindTarget(name);
  if (target.ok()) {
    catalogue->product = target->title;
    return *target;
  }
  // Data that cannot be read is not a name that is unknown.
  if (target.error().code != ErrorCode::kNotFound) return NoSession(name, target.error().message);
  const Result<Product> product = FindProduct(name);
  if (!product.ok()) return NoSession(name, product.error().message);
  catalogue->product = product->name;
  catalogue->known_product = *product;
  if (!product->target.has_value()) {
    Log(fmt::format("{}: its DLPU is not known; it gets the devices every camera has",
                    product->name));
  }
  const Result<Target> found = FindTarget(product->target.value_or("cpu"));
  if (!found.ok()) return NoSession(name, found.error().message);
  return *found;
}

}  // namespace

std::string Catalogue::DeviceNames() const {
  std::string names;
  for (const VirtualDevice& device : devices) {
    if (!names.empty()) names += ", ";
    names += device.info.name;
  }
  return names;
}

Outcome<Catalogue> MakeCatalogue(const std::string& product) {
  Catalogue catalogue;
  LAROD_TRY(catalogue.target,
            TargetOfProduct(product.empty() ? kDefaultProduct : product, &catalogue));
  for (const TargetDevice& device : catalogue.target.devices) {
    catalogue.devices.push_back(MakeDevice(device));
  }
  return catalogue;
}

}  // namespace dlpu::larod

// SPDX-License-Identifier: Apache-2.0
// Catalogue: the virtual devices of a product, made of the target's facts (data/targets) and of
// what larod's documentation says of each kind of device. Plain values; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "larod/compiled_cache.h"
#include "larod/outcome.h"
#include "larod/picture_rules.h"
#include "larod/types.h"
#include "target/products.h"
#include "target/target.h"

namespace dlpu::larod {

// The product when $DLPU_PRODUCT does not say.
inline constexpr const char* kDefaultProduct = "AXIS Q1656-LE";

// One device and how it is emulated.
struct VirtualDevice {
  DeviceInfo info;
  TargetDevice facts;
  std::string lane;                       // devices with equal lanes never work at the same time
  const PictureRules* picture = nullptr;  // of a preprocessing device
  CacheLimits cache;                      // of compiled models
};

struct Catalogue {
  std::string product;  // its full name, or the target's title
  Target target;
  std::optional<Product> known_product;  // absent: the camera was named by its target
  std::vector<VirtualDevice> devices;    // in the camera's order

  // "axis-a8-dlpu-tflite, cpu-tflite, ..."
  std::string DeviceNames() const;
};

// `product` is a product ("Q1656") or a target ("artpec8"); empty: the default. A product whose
// DLPU is not known has the devices that every camera has. Unknown names fail with -7 and
// suggestions.
Outcome<Catalogue> MakeCatalogue(const std::string& product);

}  // namespace dlpu::larod

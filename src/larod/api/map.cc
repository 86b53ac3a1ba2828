// SPDX-License-Identifier: Apache-2.0
// larod.h: maps.
#include <fmt/format.h>

#include <cstring>

#include "larod/api/handles.h"

using namespace dlpu::larod;  // NOLINT: the API is global, what it is made of is not

namespace {

constexpr size_t kMostBytes = 128;  // of a key or string, with the zero at its end

constexpr const char* kKinds[] = {"an integer", "a string", "two integers", "four integers"};

bool TextIsValid(const char* what, const char* text, larodError** error) {
  if (text == nullptr) return Fail(error, BadHandle(what, text), false);
  if (strnlen(text, kMostBytes) < kMostBytes) return true;
  return Fail(error, BadArgument(fmt::format("{} is longer than {} bytes", what, kMostBytes - 1)),
              false);
}

bool Set(larodMap* map, const char* key, Value value, larodError** error) {
  LAROD_NEED("Map", map, false);
  if (!TextIsValid("Key", key, error)) return false;
  const auto [entry, is_new] = map->params.try_emplace(key, value);
  if (is_new) return true;
  if (entry->second.index() != value.index()) {
    return Fail(error,
                BadArgument(fmt::format("Key \"{}\" already has a value of another type", key),
                            fmt::format("it is {}", kKinds[entry->second.index()])),
                false);
  }
  entry->second = std::move(value);
  return true;
}

template <typename T>
const T* Get(larodMap* map, const char* key, larodError** error) {
  constexpr const T* kNone = nullptr;
  LAROD_NEED("Map", map, kNone);
  if (!TextIsValid("Key", key, error)) return nullptr;
  const auto found = map->params.find(key);
  if (found == map->params.end()) {
    return Fail(error, BadArgument(fmt::format("Could not find key \"{}\"", key)), kNone);
  }
  if (const T* value = std::get_if<T>(&found->second)) return value;
  return Fail(error,
              BadArgument(fmt::format("Key \"{}\" has a value of another type", key),
                          fmt::format("it is {}", kKinds[found->second.index()])),
              kNone);
}

}  // namespace

larodMap* larodCreateMap(larodError**) {
  auto* map = new larodMap;
  Registry<larodMap>::Get().Add(map);
  return map;
}

void larodDestroyMap(larodMap** map) {
  if (map == nullptr || *map == nullptr) return;
  if (Registry<larodMap>::Get().Remove(*map)) delete *map;
  *map = nullptr;
}

bool larodMapSetStr(larodMap* map, const char* key, const char* value, larodError** error) {
  if (!TextIsValid("Value", value, error)) return false;
  return Set(map, key, std::string(value), error);
}

bool larodMapSetInt(larodMap* map, const char* key, const int64_t value, larodError** error) {
  return Set(map, key, value, error);
}

bool larodMapSetIntArr2(larodMap* map, const char* key, const int64_t value0, const int64_t value1,
                        larodError** error) {
  return Set(map, key, std::array<int64_t, 2>{value0, value1}, error);
}

bool larodMapSetIntArr4(larodMap* map, const char* key, const int64_t value0, const int64_t value1,
                        const int64_t value2, const int64_t value3, larodError** error) {
  return Set(map, key, std::array<int64_t, 4>{value0, value1, value2, value3}, error);
}

const char* larodMapGetStr(larodMap* map, const char* key, larodError** error) {
  const auto* value = Get<std::string>(map, key, error);
  return value == nullptr ? nullptr : value->c_str();
}

bool larodMapGetInt(larodMap* map, const char* key, int64_t* value, larodError** error) {
  const auto* found = Get<int64_t>(map, key, error);
  if (found == nullptr) return false;
  if (value == nullptr) return Fail(error, BadHandle("Value", value), false);
  *value = *found;
  return true;
}

const int64_t* larodMapGetIntArr2(larodMap* map, const char* key, larodError** error) {
  const auto* value = Get<std::array<int64_t, 2>>(map, key, error);
  return value == nullptr ? nullptr : value->data();
}

const int64_t* larodMapGetIntArr4(larodMap* map, const char* key, larodError** error) {
  const auto* value = Get<std::array<int64_t, 4>>(map, key, error);
  return value == nullptr ? nullptr : value->data();
}

// SPDX-License-Identifier: Apache-2.0
// Hexadecimal and base64: the vectors of RFC 4648, every byte, and texts that are neither.
#include "base/encoding.h"

#include <gtest/gtest.h>

#include <numeric>

namespace dlpu {
namespace {

std::vector<uint8_t> BytesOf(std::string_view text) { return {text.begin(), text.end()}; }

TEST(Base64, VectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(Base64Of(BytesOf(plain)), coded);
    EXPECT_EQ(BytesFromBase64(coded), BytesOf(plain));
  }
}

TEST(Encoding, EveryByteComesBack) {
  std::vector<uint8_t> bytes(256);
  std::iota(bytes.begin(), bytes.end(), uint8_t{0});
  for (size_t n = 0; n <= bytes.size(); ++n) {
    const std::vector<uint8_t> part(bytes.begin(), bytes.begin() + static_cast<int64_t>(n));
    EXPECT_EQ(BytesFromHex(HexOf(part)), part);
    EXPECT_EQ(BytesFromBase64(Base64Of(part)), part);
  }
  EXPECT_EQ(BytesFromHex("00fFA5"), (std::vector<uint8_t>{0, 255, 0xA5}));
}

TEST(Encoding, OtherTextIsRefused) {
  for (const char* text : {"0", "0g", "é0", "00 0"}) EXPECT_FALSE(BytesFromHex(text)) << text;
  for (const char* text : {"Zg=", "Zg", "Z===", "====", "Zh==", "Zm9=", "Zg==Zg==", "Zm\n9"}) {
    EXPECT_FALSE(BytesFromBase64(text)) << text;
  }
}

}  // namespace
}  // namespace dlpu

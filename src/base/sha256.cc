// SPDX-License-Identifier: Apache-2.0
// SHA-256 through libcrypto.
#include "base/sha256.h"

// The functions of sha256.c alone are linked; EVP's would bring the rest of the library along.
#define OPENSSL_API_COMPAT 10100
#include <openssl/sha.h>

namespace dlpu {

std::string Sha256Hex(std::span<const uint8_t> bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  SHA256_Final(digest, &context);
  std::string text;
  for (const unsigned char byte : digest) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace dlpu

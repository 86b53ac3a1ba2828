// SPDX-License-Identifier: Apache-2.0
// Products: which Axis camera has which processor (data/products.toml), and finding one by the name
// people use. Plain values owned by the caller; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "target/condition.h"

namespace dlpu {

struct Product {
  std::string name;                     // "AXIS Q1656-LE"
  std::string soc;                      // "ARTPEC-8"; "ARTPEC-6/7" where the source merges two
  std::string dlpu;                     // "ARTPEC-8 DLPU"; "none"; "unknown"
  std::optional<std::string> target;    // name of the Target; absent when the DLPU is unknown
  std::string arch;                     // aarch64, armv7hf
  std::optional<int> ram_mb, flash_mb;  // absent: not published
  std::string configuration;  // ARTPEC-8: "normal" or "limited" hardware build; empty: not known
  std::string notes;
  Fact fact;  // where `soc` and `dlpu` come from
};

// Whether the product has a DLPU; nothing when the sources do not tell.
std::optional<bool> HasDlpu(const Product& product);

// Parses the text of a products.toml; `name` is how errors call it.
Result<std::vector<Product>> ParseProducts(const std::string& text, const std::string& name);
// Loads data/products.toml. In the file's order.
Result<std::vector<Product>> LoadProducts();

// The products a name may mean, compared without case, spaces, '-', '_', '.' and the word AXIS: the
// one whose whole name it is, else all whose names begin with it, else all that contain it.
std::vector<const Product*> MatchProducts(const std::vector<Product>& products,
                                          std::string_view name);

// What a user asks of products. Empty or 0: anything.
struct ProductFilter {
  std::string text{};  // a name or part of it, as MatchProducts takes it
  std::string soc{};   // part of the SoC's name, compared as names are: "artpec8"
  bool dlpu = false;
  int min_ram_mb = 0;
};
struct ProductSelection {
  std::vector<const Product*> products;   // in the list's order; not empty
  int unknown_dlpu = 0, unknown_ram = 0;  // left out because the sources do not tell
};
// Errors: no product of that name (the nearest is suggested), no such SoC (all are listed), or none
// that has everything asked for.
Result<ProductSelection> SelectProducts(const std::vector<Product>& products,
                                        const ProductFilter& filter);

// The one product a name means ("Q1656", "q1656-le", "AXIS Q1656-LE"). An exact name wins over
// longer ones that begin with it. Several matches are an error that lists them, no match one that
// suggests the nearest name.
Result<Product> FindProduct(const std::vector<Product>& products, std::string_view name);
Result<Product> FindProduct(std::string_view name);

}  // namespace dlpu

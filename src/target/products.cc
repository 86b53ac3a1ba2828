// SPDX-License-Identifier: Apache-2.0
// Loading products and matching their names.
#include "target/products.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/data_path.h"
#include "base/file.h"
#include "base/nearest.h"
#include "base/toml.h"

namespace dlpu {
namespace {

// "AXIS Q1615 Mk III" and "q1615-mk-iii" are both "q1615mkiii".
std::string Plain(std::string_view name) {
  std::string plain;
  for (char c : name) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || byte >= 0x80) plain += static_cast<char>(std::tolower(byte));
  }
  constexpr std::string_view kMaker = "axis";
  if (plain.starts_with(kMaker)) plain.erase(0, kMaker.size());
  return plain;
}

Product ReadProduct(const TomlTable& t, const TomlTable& sources) {
  Product p;
  p.name = t.Str("name");
  if (Plain(p.name).empty()) t.Fail("name", "'name' has no letter or digit");
  p.soc = t.Str("soc");
  p.dlpu = t.Str("dlpu");
  if (t.Has("target")) p.target = t.Str("target");
  p.arch = t.Word("arch", {"aarch64", "armv7hf"});
  if (t.Has("ram_mb")) p.ram_mb = static_cast<int>(t.Int("ram_mb", 1, 1 << 20));
  if (t.Has("flash_mb")) p.flash_mb = static_cast<int>(t.Int("flash_mb", 1, 1 << 20));
  p.configuration = t.Word("configuration", {"normal", "limited"}, "");
  p.notes = t.Str("notes", "");
  p.fact = ReadFact(t, sources);
  return p;
}

// A list for an error message, cut when it is long.
std::string Names(const std::vector<const Product*>& products) {
  constexpr size_t kMost = 12;
  std::vector<std::string> names;
  for (size_t i = 0; i < products.size() && i < kMost; ++i) names.push_back(products[i]->name);
  std::string text = fmt::format("{}", fmt::join(names, ", "));
  if (products.size() > kMost) text += fmt::format(" and {} more", products.size() - kMost);
  return text;
}

// Whether a source's SoC may be the one that is wanted (plain). "ARTPEC-6/7" stands for ARTPEC-6 or
// ARTPEC-7.
bool MayBeSoc(const std::string& soc, const std::string& plain) {
  if (Plain(soc).find(plain) != std::string::npos) return true;
  const size_t dash = soc.rfind('-'), slash = soc.rfind('/');
  if (dash == std::string::npos || slash == std::string::npos || slash < dash) return false;
  return Plain(soc.substr(0, dash + 1) + soc.substr(slash + 1)).find(plain) != std::string::npos;
}

// Refuses a SoC that no product has.
Status CheckSoc(const std::vector<Product>& products, const std::string& wanted,
                const std::string& plain) {
  std::set<std::string> socs;
  for (const Product& product : products) {
    if (!plain.empty() && MayBeSoc(product.soc, plain)) return OkStatus();
    socs.insert(product.soc);
  }
  return NotFoundError(
      fmt::format("no product has the SoC '{}'; known are {}", wanted, fmt::join(socs, ", ")));
}

}  // namespace

Result<std::vector<Product>> ParseProducts(const std::string& text, const std::string& name) {
  DLPU_TRY(TomlFile file, TomlFile::Parse(text, name));
  const TomlTable root = file.Root();
  root.Int("version", 1, 1);
  const TomlTable sources = root.Table("sources");
  for (const std::string& key : sources.Keys()) sources.Str(key);
  std::vector<Product> products;
  std::set<std::string> seen;
  for (const TomlTable& t : root.Tables("products")) {
    products.push_back(ReadProduct(t, sources));
    const std::string& product = products.back().name;
    if (!seen.insert(Plain(product)).second) t.Fail("name", product + " is there twice");
  }
  DLPU_RETURN_IF_ERROR(file.Finish());
  return products;
}

Result<std::vector<Product>> LoadProducts() {
  DLPU_TRY(const std::string path, DataPath("products.toml"));
  DLPU_TRY(const std::string text, ReadTextFile(path));
  return ParseProducts(text, path);
}

std::vector<const Product*> MatchProducts(const std::vector<Product>& products,
                                          std::string_view name) {
  const std::string wanted = Plain(name);
  std::vector<const Product*> beginning, containing;
  if (wanted.empty()) return {};
  for (const Product& product : products) {
    const std::string plain = Plain(product.name);
    if (plain == wanted) return {&product};
    if (plain.starts_with(wanted)) beginning.push_back(&product);
    if (plain.find(wanted) != std::string::npos) containing.push_back(&product);
  }
  return beginning.empty() ? containing : beginning;
}

std::optional<bool> HasDlpu(const Product& product) {
  if (product.dlpu == "unknown") return std::nullopt;
  return product.dlpu != "none";
}

Result<ProductSelection> SelectProducts(const std::vector<Product>& products,
                                        const ProductFilter& filter) {
  std::vector<const Product*> candidates;
  if (filter.text.empty()) {
    for (const Product& product : products) candidates.push_back(&product);
  } else {
    candidates = MatchProducts(products, filter.text);
    if (candidates.empty()) return FindProduct(products, filter.text).error();
  }
  if (const std::string soc = Plain(filter.soc); !filter.soc.empty()) {
    DLPU_RETURN_IF_ERROR(CheckSoc(products, filter.soc, soc));
    std::erase_if(candidates, [&](const Product* p) { return !MayBeSoc(p->soc, soc); });
  }
  ProductSelection selection;
  for (const Product* product : candidates) {
    const bool ram_known = product->ram_mb.has_value() || filter.min_ram_mb == 0;
    const bool dlpu_known = HasDlpu(*product).has_value() || !filter.dlpu;
    selection.unknown_ram += !ram_known;
    selection.unknown_dlpu += !dlpu_known;
    if (!ram_known || product->ram_mb.value_or(filter.min_ram_mb) < filter.min_ram_mb) continue;
    if (!dlpu_known || (filter.dlpu && !*HasDlpu(*product))) continue;
    selection.products.push_back(product);
  }
  if (selection.products.empty()) {
    return NotFoundError(fmt::format(
        "none of {} products of that name and SoC is known to have the rest (memory is not known "
        "of {}, the DLPU not of {})",
        candidates.size(), selection.unknown_ram, selection.unknown_dlpu));
  }
  return selection;
}

Result<Product> FindProduct(const std::vector<Product>& products, std::string_view name) {
  const std::vector<const Product*> matches = MatchProducts(products, name);
  if (matches.size() == 1) return *matches[0];
  if (matches.size() > 1) {
    return InvalidError(fmt::format("'{}' may be {} products: {}; give one in full", name,
                                    matches.size(), Names(matches)));
  }
  // The nearest in spelling; for a number that does not exist, one of the same series (Q1...).
  const std::string plain = Plain(name);
  std::vector<std::string> names, series;
  for (const Product& product : products) {
    names.push_back(Plain(product.name));
    if (plain.size() > 2 && names.back().substr(0, 2) == plain.substr(0, 2)) {
      series.push_back(names.back());
    }
  }
  std::string nearest = Nearest(plain, names);
  if (nearest.empty()) {
    const auto first = std::min_element(series.begin(), series.end(),
                                        [&](const std::string& a, const std::string& b) {
                                          return EditDistance(plain, a) < EditDistance(plain, b);
                                        });
    if (first != series.end()) nearest = *first;
  }
  std::string hint;
  for (const Product& product : products) {
    if (!nearest.empty() && Plain(product.name) == nearest) {
      hint = " (did you mean " + product.name + "?)";
    }
  }
  return NotFoundError(
      fmt::format("there is no product '{}'{}; `dlpu products` lists all", name, hint));
}

Result<Product> FindProduct(std::string_view name) {
  DLPU_TRY(const std::vector<Product> products, LoadProducts());
  return FindProduct(products, name);
}

}  // namespace dlpu

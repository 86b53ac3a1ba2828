// SPDX-License-Identifier: Apache-2.0
// The shipped products, and finding one by the names people use.
#include "target/products.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "target/target.h"

namespace dlpu {
namespace {

using testing::HasSubstr;

const std::vector<Product>& All() {
  static const std::vector<Product> products = [] {
    Result<std::vector<Product>> loaded = LoadProducts();
    EXPECT_TRUE(loaded.ok()) << loaded.error().message;
    return loaded.ok() ? *loaded : std::vector<Product>();
  }();
  return products;
}

std::string Found(std::string_view name) {
  Result<Product> product = FindProduct(All(), name);
  return product.ok() ? product->name : product.error().message;
}

TEST(Products, EachNamesATargetThatExists) {
  Result<std::vector<Target>> targets = LoadTargets();
  ASSERT_TRUE(targets.ok()) << targets.error().message;
  int with = 0;
  for (const Product& p : All()) {
    EXPECT_EQ(p.target.has_value(), p.dlpu != "unknown" && p.soc.find(" or ") == std::string::npos)
        << p.name;
    if (!p.target) continue;
    ++with;
    Result<Target> target = FindTarget(*targets, *p.target);
    ASSERT_TRUE(target.ok()) << p.name << ": " << target.error().message;
    EXPECT_EQ(target->dlpu, p.dlpu) << p.name;
  }
  EXPECT_EQ(All().size(), 272u);
  EXPECT_GT(with, 100);
}

TEST(Products, AreFoundByTheNamesPeopleUse) {
  EXPECT_EQ(Found("Q1656"), "AXIS Q1656");  // exact, though Q1656-LE begins with it
  EXPECT_EQ(Found("q1656-le"), "AXIS Q1656-LE");
  EXPECT_EQ(Found("AXIS Q1656-LE"), "AXIS Q1656-LE");
  EXPECT_EQ(Found("axis q1656 le"), "AXIS Q1656-LE");
  EXPECT_EQ(Found("AXISQ1656LE"), "AXIS Q1656-LE");
  EXPECT_EQ(Found("m2048"), "AXIS M2048-LE");  // the only one that begins so
  Result<Product> none = FindProduct("M3067-P");
  ASSERT_TRUE(none.ok()) << none.error().message;
  EXPECT_EQ(none->target, "cpu");
  EXPECT_EQ(none->fact.confidence, Confidence::kMeasured);
}

TEST(Products, SeveralMatchesAreListed) {
  EXPECT_EQ(Found("p3265"),
            "'p3265' may be 4 products: AXIS P3265-LV, AXIS P3265-LVE, AXIS P3265-LVE-3, "
            "AXIS P3265-V; give one in full");
  EXPECT_EQ(MatchProducts(All(), "p3265").size(), 4u);
  EXPECT_THAT(Found("P"), HasSubstr(" more; give one in full"));
}

TEST(Products, UnknownOnesSuggestTheNearest) {
  EXPECT_EQ(Found("Q1665-LE"),
            "there is no product 'Q1665-LE' (did you mean AXIS Q1656-LE?); `dlpu products` lists "
            "all");
  EXPECT_THAT(Found("Q9999"), HasSubstr("(did you mean AXIS Q9"));
  EXPECT_EQ(Found("toaster"), "there is no product 'toaster'; `dlpu products` lists all");
  EXPECT_THAT(Found(""), HasSubstr("there is no product ''"));
  EXPECT_THAT(Found("AXIS"), HasSubstr("there is no product 'AXIS'"));
}

TEST(Products, WhatIsNotKnownIsAbsent) {
  Result<Product> q1656 = FindProduct(All(), "Q1656");
  ASSERT_TRUE(q1656.ok());
  EXPECT_EQ(q1656->ram_mb, 2048);
  EXPECT_FALSE(q1656->flash_mb.has_value());
  EXPECT_EQ(q1656->configuration, "normal");
  EXPECT_EQ(FindProduct(All(), "P1465-LE")->configuration, "limited");
  EXPECT_EQ(FindProduct(All(), "Q1656-BE")->configuration, "");
}

TEST(SelectProducts, NamesSocDlpuAndMemoryNarrowTheList) {
  const auto count = [](const ProductFilter& filter) {
    const Result<ProductSelection> found = SelectProducts(All(), filter);
    return found.ok() ? found->products.size() : 0;
  };
  EXPECT_EQ(count({}), All().size());
  // Sources that do not tell ARTPEC-6 and ARTPEC-7 apart count for both.
  EXPECT_GT(count({.soc = "artpec7"}), 100u);
  EXPECT_GT(count({.soc = "ARTPEC-6"}), 100u);
  EXPECT_LT(count({.soc = "artpec7", .dlpu = true}), 10u);
  const size_t artpec8 = count({.soc = "ARTPEC-8"});
  EXPECT_GT(artpec8, 10u);
  EXPECT_EQ(count({.soc = "artpec8"}), artpec8);
  EXPECT_EQ(count({.soc = "artpec8", .dlpu = true}), artpec8);  // each of them has one
  EXPECT_EQ(count({.text = "Q1656"}), 1u);                      // an exact name wins
  EXPECT_GT(count({.text = "Q16"}), 1u);
  const Result<ProductSelection> large = SelectProducts(All(), {.dlpu = true, .min_ram_mb = 2048});
  ASSERT_TRUE(large.ok()) << large.error().message;
  for (const Product* product : large->products) {
    EXPECT_GE(product->ram_mb, 2048) << product->name;
    EXPECT_EQ(HasDlpu(*product), true) << product->name;
  }
  EXPECT_GT(large->unknown_ram, 0);
  EXPECT_GT(large->unknown_dlpu, 0);
}

TEST(SelectProducts, WhatIsNotThereIsNamed) {
  const auto refused = [](const ProductFilter& filter) {
    const Result<ProductSelection> found = SelectProducts(All(), filter);
    return found.ok() ? "" : found.error().message;
  };
  EXPECT_THAT(refused({.text = "Q1665-LE"}), HasSubstr("did you mean AXIS Q1656-LE?"));
  EXPECT_THAT(refused({.soc = "artpec10"}),
              HasSubstr("no product has the SoC 'artpec10'; known are"));
  EXPECT_THAT(refused({.soc = "-"}), HasSubstr("ARTPEC-8"));
  EXPECT_THAT(refused({.text = "M3067-P", .dlpu = true}), HasSubstr("none of 1 products"));
  EXPECT_THAT(refused({.min_ram_mb = 1 << 20}), HasSubstr("memory is not known of"));
}

TEST(ParseProducts, MistakesAreNamed) {
  auto mistake = [](const std::string& line) {
    Result<std::vector<Product>> parsed =
        ParseProducts("version = 1\nproducts = [\n" + line + "\n]\n[sources]\na = 'A'\n", "p.toml");
    return parsed.ok() ? "" : parsed.error().message;
  };
  const std::string good =
      "{ name = 'AXIS X1', soc = 's', dlpu = 'none', arch = 'aarch64', source = 'a', "
      "confidence = 'assumed' },\n";
  EXPECT_EQ(mistake(good), "");
  EXPECT_EQ(mistake(good + good), "p.toml:4: AXIS X1 is there twice");
  EXPECT_THAT(mistake("{ name = 'X', rom_mb = 1 }"),
              HasSubstr("p.toml:3: unknown key 'rom_mb' (did you mean ram_mb?)"));
  EXPECT_THAT(mistake("{ name = 'X' }"), HasSubstr("the key 'soc' is missing"));
  EXPECT_THAT(mistake("{ name = '-', soc = 's', dlpu = 'none', arch = 'aarch64', source = 'a', "
                      "confidence = 'assumed' }"),
              HasSubstr("has no letter or digit"));
}

}  // namespace
}  // namespace dlpu

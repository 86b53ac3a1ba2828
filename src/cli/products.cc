// SPDX-License-Identifier: Apache-2.0
// dlpu products: which camera has which processor.
#include "target/products.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "report/inspect.h"
#include "report/table.h"

namespace dlpu {
namespace {

struct Arguments {
  std::string text, soc, json;
  bool dlpu = false;
  int min_ram = 0;
};

std::string Known(const std::optional<int>& value) {
  return value.has_value() ? std::to_string(*value) : "unknown";
}

bool Fits(const Product& product, const Arguments& arguments) {
  const auto lower = [](std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
  };
  if (!arguments.soc.empty() &&
      lower(product.soc).find(lower(arguments.soc)) == std::string::npos) {
    return false;
  }
  if (arguments.dlpu && (product.dlpu == "none" || product.dlpu == "unknown")) return false;
  return arguments.min_ram == 0 || product.ram_mb.value_or(0) >= arguments.min_ram;
}

CommandResult RunProducts(const Arguments& arguments) {
  DLPU_TRY(const std::vector<Product> products, LoadProducts());
  std::vector<const Product*> matches;
  if (arguments.text.empty()) {
    for (const Product& product : products) matches.push_back(&product);
  } else {
    matches = MatchProducts(products, arguments.text);
    if (matches.empty()) {
      const Result<Product> nearest = FindProduct(products, arguments.text);
      if (!nearest.ok()) return nearest.error();
    }
  }
  std::erase_if(matches, [&](const Product* product) { return !Fits(*product, arguments); });
  if (matches.empty()) return NotFoundError("no product has all of these");
  Table table({"product", "SoC", "DLPU", ">RAM MB", "target", "known how"});
  nlohmann::ordered_json json = {{"schema_version", kJsonSchemaVersion},
                                 {"products", nlohmann::ordered_json::array()}};
  for (const Product* product : matches) {
    const std::string confidence(ConfidenceName(product->fact.confidence));
    table.AddRow({product->name, product->soc, product->dlpu, Known(product->ram_mb),
                  product->target.value_or("unknown"), confidence});
    nlohmann::ordered_json row = {{"product", product->name},
                                  {"soc", product->soc},
                                  {"dlpu", product->dlpu},
                                  {"target", nullptr},
                                  {"ram_mb", nullptr},
                                  {"notes", product->notes},
                                  {"source", product->fact.source},
                                  {"confidence", confidence}};
    if (product->target.has_value()) row["target"] = *product->target;
    if (product->ram_mb.has_value()) row["ram_mb"] = *product->ram_mb;
    json["products"].push_back(std::move(row));
  }
  std::string text = table.Text();
  if (matches.size() == 1 && !matches[0]->notes.empty()) text += matches[0]->notes + "\n";
  if (matches.size() == 1) text += "source: " + matches[0]->fact.source + "\n";
  PrintText(arguments.json, text);
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, json));
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddProductsCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "products", "Find cameras by name, processor or memory",
                  [arguments] { return RunProducts(*arguments); });
  command.Positional("TEXT", &arguments->text, "A product's name or part of it", false);
  command.Option("--soc", "S", &arguments->soc, "Only products with this SoC, e.g. ARTPEC-8");
  command.Flag("--dlpu", &arguments->dlpu, "Only products known to have a DLPU");
  command.Option("--min-ram", "MB", &arguments->min_ram, 0, 1 << 20,
                 "Only products known to have at least so much memory");
  command.Json(&arguments->json);
}

}  // namespace dlpu

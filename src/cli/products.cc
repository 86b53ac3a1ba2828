// SPDX-License-Identifier: Apache-2.0
// dlpu products: which camera has which processor.
#include "target/products.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "report/inspect.h"
#include "report/table.h"

namespace dlpu {
namespace {

struct Arguments {
  ProductFilter filter;
  std::vector<std::string> words;  // of filter.text
  std::string json;
};

std::string Known(const std::optional<int>& value) {
  return value.has_value() ? std::to_string(*value) : "unknown";
}

nlohmann::ordered_json ProductJson(const Product& product) {
  nlohmann::ordered_json row = {{"product", product.name},
                                {"soc", product.soc},
                                {"dlpu", product.dlpu},
                                {"dlpu_fitted", nullptr},
                                {"target", nullptr},
                                {"arch", product.arch},
                                {"ram_mb", nullptr},
                                {"flash_mb", nullptr},
                                {"configuration", nullptr},
                                {"notes", product.notes},
                                {"source", product.fact.source},
                                {"confidence", ConfidenceName(product.fact.confidence)}};
  if (const auto fitted = HasDlpu(product); fitted.has_value()) row["dlpu_fitted"] = *fitted;
  if (product.target.has_value()) row["target"] = *product.target;
  if (product.ram_mb.has_value()) row["ram_mb"] = *product.ram_mb;
  if (product.flash_mb.has_value()) row["flash_mb"] = *product.flash_mb;
  if (!product.configuration.empty()) row["configuration"] = product.configuration;
  return row;
}

// What one product's row of the table has no room for.
std::string OneText(const Product& product) {
  std::string text;
  if (!HasDlpu(product).has_value()) {
    text += "Whether this product has a DLPU is not known: the sources do not tell.\n";
  }
  if (!product.notes.empty()) text += product.notes + "\n";
  return text + "source: " + product.fact.source + "\n";
}

std::string LeftOutText(const ProductSelection& selection) {
  std::string text;
  if (selection.unknown_ram > 0) {
    text += fmt::format("{} more whose memory is not known\n", selection.unknown_ram);
  }
  if (selection.unknown_dlpu > 0) {
    text += fmt::format("{} more of which is not known whether they have a DLPU\n",
                        selection.unknown_dlpu);
  }
  return text;
}

CommandResult RunProducts(const Arguments& arguments) {
  DLPU_TRY(const std::vector<Product> products, LoadProducts());
  ProductFilter filter = arguments.filter;
  filter.text = fmt::format("{}", fmt::join(arguments.words, " "));
  DLPU_TRY(const ProductSelection selection, SelectProducts(products, filter));
  Table table({"product", "SoC", "DLPU", "speed", ">RAM MB", "target", "known how"});
  nlohmann::ordered_json json = {{"schema_version", kJsonSchemaVersion},
                                 {"products", nlohmann::ordered_json::array()},
                                 {"unknown_ram", selection.unknown_ram},
                                 {"unknown_dlpu", selection.unknown_dlpu}};
  for (const Product* product : selection.products) {
    table.AddRow({product->name, product->soc, product->dlpu, product->configuration,
                  Known(product->ram_mb), product->target.value_or("unknown"),
                  std::string(ConfidenceName(product->fact.confidence))});
    json["products"].push_back(ProductJson(*product));
  }
  std::string text = table.Text();
  if (selection.products.size() == 1) text += OneText(*selection.products[0]);
  PrintText(arguments.json, text + LeftOutText(selection));
  DLPU_RETURN_IF_ERROR(WriteJson(arguments.json, json));
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddProductsCommand(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  Command command(app, "products", "Find cameras by name, processor or memory",
                  [arguments] { return RunProducts(*arguments); });
  command.Positional("TEXT", &arguments->words, "A product's name or part of it");
  command.Option("--soc", "S", &arguments->filter.soc,
                 "Only products with this SoC, e.g. ARTPEC-8");
  command.Flag("--dlpu", &arguments->filter.dlpu, "Only products known to have a DLPU");
  command.Option("--min-ram", "MB", &arguments->filter.min_ram_mb, 0, 1 << 20,
                 "Only products known to have at least so much memory");
  command.Json(&arguments->json);
}

}  // namespace dlpu

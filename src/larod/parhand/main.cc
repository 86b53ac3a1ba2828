// SPDX-License-Identifier: Apache-2.0
// parhandclient: answers what Axis' own scripts ask a camera's parameter handler before they run
// larod-client: the product's number and its SoC. There are no other parameters here.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "larod/catalogue.h"
#include "larod/daemon/metrics_client.h"

namespace dlpu::larod {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The value of a label of the daemon's "dlpu_larod_info" line.
std::string Label(const std::string& metrics, const std::string& name) {
  const size_t at = metrics.find(name + "=\"");
  if (at == std::string::npos) return "";
  const size_t begin = at + name.size() + 2;
  return metrics.substr(begin, metrics.find('"', begin) - begin);
}

// The camera that applications have: the daemon's, or $DLPU_PRODUCT.
Outcome<Catalogue> ThisCamera() {
  const std::string socket = Variable("DLPU_LAROD_SOCKET");
  if (socket.empty()) return MakeCatalogue(Variable("DLPU_PRODUCT"));
  const Result<std::string> metrics = MetricsOf(socket);
  if (!metrics.ok()) return Failure{LAROD_ERROR_CONNECTION, metrics.error().message, ""};
  auto camera = MakeCatalogue(Label(*metrics, "product"));
  return camera.ok() ? std::move(camera) : MakeCatalogue(Label(*metrics, "target"));
}

// "Q1656-LE"; a camera that was named by its target has no number.
std::string ProductNumber(const Catalogue& camera) {
  std::string number = camera.product;
  if (number.starts_with("AXIS ")) number.erase(0, 5);
  return number;
}

// As cameras write it: "Axis Artpec-8", "Ambarella CV25".
std::string Soc(const Catalogue& camera) {
  std::string title = camera.target.title;
  constexpr std::string_view kArtpec = "ARTPEC-";
  if (title.starts_with(kArtpec)) return "Axis Artpec-" + title.substr(kArtpec.size());
  if (title.starts_with("CV")) return "Ambarella " + title;
  return camera.known_product.has_value() ? camera.known_product->soc : title;
}

int Run(const std::string& command, const std::string& name) {
  const auto camera = ThisCamera();
  if (!camera.ok()) {
    std::fprintf(stderr, "parhandclient: %s\n", camera.failure().message.c_str());
    return 1;
  }
  std::string value;
  if (name == "root.Brand.ProdNbr") value = ProductNumber(*camera);
  if (name == "root.Properties.System.Soc") value = Soc(*camera);
  if (value.empty() || (command != "get" && command != "getgroup")) {
    std::fprintf(stderr,
                 "parhandclient: %s %s is not known here; only get and getgroup of "
                 "root.Brand.ProdNbr and root.Properties.System.Soc are\n",
                 command.c_str(), name.c_str());
    return 1;
  }
  if (command == "get") {
    std::printf("\"%s\"\n", value.c_str());
  } else {
    std::printf("%s=\"%s\"\n", name.c_str(), value.c_str());
  }
  return 0;
}

}  // namespace
}  // namespace dlpu::larod

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: parhandclient get|getgroup NAME\n");
    return 1;
  }
  return dlpu::larod::Run(argv[1], argv[2]);
}

// SPDX-License-Identifier: Apache-2.0
// Two layouts of one structure, read with a table of offsets for each. Every read is inside bytes
// that were checked to be there: records are sliced off first, then their fields are looked at.
#include "formats/cvflow_bin.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

namespace dlpu {
namespace {

constexpr uint32_t kMagic3 = 0xFEEDBEEF;  // of generation 3; generation 2 has none
constexpr uint32_t kLinear = 0x2000;
constexpr uint32_t kMostGraphs = 4096, kMostPorts = 1024;

// Offsets of fields in bytes; what only one generation has is 0 in the other.
struct Layout {
  int generation;
  uint32_t graph_count_at, first_graph, tool_at;
  uint32_t graph_bytes, port_bytes;  // sizes of the records
  // In a graph's record.
  uint32_t working, program, on_chip, inputs, outputs, block, graph_name;
  // In a port's record.
  bool wide;  // dims, pitch and sizes are of 64 bits
  uint32_t pitch, layout, format, bytes, link, link_bytes, name, name_bytes;
  int base_bits;  // of size code 0
};

constexpr Layout kGeneration2 = {2,    0x0C, 0x200, 0x08, 0xA8,  0x488, 0x10, 0x14,
                                 0x18, 0x1C, 0x20,  0x24, 0x28,  false, 0x10, 0x1C,
                                 0x78, 0x80, 0x88,  512,  0x288, 512,   8};
constexpr Layout kGeneration3 = {3,    0x430, 0x450, 0x04, 0xB0,  0x4E8, 0x14, 0x18,
                                 0x1C, 0x20,  0x24,  0x2C, 0x30,  true,  0x20, 0x38,
                                 0xC4, 0xD8,  0xE8,  256,  0x1E8, 512,   4};

using Bytes = std::span<const uint8_t>;

// REQUIRES: the bytes are there.
uint64_t Word(Bytes bytes, size_t at, int size) {
  uint64_t value = 0;
  for (int i = size - 1; i >= 0; --i) value = value << 8 | bytes[at + static_cast<size_t>(i)];
  return value;
}
uint32_t Word32(Bytes bytes, size_t at) { return static_cast<uint32_t>(Word(bytes, at, 4)); }

bool HasWord(Bytes bytes, size_t at, uint32_t value) {
  return bytes.size() >= at + 4 && Word32(bytes, at) == value;
}

class Reader {
 public:
  Reader(Bytes bytes, const std::string& name, const Layout& layout)
      : bytes_(bytes), name_(name), l_(layout) {}

  Result<CvflowBin> Read() {
    DLPU_TRY(const Bytes header, Slice(0, l_.first_graph, "its header"));
    bin_.generation = l_.generation;
    bin_.version = Word32(header, 0);
    bin_.tool_id = Word32(header, l_.tool_at);
    DLPU_RETURN_IF_ERROR(CheckHeader(header));
    const uint32_t count = Word32(header, l_.graph_count_at);
    if (count < 1 || count > kMostGraphs) {
      return Invalid(fmt::format("it says {} graphs; 1 to {} can be", count, kMostGraphs));
    }
    DLPU_TRY(const Bytes records,
             Slice(l_.first_graph, uint64_t{count} * l_.graph_bytes, "its list of graphs"));
    uint64_t at = l_.first_graph + records.size();
    for (uint32_t i = 0; i < count; ++i) {
      const Bytes record = records.subspan(size_t{i} * l_.graph_bytes, l_.graph_bytes);
      DLPU_TRY(const uint64_t size, ReadGraph(record, i, at));
      at += size;
    }
    if (at != bytes_.size()) {
      return Invalid(
          fmt::format("its graphs end at byte {}, the file at byte {}", at, bytes_.size()));
    }
    FindNetworkPorts();
    if (bin_.inputs.empty() || bin_.outputs.empty()) {
      return Invalid(fmt::format("the network has {} inputs and {} outputs", bin_.inputs.size(),
                                 bin_.outputs.size()));
    }
    return std::move(bin_);
  }

 private:
  Error Invalid(const std::string& message) const {
    return InvalidError(
        fmt::format("{}: the CVflow file is damaged or cut off: {}", name_, message));
  }

  Result<Bytes> Slice(uint64_t at, uint64_t size, const std::string& what) const {
    if (at > bytes_.size() || size > bytes_.size() - at) {
      return Invalid(fmt::format("{} should be bytes {} to {}, the file has {}", what, at,
                                 at + size, bytes_.size()));
    }
    return bytes_.subspan(at, size);
  }

  Status CheckHeader(Bytes header) const {
    if (l_.generation == 2) return OkStatus();
    const uint64_t body = Word32(header, 0x440);
    if (body + l_.first_graph != bytes_.size()) {
      return Invalid(fmt::format("its header says {} bytes, the file has {}", body + l_.first_graph,
                                 bytes_.size()));
    }
    return OkStatus();
  }

  // A text that ends within its field.
  Result<std::string> Text(Bytes record, size_t at, size_t size, const std::string& what) const {
    const auto* begin = reinterpret_cast<const char*>(record.data()) + at;
    const auto* end = static_cast<const char*>(std::memchr(begin, 0, size));
    const bool printable = end != nullptr && std::all_of(begin, end, [](char c) {
                             return static_cast<unsigned char>(c) >= 32 && c != 127;
                           });
    if (!printable) return Invalid(what + " has a name that is no text");
    return std::string(begin, end);
  }

  // Returns the bytes of the graph's block, which begins at `at`.
  Result<uint64_t> ReadGraph(Bytes record, uint32_t index, uint64_t at) {
    CvflowGraph graph;
    const std::string what = fmt::format("graph {}", index);
    if (Word32(record, 0) != index) {
      return Invalid(fmt::format("{} calls itself {}", what, Word32(record, 0)));
    }
    DLPU_TRY(graph.name, Text(record, l_.graph_name, l_.graph_bytes - l_.graph_name, what));
    graph.working_bytes = Word32(record, l_.working);
    graph.program_bytes = Word32(record, l_.program);
    graph.on_chip_bytes = Word32(record, l_.on_chip);
    const uint32_t inputs = Word32(record, l_.inputs), outputs = Word32(record, l_.outputs);
    if (inputs > kMostPorts || outputs > kMostPorts) {
      return Invalid(fmt::format("{} says {} inputs and {} outputs; {} can be", what, inputs,
                                 outputs, kMostPorts));
    }
    const uint64_t ports = uint64_t{inputs + outputs} * l_.port_bytes;
    const uint64_t block = Word32(record, l_.block);
    if (block != ports + static_cast<uint64_t>(graph.program_bytes)) {
      return Invalid(fmt::format("{} has {} bytes, its {} ports and program need {}", what, block,
                                 inputs + outputs,
                                 ports + static_cast<uint64_t>(graph.program_bytes)));
    }
    DLPU_TRY(const Bytes data, Slice(at, block, what));
    for (uint32_t i = 0; i < inputs + outputs; ++i) {
      DLPU_TRY(CvflowPort port, ReadPort(data.subspan(size_t{i} * l_.port_bytes, l_.port_bytes),
                                         fmt::format("port {} of {}", i, what)));
      (i < inputs ? graph.inputs : graph.outputs).push_back(std::move(port));
    }
    bin_.graphs.push_back(std::move(graph));
    return block;
  }

  Result<std::array<int64_t, 4>> Dims(Bytes record, size_t at, const std::string& what) const {
    std::array<int64_t, 4> dims{};
    double product = 1;
    const int width = l_.wide ? 8 : 4;
    for (size_t i = 0; i < 4; ++i) {
      const uint64_t extent = Word(record, at + i * static_cast<size_t>(width), width);
      dims[i] = static_cast<int64_t>(std::min<uint64_t>(extent, uint64_t{1} << 40));
      product *= static_cast<double>(dims[i]);
    }
    if (product < 1 || product > static_cast<double>(int64_t{1} << 40)) {
      return Invalid(
          fmt::format("{} has extents {}x{}x{}x{}", what, dims[0], dims[1], dims[2], dims[3]));
    }
    return dims;
  }

  Result<CvflowType> Type(Bytes record, const std::string& what) const {
    CvflowType type;
    const uint8_t sign = record[l_.format], code = record[l_.format + 1];
    const auto exponent = static_cast<int8_t>(record[l_.format + 2]);
    const uint8_t exponent_bits = record[l_.format + 3];
    if (sign > 1 || code > 4) {
      return Invalid(fmt::format("{} has data of sign {} and size {}", what, sign, code));
    }
    type.is_signed = sign == 1;
    type.bits = l_.base_bits << code;
    type.is_float = l_.generation == 3 ? Word32(record, 0xC8) == 1 : exponent_bits != 0;
    type.exponent = type.is_float ? 0 : exponent;
    return type;
  }

  Result<CvflowPort> ReadPort(Bytes record, const std::string& what) const {
    CvflowPort port;
    DLPU_TRY(port.link, Text(record, l_.link, l_.link_bytes, what));
    DLPU_TRY(port.name, Text(record, l_.name, l_.name_bytes, what));
    DLPU_TRY(port.dims, Dims(record, 0, what));
    DLPU_TRY(port.type, Type(record, what));
    const int width = l_.wide ? 8 : 4;
    const auto size = [&](size_t at) { return static_cast<int64_t>(Word(record, at, width)); };
    port.pitch = size(l_.pitch);
    port.layout = Word32(record, l_.layout);
    port.bytes = port.packed_bytes = size(l_.bytes);
    if (l_.generation == 3) {
      port.packed_bytes = size(0xE0);
      DLPU_TRY(port.parent, Text(record, 0x3E8, 256, what));
      port.parent_offset = Word32(record, 0x3C);
      if (!port.parent.empty()) {
        DLPU_TRY(port.parent_dims, Dims(record, 0x80, what + ", its parent"));
        port.parent_pitch = size(0xA0);
        port.parent_bytes = size(0xA8);
      }
    }
    return port.layout == kLinear ? CheckLinear(std::move(port), what) : Result(std::move(port));
  }

  // Rows of `pitch` bytes one after the other; the pitch of a slice is that of its parent.
  Result<CvflowPort> CheckLinear(CvflowPort port, const std::string& what) const {
    const int64_t row = (port.dims[3] * port.type.bits + 7) / 8;
    const int64_t rows = port.dims[0] * port.dims[1] * port.dims[2];
    const bool wide = port.parent.empty() && port.pitch > row + 4096;
    if (port.pitch < row || wide || port.bytes != rows * port.pitch) {
      return Invalid(fmt::format("{} has {} rows of {} bytes, {} apart, in {} bytes", what, rows,
                                 row, port.pitch, port.bytes));
    }
    return port;
  }

  // An input that no output makes, an output that no input takes; slices make their parent.
  void FindNetworkPorts() {
    std::set<std::string> made, taken;
    for (const CvflowGraph& graph : bin_.graphs) {
      for (const CvflowPort& port : graph.inputs) taken.insert(port.link);
      for (const CvflowPort& port : graph.outputs) {
        made.insert(port.parent.empty() ? port.link : port.parent);
      }
    }
    std::set<std::string> listed;
    for (const CvflowGraph& graph : bin_.graphs) {
      for (const CvflowPort& port : graph.inputs) {
        if (!made.contains(port.link) && listed.insert(port.link).second) {
          bin_.inputs.push_back(port);
        }
      }
    }
    listed.clear();
    for (const CvflowGraph& graph : bin_.graphs) {
      for (const CvflowPort& port : graph.outputs) {
        const std::string& whole = port.parent.empty() ? port.link : port.parent;
        if (taken.contains(port.link) || taken.contains(whole)) continue;
        if (listed.insert(whole).second) bin_.outputs.push_back(Whole(port));
      }
    }
  }

  static CvflowPort Whole(CvflowPort port) {
    if (port.parent.empty()) return port;
    port.name = port.link = port.parent;
    port.dims = port.parent_dims;
    port.pitch = port.parent_pitch;
    port.bytes = port.packed_bytes = port.parent_bytes;
    return port;
  }

  const Bytes bytes_;
  const std::string& name_;
  const Layout& l_;
  CvflowBin bin_;
};

}  // namespace

std::string CvflowTypeText(const CvflowType& type) {
  const char* kind = type.is_float ? "float" : type.is_signed ? "int" : "uint";
  std::string text = fmt::format("{}{}", kind, type.bits);
  if (type.exponent != 0) text += fmt::format(" x 2^{}", -type.exponent);
  return text;
}

int64_t CvflowBin::program_bytes() const {
  int64_t bytes = 0;
  for (const CvflowGraph& graph : graphs) bytes += graph.program_bytes;
  return bytes;
}

int64_t CvflowBin::peak_on_chip_bytes() const {
  int64_t bytes = 0;
  for (const CvflowGraph& graph : graphs) bytes = std::max(bytes, graph.on_chip_bytes);
  return bytes;
}

int CvflowGeneration(std::span<const uint8_t> bytes) {
  if (HasWord(bytes, 0x08, kMagic3)) return 3;
  const bool sizes = HasWord(bytes, 0x10, kGeneration2.graph_bytes) &&
                     HasWord(bytes, 0x14, kGeneration2.port_bytes);
  return sizes ? 2 : 0;
}

Result<CvflowBin> ReadCvflowBin(std::span<const uint8_t> bytes, const std::string& name) {
  const int generation = CvflowGeneration(bytes);
  if (generation == 0) {
    return InvalidError(fmt::format("{}: not a CVflow file", name));
  }
  const Layout& layout = generation == 2 ? kGeneration2 : kGeneration3;
  if (generation == 3 &&
      !(HasWord(bytes, 0x30, layout.graph_bytes) && HasWord(bytes, 0x34, layout.port_bytes))) {
    return UnsupportedError(fmt::format(
        "{}: a CVflow file whose records are of other sizes than those of known files, or that is "
        "cut off",
        name));
  }
  return Reader(bytes, name, layout).Read();
}

}  // namespace dlpu

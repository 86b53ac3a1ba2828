// SPDX-License-Identifier: Apache-2.0
// Program <-> .dlpu.
#include "ir/program_file.h"

#include <flatbuffers/flatbuffers.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <type_traits>

#include "base/sha256.h"
#include "ir/flat_list.h"
#include "ir/verify.h"
#include "program_generated.h"

namespace dlpu {
namespace {

namespace pf = ::dlpu::program_file;
using flatbuffers::Offset;

// The checksum: so many hexadecimal digits of the SHA-256.
constexpr size_t kSealBytes = 32;
constexpr size_t kDataAlignment = 16;

std::string Seal(std::span<const uint8_t> body) { return Sha256Hex(body).substr(0, kSealBytes); }

// --- Attributes --------------------------------------------------------------------------------

// A field of an attribute struct as it is stored.
struct Stored {
  std::vector<int32_t> numbers;
  std::string text;
  bool operator==(const Stored&) const = default;
};

template <typename Field>
Stored Store(const Field& field) {
  if constexpr (std::is_same_v<Field, std::string>) {
    return {{}, field};
  } else if constexpr (std::is_same_v<Field, std::vector<int32_t>>) {
    return {field, ""};
  } else if constexpr (std::is_same_v<Field, float>) {
    return {{std::bit_cast<int32_t>(field)}, ""};
  } else {
    return {{static_cast<int32_t>(field)}, ""};
  }
}

// False when the number is none of the field's values.
template <typename Field>
bool Restore(const Stored& stored, Field& field) {
  if constexpr (std::is_same_v<Field, std::string>) {
    field = stored.text;
    return stored.numbers.empty();
  } else if constexpr (std::is_same_v<Field, std::vector<int32_t>>) {
    field = stored.numbers;
    return true;
  } else {
    if (stored.numbers.size() != 1) return false;
    const int32_t number = stored.numbers[0];
    int32_t most = INT32_MAX, least = INT32_MIN;
    if constexpr (!std::is_same_v<Field, int32_t> && !std::is_same_v<Field, float>) least = 0;
    if constexpr (std::is_same_v<Field, bool>) most = 1;
    if constexpr (std::is_same_v<Field, Padding>) most = static_cast<int32_t>(Padding::kValid);
    if constexpr (std::is_same_v<Field, Activation>) {
      most = static_cast<int32_t>(Activation::kSignBit);
    }
    if constexpr (std::is_same_v<Field, DataType>) most = static_cast<int32_t>(DataType::kOther);
    if (number < least || number > most) return false;
    if constexpr (std::is_same_v<Field, float>) {
      field = std::bit_cast<float>(number);
    } else {
      field = static_cast<Field>(number);
    }
    return true;
  }
}

std::vector<std::pair<std::string, Stored>> StoreAttrs(const Attrs& attrs) {
  std::vector<std::pair<std::string, Stored>> list;
  std::visit(
      [&](const auto& a) {
        a.Visit(
            [&](const char* name, const auto& value) { list.emplace_back(name, Store(value)); });
      },
      attrs);
  return list;
}

// --- Writing -----------------------------------------------------------------------------------

class Writer {
 public:
  explicit Writer(const Program& program) : program_(program) {}

  std::vector<uint8_t> Write() {
    std::vector<Offset<pf::Tensor>> tensors;
    for (const Tensor& tensor : program_.tensors) tensors.push_back(WriteTensor(tensor));
    std::vector<Offset<pf::Step>> steps;
    for (const Step& step : program_.steps) steps.push_back(WriteStep(step));
    std::vector<Offset<pf::Metadata>> metadata;
    for (const auto& [name, data] : program_.metadata) {
      const auto bytes = WriteBytes(data);
      metadata.push_back(pf::CreateMetadata(builder_, builder_.CreateString(name), bytes));
    }
    const auto target = builder_.CreateString(program_.target);
    const auto profile = Word(ProfileName(program_.profile));
    const auto root = pf::CreateProgram(
        builder_, kProgramFileVersion, builder_.CreateString(program_.name), target,
        builder_.CreateString(program_.source_sha256), profile, builder_.CreateVector(tensors),
        builder_.CreateVector(steps), builder_.CreateVector(program_.inputs),
        builder_.CreateVector(program_.outputs), builder_.CreateVector(metadata));
    pf::FinishProgramBuffer(builder_, root);
    return SealProgram({builder_.GetBufferPointer(), builder_.GetSize()});
  }

 private:
  Offset<flatbuffers::String> Word(std::string_view word) {
    return builder_.CreateSharedString(word.data(), word.size());
  }

  Offset<flatbuffers::Vector<uint8_t>> WriteBytes(std::span<const uint8_t> data) {
    builder_.ForceVectorAlignment(data.size(), 1, kDataAlignment);
    return builder_.CreateVector(data.data(), data.size());
  }

  Offset<pf::Tensor> WriteTensor(const Tensor& tensor) {
    const auto data = WriteBytes(tensor.data);
    const Quantization& q = tensor.quantization;
    const auto name = builder_.CreateString(tensor.name);
    const auto type = Word(DataTypeName(tensor.type));
    const auto shape = builder_.CreateVector(tensor.shape);
    const auto scale = builder_.CreateVector(q.scale);
    const auto zero_point = builder_.CreateVector(q.zero_point);
    return pf::CreateTensor(builder_, name, type, shape, scale, zero_point, q.axis,
                            tensor.is_constant, tensor.is_variable, data);
  }

  Offset<pf::Step> WriteStep(const Step& step) {
    const Node& node = step.node;
    const auto values = StoreAttrs(node.attrs);
    const auto defaults = StoreAttrs(DefaultAttrs(node.op));
    std::vector<Offset<pf::Attribute>> attributes;
    for (const auto& value : values) {
      if (std::ranges::find(defaults, value) != defaults.end()) continue;
      const auto name = Word(value.first);
      const auto numbers = builder_.CreateVector(value.second.numbers);
      const auto text = builder_.CreateString(value.second.text);
      attributes.push_back(pf::CreateAttribute(builder_, name, numbers, text));
    }
    const auto op = Word(OpName(node.op));
    const auto name = builder_.CreateString(node.name);
    const auto inputs = builder_.CreateVector(node.inputs);
    const auto outputs = builder_.CreateVector(node.outputs);
    const auto intermediates = builder_.CreateVector(node.intermediates);
    const auto list = builder_.CreateVector(attributes);
    const auto engine = Word(EngineName(step.engine));
    const auto profile = Word(ProfileName(step.profile));
    return pf::CreateStep(builder_, op, name, inputs, outputs, intermediates, list, node.version,
                          engine, step.part, profile);
  }

  const Program& program_;
  flatbuffers::FlatBufferBuilder builder_;
};

// --- Reading -----------------------------------------------------------------------------------

std::string Text(const flatbuffers::String* text) { return text ? text->str() : ""; }

class Reader {
 public:
  Reader(const pf::Program& file, size_t file_bytes, const std::string& name)
      : file_(file), file_bytes_(file_bytes), name_(name) {}

  Result<Program> Read() {
    Program program;
    program.name = Text(file_.name());
    program.target = Text(file_.target());
    program.source_sha256 = Text(file_.source_sha256());
    DLPU_TRY(program.profile, ReadProfile(file_.profile()));
    for (const pf::Tensor* tensor : *file_.tensors()) {
      DLPU_TRY(Tensor read, ReadTensor(*tensor));
      program.tensors.push_back(std::move(read));
    }
    for (const pf::Step* step : *file_.steps()) {
      DLPU_TRY(Step read, ReadStep(*step));
      program.steps.push_back(std::move(read));
    }
    program.inputs = FlatList(file_.inputs());
    program.outputs = FlatList(file_.outputs());
    program.offsets.assign(program.tensors.size(), -1);
    if (file_.metadata() != nullptr) {
      for (const pf::Metadata* entry : *file_.metadata()) {
        DLPU_RETURN_IF_ERROR(Charge(entry->name(), entry->data()));
        program.metadata[entry->name()->str()] = FlatList(entry->data());
      }
    }
    if (const Status status = VerifySteps(program); !status.ok()) {
      return Wrong(status.error().message);
    }
    return program;
  }

 private:
  Error Wrong(std::string_view what) const {
    return InvalidError(fmt::format("{}: {}; compile the model again", name_, what));
  }

  Result<Profile> ReadProfile(const flatbuffers::String* word) const {
    const std::optional<Profile> profile = ProfileFromName(word->string_view());
    if (!profile) {
      return Wrong(fmt::format("'{}' is no profile of this version", word->string_view()));
    }
    return *profile;
  }

  // Many entries of a made-up file may point to one long list; read, they would fill the memory.
  Status Charge(const auto*... lists) {
    ((taken_ += lists != nullptr ? sizeof(*lists->data()) * lists->size() : 0), ...);
    if (taken_ > 4 * file_bytes_) return Wrong("its lists are longer than the file");
    return OkStatus();
  }

  Result<Tensor> ReadTensor(const pf::Tensor& file) {
    DLPU_RETURN_IF_ERROR(
        Charge(file.name(), file.shape(), file.scale(), file.zero_point(), file.data()));
    Tensor tensor;
    tensor.name = file.name()->str();
    const std::optional<DataType> type = DataTypeFromName(file.type()->string_view());
    if (!type) {
      return Wrong(
          fmt::format("tensor '{}' is of type '{}'", tensor.name, file.type()->string_view()));
    }
    tensor.type = *type;
    tensor.shape = FlatList(file.shape());
    if (std::ranges::any_of(tensor.shape, [](int32_t extent) { return extent < -1; })) {
      return Wrong(
          fmt::format("tensor '{}' has the shape {}", tensor.name, ShapeText(tensor.shape)));
    }
    tensor.quantization = {FlatList(file.scale()), FlatList(file.zero_point()), file.axis()};
    tensor.is_constant = file.is_constant();
    tensor.is_variable = file.is_variable();
    tensor.data = FlatList(file.data());
    return tensor;
  }

  Result<Step> ReadStep(const pf::Step& file) {
    DLPU_RETURN_IF_ERROR(Charge(file.name(), file.inputs(), file.outputs(), file.intermediates()));
    Step step;
    Node& node = step.node;
    node.name = Text(file.name());
    node.op = OpFromName(file.op()->string_view());
    if (node.op == Op::kUnknown) {
      return Wrong(
          fmt::format("'{}' is an op that this version does not know", file.op()->string_view()));
    }
    node.inputs = FlatList(file.inputs());
    node.outputs = FlatList(file.outputs());
    node.intermediates = FlatList(file.intermediates());
    node.version = file.op_version();
    node.attrs = DefaultAttrs(node.op);
    if (file.attributes() != nullptr) {
      for (const pf::Attribute* attribute : *file.attributes()) {
        DLPU_RETURN_IF_ERROR(ReadAttribute(*attribute, node));
      }
    }
    DLPU_TRY(step.profile, ReadProfile(file.profile()));
    const std::string_view engine = file.engine()->string_view();
    if (engine != EngineName(Engine::kDlpu) && engine != EngineName(Engine::kCpu)) {
      return Wrong(fmt::format("'{}' is no engine", engine));
    }
    step.engine = engine == EngineName(Engine::kDlpu) ? Engine::kDlpu : Engine::kCpu;
    step.part = file.part();
    return step;
  }

  Status ReadAttribute(const pf::Attribute& file, Node& node) {
    DLPU_RETURN_IF_ERROR(Charge(file.numbers(), file.text()));
    const std::string_view wanted = file.name()->string_view();
    const Stored stored{FlatList(file.numbers()), Text(file.text())};
    bool known = false, good = false;
    std::visit(
        [&](auto& attrs) {
          attrs.Visit([&](const char* name, auto& value) {
            if (wanted != name) return;
            known = true;
            good = Restore(stored, value);
          });
        },
        node.attrs);
    if (!known || !good) {
      return Wrong(fmt::format("{} '{}': its attribute '{}' is {}", OpName(node.op), node.name,
                               wanted, known ? "out of range" : "not known"));
    }
    return OkStatus();
  }

  const pf::Program& file_;
  const size_t file_bytes_;
  const std::string& name_;
  size_t taken_ = 0;
};

}  // namespace

std::vector<uint8_t> SealProgram(std::span<const uint8_t> body) {
  std::vector<uint8_t> bytes(body.begin(), body.end());
  const std::string seal = Seal(body);
  bytes.insert(bytes.end(), seal.begin(), seal.end());
  return bytes;
}

std::vector<uint8_t> WriteProgram(const Program& program) { return Writer(program).Write(); }

Result<Program> ReadProgram(std::span<const uint8_t> bytes, const std::string& name) {
  constexpr size_t kLeast = kSealBytes + 8;
  if (bytes.size() < 8 || std::memcmp(bytes.data() + 4, pf::ProgramIdentifier(), 4) != 0) {
    return InvalidError(fmt::format("{}: not a .dlpu program", name));
  }
  if (bytes.size() < kLeast) {
    return InvalidError(fmt::format("{}: cut off after {} bytes", name, bytes.size()));
  }
  const auto body = bytes.first(bytes.size() - kSealBytes);
  const std::string seal = Seal(body);
  if (std::memcmp(bytes.data() + body.size(), seal.data(), kSealBytes) != 0) {
    return InvalidError(fmt::format(
        "{}: damaged or cut off (its checksum does not match its contents); copy it again", name));
  }
  // The buffer must be aligned for what it holds.
  std::vector<uint64_t> aligned((body.size() + 7) / 8 + 1);
  uint8_t* start = reinterpret_cast<uint8_t*>(aligned.data());
  std::memcpy(start, body.data(), body.size());
  flatbuffers::Verifier verifier(start, body.size());
  if (!pf::VerifyProgramBuffer(verifier)) {
    return InvalidError(fmt::format("{}: not a valid .dlpu program", name));
  }
  const pf::Program& file = *pf::GetProgram(start);
  if (file.version() != kProgramFileVersion) {
    return UnsupportedError(fmt::format(
        "{}: is of version {} of the .dlpu format, this dlpu reads version {}; compile the model "
        "again",
        name, file.version(), kProgramFileVersion));
  }
  return Reader(file, body.size(), name).Read();
}

}  // namespace dlpu

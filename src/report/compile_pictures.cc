// SPDX-License-Identifier: Apache-2.0
// The compile report's pictures.
#include <fmt/format.h>

#include <algorithm>

#include "report/compile_report.h"

namespace dlpu {
namespace {

using Where = Support::Where;

constexpr int kRow = 22, kTop = 46, kLeft = 150, kBox = 560;

std::string Escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (static_cast<unsigned char>(c) >= 32) {
      out += c;
    }
  }
  return out;
}

// At most `count` characters, cut at the front: layer names differ at their ends.
std::string Tail(const std::string& text, size_t count) {
  if (text.size() <= count) return text;
  size_t from = text.size() - count;
  // Not inside a character of UTF-8.
  while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80) ++from;
  return "..." + text.substr(from);
}

std::string Text(int x, int y, const std::string& text, const char* more = "") {
  return fmt::format("<text x=\"{}\" y=\"{}\"{}>{}</text>\n", x, y, more, Escaped(text));
}

const char* Colour(Where where) {
  switch (where) {
    case Where::kDlpu:
      return "#b7e1b0";
    case Where::kCpu:
      return "#f6d7a8";
    case Where::kRefused:
      return "#f2b0b0";
    case Where::kUnknown:
      return "#d9d9d9";
  }
  return "#ffffff";
}

std::string Head(int width, int height, const std::string& title) {
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
             "viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
             "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
             width, height) +
         Text(8, 20, title, " font-size=\"15\"");
}

class PartitionPicture {
 public:
  PartitionPicture(const Graph& graph, const Target& target, const Partition& partition)
      : graph_(graph), target_(target), partition_(partition) {
    // Parts run one after another, and so are they drawn.
    for (size_t i = 0; i < graph.nodes.size(); ++i) order_.push_back(static_cast<int>(i));
    std::ranges::stable_sort(order_, {}, [&](int i) { return partition.nodes[i].part; });
    row_.resize(order_.size());
    for (size_t i = 0; i < order_.size(); ++i) row_[order_[i]] = static_cast<int>(i);
  }

  std::string Draw() const {
    const int height = kTop + kRow * static_cast<int>(order_.size()) + 20;
    std::string svg = Head(1240, height,
                           fmt::format("{} on {}: {}", Tail(graph_.name, 60), target_.title,
                                       PartitionSummary(partition_)));
    svg += Bands();
    for (const int node : order_) svg += Box(node);
    for (const Cut& cut : partition_.cuts) svg += Arc(cut);
    return svg + "</svg>\n";
  }

 private:
  int Y(int node) const { return kTop + kRow * row_[node]; }

  std::string Bands() const {
    std::string svg;
    for (size_t first = 0; first < order_.size();) {
      const int part = partition_.nodes[order_[first]].part;
      size_t last = first;
      while (last < order_.size() && partition_.nodes[order_[last]].part == part) ++last;
      const int y = kTop + kRow * static_cast<int>(first);
      svg += fmt::format(
          "<rect x=\"4\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\" "
          "fill-opacity=\"0.35\" stroke=\"#888888\"/>\n",
          y, kLeft - 60, kRow * static_cast<int>(last - first), Colour(partition_.parts[part]));
      const bool dlpu = partition_.parts[part] != Where::kCpu;
      svg += Text(10, y + 15, fmt::format("part {} {}", part, dlpu ? "DLPU" : "CPU"));
      first = last;
    }
    return svg;
  }

  std::string Box(int node) const {
    const Node& n = graph_.nodes[node];
    const int y = Y(node);
    const std::string shape =
        n.outputs.empty() ? "" : ShapeText(graph_.tensors[n.outputs[0]].shape);
    return fmt::format(
               "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\" fill=\"{}\" "
               "stroke=\"#666666\"/>\n",
               kLeft, y + 1, kBox, kRow - 3, Colour(partition_.nodes[node].where)) +
           Text(kLeft + 6, y + 15,
                fmt::format("{}  {}  {}", NodeOpName(n), Tail(n.name, 44), shape)) +
           Text(kLeft + kBox + 10, y + 15, WhyThere(graph_, target_, partition_, node),
                " fill=\"#884400\"");
  }

  // From the node that writes the tensor to the first that reads it in the other part.
  std::string Arc(const Cut& cut) const {
    int reader = -1;
    for (size_t i = 0; i < graph_.nodes.size() && reader < 0; ++i) {
      const std::vector<TensorId>& inputs = graph_.nodes[i].inputs;
      if (partition_.nodes[i].part == cut.to_part &&
          std::ranges::find(inputs, cut.tensor) != inputs.end()) {
        reader = static_cast<int>(i);
      }
    }
    if (reader < 0) return "";
    const int y1 = Y(cut.producer) + kRow / 2, y2 = Y(reader) + kRow / 2;
    return fmt::format(
        "<path d=\"M{0} {1} C{2} {1} {2} {3} {0} {3}\" fill=\"none\" "
        "stroke=\"#cc3333\"><title>{4}: {5} bytes</title></path>\n",
        kLeft, y1, kLeft - 45, y2, Escaped(graph_.tensors[cut.tensor].name), cut.bytes);
  }

  const Graph& graph_;
  const Target& target_;
  const Partition& partition_;
  std::vector<int> order_, row_;
};

}  // namespace

std::string PartitionSvg(const Graph& graph, const Target& target, const Partition& partition) {
  return PartitionPicture(graph, target, partition).Draw();
}

std::string MemorySvg(const Program& program) {
  constexpr int kWidth = 1200, kHeight = 600;
  const auto steps = static_cast<double>(std::max<size_t>(1, program.steps.size()));
  const auto arena = static_cast<double>(std::max<int64_t>(1, program.arena_bytes));
  std::vector<int> first(program.tensors.size(), -1), last(program.tensors.size(), -1);
  const auto touch = [&](TensorId id, int step) {
    if (id == kNoTensor) return;
    if (first[id] < 0) first[id] = step;
    last[id] = std::max(last[id], step);
  };
  for (const TensorId id : program.inputs) touch(id, 0);
  for (size_t i = 0; i < program.steps.size(); ++i) {
    for (const TensorId id : program.steps[i].node.inputs) touch(id, static_cast<int>(i));
    for (const TensorId id : program.steps[i].node.outputs) touch(id, static_cast<int>(i));
  }
  for (const TensorId id : program.outputs) touch(id, static_cast<int>(steps) - 1);
  std::string svg =
      Head(kWidth + 20, kHeight + 60,
           fmt::format("{}: {} bytes of tensors over {} steps", Tail(program.name, 60),
                       program.arena_bytes, program.steps.size()));
  for (size_t i = 0; i < program.tensors.size(); ++i) {
    if (program.offsets[i] < 0 || first[i] < 0) continue;
    const Tensor& tensor = program.tensors[i];
    const auto bytes = static_cast<double>(ByteCount(tensor.type, tensor.shape));
    const double x = 10 + kWidth * first[i] / steps;
    const double width = kWidth * (last[i] - first[i] + 1) / steps;
    const double y = 40 + kHeight * static_cast<double>(program.offsets[i]) / arena;
    svg += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.2f}\" "
        "fill=\"#8fb8de\" fill-opacity=\"0.7\" stroke=\"#335577\" "
        "stroke-width=\"0.5\"><title>{} {} bytes, steps {} to {}</title></rect>\n",
        x, y, width, kHeight * bytes / arena, Escaped(tensor.name), bytes, first[i], last[i]);
  }
  return svg + "</svg>\n";
}

}  // namespace dlpu

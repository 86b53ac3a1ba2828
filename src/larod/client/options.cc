// SPDX-License-Identifier: Apache-2.0
// Parses the command line of larod-client, and the lines of its interactive mode.
#include "larod/client/options.h"

#include <charconv>
#include <functional>
#include <map>

namespace larod_client {
namespace {

template <typename T>
bool ParseNumber(const std::string& text, T* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// KEY:VALUE
std::string AddParam(const std::string& text,
                     std::vector<std::pair<std::string, std::string>>* params) {
  const size_t colon = text.find(':');
  if (colon == 0 || colon == std::string::npos) return "'" + text + "' is not KEY:VALUE";
  params->emplace_back(text.substr(0, colon), text.substr(colon + 1));
  return "";
}

std::string SetBufferType(const std::string& text, bool* dma) {
  if (text != "larod-disk" && text != "larod-dma") {
    return "'" + text + "' is no buffer type: give larod-disk or larod-dma";
  }
  *dma = text == "larod-dma";
  return "";
}

template <typename T>
std::string SetNumber(const std::string& text, T* number) {
  return ParseNumber(text, number) ? "" : "'" + text + "' is not a number";
}

// What an option does with its value; the error or nothing.
using WithValue = std::function<std::string(const std::string&)>;

struct Table {
  std::map<std::string, bool*> flags;
  std::map<std::string, WithValue> values;
};

Table MakeTable(Options* o, bool* ignored) {
  Table table;
  table.flags = {{"-a", &o->list},         {"-q", &o->queue},
                 {"-X", &o->track_inputs}, {"-Y", &o->track_outputs},
                 {"-r", &o->interactive},  {"--interactive", &o->interactive},
                 {"-h", &o->help},         {"--help", &o->help},
                 {"-d", ignored},          {"-p", ignored}};
  const auto text = [](std::string* to) {
    return [to](const std::string& value) { return *to = value, std::string(); };
  };
  const auto list = [](std::vector<std::string>* to) {
    return [to](const std::string& value) { return to->push_back(value), std::string(); };
  };
  const auto buffer = [](bool* dma) {
    return [dma](const std::string& value) { return SetBufferType(value, dma); };
  };
  table.values = {
      {"-c", text(&o->device)},
      {"-g", [o](const std::string& value) { return o->model = value, std::string(); }},
      {"-b", [o](const std::string& value) { return AddParam(value, &o->model_params); }},
      {"-i", list(&o->inputs)},
      {"-o", list(&o->outputs)},
      {"-R", [o](const std::string& value) { return SetNumber(value, &o->rounds); }},
      {"-w", [o](const std::string& value) { return SetNumber(value, &o->warm_up); }},
      {"-I", buffer(&o->dma_inputs)},
      {"--input-buf-type", buffer(&o->dma_inputs)},
      {"-O", buffer(&o->dma_outputs)},
      {"--output-buf-type", buffer(&o->dma_outputs)},
      {"--random-seed",
       [o](const std::string& value) {
         uint64_t seed = 0;
         const std::string error = SetNumber(value, &seed);
         o->seed = seed;
         return error;
       }},
      {"--job-param", [o](const std::string& value) { return AddParam(value, &o->job_params); }},
      {"--priority", [o](const std::string& value) { return SetNumber(value, &o->priority); }}};
  return table;
}

}  // namespace

const char* const kUsage =
    "Usage: larod-client [OPTION]...\n"
    "Loads a model, runs it and says how long a job took.\n"
    "\n"
    "  -a                       list the devices\n"
    "  -c DEVICE                device to use (default cpu-tflite)\n"
    "  -g FILE                  model; may be left out for preprocessing\n"
    "  -b KEY:VALUE             model parameter, as often as needed; arrays with commas:\n"
    "                           image.input.size:224,224\n"
    "  -i FILE                  input, one for each of the model's; '' for random values\n"
    "  -o FILE                  output, one for each of the model's\n"
    "                           (default: name of the input, or the seed, and .out<number>)\n"
    "  -R ROUNDS                run so many times (default 1); 0: without end\n"
    "  -q                       queue the rounds instead of waiting for each\n"
    "  -w ROUNDS                rounds before those that are timed\n"
    "  -X, -Y                   track inputs, outputs\n"
    "  -I, --input-buf-type TYPE, -O, --output-buf-type TYPE\n"
    "                           larod-disk (default): files; larod-dma: buffers of the service\n"
    "  --random-seed NUMBER     of random inputs (default: the clock)\n"
    "  --job-param KEY:VALUE    job parameter, as often as needed (of this implementation)\n"
    "  --priority NUMBER        of queued jobs, 0 to 100 (of this implementation)\n"
    "  -r, --interactive        read lines of options from stdin\n"
    "  -d, -p                   accepted and without effect\n"
    "  --help                   this text\n"
    "\n"
    "$DLPU_PRODUCT chooses the virtual camera.\n";

std::string ParseOptions(const std::vector<std::string>& arguments, Options* options) {
  bool ignored = false;
  const Table table = MakeTable(options, &ignored);
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string name = arguments[i], value;
    bool has_value = false;
    const size_t equals = name.rfind("--", 0) == 0 ? name.find('=') : std::string::npos;
    if (equals != std::string::npos) {  // --name=value
      value = name.substr(equals + 1);
      name.resize(equals);
      has_value = true;
    } else if (name.size() > 2 && name[0] == '-' && name[1] != '-') {  // -R100
      value = name.substr(2);
      name.resize(2);
      has_value = true;
    }
    if (const auto flag = table.flags.find(name); flag != table.flags.end() && !has_value) {
      *flag->second = true;
      continue;
    }
    const auto option = table.values.find(name);
    if (option == table.values.end()) return "unknown option '" + arguments[i] + "'";
    if (!has_value) {
      if (++i == arguments.size()) return "option " + name + " needs a value";
      value = arguments[i];
    }
    const std::string error = option->second(value);
    if (!error.empty()) return name + ": " + error;
  }
  return "";
}

bool SetMap(larodMap* map, const std::pair<std::string, std::string>& entry, larodError** error) {
  std::vector<int64_t> numbers;
  const std::string& text = entry.second;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    int64_t number = 0;
    if (!ParseNumber(text.substr(begin, end - begin), &number)) {
      return larodMapSetStr(map, entry.first.c_str(), text.c_str(), error);
    }
    numbers.push_back(number);
    begin = end + 1;
  }
  const char* key = entry.first.c_str();
  switch (numbers.size()) {
    case 1:
      return larodMapSetInt(map, key, numbers[0], error);
    case 2:
      return larodMapSetIntArr2(map, key, numbers[0], numbers[1], error);
    case 4:
      return larodMapSetIntArr4(map, key, numbers[0], numbers[1], numbers[2], numbers[3], error);
    default:
      return larodMapSetStr(map, key, text.c_str(), error);
  }
}

}  // namespace larod_client

// SPDX-License-Identifier: Apache-2.0
// larod-client: runs models through larod from the command line, with the options and the output of
// the camera's tool, so that scripts written for cameras run as they are. An application like any
// other: it uses larod.h alone.
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <sstream>

#include "larod/client/run.h"

namespace larod_client {
namespace {

// The words of a line; quotes keep spaces, '' is an empty word.
std::vector<std::string> Words(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (const char c : line) {
    if (quote != 0 ? c == quote : c == '\'' || c == '"') {
      quote = quote != 0 ? 0 : c;
      in_word = true;
    } else if (quote == 0 && (c == ' ' || c == '\t')) {
      if (in_word) words.push_back(word);
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (in_word) words.push_back(word);
  return words;
}

bool Act(larodConnection* conn, const Options& options) {
  bool done = true;
  if (options.list) done = ListDevices(conn);
  if (options.model.has_value() || !options.model_params.empty()) {
    done = RunModel(conn, options) && done;
  }
  return done;
}

void Interact(larodConnection* conn) {
  std::printf("larod-client %s. Use Ctrl-D to exit.\n", LAROD_CLIENT_VERSION);
  std::string line;
  while (std::printf("> "), std::fflush(stdout), std::getline(std::cin, line)) {
    const std::vector<std::string> words = Words(line);
    if (words.empty()) continue;
    Options options;
    const std::string error = ParseOptions(words, &options);
    if (!error.empty()) {
      Complain(error);
    } else if (options.help) {
      std::fputs(kUsage, stdout);
    } else {
      Act(conn, options);
    }
  }
  std::printf("\n");
}

int Main(const std::vector<std::string>& arguments) {
  Options options;
  const std::string usage = ParseOptions(arguments, &options);
  const bool nothing = !options.list && !options.interactive && !options.model.has_value() &&
                       options.model_params.empty();
  if (options.help || !usage.empty() || nothing) {
    if (!usage.empty()) Complain(usage);
    std::fputs(kUsage, options.help && usage.empty() ? stdout : stderr);
    return options.help && usage.empty() ? 0 : 1;
  }
  if (!options.list || options.model.has_value()) Say("Connecting to larod...");
  larodConnection* conn = nullptr;
  larodError* error = nullptr;
  if (!larodConnect(&conn, &error)) {
    Complain("When connecting to larod (" + std::to_string(error->code) + "): " + error->msg);
    larodClearError(&error);
    return 1;
  }
  if (!options.list || options.model.has_value()) Say("Connected");
  bool done = Act(conn, options);
  if (options.interactive) Interact(conn);
  if (!larodDisconnect(&conn, &error)) {
    Complain(std::string("When disconnecting: ") + error->msg);
    larodClearError(&error);
    done = false;
  }
  return done ? 0 : 1;
}

}  // namespace
}  // namespace larod_client

int main(int argc, char** argv) {
  return larod_client::Main(std::vector<std::string>(argv + 1, argv + argc));
}

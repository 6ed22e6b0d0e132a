// bench: our engine as a worker process of scripts/bench. Commands come on stdin, one a line with
// tabs between words; see Worker.java for what they are. Exit 1 with a message on the first
// failure.
#include <cstdio>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/bench/engine_worker.h"

int main(int argc, char**) {
  if (argc != 1) {
    std::fprintf(stderr, "usage: bench   (commands on stdin; started by scripts/bench)\n");
    return 2;
  }
  try {
    pollux::bench::EngineWorker worker;
    for (std::string line; std::getline(std::cin, line);) {
      std::vector<std::string> command;
      std::istringstream words(line);
      for (std::string word; std::getline(words, word, '\t');) command.push_back(word);
      if (command.empty()) continue;
      std::cout << worker.answer(command) << std::endl;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench: %s\n", error.what());
    return 1;
  }
  return 0;
}

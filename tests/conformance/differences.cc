#include "tests/conformance/differences.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace pollux::conformance {
namespace {

constexpr size_t kDifferencesMax = 20;
constexpr const char* kBlanks = " \t\r";

std::string trimmed(const std::string& text) {
  size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

std::vector<std::string> parts_of(const std::string& line) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= line.size();) {
    size_t end = std::min(line.find('|', begin), line.size());
    parts.push_back(trimmed(line.substr(begin, end - begin)));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

std::map<std::string, Difference> read_differences(const std::string& file) {
  std::ifstream input(file);
  if (!input) throw std::runtime_error(file + " cannot be read");
  std::map<std::string, Difference> differences;
  std::string line;
  for (int number = 1; std::getline(input, line); ++number) {
    line = trimmed(line);
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> parts = parts_of(line);
    bool whole = parts.size() == 3 && !parts[0].empty() && !parts[1].empty() && !parts[2].empty();
    if (!whole || !differences.emplace(parts[0], Difference{parts[1], parts[2]}).second) {
      throw std::runtime_error(file + ":" + std::to_string(number) +
                               ": not 'id | rule | own case', or named twice");
    }
  }
  if (differences.size() > kDifferencesMax) {
    throw std::runtime_error(file + " names more than 20 cases");
  }
  return differences;
}

}  // namespace pollux::conformance

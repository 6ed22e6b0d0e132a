#include "tests/engine/language/shared_cases.h"

#include <simdjson.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace pollux::test {
namespace {

namespace dom = simdjson::dom;

std::string text_of(dom::element element) {
  return std::string(std::string_view(element.get_string().value()));
}

SharedCase read_case(dom::element line, const std::string& file) {
  SharedCase out;
  out.id = file + ":" + text_of(line["id"]);
  dom::array apps;
  if (line["apps"].get(apps) == simdjson::SUCCESS) {
    for (dom::element app : apps) out.plans.push_back(text_of(app));
  } else if (line["app"].is_string()) {
    out.plans.push_back(text_of(line["app"]));
  }
  out.fails = line["expect"]["error"].get_bool().value();
  for (dom::element step : line["steps"].get_array()) {
    bool step_fails = false;
    if (step["error"].get(step_fails) == simdjson::SUCCESS && step_fails) out.fails = true;
    std::string_view query;
    if (step["query"].get(query) == simdjson::SUCCESS && !step_fails) {
      out.on_demand.emplace_back(query);
    }
  }
  return out;
}

}  // namespace

std::optional<std::filesystem::path> shared_folder() {
  const char* set = std::getenv("POLLUX_SHARED");
  std::filesystem::path folder = set != nullptr ? set : POLLUX_SHARED_BESIDE_SOURCE;
  if (!std::filesystem::is_directory(folder / "conformance")) return std::nullopt;
  return folder;
}

std::vector<SharedCase> read_shared_cases(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "conformance")) {
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<SharedCase> out;
  dom::parser parser;
  for (const auto& file : files) {
    dom::document_stream lines = parser.load_many(file.string(), size_t{16} << 20);
    for (dom::element line : lines) out.push_back(read_case(line, file.stem().string()));
  }
  if (out.empty()) throw std::runtime_error("no cases in " + folder.string());
  return out;
}

}  // namespace pollux::test

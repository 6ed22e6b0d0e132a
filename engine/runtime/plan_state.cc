#include "engine/runtime/plan_state.h"

#include <cstdint>
#include <vector>

namespace pollux {
namespace {

constexpr uint32_t kMagic = 0x53584c50;  // "PLXS"
constexpr uint32_t kFormat = 1;

struct Section {
  std::string name;
  uint32_t version = 0;
  std::string payload;

  void archive(StateArchive& archive) { archive(name, version, payload); }
};

std::string load_part(const StatePart& part, const Section& section) {
  if (section.name != part.name) {
    return "the state has a section '" + section.name + "' where the plan has '" + part.name + "'";
  }
  if (section.version != part.state->state_version()) {
    return "section '" + section.name + "' has version " + std::to_string(section.version) +
           ", not " + std::to_string(part.state->state_version());
  }
  StateArchive archive(section.payload);
  part.state->archive_state(archive);
  if (archive.failed() || !archive.at_end()) {
    return "section '" + section.name + "' cannot be read";
  }
  return {};
}

}  // namespace

std::string save_state(Plan& plan) {
  StateArchive archive;
  uint32_t magic = kMagic;
  uint32_t format = kFormat;
  std::vector<StatePart> parts = plan.state_parts();
  auto sections = static_cast<uint32_t>(parts.size());
  archive(magic, format, sections);
  for (const StatePart& part : parts) {
    StateArchive payload;
    part.state->archive_state(payload);
    Section section{part.name, part.state->state_version(), payload.take()};
    archive(section);
  }
  return archive.take();
}

std::string load_state(Plan& plan, std::string_view bytes) {
  StateArchive archive(bytes);
  uint32_t magic = 0, format = 0, sections = 0;
  archive(magic, format, sections);
  if (archive.failed() || magic != kMagic) return "these bytes are no state of a plan";
  if (format != kFormat) return "a state of format " + std::to_string(format);
  std::vector<StatePart> parts = plan.state_parts();
  if (sections != parts.size()) {
    return "the state has " + std::to_string(sections) + " sections, the plan " +
           std::to_string(parts.size());
  }
  for (const StatePart& part : parts) {
    Section section;
    archive(section);
    if (archive.failed()) return "the state ends early";
    std::string wrong = load_part(part, section);
    if (!wrong.empty()) return wrong;
  }
  return archive.at_end() ? std::string() : "the state goes on behind its end";
}

}  // namespace pollux

#include "engine/runtime/plan_state.h"

#include <cstdint>
#include <cstring>
#include <vector>

namespace pollux {
namespace {

constexpr uint32_t kMagic = 0x53584c50;  // "PLXS"
constexpr uint32_t kFormat = 2;

/// Reads the bytes without copying payloads; beyond the end everything is zero and empty.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : left_(bytes) {}
  bool failed() const { return failed_; }
  bool at_end() const { return left_.empty(); }

  template <class T>
  T number() {
    T value{};
    std::string_view from = bytes(sizeof(T));
    if (!from.empty()) std::memcpy(&value, from.data(), sizeof(T));
    return value;
  }
  std::string_view bytes(uint64_t count) {
    if (count > left_.size()) {
      failed_ = true;
      left_ = {};
    }
    std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(taken.size());
    return failed_ ? std::string_view() : taken;
  }

 private:
  std::string_view left_;
  bool failed_ = false;
};

template <class T>
void put(std::string& out, T number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

struct Section {
  uint32_t version = 0;
  std::string_view payload;
};

struct SavedUnit {
  std::string_view name;
  uint64_t hash = 0;
  std::vector<Section> sections;
  bool taken = false;
};

/// "query " of "query #2": the number behind it says nothing about which query it is.
std::string_view without_number(std::string_view name) {
  size_t number = name.find(' ') + 1;
  return number < name.size() && name[number] == '#' ? name.substr(0, number) : name;
}

SavedUnit* find_state(const StateUnit& unit, std::vector<SavedUnit>& saved) {
  for (SavedUnit& other : saved) {
    if (!other.taken && other.hash == unit.hash &&
        without_number(other.name) == without_number(unit.name)) {
      return &other;
    }
  }
  return nullptr;
}

std::string load_unit(const StateUnit& unit, const SavedUnit& saved) {
  auto wrong = [&](const std::string& what) { return "the state of " + unit.name + " " + what; };
  if (saved.sections.size() != unit.parts.size()) {
    return wrong("has " + std::to_string(saved.sections.size()) + " sections, not " +
                 std::to_string(unit.parts.size()));
  }
  for (size_t i = 0; i < unit.parts.size(); ++i) {
    Stateful& part = *unit.parts[i];
    const Section& section = saved.sections[i];
    if (section.version != part.state_version()) {
      return wrong("has version " + std::to_string(section.version) + " in section " +
                   std::to_string(i) + ", not " + std::to_string(part.state_version()));
    }
    StateArchive archive(section.payload);
    part.archive_state(archive);
    if (archive.failed() || !archive.at_end()) {
      return wrong("cannot be read in section " + std::to_string(i));
    }
  }
  return {};
}

SavedUnit read_unit(Cursor& cursor) {
  SavedUnit unit;
  unit.name = cursor.bytes(cursor.number<uint32_t>());
  unit.hash = cursor.number<uint64_t>();
  auto sections = cursor.number<uint32_t>();
  for (uint32_t i = 0; i < sections && !cursor.failed(); ++i) {
    auto version = cursor.number<uint32_t>();
    unit.sections.push_back({version, cursor.bytes(cursor.number<uint64_t>())});
  }
  return unit;
}

std::string read_units(std::string_view bytes, std::vector<SavedUnit>& units) {
  Cursor cursor(bytes);
  auto magic = cursor.number<uint32_t>();
  auto format = cursor.number<uint32_t>();
  if (cursor.failed() || magic != kMagic) return "these bytes are no state of a plan";
  if (format != kFormat) return "a state of format " + std::to_string(format);
  auto count = cursor.number<uint32_t>();
  for (uint32_t i = 0; i < count && !cursor.failed(); ++i) units.push_back(read_unit(cursor));
  if (cursor.failed()) return "the state ends early";
  return cursor.at_end() ? std::string() : "the state goes on behind its end";
}

}  // namespace

std::string save_state(Plan& plan) {
  std::string out;
  uint32_t units = 0;
  for (const StateUnit& unit : plan.state_units()) units += unit.parts.empty() ? 0 : 1;
  put(out, kMagic);
  put(out, kFormat);
  put(out, units);
  for (const StateUnit& unit : plan.state_units()) {
    if (unit.parts.empty()) continue;
    put(out, static_cast<uint32_t>(unit.name.size()));
    out += unit.name;
    put(out, unit.hash);
    put(out, static_cast<uint32_t>(unit.parts.size()));
    for (Stateful* part : unit.parts) {
      StateArchive archive;
      part->archive_state(archive);
      std::string payload = archive.take();
      put(out, part->state_version());
      put(out, static_cast<uint64_t>(payload.size()));
      out += payload;
    }
  }
  return out;
}

std::string load_state(Plan& plan, std::string_view bytes, RestoreReport& report) {
  std::vector<SavedUnit> saved;
  std::string wrong = read_units(bytes, saved);
  if (!wrong.empty()) return wrong;
  for (const StateUnit& unit : plan.state_units()) {
    if (unit.parts.empty()) continue;
    SavedUnit* state = find_state(unit, saved);
    if (state == nullptr) {
      report.fresh.push_back(unit.name);
      continue;
    }
    state->taken = true;
    wrong = load_unit(unit, *state);
    if (!wrong.empty()) return wrong;
    report.kept.push_back(unit.name);
  }
  for (const SavedUnit& unit : saved) {
    if (!unit.taken) report.dropped.emplace_back(unit.name);
  }
  return {};
}

}  // namespace pollux

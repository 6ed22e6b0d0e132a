#include "engine/runtime/plan_state.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/runtime/saved_units.h"

namespace pollux {
namespace {

template <class T>
void put(std::string& out, T number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

/// A unit of the state that is loaded, for one of the plan to take.
struct OfferedUnit {
  SavedUnit saved;
  bool taken = false;
};

/// "query " of "query #2": the number behind it says nothing about which query it is.
std::string_view without_number(std::string_view name) {
  size_t number = name.find(' ') + 1;
  return number < name.size() && name[number] == '#' ? name.substr(0, number) : name;
}

OfferedUnit* find_state(const StateUnit& unit, std::vector<OfferedUnit>& offered) {
  for (OfferedUnit& other : offered) {
    if (!other.taken && other.saved.hash == unit.hash &&
        without_number(other.saved.name) == without_number(unit.name)) {
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
    const SavedSection& section = saved.sections[i];
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

}  // namespace

void save_state(Plan& plan, const StateArchive::Take& take) {
  uint32_t units = 0;
  for (const StateUnit& unit : plan.state_units()) units += unit.parts.empty() ? 0 : 1;
  std::string head;
  put(head, kStateMagic);
  put(head, kStateFormat);
  put(head, units);
  for (const StateUnit& unit : plan.state_units()) {
    if (unit.parts.empty()) continue;
    put(head, static_cast<uint32_t>(unit.name.size()));
    head += unit.name;
    put(head, unit.hash);
    put(head, static_cast<uint32_t>(unit.parts.size()));
    for (Stateful* part : unit.parts) {
      // Its length stands before it: gone over twice, which costs less than holding it.
      StateArchive counted(StateArchive::Take{});
      part->archive_state(counted);
      put(head, part->state_version());
      put(head, counted.saved());
      take(std::exchange(head, {}));
      StateArchive archive(take);
      part->archive_state(archive);
      archive.flush();
      POLLUX_CHECK(archive.saved() == counted.saved());
    }
  }
  take(head);
}

std::string save_state(Plan& plan) {
  std::string out;
  save_state(plan, [&](std::string_view piece) { out += piece; });
  return out;
}

std::string load_state(Plan& plan, std::string_view bytes, RestoreReport& report) {
  std::vector<SavedUnit> saved;
  std::string wrong = read_units(bytes, saved);
  if (!wrong.empty()) return wrong;
  std::vector<OfferedUnit> offered;
  for (SavedUnit& unit : saved) offered.push_back({std::move(unit)});
  for (const StateUnit& unit : plan.state_units()) {
    if (unit.parts.empty()) continue;
    OfferedUnit* state = find_state(unit, offered);
    if (state == nullptr) {
      report.fresh.push_back(unit.name);
      continue;
    }
    state->taken = true;
    wrong = load_unit(unit, state->saved);
    if (!wrong.empty()) return wrong;
    report.kept.push_back(unit.name);
  }
  for (const OfferedUnit& unit : offered) {
    if (!unit.taken) report.dropped.emplace_back(unit.saved.name);
  }
  return {};
}

}  // namespace pollux

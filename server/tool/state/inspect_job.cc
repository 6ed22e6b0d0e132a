#include <unistd.h>

#include <cstdio>
#include <vector>

#include "engine/runtime/saved_units.h"
#include "persistence/files/posix_file_system.h"
#include "persistence/state/revision_reader.h"
#include "server/durability/plan_record.h"
#include "server/formats/json_text.h"
#include "server/tool/journal/entry_id_text.h"
#include "server/tool/read_only_files.h"
#include "server/tool/state/state_jobs.h"
#include "server/tool/text_format.h"
#include "server/tool/text_table.h"

namespace pollux::tool {
namespace {

std::string hash_text(uint64_t hash) {
  char text[24];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

/// A revision that is whole.
absl::StatusOr<Revision> read_whole(FileSystem& files, const std::string& path) {
  auto revision = read_revision(files, path);
  if (!revision.ok()) return revision;
  if (revision_state_hash(revision->state()) != revision->info.trailer.state_hash) {
    return absl::DataLossError(path + ": the hash of its state is wrong");
  }
  return revision;
}

/// What stands in the state; `wrong` when it is no plan's.
struct Units {
  std::vector<SavedUnit> units;
  std::string wrong;
};

/// The server puts a record before a plan's state; a state without one is taken too.
std::string_view without_record(std::string_view state) {
  auto revision = decode_plan_revision(state);
  return revision.ok() ? revision->state : state;
}

Units units_of(std::string_view state) {
  Units found;
  found.wrong = read_units(without_record(state), found.units);
  if (!found.wrong.empty()) found.units.clear();
  return found;
}

std::string json_of(const SavedUnit& unit) {
  std::string text = "{\"name\":" + json_string(unit.name) + ",\"hash\":\"" + hash_text(unit.hash) +
                     "\",\"sections\":[";
  for (size_t i = 0; i < unit.sections.size(); ++i) {
    const SavedSection& section = unit.sections[i];
    text += std::string(i == 0 ? "" : ",") + "{\"version\":" + std::to_string(section.version) +
            ",\"bytes\":" + std::to_string(section.payload.size()) + "}";
  }
  return text + "]}";
}

std::string json_of(const std::string& path, const RevisionInfo& info, const Units& units) {
  std::string text =
      "{\"file\":" + json_string(path) + ",\"format\":" + std::to_string(kRevisionVersion) +
      ",\"semantics_version\":" + std::to_string(info.header.semantics_version) +
      ",\"plan_hash\":\"" + hash_text(info.header.plan_hash) + "\",\"entry\":\"" +
      to_text(info.header.at) + "\",\"timestamp_ms\":" + std::to_string(info.header.timestamp.ms) +
      ",\"packed_bytes\":" + std::to_string(info.trailer.body_bytes) +
      ",\"state_bytes\":" + std::to_string(info.trailer.state_bytes) + ",\"state_hash\":\"" +
      hash_text(info.trailer.state_hash) + "\"";
  if (!units.wrong.empty()) return text + ",\"no_units\":" + json_string(units.wrong) + "}\n";
  text += ",\"units\":[";
  for (size_t i = 0; i < units.units.size(); ++i) {
    text += (i == 0 ? "" : ",") + json_of(units.units[i]);
  }
  return text + "]}\n";
}

std::string units_text(const Units& units) {
  if (!units.wrong.empty()) return "no units: " + units.wrong + "\n";
  TextTable table({{"UNIT"}, {"HASH"}, {"SECTIONS", true}, {"VERSIONS"}, {"BYTES", true}});
  for (const SavedUnit& unit : units.units) {
    std::string versions;
    uint64_t bytes = 0;
    for (const SavedSection& section : unit.sections) {
      versions += (versions.empty() ? "" : " ") + std::to_string(section.version);
      bytes += section.payload.size();
    }
    table.add({printable(unit.name), hash_text(unit.hash), std::to_string(unit.sections.size()),
               versions, with_thousands(bytes)});
  }
  return table.text();
}

std::string text_of(const std::string& path, const RevisionInfo& info, const Units& units) {
  return printable(path) + ": format " + std::to_string(kRevisionVersion) + ", semantics version " +
         std::to_string(info.header.semantics_version) + "; all checksums are right\nplan   " +
         hash_text(info.header.plan_hash) + "\nentry  " + to_text(info.header.at) + " of " +
         time_text(info.header.timestamp.ms) + "\nstate  " + hash_text(info.trailer.state_hash) +
         ", " + counted(info.trailer.state_bytes, "byte") + ", packed " +
         with_thousands(info.trailer.body_bytes) + "\n\n" + units_text(units);
}

}  // namespace

ExitCode inspect_state(const StateInspectOptions& options) {
  Console console;
  PosixFileSystem files;
  auto revision = read_whole(files, options.file);
  if (!revision.ok()) {
    console.message(message_of(revision.status()));
    return exit_code_of_files(revision.status());
  }
  OutputBuffer out(STDOUT_FILENO);
  const Units units = units_of(revision->state());
  out.append(options.json ? json_of(options.file, revision->info, units)
                          : text_of(options.file, revision->info, units));
  // What is no plan's at all is the server's own matter, as in the folder `_node`.
  bool unreadable = !units.wrong.empty() && is_state(without_record(revision->state()));
  ExitCode code = unreadable ? ExitCode::kBadInput : ExitCode::kOk;
  code = finish_output(out, console, "standard output", code);
  if (unreadable) console.message(options.file + ": " + units.wrong);
  return code;
}

}  // namespace pollux::tool

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "persistence/files/posix_file_system.h"
#include "persistence/state/revision_names.h"
#include "server/formats/json_text.h"
#include "server/tool/journal/entry_id_text.h"
#include "server/tool/read_only_files.h"
#include "server/tool/state/state_jobs.h"
#include "server/tool/state/state_places.h"
#include "server/tool/text_format.h"
#include "server/tool/text_table.h"

namespace pollux::tool {
namespace {

struct Row {
  StatePlace place;
  ListedRevision revision;
  uint64_t age_ms = 0;
};

uint64_t age_of(uint64_t timestamp_ms) {
  using namespace std::chrono;
  auto now = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  auto now_ms = static_cast<uint64_t>(std::max<int64_t>(now, 0));
  return now_ms - std::min(now_ms, timestamp_ms);
}

absl::StatusOr<std::vector<Row>> rows_of(FileSystem& files, const StateListOptions& options) {
  auto places = find_states(files, options.directory);
  if (!places.ok()) return places.status();
  std::vector<Row> rows;
  for (const StatePlace& place : *places) {
    auto revisions = list_revisions(files, place.directory, place.folder);
    if (!revisions.ok()) return revisions.status();
    for (ListedRevision& revision : *revisions) {
      if (options.verify && revision.info.ok()) {
        auto verified = verify_revision(files, revision.path);
        if (absl::IsNotFound(verified.status())) continue;  // pruned meanwhile
        revision.info = std::move(verified);
      }
      uint64_t age_ms = age_of(revision.timestamp_ms);
      rows.push_back({place, std::move(revision), age_ms});
    }
  }
  return rows;
}

std::string json_of(const Row& row) {
  const ListedRevision& revision = row.revision;
  std::string text =
      "{\"tenant\":" + json_string(row.place.tenant) +
      ",\"plan\":" + json_string(row.place.folder) + ",\"file\":" + json_string(revision.path) +
      ",\"timestamp_ms\":" + std::to_string(revision.timestamp_ms) +
      ",\"age_ms\":" + std::to_string(row.age_ms) + ",\"bytes\":" + std::to_string(revision.bytes);
  if (!revision.info.ok()) {
    return text + ",\"valid\":false,\"error\":" + json_string(message_of(revision.info.status())) +
           "}\n";
  }
  return text + ",\"valid\":true,\"entry\":\"" + to_text(revision.info->header.at) +
         "\",\"state_bytes\":" + std::to_string(revision.info->trailer.state_bytes) + "}\n";
}

std::string table_of(const std::vector<Row>& rows, bool verified) {
  TextTable table({{"PLAN"},
                   {"REVISION", true},
                   {"WRITTEN AT"},
                   {"AGE", true},
                   {"BYTES", true},
                   {"ENTRY", true},
                   {"STATE"}});
  for (const Row& row : rows) {
    const ListedRevision& revision = row.revision;
    std::string state = verified ? "valid" : "header valid";
    table.add({printable(row.place.folder), std::to_string(revision.timestamp_ms),
               time_text(static_cast<int64_t>(revision.timestamp_ms)), duration_text(row.age_ms),
               with_thousands(revision.bytes),
               revision.info.ok() ? to_text(revision.info->header.at) : "",
               revision.info.ok() ? state : "unusable"});
  }
  return table.text();
}

}  // namespace

ExitCode list_states(const StateListOptions& options) {
  Console console;
  PosixFileSystem files;
  auto rows = rows_of(files, options);
  if (!rows.ok()) {
    console.message(message_of(rows.status()));
    return exit_code_of_files(rows.status());
  }
  OutputBuffer out(STDOUT_FILENO);
  if (options.json) {
    for (const Row& row : *rows) out.append(json_of(row));
  } else {
    out.append(table_of(*rows, options.verify));
  }
  ExitCode code = ExitCode::kOk;
  for (const Row& row : *rows) {
    if (!row.revision.info.ok()) code = exit_code_of_files(row.revision.info.status());
  }
  code = finish_output(out, console, "standard output", code);
  for (const Row& row : *rows) {
    if (!row.revision.info.ok()) console.message(message_of(row.revision.info.status()));
  }
  return code;
}

}  // namespace pollux::tool

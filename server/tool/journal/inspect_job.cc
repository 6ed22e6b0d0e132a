#include <unistd.h>

#include <algorithm>
#include <vector>

#include "persistence/files/posix_file_system.h"
#include "persistence/journal/journal_survey.h"
#include "server/formats/json_text.h"
#include "server/tool/journal/journal_folder.h"
#include "server/tool/journal/journal_jobs.h"
#include "server/tool/read_only_files.h"
#include "server/tool/text_format.h"
#include "server/tool/text_table.h"

namespace pollux::tool {
namespace {

struct Totals {
  LogId journal;
  uint64_t segments = 0;
  uint64_t bytes = 0;
  uint64_t entries = 0;
  EntryId first_entry;
  EntryId last_entry;
  Timestamp first_time;
  Timestamp last_time;
  uint64_t torn_bytes = 0;
  uint64_t rotten = 0;      ///< entries that are missing
  uint64_t unknown = 0;     ///< entries of a newer form
  uint64_t unreadable = 0;  ///< segments
  bool whole() const { return rotten == 0 && unknown == 0 && unreadable == 0; }
};

Totals totals_of(const std::vector<JournalSegment>& segments) {
  Totals totals;
  totals.segments = segments.size();
  for (const JournalSegment& segment : segments) {
    totals.bytes += segment.bytes;
    if (!segment.status.ok()) {
      ++totals.unreadable;
      continue;
    }
    totals.journal = segment.journal;
    totals.torn_bytes += segment.torn_bytes;
    totals.unknown += segment.unknown;
    for (const Rot& rot : segment.rot) totals.rotten += rot.to - rot.from;
    if (segment.entries == 0) continue;
    if (totals.entries == 0) {
      totals.first_entry = segment.first_entry;
      totals.first_time = segment.first_time;
    }
    totals.last_entry = segment.last_entry;
    totals.last_time = segment.last_time;
    totals.entries += segment.entries;
  }
  return totals;
}

/// "entry 5 has rotted" for people, with its file.
std::string rot_text(const JournalSegment& segment, const Rot& rot) {
  uint64_t last = rot.to - 1;
  std::string which = rot.from == last ? "entry " + std::to_string(rot.from) + " has"
                                       : "entries " + std::to_string(rot.from) + " to " +
                                             std::to_string(last) + " have";
  return segment.path + ": " + which + " rotted, at byte " + std::to_string(rot.offset);
}

// ---- for programs ----

/// ,"entries":7,"first":"3.1",...: what a segment and the whole have in common.
template <class Counted>
std::string entries_json(const Counted& of) {
  std::string text = ",\"entries\":" + std::to_string(of.entries);
  if (of.entries == 0) return text;
  return text + ",\"first_entry\":\"" + to_text(of.first_entry) + "\",\"last_entry\":\"" +
         to_text(of.last_entry) + "\",\"first_ms\":" + std::to_string(of.first_time.ms) +
         ",\"last_ms\":" + std::to_string(of.last_time.ms);
}

std::string segment_json(const JournalSegment& segment) {
  std::string text = "{\"segment\":" + json_string(segment.path) +
                     ",\"first\":" + std::to_string(segment.first.value) +
                     ",\"bytes\":" + std::to_string(segment.bytes);
  if (!segment.status.ok()) {
    return text + ",\"error\":" + json_string(message_of(segment.status)) + "}\n";
  }
  text += entries_json(segment) + ",\"sealed\":" + (segment.sealed ? "true" : "false") +
          ",\"torn_bytes\":" + std::to_string(segment.torn_bytes) +
          ",\"newer_entries\":" + std::to_string(segment.unknown) + ",\"rot\":[";
  for (size_t i = 0; i < segment.rot.size(); ++i) {
    const Rot& rot = segment.rot[i];
    text += std::string(i == 0 ? "" : ",") + "{\"first\":" + std::to_string(rot.from) +
            ",\"last\":" + std::to_string(rot.to - 1) +
            ",\"offset\":" + std::to_string(rot.offset) + "}";
  }
  return text + "]}\n";
}

std::string totals_json(const std::string& folder, const Totals& totals) {
  return "{\"journal\":" + json_string(folder) + ",\"id\":\"" + to_string(totals.journal) +
         "\",\"segments\":" + std::to_string(totals.segments) +
         ",\"bytes\":" + std::to_string(totals.bytes) + entries_json(totals) +
         ",\"torn_bytes\":" + std::to_string(totals.torn_bytes) +
         ",\"rotten_entries\":" + std::to_string(totals.rotten) +
         ",\"newer_entries\":" + std::to_string(totals.unknown) +
         ",\"unreadable_segments\":" + std::to_string(totals.unreadable) + "}\n";
}

// ---- for people ----

std::string end_text(const JournalSegment& segment) {
  if (!segment.status.ok()) return "unreadable";
  if (segment.torn_bytes > 0) return "torn, " + counted(segment.torn_bytes, "byte");
  return segment.sealed ? "sealed" : "open";
}

std::string table_text(const std::vector<JournalSegment>& segments) {
  TextTable table({{"SEGMENT"},
                   {"FIRST", true},
                   {"ENTRIES", true},
                   {"EPOCHS", true},
                   {"BYTES", true},
                   {"FROM"},
                   {"TO"},
                   {"END"}});
  for (const JournalSegment& segment : segments) {
    std::string epochs = std::to_string(segment.first_entry.epoch.value);
    if (segment.last_entry.epoch != segment.first_entry.epoch) {
      epochs += "-" + std::to_string(segment.last_entry.epoch.value);
    }
    bool empty = segment.entries == 0;
    table.add({printable(segment.path.substr(segment.path.rfind('/') + 1)),
               std::to_string(segment.first.value), with_thousands(segment.entries),
               empty ? "" : epochs, with_thousands(segment.bytes),
               empty ? "" : time_text(segment.first_time.ms),
               empty ? "" : time_text(segment.last_time.ms), end_text(segment)});
  }
  return table.text();
}

std::string totals_text(const std::string& folder, const Totals& totals) {
  std::string text =
      printable(folder) + ": journal " + to_string(totals.journal) + ", " +
      counted(totals.segments, "segment") + ", " + counted(totals.bytes, "byte") + ", " +
      (totals.entries == 1 ? "1 entry" : with_thousands(totals.entries) + " entries");
  if (totals.entries > 0) {
    text += ", " + to_text(totals.first_entry) + " to " + to_text(totals.last_entry);
  }
  return text + "\n";
}

void tell_damage(const std::vector<JournalSegment>& segments, Console& console) {
  for (const JournalSegment& segment : segments) {
    if (!segment.status.ok()) console.message(message_of(segment.status));
    for (const Rot& rot : segment.rot) console.message(rot_text(segment, rot));
    if (segment.unknown > 0) {
      console.message(segment.path + ": " + std::to_string(segment.unknown) +
                      " of its entries were written by a newer version of this program");
    }
  }
}

}  // namespace

ExitCode inspect_journal(const InspectOptions& options) {
  Console console;
  PosixFileSystem files;
  const std::string folder = journal_folder(files, options.directory);
  auto segments = survey_journal(files, folder);
  if (!segments.ok()) {
    console.message(message_of(segments.status()));
    return exit_code_of_files(segments.status());
  }
  const Totals totals = totals_of(*segments);
  OutputBuffer out(STDOUT_FILENO);
  if (options.json) {
    for (const JournalSegment& segment : *segments) out.append(segment_json(segment));
    out.append(totals_json(folder, totals));
  } else {
    out.append(totals_text(folder, totals) + "\n" + table_text(*segments));
  }
  ExitCode code = totals.whole() ? ExitCode::kOk : ExitCode::kBadInput;
  code = finish_output(out, console, "standard output", code);
  tell_damage(*segments, console);
  return code;
}

}  // namespace pollux::tool

#include "persistence/journal/journal_reader.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "persistence/codec/entry_codec.h"
#include "persistence/codec/record.h"

namespace pollux {
namespace {

/// The schemas of a record's payload, and its entry when that is `wanted`.
absl::StatusOr<std::optional<Entry>> decode(const LogRecord& record, bool wanted,
                                            SchemaTable& schemas) {
  std::string_view left = record.payload;
  while (!left.empty()) {
    RecordFrame frame = read_frame(left);
    if (frame.state != FrameState::kWhole) {
      return absl::DataLossError("it is no record of this version");
    }
    left.remove_prefix(frame.bytes);
    if (frame.header.type != RecordType::kSchema && !wanted) return std::nullopt;
    auto entry = decode_entry(frame, schemas);
    if (!entry.ok()) return entry.status();
    if (!*entry) continue;
    if ((*entry)->id != EntryId{{record.tag}, {record.sequence}}) {
      return absl::DataLossError("it has another id than its frame");
    }
    return entry;
  }
  return absl::DataLossError("no entry stands in it");
}

}  // namespace

absl::StatusOr<std::optional<Entry>> JournalReader::next() {
  while (true) {
    auto record = log_.next();
    if (!record.ok()) return record.status();
    if (!*record) return std::nullopt;
    if ((*record)->new_segment) schemas_ = std::make_unique<SchemaTable>();
    bool wanted = (*record)->sequence >= from_.value;
    auto entry = decode(**record, wanted, *schemas_);
    if (!entry.ok()) {
      return absl::DataLossError(absl::StrCat(log_.path(), ": entry ", (*record)->sequence,
                                              " cannot be read: ", entry.status().message()));
    }
    if (*entry) return entry;
  }
}

}  // namespace pollux

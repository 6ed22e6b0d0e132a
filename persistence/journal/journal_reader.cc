#include "persistence/journal/journal_reader.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "persistence/codec/entry_codec.h"
#include "persistence/codec/with_schemas.h"

namespace pollux {

absl::StatusOr<std::optional<Entry>> JournalReader::next() {
  while (true) {
    auto record = log_.next();
    if (!record.ok()) return record.status();
    if (!*record) return std::nullopt;
    const LogRecord& read = **record;
    if (read.new_segment) schemas_ = std::make_unique<SchemaTable>();
    bool wanted = read.sequence >= from_.value;
    auto entry = decode_with_schemas(read.payload, wanted, *schemas_, decode_entry);
    absl::Status why = entry.status();
    if (why.ok() && *entry && (*entry)->id != EntryId{{read.tag}, {read.sequence}}) {
      why = absl::DataLossError("it has another id than its frame");
    }
    if (!why.ok()) {
      return absl::DataLossError(
          absl::StrCat(log_.path(), ": entry ", read.sequence, " cannot be read: ", why.message()));
    }
    if (*entry) return entry;
  }
}

}  // namespace pollux

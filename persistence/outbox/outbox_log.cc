#include "persistence/outbox/outbox_log.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "persistence/codec/with_schemas.h"

namespace pollux {

absl::StatusOr<std::unique_ptr<OutboxLog>> OutboxLog::open(FileSystem& files,
                                                           const OutboxOptions& options) {
  if (options.confirmed_below == 0) return absl::InvalidArgumentError("offsets begin at 1");
  SegmentLogOptions log_options;
  log_options.place = {options.directory, LogKind::kOutbox};
  log_options.segment_bytes = options.segment_bytes;
  log_options.covered.sequence = options.confirmed_below - 1;
  log_options.new_id = options.new_id;
  auto log = SegmentLog::open(files, log_options);
  if (!log.ok()) return log.status();
  return std::unique_ptr<OutboxLog>(new OutboxLog(options, *std::move(log)));
}

absl::Status OutboxLog::append(const ResultBatch& results) {
  uint32_t rows = results.batch->rows();
  if (rows == 0) return absl::InvalidArgumentError("a slice without rows has no offset");
  if (bytes() >= options_.bytes_max) {
    return absl::ResourceExhaustedError(absl::StrCat(options_.directory, ": the outbox has ",
                                                     bytes(), " bytes, of ", options_.bytes_max));
  }
  uint64_t first = log_->next();
  auto write_payload = [&](std::string& out, bool new_segment) {
    if (new_segment) schemas_.clear();
    absl::Status encoded = encode_results(results, first, schemas_, out);
    // Waiting for room would not help.
    return absl::IsResourceExhausted(encoded) ? absl::OutOfRangeError(encoded.message()) : encoded;
  };
  // Replays bring results of an older epoch behind those of a younger one: no tag.
  absl::Status appended = log_->append(rows, 0, write_payload);
  if (!appended.ok()) schemas_.clear();  // what was taken back may have been a schema's first
  return appended;
}

absl::Status OutboxLog::flush() {
  if (absl::Status written = log_->flush(); !written.ok()) return written;
  log_->let_read(log_->next());
  return absl::OkStatus();
}

absl::Status OutboxLog::sync() {
  if (absl::Status lasts = log_->sync(); !lasts.ok()) return lasts;
  log_->let_read(log_->next());
  return absl::OkStatus();
}

absl::Status OutboxLog::close() {
  if (absl::Status closed = log_->close(); !closed.ok()) return closed;
  log_->let_read(log_->next());
  return absl::OkStatus();
}

absl::StatusOr<std::optional<OutboxSlice>> OutboxReader::next() {
  while (true) {
    auto record = log_.next();
    if (!record.ok()) return record.status();
    if (!*record) return std::nullopt;
    const LogRecord& read = **record;
    if (read.new_segment) schemas_ = std::make_unique<SchemaTable>();
    bool wanted = read.sequence + read.count > from_;
    auto slice = decode_with_schemas(read.payload, wanted, *schemas_, decode_results);
    absl::Status why = slice.status();
    if (why.ok() && *slice &&
        ((*slice)->first != read.sequence || (*slice)->ordinals.size() != read.count)) {
      why = absl::DataLossError("it has other offsets than its frame");
    }
    if (!why.ok()) {
      return absl::DataLossError(absl::StrCat(log_.path(), ": results ", read.sequence,
                                              " cannot be read: ", why.message()));
    }
    if (*slice) return slice;
  }
}

}  // namespace pollux

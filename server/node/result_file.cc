#include "server/node/result_file.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace pollux {
namespace {

void note_recovery(const RecoveryReport& report, std::vector<std::string>& notes) {
  if (report.torn_bytes > 0) {
    notes.push_back(absl::StrCat(report.torn_file, ": ", report.torn_bytes,
                                 " bytes that were not written to the end were cut off"));
  }
  for (const RecoveryReport::RottenFile& file : report.rot) {
    notes.push_back(absl::StrCat(file.path, ": results ", file.rot.from, " to ", file.rot.to - 1,
                                 ", which are confirmed, have rotted at byte ", file.rot.offset));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<ResultFile>> ResultFile::open(FileSystem& files,
                                                             const OutboxOptions& options,
                                                             const SchemaPtr& schema,
                                                             ResultIds& ids,
                                                             std::vector<std::string>& notes) {
  auto outbox = OutboxLog::open(files, options);
  if (!outbox.ok()) return outbox.status();
  std::unique_ptr<ResultFile> file(new ResultFile(files, options.directory, *std::move(outbox)));
  note_recovery(file->outbox_->report(), notes);
  auto last = read_last_ids(files, options.directory);
  if (absl::IsDataLoss(last.status())) {
    notes.push_back(absl::StrCat("results may come twice: ", last.status().message()));
  } else if (!last.ok()) {
    return last.status();
  } else {
    ids.add_last(*last);
  }
  absl::Status scanned = file->scan(file->begin(), *schema, ids);
  if (absl::IsDataLoss(scanned) && options.confirmed_below > file->begin()) {
    notes.push_back(std::string(scanned.message()));
    file->begin_ = options.confirmed_below;
    scanned = file->scan(options.confirmed_below, *schema, ids);
  }
  if (!scanned.ok()) return scanned;
  return file;
}

absl::Status ResultFile::scan(uint64_t from, const Schema& schema, ResultIds& ids) {
  ids.forget_below(UINT64_MAX);
  OutboxReader reader(files_, outbox_->index(), from);
  while (true) {
    auto read = reader.next();
    if (!read.ok()) return read.status();
    if (!*read) return absl::OkStatus();
    if (!(*read)->batch->schema().same_attributes(schema)) {
      return absl::FailedPreconditionError(
          absl::StrCat(directory_, ": the results from ", (*read)->first,
                       " on have other attributes than stream '", schema.name(), "'"));
    }
    ids.add(*slice_of(**std::move(read)));
  }
}

absl::Status ResultFile::write(std::deque<ResultSlicePtr>& slices,
                               std::vector<ResultSlicePtr>& written) {
  absl::Status status;
  for (const ResultSlicePtr& slice : slices) {
    if (slice->end() <= outbox_->next()) continue;  // gathered, before the disk was full
    POLLUX_CHECK(slice->first <= outbox_->next());
    // Of a slice that is long its first rows may be there.
    auto done = static_cast<uint32_t>(outbox_->next() - slice->first);
    status = done == 0 ? append(*slice) : append(part_of(*slice, done, slice->batch->rows()));
    if (!status.ok()) break;
  }
  absl::Status flushed = outbox_->flush();
  while (!slices.empty() && slices.front()->end() <= outbox_->index()->readable()) {
    written.push_back(std::move(slices.front()));
    slices.pop_front();
  }
  return flushed.ok() ? status : flushed;
}

/// In halves, where it is longer than a record may be.
absl::Status ResultFile::append(const ResultSlice& slice) {
  absl::Status appended = outbox_->append(
      {*slice.plan, slice.batch->schema().name(), slice.cause, slice.batch, slice.ordinals});
  uint32_t rows = slice.batch->rows();
  if (!absl::IsOutOfRange(appended) || rows == 1) return appended;
  absl::Status first = append(part_of(slice, 0, rows / 2));
  return first.ok() ? append(part_of(slice, rows / 2, rows)) : first;
}

uint64_t ResultFile::trimmable(uint64_t needed_from, uint64_t bytes_kept) const {
  std::vector<SegmentPlace> segments = outbox_->index()->places();
  uint64_t bytes = outbox_->bytes();
  size_t at = 0;
  while (at + 1 < segments.size() && bytes > bytes_kept && segments[at + 1].first <= needed_from) {
    bytes -= segments[at++].bytes;
  }
  return std::max(begin(), segments[at].first);
}

/// Only of rows that last.
absl::Status ResultFile::note_last(const LastIds& last) {
  absl::Status lasts = outbox_->sync();
  return lasts.ok() ? write_last_ids(files_, directory_, last) : lasts;
}

absl::Status ResultFile::trim(uint64_t offset, const LastIds& last) {
  absl::Status noted = note_last(last);
  if (!noted.ok() && !absl::IsResourceExhausted(noted)) return noted;
  if (absl::Status trimmed = outbox_->trim(offset); !trimmed.ok()) return trimmed;
  if (!noted.ok()) noted = note_last(last);
  return absl::IsResourceExhausted(noted) ? absl::OkStatus() : noted;
}

ResultSlicePtr ResultFile::slice_of(OutboxSlice read) {
  auto plan = plans_.find(read.plan);
  if (plan == plans_.end()) {
    plan = plans_.emplace(read.plan, std::make_shared<const std::string>(read.plan)).first;
  }
  return std::make_shared<const ResultSlice>(ResultSlice{
      read.first, plan->second, read.cause, std::move(read.batch), std::move(read.ordinals)});
}

/// One that stands there already, or a new one.
ResultFile::Reader ResultFile::take_reader(uint64_t from) {
  auto waits = std::find_if(readers_.begin(), readers_.end(),
                            [&](const Reader& reader) { return reader.next == from; });
  if (waits == readers_.end()) {
    return {from, std::make_unique<OutboxReader>(files_, outbox_->index(), from)};
  }
  Reader reader = std::move(*waits);
  readers_.erase(waits);
  return reader;
}

absl::StatusOr<std::vector<ResultSlicePtr>> ResultFile::read(uint64_t from, size_t rows_max) {
  std::vector<ResultSlicePtr> slices;
  std::lock_guard lock(mutex_);
  Reader reader = take_reader(from);
  for (size_t rows = 0; rows < rows_max;) {
    auto slice = reader.outbox->next();
    if (!slice.ok()) return slice.status();
    if (!*slice) break;
    slices.push_back(slice_of(**std::move(slice)));
    rows += slices.back()->batch->rows();
    reader.next = slices.back()->end();
  }
  readers_.push_front(std::move(reader));
  if (readers_.size() > kReadersMax) readers_.pop_back();
  return slices;
}

}  // namespace pollux

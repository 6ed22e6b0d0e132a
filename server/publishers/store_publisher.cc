#include "server/publishers/store_publisher.h"

#include <deque>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "server/formats/result_writer.h"

namespace pollux {

Published StorePublisher::publish(std::span<const PublishedRow> rows,
                                  const std::atomic<bool>& /*stopping*/) {
  absl::StatusOr<Written> written = write(rows);
  if (!written.ok()) {
    // Whatever it is may pass: somebody frees the disk, mends the table, or another node leads.
    opened_ = false;
    return {absl::UnavailableError(written.status().message())};
  }
  Published published;
  published.refused = written->refused.size();
  if (published.refused != 0) published.refusal = written->refused.front().reason;
  return published;
}

absl::StatusOr<Written> StorePublisher::write(std::span<const PublishedRow> rows) {
  if (!opened_) {
    if (absl::Status opened = store_.open_table(table_); !opened.ok()) return opened;
    opened_ = true;
  }
  std::vector<Rows> writes;
  std::deque<std::string> sources;    // borrowed by the writes
  std::vector<EventBatchPtr> copies;  // so are they
  for (size_t begin = 0; begin < rows.size();) {
    const ResultSlice& slice = *rows[begin].slice;
    size_t end = begin + 1;
    while (end < rows.size() && rows[end].slice == &slice) ++end;
    uint32_t first = rows[begin].row;
    uint32_t behind = rows[end - 1].row + 1;
    Rows write;
    sources.push_back(
        absl::StrCat(kDefaultTenant, "/", *slice.plan, "/", slice.batch->schema().name()));
    write.source = sources.back();
    write.entry = slice.cause;
    write.batch = slice.batch.get();
    if (behind - first != slice.batch->rows()) {
      copies.push_back(slice_copy(*slice.batch, first, behind));
      write.batch = copies.back().get();
    }
    if (content_ == StoredStream::kChanges) {
      const Column& erased = write.batch->column(columns_.size());
      write.erased = std::span(erased.data<uint8_t>(), erased.size());
      copies.push_back(pick_columns(*write.batch, table_.schema, columns_));
      write.batch = copies.back().get();
    }
    write.ordinals = std::span(slice.ordinals).subspan(first, behind - first);
    writes.push_back(write);
    begin = end;
  }
  return store_.write(table_.name, writes, epoch_());
}

}  // namespace pollux

#include "tests/ha/sim/sink_senders.h"

#include <algorithm>
#include <utility>

#include "tests/ha/sim/sim_plan.h"

namespace pollux {
namespace {

constexpr size_t kRowsAtATime = 8;

}  // namespace

absl::Status SinkCursor::open(const OutboxLog& outbox, ReaderPlaces& places) {
  outbox_ = &outbox;
  places_ = &places;
  reader_ = nullptr;
  rows_.clear();
  auto all = places.all();
  auto known = all.find(ReaderPlaces::key_of(name_));
  offset_ = known == all.end() ? outbox.first() : std::max(known->second, outbox.first());
  return places.put(ReaderPlaces::key_of(name_), offset_);
}

absl::Status SinkCursor::read() {
  if (reader_ == nullptr) {
    reader_ = std::make_unique<OutboxReader>(files_, outbox_->index(), offset_);
  }
  while (true) {
    auto slice = reader_->next();
    if (!slice.ok()) return slice.status();
    if (!*slice) return absl::OkStatus();
    for (uint32_t row = 0; row < (*slice)->batch->rows(); ++row) {
      uint64_t offset = (*slice)->first + row;
      if (offset < offset_) continue;
      rows_.push_back(
          {offset,
           {{(*slice)->cause, (*slice)->ordinals[row]}, content_of(*(*slice)->batch, row)}});
    }
  }
}

/// Also what comes only now may have been confirmed, by the other node's sink.
absl::Status SinkCursor::advance() {
  if (absl::Status readable = read(); !readable.ok()) return readable;
  uint64_t before = offset_;
  while (!rows_.empty() && rows_.front().row.id <= mark_) {
    offset_ = rows_.front().offset + 1;
    rows_.pop_front();
  }
  if (offset_ == before) return absl::OkStatus();
  return places_->confirm(ReaderPlaces::key_of(name_), offset_);
}

absl::Status SinkCursor::confirm(const PlanRow& mark) {
  mark_ = std::max(mark_, mark);
  return advance();
}

absl::StatusOr<std::vector<SimRow>> SinkCursor::rows(size_t most) {
  absl::Status advanced = advance();
  if (!advanced.ok() && !absl::IsResourceExhausted(advanced)) return advanced;
  std::vector<SimRow> rows;
  for (const Row& row : rows_) {
    if (rows.size() == most) break;
    rows.push_back(row.row);
  }
  return rows;
}

absl::Status WebhookSender::work(const std::function<void(const PlanRow&)>& sent,
                                 const std::function<void(const PlanRow&)>& confirmed) {
  if (!leads_ || (waits_ && link_.time.now_us() - sent_us_ < kPatienceUs)) {
    return absl::OkStatus();
  }
  auto rows = cursor.rows(kRowsAtATime);
  if (!rows.ok() || rows->empty()) return rows.status();
  waits_ = true;
  sent_us_ = link_.time.now_us();
  PlanRow last = rows->back().id;
  uint64_t attempt = ++attempt_;
  link_.ask(
      [this_witness = &witness_, node = node_, epoch = epoch_, rows = *rows] {
        for (const SimRow& row : rows) this_witness->at_webhook(node, epoch, row);
      },
      [this, last, attempt, confirmed] {
        if (attempt == attempt_) waits_ = false;
        confirmed(last);
      });
  sent(last);
  return absl::OkStatus();
}

/// `at_sink` says nothing when this lead is over there, or what was thought of its progress wrong.
void StoreSender::ask(std::function<std::optional<PlanRow>()> at_sink,
                      const std::function<void(const PlanRow&)>& confirmed) {
  waits_ = true;
  sent_us_ = link_.time.now_us();
  uint64_t attempt = ++attempt_;
  auto answer = std::make_shared<std::optional<PlanRow>>();
  link_.ask([answer, at_sink = std::move(at_sink)] { *answer = at_sink(); },
            [this, answer, attempt, confirmed] {
              if (attempt != attempt_) return;
              waits_ = false;
              raised_ = answer->has_value();
              if (*answer) progress_ = **answer;
              judged_ = confirmed != nullptr;
              if (confirmed && *answer) confirmed(**answer);
            });
}

absl::Status StoreSender::work(const std::function<void(const PlanRow&)>& confirmed,
                               const std::function<std::optional<HeldEntries>(EntryId)>& void_of) {
  if (!leads_) return absl::OkStatus();
  if (waits_) {
    if (link_.time.now_us() - sent_us_ < kPatienceUs) return absl::OkStatus();
    waits_ = raised_ = false;  // nobody knows what became of it
  }
  if (!raised_) {
    ask([sink = &sink_, epoch = epoch_] { return sink->raise(epoch); }, nullptr);
    return absl::OkStatus();
  }
  if (!judged_) {
    if (std::optional<HeldEntries> ours = void_of(progress_.cause)) {
      ask([sink = &sink_, epoch = epoch_, before = progress_,
           ours] { return sink->roll_back(epoch, before, *ours); },
          nullptr);
      return absl::OkStatus();
    }
    judged_ = true;
    confirmed(progress_);
  }
  auto rows = cursor.rows(kRowsAtATime);
  if (!rows.ok() || rows->empty()) return rows.status();
  SimStore::Transaction transaction{epoch_, progress_, *std::move(rows)};
  ask([sink = &sink_, transaction] { return sink->write(transaction); }, confirmed);
  return absl::OkStatus();
}

}  // namespace pollux

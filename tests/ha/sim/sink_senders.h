// What brings a node's results to the two sinks while it leads, and knows while it does not how far
// the other node has brought them. Thread: one.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "persistence/outbox/outbox_log.h"
#include "persistence/outbox/reader_places.h"
#include "tests/ha/sim/sim_sinks.h"
#include "tests/ha/sim/virtual_time.h"

namespace pollux {

/// How a sender reaches its sink. `arrive` and what it returns may be lost, each.
struct SinkLink {
  VirtualTime& time;
  /// Calls `arrive` at the sink, and, later, `back` at this process, if it still lives.
  std::function<void(std::function<void()> arrive, std::function<void()> back)> ask;
};

/// The rows of an outbox that a sink has not confirmed yet.
class SinkCursor {
 public:
  SinkCursor(FileSystem& files, std::string name) : files_(files), name_(std::move(name)) {}

  /// On another outbox, or the same one again; `places` knows where it stands.
  absl::Status open(const OutboxLog& outbox, ReaderPlaces& places);
  /// Everything up to `mark` is confirmed.
  absl::Status confirm(const PlanRow& mark);
  /// Up to `most` rows behind the mark.
  absl::StatusOr<std::vector<SimRow>> rows(size_t most);

  uint64_t offset() const { return offset_; }
  const PlanRow& mark() const { return mark_; }
  void set_mark(const PlanRow& mark) { mark_ = std::max(mark_, mark); }

 private:
  struct Row {
    uint64_t offset;
    SimRow row;
  };
  absl::Status read();
  absl::Status advance();

  FileSystem& files_;
  const std::string name_;
  const OutboxLog* outbox_ = nullptr;
  ReaderPlaces* places_ = nullptr;
  std::unique_ptr<OutboxReader> reader_;
  std::deque<Row> rows_;
  uint64_t offset_ = 1;  // of the first row that is not confirmed
  PlanRow mark_;         // the last that is
};

class WebhookSender {
 public:
  WebhookSender(FileSystem& files, SinkLink link, Witness& witness, Place node)
      : cursor(files, "webhook"), link_(std::move(link)), witness_(witness), node_(node) {}

  void begin(Epoch epoch) {
    epoch_ = epoch;
    waits_ = false;
    leads_ = true;
  }
  void end() { leads_ = false; }
  /// `sent`: is called with the last row of what is sent; `confirmed`, once the sink has it.
  absl::Status work(const std::function<void(const PlanRow&)>& sent,
                    const std::function<void(const PlanRow&)>& confirmed);

  SinkCursor cursor;

 private:
  static constexpr int64_t kPatienceUs = 400'000;
  SinkLink link_;
  Witness& witness_;
  const Place node_;
  Epoch epoch_;
  bool leads_ = false;
  bool waits_ = false;
  uint64_t attempt_ = 0;
  int64_t sent_us_ = 0;
};

class StoreSender {
 public:
  StoreSender(FileSystem& files, SinkLink link, SimStore& store)
      : cursor(files, "store"), link_(std::move(link)), sink_(store) {}

  void begin(Epoch epoch) {
    epoch_ = epoch;
    leads_ = true;
    waits_ = raised_ = false;
  }
  void end() { leads_ = false; }
  /// `void_of`: of a progress that is of no entry of this journal, which entries are.
  absl::Status work(const std::function<void(const PlanRow&)>& confirmed,
                    const std::function<std::optional<HeldEntries>(EntryId)>& void_of);

  SinkCursor cursor;

 private:
  static constexpr int64_t kPatienceUs = 400'000;
  void ask(std::function<std::optional<PlanRow>()> at_sink,
           const std::function<void(const PlanRow&)>& confirmed);

  SinkLink link_;
  SimStore& sink_;
  Epoch epoch_;
  bool leads_ = false;
  bool raised_ = false;
  PlanRow progress_;     // of the store, as it last said
  bool judged_ = false;  // that is of entries of this journal
  bool waits_ = false;
  uint64_t attempt_ = 0;
  int64_t sent_us_ = 0;
};

}  // namespace pollux

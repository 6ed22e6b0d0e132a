// When the changes of stored rows are said: at once, or so long after the last time that they were.
//
// Its timer says nothing itself: it makes an entry of time come, at whose end the changes are due.
// What has changed and waits is part of its state. Thread: the shard's.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/operators/plan_context.h"
#include "engine/operators/stored_content.h"

namespace pollux {

class ChangePacer final : public TimerOperator, public Stateful {
 public:
  ChangePacer(PlanContext& context, int64_t interval_ms)
      : TimerOperator(context, INT64_MAX), context_(context), interval_ms_(interval_ms) {}

  /// Its changes wait here.
  void add(StoredContent& content) { contents_.push_back(&content); }

  /// There are changes at the end of an entry: whether they are to be said now. `must`: they are.
  bool lets_pass(bool must) {
    int64_t now = context_.now();
    if (must || !last_ms_ || now - *last_ms_ >= interval_ms_) {
      last_ms_ = now;
      return true;
    }
    if (!armed_) schedule(0, *last_ms_ + interval_ms_);
    armed_ = true;
    return false;
  }

  void archive_state(StateArchive& archive) override {
    TimerOperator::archive(archive);
    archive(last_ms_, armed_);
    for (StoredContent* content : contents_) content->archive_changes(archive);
  }

 private:
  void on_timer(uint32_t) override { armed_ = false; }

  PlanContext& context_;
  int64_t interval_ms_;
  std::vector<StoredContent*> contents_;
  std::optional<int64_t> last_ms_;
  bool armed_ = false;
};

}  // namespace pollux

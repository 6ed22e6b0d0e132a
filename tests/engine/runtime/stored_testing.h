// An engine whose stored tables and aggregations are followed as a store would: row by row, by key.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/runtime/engine.h"

namespace pollux::test {

using Row = std::vector<Value>;

inline std::string text_of(const Row& row) {
  std::string text;
  for (const Value& value : row) text += to_text(value) + " ";
  if (!text.empty()) text.pop_back();
  return text;
}

/// What a store would have of one holder: rows in the order in which their keys came first.
class FollowedHolder {
 public:
  struct Kept {
    uint64_t order = 0;
    Row row;
    int64_t timestamp = 0;
  };

  void take(const StoredHolder& holder, const EventBatch& changes) {
    const Schema& schema = changes.schema();
    std::vector<size_t> key_columns;
    for (const std::string& name : holder.primary_key) key_columns.push_back(*schema.find(name));
    for (uint32_t i = 0; i < changes.rows(); ++i) {
      Row row;
      for (size_t c = 0; c + 1 < schema.size(); ++c) row.push_back(changes.value(i, c));
      std::string key;
      for (size_t column : key_columns) key += to_text(row[column]) + "|";
      if (std::get<bool>(changes.value(i, schema.size() - 1))) {
        rows_.erase(key);
        continue;
      }
      Kept& kept = rows_.try_emplace(key, Kept{++last_order_, {}, 0}).first->second;
      kept.row = std::move(row);
      kept.timestamp = changes.timestamps()[i];
    }
  }

  std::vector<const Kept*> in_order() const {
    std::vector<const Kept*> all;
    for (const auto& [key, kept] : rows_) all.push_back(&kept);
    std::sort(all.begin(), all.end(),
              [](const Kept* a, const Kept* b) { return a->order < b->order; });
    return all;
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> texts;
    for (const Kept* kept : in_order()) texts.push_back(text_of(kept->row));
    return texts;
  }
  StoredRows rows(const StoredHolder& holder) const {
    constexpr uint32_t kBatchRows = 3;
    StoredRows stored;
    stored.stream = holder.stream;
    std::shared_ptr<EventBatch> batch;
    for (const Kept* kept : in_order()) {
      if (batch == nullptr || batch->rows() == kBatchRows) {
        batch = std::make_shared<EventBatch>(holder.schema);
        stored.batches.push_back(batch);
      }
      for (size_t c = 0; c < kept->row.size(); ++c) batch->append_value(c, kept->row[c]);
      batch->end_row(kept->timestamp);
    }
    return stored;
  }

 private:
  std::map<std::string, Kept> rows_;  ///< by key
  uint64_t last_order_ = 0;
};

class StoredNode final : public ResultSink {
 public:
  explicit StoredNode(int64_t now_ms = 1'000'000) : now_ms(now_ms) {}

  ApplyOutcome deploy(const std::string& text, std::vector<StoredRows> stored = {},
                      bool replace = false) {
    DeployPayload payload{"plan", text};
    payload.replace = replace;
    payload.stored = std::move(stored);
    ApplyOutcome outcome = apply(std::move(payload));
    if (outcome.status == ApplyStatus::kApplied) name = outcome.plan;
    return outcome;
  }
  /// And nothing is wrong.
  ApplyOutcome must_deploy(const std::string& text, std::vector<StoredRows> stored = {},
                           bool replace = false) {
    ApplyOutcome outcome = deploy(text, std::move(stored), replace);
    EXPECT_EQ(outcome.status, ApplyStatus::kApplied)
        << outcome.reason << to_text(outcome.diagnostics, "plan");
    return outcome;
  }

  void send(const std::string& stream, const Row& row) { send_all(stream, {row}); }
  void send_all(const std::string& stream, const std::vector<Row>& rows) {
    auto batch = std::make_shared<EventBatch>(engine.input_schema(stream));
    for (const Row& row : rows) {
      for (size_t c = 0; c < row.size(); ++c) batch->append_value(c, row[c]);
      batch->end_row(now_ms);
    }
    ApplyOutcome outcome = apply(EventsPayload{batch});
    EXPECT_EQ(outcome.status, ApplyStatus::kApplied) << outcome.reason;
  }
  ApplyOutcome write(const std::string& query) { return apply(WritePayload{name, query}); }
  /// Time passes, tick by tick as the engine asks for them.
  void pass(int64_t ms) {
    int64_t until = now_ms + ms;
    for (auto due = engine.next_deadline(); due && due->ms <= until; due = engine.next_deadline()) {
      now_ms = std::max(now_ms, due->ms);
      apply(TickPayload{});
    }
    now_ms = until;
  }

  ApplyOutcome apply(EntryPayload payload) {
    lines.clear();
    if (std::holds_alternative<DeployPayload>(payload)) known_.clear();
    return engine.apply({{{1}, {++position}}, {now_ms}, std::move(payload)}, *this);
  }

  std::string answer(const std::string& text) const {
    QueryAnswer answer = engine.query(name, text);
    if (!answer.status.ok()) return answer.status.reason + to_text(answer.diagnostics, "");
    std::string rows;
    for (uint32_t i = 0; i < answer.rows->rows(); ++i) {
      Row row;
      for (size_t c = 0; c < answer.rows->schema().size(); ++c) {
        row.push_back(answer.rows->value(i, c));
      }
      rows += (rows.empty() ? "" : ";") + text_of(row);
    }
    return rows;
  }
  std::vector<StoredHolder> holders() const { return engine.describe(name)->stored; }
  /// All that a store would have by now.
  std::vector<StoredRows> stored() const {
    std::vector<StoredRows> all;
    for (const StoredHolder& holder : holders()) {
      auto at = followed.find(holder.stream);
      if (at != followed.end()) all.push_back(at->second.rows(holder));
    }
    return all;
  }
  /// By key, as in a store.
  std::vector<std::string> store_of(const std::string& stream) const {
    auto at = followed.find(stream);
    std::vector<std::string> rows =
        at == followed.end() ? std::vector<std::string>{} : at->second.texts();
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  void on_result(const ResultBatch& results) override {
    const std::string stream(results.stream);
    for (uint32_t row = 0; row < results.batch->rows() && keeps_lines; ++row) {
      Row values;
      for (size_t c = 0; c < results.batch->schema().size(); ++c) {
        values.push_back(results.batch->value(row, c));
      }
      lines.push_back(std::to_string(results.ordinals[row]) + " " + stream + " " + text_of(values));
      all_lines.push_back(std::to_string(position) + "." + lines.back());
    }
    if (!stream.ends_with(".changes")) return;
    if (known_.empty()) known_ = holders();
    for (const StoredHolder& holder : known_) {
      if (holder.stream == stream) followed[stream].take(holder, *results.batch);
    }
  }

  Engine engine;
  std::string name = "plan";
  uint64_t position = 0;
  int64_t now_ms;
  std::vector<std::string> lines;      ///< of the last entry: "ordinal stream values"
  std::vector<std::string> all_lines;  ///< of all entries, with their positions
  bool keeps_lines = true;
  std::map<std::string, FollowedHolder> followed;

 private:
  std::vector<StoredHolder> known_;  ///< of the plan that is deployed
};

}  // namespace pollux::test

// A deployed plan: its streams, tables, partitions and queries, ready to take entries.
//
// Thread: the shard's. A failed assertion (AssertionFailed) leaves it unusable: the engine suspends
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/operators/aggregation.h"
#include "engine/operators/change_pacer.h"
#include "engine/operators/junction.h"
#include "engine/operators/named_window.h"
#include "engine/operators/partition.h"
#include "engine/operators/plan_context.h"
#include "engine/operators/stored_content.h"
#include "engine/operators/table.h"
#include "engine/runtime/engine.h"
#include "engine/runtime/idle_clock.h"
#include "engine/runtime/plan_description.h"
#include "engine/runtime/result_collector.h"
#include "engine/script/script_functions.h"

namespace pollux {

/// A query, a partition with all that is in it, or a definition, and what in it has state.
struct StateUnit {
  std::string name;   ///< "query sums", "table T"; "query #2" for one that has no name
  uint64_t hash = 0;  ///< of its text and of the definitions of what it reads
  std::vector<Stateful*> parts;
};

/// A table, or an aggregation with a holder for each of its units, that a record store keeps too.
struct StoredPart {
  struct Holder {
    StoredHolder description;
    SchemaPtr changes;  ///< of the stream; null: nothing ever changes
    std::unique_ptr<StoredContent> content;
    std::optional<uint32_t> result;  ///< the stream's number, where it is a result
  };
  std::string unit;              ///< by the name of its state
  ChangePacer* pacer = nullptr;  ///< null: changes come out with every entry
  std::vector<Holder> holders;
};

/// An external table, which has rows only while an entry is applied: those that it carries.
struct ExternalPart {
  ExternalTable description;
  std::unique_ptr<Table> rows;
};

class Plan {
 public:
  explicit Plan(std::string name) : name_(std::move(name)) {
    units_.push_back({"clock", 0, {&context_}});
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  const std::string& name() const { return name_; }
  void set_name(std::string name) { name_ = std::move(name); }

  // ---- taking entries ----

  /// Before an entry is applied.
  void begin_entry(EntryId entry) { context_.uuids().begin_entry(entry); }
  /// The input stream of that name; null when the plan does not define it.
  Junction* input(std::string_view stream);
  /// A stream that no definition but a query made; null when there is none of that name.
  Junction* inferred_input(std::string_view stream);
  /// Before events of the stream are applied: what was found for them. Returns what is wrong.
  std::string take_found(std::string_view stream, const std::vector<FoundRows>& found);
  /// Behind them.
  void drop_found();
  /// `row_clock`: the rows' timestamps move the clock, which otherwise is `now_ms`.
  void apply_events(Junction& input, const EventBatch& batch, bool row_clock, int64_t now_ms);
  /// All rows as one chunk.
  void apply_chunk(Junction& input, const EventBatch& batch, int64_t now_ms);
  void apply_tick(int64_t now_ms) { context_.advance_to(now_ms, 0); }
  /// A playback plan: time passed by the entries' clock.
  void apply_idle_time(int64_t entry_clock_ms);
  /// A playback plan: what it waits for by the entries' clock.
  std::optional<int64_t> idle_deadline() const {
    return idle_clock_ ? idle_clock_->deadline() : std::nullopt;
  }
  void deliver(EntryId cause, ResultSink& sink) {
    if (!stored_.empty()) put_out_changes(Changes::kDue);
    results_.deliver(name_, result_streams_, cause, sink);
  }
  /// The plan ends: changes that still wait.
  void deliver_rest(EntryId cause, ResultSink& sink) {
    put_out_changes(Changes::kAll);
    results_.deliver(name_, result_streams_, cause, sink);
  }

  std::optional<int64_t> next_deadline() const { return context_.next_deadline(); }
  std::optional<int64_t> last_deadline() const { return context_.last_deadline(); }
  std::vector<StreamInfo> streams() const;
  std::vector<TableInfo> tables() const;
  /// Schemas of what holds rows that can be asked for: tables and named windows.
  std::vector<SchemaPtr> row_holders() const;
  /// Hands out copies of the rows of a table or a named window, oldest first, until `take` says
  /// false. False when there is none of that name.
  bool read_rows(std::string_view name, const TakeRows& take) const;
  const std::map<std::string, std::unique_ptr<Aggregation>>& aggregations() const {
    return aggregations_;
  }
  /// Hands out copies of the buckets of a unit that began in the range, oldest first, until `take`
  /// says false. False when there is no such aggregation, or none of that unit.
  bool read_aggregation(std::string_view name, CalendarUnit unit, const TimeRange& range,
                        const TakeRows& take) const;
  PlanDescription describe() const;
  size_t state_bytes() const;
  /// The clock first, and then everything in the order in which it was built.
  const std::vector<StateUnit>& state_units() const { return units_; }
  bool playback() const { return playback_; }
  const std::vector<StoredPart>& stored() const { return stored_; }

  // ---- being built ----

  struct Stream {
    std::string name;
    std::unique_ptr<Junction> junction;
    bool defined = false;
    bool written = false;
  };

  PlanContext& context() { return context_; }
  Stream* find_stream(std::string_view name);
  Stream& add_stream(SchemaPtr schema, bool defined);
  std::vector<Stream>& all_streams() { return streams_; }
  void make_result(Stream& stream);
  StoredPart& add_stored(StoredPart part) { return stored_.emplace_back(std::move(part)); }
  /// The streams of changes whose name `is_result` takes.
  void make_results_of_changes(const std::function<bool(const std::string& stream)>& is_result);
  std::map<std::string, std::unique_ptr<Table>>& all_tables() { return tables_; }
  ExternalPart& add_external(ExternalPart part);
  ExternalPart* find_external(std::string_view name) const;
  const std::vector<std::unique_ptr<ExternalPart>>& external() const { return external_; }
  NamedWindow* find_window(const std::string& name);
  std::map<std::string, std::unique_ptr<NamedWindow>>& all_windows() { return windows_; }
  Aggregation* find_aggregation(std::string_view name) const;
  Aggregation& add_aggregation(std::unique_ptr<Aggregation> aggregation);
  /// Null while the plan defines no functions.
  ScriptFunctions* scripts() { return scripts_ ? scripts_.get() : borrowed_scripts_; }
  ScriptFunctions& make_scripts() {
    if (!scripts_) scripts_ = std::make_unique<ScriptFunctions>();
    return *scripts_;
  }
  /// Those of the plan that a query is asked of.
  void borrow_scripts(ScriptFunctions* scripts) { borrowed_scripts_ = scripts; }
  Partition& add_partition(std::unique_ptr<Partition> partition);
  void set_description(PlanDescription description) { description_ = std::move(description); }
  void set_playback(bool playback) { playback_ = playback; }
  void set_idle_clock(IdleClock::Options options) {
    idle_clock_.emplace(options);
    units_.front().parts = {&context_, &*idle_clock_};
  }
  /// Rows must go through the plan one at a time: queries would see each other's effects.
  void set_row_by_row(bool row_by_row) { row_by_row_ = row_by_row; }
  bool row_by_row() const { return row_by_row_; }

  /// What is owned from here on belongs to this query, partition or definition. Returns its place
  /// among the units, for set_unit_hash().
  size_t begin_unit(std::string name) {
    units_.push_back({std::move(name), 0, {}});
    return units_.size() - 1;
  }
  void set_unit_hash(size_t unit, uint64_t hash) { units_[unit].hash = hash; }
  void add_state(Stateful& state) { units_.back().parts.push_back(&state); }
  /// Takes over an operator; returns it.
  template <class T>
  T& own(std::unique_ptr<T> part) {
    T& reference = *part;
    if constexpr (std::is_base_of_v<Stateful, T>) add_state(reference);
    if constexpr (std::is_base_of_v<KeyedOperator, T>) keyed_.push_back(&reference);
    parts_.push_back(std::shared_ptr<void>(std::move(part)));
    return reference;
  }

 private:
  uint32_t end_of_run(const EventBatch& batch, uint32_t begin) const;
  uint32_t end_before_deadline(const EventBatch& batch, uint32_t begin) const;
  bool set_row_clocks(const EventBatch& batch);
  enum class Changes : uint8_t { kDue, kAll };
  void put_out_changes(Changes which);

  std::string name_;
  PlanContext context_;
  std::unique_ptr<ScriptFunctions> scripts_;
  ScriptFunctions* borrowed_scripts_ = nullptr;
  std::vector<Stream> streams_;
  std::vector<std::string> result_streams_;
  std::map<std::string, std::unique_ptr<Table>> tables_;
  std::map<std::string, std::unique_ptr<NamedWindow>> windows_;
  std::map<std::string, std::unique_ptr<Aggregation>> aggregations_;
  std::vector<StoredPart> stored_;
  std::vector<std::unique_ptr<ExternalPart>> external_;
  std::vector<std::unique_ptr<Partition>> partitions_;
  std::vector<KeyedOperator*> keyed_;
  std::vector<StateUnit> units_;
  std::vector<std::shared_ptr<void>> parts_;  // destroyed before what stands above
  ResultCollector results_;
  PlanDescription description_;
  bool playback_ = false;
  std::optional<IdleClock> idle_clock_;
  bool row_by_row_ = false;
  std::vector<int64_t> row_clocks_;
  std::vector<uint32_t> one_cause_;
  bool clocks_are_timestamps_ = false;
};

}  // namespace pollux

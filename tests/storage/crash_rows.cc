#include "tests/storage/crash_rows.h"

#include <iterator>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

namespace pollux::testing {
namespace {

constexpr uint32_t kRowsMax = 8;
constexpr int32_t kKeys = 50;

SchemaPtr crash_schema() {
  static const auto schema =
      std::make_shared<Schema>("crash", std::vector<Attribute>{{"source", AttributeType::kInt},
                                                               {"key", AttributeType::kInt},
                                                               {"position", AttributeType::kLong},
                                                               {"text", AttributeType::kString}});
  return schema;
}

}  // namespace

TableDefinition crash_events() { return {"EVENTS", crash_schema(), {}, 0}; }
TableDefinition crash_counts() { return {"COUNTS", crash_schema(), {"source", "key"}, 0}; }

EventBatch crash_batch(const TableDefinition& table, uint32_t seed, size_t source,
                       uint64_t position) {
  std::mt19937_64 random(seed * 1'000'003ULL + position * 31 + source);
  EventBatch batch(table.schema);
  for (uint64_t left = 1 + random() % kRowsMax; left != 0; --left) {
    batch.append_value(0, static_cast<int32_t>(source));
    batch.append_value(1, static_cast<int32_t>(random() % kKeys));
    batch.append_value(2, static_cast<int64_t>(position));
    batch.append_value(3, std::string(random() % 300, 'x'));
    batch.end_row(static_cast<int64_t>(random() % 1000));
  }
  return batch;
}

TableDefinition crash_refused() {
  static const auto kSchema =
      std::make_shared<Schema>("refused", std::vector<Attribute>{{"key", AttributeType::kString}});
  return {"REFUSED", kSchema, {"key"}, 0};
}

namespace {

/// One row that can be stored and one that cannot.
absl::Status write_refused(RecordStore& store, uint64_t position) {
  EventBatch batch(crash_refused().schema);
  for (const std::string& key : {std::to_string(position), std::string(65 * 1024, 'k')}) {
    batch.append_string(0, key);
    batch.end_row(1);
  }
  const std::vector<uint32_t> ordinals{0, 1};
  const Rows rows{kCrashSources[0], EntryId{Epoch{1}, Position{position}}, &batch, ordinals};
  return store.write(crash_refused().name, {&rows, 1}, Epoch{1}).status();
}

}  // namespace

absl::Status crash_write(RecordStore& store, uint32_t seed, uint64_t position) {
  for (const TableDefinition& table : {crash_events(), crash_counts()}) {
    std::vector<EventBatch> batches;
    for (size_t source = 0; source < std::size(kCrashSources); ++source) {
      batches.push_back(crash_batch(table, seed, source, position));
    }
    std::vector<uint32_t> ordinals(kRowsMax);
    std::iota(ordinals.begin(), ordinals.end(), 0);
    std::vector<Rows> rows;
    for (size_t source = 0; source < batches.size(); ++source) {
      rows.push_back({kCrashSources[source], EntryId{Epoch{1}, Position{position}},
                      &batches[source], std::span(ordinals).first(batches[source].rows())});
    }
    auto written = store.write(table.name, rows, Epoch{1});
    if (!written.ok()) return written.status();
  }
  return write_refused(store, position);
}

}  // namespace pollux::testing

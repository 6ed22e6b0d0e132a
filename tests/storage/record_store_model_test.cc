// Random calls, each also made on a plain map in memory: both must agree, also after reopening.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "storage/refused_rows.h"
#include "tests/storage/storage_testing.h"
#include "tests/storage/store_backend.h"

namespace pollux {
namespace {

using testing::entry;
using testing::schema_of;
using testing::TestRow;

constexpr int64_t kRetentionMs = 60;

/// What a table is meant to be.
struct Model {
  TableDefinition definition;
  std::map<std::vector<Value>, TestRow> by_key;  ///< with a primary key
  std::vector<TestRow> appended;                 ///< else, in the order of arrival
  std::map<std::string, RowId> progress;
  std::multiset<std::string> refused;  ///< the source and the id

  void write(const TestRow& row) {
    if (definition.primary_key.empty()) {
      appended.push_back(row);
    } else {
      by_key.insert_or_assign({row.values[0], row.values[1]}, row);
    }
  }
  std::vector<TestRow> scan(RecordTimeRange range, int64_t now_ms) const {
    std::vector<TestRow> rows;
    auto take = [&](const TestRow& row) {
      const bool kept = definition.retention_ms == 0 || row.time_ms >= now_ms - kRetentionMs;
      if (kept && row.time_ms >= range.from.ms && row.time_ms < range.to.ms) rows.push_back(row);
    };
    for (const auto& [key, row] : by_key) take(row);
    for (const TestRow& row : appended) take(row);
    std::stable_sort(rows.begin(), rows.end(),
                     [](const TestRow& a, const TestRow& b) { return a.time_ms < b.time_ms; });
    return rows;
  }
  void expire(int64_t now_ms) {
    if (definition.retention_ms == 0) return;
    auto old = [now_ms](const TestRow& row) { return row.time_ms < now_ms - kRetentionMs; };
    std::erase_if(by_key, [&old](const auto& entry) { return old(entry.second); });
    std::erase_if(appended, old);
  }
};

class ModelTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  void SetUp() override {
    reopen();
    for (Model& model : models_) make(model);
  }

  void reopen() {
    store_.reset();
    store_ = home_->open();
    ASSERT_NE(store_, nullptr);
  }
  void make(Model& model) {
    Model empty;
    empty.definition = model.definition;
    empty.refused = model.refused;  // they outlive their table
    model = empty;
    ASSERT_TRUE(store_->open_table(model.definition).ok());
  }
  uint64_t pick(uint64_t below) { return random_() % below; }

  /// No store takes it as a key.
  static Value long_key() { return std::string(65 * 1024, 'k'); }

  Value random_value(AttributeType type) {
    if (pick(6) == 0) return {};
    if (type == AttributeType::kInt) return static_cast<int32_t>(pick(5)) - 2;
    if (type == AttributeType::kLong) return static_cast<int64_t>(now_ms_ - 80 + pick(100));
    std::string text;
    if (pick(80) == 0) return long_key();
    for (uint64_t left = pick(4); left != 0; --left) {
      text += testing::store_backend().characters[pick(4)];
    }
    return text;
  }
  TestRow random_row(const Schema& schema) {
    TestRow row{now_ms_ - 80 + static_cast<int64_t>(pick(100)), {}};
    for (const Attribute& column : schema.attributes()) {
      row.values.push_back(random_value(column.type));
    }
    return row;
  }

  /// A few entries, some of them written before.
  void write(Model& model) {
    const std::string source(1, static_cast<char>('a' + pick(3)));
    const uint64_t reached = model.progress[source].entry.position.value;
    const uint64_t first = reached < 2 || pick(2) == 0 ? reached + 1 : reached - pick(2);
    std::vector<EventBatch> batches;
    std::vector<std::vector<uint8_t>> erased;
    for (uint64_t left = 1 + pick(3); left != 0; --left) {
      std::vector<TestRow> rows;
      for (uint64_t more = 1 + pick(5); more != 0; --more) {
        rows.push_back(random_row(*model.definition.schema));
      }
      batches.push_back(testing::batch_of(model.definition.schema, rows));
      auto& marks = erased.emplace_back();
      if (model.definition.primary_key.empty() || pick(3) == 0) continue;
      for (size_t i = 0; i < rows.size(); ++i) marks.push_back(pick(3) == 0 ? 1 : 0);
    }
    const std::vector<uint32_t> ordinals{0, 2, 3, 7, 9};
    std::vector<Rows> rows;
    for (const EventBatch& batch : batches) {
      rows.push_back({source, entry(1, first + rows.size()), &batch,
                      std::span(ordinals).first(batch.rows()), erased[rows.size()]});
    }
    auto written = store_->write(model.definition.name, rows, Epoch{1});
    ASSERT_TRUE(written.ok()) << written.status();
    uint64_t effective = 0;
    for (const Rows& some : rows) effective += write_to_model(model, source, some);
    EXPECT_EQ(written->rows, effective);
  }
  static uint64_t write_to_model(Model& model, const std::string& source, const Rows& rows) {
    uint64_t effective = 0;
    std::vector<TestRow> values = testing::rows_of(*rows.batch);
    for (size_t i = 0; i < values.size(); ++i) {
      const RowId id{rows.entry, rows.ordinals[i]};
      if (id <= model.progress[source]) continue;
      model.progress[source] = id;
      const auto index = static_cast<uint32_t>(i);
      if (!model.definition.primary_key.empty() && !rows.erases(index) &&
          values[i].values[0] == long_key()) {
        model.refused.insert(source + text_of(id));
        continue;
      }
      auto time_column = record_time_column(*model.definition.schema);
      if (time_column && !is_null(values[i].values[*time_column])) {
        values[i].time_ms = std::get<int64_t>(values[i].values[*time_column]);
      }
      if (rows.erases(index)) {
        model.by_key.erase({values[i].values[0], values[i].values[1]});
      } else {
        model.write(values[i]);
      }
      ++effective;
    }
    return effective;
  }

  void compare(Model& model) {
    const auto from = static_cast<int64_t>(pick(200)) + now_ms_ - 150;
    const RecordTimeRange range =
        pick(3) == 0
            ? RecordTimeRange{}
            : RecordTimeRange{Timestamp{from}, Timestamp{from + static_cast<int64_t>(pick(80))}};
    auto rows = testing::scan_all(*store_, model.definition.name, range, Timestamp{now_ms_});
    ASSERT_TRUE(rows.ok()) << rows.status();
    ASSERT_TRUE(*rows == model.scan(range, now_ms_)) << model.definition.name;
    for (const auto& [source, id] : model.progress) {
      auto progress = store_->progress(model.definition.name, source);
      ASSERT_TRUE(progress.ok());
      EXPECT_EQ(progress->value_or(RowId{}), id);
    }
    if (!model.definition.primary_key.empty()) look_up(model);
  }
  void look_up(const Model& model) {
    std::vector<Value> key{random_value(AttributeType::kString), random_value(AttributeType::kInt)};
    auto found = store_->find(model.definition.name, key, Timestamp{now_ms_});
    ASSERT_TRUE(found.ok()) << found.status();
    auto known = model.by_key.find(key);
    const bool visible =
        known != model.by_key.end() &&
        (model.definition.retention_ms == 0 || known->second.time_ms >= now_ms_ - kRetentionMs);
    ASSERT_EQ(*found != nullptr, visible);
    if (visible) {
      EXPECT_EQ(testing::rows_of(**found), std::vector<TestRow>{known->second});
    }
    for (const Value& part : key) {
      if (std::holds_alternative<std::monostate>(part)) return;
    }
    EventBatch keys(testing::schema_of({{model.definition.primary_key[0], AttributeType::kString},
                                        {model.definition.primary_key[1], AttributeType::kInt}}));
    for (size_t c = 0; c < key.size(); ++c) keys.append_value(c, key[c]);
    keys.end_row(0);
    auto rows = store_->look_up(model.definition, keys, Timestamp{now_ms_});
    ASSERT_TRUE(rows.ok()) << rows.status();
    ASSERT_EQ((*rows)->rows(), visible ? 1U : 0U);
    for (size_t c = 0; visible && c < known->second.values.size(); ++c) {
      EXPECT_EQ((*rows)->value(0, c), known->second.values[c]);
    }
  }

  void expire() {
    while (true) {
      auto expired = store_->expire(Timestamp{now_ms_});
      ASSERT_TRUE(expired.ok()) << expired.status();
      if (!expired->more) break;
    }
    for (Model& model : models_) {
      model.expire(now_ms_);
      EXPECT_EQ(testing::row_count(*store_, model.definition.name),
                model.by_key.size() + model.appended.size());
    }
  }

  void compare_refused() {
    auto rows = testing::scan_all(*store_, kRefusedRowsTable);
    if (absl::IsNotFound(rows.status())) rows = std::vector<TestRow>();
    ASSERT_TRUE(rows.ok()) << rows.status();
    std::map<std::string, std::multiset<std::string>> kept;
    for (const TestRow& row : *rows) {
      kept[std::get<std::string>(row.values[1])].insert(std::get<std::string>(row.values[2]) +
                                                        std::get<std::string>(row.values[3]));
    }
    for (const Model& model : models_) EXPECT_EQ(kept[model.definition.name], model.refused);
  }

  std::unique_ptr<testing::StoreHome> home_ = testing::store_backend().make_home();
  std::unique_ptr<RecordStore> store_;
  std::mt19937_64 random_{GetParam()};
  int64_t now_ms_ = 0;
  SchemaPtr schema_ = schema_of({{"key", AttributeType::kString},
                                 {"part", AttributeType::kInt},
                                 {"_timestamp", AttributeType::kLong}});
  std::vector<Model> models_{
      {{"KEYED", schema_, {"key", "part"}, 0}, {}, {}, {}, {}},
      {{"KEYED_FOR_A_WHILE", schema_, {"key", "part"}, kRetentionMs}, {}, {}, {}, {}},
      {{"APPENDED", schema_, {}, 0}, {}, {}, {}, {}},
      {{"APPENDED_FOR_A_WHILE", schema_, {}, kRetentionMs}, {}, {}, {}, {}}};
};

TEST_P(ModelTest, TheStoreDoesWhatTheModelDoes) {
  for (int step = 0; step < 1500; ++step) {
    Model& model = models_[pick(models_.size())];
    const uint64_t action = pick(100);
    now_ms_ += static_cast<int64_t>(pick(3));
    if (action < 60) {
      write(model);
    } else if (action < 90) {
      compare(model);
    } else if (action < 96) {
      expire();
      compare_refused();
    } else if (action < 98) {
      reopen();
    } else if (action == 98 && pick(4) == 0) {
      ASSERT_TRUE(store_->drop_table(model.definition.name).ok());
      make(model);
    }
    if (HasFatalFailure() || HasNonfatalFailure()) FAIL() << "step " << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ModelTest, ::testing::Range(1U, 9U));

}  // namespace
}  // namespace pollux

#include "server/grpc/batch_codec.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "pollux.pb.h"
#include "server/formats/row_layout.h"
#include "server/formats/utf8.h"
#include "tests/server/grpc/random_batch.h"

namespace pollux {
namespace {

SchemaPtr login_schema() {
  return std::make_shared<const Schema>("Logins",
                                        std::vector<Attribute>{{"user", AttributeType::kString},
                                                               {"ok", AttributeType::kBool},
                                                               {"count", AttributeType::kInt},
                                                               {"ts", AttributeType::kLong},
                                                               {"share", AttributeType::kFloat},
                                                               {"risk", AttributeType::kDouble}});
}

/// Three rows that are right.
v1::Columns three_logins() {
  EventBatch batch(login_schema());
  for (int row = 0; row < 3; ++row) {
    batch.append_string(0, "user-" + std::to_string(row) + "@example.com");
    batch.append_value(1, row % 2 == 0);
    batch.append_value(2, int32_t{row});
    batch.append_value(3, int64_t{row} * 1000);
    batch.append_value(4, 0.5F);
    batch.append_value(5, 0.25);
    batch.end_row(1000 + row);
  }
  v1::Columns columns;
  encode_columns(batch, 0, 3, columns);
  return columns;
}

BatchFault fault_of(const v1::Columns& columns, uint32_t rows_max = 65'536) {
  BatchFault fault;
  EXPECT_EQ(decode_columns(columns, login_schema(), {.rows_max = rows_max}, fault), nullptr);
  return fault;
}

void expect_equal(const EventBatch& a, uint32_t begin, uint32_t end, const EventBatch& b) {
  ASSERT_EQ(b.rows(), end - begin);
  for (uint32_t row = begin; row < end; ++row) {
    EXPECT_EQ(a.timestamps()[row], b.timestamps()[row - begin]);
    for (size_t i = 0; i < a.schema().size(); ++i) {
      EXPECT_EQ(a.value(row, i), b.value(row - begin, i)) << "row " << row << " column " << i;
    }
  }
}

TEST(BatchCodec, RandomBatchesComeBackEqualWhateverTheOrderOfColumns) {
  RandomBatches random(42);
  for (int round = 0; round < 300; ++round) {
    SchemaPtr schema = random.schema();
    auto batch = random.batch(schema, 1 + static_cast<uint32_t>(random.below(200)));
    auto begin = static_cast<uint32_t>(random.below(batch->rows()));
    uint32_t end = begin + 1 + static_cast<uint32_t>(random.below(batch->rows() - begin));
    v1::Columns encoded;
    encode_columns(*batch, begin, end, encoded);
    for (int i = encoded.columns_size() - 1; i > 0; --i) {
      encoded.mutable_columns()->SwapElements(i, static_cast<int>(random.below(i + 1)));
    }
    v1::Columns received;
    ASSERT_TRUE(received.ParseFromString(encoded.SerializeAsString()));
    BatchFault fault;
    auto decoded = decode_columns(received, schema, {}, fault);
    ASSERT_NE(decoded, nullptr) << to_text(fault);
    expect_equal(*batch, begin, end, *decoded);
  }
}

TEST(BatchCodec, WhatStandsInANullsPlaceIsZeroed) {
  v1::Columns columns = three_logins();
  for (v1::Column& column : *columns.mutable_columns()) column.set_nulls(std::string(1, '\2'));
  columns.mutable_columns(1)->mutable_bools()->at(1) = '\xFF';
  BatchFault fault;
  auto batch = decode_columns(columns, login_schema(), {}, fault);
  ASSERT_NE(batch, nullptr) << to_text(fault);
  for (size_t i = 0; i < 6; ++i) {
    const Column& column = batch->column(i);
    EXPECT_TRUE(column.is_null(1));
    EXPECT_FALSE(column.is_null(2));
    const char* at = column.data<char>() + column.width();
    EXPECT_TRUE(std::all_of(at, at + column.width(), [](char c) { return c == 0; })) << i;
  }
}

TEST(BatchCodec, AColumnOfNullsNeedsNoValues) {
  v1::Columns columns = three_logins();
  columns.mutable_columns(0)->clear_values();
  EXPECT_EQ(fault_of(columns).reason, "no values, but not all rows are null");
  columns.mutable_columns(0)->set_nulls(std::string(1, '\7'));
  BatchFault fault;
  auto batch = decode_columns(columns, login_schema(), {}, fault);
  ASSERT_NE(batch, nullptr) << to_text(fault);
  EXPECT_TRUE(is_null(batch->value(2, 0)));
}

struct WrongShape {
  const char* field;
  const char* reason;
  void (*spoil)(v1::Columns&);
};

TEST(BatchCodec, EachWrongShapeIsToldWithFieldAndReason) {
  const WrongShape kWrong[] = {
      {"rows", "a batch holds at least one row", [](v1::Columns& c) { c.set_rows(0); }},
      {"timestamps_ms", "3 values, expected one for each of 4 rows",
       [](v1::Columns& c) { c.set_rows(4); }},
      {"ok", "missing; stream Logins has user, ok, count, ts, share, risk",
       [](v1::Columns& c) { c.mutable_columns()->DeleteSubrange(1, 1); }},
      {"\"nope\"", "no attribute of stream Logins, which has user, ok, count, ts, share, risk",
       [](v1::Columns& c) { c.mutable_columns(1)->set_name("nope"); }},
      {"user", "comes twice", [](v1::Columns& c) { c.mutable_columns(1)->set_name("user"); }},
      {"count", "expected int values, found long values",
       [](v1::Columns& c) { c.mutable_columns(2)->mutable_longs(); }},
      {"count", "4 values, expected one for each of 3 rows",
       [](v1::Columns& c) { c.mutable_columns(2)->mutable_ints()->add_values(1); }},
      {"ok", "2 values, expected one for each of 3 rows",
       [](v1::Columns& c) { c.mutable_columns(1)->mutable_bools()->pop_back(); }},
      {"risk", "nulls has 2 bytes, expected 1 for 3 rows",
       [](v1::Columns& c) { c.mutable_columns(5)->set_nulls(std::string(2, '\0')); }},
      {"risk", "nulls has bits set behind the last row",
       [](v1::Columns& c) { c.mutable_columns(5)->set_nulls("\x08"); }},
      {"user", "an end lies before the one of the row above",
       [](v1::Columns& c) { c.mutable_columns(0)->mutable_strings()->set_ends(0, 1000); }},
      {"user", "the last end is 54, but text has 53 bytes",
       [](v1::Columns& c) { c.mutable_columns(0)->mutable_strings()->mutable_text()->pop_back(); }},
      {"user", "2 ends, expected one for each of 3 rows",
       [](v1::Columns& c) {
         c.mutable_columns(0)->mutable_strings()->mutable_ends()->RemoveLast();
       }},
  };
  for (const WrongShape& wrong : kWrong) {
    v1::Columns columns = three_logins();
    wrong.spoil(columns);
    BatchFault fault = fault_of(columns);
    EXPECT_EQ(fault.field, wrong.field);
    EXPECT_EQ(fault.reason, wrong.reason);
  }
  EXPECT_EQ(fault_of(three_logins(), 2).reason, "3 rows, at most 2 are taken at once");
}

TEST(BatchCodec, WrongRowsAreToldAllAtOnce) {
  v1::Columns columns = three_logins();
  columns.set_timestamps_ms(0, -1);
  columns.set_timestamps_ms(2, 253402300800000);
  columns.mutable_columns(1)->mutable_bools()->at(1) = '\2';
  columns.mutable_columns(0)->mutable_strings()->mutable_text()->at(20) = '\xC3';
  BatchFault fault = fault_of(columns);
  ASSERT_EQ(fault.rows.size(), 4u);
  EXPECT_EQ(fault.rows[0].row, 0u);
  EXPECT_EQ(fault.rows[0].field, "timestamps_ms");
  EXPECT_EQ(fault.rows[1].row, 2u);
  EXPECT_EQ(fault.rows[2].field, "user");
  EXPECT_EQ(fault.rows[2].row, 1u);
  EXPECT_EQ(fault.rows[2].reason, "not valid UTF-8");
  EXPECT_EQ(fault.rows[3].field, "ok");
  EXPECT_EQ(fault.rows[3].reason, "the byte 2 is no bool, expected 0 or 1");
  EXPECT_EQ(to_text(fault).substr(0, 48), "4 faults in rows, the first: row 0: timestamps_m");
}

TEST(BatchCodec, ACharacterCutBetweenTwoRowsIsFoundThoughTheTextIsValid) {
  v1::Columns columns = three_logins();
  v1::Strings& users = *columns.mutable_columns(0)->mutable_strings();
  users.set_text(
      "ab\xC3\xA9"
      "cd");
  users.set_ends(0, 3);
  users.set_ends(1, 4);
  users.set_ends(2, 6);
  BatchFault fault = fault_of(columns);
  ASSERT_EQ(fault.rows.size(), 2u);
  EXPECT_EQ(fault.rows[0].row, 0u);
  EXPECT_EQ(fault.rows[1].row, 1u);
}

TEST(BatchCodec, OnlyTheFirstHundredFaultsAreListed) {
  auto schema = std::make_shared<const Schema>("S", std::vector<Attribute>{});
  v1::Columns columns;
  columns.set_rows(1000);
  for (int row = 0; row < 1000; ++row) columns.add_timestamps_ms(-1);
  BatchFault fault;
  EXPECT_EQ(decode_columns(columns, schema, {}, fault), nullptr);
  EXPECT_EQ(fault.rows.size(), kBadRowsMax);
  EXPECT_EQ(fault.row_faults, 1000u);
}

TEST(BatchCodec, RowsAreTakenAndEachWrongValueIsTold) {
  auto schema = std::make_shared<const Schema>(
      "S", std::vector<Attribute>{{"a", AttributeType::kInt}, {"b", AttributeType::kString}});
  v1::Rows rows;
  rows.add_attributes("b");
  rows.add_attributes("a");
  for (int i = 0; i < 3; ++i) {
    v1::Row& row = *rows.add_rows();
    row.set_timestamp_ms(i);
    row.add_values()->set_string_value("a text that does not fit inside");
    row.add_values()->set_int_value(-i);
  }
  rows.mutable_rows(1)->mutable_values(0)->clear_kind();
  BatchFault fault;
  auto batch = decode_rows(rows, schema, {}, fault);
  ASSERT_NE(batch, nullptr) << to_text(fault);
  EXPECT_EQ(batch->value(2, 0), Value(int32_t{-2}));
  EXPECT_TRUE(is_null(batch->value(1, 1)));
  EXPECT_EQ(batch->value(2, 1), Value(std::string("a text that does not fit inside")));

  rows.mutable_rows(0)->mutable_values(1)->set_long_value(1);
  rows.mutable_rows(1)->add_values();
  rows.mutable_rows(2)->set_timestamp_ms(-5);
  EXPECT_EQ(decode_rows(rows, schema, {}, fault), nullptr);
  ASSERT_EQ(fault.rows.size(), 3u);
  EXPECT_EQ(fault.rows[0].reason, "expected int values, found a long");
  EXPECT_EQ(fault.rows[1].reason, "3 values, expected 2");
  EXPECT_EQ(fault.rows[2].field, "timestamps_ms");
}

TEST(BatchCodec, RunsAreBoundedInRowsAndBytes) {
  auto schema =
      std::make_shared<const Schema>("S", std::vector<Attribute>{{"text", AttributeType::kString}});
  EventBatch batch(schema);
  for (int row = 0; row < 100; ++row) {
    batch.append_string(0, std::string(row == 50 ? 5000 : 88, 'x'));
    batch.end_row(row);
  }
  EXPECT_EQ(end_of_run(batch, 0, 1000, 1 << 20), 100u);
  EXPECT_EQ(end_of_run(batch, 0, 7, 1 << 20), 7u);
  EXPECT_EQ(end_of_run(batch, 0, 1000, 1000), 10u);
  EXPECT_EQ(end_of_run(batch, 50, 1000, 1000), 51u) << "a large row goes alone";
}

/// A batch that was taken must be sound in all that the engine relies on.
void expect_sound(const EventBatch& batch) {
  for (size_t i = 0; i < batch.schema().size(); ++i) {
    const Column& column = batch.column(i);
    ASSERT_EQ(column.size(), batch.rows());
    for (uint32_t row = 0; row < batch.rows(); ++row) {
      if (column.type() == AttributeType::kString) {
        ASSERT_TRUE(is_utf8(column.data<StringRef>()[row].view()));
      }
      if (column.type() == AttributeType::kBool) {
        ASSERT_LE(column.data<uint8_t>()[row], 1);
      }
    }
  }
  for (int64_t time : batch.timestamps()) {
    ASSERT_GE(time, 0);
    ASSERT_LE(time, kTimestampMsMax);
  }
}

TEST(BatchCodec, HostileBytesAreRefusedOrSound) {
  RandomBatches random(7);
  int taken = 0;
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    SchemaPtr schema = random.schema();
    v1::Columns columns;
    auto rows = 1 + static_cast<uint32_t>(random.below(20));
    encode_columns(*random.batch(schema, rows), 0, rows, columns);
    std::string bytes = columns.SerializeAsString();
    for (uint64_t left = 1 + random.below(3); left > 0; --left) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    if (random.below(10) == 0) bytes.resize(random.below(bytes.size()));
    v1::Columns received;
    if (!received.ParseFromString(bytes)) continue;
    BatchFault fault;
    auto batch = decode_columns(received, schema, {}, fault);
    ASSERT_EQ(batch == nullptr, !fault.none());
    if (batch != nullptr) expect_sound(*batch);
    ++(batch != nullptr ? taken : refused);
  }
  EXPECT_GT(taken, 1000);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace pollux

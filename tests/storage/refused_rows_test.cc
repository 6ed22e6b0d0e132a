// What stands in the table of refused rows, for any row.
#include "storage/refused_rows.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/storage/storage_testing.h"

namespace pollux {
namespace {

using testing::batch_of;
using testing::schema_of;
using testing::TestRow;

/// As it is kept.
std::vector<Value> kept(const SchemaPtr& schema, const TestRow& row, std::string_view source,
                        std::string_view reason) {
  const EventBatch batch = batch_of(schema, {row});
  const std::vector<uint32_t> ordinals{7};
  const TableShape shape({"TABLE", schema, {}, 0});
  EventBatch to(refused_rows_definition().schema);
  append_refused_row(to, shape, {source, testing::entry(2, 5), &batch, ordinals}, 0, reason);
  return testing::rows_of(to)[0].values;
}

TEST(RefusedRows, EveryTypeIsJson) {
  SchemaPtr schema = schema_of({{"s", AttributeType::kString},
                                {"i", AttributeType::kInt},
                                {"l", AttributeType::kLong},
                                {"f", AttributeType::kFloat},
                                {"d", AttributeType::kDouble},
                                {"b", AttributeType::kBool},
                                {"n", AttributeType::kDouble}});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  auto values = kept(schema,
                     {9,
                      {std::string("\n\xc3\xa9"), int32_t{-1}, std::numeric_limits<int64_t>::min(),
                       0.5F, nan, true, Value()}},
                     "plan", "why");
  const std::vector<Value> expected{
      int64_t{9},
      std::string("TABLE"),
      std::string("plan"),
      std::string("2.5.7"),
      std::string("why"),
      std::string("{\"s\":\"\\n\xc3\xa9\",\"i\":-1,\"l\":-9223372036854775808,\"f\":0.5,"
                  "\"d\":\"NaN\",\"b\":true,\"n\":null}")};
  EXPECT_EQ(values, expected);
}

TEST(RefusedRows, WhateverIsNoTextIsWrittenAsOneAndCut) {
  SchemaPtr schema = schema_of({{"s\xff", AttributeType::kString}});
  auto values = kept(schema, {1, {std::string(5'000, '\xc3')}}, std::string("a\0", 2),
                     std::string(2'000, 'r') + "\xff");
  EXPECT_EQ(values[2], Value(std::string("a\\x00")));
  EXPECT_EQ(values[4], Value(std::string(1024, 'r') + "... (2001 bytes)"));
  const std::string& json = std::get<std::string>(values[5]);
  EXPECT_TRUE(json.starts_with(R"({"s\\xff":"\\xc3\\xc3)")) << json;
  EXPECT_TRUE(json.ends_with(R"x(\\xc3... (5000 bytes)"})x")) << json;
  EXPECT_LT(json.size(), 1'400U);
}

TEST(RefusedRows, AWideRowIsBounded) {
  std::vector<Attribute> columns;
  TestRow row{1, {}};
  for (int i = 0; i < 1000; ++i) {
    columns.push_back({"c" + std::to_string(i), AttributeType::kString});
    row.values.emplace_back(std::string(2'000, '\x01'));
  }
  auto values = kept(schema_of(columns), row, "plan", "why");
  const std::string& json = std::get<std::string>(values[5]);
  EXPECT_LT(json.size(), kRefusedRowBytesMax + 100);
  EXPECT_TRUE(json.ends_with(R"(,"...":995})")) << json.substr(json.size() - 100);
}

}  // namespace
}  // namespace pollux

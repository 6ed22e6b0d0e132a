// Rows and keys as bytes: the frozen formats, and what becomes of bytes that are none.
#include "storage/rocks/row_codec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "storage/key_codec.h"
#include "storage/rocks/layout.h"
#include "tests/storage/storage_testing.h"

namespace pollux::rocks {
namespace {

using testing::batch_of;
using testing::schema_of;
using testing::TestRow;

SchemaPtr all_types() {
  return schema_of({{"s", AttributeType::kString},
                    {"i", AttributeType::kInt},
                    {"l", AttributeType::kLong},
                    {"f", AttributeType::kFloat},
                    {"d", AttributeType::kDouble},
                    {"b", AttributeType::kBool}});
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (char c : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[static_cast<uint8_t>(c) >> 4];
    text += kDigits[c & 15];
  }
  return text;
}

std::string encoded(const TestRow& row, const SchemaPtr& schema = all_types()) {
  std::string bytes;
  append_row_bytes(bytes, batch_of(schema, {row}), 0, row.time_ms);
  return bytes;
}

const TestRow kRow{258, {std::string("ab\0", 3), int32_t{-2}, int64_t{1} << 40, 1.5F, -0.25, true}};

TEST(RowCodec, VersionOneIsFrozen) {
  EXPECT_EQ(hex(encoded(kRow)),
            "01"                // version
            "0201000000000000"  // time
            "0600"              // columns, nulls
            "03616200"
            "feffffff"
            "0000000000010000"
            "0000c03f"
            "000000000000d0bf"
            "01");
  EXPECT_EQ(hex(encoded({-1, {Value(), int32_t{7}, Value(), Value(), Value(), Value()}})),
            "01ffffffffffffffff063d07000000");
}

TEST(RowCodec, RowsComeBackAsTheyWere) {
  const std::vector<TestRow> rows{
      kRow,
      {std::numeric_limits<int64_t>::min(), {Value(), Value(), Value(), Value(), Value(), Value()}},
      {0, {std::string(70000, '\xff'), int32_t{0}, int64_t{-1}, -0.0F, 1e300, false}}};
  EventBatch read(all_types());
  for (const TestRow& row : rows) ASSERT_TRUE(decode_row(encoded(row), read));
  EXPECT_EQ(testing::rows_of(read), rows);
  for (const TestRow& row : rows) {
    EXPECT_EQ(row_bytes(batch_of(all_types(), {row}), 0), encoded(row).size());
    int64_t time_ms = 0;
    EXPECT_TRUE(decode_row_time(encoded(row), time_ms));
    EXPECT_EQ(time_ms, row.time_ms);
  }
}

TEST(RowCodec, ColumnsThatWereAddedLaterAreNull) {
  SchemaPtr narrow = schema_of({{"s", AttributeType::kString}});
  EventBatch read(all_types());
  ASSERT_TRUE(decode_row(encoded({1, {std::string("x")}}, narrow), read));
  EXPECT_EQ(read.value(0, 0), Value(std::string("x")));
  for (size_t c = 1; c < 6; ++c) EXPECT_TRUE(read.column(c).is_null(0));
}

TEST(RowCodec, TruncatedOrForeignBytesAreNoRow) {
  const std::string whole = encoded(kRow);
  for (size_t size = 0; size < whole.size(); ++size) {
    EventBatch read(all_types());
    EXPECT_FALSE(decode_row(whole.substr(0, size), read)) << size;
  }
  EventBatch read(all_types());
  EXPECT_FALSE(decode_row(whole + "x", read));
  std::string newer = whole;
  newer[0] = 2;
  EXPECT_FALSE(decode_row(newer, read));
  SchemaPtr narrow = schema_of({{"s", AttributeType::kString}});
  EventBatch read_narrow(narrow);
  EXPECT_FALSE(decode_row(whole, read_narrow)) << "more columns than the table has";
}

TEST(RowCodec, RandomBytesNeverReadBeyondThemselves) {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = encoded(kRow);
    for (int flips = 0; flips < 3; ++flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    std::string exact(bytes.begin(), bytes.end());  // of its own size: sanitizers see beyond
    EventBatch read(all_types());
    (void)decode_row(exact, read);
    (void)decode_table(exact);
    (void)decode_row_id(exact);
  }
}

// ---- keys ----

std::string key_of_value(AttributeType type, const Value& value) {
  EventBatch batch = batch_of(schema_of({{"k", type}}), {{0, {value}}});
  std::string key;
  append_ordered(key, batch.column(0), 0);
  return key;
}

TEST(KeyCodec, BytesAreOrderedAsValuesAre) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<std::pair<AttributeType, std::vector<Value>>> ascending{
      {AttributeType::kBool, {Value(), false, true}},
      {AttributeType::kInt, {Value(), INT32_MIN, int32_t{-1}, int32_t{0}, int32_t{1}, INT32_MAX}},
      {AttributeType::kLong, {Value(), INT64_MIN, int64_t{-1}, int64_t{0}, int64_t{256}}},
      {AttributeType::kFloat, {Value(), -1e30F, -1.5F, 0.0F, 1e-40F, 1.0F, 1e30F}},
      {AttributeType::kDouble,
       {Value(), -infinity, -1e300, -1e-310, 0.0, 1e-310, 2.0, infinity, std::nan("")}},
      {AttributeType::kString,
       {Value(), std::string(), std::string("\0", 1), std::string("\0\0", 2),
        std::string("\0\xff", 2), std::string("\x01"), std::string("a"), std::string("a\0", 2),
        std::string("a\0b", 3), std::string("aa"), std::string("b"), std::string("\xff"),
        std::string("\xff\xff")}}};
  for (const auto& [type, values] : ascending) {
    for (size_t i = 0; i + 1 < values.size(); ++i) {
      EXPECT_LT(key_of_value(type, values[i]), key_of_value(type, values[i + 1]))
          << name_of(type) << " " << i;
    }
  }
  EXPECT_EQ(key_of_value(AttributeType::kDouble, 0.0), key_of_value(AttributeType::kDouble, -0.0));
  EXPECT_EQ(key_of_value(AttributeType::kDouble, std::nan("")),
            key_of_value(AttributeType::kDouble, -std::nan("1")));
}

TEST(KeyCodec, NoKeyIsThePrefixOfAnother) {
  std::mt19937 random(11);
  auto text = [&random] {
    std::string some;
    for (size_t left = random() % 5; left != 0; --left)
      some +=
          "\0\x01\xff"
          "a"[random() % 4];
    return some;
  };
  for (int round = 0; round < 20000; ++round) {
    std::pair<std::string, std::string> a{text(), text()};
    std::pair<std::string, std::string> b{text(), text()};
    auto key = [](const std::pair<std::string, std::string>& columns) {
      return key_of_value(AttributeType::kString, columns.first) +
             key_of_value(AttributeType::kString, columns.second);
    };
    // As unsigned bytes, which is how std::string compares.
    EXPECT_EQ(key(a) <=> key(b), a <=> b);
  }
}

TEST(Layout, RecordsAreFrozen) {
  EXPECT_EQ(hex(encode_format()), "13706f6c6c7578207265636f72642073746f726502");
  EXPECT_EQ(hex(encode(RowId{{Epoch{1}, Position{2}}, 3})),
            "0100000000000000020000000000000003000000");
  EXPECT_EQ(hex(encode(Counters{5, 6})), "05000000000000000600000000000000");
  TableRecord record{258, {"T", schema_of({{"k", AttributeType::kInt}}), {"k"}, 60000}};
  EXPECT_EQ(hex(encode(record)), "0102010000015460ea00000000000004726f77730102016b01016b");
  auto read = decode_table(encode(record));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(encode(*read), encode(record));
  EXPECT_EQ(hex(time_key(Kind::kRow, 258, -1)), "72000001027fffffffffffffff");
  EXPECT_EQ(read_ordered_i64(time_key(Kind::kRow, 258, -77).data() + kTimeOffset), -77);
}

}  // namespace
}  // namespace pollux::rocks

// What a record store in PostgreSQL does beyond what those in other databases do.
#include <gtest/gtest.h>

#include <limits>

#include "tests/storage/database_testing.h"

namespace pollux {
namespace {

using testing::batch_of;
using testing::entry;
using testing::schema_of;
using testing::TestRow;
using testing::write_rows;

class PostgresStoreTest : public testing::DatabaseStoreTest {};

TEST_F(PostgresStoreTest, ColumnsAreReal) {
  auto store = open();
  SchemaPtr schema = schema_of({{"userName", AttributeType::kString},
                                {"n", AttributeType::kInt},
                                {"big", AttributeType::kLong},
                                {"f", AttributeType::kFloat},
                                {"d", AttributeType::kDouble},
                                {"order", AttributeType::kBool}});
  ASSERT_TRUE(store->open_table({"All_Types", schema, {}, 0}).ok());
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<TestRow> rows{
      {5, {std::string("ann"), int32_t{-7}, int64_t{1} << 62, 0.1F, 0.1, true}},
      {6, {Value(), Value(), Value(), Value(), -inf, false}}};
  ASSERT_TRUE(write_rows(*store, "All_Types", batch_of(schema, rows), entry(1, 1)).ok());
  EXPECT_EQ(run("SELECT userName, n, big, f, d, \"order\", pollux_time FROM all_types "
                "ORDER BY pollux_time"),
            "ann|-7|4611686018427387904|0.1|0.1|t|5\n||||-Infinity|f|6\n");
  EXPECT_EQ(run("SELECT data_type FROM information_schema.columns WHERE table_name = 'all_types' "
                "ORDER BY ordinal_position"),
            "text\ninteger\nbigint\nreal\ndouble precision\nboolean\nbigint\nbigint\n");
  EXPECT_EQ(testing::scan_all(*store, "All_Types").value(), rows);
}

TEST_F(PostgresStoreTest, ATextWithAZeroByteIsRefused) {
  auto store = open();
  ASSERT_TRUE(store->open_table(logins()).ok());
  auto written =
      write(*store, {login("u", 1), login(std::string("zero\0byte", 9), 2)}, entry(1, 1));
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->rows, 1U);
  ASSERT_EQ(written->refused.size(), 1U);
  EXPECT_NE(written->refused[0].reason.find("zero byte"), std::string::npos);
}

}  // namespace
}  // namespace pollux

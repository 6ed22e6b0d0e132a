#include "storage/table_definition.h"

#include <gtest/gtest.h>

#include "tests/storage/storage_testing.h"

namespace pollux {
namespace {

using testing::schema_of;

TableDefinition logins() {
  return {"LOGINS",
          schema_of({{"user", AttributeType::kString}, {"count", AttributeType::kInt}}),
          {"user"},
          0};
}

TEST(TableName, IsTheStreamsInUpperCaseWithoutItsVersion) {
  EXPECT_EQ(table_name_of("org.wso2.is.analytics.stream.OverallSession:1.0.0"),
            "ORG_WSO2_IS_ANALYTICS_STREAM_OVERALLSESSION");
  EXPECT_EQ(table_name_of("Logins"), "LOGINS");
}

TEST(TableDefinition, AllFaultsAreToldAtOnce) {
  TableDefinition wrong{
      "1;DROP",
      schema_of(
          {{"a", AttributeType::kInt}, {"a", AttributeType::kInt}, {"o", AttributeType::kObject}}),
      {"b", "a", "a"},
      -1};
  absl::Status status = check_definition(wrong);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  for (const char* part : {"table '1;DROP'", "letters, digits", "'a' stands twice",
                           "'o' is an object", "names 'b'", "names 'a' twice", "negative"}) {
    EXPECT_NE(status.ToString().find(part), std::string::npos) << part << " in " << status;
  }
  EXPECT_FALSE(check_definition({"T", nullptr, {}, 0}).ok());
  EXPECT_FALSE(check_definition({"T", schema_of({}), {}, 0}).ok());
  EXPECT_TRUE(check_definition(logins()).ok());
}

TEST(TableDefinition, ColumnsMayBeAddedAtTheEndAndRetentionMayChange) {
  TableDefinition wider = logins();
  wider.schema = schema_of({{"user", AttributeType::kString},
                            {"count", AttributeType::kInt},
                            {"region", AttributeType::kString}});
  wider.retention_ms = 1000;
  EXPECT_TRUE(check_successor(logins(), wider).ok());
}

TEST(TableDefinition, EveryOtherDifferenceIsNamed) {
  TableDefinition other{"LOGINS", schema_of({{"user", AttributeType::kLong}}), {}, 0};
  absl::Status status = check_successor(logins(), other);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  for (const char* part :
       {"column 1 is 'user string', not 'user long'", "column 'count int' is missing",
        "the primary key is (user), not none", "drop the table"}) {
    EXPECT_NE(status.ToString().find(part), std::string::npos) << part << " in " << status;
  }
}

TEST(RecordTime, ComesFromTheFirstOfItsColumns) {
  EXPECT_EQ(record_time_column(*schema_of({{"ts", AttributeType::kLong},
                                           {"timestamp", AttributeType::kLong},
                                           {"_timestamp", AttributeType::kLong}})),
            2u);
  EXPECT_EQ(record_time_column(
                *schema_of({{"ts", AttributeType::kLong}, {"timestamp", AttributeType::kString}})),
            0u);
  EXPECT_EQ(record_time_column(*schema_of({{"time", AttributeType::kLong}})), std::nullopt);
}

}  // namespace
}  // namespace pollux

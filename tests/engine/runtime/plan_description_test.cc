// What a deployed plan tells about itself.
#include "engine/runtime/plan_description.h"

#include <gtest/gtest.h>

#include "tests/engine/runtime/query_testing.h"

namespace pollux {
namespace {

using test::AskedPlan;

constexpr const char* kPlan = R"(
  @app:name('Described') @app:description('Counts logins')
  @Source(Type='http', receiver.url='http://x', @map(type='json', fail='true',
          @attributes(user='$.u', n='$.n')))
  define stream Logins (user string, n long);
  @sink(type='log', prefix='a')
  @sink(type='webhook', url='http://y', @map(type='text', @payload('{{user}} again')),
        @distribution(strategy='roundRobin', @destination(url='z')))
  @Export('Alerts:1.0.0')
  define stream Alerts (user string, n long);
  @PrimaryKey('user') define table Seen (user string, n long);
  @info(name='first') from Logins select user, n insert into Alerts;
  partition with (user of Logins) begin
    @info(name='inner') from Logins select user, sum(n) as n insert into Sums;
    from Logins select user, n insert into Seen;
  end;)";

TEST(PlanDescription, NamesSourcesSinksAndQueries) {
  AskedPlan plan(kPlan);
  std::optional<PlanDescription> found = plan.engine().describe("Described");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->name, "Described");
  EXPECT_EQ(found->description, "Counts logins");
  ASSERT_EQ(found->endpoints.size(), 3u);

  const StreamEndpoint& source = found->endpoints[0];
  EXPECT_EQ(source.kind, StreamEndpoint::Kind::kSource);
  EXPECT_EQ(source.stream, "Logins");
  EXPECT_EQ(source.type, "http");
  ASSERT_EQ(source.options.size(), 1u);
  EXPECT_EQ(source.options[0].key, "receiver.url");
  EXPECT_EQ(source.location.line, 3u);
  ASSERT_TRUE(source.map.has_value());
  EXPECT_EQ(source.map->type, "json");
  EXPECT_EQ(source.map->options[0].value, "true");
  ASSERT_EQ(source.map->attributes.size(), 2u);
  EXPECT_EQ(source.map->attributes[1].value, "$.n");

  EXPECT_EQ(found->endpoints[1].type, "log");
  EXPECT_FALSE(found->endpoints[1].map.has_value());
  const StreamEndpoint& sink = found->endpoints[2];
  EXPECT_EQ(sink.kind, StreamEndpoint::Kind::kSink);
  EXPECT_EQ(sink.stream, "Alerts");
  ASSERT_TRUE(sink.map.has_value());
  ASSERT_EQ(sink.map->payload.size(), 1u);
  EXPECT_EQ(sink.map->payload[0].value, "{{user}} again");
  ASSERT_EQ(sink.nested.size(), 1u);
  EXPECT_EQ(*sink.nested[0].value("STRATEGY"), "roundRobin");
  EXPECT_EQ(sink.nested[0].value("none"), nullptr);
  ASSERT_NE(sink.nested[0].find("Destination"), nullptr);
  EXPECT_EQ(sink.nested[0].find("none"), nullptr);

  ASSERT_EQ(found->queries.size(), 3u);
  EXPECT_EQ(found->queries[0].name, "first");
  EXPECT_FALSE(found->queries[0].partitioned);
  EXPECT_EQ(found->queries[1].name, "inner");
  EXPECT_TRUE(found->queries[1].partitioned);
  EXPECT_EQ(found->queries[2].name, "");
  EXPECT_EQ(found->queries[2].index, 2u);
  EXPECT_EQ(found->queries[2].location.line, 15u);
}

TEST(PlanDescription, CountsWhatLives) {
  AskedPlan plan(kPlan);
  for (const char* user : {"ann", "bob", "ann"}) plan.send("Logins", {user, int64_t{1}}, 1000);
  PlanDescription found = plan.engine().describe("Described").value();
  EXPECT_EQ(found.tables, 1u);
  EXPECT_EQ(found.table_rows, 2u);
  EXPECT_EQ(found.partitions, 1u);
  EXPECT_EQ(found.partition_instances, 2u);
  EXPECT_FALSE(found.playback);
  EXPECT_FALSE(found.suspended);
  EXPECT_GT(found.state_bytes, 0u);
  EXPECT_EQ(found.state_bytes, plan.engine().state_bytes("Described"));
  EXPECT_EQ(plan.engine().state_bytes("Described"), plan.engine().state_bytes());
  std::vector<TableInfo> tables = plan.engine().tables("Described");
  ASSERT_EQ(tables.size(), 1u);
  EXPECT_EQ(tables[0].primary_key, std::vector<std::string>{"user"});
}

TEST(PlanDescription, UnknownPlansHaveNone) {
  AskedPlan plan(kPlan);
  EXPECT_FALSE(plan.engine().describe("Other").has_value());
  EXPECT_EQ(plan.engine().state_bytes("Other"), 0u);
  EXPECT_TRUE(plan.engine().tables("Other").empty());
  EXPECT_FALSE(plan.engine().read_table("Other", "Seen", [](const auto&) { return true; }));
}

}  // namespace
}  // namespace pollux

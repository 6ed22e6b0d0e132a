// conf/plans/login-rollups.siddhi over the sample data: what a store would have of it are the sums
// of the reference, in every unit.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "tests/engine/plans/shipped_plan.h"
#include "tests/engine/runtime/stored_testing.h"

namespace pollux {
namespace {

using test::Row;
using test::StoredNode;

constexpr int64_t kToday = 1'790'000'000'000;

/// The values of a line without quotes, of the stream's types.
Row row_of(const std::string& line, const Schema& schema) {
  Row row = {Value{-1234}};
  std::stringstream fields(line);
  std::string field;
  while (std::getline(fields, field, ',')) {
    switch (schema[row.size()].type) {
      case AttributeType::kBool:
        row.push_back(Value{field == "TRUE"});
        break;
      case AttributeType::kLong:
        row.push_back(Value{int64_t{std::stoll(field)}});
        break;
      default:
        row.push_back(Value{field});
    }
  }
  return row;
}

std::vector<Row> sample_rows(const Schema& schema) {
  std::ifstream file(POLLUX_SHARED_BESIDE_SOURCE "/data/auth-events.csv");
  std::vector<Row> rows;
  std::string line;
  while (std::getline(file, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    rows.push_back(row_of(line, schema));
  }
  return rows;
}

/// Sums of the tables: "TABLE/column/key/identity provider type", and "" for the key of all.
std::map<std::string, int64_t> sums_of(const StoredNode& node) {
  std::map<std::string, int64_t> sums;
  const std::map<std::string, std::string> key_of = {{"UserAuthStat", "username"},
                                                     {"SpAuthStat", "serviceProvider"},
                                                     {"IdpAuthStat", "identityProvider"},
                                                     {"RoleAuthStat", "role"},
                                                     {"UserstoreAuthStat", "userStoreDomain"}};
  for (const StoredHolder& holder : node.holders()) {
    auto followed = node.followed.find(holder.stream);
    if (followed == node.followed.end()) continue;
    auto key = key_of.find(holder.name);
    for (const auto* kept : followed->second.in_order()) {
      auto text = [&](const std::string& name) {
        return to_text(kept->row[*holder.schema->find(name)]);
      };
      std::string of = key == key_of.end() ? "" : text(key->second);
      of += "/" + text("identityProviderType");
      for (const char* column : {"authSuccessCount", "authFailureCount", "authFirstSuccessCount"}) {
        if (!holder.schema->find(column)) continue;
        sums[holder.table + "/" + column + "/" + of] += std::stoll(text(column));
      }
    }
  }
  return sums;
}

void expect_reference_sums(const StoredNode& node) {
  std::map<std::string, int64_t> sums = sums_of(node);
  const std::string prefix = "ORG_WSO2_IS_ANALYTICS_STREAM_";
  for (const char* unit : {"MINUTE", "HOUR", "DAY", "MONTH", "YEAR"}) {
    auto sum = [&](const std::string& family, const std::string& column, const std::string& of) {
      return sums[prefix + family + "PER" + unit + "/" + column + "/" + of];
    };
    auto both = [&](const std::string& family, const std::string& of) {
      return sum(family, "authSuccessCount", of) + sum(family, "authFailureCount", of);
    };
    EXPECT_EQ(both("AUTHSTAT", "/FEDERATED"), 11'175) << unit;
    EXPECT_EQ(both("AUTHSTAT", "/LOCAL"), 3'373) << unit;
    EXPECT_EQ(both("USERAUTHSTAT", "Sarah/FEDERATED"), 1'290) << unit;
    EXPECT_EQ(both("USERAUTHSTAT", "Rachel/LOCAL"), 632) << unit;
    EXPECT_EQ(both("LOCALUSERAUTHSTAT", "/LOCAL"), 3'373) << unit;
    EXPECT_EQ(both("SPAUTHSTAT", "Booking/FEDERATED"), 2'060) << unit;
    EXPECT_EQ(both("IDPAUTHSTAT", "Google/FEDERATED"), 5'010) << unit;
    EXPECT_EQ(both("ROLEAUTHSTAT", "Admin/LOCAL"), 681) << unit;
    EXPECT_EQ(both("USERREGIONSTAT", "/FEDERATED"), 11'175) << unit;
    EXPECT_EQ(sum("USERSTOREAUTHSTAT", "authSuccessCount", "wso2/LOCAL"), 2'517) << unit;
    EXPECT_EQ(sum("USERSTOREAUTHSTAT", "authFailureCount", "wso2/LOCAL"), 856) << unit;
    const std::map<std::string, int64_t> users = {
        {"Sarah", 971},   {"Gary", 949},  {"Victor", 541},   {"Laila", 515},     {"David", 500},
        {"Jessica", 499}, {"Felix", 499}, {"Isabelle", 493}, {"Elizabeth", 493}, {"Celine", 492}};
    for (const auto& [user, count] : users) {
      EXPECT_EQ(sum("USERAUTHSTAT", "authSuccessCount", user + "/FEDERATED"), count)
          << unit << user;
    }
    const std::map<std::string, int64_t> first_logins = {
        {"Booking", 1561}, {"Lonely Planet", 790}, {"Yahoo Travel", 790}, {"Trip Advisor", 788},
        {"JIRA", 773},     {"Hotels", 744},        {"Priceline", 743},    {"Expedia", 733},
        {"AirBnB", 731},   {"Travelocity", 728}};
    for (const auto& [provider, count] : first_logins) {
      EXPECT_EQ(sum("SPAUTHSTAT", "authFirstSuccessCount", provider + "/FEDERATED"), count)
          << unit << provider;
    }
  }
}

/// Sends the rows as events of today, whose own times are years ago.
void send_sample(StoredNode& node, const std::vector<Row>& rows, size_t begin, size_t end) {
  constexpr size_t kBatchRows = 500;
  node.keeps_lines = false;
  for (size_t at = begin; at < end; at += kBatchRows) {
    size_t last = std::min(at + kBatchRows, end);
    node.send_all("OverallAuthentication", {rows.begin() + static_cast<std::ptrdiff_t>(at),
                                            rows.begin() + static_cast<std::ptrdiff_t>(last)});
    node.now_ms += 300'000;
  }
  node.pass(200);
}

TEST(LoginRollups, FortyTablesAreKept) {
  StoredNode node(kToday);
  node.must_deploy(test::shipped_plan("login-rollups"));
  std::vector<StoredHolder> holders = node.holders();
  ASSERT_EQ(holders.size(), 40U);
  EXPECT_EQ(holders[0].table, "ORG_WSO2_IS_ANALYTICS_STREAM_AUTHSTATPERMINUTE");
  EXPECT_EQ(holders[39].table, "ORG_WSO2_IS_ANALYTICS_STREAM_USERREGIONSTATPERYEAR");
  for (const StoredHolder& holder : holders) {
    ASSERT_GE(holder.primary_key.size(), 4U);
    EXPECT_EQ(holder.primary_key[0], "AGG_TIMESTAMP");
    EXPECT_EQ(holder.primary_key[1], "meta_tenantId");
    EXPECT_EQ(holder.primary_key[2], "identityProviderType");
    EXPECT_EQ(holder.retention_ms, 0);
  }
}

TEST(LoginRollups, SumsOverTheSampleDataAreThoseOfTheReference) {
  StoredNode node(kToday);
  node.must_deploy(test::shipped_plan("login-rollups"));
  const auto rows = sample_rows(*node.engine.input_schema("OverallAuthentication"));
  if (rows.empty()) GTEST_SKIP() << "NO SAMPLE DATA: no data/auth-events.csv beside the source";
  ASSERT_EQ(rows.size(), 14'549U);
  send_sample(node, rows, 0, rows.size());
  expect_reference_sums(node);
  EXPECT_EQ(node.engine.describe("LoginRollups")->counts.rows_too_old, 0U);
}

TEST(LoginRollups, SumsAreTheSameWhenAnotherPlanGoesOnFromTheTables) {
  StoredNode before(kToday);
  before.must_deploy(test::shipped_plan("login-rollups"));
  const auto rows = sample_rows(*before.engine.input_schema("OverallAuthentication"));
  if (rows.empty()) GTEST_SKIP() << "NO SAMPLE DATA: no data/auth-events.csv beside the source";
  send_sample(before, rows, 0, 7'000);
  StoredNode after(before.now_ms);
  after.must_deploy(test::shipped_plan("login-rollups"), before.stored());
  after.followed = before.followed;
  send_sample(after, rows, 7'000, rows.size());
  expect_reference_sums(after);
}

TEST(LoginRollups, EachRoleOfAUserCounts) {
  StoredNode node(kToday);
  node.must_deploy(test::shipped_plan("login-rollups"));
  const Schema& schema = *node.engine.input_schema("OverallAuthentication");
  const std::string line =
      "c,e,overall,TRUE,ada,ada,PRIMARY,carbon.super,10.0.0.1,LK,SAML,Travel,FALSE,FALSE,FALSE,"
      "admin,,LOCAL_IDP,FALSE,,TRUE,LOCAL,1790000000000";
  Row row = row_of(line, schema);
  row[*schema.find("rolesCommaSeparated")] = Value{std::string("admin,sales")};
  node.send("OverallAuthentication", row);
  row[*schema.find("rolesCommaSeparated")] = Value{};
  node.send("OverallAuthentication", row);
  node.pass(200);
  std::map<std::string, int64_t> sums = sums_of(node);
  const std::string roles = "ORG_WSO2_IS_ANALYTICS_STREAM_ROLEAUTHSTATPERYEAR/authSuccessCount/";
  EXPECT_EQ(sums[roles + "admin/LOCAL"], 1);
  EXPECT_EQ(sums[roles + "sales/LOCAL"], 1);
  EXPECT_EQ(sums["ORG_WSO2_IS_ANALYTICS_STREAM_USERAUTHSTATPERYEAR/authSuccessCount/ada/LOCAL"], 2);
}

}  // namespace
}  // namespace pollux

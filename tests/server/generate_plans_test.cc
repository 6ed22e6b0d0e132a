// The plans in conf/plans/ are grammatical, carry their names, and read and write the streams that
// they are documented to.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "engine/language/parameters.h"
#include "engine/language/parser.h"

namespace pollux {
namespace {

const std::filesystem::path kPlans = std::filesystem::path(POLLUX_SOURCE_DIR) / "conf/plans";

std::string text_of(const std::string& plan) {
  std::ifstream file(kPlans / (plan + ".siddhi"));
  EXPECT_TRUE(file) << plan;
  std::stringstream text;
  text << file.rdbuf();
  return FilledText(text.str(), {}).text();
}

struct Shipped {
  const char* file;
  const char* name;
  std::vector<std::string> writes;
  const char* reads = "OverallAuthentication";
};

const std::vector<Shipped> kShipped = {
    {"brute-force", "BruteForce", {"BruteForceAlert"}},
    {"login-events", "LoginEvents", {"ProcessedOverallAuthentication"}},
    {"login-rollups", "LoginRollups", {"LoginToCount"}},
    {"login-statistics",
     "LoginStatistics",
     {"AuthStatPerMinute", "UserAuthStatPerMinute", "LocalUserAuthStatPerMinute",
      "SpAuthStatPerMinute", "IdpAuthStatPerMinute", "UserstoreAuthStatPerMinute",
      "RoleAuthStatPerMinute", "UserRegionStatPerMinute"}},
    {"new-country", "NewCountry", {"NewCountryAlert"}},
    {"password-spraying", "PasswordSpraying", {"PasswordSprayingAlert"}},
    {"sessions",
     "Sessions",
     {"SessionInfo", "LongSessions", "AbnormalLongSessionAlert"},
     "OverallSession"},
    {"suspicious-login", "SuspiciousLogin", {"SuspiciousLoginAlert"}},
};

std::vector<std::string> attribute_names(const ast::Plan& plan, const std::string& stream) {
  std::vector<std::string> names;
  for (const ast::Definition& definition : plan.definitions) {
    const auto* defined = std::get_if<ast::StreamDefinition>(&definition);
    if (defined == nullptr || defined->name != stream) continue;
    for (const auto& attribute : defined->attributes) names.push_back(attribute.name);
  }
  return names;
}

TEST(GeneratePlans, EachIsGrammatical) {
  for (const Shipped& shipped : kShipped) {
    EXPECT_EQ(to_text(parse_plan(text_of(shipped.file)).diagnostics, shipped.file), "");
  }
}

TEST(GeneratePlans, AllThatShipAreTestedHere) {
  std::set<std::string> files, tested;
  for (const auto& entry : std::filesystem::directory_iterator(kPlans)) {
    files.insert(entry.path().filename());
  }
  for (const Shipped& shipped : kShipped) tested.insert(std::string(shipped.file) + ".siddhi");
  EXPECT_EQ(files, tested);
}

TEST(GeneratePlans, EachBeginsWithAPageAndCarriesItsName) {
  for (const Shipped& shipped : kShipped) {
    std::string text = text_of(shipped.file);
    ast::Plan plan = parse_plan(text).plan;
    ASSERT_FALSE(plan.annotations.empty()) << shipped.file;
    EXPECT_EQ(plan.annotations[0].name, "app:name");
    EXPECT_EQ(plan.annotations[0].elements.at(0).value, shipped.name);
    std::string page = text.substr(0, text.find("*/"));
    for (const char* part : {"/*\n", " * Reads ", " * Writes ", " * State "}) {
      EXPECT_NE(page.find(part), std::string::npos) << shipped.file << ": no '" << part << "'";
    }
  }
}

TEST(GeneratePlans, EachDefinesWhatItReadsAndWrites) {
  const std::vector<std::string> input =
      attribute_names(parse_plan(text_of("suspicious-login")).plan, "OverallAuthentication");
  ASSERT_EQ(input.size(), 24u);
  for (const Shipped& shipped : kShipped) {
    ast::Plan plan = parse_plan(text_of(shipped.file)).plan;
    if (shipped.reads == std::string_view("OverallAuthentication")) {
      EXPECT_EQ(attribute_names(plan, shipped.reads), input) << shipped.file;
    }
    EXPECT_FALSE(attribute_names(plan, shipped.reads).empty()) << shipped.file;
    for (const std::string& stream : shipped.writes) {
      EXPECT_FALSE(attribute_names(plan, stream).empty()) << stream;
    }
  }
}

TEST(GeneratePlans, AlertsBeginAsTheStreamOfAllAlertsDoes) {
  const std::vector<std::string> all = {"meta_tenantId", "type",           "tenantDomain",    "msg",
                                        "severity",      "alertTimestamp", "userReadableTime"};
  for (const Shipped& shipped : kShipped) {
    if (!shipped.writes[0].ends_with("Alert")) continue;
    auto names = attribute_names(parse_plan(text_of(shipped.file)).plan, shipped.writes[0]);
    ASSERT_GT(names.size(), all.size());
    EXPECT_TRUE(std::equal(all.begin(), all.end(), names.begin())) << shipped.file;
    for (const char* evidence : {"eventIds", "eventTimes"}) {
      EXPECT_EQ(std::count(names.begin(), names.end(), evidence), 1) << shipped.file;
    }
  }
}

}  // namespace
}  // namespace pollux

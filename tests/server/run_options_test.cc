// How the options of `pollux run` meet the streams of a plan.

#include <gtest/gtest.h>

#include "server/tool/console.h"
#include "server/tool/run/input_plan.h"
#include "server/tool/text_format.h"

namespace pollux::tool {
namespace {

using Texts = std::vector<std::string>;

std::vector<StreamInfo> streams() {
  auto schema = [](std::string name, std::vector<Attribute> attributes) {
    return std::make_shared<Schema>(std::move(name), std::move(attributes));
  };
  return {{.schema = schema("Logins", {{"tenant", AttributeType::kInt},
                                       {"user", AttributeType::kString},
                                       {"_timestamp", AttributeType::kLong}}),
           .input = true},
          {.schema = schema("Sessions",
                            {{"id", AttributeType::kString}, {"start", AttributeType::kLong}}),
           .input = true},
          {.schema = schema("Failures", {{"user", AttributeType::kString}}), .output = true},
          {.schema = schema("Alerts", {{"user", AttributeType::kString}}),
           .output = true,
           .leaf = true}};
}

TEST(RunOptionsTest, InputsTakeTheirStreamAndTheUsualTime) {
  RunOptions options{.inputs = {"Logins=a=b.csv", "Sessions=-"}};
  InputPlan plan = resolve_options(options, streams());
  EXPECT_TRUE(plan.errors.empty());
  ASSERT_EQ(plan.files.size(), 2u);
  EXPECT_EQ(plan.files[0].path, "a=b.csv");
  EXPECT_EQ(plan.files[0].layout.timestamp_attribute, 2u);
  EXPECT_FALSE(plan.files[0].layout.timestamp_named);
  EXPECT_FALSE(plan.files[1].layout.timestamp_attribute.has_value());
  EXPECT_EQ(plan.outputs, Texts{"Alerts"});
}

TEST(RunOptionsTest, ConstantsAndTimesReachTheFilesOfTheirStream) {
  RunOptions options{.inputs = {"Logins=a", "Sessions=b", "Logins=c"},
                     .outputs = {"Failures", "Alerts"},
                     .timestamps = {"start"},
                     .constants = {"Logins.tenant=-1234", "Sessions.id=x=y"}};
  InputPlan plan = resolve_options(options, streams());
  EXPECT_TRUE(plan.errors.empty());
  ASSERT_EQ(plan.files.size(), 3u);
  for (size_t i : {0u, 2u}) {
    ASSERT_TRUE(plan.files[i].layout.constants[0].has_value());
    EXPECT_EQ(std::get<int32_t>(*plan.files[i].layout.constants[0]), -1234);
  }
  EXPECT_EQ(std::get<std::string>(*plan.files[1].layout.constants[0]), "x=y");
  EXPECT_EQ(plan.files[1].layout.timestamp_attribute, 1u);
  EXPECT_TRUE(plan.files[1].layout.timestamp_named);
  EXPECT_EQ(plan.outputs, (Texts{"Failures", "Alerts"}));
}

TEST(RunOptionsTest, EverythingWrongIsSaidAtOnceWithAHint) {
  RunOptions options{.inputs = {"Logins", "Login=a", "Logins=-", "Sessions=-"},
                     .outputs = {"Alert"},
                     .timestamps = {"begin", "Logins.user", "Logins.tmestamp"},
                     .constants = {"Logins.tenant=x", "Logins.tenat=1", "Other.x=1", "x"}};
  InputPlan plan = resolve_options(options, streams());
  EXPECT_EQ(plan.errors,
            (Texts{"--in Logins: expected STREAM=FILE, or STREAM=- for standard input",
                   "--in Login=a: the plan defines no stream Login; did you mean Logins?",
                   "--in: standard input (-) can feed only one stream",
                   "--set Logins.tenant=x: \"x\" is not of type int",
                   "--set Logins.tenat=1: stream Logins has no attribute tenat; did you mean "
                   "tenant?",
                   "--set Other.x=1: no --in feeds the stream of Other.x; expected "
                   "STREAM.ATTRIBUTE=VALUE",
                   "--set x: expected STREAM.ATTRIBUTE=VALUE",
                   "--timestamp begin: no stream with --in has an attribute begin; attributes: "
                   "tenant, user, _timestamp, id, start",
                   "--timestamp Logins.user: attribute user is of type string; expected a long of "
                   "milliseconds since 1970",
                   "--timestamp Logins.tmestamp: stream Logins has no attribute tmestamp; did you "
                   "mean _timestamp?",
                   "--out Alert: no query of the plan inserts into Alert; did you mean Alerts?"}));
}

TEST(TextFormatTest, NumbersAndDurations) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(14549), "14,549");
  EXPECT_EQ(with_thousands(1234567), "1,234,567");
  EXPECT_EQ(counted(0, "event"), "no events");
  EXPECT_EQ(counted(1, "event"), "1 event");
  EXPECT_EQ(parse_duration_ms("90s"), 90'000);
  EXPECT_EQ(parse_duration_ms("5 min"), 300'000);
  EXPECT_EQ(parse_duration_ms("250ms"), 250);
  for (const char* text : {"", "s", "5", "-1s", "5 weeks", "99999999999 days", "1.5s"}) {
    EXPECT_EQ(parse_duration_ms(text), std::nullopt) << text;
  }
}

TEST(ConsoleTest, TheBarShowsThePartThatIsDone) {
  EXPECT_EQ(progress_text({.bytes_done = 50, .bytes_total = 100, .events = 2000}, 2.0, 10),
            "[=====     ] 50%  2,000 events  1,000/s");
  EXPECT_EQ(progress_text({.bytes_done = 50, .bytes_total = 0, .events = 1}, 0.0, 10), "1 event");
}

}  // namespace
}  // namespace pollux::tool

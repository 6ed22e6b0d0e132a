// The plans in conf/plans/, run by the engine over generated traffic: each attack of the ledger is
// named by exactly one alert, and nothing else raises any. The statistics count every event once.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <sstream>

#include "engine/runtime/engine.h"
#include "server/tool/generate/generate_job.h"
#include "tests/server/generate_scan.h"

namespace pollux {
namespace {

using traffic::Ledger;
using traffic::LedgerLine;
using traffic::Record;

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Traffic {
  std::vector<Record> rows;
  Ledger ledger;
};

/// A day with twelve attacks and sixty near-misses.
const Traffic& generated() {
  static const Traffic traffic = [] {
    traffic::GenerateJob job;
    job.traffic.seed = 7;
    job.traffic.users = 8'000;
    job.traffic.events_per_day = 40'000;
    job.traffic.attacks_per_kind = 3;
    std::string base = testing::TempDir() + "/pollux_alerts_" + std::to_string(::getpid());
    job.out = base + ".rows";
    job.ledger = base + ".ledger";
    EXPECT_TRUE(traffic::generate(job).ok());
    Traffic made{traffic::read_csv(read_file(job.out)),
                 traffic::read_ledger(read_file(job.ledger))};
    std::remove(job.out.c_str());
    std::remove(job.ledger.c_str());
    return made;
  }();
  return traffic;
}

/// A result by attribute name, as text.
using Result = std::map<std::string, std::string>;

class Collect final : public ResultSink {
 public:
  void on_result(const ResultBatch& results) override {
    const EventBatch& batch = *results.batch;
    for (uint32_t row = 0; row < batch.rows(); ++row) {
      Result result{{"stream", std::string(results.stream)}};
      for (size_t c = 0; c < batch.schema().size(); ++c) {
        result[batch.schema()[c].name] = to_text(batch.value(row, c));
      }
      list.push_back(std::move(result));
    }
  }
  std::vector<Result> list;
};

Value value_of(const std::string& text, AttributeType type) {
  if (text.empty()) return {};
  switch (type) {
    case AttributeType::kInt:
      return static_cast<int32_t>(std::stoi(text));
    case AttributeType::kLong:
      return static_cast<int64_t>(std::stoll(text));
    case AttributeType::kBool:
      return text == "true";
    default:
      return text;
  }
}

enum class Streams : uint8_t { kFinal, kAll };

bool is_final(std::string_view, std::string_view stream) {
  return stream.ends_with("Alert") || stream.ends_with("PerMinute");
}

/// Runs a shipped plan over the traffic on virtual time, then lets ten minutes pass.
std::vector<Result> run_plan(const std::string& name, Streams streams = Streams::kFinal,
                             uint32_t batch_rows = 512) {
  EngineOptions options{.clock = ClockMode::kRow, .is_result = {}};
  if (streams == Streams::kFinal) options.is_result = is_final;
  Engine engine(options);
  Collect results;
  uint64_t position = 0;
  int64_t now_ms = 0;
  auto apply = [&](EntryPayload payload) {
    ApplyOutcome outcome =
        engine.apply({{{1}, {++position}}, {now_ms}, std::move(payload)}, results);
    ASSERT_EQ(outcome.status, ApplyStatus::kApplied)
        << name << ": " << outcome.reason << to_text(outcome.diagnostics, name);
  };
  apply(DeployPayload{name, read_file(POLLUX_SOURCE_DIR "/conf/plans/" + name + ".siddhi")});
  SchemaPtr schema = engine.input_schema("OverallAuthentication");
  if (schema == nullptr) return {};
  const auto& rows = generated().rows;
  for (size_t at = 0; at < rows.size(); at += batch_rows) {
    auto batch = std::make_shared<EventBatch>(schema);
    for (size_t i = at; i < std::min(at + batch_rows, rows.size()); ++i) {
      for (size_t c = 0; c < schema->size(); ++c) {
        batch->append_value(c, value_of(rows[i].at((*schema)[c].name), (*schema)[c].type));
      }
      now_ms = std::stoll(rows[i].at("_timestamp"));
      batch->end_row(now_ms);
    }
    apply(EventsPayload{batch});
  }
  int64_t until_ms = now_ms + 600'000;
  while (engine.next_deadline() && engine.next_deadline()->ms <= until_ms) {
    now_ms = std::max(now_ms, engine.next_deadline()->ms);
    apply(TickPayload{});
  }
  return results.list;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> items(1);
  for (char c : list) {
    if (c == ',') {
      items.emplace_back();
    } else {
      items.back() += c;
    }
  }
  return items;
}

/// What must hold of the alerts of one plan: one for each attack of its kind, all of whose events
/// belong to the attack, and none besides.
void expect_exactly_the_attacks(const std::string& kind, const std::string& stream,
                                size_t evidence) {
  std::map<std::string, const LedgerLine*> line_of;
  std::map<std::string, int> alerts_by_attack;
  for (const LedgerLine& line : generated().ledger.injections) {
    for (const std::string& event : line.event_ids) line_of[event] = &line;
    if (line.kind == kind) alerts_by_attack[line.id] = 0;
  }
  ASSERT_EQ(alerts_by_attack.size(), 3u);
  for (const Result& alert : run_plan(kind)) {
    EXPECT_EQ(alert.at("stream"), stream);
    std::vector<std::string> events = split(alert.at("eventIds"));
    EXPECT_EQ(events.size(), evidence);
    EXPECT_EQ(split(alert.at("eventTimes")).size(), evidence);
    const LedgerLine* line = line_of[events[0]];
    ASSERT_NE(line, nullptr) << "ordinary traffic: " << alert.at("msg");
    EXPECT_EQ(line->kind, kind) << line->id << ": " << alert.at("msg");
    EXPECT_EQ(line->tenants, std::vector<std::string>{alert.at("meta_tenantId")});
    for (const std::string& event : events) EXPECT_EQ(line_of[event], line) << line->id;
    ++alerts_by_attack[line->id];
  }
  for (const auto& [attack, alerts] : alerts_by_attack) EXPECT_EQ(alerts, 1) << attack;
}

TEST(GenerateAlerts, SuspiciousLoginNamesEachAttackOnceAndNothingElse) {
  expect_exactly_the_attacks("suspicious-login", "SuspiciousLoginAlert", 6);
}

TEST(GenerateAlerts, BruteForceNamesEachAttackOnceAndNothingElse) {
  expect_exactly_the_attacks("brute-force", "BruteForceAlert", 10);
}

TEST(GenerateAlerts, PasswordSprayingNamesEachAttackOnceAndNothingElse) {
  expect_exactly_the_attacks("password-spraying", "PasswordSprayingAlert", 10);
}

TEST(GenerateAlerts, NewCountryNamesEachAttackOnceAndNothingElse) {
  expect_exactly_the_attacks("new-country", "NewCountryAlert", 2);
}

TEST(GenerateAlerts, BatchesDoNotChangeAnyStream) {
  // Between streams the order of results is that of their ordinals; within one it is their own.
  auto by_stream = [](const std::vector<Result>& results) {
    std::map<std::string, std::vector<Result>> streams;
    for (const Result& result : results) streams[result.at("stream")].push_back(result);
    return streams;
  };
  for (const char* plan : {"suspicious-login", "password-spraying", "new-country"}) {
    auto one = by_stream(run_plan(plan, Streams::kAll, 1));
    auto many = by_stream(run_plan(plan, Streams::kAll, 512));
    ASSERT_EQ(one.size(), many.size()) << plan;
    for (const auto& [stream, results] : one) {
      EXPECT_TRUE(results == many[stream]) << plan << ": " << stream;
    }
  }
}

TEST(GenerateStatistics, EveryStreamCountsEveryEventOnce) {
  std::map<std::string, std::map<std::string, int64_t>> sums;
  std::map<std::string, std::set<std::string>> keys;
  std::map<std::string, size_t> rows;
  const std::set<std::string> not_key = {"authSuccessCount", "authFailureCount",
                                         "authStepSuccessCount", "authFirstSuccessCount", "region"};
  for (const Result& row : run_plan("login-statistics")) {
    const std::string& stream = row.at("stream");
    std::string key;
    for (const auto& [name, text] : row) {
      if (!not_key.contains(name)) {
        key += name + "=" + text + ";";
      } else if (name != "region") {
        sums[stream][name] += std::stoll(text);
      }
    }
    keys[stream].insert(key);
    ++rows[stream];
  }
  EXPECT_EQ(sums.size(), 8u);
  const auto& truth = generated().ledger.summary;
  for (auto& [stream, sum] : sums) {
    EXPECT_EQ(keys[stream].size(), rows[stream]) << "a key comes twice in " << stream;
    // By identity provider a success is that of a step.
    const char* success = stream == "IdpAuthStatPerMinute" ? "stepSuccesses" : "overallSuccesses";
    EXPECT_EQ(sum["authSuccessCount"], truth.at(success)) << stream;
    EXPECT_EQ(sum["authFailureCount"], truth.at("stepFailures")) << stream;
    EXPECT_EQ(sum["authStepSuccessCount"], truth.at("stepSuccesses")) << stream;
    if (sum.contains("authFirstSuccessCount")) {
      EXPECT_EQ(sum["authFirstSuccessCount"], truth.at("firstLogins")) << stream;
    }
  }
}

// ---- the reference's sample data, by the command line ----

struct ReferenceSums {
  std::map<std::string, int64_t> by;  ///< "stream/column/key/identity provider type"
  int exit_code = 0;
};

ReferenceSums sum_reference_data(const std::string& data) {
  ReferenceSums sums;
  std::string command = std::string(POLLUX_BINARY) +
                        " run " POLLUX_SOURCE_DIR
                        "/conf/plans/login-statistics.siddhi --in OverallAuthentication=" +
                        data + " --set OverallAuthentication.meta_tenantId=-1234 2>/dev/null";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  const std::map<std::string, const char*> key_of = {
      {"UserAuthStatPerMinute", "username"},
      {"SpAuthStatPerMinute", "serviceProvider"},
      {"IdpAuthStatPerMinute", "identityProvider"},
      {"RoleAuthStatPerMinute", "role"},
      {"UserstoreAuthStatPerMinute", "userStoreDomain"}};
  simdjson::dom::parser parser;
  char* line = nullptr;
  size_t capacity = 0;
  while (::getline(&line, &capacity, pipe) > 0) {
    simdjson::dom::element json = parser.parse(std::string(line));
    std::string stream{std::string_view(json["stream"])};
    simdjson::dom::element row = json["data"];
    auto key = key_of.find(stream);
    std::string group = key == key_of.end() ? "" : std::string(std::string_view(row[key->second]));
    std::string type{std::string_view(row["identityProviderType"])};
    for (const char* column : {"authSuccessCount", "authFailureCount", "authFirstSuccessCount"}) {
      simdjson::dom::element count;
      if (row.at_key(column).get(count) != simdjson::SUCCESS) continue;
      sums.by[stream + "/" + column + "/" + group + "/" + type] += int64_t(count);
    }
  }
  std::free(line);
  sums.exit_code = ::pclose(pipe);
  return sums;
}

TEST(GenerateStatistics, SumsOverTheSampleDataAreThoseOfTheReference) {
  const std::string data = POLLUX_SHARED_BESIDE_SOURCE "/data/auth-events.csv";
  if (!std::ifstream(data)) GTEST_SKIP() << "no sample data at " << data;
  ReferenceSums sums = sum_reference_data(data);
  EXPECT_EQ(sums.exit_code, 0);
  auto both = [&](const std::string& stream, const std::string& of) {
    return sums.by[stream + "/authSuccessCount/" + of] +
           sums.by[stream + "/authFailureCount/" + of];
  };
  EXPECT_EQ(both("AuthStatPerMinute", "/FEDERATED"), 11'175);
  EXPECT_EQ(both("AuthStatPerMinute", "/LOCAL"), 3'373);
  EXPECT_EQ(both("UserAuthStatPerMinute", "Sarah/FEDERATED"), 1'290);
  EXPECT_EQ(both("UserAuthStatPerMinute", "Rachel/LOCAL"), 632);
  EXPECT_EQ(both("SpAuthStatPerMinute", "Booking/FEDERATED"), 2'060);
  EXPECT_EQ(both("IdpAuthStatPerMinute", "Google/FEDERATED"), 5'010);
  EXPECT_EQ(both("RoleAuthStatPerMinute", "Admin/LOCAL"), 681);
  EXPECT_EQ(sums.by["UserstoreAuthStatPerMinute/authSuccessCount/wso2/LOCAL"], 2'517);
  EXPECT_EQ(sums.by["UserstoreAuthStatPerMinute/authFailureCount/wso2/LOCAL"], 856);
  const std::map<std::string, int64_t> users = {
      {"Sarah", 971},   {"Gary", 949},  {"Victor", 541},   {"Laila", 515},     {"David", 500},
      {"Jessica", 499}, {"Felix", 499}, {"Isabelle", 493}, {"Elizabeth", 493}, {"Celine", 492}};
  for (const auto& [user, count] : users) {
    EXPECT_EQ(sums.by["UserAuthStatPerMinute/authSuccessCount/" + user + "/FEDERATED"], count)
        << user;
  }
  const std::map<std::string, int64_t> first_logins = {
      {"Booking", 1561}, {"Lonely Planet", 790}, {"Yahoo Travel", 790}, {"Trip Advisor", 788},
      {"JIRA", 773},     {"Hotels", 744},        {"Priceline", 743},    {"Expedia", 733},
      {"AirBnB", 731},   {"Travelocity", 728}};
  for (const auto& [provider, count] : first_logins) {
    EXPECT_EQ(sums.by["SpAuthStatPerMinute/authFirstSuccessCount/" + provider + "/FEDERATED"],
              count)
        << provider;
  }
}

}  // namespace
}  // namespace pollux

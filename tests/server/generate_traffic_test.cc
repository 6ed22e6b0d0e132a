// `pollux generate`: the same on every machine, realistic in shape, and true to its ledger.
#include <gtest/gtest.h>
#include <simdjson.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "server/tool/generate/generate_job.h"
#include "server/tool/generate/random.h"
#include "server/tool/generate/traffic.h"
#include "tests/server/generate_scan.h"

namespace pollux::traffic {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Generated {
  std::string rows;
  std::string ledger;
};

/// Through files, as the command does it.
Generated generate_text(TrafficOptions options, RowFormat format = RowFormat::kCsv) {
  GenerateJob job;
  job.traffic = options;
  job.format = format;
  std::string base = testing::TempDir() + "/pollux_generate_" + std::to_string(::getpid());
  job.out = base + ".rows";
  job.ledger = base + ".ledger";
  auto summary = generate(job);
  EXPECT_TRUE(summary.ok()) << summary.status();
  Generated text{read_file(job.out), read_file(job.ledger)};
  std::remove(job.out.c_str());
  std::remove(job.ledger.c_str());
  return text;
}

TrafficOptions small_run() {
  TrafficOptions options;
  options.seed = 42;
  options.users = 6'000;
  options.events_per_day = 40'000;
  options.attacks_per_kind = 2;
  return options;
}

uint64_t fnv1a(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3ULL;
  return hash;
}

const Generated& small_text() {
  static const Generated text = generate_text(small_run());
  return text;
}
const std::vector<Record>& small_rows() {
  static const std::vector<Record> rows = read_csv(small_text().rows);
  return rows;
}
const Ledger& small_ledger() {
  static const Ledger ledger = read_ledger(small_text().ledger);
  return ledger;
}

/// Ids of the injections whose events are among the findings; "background" for any other event.
std::set<std::string> injections_of(const Findings& findings) {
  std::map<std::string, std::string> injection_by_event;
  for (const LedgerLine& line : small_ledger().injections) {
    for (const std::string& id : line.event_ids) injection_by_event[id] = line.id;
  }
  std::set<std::string> ids;
  for (const std::string& event : findings) {
    auto found = injection_by_event.find(event);
    ids.insert(found == injection_by_event.end() ? "background" : found->second);
  }
  return ids;
}

std::set<std::string> injections_of_kind(const std::string& kind) {
  std::set<std::string> ids;
  for (const LedgerLine& line : small_ledger().injections) {
    if (line.kind == kind) ids.insert(line.id);
  }
  return ids;
}

// ---- the same everywhere ----

TEST(GenerateRandom, GivesTheSameNumbersOnEveryMachine) {
  Random random(1, Purpose::kBackground);
  EXPECT_EQ(random.next(), 13748080512136139171ULL);
  EXPECT_EQ(random.next(), 7617472948148481112ULL);
  EXPECT_EQ(random.below(1000), 339u);
}

TEST(GenerateTraffic, FixedSeedGivesFixedBytes) {
  // A change of these numbers changes every demo and bench input: it must be meant.
  EXPECT_EQ(fnv1a(small_text().rows), 15315028770819324537ULL);
  EXPECT_EQ(fnv1a(small_text().ledger), 14457936847700102326ULL);
}

TEST(GenerateTraffic, AnotherSeedGivesOtherTraffic) {
  TrafficOptions options = small_run();
  options.seed = 43;
  EXPECT_NE(generate_text(options).rows, small_text().rows);
}

TEST(GenerateTraffic, MoreAttacksLeaveTheUsersAsTheyAre) {
  TrafficOptions options = small_run();
  Population one(options);
  options.attacks_per_kind = 0;
  Population other(options);
  for (uint32_t i = 0; i < one.size(); ++i) {
    ASSERT_EQ(one.user(UserIndex{i}).name, other.user(UserIndex{i}).name);
  }
}

// ---- its shape ----

TEST(GenerateTraffic, HasTheColumnsOfOverallAuthenticationInOrder) {
  EXPECT_EQ(small_text().rows.substr(0, small_text().rows.find('\n')),
            "meta_tenantId,contextId,eventId,eventType,authenticationSuccess,username,"
            "localUsername,userStoreDomain,tenantDomain,remoteIp,region,inboundAuthType,"
            "serviceProvider,rememberMeEnabled,forceAuthEnabled,passiveAuthEnabled,"
            "rolesCommaSeparated,authenticationStep,identityProvider,authStepSuccess,"
            "stepAuthenticator,isFirstLogin,identityProviderType,_timestamp");
}

TEST(GenerateTraffic, ComesInOrderOfTimeWithinTheRun) {
  int64_t last = TrafficOptions::kDefaultStartMs;
  for (const Record& row : small_rows()) {
    int64_t time = std::stoll(row.at("_timestamp"));
    ASSERT_GE(time, last);
    last = time;
  }
  EXPECT_LE(last, TrafficOptions::kDefaultStartMs + kDayMs + 2 * kMinuteMs);
  EXPECT_NEAR(static_cast<double>(small_rows().size()), 40'000, 2'500);
}

TEST(GenerateTraffic, NumbersEachEventOnce) {
  std::set<std::string> ids;
  for (const Record& row : small_rows()) ids.insert(row.at("eventId"));
  EXPECT_EQ(ids.size(), small_rows().size());
}

TEST(GenerateTraffic, GivesEachLoginStepsAndAnOverallEvent) {
  std::map<std::string, std::vector<const Record*>> logins;
  for (const Record& row : small_rows()) logins[row.at("contextId")].push_back(&row);
  size_t with_steps = 0, with_typos = 0, reused = 0;
  for (const auto& [context, events] : logins) {
    const Record& last = *events.back();
    if (last.at("eventType") == "overall") {
      EXPECT_EQ(last.at("authenticationSuccess"), "true");
      EXPECT_EQ(last.at("identityProviderType").empty(), events.size() == 1);
      ++(events.size() == 1 ? reused : with_steps);
    } else {
      // Only attacks give up without a success.
      EXPECT_EQ(last.at("authStepSuccess"), "false");
    }
    with_typos += events.front()->at("authStepSuccess") == "false" ? 1 : 0;
    for (size_t i = 0; i + 1 < events.size(); ++i) {
      EXPECT_EQ(events[i]->at("eventType"), "step");
      EXPECT_EQ(events[i]->at("authenticationSuccess"), "false");
    }
  }
  EXPECT_GT(with_steps, 8'000u);
  EXPECT_GT(with_typos, 500u);
  EXPECT_GT(reused, 500u);
}

TEST(GenerateTraffic, HasManyTenantsCountriesAndSharedAddresses) {
  std::map<std::string, std::set<std::string>> values;
  std::map<std::string, std::set<std::string>> users_at;
  std::map<std::string, size_t> events_of;
  for (const Record& row : small_rows()) {
    for (const std::string& name : row.names()) values[name].insert(row.at(name));
    users_at[row.at("remoteIp")].insert(row.at("username"));
    ++events_of[row.at("meta_tenantId") + row.at("username")];
  }
  EXPECT_EQ(values["tenantDomain"].size(), tenants().size());
  EXPECT_EQ(values["region"].size(), countries().size());
  EXPECT_EQ(values["serviceProvider"].size(), service_providers().size());
  EXPECT_EQ(values["identityProvider"].size(), identity_providers().size());
  EXPECT_EQ(values["identityProviderType"], (std::set<std::string>{"", "FEDERATED", "LOCAL"}));
  EXPECT_EQ(values["userStoreDomain"].size(), 4u);
  auto busiest = std::max_element(users_at.begin(), users_at.end(), [](auto& a, auto& b) {
    return a.second.size() < b.second.size();
  });
  EXPECT_GT(busiest->second.size(), 20u);
  std::vector<size_t> activity;
  for (auto& [user, events] : events_of) activity.push_back(events);
  std::sort(activity.rbegin(), activity.rend());
  EXPECT_GT(activity[0], 20 * activity[activity.size() / 2]);
}

TEST(GenerateTraffic, IsBusierByDayThanByNight) {
  // Of one country, at the hours of its own clock.
  size_t night = 0, morning = 0;
  for (const Record& row : small_rows()) {
    if (row.at("region") != "DE" || row.at("username").starts_with("svc-")) continue;
    int64_t hour = (std::stoll(row.at("_timestamp")) / kHourMs + 1) % 24;
    night += hour >= 2 && hour < 5 ? 1 : 0;
    morning += hour >= 8 && hour < 11 ? 1 : 0;
  }
  EXPECT_GT(morning, 5 * night);
}

TEST(GenerateTraffic, JsonLinesHoldTheSameValues) {
  Generated json = generate_text(small_run(), RowFormat::kJson);
  EXPECT_EQ(json.ledger, small_text().ledger);
  std::istringstream lines(json.rows);
  simdjson::dom::parser parser;
  size_t row = 0;
  for (std::string line; std::getline(lines, line); ++row) {
    ASSERT_LT(row, small_rows().size());
    simdjson::dom::object object = parser.parse(line);
    ASSERT_EQ(object.size(), 24u);
    for (auto [name, value] : object) {
      std::string text = value.is_string() ? std::string(std::string_view(value))
                         : value.is_bool() ? (bool(value) ? "true" : "false")
                         : value.is_null() ? ""
                                           : std::to_string(int64_t(value));
      ASSERT_EQ(text, small_rows()[row].at(std::string(name))) << line;
    }
  }
  EXPECT_EQ(row, small_rows().size());
}

// ---- its truth ----

TEST(GenerateLedger, HasFiveNearMissesForEachAttack) {
  size_t attacks = 0, near_misses = 0;
  for (const LedgerLine& line : small_ledger().injections) {
    ++(line.type == "attack" ? attacks : near_misses);
    EXPECT_FALSE(line.event_ids.empty());
    EXPECT_LE(line.start, line.end);
  }
  EXPECT_EQ(attacks, 8u);
  EXPECT_EQ(near_misses, 40u);
  for (const char* kind :
       {"four-failures", "late-fifth-failure", "two-tenants", "busy-nat", "traveller"}) {
    EXPECT_EQ(injections_of_kind(kind).size(), 8u) << kind;
  }
}

TEST(GenerateLedger, NamesEventsThatAreThere) {
  std::map<std::string, const Record*> rows;
  for (const Record& row : small_rows()) rows[row.at("eventId")] = &row;
  std::set<std::string> seen;
  for (const LedgerLine& line : small_ledger().injections) {
    for (const std::string& id : line.event_ids) {
      ASSERT_TRUE(rows.contains(id)) << line.id;
      EXPECT_TRUE(seen.insert(id).second) << "in two injections: " << id;
      EXPECT_EQ(std::count(line.users.begin(), line.users.end(), rows[id]->at("username")), 1);
      EXPECT_EQ(std::count(line.addresses.begin(), line.addresses.end(), rows[id]->at("remoteIp")),
                1);
    }
  }
}

TEST(GenerateLedger, CountsWhatIsInTheRows) {
  std::map<std::string, int64_t> counted;
  for (const Record& row : small_rows()) {
    ++counted["events"];
    bool step = row.at("eventType") == "step";
    if (step) ++counted[row.at("authStepSuccess") == "true" ? "stepSuccesses" : "stepFailures"];
    if (row.at("authenticationSuccess") == "true") ++counted["overallSuccesses"];
    if (row.at("authenticationSuccess") == "true" && row.at("isFirstLogin") == "true") {
      ++counted["firstLogins"];
    }
  }
  for (const auto& [name, count] : counted) EXPECT_EQ(small_ledger().summary.at(name), count);
}

TEST(GenerateLedger, ItsSuspiciousLoginsAreTheOnlyOnes) {
  Findings found = suspicious_logins(small_rows());
  EXPECT_EQ(injections_of(found), injections_of_kind("suspicious-login"));
  EXPECT_EQ(found.size(), injections_of_kind("suspicious-login").size());
}

TEST(GenerateLedger, ItsBruteForcesAreTheOnlyOnes) {
  EXPECT_EQ(injections_of(brute_forces(small_rows())), injections_of_kind("brute-force"));
}

TEST(GenerateLedger, ItsPasswordSprayingsAreTheOnlyOnes) {
  EXPECT_EQ(injections_of(password_sprayings(small_rows())),
            injections_of_kind("password-spraying"));
}

TEST(GenerateLedger, ItsNewCountriesAreTheOnlyOnes) {
  EXPECT_EQ(injections_of(new_countries(small_rows())), injections_of_kind("new-country"));
}

TEST(GenerateLedger, ItsBusyNatsWouldLookLikeSprayingWithoutTheirSuccesses) {
  std::set<std::string> expected = injections_of_kind("busy-nat");
  expected.merge(injections_of_kind("password-spraying"));
  EXPECT_EQ(injections_of(busy_addresses(small_rows())), expected);
}

TEST(GenerateLedger, ItsNamesakesWouldBeAttacksInOneTenant) {
  std::vector<Record> one_tenant = small_rows();
  for (Record& row : one_tenant) row["meta_tenantId"] = "-1234";
  Findings found = suspicious_logins(one_tenant);
  Findings brute = brute_forces(one_tenant);
  found.insert(found.end(), brute.begin(), brute.end());
  std::set<std::string> ids = injections_of(found);
  for (const std::string& id : injections_of_kind("two-tenants")) EXPECT_TRUE(ids.contains(id));
}

TEST(GenerateTraffic, OrdinaryTrafficNeverLooksLikeAnAttack) {
  // Few users and addresses for the number of events, so that chance would show.
  for (uint64_t seed : {1, 2, 3}) {
    TrafficOptions options;
    options.seed = seed;
    options.users = 400;
    options.events_per_day = 60'000;
    options.duration_ms = 12 * kHourMs;
    options.attacks_per_kind = 0;
    std::vector<Record> rows = read_csv(generate_text(options).rows);
    ASSERT_GT(rows.size(), 25'000u);
    EXPECT_EQ(suspicious_logins(rows), Findings{});
    EXPECT_EQ(brute_forces(rows), Findings{});
    EXPECT_EQ(password_sprayings(rows), Findings{});
    EXPECT_EQ(new_countries(rows), Findings{});
  }
}

// ---- what it refuses ----

absl::Status refusal(TrafficOptions options) {
  GenerateJob job;
  job.traffic = options;
  job.out = "/dev/null";
  return generate(job).status();
}

TEST(GenerateOptions, TooFewUsersForTheAttacksAreRefused) {
  TrafficOptions options = small_run();
  options.users = 500;
  absl::Status status = refusal(options);
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(status.message().find("--users"), std::string::npos) << status;
}

TEST(GenerateOptions, ARunTooShortForAFlightIsRefused) {
  TrafficOptions options = small_run();
  options.duration_ms = 17 * kHourMs;
  EXPECT_TRUE(absl::IsInvalidArgument(refusal(options)));
  options.attacks_per_kind = 0;
  EXPECT_TRUE(refusal(options).ok());
}

TEST(GenerateOptions, AFileThatCannotBeWrittenIsAnError) {
  GenerateJob job;
  job.traffic = small_run();
  job.out = "/dev/full";
  EXPECT_TRUE(absl::IsUnavailable(generate(job).status()));
  job.out = testing::TempDir() + "/no/such/folder/rows.csv";
  EXPECT_TRUE(absl::IsUnavailable(generate(job).status()));
}

TEST(GenerateOptions, StartIsMillisecondsOrAnInstant) {
  EXPECT_EQ(*parse_start("1767571200000"), 1767571200000);
  EXPECT_EQ(*parse_start("2026-01-05"), 1767571200000);
  EXPECT_EQ(*parse_start("2026-01-05T00:00Z"), 1767571200000);
  EXPECT_EQ(*parse_start("2024-02-29T23:59:58Z"), 1709251198000);
  for (const char* wrong : {"", "yesterday", "2026-13-01", "2026-02-30", "2026-01-05T24:00:00Z",
                            "2026-01-05T00:00:00+01:00", "12x"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(parse_start(wrong).status())) << wrong;
  }
}

}  // namespace
}  // namespace pollux::traffic

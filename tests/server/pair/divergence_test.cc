// Two polluxd whose plans do not go together any more: one of them has another state than it ought
// to have, or an entry kills whoever applies it.
#include <filesystem>
#include <string>

#include "engine/runtime/engine.h"
#include "persistence/files/posix_file_system.h"
#include "persistence/state/revision_store.h"
#include "server/durability/plan_record.h"
#include "tests/server/pair/pair_testing.h"

namespace pollux {
namespace {

struct NoResults : ResultSink {
  void on_result(const ResultBatch&) override {}
};

class DivergenceTest : public PairProcessTest {
 protected:
  /// A newer state of Sums, valid to its last byte, in which a thousand was added. The node is
  /// down.
  void alter_state(const Member& member) {
    PosixFileSystem files;
    RevisionStore::Options options;
    options.location = path("data." + member.name) + "/cep_persistence";
    options.folder = "Sums";
    auto store = RevisionStore::open(files, options);
    ASSERT_TRUE(store.ok()) << store.status();
    auto newest = (*store)->newest_valid();
    ASSERT_TRUE(newest.ok() && newest->revision) << newest.status();
    auto plan = decode_plan_revision(newest->revision->state());
    ASSERT_TRUE(plan.ok()) << plan.status();
    const RevisionHeader header = newest->revision->info.header;
    const std::string state = with_a_thousand_more(plan->record.plan.deploy, header, plan->state);
    auto writer = (*store)->begin(header);
    ASSERT_TRUE(writer.ok()) << writer.status();
    ASSERT_TRUE((*writer)->append(encode_record(plan->record)).ok());
    ASSERT_TRUE((*writer)->append(state).ok());
    ASSERT_TRUE((*writer)->finish().ok());
    expect_difference();
  }
  static std::string with_a_thousand_more(DeployPayload deploy, const RevisionHeader& header,
                                          std::string_view state) {
    NoResults none;
    Engine engine{EngineOptions{}};
    deploy.replace = false;
    engine.apply({header.at, header.timestamp, deploy}, none);
    EXPECT_EQ(engine.restore_state(deploy.plan, state), "");
    auto schema = std::make_shared<const Schema>(
        "Logins",
        std::vector<Attribute>{{"user", AttributeType::kString}, {"n", AttributeType::kInt}});
    auto batch = std::make_shared<EventBatch>(schema);
    batch->append_value(0, std::string("ann"));
    batch->append_value(1, int32_t{1000});
    batch->end_row(header.timestamp.ms);
    engine.apply({header.at, header.timestamp, EventsPayload{batch}}, none);
    std::string altered = engine.save_state(deploy.plan);
    EXPECT_NE(altered, state);
    return altered;
  }
  void persist(const Member& member) {
    EXPECT_TRUE(becomes_true([&] {
      auto answer = call("POST", member.url + "/v1/plans/Sums/persist");
      return answer.ok() && answer->status == 200;
    }));
  }
};

TEST_F(DivergenceTest, APassiveWhoseStateIsAnotherGetsACopyAndGoesOnFromIt) {
  Member& active = start_pair();
  Member& passive = other(active);
  deploy(active, kSums);
  for (int i = 0; i < 5; ++i) ASSERT_EQ(send(active, R"({"user":"ann","n":1})"), 200);
  persist(active);
  ASSERT_TRUE(logged("states written", passive.log));
  kill_member(passive);
  ASSERT_NO_FATAL_FAILURE(alter_state(passive));
  start_member(passive);
  ASSERT_EQ(&wait_for_pair(), &active);
  ASSERT_EQ(send(active, R"({"user":"ann","n":1})"), 200);
  EXPECT_EQ(read(active.log).find("differs from this one's"), std::string::npos);
  persist(active);
  ASSERT_TRUE(logged("a plan of the other node differs from this one's, which counts", active.log));
  ASSERT_TRUE(logged("a copy of the other node's data has come", passive.log));
  ASSERT_TRUE(logged("has taken the place of what was here", passive.log));
  ASSERT_EQ(&wait_for_pair(), &active);
  const std::string metrics = get(active.url + "/metrics");
  EXPECT_NE(metrics.find("pollux_pair_divergences_total{what=\"state\"} 1"), std::string::npos);
  EXPECT_NE(metrics.find("pollux_pair_barred 0"), std::string::npos);
  persist(active);
  kill_member(active);
  ASSERT_TRUE(becomes_true([&] { return is_ready(passive); })) << read(passive.log);
  ASSERT_EQ(send(passive, R"({"user":"ann","n":1})"), 200);
  const std::string all = results(passive, "Totals", 7);
  EXPECT_NE(all.find("\"total\":7"), std::string::npos) << all;
  EXPECT_EQ(all.find("\"total\":10"), std::string::npos) << all;
}

TEST_F(DivergenceTest, APoisonedEntrySuspendsOnePlanOnBothNodesAndThePairLives) {
  std::filesystem::create_directory(path("extensions"));
  std::filesystem::copy(POLLUX_DEADLY_EXTENSION, path("extensions/deadly.so"));
  const std::string variables = "POLLUX__EXTENSIONS_DIR=extensions";
  Member& first = start_pair(variables);
  Member& second = other(first);
  deploy(first,
         "@app:name('Risky') define stream Logins (user string, n int);"
         "from Logins select user, deadly:die(n) as n insert into Risks;");
  deploy(first, kSums);
  ASSERT_EQ(send(first, R"({"user":"ann","n":1})"), 200);
  send(first, R"({"user":"ann","n":666})");  // perhaps acknowledged before it is applied
  ASSERT_TRUE(becomes_true([&] { return has_ended(first) && has_ended(second); }))
      << "each of them has tried it once";
  // As whoever watches over processes does. The first one must not lead again: it tells what it
  // knows, and is told.
  auto revive = [&](Member& member) {
    if (!has_ended(member)) return;
    end(member.process, 0);
    launch_member(member, variables);
  };
  revive(first);
  ASSERT_TRUE(logged("polluxd started", first.log));
  auto is_up = [&](const Member& member) {
    return !has_ended(member) && read(member.log).find("polluxd started") != std::string::npos;
  };
  ASSERT_TRUE(becomes_true([&] {
    revive(second);
    return is_up(second) && role(Member{.url = base_url(second.log)}) == "active-paired";
  })) << read(second.log);
  ASSERT_EQ(&wait_for_pair(), &second);
  for (Member* member : {&first, &second}) {
    EXPECT_TRUE(becomes_true([&] {
      return get(member->url + "/v1/plans/Risky").find("processes died while they applied entry") !=
             std::string::npos;
    })) << get(member->url + "/v1/plans/Risky");
    EXPECT_EQ(get(member->url + "/v1/plans/Sums").find("processes died"), std::string::npos);
  }
  EXPECT_EQ(first.starts, 2) << "it has not died of it again";
  EXPECT_LE(second.starts, 3);
  ASSERT_EQ(send(second, R"({"user":"ann","n":1})"), 200);
  EXPECT_NE(results(second, "Totals", 3).find("\"total\":668"), std::string::npos);
  persist(second);
  ASSERT_TRUE(logged("states written", first.log));
  EXPECT_EQ(&wait_for_pair(), &second);
  EXPECT_NE(get(second.url + "/metrics").find("pollux_pair_divergences_total{what=\"state\"} 0"),
            std::string::npos)
      << "the plan is suspended at the same entry on both";
}

}  // namespace
}  // namespace pollux

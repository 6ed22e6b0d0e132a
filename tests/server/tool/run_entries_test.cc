// `pollux run --entries`: what a journal holds, through the engine once more.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <map>

#include "persistence/files/posix_file_system.h"
#include "persistence/journal/journal.h"
#include "server/formats/result_writer.h"
#include "server/tool/journal/entry_json.h"
#include "tests/persistence/codec/random_entries.h"
#include "tests/server/shell_testing.h"

namespace pollux {
namespace {

constexpr const char* kCounts =
    "@app:name('Counts') define stream Logins (user string, n long, x double, y float, any object);"
    "define table Seen (user string, n long);"
    "from Logins#window.timeBatch(1 sec) select user, count() as n, sum(x) as x group by user "
    "  insert into Counts;"
    "from Logins select user, n insert into Seen;"
    "from Logins[n == 7] delete Seen on Seen.user == user;"
    "from Logins join Seen on Seen.n == Logins.n select Seen.user as seen, Logins.n insert into "
    "Met;";
constexpr const char* kRows =
    "@app:name('Rows') define stream Logins (user string, n long, x double, y float, any object);"
    "define stream Others (b bool);"
    "from Logins select user, n, x, y, any insert into All;"
    "from Logins[n > 3] select user insert into Some;"
    "from Others select b insert into Flags;";

class RunEntriesTest : public ShellTest {
 protected:
  void SetUp() override {
    ShellTest::SetUp();
    JournalOptions options;
    options.directory = path("data/journal");
    options.segment_bytes = 8 << 10;
    journal_ = *Journal::open(files_, options);
    out_file_ = ::open(path("expected").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    out_ = std::make_unique<OutputBuffer>(out_file_);
    writer_ = std::make_unique<ResultWriter>(*out_);
  }
  void TearDown() override {
    ::close(out_file_);
    ShellTest::TearDown();
  }

  /// Into the journal, and through the engines of these plans.
  void add(EntryPayload payload, const std::vector<std::string>& plans) {
    ++position_;
    Entry entry{{{position_ < 50 ? 2U : 3U}, {position_}}, {now_ms_}, std::move(payload)};
    ASSERT_EQ(journal_->append(entry), absl::OkStatus());
    ASSERT_EQ(journal_->commit(), absl::OkStatus());
    for (const std::string& plan : plans) {
      ASSERT_EQ(engines_[plan]->apply(entry, *writer_).status, ApplyStatus::kApplied);
      writer_->end_entry();
    }
  }
  void deploy(const std::string& plan, const char* text) {
    engines_[plan] = std::make_unique<Engine>();
    DeployPayload payload;
    payload.plan = plan;
    payload.text = text;
    add(std::move(payload), {plan});
  }
  void send(RandomEntries& random, const std::string& stream, std::vector<std::string> plans) {
    SchemaPtr schema = engines_[plans.back()]->input_schema(stream);
    EventsPayload events;
    events.batch = random.batch(schema, static_cast<uint32_t>(1 + random.below(5)));
    events.producer = "p";
    events.number = ++numbers_;
    add(std::move(events), plans);
  }
  std::string expected() {
    out_->flush();
    return read("expected");
  }
  /// Two plans over random events, ticks and changes of tables; one plan goes and comes again.
  void write_story() {
    RandomEntries random(11);
    const std::vector<std::string> both = {"Counts", "Rows"};
    deploy("Counts", kCounts);
    deploy("Rows", kRows);
    for (int step = 0; step < 100; ++step) {
      now_ms_ += static_cast<int64_t>(random.below(700));
      if (step == 40) {
        add(UndeployPayload{"Rows"}, {"Rows"});
        engines_.erase("Rows");
      }
      if (step == 60) deploy("Rows", kRows);
      bool rows = engines_.contains("Rows");
      if (step % 5 == 0) {
        add(TickPayload{}, rows ? both : std::vector<std::string>{"Counts"});
      } else if (step % 13 == 0) {
        add(WritePayload{"Counts", "select 'w' as user, " + std::to_string(step) +
                                       "L as n insert into Seen;"},
            {"Counts"});
      } else if (step % 17 == 0) {
        add(PersistPayload{}, {});
      } else if (step % 19 == 0) {
        add(EpochBeginPayload{"north"}, {});
      } else if (step % 7 == 0 && rows) {
        send(random, "Others", {"Rows"});
      } else {
        send(random, "Logins", rows ? both : std::vector<std::string>{"Counts"});
      }
    }
    ASSERT_EQ(journal_->close(), absl::OkStatus());
  }

  PosixFileSystem files_;
  std::unique_ptr<Journal> journal_;
  std::map<std::string, std::unique_ptr<Engine>> engines_;
  int out_file_ = -1;
  std::unique_ptr<OutputBuffer> out_;
  std::unique_ptr<ResultWriter> writer_;
  uint64_t position_ = 0;
  uint64_t numbers_ = 0;
  int64_t now_ms_ = 1'493'101'044'948;
};

TEST_F(RunEntriesTest, AnExportGivesTheResultsOfTheEngineByteForByte) {
  write_story();
  ShellResult run = shell("set -o pipefail; pollux journal export data | pollux run --entries -");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out, expected());
  std::vector<std::string> lines = lines_of(run.out);
  EXPECT_GT(lines.size(), 100u);
  EXPECT_EQ(run.err, std::to_string(position_) + " entries in, " + std::to_string(lines.size()) +
                         " results out\n");
  for (const char* stream : {"Counts", "Met", "All", "Some", "Flags"}) {
    EXPECT_NE(run.out.find(std::string("{\"stream\":\"") + stream), std::string::npos) << stream;
  }
}

TEST_F(RunEntriesTest, PlanShowsOnlyItsResults) {
  write_story();
  ShellResult run =
      shell("pollux journal export data -o e.jsonl && pollux run --entries e.jsonl --plan Counts");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  std::string of_counts;
  for (const std::string& line : lines_of(expected())) {
    if (line.find("\"id\":\"-1234/Counts/") != std::string::npos) of_counts += line + "\n";
  }
  EXPECT_EQ(run.out, of_counts);
  run = shell("pollux run --entries e.jsonl --plan Cuonts");
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.err.find("no entry deploys a plan 'Cuonts'"), std::string::npos) << run.err;
}

TEST_F(RunEntriesTest, ABadLineIsToldByItsNumberAndWhatCameBeforeIsWhole) {
  write_story();
  ShellResult run = shell(
      "pollux journal export data | sed '20s/.$//' > bad.jsonl; pollux run --entries bad.jsonl");
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_NE(run.err.find("bad.jsonl:20: "), std::string::npos) << run.err;
  EXPECT_TRUE(expected().starts_with(run.out));
  EXPECT_TRUE(run.out.ends_with("\n"));
  EXPECT_NE(run.err.find("19 entries in, "), std::string::npos) << run.err;
  run = shell("pollux journal export data | sed '20d; 19{p;}' | pollux run --entries -");
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_NE(run.err.find("stdin:20: entry 2.19 does not follow 2.19"), std::string::npos)
      << run.err;
}

TEST_F(RunEntriesTest, AnExportWithoutItsPlansIsTold) {
  write_story();
  ShellResult run = shell("pollux journal export data --from 3 --to 6 | pollux run --entries -");
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.out, "");
  EXPECT_NE(run.err.find("of the entries found no plan"), std::string::npos) << run.err;
}

TEST_F(RunEntriesTest, APlanThatIsNotTakenIsToldWithItsErrors) {
  std::string line;
  DeployPayload payload{"p", "define stream S (a int); from S select b insert into O;"};
  tool::append_entry_json(line, {{{1}, {1}}, {0}, std::move(payload)});
  write("bad.jsonl", line + "\n");
  ShellResult run = shell("pollux run --entries bad.jsonl");
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_NE(run.err.find("bad.jsonl:1: plan 'p' of entry 1.1"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("p:1:"), std::string::npos) << run.err;
}

TEST_F(RunEntriesTest, OptionsOfFilesDoNotGoWithEntries) {
  for (const char* options : {"plan.siddhi", "--in S=f", "--batch 7", "--query q", "--stats"}) {
    ShellResult run = shell(std::string("pollux run --entries e.jsonl ") + options);
    EXPECT_EQ(run.exit_code, 1) << options;
    EXPECT_NE(run.err.find("--entries excludes"), std::string::npos) << run.err;
  }
  EXPECT_EQ(shell("pollux run plan.siddhi").exit_code, 1);
  EXPECT_EQ(shell("pollux run plan.siddhi --in S=f --plan P").exit_code, 1);
  EXPECT_EQ(shell("pollux run --entries nowhere.jsonl").exit_code, 4);
}

}  // namespace
}  // namespace pollux

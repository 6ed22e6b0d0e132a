// `pollux state` on states as a server leaves them, whole and damaged.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <cstring>
#include <filesystem>

#include "engine/runtime/engine.h"
#include "persistence/codec/crc32c.h"
#include "persistence/files/posix_file_system.h"
#include "persistence/state/revision_store.h"
#include "persistence/state/state_folder.h"
#include "tests/server/shell_testing.h"

namespace pollux {
namespace {

namespace fs = std::filesystem;
using simdjson::dom::element;

constexpr const char* kPlan =
    "@app:name('Sums') define stream S (user string, amount long);"
    "define table T (user string, total long);"
    "@info(name='sums') from S#window.length(3) select user, sum(amount) as total group by user"
    "  insert into O;";

class StateCommandTest : public ShellTest {
 protected:
  static std::string state() {
    struct Nowhere final : ResultSink {
      void on_result(const ResultBatch&) override {}
    } nowhere;
    Engine engine;
    engine.apply({{{3}, {1}}, {1000}, DeployPayload{"", kPlan}}, nowhere);
    return engine.save_state("Sums");
  }
  /// A revision in data/cep_persistence; its path in the folder.
  std::string persist(const std::string& plan, uint64_t position, const std::string& bytes) {
    RevisionStore::Options options;
    options.location = path("data/cep_persistence");
    options.folder = state_folder_of(plan);
    auto store = RevisionStore::open(files_, options);
    EXPECT_TRUE(store.ok()) << store.status();
    int64_t at_ms = 1'493'101'044'948 + static_cast<int64_t>(position);
    auto writer = (*store)->begin({revision_plan_hash(kPlan), 1, {{3}, {position}}, {at_ms}});
    EXPECT_TRUE(writer.ok()) << writer.status();
    EXPECT_EQ((*writer)->append(bytes), absl::OkStatus());
    EXPECT_TRUE((*writer)->finish().ok());
    return "data/cep_persistence/-1234/" + options.folder + "/" + std::to_string(at_ms) + "_" +
           options.folder;
  }
  /// Turns over a bit of the file.
  void damage(const std::string& file, size_t offset) const {
    std::string bytes = read(file);
    bytes[offset] = static_cast<char>(bytes[offset] ^ 1);
    write(file, bytes);
  }
  void make_newer(const std::string& file) const {
    std::string bytes = read(file);
    bytes[4] = 2;
    uint32_t crc = crc32c(std::string_view(bytes).substr(0, kRevisionHeaderBytes - 4));
    std::memcpy(bytes.data() + kRevisionHeaderBytes - 4, &crc, 4);
    write(file, bytes);
  }
  static std::vector<std::string> files_of(const std::string& json_lines) {
    std::vector<std::string> files;
    for (const std::string& line : lines_of(json_lines)) {
      simdjson::dom::parser parser;
      element json = parser.parse(line);
      files.push_back(fs::path(std::string_view(json["file"])).filename());
    }
    return files;
  }

  PosixFileSystem files_;
};

TEST_F(StateCommandTest, ListsTheRevisionsOfEachPlanNewestFirst) {
  std::string sums = persist("Sums", 5, state());
  persist("Sums", 9, state());
  persist("Alerts of today", 7, state());
  persist("_node", 7, "the node's");
  write("data/cep_persistence/-1234/Sums/1493101044999_Sums.tmp", "half made");
  write("data/cep_persistence/-1234/Sums/notes.txt", "somebody else's");
  fs::create_directories(path("data/cep_persistence/lost+found"));
  ShellResult run = shell("pollux state list data --json");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(files_of(run.out),
            (std::vector<std::string>{"1493101044955_%5Fnode", "1493101044955_Alerts%20of%20today",
                                      "1493101044957_Sums", "1493101044953_Sums"}));
  simdjson::dom::parser parser;
  element newest = parser.parse(lines_of(run.out)[2]);
  EXPECT_EQ(std::string_view(newest["plan"]), "Sums");
  EXPECT_EQ(std::string_view(newest["tenant"]), "-1234");
  EXPECT_EQ(std::string_view(newest["entry"]), "3.9");
  EXPECT_EQ(uint64_t(newest["timestamp_ms"]), 1'493'101'044'957U);
  EXPECT_EQ(uint64_t(newest["bytes"]), fs::file_size(path(sums)));
  EXPECT_EQ(uint64_t(newest["state_bytes"]), state().size());
  EXPECT_GT(uint64_t(newest["age_ms"]), 0u);
  EXPECT_TRUE(bool(newest["valid"]));

  EXPECT_EQ(files_of(shell("pollux state list data/cep_persistence --json").out).size(), 4u);
  EXPECT_EQ(files_of(shell("cd data && pollux state list --json").out).size(), 4u);
  EXPECT_EQ(files_of(shell("pollux state list data/cep_persistence/-1234/Sums --json").out).size(),
            2u);
  EXPECT_EQ(
      files_of(shell("cd data/cep_persistence/-1234/Sums && pollux state list --json").out).size(),
      2u);
  EXPECT_EQ(read("data/cep_persistence/-1234/Sums/1493101044999_Sums.tmp"), "half made");

  run = shell("pollux state list data");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  std::vector<std::string> lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_TRUE(lines[0].starts_with("PLAN ")) << lines[0];
  EXPECT_TRUE(lines[3].starts_with("Sums ")) << lines[3];
  EXPECT_NE(lines[3].find("2017-04-25 06:17:24.957"), std::string::npos) << lines[3];
}

TEST_F(StateCommandTest, WhatCannotBeUsedIsToldWithItsReason) {
  std::string rotten = persist("Sums", 5, state());
  std::string newer = persist("Sums", 6, state());
  std::string short_one = persist("Sums", 7, state());
  persist("Sums", 8, state());
  damage(rotten, 20);
  make_newer(newer);
  fs::resize_file(path(short_one), fs::file_size(path(short_one)) - 1);
  ShellResult run = shell("pollux state list data");
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_EQ(lines_of(run.out).size(), 5u);
  EXPECT_NE(run.err.find(rotten + ": the checksum of its header is wrong"), std::string::npos)
      << run.err;
  EXPECT_NE(run.err.find(newer + ": written by another version of this program (format 2"),
            std::string::npos)
      << run.err;
  EXPECT_NE(run.err.find(short_one + ": "), std::string::npos) << run.err;
  run = shell("pollux state list data --json");
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_NE(run.out.find(R"("valid":false,"error":")"), std::string::npos) << run.out;
}

TEST_F(StateCommandTest, OnlyVerifySeesRotInTheBody) {
  std::string file = persist("Sums", 5, state());
  damage(file, kRevisionHeaderBytes + 12);
  EXPECT_EQ(shell("pollux state list data").exit_code, 0);
  ShellResult run = shell("pollux state list data --verify");
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_NE(run.out.find("unusable"), std::string::npos) << run.out;
  EXPECT_EQ(run.err, file + ": the checksum of its body is wrong\n");
}

TEST_F(StateCommandTest, InspectTellsWhatStandsInARevision) {
  std::string file = persist("Sums", 5, state());
  ShellResult run = shell("chmod -R a-w data; pollux state inspect --json " + file +
                          "; code=$?; chmod -R u+w data; exit $code");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  simdjson::dom::parser parser;
  element json = parser.parse(run.out);
  EXPECT_EQ(uint64_t(json["format"]), 1u);
  EXPECT_EQ(uint64_t(json["semantics_version"]), 1u);
  EXPECT_EQ(std::string_view(json["entry"]), "3.5");
  EXPECT_EQ(int64_t(json["timestamp_ms"]), 1'493'101'044'953);
  EXPECT_EQ(uint64_t(json["state_bytes"]), state().size());
  EXPECT_EQ(uint64_t(json["packed_bytes"]),
            fs::file_size(path(file)) - kRevisionHeaderBytes - kRevisionTrailerBytes);
  std::vector<std::string> names;
  uint64_t bytes = 0;
  for (element unit : json["units"]) {
    names.emplace_back(std::string_view(unit["name"]));
    EXPECT_EQ(std::string_view(unit["hash"]).size(), 16u);
    for (element section : unit["sections"]) bytes += uint64_t(section["bytes"]);
  }
  EXPECT_NE(std::find(names.begin(), names.end(), "query sums"), names.end()) << run.out;
  EXPECT_NE(std::find(names.begin(), names.end(), "table T"), names.end()) << run.out;
  EXPECT_LT(bytes, state().size());

  run = shell("pollux state inspect " + file);
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_NE(run.out.find("all checksums are right"), std::string::npos) << run.out;
  EXPECT_NE(run.out.find("entry  3.5 of 2017-04-25 06:17:24.953"), std::string::npos) << run.out;
  EXPECT_NE(run.out.find("\nquery sums  "), std::string::npos) << run.out;
}

TEST_F(StateCommandTest, WhatIsNoPlansStateHasNoUnits) {
  ShellResult run = shell("pollux state inspect " + persist("_node", 5, "the node's own matter"));
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_NE(run.out.find("no units: these bytes are no state of a plan"), std::string::npos)
      << run.out;
  std::string newer = state();
  newer[4] = 9;
  std::string file = persist("Sums", 5, newer);
  run = shell("pollux state inspect " + file);
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_EQ(run.err, file + ": a state of format 9\n");
}

TEST_F(StateCommandTest, InspectRefusesWhatIsDamagedNewerOrForeign) {
  std::string file = persist("Sums", 5, state());
  const std::string bytes = read(file);
  for (size_t offset : {size_t{10}, kRevisionHeaderBytes + 12, bytes.size() - 30}) {
    damage(file, offset);
    ShellResult run = shell("pollux state inspect " + file);
    EXPECT_EQ(run.exit_code, 3) << offset;
    EXPECT_EQ(run.out, "");
    EXPECT_TRUE(run.err.starts_with(file + ": ")) << run.err;
    write(file, bytes);
  }
  make_newer(file);
  ShellResult run = shell("pollux state inspect " + file);
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_NE(run.err.find("written by another version of this program"), std::string::npos);
  for (const char* content : {"", "PLX", "somebody else's"}) {
    write("foreign", content);
    EXPECT_EQ(shell("pollux state inspect foreign").exit_code, 3) << content;
  }
  EXPECT_EQ(shell("pollux state inspect nowhere").exit_code, 4);
}

TEST_F(StateCommandTest, WhereNoStatesAreThatIsSaid) {
  write("notes.txt", "somebody else's");
  ShellResult run = shell("pollux state list");
  EXPECT_EQ(run.exit_code, 4);
  EXPECT_EQ(run.err, ".: no states are here\n");
  EXPECT_EQ(shell("pollux state list nowhere").exit_code, 4);
  EXPECT_EQ(shell("pollux state list notes.txt").exit_code, 4);
}

}  // namespace
}  // namespace pollux

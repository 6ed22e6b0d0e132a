// Which entry a process died in, as the process after it sees it.
#include "persistence/poison/apply_marks.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace pollux {
namespace {

class ApplyMarksTest : public ::testing::Test {
 protected:
  ApplyMarksTest() { std::filesystem::create_directories(folder_); }
  ~ApplyMarksTest() override { std::filesystem::remove_all(folder_); }

  /// As a start whose journal begins with entry `first`.
  std::unique_ptr<ApplyMarks> open(uint64_t first = 1) {
    auto marks = ApplyMarks::open(path_);
    EXPECT_TRUE(marks.ok()) << marks.status();
    if (!marks.ok()) return nullptr;
    (*marks)->note_deaths({first});
    return *std::move(marks);
  }
  /// A process applies the entry and is killed while it does.
  void die_during(const char* plan, EntryId entry) {
    pid_t child = ::fork();
    if (child == 0) {
      auto marks = ApplyMarks::open(path_);
      if (!marks.ok()) ::_exit(1);
      (*marks)->note_deaths({1});
      (*marks)->find(plan)->begin(entry);
      ::kill(::getpid(), SIGKILL);
    }
    int ended = 0;
    ::waitpid(child, &ended, 0);
    ASSERT_TRUE(WIFSIGNALED(ended));
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("marks" + std::to_string(::getpid()));
  std::string path_ = (folder_ / "applying").string();
};

TEST_F(ApplyMarksTest, AnEntryThatTwoProcessesDiedInIsPoisonedForItsPlan) {
  open()->find("other")->begin({{1}, {7}});
  die_during("p", {{1}, {9}});
  EXPECT_TRUE(open()->poisoned().empty()) << "once may be chance";
  die_during("p", {{1}, {9}});
  auto marks = open();
  ASSERT_EQ(marks->poisoned().size(), 1u);
  EXPECT_EQ(marks->poisoned()[0].plan, "p");
  EXPECT_EQ(marks->poisoned()[0].entry, (EntryId{{1}, {9}}));
  marks.reset();
  EXPECT_EQ(open(9)->poisoned().size(), 1u) << "as long as the entry can come again";
  EXPECT_TRUE(open(10)->poisoned().empty());
}

TEST_F(ApplyMarksTest, EntriesReplayedBeforeTheOneThatProcessesDiedInClearNothing) {
  for (int death = 0; death < 2; ++death) {
    {
      auto marks = open();
      for (uint64_t position : {7, 8}) {
        marks->find("p")->begin({{1}, {position}});
        marks->find("p")->end();
      }
    }
    die_during("p", {{1}, {9}});
  }
  EXPECT_EQ(open()->poisoned().size(), 1u);
}

TEST_F(ApplyMarksTest, WhatIsPoisonedStaysSoWhateverThePlanTakesBehindIt) {
  die_during("p", {{1}, {9}});
  die_during("p", {{1}, {9}});
  {
    auto marks = open();
    marks->find("p")->begin({{3}, {30}});
    marks->find("p")->end();
  }
  EXPECT_EQ(open()->poisoned().size(), 1u);
  die_during("p", {{3}, {31}});
  EXPECT_EQ(open()->poisoned().size(), 1u);
  die_during("p", {{3}, {31}});
  EXPECT_EQ(open()->poisoned().size(), 2u);
}

TEST_F(ApplyMarksTest, AnEntryIsUnderSuspicionFromTheFirstDeathUntilItIsApplied) {
  die_during("p", {{1}, {9}});
  auto marks = open();
  ApplyMarks::Mark* mark = marks->find("p");
  EXPECT_FALSE(mark->suspects({{1}, {8}}));
  EXPECT_TRUE(mark->suspects({{1}, {9}}));
  mark->begin({{1}, {9}});
  mark->end();
  EXPECT_FALSE(mark->suspects({{1}, {9}}));
}

TEST_F(ApplyMarksTest, DeathsInDifferentEntriesAreChance) {
  die_during("p", {{1}, {9}});
  die_during("p", {{1}, {10}});
  die_during("p", {{2}, {10}});
  EXPECT_TRUE(open()->poisoned().empty());
}

TEST_F(ApplyMarksTest, AnEntryThatWasAppliedAfterAllIsNotToBlame) {
  die_during("p", {{1}, {9}});
  {
    auto marks = open();
    marks->find("p")->begin({{1}, {9}});
    marks->find("p")->end();
  }
  die_during("p", {{1}, {9}});
  EXPECT_TRUE(open()->poisoned().empty());
}

TEST_F(ApplyMarksTest, WhatHoldsNoMarksIsRefusedAndLeftAsItIs) {
  std::ofstream(path_) << "something else";
  EXPECT_EQ(ApplyMarks::open(path_).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(std::filesystem::file_size(path_), 14u);
  EXPECT_FALSE(ApplyMarks::open((folder_ / "missing" / "applying").string()).ok());
}

TEST_F(ApplyMarksTest, NamesAndNumbersOfPlansAreBounded) {
  auto marks = open();
  EXPECT_EQ(marks->find(std::string(ApplyMarks::kNameBytesMax + 1, 'x')), nullptr);
  EXPECT_EQ(marks->find(""), nullptr);
  for (size_t i = 0; i < ApplyMarks::kPlansMax; ++i) {
    ASSERT_NE(marks->find("plan" + std::to_string(i)), nullptr);
  }
  EXPECT_EQ(marks->find("one more"), nullptr);
  EXPECT_NE(marks->find("plan7"), nullptr);
  EXPECT_NE(open()->find("one more"), nullptr) << "nothing is noted of any of them";
}

// ---- a node of a pair ----

/// What a plan's thread asks before each entry.
bool passes_over(ApplyMarks& marks, EntryId entry, ApplyMarks::Known& known) {
  return marks.passes_over("p", entry, marks.find("p"), known);
}

TEST_F(ApplyMarksTest, DeathsOnBothNodesCountTogetherWhereThisOneAppliesFirst) {
  constexpr EntryId kEntry{{1}, {9}};
  die_during("p", kEntry);
  {
    auto marks = open();
    ApplyMarks::Known known;
    std::vector<ApplyMarks::Deaths> told;
    marks->set_on_poisoned([&](const ApplyMarks::Deaths& judged) { told.push_back(judged); });
    EXPECT_FALSE(passes_over(*marks, kEntry, known)) << "nobody else died of it";
    marks->note_told({"p", kEntry, 1});
    marks->note_told({"p", kEntry, 1});
    marks->note_told({"p", {{1}, {8}}, 1});
    EXPECT_FALSE(passes_over(*marks, kEntry, known)) << "whoever leads judges";
    marks->set_first(true);
    EXPECT_FALSE(passes_over(*marks, {{1}, {8}}, known)) << "none of this node's";
    EXPECT_TRUE(passes_over(*marks, kEntry, known));
    EXPECT_TRUE(passes_over(*marks, kEntry, known));
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].deaths, ApplyMarks::kDeathsMax);
    ASSERT_EQ(marks->to_tell().size(), 2u) << "its own death, and that it is poisoned";
    EXPECT_EQ(marks->to_tell()[0].deaths, ApplyMarks::kDeathsMax);
  }
  auto again = open();
  ASSERT_EQ(again->poisoned().size(), 1u) << "it lasts";
  EXPECT_EQ(again->poisoned()[0].entry, kEntry);
}

TEST_F(ApplyMarksTest, WhatIsPoisonedAtTheOtherNodeIsSoHere) {
  constexpr EntryId kEntry{{1}, {9}};
  {
    auto marks = open();
    ApplyMarks::Known known;
    EXPECT_FALSE(passes_over(*marks, kEntry, known));
    marks->note_told({"p", kEntry, 2});
    marks->note_told({"p", kEntry, 2});
    EXPECT_TRUE(passes_over(*marks, kEntry, known));
    EXPECT_FALSE(passes_over(*marks, {{2}, {9}}, known));
    ApplyMarks::Known other;
    EXPECT_FALSE(marks->passes_over("q", kEntry, marks->find("q"), other));
  }
  auto again = open();
  ASSERT_EQ(again->poisoned().size(), 1u);
  ApplyMarks::Known known;
  EXPECT_TRUE(passes_over(*again, kEntry, known));
}

TEST_F(ApplyMarksTest, WhatAnotherNodeTellsIsBounded) {
  auto marks = open();
  ApplyMarks::Known known;
  marks->note_told({"", {{1}, {1}}, 2});
  marks->note_told({std::string(ApplyMarks::kNameBytesMax + 1, 'x'), {{1}, {1}}, 2});
  marks->note_told({"p", {{1}, {1}}, 0});
  EXPECT_TRUE(marks->to_tell().empty());
  for (uint64_t i = 1; i <= ApplyMarks::kPlansMax + 10; ++i) marks->note_told({"p", {{1}, {i}}, 1});
  marks->set_first(true);
  EXPECT_FALSE(passes_over(*marks, {{1}, {ApplyMarks::kPlansMax + 5}}, known));
}

}  // namespace
}  // namespace pollux

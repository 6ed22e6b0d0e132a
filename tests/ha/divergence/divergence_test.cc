// What two nodes' plans have come to, side by side: what is found, told once, and done about it.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ha/divergence/divergence_check.h"
#include "ha/divergence/results_hash.h"
#include "ha/pair/pair_rules.h"

namespace pollux {
namespace {

constexpr JournalId kFirst{1, 1};
constexpr JournalId kSecond{2, 1};

PlanHash state(uint64_t at, uint64_t hash, const std::string& plan = "p") {
  return {plan, HashKind::kState, {at}, hash};
}

class DivergenceCheckTest : public testing::Test {
 protected:
  std::optional<Divergence> own(const PlanHash& hash) {
    check_.note_own(hash);
    return check_.judge(hash, rules_);
  }
  std::optional<Divergence> follower(const JournalId& journal, const PlanHash& hash) {
    check_.note_follower(journal, hash);
    return check_.judge(hash, rules_);
  }

  PairRules rules_;
  DivergenceCheck check_;
};

TEST_F(DivergenceCheckTest, EqualPlansAreGoodWhoeverIsFirst) {
  EXPECT_FALSE(own(state(10, 7)));
  EXPECT_FALSE(follower(kFirst, state(10, 7)));
  EXPECT_FALSE(follower(kFirst, state(20, 8)));
  EXPECT_FALSE(own(state(20, 8)));
  EXPECT_FALSE(own({"p", HashKind::kResults, {20}, 9})) << "another kind of number";
  EXPECT_FALSE(own(state(20, 9, "q"))) << "another plan";
  EXPECT_EQ(check_.standing(kFirst), Standing::kGood);
}

TEST_F(DivergenceCheckTest, APlanThatDiffersIsToldOnceAndItsNodeNeedsACopy) {
  EXPECT_FALSE(follower(kFirst, state(10, 8)));
  auto found = own(state(10, 7));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->ours.hash, 7u);
  EXPECT_EQ(found->theirs, 8u);
  EXPECT_EQ(found->times, 1u);
  EXPECT_FALSE(follower(kFirst, state(10, 8))) << "told again";
  EXPECT_FALSE(own(state(20, 1)));
  EXPECT_FALSE(follower(kFirst, state(20, 2))) << "it goes on";
  EXPECT_EQ(check_.standing(kFirst), Standing::kNeedsACopy);
  EXPECT_EQ(check_.standing(kSecond), Standing::kGood) << "behind the copy";
}

TEST_F(DivergenceCheckTest, APlanThatDiffersAgainBehindTheCopyBarsItsNode) {
  own(state(10, 7));
  own(state(20, 8));
  ASSERT_TRUE(follower(kFirst, state(10, 1)));
  auto again = follower(kSecond, state(20, 1));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->times, 2u);
  EXPECT_EQ(check_.standing(kSecond), Standing::kBarred);
  check_.plan_changed("q");
  EXPECT_EQ(check_.standing(kSecond), Standing::kBarred);
  check_.plan_changed("p");
  EXPECT_EQ(check_.standing(kSecond), Standing::kNeedsACopy) << "it was deployed anew";
}

TEST_F(DivergenceCheckTest, AnotherPlanThatDiffersLaterIsCountedByItself) {
  own(state(10, 7));
  own(state(20, 7, "q"));
  ASSERT_TRUE(follower(kFirst, state(10, 1)));
  ASSERT_TRUE(follower(kSecond, state(20, 1, "q")));
  EXPECT_EQ(check_.standing(kSecond), Standing::kNeedsACopy);
}

TEST_F(DivergenceCheckTest, OldNumbersOfAnotherJournalSayNothing) {
  EXPECT_FALSE(follower(kFirst, state(10, 1)));
  EXPECT_FALSE(follower(kSecond, state(20, 2)));
  EXPECT_FALSE(own(state(10, 7)));
  EXPECT_EQ(check_.standing(kSecond), Standing::kGood);
}

TEST_F(DivergenceCheckTest, WhatIsKeptIsBounded) {
  for (uint64_t at = 1; at <= HashBook::kKeptMax + 1; ++at) own(state(at, at));
  EXPECT_FALSE(follower(kFirst, state(1, 0))) << "forgotten";
  EXPECT_TRUE(follower(kFirst, state(HashBook::kKeptMax + 1, 0)));
  HashBook book;
  for (size_t i = 0; i < HashBook::kPlacesMax + 10; ++i) {
    book.note(state(1, 1, "plan" + std::to_string(i)));
  }
  EXPECT_EQ(book.newest().size(), HashBook::kPlacesMax);
  book.note(state(3, 3, "plan0"));
  book.note(state(2, 2, "plan0"));
  EXPECT_EQ(book.find(state(3, 0, "plan0")), 3u);
  EXPECT_FALSE(book.find(state(2, 0, "plan0"))) << "it came late";
}

// ---- results ----

class ResultsHashTest : public testing::Test {
 protected:
  /// Rows with these numbers and texts, as results of one entry from ordinal `first` on.
  struct Row {
    int64_t number;
    std::string text;
  };
  void add(ResultsHash& hash, uint64_t position, uint32_t first, const std::vector<Row>& rows) {
    auto batch = std::make_shared<EventBatch>(schema_);
    std::vector<uint32_t> ordinals;
    for (const Row& row : rows) {
      if (row.number == 0) {
        batch->append_value(0, Value());
      } else {
        batch->append_value(0, row.number);
      }
      batch->append_value(1, row.text);
      batch->end_row(1000);
      ordinals.push_back(first++);
    }
    hash.add({"p", "S", {{1}, {position}}, batch, ordinals});
  }
  uint64_t hash_of_interval(const std::function<void(ResultsHash&)>& work) {
    ResultsHash hash(10);
    EXPECT_FALSE(hash.reach({1}));
    work(hash);
    auto reached = hash.reach({11});
    EXPECT_TRUE(reached);
    return reached ? reached->second : 0;
  }

  SchemaPtr schema_ = std::make_shared<const Schema>(
      "S", std::vector<Attribute>{{"n", AttributeType::kLong}, {"t", AttributeType::kString}});
};

TEST_F(ResultsHashTest, HowRowsArePackedDoesNotShowAndEverythingElseDoes) {
  const Row kOne{1, "short"};
  const Row kTwo{2, "a text that does not stand inside"};
  uint64_t whole = hash_of_interval([&](ResultsHash& hash) { add(hash, 3, 0, {kOne, kTwo}); });
  EXPECT_EQ(whole, hash_of_interval([&](ResultsHash& hash) {
              add(hash, 3, 0, {kOne});
              add(hash, 3, 1, {kTwo});
            }));
  EXPECT_NE(whole, hash_of_interval([&](ResultsHash& hash) { add(hash, 3, 0, {kTwo, kOne}); }));
  EXPECT_NE(whole, hash_of_interval([&](ResultsHash& hash) { add(hash, 4, 0, {kOne, kTwo}); }));
  EXPECT_NE(whole, hash_of_interval([&](ResultsHash& hash) { add(hash, 3, 0, {kOne}); }));
  EXPECT_NE(whole, hash_of_interval([&](ResultsHash& hash) {
              add(hash, 3, 0, {kOne, {2, "a text that does not stand inside!"}});
            }));
  EXPECT_NE(hash_of_interval([&](ResultsHash& hash) {
              add(hash, 3, 0, {{0, "x"}});
            }),
            hash_of_interval([&](ResultsHash& hash) {
              add(hash, 3, 0, {{1, "x"}});
            }))
      << "a null";
}

TEST_F(ResultsHashTest, AnIntervalIsToldOnlyByWhoHasSeenAllOfIt) {
  ResultsHash hash(10);
  hash.restored({7});
  EXPECT_FALSE(hash.reach({8}));
  EXPECT_FALSE(hash.reach({11})) << "it began in the middle";
  EXPECT_FALSE(hash.reach({15}));
  auto reached = hash.reach({34});
  ASSERT_TRUE(reached);
  EXPECT_EQ(reached->first.value, 20u);
  hash.restored({33});
  hash.reach({35});
  hash.deployed();
  reached = hash.reach({41});
  ASSERT_TRUE(reached) << "what was before the plan does not count";
  EXPECT_EQ(reached->first.value, 40u);
}

TEST_F(ResultsHashTest, WhatWasBeforeADeployDoesNotCount) {
  auto behind = [&](bool with_old) {
    return hash_of_interval([&](ResultsHash& hash) {
      if (with_old) add(hash, 2, 0, {{1, "old"}});
      hash.deployed();
      add(hash, 5, 0, {{1, "new"}});
    });
  };
  EXPECT_EQ(behind(true), behind(false));
}

}  // namespace
}  // namespace pollux

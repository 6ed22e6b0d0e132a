#include "ha/pair/pair_rules.h"

#include <gtest/gtest.h>

namespace pollux {
namespace {

constexpr JournalId kMine{1, 1};
constexpr JournalId kTheirs{2, 1};

ArbiterRecord record(uint64_t epoch, JournalId active, std::optional<JournalId> in_sync) {
  ArbiterRecord record;
  record.version = 10;
  record.epoch = {epoch};
  record.active = active;
  record.in_sync = in_sync;
  return record;
}

OwnState follower(uint64_t led) {
  OwnState own;
  own.journal = kMine;
  own.led = {led};
  own.tail = {{4}, {100}};
  own.durable = {100};
  return own;
}

TEST(PairRules, R2OnlyWhoIsNamedMayAskToLead) {
  PairRules rules;
  EXPECT_TRUE(rules.may_ask_to_lead(record(5, kTheirs, kMine), follower(0)));
  EXPECT_FALSE(rules.may_ask_to_lead(record(5, kTheirs, std::nullopt), follower(0)));
  EXPECT_FALSE(rules.may_ask_to_lead(ArbiterRecord{}, follower(0)));
  // Named active: only one that has led already asks again, with the next epoch.
  EXPECT_TRUE(rules.may_ask_to_lead(record(5, kMine, std::nullopt), follower(5)));
  EXPECT_FALSE(rules.may_ask_to_lead(record(5, kMine, std::nullopt), follower(4)));
  OwnState unsynced = follower(0);
  unsynced.unsynced = true;
  EXPECT_FALSE(rules.may_ask_to_lead(record(5, kTheirs, kMine), unsynced));
}

TEST(PairRules, R3NobodyLeadsAnEpochTwice) {
  PairRules rules;
  EXPECT_TRUE(rules.takes_lead(record(5, kMine, std::nullopt), follower(4)));
  EXPECT_FALSE(rules.takes_lead(record(5, kMine, std::nullopt), follower(5)));
  EXPECT_FALSE(rules.takes_lead(record(5, kTheirs, std::nullopt), follower(4)));
  EXPECT_FALSE(rules.takes_lead(record(5, kMine, kTheirs), follower(4)));
  OwnState follows = follower(4);
  follows.epoch = {5};
  EXPECT_FALSE(rules.takes_lead(record(5, kMine, std::nullopt), follows));
  OwnState ahead = follower(4);
  ahead.tail.epoch = {6};
  EXPECT_FALSE(rules.takes_lead(record(5, kMine, std::nullopt), ahead));
}

TEST(PairRules, R5FramesOfOlderEpochsAreRefused) {
  PairRules rules;
  OwnState own = follower(3);
  own.epoch = {4};
  EXPECT_TRUE(rules.takes_epoch({4}, own));
  EXPECT_TRUE(rules.takes_epoch({9}, own));
  EXPECT_FALSE(rules.takes_epoch({3}, own));
  own.led = {4};
  EXPECT_FALSE(rules.takes_epoch({4}, own));
}

TEST(PairRules, R7AnActiveThatIsNotAloneCommitsWhatIsAcknowledged) {
  PairRules rules;
  OwnState own = follower(5);
  own.leads = true;
  own.epoch = {5};
  LeadState lead;
  lead.view = record(5, kMine, std::nullopt);
  EXPECT_TRUE(rules.solo_ok(lead, own));
  EXPECT_EQ(rules.commit_limit(lead, own), Position{100});
  // Acks are required as soon as they may come to be, not only once it is known.
  lead.pairing_sent = true;
  lead.target = kTheirs;
  lead.acked = {60};
  EXPECT_EQ(rules.commit_limit(lead, own), Position{60});
  lead.pairing_sent = false;
  lead.acks_required = true;
  EXPECT_EQ(rules.commit_limit(lead, own), Position{60});
  lead.acks_required = false;
  lead.view.in_sync = kTheirs;
  EXPECT_EQ(rules.commit_limit(lead, own), Position{60});
  // A request to run alone that nobody has confirmed changes nothing.
  lead.solo_requested = true;
  EXPECT_EQ(rules.commit_limit(lead, own), Position{60});
  lead.target = {};
  EXPECT_EQ(rules.commit_limit(lead, own), Position{0});
  // Its own disk counts as well.
  lead.target = kTheirs;
  lead.acked = {200};
  own.durable = {90};
  EXPECT_EQ(rules.commit_limit(lead, own), Position{90});
}

}  // namespace
}  // namespace pollux

// Copies on the node that does not lead: answered when their events are committed, handed over when
// nobody numbers them, and never more than there is room for.
#include "server/pair/held_copies.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pollux {
namespace {

using Clock = HeldCopies::Clock;

class HeldCopiesTest : public testing::Test {
 protected:
  HeldCopiesTest() {
    schema_ = std::make_shared<const Schema>(
        "Logins", std::vector<Attribute>{{"user", AttributeType::kString}});
    reset({});
  }
  void reset(HeldLimits limits) {
    identities_ = std::make_unique<IdentityTable>(*DuplicatedStreams::parse("Logins"));
    copies_ = std::make_unique<HeldCopies>(node_, *identities_, limits);
  }

  EventBatchPtr batch_of(const std::vector<std::string>& users, int64_t time = 1) const {
    auto batch = std::make_shared<EventBatch>(schema_);
    for (const std::string& user : users) {
      batch->append_string(0, user);
      batch->end_row(time);
    }
    return batch;
  }
  using Answer = std::shared_ptr<std::optional<Submitted>>;
  Answer hold(EventBatchPtr batch, const std::string& producer = "", uint64_t number = 0) {
    auto answer = std::make_shared<std::optional<Submitted>>();
    Submission submission;
    submission.batch = std::move(batch);
    submission.producer = producer;
    submission.number = number;
    copies_->hold({std::move(submission), [answer](Submitted made) { *answer = std::move(made); }},
                  now_);
    return answer;
  }
  Entry entry_of(EventBatchPtr batch, const std::string& producer = "", uint64_t number = 0) {
    return {{{1}, {++last_}}, {50}, EventsPayload{std::move(batch), producer, number}};
  }
  /// As a node does that replays it.
  void commit(const Entry& entry) {
    const auto& events = std::get<EventsPayload>(entry.payload);
    if (events.producer.empty()) {
      identities_->number(identities_->streams().identities(*events.batch), entry.id.position,
                          entry.timestamp);
    }
    copies_->note_committed(entry);
  }
  CopySource::Look look(const Entry& entry, Entry& made) {
    return copies_->look(*order_of(entry, identities_->streams()), made);
  }

  Node node_{NodeOptions{}};
  SchemaPtr schema_;
  std::unique_ptr<IdentityTable> identities_;
  std::unique_ptr<HeldCopies> copies_;
  Clock::time_point now_;
  uint64_t last_ = 0;
};

TEST_F(HeldCopiesTest, ACopyFillsItsOrderAndIsAnsweredWhenThatIsCommitted) {
  for (const std::string producer : {"", "shop"}) {
    reset({});
    const Entry entry = entry_of(batch_of({"ann", "bob"}, 7), producer, 1);
    Entry made;
    EXPECT_EQ(look(entry, made), CopySource::Look::kMissing);
    Answer answer = hold(batch_of({"ann", "bob"}, 9), producer, 1);
    ASSERT_EQ(look(entry, made), CopySource::Look::kFound);
    EXPECT_EQ(std::get<EventsPayload>(made.payload).batch->timestamps()[1], 7);
    EXPECT_FALSE(*answer) << "it is not committed yet";
    commit(entry);
    ASSERT_TRUE(*answer);
    EXPECT_TRUE((*answer)->status.ok());
    EXPECT_EQ((*answer)->id, entry.id);
    EXPECT_EQ((*answer)->accepted, 2U);
    EXPECT_EQ(copies_->counts().held, 0U);
    EXPECT_EQ(copies_->counts().bytes, 0U);
  }
}

TEST_F(HeldCopiesTest, OtherBatchesThanTheActiveHasAreFilledRowByRow) {
  Answer one = hold(batch_of({"ann", "bob"}));
  Answer two = hold(batch_of({"ann"}));
  const Entry first = entry_of(batch_of({"bob", "ann"}));
  Entry made;
  EXPECT_EQ(look(first, made), CopySource::Look::kFound);
  commit(first);
  EXPECT_TRUE(*one);
  EXPECT_FALSE(*two) << "its event is the second of its values";
  commit(entry_of(batch_of({"ann"})));
  EXPECT_TRUE(*two);
  Answer late = hold(batch_of({"cid"}));
  EXPECT_FALSE(*late);
  commit(entry_of(batch_of({"cid", "cid"})));
  EXPECT_TRUE(*late);
  Answer later = hold(batch_of({"cid"}));
  ASSERT_TRUE(*later) << "its event is committed already";
  EXPECT_TRUE((*later)->duplicate);
}

TEST_F(HeldCopiesTest, AnotherBatchUnderTheSameNumberIsNotTaken) {
  hold(batch_of({"ann"}), "shop", 1);
  Entry made;
  EXPECT_EQ(look(entry_of(batch_of({"bob"}), "shop", 1), made), CopySource::Look::kOther);
  EXPECT_EQ(look(entry_of(batch_of({"ann", "ann"}), "shop", 1), made), CopySource::Look::kOther);
  EXPECT_EQ(look(entry_of(batch_of({"ann"}), "shop", 2), made), CopySource::Look::kMissing);
}

TEST_F(HeldCopiesTest, WhatNobodyNumbersIsHandedOverOnceAndOnlyWhatIsOpenOfIt) {
  Answer answer = hold(batch_of({"ann", "bob", "bob"}));
  commit(entry_of(batch_of({"bob"})));
  EXPECT_TRUE(copies_->due(now_ + std::chrono::milliseconds(1999)).empty());
  std::vector<HeldCopies::Due> due = copies_->due(now_ + std::chrono::seconds(2));
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].batch.events.batch->rows(), 2U);
  ASSERT_TRUE(due[0].batch.copy);
  EXPECT_EQ(due[0].batch.copy->beyond, (std::vector<uint32_t>{1, 1}));
  EXPECT_TRUE(copies_->due(now_ + std::chrono::seconds(9)).empty());
  Submitted taken;
  taken.accepted = 2;
  copies_->answer(due[0].copy, taken);
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->accepted, 3U) << "all of the batch";
  EXPECT_EQ(copies_->counts().forwarded, 1U);
  copies_->answer(due[0].copy, taken);  // nobody waits for it any more
}

TEST_F(HeldCopiesTest, ACopyWhoseOutcomeIsUnknownIsAsIfItHadNotCome) {
  Answer answer = hold(batch_of({"ann"}));
  std::vector<HeldCopies::Due> due = copies_->due(now_ + std::chrono::seconds(2));
  Submitted unknown;
  unknown.status = absl::UnavailableError("the outcome is unknown, send again");
  copies_->answer(due.at(0).copy, unknown);
  EXPECT_TRUE(absl::IsUnavailable((*answer)->status));
  Answer again = hold(batch_of({"ann"}));
  commit(entry_of(batch_of({"ann"})));
  EXPECT_TRUE(*again) << "it is the first of its values";
}

TEST_F(HeldCopiesTest, WhatIsHeldIsBoundedAndComesBackAsAWhole) {
  reset({.copies_max = 2});
  hold(batch_of({"ann"}));
  hold(batch_of({"bob"}), "shop", 1);
  Answer refused = hold(batch_of({"cid"}));
  ASSERT_TRUE(*refused);
  EXPECT_TRUE(absl::IsResourceExhausted((*refused)->status));
  EXPECT_GT((*refused)->retry_after.count(), 0);
  EXPECT_EQ(copies_->take_all().size(), 2U);
  EXPECT_EQ(copies_->counts().held, 0U);
  EXPECT_FALSE(*hold(batch_of({"cid"})));
  reset({.bytes_max = 1});
  EXPECT_FALSE(*hold(batch_of({"ann"}))) << "one alone may be of any length";
  EXPECT_TRUE(absl::IsResourceExhausted((*hold(batch_of({"bob"})))->status));
}

TEST_F(HeldCopiesTest, OtherStreamsAreNotHeld) {
  EXPECT_TRUE(copies_->holds(*batch_of({"ann"})));
  EventBatch other(std::make_shared<const Schema>("Orders", schema_->attributes()));
  EXPECT_FALSE(copies_->holds(other));
}

}  // namespace
}  // namespace pollux

// What replies mean for batches that are numbered.
#include "server/client/numbered_batches.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/server/grpc/grpc_testing.h"

namespace pollux {
namespace {

using Verdict = NumberedBatches::Verdict;

class NumberedBatchesTest : public testing::Test {
 protected:
  void send(int count) {
    for (int i = 0; i < count; ++i) {
      batches_.add(logins(1), 1);
      batches_.send_next();
    }
  }
  Verdict answer(uint64_t number, absl::StatusCode code, uint64_t expected = 0) {
    last_ = {.number = number, .status = absl::Status(code, "why"), .expected_number = expected};
    return batches_.take(last_);
  }
  void acknowledge(uint64_t number) {
    ASSERT_EQ(answer(number, absl::StatusCode::kOk), Verdict::kAcked);
    batches_.acknowledge_front();
  }
  std::vector<uint64_t> numbers_sent_again() {
    batches_.send_again();
    std::vector<uint64_t> numbers;
    while (batches_.has_next()) numbers.push_back(batches_.send_next().number);
    return numbers;
  }
  using Numbers = std::vector<uint64_t>;

  NumberedBatches batches_{1};
  BatchReply last_;
};

constexpr auto kOutOfTurn = absl::StatusCode::kFailedPrecondition;
constexpr auto kBadRows = absl::StatusCode::kInvalidArgument;

TEST_F(NumberedBatchesTest, WhatIsUnansweredIsSentAgainUnderItsNumbers) {
  send(4);
  acknowledge(1);
  EXPECT_EQ(answer(2, absl::StatusCode::kUnavailable), Verdict::kTurn);
  EXPECT_EQ(numbers_sent_again(), (Numbers{2, 3, 4}));
  EXPECT_EQ(batches_.on_the_way(), 3u);
}

TEST_F(NumberedBatchesTest, ThoseBehindARefusedOneFollowIt) {
  send(3);
  EXPECT_EQ(answer(1, absl::StatusCode::kResourceExhausted), Verdict::kLater);
  EXPECT_EQ(answer(2, kOutOfTurn, 1), Verdict::kLater);
  EXPECT_EQ(answer(3, kBadRows), Verdict::kLater) << "judged when it is the first";
  EXPECT_EQ(batches_.on_the_way(), 0u);
  EXPECT_EQ(numbers_sent_again(), (Numbers{1, 2, 3}));
}

TEST_F(NumberedBatchesTest, NumbersMoveUpOnlyWhenTheServerHasNamedTheOneItExpects) {
  send(4);
  acknowledge(1);
  EXPECT_EQ(answer(2, kBadRows), Verdict::kRefused);
  batches_.drop_front();
  EXPECT_EQ(numbers_sent_again(), (Numbers{3, 4})) << "2 may have been taken elsewhere";
  EXPECT_EQ(answer(3, kOutOfTurn, 2), Verdict::kLater);
  EXPECT_EQ(answer(4, kOutOfTurn, 2), Verdict::kLater);
  EXPECT_EQ(numbers_sent_again(), (Numbers{2, 3}));
  send(1);
  EXPECT_EQ(batches_.size(), 3u);
  EXPECT_EQ(numbers_sent_again(), (Numbers{2, 3, 4}));
}

TEST_F(NumberedBatchesTest, ARefusedBatchThatHadBeenTakenLeavesNoGap) {
  send(2);
  EXPECT_EQ(answer(1, kBadRows), Verdict::kRefused);
  batches_.drop_front();
  acknowledge(2);
  send(1);
  EXPECT_EQ(batches_.front().number, 3u);
}

TEST_F(NumberedBatchesTest, AServerThatForgotWhatItAcknowledgedIsDataLoss) {
  send(3);
  acknowledge(1);
  acknowledge(2);
  EXPECT_EQ(answer(3, kOutOfTurn, 2), Verdict::kConflict);
  absl::Status status = batches_.conflict(last_);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(status.message().find("forgotten batches 2 to 2"), std::string::npos) << status;
}

TEST_F(NumberedBatchesTest, AServerThatIsAheadHasAnotherProducerOfThatName) {
  send(3);
  EXPECT_EQ(answer(1, kOutOfTurn, 3), Verdict::kConflict);
  EXPECT_EQ(batches_.conflict(last_).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(NumberedBatchesTest, WhatWasTakenThoughNobodyCouldSaySoIsNoConflict) {
  // The lead ended: 1 and 2 are with the node that leads now, 3 came too early, 4 too late.
  send(4);
  EXPECT_EQ(answer(1, absl::StatusCode::kUnavailable), Verdict::kTurn);
  EXPECT_EQ(answer(2, absl::StatusCode::kUnavailable), Verdict::kTurn);
  EXPECT_EQ(answer(3, absl::StatusCode::kUnavailable), Verdict::kTurn);
  EXPECT_EQ(answer(4, kOutOfTurn, 3), Verdict::kLater);
  EXPECT_EQ(numbers_sent_again(), (Numbers{1, 2, 3, 4}));
  // The same, but that 2 came in time.
  EXPECT_EQ(answer(1, absl::StatusCode::kUnavailable), Verdict::kTurn);
  EXPECT_EQ(answer(2, absl::StatusCode::kOk), Verdict::kLater);
  EXPECT_EQ(numbers_sent_again(), (Numbers{1, 2, 3, 4}));
  for (uint64_t number = 1; number <= 4; ++number) acknowledge(number);
  EXPECT_TRUE(batches_.empty());
}

TEST_F(NumberedBatchesTest, AnswersToNothingAreNothing) {
  EXPECT_EQ(answer(1, absl::StatusCode::kOk), Verdict::kNothing);
  send(1);
  acknowledge(1);
  send(1);
  EXPECT_EQ(answer(1, absl::StatusCode::kUnavailable), Verdict::kNothing);
  EXPECT_EQ(answer(7, absl::StatusCode::kOk), Verdict::kNothing);
}

TEST_F(NumberedBatchesTest, ANodeThatTakesNothingIsTurnedFrom) {
  send(1);
  EXPECT_EQ(answer(1, kOutOfTurn, 0), Verdict::kTurn);
}

}  // namespace
}  // namespace pollux

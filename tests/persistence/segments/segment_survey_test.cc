#include "persistence/segments/segment_survey.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/persistence/sim/simulated_file_system.h"

namespace pollux {
namespace {

constexpr LogId kId{1, 2};

/// A segment's bytes, put together frame by frame.
class SegmentSurveyTest : public ::testing::Test {
 protected:
  SegmentSurveyTest() { bytes_ = encode_segment_header(header_); }

  static std::string record(uint64_t sequence, uint64_t durable, const LogId& id = kId,
                            std::string_view payload = "payload") {
    return frame({FrameKind::kRecord, 1, sequence, 5, durable, {}}, id, payload);
  }
  static std::string mark(uint64_t sequence) {
    return frame({FrameKind::kMark, 0, sequence, 5, sequence, {}}, kId, "");
  }
  static std::string frame(const LogFrame& frame, const LogId& id, std::string_view payload) {
    std::string bytes;
    begin_frame(bytes);
    bytes += payload;
    end_frame(id, frame, 0, bytes);
    return bytes;
  }
  static std::string rotten(std::string bytes) {
    bytes[bytes.size() / 2] ^= 1;
    return bytes;
  }
  Survey survey(uint64_t end = 0) {
    disk_.put("a", bytes_);
    auto file = disk_.open_read("a");
    auto survey = survey_segment(**file, header_, end);
    EXPECT_TRUE(survey.ok()) << survey.status();
    return *survey;
  }

  SimulatedFileSystem disk_{1};
  SegmentHeader header_{LogKind::kJournal, kId, 10, 4};
  std::string bytes_;
};

TEST_F(SegmentSurveyTest, OfNothingBeginsWithTheHeader) {
  Survey all = survey();
  EXPECT_EQ(all.next, 10u);
  EXPECT_EQ(all.tag, 4u);
  EXPECT_EQ(all.whole_bytes, kSegmentHeaderBytes);
  EXPECT_TRUE(all.unproven.empty());
}

TEST_F(SegmentSurveyTest, TheLastGroupIsUnproven) {
  bytes_ += record(10, 10) + record(11, 11) + record(12, 11);
  Survey all = survey();
  EXPECT_EQ(all.next, 13u);
  EXPECT_EQ(all.tag, 5u);
  EXPECT_EQ(all.durable, 11u);
  EXPECT_EQ(all.unproven.size(), 2u);
  EXPECT_EQ(all.torn_bytes, 0u);
  bytes_ += mark(13);
  EXPECT_TRUE(survey().unproven.empty());
}

TEST_F(SegmentSurveyTest, BytesBehindTheLastFrameAreTorn) {
  bytes_ += record(10, 10) + record(11, 11).substr(0, 50);
  Survey all = survey();
  EXPECT_EQ(all.next, 11u);
  EXPECT_EQ(all.torn_bytes, 50u);
  EXPECT_TRUE(all.rot.empty());
}

TEST_F(SegmentSurveyTest, AGroupOfWhichTheMiddleIsMissingIsTornThere) {
  bytes_ += record(10, 10) + rotten(record(11, 11)) + record(12, 11);
  Survey all = survey();
  EXPECT_EQ(all.next, 11u);
  EXPECT_TRUE(all.rot.empty());
  EXPECT_EQ(all.torn_bytes, 2 * record(11, 11).size());
}

TEST_F(SegmentSurveyTest, WhatALaterFrameProvesHasRotted) {
  bytes_ += record(10, 10) + rotten(record(11, 11)) + record(12, 12);
  Survey all = survey();
  ASSERT_EQ(all.rot.size(), 1u);
  EXPECT_EQ(all.rot[0].from, 11u);
  EXPECT_EQ(all.rot[0].to, 12u);
  EXPECT_EQ(all.rot[0].offset, kSegmentHeaderBytes + record(10, 10).size());
  EXPECT_EQ(all.next, 13u);
}

TEST_F(SegmentSurveyTest, TheLastRecordIsProvenByAMark) {
  bytes_ += record(10, 10) + rotten(record(11, 11)) + mark(12);
  Survey all = survey();
  ASSERT_EQ(all.rot.size(), 1u);
  EXPECT_EQ(all.rot[0].from, 11u);
  EXPECT_EQ(all.next, 12u);
}

TEST_F(SegmentSurveyTest, TheNextSegmentProvesAllOfThisOne) {
  bytes_ += record(10, 10) + rotten(record(11, 10));
  Survey all = survey(12);
  ASSERT_EQ(all.rot.size(), 1u);
  EXPECT_EQ(all.rot[0].from, 11u);
  EXPECT_EQ(all.rot[0].to, 12u);
  EXPECT_TRUE(all.unproven.empty());
}

TEST_F(SegmentSurveyTest, WhatStandsTwiceCountsOnce) {
  bytes_ += record(10, 10) + record(11, 11) + record(11, 11) + mark(12) + record(12, 12);
  Survey all = survey();
  EXPECT_EQ(all.next, 13u);
  EXPECT_EQ(all.unproven.size(), 1u);
  EXPECT_TRUE(all.rot.empty());
}

TEST_F(SegmentSurveyTest, TheSecondStandsInForTheFirst) {
  bytes_ += record(10, 10) + rotten(record(11, 11)) + record(12, 11) + record(11, 11) +
            record(12, 11) + mark(13);
  Survey all = survey();
  EXPECT_EQ(all.next, 13u);
  EXPECT_TRUE(all.rot.empty());
  EXPECT_EQ(all.torn_bytes, 0u);
}

TEST_F(SegmentSurveyTest, AFrameOfAnotherLogIsNone) {
  bytes_ += record(10, 10) + record(11, 11, LogId{1, 3});
  EXPECT_EQ(survey().next, 11u);
}

TEST_F(SegmentSurveyTest, AFrameInsideATornPayloadIsNone) {
  // A client cannot know the log's id, so what it sends passes for no frame.
  std::string inner = record(11, 11, LogId{0, 0});
  bytes_ += rotten(record(10, 10, kId, "first " + inner + inner));
  Survey all = survey();
  EXPECT_EQ(all.next, 10u);
  EXPECT_TRUE(all.rot.empty());
}

TEST_F(SegmentSurveyTest, AnyBytesAreReadWithoutHarm) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    bytes_ = encode_segment_header(header_);
    for (uint64_t i = random() % 12; i > 0; --i) {
      std::string piece =
          random() % 2 == 0 ? record(random() % 20, random() % 20) : std::string(frame_magic());
      if (random() % 3 == 0) piece[random() % piece.size()] = static_cast<char>(random());
      bytes_ += piece.substr(0, random() % 4 == 0 ? random() % piece.size() : piece.size());
    }
    Survey all = survey();
    EXPECT_GE(all.next, 10u);
    EXPECT_LE(all.whole_bytes + all.torn_bytes, bytes_.size());
  }
}

}  // namespace
}  // namespace pollux

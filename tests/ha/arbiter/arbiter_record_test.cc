#include "ha/arbiter/arbiter_record.h"

#include <gtest/gtest.h>

#include <random>

#include "absl/strings/str_format.h"
#include "persistence/codec/crc32c.h"
#include "tests/ha/arbiter/arbiter_testing.h"

namespace pollux {
namespace {

// As it stands in stores of released versions: never to change.
constexpr std::string_view kAlone =
    R"({"format":1,"domain":"00000000000000d000000000000003a1","version":7,"epoch":7,)"
    R"("active":"0000000000ca57010000000000000001","in_sync":null,"crc32c":"90827daf"})";
constexpr std::string_view kForced =
    R"({"format":1,"domain":"00000000000000d000000000000003a1","version":7,"epoch":7,)"
    R"("active":"0000000000ca57010000000000000001",)"
    R"("in_sync":"00000000000901de0000000000000002","forced_from":{"epoch":6,"position":1234},)"
    R"("crc32c":"084afe63"})";

ArbiterRecord forced() {
  ArbiterRecord record = record_of(7);
  record.in_sync = kPolydeuces;
  record.forced_from = EntryId{Epoch{6}, Position{1234}};
  return record;
}

/// `text` with the first `what` replaced, and a checksum as if it had been written so.
std::string with(std::string_view text, std::string_view what, std::string_view instead) {
  std::string changed(text.substr(0, text.rfind(",\"crc32c\"")));
  size_t at = changed.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  changed.replace(at, what.size(), instead);
  return changed + absl::StrFormat(",\"crc32c\":\"%08x\"}", crc32c(changed + "}"));
}

TEST(ArbiterRecord, IsWrittenAsItAlwaysWas) {
  EXPECT_EQ(to_json(record_of(7)), kAlone);
  EXPECT_EQ(to_json(forced()), kForced);
}

TEST(ArbiterRecord, ComesBackAsItWas) {
  for (const ArbiterRecord& record : {record_of(7), forced()}) {
    absl::StatusOr<ArbiterRecord> back = arbiter_record_of(to_json(record));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, record);
  }
}

TEST(ArbiterRecord, TheLargestNumbersComeBack) {
  ArbiterRecord record = forced();
  record.version = kArbiterVersionMax;
  record.epoch.value = UINT64_MAX;
  record.forced_from->position.value = UINT64_MAX;
  record.active = JournalId{UINT64_MAX, UINT64_MAX};
  absl::StatusOr<ArbiterRecord> back = arbiter_record_of(to_json(record));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, record);
}

TEST(ArbiterRecord, TheRefusalsBelowAreNotTheChecksums) {
  EXPECT_EQ(with(kAlone, "ca57", "ca57"), kAlone);
  EXPECT_TRUE(arbiter_record_of(with(kAlone, "ca57", "ca58")).ok());
}

TEST(ArbiterRecord, AnEditorsNewlineBehindItDoesNoHarm) {
  EXPECT_TRUE(arbiter_record_of(std::string(kAlone) + " \r\n\n").ok());
}

TEST(ArbiterRecord, OfANewerFormatItIsNotGuessedAt) {
  for (const char* format : {R"("format":2)", R"("format":18446744073709551615)"}) {
    std::string newer = with(kAlone, R"("format":1)", format);
    EXPECT_EQ(arbiter_record_of(newer).status().code(), absl::StatusCode::kUnimplemented);
  }
  EXPECT_EQ(arbiter_record_of(R"({"format":2})").status().code(), absl::StatusCode::kUnimplemented);
}

TEST(ArbiterRecord, WhatIsNoneIsRefused) {
  const std::vector<std::string> texts = {
      "",
      "null",
      "7",
      "[]",
      "{}",
      std::string(100'000, '['),
      std::string(4000, '['),
      std::string("\0\0\0\0", 4),
      "\xFF\xFE{}",
      with(kAlone, R"("format":1,)", ""),
      with(kAlone, R"("format":1)", R"("format":0)"),
      with(kAlone, R"("format":1)", R"("format":1.0)"),
      with(kAlone, R"("format":1)", R"("format":"1")"),
      with(kAlone, R"("version":7)", R"("version":0)"),
      with(kAlone, R"("version":7)", R"("version":-7)"),
      with(kAlone, R"("version":7)", R"("version":7.0)"),
      with(kAlone, R"("version":7)", R"("version":"7")"),
      with(kAlone, R"("version":7)", R"("version":9223372036854775808)"),
      with(kAlone, R"("version":7)", R"("version":18446744073709551616)"),
      with(kAlone, R"("version":7)", R"("version":7,"version":8)"),
      with(kAlone, R"("version":7)", R"("version":7,"more":8)"),
      with(kAlone, R"("version":7)", R"("version": 7)"),
      with(kAlone, R"("epoch":7)", R"("epoch":0)"),
      with(kAlone, R"("active":"0000)", R"("active":"000)"),
      with(kAlone, R"("active":"0000)", R"("active":"00000)"),
      with(kAlone, R"("active":"0000)", R"("active":"-000)"),
      with(kAlone, R"("active":"0000)", R"("active":"0x00)"),
      with(kAlone, "ca57", "CA57"),
      with(kAlone, "0000000000ca57010000000000000001", std::string(32, '0')),
      with(kAlone, "00000000000000d000000000000003a1", std::string(32, '0')),
      with(kAlone, R"(,"in_sync":null)", ""),
      with(kAlone, R"("in_sync":null)", R"("in_sync":false)"),
      with(kAlone, R"("in_sync":null)", R"("in_sync":"0000000000ca57010000000000000001")"),
      with(kAlone, R"("in_sync":null)", R"("in_sync":null,"forced_from":null)"),
      with(kForced, "00000000000901de0000000000000002", std::string(32, '0')),
      with(kForced, R"("position":1234)", R"("position":-1)"),
      with(kForced, R"(,"position":1234)", ""),
      std::string(kAlone.substr(0, kAlone.rfind(",\"crc32c"))) + "}",
      " " + std::string(kAlone),
      std::string(kAlone) + "}",
      std::string(kAlone) + std::string(kAlone),
      std::string(kAlone) + std::string(1, '\0'),
  };
  for (const std::string& text : texts) {
    EXPECT_EQ(arbiter_record_of(text).status().code(), absl::StatusCode::kDataLoss) << text;
  }
  for (size_t bytes = 0; bytes < kForced.size(); ++bytes) {
    EXPECT_FALSE(arbiter_record_of(kForced.substr(0, bytes)).ok()) << bytes;
  }
}

TEST(ArbiterRecord, ABrokenByteNeverMakesAnotherRecord) {
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string text(kForced);
    text[random() % text.size()] = static_cast<char>(random() % 256);
    if (text != kForced) {
      EXPECT_FALSE(arbiter_record_of(text).ok()) << text;
    }
  }
}

TEST(ArbiterRecord, WhatIsNoRecordIsShownShortenedAndEscaped) {
  absl::Status status = arbiter_record_of(std::string(5000, '\x01')).status();
  EXPECT_LT(status.message().size(), 1200U);
  EXPECT_EQ(status.message().find('\x01'), absl::string_view::npos);
}

TEST(ArbiterRecord, NobodyMayWriteOneThatNamesNobody) {
  EXPECT_TRUE(check_arbiter_record(forced()).ok());
  std::vector<ArbiterRecord> wrong(6, forced());
  wrong[0].version = 0;
  wrong[1].version = kArbiterVersionMax + 1;
  wrong[2].domain = {};
  wrong[3].epoch = {};
  wrong[4].active = {};
  wrong[5].in_sync = kCastor;
  for (const ArbiterRecord& record : wrong) {
    EXPECT_EQ(check_arbiter_record(record).code(), absl::StatusCode::kInvalidArgument)
        << to_json(record);
  }
}

}  // namespace
}  // namespace pollux

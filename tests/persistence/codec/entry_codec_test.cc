// Entries as records: what comes back is what went in, and what was damaged is refused.
#include "persistence/codec/entry_codec.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/persistence/codec/damage.h"
#include "tests/persistence/codec/random_entries.h"
#include "tests/persistence/codec/same_entry.h"

namespace pollux {
namespace {

std::string encoded(const Entry& entry) {
  SchemaSet known;
  std::string bytes;
  EXPECT_TRUE(encode_entry(entry, known, bytes).ok());
  return bytes;
}

EntryType mostly_events(uint64_t seed) {
  return seed % 2 == 0 ? EntryType::kEvents : static_cast<EntryType>(1 + seed / 2 % 7);
}

struct Read {
  std::vector<Entry> entries;
  absl::Status status;
  FrameState state = FrameState::kNone;  ///< of what stopped it
  std::string_view last;                 ///< the bytes of the last entry
};

/// Everything up to what cannot be read.
Read read_all(std::string_view bytes) {
  SchemaTable schemas;
  Read read;
  while (!bytes.empty()) {
    RecordFrame frame = read_frame(bytes);
    read.state = frame.state;
    if (frame.state != FrameState::kWhole) break;
    auto entry = decode_entry(frame, schemas);
    if (!entry.ok()) {
      read.status = entry.status();
      break;
    }
    if (entry->has_value()) {
      read.entries.push_back(**std::move(entry));
      read.last = bytes.substr(0, frame.bytes);
    }
    bytes.remove_prefix(frame.bytes);
  }
  return read;
}

TEST(EntryCodec, EveryKindOfEntryComesBackAsItWas) {
  for (uint64_t seed = 0; seed < 600; ++seed) {
    RandomEntries random(seed);
    Entry entry = random.entry(static_cast<EntryType>(1 + seed % 7));
    std::string bytes = encoded(entry);
    EXPECT_EQ(bytes.size() % 8, 0U);
    Read read = read_all(bytes);
    ASSERT_EQ(read.entries.size(), 1U) << "seed " << seed << ": " << read.status;
    expect_same(read.entries[0], entry);
    EXPECT_EQ(encoded(read.entries[0]), bytes) << "seed " << seed;
  }
}

TEST(EntryCodec, ABatchOfEverySizeAndTypeComesBackAsItWas) {
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    RandomEntries random(seed);
    Entry entry = random.entry(EntryType::kEvents);
    Read read = read_all(encoded(entry));
    ASSERT_EQ(read.entries.size(), 1U) << "seed " << seed << ": " << read.status;
    expect_same(read.entries[0], entry);
  }
}

// Entries as they were before there were stored rows: these bytes stand in journals.
TEST(EntryCodec, ADeploymentWithoutStoredRowsIsTheBytesThatItAlwaysWas) {
  Entry entry{{{1}, {2}}, {3}, DeployPayload{.plan = "p", .text = "t", .replace = true}};
  std::string bytes = encoded(entry);
  const std::string payload(
      "\x01\0\0\0\0\x01\0\0"
      "\x01\0\0\0p\x01\0\0\0t\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
      32);
  EXPECT_EQ(bytes.substr(kRecordHeaderBytes), payload);
}

TEST(EntryCodec, StoredRowsBringTheirSchemasAlong) {
  RandomEntries random(5);
  SchemaPtr schema = random.schema();
  DeployPayload deploy{.plan = "p", .text = "t"};
  deploy.stored = {{"p:T.changes", INT64_MIN, {random.batch(schema, 5), random.batch(schema, 0)}},
                   {"p:A.hours.changes", 1000, {}}};
  Entry entry{{{1}, {2}}, {3}, deploy};
  std::string bytes = encoded(entry);
  EXPECT_EQ(read_frame(bytes).bytes, bytes.size()) << "no record stands before it";
  Read read = read_all(bytes);
  ASSERT_EQ(read.entries.size(), 1U) << read.status;
  expect_same(read.entries[0], entry);
}

// Counts that promise more than there are bytes take neither memory nor time.
TEST(EntryCodec, StoredRowsThatAreNotThereAreRefused) {
  Entry entry{{{1}, {2}}, {3}, DeployPayload{.plan = "p", .text = "t"}};
  std::get<DeployPayload>(entry.payload).stored = {{"s", 0, {}}};
  const std::string good = encoded(entry);
  const size_t holders = kRecordHeaderBytes + 8 + 5 + 5 + 4 + 4;
  for (size_t at : {holders, holders + 4 + 5 + 8}) {
    std::string bytes = good;
    bytes.replace(at, 4, "\xff\xff\xff\xff");
    mend(bytes);
    EXPECT_EQ(read_all(bytes).status.code(), absl::StatusCode::kDataLoss) << at;
  }
  std::string none = good;
  none.replace(holders, 4, std::string(4, '\0'));
  mend(none);
  EXPECT_EQ(read_all(none).status.code(), absl::StatusCode::kDataLoss);
}

// Entries as they were before there were external tables: these bytes stand in journals.
TEST(EntryCodec, EventsWithoutRowsOfTablesAreTheBytesThatTheyAlwaysWere) {
  RandomEntries random(3);
  Entry entry{{{1}, {2}}, {3}, EventsPayload{random.batch(random.schema(), 2), "p", 7}};
  const std::string bytes = encoded(entry);
  const std::string head("\x07\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0p\0\0\0\0\0\0\0", 24);
  const size_t schema = read_frame(bytes).bytes;
  EXPECT_EQ(bytes.substr(schema + kRecordHeaderBytes, head.size()), head);
}

TEST(EntryCodec, RowsOfTablesComeBehindTheEvents) {
  RandomEntries random(5);
  SchemaPtr schema = random.schema();
  EventsPayload events{random.batch(schema, 3), "p", 7};
  events.found = {{"p:T", random.batch(schema, 5)}, {"q:T", random.batch(random.schema(), 0)}};
  Entry entry{{{1}, {2}}, {3}, events};
  const std::string bytes = encoded(entry);
  Read read = read_all(bytes);
  ASSERT_EQ(read.entries.size(), 1U) << read.status;
  expect_same(read.entries[0], entry);

  // Counts and lengths that promise more than there are bytes take neither memory nor time.
  const size_t record = read_frame(bytes).bytes;
  for (std::string count : {std::string("\xff\xff\xff\xff"), std::string("\x03\0\0\0", 4),
                            std::string("\x01\0\0\0", 4), std::string(4, '\0')}) {
    std::string wrong = bytes.substr(record);
    wrong.replace(kRecordHeaderBytes + 12, 4, count);
    mend(wrong);
    EXPECT_EQ(read_all(bytes.substr(0, record) + wrong).status.code(), absl::StatusCode::kDataLoss)
        << static_cast<int>(count[0]);
  }
}

TEST(EntryCodec, ASchemaStandsOnceBeforeItsFirstUse) {
  RandomEntries random(7);
  SchemaPtr one = random.schema();
  SchemaPtr other = random.schema();
  auto same = std::make_shared<const Schema>(*one);
  SchemaSet known;
  std::string bytes;
  uint64_t position = 0;
  for (const SchemaPtr& schema : {one, other, one, SchemaPtr(same), other}) {
    Entry entry{{{1}, {++position}}, {0}, EventsPayload{random.batch(schema, 3)}};
    ASSERT_TRUE(encode_entry(entry, known, bytes).ok());
  }
  size_t records = 0;
  for (std::string_view rest = bytes; !rest.empty(); ++records) {
    rest.remove_prefix(read_frame(rest).bytes);
  }
  EXPECT_EQ(records, 7U);
  EXPECT_EQ(read_all(bytes).entries.size(), 5U);

  known.clear();
  std::string segment;
  Entry entry{{{1}, {9}}, {0}, EventsPayload{random.batch(one, 3)}};
  ASSERT_TRUE(encode_entry(entry, known, segment).ok());
  EXPECT_EQ(read_all(segment).entries.size(), 1U);
}

TEST(EntryCodec, AnEntryThatKeepsItsRecordIsTheSameBytes) {
  SchemaSet asked;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    RandomEntries random(seed);
    Entry entry = random.entry(mostly_events(seed));
    std::string bytes = encoded(entry);
    Entry keeps = entry;
    ASSERT_TRUE(keep_record(keeps, asked).ok());
    EXPECT_EQ(keeps.record != nullptr, entry.type() == EntryType::kEvents);
    EXPECT_EQ(encoded(keeps), bytes) << "seed " << seed;
    EXPECT_EQ(encoded(keeps), bytes) << "more than once";
  }
}

TEST(EntryCodec, ARecordThatIsTooLongIsNotKept) {
  RandomEntries random(3);
  Entry entry{{{1}, {1}}, {0}, EventsPayload{random.batch(random.schema(), 1)}};
  std::get<EventsPayload>(entry.payload).producer.assign(kPayloadBytesMax, 'p');
  SchemaSet asked;
  EXPECT_EQ(keep_record(entry, asked).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(entry.record, nullptr);
}

TEST(EntryCodec, ABatchWithoutItsSchemaIsRefused) {
  RandomEntries random(1);
  Entry entry = random.entry(EntryType::kEvents);
  std::string bytes = encoded(entry);
  Read read = read_all(std::string_view(bytes).substr(read_frame(bytes).bytes));
  EXPECT_EQ(read.status.code(), absl::StatusCode::kFailedPrecondition);
}

TEST(EntryCodec, ARecordThatIsNotAllThereSaysHowMuchItNeeds) {
  for (uint64_t seed = 0; seed < 24; ++seed) {
    std::string bytes = encoded(RandomEntries(seed).entry(mostly_events(seed)));
    size_t first = read_frame(bytes).bytes;
    for (size_t size = 1; size < bytes.size(); ++size) {
      Read read = read_all(std::string_view(bytes).substr(0, size));
      EXPECT_TRUE(read.entries.empty());
      EXPECT_EQ(read.state, size == first ? FrameState::kWhole : FrameState::kPart) << size;
    }
    RecordFrame begun = read_frame(std::string_view(bytes).substr(0, kRecordHeaderBytes));
    EXPECT_EQ(begun.bytes, first);
  }
}

TEST(EntryCodec, EverySingleFlippedBitIsRefused) {
  for (uint64_t seed = 0; seed < 24; ++seed) {
    std::string bytes = encoded(RandomEntries(seed).entry(mostly_events(seed)));
    size_t bits = std::min<size_t>(bytes.size(), 2000) * 8;
    for (size_t bit = 0; bit < bits; ++bit) {
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
      Read read = read_all(bytes);
      EXPECT_TRUE(read.entries.empty()) << "seed " << seed << " bit " << bit;
      EXPECT_TRUE(read.state == FrameState::kCorrupt || read.state == FrameState::kNone) << bit;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    }
  }
}

TEST(EntryCodec, WhatIsNoRecordIsToldFromWhatRotted) {
  EXPECT_EQ(read_frame(std::string(100, '\0')).state, FrameState::kNone);
  EXPECT_EQ(read_frame("PLX").state, FrameState::kPart);
  EXPECT_EQ(read_frame("PLY").state, FrameState::kNone);
  EXPECT_EQ(read_frame("").state, FrameState::kPart);
  std::string bytes = encoded({{{1}, {1}}, {5}, UndeployPayload{"plan"}});
  std::string rotten = bytes;
  rotten[kRecordHeaderBytes + 5] = 'P';
  RecordFrame frame = read_frame(rotten);
  EXPECT_EQ(frame.state, FrameState::kCorrupt);
  EXPECT_EQ(frame.bytes, bytes.size());
  rotten = bytes;
  rotten[20] = 'P';
  frame = read_frame(rotten);
  EXPECT_EQ(frame.state, FrameState::kCorrupt);
  EXPECT_EQ(frame.bytes, 0U);
}

TEST(EntryCodec, AnotherVersionTenantOrLengthIsUnknownAndNotCorrupt) {
  const std::string bytes = encoded({{{1}, {1}}, {5}, UndeployPayload{"plan"}});
  for (size_t at : {4, 7, 40}) {
    std::string other = bytes;
    ++other[at];
    mend(other);
    EXPECT_EQ(read_frame(other).state, FrameState::kUnknown) << at;
  }
  std::string longer = bytes;
  longer[11] = '\x7f';
  mend(longer);
  EXPECT_EQ(read_frame(longer).state, FrameState::kUnknown);
}

TEST(EntryCodec, AnEntryOfNoTypeIsRefused) {
  std::string bytes = encoded({{{1}, {1}}, {5}, TickPayload{}});
  for (int type : {0, 7, 63, 65, 255}) {
    bytes[6] = static_cast<char>(type);
    mend(bytes);
    EXPECT_EQ(read_all(bytes).status.code(), absl::StatusCode::kDataLoss) << type;
  }
}

TEST(EntryCodec, AnEntryThatIsTooLongIsRefusedAndNotWritten) {
  SchemaSet known;
  std::string bytes = "before";
  Entry entry{{{1}, {1}}, {0}, WritePayload{"plan", std::string(kPayloadBytesMax, 'x')}};
  EXPECT_EQ(encode_entry(entry, known, bytes).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(bytes, "before");
}

// Whatever passes the checksums is either refused or an entry of which the same bytes come again.
TEST(EntryCodec, DamageWithRightChecksumsNeverCrashes) {
  size_t refused = 0;
  constexpr uint64_t kSeeds = 20'000;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    std::string bytes = encoded(RandomEntries(seed / 20).entry(mostly_events(seed / 20)));
    RandomEntries random(seed);
    damage(bytes, random);
    mend(bytes);
    Read read = read_all(bytes);
    if (read.entries.empty()) {
      ++refused;
      continue;
    }
    EXPECT_TRUE(encoded(read.entries.back()).ends_with(read.last)) << "seed " << seed;
  }
  EXPECT_GT(refused, kSeeds / 4);
}

}  // namespace
}  // namespace pollux

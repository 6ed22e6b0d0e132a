// What makes the second copy of an event harmless, whichever way the copies come.
#include "ha/copies/identity_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace pollux {
namespace {

std::shared_ptr<EventBatch> batch_of(const std::vector<std::string>& ids, int64_t amount = 1) {
  auto schema = std::make_shared<const Schema>(
      "Orders",
      std::vector<Attribute>{{"id", AttributeType::kString}, {"amount", AttributeType::kLong}});
  auto batch = std::make_shared<EventBatch>(schema);
  for (const std::string& id : ids) {
    id.empty() ? batch->column(0).append_null() : batch->append_string(0, id);
    batch->append_value(1, amount);
    batch->end_row(amount);
  }
  return batch;
}

class IdentityTableTest : public testing::Test {
 protected:
  static IdentityTable table_of(const std::string& streams, IdentityLimits limits = {}) {
    return IdentityTable(*DuplicatedStreams::parse(streams), limits);
  }
  using Rows = std::vector<uint32_t>;

  /// As whoever leads takes a batch: the rows that it numbers.
  static Rows take(IdentityTable& table, const EventBatch& batch, uint64_t position,
                   int64_t ms = 0) {
    std::vector<RowIdentity> rows = table.streams().identities(batch);
    Rows fresh = table.fresh_rows(rows, table.receive(rows));
    std::vector<RowIdentity> kept;
    for (uint32_t row : fresh) kept.push_back(rows[row]);
    table.number(kept, {position}, {ms});
    return fresh;
  }
  static void replay(IdentityTable& table, const EventBatch& batch, uint64_t position, int64_t ms) {
    table.number(table.streams().identities(batch), {position}, {ms});
    table.note_committed({position}, {ms});
  }
};

TEST_F(IdentityTableTest, ValuesAreCountedAndNamesAreNot) {
  IdentityTable values = table_of("Orders");
  EXPECT_EQ(take(values, *batch_of({"x", "x", "y"}), 1), (Rows{0, 1, 2}));
  EXPECT_EQ(take(values, *batch_of({"x"}), 2), Rows{0}) << "the third of its values";
  EXPECT_EQ(take(values, *batch_of({"x"}, 2), 3), Rows{0}) << "other values";
  IdentityTable names = table_of("Orders:id");
  EXPECT_EQ(take(names, *batch_of({"x", "x", "y"}), 1), (Rows{0, 2}));
  EXPECT_EQ(take(names, *batch_of({"x", "z"}, 2), 2), Rows{1}) << "the name counts alone";
  EXPECT_EQ(take(names, *batch_of({"", ""}), 3), (Rows{0, 1})) << "without a name by values";
}

TEST_F(IdentityTableTest, ACopyOfWhatTheOtherNodeNumberedIsNoneOfItsOwn) {
  for (const std::string streams : {"Orders", "Orders:id"}) {
    IdentityTable table = table_of(streams);
    replay(table, *batch_of({"x", "y"}), 1, 0);
    EXPECT_EQ(take(table, *batch_of({"y", "z", "x"}), 2), Rows{1}) << streams;
    EXPECT_EQ(take(table, *batch_of({"x"}), 3).size(), streams == "Orders" ? 1U : 0U) << streams;
  }
}

TEST_F(IdentityTableTest, WhatItsSenderWasNotToldComesAgain) {
  IdentityTable table = table_of("Orders");
  auto batch = batch_of({"x"});
  std::vector<RowIdentity> rows = table.streams().identities(*batch);
  EXPECT_EQ(take(table, *batch, 1), Rows{0});
  table.give_back(rows);
  table.roll_back({0});
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(take(table, *batch, 1), Rows{0}) << "its lead had ended";
  table.give_back(rows);
  EXPECT_EQ(take(table, *batch, 2), Rows{}) << "it was taken, and nobody was told";
}

TEST_F(IdentityTableTest, TenMinutesLaterACopyCountsAnew) {
  for (const std::string streams : {"Orders", "Orders:id"}) {
    IdentityTable table = table_of(streams, {.keep_ms = 1000});
    take(table, *batch_of({"x"}), 1, 0);
    table.note_committed({2}, {999});
    EXPECT_EQ(table.size(), 1U);
    table.note_committed({3}, {1000});
    EXPECT_EQ(table.size(), 0U);
    EXPECT_EQ(take(table, *batch_of({"x"}), 4, 1000), Rows{0}) << streams;
  }
}

/// Events of equal values that come again and again: what is forgotten takes its receipt along, so
/// that neither node ever takes a new one for a repeat or a repeat for a new one.
TEST_F(IdentityTableTest, CountsAgreeWhileOldEventsAreForgotten) {
  IdentityTable active = table_of("Orders", {.keep_ms = 1000});
  IdentityTable passive = table_of("Orders", {.keep_ms = 1000});
  auto batch = batch_of({"x"});
  std::vector<RowIdentity> rows = active.streams().identities(*batch);
  for (uint64_t i = 1; i <= 100; ++i) {
    const auto ms = static_cast<int64_t>(i * 300);
    EXPECT_EQ(take(active, *batch, i, ms), Rows{0}) << i;
    active.note_committed({i}, {ms});
    const std::vector<uint64_t> receipt = passive.receive(rows);
    EXPECT_FALSE(passive.is_numbered(rows[0], receipt[0])) << i;
    EXPECT_EQ(passive.beyond(rows[0], receipt[0]), 1U);
    replay(passive, *batch, i, ms);
    EXPECT_TRUE(passive.is_numbered(rows[0], receipt[0])) << i;
    EXPECT_LE(passive.size(), 4U);
  }
}

TEST_F(IdentityTableTest, ACopyOfTheOtherNodeIsJudgedByWhatWasNumberedSinceItSaw) {
  IdentityTable table = table_of("Orders");
  auto batch = batch_of({"x"});
  std::vector<RowIdentity> rows = table.streams().identities(*batch);
  for (uint64_t i = 1; i <= 3; ++i) take(table, *batch, i);
  EXPECT_EQ(table.fresh_rows(rows, CopyCount{{3}, {1}}), Rows{0});
  EXPECT_EQ(table.fresh_rows(rows, CopyCount{{2}, {1}}), Rows{}) << "number 3 is that one";
  EXPECT_EQ(table.fresh_rows(rows, CopyCount{{2}, {2}}), Rows{0});
  table.roll_back({2});
  EXPECT_EQ(table.fresh_rows(rows, CopyCount{{2}, {1}}), Rows{0}) << "number 3 never was";
  EXPECT_EQ(table.fresh_rows(rows, CopyCount{{1}, {1}}), Rows{});
  IdentityTable names = table_of("Orders:id");
  take(names, *batch, 1);
  EXPECT_EQ(names.fresh_rows(names.streams().identities(*batch), CopyCount{{1}, {1}}), Rows{});
}

TEST_F(IdentityTableTest, HasABoundAndForgetsTheOldest) {
  IdentityTable table = table_of("Orders:id", {.identities_max = 2});
  take(table, *batch_of({"a", "b", "c"}), 1);
  table.note_committed({1}, {0});
  EXPECT_EQ(table.size(), 2U);
  EXPECT_EQ(take(table, *batch_of({"a", "b", "c"}), 2), Rows{0});
}

TEST_F(IdentityTableTest, AStateIsWhatStandsBehindItsEntryAndComesBack) {
  IdentityTable table = table_of("Orders", {.keep_ms = 1000});
  take(table, *batch_of({"old"}), 1, 0);
  take(table, *batch_of({"x", "x"}), 2, 900);
  take(table, *batch_of({"later"}), 3, 1000);
  std::vector<NumberedIdentity> cut = table.cut({2}, {1000});
  EXPECT_EQ(cut.size(), 2U) << "neither what is too old nor what stands behind it";
  IdentityTable back = table_of("Orders", {.keep_ms = 1000});
  back.restore(cut);
  EXPECT_EQ(take(back, *batch_of({"x", "x", "x", "old"}), 4, 1000), (Rows{2, 3}))
      << "copies that come after the restart are those of what was numbered";
}

TEST_F(IdentityTableTest, IdentitiesAreOfValuesAndNotOfTimesOrStreams) {
  auto one = batch_of({"x"}, 5);
  auto other_time = batch_of({"x"}, 5);
  other_time->mutable_timestamps()[0] = 99;
  EXPECT_EQ(identities_of(*one, {}), identities_of(*other_time, {}));
  EXPECT_EQ(content_hash(*one), content_hash(*other_time));
  auto other_stream = std::make_shared<EventBatch>(
      std::make_shared<const Schema>("Others", one->schema().attributes()));
  append_row(*other_stream, *one, 0);
  EXPECT_NE(identities_of(*one, {}), identities_of(*other_stream, {}));
  // Where one value ends and the next begins is part of them.
  auto schema = std::make_shared<const Schema>(
      "S", std::vector<Attribute>{{"a", AttributeType::kString}, {"b", AttributeType::kString}});
  EventBatch pair(schema);
  for (auto [a, b] : {std::pair("ab", "c"), std::pair("a", "bc"), std::pair("", "")}) {
    pair.append_string(0, a);
    pair.append_string(1, b);
    pair.end_row(0);
  }
  pair.column(0).append_null();
  pair.append_string(1, "");
  pair.end_row(0);
  std::vector<RowIdentity> rows = identities_of(pair, {});
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_NE(rows[i], rows[j]) << i << " and " << j;
  }
}

TEST(DuplicatedStreams, AreReadFromTheSettings) {
  auto streams = DuplicatedStreams::parse(" Logins, Orders:id ");
  ASSERT_TRUE(streams.ok()) << streams.status();
  EXPECT_TRUE(streams->contains("Logins") && streams->contains("Orders"));
  EXPECT_FALSE(streams->contains("Others"));
  EXPECT_EQ(streams->hash(), DuplicatedStreams::parse("Orders:id,Logins")->hash());
  EXPECT_NE(streams->hash(), DuplicatedStreams::parse("Orders,Logins")->hash());
  EXPECT_EQ(DuplicatedStreams::parse("")->hash(), 0U);
  for (const char* wrong : {"a b", "Orders:", ":id", "a:b:c", "Logins,Logins:id"}) {
    EXPECT_FALSE(DuplicatedStreams::parse(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace pollux

// Entries that come as orders: whatever becomes of messages and copies, the follower has each entry
// once, in order, as whoever leads has it.
#include "ha/copies/order_desk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "ha/copies/order_shipping.h"
#include "ha/wire/message_codec.h"
#include "persistence/codec/entry_codec.h"

namespace pollux {
namespace {

SchemaPtr schema_of_orders() {
  static const auto schema = std::make_shared<const Schema>(
      "Orders",
      std::vector<Attribute>{{"id", AttributeType::kString}, {"amount", AttributeType::kLong}});
  return schema;
}

std::shared_ptr<EventBatch> batch_of(const std::vector<std::string>& ids, int64_t time) {
  auto batch = std::make_shared<EventBatch>(schema_of_orders());
  for (const std::string& id : ids) {
    batch->append_string(0, id);
    batch->append_value(1, static_cast<int64_t>(id.size()));
    batch->end_row(time++);
  }
  return batch;
}

std::string bytes_of_entry(const Entry& entry) {
  SchemaSet none;
  std::string bytes;
  EXPECT_TRUE(encode_entry(entry, none, bytes).ok());
  return bytes;
}

/// The plainest one: looks through all that came.
class Copies final : public CopySource {
 public:
  struct Copy {
    EventBatchPtr batch;
    std::string producer = {};
    uint64_t number = 0;
  };
  explicit Copies(const DuplicatedStreams& streams) : streams_(streams) {}

  void add(Copy copy) { copies_.push_back(std::move(copy)); }
  Look look(const EventsOrder& order, Entry& entry) override {
    auto events = std::make_shared<EventBatch>(order.schema);
    if (order.rows.empty()) {
      auto same = [&](const Copy& copy) {
        return copy.producer == order.producer && copy.number == order.number;
      };
      auto found = std::find_if(copies_.begin(), copies_.end(), same);
      if (found == copies_.end()) return Look::kMissing;
      append_batch(*events, *found->batch);
    }
    for (const RowIdentity& row : order.rows) {
      if (!append(*events, row)) return Look::kMissing;
    }
    if (events->rows() != order.times.size()) return Look::kOther;
    auto made = entry_of(order, std::move(events));
    if (!made) return Look::kOther;
    entry = *std::move(made);
    return Look::kFound;
  }

 private:
  bool append(EventBatch& events, const RowIdentity& wanted) const {
    for (const Copy& copy : copies_) {
      std::vector<RowIdentity> rows = streams_.identities(*copy.batch);
      auto found = std::find(rows.begin(), rows.end(), wanted);
      if (found == rows.end()) continue;
      append_row(events, *copy.batch, static_cast<uint32_t>(found - rows.begin()));
      return true;
    }
    return false;
  }

  const DuplicatedStreams& streams_;
  std::vector<Copy> copies_;
};

/// Whoever leads, its follower, and what is between them, in one thread on virtual time.
class OrdersTest : public testing::Test {
 protected:
  void SetUp() override { reset("Orders"); }

  void reset(const std::string& streams) {
    streams_ = *DuplicatedStreams::parse(streams);
    shipping_ = std::make_unique<OrderShipping>(streams_);
    copies_ = std::make_unique<Copies>(streams_);
    desk_ = std::make_unique<OrderDesk>(
        options_, *copies_, [this](PeerMessage message) { on_delivered(std::move(message)); });
    reconnect();
    journal_.clear();
    received_.clear();
    line_.clear();
    says_hello_ = true;
    now_ms_ = 0;
  }

  void reconnect() {
    encoder_ = std::make_unique<MessageEncoder>();
    decoder_ = std::make_unique<MessageDecoder>();
  }
  void number(std::shared_ptr<EventBatch> batch, std::string producer = "", uint64_t count = 0) {
    journal_.push_back({{{1}, {journal_.size() + 1}},
                        {static_cast<int64_t>(1000 + journal_.size())},
                        EventsPayload{std::move(batch), std::move(producer), count}});
  }

  // ---- the follower, as far as a desk sees it ----

  void on_delivered(PeerMessage message) {
    if (const auto* welcome = std::get_if<Welcome>(&message.body)) {
      if (welcome->nonce == nonce_) welcomed_ = true;
      return;
    }
    const auto* entries = std::get_if<Entries>(&message.body);
    ASSERT_NE(entries, nullptr);
    if (!welcomed_ || entries->nonce != nonce_) return;
    if (entries->before.position.value > received_.size()) {
      says_hello_ = true;
      welcomed_ = false;
      nonce_ = {};
      return;
    }
    for (const Entry& entry : entries->entries) {
      if (entry.id.position.value <= received_.size()) continue;
      ASSERT_EQ(entry.id.position.value, received_.size() + 1);
      received_.push_back(entry);
    }
  }
  void say_hello() {
    if (!std::exchange(says_hello_, false)) return;
    nonce_ = {++last_nonce_, 1};
    Hello hello;
    hello.nonce = nonce_;
    desk_->prepare(hello, takes_orders_ ? streams_.hash() : 0);
    shipping_->on_hello(hello);
    sent_ = received_.size();
    EntryId tail = journal_.empty() ? EntryId{} : journal_.back().id;
    ship({1, Welcome{hello.nonce, {1}, {}, tail}});
    ++hellos_;
  }

  // ---- whoever leads ----

  void ship(PeerMessage message) { line_.push_back(shipping_->prepare(std::move(message))); }
  void ship_entries(size_t count) {
    Entries entries;
    entries.nonce = nonce_;
    entries.epoch = {1};
    if (sent_ > 0) entries.before = journal_[sent_ - 1].id;
    for (; count > 0 && sent_ < journal_.size(); --count) {
      entries.entries.push_back(journal_[sent_++]);
    }
    ship({1, std::move(entries)});
  }

  // ---- between them ----

  void arrive() {
    if (line_.empty()) return;
    PeerMessage message = std::move(line_.front());
    line_.pop_front();
    std::string bytes;
    ASSERT_TRUE(encoder_->encode(message, bytes).ok());
    sent_bytes_ += bytes.size();
    WireReader reader(kWirePayloadBytesMax);
    for (std::string_view left = bytes; !left.empty();) {
      std::span<char> room = reader.room();
      const size_t count = std::min(room.size(), left.size());
      std::copy_n(left.begin(), count, room.begin());
      reader.arrived(count);
      left.remove_prefix(count);
    }
    auto frame = reader.next();
    ASSERT_TRUE(frame.ok() && *frame);
    auto read = decoder_->decode(**frame);
    ASSERT_TRUE(read.ok()) << read.status();
    desk_->on_message(*std::move(read), now_ms_);
  }
  void pass(int64_t ms) {
    now_ms_ += ms;
    desk_->look_again(now_ms_);
  }
  void run_to_the_end() {
    for (int i = 0; i < 10'000 && received_.size() < journal_.size(); ++i) {
      say_hello();
      ship_entries(100);
      while (!line_.empty()) arrive();
      pass(50);
    }
  }
  void expect_equal_journals() {
    ASSERT_EQ(received_.size(), journal_.size());
    for (size_t i = 0; i < journal_.size(); ++i) {
      ASSERT_EQ(bytes_of_entry(received_[i]), bytes_of_entry(journal_[i])) << "entry " << i + 1;
    }
  }

  OrderDeskOptions options_;
  DuplicatedStreams streams_;
  bool takes_orders_ = true;
  std::unique_ptr<OrderShipping> shipping_;
  std::unique_ptr<Copies> copies_;
  std::unique_ptr<OrderDesk> desk_;
  std::unique_ptr<MessageEncoder> encoder_;
  std::unique_ptr<MessageDecoder> decoder_;
  std::vector<Entry> journal_;
  std::vector<Entry> received_;
  std::deque<PeerMessage> line_;
  SessionNonce nonce_;
  bool welcomed_ = false;
  bool says_hello_ = true;
  uint64_t last_nonce_ = 0;
  size_t sent_ = 0;
  size_t sent_bytes_ = 0;
  int hellos_ = 0;
  int64_t now_ms_ = 0;
};

TEST_F(OrdersTest, AnEntryIsMadeOfTheCopyThatCameFirst) {
  say_hello();
  arrive();
  copies_->add({batch_of({"a", "b"}, 7)});
  number(batch_of({"b", "a", "b"}, 5));
  ship_entries(1);
  EXPECT_TRUE(std::holds_alternative<Orders>(line_.front().body));
  arrive();
  expect_equal_journals();
  EXPECT_EQ(desk_->counts().entries, 1U);
  EXPECT_EQ(desk_->counts().asked, 0U);
  EXPECT_EQ(shipping_->shipped(), 1U);
}

// What was found for events stands in their entry only.
TEST(EventsOrder, EventsWithRowsOfTablesGoAsTheyAre) {
  auto schema =
      std::make_shared<Schema>("S", std::vector<Attribute>{{"a", AttributeType::kString}});
  auto batch = std::make_shared<EventBatch>(schema);
  batch->append_string(0, "x");
  batch->end_row(1);
  auto streams = DuplicatedStreams::parse("S");
  ASSERT_TRUE(streams.ok());
  Entry entry{{{1}, {2}}, {3}, EventsPayload{batch}};
  EXPECT_TRUE(order_of(entry, *streams));
  std::get<EventsPayload>(entry.payload).found = {{"p:T", batch}};
  EXPECT_FALSE(order_of(entry, *streams));
}

TEST_F(OrdersTest, AnOrderWaitsForItsCopyAndWhatFollowsWaitsBehindIt) {
  say_hello();
  arrive();
  copies_->add({batch_of({"a"}, 7), "p", 2});
  number(batch_of({"x"}, 5), "p", 1);
  number(batch_of({"a"}, 5), "p", 2);
  ship_entries(1);
  ship_entries(1);
  ship_entries(0);
  while (!line_.empty()) arrive();
  pass(199);
  EXPECT_TRUE(received_.empty());
  EXPECT_EQ(desk_->counts().waiting, 3U);
  copies_->add({batch_of({"x"}, 9), "p", 1});
  pass(0);
  expect_equal_journals();
  EXPECT_EQ(desk_->counts().waiting, 0U);
  EXPECT_EQ(hellos_, 1);
}

TEST_F(OrdersTest, WhatDoesNotComeInTimeIsAskedForInFull) {
  say_hello();
  arrive();
  copies_->add({batch_of({"a"}, 7)});
  for (const char* id : {"a", "lost", "a"}) number(batch_of({id}, 5));
  ship_entries(3);
  arrive();
  pass(199);
  EXPECT_TRUE(received_.empty());
  pass(1);
  EXPECT_EQ(received_.size(), 1U) << "what is there goes on";
  EXPECT_TRUE(says_hello_);
  EXPECT_EQ(desk_->counts().asked, 1U);
  run_to_the_end();
  expect_equal_journals();
  EXPECT_EQ(hellos_, 2);
}

TEST_F(OrdersTest, ACopyThatIsAnotherUnderTheSameNumberIsNeverTaken) {
  say_hello();
  arrive();
  copies_->add({batch_of({"other"}, 7), "p", 1});
  copies_->add({batch_of({"a", "more"}, 7), "p", 2});
  number(batch_of({"a"}, 5), "p", 1);
  number(batch_of({"a"}, 5), "p", 2);
  ship_entries(2);
  arrive();
  EXPECT_TRUE(says_hello_) << "at once";
  run_to_the_end();
  expect_equal_journals();
}

TEST_F(OrdersTest, WhereCopiesAreMissedAgainAndAgainMoreAndMoreComesInFull) {
  say_hello();
  arrive();
  for (int i = 0; i < 2000; ++i) {
    number(batch_of({"lost" + std::to_string(i)}, 5));
    say_hello();
    ship_entries(1);
    while (!line_.empty()) arrive();
    pass(10);
  }
  run_to_the_end();
  expect_equal_journals();
  EXPECT_LE(desk_->counts().asked, 7U);
  // Once they come, orders are enough again.
  copies_->add({batch_of({"a"}, 7)});
  const uint64_t before = shipping_->shipped();
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < 100; ++i) number(batch_of({"a"}, 5));
    run_to_the_end();
  }
  EXPECT_GT(shipping_->shipped() - before, 10'000U);
  const uint64_t asked = desk_->counts().asked;
  EXPECT_LE(asked, 7U);
  // And the next that is missed makes little come in full.
  says_hello_ = true;
  run_to_the_end();
  Hello hello;
  desk_->prepare(hello, 1);
  EXPECT_EQ(hello.in_full, 0U);
  expect_equal_journals();
}

TEST_F(OrdersTest, NodesThatNameOtherStreamsTellEachOtherEverything) {
  DuplicatedStreams others = *DuplicatedStreams::parse("Orders:id");
  OrderShipping shipping(others);
  Hello hello;
  hello.nonce = {1, 1};
  hello.copies_of = streams_.hash();
  shipping.on_hello(hello);
  shipping.prepare({1, Welcome{hello.nonce, {1}, {}, {}}});
  Entries entries;
  entries.nonce = hello.nonce;
  entries.epoch = {1};
  number(batch_of({"a"}, 5));
  entries.entries = journal_;
  EXPECT_TRUE(std::holds_alternative<Entries>(shipping.prepare({1, entries}).body));
  takes_orders_ = false;
  say_hello();
  ship_entries(1);
  while (!line_.empty()) arrive();
  expect_equal_journals();
  EXPECT_EQ(shipping_->shipped(), 0U);
}

TEST_F(OrdersTest, WhatWaitsIsBounded) {
  options_.messages_max = 10;
  options_.patience_ms = 1'000'000;
  reset("Orders");
  say_hello();
  arrive();
  for (int i = 0; i < 11; ++i) {
    number(batch_of({"lost" + std::to_string(i)}, 5));
    ship_entries(1);
    arrive();
  }
  EXPECT_TRUE(says_hello_);
  EXPECT_EQ(desk_->counts().waiting, 0U);
  run_to_the_end();
  expect_equal_journals();
}

TEST_F(OrdersTest, AnOrderIsMuchShorterThanItsEvents) {
  say_hello();
  arrive();
  std::vector<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(std::string(200, 'x') + std::to_string(i));
  number(batch_of(ids, 5));
  copies_->add({batch_of(ids, 7)});
  ship_entries(1);
  sent_bytes_ = 0;
  arrive();
  expect_equal_journals();
  EXPECT_LT(sent_bytes_ * 8, bytes_of_entry(journal_[0]).size());
}

TEST_F(OrdersTest, HoweverMessagesAndCopiesComeBothJournalsAreEqual) {
  uint64_t asked = 0;
  uint64_t made = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    std::mt19937_64 random(seed);
    auto below = [&](uint64_t bound) { return random() % bound; };
    reset(seed % 2 == 0 ? "Orders" : "Orders:id");
    const uint64_t lost_of_100 = below(3) * 5;
    uint64_t numbered = 0;
    for (int step = 0; step < 400; ++step) {
      switch (below(6)) {
        case 0:
        case 1: {
          std::vector<std::string> ids;
          for (uint64_t i = 1 + below(4); i > 0; --i) ids.push_back(std::to_string(below(200)));
          const bool named = below(3) == 0;
          if (named) ++numbered;
          Copies::Copy copy{batch_of(ids, static_cast<int64_t>(below(1000))), named ? "p" : "",
                            named ? numbered : 0};
          if (below(50) == 0) copy.batch = batch_of({"another"}, 1);
          if (below(100) >= lost_of_100) copies_->add(copy);
          number(batch_of(ids, static_cast<int64_t>(below(1000))), copy.producer, copy.number);
          break;
        }
        case 2:
          say_hello();
          if (nonce_.is_set()) ship_entries(1 + below(5));
          break;
        case 3:
          arrive();
          break;
        case 4:
          pass(static_cast<int64_t>(below(150)));
          break;
        default:
          if (below(10) == 0 && !line_.empty()) {  // the connection ends
            line_.clear();
            reconnect();
            desk_->on_disconnected();
            says_hello_ = true;
            welcomed_ = false;
          }
      }
      ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
    }
    run_to_the_end();
    ASSERT_NO_FATAL_FAILURE(expect_equal_journals()) << "seed " << seed;
    asked += desk_->counts().asked;
    made += desk_->counts().entries;
  }
  EXPECT_GT(asked, 100U);
  EXPECT_GT(made, 1000U);
}

}  // namespace
}  // namespace pollux

// One replica by itself: what it does about messages and records, one after the other.
#include "ha/pair/replica.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/persistence/sim/simulated_file_system.h"

namespace pollux {
namespace {

constexpr JournalId kOwn{1, 1};
constexpr JournalId kPeer{2, 1};
constexpr DomainId kDomain{3, 1};

/// Keeps what it is asked for.
struct AskedWorld : ReplicaWorld {
  void send(PeerMessage message) override { sent.push_back(std::move(message)); }
  void read_record() override { ++reads; }
  void set_record(const ArbiterRecord& next) override { asked.push_back(next); }
  void may_apply(Position) override {}
  void lead_began(EntryId) override {}
  void lead_ended(const std::string&) override {}
  void role_changed(Role, Role, const std::string&) override {}
  void snapshot_needed() override { ++snapshots; }
  void void_behind(EntryId last) override { voided = last; }
  void confirmed(const Confirmed&) override {}
  void diverged(const Divergence& divergence) override { divergences.push_back(divergence); }
  void alarm(const std::string& what) override { alarms.push_back(what); }
  JournalId new_journal_id() override { return {++ids, 9}; }
  DomainId new_domain_id() override { return {++ids, 9}; }
  SessionNonce new_nonce() override { return {++ids, 9}; }
  int64_t jitter(int64_t) override { return 0; }
  Timestamp wall_clock() override { return {1000}; }

  template <class Body>
  const Body* last_sent() const {
    for (auto message = sent.rbegin(); message != sent.rend(); ++message) {
      if (const auto* body = std::get_if<Body>(&message->body)) return body;
    }
    return nullptr;
  }

  std::vector<PeerMessage> sent;
  std::vector<ArbiterRecord> asked;
  int reads = 0;
  int snapshots = 0;
  std::optional<EntryId> voided;
  std::vector<std::string> alarms;
  std::vector<Divergence> divergences;
  uint64_t ids = 100;
};

ArbiterRecord record_of(uint64_t version, Epoch epoch, JournalId active) {
  ArbiterRecord record;
  record.domain = kDomain;
  record.version = version;
  record.epoch = epoch;
  record.active = active;
  return record;
}

/// A node that has followed in epoch 1, with ten entries.
class ReplicaTest : public testing::Test {
 protected:
  static constexpr uint64_t kEntries = 10;

  void begin(Position committed) {
    ASSERT_TRUE(files_.make_directories("data").ok());
    JournalOptions options;
    options.directory = "data/journal";
    options.sync_commits = false;
    auto opened = Journal::open(files_, options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    journal_ = *std::move(opened);
    for (uint64_t position = 1; position <= kEntries; ++position) {
      ASSERT_TRUE(journal_->append({{{1}, {position}}, {1000}, TickPayload{}}).ok());
    }
    ASSERT_TRUE(journal_->commit().ok());
    ASSERT_TRUE(journal_->sync().ok());
    PairState own;
    own.domain = kDomain;
    own.journal = kOwn;
    own.log = journal_->id();
    ASSERT_TRUE(file_.write(own).ok());
    replica_ = std::make_unique<Replica>(files_, *journal_, file_, own, rules_, ReplicaOptions{},
                                         ReplicaStart{{}, committed, {1000}}, world_);
  }
  void hear(PeerMessage message) { replica_->on_message(message, now_ms_); }
  /// A second goes by, without a word of the peer.
  void pass() {
    now_ms_ += 1000;
    replica_->tick(now_ms_);
  }

  SimulatedFileSystem files_{1};
  PairFile file_{files_, "data"};
  PairRules rules_;
  AskedWorld world_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Replica> replica_;
  int64_t now_ms_ = 100'000;
};

TEST_F(ReplicaTest, AForcedLeadIsBelievedOnlyByTheRecordThatTellsOfIt) {
  begin(/*committed=*/{8});
  replica_->on_record(record_of(5, {1}, kPeer), now_ms_);
  replica_->on_connected(now_ms_);
  pass();
  const auto* hello = world_.last_sent<Hello>();
  ASSERT_NE(hello, nullptr);
  int reads = world_.reads;
  // Of the forced lead, which this node has not heard of yet.
  hear({6, Welcome{hello->nonce, {2}, {{1}, {4}}, {{2}, {5}}}});
  EXPECT_TRUE(replica_->status().ok()) << replica_->status();
  EXPECT_EQ(replica_->tail().position, Position{kEntries});
  EXPECT_FALSE(world_.voided);
  EXPECT_GT(world_.reads, reads);

  ArbiterRecord forced = record_of(6, {2}, kPeer);
  forced.forced_from = EntryId{{1}, {4}};
  replica_->on_record(forced, now_ms_);
  pass();
  hear({6, Welcome{world_.last_sent<Hello>()->nonce, {2}, {{1}, {4}}, {{2}, {5}}}});
  EXPECT_TRUE(replica_->status().ok()) << replica_->status();
  EXPECT_EQ(world_.voided, (EntryId{{1}, {4}}));
}

TEST_F(ReplicaTest, ALeadThatNobodyForcedMayNotTakeAwayWhatIsCommitted) {
  begin(/*committed=*/{8});
  replica_->on_record(record_of(6, {2}, kPeer), now_ms_);
  replica_->on_connected(now_ms_);
  pass();
  hear({6, Welcome{world_.last_sent<Hello>()->nonce, {2}, {{1}, {4}}, {{2}, {5}}}});
  EXPECT_TRUE(absl::IsDataLoss(replica_->status()));
  EXPECT_EQ(replica_->tail().position, Position{kEntries});
  EXPECT_FALSE(world_.alarms.empty());
}

TEST_F(ReplicaTest, WhileAForcedLeadMayLandNothingIsReceivedOrDropped) {
  begin(/*committed=*/{8});
  replica_->on_record(record_of(5, {1}, kPeer), now_ms_);
  ASSERT_TRUE(replica_->may_install());
  ASSERT_TRUE(replica_->force(now_ms_).ok());
  ASSERT_EQ(world_.asked.size(), 1U);
  EXPECT_EQ(world_.asked[0].forced_from, (EntryId{{1}, {kEntries}}));
  // The request may land yet; and the peer is there after all, and leads.
  replica_->on_arbiter_silent(now_ms_);
  replica_->on_connected(now_ms_);
  hear({5, Heartbeat{kPeer, Role::kActiveSolo, {1}, {{1}, {20}}, {20}, true, false}});
  replica_->on_record(record_of(5, {1}, kPeer), now_ms_);
  EXPECT_FALSE(replica_->may_install());
  pass();
  EXPECT_EQ(world_.last_sent<Hello>(), nullptr);
  // It is asked for again, until the record shows what has become of it.
  ASSERT_EQ(world_.asked.size(), 2U);
  EXPECT_EQ(world_.asked[1], world_.asked[0]);

  replica_->on_record(record_of(6, {1}, kPeer), now_ms_);
  pass();
  EXPECT_NE(world_.last_sent<Hello>(), nullptr);
  EXPECT_TRUE(replica_->may_install());
}

TEST_F(ReplicaTest, ItCommitsAloneUntilWhoeverWasAwayHasCaughtUp) {
  begin(/*committed=*/{kEntries});
  ArbiterRecord record = record_of(5, {1}, kPeer);
  record.in_sync = kOwn;
  replica_->on_record(record, now_ms_);
  for (int i = 0; i < 10 && world_.asked.empty(); ++i) pass();
  ASSERT_FALSE(world_.asked.empty());
  replica_->on_record(world_.asked.back(), now_ms_);
  pass();
  ASSERT_TRUE(replica_->leads());
  auto step = [&] {
    replica_->on_record(replica_->view(), now_ms_);  // whatever it has asked for
    replica_->tick(now_ms_);
    ASSERT_TRUE(replica_->flush(now_ms_).ok());
  };
  auto go_on = [&](int64_t ms) {
    Entry next{{replica_->epoch(), {replica_->tail().position.value + 1}}, {1000}, TickPayload{}};
    ASSERT_TRUE(replica_->append(next, JournalSpace::kReserve).ok());
    now_ms_ += ms;
    step();
  };
  auto is_committed = [&] { return replica_->committed() == replica_->tail().position; };
  auto acked = [&](Position position) {
    hear({6, Heartbeat{kPeer, Role::kJoining, replica_->epoch(), {{1}, position}, position}});
    hear({6, Ack{replica_->epoch(), kPeer, position, position}});
    step();
  };
  for (int i = 0; i < 3; ++i) go_on(1000);
  ASSERT_TRUE(is_committed());

  replica_->on_connected(now_ms_);
  const std::vector<EntryId> ends = {{{1}, {kEntries}}};
  hear({6, Hello{kDomain, kPeer, {7, 7}, {1}, EpochHistory(ends)}});
  ASSERT_NE(world_.last_sent<Welcome>(), nullptr);
  acked({kEntries});
  for (int i = 0; i < 100; ++i) {
    go_on(10);
    EXPECT_TRUE(is_committed()) << "nobody waits for who is far behind; " << i;
  }
  acked(replica_->tail().position);
  go_on(1);
  EXPECT_FALSE(is_committed()) << "acks count now";
  acked(replica_->tail().position);
  EXPECT_TRUE(is_committed());
  EXPECT_EQ(world_.asked.back().in_sync, kPeer);
}

}  // namespace
}  // namespace pollux

// Two nodes, and clients that send every event to both until both have acknowledged it: whatever is
// lost on the way and whoever leads, each event is numbered once.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "ha/copies/identity_table.h"

namespace pollux {
namespace {

/// An event; the client has two errands, one to each node.
struct Event {
  RowIdentity identity;
  bool acknowledged[2] = {};
  bool on_its_way[2] = {};
};

/// What one node knows: its table, how far it has come, and the copies it holds.
struct CopyNode {
  struct Held {
    size_t event;
    uint64_t receipt;
    bool forwarded = false;
  };
  /// An answer that waits for an entry.
  struct Pending {
    size_t event;
    uint64_t position;
    bool receipt;  ///< it counts as received here
  };
  std::unique_ptr<IdentityTable> table;
  uint64_t applied = 0;  // and committed
  std::vector<Held> held;
  std::vector<Pending> pending;
};

class Ledger {
 public:
  Ledger(uint64_t seed, bool restarts) : random_(seed), restarts_(restarts) {
    for (CopyNode& node : nodes_) node.table = fresh_table();
    for (uint64_t i = 0; i < 40; ++i) {
      // Values come again unless nodes are started anew, which makes them forget what they got.
      const uint64_t value = restarts ? i : below(8);
      events_.push_back({{value, (below(2) == 0 || !restarts) ? 0U : 1U}});
    }
  }

  void run() {
    for (int step = 0; step < 2000; ++step) one_step(below(9));
    while (!is_quiet()) {
      for (uint64_t kind = 0; kind < 5; ++kind) one_step(kind);
    }
  }

  void check() const {
    std::map<RowIdentity, int> sent;
    std::map<RowIdentity, int> numbered;
    for (const Event& event : events_) ++sent[event.identity];
    for (const RowIdentity& identity : journal_) ++numbered[identity];
    EXPECT_EQ(sent, numbered);
  }
  int leads() const { return leads_; }
  int forwards() const { return forwards_; }

 private:
  struct Forward {
    size_t event;
    CopyCount count;
  };

  static std::unique_ptr<IdentityTable> fresh_table() {
    return std::make_unique<IdentityTable>(*DuplicatedStreams::parse("S"));
  }
  uint64_t below(uint64_t bound) { return random_() % bound; }
  CopyNode& active() { return nodes_[active_]; }
  CopyNode& passive() { return nodes_[1 - active_]; }
  RowIdentity id(size_t event) const { return events_[event].identity; }

  void one_step(uint64_t kind) {
    switch (kind) {
      case 0:
        return send(below(2));
      case 1:
        return replicate();
      case 2:
        return forward();
      case 3:
        return take_forward();
      case 4:
        return send(1 - active_);
      case 5:
        return send(active_);
      case 6:
        if (below(20) == 0) fail_over();
        return;
      case 7:
        if (restarts_ && below(20) == 0) restart_passive();
        return;
      default:
        if (below(10) == 0) end_link();
    }
  }

  bool is_quiet() const {
    for (const Event& event : events_) {
      if (!event.acknowledged[0] || !event.acknowledged[1]) return false;
    }
    return nodes_[1 - active_].applied == journal_.size();
  }

  // ---- clients ----

  void send(size_t to) {
    for (size_t tries = 0; tries < events_.size(); ++tries) {
      const size_t event = below(events_.size());
      if (events_[event].acknowledged[to] || events_[event].on_its_way[to]) continue;
      events_[event].on_its_way[to] = true;
      return to == active_ ? submit(event) : hold(event);
    }
  }
  void answer(size_t node, size_t event, bool good) {
    events_[event].on_its_way[node] = false;
    events_[event].acknowledged[node] = good;
  }

  // ---- whoever leads ----

  void submit(size_t event) {
    const std::vector<RowIdentity> rows{id(event)};
    const bool is_new = !active().table->fresh_rows(rows, active().table->receive(rows)).empty();
    number_if(is_new, rows);
    active().pending.push_back({event, journal_.size(), true});
    settle();
  }
  void number_if(bool is_new, const std::vector<RowIdentity>& rows) {
    if (!is_new) return;
    journal_.push_back(rows[0]);
    active().table->number(rows, {journal_.size()}, {0});
  }
  /// Committed is what the other one has.
  void settle() {
    active().applied = passive().applied;
    active().table->note_committed({active().applied}, {0});
    std::erase_if(active().pending, [&](const CopyNode::Pending& one) {
      if (one.position > active().applied) return false;
      answer(one.receipt ? active_ : 1 - active_, one.event, true);
      if (!one.receipt) drop_held(one.event);
      return true;
    });
  }

  // ---- the one that follows ----

  void hold(size_t event) {
    const std::vector<RowIdentity> rows{id(event)};
    const uint64_t receipt = passive().table->receive(rows)[0];
    if (passive().table->is_numbered(rows[0], receipt)) return answer(1 - active_, event, true);
    passive().held.push_back({event, receipt});
  }
  void drop_held(size_t event) {
    std::erase_if(passive().held, [&](const auto& held) { return held.event == event; });
  }
  void replicate() {
    if (passive().applied == journal_.size()) return;
    const std::vector<RowIdentity> rows{journal_[passive().applied++]};
    passive().table->number(rows, {passive().applied}, {0});
    passive().table->note_committed({passive().applied}, {0});
    std::erase_if(passive().held, [&](const CopyNode::Held& held) {
      if (!passive().table->is_numbered(id(held.event), held.receipt)) return false;
      answer(1 - active_, held.event, true);
      return true;
    });
    settle();
  }
  void forward() {
    for (CopyNode::Held& held : passive().held) {
      if (held.forwarded) continue;
      held.forwarded = true;
      const uint32_t beyond = passive().table->beyond(id(held.event), held.receipt);
      on_the_way_.push_back({held.event, {{passive().applied}, {beyond}}});
      ++forwards_;
      return;
    }
  }
  void take_forward() {
    if (on_the_way_.empty()) return;
    const Forward forward = on_the_way_.front();
    on_the_way_.pop_front();
    const std::vector<RowIdentity> rows{id(forward.event)};
    number_if(!active().table->fresh_rows(rows, forward.count).empty(), rows);
    if (!events_[forward.event].acknowledged[1 - active_]) {
      active().pending.push_back({forward.event, journal_.size(), false});
    }
    settle();
  }
  /// Nobody knows what became of what was on its way.
  void end_link() {
    on_the_way_.clear();
    std::erase_if(active().pending, [](const CopyNode::Pending& one) { return !one.receipt; });
    std::erase_if(passive().held, [&](const CopyNode::Held& held) {
      if (!held.forwarded) return false;
      give_back(passive(), held.event);
      answer(1 - active_, held.event, false);
      return true;
    });
  }

  // ---- what happens to them ----

  void give_back(CopyNode& node, size_t event) {
    node.table->give_back(std::vector<RowIdentity>{id(event)});
  }
  /// The other one leads with what it has; what it has not got never was.
  void fail_over() {
    end_link();
    for (const CopyNode::Pending& one : active().pending) {
      give_back(active(), one.event);
      answer(active_, one.event, false);
    }
    active().pending.clear();
    journal_.resize(passive().applied);
    active().table->roll_back({passive().applied});
    active().applied = passive().applied;
    active_ = 1 - active_;
    ++leads_;
    const std::vector<CopyNode::Held> held = std::exchange(active().held, {});
    for (const CopyNode::Held& one : held) give_back(active(), one.event);
    for (const CopyNode::Held& one : held) submit(one.event);
  }
  void restart_passive() {
    end_link();
    for (const CopyNode::Held& one : std::exchange(passive().held, {})) {
      answer(1 - active_, one.event, false);
    }
    std::vector<NumberedIdentity> state = passive().table->cut({passive().applied}, {0});
    passive().table = fresh_table();
    passive().table->restore(std::move(state));
  }

  std::mt19937_64 random_;
  const bool restarts_;
  std::vector<Event> events_;
  std::vector<RowIdentity> journal_;
  CopyNode nodes_[2];
  size_t active_ = 0;
  std::deque<Forward> on_the_way_;
  int leads_ = 0;
  int forwards_ = 0;
};

TEST(CopiesLedger, EachEventIsNumberedOnceHoweverItsCopiesCome) {
  int leads = 0;
  int forwards = 0;
  for (uint64_t seed = 0; seed < 2000 && !testing::Test::HasFailure(); ++seed) {
    Ledger ledger(seed, false);
    ledger.run();
    ledger.check();
    leads += ledger.leads();
    forwards += ledger.forwards();
    EXPECT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
  }
  EXPECT_GT(leads, 1000);
  EXPECT_GT(forwards, 10'000);
}

TEST(CopiesLedger, EachEventOfItsOwnIsNumberedOnceThoughNodesAreStartedAnew) {
  for (uint64_t seed = 0; seed < 2000 && !testing::Test::HasFailure(); ++seed) {
    Ledger ledger(seed, true);
    ledger.run();
    ledger.check();
    EXPECT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace pollux

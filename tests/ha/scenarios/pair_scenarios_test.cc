// One thing goes wrong at a time, at a chosen node and moment; then all heals and is judged. Each
// scenario runs from several seeds.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "tests/ha/sim/pair_simulation.h"

namespace pollux {
namespace {

enum class Moment { kPaired, kJoining, kSwitching };
enum class Target { kActive, kOther };

constexpr uint64_t kSeeds = 6;

using Scenario = std::tuple<PairFault, Target, Moment>;

PairSimulationOptions quiet(uint64_t seed) {
  PairSimulationOptions options;
  options.seed = seed;
  return options;
}

/// Nodes that are a pair, with some history behind them.
void begin(PairSimulation& pair) {
  pair.start();
  pair.run_until("paired", [&] { return pair.is_paired() && pair.witness().entries() > 40; });
}

class PairScenario : public testing::TestWithParam<Scenario> {};

TEST_P(PairScenario, LosesAndRepeatsNothing) {
  auto [fault, target, moment] = GetParam();
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    PairSimulation pair(quiet(seed));
    ASSERT_NO_THROW(begin(pair));
    Place active = pair.active();
    Place passive = PairSimulation::other(active);
    if (moment == Moment::kJoining) {
      pair.set_restarts(false);
      pair.node(passive).end(Crash::kPower);
      pair.run_for_ms(3000);
      pair.set_restarts(true);
      pair.node(passive).start();
      pair.run_for_ms(static_cast<int64_t>(seed) * 8);
    } else if (moment == Moment::kSwitching) {
      pair.inject(PairFault::kSwitchOver, active);
      pair.run_for_ms(static_cast<int64_t>(seed));
    }
    pair.inject(fault, target == Target::kActive ? active : passive);
    pair.run_for_ms(3000);
    try {
      pair.finish();
    } catch (const Violation& broken) {
      ADD_FAILURE() << broken.what();
    }
  }
}

std::string scenario_name(const testing::TestParamInfo<Scenario>& info) {
  auto [fault, target, moment] = info.param;
  std::string name(kPairFaultNames[static_cast<size_t>(fault)]);
  std::replace(name.begin(), name.end(), ' ', '_');
  name += target == Target::kActive ? "_active" : "_other";
  return name + (moment == Moment::kPaired    ? "_paired"
                 : moment == Moment::kJoining ? "_joining"
                                              : "_switching");
}

INSTANTIATE_TEST_SUITE_P(
    Ha, PairScenario,
    testing::Combine(testing::Values(PairFault::kKill, PairFault::kKillInside, PairFault::kPower,
                                     PairFault::kPowerInside, PairFault::kPause, PairFault::kCut,
                                     PairFault::kCutOneWay, PairFault::kCutFromArbiter,
                                     PairFault::kIsolate, PairFault::kArbiterSilent,
                                     PairFault::kArbiterUnknown, PairFault::kSlowDisk,
                                     PairFault::kFullDisk, PairFault::kReplacedDisk,
                                     PairFault::kSlowPlan, PairFault::kPowerOfBoth),
                     testing::Values(Target::kActive, Target::kOther),
                     testing::Values(Moment::kPaired, Moment::kJoining, Moment::kSwitching)),
    scenario_name);

// ---- single ones, with what must come about in them ----

TEST(HaScenario, KilledActiveIsFollowedWithinATenthOfASecond) {
  PairSimulation pair(quiet(1));
  begin(pair);
  Place active = pair.active();
  pair.set_restarts(false);
  pair.node(active).end(Crash::kProcess);
  int64_t begun = pair.time().now_ms();
  Place next = PairSimulation::other(active);
  pair.run_until(
      "led by the other", [&] { return pair.leads(next); }, 1);
  EXPECT_LE(pair.time().now_ms() - begun, 100);
  pair.finish();
}

TEST(HaScenario, ActiveWithoutPeerAndArbiterCommitsNothing) {
  PairSimulation pair(quiet(2));
  begin(pair);
  Place active = pair.active();
  pair.set_restarts(false);
  pair.arbiter().set_silent(true);
  pair.node(PairSimulation::other(active)).end(Crash::kPower);
  pair.run_for_ms(2000);
  Position stalled = pair.node(active).process().replica().committed();
  pair.run_for_ms(5000);
  EXPECT_EQ(pair.node(active).process().replica().committed(), stalled);
  EXPECT_EQ(pair.node(active).process().replica().role(), Role::kIsolated);
  pair.finish();
}

TEST(HaScenario, PausedActiveWakesUpAndLetsNothingOut) {
  PairSimulation pair(quiet(3));
  begin(pair);
  Place active = pair.active();
  Place next = PairSimulation::other(active);
  pair.node(active).pause_until(pair.time().now_us() + 6'000'000);
  pair.run_until(
      "led by the other", [&] { return pair.leads(next); }, 3);
  pair.run_for_ms(5000);
  EXPECT_FALSE(pair.leads(active));
  pair.finish();
}

TEST(HaScenario, SlowPassiveIsLeftAndComesBack) {
  PairSimulation pair(quiet(4));
  begin(pair);
  Place passive = PairSimulation::other(pair.active());
  // Shorter than what makes it suspect; whether something waits for it then is up to the clients.
  auto is_left = [&] {
    PairNode& slow = pair.node(passive);
    if (!slow.is_paused()) slow.pause_until(pair.time().now_us() + 1'400'000);
    return !pair.arbiter().record().in_sync;
  };
  pair.run_until("alone", is_left, 60);
  pair.run_until(
      "paired again", [&] { return pair.is_paired(); }, 30);
  pair.finish();
  EXPECT_EQ(pair.counts().replica.lead_ends, 0);
}

TEST(HaScenario, JoinerFarBehindGetsASnapshot) {
  PairSimulation pair(quiet(5));
  begin(pair);
  Place passive = PairSimulation::other(pair.active());
  pair.set_restarts(false);
  pair.node(passive).end(Crash::kPower);
  uint64_t from = pair.witness().entries();
  pair.run_until(
      "far ahead", [&] { return pair.witness().entries() > from + 250; }, 120);
  pair.set_restarts(true);
  pair.node(passive).start();
  pair.run_until(
      "paired", [&] { return pair.is_paired(); }, 30);
  pair.finish();
  EXPECT_GE(pair.counts().process.installed, 1);
}

TEST(HaScenario, ReplacedDiskJoinsUnderANewIdAndNeverLeads) {
  PairSimulation pair(quiet(6));
  begin(pair);
  Place active = pair.active();
  pair.run_for_ms(3000);  // nothing may be on its way to the arbiter
  JournalId before = pair.node(active).process().replica().own().journal;
  pair.set_restarts(false);
  pair.node(active).end(Crash::kPower);
  pair.node(active).replace_disk();
  pair.run_until(
      "led by the other", [&] { return pair.leads(PairSimulation::other(active)); }, 5);
  pair.set_restarts(true);
  pair.node(active).start();
  pair.run_until(
      "paired", [&] { return pair.is_paired(); }, 30);
  EXPECT_NE(pair.node(active).process().replica().own().journal, before);
  pair.finish();
}

TEST(HaScenario, SwitchoverLosesNoTimeAndNoEntry) {
  PairSimulation pair(quiet(7));
  begin(pair);
  Place active = pair.active();
  pair.node(active).deliver([](PairProcess& process) { process.switch_over(); });
  int64_t begun = pair.time().now_ms();
  pair.run_until(
      "led by the other", [&] { return pair.leads(PairSimulation::other(active)); }, 1);
  EXPECT_LE(pair.time().now_ms() - begun, 100);
  pair.finish();
  EXPECT_EQ(pair.counts().replica.truncated_entries, 0);
}

TEST(HaScenario, BothLosePowerAtOnceAndTheFirstOneNamedLeads) {
  PairSimulation pair(quiet(8));
  begin(pair);
  pair.inject(PairFault::kPowerOfBoth, pair.active());
  pair.run_until(
      "paired again", [&] { return pair.is_paired(); }, 30);
  pair.finish();
}

// ---- while nothing is sent: no entry to come brings to light what one node lacks ----

/// A pair whose clients have ended, and everything that they sent with them.
void come_to_rest(PairSimulation& pair) {
  begin(pair);
  pair.finish();
}

TEST(HaScenario, PausedPassiveOfAnIdlePairIsTakenBack) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    PairSimulation pair(quiet(seed));
    come_to_rest(pair);
    Place passive = PairSimulation::other(pair.active());
    pair.node(passive).pause_until(pair.time().now_us() + 4'000'000);
    pair.run_until(
        "alone", [&] { return !pair.arbiter().record().in_sync; }, 10);
    EXPECT_NO_THROW(pair.run_until(
        "paired again", [&] { return pair.is_paired(); }, 30));
  }
}

TEST(HaScenario, IdlePairIsWholeAgainAfterMessagesWereLost) {
  for (uint64_t seed = 1; seed <= 4 * kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    PairSimulation pair(quiet(seed));
    come_to_rest(pair);
    Place passive = PairSimulation::other(pair.active());
    pair.network().set_faults({600, 0, 0, 0});
    pair.node(passive).end(Crash::kProcess);
    pair.run_for_ms(1000 + 100 * static_cast<int64_t>(seed));
    pair.heal();
    EXPECT_NO_THROW(pair.run_until(
        "paired again", [&] { return pair.is_paired(); }, 30));
  }
}

// ---- plans that are not what they ought to be ----

/// The node's plan is another from here on, and states are written so that it is seen.
void make_differ(PairSimulation& pair, Place place) {
  uint64_t before = pair.counts().process.divergences;
  pair.diverge(place);
  pair.node(pair.active()).deliver([](PairProcess& process) { process.order_persist(); });
  pair.run_until("seen", [&] { return pair.counts().process.divergences > before; });
}

JournalId journal_of(PairSimulation& pair, Place place) {
  return pair.node(place).process().replica().own().journal;
}

TEST(HaScenario, APassiveWhosePlanDiffersGetsACopyAndThePairIsWholeAgain) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    PairSimulation pair(quiet(seed));
    begin(pair);
    Place active = pair.active();
    Place passive = PairSimulation::other(active);
    JournalId before = journal_of(pair, passive);
    make_differ(pair, passive);
    pair.run_until(
        "paired again", [&] { return pair.is_paired() && journal_of(pair, passive) != before; },
        30);
    EXPECT_EQ(pair.active(), active);
    EXPECT_NO_THROW(pair.finish());
    EXPECT_EQ(pair.counts().process.divergences, 1);
    EXPECT_EQ(pair.counts().process.installed, 1);
    EXPECT_EQ(pair.counts().process.alarms, 0);
    EXPECT_EQ(pair.counts().replica.lead_ends, 0);
  }
}

TEST(HaScenario, WhoLeadsIsTakenToBeRight) {
  PairSimulation pair(quiet(11));
  begin(pair);
  Place active = pair.active();
  make_differ(pair, active);
  EXPECT_NO_THROW(pair.finish());
  EXPECT_EQ(pair.active(), active);
  EXPECT_EQ(pair.counts().process.installed, 1);
}

TEST(HaScenario, EventsGoOnBeingTakenWhileADifferingPassiveCannotBeLeft) {
  PairSimulation pair(quiet(12));
  begin(pair);
  Place passive = PairSimulation::other(pair.active());
  pair.arbiter().set_silent(true);
  make_differ(pair, passive);
  uint64_t acknowledged = pair.counts().acknowledged;
  pair.run_for_ms(5000);
  EXPECT_GT(pair.counts().acknowledged, acknowledged + 20) << "its acks still count";
  EXPECT_EQ(pair.counts().process.installed, 0);
  EXPECT_NO_THROW(pair.finish());
  EXPECT_EQ(pair.counts().process.installed, 1);
}

TEST(HaScenario, APlanThatDiffersTwiceIsNotCopiedAgainAndItsNodeMayNotLead) {
  for (bool redeployed : {true, false}) {
    SCOPED_TRACE(redeployed);
    PairSimulation pair(quiet(13));
    begin(pair);
    Place active = pair.active();
    Place passive = PairSimulation::other(active);
    make_differ(pair, passive);
    pair.run_until("copied", [&] { return pair.counts().process.installed == 1; });
    pair.run_until(
        "paired again", [&] { return pair.is_paired(); }, 30);
    make_differ(pair, passive);
    EXPECT_GE(pair.counts().process.alarms, 1);
    pair.run_until("left", [&] { return !pair.arbiter().record().in_sync; });
    pair.run_for_ms(20'000);
    EXPECT_FALSE(pair.arbiter().record().in_sync);
    EXPECT_EQ(pair.counts().process.installed, 1) << "no second copy";
    EXPECT_TRUE(pair.node(passive).process().replica().following().welcomed()) << "it follows";
    if (redeployed) {
      pair.node(active).deliver([](PairProcess& process) { process.redeploy(); });
    } else {
      pair.node(active).end(Crash::kProcess);
    }
    EXPECT_NO_THROW(pair.finish());
    EXPECT_EQ(pair.active(), active);
    EXPECT_EQ(pair.counts().process.installed, 2);
  }
}

// ---- requests that outlive who made them ----

/// The passive asks to lead and dies; it is back, and follows, before its request lands.
TEST(HaScenario, NothingRestsUnsyncedWhileARequestOfTheProcessBeforeMayLand) {
  uint64_t landed = 0;
  for (uint64_t seed = 1; seed <= 20 * kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    PairSimulationOptions options = quiet(seed);
    options.profile = *find_pair_profile("unsynced");
    PairSimulation pair(options);
    begin(pair);
    Place active = pair.active();
    Place passive = PairSimulation::other(active);
    PairNode& asks = pair.node(passive);
    JournalId journal = asks.process().replica().own().journal;
    pair.network().set_cut(active, Place::kArbiter, true);
    pair.network().set_cut(active, passive, true);
    pair.arbiter().set_unknown_permille(600);
    auto requests = [&] { return asks.process().replica().counts().lead_requests; };
    pair.run_until("suspected", [&, before = requests()] { return requests() > before; });
    pair.run_for_ms(1);
    asks.end(Crash::kProcess);
    pair.network().set_cut(active, passive, false);
    pair.arbiter().set_unknown_permille(0);
    // It finds its peer before it hears of the record, and so has no reason to ask once more.
    pair.network().set_cut(passive, Place::kArbiter, true);
    pair.run_until("up", [&] { return asks.is_up(); });
    pair.run_for_ms(600);
    pair.network().set_cut(passive, Place::kArbiter, false);
    bool is_named = false;
    for (int64_t until = pair.time().now_ms() + 4000; pair.time().now_ms() < until && !is_named;) {
      pair.run_for_ms(20);
      is_named = pair.arbiter().record().active == journal && asks.is_up() &&
                 asks.process().replica().role() == Role::kPassive;
    }
    if (!is_named) continue;
    ++landed;
    asks.end(Crash::kPower);
    EXPECT_NO_THROW(pair.finish());
  }
  EXPECT_GT(landed, 0);
}

}  // namespace
}  // namespace pollux

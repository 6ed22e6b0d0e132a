// A log that two plans write and two sinks read, on a disk that ends the process or the power at
// any moment, from seeds. What was lost is made again as a replay does, from the state on.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

#include "server/node/result_log.h"
#include "tests/server/node/result_testing.h"

namespace pollux {
namespace {

class ResultLogCrash {
 public:
  explicit ResultLogCrash(uint64_t seed) : random_(seed), disk_(seed) {
    options_.directory = "data/results/Out";
    options_.log_bytes_max = 16 << 10;
    options_.memory_bytes_max = 4 << 10;
    options_.new_id = [this] { return LogId{1, ++last_id_}; };
  }

  void run() {
    if (!start()) restart(any_crash());
    for (int step = 0; step < kSteps && !testing::Test::HasFailure(); ++step) do_something();
    disk_.heal();
    restart(any_crash());
    disk_.heal();
    if (testing::Test::HasFailure()) return;
    while (applied_ < kEntries) apply_next();
    log_->flush();
    read_as_subscriber();
    for (Sink& sink : sinks_) {
      while (deliver(sink)) {
      }
      check_delivered(sink);
    }
  }

 private:
  static constexpr uint64_t kEntries = 600;
  static constexpr int kSteps = 2500;

  struct Sink {
    std::string name;
    std::unique_ptr<ResultLog::Hold> hold;
    uint64_t from = 1;
    std::set<std::string> delivered;
  };

  static void check_delivered(const Sink& sink) {
    for (uint64_t position = 1; position <= kEntries; ++position) {
      for (const char* plan : {"a", "b"}) {
        for (int row = 0; row < rows_of(position, plan); ++row) {
          std::string name = row_name(plan, position, static_cast<uint32_t>(row));
          EXPECT_TRUE(sink.delivered.contains(name)) << sink.name << " misses " << name;
        }
      }
    }
  }

  bool chance(uint64_t one_in) { return random_() % one_in == 0; }

  static std::string row_name(const std::string& plan, uint64_t position, uint32_t ordinal) {
    return plan + " " + std::to_string(position) + "." + std::to_string(ordinal);
  }
  static int rows_of(uint64_t position, const std::string& plan) {
    return static_cast<int>((position * (plan == "a" ? 7 : 3)) % 4);
  }

  /// False: the disk ended meanwhile.
  bool start() {
    if (chance(4)) disk_.crash_after(random_() % 40);
    auto log = ResultLog::open(disk_, result_schema(), options_);
    if (disk_.crashed()) return false;
    EXPECT_TRUE(log.ok()) << log.status();
    if (!log.ok()) return true;
    log_ = *std::move(log);
    for (Sink& sink : sinks_) {
      sink.hold = log_->resume(sink.name, 1);
      sink.from = sink.hold->from();
    }
    return !disk_.crashed();
  }

  void restart(Crash crash) {
    while (true) {
      for (Sink& sink : sinks_) sink.hold = nullptr;
      log_ = nullptr;
      disk_.restart(crash);
      disk_.heal();
      if (crash == Crash::kPower) {
        seen_.clear();  // what did not last may come in another order
        seen_end_ = 0;
      }
      if (start()) break;
      crash = any_crash();
    }
    if (testing::Test::HasFailure()) return;
    applied_ = state_;
    EXPECT_GE(log_->end(), seen_end_);
    check_seen();
    seen_end_ = log_->end();
  }
  Crash any_crash() { return chance(2) ? Crash::kProcess : Crash::kPower; }

  void do_something() {
    if (disk_.crashed()) return restart(any_crash());
    if (!log_->status().ok()) return restart(any_crash());
    switch (random_() % 12) {
      case 0:
        return read_as_subscriber();
      case 1:
        if (chance(6)) return save_state();
        return;
      case 2:
        if (chance(15)) return restart(any_crash());
        return;
      case 3:
        if (chance(20)) disk_.crash_after(random_() % 20);
        return;
      case 4:
        if (chance(60)) disk_.fail_sync_after(random_() % 3);
        return;
      case 5:
        if (chance(10)) disk_.set_capacity(disk_.bytes_used() + random_() % 3000);
        return;
      case 6:
        if (chance(3) && !disk_.crashed()) disk_.set_capacity(SimulatedFileSystem::kNever);
        return log_->retry();
      case 7:
        if (chance(3)) deliver(sinks_[0]);
        return;
      case 8:
        deliver(sinks_[1]);
        return;
      default:
        if (!log_->full()) apply_next();
        if (chance(2)) log_->flush();
    }
  }

  void apply_next() {
    if (applied_ == kEntries) return;
    ++applied_;
    // Plans are shards of their own: either may be first.
    bool swapped = chance(2);
    for (const char* plan : {swapped ? "b" : "a", swapped ? "a" : "b"}) {
      int rows = rows_of(applied_, plan);
      if (rows > 0) log_->append(slice_at(applied_, rows, plan));
      if (chance(3)) log_->flush();
    }
  }

  void save_state() {
    uint64_t position = applied_;
    if (log_->sync().ok()) state_ = position;
  }

  /// The sink takes some rows, and confirms them or not. False: there are none.
  bool deliver(Sink& sink) {
    ResultLog::Read read = log_->read(sink.from, 1 + random_() % 200);
    if (disk_.crashed()) return false;
    EXPECT_TRUE(read.error.ok()) << read.error;
    EXPECT_FALSE(read.forgotten);
    if (read.slices.empty()) return false;
    for (const ResultSlicePtr& slice : read.slices) {
      for (uint32_t row = 0; row < slice->batch->rows(); ++row) {
        if (slice->first + row < sink.from) continue;
        sink.delivered.insert(
            row_name(*slice->plan, slice->cause.position.value, slice->ordinals[row]));
      }
    }
    sink.from = read.next;
    if (!chance(4)) sink.hold->confirm(sink.from);
    return true;
  }

  void read_as_subscriber() {
    uint64_t end = log_->end();
    for (uint64_t from = std::max(log_->begin(), end - std::min<uint64_t>(end, 300)); from < end;) {
      ResultLog::Read read = log_->read(from, 100);
      if (disk_.crashed() || read.forgotten) return;
      ASSERT_TRUE(read.error.ok()) << read.error;
      ASSERT_GT(read.next, from);
      note(read, &seen_);
      from = read.next;
    }
    seen_end_ = std::max(seen_end_, end);
  }

  /// What was seen before is where it was, as it was.
  void check_seen() {
    std::map<uint64_t, std::string> now;
    for (uint64_t from = log_->begin(); from < log_->end();) {
      ResultLog::Read read = log_->read(from, 1000);
      ASSERT_TRUE(read.error.ok()) << read.error;
      ASSERT_GT(read.next, from);
      note(read, &now);
      from = read.next;
    }
    for (const auto& [offset, name] : seen_) {
      if (offset < log_->begin()) continue;
      ASSERT_EQ(now[offset], name) << offset;
    }
  }

  static void note(const ResultLog::Read& read, std::map<uint64_t, std::string>* rows) {
    for (const ResultSlicePtr& slice : read.slices) {
      for (uint32_t row = 0; row < slice->batch->rows(); ++row) {
        std::string name =
            row_name(*slice->plan, slice->cause.position.value, slice->ordinals[row]);
        std::string& known = (*rows)[slice->first + row];
        EXPECT_TRUE(known.empty() || known == name) << known << " is now " << name;
        known = std::move(name);
      }
    }
  }

  std::mt19937_64 random_;
  SimulatedFileSystem disk_;
  ResultLogOptions options_;
  uint64_t last_id_ = 0;
  std::shared_ptr<ResultLog> log_;
  Sink sinks_[2] = {{"slow", nullptr, 1, {}}, {"quick", nullptr, 1, {}}};

  uint64_t applied_ = 0;  // entries
  uint64_t state_ = 0;    // a replay begins behind it
  std::map<uint64_t, std::string> seen_;
  uint64_t seen_end_ = 0;
};

TEST(ResultLogCrash, EveryRowReachesTheSinkWhateverEnds) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    ResultLogCrash(seed).run();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace pollux

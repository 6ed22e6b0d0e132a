// Two drivers in one process, with real journals, a real arbiter in a folder, and a way between
// them that can be cut.
#include "ha/driver/pair_driver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>

#include "ha/arbiter/file_arbiter.h"
#include "ha/driver/random_ids.h"
#include "ha/pair/pair_start.h"
#include "persistence/files/posix_file_system.h"
#include "persistence/journal/journal_reader.h"
#include "tests/support/becomes_true.h"
#include "tests/support/temp_folder.h"

namespace pollux {
namespace {

constexpr std::chrono::seconds kPatience{20};

int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// A node that keeps what it is handed.
class TestNode : public PairDriverListener {
 public:
  TestNode(std::string directory, std::string arbiter_folder)
      : directory_(std::move(directory)), arbiter_folder_(std::move(arbiter_folder)) {}
  ~TestNode() override { stop(); }

  void start(bool bootstrap = false) {
    ASSERT_TRUE(files_.make_directories(directory_).ok());
    JournalOptions journal_options;
    journal_options.directory = directory_ + "/journal";
    journal_options.segment_bytes = 64 << 10;
    journal_options.sync_commits = false;  // the replica says when
    auto journal = Journal::open(files_, journal_options);
    ASSERT_TRUE(journal.ok()) << journal.status();
    auto own = begin_pair_state(file_, **journal, false, {}, [] { return random_id<JournalId>(); });
    ASSERT_TRUE(own.ok()) << own.status();
    auto arbiter = make_file_arbiter({"test"}, arbiter_folder_);
    ASSERT_TRUE(arbiter.ok()) << arbiter.status();
    PairDriverOptions options;
    options.own = *own;
    options.replica.bootstrap = bootstrap;
    options.replica.heartbeat_ms = 50;
    options.replica.retry_ms = 20;
    options.replica.arbiter_poll_ms = 200;
    options.replica.recent_bytes = recent_bytes;
    options.queue_bytes_max = 50'000;
    options.to_peer = [this](PeerMessage message) {
      std::lock_guard lock(way_mutex_);
      if (way_ != nullptr) way_->hear(std::move(message));
    };
    options.wall_clock_ms = wall_ms;
    auto driver = std::make_unique<PairDriver>(files_, *std::move(journal), file_,
                                               *std::move(arbiter), std::move(options), *this);
    std::lock_guard lock(driver_mutex_);
    driver_ = std::move(driver);
    at_work_ = driver_.get();
  }
  void stop() {
    at_work_ = nullptr;
    std::unique_ptr<PairDriver> driver;
    {
      std::lock_guard lock(driver_mutex_);
      driver = std::move(driver_);
    }
    driver.reset();
    std::lock_guard lock(mutex_);
    handed_.clear();
    open_ = false;
  }
  static void connect(TestNode& a, TestNode& b) {
    a.set_way(&b);
    b.set_way(&a);
    a.with([](PairDriver& driver) { driver.on_connected(); });
    b.with([](PairDriver& driver) { driver.on_connected(); });
  }
  static void cut(TestNode& a, TestNode& b) {
    a.set_way(nullptr);
    b.set_way(nullptr);
    a.with([](PairDriver& driver) { driver.on_disconnected(); });
    b.with([](PairDriver& driver) { driver.on_disconnected(); });
  }

  /// Calls `work` with the driver, if there is one.
  template <class Work>
  void with(Work work) {
    std::lock_guard lock(driver_mutex_);
    if (driver_) work(*driver_);
  }
  /// By the thread that starts and stops it: it waits for the driver, and so holds no lock.
  void switch_over() { at_work_.load()->switch_over().IgnoreError(); }
  Role role() {
    Role role = Role::kStopping;
    with([&](PairDriver& driver) { role = driver.status().role; });
    return role;
  }
  bool is_open() {
    std::lock_guard lock(mutex_);
    return open_;
  }
  /// Numbers an entry; false: it does not lead, or there is no room.
  bool append(const std::string& text) {
    std::lock_guard lock(mutex_);
    bool room = false;
    with([&](PairDriver& driver) { room = driver.room_for(100).ok(); });
    if (!open_ || !room) return false;
    Entry entry{{epoch_, {++next_}}, {wall_ms()}, WritePayload{"plan", text}};
    with([&](PairDriver& driver) {
      driver.append(entry, 100, [this](const Entry& committed, const absl::Status& status) {
        std::lock_guard inner(answers_mutex_);
        const auto& write = std::get<WritePayload>(committed.payload);
        (status.ok() ? acknowledged_ : unknown_).push_back(write.text);
        if (!status.ok()) return;
        own_[committed.id.position.value] = write.text;
        note_applied(committed.id.position);
      });
    });
    return true;
  }
  /// The texts of all writes that it knows as committed, in order.
  std::vector<std::string> texts() {
    std::map<uint64_t, std::string> all;
    {
      std::lock_guard lock(mutex_);
      all = handed_;
    }
    std::lock_guard lock(answers_mutex_);
    all.insert(own_.begin(), own_.end());
    std::vector<std::string> texts;
    for (const auto& [position, text] : all) texts.push_back(text);
    return texts;
  }
  std::vector<std::string> acknowledged() {
    std::lock_guard lock(answers_mutex_);
    return acknowledged_;
  }
  size_t unknown() {
    std::lock_guard lock(answers_mutex_);
    return unknown_.size();
  }
  std::vector<std::string> alarms() {
    std::lock_guard lock(mutex_);
    return alarms_;
  }

  std::string journal_folder() const { return directory_ + "/journal"; }

  size_t recent_bytes = size_t{1} << 20;
  std::atomic<bool> holds = false;  ///< takes no entries

  // ---- PairDriverListener ----

  bool apply(const Entry& entry) override {
    if (holds) return false;
    std::lock_guard lock(mutex_);
    const auto* write = std::get_if<WritePayload>(&entry.payload);
    if (write != nullptr) handed_[entry.id.position.value] = write->text;
    note_applied(entry.id.position);
    return true;
  }
  void lead_opened(EntryId tail, Timestamp) override {
    std::lock_guard lock(mutex_);
    open_ = true;
    epoch_ = tail.epoch;
    next_ = tail.position.value;
  }
  void lead_began() override {}
  void lead_ended(const std::string&) override {
    std::lock_guard lock(mutex_);
    open_ = false;
  }
  void role_changed(Role, Role, const std::string&) override {}
  void confirmed(const Confirmed&) override {}
  void snapshot_needed() override {}
  void void_behind(EntryId) override {}
  void room_made() override {}
  void arbiter_answered(const absl::Status&) override {}
  void diverged(const Divergence&) override {}
  void alarm(const std::string& what) override {
    std::lock_guard lock(mutex_);
    alarms_.push_back(what);
  }
  void failed(const absl::Status& why) override {
    std::lock_guard lock(mutex_);
    alarms_.push_back(std::string(why.message()));
  }

 private:
  /// On the driver's own thread.
  void note_applied(Position position) {
    if (PairDriver* driver = at_work_) driver->note_applied(position);
  }
  void set_way(TestNode* peer) {
    std::lock_guard lock(way_mutex_);
    way_ = peer;
  }
  void hear(PeerMessage message) {
    with([&](PairDriver& driver) { driver.on_message(std::move(message)); });
  }

  const std::string directory_;
  const std::string arbiter_folder_;
  PosixFileSystem files_;
  PairFile file_{files_, directory_};

  std::mutex way_mutex_;
  TestNode* way_ = nullptr;

  std::mutex mutex_;
  std::map<uint64_t, std::string> handed_;
  bool open_ = false;
  Epoch epoch_;
  uint64_t next_ = 0;
  std::vector<std::string> alarms_;

  std::mutex answers_mutex_;
  std::map<uint64_t, std::string> own_;
  std::vector<std::string> acknowledged_;
  std::vector<std::string> unknown_;

  std::mutex driver_mutex_;
  std::unique_ptr<PairDriver> driver_;
  std::atomic<PairDriver*> at_work_ = nullptr;
};

class PairDriverTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_.path() + "/arbiter");
    a_ = std::make_unique<TestNode>(folder_.path() + "/a", folder_.path() + "/arbiter");
    b_ = std::make_unique<TestNode>(folder_.path() + "/b", folder_.path() + "/arbiter");
  }
  /// Before either goes the other calls it no more.
  void TearDown() override { TestNode::cut(*a_, *b_); }
  void start_pair() {
    a_->start();
    b_->start();
    TestNode::connect(*a_, *b_);
    ASSERT_TRUE(becomes_true([&] { return is_pair(); }, kPatience));
  }
  bool is_pair() {
    Role a = a_->role();
    Role b = b_->role();
    return (a == Role::kActivePaired && b == Role::kPassive) ||
           (b == Role::kActivePaired && a == Role::kPassive);
  }
  TestNode& active() { return a_->is_open() ? *a_ : *b_; }
  TestNode& other(TestNode& node) { return &node == a_.get() ? *b_ : *a_; }

  TempFolder folder_;
  std::unique_ptr<TestNode> a_, b_;
};

TEST_F(PairDriverTest, TwoBlankNodesBecomeAPair) {
  start_pair();
  EXPECT_NE(a_->is_open(), b_->is_open());
  EXPECT_TRUE(a_->alarms().empty());
}

TEST_F(PairDriverTest, ANodeThatIsToldSoBeginsAlone) {
  a_->start(/*bootstrap=*/true);
  ASSERT_TRUE(becomes_true([&] { return a_->is_open(); }, kPatience));
  EXPECT_EQ(a_->role(), Role::kActiveSolo);
  ASSERT_TRUE(a_->append("x"));
  EXPECT_TRUE(becomes_true([&] { return a_->acknowledged().size() == 1; }, kPatience));
}

TEST_F(PairDriverTest, ANodeThatIsNotToldSoWaits) {
  a_->start();
  ASSERT_TRUE(becomes_true([&] { return a_->role() != Role::kStarting; }, kPatience));
  EXPECT_FALSE(a_->is_open());
}

TEST_F(PairDriverTest, EntriesReachTheOtherNodeInOrder) {
  start_pair();
  TestNode& active = this->active();
  std::vector<std::string> sent;
  for (int i = 0; i < 500; ++i) {
    sent.push_back(std::to_string(i));
    ASSERT_TRUE(active.append(sent.back()));
  }
  ASSERT_TRUE(becomes_true([&] { return active.acknowledged().size() == sent.size(); }, kPatience));
  EXPECT_EQ(active.acknowledged(), sent);
  EXPECT_TRUE(becomes_true([&] { return other(active).texts() == sent; }, kPatience));
}

TEST_F(PairDriverTest, WhoIsLeftLeadsAndWhoComesBackCatchesUp) {
  start_pair();
  TestNode& first = active();
  TestNode& second = other(first);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(first.append("a" + std::to_string(i)));
  ASSERT_TRUE(becomes_true([&] { return first.acknowledged().size() == 50; }, kPatience));
  std::vector<std::string> expected = first.acknowledged();

  first.stop();
  TestNode::cut(first, second);
  ASSERT_TRUE(becomes_true([&] { return second.is_open(); }, kPatience));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(second.append("b" + std::to_string(i)));
  ASSERT_TRUE(becomes_true([&] { return second.acknowledged().size() == 50; }, kPatience));
  for (const std::string& text : second.acknowledged()) expected.push_back(text);

  first.start();
  TestNode::connect(first, second);
  ASSERT_TRUE(becomes_true([&] { return is_pair(); }, kPatience));
  EXPECT_TRUE(becomes_true([&] { return first.texts() == expected; }, kPatience));
}

TEST_F(PairDriverTest, SwitchoversUnderLoadLoseNothing) {
  start_pair();
  std::atomic<bool> goes_on = true;
  std::jthread load([&](const std::stop_token& stopped) {
    for (int i = 0; goes_on && !stopped.stop_requested(); ++i) {
      std::string text = std::to_string(i);
      auto goes = [&] { return goes_on && !stopped.stop_requested(); };
      while (goes() && !a_->append(text) && !b_->append(text)) std::this_thread::yield();
    }
  });
  for (int times = 0; times < 5; ++times) {
    TestNode& before = active();
    TestNode& after = other(before);
    ASSERT_TRUE(becomes_true([&] { return is_pair(); }, kPatience));
    ASSERT_TRUE(becomes_true(
        [&] {
          before.switch_over();
          return after.is_open();
        },
        kPatience));
  }
  goes_on = false;
  load.join();
  ASSERT_TRUE(becomes_true([&] { return is_pair(); }, kPatience));
  auto everything = [&] {
    std::vector<std::string> all = a_->acknowledged();
    for (const std::string& text : b_->acknowledged()) all.push_back(text);
    std::sort(all.begin(), all.end());
    return all;
  };
  auto holds_all = [&](TestNode& node) {
    std::vector<std::string> texts = node.texts();
    std::sort(texts.begin(), texts.end());
    std::vector<std::string> all = everything();
    return std::includes(texts.begin(), texts.end(), all.begin(), all.end());
  };
  EXPECT_TRUE(becomes_true([&] { return holds_all(*a_) && holds_all(*b_); }, kPatience));
  EXPECT_TRUE(a_->alarms().empty());
  EXPECT_TRUE(b_->alarms().empty());
}

/// Overwrites the middle of the youngest file.
void let_rot(const std::string& folder) {
  std::filesystem::path youngest;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    bool is_segment = file.path().filename() != "lock";
    if (is_segment) youngest = std::max(youngest, file.path());
  }
  std::fstream bytes(youngest, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(static_cast<std::streamoff>(std::filesystem::file_size(youngest) / 2));
  bytes << std::string(300, 'x');
  ASSERT_TRUE(bytes.good()) << youngest;
}

TEST_F(PairDriverTest, ANodeThatHasFailedDoesNotAskToLead) {
  for (TestNode* node : {a_.get(), b_.get()}) node->recent_bytes = 0;  // all comes from the disk
  start_pair();
  TestNode& active = this->active();
  TestNode& fails = other(active);
  fails.holds = true;
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(becomes_true([&] { return active.append(std::to_string(i)); }, kPatience));
  }
  ASSERT_TRUE(becomes_true([&] { return active.acknowledged().size() == 2000; }, kPatience));
  let_rot(fails.journal_folder());
  fails.holds = false;
  ASSERT_TRUE(becomes_true([&] { return !fails.alarms().empty(); }, kPatience));

  // Its journal will have lost something at its next start: nobody could lead then.
  fails.with([](PairDriver& driver) { driver.on_disconnected(); });
  EXPECT_FALSE(becomes_true([&] { return !active.is_open(); }, std::chrono::seconds(1)));
  TestNode::cut(*a_, *b_);
  ASSERT_TRUE(becomes_true([&] { return active.role() == Role::kActiveSolo; }, kPatience));
  ASSERT_TRUE(active.append("alone"));
  EXPECT_TRUE(becomes_true([&] { return active.acknowledged().size() == 2001; }, kPatience));
}

TEST_F(PairDriverTest, AStopAnswersEverybody) {
  start_pair();
  TestNode& active = this->active();
  TestNode::cut(*a_, *b_);  // so that what comes now is not committed at once
  for (int i = 0; i < 100; ++i) active.append(std::to_string(i));
  active.stop();
  EXPECT_EQ(active.acknowledged().size() + active.unknown(), 100);
}

}  // namespace
}  // namespace pollux

#include <cstdio>

#include "server/receivers/receiver_manager.h"
#include "tests/server/publishers/sink_testing.h"

namespace pollux {
namespace {

void append(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::app) << text;
}

/// A node whose plan P reads a file into In and copies it to Out.
class FileReceiverTest : public testing::Test {
 protected:
  FileReceiverTest() { make_node({}); }
  ~FileReceiverTest() override {
    receivers_->stop();
    node_->stop();
  }

  void make_node(NodeOptions options) {
    options.epoch = Epoch{++epoch_};
    options.workers = 1;
    if (receivers_ != nullptr) receivers_->stop();
    auto node = std::make_unique<Node>(options);
    receivers_ = std::make_unique<ReceiverManager>(node->intake(), environment());
    node_ = std::move(node);
    node_->add_observer(*receivers_);
  }
  ReceiverEnvironment environment() {
    return {folder_ / "data/receivers", [this](const std::string& text) {
              std::lock_guard lock(mutex_);
              warnings_ += text + "\n";
            }};
  }
  std::string source(const std::string& more) const {
    return "@source(type='file', file.uri='file://" + (folder_ / "in") + "', poll.interval='2 ms'" +
           more + ")";
  }
  Deployed deploy(const std::string& annotations, bool replace = false) {
    DeployRequest request;
    request.text = "@plan:name('P')\n" + annotations +
                   "\ndefine stream In (name string, n long);\n"
                   "from In select name, n insert into Out;\n";
    request.replace = replace;
    return node_->deploy(request);
  }
  /// The names of all results, once there are so many.
  std::string names(uint64_t rows) {
    std::shared_ptr<ResultLog> log = node_->find_results("Out");
    if (log == nullptr) return "no log";
    std::string text;
    for (const std::string& line : results_of(*log, rows)) {
      size_t begin = line.find(' ') + 1;
      text += line.substr(begin, line.find(' ', begin) - begin) + " ";
    }
    return text;
  }
  ReceiverCounts counts() const {
    std::vector<ReceiverInfo> states = receivers_->states();
    return states.empty() ? ReceiverCounts{} : states[0].counts;
  }
  std::string warnings() {
    std::lock_guard lock(mutex_);
    return warnings_;
  }

  uint64_t epoch_ = 0;
  std::mutex mutex_;
  std::string warnings_;
  TestFolder folder_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<ReceiverManager> receivers_;
};

std::string json(const std::string& name, int n) {
  return "{\"name\":\"" + name + "\",\"n\":" + std::to_string(n) + "}\n";
}

TEST_F(FileReceiverTest, takes_lines_as_they_come) {
  ASSERT_EQ(deploy(source("")).outcome, Deployed::Outcome::kDeployed);
  ASSERT_TRUE(soon([&] { return counts().state == ReceiverState::kWaiting; }));  // no file yet
  append(folder_ / "in", json("a", 1) + json("b", 2) + "{\"name\":\"c\",");
  EXPECT_EQ(names(2), "a b ");
  append(folder_ / "in", "\"n\":3}\n");
  EXPECT_EQ(names(3), "a b c ");
  EXPECT_EQ(counts().bad_rows, 0U);
}

TEST_F(FileReceiverTest, reads_csv_with_its_header) {
  append(folder_ / "in", "n,other,name\n1,x,a\n");
  ASSERT_EQ(deploy(source(", @map(type='csv')")).outcome, Deployed::Outcome::kDeployed);
  EXPECT_EQ(names(1), "a ");
  append(folder_ / "in", "2,x,b\nthree,x,c\n4,x,d\n");
  EXPECT_EQ(names(3), "a b d ");
  EXPECT_EQ(counts().bad_rows, 1U);
  EXPECT_NE(warnings().find("1 bad rows"), std::string::npos) << warnings();
}

TEST_F(FileReceiverTest, a_replaced_or_restarted_receiver_repeats_nothing) {
  append(folder_ / "in", json("a", 1) + json("b", 2));
  ASSERT_EQ(deploy(source("")).outcome, Deployed::Outcome::kDeployed);
  EXPECT_EQ(names(2), "a b ");
  ASSERT_EQ(deploy(source(", begin='start'"), true).outcome, Deployed::Outcome::kDeployed);
  append(folder_ / "in", json("c", 3));
  EXPECT_EQ(names(3), "a b c ");
  ASSERT_TRUE(node_->undeploy("P", false).ok());
  EXPECT_TRUE(receivers_->states().empty());
  append(folder_ / "in", json("d", 4));
  ASSERT_EQ(deploy(source("")).outcome, Deployed::Outcome::kDeployed);
  EXPECT_EQ(names(1), "d ");
}

TEST_F(FileReceiverTest, a_batch_that_was_under_way_is_told_apart_by_its_number) {
  append(folder_ / "in", json("a", 1));
  ASSERT_EQ(deploy(source("")).outcome, Deployed::Outcome::kDeployed);
  EXPECT_EQ(names(1), "a ");
  ASSERT_TRUE(soon([&] { return counts().bytes > 0; }));
  receivers_->stop();
  std::string path = folder_ / "data/receivers/P%2fIn%2ffile%2f1.place";
  std::optional<FilePlace> place = read_place(path);
  ASSERT_TRUE(place) << path;
  EXPECT_EQ(place->begin, place->end);
  place->begin = 0;  // as if it had died before it heard that the batch was taken
  ASSERT_TRUE(write_place(path, *place).ok());
  append(folder_ / "in", json("b", 2));
  FileReceiverOptions options;
  options.name = "P/In/file/1";
  options.stream = "In";
  options.path = folder_ / "in";
  options.place_path = path;
  options.poll = std::chrono::milliseconds(2);
  FileReceiver again(options, node_->intake(), [](const std::string&) {});
  EXPECT_EQ(names(2), "a b ");
  ASSERT_TRUE(soon([&] { return again.counts().batches == 2; }));
  EXPECT_EQ(again.counts().repeated, 1U);
}

TEST_F(FileReceiverTest, a_rotated_file_is_read_to_its_end_and_the_new_one_from_its_start) {
  append(folder_ / "in", json("a", 1));
  ASSERT_EQ(deploy(source("")).outcome, Deployed::Outcome::kDeployed);
  EXPECT_EQ(names(1), "a ");
  std::filesystem::rename(folder_ / "in", folder_ / "in.1");
  append(folder_ / "in.1", json("b", 2));
  append(folder_ / "in", json("c", 3));
  EXPECT_EQ(names(3), "a b c ");
}

TEST_F(FileReceiverTest, a_file_that_was_cut_begins_anew) {
  append(folder_ / "in", json("a", 1) + json("b", 2));
  ASSERT_EQ(deploy(source("")).outcome, Deployed::Outcome::kDeployed);
  EXPECT_EQ(names(2), "a b ");
  ASSERT_TRUE(soon([&] { return counts().bytes > 0; }));
  std::ofstream(folder_ / "in", std::ios::trunc) << json("c", 3);
  EXPECT_EQ(names(3), "a b c ");
}

TEST_F(FileReceiverTest, a_line_that_is_too_long_costs_only_itself) {
  ASSERT_EQ(deploy(source("")).outcome, Deployed::Outcome::kDeployed);
  append(folder_ / "in", json("a", 1) + std::string(3 << 20, 'x') + "\n" + json("b", 2));
  EXPECT_EQ(names(2), "a b ");
  EXPECT_EQ(counts().bad_rows, 1U);
}

TEST_F(FileReceiverTest, without_tailing_it_ends_with_the_file) {
  std::string last = json("b", 2);
  last.pop_back();
  append(folder_ / "in", json("a", 1) + last);
  ASSERT_EQ(deploy(source(", tailing='false'")).outcome, Deployed::Outcome::kDeployed);
  EXPECT_EQ(names(2), "a b ");
  EXPECT_TRUE(soon([&] { return counts().state == ReceiverState::kFinished; }));
}

TEST_F(FileReceiverTest, it_waits_while_the_plans_are_behind) {
  NodeOptions options;
  options.shard.entries_max = 2;
  options.result_log_bytes_max = 32 * 1024;
  make_node(options);
  ASSERT_EQ(deploy(source("")).outcome, Deployed::Outcome::kDeployed);
  auto log = node_->find_results("Out");
  auto hold = log->hold(0);
  std::string large(30'000, 'x');
  for (int n = 0; n < 100; ++n) append(folder_ / "in", json(large, n));
  ASSERT_TRUE(soon([&] { return node_->counts().waiting == 1 || log->full(); }));
  EXPECT_LT(log->end(), 100U);
  EXPECT_TRUE(soon([&] {
    hold->confirm(log->end());
    return log->end() == 100;
  }));
  EXPECT_TRUE(soon([&] { return counts().events == 100; }));
}

TEST_F(FileReceiverTest, receivers_of_the_settings_wait_for_their_stream) {
  append(folder_ / "in", json("a", 1));
  EndpointDefinition source;
  source.name = "logins";
  source.type = "file";
  source.stream = "In";
  source.place = {"pollux.yaml", {3, 1}};
  EXPECT_EQ(receivers_->set_settings({source}).size(), 1U);  // no path
  source.options = {{"path", folder_ / "in", {}}, {"poll.interval", "2 ms", {}}};
  ASSERT_TRUE(receivers_->set_settings({source}).empty());
  ASSERT_TRUE(soon([&] { return counts().state == ReceiverState::kWaiting; }));
  ASSERT_EQ(deploy("").outcome, Deployed::Outcome::kDeployed);
  EXPECT_EQ(names(1), "a ");
}

TEST_F(FileReceiverTest, what_is_wrong_is_said_before_the_deploy) {
  Deployed deployed = deploy(
      "@source(type='flie')\n@source(type='file', tailng='yes', "
      "timestamp='name', path='x', @map(type='jsn'))");
  EXPECT_EQ(deployed.outcome, Deployed::Outcome::kErrors);
  std::string text = to_text(deployed.diagnostics, "plan");
  for (const char* part : {"unknown type of source 'flie'", "unknown option 'tailng'", "'tailing'",
                           "unknown map type 'jsn'", "has no attribute 'name' of type long"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  EXPECT_TRUE(node_->plans().empty());
}

}  // namespace
}  // namespace pollux

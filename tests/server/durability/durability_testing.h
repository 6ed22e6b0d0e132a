// A node on a data directory, as the daemon puts one together, but without a network: it is
// started, dropped, killed and stopped.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/durability/durability.h"
#include "server/node/epoch_file.h"
#include "server/settings/load.h"
#include "tests/server/durability/faulty_files.h"
#include "tests/server/node/node_testing.h"

namespace pollux {

class DurabilityTest : public testing::Test {
 protected:
  using Lines = std::vector<std::string>;
  using Rows = std::vector<std::vector<Value>>;
  using FileMap = std::map<std::string, std::string>;

  DurabilityTest() {
    std::string pattern = testing::TempDir() + "durability-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    settings_ = load_settings({}).settings;
    settings_.data_dir = folder_ / "data";
    settings_.engine.workers = 2;
  }
  ~DurabilityTest() override {
    files_.heal();
    drop();
    log_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  // ---- starts and ends ----

  absl::Status try_start(StartOrders orders = {}) {
    if (log_ == nullptr) log_ = *Logger::open({.file = folder_ / "log"});
    absl::Status made = files_.make_directories(settings_.data_dir);
    if (!made.ok()) return made;
    auto opened = Durability::open(files_, settings_, *log_, std::move(orders));
    if (!opened.ok()) return opened.status();
    durability_ = *std::move(opened);
    auto epoch = begin_epoch(settings_.data_dir, durability_->epoch_seen());
    if (!epoch.ok()) return epoch.status();
    NodeOptions options;
    options.epoch = *epoch;
    options.workers = settings_.engine.workers;
    options.plan_log = plan_log_;
    durability_->equip(options);
    node_ = std::make_unique<Node>(
        std::move(options), [this](const std::string& plan, const std::string& reason) {
          log_->error("a plan failed and is suspended", {{"plan", plan}, {"reason", reason}});
        });
    for (PlanObserver* observer : observers_) node_->add_observer(*observer);
    absl::Status recovered = durability_->recover(*node_);
    if (!recovered.ok()) drop();
    return recovered;
  }
  void start(StartOrders orders = {}) {
    absl::Status started = try_start(std::move(orders));
    ASSERT_TRUE(started.ok()) << started;
  }
  /// The process ends in order, but writes no states.
  void drop() {
    if (node_ != nullptr) node_->stop();
    if (durability_ != nullptr) durability_->close();
    node_.reset();
    durability_.reset();
  }
  /// As SIGTERM ends it.
  void stop() {
    ASSERT_TRUE(node_->drain(kPatience));
    durability_->persist_at_end(kPatience);
    drop();
  }
  /// The process ends at once: the directory is as it was while the node ran, which must be at
  /// rest.
  void kill() {
    namespace fs = std::filesystem;
    fs::copy(data(), folder_ / "left",
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    drop();
    fs::remove_all(data());
    fs::rename(folder_ / "left", data());
  }
  void kill_and_start() {
    kill();
    start();
  }

  // ---- work ----

  Deployed deploy(std::string text, bool replace = false) {
    DeployRequest request;
    request.text = std::move(text);
    request.replace = replace;
    Deployed deployed = node_->deploy(request);
    EXPECT_EQ(deployed.outcome, Deployed::Outcome::kDeployed)
        << deployed.reason << to_text(deployed.diagnostics, "plan");
    return deployed;
  }
  Submitted send(const std::string& stream, const Rows& rows, std::string producer = "",
                 uint64_t number = 0) {
    SchemaPtr schema = node_->intake().schema_of(stream);
    if (schema == nullptr) {
      Submitted unknown;
      unknown.status = absl::NotFoundError(stream);
      return unknown;
    }
    return submit(node_->intake(),
                  submission_of(batch_of(schema, rows), std::move(producer), number));
  }
  void send_ok(const std::string& stream, const Rows& rows) {
    Submitted answer = send(stream, rows);
    ASSERT_TRUE(answer.status.ok()) << answer.status;
  }
  /// Waits until all plans have taken all that was acknowledged.
  void settle() {
    for (const PlanInfo& plan : node_->plans()) {
      ASSERT_TRUE(node_->with_engine(plan.name, [](Engine&) {}).ok()) << plan.name;
    }
  }
  PersistReport persist() {
    auto report = durability_->persister().persist(kPatience);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : PersistReport();
  }
  /// All rows of the stream that are there, once all plans have taken all, as "id a b c".
  Lines results(const std::string& stream) {
    settle();
    auto log = node_->find_results(stream);
    return log == nullptr ? Lines{"no log"} : results_of(*log, 0);
  }
  /// The same without ids.
  Lines values(const std::string& stream) {
    Lines lines = results(stream);
    for (std::string& line : lines) line = line.substr(line.find(' ') + 1);
    return lines;
  }
  std::string suspended_because(const std::string& plan) const {
    auto info = node_->plan(plan);
    return info ? info->suspended_because : "it is not there";
  }
  const RecoveryCounts& recovered() const { return durability_->recovered(); }

  // ---- files ----

  std::filesystem::path data() const { return settings_.data_dir; }
  std::filesystem::path states_of(const std::string& plan) const {
    return data() / "cep_persistence" / "-1234" / plan;
  }
  /// Paths of the files below, in order.
  static std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  static std::string content_of(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  static void write_file(const std::filesystem::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
  }
  /// Every file below with its bytes.
  static FileMap all_of(const std::filesystem::path& folder) {
    FileMap all;
    for (const auto& file : files_in(folder)) all[file.string()] = content_of(file);
    return all;
  }
  /// Turns over the bits of the byte in the middle, or at `offset` from the begin.
  static void rot(const std::filesystem::path& file, size_t offset = SIZE_MAX) {
    std::string bytes = content_of(file);
    ASSERT_FALSE(bytes.empty()) << file;
    if (offset == SIZE_MAX) offset = bytes.size() / 2;
    bytes[offset] = static_cast<char>(~bytes[offset]);
    write_file(file, bytes);
  }
  std::string logged() const { return content_of(folder_ / "log"); }

  static bool becomes_true(const std::function<bool()>& condition) {
    auto until = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

  std::filesystem::path folder_;
  Settings settings_;
  FaultyFiles files_;
  std::unique_ptr<Logger> log_;
  std::vector<PlanObserver*> observers_;
  PlanLog* plan_log_ = nullptr;
  std::unique_ptr<Durability> durability_;
  std::unique_ptr<Node> node_;
};

}  // namespace pollux

// What tests of the gRPC server share.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/batch/event_batch.h"
#include "server/client/publish_client.h"
#include "server/grpc/grpc_server.h"
#include "server/grpc/subscribe_client.h"

namespace pollux {

constexpr std::chrono::seconds kPatience{20};

/// Polls until `condition` holds; false when it does not in time.
inline bool eventually(const std::function<bool()>& condition) {
  auto until = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

inline SchemaPtr login_stream() {
  return std::make_shared<const Schema>("LoginStream",
                                        std::vector<Attribute>{{"username", AttributeType::kString},
                                                               {"ip", AttributeType::kString},
                                                               {"success", AttributeType::kBool},
                                                               {"region", AttributeType::kString},
                                                               {"ts", AttributeType::kLong},
                                                               {"risk", AttributeType::kDouble}});
}

inline std::shared_ptr<EventBatch> logins(uint32_t rows, uint32_t first = 0,
                                          SchemaPtr schema = login_stream()) {
  auto batch = std::make_shared<EventBatch>(std::move(schema));
  for (uint32_t row = first; row < first + rows; ++row) {
    int64_t time = 1'700'000'000'000 + row;
    batch->append_string(0, "user" + std::to_string(10'000 + row % 10'000) + "@example.com");
    batch->append_string(1, "10.1." + std::to_string(row % 256) + "." + std::to_string(row % 200));
    batch->append_value(2, row % 5 != 0);
    batch->append_string(3, "region-" + std::to_string(10 + row % 50));
    batch->append_value(4, time);
    batch->append_value(5, static_cast<double>(row % 100) / 100);
    batch->end_row(time);
  }
  return batch;
}

/// Logs of results by their streams' names.
class LogsByName final : public ResultLogs {
 public:
  void add(std::shared_ptr<ResultLog> log) {
    std::string name = log->schema()->name();
    logs_[name] = std::move(log);
  }
  std::shared_ptr<ResultLog> find_results(std::string_view stream) const override {
    auto found = logs_.find(std::string(stream));
    return found == logs_.end() ? nullptr : found->second;
  }
  absl::Status lets_out() const override { return absl::OkStatus(); }
  bool may_come(std::string_view id) const override { return id == to_come; }

  std::string to_come;

 private:
  std::map<std::string, std::shared_ptr<ResultLog>> logs_;
};

inline std::unique_ptr<GrpcServer> started(Intake& intake, ResultLogs& logs,
                                           const GrpcLimits& limits = {}) {
  auto server =
      GrpcServer::start({.address = "127.0.0.1", .port = 0, .limits = limits}, intake, logs);
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

inline std::string target_of(const GrpcServer& server) {
  return "127.0.0.1:" + std::to_string(server.port());
}

/// Outcomes as they come.
class Outcomes {
 public:
  PublishClient::OnReply taker() {
    return [this](const PublishOutcome& outcome) {
      std::lock_guard lock(mutex_);
      outcomes_.push_back(outcome);
    };
  }
  std::vector<PublishOutcome> all() const {
    std::lock_guard lock(mutex_);
    return outcomes_;
  }
  size_t size() const { return all().size(); }

 private:
  mutable std::mutex mutex_;
  std::vector<PublishOutcome> outcomes_;
};

inline std::unique_ptr<PublishClient> publisher(const GrpcServer& server, Outcomes& outcomes,
                                                PublishOptions options = {}) {
  options.target = target_of(server);
  if (options.stream.empty()) options.stream = "LoginStream";
  auto client = PublishClient::open(options, outcomes.taker());
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

}  // namespace pollux

// Our engine as a worker of scripts/bench: takes the commands that Worker.java takes (listed there)
// and answers each with one JSON line.
//
// Thread: the one that calls. Failure: every command throws std::runtime_error.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/runtime/engine.h"
#include "tests/bench/batch_feed.h"
#include "tests/bench/result_sinks.h"
#include "tests/bench/workload_data.h"

namespace pollux::bench {

class EngineWorker {
 public:
  /// `command` is the line split at its tabs.
  std::string answer(const std::vector<std::string>& command);

 private:
  /// An engine with a workload deployed, and how far it was fed.
  struct Session {
    std::unique_ptr<Engine> engine;
    std::unique_ptr<BatchFeed> feed;
    Position next{1};
    size_t bytes_at_start = 0;
    CountingSink sink;
  };
  struct Feeding {
    uint32_t batch_rows;
    uint32_t section_rows;
  };

  std::string load(const std::vector<std::string>& command);
  std::string export_rows(const std::vector<std::string>& command);
  std::string open(const std::vector<std::string>& command);
  std::string run(const std::vector<std::string>& command);
  std::string state(const std::vector<std::string>& command);

  std::unique_ptr<Session> deploy(const std::string& workload, Feeding feeding) const;
  void load_users(Session& session) const;

  std::string workloads_;
  EventBatchPtr events_;
  std::vector<User> users_;
  std::unique_ptr<Session> session_;
};

}  // namespace pollux::bench

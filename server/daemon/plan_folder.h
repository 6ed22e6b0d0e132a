// Plans that stand as files (*.siddhi) in a folder: deployed when they appear or change, removed
// with their file.
//
// Of a pair the node that leads does so; the other tells what differs from what is deployed.
// A file with mistakes is told in the log, once a version, and what was deployed from it before
// goes on. Thread: main; it looks at the folder on a thread of its own, every two seconds.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "server/log/logger.h"
#include "server/node/node.h"

namespace pollux {

class PlanFolder {
 public:
  /// Deploys what is there and begins to watch. An error when the folder cannot be read.
  static absl::StatusOr<std::unique_ptr<PlanFolder>> watch(std::string folder, Node& node,
                                                           Logger& log);
  ~PlanFolder();

 private:
  struct File {
    int64_t changed_ns = 0;
    uint64_t bytes = 0;
    std::string plan;  ///< deployed from it; empty: none
    friend bool same(const File& a, const File& b) {
      return a.changed_ns == b.changed_ns && a.bytes == b.bytes;
    }
  };

  PlanFolder(std::string folder, Node& node, Logger& log)
      : folder_(std::move(folder)), node_(node), log_(log) {}
  void find_deployed();
  absl::Status look();
  void take_as_it_is(const std::map<std::string, File>& seen);
  void tell_difference(const std::string& path, const File& file,
                       const std::optional<PlanInfo>& plan);
  std::optional<std::string> read(const std::string& path, const File& file);
  void deploy(const std::string& path, File& file);
  void undeploy(const std::string& path, const File& file);
  void run();

  const std::string folder_;
  Node& node_;
  Logger& log_;
  // Of whoever looks:
  std::map<std::string, File> files_;  // by path
  bool leads_ = false;                 // as of the last look

  std::mutex mutex_;
  std::condition_variable stop_wanted_;
  bool stopping_ = false;
  std::thread watcher_;
};

}  // namespace pollux

// A node on a data directory, as polluxd has one, without its network.
//
// Every failure throws std::runtime_error. Thread: one; the parts have their own.
#pragma once

#include <memory>
#include <string>

#include "persistence/files/posix_file_system.h"
#include "server/durability/durability.h"
#include "server/log/logger.h"
#include "server/node/node.h"

namespace pollux::bench {

class LastingNode {
 public:
  /// Recovers what is there. States are written on order only.
  explicit LastingNode(const std::string& folder, SyncMode sync = SyncMode::kEveryCommit);
  ~LastingNode();

  Node& node() { return *node_; }
  const Durability& durability() const { return *durability_; }
  /// Deploys the plan of that text; says nothing when it is there already.
  void deploy(const std::string& text);
  /// Returns when the plan has applied all that was taken so far.
  void wait_until_applied(const std::string& plan);
  PersistReport persist();
  /// As a process that is killed: no state is written.
  void stop();

 private:
  PosixFileSystem files_;
  std::unique_ptr<Logger> log_;
  std::unique_ptr<Durability> durability_;
  std::unique_ptr<Node> node_;
};

}  // namespace pollux::bench

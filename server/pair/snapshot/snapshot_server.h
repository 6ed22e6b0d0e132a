// Gives snapshots of this node to the other one, over gRPC.
//
// Thread: those of gRPC.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/pair/snapshot/snapshot_source.h"

namespace pollux {

struct SnapshotServerOptions {
  std::string domain;
  std::string address = "0.0.0.0";
  uint16_t port = 10005;        ///< 0: the kernel chooses
  uint64_t bytes_a_second = 0;  ///< of what is sent; 0: as fast as it goes
};

class SnapshotServer {
 public:
  /// `source` outlives it. Errors name the address.
  static absl::StatusOr<std::unique_ptr<SnapshotServer>> start(const SnapshotServerOptions& options,
                                                               SnapshotSource& source);
  ~SnapshotServer();

  uint16_t port() const { return port_; }
  uint64_t taken() const;
  uint64_t bytes_sent() const;

 private:
  class Service;
  SnapshotServer();

  std::unique_ptr<Service> service_;
  uint16_t port_ = 0;
};

}  // namespace pollux

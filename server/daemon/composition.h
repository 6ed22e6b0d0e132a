// The parts of a running node, put together: stores, plans, the API.
//
// Thread: main starts and stops it; everything else runs on threads of its own. Parts are stopped
// in the reverse of the order in which they stand here.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "persistence/files/posix_file_system.h"
#include "server/api/api.h"
#include "server/daemon/plan_folder.h"
#include "server/daemon/plan_log_writer.h"
#include "server/durability/durability.h"
#include "server/durability/start_orders.h"
#include "server/grpc/grpc_server.h"
#include "server/http/http_server.h"
#include "server/log/logger.h"
#include "server/node/node.h"
#include "server/pair/pair_member.h"
#include "server/publishers/sink_manager.h"
#include "server/receivers/receiver_manager.h"
#include "server/settings/settings.h"
#include "server/stores/store_set.h"
#include "server/stores/stored_holders.h"

namespace pollux {

class Composition {
 public:
  /// Opens everything, or says what could not be opened; then nothing stays open.
  static absl::StatusOr<std::unique_ptr<Composition>> start(const Settings& settings,
                                                            const std::string& version, Logger& log,
                                                            StartOrders orders = {},
                                                            std::function<void()> on_must_end = {});
  ~Composition();

  /// Takes no more events, lets those that were taken pass the plans for at most so long, and
  /// closes everything.
  void stop(std::chrono::milliseconds patience);

  /// The node must end, and the log says why; `on_must_end` of start() was called.
  bool must_end() const { return must_end_; }
  /// It is to be started again at once, as a process of its own.
  bool starts_again() const { return pair_ != nullptr && pair_->starts_again(); }
  /// The ports that are open.
  uint16_t http_port() const { return http_->port(); }
  uint16_t grpc_port() const { return grpc_->port(); }
  Node& node() { return *node_; }
  StoreSet& stores() { return *stores_; }
  SinkManager& sinks() { return *sinks_; }
  ReceiverManager& receivers() { return *receivers_; }

 private:
  Composition(Logger& log, std::function<void()> on_must_end)
      : log_(log), on_must_end_(std::move(on_must_end)), plan_log_(log) {}
  absl::Status open(const Settings& settings, const std::string& version, StartOrders orders);
  absl::StatusOr<Epoch> open_data(const Settings& settings, StartOrders orders);
  absl::Status add_functions_of(const Settings& settings);
  absl::StatusOr<StoredRows> stored_rows(const StoredHolder& holder) const;
  void look_up_external_tables(const Settings& settings, NodeOptions& node);
  Intake& intake();
  absl::Status open_endpoints(const Settings& settings);
  absl::Status start_pair();
  absl::Status open_http(const Settings& settings);
  absl::Status open_grpc(const Settings& settings);

  Logger& log_;
  const std::function<void()> on_must_end_;
  std::atomic<bool> must_end_ = false;
  PlanLogWriter plan_log_;
  bool open_ = false;  // all of it
  bool stopped_ = false;
  PosixFileSystem files_;
  std::unique_ptr<FileLock> data_lock_;
  std::unique_ptr<Durability> durability_;  // null: persistence is off
  std::unique_ptr<PairMember> pair_;        // null: the node stands alone
  std::unique_ptr<StoreSet> stores_;
  StoreIn store_in_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<PairIntake> pair_intake_;  // null: the node stands alone
  std::unique_ptr<SinkManager> sinks_;
  std::unique_ptr<ReceiverManager> receivers_;
  std::unique_ptr<ApiParts> api_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<GrpcServer> grpc_;
  std::unique_ptr<PlanFolder> plans_;
};

}  // namespace pollux

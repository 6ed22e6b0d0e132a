#include "server/pair/snapshot/snapshot_server.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "persistence/codec/crc32c.h"
#include "snapshot.grpc.pb.h"

namespace pollux {
namespace {

constexpr size_t kPieceBytes = size_t{256} << 10;

grpc::Status to_grpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

}  // namespace

class SnapshotServer::Service final : public snapshot::v1::Snapshots::Service {
 public:
  Service(const SnapshotServerOptions& options, SnapshotSource& source)
      : options_(options), source_(source) {}

  grpc::Status Take(grpc::ServerContext* /*context*/, const snapshot::v1::TakeRequest* request,
                    snapshot::v1::Manifest* manifest) override {
    if (request->domain() != options_.domain) {
      return {grpc::StatusCode::FAILED_PRECONDITION,
              absl::StrCat("this is a node of domain '", options_.domain, "'")};
    }
    auto taken = source_.take();
    if (!taken.ok()) return to_grpc(taken.status());
    ++taken_;
    manifest->set_id(taken->id);
    manifest->set_epoch(taken->at.epoch.value);
    manifest->set_position(taken->at.position.value);
    for (const SnapshotFile& file : taken->files) {
      auto* added = manifest->add_files();
      added->set_path(file.path);
      added->set_bytes(file.bytes);
    }
    return grpc::Status::OK;
  }

  grpc::Status Read(grpc::ServerContext* context, const snapshot::v1::ReadRequest* request,
                    grpc::ServerWriter<snapshot::v1::Piece>* writer) override {
    const auto begun = std::chrono::steady_clock::now();
    uint64_t sent = 0;
    while (!context->IsCancelled()) {
      auto bytes =
          source_.read(request->id(), request->path(), request->offset() + sent, kPieceBytes);
      if (!bytes.ok()) return to_grpc(bytes.status());
      if (bytes->empty()) return grpc::Status::OK;
      snapshot::v1::Piece piece;
      piece.set_crc32c(crc32c(*bytes));
      sent += bytes->size();
      sent_ += bytes->size();
      piece.set_data(*std::move(bytes));
      if (!writer->Write(piece)) break;
      hold_back(begun, sent);
    }
    return grpc::Status::CANCELLED;
  }

  std::unique_ptr<grpc::Server> server;
  std::atomic<uint64_t> taken_ = 0;
  std::atomic<uint64_t> sent_ = 0;

 private:
  /// Until that much may have been sent.
  void hold_back(std::chrono::steady_clock::time_point begun, uint64_t sent) const {
    if (options_.bytes_a_second == 0) return;
    const double seconds = static_cast<double>(sent) / static_cast<double>(options_.bytes_a_second);
    std::this_thread::sleep_until(begun + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                              std::chrono::duration<double>(seconds)));
  }

  const SnapshotServerOptions options_;
  SnapshotSource& source_;
};

SnapshotServer::SnapshotServer() = default;

SnapshotServer::~SnapshotServer() {
  if (service_ != nullptr && service_->server != nullptr) {
    service_->server->Shutdown(std::chrono::system_clock::now());
    service_->server->Wait();
  }
}

absl::StatusOr<std::unique_ptr<SnapshotServer>> SnapshotServer::start(
    const SnapshotServerOptions& options, SnapshotSource& source) {
  std::unique_ptr<SnapshotServer> started(new SnapshotServer());
  started->service_ = std::make_unique<Service>(options, source);
  const bool v6 = options.address.find(':') != std::string::npos;
  const std::string place =
      absl::StrCat(v6 ? "[" : "", options.address, v6 ? "]:" : ":", options.port);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(place, grpc::InsecureServerCredentials(), &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.RegisterService(started->service_.get());
  started->service_->server = builder.BuildAndStart();
  if (started->service_->server == nullptr || port <= 0) {
    return absl::UnavailableError(
        absl::StrCat("the snapshot server cannot listen on ", place, "; is the port taken?"));
  }
  started->port_ = static_cast<uint16_t>(port);
  return started;
}

uint64_t SnapshotServer::taken() const { return service_->taken_; }
uint64_t SnapshotServer::bytes_sent() const { return service_->sent_; }

}  // namespace pollux

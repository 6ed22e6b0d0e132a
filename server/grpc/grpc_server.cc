#include "server/grpc/grpc_server.h"

#include <grpcpp/grpcpp.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "pollux.grpc.pb.h"
#include "server/grpc/call.h"
#include "server/grpc/publish_call.h"
#include "server/grpc/subscribe_call.h"

namespace pollux {

namespace {

/// A client of which nothing was heard for so long is asked whether it lives, and cut off when it
/// does not answer.
constexpr int kKeepaliveMs = 30'000;
constexpr int kKeepaliveTimeoutMs = 10'000;
/// So often a client may ask whether the server lives; more often is taken for an attack.
constexpr int kClientPingsMs = 900;

using RawService = v1::Pollux::WithRawCallbackMethod_Publish<
    v1::Pollux::WithRawCallbackMethod_Subscribe<v1::Pollux::Service>>;

/// Messages come as bytes: so a broken one is told from the end of a stream.
class PolluxService final : public RawService {
 public:
  explicit PolluxService(std::shared_ptr<ServiceState> state) : state_(std::move(state)) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Publish(
      grpc::CallbackServerContext* /*context*/) override {
    return begin_publish(state_);
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Subscribe(grpc::CallbackServerContext* context,
                                                        const grpc::ByteBuffer* request) override {
    return begin_subscribe(state_, *context, *request);
  }

 private:
  const std::shared_ptr<ServiceState> state_;
};

/// Why one cannot listen there: gRPC does not say.
std::string listen_fault(const GrpcServerOptions& options) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int resolved =
      getaddrinfo(options.address.c_str(), std::to_string(options.port).c_str(), &hints, &found);
  if (resolved != 0) return gai_strerror(resolved);
  std::string fault = "unknown cause";
  int socket = ::socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0);
  if (socket < 0 || ::bind(socket, found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(socket, 1) != 0) {
    fault = std::strerror(errno);
  }
  if (socket >= 0) ::close(socket);
  freeaddrinfo(found);
  return fault;
}

}  // namespace

class GrpcServer::Running {
 public:
  Running(Intake& intake, ResultLogs& logs, const GrpcLimits& limits)
      : state_(std::make_shared<ServiceState>(intake, logs, limits)), service_(state_) {}

  absl::Status listen(const GrpcServerOptions& options) {
    bool bare_ipv6 = options.address.find(':') != std::string::npos;
    std::string host = bare_ipv6 ? "[" + options.address + "]" : options.address;
    std::string place = host + ":" + std::to_string(options.port);
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort(place, grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    bound(builder, options.limits);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port <= 0) {
      server_.reset();
      return absl::UnavailableError("grpc: cannot listen on " + place + ": " +
                                    listen_fault(options));
    }
    port_ = static_cast<uint16_t>(port);
    return absl::OkStatus();
  }

  void stop(std::chrono::milliseconds deadline) {
    std::lock_guard lock(stop_mutex_);
    if (server_ == nullptr) return;
    auto until = std::chrono::system_clock::now() + deadline;
    state_->calls.stop_all();
    server_->Shutdown(until);
    server_.reset();
    // Not left to the state's end, which may come on the pump's own thread.
    state_->pump.stop();
  }

  uint16_t port() const { return port_; }
  const GrpcCounters& counters() const { return state_->counters; }

 private:
  static void bound(grpc::ServerBuilder& builder, const GrpcLimits& limits) {
    grpc::ResourceQuota quota("pollux");
    quota.Resize(limits.quota_bytes_max);
    builder.SetResourceQuota(quota);
    builder.SetMaxReceiveMessageSize(static_cast<int>(limits.message_bytes_max));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                               static_cast<int>(limits.streams_max));
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                               kClientPingsMs);
    // Else a second server on the port would share it in silence.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  }

  const std::shared_ptr<ServiceState> state_;  // late outcomes of the intake hold it too
  PolluxService service_;
  std::mutex stop_mutex_;
  std::unique_ptr<grpc::Server> server_;
  uint16_t port_ = 0;
};

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::start(const GrpcServerOptions& options,
                                                              Intake& intake, ResultLogs& logs) {
  // Debian builds abseil so that each of gRPC's locks looks for deadlocks, at a cost.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  auto running = std::make_unique<Running>(intake, logs, options.limits);
  if (absl::Status listening = running->listen(options); !listening.ok()) return listening;
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(running)));
}

GrpcServer::GrpcServer(std::unique_ptr<Running> running) : running_(std::move(running)) {}
GrpcServer::~GrpcServer() { stop(std::chrono::milliseconds(0)); }
uint16_t GrpcServer::port() const { return running_->port(); }
const GrpcCounters& GrpcServer::counters() const { return running_->counters(); }
void GrpcServer::stop(std::chrono::milliseconds deadline) { running_->stop(deadline); }

}  // namespace pollux

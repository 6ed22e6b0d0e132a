#include "server/client/connected_channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <chrono>

namespace pollux {

absl::StatusOr<std::shared_ptr<grpc::Channel>> connected_channel(const std::string& target,
                                                                 uint32_t timeout_ms,
                                                                 grpc::ChannelArguments arguments) {
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Else gRPC holds a connection on which no server speaks for 20 s, also when nobody wants it any
  // more, and a server that wakes up waits for its end before it stops.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, static_cast<int>(timeout_ms));
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, static_cast<int>(timeout_ms));
  auto channel = grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
  const auto until = std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms);
  grpc_connectivity_state state = channel->GetState(true);
  while (state != GRPC_CHANNEL_READY) {
    // gRPC would try again by itself; whoever has another address to turn to shall not wait for it.
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE) {
      return absl::UnavailableError("cannot connect to " + target);
    }
    if (!channel->WaitForStateChange(state, until)) {
      return absl::UnavailableError("cannot connect to " + target + " within " +
                                    std::to_string(timeout_ms) + " ms");
    }
    state = channel->GetState(true);
  }
  return channel;
}

}  // namespace pollux

// A connection to a server over gRPC. For .cc files only: gRPC's headers are heavy.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace pollux {

/// A channel that is connected, each its own connection. kUnavailable when `target` ("host:port")
/// refuses at all of its addresses, or does not answer in time.
absl::StatusOr<std::shared_ptr<grpc::Channel>> connected_channel(const std::string& target,
                                                                 uint32_t timeout_ms,
                                                                 grpc::ChannelArguments arguments);

}  // namespace pollux

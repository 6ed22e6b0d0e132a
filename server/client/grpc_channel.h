// Batches in columns over gRPC, many on the way at a time.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "server/client/batch_channel.h"

namespace pollux {

struct GrpcChannelOptions {
  std::string stream;
  std::string producer;
  size_t batches_in_flight_max = 32;
  std::chrono::milliseconds connect_timeout{5'000};
  /// See PublishOptions.
  std::chrono::milliseconds ping_interval{5'000};
  /// A server that lives but answers nothing for so long while batches are on the way is taken for
  /// stuck. It may well be behind: then batches wait for room in it.
  std::chrono::milliseconds silence_max{60'000};
};

/// `target` is "host:port".
absl::StatusOr<std::unique_ptr<BatchChannel>> open_grpc_channel(const GrpcChannelOptions& options,
                                                                const std::string& target,
                                                                BatchChannel::Callbacks callbacks);

}  // namespace pollux

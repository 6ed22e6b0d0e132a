// Batches in columns over gRPC, many on the way at a time.
#pragma once

#include <memory>
#include <string>

#include "server/tool/send/batch_channel.h"

namespace pollux::tool {

struct GrpcChannelOptions {
  std::string target;  ///< "host:port"
  std::string stream;
  std::string producer;
  size_t window = 32;  ///< batches on the way
};

absl::StatusOr<std::unique_ptr<BatchChannel>> open_grpc_channel(const GrpcChannelOptions& options,
                                                                BatchChannel::OnReply on_reply);

}  // namespace pollux::tool

// Batches as JSON over HTTP, one at a time.
#pragma once

#include <memory>
#include <string>

#include "server/tool/send/batch_channel.h"

namespace pollux::tool {

struct HttpChannelOptions {
  std::string server;
  std::string stream;
  std::string producer;
};

/// Connects with the first batch.
std::unique_ptr<BatchChannel> open_http_channel(const HttpChannelOptions& options,
                                                BatchChannel::OnReply on_reply);

/// The events of a batch as POST /v1/streams/{stream}/events takes them: an array of
/// {"data": {...}, "timestamp": ms}.
std::string events_json(const EventBatch& batch);

}  // namespace pollux::tool

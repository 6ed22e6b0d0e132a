// Batches as JSON over HTTP, one at a time.
#pragma once

#include <memory>
#include <string>

#include "server/client/batch_channel.h"

namespace pollux::tool {

struct HttpChannelOptions {
  std::string stream;
  std::string producer;
};

/// Connects to `server`, a URL, with the first batch.
std::unique_ptr<BatchChannel> open_http_channel(const HttpChannelOptions& options,
                                                const std::string& server,
                                                BatchChannel::Callbacks callbacks);

/// The events of a batch as POST /v1/streams/{stream}/events takes them: an array of
/// {"data": {...}, "timestamp": ms}.
std::string events_json(const EventBatch& batch);

}  // namespace pollux::tool

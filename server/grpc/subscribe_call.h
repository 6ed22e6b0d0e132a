// The server's side of one subscription.
//
// Results are read from the stream's log as fast as the subscriber takes them, one message on the
// way at a time. A subscriber holds nothing back: when the log forgets what it would need next, it
// is ended.
#pragma once

#include <memory>

#include "server/grpc/call.h"

namespace grpc {
class ByteBuffer;
class CallbackServerContext;
template <class Response>
class ServerWriteReactor;
}  // namespace grpc

namespace pollux {

/// Owned by itself: gone when gRPC is done with it. `request` is a SubscribeRequest.
grpc::ServerWriteReactor<grpc::ByteBuffer>* begin_subscribe(std::shared_ptr<ServiceState> state,
                                                            grpc::CallbackServerContext& context,
                                                            const grpc::ByteBuffer& request);

}  // namespace pollux

// The server's side of one Publish stream.
//
// Requests are decoded and handed to the intake as they come; replies go out in their order. When
// too much is unanswered, by the node or because the client does not read, nothing more is read:
// HTTP/2's flow control then holds the client.
#pragma once

#include <memory>

#include "server/grpc/call.h"

namespace grpc {
class ByteBuffer;
template <class Request, class Response>
class ServerBidiReactor;
}  // namespace grpc

namespace pollux {

/// Owned by itself: gone when gRPC and the intake are done with it.
grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* begin_publish(
    std::shared_ptr<ServiceState> state);

}  // namespace pollux

// Messages to and from gRPC's buffers.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace google::protobuf {
class MessageLite;
}

namespace pollux {

/// In the initial metadata of a subscription that stands; a refused one has none.
constexpr char kSubscribedKey[] = "pollux-subscribed";

/// False when the bytes are no such message. Empties the buffer.
bool parse_message(grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message);
grpc::ByteBuffer serialize_message(const google::protobuf::MessageLite& message);

grpc::Status to_grpc(const absl::Status& status);
absl::Status from_grpc(const grpc::Status& status);

}  // namespace pollux

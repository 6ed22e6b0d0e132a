// From a request to a submission, and from its outcome to a reply.
#pragma once

#include <optional>

#include "server/grpc/grpc_limits.h"
#include "server/node/intake.h"

namespace pollux {

namespace v1 {
class PublishReply;
class PublishRequest;
}  // namespace v1

/// Longest name of a producer.
constexpr size_t kProducerBytesMax = 256;

/// The submission that a request asks for; else the reply says what is wrong with it.
std::optional<Submission> to_submission(const v1::PublishRequest& request, const Intake& intake,
                                        const GrpcLimits& limits, v1::PublishReply& reply);

void fill_reply(const Submitted& submitted, v1::PublishReply& reply);

}  // namespace pollux

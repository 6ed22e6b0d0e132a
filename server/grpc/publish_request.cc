#include "server/grpc/publish_request.h"

#include "pollux.pb.h"
#include "server/formats/row_error.h"
#include "server/grpc/batch_codec.h"

namespace pollux {

namespace {

void reject(v1::PublishReply& reply, absl::StatusCode code, std::string message) {
  v1::Rejected& rejected = *reply.mutable_rejected();
  rejected.set_code(static_cast<int32_t>(code));
  rejected.set_message(std::move(message));
}

void reject(v1::PublishReply& reply, const BatchFault& fault) {
  reject(reply, absl::StatusCode::kInvalidArgument, to_text(fault));
  v1::Rejected& rejected = *reply.mutable_rejected();
  rejected.set_bad_row_faults(fault.row_faults);
  for (const BadRow& row : fault.rows) {
    v1::BadRow& bad = *rejected.add_bad_rows();
    bad.set_row(row.row);
    bad.set_field(row.field);
    bad.set_reason(row.reason);
  }
}

/// What is wrong with the sender's name and number; empty when nothing is.
std::string wrong_producer(const v1::PublishRequest& request) {
  if (request.producer().empty()) {
    return request.number() == 0 ? "" : "number: a request without a producer has no number";
  }
  if (request.number() == 0) return "number: a producer numbers its requests 1, 2, 3, ...";
  if (request.producer().size() > kProducerBytesMax) {
    return "producer: " + std::to_string(request.producer().size()) + " bytes, at most " +
           std::to_string(kProducerBytesMax) + " are taken";
  }
  return "";
}

}  // namespace

std::optional<Submission> to_submission(const v1::PublishRequest& request, const Intake& intake,
                                        const GrpcLimits& limits, v1::PublishReply& reply) {
  reply.set_number(request.number());
  if (std::string wrong = wrong_producer(request); !wrong.empty()) {
    reject(reply, absl::StatusCode::kInvalidArgument, std::move(wrong));
    return std::nullopt;
  }
  SchemaPtr schema = intake.schema_of(request.stream());
  if (schema == nullptr) {
    absl::Status why = intake.why_unknown(request.stream());
    reject(reply, why.code(),
           absl::IsNotFound(why)
               ? "stream: no plan takes events of a stream " + quoted_for_message(request.stream())
               : std::string(why.message()));
    return std::nullopt;
  }
  BatchFault fault;
  std::shared_ptr<EventBatch> batch;
  BatchLimits batch_limits{.rows_max = limits.rows_max};
  if (request.has_columns()) {
    batch = decode_columns(request.columns(), schema, batch_limits, fault);
  } else if (request.has_rows()) {
    batch = decode_rows(request.rows(), schema, batch_limits, fault);
  } else {
    fault = {.field = "events", .reason = "neither columns nor rows are set", .rows = {}};
  }
  if (batch == nullptr) {
    reject(reply, fault);
    return std::nullopt;
  }
  batch->set_one_chunk(request.one_chunk());
  return Submission{.batch = std::move(batch),
                    .producer = request.producer(),
                    .number = request.number(),
                    .receiver = "grpc",
                    .wait = true};
}

void fill_reply(const Submitted& submitted, v1::PublishReply& reply) {
  if (!submitted.status.ok()) {
    reject(reply, submitted.status.code(), std::string(submitted.status.message()));
    reply.mutable_rejected()->set_expected_number(submitted.expected_number);
    reply.mutable_rejected()->set_retry_after_ms(
        static_cast<uint64_t>(submitted.retry_after.count()));
    return;
  }
  v1::Accepted& accepted = *reply.mutable_accepted();
  accepted.set_events(submitted.accepted);
  accepted.set_epoch(submitted.id.epoch.value);
  accepted.set_position(submitted.id.position.value);
  accepted.set_duplicate(submitted.duplicate);
}

}  // namespace pollux

#include "server/tool/send/http_channel.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "engine/expression/json_object.h"
#include "server/formats/json_text.h"
#include "server/tool/client/api_client.h"
#include "server/tool/client/json_fields.h"

namespace pollux::tool {

namespace {

constexpr size_t kNumberBytesMax = 32;
/// A batch waits for the disk, never for room in a queue.
constexpr std::chrono::seconds kAnswerTimeout{10};

template <class T>
void append_number(std::string& to, T value) {
  char text[kNumberBytesMax];
  to.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

/// JSON has no NaN and no infinities: they go as texts, as in our results.
template <class T>
void append_fractional(std::string& to, T value) {
  if (std::isfinite(value)) {
    append_number(to, value);
  } else if (std::isnan(value)) {
    to += "\"NaN\"";
  } else {
    to += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  }
}

void append_value(std::string& to, const Column& column, uint32_t row) {
  if (auto object = json_at(column, row)) {
    to += *object;
    return;
  }
  if (column.is_null(row)) {
    to += "null";
    return;
  }
  switch (column.type()) {
    case AttributeType::kObject:
      return;
    case AttributeType::kString:
      to += json_string(column.data<StringRef>()[row].view());
      return;
    case AttributeType::kInt:
      return append_number(to, column.data<int32_t>()[row]);
    case AttributeType::kLong:
      return append_number(to, column.data<int64_t>()[row]);
    case AttributeType::kFloat:
      return append_fractional(to, column.data<float>()[row]);
    case AttributeType::kDouble:
      return append_fractional(to, column.data<double>()[row]);
    case AttributeType::kBool:
      to += column.data<uint8_t>()[row] != 0 ? "true" : "false";
      return;
  }
}

BatchReply to_reply(const ApiAnswer& answer, uint64_t number) {
  BatchReply reply{.number = number, .retry_after_ms = answer.retry_after_ms};
  if (answer.ok()) {
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    if (parser.parse(answer.body).get(document) == simdjson::SUCCESS) {
      reply.duplicate = flag_at(document, "duplicate");
      reply.id = {Epoch{number_at(document, "epoch")}, Position{number_at(document, "position")}};
    }
    return reply;
  }
  ApiError error = error_of(answer);
  reply.status = error.status;
  // Of the conflicts only this one passes; of what is too much only full queues.
  if (answer.status == 409 && error.code != "out_of_turn") {
    reply.status = absl::AbortedError(error.status.message());
  } else if (answer.status == 413) {
    reply.status = absl::InvalidArgumentError(error.status.message());
  }
  reply.expected_number = error.expected_sequence;
  reply.details = std::move(error.details);
  return reply;
}

class HttpChannel final : public BatchChannel {
 public:
  HttpChannel(const HttpChannelOptions& options, const std::string& server, Callbacks callbacks)
      : options_(options), client_(server), callbacks_(std::move(callbacks)) {}

  absl::Status send(const EventBatch& batch, uint64_t number) override {
    ApiRequest request{.method = "POST",
                       .path = "/v1/streams/" + url_encoded(options_.stream) + "/events",
                       .timeout = kAnswerTimeout};
    request.headers = {{"Pollux-Producer", options_.producer},
                       {"Pollux-Sequence", std::to_string(number)}};
    request.body = events_json(batch);
    absl::StatusOr<ApiAnswer> answer = client_.call(request);
    if (!answer.ok()) return answer.status();
    callbacks_.on_reply(to_reply(*answer, number));
    return absl::OkStatus();
  }
  /// A call ends by itself.
  void cancel() override {}

 private:
  const HttpChannelOptions options_;
  ApiClient client_;
  const Callbacks callbacks_;
};

}  // namespace

std::unique_ptr<BatchChannel> open_http_channel(const HttpChannelOptions& options,
                                                const std::string& server,
                                                BatchChannel::Callbacks callbacks) {
  return std::make_unique<HttpChannel>(options, server, std::move(callbacks));
}

std::string events_json(const EventBatch& batch) {
  std::vector<std::string> names;
  for (const Attribute& attribute : batch.schema().attributes()) {
    names.push_back((names.empty() ? "" : ",") + json_string(attribute.name) + ":");
  }
  std::string text = "[";
  for (uint32_t row = 0; row < batch.rows(); ++row) {
    text += row == 0 ? "{\"timestamp\":" : ",\n{\"timestamp\":";
    append_number(text, batch.timestamps()[row]);
    text += ",\"data\":{";
    for (size_t i = 0; i < names.size(); ++i) {
      text += names[i];
      append_value(text, batch.column(i), row);
    }
    text += "}}";
  }
  return text + "]";
}

}  // namespace pollux::tool

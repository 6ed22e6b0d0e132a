// POST /v1/streams/{stream}/events
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include "server/api/api.h"
#include "server/api/api_json.h"
#include "server/formats/json_events.h"
#include "server/http/http_error.h"
#include "server/node/wall_clock.h"

namespace pollux {
namespace {

/// The form of a body by its Content-Type; nothing when that is no JSON.
std::optional<JsonEventsForm> form_of(const HttpRequest& request) {
  auto header = request.headers.find("Content-Type");
  if (!header) return JsonEventsForm::kDocument;
  std::string_view type = header->substr(0, header->find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  if (http_names_equal(type, "application/json")) return JsonEventsForm::kDocument;
  for (const char* lines : {"application/x-ndjson", "application/jsonl", "application/x-jsonlines",
                            "application/ndjson"}) {
    if (http_names_equal(type, lines)) return JsonEventsForm::kLines;
  }
  return std::nullopt;
}

/// Fills producer and number from the headers; what is wrong with them, or nothing.
std::string read_producer(const HttpRequest& request, Submission& submission) {
  constexpr size_t kProducerBytesMax = 256;
  auto producer = request.headers.find("Pollux-Producer");
  auto sequence = request.headers.find("Pollux-Sequence");
  if (!producer && !sequence) return {};
  if (!producer || !sequence) return "Pollux-Producer and Pollux-Sequence go together";
  if (producer->empty() || producer->size() > kProducerBytesMax) {
    return "Pollux-Producer must have 1 to 256 bytes";
  }
  auto [end, error] =
      std::from_chars(sequence->data(), sequence->data() + sequence->size(), submission.number);
  if (error != std::errc() || end != sequence->data() + sequence->size() ||
      submission.number == 0) {
    return "Pollux-Sequence must be a whole number, 1 or more";
  }
  submission.producer = *producer;
  return {};
}

HttpResponse bad_events(const JsonEvents& events) {
  Json list = Json::array();
  for (const EventError& each : events.errors) {
    list.push_back(
        {{"index", each.index}, {"field", each.error.field}, {"reason", each.error.reason}});
  }
  return json_error(400, "bad_events",
                    std::to_string(events.errors_total) + " events are wrong; none was accepted",
                    {{"events", std::move(list)}, {"events_total", events.errors_total}});
}

HttpResponse answer_of(const Submitted& submitted) {
  const absl::Status& status = submitted.status;
  std::string message(status.message());
  switch (status.code()) {
    case absl::StatusCode::kOk: {
      // The busiest answer of all is written by hand.
      HttpResponse response;
      response.body = "{\"accepted\":" + std::to_string(submitted.accepted) +
                      ",\"position\":" + std::to_string(submitted.id.position.value) +
                      ",\"epoch\":" + std::to_string(submitted.id.epoch.value) +
                      ",\"duplicate\":" + (submitted.duplicate ? "true" : "false") + "}\n";
      return response;
    }
    case absl::StatusCode::kNotFound:
      return json_error(404, "unknown_stream", message);
    case absl::StatusCode::kAborted:
      return json_error(409, "stream_changed", message);
    case absl::StatusCode::kFailedPrecondition:
      return json_error(409, "out_of_turn", message, {{"expected", submitted.expected_number}});
    case absl::StatusCode::kResourceExhausted: {
      HttpResponse response = json_error(429, "queue_full", message);
      auto seconds = std::chrono::ceil<std::chrono::seconds>(submitted.retry_after).count();
      response.headers.push_back({"Retry-After", std::to_string(std::max<int64_t>(1, seconds))});
      return response;
    }
    case absl::StatusCode::kInvalidArgument:
      return json_error(413, "too_large", message);
    default: {
      const bool store = submitted.retry_after.count() > 0;  // of an external table
      HttpResponse response = json_error(503, store ? "store_failed" : "stopping", message);
      response.headers.push_back({"Retry-After", "1"});
      return response;
    }
  }
}

void take_events(ApiParts& parts, const HttpRequest& request, const Responder& responder) {
  Intake& intake = parts.intake;
  std::string_view stream = request.path_parameter("stream");
  SchemaPtr schema = intake.schema_of(stream);
  if (schema == nullptr) {
    Submitted refused;
    refused.status = intake.why_unknown(stream);
    responder.answer(answer_of(refused));
    return;
  }
  auto form = form_of(request);
  if (!form) {
    responder.answer(json_error(415, "unsupported_media_type",
                                "send Content-Type: application/json or application/x-ndjson"));
    return;
  }
  Submission submission;
  submission.receiver = "http";
  if (std::string wrong = read_producer(request, submission); !wrong.empty()) {
    responder.answer(json_error(400, "bad_header", wrong));
    return;
  }
  thread_local JsonEventsReader reader;
  JsonEvents events =
      reader.read(request.body, HttpRequest::kBodyPaddingBytes, *form, schema, wall_clock_ms());
  if (events.batch == nullptr) {
    responder.answer(bad_events(events));
    return;
  }
  if (events.batch->rows() == 0) {
    responder.answer(json_error(400, "no_events", "the body holds no events"));
    return;
  }
  events.batch->set_one_chunk(flag_of(request, "chunk"));
  submission.batch = std::move(events.batch);
  intake.submit(std::move(submission),
                [responder](Submitted submitted) { responder.answer(answer_of(submitted)); });
}

}  // namespace

void add_event_routes(Router& router, ApiParts& parts) {
  HttpRoute route;
  route.method = "POST";
  route.pattern = "/v1/streams/{stream}/events";
  route.body_bytes_max = parts.limits.body_bytes_max;
  route.handler = [&parts](const HttpRequest& request, const Responder& responder) {
    take_events(parts, request, responder);
  };
  router.add(std::move(route));
}

}  // namespace pollux

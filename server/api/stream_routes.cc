// GET /v1/streams, /v1/streams/{stream}, /v1/streams/{stream}/subscribe
#include <map>
#include <set>
#include <utility>

#include "server/api/api.h"
#include "server/api/api_json.h"
#include "server/api/subscription.h"

namespace pollux {
namespace {

/// A stream over all plans that have it.
struct SharedStream {
  SchemaPtr schema;
  bool takes_events = false;
  bool has_results = false;
  std::set<std::string> plans;
};

std::map<std::string, SharedStream> streams_of(const Node& node) {
  std::map<std::string, SharedStream> streams;
  for (const PlanInfo& plan : node.plans()) {
    for (const StreamInfo& stream : plan.streams) {
      SharedStream& shared = streams[stream.schema->name()];
      shared.schema = stream.schema;
      shared.takes_events |= stream.input;
      shared.has_results |= stream.output;
      shared.plans.insert(plan.name);
    }
  }
  return streams;
}

Json json_of(const std::string& name, const SharedStream& stream) {
  return {{"name", name},
          {"attributes", json_of(*stream.schema)},
          {"takes_events", stream.takes_events},
          {"has_results", stream.has_results},
          {"plans", stream.plans}};
}

HttpResponse unknown_stream(std::string_view name) {
  return json_error(404, "unknown_stream", "no plan has a stream '" + std::string(name) + "'");
}

HttpResponse one_stream(const Node& node, const HttpRequest& request) {
  std::string name(request.path_parameter("stream"));
  auto streams = streams_of(node);
  auto stream = streams.find(name);
  if (stream == streams.end()) return unknown_stream(name);
  Json body = json_of(name, stream->second);
  if (auto log = node.find_results(name)) {
    body["results"] = {{"oldest", log->begin()}, {"next", log->end()}};
  }
  return json_answer(200, body);
}

/// The id behind which a subscriber wants to go on; empty: none.
std::string resume_id(const HttpRequest& request) {
  if (auto last = request.headers.find("Last-Event-ID")) return std::string(*last);
  return std::string(request.query_parameter("after").value_or(""));
}

void subscribe(ApiParts& parts, const HttpRequest& request, const Responder& responder) {
  std::string name(request.path_parameter("stream"));
  if (absl::Status out = parts.node.lets_out(); !out.ok()) {
    responder.answer(json_error(503, "not_active", std::string(out.message())));
    return;
  }
  std::shared_ptr<ResultLog> log = parts.node.find_results(name);
  if (log == nullptr) {
    responder.answer(
        json_error(404, "unknown_stream", "no plan writes results on a stream '" + name + "'"));
    return;
  }
  uint64_t from = request.query_parameter("from") == "oldest" ? log->begin() : log->end();
  if (std::string id = resume_id(request); !id.empty()) {
    const bool may_come = parts.node.may_come(id);
    auto behind = log->offset_behind(id);
    if (!behind && may_come) {
      responder.answer(json_error(
          503, "not_yet",
          "result " + id + " is not made yet: this node has not got as far since it leads"));
      return;
    }
    if (!behind) {
      ResultLog::Read oldest = log->read(log->begin(), 1);
      std::string held = oldest.slices.empty()
                             ? "no result is held"
                             : "the oldest held is " + result_id(*oldest.slices[0], 0);
      responder.answer(json_error(410, "forgotten", "result " + id + " is not held; " + held));
      return;
    }
    from = *behind;
  }
  Subscription::begin(parts.node, std::move(log), from, responder, parts.heartbeat);
}

}  // namespace

void add_stream_routes(Router& router, ApiParts& parts) {
  Node& node = parts.node;
  router.add({"GET", "/v1/streams", [&node](const HttpRequest&, const Responder& responder) {
                Json list = Json::array();
                for (const auto& [name, stream] : streams_of(node)) {
                  list.push_back(json_of(name, stream));
                }
                responder.answer(json_answer(200, {{"streams", std::move(list)}}));
              }});
  router.add({"GET", "/v1/streams/{stream}",
              [&node](const HttpRequest& request, const Responder& responder) {
                responder.answer(one_stream(node, request));
              }});
  router.add({"GET", "/v1/streams/{stream}/subscribe",
              [&parts](const HttpRequest& request, const Responder& responder) {
                subscribe(parts, request, responder);
              }});
}

}  // namespace pollux

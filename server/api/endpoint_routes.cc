// GET /v1/sinks, /v1/receivers
#include <utility>

#include "server/api/api.h"
#include "server/api/api_json.h"

namespace pollux {
namespace {

/// Who it is: the same for sinks and receivers.
template <class Info>
Json json_of_endpoint(const Info& info) {
  Json one = {{"name", info.name}, {"type", info.type}, {"stream", info.stream}};
  if (!info.plan.empty()) one["plan"] = info.plan;
  return one;
}

Json json_of(const SinkInfo& sink) {
  Json one = json_of_endpoint(sink);
  one["state"] = name_of(sink.counts.state);
  one["published"] = sink.counts.published;
  one["failed"] = sink.counts.failed;
  one["dropped"] = sink.counts.dropped;
  one["lag_rows"] = sink.counts.lag_rows;
  if (!sink.counts.last_error.empty()) {
    one["last_error"] = sink.counts.last_error;
    one["last_error_at"] = rfc3339(sink.counts.last_error_ms);
  }
  return one;
}

Json json_of(const ReceiverInfo& receiver) {
  Json one = json_of_endpoint(receiver);
  one["state"] = name_of(receiver.counts.state);
  one["events"] = receiver.counts.events;
  one["batches"] = receiver.counts.batches;
  one["repeated"] = receiver.counts.repeated;
  one["bad_rows"] = receiver.counts.bad_rows;
  one["bytes"] = receiver.counts.bytes;
  if (!receiver.counts.last_error.empty()) one["last_error"] = receiver.counts.last_error;
  return one;
}

template <class Infos>
HttpResponse list_of(const char* name, const Infos& infos) {
  Json list = Json::array();
  for (const auto& info : infos) list.push_back(json_of(info));
  return json_answer(200, {{name, std::move(list)}});
}

}  // namespace

void add_endpoint_routes(Router& router, ApiParts& parts) {
  router.add({"GET", "/v1/sinks", [&parts](const HttpRequest&, const Responder& responder) {
                responder.answer(list_of("sinks", parts.sinks.states()));
              }});
  router.add({"GET", "/v1/receivers", [&parts](const HttpRequest&, const Responder& responder) {
                responder.answer(list_of("receivers", parts.receivers.states()));
              }});
}

}  // namespace pollux

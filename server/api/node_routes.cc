// GET /v1/node, /livez, /readyz, /metrics
#include <utility>

#include "server/api/api.h"
#include "server/api/api_json.h"
#include "server/api/pair_json.h"
#include "server/metrics/metrics.h"

namespace pollux {
namespace {

Json json_of(const EntryLogCounts& journal) {
  return {{"first", journal.first.value},
          {"committed", json_of(journal.committed)},
          {"bytes", journal.journal_bytes},
          {"queued_entries", journal.queued_entries},
          {"state", !journal.failed.ok() ? "failed"
                    : journal.stuck      ? "full"
                                         : "open"}};
}

/// What outlives the process, and how the node came back.
Json persistence_answer(const ApiParts& parts) {
  if (parts.durability == nullptr) {
    return {{"enabled", false},
            {"warning",
             "nothing outlives the process: acknowledged events and all state are lost "
             "with it (persistence.enabled: false)"}};
  }
  PersisterCounts persisted = parts.durability->persister().counts();
  const RecoveryCounts& recovered = parts.durability->recovered();
  return {{"enabled", true},
          {"journal", json_of(parts.durability->journal_log().counts())},
          {"states",
           {{"rounds", persisted.rounds},
            {"failures", persisted.failures},
            {"last", json_of(persisted.last)},
            {"last_at", persisted.rounds == 0 ? Json(nullptr) : Json(rfc3339(persisted.last_ms))},
            {"last_ms", persisted.last_took_ms},
            {"last_bytes", persisted.last_bytes}}},
          {"recovered",
           {{"plans", recovered.plans},
            {"passed_over", recovered.fallbacks},
            {"lost_plans", recovered.lost_plans},
            {"poisoned", recovered.poisoned},
            {"entries", recovered.entries},
            {"events", recovered.events},
            {"torn_bytes", recovered.torn_bytes},
            {"ms", recovered.took_ms}}}};
}

HttpResponse node_answer(const ApiParts& parts) {
  SequencerCounts counts = parts.node.counts();
  auto uptime = std::chrono::steady_clock::now() - parts.started;
  return json_answer(
      200, {{"node", parts.node.options().name},
            {"version", parts.version},
            {"epoch", counts.last.epoch.value},
            {"position", counts.last.position.value},
            {"role", parts.pair == nullptr ? "active" : name_of(parts.pair->info().status.role)},
            {"state", parts.stopping ? "stopping" : "running"},
            {"uptime_ms", std::chrono::duration_cast<std::chrono::milliseconds>(uptime).count()},
            {"durable", parts.durability != nullptr},
            {"persistence", persistence_answer(parts)},
            {"pair", pair_answer(parts)},
            {"http_port", parts.http_port.load()},
            {"grpc_port", parts.grpc_port.load()},
            {"producers", counts.producers},
            {"counts",
             {{"entries", counts.entries},
              {"events", counts.events},
              {"duplicates", counts.duplicates},
              {"refused", counts.refused_full + counts.refused_other},
              {"waiting", counts.waiting}}}});
}

HttpResponse probe(bool good, const char* why_not) {
  HttpResponse response;
  response.status = good ? 200 : 503;
  response.content_type = "text/plain; charset=utf-8";
  response.body = good ? "ok\n" : std::string(why_not) + "\n";
  return response;
}

/// A node that stands alone is the active one. Without a role: it takes events, also for the other
/// node.
HttpResponse ready(const ApiParts& parts, const HttpRequest& request) {
  auto role = request.query_parameter("role");
  if (role && *role != "active" && *role != "passive") {
    return json_error(400, "bad_request", "role must be active or passive");
  }
  if (parts.stopping) return probe(false, "the node is stopping");
  if (role == "active" && !parts.node.leads()) return probe(false, "this node does not lead");
  if (role == "passive") {
    bool passive = parts.pair != nullptr && parts.pair->info().status.role == Role::kPassive;
    if (!passive) return probe(false, "this node is not passive");
  }
  if (!role && parts.pair != nullptr && !parts.node.leads() && !parts.pair->info().connected) {
    return probe(false, "this node neither leads nor reaches one that does");
  }
  bool failed =
      parts.durability != nullptr && !parts.durability->journal_log().counts().failed.ok();
  return probe(!failed, "the journal has failed; the log says why");
}

}  // namespace

void add_node_routes(Router& router, ApiParts& parts) {
  auto get = [&router](const char* pattern, std::function<HttpResponse(const HttpRequest&)> answer,
                       HttpRouteKind kind = HttpRouteKind::kInline) {
    router.add(
        {"GET", pattern,
         [answer = std::move(answer)](const HttpRequest& request, const Responder& responder) {
           responder.answer(answer(request));
         },
         kind});
  };
  get("/v1/node", [&parts](const HttpRequest&) { return node_answer(parts); });
  get("/livez", [](const HttpRequest&) { return probe(true, ""); });
  get("/readyz", [&parts](const HttpRequest& request) { return ready(parts, request); });
  get(
      "/metrics",
      [&parts](const HttpRequest&) {
        HttpResponse response;
        response.content_type = "text/plain; version=0.0.4; charset=utf-8";
        response.body = metrics_text(parts);
        return response;
      },
      HttpRouteKind::kBlocking);
}

}  // namespace pollux

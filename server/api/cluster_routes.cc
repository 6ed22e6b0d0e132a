// GET /v1/cluster, POST /v1/cluster/switchover, POST /v1/cluster/force
#include <utility>

#include "server/api/api.h"
#include "server/api/api_json.h"
#include "server/api/pair_json.h"

namespace pollux {
namespace {

/// To be typed out by whoever makes a node lead without the other's last entries.
constexpr std::string_view kForceWord = "the-other-node-is-powered-off";

HttpResponse alone() {
  return json_error(409, "not_a_pair", "this node stands alone (pair.enabled is false)");
}

HttpResponse answer_order(const ApiParts& parts, const absl::Status& done) {
  if (done.ok()) return json_answer(200, {{"ordered", true}, {"pair", pair_answer(parts)}});
  const bool refused = absl::IsFailedPrecondition(done);
  return json_error(refused ? 409 : 503, refused ? "refused" : "unavailable",
                    std::string(done.message()));
}

HttpResponse switch_over(const ApiParts& parts) {
  return parts.pair == nullptr ? alone() : answer_order(parts, parts.pair->switch_over());
}

HttpResponse force(const ApiParts& parts, const HttpRequest& request) {
  if (parts.pair == nullptr) return alone();
  if (request.query_parameter("confirm") != kForceWord) {
    return json_error(400, "confirm",
                      "what only the other node holds is lost for ever by this; where it is "
                      "powered off, and stays so, say ?confirm=" +
                          std::string(kForceWord));
  }
  parts.log.warning("a lead by force was ordered");
  return answer_order(parts, parts.pair->force());
}

}  // namespace

void add_cluster_routes(Router& router, ApiParts& parts) {
  router.add({"GET", "/v1/cluster", [&parts](const HttpRequest&, const Responder& responder) {
                responder.answer(parts.pair == nullptr
                                     ? alone()
                                     : json_answer(200, {{"node", parts.node.options().name},
                                                         {"pair", pair_answer(parts)}}));
              }});
  router.add({"POST", "/v1/cluster/switchover",
              [&parts](const HttpRequest&, const Responder& responder) {
                responder.answer(switch_over(parts));
              },
              HttpRouteKind::kBlocking});
  router.add({"POST", "/v1/cluster/force",
              [&parts](const HttpRequest& request, const Responder& responder) {
                responder.answer(force(parts, request));
              },
              HttpRouteKind::kBlocking});
}

}  // namespace pollux

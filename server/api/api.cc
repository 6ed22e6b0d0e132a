#include "server/api/api.h"

namespace pollux {

Router make_api(ApiParts& parts) {
  Router router;
  add_event_routes(router, parts);
  add_stream_routes(router, parts);
  add_plan_routes(router, parts);
  add_query_routes(router, parts);
  add_endpoint_routes(router, parts);
  add_node_routes(router, parts);
  add_cluster_routes(router, parts);
  add_openapi_route(router);
  return router;
}

}  // namespace pollux

// GET /v1/openapi.json: what this API offers, from one table.
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "server/api/api.h"
#include "server/api/api_json.h"

namespace pollux {
namespace {

struct Parameter {
  const char* name;
  const char* in;  // "query" or "header"; those of the path are taken from the pattern
  const char* doc;
};

struct Operation {
  const char* method;
  const char* pattern;
  const char* id;
  const char* summary;
  std::vector<Parameter> parameters;
  std::vector<const char*> takes;  // content types of the body
  std::vector<std::pair<int, const char*>> answers;
};

const std::vector<Operation>& operations() {
  static const std::vector<Operation> kOperations = {
      {"POST",
       "/v1/streams/{stream}/events",
       "sendEvents",
       "Send one event, an array of events, or one event a line: all are accepted, or none.",
       {{"chunk", "query", "true: the events are one chunk, as an array of events is in Siddhi"},
        {"Pollux-Producer", "header", "a name of the sender; with Pollux-Sequence"},
        {"Pollux-Sequence", "header", "1, 2, 3, ...: a number that was seen has no effect"}},
       {"application/json", "application/x-ndjson"},
       {{200, "accepted, or a duplicate"},
        {400, "wrong events, each by index and field"},
        {404, "no plan takes the stream"},
        {409, "a number was left out, or the stream has changed"},
        {413, "the body is too long, or it needs too much of external tables"},
        {415, "not JSON"},
        {429, "a queue is full; see Retry-After"},
        {503,
         "the node stops, does not lead and cannot say, or the store of an external table does not "
         "answer; see Retry-After"}}},
      {"GET",
       "/v1/streams",
       "listStreams",
       "All streams of all plans.",
       {},
       {},
       {{200, "the streams"}}},
      {"GET",
       "/v1/streams/{stream}",
       "showStream",
       "One stream.",
       {},
       {},
       {{200, "the stream"}, {404, "no plan has it"}}},
      {"GET",
       "/v1/streams/{stream}/subscribe",
       "subscribe",
       "Results of a stream as server-sent events.",
       {{"Last-Event-ID", "header", "go on behind this result"},
        {"after", "query", "the same"},
        {"from", "query", "oldest: begin with the oldest result that is held"}},
       {},
       {{200, "text/event-stream"},
        {404, "no plan writes the stream"},
        {410, "not held any more"},
        {503, "this node does not lead, or not long enough to have made that result"}}},
      {"GET",
       "/v1/plans",
       "listPlans",
       "The plans that are deployed.",
       {},
       {},
       {{200, "the plans"}}},
      {"POST",
       "/v1/plans",
       "deployPlan",
       "Deploy a plan: its text, or JSON with text, name and parameters.",
       {{"name", "query", "its name, unless the text names it"},
        {"replace", "query", "true: in place of the plan of that name"}},
       {"text/plain", "application/json"},
       {{201, "deployed"},
        {400, "all mistakes of the text"},
        {409, "the name is taken, or a stream has other attributes in another plan"},
        {503, "the node is stopping"}}},
      {"POST",
       "/v1/plans/validate",
       "validatePlan",
       "Find all mistakes of a plan.",
       {},
       {"text/plain", "application/json"},
       {{200, "valid or not, with the mistakes"}}},
      {"GET",
       "/v1/plans/{plan}",
       "showPlan",
       "One plan with its text, queries and tables.",
       {},
       {},
       {{200, "the plan"}, {404, "no such plan"}, {503, "the plan is busy"}}},
      {"DELETE",
       "/v1/plans/{plan}",
       "undeployPlan",
       "Remove a plan.",
       {{"force", "query", "true: also when others need it"}},
       {},
       {{200, "removed"}, {404, "no such plan"}, {409, "others need it"}}},
      {"POST",
       "/v1/plans/{plan}/persist",
       "persistPlan",
       "Write the state of all plans now; the answer is about this one's.",
       {},
       {},
       {{200, "the revision that was written"},
        {404, "no such plan"},
        {409, "persistence is off"},
        {503, "it was not written; the message says why"}}},
      {"POST",
       "/v1/query",
       "query",
       "Ask a table of a plan or of a record store.",
       {{"plan", "query", "whose table is meant"}},
       {"text/plain", "application/json"},
       {{200, "columns and rows"},
        {400, "mistakes in the query, or several tables of that name"},
        {404, "no such table"},
        {413, "too many rows"},
        {503, "the plan is busy"}}},
      {"GET",
       "/v1/stores",
       "listStores",
       "The record stores and their tables.",
       {},
       {},
       {{200, "the stores"}}},
      {"GET",
       "/v1/sinks",
       "listSinks",
       "The sinks and how far they are.",
       {},
       {},
       {{200, "the sinks"}}},
      {"GET",
       "/v1/receivers",
       "listReceivers",
       "The receivers that read by themselves.",
       {},
       {},
       {{200, "the receivers"}}},
      {"GET",
       "/v1/node",
       "showNode",
       "Who the node is and how it does.",
       {},
       {},
       {{200, "the node"}}},
      {"GET",
       "/v1/cluster",
       "showCluster",
       "How this node does as one of a pair.",
       {},
       {},
       {{200, "the pair"}, {409, "the node stands alone"}}},
      {"POST",
       "/v1/cluster/switchover",
       "switchOver",
       "Hands the lead over to the other node; nothing is lost.",
       {},
       {},
       {{200, "it is ordered"},
        {409, "there is nobody to hand over to, or the node does not lead"},
        {503, "not now"}}},
      {"POST",
       "/v1/cluster/force",
       "forceLead",
       "Makes this node lead without the other, whose last entries may be lost by it.",
       {{"confirm", "query", "the-other-node-is-powered-off"}},
       {},
       {{200, "it is ordered"},
        {400, "the word is missing"},
        {409, "the other node lives, or this one leads"},
        {503, "not now"}}},
      {"GET", "/v1/openapi.json", "openapi", "This page.", {}, {}, {{200, "OpenAPI 3"}}},
      {"GET", "/livez", "live", "Whether the process lives.", {}, {}, {{200, "it does"}}},
      {"GET",
       "/readyz",
       "ready",
       "Whether the node takes events.",
       {{"role", "query", "active or passive: also, whether it has that role"}},
       {},
       {{200, "it does"}, {400, "no such role"}, {503, "it does not"}}},
      {"GET", "/metrics", "metrics", "Metrics for Prometheus.", {}, {}, {{200, "text format"}}},
  };
  return kOperations;
}

void add_path_parameters(const std::string& pattern, Json& parameters) {
  for (size_t at = pattern.find('{'); at != std::string::npos; at = pattern.find('{', at + 1)) {
    std::string name = pattern.substr(at + 1, pattern.find('}', at) - at - 1);
    parameters.push_back({{"name", std::move(name)},
                          {"in", "path"},
                          {"required", true},
                          {"schema", {{"type", "string"}}}});
  }
}

Json json_of(const Operation& operation) {
  Json parameters = Json::array();
  add_path_parameters(operation.pattern, parameters);
  for (const Parameter& parameter : operation.parameters) {
    parameters.push_back({{"name", parameter.name},
                          {"in", parameter.in},
                          {"description", parameter.doc},
                          {"schema", {{"type", "string"}}}});
  }
  Json body = {{"operationId", operation.id}, {"summary", operation.summary}};
  if (!parameters.empty()) body["parameters"] = std::move(parameters);
  for (const char* type : operation.takes) {
    body["requestBody"]["content"][type] = Json::object();
  }
  for (const auto& [status, what] : operation.answers) {
    body["responses"][std::to_string(status)] = {{"description", what}};
  }
  return body;
}

Json openapi_page() {
  Json paths = Json::object();
  for (const Operation& operation : operations()) {
    std::string method = operation.method;
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    paths[operation.pattern][method] = json_of(operation);
  }
  return {{"openapi", "3.0.3"},
          {"info",
           {{"title", "Pollux"},
            {"version", "1"},
            {"description", "Errors are {\"error\": {\"code\", \"message\", ...}}."}}},
          {"paths", std::move(paths)}};
}

}  // namespace

void add_openapi_route(Router& router) {
  router.add({"GET", "/v1/openapi.json", [](const HttpRequest&, const Responder& responder) {
                responder.answer(json_answer(200, openapi_page()));
              }});
}

}  // namespace pollux

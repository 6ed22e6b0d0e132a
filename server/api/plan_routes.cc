// /v1/plans: list, deploy, validate, show, delete
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/str_split.h"
#include "engine/runtime/engine.h"
#include "server/api/api.h"
#include "server/api/api_json.h"

namespace pollux {
namespace {

constexpr const char* kUnnamed = "plan";  // a plan that nobody gave a name

std::string state_of(const PlanInfo& plan) {
  if (plan.counts.suspended) return "suspended";
  return plan.counts.resting ? "resting" : "running";
}

Json json_of(const PlanInfo& plan) {
  Json inputs = Json::array();
  Json outputs = Json::array();
  for (const StreamInfo& stream : plan.streams) {
    if (stream.input) inputs.push_back(stream.schema->name());
    if (stream.output) outputs.push_back(stream.schema->name());
  }
  Json body = {{"name", plan.name}, {"state", state_of(plan)}};
  if (plan.counts.suspended) body["reason"] = plan.suspended_because;
  body.update({{"origin", plan.origin},
               {"deployed_at", rfc3339(plan.deployed_ms)},
               {"epoch", plan.entry.epoch.value},
               {"position", plan.entry.position.value},
               {"inputs", std::move(inputs)},
               {"outputs", std::move(outputs)},
               {"counts",
                {{"entries", plan.counts.entries},
                 {"events", plan.counts.events},
                 {"results", plan.counts.results},
                 {"queued_entries", plan.counts.queued_entries},
                 {"queued_bytes", plan.counts.queued_bytes},
                 {"state_bytes", plan.counts.state_bytes}}}});
  return body;
}

/// {"name": "value", ...}: texts, numbers or truth values; false when it is something else.
bool read_parameters(const Json& given, PlanParameters& parameters) {
  if (!given.is_object()) return false;
  for (const auto& [name, value] : given.items()) {
    bool simple = value.is_string() || value.is_number() || value.is_boolean();
    if (!simple || !is_parameter_name(name)) return false;
    parameters[name] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return true;
}

/// The plan that a request brings: SiddhiQL as it is, or {"text", "name", "replace", "parameters"}.
std::optional<DeployRequest> plan_of(const HttpRequest& request, HttpResponse& wrong) {
  DeployRequest plan;
  plan.origin = "api";
  plan.name = request.query_parameter("name").value_or("");
  plan.replace = flag_of(request, "replace");
  auto type = request.headers.find("Content-Type");
  if (!type || !type->starts_with("application/json")) {
    plan.text = request.body;
    return plan;
  }
  Json body = Json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object() || !body.contains("text") || !body["text"].is_string()) {
    wrong = json_error(400, "bad_request",
                       "expected a JSON object with \"text\", and perhaps \"name\", \"replace\"");
    return std::nullopt;
  }
  plan.text = body["text"].get<std::string>();
  if (auto name = body.find("name"); name != body.end() && name->is_string()) {
    plan.name = name->get<std::string>();
  }
  if (auto replace = body.find("replace"); replace != body.end() && replace->is_boolean()) {
    plan.replace = replace->get<bool>();
  }
  auto parameters = body.find("parameters");
  if (parameters != body.end() && !read_parameters(*parameters, plan.parameters)) {
    wrong =
        json_error(400, "bad_request",
                   "expected \"parameters\" to be an object of names, each with a text, a number "
                   "or a truth value");
    return std::nullopt;
  }
  return plan;
}

Json json_of(const Deployed& deployed) {
  Json body = {{"plan", deployed.plan},
               {"epoch", deployed.entry.epoch.value},
               {"position", deployed.entry.position.value},
               {"replaced", deployed.replaced}};
  if (deployed.unchanged) body["unchanged"] = true;
  if (deployed.handed_over) {
    body["state"] = {{"kept", deployed.handed_over->kept},
                     {"fresh", deployed.handed_over->fresh},
                     {"dropped", deployed.handed_over->dropped}};
  }
  return body;
}

HttpResponse deploy(ApiParts& parts, const HttpRequest& request) {
  HttpResponse wrong;
  std::optional<DeployRequest> plan = plan_of(request, wrong);
  if (!plan) return wrong;
  if (plan->name.empty()) plan->name = kUnnamed;
  Deployed deployed = parts.node.deploy(*plan);
  switch (deployed.outcome) {
    case Deployed::Outcome::kDeployed:
      parts.log.info("plan deployed", {{"plan", deployed.plan}, {"by", request.peer}});
      return json_answer(201, json_of(deployed));
    case Deployed::Outcome::kErrors:
      return json_error(400, "plan_errors", "the plan was not deployed: " + deployed.reason,
                        {{"diagnostics", json_of(deployed.diagnostics)}});
    case Deployed::Outcome::kExists:
      return json_error(409, "plan_exists", deployed.reason + "; say replace=true to replace it");
    case Deployed::Outcome::kConflict:
      return json_error(409, "stream_conflict", deployed.reason);
    case Deployed::Outcome::kStopping:
    case Deployed::Outcome::kUnavailable:
      break;
  }
  bool stops = deployed.outcome == Deployed::Outcome::kStopping;
  HttpResponse stopping = json_error(503, stops ? "stopping" : "unavailable", deployed.reason);
  stopping.headers.push_back({"Retry-After", "1"});
  return stopping;
}

HttpResponse validate(const Node& node, const HttpRequest& request) {
  HttpResponse wrong;
  std::optional<DeployRequest> plan = plan_of(request, wrong);
  if (!plan) return wrong;
  if (plan->name.empty()) plan->name = kUnnamed;
  Deployed checked = node.check(*plan);
  bool valid = checked.outcome == Deployed::Outcome::kDeployed;
  return json_answer(200, {{"valid", valid},
                           {"plan", checked.plan.empty() ? plan->name : checked.plan},
                           {"diagnostics", json_of(checked.diagnostics)}});
}

HttpResponse unknown_plan(std::string_view name) {
  return json_error(404, "unknown_plan", "no plan is named '" + std::string(name) + "'");
}

/// What only the plan's engine knows.
void add_description(Engine& engine, const std::string& name, Json& body) {
  auto described = engine.describe(name);
  if (!described) return;
  body["description"] = described->description;
  body["counts"]["state_bytes"] = described->state_bytes;
  body["queries"] = Json::array();
  for (const QueryDescription& query : described->queries) {
    body["queries"].push_back({{"name", query.name}, {"line", query.location.line}});
  }
  body["tables"] = Json::array();
  for (const TableInfo& table : engine.tables(name)) {
    body["tables"].push_back({{"name", table.schema->name()},
                              {"rows", table.rows},
                              {"state_bytes", table.state_bytes},
                              {"primary_key", table.primary_key}});
  }
}

HttpResponse show(const Node& node, const HttpRequest& request) {
  std::string name(request.path_parameter("plan"));
  // The engine first: it answers behind all that was sent before, and so do the counts then.
  Json described = Json::object();
  absl::Status asked =
      node.with_engine(name, [&](Engine& engine) { add_description(engine, name, described); });
  if (absl::IsNotFound(asked)) return unknown_plan(name);
  if (!asked.ok()) return json_error(503, "busy", std::string(asked.message()));
  std::optional<PlanInfo> plan = node.plan(name);
  if (!plan) return unknown_plan(name);
  Json body = json_of(*plan);
  body.merge_patch(described);
  body["text"] = plan->text;
  return json_answer(200, body);
}

/// All states are cut at one entry; the answer is about this plan's.
HttpResponse persist(ApiParts& parts, const HttpRequest& request) {
  constexpr std::chrono::minutes kPatience{5};
  std::string name(request.path_parameter("plan"));
  if (!parts.node.plan(name)) return unknown_plan(name);
  if (parts.durability == nullptr) {
    return json_error(409, "not_durable", "persistence is off (persistence.enabled: false)");
  }
  auto report = parts.durability->persister().persist(kPatience);
  if (!report.ok()) {
    return json_error(503, "unavailable", std::string(report.status().message()));
  }
  auto plan = std::find_if(report->plans.begin(), report->plans.end(),
                           [&](const PersistedPlan& each) { return each.plan == name; });
  if (plan == report->plans.end()) return unknown_plan(name);
  if (!plan->status.ok()) {
    return json_error(503, "unavailable", std::string(plan->status.message()));
  }
  return json_answer(200, {{"plan", name},
                           {"epoch", report->at.epoch.value},
                           {"position", report->at.position.value},
                           {"file", plan->path},
                           {"file_bytes", plan->file_bytes},
                           {"state_bytes", plan->state_bytes},
                           {"pause_us", plan->pause_us}});
}

Json needed_by(const absl::Status& refused) {
  auto lines = refused.GetPayload(Node::kNeededBy);
  return lines ? Json(std::vector<std::string>(absl::StrSplit(std::string(*lines), '\n')))
               : Json::array();
}

HttpResponse undeploy(ApiParts& parts, const HttpRequest& request) {
  std::string name(request.path_parameter("plan"));
  absl::Status undeployed = parts.node.undeploy(name, flag_of(request, "force"));
  if (absl::IsNotFound(undeployed)) return unknown_plan(name);
  if (!undeployed.ok()) {
    return json_error(409, "plan_needed",
                      std::string(undeployed.message()) + "; say force=true to remove it",
                      {{"needed_by", needed_by(undeployed)}});
  }
  parts.log.info("plan undeployed", {{"plan", name}, {"by", request.peer}});
  return json_answer(200, {{"plan", name}, {"undeployed", true}});
}

}  // namespace

void add_plan_routes(Router& router, ApiParts& parts) {
  constexpr size_t kPlanBytesMax = size_t{4} << 20;
  Node& node = parts.node;
  router.add({"GET", "/v1/plans", [&node](const HttpRequest&, const Responder& responder) {
                Json list = Json::array();
                for (const PlanInfo& plan : node.plans()) list.push_back(json_of(plan));
                responder.answer(json_answer(200, {{"plans", std::move(list)}}));
              }});
  auto blocking = [&router](std::string method, std::string pattern,
                            std::function<HttpResponse(const HttpRequest&)> answer) {
    router.add(
        {std::move(method), std::move(pattern),
         [answer = std::move(answer)](const HttpRequest& request, const Responder& responder) {
           responder.answer(answer(request));
         },
         HttpRouteKind::kBlocking, kPlanBytesMax});
  };
  blocking("POST", "/v1/plans",
           [&parts](const HttpRequest& request) { return deploy(parts, request); });
  blocking("POST", "/v1/plans/validate",
           [&node](const HttpRequest& request) { return validate(node, request); });
  blocking("GET", "/v1/plans/{plan}",
           [&node](const HttpRequest& request) { return show(node, request); });
  blocking("POST", "/v1/plans/{plan}/persist",
           [&parts](const HttpRequest& request) { return persist(parts, request); });
  blocking("DELETE", "/v1/plans/{plan}",
           [&parts](const HttpRequest& request) { return undeploy(parts, request); });
}

}  // namespace pollux

// POST /v1/query, GET /v1/stores
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "engine/language/parser.h"
#include "engine/runtime/engine.h"
#include "engine/runtime/on_demand_query.h"
#include "server/api/api.h"
#include "server/api/api_json.h"
#include "server/node/wall_clock.h"

namespace pollux {
namespace {

struct Question {
  std::string text;
  std::string plan;  ///< empty: whichever has the table
};

std::optional<Question> question_of(const HttpRequest& request) {
  Question question;
  question.plan = request.query_parameter("plan").value_or("");
  auto type = request.headers.find("Content-Type");
  if (!type || !type->starts_with("application/json")) {
    question.text = request.body;
    return question;
  }
  Json body = Json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object() || !body.contains("query") || !body["query"].is_string()) {
    return std::nullopt;
  }
  question.text = body["query"].get<std::string>();
  if (auto plan = body.find("plan"); plan != body.end() && plan->is_string()) {
    question.plan = plan->get<std::string>();
  }
  return question;
}

/// What is away may be there later.
HttpResponse store_failed(const absl::Status& why) {
  const bool away = absl::IsUnavailable(why) || absl::IsDeadlineExceeded(why);
  return json_error(away ? 503 : 500, "store_failed", std::string(why.message()));
}

/// Somebody who holds a table: a plan or a store.
struct Holder {
  std::string plan;  ///< empty: a store
  std::optional<StoreSet::FoundTable> stored;
};

class Asking {
 public:
  Asking(ApiParts& parts, Question question) : parts_(parts), question_(std::move(question)) {}

  HttpResponse answer() {
    OnDemandResult parsed = parse_on_demand_query(question_.text);
    if (!parsed.diagnostics.empty()) return wrong(parsed.diagnostics);
    table_ = parsed.query.store.empty() ? parsed.query.output.target : parsed.query.store;
    std::vector<Holder> holders;
    if (HttpResponse failed; !find_holders(holders, failed)) return failed;
    if (holders.empty()) {
      return json_error(404, "unknown_table", "no plan and no store has a table '" + table_ + "'");
    }
    if (holders.size() > 1) return ambiguous(holders);
    if (parsed.query.kind != ast::OnDemandQuery::Kind::kFind) return write(holders[0]);
    return holders[0].stored ? ask_store(*holders[0].stored) : ask_plan(holders[0].plan);
  }

 private:
  static HttpResponse wrong(const Diagnostics& diagnostics) {
    return json_error(400, "query_errors", "the query has mistakes",
                      {{"diagnostics", json_of(diagnostics)}});
  }

  bool find_holders(std::vector<Holder>& holders, HttpResponse& failed) {
    for (const PlanInfo& plan : parts_.node.plans()) {
      if (!question_.plan.empty() && plan.name != question_.plan) continue;
      bool has = false;
      absl::Status asked = parts_.node.with_engine(
          plan.name, [&](Engine& engine) { has = engine.can_be_asked(plan.name, table_); });
      if (!asked.ok() && !absl::IsNotFound(asked)) {
        failed = json_error(503, "busy", std::string(asked.message()));
        return false;
      }
      if (has) holders.push_back({plan.name, std::nullopt});
    }
    if (!question_.plan.empty()) return true;
    auto stored = parts_.stores.find_tables(table_);
    if (!stored.ok()) {
      failed = store_failed(stored.status());
      return false;
    }
    for (StoreSet::FoundTable& table : *stored) holders.push_back({"", std::move(table)});
    return true;
  }

  HttpResponse ambiguous(const std::vector<Holder>& holders) const {
    std::string who;
    for (const Holder& holder : holders) {
      who += (who.empty() ? "" : ", ") +
             (holder.stored ? "store " + holder.stored->store : "plan " + holder.plan);
    }
    return json_error(
        400, "ambiguous_table",
        "table '" + table_ + "' is in several places: " + who + "; name the plan that is meant");
  }

  OnDemandOptions options() const {
    OnDemandOptions options;
    options.now = {wall_clock_ms()};
    options.rows_max = parts_.limits.query_rows_max;
    return options;
  }

  HttpResponse ask_plan(const std::string& plan) {
    QueryAnswer answer;
    absl::Status asked = parts_.node.with_engine(
        plan, [&](Engine& engine) { answer = engine.query(plan, question_.text, options()); });
    if (!asked.ok()) return json_error(503, "busy", std::string(asked.message()));
    return of(answer);
  }

  /// A query that changes a table is an entry like any other; a store's rows come from sinks only.
  HttpResponse write(const Holder& holder) {
    if (holder.stored) {
      return json_error(400, "read_only",
                        "table '" + table_ + "' is in store " + holder.stored->store +
                            ", which only sinks write; a query reads it");
    }
    auto outcome = parts_.node.write(holder.plan, question_.text);
    if (!outcome.ok()) return json_error(503, "busy", std::string(outcome.status().message()));
    if (!outcome->diagnostics.empty()) return wrong(outcome->diagnostics);
    if (outcome->status != ApplyStatus::kApplied) {
      return json_error(500, "query_failed", outcome->reason);
    }
    auto elapsed = std::chrono::steady_clock::now() - began_;
    return json_answer(
        200, {{"elapsed_ms", std::chrono::duration<double, std::milli>(elapsed).count()}});
  }

  HttpResponse ask_store(const StoreSet::FoundTable& found) {
    SchemaPtr schema = found.table.definition.schema;
    StoreCatalogue catalogue;
    catalogue.names = {table_};
    catalogue.schema_of = [&](std::string_view name) { return name == table_ ? schema : nullptr; };
    CompiledQuery compiled = compile_query(question_.text, catalogue, options());
    if (compiled.query == nullptr) return wrong(compiled.diagnostics);
    QueryAnswer answer;
    const auto key = key_of(found.table.definition, *compiled.query);
    absl::Status scanned = key ? look_up(found, *key, *compiled.query, answer.status)
                               : scan(found, *compiled.query, answer.status);
    if (absl::IsDeadlineExceeded(scanned)) {
      return json_error(504, "query_timeout", std::string(scanned.message()));
    }
    if (!scanned.ok()) return store_failed(scanned);
    return answer.status.ok() ? of(compiled.query->finish()) : of(answer);
  }

  /// The primary key of the only row that can be in the answer; nothing: there may be many.
  static std::optional<std::vector<Value>> key_of(const TableDefinition& table,
                                                  const OnDemandQuery& query) {
    if (table.primary_key.empty() || query.time_range()) return std::nullopt;
    std::vector<Value> key;
    for (const std::string& column : table.primary_key) {
      std::optional<Value> value = query.key_equals(column);
      if (!value) return std::nullopt;
      key.push_back(*std::move(value));
    }
    return key;
  }

  absl::Status look_up(const StoreSet::FoundTable& found, const std::vector<Value>& key,
                       OnDemandQuery& query, QueryStatus& status) const {
    auto row = found.records->find(table_, key, {wall_clock_ms()});
    if (!row.ok()) return row.status();
    if (*row != nullptr) status = query.take(**row);
    return absl::OkStatus();
  }

  absl::Status scan(const StoreSet::FoundTable& found, OnDemandQuery& query,
                    QueryStatus& status) const {
    RecordTimeRange range;
    if (auto asked = query.time_range()) range = {{asked->from_ms}, {asked->to_ms}};
    auto cursor = found.records->scan(table_, range, {wall_clock_ms()});
    if (!cursor.ok()) return cursor.status();
    while (status.ok() && query.wants_more()) {
      if (std::chrono::steady_clock::now() - began_ > parts_.limits.query_timeout) {
        return absl::DeadlineExceededError(
            "the query takes longer than query.timeout; ask for less, or within a time");
      }
      auto rows = (*cursor)->next();
      if (!rows.ok()) return rows.status();
      if (*rows == nullptr) break;
      status = query.take(**rows);
    }
    return absl::OkStatus();
  }

  HttpResponse of(const QueryAnswer& answer) const {
    switch (answer.status.code) {
      case QueryCode::kOk:
        return rows_of(*answer.rows);
      case QueryCode::kInvalid:
        return wrong(answer.diagnostics);
      case QueryCode::kUnknownPlan:
        return json_error(404, "unknown_plan", answer.status.reason);
      case QueryCode::kTooLarge:
        return json_error(413, "too_large", answer.status.reason);
      case QueryCode::kFailed:
        break;
    }
    return json_error(500, "query_failed", answer.status.reason);
  }

  HttpResponse rows_of(const EventBatch& rows) const {
    Json list = Json::array();
    for (uint32_t row = 0; row < rows.rows(); ++row) {
      Json values = Json::array();
      for (size_t c = 0; c < rows.schema().size(); ++c) values.push_back(json_of(rows, row, c));
      list.push_back(std::move(values));
    }
    auto elapsed = std::chrono::steady_clock::now() - began_;
    return json_answer(
        200, {{"columns", json_of(rows.schema())},
              {"rows", std::move(list)},
              {"elapsed_ms", std::chrono::duration<double, std::milli>(elapsed).count()}});
  }

  ApiParts& parts_;
  const Question question_;
  std::string table_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

HttpResponse list_stores(const StoreSet& stores) {
  Json list = Json::array();
  for (const std::string& name : stores.names()) {
    auto stored = stores.find(name)->tables();
    if (!stored.ok()) {
      list.push_back({{"name", name}, {"error", std::string(stored.status().message())}});
      continue;
    }
    Json tables = Json::array();
    for (const StoredTable& table : *stored) {
      Json key = Json::array();
      for (const auto& column : table.definition.primary_key) key.push_back(column);
      tables.push_back({{"name", table.definition.name},
                        {"rows", table.rows},
                        {"bytes", table.bytes},
                        {"primary_key", std::move(key)},
                        {"retention_ms", table.definition.retention_ms}});
    }
    list.push_back({{"name", name}, {"tables", std::move(tables)}});
  }
  return json_answer(200, {{"stores", std::move(list)}});
}

}  // namespace

void add_query_routes(Router& router, ApiParts& parts) {
  router.add({"POST", "/v1/query",
              [&parts](const HttpRequest& request, const Responder& responder) {
                auto question = question_of(request);
                responder.answer(question ? Asking(parts, *std::move(question)).answer()
                                          : json_error(400, "bad_request",
                                                       "expected a JSON object with \"query\""));
              },
              HttpRouteKind::kBlocking});
  router.add({"GET", "/v1/stores",
              [&parts](const HttpRequest&, const Responder& responder) {
                responder.answer(list_stores(parts.stores));
              },
              HttpRouteKind::kBlocking});
}

}  // namespace pollux

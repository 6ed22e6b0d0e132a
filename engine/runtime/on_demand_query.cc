#include "engine/runtime/on_demand_query.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/language/parser.h"
#include "engine/planner/plan_builder.h"
#include "engine/runtime/plan.h"

namespace pollux {
namespace {

/// Rows of groups are put together when they are twice as many as the groups, but not for few.
constexpr uint32_t kCompactRowsMin = 4096;

class BatchList final : public ResultSink {
 public:
  void on_result(const ResultBatch& results) override { batches.push_back(results.batch); }
  std::vector<EventBatchPtr> batches;
};

BuildOptions with(ScriptFunctions* scripts) {
  BuildOptions options;
  options.scripts = scripts;
  return options;
}

/// One step of a query: a plan that takes rows of one stream and puts out rows of another.
class Step {
 public:
  Step(const ast::Plan& tree, const std::string& stream, ScriptFunctions* scripts)
      : built_(build_plan(tree, "query", with(scripts))) {
    POLLUX_CHECK(built_.plan != nullptr);
    input_ = built_.plan->input(stream);
    POLLUX_CHECK(input_ != nullptr);
  }

  const Schema& takes() const { return *input_->schema(); }
  const SchemaPtr& gives() { return built_.plan->find_stream(kOnDemandRows)->junction->schema(); }
  size_t state_bytes() const { return built_.plan->state_bytes(); }

  std::vector<EventBatchPtr> run(const EventBatch& rows, Timestamp now) {
    built_.plan->apply_chunk(*input_, rows, now.ms);
    BatchList out;
    built_.plan->deliver({}, out);
    return std::move(out.batches);
  }

 private:
  BuiltPlan built_;
  Junction* input_;
};

std::string change_named(ast::OnDemandQuery::Kind kind) {
  using Kind = ast::OnDemandQuery::Kind;
  switch (kind) {
    case Kind::kInsert:
      return "insert";
    case Kind::kDelete:
      return "delete";
    case Kind::kUpdate:
      return "update";
    default:
      return "update or insert";
  }
}

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// The schema of what is asked; null, and told, when it cannot be.
SchemaPtr find_store(const ast::OnDemandQuery& query, const StoreCatalogue& catalogue,
                     Diagnostics& diagnostics) {
  if (query.kind != ast::OnDemandQuery::Kind::kFind) {
    diagnostics.push_back(
        {query.location,
         "'" + change_named(query.kind) + "' changes a table, and a query changes nothing",
         "from <table> [on <condition>] [select ...]",
         {}});
    return nullptr;
  }
  SchemaPtr schema = catalogue.schema_of(query.store);
  if (schema) return schema;
  std::string near = nearest_name(query.store, catalogue.names);
  diagnostics.push_back({query.store_location, "unknown table " + in_quotes(query.store),
                         catalogue.names.empty() ? "a table, of which there are none here"
                                                 : "one of: " + list_of(catalogue.names),
                         near.empty() ? "" : "did you mean '" + near + "'?"});
  return nullptr;
}

}  // namespace

struct OnDemandQuery::Impl {
  Impl(const std::string& store_name, OnDemandSteps planned, const OnDemandOptions& query_options)
      : store(store_name),
        options(query_options),
        equalities(std::move(planned.equalities)),
        time_range(planned.time_range),
        per(planned.per),
        rows_needed(planned.rows_needed),
        scan(planned.scan, store, options.scripts) {
    SchemaPtr rows = scan.gives();
    if (planned.fold) {
      fold = std::make_unique<Step>(*planned.fold, store, options.scripts);
      rows = fold->gives();
      set_rows(*planned.compact, *rows);
      set_rows(planned.finish, *rows);
      compact = std::make_unique<Step>(*planned.compact, store, options.scripts);
    }
    last = std::make_unique<Step>(planned.finish, store, options.scripts);
    kept = std::make_unique<EventBatch>(rows);
  }

  void take(const EventBatch& rows);
  void keep(const EventBatch& rows);
  void drop_all_but_last_of_groups();
  QueryStatus within_limits() const;

  std::string store;
  OnDemandOptions options;
  std::vector<KeyEquality> equalities;
  std::optional<TimeRange> time_range;
  std::optional<CalendarUnit> per;
  std::optional<uint64_t> rows_needed;
  Step scan;
  std::unique_ptr<Step> fold, compact;  // when there are groups or aggregates
  std::unique_ptr<Step> last;
  std::unique_ptr<EventBatch> kept;
  uint32_t groups = 0;  // rows that were left when they were last put together
  bool over = false;
};

void OnDemandQuery::Impl::take(const EventBatch& rows) {
  for (const EventBatchPtr& passed : scan.run(rows, options.now)) {
    if (!fold) {
      keep(*passed);
      continue;
    }
    for (const EventBatchPtr& folded : fold->run(*passed, options.now)) keep(*folded);
    if (kept->rows() > std::max(kCompactRowsMin, 2 * groups)) drop_all_but_last_of_groups();
  }
}

void OnDemandQuery::Impl::keep(const EventBatch& rows) {
  uint64_t wanted = rows_needed ? *rows_needed - std::min<uint64_t>(*rows_needed, kept->rows())
                                : uint64_t{rows.rows()};
  for (uint32_t row = 0; row < std::min<uint64_t>(rows.rows(), wanted); ++row) {
    append_row(*kept, rows, row);
  }
}

void OnDemandQuery::Impl::drop_all_but_last_of_groups() {
  auto fewer = std::make_unique<EventBatch>(kept->schema_ptr());
  for (const EventBatchPtr& part : compact->run(*kept, options.now)) append_batch(*fewer, *part);
  kept = std::move(fewer);
  groups = kept->rows();
}

QueryStatus OnDemandQuery::Impl::within_limits() const {
  const char* what = fold ? "groups" : "rows";
  if ((fold ? groups : kept->rows()) > options.rows_max) {
    return {QueryCode::kTooLarge, std::string("more than ") + std::to_string(options.rows_max) +
                                      " " + what + " meet the query: narrow its condition"};
  }
  size_t bytes = kept->bytes_held() + (fold ? fold->state_bytes() : 0);
  if (bytes > options.bytes_max) {
    return {QueryCode::kTooLarge,
            std::string("the ") + what + " that meet the query take more than " +
                std::to_string(options.bytes_max) + " bytes: narrow its condition or select less"};
  }
  return {};
}

OnDemandQuery::OnDemandQuery(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OnDemandQuery::~OnDemandQuery() = default;

const std::string& OnDemandQuery::store() const { return impl_->store; }
const SchemaPtr& OnDemandQuery::result_schema() const { return impl_->last->gives(); }
std::optional<TimeRange> OnDemandQuery::time_range() const { return impl_->time_range; }

std::optional<CalendarUnit> OnDemandQuery::per() const { return impl_->per; }

std::optional<Value> OnDemandQuery::key_equals(std::string_view column) const {
  for (const KeyEquality& equality : impl_->equalities) {
    if (equality.column == column) return equality.value;
  }
  return std::nullopt;
}

bool OnDemandQuery::wants_more() const {
  if (impl_->over) return false;
  const auto& range = impl_->time_range;
  if (range && range->from_ms >= range->to_ms) return false;
  return !impl_->rows_needed || impl_->kept->rows() < *impl_->rows_needed;
}

QueryStatus OnDemandQuery::take(const EventBatch& rows) {
  if (impl_->over) return {QueryCode::kFailed, "the query is over"};
  if (!rows.schema().same_attributes(impl_->scan.takes())) {
    impl_->over = true;
    return {QueryCode::kFailed, "the rows have not the attributes of " + impl_->store};
  }
  if (!wants_more()) return {};
  try {
    impl_->take(rows);
  } catch (const AssertionFailed& failure) {
    impl_->over = true;
    return {QueryCode::kFailed, failure.what()};
  }
  QueryStatus status = impl_->within_limits();
  impl_->over = !status.ok();
  return status;
}

QueryAnswer OnDemandQuery::finish() {
  QueryAnswer answer;
  if (std::exchange(impl_->over, true)) {
    answer.status = {QueryCode::kFailed, "the query is over"};
    return answer;
  }
  try {
    if (impl_->fold) {
      impl_->drop_all_but_last_of_groups();
      answer.status = impl_->within_limits();
      if (!answer.status.ok()) return answer;
    }
    std::vector<EventBatchPtr> parts = impl_->last->run(*impl_->kept, impl_->options.now);
    if (parts.size() == 1) {
      answer.rows = parts[0];
      return answer;
    }
    auto rows = std::make_shared<EventBatch>(result_schema());
    for (const EventBatchPtr& part : parts) append_batch(*rows, *part);
    answer.rows = std::move(rows);
  } catch (const AssertionFailed& failure) {
    answer.status = {QueryCode::kFailed, failure.what()};
  }
  return answer;
}

CompiledQuery compile_query(std::string_view text, const StoreCatalogue& catalogue,
                            const OnDemandOptions& options) {
  CompiledQuery compiled;
  OnDemandResult parsed = parse_on_demand_query(text);
  compiled.diagnostics = std::move(parsed.diagnostics);
  if (!compiled.diagnostics.empty()) return compiled;
  SchemaPtr schema = find_store(parsed.query, catalogue, compiled.diagnostics);
  if (!schema) return compiled;
  std::string store = parsed.query.store;
  auto aggregation = catalogue.aggregations.find(store);
  bool aggregated = aggregation != catalogue.aggregations.end();
  OnDemandSteps steps =
      plan_on_demand(std::move(parsed.query), *schema, aggregated ? &aggregation->second : nullptr,
                     compiled.diagnostics);
  Diagnostics wrong = build_plan(steps.whole, "query", with(options.scripts)).diagnostics;
  compiled.diagnostics.insert(compiled.diagnostics.end(), wrong.begin(), wrong.end());
  std::stable_sort(compiled.diagnostics.begin(), compiled.diagnostics.end(),
                   [](const Diagnostic& a, const Diagnostic& b) {
                     return std::pair(a.location.line, a.location.column) <
                            std::pair(b.location.line, b.location.column);
                   });
  if (!compiled.diagnostics.empty()) return compiled;
  try {
    auto impl = std::make_unique<OnDemandQuery::Impl>(store, std::move(steps), options);
    compiled.query.reset(new OnDemandQuery(std::move(impl)));
  } catch (const AssertionFailed& failure) {
    compiled.diagnostics.push_back({{}, failure.what(), {}, {}});
  }
  return compiled;
}

}  // namespace pollux

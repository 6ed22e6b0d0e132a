#include "engine/planner/plan_builder.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/expression/row_function.h"
#include "engine/language/parser.h"
#include "engine/operators/observed.h"
#include "engine/operators/trigger.h"
#include "engine/planner/annotation_check.h"
#include "engine/planner/annotations.h"
#include "engine/planner/anonymous_streams.h"
#include "engine/planner/limits_annotation.h"
#include "engine/planner/plan_describer.h"
#include "engine/planner/query_planner.h"
#include "engine/planner/size_limits.h"
#include "engine/planner/stored_holders.h"
#include "engine/planner/table_keys.h"
#include "engine/planner/unit_hashes.h"

namespace pollux {
namespace {

using HashedPart = std::variant<const ast::Query*, const ast::Partition*,
                                const ast::TableDefinition*, const ast::WindowDefinition*,
                                const ast::TriggerDefinition*, const ast::AggregationDefinition*>;

class PlanBuilder {
 public:
  PlanBuilder(const ast::Plan& tree, Plan& plan, const BuildOptions& options,
              Diagnostics& diagnostics)
      : tree_(tree),
        plan_(plan),
        log_(options.log),
        scripts_(options.scripts),
        diagnostics_(diagnostics),
        queries_(plan, flow_, options.observer, diagnostics) {
    plan.context().set_dialect(dialect_of(tree.annotations, options.dialect));
  }

  void build() {
    check_annotations(tree_, diagnostics_);
    read_annotations();
    plan_.context().set_plan(plan_.name(), log_);
    define_functions();
    for (const ast::Definition& definition : tree_.definitions) {
      if (diagnostics_.size() > kDiagnosticsMax) return;  // nobody reads more
      std::visit([this](const auto& d) { define(d); }, definition);
    }
    for (const ast::Definition& definition : tree_.definitions) {
      if (const auto* d = std::get_if<ast::AggregationDefinition>(&definition)) aggregate(*d);
    }
    for (const ast::Element& element : tree_.elements) {
      if (diagnostics_.size() > kDiagnosticsMax) return;
      if (const auto* query = std::get_if<ast::Query>(&element)) {
        begin_unit("query", *query, ++queries_seen_);
        queries_.add(*query, nullptr);
      } else {
        const auto& partition = std::get<ast::Partition>(element);
        begin_unit("partition", partition, ++partitions_seen_);
        add_partition(partition);
      }
    }
    std::optional<size_t> chain = flow_.longest_chain();
    if (chain && *chain > kChainMax) {
      report({}, "more than " + std::to_string(kChainMax) + " queries in a row",
             "shorter chains of queries that feed each other");
      return;
    }
    queries_.check_lookups(tree_);
    keep_names_of_changes();
    plan_.set_row_by_row(flow_.row_by_row());
    if (diagnostics_.empty()) hash_units();
  }

  /// A stream feeds itself: known once all queries are.
  bool loops() const { return flow_.loops(); }

 private:
  static constexpr int64_t kPlaybackTimeMax = int64_t{100} * 365 * 86'400'000;
  static constexpr const char* kPlaybackExpected =
      "neither or both: @app:playback(idle.time='100 millisecond', increment='2 sec')";

  void report(const Location& location, std::string message, std::string expected = {},
              std::string hint = {}) {
    diagnostics_.push_back({location, std::move(message), std::move(expected), std::move(hint)});
  }

  /// A query or partition goes by the name that @info gives it, else by its number.
  template <class Part>
  void begin_unit(const std::string& kind, const Part& part, size_t number) {
    const ast::Annotation* info = find_annotation(part.annotations, "info");
    std::optional<std::string> name;
    if (info != nullptr) name = annotation_value(*info, "name");
    size_t unit = plan_.begin_unit(kind + " " + name.value_or("#" + std::to_string(number)));
    hashed_.emplace_back(unit, &part);
  }
  template <class Part>
  void begin_unit(const std::string& kind, const Part& definition) {
    hashed_.emplace_back(plan_.begin_unit(kind + " " + definition.name), &definition);
  }

  /// Once everything that is read has its schema.
  void hash_units() {
    UnitHashes hashes(tree_, plan_);
    plan_.set_unit_hash(0, hashes.of_plan());
    for (const auto& [unit, part] : hashed_) {
      std::visit([&, at = unit](const auto* p) { plan_.set_unit_hash(at, hashes.of(*p)); }, part);
    }
  }

  void read_annotations() {
    for (const char* key : {"app:name", "plan:name"}) {
      const ast::Annotation* name = find_annotation(tree_.annotations, key);
      if (name == nullptr) continue;
      if (auto value = annotation_value(*name, "")) plan_.set_name(*value);
    }
    for (const char* key : {"app:playback", "plan:playback"}) {
      const ast::Annotation* playback = find_annotation(tree_.annotations, key);
      if (playback != nullptr) read_playback(*playback);
    }
    for (const char* key : {"app:limits", "plan:limits"}) {
      const ast::Annotation* limits = find_annotation(tree_.annotations, key);
      if (limits == nullptr) continue;
      LimitsReading read = read_limits(*limits);
      diagnostics_.insert(diagnostics_.end(), read.diagnostics.begin(), read.diagnostics.end());
      plan_.context().set_limits(read.limits);
    }
  }

  /// Playback, and how its clock goes on while no events come.
  void read_playback(const ast::Annotation& annotation) {
    plan_.set_playback(true);
    std::optional<int64_t> times[2];
    const char* const keys[2] = {"idle.time", "increment"};
    for (const ast::AnnotationElement& element : annotation.elements) {
      size_t key = same_name(element.key, keys[0]) ? 0 : 1;
      times[key] = parse_duration(element.value);
      bool known = key == 0 || same_name(element.key, keys[1]);
      if (known && times[key] && *times[key] > 0 && *times[key] <= kPlaybackTimeMax) continue;
      return report(element.location, "no time that playback knows", kPlaybackExpected);
    }
    if (times[0].has_value() != times[1].has_value()) {
      return report(annotation.location, "one of idle.time and increment without the other",
                    kPlaybackExpected);
    }
    if (times[0]) plan_.set_idle_clock({*times[0], *times[1]});
  }

  /// Before all that may call them.
  void define_functions() {
    plan_.borrow_scripts(scripts_);
    for (const ast::Definition& definition : tree_.definitions) {
      const auto* function = std::get_if<ast::FunctionDefinition>(&definition);
      if (function != nullptr) plan_.make_scripts().define(*function, diagnostics_);
    }
  }

  /// The schema of a definition; null after errors.
  SchemaPtr schema_of(const ast::StreamDefinition& definition) {
    std::vector<Attribute> attributes;
    std::set<std::string> seen;
    bool good = true;
    for (const ast::AttributeDefinition& attribute : definition.attributes) {
      if (!seen.insert(attribute.name).second) {
        report(attribute.location, "attribute '" + attribute.name + "' is defined twice",
               "another name");
        good = false;
      }
      attributes.push_back({attribute.name, attribute.type});
    }
    if (!good) return nullptr;
    return std::make_shared<Schema>(definition.name, std::move(attributes));
  }

  enum class Kind : uint8_t { kStream, kTable, kWindow };

  /// False, and told, when the name means something else already.
  bool is_free(const std::string& name, const Schema& schema, const Location& location, Kind kind) {
    Plan::Stream* stream = plan_.find_stream(name);
    auto table = plan_.all_tables().find(name);
    NamedWindow* window = plan_.find_window(name);
    const Schema* known = nullptr;
    Kind known_kind = kind;
    if (stream != nullptr) {
      known = stream->junction->schema().get();
      known_kind = Kind::kStream;
    } else if (table != plan_.all_tables().end()) {
      known = table->second->schema().get();
      known_kind = Kind::kTable;
    } else if (window != nullptr) {
      known = window->schema().get();
      known_kind = Kind::kWindow;
    } else if (const ExternalPart* external = plan_.find_external(name)) {
      known = external->rows->schema().get();
      known_kind = Kind::kTable;
    }
    if (known == nullptr) return true;
    if (known_kind != kind || !known->same_attributes(schema)) {
      report(location, "'" + name + "' is defined again, and differently",
             "one definition, or the same twice");
    }
    return false;
  }

  /// Sources and sinks are none of the engine's business, but without a type nobody can make one.
  void check_endpoints(const ast::StreamDefinition& definition) {
    for (const ast::Annotation& annotation : definition.annotations) {
      for (const char* kind : {"source", "sink"}) {
        if (!same_name(annotation.name, kind) || annotation_value(annotation, "type")) continue;
        report(annotation.location, std::string("a ") + kind + " needs a type",
               std::string("@") + kind + "(type='...')");
      }
    }
  }

  void define(const ast::StreamDefinition& definition) {
    check_endpoints(definition);
    SchemaPtr schema = schema_of(definition);
    if (schema && is_free(definition.name, *schema, definition.location, Kind::kStream)) {
      add_fault_stream(definition, *schema);
      plan_.add_stream(std::move(schema), true);
    }
  }

  /// What is done with events whose processing fails. Nothing that a plan does with an event fails
  /// here, so a fault stream has only what queries insert into it.
  void add_fault_stream(const ast::StreamDefinition& definition, const Schema& schema) {
    const ast::Annotation* on_error = find_annotation(definition.annotations, "onerror");
    if (on_error == nullptr) return;
    std::string action = annotation_value(*on_error, "action").value_or("LOG");
    if (same_name(action, "LOG") || same_name(action, "STORE")) return;
    if (!same_name(action, "STREAM")) {
      return report(on_error->location, "an unknown action '" + action + "'",
                    "'LOG', 'STREAM' or 'STORE'");
    }
    std::vector<Attribute> attributes = schema.attributes();
    attributes.push_back({"_error", AttributeType::kObject});
    plan_.add_stream(std::make_shared<Schema>("!" + definition.name, std::move(attributes)), false);
  }

  void define(const ast::TableDefinition& definition) {
    SchemaPtr schema = schema_of(definition);
    if (!schema || !is_free(definition.name, *schema, definition.location, Kind::kTable)) return;
    TableKeys keys = read_table_keys(definition, *schema, plan_.context().dialect(), diagnostics_);
    std::optional<StoreReading> store =
        read_store(definition.annotations, definition.name, diagnostics_);
    keys.rules.stored = store.has_value();
    std::vector<size_t> indexed = keys.indexed;
    auto table = std::make_unique<Table>(schema, std::move(keys.primary), std::move(keys.indexed),
                                         plan_.context().strings(), keys.rules);
    if (store && store->external) {
      return add_external_table(std::move(table), std::move(*store), plan_, diagnostics_);
    }
    begin_unit("table", definition);
    plan_.add_state(*table);
    if (store) add_stored_table(*table, indexed, std::move(*store), plan_, diagnostics_);
    plan_.all_tables()[definition.name] = std::move(table);
  }

  void define(const ast::WindowDefinition& definition) {
    SchemaPtr schema = schema_of(definition);
    if (!schema || !is_free(definition.name, *schema, definition.location, Kind::kWindow)) return;
    begin_unit("window", definition);
    queries_.add_window(definition, schema);
  }

  void define(const ast::TriggerDefinition& definition) {
    Trigger::Times times{definition.every_ms, std::nullopt};
    if (!definition.every_ms && !same_name(definition.at, "start")) {
      std::string error;
      times.cron = CronSchedule::parse(definition.at, error);
      if (!times.cron) {
        return report(definition.location, std::move(error),
                      "'start', every 5 sec, or a cron expression such as '0 0 3 * * ?'");
      }
    }
    if (definition.every_ms && *definition.every_ms <= 0) {
      return report(definition.location, "a trigger every 0 milliseconds", "more than that");
    }
    auto schema = std::make_shared<Schema>(
        definition.name, std::vector<Attribute>{{"triggered_time", AttributeType::kLong}});
    Plan::Stream* stream = plan_.find_stream(definition.name);
    if (stream == nullptr) {
      if (!is_free(definition.name, *schema, definition.location, Kind::kStream)) return;
      stream = &plan_.add_stream(schema, false);
    } else if (!stream->junction->schema()->same_attributes(*schema)) {
      return report(definition.location, "'" + definition.name + "' is a stream already",
                    "a name of its own, or a stream (triggered_time long)");
    }
    begin_unit("trigger", definition);
    plan_.own(std::make_unique<Trigger>(std::move(times), *stream->junction, plan_.context()));
  }
  void define(const ast::FunctionDefinition&) {}     // define_functions() was first
  void define(const ast::AggregationDefinition&) {}  // see aggregate()

  /// Its source may be defined behind it.
  void aggregate(const ast::AggregationDefinition& definition) {
    const std::string& name = definition.name;
    bool used = plan_.find_stream(name) != nullptr || queries_.find_table(name) != nullptr ||
                plan_.find_external(name) != nullptr || plan_.find_window(name) != nullptr ||
                plan_.find_aggregation(name) != nullptr;
    if (!used) {
      begin_unit("aggregation", definition);
      return queries_.add_aggregation(definition);
    }
    report(definition.location, "'" + name + "' is defined already", "a name of its own");
  }

  /// Other plans could not tell such a stream from the changes of a stored table.
  void keep_names_of_changes() {
    for (const Plan::Stream& stream : plan_.all_streams()) {
      if (!is_name_of_changes(stream.name)) continue;
      report({}, "a stream named '" + stream.name + "'",
             "another name: changes of stored tables come out under such names");
    }
  }

  std::optional<Partition::Purge> purge_of(const ast::Partition& partition) {
    const ast::Annotation* annotation = find_annotation(partition.annotations, "purge");
    if (annotation == nullptr) return std::nullopt;
    std::string enable = annotation_value(*annotation, "enable").value_or("");
    auto interval = parse_duration(annotation_value(*annotation, "interval").value_or("5 min"));
    auto idle = parse_duration(annotation_value(*annotation, "idle.period").value_or(""));
    bool on = same_name(enable, "true");
    if ((!on && !same_name(enable, "false")) || !interval || !idle || *interval <= 0) {
      report(annotation->location, "'@purge' without a valid enable, interval or idle.period",
             "@purge(enable='true', interval='10 sec', idle.period='1 hour')");
      return std::nullopt;
    }
    if (!on) return std::nullopt;
    return Partition::Purge{*interval, *idle};
  }

  /// Keys are compared as text, so that several streams can share them.
  static ExpressionPtr as_text(ExpressionPtr value) {
    if (value->type() == AttributeType::kString) return value;
    return make_row_function(AttributeType::kString, {std::move(value)},
                             [](const RowArguments& in, RowResult& out) {
                               if (!in.is_null(0)) out.put_text(in.to_text(0));
                             });
  }

  void add_partition(const ast::Partition& tree) {
    PlanContext& context = plan_.context();
    Partition& partition =
        plan_.add_partition(std::make_unique<Partition>(context, purge_of(tree)));
    PartitionFrame frame;
    frame.partition = &partition;
    for (const ast::PartitionKey& key : tree.keys) {
      Plan::Stream* stream = plan_.find_stream(key.stream);
      if (stream == nullptr) {
        std::vector<std::string> known;
        for (const Plan::Stream& other : plan_.all_streams()) known.push_back(other.name);
        std::string near = nearest_name(key.stream, known);
        report(key.location, "unknown stream '" + key.stream + "'", "a stream defined before",
               near.empty() ? "" : "did you mean '" + near + "'?");
        continue;
      }
      const SchemaPtr& schema = stream->junction->schema();
      SourcesScope scope({{{key.stream}, schema, 0, 0}});
      ExpressionBinder binder(scope, context, queries_, diagnostics_);
      ExpressionPtr value;
      std::vector<PartitionInput::Range> ranges;
      if (key.value) {
        value = binder.bind(*key.value);
        if (!value) continue;
        value = as_text(std::move(value));
      }
      for (const ast::PartitionRange& range : key.ranges) {
        ranges.push_back({binder.bind_condition(*range.condition, "the range"), range.key});
        if (!ranges.back().condition) return;
      }
      PartitionInput& input = plan_.own(std::make_unique<PartitionInput>(
          partition, context, std::move(value), std::move(ranges), schema));
      frame.inputs[key.stream] = &input;
    }
    for (const ast::Query& query : tree.queries) queries_.add(query, &frame);
    for (auto& [name, junction] : frame.streams) plan_.own(std::move(junction));
  }

  const ast::Plan& tree_;
  Plan& plan_;
  PlanLog* log_;
  ScriptFunctions* scripts_;
  Diagnostics& diagnostics_;
  Flow flow_;
  QueryPlanner queries_;
  size_t queries_seen_ = 0, partitions_seen_ = 0;
  std::vector<std::pair<size_t, HashedPart>> hashed_;  ///< by unit of the plan
};

void observe_streams(Plan& plan, FlowObserver& observer) {
  for (Plan::Stream& stream : plan.all_streams()) {
    stream.junction->add_reader(plan.own(std::make_unique<ObservedStream>(stream.name, observer)));
  }
}

BuiltPlan build(const ast::Plan& tree, Diagnostics diagnostics, const std::string& default_name,
                const BuildOptions& options) {
  BuiltPlan built;
  built.diagnostics = std::move(diagnostics);
  size_t said = built.diagnostics.size();
  check_size_limits(tree, built.diagnostics);
  bool too_large = built.diagnostics.size() > said;
  auto plan = std::make_unique<Plan>(default_name);
  if (!too_large && said <= kDiagnosticsMax) {
    PlanBuilder builder(tree, *plan, options, built.diagnostics);
    builder.build();
    if (builder.loops() && built.diagnostics.empty()) {
      plan = std::make_unique<Plan>(default_name);
      plan->context().set_loops(true);
      PlanBuilder(tree, *plan, options, built.diagnostics).build();
    }
  }
  if (!built.diagnostics.empty()) {
    in_order_of_place(built.diagnostics);
    return built;
  }
  plan->set_description(describe_tree(tree));
  for (Plan::Stream& stream : plan->all_streams()) {
    if (!stream.written || is_anonymous_stream(stream.name)) continue;
    if (!options.is_result || options.is_result(plan->name(), stream.name)) {
      plan->make_result(stream);
    }
  }
  plan->make_results_of_changes([&](const std::string& stream) {
    return !options.is_result || options.is_result(plan->name(), stream);
  });
  if (options.observer != nullptr) observe_streams(*plan, *options.observer);
  built.plan = std::move(plan);
  return built;
}

}  // namespace

Diagnostics build_into(const ast::Plan& tree, Plan& plan) {
  Diagnostics wrong;
  PlanBuilder(tree, plan, {}, wrong).build();
  return wrong;
}

BuiltPlan build_plan(std::string_view text, const std::string& default_name,
                     const BuildOptions& options) {
  ParseResult parsed = parse_plan(text);
  name_anonymous_streams(parsed.plan);
  return build(parsed.plan, std::move(parsed.diagnostics), default_name, options);
}

BuiltPlan build_plan(const ast::Plan& tree, const std::string& default_name,
                     const BuildOptions& options) {
  return build(tree, {}, default_name, options);
}

}  // namespace pollux

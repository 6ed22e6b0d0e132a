#include "tests/oracle/oracle.h"

#include <utility>

#include "engine/language/parser.h"
#include "tests/oracle/named_window.h"
#include "tests/oracle/plan.h"
#include "tests/oracle/trigger.h"

namespace pollux::oracle {

PlanState::PlanState() = default;
PlanState::~PlanState() = default;

Table* PlanState::find_table(const std::string& name) {
  for (Table* table : table_pointers) {
    if (table->name() == name) return table;
  }
  return nullptr;
}

NamedWindow* PlanState::find_window(const std::string& name) {
  for (const auto& window : windows) {
    if (window->name() == name) return window.get();
  }
  return nullptr;
}

Junction& PlanState::stream(const std::string& name) {
  auto& junction = streams[name];
  if (junction == nullptr) junction = std::make_unique<Junction>(name, inferred.at(name));
  return *junction;
}

Scope PlanState::base_scope() {
  Scope scope;
  scope.table = [this](const std::string& name, size_t& number) -> const Fields* {
    for (size_t i = 0; i < table_pointers.size(); ++i) {
      if (table_pointers[i]->name() != name) continue;
      number = i;
      return &table_pointers[i]->fields();
    }
    return nullptr;
  };
  return scope;
}

struct Oracle::Impl {
  ParseResult parsed;
  PlanState plan;
  // Made in the order of definition, which is the order in which a stream's queries run.
  std::vector<std::unique_ptr<QueryPlan>> query_plans;
  std::vector<std::unique_ptr<QueryInstance>> queries;
  std::vector<std::unique_ptr<PartitionRuntime>> partitions;

  void define(const ast::Definition& definition);
  void define_table(const ast::TableDefinition& definition);
  void add(const ast::Query& query);
  void build();
};

namespace {

Fields fields_of(const ast::StreamDefinition& definition) {
  Fields fields;
  for (const ast::AttributeDefinition& attribute : definition.attributes) {
    fields.push_back({attribute.name, attribute.type});
  }
  return fields;
}

}  // namespace

void Oracle::Impl::define_table(const ast::TableDefinition& definition) {
  Fields fields = fields_of(definition);
  std::vector<size_t> key;
  for (const ast::Annotation& annotation : definition.annotations) {
    std::string name = lower_case(annotation.name);
    if (name == "store" || name == "from" || name == "indexby") {
      throw PlanError{"tables with @" + annotation.name + " are not supported"};
    }
    if (name != "primarykey") continue;
    for (const ast::AnnotationElement& element : annotation.elements) {
      for (size_t i = 0; i < fields.size(); ++i) {
        if (fields[i].name == element.value) key.push_back(i);
      }
    }
    if (key.size() != annotation.elements.size()) throw PlanError{"no attribute of the key"};
  }
  plan.tables.push_back(std::make_unique<Table>(definition.name, std::move(fields), key));
  plan.table_pointers.push_back(plan.tables.back().get());
}

void Oracle::Impl::define(const ast::Definition& definition) {
  if (auto* table = std::get_if<ast::TableDefinition>(&definition)) {
    define_table(*table);
  } else if (auto* stream = std::get_if<ast::StreamDefinition>(&definition)) {
    Fields fields = fields_of(*stream);
    auto [found, added] = plan.inferred.emplace(stream->name, fields);
    if (!added && found->second != fields) throw PlanError{"stream defined twice"};
  } else if (auto* window = std::get_if<ast::WindowDefinition>(&definition)) {
    Fields fields = fields_of(*window);
    if (!plan.inferred.emplace(window->name, fields).second) throw PlanError{"defined twice"};
    plan.windows.push_back(
        std::make_unique<NamedWindow>(*window, fields, plan, plan.stream(window->name)));
  } else if (auto* trigger = std::get_if<ast::TriggerDefinition>(&definition)) {
    Fields fields = {{"triggered_time", AttributeType::kLong}};
    auto [found, added] = plan.inferred.emplace(trigger->name, fields);
    if (!added && found->second != fields) throw PlanError{"stream defined otherwise"};
    plan.triggers.push_back(
        std::make_unique<TriggerRuntime>(*trigger, plan, plan.stream(trigger->name)));
  } else {
    throw PlanError{"definition not supported"};
  }
}

void Oracle::Impl::add(const ast::Query& query) {
  query_plans.push_back(std::make_unique<QueryPlan>(query, plan, nullptr));
  const QueryPlan& bound = *query_plans.back();
  queries.push_back(bound.instantiate({&plan, nullptr}));
  for (const std::string& input : bound.inputs()) {
    plan.stream(input).subscribe(queries.back()->receiver(input));
  }
}

void Oracle::Impl::build() {
  for (const ast::Definition& definition : parsed.plan.definitions) define(definition);
  for (const ast::Element& element : parsed.plan.elements) {
    if (auto* query = std::get_if<ast::Query>(&element)) {
      add(*query);
    } else {
      partitions.push_back(
          std::make_unique<PartitionRuntime>(std::get<ast::Partition>(element), plan));
    }
  }
  for (const auto& [name, fields] : plan.inferred) plan.stream(name);
}

Oracle::Oracle(std::string_view text) : impl_(std::make_unique<Impl>()) {
  impl_->parsed = parse_plan(text);
  if (!impl_->parsed.diagnostics.empty()) {
    error_ = to_text(impl_->parsed.diagnostics, "plan");
    syntax_error_ = true;
    return;
  }
  try {
    impl_->build();
  } catch (const PlanError& error) {
    error_ = error.message;
  }
}

Oracle::~Oracle() = default;

void Oracle::send(const std::string& stream, Row row, int64_t timestamp_ms) {
  send_chunk(stream, {{EventKind::kCurrent, timestamp_ms, std::move(row)}});
}

template <class Action>
void Oracle::guarded(Action&& action) {
  if (exhausted_) return;
  try {
    action();
  } catch (const PlanError& error) {
    error_ = error.message;  // of a window inside a partition: made when a key first comes
  } catch (const TooMuchWork&) {
    exhausted_ = true;
  }
}

void Oracle::send_chunk(const std::string& stream, std::vector<Event> rows) {
  guarded([&] {
    for (const Event& row : rows) impl_->plan.clock.advance(row.timestamp);
    if (impl_->plan.record_deliveries) impl_->plan.deliveries.push_back({stream, false, rows});
    auto found = impl_->plan.streams.find(stream);
    if (found == impl_->plan.streams.end()) throw PlanError{"no stream " + stream};
    found->second->send(rows);
  });
}

void Oracle::advance(int64_t timestamp_ms) {
  guarded([&] { impl_->plan.clock.advance(timestamp_ms); });
}

void Oracle::limit_work(uint64_t rows) { impl_->plan.work.set_limit(rows); }

std::optional<int64_t> Oracle::next_deadline() const { return impl_->plan.clock.next_deadline(); }

const std::vector<Result>& Oracle::results() const { return impl_->plan.results; }

std::vector<Result> Oracle::take_results() { return std::exchange(impl_->plan.results, {}); }

const std::vector<Delivery>& Oracle::deliveries() const { return impl_->plan.deliveries; }

void Oracle::record_deliveries(bool on) { impl_->plan.record_deliveries = on; }

}  // namespace pollux::oracle

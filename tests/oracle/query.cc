// Queries: binding their text, and their instances for plain sources, joins and patterns.
#include <algorithm>
#include <optional>

#include "tests/oracle/pattern.h"
#include "tests/oracle/plan.h"
#include "tests/oracle/rate_limiter.h"
#include "tests/oracle/selector.h"
#include "tests/oracle/window.h"

namespace pollux::oracle {

namespace {

std::string name_of(const ast::StreamSource& source) {
  return (source.inner ? "#" : "") + source.stream;
}

std::vector<EventPtr> one(const Event& event) { return {std::make_shared<Event>(event)}; }

}  // namespace

struct QueryPlan::Parts {
  const ast::Query* query = nullptr;
  PlanState* plan = nullptr;
  std::string info_name;
  std::vector<std::string> inputs;
  Scope scope;  ///< of the select clause
  SelectorPlan selector;
  std::optional<PatternPlan> pattern;
  Bound join_condition;
  // Where the output goes.
  std::string target;
  Table* table = nullptr;
  Table::Condition on;
  std::vector<Table::Assignment> set;

  bool expired_wanted() const {
    return query->output.events != ast::OutputAction::Events::kCurrent;
  }
};

namespace {

using Parts = QueryPlan::Parts;

Fields fields_of(const ast::StreamSource& source, PlanState& plan,
                 const std::map<std::string, Fields>* inner) {
  if (source.anonymous != nullptr || source.fault) throw PlanError{"source not supported"};
  const auto& known = source.inner ? *inner : plan.inferred;
  if (source.inner && inner == nullptr) throw PlanError{"inner stream outside a partition"};
  auto found = known.find(name_of(source));
  if (found == known.end()) throw PlanError{"no stream " + source.stream};
  return found->second;
}

void bind_single(const ast::StreamSource& source, const std::map<std::string, Fields>* inner,
                 Parts& parts) {
  parts.inputs = {name_of(source)};
  Source bound{{name_of(source)}, fields_of(source, *parts.plan, inner)};
  if (!source.alias.empty()) bound.names.push_back(source.alias);
  parts.scope.sources = {std::move(bound)};
}

void bind_join(const ast::JoinInput& join, const std::map<std::string, Fields>* inner,
               Parts& parts) {
  if (join.per != nullptr || !join.within.empty() || join.within_ms) {
    throw PlanError{"within and per are not supported"};
  }
  int tables = 0;
  for (const ast::StreamSource* side : {&join.left, &join.right}) {
    Table* table = side->inner ? nullptr : parts.plan->find_table(side->stream);
    Source bound{{side->alias.empty() ? name_of(*side) : side->alias}, {}};
    if (table != nullptr) {
      bound.fields = table->fields();
      ++tables;
    } else {
      bound.fields = fields_of(*side, *parts.plan, inner);
      if (std::find(parts.inputs.begin(), parts.inputs.end(), name_of(*side)) ==
          parts.inputs.end()) {
        parts.inputs.push_back(name_of(*side));
      }
    }
    parts.scope.sources.push_back(std::move(bound));
  }
  if (tables == 2) throw PlanError{"a join of two tables"};
  if (join.on != nullptr) {
    parts.join_condition = bind(*join.on, parts.scope);
    if (parts.join_condition.type != AttributeType::kBool) throw PlanError{"on is no condition"};
  }
}

void bind_state(const ast::StateInput& input, const std::map<std::string, Fields>* inner,
                Parts& parts) {
  auto fields = [&](const ast::StreamSource& source) {
    return fields_of(source, *parts.plan, inner);
  };
  parts.pattern = bind_pattern(input, fields, parts.plan->base_scope());
  parts.scope = parts.pattern->scope;
  for (const StepPlan& step : parts.pattern->steps) {
    if (std::find(parts.inputs.begin(), parts.inputs.end(), step.stream) == parts.inputs.end()) {
      parts.inputs.push_back(step.stream);
    }
  }
}

// Conditions and assignments on a table see the output row first, then the table's.
Scope table_scope(Parts& parts) {
  Scope scope = parts.plan->base_scope();
  Source event{{}, parts.selector.output};
  for (const Source& source : parts.scope.sources) {
    for (const std::string& name : source.names) {
      if (name != parts.table->name()) event.names.push_back(name);
    }
  }
  scope.sources = {event, {{parts.table->name()}, parts.table->fields()}};
  scope.current = 0;
  return scope;
}

std::function<Value(const Row&, const Row&)> over_rows(Bound bound, PlanState* plan) {
  return [bound, plan](const Row& event, const Row& row) {
    Combined combined;
    Event left, right;
    left.data = event;
    right.data = row;
    combined.slots = {one(left), one(right)};
    EvalContext context{&combined, nullptr, plan->clock.now(), &plan->table_pointers};
    return bound.eval(context);
  };
}

size_t field_number(const Fields& fields, const std::string& name) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return i;
  }
  throw PlanError{"no attribute " + name};
}

void bind_table_change(const ast::OutputAction& output, Parts& parts) {
  Scope scope = table_scope(parts);
  if (output.on != nullptr) {
    auto condition = over_rows(bind(*output.on, scope), parts.plan);
    parts.on = [condition](const Row& event, const Row& row) {
      return is_true(condition(event, row));
    };
  } else {
    parts.on = [](const Row&, const Row&) { return true; };
  }
  if (output.kind == ast::OutputAction::Kind::kDelete) return;
  for (const ast::Assignment& assignment : output.set) {
    size_t field = field_number(parts.table->fields(), assignment.target.attribute);
    parts.set.push_back({field, over_rows(bind(*assignment.value, scope), parts.plan)});
  }
  if (output.set.empty()) {
    for (size_t i = 0; i < parts.selector.output.size(); ++i) {
      size_t field = field_number(parts.table->fields(), parts.selector.output[i].name);
      parts.set.push_back({field, [i](const Row& event, const Row&) { return event[i]; }});
    }
  }
  std::stable_sort(parts.set.begin(), parts.set.end(),
                   [](const auto& a, const auto& b) { return a.field < b.field; });
}

void bind_output(std::map<std::string, Fields>* inner, Parts& parts) {
  const ast::OutputAction& output = parts.query->output;
  if (output.kind == ast::OutputAction::Kind::kReturn) return;
  parts.target = (output.inner ? "#" : "") + output.target;
  if (output.fault) throw PlanError{"fault streams are not supported"};
  parts.table = output.inner ? nullptr : parts.plan->find_table(output.target);
  if (parts.table != nullptr) {
    if (output.kind != ast::OutputAction::Kind::kDelete &&
        output.kind != ast::OutputAction::Kind::kUpdate &&
        parts.selector.output != parts.table->fields()) {
      throw PlanError{"the output does not fit the table " + output.target};
    }
    if (output.kind != ast::OutputAction::Kind::kInsert) bind_table_change(output, parts);
    return;
  }
  if (output.kind != ast::OutputAction::Kind::kInsert) throw PlanError{"no such table"};
  auto& known = output.inner ? *inner : parts.plan->inferred;
  auto [found, added] = known.emplace(parts.target, parts.selector.output);
  if (!added && found->second != parts.selector.output) {
    throw PlanError{"the output does not fit the stream " + parts.target};
  }
}

std::string info_name(const std::vector<ast::Annotation>& annotations) {
  for (const ast::Annotation& annotation : annotations) {
    if (lower_case(annotation.name) != "info") continue;
    for (const ast::AnnotationElement& element : annotation.elements) {
      if (lower_case(element.key) == "name") return element.value;
    }
  }
  return "";
}

// Collects what a chain of stages puts out.
class Collector : public Stage {
 public:
  using Take = std::function<void(std::vector<Chunk>)>;
  explicit Collector(Take take) : take_(std::move(take)) {}
  void process(Chunk chunk) override { take_({std::move(chunk)}); }
  void process_list(std::vector<Chunk> chunks) override { take_(std::move(chunks)); }

 private:
  Take take_;
};

// The filters and the window of one source, ending in a collector.
struct Chain {
  std::vector<std::unique_ptr<Stage>> stages;
  Window* window = nullptr;
  bool has_filter_only = false;

  Chain(const ast::StreamSource& source, const Source& bound, const WindowContext& context,
        const Scope& base, Collector::Take take) {
    Scope scope = base;
    scope.sources = {bound};
    scope.current = 0;
    scope.newest_by_default = true;
    for (const ast::StreamHandler& handler : source.handlers) {
      switch (handler.kind) {
        case ast::StreamHandler::Kind::kFilter:
          stages.push_back(make_filter(bind(*handler.filter, scope), context));
          break;
        case ast::StreamHandler::Kind::kWindow: {
          if (!handler.name_space.empty()) throw PlanError{"no window " + handler.name};
          auto made = make_window(handler, scope, context);
          window = made.get();
          stages.push_back(std::move(made));
          break;
        }
        default:
          if (handler.name_space.empty() && handler.name == "log") break;
          throw PlanError{"stream functions are not supported"};
      }
    }
    if (context.searched && window == nullptr) {
      auto made = make_empty_window(context);
      window = made.get();
      stages.push_back(std::move(made));
    } else if (context.searched && stages.back().get() != window) {
      throw PlanError{"the window must come last in a join"};
    }
    stages.push_back(std::make_unique<Collector>(std::move(take)));
    for (size_t i = 0; i + 1 < stages.size(); ++i) stages[i]->next = stages[i + 1].get();
  }

  void process(const Chunk& chunk) { stages.front()->process(chunk); }
};

// Selector, rate and output: what all kinds of queries end in.
class Instance : public QueryInstance {
 public:
  Instance(const Parts& parts, const Surroundings& where)
      : parts_(parts),
        where_(where),
        selector_(parts.selector, where.plan->clock, where.plan->table_pointers),
        rate_(make_rate_limiter(parts.query->rate, !parts.selector.group_by.empty(),
                                where.plan->clock,
                                [this](CombinedChunk chunk) { let_out(std::move(chunk)); })) {}

 protected:
  PlanState& plan() { return *where_.plan; }

  // Chunks that were made together are selected one by one and go on as one.
  void select(std::vector<CombinedChunk> chunks) {
    CombinedChunk out;
    for (CombinedChunk& chunk : chunks) {
      plan().work.add(chunk.size());
      CombinedChunk selected = selector_.select(std::move(chunk));
      std::move(selected.begin(), selected.end(), std::back_inserter(out));
    }
    if (!out.empty()) rate_->process(std::move(out));
  }

  // While set, what the rate lets out is gathered instead of sent.
  CombinedChunk* gathered_ = nullptr;

  void let_out(CombinedChunk chunk) {
    if (gathered_ != nullptr) {
      std::move(chunk.begin(), chunk.end(), std::back_inserter(*gathered_));
      return;
    }
    deliver(chunk);
    Chunk events;
    for (Combined& event : chunk) {
      events.push_back({EventKind::kCurrent, event.timestamp, std::move(event.output)});
    }
    if (parts_.table != nullptr) {
      change_table(events);
    } else if (!parts_.target.empty()) {
      insert(events);
    }
  }

  const Parts& parts_;
  Surroundings where_;

 private:
  void deliver(const CombinedChunk& chunk) {
    if (!plan().record_deliveries || parts_.info_name.empty()) return;
    Delivery delivery{parts_.info_name, true, {}};
    for (const Combined& event : chunk) {
      delivery.events.push_back({event.kind, event.timestamp, event.output});
    }
    plan().deliveries.push_back(std::move(delivery));
  }

  void insert(const Chunk& events) {
    bool inner = parts_.target[0] == '#';
    if (!inner) {
      for (const Event& event : events) {
        plan().results.push_back({parts_.target, event.timestamp, event.data});
      }
    }
    if (plan().record_deliveries) plan().deliveries.push_back({parts_.target, false, events});
    Junctions& junctions = inner ? *where_.inner : plan().streams;
    junctions.at(parts_.target)->send(events);
  }

  void change_table(const Chunk& events) {
    std::vector<Row> rows;
    for (const Event& event : events) rows.push_back(event.data);
    plan().work.add(rows.size() * parts_.table->rows().size());
    switch (parts_.query->output.kind) {
      case ast::OutputAction::Kind::kInsert:
        for (const Row& row : rows) parts_.table->add(row);
        break;
      case ast::OutputAction::Kind::kDelete:
        for (const Row& row : rows) parts_.table->remove(row, parts_.on);
        break;
      case ast::OutputAction::Kind::kUpdate:
        for (const Row& row : rows) parts_.table->update(row, parts_.on, parts_.set);
        break;
      default:
        parts_.table->update_or_add(rows, parts_.on, parts_.set);
    }
  }

  Selector selector_;
  std::unique_ptr<RateLimiter> rate_;
};

Combined combined_of(const Event& event) {
  Combined combined;
  combined.kind = event.kind;
  combined.timestamp = event.timestamp;
  combined.slots = {one(event)};
  return combined;
}

class SingleInstance : public Instance, public Receiver {
 public:
  SingleInstance(const Parts& parts, const Surroundings& where)
      : Instance(parts, where),
        chain_(std::get<ast::StreamSource>(parts.query->input), parts.scope.sources[0],
               {&where.plan->clock, parts.expired_wanted(), false, &where.plan->table_pointers},
               where.plan->base_scope(),
               [this](std::vector<Chunk> chunks) { take(std::move(chunks)); }) {}

  Receiver* receiver(const std::string& stream) override {
    return stream == parts_.inputs[0] ? this : nullptr;
  }
  void receive(const Chunk& chunk) override { chain_.process(chunk); }

 private:
  void take(std::vector<Chunk> chunks) {
    for (const Chunk& chunk : chunks) {
      CombinedChunk combined;
      for (const Event& event : chunk) combined.push_back(combined_of(event));
      select({std::move(combined)});
    }
  }

  Chain chain_;
};

class JoinInstance : public Instance {
 public:
  JoinInstance(const Parts& parts, const Surroundings& where)
      : Instance(parts, where), join_(std::get<ast::JoinInput>(parts.query->input)) {
    for (int side : {0, 1}) {
      sides_[side].table = source(side).inner ? nullptr : plan().find_table(source(side).stream);
    }
    for (int side : {0, 1}) {
      Side& own = sides_[side];
      if (own.table != nullptr) continue;
      WindowContext context{&plan().clock, parts.expired_wanted(), true, &plan().table_pointers};
      own.chain.emplace(source(side), parts.scope.sources[static_cast<size_t>(side)], context,
                        plan().base_scope(),
                        [this, side](std::vector<Chunk> chunks) { take(side, std::move(chunks)); });
      own.entry.instance = this;
      own.entry.side = side;
    }
    both_.instance = this;
    both_.side = -1;
  }

  Receiver* receiver(const std::string& stream) override {
    bool left = sides_[0].chain && name_of(join_.left) == stream;
    bool right = sides_[1].chain && name_of(join_.right) == stream;
    if (left && right) return &both_;
    if (left) return &sides_[0].entry;
    return right ? &sides_[1].entry : nullptr;
  }

 private:
  struct Entry : Receiver {
    JoinInstance* instance = nullptr;
    int side = -1;
    void receive(const Chunk& chunk) override { instance->enter(side, chunk); }
  };
  struct Side {
    Table* table = nullptr;
    std::optional<Chain> chain;
    Entry entry;
  };

  const ast::StreamSource& source(int side) const { return side == 0 ? join_.left : join_.right; }

  // A stream on both sides: each row goes to the left, then to the right; then what came out is
  // sent, the left's apart from the right's.
  void enter(int side, const Chunk& chunk) {
    if (side >= 0) {
      sides_[side].chain->process(chunk);
      return;
    }
    std::vector<CombinedChunk> outs;
    for (const Event& event : chunk) {
      for (Side& each : sides_) {
        CombinedChunk out;
        gathered_ = &out;
        each.chain->process({event});
        gathered_ = nullptr;
        if (!out.empty()) outs.push_back(std::move(out));
      }
    }
    for (CombinedChunk& out : outs) let_out(std::move(out));
  }

  bool triggers(int side) const {
    if (join_.trigger == ast::JoinInput::Trigger::kBoth) return true;
    return (join_.trigger == ast::JoinInput::Trigger::kLeft) == (side == 0);
  }

  bool outer(int side) const {
    if (join_.kind == ast::JoinInput::Kind::kFullOuter) return true;
    return join_.kind ==
           (side == 0 ? ast::JoinInput::Kind::kLeftOuter : ast::JoinInput::Kind::kRightOuter);
  }

  std::vector<EventPtr> contents(int side) const {
    const Side& other = sides_[side];
    if (other.table == nullptr) return other.chain->window->contents();
    std::vector<EventPtr> rows;
    for (const Row& row : other.table->rows()) {
      auto event = std::make_shared<Event>();
      event->data = row;
      rows.push_back(event);
    }
    return rows;
  }

  bool fits(const Combined& combined) {
    if (!parts_.join_condition.eval) return true;
    EvalContext context{&combined, nullptr, plan().clock.now(), &plan().table_pointers};
    return is_true(parts_.join_condition.eval(context));
  }

  void take(int side, std::vector<Chunk> chunks) {
    if (!triggers(side)) return;
    std::vector<CombinedChunk> joined;
    for (const Chunk& chunk : chunks) {
      for (const Event& event : chunk) join_one(side, event, joined);
    }
    select(std::move(joined));
  }

  // What one event of a window finds in the other is a chunk of its own to the selector.
  void join_one(int side, const Event& event, std::vector<CombinedChunk>& joined) {
    if (event.kind == EventKind::kTimer) return;
    Combined combined;
    combined.kind = event.kind;
    combined.timestamp = event.timestamp;
    combined.slots.resize(2);
    combined.slots[static_cast<size_t>(side)] = one(event);
    if (event.kind == EventKind::kReset) {
      joined.push_back({combined});
      return;
    }
    CombinedChunk found;
    std::vector<EventPtr> others = contents(1 - side);
    plan().work.add(others.size());
    for (const EventPtr& other : others) {
      combined.slots[static_cast<size_t>(1 - side)] = {other};
      if (fits(combined)) found.push_back(combined);
    }
    if (found.empty() && outer(side)) {
      combined.slots[static_cast<size_t>(1 - side)].clear();
      found.push_back(combined);
    }
    if (!found.empty()) joined.push_back(std::move(found));
  }

  const ast::JoinInput& join_;
  Side sides_[2];
  Entry both_;
};

class PatternInstance : public Instance {
 public:
  PatternInstance(const Parts& parts, const Surroundings& where)
      : Instance(parts, where),
        pattern_(*parts.pattern, where.plan->clock, where.plan->table_pointers, where.plan->work) {
    for (const std::string& stream : parts.inputs) {
      auto entry = std::make_unique<Entry>();
      entry->instance = this;
      entry->stream = stream;
      entries_.push_back(std::move(entry));
    }
  }

  Receiver* receiver(const std::string& stream) override {
    for (auto& entry : entries_) {
      if (entry->stream == stream) return entry.get();
    }
    return nullptr;
  }

 private:
  struct Entry : Receiver {
    PatternInstance* instance = nullptr;
    std::string stream;
    void receive(const Chunk& chunk) override { instance->enter(stream, chunk); }
  };

  // Each match is a chunk of its own to the selector. Where a stream stands for several steps,
  // what comes of one event at one step leaves as one chunk, after the whole chunk was offered;
  // else each match leaves alone.
  void enter(const std::string& stream, const Chunk& chunk) {
    bool together = pattern_.several_steps(stream);
    std::vector<CombinedChunk> outs;
    for (const Event& event : chunk) {
      for (CombinedChunk& matches : pattern_.offer(stream, event)) {
        if (!together) {
          for (Combined& match : matches) outs.push_back({std::move(match)});
          continue;
        }
        CombinedChunk out;
        gathered_ = &out;
        for (Combined& match : matches) select({{std::move(match)}});
        gathered_ = nullptr;
        if (!out.empty()) outs.push_back(std::move(out));
      }
    }
    for (CombinedChunk& out : outs) {
      if (together) {
        let_out(std::move(out));
      } else {
        select({std::move(out)});
      }
    }
  }

  Pattern pattern_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

}  // namespace

QueryPlan::QueryPlan(const ast::Query& query, PlanState& plan, std::map<std::string, Fields>* inner)
    : parts_(std::make_unique<Parts>()) {
  parts_->query = &query;
  parts_->plan = &plan;
  parts_->info_name = info_name(query.annotations);
  parts_->scope = plan.base_scope();
  if (auto* single = std::get_if<ast::StreamSource>(&query.input)) {
    bind_single(*single, inner, *parts_);
  } else if (auto* join = std::get_if<ast::JoinInput>(&query.input)) {
    bind_join(*join, inner, *parts_);
  } else {
    bind_state(std::get<ast::StateInput>(query.input), inner, *parts_);
  }
  parts_->selector = bind_selector(query, parts_->scope);
  bind_output(inner, *parts_);
}

QueryPlan::~QueryPlan() = default;
QueryPlan::QueryPlan(QueryPlan&&) noexcept = default;

const std::vector<std::string>& QueryPlan::inputs() const { return parts_->inputs; }

std::unique_ptr<QueryInstance> QueryPlan::instantiate(const Surroundings& where) const {
  if (std::holds_alternative<ast::StreamSource>(parts_->query->input)) {
    return std::make_unique<SingleInstance>(*parts_, where);
  }
  if (std::holds_alternative<ast::JoinInput>(parts_->query->input)) {
    return std::make_unique<JoinInstance>(*parts_, where);
  }
  return std::make_unique<PatternInstance>(*parts_, where);
}

}  // namespace pollux::oracle

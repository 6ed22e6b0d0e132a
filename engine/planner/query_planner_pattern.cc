// Patterns and sequences: from the tree of elements to a chain of states.
#include <algorithm>
#include <utility>

#include "engine/expression/operators.h"
#include "engine/operators/pattern_operator.h"
#include "engine/planner/pattern_dialect31.h"
#include "engine/planner/query_planner.h"

namespace pollux {
namespace {

using Element = ast::StateElement;

constexpr int32_t kNone = PatternState::kNone;

/// States of a part of the chain: [first, second].
using Ends = std::pair<int32_t, int32_t>;

bool within_inside(const Element& element) {
  if (element.within_ms) return true;
  return std::any_of(element.children.begin(), element.children.end(), within_inside);
}

}  // namespace

bool QueryPlanner::add_pattern_stream(const Element& element, PatternNames& names,
                                      PatternPlan& pattern, std::vector<Input>& inputs,
                                      bool start) {
  std::optional<Input> input;
  for (const Input& known : inputs) {
    if (known.names[0] == (element.source.inner ? "#" : "") + element.source.stream) input = known;
  }
  uint32_t number = 0;
  if (!input) {
    input = find_input(element.source);
    if (!input) return false;
    input->names = {(element.source.inner ? "#" : "") + element.source.stream};
    inputs.push_back(*input);
    pattern.inputs.push_back(input->schema);
  }
  while (inputs[number].names != input->names) ++number;
  PatternState state;
  state.input = number;
  state.start = start;
  state.absent = element.kind == Element::Kind::kAbsent;
  state.for_ms = element.for_ms;
  if (state.absent && state.for_ms) {
    flow_.counts_from_timestamps();
    // What comes through an optional start has no time yet: it has waited long enough at once.
    bool optional_start = !pattern.states.empty() && pattern.states[0].min_count == 0;
    if (optional_start) flow_.force_row_by_row();
  }
  if (element.counted) {
    state.kind = PatternState::Kind::kCount;
    state.min_count = element.min_count == Element::kAny ? 0 : element.min_count;
    state.max_count = element.max_count == Element::kAny ? INT32_MAX : element.max_count;
  }
  pattern.states.push_back(std::move(state));
  names.add_state({element.source.alias, element.source.stream, input->schema, element.counted});
  pattern_elements_.push_back(&element);
  return true;
}

/// Adds the states of an element; `ends` are the first and the last of them.
bool QueryPlanner::add_pattern_states(const Element& element, PatternNames& names,
                                      PatternPlan& pattern, std::vector<Input>& inputs, bool start,
                                      Ends& ends) {
  auto size = [&] { return static_cast<int32_t>(pattern.states.size()); };
  switch (element.kind) {
    case Element::Kind::kAbsent:
      if (!element.for_ms) {
        report(element.location, "an absence without a time", "for how long: not S for 1 sec");
        return false;
      }
      [[fallthrough]];
    case Element::Kind::kStream:
      ends = {size(), size()};
      return add_pattern_stream(element, names, pattern, inputs, start);
    case Element::Kind::kAnd:
    case Element::Kind::kOr: {
      // The right operand comes first: an event that both read is offered to the left one first.
      // An absent one counts as the left.
      bool swapped = element.children[0].kind != Element::Kind::kAbsent &&
                     element.children[1].kind == Element::Kind::kAbsent;
      int32_t right = size();
      bool good =
          add_pattern_stream(element.children[swapped ? 0 : 1], names, pattern, inputs, start);
      int32_t left = size();
      good = add_pattern_stream(element.children[swapped ? 1 : 0], names, pattern, inputs, start) &&
             good;
      if (!good) return false;
      auto kind =
          element.kind == Element::Kind::kAnd ? PatternState::Kind::kAnd : PatternState::Kind::kOr;
      for (int32_t s : {left, right}) {
        pattern.states[static_cast<size_t>(s)].kind = kind;
        pattern.states[static_cast<size_t>(s)].partner = s == left ? right : left;
      }
      ends = {left, right};
      return true;
    }
    case Element::Kind::kNext: {
      bool good = true;
      Ends whole{kNone, kNone};
      for (size_t c = 0; c < element.children.size(); ++c) {
        Ends part{kNone, kNone};
        if (!add_pattern_states(element.children[c], names, pattern, inputs, start && c == 0,
                                part)) {
          good = false;
          continue;
        }
        if (!good) continue;
        if (whole.second != kNone) {
          PatternState& before = pattern.states[static_cast<size_t>(whole.second)];
          before.next = part.first;
          if (before.partner != kNone) {
            pattern.states[static_cast<size_t>(before.partner)].next = part.first;
          }
          bool optional_start = pattern.sequence && before.start &&
                                before.kind == PatternState::Kind::kCount && before.min_count == 0;
          if (optional_start) {
            pattern.states[static_cast<size_t>(part.first)].restarts = whole.second;
          }
        }
        whole = {whole.first == kNone ? part.first : whole.first, part.second};
      }
      ends = whole;
      return good;
    }
    case Element::Kind::kEvery: {
      int32_t first_added = size();
      if (!add_pattern_states(element.children[0], names, pattern, inputs, start, ends)) {
        return false;
      }
      PatternState& last = pattern.states[static_cast<size_t>(ends.second)];
      last.every = ends.first;
      if (last.partner != kNone) {
        pattern.states[static_cast<size_t>(last.partner)].every = ends.first;
      }
      for (int32_t s = first_added; s < size(); ++s) {
        pattern.states[static_cast<size_t>(s)].within_every = ends.first;
      }
      return true;
    }
  }
  return false;
}

/// A filter is split into what the event alone decides and what depends on events before it.
void QueryPlanner::bind_pattern_filter(const Element& element, uint32_t state, PatternNames& names,
                                       PatternPlan& pattern) {
  PatternFilterScope scope(names, state);
  PatternState& rule = pattern.states[state];
  auto join = [](ExpressionPtr& all, ExpressionPtr more) {
    all = all ? make_logic(true, all, std::move(more)) : std::move(more);
  };
  for (const ast::StreamHandler& handler : element.source.handlers) {
    if (handler.kind != ast::StreamHandler::Kind::kFilter) {
      report(handler.location, "only filters can stand in a pattern", "[condition]");
      continue;
    }
    std::vector<const ast::Expression*> parts;
    split_conjunction(*handler.filter, parts);
    for (const ast::Expression* part : parts) {
      ExpressionPtr bound = bind_filter(*part, scope);
      std::vector<uint32_t> asked = scope.take_references();
      if (!bound) continue;
      if (asked.empty()) {
        join(rule.local, std::move(bound));
        continue;
      }
      join(rule.correlated, std::move(bound));
      for (uint32_t reference : asked) {
        auto& known = rule.correlated_references;
        if (std::find(known.begin(), known.end(), reference) == known.end()) {
          known.push_back(reference);
        }
      }
    }
  }
}

void QueryPlanner::add_pattern(const ast::Query& query, const ast::StateInput& input) {
  PatternNames names;
  PatternPlan pattern;
  std::vector<Input> inputs;
  pattern.sequence = input.sequence;
  pattern.keyed = frame_ != nullptr;
  pattern.within_ms = input.within_ms ? input.within_ms : input.root.within_ms;
  bool dialect31 = plan_.context().dialect() == Dialect::k31;
  for (const Element& child : input.root.children) {
    if (dialect31 || !within_inside(child)) continue;
    return report(child.location, "'within' inside of a pattern is of SiddhiQL 3.1",
                  "'within' behind the whole pattern",
                  "an annotation such as @Plan:name('x') makes it a plan of 3.1");
  }
  pattern_elements_.clear();
  Ends ends{kNone, kNone};
  if (!add_pattern_states(input.root, names, pattern, inputs, true, ends)) return;
  if (pattern.states.size() > PatternPlan::kStatesMax) {
    return report(query.location, "a pattern of more than 64 events", "64 at most");
  }
  PatternState& last = pattern.states[static_cast<size_t>(ends.second)];
  last.last = true;
  if (last.partner != kNone) pattern.states[static_cast<size_t>(last.partner)].last = true;
  if (dialect31) as_in_31(input, pattern);

  size_t errors = diagnostics_.size();
  for (uint32_t state = 0; state < pattern_elements_.size(); ++state) {
    bind_pattern_filter(*pattern_elements_[state], state, names, pattern);
  }
  PatternSelectScope scope(names);
  std::vector<StarAttribute> star;
  if (query.selector.star) {
    for (const PatternNames::State& state : names.states()) {
      for (const Attribute& attribute : state.schema->attributes()) {
        ast::Reference reference;
        reference.stream = state.reference.empty() ? state.stream : state.reference;
        reference.attribute = attribute.name;
        NameResult result = scope.attribute(reference);
        if (std::holds_alternative<ExpressionPtr>(result)) {
          star.push_back({attribute.name, std::get<ExpressionPtr>(result)});
        }
      }
    }
  }
  std::optional<Selection> selection = plan_selection(query, scope, star);
  if (!selection) return;
  SelectedReceiver* output = plan_output(query, *selection);
  if (output == nullptr || diagnostics_.size() != errors) return;
  pattern.references = names.references();
  pattern.outputs = scope.outputs();
  selection->plan.rows_stay = true;
  Selector& selector =
      own(std::make_unique<Selector>(std::move(selection->plan), plan_.context(), *output));
  PatternOperator& states =
      own(PatternOperator::create(std::move(pattern), plan_.context(), selector));
  if (gate_ != nullptr) states.set_gate(*gate_);
  for (size_t i = 0; i < inputs.size(); ++i) {
    read(inputs[i], states.input(static_cast<uint32_t>(i)));
  }
}

}  // namespace pollux

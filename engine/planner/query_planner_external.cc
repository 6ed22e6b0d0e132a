// Joins with external tables: their rows come with the entry, found by the keys of its events.
#include <algorithm>
#include <utility>

#include "engine/planner/query_planner.h"

namespace pollux {
namespace {

using Kind = ast::JoinInput::Kind;
using Trigger = ast::JoinInput::Trigger;

constexpr const char* kRawStream =
    "a stream that comes from outside, with filters only, such as "
    "'from S[...] join T on S.key == T.key'";

void split(const ast::Expression& condition, std::vector<const ast::Expression*>& parts) {
  if (condition.kind != ast::Expression::Kind::kAnd) return parts.push_back(&condition);
  for (const ast::ExpressionPtr& argument : condition.arguments) split(*argument, parts);
}

/// The attributes of the two sides, as a condition names them.
class Sides {
 public:
  Sides(const std::vector<std::string>& stream_names, const Schema& stream,
        const std::vector<std::string>& table_names, const Schema& table)
      : stream_names_(stream_names), stream_(stream), table_names_(table_names), table_(table) {}

  /// The table's column and the stream's that the condition says are equal.
  std::optional<std::pair<size_t, size_t>> equality(const ast::Expression& part) const {
    if (part.kind != ast::Expression::Kind::kEqual) return std::nullopt;
    for (size_t side : {0, 1}) {
      auto column = column_of(*part.arguments[side], true);
      auto attribute = column_of(*part.arguments[1 - side], false);
      if (column && attribute) return std::pair(*column, *attribute);
    }
    return std::nullopt;
  }

 private:
  std::optional<size_t> column_of(const ast::Expression& expression, bool of_table) const {
    if (expression.kind != ast::Expression::Kind::kReference) return std::nullopt;
    const ast::Reference& reference = expression.reference;
    const auto& names = of_table ? table_names_ : stream_names_;
    const Schema& own = of_table ? table_ : stream_;
    const Schema& other = of_table ? stream_ : table_;
    const bool named = reference.stream.empty()
                           ? !other.find(reference.attribute)
                           : std::find(names.begin(), names.end(), reference.stream) != names.end();
    return named ? own.find(reference.attribute) : std::nullopt;
  }

  const std::vector<std::string>& stream_names_;
  const Schema& stream_;
  const std::vector<std::string>& table_names_;
  const Schema& table_;
};

bool can_be_key(AttributeType attribute, AttributeType column) {
  return attribute == column ||
         (attribute == AttributeType::kInt && column == AttributeType::kLong);
}

}  // namespace

bool QueryPlanner::is_external(const std::string& name) const {
  return plan_.find_external(name) != nullptr;
}

/// What the other side of the join must be, for its events' keys to be known before it is numbered.
bool QueryPlanner::check_external_stream(const ast::StreamSource& source, const JoinPart& part,
                                         const std::string& table) {
  const size_t errors = diagnostics_.size();
  const std::string with = " joined with external table '" + table + "'";
  if (part.held()) {
    report(source.location, "a table or an aggregation" + with, kRawStream);
  } else if (source.inner || source.fault || part.input.window != nullptr) {
    report(source.location, "'" + source.stream + "' is no stream from outside," + with,
           kRawStream);
  }
  for (const ast::StreamHandler& handler : source.handlers) {
    if (handler.kind == ast::StreamHandler::Kind::kFilter) continue;
    report(handler.location,
           std::string(handler.kind == ast::StreamHandler::Kind::kWindow ? "a window"
                                                                         : "a stream function") +
               " on a stream" + with,
           "the join alone, which inserts into a stream, and a query behind it for that");
  }
  return diagnostics_.size() == errors;
}

bool QueryPlanner::check_external_join(const ast::JoinInput& join, size_t table_side,
                                       const std::string& table) {
  const size_t errors = diagnostics_.size();
  const ast::StreamSource& source = table_side == 0 ? join.left : join.right;
  if (join.trigger == (table_side == 0 ? Trigger::kLeft : Trigger::kRight)) {
    report(source.location, "'unidirectional' behind external table '" + table + "'",
           "the stream triggers: 'unidirectional' behind that, or nowhere");
  }
  if (join.kind == Kind::kFullOuter ||
      join.kind == (table_side == 0 ? Kind::kLeftOuter : Kind::kRightOuter)) {
    report(source.location, "an outer join that keeps the rows of external table '" + table + "'",
           "an inner join, or an outer join that keeps the events: 'from S left outer join T'");
  }
  if (join.within_ms) {
    report(source.location, "'within' on a join with external table '" + table + "'",
           "a join without it: rows that are looked up have no time");
  }
  return diagnostics_.size() == errors;
}

/// Notes which rows the events need, or tells why nobody can know.
bool QueryPlanner::plan_lookup(const ast::JoinInput& join, const JoinPart& stream,
                               const JoinPart& table, size_t table_side) {
  ExternalPart& part = *plan_.find_external(table.held_name);
  const ast::StreamSource& source = table_side == 0 ? join.right : join.left;
  const bool fits = check_external_join(join, table_side, table.held_name);
  if (!check_external_stream(source, stream, table.held_name) || !fits) return false;

  const Schema& columns = *part.rows->schema();
  const Schema& attributes = *stream.input.schema;
  const Sides sides(stream.input.names, attributes, table.input.names, columns);
  std::vector<const ast::Expression*> conditions;
  if (join.on) split(*join.on, conditions);
  ExternalLookup lookup;
  lookup.stream = source.stream;
  for (size_t column : part.rows->primary_key()) {
    std::optional<size_t> found;
    for (const ast::Expression* condition : conditions) {
      auto equal = sides.equality(*condition);
      if (!equal || equal->first != column || found) continue;
      if (can_be_key(attributes[equal->second].type, columns[column].type)) found = equal->second;
    }
    if (found) {
      lookup.columns.push_back(*found);
      continue;
    }
    report(join.on ? join.on->location : source.location,
           "the join does not say which row of external table '" + table.held_name +
               "' an event needs: nothing equals its key '" + columns[column].name + "'",
           "for each attribute of the primary key 'S." + columns[column].name +
               " == " + table.input.names.back() + "." + columns[column].name + "', where S." +
               columns[column].name +
               " is an attribute of the stream and of its "
               "type; further conditions behind 'and'");
    return false;
  }
  lookups_.emplace_back(lookup.stream, source.location);
  auto& known = part.description.lookups;
  if (std::find(known.begin(), known.end(), lookup) == known.end()) {
    known.push_back(std::move(lookup));
  }
  return true;
}

void QueryPlanner::check_lookups(const ast::Plan& tree) {
  for (const auto& [name, location] : lookups_) {
    const Plan::Stream* stream = plan_.find_stream(name);
    const bool triggered = std::any_of(
        tree.definitions.begin(), tree.definitions.end(), [&](const ast::Definition& definition) {
          const auto* trigger = std::get_if<ast::TriggerDefinition>(&definition);
          return trigger != nullptr && trigger->name == name;
        });
    if (stream->defined && !stream->written && !triggered) continue;
    report(
        location,
        "'" + name + "' is joined with an external table, and the plan itself puts events into it",
        "a defined stream into which no query inserts: rows are looked up before an event is "
        "processed; join first and go on with what comes out");
  }
}

}  // namespace pollux

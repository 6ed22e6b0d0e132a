// define stream | table | window | trigger | function | aggregation
#include <algorithm>
#include <array>
#include <utility>

#include "engine/language/parser_state.h"

namespace pollux {
namespace {

using TypeAlias = std::pair<std::string_view, std::string_view>;

/// What people of other languages write.
constexpr std::array kTypeAliases = {
    TypeAlias{"integer", "int"},   TypeAlias{"boolean", "bool"},  TypeAlias{"varchar", "string"},
    TypeAlias{"text", "string"},   TypeAlias{"bigint", "long"},   TypeAlias{"real", "float"},
    TypeAlias{"number", "double"}, TypeAlias{"decimal", "double"}};

constexpr std::initializer_list<Keyword> kUnits = {
    Keyword::kSeconds, Keyword::kMinutes, Keyword::kHours, Keyword::kDays,
    Keyword::kWeeks,   Keyword::kMonths,  Keyword::kYears};

std::string meant_type(std::string_view written) {
  std::string text(written);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  for (const auto& [alias, type] : kTypeAliases) {
    if (alias == text) return std::string(type);
  }
  return nearest_name(text, {"string", "int", "long", "float", "double", "bool", "object"});
}

}  // namespace

bool Parser::definition(std::vector<ast::Annotation> annotations, ast::Plan& plan) {
  Location start = peek().location;
  if (!expect(Keyword::kDefine)) return false;
  auto read = [&](auto definition, auto parse) {
    definition.location = start;
    definition.annotations = std::move(annotations);
    if (!parse(definition)) return false;
    plan.definitions.emplace_back(std::move(definition));
    return true;
  };
  repair({Keyword::kStream, Keyword::kTable, Keyword::kWindow, Keyword::kTrigger,
          Keyword::kFunction, Keyword::kAggregation});
  if (accept(Keyword::kStream)) {
    return read(ast::StreamDefinition(),
                [&](auto& out) { return stream_definition(out, "the stream's name"); });
  }
  if (accept(Keyword::kTable)) {
    return read(ast::TableDefinition(),
                [&](auto& out) { return stream_definition(out, "the table's name"); });
  }
  if (accept(Keyword::kWindow)) {
    return read(ast::WindowDefinition(), [&](auto& out) { return window_definition(out); });
  }
  if (accept(Keyword::kTrigger)) {
    return read(ast::TriggerDefinition(), [&](auto& out) { return trigger_definition(out); });
  }
  if (accept(Keyword::kFunction)) {
    return read(ast::FunctionDefinition(), [&](auto& out) { return function_definition(out); });
  }
  if (accept(Keyword::kAggregation)) {
    return read(ast::AggregationDefinition(),
                [&](auto& out) { return aggregation_definition(out); });
  }
  return fail("'stream', 'table', 'window', 'trigger', 'function' or 'aggregation'");
}

bool Parser::stream_definition(ast::StreamDefinition& out, const char* what) {
  if (at_symbol("#")) return fail(what, "inner streams (#) are not defined, they are inferred");
  if (at_symbol("!")) return fail(what, "fault streams (!) come with @OnError, undefined");
  if (!name(out.name, what) || !expect_symbol("(")) return false;
  do {
    ast::AttributeDefinition attribute;
    attribute.location = peek().location;
    if (!name(attribute.name, "an attribute's name") || !attribute_type(attribute.type)) {
      return false;
    }
    out.attributes.push_back(std::move(attribute));
  } while (accept_symbol(","));
  return accept_symbol(")") || fail("',' or ')'");
}

bool Parser::attribute_type(AttributeType& out) {
  constexpr const char* kExpected = "a type: string, int, long, float, double, bool or object";
  out = AttributeType::kObject;
  if (at_symbol(",") || at_symbol(")")) {
    // Only the type is missing: the next attributes are still read.
    fail(kExpected);
    return true;
  }
  if (!at_name()) return fail(kExpected);
  if (auto type = attribute_type_from(peek().text)) {
    out = *type;
  } else {
    std::string meant = meant_type(peek().text);
    report(peek().location, "unknown type " + in_quotes(peek().text), kExpected,
           meant.empty() ? "" : "did you mean " + in_quotes(meant) + "?");
    out = attribute_type_from(meant).value_or(AttributeType::kObject);
  }
  skip();
  return true;
}

bool Parser::window_definition(ast::WindowDefinition& out) {
  if (!stream_definition(out, "the window's name")) return false;
  out.window.kind = ast::StreamHandler::Kind::kWindow;
  out.window.location = peek().location;
  if (!at_function()) return fail("the kind of window, such as 'length(10)'");
  if (!function(out.window.name_space, out.window.name, out.window.star, out.window.arguments)) {
    return false;
  }
  repair({Keyword::kOutput});
  if (!accept(Keyword::kOutput)) return true;
  bool raw = false;
  return event_type(out.events, raw);
}

bool Parser::trigger_definition(ast::TriggerDefinition& out) {
  if (!name(out.name, "the trigger's name") || !expect(Keyword::kAt)) return false;
  repair({Keyword::kEvery});
  if (accept(Keyword::kEvery)) {
    int64_t ms = 0;
    if (!time(ms)) return false;
    out.every_ms = ms;
    return true;
  }
  return string(out.at, "'every', a cron expression or 'start' in quotes");
}

bool Parser::function_definition(ast::FunctionDefinition& out) {
  if (!name(out.name, "the function's name") || !expect_symbol("[") ||
      !name(out.language, "the script's language") || !expect_symbol("]") ||
      !expect(Keyword::kReturn) || !attribute_type(out.returns)) {
    return false;
  }
  if (!at(TokenKind::kScript)) return fail("the script in braces");
  out.body = peek().text;
  out.body_location = peek().location;
  ++out.body_location.column;  // behind the brace
  skip();
  return true;
}

bool Parser::aggregation_definition(ast::AggregationDefinition& out) {
  if (!name(out.name, "the aggregation's name") || !expect(Keyword::kFrom) ||
      !source(out.source, Handlers::kWithoutWindow)) {
    return false;
  }
  repair({Keyword::kSelect});
  if (!at(Keyword::kSelect)) return fail("'select'");
  if (!selector(out.selector) || !expect(Keyword::kAggregate)) return false;
  if (accept(Keyword::kBy) && !attribute_reference(out.by.emplace())) return false;
  return expect(Keyword::kEvery) && aggregation_durations(out);
}

bool Parser::aggregation_durations(ast::AggregationDefinition& out) {
  if (!aggregation_duration(out.durations)) return false;
  if (accept_symbol("...")) {
    out.range = true;
    return aggregation_duration(out.durations);
  }
  while (accept_symbol(",")) {
    if (!aggregation_duration(out.durations)) return false;
  }
  return true;
}

bool Parser::aggregation_duration(std::vector<std::string>& out) {
  repair(kUnits);
  if (!at_any(kUnits)) return fail("sec, min, hour, day, week, month or year");
  // The first spelling of a unit is its singular.
  out.emplace_back(text_of(peek().keyword));
  skip();
  return true;
}

}  // namespace pollux

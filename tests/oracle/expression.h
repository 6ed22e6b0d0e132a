// Expressions bound to the sources of a query and evaluated by walking a tree of closures.
//
// A bound expression is immutable and shared by all instances of a partition; what it needs at
// run time stands in the EvalContext. Thread: one at a time. Binding throws PlanError.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/language/ast.h"
#include "tests/oracle/event.h"

namespace pollux::oracle {

class AggregatorBank;
class Table;

struct Field {
  std::string name;
  AttributeType type;
  friend bool operator==(const Field&, const Field&) = default;
};
using Fields = std::vector<Field>;

/// What changes from event to event.
struct EvalContext {
  const Combined* event = nullptr;
  AggregatorBank* aggregators = nullptr;  ///< of this query instance; null where none may stand
  int64_t now = 0;
  const std::vector<Table*>* tables = nullptr;  ///< by the number that binding gave
};

struct Bound {
  AttributeType type = AttributeType::kObject;
  std::function<Value(const EvalContext&)> eval;
};

/// One source of a query: a slot of Combined::slots.
struct Source {
  std::vector<std::string> names;  ///< how a reference may name it; inner streams start with '#'
  Fields fields;
};

/// What names mean at one place of a query.
struct Scope {
  static constexpr int kEverySource = -1;

  std::vector<Source> sources;
  /// Attributes without a stream belong to this source alone, or to any.
  int current = kEverySource;
  /// In a filter of a source a counted element means its newest event, in a select its first.
  bool newest_by_default = false;
  const Fields* output = nullptr;  ///< having and order by see these names first
  bool aggregators_allowed = false;
  int* aggregator_count = nullptr;
  /// Finds a table's number and fields; null when there is none.
  std::function<const Fields*(const std::string& name, size_t& number)> table;
};

Bound bind(const ast::Expression& expression, const Scope& scope);

/// True when an aggregator stands anywhere in the expression.
bool has_aggregator(const ast::Expression& expression);

/// True when the expression is an aggregator as a whole.
bool is_aggregator(const ast::Expression& expression);

/// The value of a constant expression; throws PlanError when it is none.
Value constant_value(const ast::Expression& expression);

/// Scalar functions: fills `result.type` and gives what computes the value from its arguments'
/// values. Throws PlanError for an unknown name or wrong argument types.
struct Call {
  const ast::Expression* expression = nullptr;
  std::vector<AttributeType> types;
};
using Scalar = std::function<Value(const std::vector<Value>&, const EvalContext&)>;
Scalar bind_scalar(const Call& call, AttributeType& type);

std::string lower_case(std::string text);

}  // namespace pollux::oracle

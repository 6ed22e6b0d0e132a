// Arithmetic, comparison and conversion of single values, by SiddhiQL's rules for nulls and by
// Java's for numbers. Part of the oracle: written for clearness, not for speed.
//
// Thread: any; pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/language/ast.h"
#include "engine/types/value.h"

namespace pollux::oracle {

using Row = std::vector<Value>;

/// What went wrong with a plan's text or meaning.
struct PlanError {
  std::string message;
};

/// The text Java's toString gives: "1.0", "1.0E10", "true", "null".
std::string java_text(const Value& value);

/// Type that `+ - * / %` of two numbers has; throws PlanError when one is no number.
AttributeType arithmetic_type(AttributeType left, AttributeType right);

/// `kind` is one of kAdd .. kModulo. Null operands and division by zero give null.
Value arithmetic(ast::Expression::Kind kind, AttributeType result, const Value& left,
                 const Value& right);

/// `kind` is one of kGreater .. kNotEqual. A null operand gives false, for != true.
bool compare(ast::Expression::Kind kind, const Value& left, const Value& right);

/// Ascending order of two values of one type that are not null: negative, zero, positive.
int order_of(const Value& left, const Value& right);

/// convert(value, 'type'): null stays null, text that cannot be read becomes null.
Value convert(const Value& value, AttributeType to);

/// The number as a double; only for values that hold a number.
double as_double(const Value& value);

/// The number as a long; only for values that hold an int or a long.
int64_t as_long(const Value& value);

/// Java's narrowing of a double: NaN is 0, too large numbers stay at the limit.
int32_t narrow_to_int(double value);
int64_t narrow_to_long(double value);

/// Null counts as false.
inline bool is_true(const Value& value) {
  const bool* flag = std::get_if<bool>(&value);
  return flag != nullptr && *flag;
}

/// Equal type and value; two NaN are equal, 0.0 and -0.0 are not.
bool same_value(const Value& left, const Value& right);

}  // namespace pollux::oracle

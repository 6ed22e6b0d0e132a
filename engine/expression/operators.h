// Makers of the operators of SiddhiQL over bound operands. The caller has checked the types.
#pragma once

#include "engine/expression/expression.h"
#include "engine/language/ast.h"

namespace pollux {

/// + - * / %: numeric; the type is the wider of both; null and division by zero give null.
ExpressionPtr make_arithmetic(ast::Expression::Kind kind, ExpressionPtr left, ExpressionPtr right);

/// == != < <= > >=: numbers after promotion, strings and bools only == and !=.
/// A comparison with null is false, but != is true.
ExpressionPtr make_comparison(ast::Expression::Kind kind, ExpressionPtr left, ExpressionPtr right);

/// and, or: bool; null counts as false.
ExpressionPtr make_logic(bool conjunction, ExpressionPtr left, ExpressionPtr right);
ExpressionPtr make_not(ExpressionPtr operand);
ExpressionPtr make_is_null(ExpressionPtr operand);
/// Is the event itself absent?
ExpressionPtr make_is_absent(uint32_t source);

/// The wider of two numeric types.
AttributeType promote(AttributeType left, AttributeType right);

/// Converts between numeric types; same type gives the operand itself.
ExpressionPtr make_numeric_cast(ExpressionPtr operand, AttributeType to);

}  // namespace pollux

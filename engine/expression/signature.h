// Functions that work row by row, told by their signature alone.
//
// A signature such as "(<string> text, <string|object> json, [<int> start, ...]) <int>" is what the
// reference page shows and what calls are checked against. Types are those of SiddhiQL, `number`
// for any of the numeric ones and `any` for all. What stands behind `[` may be left out, and `...`
// stands for more of what stands before it. An int is taken where a long is wanted, and any number
// where a double is.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "engine/expression/function_registry.h"
#include "engine/expression/row_function.h"

namespace pollux {

enum class Nulls : uint8_t {
  kGiveNull,  ///< one null argument, and the result is null; the body is not called
  kAreTaken,
};

/// The call's expression, or what is wrong with its arguments. The result's type is that of the
/// signature, which must be one type.
CallResult call_by_signature(std::string_view signature, std::vector<ExpressionPtr> arguments,
                             RowFunction body, Nulls nulls);

/// The arguments as the signature has them, for makers of their own; else what is wrong with them.
std::variant<std::vector<ExpressionPtr>, CallError> check_arguments(
    std::string_view signature, std::vector<ExpressionPtr> arguments);

/// How many parameters a signature has; it needs no result.
struct ParameterCount {
  size_t least = 0, most = 0;
  bool more = false;  ///< more of the last may follow
};
ParameterCount count_parameters(std::string_view signature);

/// The one type of a signature's result; empty when the text is no signature with such a result.
std::optional<AttributeType> result_of_signature(std::string_view signature);

/// An entry whose calls are made by call_by_signature(). The texts must outlive it.
inline FunctionEntry row_entry(std::string_view name_space, std::string_view name,
                               std::string_view signature, std::string_view doc, RowFunction body,
                               Nulls nulls = Nulls::kGiveNull) {
  auto make = [signature, body = std::move(body), nulls](std::vector<ExpressionPtr> arguments) {
    return call_by_signature(signature, std::move(arguments), body, nulls);
  };
  return {name_space, name, signature, doc, std::move(make)};
}

}  // namespace pollux

#include "engine/expression/signature.h"

#include <algorithm>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/expression/operators.h"

namespace pollux {
namespace {

struct Parameter {
  std::string_view types;  ///< "string|object"
};

struct Signature {
  std::vector<Parameter> parameters;
  size_t least = 0;   ///< how many must be there
  bool more = false;  ///< more of the last may follow
  std::string_view result;
};

std::string_view next_type(std::string_view text, size_t& at) {
  size_t begin = text.find('<', at);
  size_t end = text.find('>', begin);
  POLLUX_CHECK(begin != std::string_view::npos && end != std::string_view::npos);
  at = end + 1;
  return text.substr(begin + 1, end - begin - 1);
}

Signature parse(std::string_view text) {
  Signature signature;
  size_t close = text.rfind(')');
  std::string_view inside = text.substr(0, close);
  signature.more = inside.find("...") != std::string_view::npos;
  size_t optional = inside.find('[');
  for (size_t at = 0; inside.find('<', at) != std::string_view::npos;) {
    size_t begin = inside.find('<', at);
    signature.parameters.push_back({next_type(inside, at)});
    if (optional == std::string_view::npos || begin < optional) ++signature.least;
  }
  size_t at = close;
  if (text.find('<', close) != std::string_view::npos) signature.result = next_type(text, at);
  return signature;
}

bool is_among(std::string_view types, std::string_view type) {
  for (size_t at = 0; at <= types.size();) {
    size_t bar = std::min(types.find('|', at), types.size());
    if (types.substr(at, bar - at) == type) return true;
    at = bar + 1;
  }
  return false;
}

/// The argument as one of the types; null where it is none.
ExpressionPtr fitted(ExpressionPtr argument, std::string_view types) {
  AttributeType type = argument->type();
  if (is_among(types, "any") || is_among(types, name_of(type))) return argument;
  if (!is_numeric(type)) return nullptr;
  if (is_among(types, "number")) return argument;
  if (is_among(types, "long") && type == AttributeType::kInt) {
    return make_numeric_cast(std::move(argument), AttributeType::kLong);
  }
  if (is_among(types, "double")) {
    return make_numeric_cast(std::move(argument), AttributeType::kDouble);
  }
  return nullptr;
}

}  // namespace

std::variant<std::vector<ExpressionPtr>, CallError> check_arguments(
    std::string_view text, std::vector<ExpressionPtr> arguments) {
  Signature signature = parse(text);
  CallError error{"does not take these arguments", std::string(text)};
  size_t known = signature.parameters.size();
  if (arguments.size() < signature.least || (arguments.size() > known && !signature.more)) {
    return error;
  }
  for (size_t i = 0; i < arguments.size(); ++i) {
    arguments[i] =
        fitted(std::move(arguments[i]), signature.parameters[std::min(i, known - 1)].types);
    if (arguments[i] == nullptr) return error;
  }
  return arguments;
}

ParameterCount count_parameters(std::string_view text) {
  Signature signature = parse(text);
  return {signature.least, signature.parameters.size(), signature.more};
}

std::optional<AttributeType> result_of_signature(std::string_view text) {
  size_t close = text.rfind(')');
  if (text.empty() || text[0] != '(' || close == std::string_view::npos) return std::nullopt;
  bool open = false;  // every < has its >
  for (char c : text) {
    if ((c == '<' && open) || (c == '>' && !open)) return std::nullopt;
    if (c == '<' || c == '>') open = !open;
  }
  if (open || text.find('<', close) == std::string_view::npos) return std::nullopt;
  return attribute_type_from(parse(text).result);
}

CallResult call_by_signature(std::string_view text, std::vector<ExpressionPtr> arguments,
                             RowFunction body, Nulls nulls) {
  auto checked = check_arguments(text, std::move(arguments));
  if (auto* error = std::get_if<CallError>(&checked)) return *error;
  std::optional<AttributeType> result = attribute_type_from(parse(text).result);
  POLLUX_CHECK(result.has_value());
  auto& fitting = std::get<std::vector<ExpressionPtr>>(checked);
  if (nulls == Nulls::kAreTaken) {
    return make_row_function(*result, std::move(fitting), std::move(body));
  }
  return make_row_function(*result, std::move(fitting),
                           [body = std::move(body)](const RowArguments& in, RowResult& out) {
                             for (size_t i = 0; i < in.size(); ++i) {
                               if (in.is_null(i)) return;
                             }
                             body(in, out);
                           });
}

}  // namespace pollux

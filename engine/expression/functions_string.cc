// The str: namespace.
#include "engine/expression/function_registry.h"
#include "engine/expression/row_function.h"

namespace pollux {
namespace {

using Arguments = std::vector<ExpressionPtr>;

bool all_strings(const Arguments& arguments, size_t count) {
  if (arguments.size() != count) return false;
  for (const ExpressionPtr& argument : arguments) {
    if (argument->type() != AttributeType::kString) return false;
  }
  return true;
}

/// Null arguments are left out, as in the original.
CallResult make_concat(Arguments arguments) {
  if (arguments.empty()) return CallError{"str:concat needs arguments", "one or more values"};
  return make_row_function(AttributeType::kString, std::move(arguments),
                           [](const RowArguments& in, RowResult& out) {
                             std::string text;
                             for (size_t i = 0; i < in.size(); ++i) {
                               if (!in.is_null(i)) text += in.to_text(i);
                             }
                             out.put_text(text);
                           });
}

template <char kFrom, char kTo>
CallResult make_case(Arguments arguments) {
  if (!all_strings(arguments, 1)) return CallError{"takes one string", "(<string>)"};
  return make_row_function(AttributeType::kString, std::move(arguments),
                           [](const RowArguments& in, RowResult& out) {
                             if (in.is_null(0)) return;
                             std::string text(in.text(0));
                             for (char& c : text) {
                               if (c >= kFrom && c <= kFrom + 25) {
                                 c = static_cast<char>(c - kFrom + kTo);
                               }
                             }
                             out.put_text(text);
                           });
}

CallResult make_length(Arguments arguments) {
  if (!all_strings(arguments, 1)) return CallError{"str:length takes one string", "(<string>)"};
  return make_row_function(AttributeType::kInt, std::move(arguments),
                           [](const RowArguments& in, RowResult& out) {
                             if (in.is_null(0)) return;
                             int32_t characters = 0;
                             for (char c : in.text(0)) characters += (c & 0xc0) != 0x80;
                             out.put(characters);
                           });
}

CallResult make_contains(Arguments arguments) {
  if (!all_strings(arguments, 2)) {
    return CallError{"str:contains takes two strings", "(<string> text, <string> part)"};
  }
  return make_row_function(AttributeType::kBool, std::move(arguments),
                           [](const RowArguments& in, RowResult& out) {
                             bool found = !in.is_null(0) && !in.is_null(1) &&
                                          in.text(0).find(in.text(1)) != std::string_view::npos;
                             out.put(static_cast<uint8_t>(found));
                           });
}

}  // namespace

std::vector<FunctionEntry> string_functions() {
  return {
      {"str", "concat", "(<any> value, ...) <string>",
       "The values one behind the other; nulls are left out.", make_concat},
      {"str", "lower", "(<string> text) <string>", "Letters A-Z as a-z.", make_case<'A', 'a'>},
      {"str", "upper", "(<string> text) <string>", "Letters a-z as A-Z.", make_case<'a', 'A'>},
      {"str", "length", "(<string> text) <int>", "Number of characters.", make_length},
      {"str", "contains", "(<string> text, <string> part) <bool>", "Does the text hold the part?",
       make_contains},
  };
}

}  // namespace pollux

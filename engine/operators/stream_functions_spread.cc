// Stream functions that make several rows of one: by the parts of a text, of JSON, of a list or
// map.
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "engine/expression/constant_arguments.h"
#include "engine/expression/json_object.h"
#include "engine/expression/json_path.h"
#include "engine/expression/row_function.h"
#include "engine/expression/signature.h"
#include "engine/expression/split_list.h"
#include "engine/operators/spread_rows.h"
#include "engine/types/object_value.h"

namespace pollux {
namespace {

using Arguments = std::vector<ExpressionPtr>;

StreamFunctionResult spread(const StreamFunctionCall& call, CallResult parts, SpreadForm form,
                            const std::vector<Attribute>& added) {
  if (auto* error = std::get_if<CallError>(&parts)) return std::move(*error);
  auto output = with_attributes(*call.input, added);
  if (auto* error = std::get_if<CallError>(&output)) return std::move(*error);
  return std::make_unique<SpreadRows>(call.input, std::get<SchemaPtr>(std::move(output)),
                                      std::get<ExpressionPtr>(std::move(parts)), form,
                                      call.context);
}

/// The list without what stood in it before.
ExpressionPtr distinct(ExpressionPtr list) {
  return make_row_function(AttributeType::kObject, {std::move(list)},
                           [](const RowArguments& in, RowResult& out) {
                             if (in.is_null(0)) return;
                             std::set<std::string_view> seen;
                             std::vector<std::string_view> kept;
                             for (std::string_view part : parts_of(in.text(0))) {
                               if (seen.insert(part).second) kept.push_back(part);
                             }
                             out.put_made(make_list(kept));
                           });
}

StreamFunctionResult make_tokenize(StreamFunctionCall call) {
  bool once = false;
  if (call.arguments.size() == 3) {
    std::optional<bool> flag = constant_bool(call.arguments[2]);
    if (!flag) {
      return CallError{"whether each token comes once is no constant bool",
                       "(<string> text, <string> regex, [<bool> distinct])"};
    }
    once = *flag;
    call.arguments.pop_back();
  }
  CallResult parts = make_split_list(std::move(call.arguments));
  if (once && std::holds_alternative<ExpressionPtr>(parts)) {
    parts = distinct(std::get<ExpressionPtr>(std::move(parts)));
  }
  return spread(call, std::move(parts), SpreadForm::kElements, {{"token", AttributeType::kString}});
}

/// isAnalytics:duplicator: one row for each name in a text, by default between commas.
StreamFunctionResult make_duplicator(StreamFunctionCall call) {
  if (call.arguments.size() == 1) {
    call.arguments.push_back(std::make_shared<ConstantExpression>(Value(std::string(","))));
  }
  CallResult parts = make_split_list(std::move(call.arguments));
  return spread(call, std::move(parts), SpreadForm::kElements, {{"role", AttributeType::kString}});
}

/// What a path leads to, as a list.
CallResult json_elements(Arguments arguments) {
  constexpr std::string_view kSignature =
      "(<string|object> json, <string> path, [<bool> fail on missing]) <object>";
  std::optional<bool> fails = true;
  if (arguments.size() == 3) fails = constant_bool(arguments[2]);
  std::optional<std::string> constant =
      arguments.size() > 1 ? constant_text(arguments[1]) : std::nullopt;
  std::optional<JsonPath> path = constant ? JsonPath::parse(*constant) : std::nullopt;
  if (!path || !fails) {
    return CallError{"the path is no constant path into JSON, or the flag no constant",
                     std::string(kSignature)};
  }
  return call_by_signature(
      kSignature, std::move(arguments),
      [path = *path, fails = *fails](const RowArguments& in, RowResult& out) {
        std::optional<std::string> json = in.type(0) == AttributeType::kObject
                                              ? std::optional(std::string(in.text(0)))
                                              : parse_json(in.text(0));
        if (!json) return;
        std::optional<std::string> found = path.read(*json);
        if (!found && !fails) found = encode_object({});
        if (!found) return;
        bool list = tag_of(*found) == ObjectTag::kList;
        out.put_made(list ? found : make_list({*found}));
      },
      Nulls::kGiveNull);
}

template <AttributeType kType>
StreamFunctionResult make_json_tokenize(StreamFunctionCall call) {
  CallResult parts = json_elements(std::move(call.arguments));
  return spread(call, std::move(parts), SpreadForm::kElements, {{"jsonElement", kType}});
}

/// isAnalytics:jsonFlatMapDuplicator: one row for each member of a JSON object.
StreamFunctionResult make_flat_map(StreamFunctionCall call) {
  auto checked = check_arguments("(<string> json) <object>", std::move(call.arguments));
  if (auto* error = std::get_if<CallError>(&checked)) return std::move(*error);
  return spread(call, parsed_json(std::get<Arguments>(checked)[0]), SpreadForm::kPairs,
                {{"key", AttributeType::kString}, {"value", AttributeType::kString}});
}

template <SpreadForm kForm>
StreamFunctionResult make_object_tokenize(StreamFunctionCall call) {
  auto checked = check_arguments("(<object> of) <object>", std::move(call.arguments));
  if (auto* error = std::get_if<CallError>(&checked)) return std::move(*error);
  Attribute first = kForm == SpreadForm::kIndexed ? Attribute{"index", AttributeType::kInt}
                                                  : Attribute{"key", AttributeType::kObject};
  return spread(call, std::get<Arguments>(checked)[0], kForm,
                {first, {"value", AttributeType::kObject}});
}

}  // namespace

std::vector<StreamFunctionEntry> spreading_stream_functions() {
  return {
      {"isAnalytics", "duplicator", "(<string> names, [<string> regex])",
       "A row for each name between commas, or between matches, as `role`.", make_duplicator},
      {"isAnalytics", "jsonFlatMapDuplicator", "(<string> json)",
       "A row for each member of a JSON object, as `key` and `value`.", make_flat_map},
      {"json", "tokenize", "(<string|object> json, <string> path, [<bool> fail on missing])",
       "A row for each element that a path leads to, as `jsonElement`, a string. Where it leads "
       "nowhere the row goes no further, or on with null where the flag is false.",
       make_json_tokenize<AttributeType::kString>},
      {"json", "tokenizeAsObject",
       "(<string|object> json, <string> path, [<bool> fail on missing])",
       "The same with `jsonElement` as an object.", make_json_tokenize<AttributeType::kObject>},
      {"list", "tokenize", "(<object> list)",
       "A row for each value of a list, as `index` and `value`.",
       make_object_tokenize<SpreadForm::kIndexed>},
      {"map", "tokenize", "(<object> map)", "A row for each key of a map, as `key` and `value`.",
       make_object_tokenize<SpreadForm::kPairs>},
      {"str", "tokenize", "(<string> text, <string> regex, [<bool> distinct])",
       "A row for each part of a text between matches, as `token`, or for each that is another.",
       make_tokenize},
  };
}

}  // namespace pollux

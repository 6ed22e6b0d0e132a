#include "engine/script/script_functions.h"

#include <utility>

namespace pollux {
namespace {

constexpr size_t kFunctionsMax = 256;
constexpr size_t kBodyBytesMax = size_t{256} << 10;

std::string folded(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

void ScriptFunctions::define(const ast::FunctionDefinition& definition, Diagnostics& diagnostics) {
  auto report = [&](const Location& location, std::string message, std::string expected) {
    diagnostics.push_back({location, std::move(message), std::move(expected), ""});
  };
  const Location& place = definition.location;
  if (folded(definition.language) != "javascript") {
    return report(place, "functions in '" + definition.language + "' are not supported",
                  "define function " + definition.name + "[javascript]");
  }
  if (definition.returns == AttributeType::kObject) {
    return report(place, "a function that returns an object",
                  "string, int, long, float, double or "
                  "bool");
  }
  if (has(definition.name)) {
    return report(place, "function '" + definition.name + "' is defined twice", "another name");
  }
  if (numbers_.size() == kFunctionsMax) {
    return report(place, "too many functions", "at most " + std::to_string(kFunctionsMax));
  }
  if (definition.body.size() > kBodyBytesMax) {
    return report(definition.body_location, "the function is too long",
                  "at most " + std::to_string(kBodyBytesMax) + " bytes");
  }
  JavaScript::Compiled compiled =
      scripts_.compile(definition.name, definition.body, definition.returns);
  if (compiled.error.empty()) {
    numbers_[definition.name] = compiled.function;
    return;
  }
  Location wrong = definition.body_location;
  wrong.column = compiled.line > 1 ? compiled.column : wrong.column + compiled.column - 1;
  wrong.line += compiled.line - 1;
  report(wrong, "in function '" + definition.name + "': " + compiled.error,
         "JavaScript as of ECMAScript 5.1");
}

std::vector<std::string> ScriptFunctions::names() const {
  std::vector<std::string> names;
  for (const auto& [name, number] : numbers_) names.push_back(name);
  return names;
}

CallResult ScriptFunctions::call(const std::string& name, std::vector<ExpressionPtr> arguments) {
  for (const ExpressionPtr& argument : arguments) {
    if (argument->type() != AttributeType::kObject) continue;
    return CallError{"it cannot take an object", "texts, numbers and bools"};
  }
  uint32_t number = numbers_.at(name);
  return make_row_function(
      scripts_.returns(number), std::move(arguments),
      [this, number](const RowArguments& in, RowResult& out) { scripts_.call(number, in, out); });
}

}  // namespace pollux

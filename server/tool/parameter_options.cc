#include "server/tool/parameter_options.h"

#include <CLI/CLI.hpp>

namespace pollux::tool {
namespace {

std::string check_parameter(const std::string& text) {
  size_t equals = text.find('=');
  if (equals != std::string::npos && is_parameter_name(text.substr(0, equals))) return {};
  return "expected NAME=VALUE, with letters, digits, '_', '.' and '-' in the name";
}

}  // namespace

void add_parameter_option(CLI::App& command, const char* names, std::vector<std::string>& given) {
  command.add_option(names, given, "A value for ${NAME} in the plan's text")
      ->allow_extra_args(false)
      ->check(CLI::Validator(check_parameter, ""))
      ->type_name("NAME=VALUE");
}

PlanParameters parameters_of(const std::vector<std::string>& given) {
  PlanParameters parameters;
  for (const std::string& text : given) {
    size_t equals = text.find('=');
    parameters.insert_or_assign(text.substr(0, equals), text.substr(equals + 1));
  }
  return parameters;
}

}  // namespace pollux::tool

#include "server/settings/text_maps.h"

#include <utility>

#include "engine/language/diagnostics.h"
#include "engine/language/parameters.h"
#include "server/settings/secrets.h"

namespace pollux {

std::string wrong_in_text_name(std::string_view name) {
  if (is_parameter_name(name)) return "";
  return in_quotes(name) + " is no name: letters, digits, '_', '.' and '-'";
}

std::string shown_text(const std::string& name, const std::string& value) {
  return names_a_secret(name) ? "***" : value;
}

TextMap read_text_map(const std::string& file, const std::string& key, const YamlNode& node,
                      std::vector<SettingError>& errors) {
  TextMap texts;
  auto report = [&](int line, std::string message) {
    errors.push_back({{file, line}, key, std::move(message)});
  };
  if (node.kind == YamlNode::Kind::kNull) return texts;
  if (node.kind != YamlNode::Kind::kMapping || node.items.size() > 2 * kTextMapEntriesMax) {
    report(node.line,
           "must be up to " + std::to_string(kTextMapEntriesMax) + " lines 'name: value'");
    return texts;
  }
  for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const YamlNode& name = node.items[i];
    const YamlNode& value = node.items[i + 1];
    if (std::string wrong = wrong_in_text_name(name.text); !wrong.empty()) {
      report(name.line, std::move(wrong));
    } else if (value.kind == YamlNode::Kind::kSequence || value.kind == YamlNode::Kind::kMapping) {
      report(value.line, in_quotes(name.text) + " must be one value");
    } else if (!texts.emplace(name.text, value.text).second) {
      report(name.line, in_quotes(name.text) + " stands there twice");
    }
  }
  return texts;
}

}  // namespace pollux

#include "server/settings/components.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "absl/strings/str_join.h"
#include "engine/language/diagnostics.h"
#include "server/settings/secrets.h"

namespace pollux {

namespace {

class Reader {
 public:
  Reader(const std::string& file, bool has_stream, std::vector<SettingError>& errors)
      : file_(file), has_stream_(has_stream), errors_(errors) {}

  ComponentList read_list(const std::string& key, const YamlNode& node) {
    ComponentList components;
    if (node.kind == YamlNode::Kind::kNull) return components;
    if (node.kind != YamlNode::Kind::kSequence) {
      report(node.line, key, "must be a list: items that begin with '- name: ...'");
      return components;
    }
    if (node.items.size() > kComponentsMax) {
      report(node.line, key, "more than " + std::to_string(kComponentsMax) + " items");
      return components;
    }
    std::map<std::string, int> lines;
    for (size_t i = 0; i < node.items.size(); ++i) {
      const std::string item_key = key + "[" + std::to_string(i + 1) + "]";
      ComponentSettings component = read_component(item_key, node.items[i]);
      const auto [first, is_new] = lines.try_emplace(component.name, component.place.line);
      if (!is_new && !component.name.empty()) {
        report(component.place.line, item_key,
               "the name " + in_quotes(component.name) + " is taken by the one of line " +
                   std::to_string(first->second));
      }
      components.push_back(std::move(component));
    }
    return components;
  }

 private:
  void report(int line, std::string key, std::string message) {
    errors_.push_back({{file_, line}, std::move(key), std::move(message)});
  }

  ComponentSettings read_component(const std::string& key, const YamlNode& node) {
    ComponentSettings component;
    component.place = {file_, node.line};
    if (node.kind != YamlNode::Kind::kMapping) {
      report(node.line, key,
             has_stream_ ? "must have name, type and stream" : "must have name and type");
      return component;
    }
    std::map<std::string, int> seen;
    for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
      const YamlNode& member = node.items[i];
      if (!is_new_name(key, member, seen)) continue;
      read_member(key, member, node.items[i + 1], component);
    }
    for (const std::string& name : needed()) {
      if (!seen.contains(name)) report(node.line, key, "has no " + name);
    }
    return component;
  }

  std::vector<std::string> needed() const {
    if (has_stream_) return {"name", "type", "stream"};
    return {"name", "type"};
  }

  /// Reports keys that are no texts, or there twice.
  bool is_new_name(const std::string& key, const YamlNode& name, std::map<std::string, int>& seen) {
    if (name.kind != YamlNode::Kind::kScalar) {
      report(name.line, key, "a name must stand before each ':'");
      return false;
    }
    const auto [first, is_new] = seen.try_emplace(name.text, name.line);
    if (!is_new) {
      report(
          name.line, key,
          in_quotes(name.text) + " stands in line " + std::to_string(first->second) + " already");
    }
    return is_new;
  }

  void read_member(const std::string& key, const YamlNode& name, const YamlNode& value,
                   ComponentSettings& component) {
    if (name.text == "options") {
      component.options = read_options(key, value);
    } else if (name.text == "name") {
      component.name = read_name(key, name.text, value);
    } else if (name.text == "type") {
      component.type = read_name(key, name.text, value);
    } else if (name.text == "stream" && has_stream_) {
      component.stream = read_name(key, name.text, value);
    } else {
      const std::vector<std::string> members = needed();
      const std::string nearest = nearest_name(name.text, members);
      report(name.line, key,
             "unknown key " + in_quotes(name.text) +
                 (nearest.empty() ? "; there are " + absl::StrJoin(members, ", ") + " and options"
                                  : "; did you mean '" + nearest + "'?"));
    }
  }

  std::string read_name(const std::string& key, const std::string& member, const YamlNode& value) {
    auto is_fine = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '-' || c == '.';
    };
    const std::string& text = value.text;
    if (value.kind != YamlNode::Kind::kScalar || text.empty() ||
        text.size() > kComponentNameBytesMax || !std::all_of(text.begin(), text.end(), is_fine)) {
      report(value.line, key,
             member + " must be 1 to " + std::to_string(kComponentNameBytesMax) +
                 " letters, digits, '_', '-' or '.'");
      return "";
    }
    return text;
  }

  std::vector<ComponentOption> read_options(const std::string& key, const YamlNode& node) {
    std::vector<ComponentOption> options;
    if (node.kind == YamlNode::Kind::kNull) return options;
    if (node.kind != YamlNode::Kind::kMapping || node.items.size() > 2 * kComponentOptionsMax) {
      report(
          node.line, key,
          "options must be up to " + std::to_string(kComponentOptionsMax) + " lines 'name: value'");
      return options;
    }
    std::map<std::string, int> seen;
    for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
      const YamlNode& name = node.items[i];
      const YamlNode& value = node.items[i + 1];
      if (!is_new_name(key, name, seen)) continue;
      if (value.kind == YamlNode::Kind::kSequence || value.kind == YamlNode::Kind::kMapping) {
        report(value.line, key, "option " + in_quotes(name.text) + " must be one value");
        continue;
      }
      add_option(key, name, value.kind == YamlNode::Kind::kNull ? "" : value.text, options);
    }
    return options;
  }

  void add_option(const std::string& key, const YamlNode& name, const std::string& value,
                  std::vector<ComponentOption>& options) {
    ComponentOption option{name.text, value, {file_, name.line}, names_a_secret(name.text)};
    if (std::string_view secret = secret_of_file_option(name.text); !secret.empty()) {
      absl::StatusOr<std::string> text = read_secret(value);
      if (!text.ok()) return report(name.line, key, std::string(text.status().message()));
      option.name = secret;
      option.value = *std::move(text);
      option.secret = true;
    }
    auto same = std::find_if(options.begin(), options.end(), [&](const ComponentOption& other) {
      return other.name == option.name;
    });
    if (same != options.end()) {
      return report(name.line, key,
                    in_quotes(option.name) + " is given in line " +
                        std::to_string(same->place.line) + " already");
    }
    options.push_back(std::move(option));
  }

  const std::string& file_;
  const bool has_stream_;
  std::vector<SettingError>& errors_;
};

}  // namespace

ComponentList read_components(const std::string& file, const ComponentListInfo& list,
                              const YamlNode& node, std::vector<SettingError>& errors) {
  return Reader(file, list.has_stream, errors).read_list(std::string(list.name), node);
}

}  // namespace pollux

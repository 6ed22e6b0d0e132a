#include "server/settings/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "server/formats/utf8.h"

namespace pollux {

namespace {

/// Thrown through yaml-cpp's parser, which knows no other way to stop, and caught in parse_yaml().
struct Refused {
  YamlError error;
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) refuse(mark, "a second document; there can be only one");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(make(YamlNode::Kind::kNull, mark, anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases (*name) are not taken here");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    // yaml-cpp gives a plain "~" or "null" as a scalar.
    const bool is_null = tag == "?" && (value == "~" || value == "null");
    YamlNode node = make(is_null ? YamlNode::Kind::kNull : YamlNode::Kind::kScalar, mark, anchor);
    node.text = value;
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    begin(make(YamlNode::Kind::kSequence, mark, anchor));
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    begin(make(YamlNode::Kind::kMapping, mark, anchor));
  }
  void OnMapEnd() override { end(); }

 private:
  [[noreturn]] static void refuse(const YAML::Mark& mark, std::string message) {
    throw Refused{{mark.line + 1, std::move(message)}};
  }
  static void check_tag(const YAML::Mark& mark, const std::string& tag) {
    // "?" stands for none, "!" for a quoted text.
    if (!tag.empty() && tag != "?" && tag != "!") refuse(mark, "tags (!name) are not taken here");
  }

  YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) refuse(mark, "anchors (&name) are not taken here");
    if (++nodes_ > kYamlNodesMax) {
      refuse(mark, "more than " + std::to_string(kYamlNodesMax) + " values");
    }
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    return node;
  }
  void begin(YamlNode node) {
    if (open_.size() >= kYamlDepthMax) {
      throw Refused{{node.line, "nested deeper than " + std::to_string(kYamlDepthMax) + " levels"}};
    }
    open_.push_back(std::move(node));
  }
  void end() {
    YamlNode node = std::move(open_.back());
    open_.pop_back();
    add(std::move(node));
  }
  void add(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
    } else {
      open_.back().items.push_back(std::move(node));
    }
  }

  YamlNode root_;
  std::vector<YamlNode> open_;
  size_t nodes_ = 0;
  int documents_ = 0;
};

/// The line of the first byte that no text has; 0: none.
int line_of_binary(std::string_view text) {
  int line = 1;
  for (char c : text) {
    if (c == '\n') ++line;
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7F) return line;
  }
  return 0;
}

}  // namespace

YamlDocument parse_yaml(std::string_view text) {
  YamlDocument document;
  if (text.size() > kYamlBytesMax) {
    document.errors.push_back({0, "longer than " + std::to_string(kYamlBytesMax) + " bytes"});
    return document;
  }
  if (int line = line_of_binary(text); line != 0 || !is_utf8(text)) {
    document.errors.push_back({line, "control characters or no UTF-8: not a text file"});
    return document;
  }
  TreeBuilder builder;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    document.root = builder.take();
  } catch (const Refused& refused) {
    document.errors.push_back(refused.error);
  } catch (const YAML::Exception& error) {
    document.errors.push_back({std::max(error.mark.line + 1, 0), "no valid YAML: " + error.msg});
  }
  return document;
}

}  // namespace pollux

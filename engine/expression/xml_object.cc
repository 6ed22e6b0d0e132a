#include "engine/expression/xml_object.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/base/utf8_text.h"
#include "engine/types/object_value.h"

namespace pollux {
namespace {

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
    {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}}};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class XmlReader {
 public:
  explicit XmlReader(std::string_view text) : rest_(text) {}

  std::optional<std::string> read_document() {
    std::string name;
    std::optional<std::string> object = skip_misc() ? read_element(name, 0) : std::nullopt;
    if (!object || !skip_misc() || !rest_.empty()) return std::nullopt;
    if (tag_of(*object) == ObjectTag::kMap) return object;
    return make_map({});  // an element of text alone has no elements
  }

 private:
  bool take(std::string_view expected) {
    if (rest_.substr(0, expected.size()) != expected) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  /// Passes over everything up to and including `end`.
  bool skip_past(std::string_view end) {
    size_t at = rest_.find(end);
    if (at == std::string_view::npos) return false;
    rest_.remove_prefix(at + end.size());
    return true;
  }

  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_[0])) rest_.remove_prefix(1);
  }

  /// Blanks, comments and instructions. No document types: they can grow without bounds.
  bool skip_misc() {
    while (true) {
      skip_blanks();
      if (take("<!--")) {
        if (!skip_past("-->")) return false;
      } else if (take("<?")) {
        if (!skip_past("?>")) return false;
      } else {
        return true;
      }
    }
  }

  std::string_view take_name() {
    constexpr std::string_view kEnds = " \t\r\n/>=<";
    size_t end = std::min(rest_.find_first_of(kEnds), rest_.size());
    std::string_view name = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return name;
  }

  /// Attributes up to the end of a tag; false at the end of the text.
  bool skip_attributes() {
    while (!rest_.empty() && rest_[0] != '>' && rest_[0] != '/') {
      char c = rest_[0];
      rest_.remove_prefix(1);
      if ((c == '"' || c == '\'') && !skip_past(std::string_view(&c, 1))) return false;
    }
    return !rest_.empty();
  }

  /// `&name;` behind its first character.
  bool take_entity(std::string& text) {
    size_t end = rest_.find(';');
    if (end == std::string_view::npos || end > 10) return false;
    std::string_view entity = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    for (const auto& [name, character] : kEntities) {
      if (entity != name) continue;
      text += character;
      return true;
    }
    if (entity.size() < 2 || entity[0] != '#') return false;
    bool hex = entity[1] == 'x';
    char32_t code = 0;
    for (char c : entity.substr(hex ? 2 : 1)) {
      int digit = c >= '0' && c <= '9'                            ? c - '0'
                  : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' && hex ? (c | 0x20) - 'a' + 10
                                                                  : -1;
      if (digit < 0) return false;
      code = code * (hex ? 16 : 10) + static_cast<char32_t>(digit);
      if (code > 0x10ffff) return false;
    }
    if (code == 0 || (code >= 0xd800 && code <= 0xdfff)) return false;
    append_character(text, code);
    return true;
  }

  /// The element that begins here: a text, or a map of its elements.
  std::optional<std::string> read_element(std::string& name, int depth) {
    if (depth >= kObjectDepthMax || !take("<")) return std::nullopt;
    name = take_name();
    if (name.empty() || name[0] == '!' || !skip_attributes()) return std::nullopt;
    if (take("/>")) return encode_text_object("");
    if (!take(">")) return std::nullopt;
    std::string text;
    std::vector<std::pair<std::string, std::string>> elements;
    while (true) {
      if (rest_.empty()) return std::nullopt;
      if (take("<![CDATA[")) {
        size_t end = rest_.find("]]>");
        if (end == std::string_view::npos) return std::nullopt;
        text += rest_.substr(0, end);
        rest_.remove_prefix(end + 3);
      } else if (rest_.substr(0, 4) == "<!--" || rest_.substr(0, 2) == "<?") {
        if (!skip_misc()) return std::nullopt;
      } else if (take("</")) {
        std::string_view closed = take_name();
        skip_blanks();
        if (closed != name || !take(">")) return std::nullopt;
        break;
      } else if (rest_[0] == '<') {
        std::string child;
        std::optional<std::string> object = read_element(child, depth + 1);
        if (!object) return std::nullopt;
        elements.emplace_back(encode_text_object(child), std::move(*object));
      } else if (take("&")) {
        if (!take_entity(text)) return std::nullopt;
      } else {
        text += rest_[0];
        rest_.remove_prefix(1);
      }
    }
    if (elements.empty()) return encode_text_object(text);
    return make_map({elements.begin(), elements.end()});
  }

  std::string_view rest_;
};

void append_escaped(std::string_view text, std::string& to) {
  for (char c : text) {
    if (c == '<') {
      to += "&lt;";
    } else if (c == '>') {
      to += "&gt;";
    } else if (c == '&') {
      to += "&amp;";
    } else {
      to += c;
    }
  }
}

void append_elements(std::string_view map, std::string& to) {
  for (auto [key, value] : pairs_of(map)) {
    std::string name;
    append_escaped(object_text(key), name);
    to += "<" + name + ">";
    if (tag_of(value) == ObjectTag::kMap) {
      append_elements(value, to);
    } else {
      append_escaped(object_text(value), to);
    }
    to += "</" + name + ">";
  }
}

}  // namespace

std::optional<std::string> parse_xml_map(std::string_view xml) {
  if (xml.size() > kObjectBytesMax) return std::nullopt;
  return XmlReader(xml).read_document();
}

std::string xml_text(std::string_view map, std::string_view root) {
  std::string text;
  if (!root.empty()) text.append("<").append(root).append(">");
  append_elements(map, text);
  if (!root.empty()) text.append("</").append(root).append(">");
  return text;
}

}  // namespace pollux

#include "server/http/http_target.h"

namespace pollux {

namespace {

constexpr const char* kBadEscape = "bad percent-encoding in the request target";
constexpr const char* kNul = "NUL in the request target";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// nullptr, or what is wrong.
const char* decode(std::string_view text, bool plus_is_space, std::string& out) {
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus_is_space) c = ' ';
    if (c == '%') {
      int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
      int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return kBadEscape;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return kNul;
    out.push_back(c);
  }
  return nullptr;
}

/// Calls `each(piece)` for the pieces of `text` between separators until one is wrong.
template <class Each>
const char* for_pieces(std::string_view text, char separator, Each each) {
  for (;;) {
    size_t end = text.find(separator);
    const char* wrong = each(text.substr(0, end));
    if (wrong != nullptr || end == std::string_view::npos) return wrong;
    text.remove_prefix(end + 1);
  }
}

const char* parse_query(std::string_view text, std::vector<HttpParameter>& query) {
  return for_pieces(text, '&', [&](std::string_view piece) -> const char* {
    if (piece.empty()) return nullptr;
    size_t equals = piece.find('=');
    HttpParameter& parameter = query.emplace_back();
    const char* wrong = decode(piece.substr(0, equals), true, parameter.name);
    if (wrong != nullptr || equals == std::string_view::npos) return wrong;
    return decode(piece.substr(equals + 1), true, parameter.value);
  });
}

/// What follows the host in "http://host/path"; a proxy's form, which servers must take too.
std::string_view without_authority(std::string_view text) {
  size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || text.starts_with('/')) return text;
  std::string_view rest = text.substr(scheme + 3);
  size_t path = rest.find('/');
  return path == std::string_view::npos ? "/" : rest.substr(path);
}

}  // namespace

const char* parse_http_target(std::string_view text, HttpTarget& target) {
  text = without_authority(text);
  if (!text.starts_with('/')) return "the request target is not a path";
  size_t question = text.find('?');
  target.path = text.substr(0, question);
  const char* wrong = for_pieces(target.path.substr(1), '/', [&](std::string_view piece) {
    return decode(piece, false, target.segments.emplace_back());
  });
  if (wrong != nullptr || question == std::string_view::npos) return wrong;
  return parse_query(text.substr(question + 1), target.query);
}

}  // namespace pollux

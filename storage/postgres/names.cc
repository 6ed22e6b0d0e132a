#include "storage/postgres/names.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "engine/base/utf8.h"

namespace pollux::postgres {
namespace {

constexpr size_t kNameBytesMax = 63;

/// FNV-1a: what a name was cut to is kept for ever, so its hash must never change.
uint64_t hash_of(std::string_view text) {
  uint64_t hash = 14695981039346656037U;
  for (char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211U;
  return hash;
}

}  // namespace

std::string stored_name(std::string_view name) {
  std::string small = absl::AsciiStrToLower(absl::string_view(name.data(), name.size()));
  if (small.size() <= kNameBytesMax) return small;
  const std::string hash = absl::StrCat("_", absl::Hex(hash_of(small), absl::kZeroPad16));
  size_t kept = kNameBytesMax - hash.size();
  // Not in the middle of a character.
  while (kept > 0 && (static_cast<uint8_t>(small[kept]) & 0xC0) == 0x80) --kept;
  return small.substr(0, kept) + hash;
}

std::string quoted(std::string_view name) {
  std::string text = "\"";
  for (char c : name) text.append(c == '"' ? 2 : 1, c);
  return text + "\"";
}

std::string array_of(const std::vector<std::optional<std::string>>& values) {
  std::string text = "{";
  for (const auto& value : values) {
    if (text.size() > 1) text += ',';
    if (!value) {
      text += "NULL";
      continue;
    }
    text += '"';
    for (char c : *value) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text + "}";
}

std::string_view sql_type(AttributeType type) {
  switch (type) {
    case AttributeType::kString:
      return "text";
    case AttributeType::kInt:
      return "integer";
    case AttributeType::kLong:
      return "bigint";
    case AttributeType::kFloat:
      return "real";
    case AttributeType::kDouble:
      return "double precision";
    case AttributeType::kBool:
      return "boolean";
    case AttributeType::kObject:
      break;
  }
  return "";
}

bool is_storable_text(std::string_view text) {
  while (!text.empty()) {
    const auto first = static_cast<uint8_t>(text.front());
    if (first == 0) return false;
    const size_t bytes = first < 0x80 ? 1 : utf8_size(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

}  // namespace pollux::postgres

#include "storage/sql/names.h"

#include <cstdint>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "engine/base/utf8.h"
#include "storage/refused_rows.h"

namespace pollux::sql {
namespace {

constexpr size_t kNameBytesMax = 63;
constexpr char kOwnPrefix[] = "pollux_";

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

std::string stored_table_name(std::string_view store, std::string_view table) {
  if (table != kRefusedRowsTable) return stored_name(table);
  return stored_name(absl::StrCat(std::string(table), "_", std::string(store)));
}

absl::Status check_names(const TableDefinition& definition,
                         std::span<const std::string_view> own_columns) {
  std::set<std::string> names(own_columns.begin(), own_columns.end());
  for (const Attribute& column : definition.schema->attributes()) {
    if (column.name.find('\0') != std::string::npos || !is_utf8(column.name) ||
        !names.insert(stored_name(column.name)).second) {
      return absl::InvalidArgumentError(absl::StrCat(
          "table ", definition.name, " cannot be made: the database cannot have column '",
          column.name, "' beside the others, since large letters are small ones there, and some ",
          "that begin with ", kOwnPrefix, " are the store's own"));
    }
  }
  if (stored_name(definition.name).starts_with(kOwnPrefix) &&
      definition.name != kRefusedRowsTable) {
    return absl::InvalidArgumentError(absl::StrCat(
        "table ", definition.name, ": names that begin with ", kOwnPrefix, " are the store's"));
  }
  return absl::OkStatus();
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t bytes = static_cast<uint8_t>(text.front()) < 0x80 ? 1 : utf8_size(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

}  // namespace pollux::sql

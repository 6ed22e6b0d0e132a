#include "ha/arbiter/arbiter_record.h"

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "persistence/codec/crc32c.h"

namespace pollux {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr size_t kBytesMax = 4096;  // many times what a record takes
constexpr size_t kShownMax = 200;   // of a text that is no record

absl::Status no_record(std::string_view json, std::string_view why) {
  std::string shown(json.substr(0, kShownMax));
  return absl::DataLossError(absl::StrCat("no record of an arbiter: ", std::string(why), ": \"",
                                          absl::CEscape(shown),
                                          json.size() > kShownMax ? "..." : "", "\""));
}

bool read_number(const Json& object, const char* key, uint64_t& number) {
  auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) return false;
  number = found->get<uint64_t>();
  return true;
}

template <class Id>
bool read_id(const Json& object, const char* key, Id& id) {
  auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return false;
  std::optional<Id> read = id_of<Id>(found->get_ref<const std::string&>());
  if (read) id = *read;
  return read.has_value();
}

/// Nothing where the key is missing or null; false where something else than an id stands there.
bool read_in_sync(const Json& object, std::optional<JournalId>& in_sync) {
  auto found = object.find("in_sync");
  if (found == object.end() || found->is_null()) return true;
  return read_id(object, "in_sync", in_sync.emplace());
}

bool read_forced_from(const Json& object, std::optional<EntryId>& forced_from) {
  auto found = object.find("forced_from");
  if (found == object.end()) return true;
  EntryId& tail = forced_from.emplace();
  return found->is_object() && read_number(*found, "epoch", tail.epoch.value) &&
         read_number(*found, "position", tail.position.value);
}

std::string_view without_space_behind(std::string_view text) {
  size_t end = text.find_last_not_of(" \t\r\n");
  return text.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

}  // namespace

absl::Status check_arbiter_record(const ArbiterRecord& record) {
  const char* wrong = nullptr;
  if (record.version < 1 || record.version > kArbiterVersionMax) wrong = "its version";
  if (!record.domain.is_set()) wrong = "its domain";
  if (record.epoch.value < 1) wrong = "its epoch";
  if (!record.active.is_set()) wrong = "who is active";
  if (record.in_sync && (!record.in_sync->is_set() || *record.in_sync == record.active)) {
    wrong = "who is in sync";
  }
  if (wrong == nullptr) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("not a record that may be written, by ", wrong, ": ", to_json(record)));
}

std::string to_json(const ArbiterRecord& record) {
  Json object = {{"format", kFormat},
                 {"domain", to_text(record.domain)},
                 {"version", record.version},
                 {"epoch", record.epoch.value},
                 {"active", to_text(record.active)},
                 {"in_sync", nullptr}};
  if (record.in_sync) object["in_sync"] = to_text(*record.in_sync);
  if (record.forced_from) {
    object["forced_from"] = {{"epoch", record.forced_from->epoch.value},
                             {"position", record.forced_from->position.value}};
  }
  // Of all that stands before it: a digit that rotted in a file would name another leader.
  object["crc32c"] = absl::StrFormat("%08x", crc32c(object.dump()));
  return object.dump();
}

absl::StatusOr<ArbiterRecord> arbiter_record_of(std::string_view json) {
  if (json.size() > kBytesMax) return no_record(json, "it is too long");
  Json object = Json::parse(json, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return no_record(json, "it is no JSON object");
  uint64_t format = 0;
  if (!read_number(object, "format", format)) return no_record(json, "it has no format");
  if (format > kFormat) {
    return absl::UnimplementedError(absl::StrCat("the arbiter's record has format ", format,
                                                 ", and this program knows ", kFormat,
                                                 ": update this node to the version of its peer"));
  }

  ArbiterRecord record;
  if (!read_id(object, "domain", record.domain) ||
      !read_number(object, "version", record.version) ||
      !read_number(object, "epoch", record.epoch.value) ||
      !read_id(object, "active", record.active) || !read_in_sync(object, record.in_sync) ||
      !read_forced_from(object, record.forced_from)) {
    return no_record(json, "a field is missing or has another type");
  }
  absl::Status sound = check_arbiter_record(record);
  if (!sound.ok()) return no_record(json, std::string(sound.message()));
  // Finds a wrong checksum, but also keys that stand twice, that nobody knows, or in_sync left out.
  if (to_json(record) != without_space_behind(json)) {
    return no_record(json, "its bytes or its checksum were changed");
  }
  return record;
}

}  // namespace pollux

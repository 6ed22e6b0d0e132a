#include "ha/copies/duplicated_streams.h"

#include <xxhash.h>

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace pollux {
namespace {

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_';
  });
}

}  // namespace

absl::StatusOr<DuplicatedStreams> DuplicatedStreams::parse(std::string_view text) {
  DuplicatedStreams streams;
  const absl::string_view all(text.data(), text.size());
  for (absl::string_view part : absl::StrSplit(all, ',', absl::SkipWhitespace())) {
    const std::string item(absl::StripAsciiWhitespace(part));
    const size_t colon = item.find(':');
    std::string stream = item.substr(0, colon);
    std::string attribute = colon == std::string::npos ? "" : item.substr(colon + 1);
    if (!is_name(stream) || (colon != std::string::npos && !is_name(attribute))) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", item, "' is no STREAM and no STREAM:ATTRIBUTE"));
    }
    if (!streams.attributes_.emplace(std::move(stream), std::move(attribute)).second) {
      return absl::InvalidArgumentError(absl::StrCat("'", item, "' names a stream twice"));
    }
  }
  return streams;
}

uint64_t DuplicatedStreams::hash() const {
  if (empty()) return 0;
  std::string text;
  for (const auto& [stream, attribute] : attributes_) {
    absl::StrAppend(&text, stream, ":", attribute, ",");
  }
  return XXH3_64bits(text.data(), text.size()) | 1;
}

std::vector<RowIdentity> DuplicatedStreams::identities(const EventBatch& batch) const {
  auto found = attributes_.find(batch.schema().name());
  std::optional<size_t> name;
  if (found != attributes_.end()) name = batch.schema().find(found->second);
  return identities_of(batch, name);
}

}  // namespace pollux

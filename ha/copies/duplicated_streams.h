// The streams whose clients send every event to both nodes, as the settings name them. Thread: any.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "ha/copies/row_identity.h"

namespace pollux {

class DuplicatedStreams {
 public:
  DuplicatedStreams() = default;
  /// "Logins, Orders:eventId": names of streams, separated by commas, each with the attribute that
  /// names its events where it has one. kInvalidArgument says what is wrong.
  static absl::StatusOr<DuplicatedStreams> parse(std::string_view text);

  bool empty() const { return attributes_.empty(); }
  bool contains(std::string_view stream) const { return attributes_.contains(stream); }
  /// Equal on nodes that name the same streams and attributes; 0: there are none.
  uint64_t hash() const;
  /// One a row of a batch of such a stream.
  std::vector<RowIdentity> identities(const EventBatch& batch) const;

 private:
  std::map<std::string, std::string, std::less<>> attributes_;  // by stream; empty: none
};

}  // namespace pollux

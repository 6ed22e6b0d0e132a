// 128 random bits that name something for ever: a journal, a domain, a session. Thread: any.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pollux {

template <class Tag>
struct RandomId {
  uint64_t high = 0;
  uint64_t low = 0;
  bool is_set() const { return high != 0 || low != 0; }
  friend auto operator<=>(const RandomId&, const RandomId&) = default;
};

/// What a node's journal vouches for goes by this id; a new one is taken whenever the journal may
/// have lost something that it vouched for.
using JournalId = RandomId<struct JournalTag>;
/// A pair for ever, whatever its machines.
using DomainId = RandomId<struct DomainTag>;
/// One attempt of a follower to follow.
using SessionNonce = RandomId<struct SessionTag>;

/// 32 hexadecimal digits.
std::string hex_of(uint64_t high, uint64_t low);
/// And back; false when they are none.
bool read_hex(std::string_view text, uint64_t& high, uint64_t& low);

template <class Tag>
std::string to_text(const RandomId<Tag>& id) {
  return hex_of(id.high, id.low);
}

template <class Id>
std::optional<Id> id_of(std::string_view text) {
  Id id;
  if (!read_hex(text, id.high, id.low)) return std::nullopt;
  return id;
}

}  // namespace pollux

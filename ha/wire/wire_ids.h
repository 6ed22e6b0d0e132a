// Ids as they stand in payloads. Thread: any.
#pragma once

#include <string>

#include "engine/types/ids.h"
#include "ha/base/random_id.h"
#include "persistence/codec/bytes.h"

namespace pollux {

template <class Tag>
void put_id(std::string& out, const RandomId<Tag>& id) {
  put_scalar(out, id.high);
  put_scalar(out, id.low);
}

template <class Id>
Id take_id(PayloadReader& reader) {
  Id id;
  id.high = reader.number<uint64_t>();
  id.low = reader.number<uint64_t>();
  return id;
}

inline void put_entry_id(std::string& out, const EntryId& id) {
  put_scalar(out, id.epoch.value);
  put_scalar(out, id.position.value);
}

inline EntryId take_entry_id(PayloadReader& reader) {
  EntryId id;
  id.epoch.value = reader.number<uint64_t>();
  id.position.value = reader.number<uint64_t>();
  return id;
}

/// 0 or 1.
inline bool take_flag(PayloadReader& reader) {
  auto flag = reader.number<uint8_t>();
  if (flag > 1) reader.fail();
  return flag == 1;
}

inline void take_zeros(PayloadReader& reader, size_t count) {
  for (char byte : reader.bytes(count)) {
    if (byte != 0) return reader.fail();
  }
}

}  // namespace pollux

// Values of type object: any value at all, as bytes that describe themselves.
//
// A tag, and behind it the payload: numbers high byte first and mapped so that bytes order as the
// values do, strings as they are. Lists, sets and maps have their depth (1 byte), their count
// (4 bytes) and then each part as length (4 bytes) and bytes; parts of a map are key, value, key,
// value. Sets and maps are in the order of their (keys') bytes, without repetitions. So equal
// values have equal bytes, and a column of objects is a column of strings to whatever moves it. A
// null object is the column's null; the tag for it stands only inside of lists, sets and maps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/types/value.h"

namespace pollux {

/// Frozen: stands in state and in encoded batches.
enum class ObjectTag : uint8_t {
  kNull = 0,
  kBool = 1,
  kInt = 2,
  kLong = 3,
  kFloat = 4,
  kDouble = 5,
  kString = 6,
  kList = 7,
  kSet = 8,
  kMap = 9,
};

/// Bytes of one object at most, and lists within lists at most.
constexpr size_t kObjectBytesMax = size_t{16} << 20;
constexpr uint8_t kObjectDepthMax = 64;

inline ObjectTag tag_of(std::string_view object) {
  return object.empty() ? ObjectTag::kNull : static_cast<ObjectTag>(object[0]);
}
/// Whether the bytes are an object as it is written here.
bool is_object(std::string_view bytes);

std::string encode_object(const Value& value);
Value decode_object(std::string_view object);
/// The same as encode_object(Value(text)).
std::string encode_text_object(std::string_view text);

/// The numeric value; empty when it is no number.
std::optional<double> number_of_object(std::string_view object);
/// The int or long; empty when it is neither.
std::optional<int64_t> integer_of_object(std::string_view object);

/// Parts of a list or set, keys and values of a map; none of anything else. They point into
/// `object`.
std::vector<std::string_view> parts_of(std::string_view object);
/// Elements of a list or set, pairs of a map; 0 for anything else. Takes no time.
uint32_t size_of_object(std::string_view object);

using ObjectPair = std::pair<std::string_view, std::string_view>;
std::vector<ObjectPair> pairs_of(std::string_view map);
/// The value for an encoded key; empty when there is none.
std::optional<std::string_view> find_in_map(std::string_view map, std::string_view key);

// What would be too large or too deep is empty.
std::optional<std::string> make_list(const std::vector<std::string_view>& parts);
std::optional<std::string> make_set(std::vector<std::string_view> parts);
/// Of equal keys the last one counts.
std::optional<std::string> make_map(std::vector<ObjectPair> pairs);

/// As Java writes it: [1, 2], {a=1}.
std::string object_text(std::string_view object);

}  // namespace pollux

#include "engine/types/object_value.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace pollux {
namespace {

constexpr size_t kHeaderBytes = 6;
constexpr size_t kLengthBytes = 4;

template <class U>
void put_bits(std::string& to, U bits) {
  for (int shift = int{sizeof(U)} * 8 - 8; shift >= 0; shift -= 8) {
    to += static_cast<char>(static_cast<uint8_t>(bits >> shift));
  }
}

template <class U>
U get_bits(std::string_view from) {
  U bits = 0;
  for (size_t i = 0; i < sizeof(U); ++i) {
    bits = static_cast<U>((bits << 8) | static_cast<uint8_t>(from[i]));
  }
  return bits;
}

template <class U>
constexpr U kSign = U{1} << (sizeof(U) * 8 - 1);

/// So that the bytes of a negative number order before those of a positive one.
template <class U>
U ordered(U bits, bool floating) {
  return floating && (bits & kSign<U>) != 0 ? ~bits : bits ^ kSign<U>;
}
template <class U>
U restored(U bits, bool floating) {
  return floating && (bits & kSign<U>) == 0 ? ~bits : bits ^ kSign<U>;
}

size_t scalar_bytes(ObjectTag tag) {
  switch (tag) {
    case ObjectTag::kBool:
      return 1;
    case ObjectTag::kInt:
    case ObjectTag::kFloat:
      return 4;
    case ObjectTag::kLong:
    case ObjectTag::kDouble:
      return 8;
    default:
      return 0;
  }
}

bool is_container(ObjectTag tag) {
  return tag == ObjectTag::kList || tag == ObjectTag::kSet || tag == ObjectTag::kMap;
}

std::string with_tag(ObjectTag tag) { return std::string(1, static_cast<char>(tag)); }

template <class U>
std::string scalar(ObjectTag tag, U bits) {
  std::string object = with_tag(tag);
  put_bits(object, bits);
  return object;
}

uint8_t depth_of(std::string_view object) {
  return is_container(tag_of(object)) ? static_cast<uint8_t>(object[1]) : uint8_t{0};
}

std::optional<std::string> make_container(ObjectTag tag, uint32_t count,
                                          const std::vector<std::string_view>& parts) {
  size_t bytes = kHeaderBytes;
  uint8_t depth = 0;
  for (std::string_view part : parts) {
    bytes += kLengthBytes + part.size();
    depth = std::max(depth, depth_of(part));
    if (bytes > kObjectBytesMax) return std::nullopt;
  }
  if (depth >= kObjectDepthMax) return std::nullopt;
  std::string object = with_tag(tag);
  object.reserve(bytes);
  object += static_cast<char>(depth + 1);
  put_bits(object, count);
  for (std::string_view part : parts) {
    put_bits(object, static_cast<uint32_t>(part.size()));
    object += part;
  }
  return object;
}

}  // namespace

bool is_object(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > kObjectBytesMax) return false;
  ObjectTag tag = tag_of(bytes);
  if (tag > ObjectTag::kMap) return false;
  if (tag == ObjectTag::kString) return true;
  if (!is_container(tag)) return bytes.size() == 1 + scalar_bytes(tag);
  if (bytes.size() < kHeaderBytes) return false;
  uint8_t depth = static_cast<uint8_t>(bytes[1]);
  if (depth == 0 || depth > kObjectDepthMax) return false;
  uint64_t parts = uint64_t{size_of_object(bytes)} * (tag == ObjectTag::kMap ? 2 : 1);
  std::string_view rest = bytes.substr(kHeaderBytes);
  for (uint64_t i = 0; i < parts; ++i) {
    if (rest.size() < kLengthBytes) return false;
    uint32_t size = get_bits<uint32_t>(rest);
    rest.remove_prefix(kLengthBytes);
    if (rest.size() < size) return false;
    std::string_view part = rest.substr(0, size);
    if (depth_of(part) >= depth || !is_object(part)) return false;
    rest.remove_prefix(size);
  }
  return rest.empty();
}

std::string encode_text_object(std::string_view text) {
  std::string object = with_tag(ObjectTag::kString);
  object += text;
  return object;
}

std::string encode_object(const Value& value) {
  struct Encoder {
    std::string operator()(std::monostate) const { return with_tag(ObjectTag::kNull); }
    std::string operator()(bool flag) const {
      return with_tag(ObjectTag::kBool) + (flag ? '\1' : '\0');
    }
    std::string operator()(int32_t number) const {
      return scalar(ObjectTag::kInt, ordered(static_cast<uint32_t>(number), false));
    }
    std::string operator()(int64_t number) const {
      return scalar(ObjectTag::kLong, ordered(static_cast<uint64_t>(number), false));
    }
    std::string operator()(float number) const {
      if (std::isnan(number)) number = std::numeric_limits<float>::quiet_NaN();
      return scalar(ObjectTag::kFloat, ordered(std::bit_cast<uint32_t>(number), true));
    }
    std::string operator()(double number) const {
      if (std::isnan(number)) number = std::numeric_limits<double>::quiet_NaN();
      return scalar(ObjectTag::kDouble, ordered(std::bit_cast<uint64_t>(number), true));
    }
    std::string operator()(const std::string& text) const { return encode_text_object(text); }
    std::string operator()(const ObjectValue& object) const { return object.bytes; }
  };
  return std::visit(Encoder{}, value);
}

Value decode_object(std::string_view object) {
  std::string_view payload = object.empty() ? object : object.substr(1);
  switch (tag_of(object)) {
    case ObjectTag::kNull:
      return {};
    case ObjectTag::kBool:
      return payload[0] != 0;
    case ObjectTag::kInt:
      return static_cast<int32_t>(restored(get_bits<uint32_t>(payload), false));
    case ObjectTag::kLong:
      return static_cast<int64_t>(restored(get_bits<uint64_t>(payload), false));
    case ObjectTag::kFloat:
      return std::bit_cast<float>(restored(get_bits<uint32_t>(payload), true));
    case ObjectTag::kDouble:
      return std::bit_cast<double>(restored(get_bits<uint64_t>(payload), true));
    case ObjectTag::kString:
      return std::string(payload);
    default:
      return ObjectValue{std::string(object)};
  }
}

std::optional<double> number_of_object(std::string_view object) {
  if (auto integer = integer_of_object(object)) return static_cast<double>(*integer);
  if (tag_of(object) == ObjectTag::kFloat) return std::get<float>(decode_object(object));
  if (tag_of(object) == ObjectTag::kDouble) return std::get<double>(decode_object(object));
  return std::nullopt;
}

std::optional<int64_t> integer_of_object(std::string_view object) {
  if (tag_of(object) == ObjectTag::kInt) return std::get<int32_t>(decode_object(object));
  if (tag_of(object) == ObjectTag::kLong) return std::get<int64_t>(decode_object(object));
  return std::nullopt;
}

uint32_t size_of_object(std::string_view object) {
  if (!is_container(tag_of(object))) return 0;
  return get_bits<uint32_t>(object.substr(2));
}

std::vector<std::string_view> parts_of(std::string_view object) {
  std::vector<std::string_view> parts;
  if (!is_container(tag_of(object))) return parts;
  for (size_t at = kHeaderBytes; at < object.size();) {
    uint32_t size = get_bits<uint32_t>(object.substr(at));
    parts.push_back(object.substr(at + kLengthBytes, size));
    at += kLengthBytes + size;
  }
  return parts;
}

std::vector<ObjectPair> pairs_of(std::string_view map) {
  std::vector<ObjectPair> pairs;
  if (tag_of(map) != ObjectTag::kMap) return pairs;
  std::vector<std::string_view> parts = parts_of(map);
  for (size_t i = 0; i + 1 < parts.size(); i += 2) pairs.emplace_back(parts[i], parts[i + 1]);
  return pairs;
}

std::optional<std::string_view> find_in_map(std::string_view map, std::string_view key) {
  std::vector<ObjectPair> pairs = pairs_of(map);
  auto at =
      std::lower_bound(pairs.begin(), pairs.end(), key,
                       [](const ObjectPair& pair, std::string_view k) { return pair.first < k; });
  if (at == pairs.end() || at->first != key) return std::nullopt;
  return at->second;
}

std::optional<std::string> make_list(const std::vector<std::string_view>& parts) {
  return make_container(ObjectTag::kList, static_cast<uint32_t>(parts.size()), parts);
}

std::optional<std::string> make_set(std::vector<std::string_view> parts) {
  std::sort(parts.begin(), parts.end());
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  return make_container(ObjectTag::kSet, static_cast<uint32_t>(parts.size()), parts);
}

std::optional<std::string> make_map(std::vector<ObjectPair> pairs) {
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const ObjectPair& a, const ObjectPair& b) { return a.first < b.first; });
  std::vector<std::string_view> parts;
  parts.reserve(pairs.size() * 2);
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (i + 1 < pairs.size() && pairs[i + 1].first == pairs[i].first) continue;
    parts.push_back(pairs[i].first);
    parts.push_back(pairs[i].second);
  }
  return make_container(ObjectTag::kMap, static_cast<uint32_t>(parts.size() / 2), parts);
}

namespace {

void append_text(std::string_view object, std::string& to) {
  ObjectTag tag = tag_of(object);
  if (!is_container(tag)) {
    to += to_text(decode_object(object));
    return;
  }
  bool map = tag == ObjectTag::kMap;
  to += map ? '{' : '[';
  bool key = true;
  bool first = true;
  for (std::string_view part : parts_of(object)) {
    if (key && !first) to += ", ";
    append_text(part, to);
    if (map && key) to += '=';
    key = !map || !key;
    first = false;
  }
  to += map ? '}' : ']';
}

}  // namespace

std::string object_text(std::string_view object) {
  std::string text;
  append_text(object, text);
  return text;
}

}  // namespace pollux

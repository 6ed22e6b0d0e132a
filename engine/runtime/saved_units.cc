#include "engine/runtime/saved_units.h"

#include <cstring>

namespace pollux {
namespace {

/// Reads the bytes without copying payloads; beyond the end everything is zero and empty.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : left_(bytes) {}
  bool failed() const { return failed_; }
  bool at_end() const { return left_.empty(); }

  template <class T>
  T number() {
    T value{};
    std::string_view from = bytes(sizeof(T));
    if (!from.empty()) std::memcpy(&value, from.data(), sizeof(T));
    return value;
  }
  std::string_view bytes(uint64_t count) {
    if (count > left_.size()) {
      failed_ = true;
      left_ = {};
    }
    std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(taken.size());
    return failed_ ? std::string_view() : taken;
  }

 private:
  std::string_view left_;
  bool failed_ = false;
};

SavedUnit read_unit(Cursor& cursor) {
  SavedUnit unit;
  unit.name = cursor.bytes(cursor.number<uint32_t>());
  unit.hash = cursor.number<uint64_t>();
  auto sections = cursor.number<uint32_t>();
  for (uint32_t i = 0; i < sections && !cursor.failed(); ++i) {
    auto version = cursor.number<uint32_t>();
    unit.sections.push_back({version, cursor.bytes(cursor.number<uint64_t>())});
  }
  return unit;
}

}  // namespace

bool is_state(std::string_view bytes) {
  Cursor cursor(bytes);
  return cursor.number<uint32_t>() == kStateMagic;
}

std::string read_units(std::string_view bytes, std::vector<SavedUnit>& units) {
  Cursor cursor(bytes);
  auto magic = cursor.number<uint32_t>();
  auto format = cursor.number<uint32_t>();
  if (cursor.failed() || magic != kStateMagic) return "these bytes are no state of a plan";
  if (format != kStateFormat) return "a state of format " + std::to_string(format);
  auto count = cursor.number<uint32_t>();
  for (uint32_t i = 0; i < count && !cursor.failed(); ++i) units.push_back(read_unit(cursor));
  if (cursor.failed()) return "the state ends early";
  return cursor.at_end() ? std::string() : "the state goes on behind its end";
}

}  // namespace pollux

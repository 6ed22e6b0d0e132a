// One way over an operator's state for both saving and loading, so that the two cannot differ.
//
// What is saved is the values one after the other, little endian, without names: a section's
// version says what stands in it. While loading nothing is believed: where the bytes end early or a
// number is out of its range the archive has failed, and everything read from there on is empty.
// Thread: that of the state.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/base/ring.h"
#include "engine/base/small_ids.h"
#include "engine/base/string_pool.h"

namespace pollux {

static_assert(std::endian::native == std::endian::little);

class StateArchive {
 public:
  /// Takes what is saved, a piece after the other.
  using Take = std::function<void(std::string_view)>;

  /// An archive that saves, and hands on what it has with flush() at the latest. Without `take` it
  /// only counts.
  explicit StateArchive(Take take) : take_(std::move(take)) {}
  /// An archive that loads; `bytes` must outlive it.
  explicit StateArchive(std::string_view bytes) : loads_(true), left_(bytes) {}

  bool loads() const { return loads_; }
  bool failed() const { return failed_; }
  void fail() {
    failed_ = true;
    left_ = {};
  }
  /// Loading: nothing is left.
  bool at_end() const { return left_.empty(); }
  /// Bytes saved so far.
  uint64_t saved() const { return saved_; }
  void flush() {
    if (!piece_.empty()) take_(piece_);
    piece_.clear();
  }

  template <class... Items>
  void operator()(Items&... items) {
    (item(items), ...);
  }

  /// A number below `limit` (or equal to `none`, where that is given).
  template <class T>
  void index(T& value, size_t limit, std::optional<T> none = {}) {
    item(value);
    if (!loads_ || value < limit || (none && value == *none)) return;
    fail();
    value = none.value_or(T{});
  }

  /// A text whose bytes a pool holds.
  void text(StringRef& text, StringPool& strings) {
    uint32_t size = count(text.size());
    if (!loads_) {
      save(text.data(), size);
      return;
    }
    text = strings.store(StringRef(left_.substr(0, size)));
    left_.remove_prefix(size);
  }

  /// How many items follow, each of which takes a byte at least.
  uint32_t count(size_t items) {
    auto many = static_cast<uint32_t>(items);
    item(many);
    if (loads_ && many > left_.size()) {
      fail();
      return 0;
    }
    return many;
  }

  /// Bytes whose number is known.
  void block(void* at, size_t size) { bytes(at, size); }

  /// A list, by `each(item)`.
  template <class T, class Each>
  void list(std::vector<T>& items, Each&& each) {
    uint32_t many = count(items.size());
    if (loads_) {
      items.clear();
      items.resize(many);
    }
    for (T& one : items) each(one);
    if (failed_) items.clear();
  }

 private:
  template <class T>
  static constexpr bool is_plain = std::is_arithmetic_v<T> || std::is_enum_v<T>;

  void save(const char* at, size_t size) {
    saved_ += size;
    if (!take_) return;
    piece_.append(at, size);
    if (piece_.size() >= kPieceBytes) flush();
  }

  void bytes(void* at, size_t size) {
    if (size == 0) return;
    if (!loads_) {
      save(static_cast<const char*>(at), size);
      return;
    }
    if (size > left_.size()) {
      fail();
      std::memset(at, 0, size);
      return;
    }
    std::memcpy(at, left_.data(), size);
    left_.remove_prefix(size);
  }

  template <class T>
  void item(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      uint8_t byte = value ? 1 : 0;
      bytes(&byte, 1);
      value = byte != 0;
    } else if constexpr (is_plain<T>) {
      bytes(&value, sizeof(value));
    } else {
      value.archive(*this);
    }
  }
  void item(std::string& text) {
    uint32_t size = count(text.size());
    text.resize(size);
    bytes(text.data(), size);
  }
  template <class T>
  void item(std::vector<T>& items) {
    if constexpr (is_plain<T> && !std::is_same_v<T, bool>) {
      uint32_t many = count(items.size());
      if (loads_ && many > left_.size() / sizeof(T)) {
        fail();
        many = 0;
      }
      items.resize(many);
      if (many > 0) bytes(items.data(), many * sizeof(T));
    } else {
      list(items, [this](T& one) { item(one); });
    }
  }
  void item(std::vector<bool>& bits) {
    bits.resize(count(bits.size()));
    for (size_t i = 0; i < bits.size(); ++i) {
      bool bit = bits[i];
      item(bit);
      bits[i] = bit;
    }
  }
  template <class T>
  void item(Ring<T>& ring) {
    uint32_t many = count(ring.size());
    if (loads_) {
      ring.clear();
      ring.reserve(many);
    }
    for (uint32_t i = 0; i < many; ++i) {
      T one = loads_ ? T{} : ring[i];
      item(one);
      if (loads_) ring.push(one);
    }
  }
  template <class T>
  void item(std::optional<T>& value) {
    bool there = value.has_value();
    item(there);
    if (loads_) value = there ? std::optional<T>(T{}) : std::nullopt;
    if (there) item(*value);
  }
  void item(SmallIds& ids) {
    uint32_t many = count(ids.size());
    if (loads_) ids.clear();
    for (uint32_t i = 0; i < many; ++i) {
      uint32_t id = loads_ ? 0 : ids[i];
      item(id);
      if (loads_) ids.push(id);
    }
  }
  template <class K, class V, class Less>
  void item(std::map<K, V, Less>& values) {
    uint32_t many = count(values.size());
    if (!loads_) {
      for (auto& [key, value] : values) {
        K copy = key;
        item(copy);
        item(value);
      }
      return;
    }
    values.clear();
    for (uint32_t i = 0; i < many; ++i) {
      K key{};
      item(key);
      item(values[key]);
    }
  }

  static constexpr size_t kPieceBytes = size_t{256} << 10;

  bool loads_ = false;
  bool failed_ = false;
  const Take take_;
  std::string piece_;
  uint64_t saved_ = 0;
  std::string_view left_;
};

}  // namespace pollux

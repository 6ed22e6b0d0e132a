#include "engine/operators/changed_keys.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

namespace pollux {
namespace {

template <class T>
T number_in(std::string_view bytes) {
  T number;
  std::memcpy(&number, bytes.data(), sizeof(number));
  return number;
}

/// Takes `size` bytes off; false when there are fewer.
bool take(std::string_view& left, size_t size, std::string_view& taken) {
  if (left.size() < size) return false;
  taken = left.substr(0, size);
  left.remove_prefix(size);
  return true;
}

void append(Column& column, std::string_view bytes, Arena& arena) {
  switch (column.width()) {
    case 1:
      return column.append(number_in<uint8_t>(bytes));
    case 4:
      return column.append(number_in<uint32_t>(bytes));
    case 8:
      return column.append(number_in<uint64_t>(bytes));
    default:
      return column.append(arena.store(bytes));
  }
}

}  // namespace

ChangedKeys::ChangedKeys(SchemaPtr schema, std::vector<size_t> columns, StringPool& strings)
    : schema_(std::move(schema)),
      columns_(std::move(columns)),
      strings_(strings),
      keys_(std::make_unique<GroupTable>(strings)) {}

/// The values' bytes; one without data is null. See KeyEncoder.
bool ChangedKeys::read(std::string_view key, std::vector<std::string_view>& values) const {
  constexpr std::string_view kBareNull = "\xff";
  if (columns_.size() == 1 && (*schema_)[columns_[0]].type == AttributeType::kString) {
    bool null = key == kBareNull;
    values.push_back(null ? std::string_view() : key.data() == nullptr ? "" : key);
    return true;
  }
  for (size_t column : columns_) {
    AttributeType type = (*schema_)[column].type;
    std::string_view tag;
    std::string_view value;
    if (!take(key, 1, tag)) return false;
    if (tag[0] == '\0') {
      values.emplace_back();
      continue;
    }
    if (tag[0] != static_cast<char>(type)) return false;
    size_t size = width_of(type);
    if (size == sizeof(StringRef)) {
      std::string_view length;
      if (!take(key, sizeof(uint32_t), length)) return false;
      size = number_in<uint32_t>(length);
    }
    if (!take(key, size, value)) return false;
    values.push_back(value);
  }
  return key.empty();
}

bool ChangedKeys::append_row(const StringRef& key, EventBatch& to) const {
  std::vector<std::string_view> values;
  if (!read(key.view(), values)) return false;
  for (size_t c = 0; c < schema_->size(); ++c) {
    auto at = std::find(columns_.begin(), columns_.end(), c);
    std::string_view value;
    if (at != columns_.end()) value = values[static_cast<size_t>(at - columns_.begin())];
    if (value.data() == nullptr) {
      to.column(c).append_null();
    } else {
      append(to.column(c), value, to.arena());
    }
  }
  return true;
}

void ChangedKeys::clear() {
  if (keys_->bytes() <= kEmptyBytesMax) return keys_->clear();
  keys_ = std::make_unique<GroupTable>(strings_);  // emptying a large table takes as long again
}

void ChangedKeys::archive(StateArchive& archive) {
  archive(*keys_);
  if (!archive.loads()) return;
  std::vector<std::string_view> values;
  bool good = keys_->size() == keys_->capacity();
  for (uint32_t i = 0; i < size() && good; ++i) {
    values.clear();
    good = read((*this)[i].view(), values);
  }
  if (!good) archive.fail();
}

}  // namespace pollux

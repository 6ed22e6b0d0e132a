// decode_columns(): checks, then copies.
#include <algorithm>
#include <cstring>

#include "pollux.pb.h"
#include "server/formats/row_layout.h"
#include "server/formats/utf8.h"
#include "server/grpc/batch_codec.h"
#include "server/grpc/column_order.h"

namespace pollux {

namespace {

const char* kind_of(const v1::Column& column) {
  switch (column.values_case()) {
    case v1::Column::kBools:
      return "bool values";
    case v1::Column::kInts:
      return "int values";
    case v1::Column::kLongs:
      return "long values";
    case v1::Column::kFloats:
      return "float values";
    case v1::Column::kDoubles:
      return "double values";
    case v1::Column::kStrings:
      return "string values";
    case v1::Column::VALUES_NOT_SET:
      break;
  }
  return "none";
}

v1::Column::ValuesCase kind_for(AttributeType type) {
  switch (type) {
    case AttributeType::kString:
      return v1::Column::kStrings;
    case AttributeType::kInt:
      return v1::Column::kInts;
    case AttributeType::kLong:
      return v1::Column::kLongs;
    case AttributeType::kFloat:
      return v1::Column::kFloats;
    case AttributeType::kDouble:
      return v1::Column::kDoubles;
    case AttributeType::kBool:
      return v1::Column::kBools;
    case AttributeType::kObject:
      break;
  }
  return v1::Column::VALUES_NOT_SET;
}

std::optional<AttributeType> type_of(const v1::Column& column) {
  switch (column.values_case()) {
    case v1::Column::kBools:
      return AttributeType::kBool;
    case v1::Column::kInts:
      return AttributeType::kInt;
    case v1::Column::kLongs:
      return AttributeType::kLong;
    case v1::Column::kFloats:
      return AttributeType::kFloat;
    case v1::Column::kDoubles:
      return AttributeType::kDouble;
    case v1::Column::kStrings:
      return AttributeType::kString;
    case v1::Column::VALUES_NOT_SET:
      break;
  }
  return std::nullopt;
}

/// One column of a message into one column of a batch. The first fault of shape ends it; faults in
/// rows are gathered.
class ColumnDecoder {
 public:
  ColumnDecoder(const v1::Column& from, const Attribute& attribute, uint32_t rows,
                BatchFault& fault)
      : from_(from), attribute_(attribute), rows_(rows), fault_(fault) {}

  bool decode(Column& to, EventBatch& batch) {
    if (!check_nulls()) return false;
    if (from_.values_case() == v1::Column::VALUES_NOT_SET) return all_null(to);
    if (attribute_.type == AttributeType::kObject) return decode_objects(batch);
    if (from_.values_case() != kind_for(attribute_.type)) {
      return wrong(wrong_type(attribute_.type, kind_of(from_)));
    }
    return decode_values(to, batch) && mark_nulls(to);
  }

 private:
  bool wrong(std::string reason) {
    fault_.field = attribute_.name;
    fault_.reason = std::move(reason);
    return false;
  }

  bool is_null(uint32_t row) const {
    return !from_.nulls().empty() && ((from_.nulls()[row >> 3] >> (row & 7)) & 1) != 0;
  }

  bool check_nulls() {
    const std::string& nulls = from_.nulls();
    if (nulls.empty()) return true;
    size_t expected = (static_cast<size_t>(rows_) + 7) / 8;
    if (nulls.size() != expected) {
      return wrong("nulls has " + std::to_string(nulls.size()) + " bytes, expected " +
                   std::to_string(expected) + " for " + std::to_string(rows_) + " rows");
    }
    uint32_t used = rows_ % 8;
    if (used != 0 && (static_cast<uint8_t>(nulls.back()) >> used) != 0) {
      return wrong("nulls has bits set behind the last row");
    }
    return true;
  }

  bool all_null(Column& to) {
    for (uint32_t row = 0; row < rows_; ++row) {
      if (!is_null(row)) return wrong("no values, but not all rows are null");
      to.append_null();
    }
    return true;
  }

  bool decode_values(Column& to, EventBatch& batch) {
    switch (attribute_.type) {
      case AttributeType::kString:
        return decode_strings(to, batch);
      case AttributeType::kInt:
        return copy(to, from_.ints().values().data(), from_.ints().values_size());
      case AttributeType::kLong:
        return copy(to, from_.longs().values().data(), from_.longs().values_size());
      case AttributeType::kFloat:
        return copy(to, from_.floats().values().data(), from_.floats().values_size());
      case AttributeType::kDouble:
        return copy(to, from_.doubles().values().data(), from_.doubles().values_size());
      case AttributeType::kBool:
        return decode_bools(to);
      case AttributeType::kObject:
        break;
    }
    return false;
  }

  bool check_length(size_t found, const char* of_what) {
    if (found == rows_) return true;
    return wrong(std::to_string(found) + " " + of_what + ", expected one for each of " +
                 std::to_string(rows_) + " rows");
  }

  template <class T>
  bool copy(Column& to, const T* values, int count) {
    if (!check_length(static_cast<size_t>(count), "values")) return false;
    std::memcpy(to.extend<T>(rows_), values, sizeof(T) * rows_);
    return true;
  }

  bool decode_bools(Column& to) {
    const std::string& bools = from_.bools();
    if (!check_length(bools.size(), "values")) return false;
    std::memcpy(to.extend<uint8_t>(rows_), bools.data(), rows_);
    uint8_t seen = 0;
    for (char value : bools) seen |= static_cast<uint8_t>(value);
    if (seen <= 1) return true;
    for (uint32_t row = 0; row < rows_; ++row) {
      auto value = static_cast<uint8_t>(bools[row]);
      if (value > 1 && !is_null(row)) {
        fault_.add_row(row, attribute_.name,
                       "the byte " + std::to_string(value) + " is no bool, expected 0 or 1");
      }
    }
    return true;
  }

  bool check_ends(bool& any_long) {
    const auto& ends = from_.strings().ends();
    if (!check_length(static_cast<size_t>(ends.size()), "ends")) return false;
    uint32_t begin = 0;
    uint32_t longest = 0;
    bool falls = false;
    for (uint32_t end : ends) {
      falls |= end < begin;
      longest = std::max(longest, end - begin);
      begin = end;
    }
    if (falls) return wrong("an end lies before the one of the row above");
    size_t bytes = from_.strings().text().size();
    if (begin != bytes) {
      return wrong("the last end is " + std::to_string(begin) + ", but text has " +
                   std::to_string(bytes) + " bytes");
    }
    any_long = longest > StringRef::kInlineBytesMax;
    return true;
  }

  bool decode_strings(Column& to, EventBatch& batch) {
    bool any_long = false;
    if (!check_ends(any_long)) return false;
    const std::string& text = from_.strings().text();
    const char* bytes = text.data();
    if (any_long) {
      char* copied = batch.arena().allocate(text.size());
      std::memcpy(copied, text.data(), text.size());
      bytes = copied;
    }
    const uint32_t* ends = from_.strings().ends().data();
    auto* views = to.extend<StringRef>(rows_);
    // Text that is valid as a whole is so in each row, if no row begins inside a character.
    bool sound = is_utf8(text);
    uint32_t begin = 0;
    for (uint32_t row = 0; row < rows_; ++row) {
      uint32_t end = ends[row];
      sound &= begin == end || (static_cast<uint8_t>(bytes[begin]) & 0xC0) != 0x80;
      views[row] = StringRef(std::string_view(bytes + begin, end - begin));
      begin = end;
    }
    if (!sound) find_broken_texts(views);
    return true;
  }

  void find_broken_texts(const StringRef* views) {
    for (uint32_t row = 0; row < rows_; ++row) {
      if (!is_null(row) && !is_utf8(views[row].view())) {
        fault_.add_row(row, attribute_.name, kNotUtf8);
      }
    }
  }

  /// The column as one of the type that its values have, and from there as objects.
  bool decode_objects(EventBatch& batch) {
    size_t index = *batch.schema().find(attribute_.name);
    Attribute plain{attribute_.name, *type_of(from_)};
    EventBatch values(std::make_shared<const Schema>("", std::vector<Attribute>{plain}));
    ColumnDecoder decoder(from_, plain, rows_, fault_);
    if (!decoder.decode(values.column(0), values) || !fault_.none()) return false;
    for (uint32_t row = 0; row < rows_; ++row) batch.append_value(index, values.value(row, 0));
    return true;
  }

  /// A null's place holds zero bytes, whatever the peer put there.
  bool mark_nulls(Column& to) {
    const std::string& nulls = from_.nulls();
    auto* bytes = to.mutable_data<char>();
    for (size_t i = 0; i < nulls.size(); ++i) {
      for (auto left = static_cast<uint8_t>(nulls[i]); left != 0; left &= left - 1) {
        auto row = static_cast<uint32_t>(i * 8) + static_cast<uint32_t>(__builtin_ctz(left));
        to.set_null(row);
        std::memset(bytes + static_cast<size_t>(row) * to.width(), 0, to.width());
      }
    }
    return true;
  }

  const v1::Column& from_;
  const Attribute& attribute_;
  const uint32_t rows_;
  BatchFault& fault_;
};

bool decode_timestamps(const v1::Columns& columns, EventBatch& batch, BatchFault& fault) {
  const auto& times = columns.timestamps_ms();
  if (static_cast<size_t>(times.size()) != columns.rows()) {
    fault.field = "timestamps_ms";
    fault.reason = std::to_string(times.size()) + " values, expected one for each of " +
                   std::to_string(columns.rows()) + " rows";
    return false;
  }
  batch.mutable_timestamps().assign(times.begin(), times.end());
  bool sound = true;
  for (int64_t time : times) {
    sound &= static_cast<uint64_t>(time) <= static_cast<uint64_t>(kTimestampMsMax);
  }
  if (sound) return true;
  for (uint32_t row = 0; row < columns.rows(); ++row) {
    check_timestamp(times[static_cast<int>(row)], row, fault);
  }
  return true;
}

}  // namespace

std::shared_ptr<EventBatch> decode_columns(const v1::Columns& columns, const SchemaPtr& schema,
                                           const BatchLimits& limits, BatchFault& fault) {
  if (!check_row_count(columns.rows(), limits.rows_max, fault)) return nullptr;
  std::vector<int> order = order_columns(
      *schema, columns.columns_size(),
      [&](int column) -> const std::string& { return columns.columns(column).name(); }, fault);
  if (!fault.none()) return nullptr;
  auto batch = std::make_shared<EventBatch>(schema);
  if (!decode_timestamps(columns, *batch, fault)) return nullptr;
  for (size_t i = 0; i < order.size(); ++i) {
    ColumnDecoder decoder(columns.columns(order[i]), (*schema)[i], columns.rows(), fault);
    if (!decoder.decode(batch->column(i), *batch)) break;
  }
  if (!fault.none()) return nullptr;
  return batch;
}

absl::StatusOr<SchemaPtr> schema_of_columns(const v1::Columns& columns, std::string stream) {
  std::vector<Attribute> attributes;
  for (const v1::Column& column : columns.columns()) {
    std::optional<AttributeType> type = type_of(column);
    if (!type) return absl::InvalidArgumentError(column.name() + ": a column without a type");
    attributes.push_back({column.name(), *type});
  }
  return std::make_shared<const Schema>(std::move(stream), std::move(attributes));
}

}  // namespace pollux

// decode_rows(): one value after the other; every wrong one is told.
#include "pollux.pb.h"
#include "server/grpc/batch_codec.h"
#include "server/grpc/column_order.h"

namespace pollux {

namespace {

const char* kind_of(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kBoolValue:
      return "a bool";
    case v1::Value::kIntValue:
      return "an int";
    case v1::Value::kLongValue:
      return "a long";
    case v1::Value::kFloatValue:
      return "a float";
    case v1::Value::kDoubleValue:
      return "a double";
    case v1::Value::kStringValue:
      return "a string";
    case v1::Value::KIND_NOT_SET:
      break;
  }
  return "null";
}

v1::Value::KindCase kind_for(AttributeType type) {
  switch (type) {
    case AttributeType::kString:
      return v1::Value::kStringValue;
    case AttributeType::kInt:
      return v1::Value::kIntValue;
    case AttributeType::kLong:
      return v1::Value::kLongValue;
    case AttributeType::kFloat:
      return v1::Value::kFloatValue;
    case AttributeType::kDouble:
      return v1::Value::kDoubleValue;
    case AttributeType::kBool:
      return v1::Value::kBoolValue;
    case AttributeType::kObject:
      break;
  }
  return v1::Value::KIND_NOT_SET;
}

Value value_of(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kBoolValue:
      return value.bool_value();
    case v1::Value::kIntValue:
      return int32_t{value.int_value()};
    case v1::Value::kLongValue:
      return int64_t{value.long_value()};
    case v1::Value::kFloatValue:
      return value.float_value();
    case v1::Value::kDoubleValue:
      return value.double_value();
    case v1::Value::kStringValue:
      return value.string_value();
    case v1::Value::KIND_NOT_SET:
      break;
  }
  return {};
}

/// Appends a value whose kind is that of the attribute's type.
void append(EventBatch& batch, size_t attribute, const v1::Value& value) {
  Column& to = batch.column(attribute);
  if (to.type() == AttributeType::kObject) return batch.append_value(attribute, value_of(value));
  switch (value.kind_case()) {
    case v1::Value::kBoolValue:
      return to.append(static_cast<uint8_t>(value.bool_value()));
    case v1::Value::kIntValue:
      return to.append(value.int_value());
    case v1::Value::kLongValue:
      return to.append(int64_t{value.long_value()});
    case v1::Value::kFloatValue:
      return to.append(value.float_value());
    case v1::Value::kDoubleValue:
      return to.append(value.double_value());
    case v1::Value::kStringValue:
      return batch.append_string(attribute, value.string_value());
    case v1::Value::KIND_NOT_SET:
      break;
  }
  to.append_null();
}

void decode_row(const v1::Row& row, uint32_t number, const std::vector<int>& order,
                EventBatch& batch, BatchFault& fault) {
  check_timestamp(row.timestamp_ms(), number, fault);
  if (static_cast<size_t>(row.values_size()) != order.size()) {
    fault.add_row(
        number, "values",
        std::to_string(row.values_size()) + " values, expected " + std::to_string(order.size()));
    return;
  }
  for (size_t i = 0; i < order.size(); ++i) {
    const v1::Value& value = row.values(order[i]);
    const Attribute& attribute = batch.schema()[i];
    bool null = value.kind_case() == v1::Value::KIND_NOT_SET;
    bool any = attribute.type == AttributeType::kObject;
    if (!null && !any && value.kind_case() != kind_for(attribute.type)) {
      fault.add_row(number, attribute.name, wrong_type(attribute.type, kind_of(value)));
    } else {
      append(batch, i, value);
    }
  }
  batch.end_row(row.timestamp_ms());
}

}  // namespace

// Texts need no check here: protobuf takes no `string` that is not UTF-8.
std::shared_ptr<EventBatch> decode_rows(const v1::Rows& rows, const SchemaPtr& schema,
                                        const BatchLimits& limits, BatchFault& fault) {
  if (!check_row_count(static_cast<uint64_t>(rows.rows_size()), limits.rows_max, fault)) {
    return nullptr;
  }
  std::vector<int> order = order_columns(
      *schema, rows.attributes_size(),
      [&](int attribute) -> const std::string& { return rows.attributes(attribute); }, fault);
  if (!fault.none()) return nullptr;
  auto batch = std::make_shared<EventBatch>(schema);
  for (int row = 0; row < rows.rows_size(); ++row) {
    decode_row(rows.rows(row), static_cast<uint32_t>(row), order, *batch, fault);
  }
  if (!fault.none()) return nullptr;
  return batch;
}

}  // namespace pollux

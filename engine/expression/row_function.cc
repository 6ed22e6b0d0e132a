#include "engine/expression/row_function.h"

#include <algorithm>

#include "engine/base/hash.h"
#include "engine/base/number_text.h"
#include "engine/types/object_value.h"

namespace pollux {

double RowArguments::number(size_t i) const {
  switch (type(i)) {
    case AttributeType::kInt:
      return get<int32_t>(i);
    case AttributeType::kLong:
      return static_cast<double>(get<int64_t>(i));
    case AttributeType::kFloat:
      return get<float>(i);
    default:
      return get<double>(i);
  }
}

std::string RowArguments::to_text(size_t i) const {
  if (is_null(i)) return "null";
  switch (type(i)) {
    case AttributeType::kString:
      return std::string(text(i));
    case AttributeType::kObject:
      return object_text(text(i));
    case AttributeType::kInt:
      return std::to_string(get<int32_t>(i));
    case AttributeType::kLong:
      return std::to_string(get<int64_t>(i));
    case AttributeType::kFloat:
      return number_text(get<float>(i));
    case AttributeType::kDouble:
      return number_text(get<double>(i));
    case AttributeType::kBool:
      return get<uint8_t>(i) != 0 ? "true" : "false";
  }
  return {};
}

std::string RowArguments::to_object(size_t i) const {
  if (is_null(i)) return encode_object({});
  switch (type(i)) {
    case AttributeType::kString:
      return encode_text_object(text(i));
    case AttributeType::kObject:
      return std::string(text(i));
    case AttributeType::kInt:
      return encode_object(get<int32_t>(i));
    case AttributeType::kLong:
      return encode_object(get<int64_t>(i));
    case AttributeType::kFloat:
      return encode_object(get<float>(i));
    case AttributeType::kDouble:
      return encode_object(get<double>(i));
    case AttributeType::kBool:
      return encode_object(get<uint8_t>(i) != 0);
  }
  return {};
}

uint64_t RowArguments::row_hash() const {
  uint64_t hash = 0;
  auto mix = [&hash](const void* bytes, size_t size) {
    StringRef part(std::string_view(static_cast<const char*>(bytes), size));
    hash = hash * 0x9e3779b97f4a7c15ULL + hash_of(part);
  };
  const FrameSource* source = frame_.sources;
  if (source == nullptr || source->batch == nullptr) return hash;
  uint32_t row = source->row(row_);
  const std::vector<int64_t>& times = source->batch->timestamps();
  if (row < times.size()) mix(&times[row], sizeof(int64_t));
  for (size_t c = 0; c < source->batch->schema().size(); ++c) {
    const Column& column = source->batch->column(c);
    if (row >= column.size() || column.is_null(row)) continue;
    if (column.width() == sizeof(StringRef)) {
      std::string_view text = column.data<StringRef>()[row].view();
      mix(text.data(), text.size());
    } else {
      mix(column.data<std::byte>() + size_t{row} * column.width(), column.width());
    }
  }
  return hash;
}

RowResult::RowResult(VecBuffer& buffer, Arena& arena, AttributeType type, uint32_t rows)
    : type_(type), buffer_(buffer), rows_(rows), nulls_(buffer.nulls(rows)), arena_(arena) {
  switch (width_of(type)) {
    case 1:
      values_ = reinterpret_cast<std::byte*>(buffer.values<uint8_t>(rows));
      break;
    case 4:
      values_ = reinterpret_cast<std::byte*>(buffer.values<uint32_t>(rows));
      break;
    case 8:
      values_ = reinterpret_cast<std::byte*>(buffer.values<uint64_t>(rows));
      break;
    default:
      values_ = reinterpret_cast<std::byte*>(buffer.values<StringRef>(rows));
  }
}

void RowResult::put_object(std::string_view object) {
  if (tag_of(object) != ObjectTag::kNull) put_text(object);
}

void RowResult::put_stray(std::string_view object) {
  if (strays_ == nullptr) strays_ = buffer_.strays(rows_);
  strays_[row_] = arena_.store(object);
}

void RowResult::put_argument(const RowArguments& arguments, size_t i) {
  if (arguments.is_null(i)) {
    StringRef stray = arguments.stray(i);
    if (stray.size() != 0) put_stray(stray.view());
    return;
  }
  switch (width_of(type_)) {
    case 1:
      return put(arguments.get<uint8_t>(i));
    case 4:
      return put(arguments.get<uint32_t>(i));
    case 8:
      return put(arguments.get<uint64_t>(i));
    default:
      return put(arguments.get<StringRef>(i));
  }
}

Vec RowResult::vec(uint32_t rows) const {
  Vec vec;
  vec.type = type_;
  vec.data = values_;
  vec.nulls =
      std::any_of(nulls_, nulls_ + rows, [](uint8_t n) { return n != 0; }) ? nulls_ : nullptr;
  vec.strays = strays_;
  return vec;
}

namespace {

class RowFunctionExpression final : public Expression {
 public:
  RowFunctionExpression(AttributeType type, std::vector<ExpressionPtr> arguments, RowFunction body)
      : Expression(type), arguments_(std::move(arguments)), body_(std::move(body)) {}

  Vec evaluate(const Frame& frame) override {
    arena_.clear();
    vecs_.clear();
    bool constant = !arguments_.empty();
    for (const ExpressionPtr& argument : arguments_) {
      vecs_.push_back(argument->evaluate(frame));
      constant = constant && vecs_.back().constant;
    }
    uint32_t rows = constant ? 1 : frame.rows;
    RowArguments in(vecs_, frame);
    RowResult out(buffer_, arena_, type(), std::max(rows, 1U));
    for (uint32_t i = 0; i < rows; ++i) {
      in.set_row(i);
      out.set_row(i);
      body_(in, out);
    }
    Vec vec = out.vec(rows);
    vec.constant = constant;
    return vec;
  }

 private:
  std::vector<ExpressionPtr> arguments_;
  RowFunction body_;
  std::vector<Vec> vecs_;
  VecBuffer buffer_;
  Arena arena_;
};

}  // namespace

ExpressionPtr make_row_function(AttributeType type, std::vector<ExpressionPtr> arguments,
                                RowFunction body) {
  return std::make_shared<RowFunctionExpression>(type, std::move(arguments), std::move(body));
}

}  // namespace pollux

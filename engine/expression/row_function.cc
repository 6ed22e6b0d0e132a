#include "engine/expression/row_function.h"

#include <algorithm>

#include "engine/base/number_text.h"
#include "engine/types/value.h"

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
    case AttributeType::kObject:
      return std::string(text(i));
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

RowResult::RowResult(VecBuffer& buffer, Arena& arena, AttributeType type, uint32_t rows)
    : type_(type), nulls_(buffer.nulls(rows)), arena_(arena) {
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

void RowResult::put_argument(const RowArguments& arguments, size_t i) {
  if (arguments.is_null(i)) return;
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

#include "engine/expression/constant_arguments.h"

#include <utility>

#include "engine/expression/operators.h"
#include "engine/expression/row_function.h"

namespace pollux {
namespace {

const Vec* constant_of(const ExpressionPtr& argument) {
  const Vec* vec = argument->constant();
  return vec != nullptr && !vec->is_null(0) ? vec : nullptr;
}

}  // namespace

std::optional<std::string> constant_text(const ExpressionPtr& argument) {
  const Vec* vec = constant_of(argument);
  if (vec == nullptr || vec->type != AttributeType::kString) return std::nullopt;
  return std::string(vec->at<StringRef>(0).view());
}

std::optional<bool> constant_bool(const ExpressionPtr& argument) {
  const Vec* vec = constant_of(argument);
  if (vec == nullptr || vec->type != AttributeType::kBool) return std::nullopt;
  return vec->at<uint8_t>(0) != 0;
}

std::optional<int64_t> constant_integer(const ExpressionPtr& argument) {
  const Vec* vec = constant_of(argument);
  if (vec == nullptr) return std::nullopt;
  if (vec->type == AttributeType::kInt) return vec->at<int32_t>(0);
  if (vec->type == AttributeType::kLong) return vec->at<int64_t>(0);
  return std::nullopt;
}

std::optional<double> constant_number(const ExpressionPtr& argument) {
  if (auto integer = constant_integer(argument)) return static_cast<double>(*integer);
  const Vec* vec = constant_of(argument);
  if (vec == nullptr) return std::nullopt;
  if (vec->type == AttributeType::kFloat) return vec->at<float>(0);
  if (vec->type == AttributeType::kDouble) return vec->at<double>(0);
  return std::nullopt;
}

ExpressionPtr as_object(ExpressionPtr argument) {
  if (argument->type() == AttributeType::kObject) return argument;
  return make_row_function(
      AttributeType::kObject, {std::move(argument)},
      [](const RowArguments& in, RowResult& out) { out.put_object(in.to_object(0)); });
}

ExpressionPtr as_double(ExpressionPtr argument) {
  return make_numeric_cast(std::move(argument), AttributeType::kDouble);
}

}  // namespace pollux

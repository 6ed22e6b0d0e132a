#include "engine/expression/expression.h"

#include <cstring>

#include "engine/base/check.h"

namespace pollux {
namespace {

template <class T>
void gather(const T* from, const FrameSource& source, uint32_t rows, T* to) {
  if (source.rows != nullptr) {
    for (uint32_t i = 0; i < rows; ++i) to[i] = from[source.rows[i]];
  } else {
    std::memcpy(static_cast<void*>(to), from + source.begin, rows * sizeof(T));
  }
}

}  // namespace

Vec ColumnExpression::evaluate(const Frame& frame) {
  const FrameSource& source = frame.sources[source_];
  Vec vec;
  vec.type = type();
  vec.constant = source.single;
  uint32_t rows = source.single ? 1 : frame.rows;
  if (source.batch == nullptr) {
    vec.constant = true;
    buffer_.values<StringRef>(1)[0] = StringRef();
    vec.data = buffer_.values<StringRef>(1);
    uint8_t* nulls = buffer_.nulls(1);
    nulls[0] = 1;
    vec.nulls = nulls;
    return vec;
  }
  const Column& column = source.batch->column(column_);
  if (source.rows == nullptr) {
    vec.data = column.data<std::byte>() + static_cast<size_t>(source.begin) * column.width();
  } else {
    switch (column.width()) {
      case 1: {
        auto* to = buffer_.values<uint8_t>(rows);
        gather(column.data<uint8_t>(), source, rows, to);
        vec.data = to;
        break;
      }
      case 4: {
        auto* to = buffer_.values<uint32_t>(rows);
        gather(column.data<uint32_t>(), source, rows, to);
        vec.data = to;
        break;
      }
      case 8: {
        auto* to = buffer_.values<uint64_t>(rows);
        gather(column.data<uint64_t>(), source, rows, to);
        vec.data = to;
        break;
      }
      default: {
        auto* to = buffer_.values<StringRef>(rows);
        gather(column.data<StringRef>(), source, rows, to);
        vec.data = to;
        break;
      }
    }
  }
  if (column.has_nulls()) {
    uint8_t* nulls = buffer_.nulls(rows);
    for (uint32_t i = 0; i < rows; ++i) {
      nulls[i] = column.is_null(source.rows != nullptr ? source.rows[i] : source.begin + i) ? 1 : 0;
    }
    vec.nulls = nulls;
  }
  if (column.has_strays()) {
    StringRef* strays = buffer_.strays(rows);
    for (uint32_t i = 0; i < rows; ++i) strays[i] = column.stray(source.row(i));
    vec.strays = strays;
  }
  return vec;
}

ConstantExpression::ConstantExpression(AttributeType type) : Expression(type), null_(1) {
  vec_.type = type;
  vec_.constant = true;
  vec_.data = storage_;
  vec_.nulls = &null_;
}

ExpressionPtr ConstantExpression::null_of(AttributeType type) {
  return ExpressionPtr(new ConstantExpression(type));
}

namespace {

AttributeType type_of(const Value& value) {
  constexpr AttributeType kTypes[] = {AttributeType::kObject, AttributeType::kBool,
                                      AttributeType::kInt,    AttributeType::kLong,
                                      AttributeType::kFloat,  AttributeType::kDouble,
                                      AttributeType::kString, AttributeType::kObject};
  return kTypes[value.index()];
}

}  // namespace

ConstantExpression::ConstantExpression(const Value& value) : Expression(type_of(value)) {
  vec_.type = type();
  vec_.constant = true;
  vec_.data = storage_;
  auto put = [this](auto scalar) { std::memcpy(storage_, &scalar, sizeof(scalar)); };
  if (const auto* text = std::get_if<std::string>(&value)) {
    text_ = *text;
    put(StringRef(text_));
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    put(static_cast<uint8_t>(*flag));
  } else if (const auto* i = std::get_if<int32_t>(&value)) {
    put(*i);
  } else if (const auto* l = std::get_if<int64_t>(&value)) {
    put(*l);
  } else if (const auto* f = std::get_if<float>(&value)) {
    put(*f);
  } else if (const auto* d = std::get_if<double>(&value)) {
    put(*d);
  } else {
    null_ = 1;
    vec_.nulls = &null_;
  }
}

Vec TimestampExpression::evaluate(const Frame& frame) {
  const FrameSource& source = frame.sources[source_];
  Vec vec;
  vec.type = AttributeType::kLong;
  auto* to = buffer_.values<int64_t>(frame.rows == 0 ? 1 : frame.rows);
  vec.data = to;
  if (source.batch == nullptr) {
    vec.constant = true;
    to[0] = 0;
    uint8_t* nulls = buffer_.nulls(1);
    nulls[0] = 1;
    vec.nulls = nulls;
    return vec;
  }
  const int64_t* timestamps = source.batch->timestamps().data();
  for (uint32_t i = 0; i < frame.rows; ++i) to[i] = timestamps[source.row(i)];
  return vec;
}

void select_rows(Expression& condition, const Frame& frame, std::vector<uint32_t>& selected) {
  Vec truth = condition.evaluate(frame);
  size_t start = selected.size();
  if (truth.constant) {
    if (truth.is_null(0) || truth.as<uint8_t>()[0] == 0) return;
    selected.resize(start + frame.rows);
    for (uint32_t i = 0; i < frame.rows; ++i) selected[start + i] = i;
    return;
  }
  selected.resize(start + frame.rows);
  uint32_t* out = selected.data() + start;
  const auto* values = truth.as<uint8_t>();
  uint32_t count = 0;
  if (truth.nulls == nullptr) {
    for (uint32_t i = 0; i < frame.rows; ++i) {
      out[count] = i;
      count += values[i];
    }
  } else {
    for (uint32_t i = 0; i < frame.rows; ++i) {
      out[count] = i;
      count += static_cast<uint32_t>(values[i] & (truth.nulls[i] ^ 1));
    }
  }
  selected.resize(start + count);
}

namespace {

template <class T>
void append_values(const Vec& values, uint32_t rows, Column& column) {
  T* to = column.extend<T>(rows);
  if (values.constant) {
    for (uint32_t i = 0; i < rows; ++i) to[i] = values.as<T>()[0];
  } else {
    std::memcpy(static_cast<void*>(to), values.data, rows * sizeof(T));
  }
}

}  // namespace

void append_vec(const Vec& values, uint32_t rows, EventBatch& to, size_t column_index,
                bool copy_strings) {
  Column& column = to.column(column_index);
  POLLUX_CHECK(width_of(values.type) == column.width());
  uint32_t first = column.size();
  switch (column.width()) {
    case 1:
      append_values<uint8_t>(values, rows, column);
      break;
    case 4:
      append_values<uint32_t>(values, rows, column);
      break;
    case 8:
      append_values<uint64_t>(values, rows, column);
      break;
    default: {
      auto* out = column.extend<StringRef>(rows);
      for (uint32_t i = 0; i < rows; ++i) {
        if (values.is_null(i)) {
          out[i] = StringRef();
          continue;
        }
        const StringRef& text = values.at<StringRef>(i);
        out[i] = copy_strings && !text.is_inline() ? to.arena().store(text.view()) : text;
      }
    }
  }
  if (values.nulls == nullptr) return;
  for (uint32_t i = 0; i < rows; ++i) {
    if (values.is_null(i)) column.set_null(first + i);
  }
  if (values.strays == nullptr) return;
  for (uint32_t i = 0; i < rows; ++i) {
    StringRef stray = values.stray(i);
    if (stray.size() == 0 || !values.is_null(i)) continue;
    column.set_stray(first + i, to.arena().store(stray.view()));
  }
}

}  // namespace pollux

#include "tests/bench/result_sinks.h"

#include <bit>
#include <charconv>
#include <cstdio>
#include <stdexcept>

namespace pollux::bench {
namespace {

constexpr std::string_view kOut = "Out";

uint64_t sum_of(std::string_view text) {
  if (text.empty()) return 0;
  auto at = [&](size_t i) { return uint64_t{static_cast<unsigned char>(text[i])}; };
  return text.size() + at(0) + at(text.size() / 2) * 3 + at(text.size() - 1) * 7;
}

template <class T, class Read>
uint64_t sum_rows(const Column& column, Read read) {
  const T* values = column.data<T>();
  uint64_t sum = 0;
  for (uint32_t row = 0; row < column.size(); ++row) sum += read(values[row]);
  return sum;
}

uint64_t sum_of(const Column& column) {
  if (column.has_nulls()) throw std::runtime_error("a null among results that can have none");
  switch (column.type()) {
    case AttributeType::kString:
    case AttributeType::kObject:
      return sum_rows<StringRef>(column, [](const StringRef& v) { return sum_of(v.view()); });
    case AttributeType::kBool:
      return sum_rows<uint8_t>(column, [](uint8_t v) { return uint64_t{v}; });
    case AttributeType::kInt:
      return sum_rows<int32_t>(column, [](int32_t v) { return static_cast<uint64_t>(int64_t{v}); });
    case AttributeType::kLong:
      return sum_rows<int64_t>(column, [](int64_t v) { return static_cast<uint64_t>(v); });
    case AttributeType::kFloat:
      return sum_rows<float>(column, [](float v) { return std::bit_cast<uint32_t>(v); });
    case AttributeType::kDouble:
      return sum_rows<double>(column, [](double v) { return std::bit_cast<uint64_t>(v); });
  }
  return 0;
}

void append_value(std::string& line, const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) {
    char text[32];
    std::snprintf(text, sizeof text, "%.8e", *number);
    line += text;
  } else {
    line += to_text(value);
  }
}

}  // namespace

bool is_result_stream(std::string_view stream) { return stream.starts_with(kOut); }

uint32_t query_of(std::string_view stream) {
  uint32_t number = 0;
  std::string_view digits = stream.substr(kOut.size());
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

void CountingSink::on_result(const ResultBatch& results) {
  const EventBatch& batch = *results.batch;
  uint64_t sum = uint64_t{query_of(results.stream)} * batch.rows();
  for (size_t c = 0; c < batch.schema().size(); ++c) sum += sum_of(batch.column(c));
  rows_ += batch.rows();
  checksum_ += sum;
}

ExportSink::ExportSink(const std::string& path)
    : path_(path), file_(path, std::ios::binary | std::ios::trunc) {
  if (!file_) throw std::runtime_error("cannot write " + path_);
}

void ExportSink::on_result(const ResultBatch& results) {
  const EventBatch& batch = *results.batch;
  for (uint32_t row = 0; row < batch.rows(); ++row) {
    line_ = std::to_string(query_of(results.stream));
    for (size_t c = 0; c < batch.schema().size(); ++c) {
      line_ += '\t';
      append_value(line_, batch.value(row, c));
    }
    line_ += '\n';
    file_ << line_;
  }
  rows_ += batch.rows();
}

void ExportSink::finish() {
  file_.close();
  if (!file_) throw std::runtime_error("cannot write " + path_);
}

}  // namespace pollux::bench

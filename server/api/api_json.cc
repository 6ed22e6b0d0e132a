#include "server/api/api_json.h"

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>

#include "engine/base/number_text.h"
#include "engine/expression/json_object.h"
#include "server/http/http_error.h"

namespace pollux {

HttpResponse json_answer(int status, const Json& body) {
  HttpResponse response;
  response.status = status;
  response.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  response.body += '\n';
  return response;
}

HttpResponse json_error(int status, std::string_view code, std::string_view message, Json more) {
  Json error = {{"code", code}, {"message", message}};
  error.update(more);
  return json_answer(status, {{"error", std::move(error)}});
}

Json json_of(const Diagnostics& diagnostics) {
  Json list = Json::array();
  for (const Diagnostic& each : diagnostics) {
    Json one = {
        {"line", each.location.line}, {"column", each.location.column}, {"message", each.message}};
    if (!each.expected.empty()) one["expected"] = each.expected;
    if (!each.hint.empty()) one["hint"] = each.hint;
    list.push_back(std::move(one));
  }
  return list;
}

Json json_of(const Schema& schema) {
  Json list = Json::array();
  for (const Attribute& attribute : schema.attributes()) {
    list.push_back({{"name", attribute.name}, {"type", name_of(attribute.type)}});
  }
  return list;
}

namespace {

Json json_of_number(double number) {
  if (std::isfinite(number)) return number;
  return number_text(number);
}

/// As short as a float is written: 0.1, not 0.10000000149011612.
Json json_of_number(float number) {
  std::array<char, 32> text{};
  char* end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  double shortest = number;
  std::from_chars(text.data(), end, shortest);
  return json_of_number(shortest);
}

}  // namespace

Json json_of(const EventBatch& batch, uint32_t row, size_t column) {
  const Column& from = batch.column(column);
  if (auto object = json_at(from, row)) return Json::parse(*object);
  if (from.is_null(row)) return nullptr;
  switch (from.type()) {
    case AttributeType::kObject:
      break;
    case AttributeType::kString:
      return from.data<StringRef>()[row].view();
    case AttributeType::kInt:
      return from.data<int32_t>()[row];
    case AttributeType::kLong:
      return from.data<int64_t>()[row];
    case AttributeType::kFloat:
      return json_of_number(from.data<float>()[row]);
    case AttributeType::kDouble:
      return json_of_number(from.data<double>()[row]);
    case AttributeType::kBool:
      return from.data<uint8_t>()[row] != 0;
  }
  return nullptr;
}

std::string rfc3339(int64_t ms) {
  std::time_t seconds = ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[40];
  size_t bytes = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  bytes += static_cast<size_t>(
      std::snprintf(text + bytes, sizeof(text) - bytes, ".%03dZ", static_cast<int>(ms % 1000)));
  return std::string(text, bytes);
}

bool flag_of(const HttpRequest& request, std::string_view name) {
  auto value = request.query_parameter(name);
  return value && (value->empty() || *value == "true" || *value == "1");
}

}  // namespace pollux

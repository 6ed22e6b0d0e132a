#include "server/http/http_message.h"

#include <algorithm>

namespace pollux {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

const HttpParameter* find(const std::vector<HttpParameter>& parameters, std::string_view name) {
  for (const HttpParameter& parameter : parameters) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

}  // namespace

bool http_names_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

void HttpHeaders::add(std::string_view name, std::string_view value) {
  fields_.push_back({static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(name.size()),
                     static_cast<uint32_t>(value.size())});
  text_.append(name).append(value);
}

void HttpHeaders::clear() {
  text_.clear();
  fields_.clear();
}

std::optional<std::string_view> HttpHeaders::find(std::string_view name) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (http_names_equal(this->name(i), name)) return value(i);
  }
  return std::nullopt;
}

std::string_view HttpHeaders::name(size_t index) const {
  const Field& field = fields_[index];
  return std::string_view(text_).substr(field.begin, field.name_bytes);
}

std::string_view HttpHeaders::value(size_t index) const {
  const Field& field = fields_[index];
  return std::string_view(text_).substr(field.begin + field.name_bytes, field.value_bytes);
}

std::string_view HttpRequest::path_parameter(std::string_view name) const {
  const HttpParameter* found = find(path_parameters, name);
  return found == nullptr ? std::string_view() : found->value;
}

std::optional<std::string_view> HttpRequest::query_parameter(std::string_view name) const {
  const HttpParameter* found = find(query_parameters, name);
  if (found == nullptr) return std::nullopt;
  return found->value;
}

}  // namespace pollux

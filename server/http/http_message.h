// A request as handlers see it, and the answer they give.
//
// Thread: values, one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pollux {

/// Are two header names or tokens the same, regardless of the case of ASCII letters?
bool http_names_equal(std::string_view a, std::string_view b);

/// Header fields in the order in which they came; one piece of memory.
class HttpHeaders {
 public:
  void add(std::string_view name, std::string_view value);
  void clear();

  /// The first field of that name, whatever its case.
  std::optional<std::string_view> find(std::string_view name) const;
  size_t size() const { return fields_.size(); }
  std::string_view name(size_t index) const;
  std::string_view value(size_t index) const;

 private:
  struct Field {
    uint32_t begin;
    uint32_t name_bytes;
    uint32_t value_bytes;
  };
  std::string text_;
  std::vector<Field> fields_;
};

struct HttpParameter {
  std::string name;
  std::string value;
};

struct HttpRequest {
  /// Bytes behind the end of `body` that may be read, whatever they hold: for wide loads.
  static constexpr size_t kBodyPaddingBytes = 64;

  std::string method;
  std::string path;  ///< as it was sent, still percent-encoded, without the query
  std::vector<HttpParameter> path_parameters;   ///< decoded
  std::vector<HttpParameter> query_parameters;  ///< decoded, in order
  HttpHeaders headers;
  std::string body;  ///< without chunks and inflated; padded by kBodyPaddingBytes
  std::string peer;  ///< "127.0.0.1:40312", "[::1]:40312"

  /// What stands in the path at `{name}` of the route's pattern; empty when there is no such name.
  std::string_view path_parameter(std::string_view name) const;
  /// The first of that name; "" for "?name" and for "?name=".
  std::optional<std::string_view> query_parameter(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  /// Beside Content-Type, Content-Length, Connection and Date, which are the transport's.
  std::vector<HttpParameter> headers = {};
};

}  // namespace pollux

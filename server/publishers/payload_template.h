// A payload with places for values: `{"user": "{{username}}", "at": {{_timestamp}}}`.
//
// {{attribute}}, and of every result {{_id}}, {{_timestamp}}, {{_stream}}, {{_plan}}. In a JSON
// template a value inside a string literal is escaped, and outside of one it is a JSON value.
// Thread: immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/types/schema.h"
#include "server/publishers/publisher.h"

namespace pollux {

class PayloadTemplate {
 public:
  enum class Kind : uint8_t { kJson, kText };

  /// kInvalidArgument with all that is wrong: unknown attributes, a place that is not closed, a
  /// JSON template that gives no JSON.
  static absl::StatusOr<PayloadTemplate> compile(std::string_view text, Kind kind,
                                                 const Schema& schema);

  void append(std::string& out, const PublishedRow& row) const;

 private:
  enum class Source : uint8_t { kNone, kAttribute, kId, kTimestamp, kStream, kPlan };
  struct Part {
    std::string before;  ///< stands before the value
    Source source = Source::kNone;
    size_t attribute = 0;
    bool in_string = false;
  };

  void append_value(std::string& out, const Part& part, const PublishedRow& row) const;
  bool gives_json() const;

  Kind kind_ = Kind::kJson;
  std::vector<Part> parts_;
};

}  // namespace pollux

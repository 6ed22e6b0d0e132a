#include "server/publishers/payload_template.h"

#include <simdjson.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/language/diagnostics.h"
#include "server/formats/json_text.h"
#include "server/publishers/row_text.h"

namespace pollux {
namespace {

/// Follows string literals through pieces of JSON.
class LiteralScanner {
 public:
  void pass(std::string_view piece) {
    for (char c : piece) {
      if (escaped_) {
        escaped_ = false;
      } else if (in_string_ && c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = !in_string_;
      }
    }
  }
  bool in_string() const { return in_string_; }

 private:
  bool in_string_ = false;
  bool escaped_ = false;
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string unknown_attribute(const std::string& name, const Schema& schema) {
  std::vector<std::string> names;
  for (const Attribute& attribute : schema.attributes()) names.push_back(attribute.name);
  std::string nearest = nearest_name(name, names);
  std::string text =
      absl::StrCat("stream '", schema.name(), "' has no attribute ", in_quotes(name));
  if (!nearest.empty()) absl::StrAppend(&text, " (did you mean '", nearest, "'?)");
  return text;
}

}  // namespace

absl::StatusOr<PayloadTemplate> PayloadTemplate::compile(std::string_view text, Kind kind,
                                                         const Schema& schema) {
  PayloadTemplate compiled;
  compiled.kind_ = kind;
  std::vector<std::string> wrong;
  LiteralScanner scanner;
  while (true) {
    size_t open = text.find("{{");
    Part part;
    part.before = std::string(text.substr(0, open));
    scanner.pass(part.before);
    if (open == std::string_view::npos) {
      compiled.parts_.push_back(std::move(part));
      break;
    }
    size_t close = text.find("}}", open);
    if (close == std::string_view::npos) {
      wrong.push_back("a '{{' has no '}}'");
      break;
    }
    std::string name(trimmed(text.substr(open + 2, close - open - 2)));
    text.remove_prefix(close + 2);
    part.in_string = scanner.in_string();
    if (std::optional<size_t> attribute = schema.find(name)) {
      part.source = Source::kAttribute;
      part.attribute = *attribute;
    } else if (name == "_id") {
      part.source = Source::kId;
    } else if (name == "_timestamp") {
      part.source = Source::kTimestamp;
    } else if (name == "_stream") {
      part.source = Source::kStream;
    } else if (name == "_plan") {
      part.source = Source::kPlan;
    } else {
      wrong.push_back(unknown_attribute(name, schema));
    }
    compiled.parts_.push_back(std::move(part));
  }
  if (wrong.empty() && kind == Kind::kJson && !compiled.gives_json()) {
    wrong.push_back("the payload is not JSON; say @map(type='text', ...) where it is to be text");
  }
  if (!wrong.empty()) return absl::InvalidArgumentError(absl::StrJoin(wrong, "; "));
  return compiled;
}

/// With any value in each place.
bool PayloadTemplate::gives_json() const {
  std::string sample;
  for (const Part& part : parts_) {
    sample += part.before;
    if (part.source != Source::kNone) sample += '0';
  }
  simdjson::dom::parser parser;
  return parser.parse(sample).error() == simdjson::SUCCESS;
}

void PayloadTemplate::append_value(std::string& out, const Part& part,
                                   const PublishedRow& row) const {
  bool json_value = kind_ == Kind::kJson && !part.in_string;
  std::string text;
  switch (part.source) {
    case Source::kNone:
      return;
    case Source::kAttribute:
      if (json_value) return append_value_json(out, *row.slice->batch, row.row, part.attribute);
      append_value_text(text, *row.slice->batch, row.row, part.attribute);
      break;
    case Source::kTimestamp:
      absl::StrAppend(&out, row.slice->batch->timestamps()[row.row]);
      return;
    case Source::kId:
      text = result_id(*row.slice, row.row);
      break;
    case Source::kStream:
      text = row.slice->batch->schema().name();
      break;
    case Source::kPlan:
      text = *row.slice->plan;
      break;
  }
  if (json_value) {
    out += json_string(text);
  } else if (kind_ == Kind::kJson) {
    append_json_escaped(out, text);
  } else {
    out += text;
  }
}

void PayloadTemplate::append(std::string& out, const PublishedRow& row) const {
  for (const Part& part : parts_) {
    out += part.before;
    append_value(out, part, row);
  }
}

}  // namespace pollux

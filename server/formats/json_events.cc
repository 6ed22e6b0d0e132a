#include "server/formats/json_events.h"

#include <optional>
#include <utility>

#include "server/formats/decoded_row.h"
#include "server/formats/json_blanks.h"
#include "server/formats/json_row_decoder.h"
#include "server/formats/row_layout.h"

namespace pollux {

namespace ondemand = simdjson::ondemand;

struct JsonEventsReader::Parser {
  ondemand::parser json;
};

JsonEventsReader::JsonEventsReader() : parser_(std::make_unique<Parser>()) {}
JsonEventsReader::~JsonEventsReader() = default;

namespace {

RowLayout layout_of(const SchemaPtr& schema) {
  RowLayout layout(schema);
  layout.timestamp_attribute = usual_timestamp_attribute(*schema);
  return layout;
}

/// One body on its way into a batch.
class Reading {
 public:
  Reading(ondemand::parser& parser, const SchemaPtr& schema, int64_t now_ms)
      : parser_(parser),
        layout_(layout_of(schema)),
        row_(layout_),
        decoder_(layout_, row_),
        now_ms_(now_ms) {
    events_.batch = std::make_shared<EventBatch>(schema);
  }

  void read_document(std::string_view body, size_t padding) {
    ondemand::document document;
    ondemand::json_type type;
    simdjson::padded_string_view text(body.data(), body.size(), body.size() + padding);
    if (auto code = parser_.iterate(text).get(document)) return broken(code);
    if (auto code = document.type().get(type)) return broken(code);
    if (type == ondemand::json_type::array) return read_array(document);
    ondemand::object object;
    if (auto code = document.get_object().get(object)) return broken(code);
    read_event(object);
    const char* behind;
    if (!document.current_location().get(behind)) events_behind_ = true;
  }

  void read_lines(std::string_view body, size_t padding) {
    const char* end = body.data() + body.size() + padding;
    while (!body.empty()) {
      size_t line_end = body.find('\n');
      std::string_view line = json_trimmed(body.substr(0, line_end));
      body.remove_prefix(line_end == std::string_view::npos ? body.size() : line_end + 1);
      if (line.empty()) continue;
      read_line(line, static_cast<size_t>(end - line.data()));
      ++index_;
    }
  }

  /// An object was followed by something else.
  bool events_behind() const { return events_behind_; }

  JsonEvents finish() {
    if (events_.errors_total > 0) events_.batch = nullptr;
    return std::move(events_);
  }

 private:
  void read_array(ondemand::document& document) {
    ondemand::array array;
    if (auto code = document.get_array().get(array)) return broken(code);
    for (auto entry : array) {
      ondemand::value value;
      if (auto code = std::move(entry).get(value)) return broken(code);
      ondemand::object object;
      auto code = value.get_object().get(object);
      if (code == simdjson::INCORRECT_TYPE) {
        fault({RowErrorKind::kBadJson, 0, {}, "not a JSON object"});
      } else if (code != simdjson::SUCCESS) {
        return broken(code);
      } else if (!read_event(object)) {
        return;  // broken JSON: what follows cannot be told apart
      }
      ++index_;
    }
    const char* behind;
    if (!document.current_location().get(behind)) {
      fault({RowErrorKind::kBadJson, 0, {}, "not valid JSON: text behind the array"});
    }
  }

  void read_line(std::string_view line, size_t readable) {
    ondemand::document document;
    ondemand::object object;
    simdjson::padded_string_view text(line.data(), line.size(), readable);
    if (auto code = parser_.iterate(text).get(document)) return broken(code);
    if (auto code = document.get_object().get(object)) return broken(code);
    if (!read_event(object)) return;
    const char* behind;
    if (!document.current_location().get(behind)) {
      fault({RowErrorKind::kBadJson, 0, {}, "not valid JSON: text behind the object"});
    }
  }

  /// False when the JSON is broken.
  bool read_event(ondemand::object& object) {
    RowError error;
    if (!decoder_.read(object, error)) {
      fault(std::move(error));
      return false;
    }
    int64_t ms = now_ms_;
    std::optional<int64_t> outer = decoder_.outer_timestamp();
    bool timed = outer || layout_.timestamp_attribute;
    if (!decoder_.check(error) || (timed && !row_.timestamp(outer, 0, ms, error))) {
      fault(std::move(error));
    } else if (events_.errors_total == 0) {
      row_.append_to(*events_.batch, ms);
    }
    return true;
  }

  void broken(simdjson::error_code code) {
    RowError error;
    JsonRowDecoder::broken(code, {}, error);
    fault(std::move(error));
  }

  void fault(RowError error) {
    if (events_.errors.size() < JsonEvents::kErrorsMax) {
      events_.errors.push_back({index_, std::move(error)});
    }
    ++events_.errors_total;
  }

  ondemand::parser& parser_;
  const RowLayout layout_;
  DecodedRow row_;
  JsonRowDecoder decoder_;
  const int64_t now_ms_;
  JsonEvents events_;
  uint64_t index_ = 0;
  bool events_behind_ = false;
};

}  // namespace

JsonEvents JsonEventsReader::read(std::string_view body, size_t padding, JsonEventsForm form,
                                  const SchemaPtr& schema, int64_t now_ms) {
  if (form == JsonEventsForm::kDocument) {
    Reading reading(parser_->json, schema, now_ms);
    reading.read_document(body, padding);
    if (!reading.events_behind()) return reading.finish();
  }
  Reading reading(parser_->json, schema, now_ms);
  reading.read_lines(body, padding);
  return reading.finish();
}

}  // namespace pollux

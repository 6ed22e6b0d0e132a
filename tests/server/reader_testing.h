// Sources and helpers for tests of readers.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/formats/byte_source.h"
#include "server/formats/input_buffer.h"
#include "server/formats/row_layout.h"
#include "server/formats/row_reader.h"

namespace pollux {

/// A text handed out in pieces; may pause (not ready) before each, and may fail at its end.
class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string text, size_t piece_bytes = SIZE_MAX)
      : text_(std::move(text)), piece_bytes_(piece_bytes) {}

  void pause_before_each() { pauses_ = true; }
  void fail_at_end(std::string error) { error_at_end_ = std::move(error); }

  ReadResult read(char* to, size_t bytes_max) override {
    paused_ = false;
    size_t bytes = std::min({bytes_max, piece_bytes_, text_.size() - at_});
    if (bytes == 0) return {0, error_at_end_};
    std::memcpy(to, text_.data() + at_, bytes);
    at_ += bytes;
    return {bytes, {}};
  }
  bool ready() override {
    // Each pause is seen once, as if the data came while the caller did something else.
    if (!pauses_ || at_ == text_.size()) return true;
    paused_ = !paused_;
    return !paused_;
  }

 private:
  std::string text_;
  size_t piece_bytes_;
  size_t at_ = 0;
  bool pauses_ = false;
  bool paused_ = false;
  std::string error_at_end_;
};

/// `before`, then `count` times `fill`, then `after`, none of it stored.
class LongLineSource final : public ByteSource {
 public:
  LongLineSource(std::string before, char fill, uint64_t count, std::string after)
      : before_(std::move(before)), fill_(fill), left_(count), after_(std::move(after)) {}

  ReadResult read(char* to, size_t bytes_max) override {
    if (!before_.empty()) return take(before_, to, bytes_max);
    if (left_ != 0) {
      size_t bytes = static_cast<size_t>(std::min<uint64_t>(left_, bytes_max));
      std::memset(to, fill_, bytes);
      left_ -= bytes;
      return {bytes, {}};
    }
    return take(after_, to, bytes_max);
  }
  bool ready() override { return true; }

 private:
  static ReadResult take(std::string& from, char* to, size_t bytes_max) {
    size_t bytes = std::min(bytes_max, from.size());
    std::memcpy(to, from.data(), bytes);
    from.erase(0, bytes);
    return {bytes, {}};
  }

  std::string before_;
  char fill_;
  uint64_t left_;
  std::string after_;
};

inline SchemaPtr make_schema(std::vector<Attribute> attributes) {
  return std::make_shared<Schema>("S", std::move(attributes));
}

/// Everything a reader gave: rows as "timestamp|value|value", errors as "line:kind:field: reason".
struct ReadAll {
  std::vector<std::string> rows;
  std::vector<std::string> errors;
  ReadStatus end = ReadStatus::kEnd;
  size_t pauses = 0;
};

inline std::string row_text(const EventBatch& batch, uint32_t row) {
  std::string text = std::to_string(batch.timestamps()[row]);
  for (size_t i = 0; i < batch.schema().size(); ++i) {
    Value value = batch.value(row, i);
    text += '|';
    if (std::holds_alternative<std::string>(value)) {
      text += '\'' + std::get<std::string>(value) + '\'';
    } else {
      text += to_text(value);
    }
  }
  return text;
}

inline ReadAll read_all(RowReader& reader) {
  ReadAll all;
  Wait wait = Wait::kNo;
  for (;;) {
    ReadStatus status = reader.next(wait);
    wait = Wait::kNo;
    if (status == ReadStatus::kNotReady) {
      ++all.pauses;
      wait = Wait::kYes;
    } else if (status == ReadStatus::kRow) {
      EventBatch batch(reader.layout().schema);
      reader.append_to(batch);
      all.rows.push_back(row_text(batch, 0));
    } else if (status == ReadStatus::kRowError) {
      const RowError& error = reader.error();
      all.errors.push_back(std::to_string(error.line) + ":" + std::string(name_of(error.kind)) +
                           ":" + error.field + ": " + error.reason);
    } else {
      all.end = status;
      return all;
    }
  }
}

}  // namespace pollux

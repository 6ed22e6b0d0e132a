// What a row is written as: by a template, or as the usual JSON line. Thread: immutable.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "server/publishers/payload_template.h"
#include "server/publishers/row_text.h"

namespace pollux {

class RowPayload {
 public:
  RowPayload() = default;
  explicit RowPayload(PayloadTemplate payload) : template_(std::move(payload)) {}

  void append(std::string& out, const PublishedRow& row) const {
    if (template_) return template_->append(out, row);
    append_row_json(out, row);
  }
  /// As one line: line ends that the template brings become blanks.
  void append_line(std::string& out, const PublishedRow& row) const {
    size_t begin = out.size();
    append(out, row);
    for (size_t i = begin; i < out.size(); ++i) {
      if (out[i] == '\n' || out[i] == '\r') out[i] = ' ';
    }
  }

 private:
  std::optional<PayloadTemplate> template_;
};

}  // namespace pollux

// Results as lines of the node's log. Thread: the sink's.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "server/publishers/publisher.h"
#include "server/publishers/row_payload.h"

namespace pollux {

class LogPublisher final : public Publisher {
 public:
  using TakeLine = std::function<void(std::string_view line)>;

  LogPublisher(std::string prefix, RowPayload payload, TakeLine take)
      : prefix_(std::move(prefix)), payload_(std::move(payload)), take_(std::move(take)) {}

  size_t rows_max() const override { return 256; }
  Published publish(std::span<const PublishedRow> rows,
                    const std::atomic<bool>& /*stopping*/) override {
    for (const PublishedRow& row : rows) {
      std::string line = prefix_;
      payload_.append_line(line, row);
      take_(line);
    }
    return {};
  }

 private:
  const std::string prefix_;
  const RowPayload payload_;
  const TakeLine take_;
};

}  // namespace pollux

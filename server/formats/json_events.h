// A body of JSON as events of a stream: one object, an array of them, or one a line.
//
// All or nothing: every wrong event is told by its index, and then there is no batch.
// Thread: any; keeps a parser and its buffers for the next body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/batch/event_batch.h"
#include "server/formats/row_error.h"

namespace pollux {

struct EventError {
  uint64_t index = 0;  ///< among the events of the body, from 0
  RowError error;      ///< `line` says nothing here
};

struct JsonEvents {
  static constexpr size_t kErrorsMax = 100;

  std::shared_ptr<EventBatch> batch;  ///< null when there are errors
  std::vector<EventError> errors;     ///< the first kErrorsMax
  uint64_t errors_total = 0;
};

enum class JsonEventsForm : uint8_t {
  kDocument,  ///< an object or an array; objects that follow each other count as lines
  kLines,
};

class JsonEventsReader {
 public:
  JsonEventsReader();
  ~JsonEventsReader();

  /// `body` has at least `padding` readable bytes behind its end (64 suffice). An event without a
  /// time has that of its `_timestamp`, `timestamp` or `ts` attribute, else `now_ms`.
  JsonEvents read(std::string_view body, size_t padding, JsonEventsForm form,
                  const SchemaPtr& schema, int64_t now_ms);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace pollux

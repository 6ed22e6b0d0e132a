// The results of one plan while an entry is applied: put in order, numbered, handed to the sink.
//
// Queries may work on whole batches one after the other; the causes of rows tell in which order
// they would have come had every row gone through alone. Thread: the shard's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/operators/junction.h"
#include "engine/runtime/engine.h"

namespace pollux {

class ResultCollector final : public ResultReceiver {
 public:
  void take_result(uint32_t stream, const EventBatchPtr& batch, const uint32_t* causes) override;

  /// Numbers what was taken and hands it on, stream by stream as it came.
  void deliver(const std::string& plan, const std::vector<std::string>& streams, EntryId cause,
               ResultSink& sink);

 private:
  /// Rows of one stream in order of arrival; `first` and on are their places in causes_, or
  /// `places` where small batches were put together.
  struct Part {
    uint32_t stream = 0;
    EventBatchPtr batch;
    std::shared_ptr<EventBatch> gathered;  ///< the same, while rows can be added
    size_t first = 0;
    std::vector<uint32_t> places;
  };

  static constexpr uint32_t kGatheredRowsMax = 64;  ///< batches up to this size are put together

  Part* gathering_part(uint32_t stream);
  void number_rows();
  std::span<const uint32_t> ordinals_of(const Part& part);
  bool interleaved(const Part& part, size_t after);
  EventBatchPtr merge(uint32_t stream, size_t from, std::vector<uint32_t>& ordinals);

  std::vector<Part> parts_;
  std::vector<uint32_t> causes_;
  std::vector<uint32_t> ordinals_, part_ordinals_;
  bool in_order_ = true;
};

}  // namespace pollux

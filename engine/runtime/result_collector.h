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
  struct Part {
    uint32_t stream;
    EventBatchPtr batch;
    size_t first;  ///< into causes_
  };

  /// Whether ordinals are simply the order of arrival.
  bool in_order() const;
  void number_rows();
  void deliver_part(const Part& part, const std::string& plan,
                    const std::vector<std::string>& streams, EntryId cause, ResultSink& sink);
  void deliver_merged(uint32_t stream, const std::string& plan,
                      const std::vector<std::string>& streams, EntryId cause, ResultSink& sink);

  std::vector<Part> parts_;
  std::vector<uint32_t> causes_;
  std::vector<uint32_t> ordinals_;
};

}  // namespace pollux

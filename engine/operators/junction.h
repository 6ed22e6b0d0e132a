// A stream inside a plan: whoever publishes on it reaches all who read it, in order of definition.
//
// Thread: the shard's.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/operators/chunk.h"
#include "engine/operators/selector.h"

namespace pollux {

/// Takes the rows of streams that are results of their plan.
class ResultReceiver {
 public:
  virtual ~ResultReceiver() = default;
  /// `causes` has one value a row; see Chunk.
  virtual void take_result(uint32_t stream, const EventBatchPtr& batch, const uint32_t* causes) = 0;
};

class Junction final : public Receiver {
 public:
  explicit Junction(SchemaPtr schema) : schema_(std::move(schema)) {}

  const SchemaPtr& schema() const { return schema_; }
  void add_reader(Receiver& reader) { readers_.push_back(&reader); }
  size_t readers() const { return readers_.size(); }
  void make_result(uint32_t stream, ResultReceiver& results) {
    stream_ = stream;
    results_ = &results;
  }

  void receive(const Chunk& chunk) override {
    for (Receiver* reader : readers_) reader->receive(chunk);
  }

  /// Rows that a query inserts: current ones from here on, whatever they were.
  void publish(const Selected& selected) {
    if (results_ != nullptr) {
      results_->take_result(stream_, selected.batch, selected.chunk.causes);
    }
    if (readers_.empty()) return;
    Chunk chunk = selected.chunk;
    chunk.kinds = nullptr;
    receive(chunk);
  }

 private:
  SchemaPtr schema_;
  std::vector<Receiver*> readers_;
  uint32_t stream_ = 0;
  ResultReceiver* results_ = nullptr;
};

/// insert into a stream.
class InsertIntoStream final : public SelectedReceiver {
 public:
  InsertIntoStream(Junction& junction, bool keep_keys)
      : junction_(junction), keep_keys_(keep_keys) {}

  void receive(const Selected& selected) override {
    if (keep_keys_ || selected.chunk.keys == nullptr) return junction_.publish(selected);
    Selected outside = selected;  // a stream outside of the partition knows no instances
    outside.chunk.keys = nullptr;
    junction_.publish(outside);
  }

 private:
  Junction& junction_;
  bool keep_keys_;
};

}  // namespace pollux

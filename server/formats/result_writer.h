// Results as JSON lines: {"stream":...,"timestamp":ms,"id":"tenant/plan/epoch.position.ordinal",
// "data":{...}}.
//
// Results of an entry are gathered while the engine applies it and written by end_entry() in the
// order of their ordinals, whatever order their streams came in. Thread: the engine's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/runtime/engine.h"
#include "server/formats/output_buffer.h"

namespace pollux {

/// The tenant that everything belongs to unless said otherwise.
constexpr int kDefaultTenant = -1234;

class ResultWriter final : public ResultSink {
 public:
  explicit ResultWriter(OutputBuffer& out) : out_(out) {}

  void on_result(const ResultBatch& results) override;
  /// Writes what the entry gave. To be called after each apply().
  void end_entry();

  uint64_t results() const { return results_; }

 private:
  /// The parts of a line that are the same for all rows of a stream.
  struct Form {
    std::string plan;
    SchemaPtr schema;
    std::string stream;
    std::string before_timestamp;
    std::string before_position;  // the id up to the epoch's dot
    uint64_t epoch = 0;
    std::vector<std::string> before_value;  // of each attribute
  };
  struct Gathered {
    size_t form;
    EntryId cause;
    EventBatchPtr batch;
    std::vector<uint32_t> ordinals;
  };
  struct Place {
    uint32_t ordinal;
    uint32_t gathered;
    uint32_t row;
  };

  size_t form_for(const ResultBatch& results);
  void write_row(const Gathered& from, uint32_t row);
  void write_value(const Column& column, uint32_t row);
  void write_in_order(size_t begin, size_t end);

  OutputBuffer& out_;
  std::vector<std::unique_ptr<Form>> forms_;
  std::vector<Gathered> gathered_;
  std::vector<Place> places_;
  uint64_t results_ = 0;
};

}  // namespace pollux

// Stream functions, `#name(...)` among the handlers of a stream: they add attributes to its rows,
// or do something with them on their way.
//
// The one table of them: name, signature, doc, and how a call is made. To add one, add a
// StreamFunctionEntry to one of the tables that stream_function_table() joins.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/expression/function_registry.h"
#include "engine/operators/batch_pool.h"
#include "engine/operators/chunk.h"
#include "engine/operators/plan_context.h"

namespace pollux {

/// One call. What has state overrides the functions of KeyedOperator; with a clock it is a
/// TimerOperator too. Thread: the shard's.
class StreamFunction : public Receiver, public KeyedOperator {
 public:
  /// `output`: the attributes of the rows that go on.
  explicit StreamFunction(SchemaPtr output) : output_(std::move(output)) {}

  const SchemaPtr& output() const { return output_; }
  /// Before the first row.
  void set_next(Receiver& next) { next_ = &next; }

  void drop_key(uint32_t) override {}
  size_t state_bytes() const override { return 0; }
  void archive_state(StateArchive&) override {}

 protected:
  Receiver& next() { return *next_; }

 private:
  SchemaPtr output_;
  Receiver* next_ = nullptr;
};

/// Rows go on with attributes added behind their own.
class AddedAttributes final : public StreamFunction {
 public:
  /// `values`: one for each attribute of `output` that `input` does not have.
  AddedAttributes(SchemaPtr input, SchemaPtr output, std::vector<ExpressionPtr> values,
                  PlanContext& context);
  void receive(const Chunk& chunk) override;

 private:
  PlanContext& context_;
  size_t own_;  ///< attributes of the input
  std::vector<ExpressionPtr> columns_;
  BatchPool pool_;
};

struct StreamFunctionCall {
  SchemaPtr input;
  std::vector<ExpressionPtr> arguments;
  PlanContext& context;
};

using StreamFunctionResult = std::variant<std::unique_ptr<StreamFunction>, CallError>;

struct StreamFunctionEntry {
  std::string_view name_space;  ///< empty for core functions
  std::string_view name;
  std::string_view signature;
  std::string_view doc;
  StreamFunctionResult (*make)(StreamFunctionCall call);
  bool remembers = false;   ///< rows, or what is known of them: stands before windows only
  bool holds_back = false;  ///< rows go on some time after they came
};

const std::vector<StreamFunctionEntry>& stream_function_table();
/// Null when there is none.
const StreamFunctionEntry* find_stream_function(std::string_view name_space, std::string_view name);

/// The input's attributes and `added` behind them; an error when one has the name of another.
std::variant<SchemaPtr, CallError> with_attributes(const Schema& input,
                                                   const std::vector<Attribute>& added);

// The tables that stream_function_table() joins, one a file.
std::vector<StreamFunctionEntry> core_stream_functions();
std::vector<StreamFunctionEntry> spreading_stream_functions();
std::vector<StreamFunctionEntry> holding_stream_functions();

}  // namespace pollux

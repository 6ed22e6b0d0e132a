#include "engine/operators/stream_function.h"

#include <utility>

namespace pollux {

AddedAttributes::AddedAttributes(SchemaPtr input, SchemaPtr output,
                                 std::vector<ExpressionPtr> values, PlanContext& context)
    : StreamFunction(output), context_(context), own_(input->size()), pool_(std::move(output)) {
  for (size_t c = 0; c < own_; ++c) {
    columns_.push_back(
        std::make_shared<ColumnExpression>((*input)[c].type, 0, static_cast<uint32_t>(c)));
  }
  columns_.insert(columns_.end(), values.begin(), values.end());
}

void AddedAttributes::receive(const Chunk& chunk) {
  FrameSource source = chunk.source();
  Frame frame{chunk.rows, &source, context_.now()};
  std::shared_ptr<EventBatch> out = pool_.take();
  for (size_t c = 0; c < columns_.size(); ++c) {
    bool copies = c >= own_ || !chunk.strings_shared;
    append_vec(columns_[c]->evaluate(frame), chunk.rows, *out, c, copies);
  }
  if (chunk.strings_shared) out->share_strings_of(*chunk.batch);
  std::vector<uint32_t> causes(chunk.rows);
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    causes[i] = chunk.cause(i);
    out->end_row(chunk.timestamp(i));
  }
  Chunk added = chunk;
  added.batch = out.get();
  added.index = nullptr;
  added.begin = 0;
  added.causes = causes.data();
  added.strings_shared = true;
  next().receive(added);
}

const std::vector<StreamFunctionEntry>& stream_function_table() {
  static const std::vector<StreamFunctionEntry> table = [] {
    std::vector<StreamFunctionEntry> all = core_stream_functions();
    for (const StreamFunctionEntry& entry : spreading_stream_functions()) all.push_back(entry);
    for (const StreamFunctionEntry& entry : holding_stream_functions()) all.push_back(entry);
    return all;
  }();
  return table;
}

const StreamFunctionEntry* find_stream_function(std::string_view name_space,
                                                std::string_view name) {
  for (const StreamFunctionEntry& entry : stream_function_table()) {
    if (entry.name_space == name_space && entry.name == name) return &entry;
  }
  return nullptr;
}

std::variant<SchemaPtr, CallError> with_attributes(const Schema& input,
                                                   const std::vector<Attribute>& added) {
  std::vector<Attribute> attributes = input.attributes();
  for (const Attribute& attribute : added) {
    if (input.find(attribute.name)) {
      return CallError{"the stream has an attribute '" + attribute.name + "' already",
                       "a stream without it"};
    }
    attributes.push_back(attribute);
  }
  return std::make_shared<const Schema>(input.name(), std::move(attributes));
}

}  // namespace pollux

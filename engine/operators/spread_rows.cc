#include "engine/operators/spread_rows.h"

#include <utility>

#include "engine/expression/json_object.h"
#include "engine/types/object_value.h"

namespace pollux {

SpreadRows::SpreadRows(const SchemaPtr& input, SchemaPtr output, ExpressionPtr parts,
                       SpreadForm form, PlanContext& context)
    : StreamFunction(output),
      context_(context),
      own_(input->size()),
      parts_(std::move(parts)),
      form_(form),
      pool_(std::move(output)) {}

/// An object as a value of the column's type: a text as it is, anything else in its place as JSON.
void SpreadRows::add(EventBatch& out, size_t column, std::string_view object) {
  ObjectTag tag = tag_of(object);
  if (tag == ObjectTag::kNull) return out.column(column).append_null();
  if (out.column(column).type() == AttributeType::kObject) {
    return out.append_string(column, object);
  }
  out.append_string(column, tag == ObjectTag::kString ? object.substr(1) : json_text(object));
}

void SpreadRows::receive(const Chunk& chunk) {
  FrameSource source = chunk.source();
  Vec objects = parts_->evaluate({chunk.rows, &source, context_.now()});
  std::shared_ptr<EventBatch> out = pool_.take();
  std::vector<uint32_t> from;  // of each row that goes on, the place of the one it is made of
  for (uint32_t i = 0; i < chunk.rows; ++i) {
    if (objects.is_null(i)) continue;
    std::string_view object = objects.at<StringRef>(i).view();
    std::vector<std::string_view> parts = parts_of(object);
    size_t step = form_ == SpreadForm::kPairs ? 2 : 1;
    bool map = tag_of(object) == ObjectTag::kMap;
    if (map != (form_ == SpreadForm::kPairs)) continue;
    for (size_t p = 0; p < parts.size(); p += step) {
      from.push_back(i);
      if (form_ == SpreadForm::kIndexed) out->column(own_).append(static_cast<int32_t>(p));
      if (form_ == SpreadForm::kPairs) add(*out, own_, parts[p]);
      add(*out, form_ == SpreadForm::kElements ? own_ : own_ + 1, parts[p + step - 1]);
    }
  }
  if (from.empty()) return;
  auto rows = static_cast<uint32_t>(from.size());
  std::vector<uint32_t> index(rows);
  for (uint32_t r = 0; r < rows; ++r) index[r] = chunk.row(from[r]);
  FrameSource repeated{chunk.batch, index.data(), 0, false};
  Frame frame{rows, &repeated, context_.now()};
  for (size_t c = 0; c < own_; ++c) {
    ColumnExpression column((*output())[c].type, 0, static_cast<uint32_t>(c));
    append_vec(column.evaluate(frame), rows, *out, c, !chunk.strings_shared);
  }
  if (chunk.strings_shared) out->share_strings_of(*chunk.batch);

  // What comes of one row goes on together; it is no batch unless the row stood in one.
  bool single = chunk.single_row_chunks();
  std::vector<uint8_t> kinds(rows);
  std::vector<uint32_t> chunk_ids(rows);
  std::vector<uint32_t> output_ids(rows);
  std::vector<uint32_t> keys(rows);
  std::vector<uint32_t> causes(rows);
  for (uint32_t r = 0; r < rows; ++r) {
    uint32_t i = from[r];
    kinds[r] = chunk.kind(i);
    chunk_ids[r] = single ? r : chunk.chunk_id(i);
    output_ids[r] = chunk.output_id(i);
    keys[r] = chunk.key(i);
    causes[r] = chunk.cause(i);
    out->end_row(chunk.timestamp(i));
  }
  Chunk spread;
  spread.batch = out.get();
  spread.rows = rows;
  spread.kinds = chunk.kinds != nullptr ? kinds.data() : nullptr;
  spread.chunk_ids = chunk_ids.data();
  spread.output_ids = output_ids.data();
  spread.keys = chunk.keys != nullptr ? keys.data() : nullptr;
  spread.causes = causes.data();
  spread.strings_shared = true;
  next().receive(spread);
}

}  // namespace pollux

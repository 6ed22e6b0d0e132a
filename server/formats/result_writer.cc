#include "server/formats/result_writer.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/expression/json_object.h"
#include "server/formats/json_text.h"

namespace pollux {

size_t ResultWriter::form_for(const ResultBatch& results) {
  for (size_t i = 0; i < forms_.size(); ++i) {
    const Form& form = *forms_[i];
    if (form.schema == results.batch->schema_ptr() && form.epoch == results.cause.epoch.value &&
        form.stream == results.stream && form.plan == results.plan) {
      return i;
    }
  }
  auto form = std::make_unique<Form>();
  form->plan = results.plan;
  form->stream = results.stream;
  form->schema = results.batch->schema_ptr();
  form->epoch = results.cause.epoch.value;
  form->before_timestamp = "{\"stream\":" + json_string(results.stream) + ",\"timestamp\":";
  std::string id = json_string(std::to_string(kDefaultTenant) + "/" + form->plan + "/" +
                               std::to_string(form->epoch) + ".");
  id.pop_back();  // the closing quote: the id goes on
  form->before_position = ",\"id\":" + id;
  for (const Attribute& attribute : form->schema->attributes()) {
    form->before_value.push_back((form->before_value.empty() ? "" : ",") +
                                 json_string(attribute.name) + ":");
  }
  forms_.push_back(std::move(form));
  return forms_.size() - 1;
}

void ResultWriter::on_result(const ResultBatch& results) {
  POLLUX_CHECK(results.ordinals.size() == results.batch->rows());
  gathered_.push_back({form_for(results),
                       results.cause,
                       results.batch,
                       {results.ordinals.begin(), results.ordinals.end()}});
}

void ResultWriter::end_entry() {
  if (gathered_.empty()) return;
  // Ordinals count within a plan: plans follow each other in the order of their first result.
  size_t begin = 0;
  while (begin < gathered_.size()) {
    const std::string& plan = forms_[gathered_[begin].form]->plan;
    auto rest = gathered_.begin() + static_cast<std::ptrdiff_t>(begin);
    auto others = std::stable_partition(rest, gathered_.end(), [&](const Gathered& gathered) {
      return forms_[gathered.form]->plan == plan;
    });
    auto end = static_cast<size_t>(others - gathered_.begin());
    write_in_order(begin, end);
    begin = end;
  }
  gathered_.clear();
}

void ResultWriter::write_in_order(size_t begin, size_t end) {
  places_.clear();
  for (size_t i = begin; i < end; ++i) {
    for (uint32_t row = 0; row < gathered_[i].batch->rows(); ++row) {
      places_.push_back({gathered_[i].ordinals[row], static_cast<uint32_t>(i), row});
    }
  }
  auto before = [](const Place& a, const Place& b) { return a.ordinal < b.ordinal; };
  if (!std::is_sorted(places_.begin(), places_.end(), before)) {
    std::sort(places_.begin(), places_.end(), before);
  }
  for (const Place& place : places_) write_row(gathered_[place.gathered], place.row);
}

void ResultWriter::write_row(const Gathered& from, uint32_t row) {
  const Form& form = *forms_[from.form];
  const EventBatch& batch = *from.batch;
  out_.append(form.before_timestamp);
  append_json_number(out_, batch.timestamps()[row]);
  out_.append(form.before_position);
  append_json_number(out_, from.cause.position.value);
  out_.append('.');
  append_json_number(out_, static_cast<uint64_t>(from.ordinals[row]));
  out_.append("\",\"data\":{");
  for (size_t i = 0; i < form.before_value.size(); ++i) {
    out_.append(form.before_value[i]);
    write_value(batch.column(i), row);
  }
  out_.append("}}\n");
  ++results_;
}

void ResultWriter::write_value(const Column& column, uint32_t row) {
  if (auto object = json_at(column, row)) return out_.append(*object);
  if (column.is_null(row)) return out_.append("null");
  switch (column.type()) {
    case AttributeType::kObject:
      return;
    case AttributeType::kString:
      return append_json_string(out_, column.data<StringRef>()[row].view());
    case AttributeType::kInt:
      return append_json_number(out_, column.data<int32_t>()[row]);
    case AttributeType::kLong:
      return append_json_number(out_, column.data<int64_t>()[row]);
    case AttributeType::kFloat:
      return append_json_number(out_, column.data<float>()[row]);
    case AttributeType::kDouble:
      return append_json_number(out_, column.data<double>()[row]);
    case AttributeType::kBool:
      return out_.append(column.data<uint8_t>()[row] != 0 ? "true" : "false");
  }
}

}  // namespace pollux

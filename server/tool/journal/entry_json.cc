#include "server/tool/journal/entry_json.h"

#include "server/formats/json_text.h"
#include "server/tool/journal/entry_id_text.h"
#include "server/tool/journal/object_json.h"

namespace pollux::tool {
namespace {

void append_value(std::string& out, const EventBatch& batch, uint32_t row, size_t index) {
  const Column& column = batch.column(index);
  if (column.is_null(row)) {
    StringRef stray = column.stray(row);
    if (stray.size() == 0) {
      out += "null";
      return;
    }
    out += "{\"stray\":";
    append_object_json(out, stray.view());
    out += '}';
    return;
  }
  switch (column.type()) {
    case AttributeType::kString:
      return append_text_json(out, column.data<StringRef>()[row].view());
    case AttributeType::kObject:
      return append_object_json(out, column.data<StringRef>()[row].view());
    case AttributeType::kInt:
      out += std::to_string(column.data<int32_t>()[row]);
      return;
    case AttributeType::kLong:
      out += std::to_string(column.data<int64_t>()[row]);
      return;
    case AttributeType::kFloat:
      return append_float_json(out, column.data<float>()[row]);
    case AttributeType::kDouble:
      return append_double_json(out, column.data<double>()[row]);
    case AttributeType::kBool:
      out += column.data<uint8_t>()[row] != 0 ? "true" : "false";
      return;
  }
}

void append_schema(std::string& out, const Schema& schema) {
  out += ",\"stream\":";
  append_text_json(out, schema.name());
  out += ",\"attributes\":[";
  for (size_t i = 0; i < schema.size(); ++i) {
    out += i == 0 ? "[" : ",[";
    append_text_json(out, schema[i].name);
    out += ",\"";
    out += name_of(schema[i].type);
    out += "\"]";
  }
  out += ']';
}

/// ,"name":"text"
void append_field(std::string& out, std::string_view name, std::string_view text) {
  out += ",\"";
  out += name;
  out += "\":";
  append_text_json(out, text);
}

/// ,"stream":.. and so on, up to the rows.
void append_batch(std::string& out, const EventBatch& batch) {
  if (batch.one_chunk()) out += ",\"one_chunk\":true";
  append_schema(out, batch.schema());
  out += ",\"rows\":[";
  for (uint32_t row = 0; row < batch.rows(); ++row) {
    out += row == 0 ? "[" : ",[";
    out += std::to_string(batch.timestamps()[row]);
    for (size_t i = 0; i < batch.schema().size(); ++i) {
      out += ',';
      append_value(out, batch, row, i);
    }
    out += ']';
  }
  out += ']';
}

void append_stored(std::string& out, const StoredRows& stored) {
  std::string fields;
  append_field(fields, "changes", stored.stream);
  fields += ",\"from\":" + std::to_string(stored.from_ms) + ",\"batches\":[";
  for (size_t i = 0; i < stored.batches.size(); ++i) {
    std::string batch;
    append_batch(batch, *stored.batches[i]);
    fields += (i == 0 ? "{" : ",{") + batch.substr(1) + "}";
  }
  out += "{" + fields.substr(1) + "]}";
}

void append_found(std::string& out, const FoundRows& found) {
  std::string fields;
  append_field(fields, "table", found.table);
  append_batch(fields, *found.rows);
  out += "{" + fields.substr(1) + "}";
}

struct PayloadJson {
  std::string& out;

  void operator()(const EventsPayload& events) const {
    if (!events.producer.empty()) append_field(out, "producer", events.producer);
    if (events.number != 0) out += ",\"number\":" + std::to_string(events.number);
    append_batch(out, *events.batch);
    for (size_t i = 0; i < events.found.size(); ++i) {
      out += i == 0 ? ",\"found\":[" : ",";
      append_found(out, events.found[i]);
    }
    if (!events.found.empty()) out += ']';
  }
  void operator()(const TickPayload&) const {}
  void operator()(const DeployPayload& deploy) const {
    append_field(out, "plan", deploy.plan);
    append_field(out, "text", deploy.text);
    append_field(out, "dialect", deploy.dialect == Dialect::k31 ? "3.1" : "5.1");
    out += ",\"semantics_version\":" + std::to_string(deploy.semantics_version);
    if (!deploy.source.empty()) append_field(out, "source", deploy.source);
    if (!deploy.origin.empty()) append_field(out, "origin", deploy.origin);
    if (deploy.replace) out += ",\"replace\":true";
    for (size_t i = 0; i < deploy.stored.size(); ++i) {
      out += i == 0 ? ",\"stored\":[" : ",";
      append_stored(out, deploy.stored[i]);
    }
    if (!deploy.stored.empty()) out += ']';
  }
  void operator()(const UndeployPayload& undeploy) const {
    append_field(out, "plan", undeploy.plan);
  }
  void operator()(const PersistPayload&) const {}
  void operator()(const WritePayload& write) const {
    append_field(out, "plan", write.plan);
    append_field(out, "query", write.text);
  }
  void operator()(const EpochBeginPayload& epoch) const { append_field(out, "node", epoch.node); }
};

const char* name_of_type(EntryType type) {
  switch (type) {
    case EntryType::kEvents:
      return "events";
    case EntryType::kTick:
      return "tick";
    case EntryType::kDeploy:
      return "deploy";
    case EntryType::kUndeploy:
      return "undeploy";
    case EntryType::kPersist:
      return "persist";
    case EntryType::kWrite:
      return "write";
    case EntryType::kEpochBegin:
      return "epoch_begin";
  }
  return "";
}

}  // namespace

void append_entry_json(std::string& out, const Entry& entry) {
  out += "{\"id\":\"" + to_text(entry.id) +
         "\",\"timestamp\":" + std::to_string(entry.timestamp.ms) + ",\"type\":\"" +
         name_of_type(entry.type()) + "\"";
  std::visit(PayloadJson{out}, entry.payload);
  out += '}';
}

}  // namespace pollux::tool

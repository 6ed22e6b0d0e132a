#include "server/tool/journal/entry_json_reader.h"

#include <optional>
#include <utility>
#include <vector>

#include "engine/types/object_value.h"
#include "server/tool/journal/entry_id_text.h"
#include "server/tool/journal/object_json.h"

namespace pollux::tool {
namespace {

using simdjson::dom::element;
using Schemas = std::map<std::string, SchemaPtr, std::less<>>;

/// The fields of a line, each to be taken once. What goes wrong first is kept; everything behind it
/// is empty.
class Fields {
 public:
  explicit Fields(const element& line) {
    simdjson::dom::object object;
    if (line.get(object) != simdjson::SUCCESS) {
      fail("it is no JSON object");
      return;
    }
    for (const auto& [name, value] : object) {
      if (!left_.emplace(name, value).second) fail("\"" + std::string(name) + "\" stands twice");
    }
  }

  bool ok() const { return wrong_.empty(); }
  const std::string& wrong() const { return wrong_; }
  void fail(std::string what) {
    if (wrong_.empty()) wrong_ = std::move(what);
  }
  void refuse(std::string_view name, std::string_view wanted) {
    fail("\"" + std::string(name) + "\" is not " + std::string(wanted));
  }

  std::optional<element> take(std::string_view name, bool needed) {
    auto field = left_.find(name);
    if (field == left_.end()) {
      if (needed) fail("\"" + std::string(name) + "\" is missing");
      return std::nullopt;
    }
    element value = field->second;
    left_.erase(field);
    return value;
  }

  std::string text(std::string_view name, bool needed = true) {
    std::optional<element> value = take(name, needed);
    std::optional<std::string> text = value ? text_from(*value) : std::string();
    if (!text) refuse(name, "a text");
    return text.value_or("");
  }
  template <class T>
  T number(std::string_view name, bool needed = true) {
    std::optional<element> value = take(name, needed);
    T number{};
    if (value && value->get(number) != simdjson::SUCCESS) refuse(name, "a whole number that fits");
    return number;
  }
  bool flag(std::string_view name) {
    std::optional<element> value = take(name, false);
    bool flag = false;
    if (value && value->get(flag) != simdjson::SUCCESS) refuse(name, "true or false");
    return flag;
  }

  /// All have been taken.
  void finish() {
    if (!left_.empty()) fail("\"" + std::string(left_.begin()->first) + "\" is unknown here");
  }

 private:
  std::map<std::string_view, element> left_;
  std::string wrong_;
};

std::optional<Attribute> attribute_from(const element& json) {
  simdjson::dom::array pair;
  if (json.get(pair) != simdjson::SUCCESS || pair.size() != 2) return std::nullopt;
  std::optional<std::string> name = text_from(pair.at(0).value_unsafe());
  std::string_view type_name;
  if (!name || pair.at(1).get(type_name) != simdjson::SUCCESS) return std::nullopt;
  std::optional<AttributeType> type = attribute_type_from(type_name);
  if (!type) return std::nullopt;
  return Attribute{*std::move(name), *type};
}

SchemaPtr take_schema(Fields& fields, Schemas& schemas) {
  std::string stream = fields.text("stream");
  std::optional<element> list = fields.take("attributes", true);
  simdjson::dom::array array;
  if (!list || list->get(array) != simdjson::SUCCESS) {
    fields.refuse("attributes", "a list");
    return nullptr;
  }
  std::vector<Attribute> attributes;
  for (const element& item : array) {
    std::optional<Attribute> attribute = attribute_from(item);
    if (!attribute) {
      fields.fail("attribute " + std::to_string(attributes.size()) + " is not [name, type]");
      return nullptr;
    }
    attributes.push_back(*std::move(attribute));
  }
  SchemaPtr& known = schemas[stream];
  if (known == nullptr || known->attributes() != attributes) {
    known = std::make_shared<const Schema>(stream, std::move(attributes));
  }
  return known;
}

std::optional<Value> stray_from(const element& json) {
  simdjson::dom::object object;
  element stray;
  if (json.get(object) != simdjson::SUCCESS || object.size() != 1 ||
      object.at_key("stray").get(stray) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  std::optional<std::string> bytes = object_from(stray);
  if (!bytes) return std::nullopt;
  return ObjectValue{*std::move(bytes)};
}

std::optional<Value> whole_from(const element& json, AttributeType type) {
  int64_t whole = 0;
  if (json.get(whole) != simdjson::SUCCESS) return std::nullopt;
  if (type == AttributeType::kLong) return whole;
  if (!std::in_range<int32_t>(whole)) return std::nullopt;
  return static_cast<int32_t>(whole);
}

/// A value of the type, or null.
std::optional<Value> value_from(const element& json, AttributeType type) {
  if (json.is_null()) return Value{};
  bool flag = false;
  auto some = [](auto read) {
    return read ? std::optional<Value>(*std::move(read)) : std::nullopt;
  };
  switch (type) {
    case AttributeType::kString:
      return some(text_from(json));
    case AttributeType::kInt:
    case AttributeType::kLong:
      return whole_from(json, type);
    case AttributeType::kFloat:
      return some(float_from(json));
    case AttributeType::kDouble:
      return some(double_from(json));
    case AttributeType::kBool:
      return json.get(flag) == simdjson::SUCCESS ? std::optional<Value>(flag) : std::nullopt;
    case AttributeType::kObject: {
      std::optional<std::string> bytes = object_from(json);
      return bytes ? std::optional<Value>(ObjectValue{*std::move(bytes)}) : std::nullopt;
    }
  }
  return std::nullopt;
}

/// False when it is no value of that attribute.
bool append_value(EventBatch& batch, size_t index, const element& json) {
  Column& column = batch.column(index);
  if (std::optional<Value> value = value_from(json, column.type())) {
    const auto* object = std::get_if<ObjectValue>(&*value);
    if (object == nullptr) {
      batch.append_value(index, *value);
    } else {
      batch.append_string(index, object->bytes);
    }
    return true;
  }
  std::optional<Value> stray = stray_from(json);
  if (!stray) return false;
  column.append_null();
  column.set_stray(column.size() - 1, batch.arena().store(std::get<ObjectValue>(*stray).bytes));
  return true;
}

/// What is wrong with the row; empty when nothing is.
std::string append_row(EventBatch& batch, const element& json) {
  simdjson::dom::array row;
  if (json.get(row) != simdjson::SUCCESS || row.size() != batch.schema().size() + 1) {
    return "not a list of a timestamp and " + std::to_string(batch.schema().size()) + " values";
  }
  std::optional<int64_t> timestamp;
  size_t index = 0;
  for (const element& item : row) {
    int64_t number = 0;
    if (timestamp) {
      if (!append_value(batch, index, item)) {
        const Attribute& attribute = batch.schema()[index];
        return attribute.name + " is not of type " + std::string(name_of(attribute.type));
      }
      ++index;
    } else if (item.get(number) == simdjson::SUCCESS) {
      timestamp = number;
    } else {
      return "its timestamp is not a whole number";
    }
  }
  batch.end_row(*timestamp);
  return {};
}

/// The fields of a batch; null after errors.
EventBatchPtr take_batch(Fields& fields, Schemas& schemas) {
  bool one_chunk = fields.flag("one_chunk");
  SchemaPtr schema = take_schema(fields, schemas);
  std::optional<element> list = fields.take("rows", true);
  simdjson::dom::array rows;
  if (list && list->get(rows) != simdjson::SUCCESS) fields.refuse("rows", "a list");
  if (!fields.ok() || schema == nullptr) return nullptr;
  auto batch = std::make_shared<EventBatch>(std::move(schema));
  batch->set_one_chunk(one_chunk);
  for (const element& row : rows) {
    std::string wrong = append_row(*batch, row);
    if (!wrong.empty()) {
      fields.fail("row " + std::to_string(batch->rows()) + ": " + wrong);
      break;
    }
  }
  return batch;
}

std::vector<FoundRows> take_found(Fields& fields, Schemas& schemas) {
  std::vector<FoundRows> found;
  std::optional<element> list = fields.take("found", false);
  simdjson::dom::array tables;
  if (list && list->get(tables) != simdjson::SUCCESS) fields.refuse("found", "a list");
  if (!list || !fields.ok()) return found;
  for (const element& json : tables) {
    Fields table(json);
    std::string name = table.text("table");
    found.push_back({std::move(name), take_batch(table, schemas)});
    table.finish();
    if (!table.ok()) {
      fields.fail("found: " + table.wrong());
      break;
    }
  }
  return found;
}

EntryPayload take_events(Fields& fields, Schemas& schemas) {
  EventsPayload events;
  events.producer = fields.text("producer", false);
  events.number = fields.number<uint64_t>("number", false);
  events.batch = take_batch(fields, schemas);
  events.found = take_found(fields, schemas);
  return events;
}

StoredRows take_stored_rows(Fields& fields, Schemas& schemas) {
  StoredRows stored;
  stored.stream = fields.text("changes");
  stored.from_ms = fields.number<int64_t>("from");
  std::optional<element> list = fields.take("batches", true);
  simdjson::dom::array batches;
  if (list && list->get(batches) != simdjson::SUCCESS) fields.refuse("batches", "a list");
  if (!fields.ok()) return stored;
  for (const element& json : batches) {
    Fields batch(json);
    stored.batches.push_back(take_batch(batch, schemas));
    batch.finish();
    if (!batch.ok()) {
      fields.fail("batch: " + batch.wrong());
      break;
    }
  }
  return stored;
}

std::vector<StoredRows> take_stored(Fields& fields, Schemas& schemas) {
  std::vector<StoredRows> stored;
  std::optional<element> list = fields.take("stored", false);
  simdjson::dom::array holders;
  if (list && list->get(holders) != simdjson::SUCCESS) fields.refuse("stored", "a list");
  if (!list || !fields.ok()) return stored;
  for (const element& json : holders) {
    Fields holder(json);
    stored.push_back(take_stored_rows(holder, schemas));
    holder.finish();
    if (!holder.ok()) {
      fields.fail("stored: " + holder.wrong());
      break;
    }
  }
  return stored;
}

EntryPayload take_deploy(Fields& fields, Schemas& schemas) {
  DeployPayload deploy;
  deploy.plan = fields.text("plan");
  deploy.text = fields.text("text");
  std::string dialect = fields.text("dialect");
  if (dialect == "3.1") {
    deploy.dialect = Dialect::k31;
  } else if (dialect != "5.1") {
    fields.refuse("dialect", "5.1 or 3.1");
  }
  auto version = fields.number<uint64_t>("semantics_version");
  if (version > UINT32_MAX) fields.refuse("semantics_version", "a version");
  deploy.semantics_version = static_cast<uint32_t>(version);
  deploy.source = fields.text("source", false);
  deploy.origin = fields.text("origin", false);
  deploy.replace = fields.flag("replace");
  deploy.stored = take_stored(fields, schemas);
  return deploy;
}

EntryPayload take_write(Fields& fields) {
  WritePayload write;
  write.plan = fields.text("plan");
  write.text = fields.text("query");
  return write;
}

EntryPayload take_payload(const std::string& type, Fields& fields, Schemas& schemas) {
  if (type == "events") return take_events(fields, schemas);
  if (type == "tick") return TickPayload{};
  if (type == "deploy") return take_deploy(fields, schemas);
  if (type == "undeploy") return UndeployPayload{fields.text("plan")};
  if (type == "persist") return PersistPayload{};
  if (type == "write") return take_write(fields);
  if (type == "epoch_begin") return EpochBeginPayload{fields.text("node")};
  fields.refuse("type", "that of an entry");
  return TickPayload{};
}

}  // namespace

absl::StatusOr<Entry> EntryJsonReader::read(std::string_view line) {
  element json;
  if (simdjson::error_code error = parser_.parse(line.data(), line.size()).get(json)) {
    return absl::InvalidArgumentError(simdjson::error_message(error));
  }
  Fields fields(json);
  Entry entry;
  std::optional<EntryId> id = parse_entry_id(fields.text("id"));
  if (!id) fields.refuse("id", "epoch.position");
  entry.id = id.value_or(EntryId{});
  entry.timestamp = {fields.number<int64_t>("timestamp")};
  entry.payload = take_payload(fields.text("type"), fields, schemas_);
  fields.finish();
  if (!fields.ok()) return absl::InvalidArgumentError(fields.wrong());
  return entry;
}

}  // namespace pollux::tool

#include "engine/planner/stored_holders.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <utility>

#include "engine/operators/stored_table.h"
#include "engine/planner/annotation_text.h"
#include "engine/planner/annotations.h"

namespace pollux {
namespace {

constexpr std::string_view kChanges = ".changes";

bool is_plain(std::string_view name) {
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return c == '_' || std::isalnum(c) != 0; });
}

/// The annotation, and under which key it says what kind of store it is.
std::pair<const ast::Annotation*, const char*> find_store(
    const std::vector<ast::Annotation>& annotations) {
  if (const auto* store = find_annotation(annotations, "store")) return {store, "type"};
  const ast::Annotation* from = find_annotation(annotations, "from");
  bool stored = from != nullptr && annotation_value(*from, "eventtable").has_value();
  return {stored ? from : nullptr, "eventtable"};
}

class StoreReader {
 public:
  StoreReader(const ast::Annotation& annotation, Diagnostics& diagnostics)
      : annotation_(annotation), diagnostics_(diagnostics) {}

  StoreReading read(const std::string& name, const char* type_key) {
    AnnotationText text = text_of(annotation_);
    StoreReading reading;
    reading.holder.name = name;
    reading.holder.type = take_option(text.options, type_key);
    reading.holder.options = std::move(text.options);
    reading.holder.nested = std::move(text.nested);
    reading.holder.location = annotation_.location;
    reading.table_name = annotation_value(annotation_, "table.name").value_or("");
    if (!is_plain(name)) {
      report(annotation_.location, "'" + name + "' is kept in a store",
             "a name of letters, digits and '_'");
    }
    if (reading.holder.type.empty() && !annotation_value(annotation_, "ref")) {
      report(annotation_.location, "a store needs a type", "@store(type='...')");
    }
    reading.external = same_name(annotation_value(annotation_, "external").value_or(""), "true");
    read_flush(reading);
    return reading;
  }

 private:
  void report(const Location& location, std::string message, std::string expected) {
    diagnostics_.push_back({location, std::move(message), std::move(expected), {}});
  }

  void read_flush(StoreReading& reading) {
    constexpr int64_t kFlushMsMax = 3'600'000;
    std::optional<std::string> interval = annotation_value(annotation_, "flush.interval");
    if (!interval) return;
    reading.flush_ms = parse_duration(*interval);
    if (reading.flush_ms && *reading.flush_ms <= kFlushMsMax) return;
    report(annotation_.location, "'" + *interval + "' is no flush.interval",
           "flush.interval='200 millisec', from '0 sec' to '1 hour'");
  }

  const ast::Annotation& annotation_;
  Diagnostics& diagnostics_;
};

std::vector<std::string> names_of(const Schema& schema, const std::vector<size_t>& columns) {
  std::vector<std::string> names;
  for (size_t column : columns) names.push_back(schema[column].name);
  return names;
}

}  // namespace

std::string upper_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

SchemaPtr schema_of_changes(const std::string& stream, const Schema& rows) {
  std::vector<Attribute> attributes = rows.attributes();
  attributes.push_back({kErasedName, AttributeType::kBool});
  return std::make_shared<Schema>(stream, std::move(attributes));
}

ChangePacer* make_pacer(Plan& plan, int64_t flush_ms) {
  if (flush_ms == 0 || plan.playback()) return nullptr;
  return &plan.own(std::make_unique<ChangePacer>(plan.context(), flush_ms));
}

std::string name_of_changes(const Plan& plan, const std::string& holder) {
  return plan.name() + ":" + holder + std::string(kChanges);
}

std::optional<StoreReading> read_store(const std::vector<ast::Annotation>& annotations,
                                       const std::string& name, Diagnostics& diagnostics) {
  auto [annotation, type_key] = find_store(annotations);
  if (annotation == nullptr) return std::nullopt;
  return StoreReader(*annotation, diagnostics).read(name, type_key);
}

void add_stored_table(Table& table, const std::vector<size_t>& indexed, StoreReading reading,
                      Plan& plan, Diagnostics& diagnostics) {
  const Schema& schema = *table.schema();
  if (schema.find(kErasedName)) {
    diagnostics.push_back({reading.holder.location,
                           std::string("a stored table with an attribute '") + kErasedName + "'",
                           "another name: it says which rows are gone",
                           {}});
  }
  StoredPart::Holder holder;
  holder.description = std::move(reading.holder);
  StoredHolder& description = holder.description;
  description.table =
      reading.table_name.empty() ? upper_case(description.name) : reading.table_name;
  description.stream = name_of_changes(plan, description.name);
  description.schema = table.schema();
  description.primary_key = names_of(schema, table.primary_key());
  description.indexed = names_of(schema, indexed);
  if (!description.primary_key.empty()) {
    holder.changes = schema_of_changes(description.stream, schema);
  }
  holder.content = std::make_unique<StoredTable>(table, plan.context().strings());
  StoredPart part;
  part.unit = "table " + description.name;
  part.pacer = make_pacer(plan, reading.flush_ms.value_or(0));
  if (part.pacer != nullptr) part.pacer->add(*holder.content);
  part.holders.push_back(std::move(holder));
  plan.add_stored(std::move(part));
}

void add_external_table(std::unique_ptr<Table> table, StoreReading reading, Plan& plan,
                        Diagnostics& diagnostics) {
  const Schema& schema = *table->schema();
  ExternalPart part;
  StoredHolder& holder = part.description.holder;
  holder = std::move(reading.holder);
  holder.table = reading.table_name.empty() ? upper_case(holder.name) : reading.table_name;
  holder.stream = plan.name() + ":" + holder.name;
  holder.schema = table->schema();
  holder.primary_key = names_of(schema, table->primary_key());
  if (holder.primary_key.empty()) {
    diagnostics.push_back({holder.location,
                           "an external table without a primary key",
                           "@PrimaryKey('...'): its rows are looked up by that",
                           {}});
  }
  for (size_t column : table->primary_key()) {
    const AttributeType type = schema[column].type;
    if (type != AttributeType::kFloat && type != AttributeType::kDouble &&
        type != AttributeType::kObject) {
      continue;
    }
    diagnostics.push_back({holder.location,
                           "'" + schema[column].name +
                               "' is a key of an external table and of type " +
                               std::string(name_of(type)),
                           "a key of type string, int, long or bool",
                           {}});
  }
  part.rows = std::move(table);
  plan.add_external(std::move(part));
}

bool is_name_of_changes(std::string_view stream) {
  return stream.ends_with(kChanges) && stream.find(':') != std::string_view::npos;
}

}  // namespace pollux

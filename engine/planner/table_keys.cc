#include "engine/planner/table_keys.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "engine/planner/annotations.h"

namespace pollux {
namespace {

class Reader {
 public:
  Reader(const Schema& schema, Diagnostics& diagnostics)
      : schema_(schema), diagnostics_(diagnostics) {}

  void add(std::vector<size_t>& columns, const std::string& name, const Location& location) {
    std::optional<size_t> column = schema_.find(name);
    if (!column) {
      std::vector<std::string> known;
      for (const Attribute& attribute : schema_.attributes()) known.push_back(attribute.name);
      std::string near = nearest_name(name, known);
      return report(location, "the table has no attribute '" + name + "'",
                    "an attribute of the table",
                    near.empty() ? "" : "did you mean '" + near + "'?");
    }
    if (std::find(columns.begin(), columns.end(), *column) != columns.end()) {
      return report(location, "'" + name + "' is named twice", "each attribute once");
    }
    columns.push_back(*column);
  }

  void add_all(std::vector<size_t>& columns, const ast::Annotation& annotation) {
    for (const ast::AnnotationElement& element : annotation.elements) {
      add(columns, element.value, element.location);
    }
  }

  /// "a, b -i": names with commas between them, flags behind a name.
  void add_list(std::vector<size_t>& columns, const ast::Annotation& annotation, const char* key) {
    std::string list = annotation_value(annotation, key).value_or("");
    for (std::string_view left = list; !left.empty();) {
      size_t comma = std::min(left.find(','), left.size());
      std::string_view item = left.substr(0, comma);
      left.remove_prefix(std::min(comma + 1, left.size()));
      item.remove_prefix(std::min(item.find_first_not_of(" \t\r\n"), item.size()));
      item = item.substr(0, item.find_first_of(" \t\r\n"));
      std::optional<size_t> column = schema_.find(item);
      bool known = column && std::find(columns.begin(), columns.end(), *column) != columns.end();
      if (!item.empty() && !known) add(columns, std::string(item), annotation.location);
    }
  }

  void report(const Location& location, std::string message, std::string expected,
              std::string hint = {}) {
    diagnostics_.push_back({location, std::move(message), std::move(expected), std::move(hint)});
  }

 private:
  const Schema& schema_;
  Diagnostics& diagnostics_;
};

}  // namespace

TableKeys read_table_keys(const ast::TableDefinition& definition, const Schema& schema,
                          Dialect dialect, Diagnostics& diagnostics) {
  TableKeys keys;
  Reader reader(schema, diagnostics);
  const ast::Annotation* from = find_annotation(definition.annotations, "from");
  bool old = dialect == Dialect::k31;
  bool event_table = from != nullptr && (old || annotation_value(*from, "eventtable"));
  bool key_by_index = old && from == nullptr;  // @IndexBy is the key
  for (const ast::Annotation& annotation : definition.annotations) {
    if (same_name(annotation.name, "primarykey")) {
      reader.add_all(keys.primary, annotation);
    } else if (same_name(annotation.name, "index")) {
      if (annotation.elements.size() == 1) {
        reader.add_all(keys.indexed, annotation);
      } else {
        reader.report(annotation.location, "an index over several attributes",
                      "one attribute; '@Index' may stand several times");
      }
    } else if (same_name(annotation.name, "indexby") && key_by_index) {
      if (annotation.elements.size() != 1 || !keys.primary.empty()) {
        reader.report(annotation.location, "a table is kept by one attribute", "@IndexBy('name')");
        continue;
      }
      reader.add_all(keys.primary, annotation);
      keys.rules = {true, true};
    } else if (same_name(annotation.name, "indexby")) {
      reader.add_all(keys.indexed, annotation);
    }
  }
  if (!event_table) return keys;
  size_t errors = diagnostics.size();
  reader.add_list(keys.primary, *from, "primary.keys");
  reader.add_list(keys.indexed, *from, "indices");
  keys.rules.replaces = diagnostics.size() == errors && !keys.primary.empty();
  return keys;
}

}  // namespace pollux

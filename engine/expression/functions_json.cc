// The json: namespace. JSON is a string, or an object that was made of one.
#include <charconv>
#include <memory>
#include <optional>
#include <string>

#include "engine/expression/constant_arguments.h"
#include "engine/expression/function_registry.h"
#include "engine/expression/json_object.h"
#include "engine/expression/json_path.h"
#include "engine/expression/signature.h"
#include "engine/types/object_value.h"

namespace pollux {
namespace {

/// The path of a call: known when the plan is made, or that of the last row.
class Path {
 public:
  const JsonPath* of(std::string_view text) {
    if (!known_ || text_ != text) {
      text_ = text;
      path_ = JsonPath::parse(text);
      known_ = true;
    }
    return path_ ? &*path_ : nullptr;
  }

 private:
  bool known_ = false;
  std::string text_;
  std::optional<JsonPath> path_;
};

/// The first argument as an object; empty where it is no JSON.
std::optional<std::string> json_of(const RowArguments& in) {
  if (in.type(0) == AttributeType::kObject) return std::string(in.text(0));
  return parse_json(in.text(0));
}

using PathBody = void (*)(const JsonPath& path, const std::string& json, const RowArguments& in,
                          RowResult& out);

/// An entry over JSON and a path; rows whose first argument is none, or second is no path, give
/// null.
FunctionEntry path_entry(std::string_view name, std::string_view signature, std::string_view doc,
                         PathBody body, Nulls nulls = Nulls::kGiveNull) {
  auto make = [signature, body, nulls](std::vector<ExpressionPtr> arguments) -> CallResult {
    std::optional<std::string> constant =
        arguments.size() > 1 ? constant_text(arguments[1]) : std::nullopt;
    if (constant && !JsonPath::parse(*constant)) {
      return CallError{"'" + *constant + "' is no path into JSON",
                       "a path such as $.name, $['a name'], $.list[0] or $..name"};
    }
    auto run = [body, path = std::make_shared<Path>()](const RowArguments& in, RowResult& out) {
      if (in.is_null(0) || in.is_null(1)) return;
      const JsonPath* known = path->of(in.text(1));
      std::optional<std::string> json = json_of(in);
      if (known != nullptr && json) body(*known, *json, in, out);
    };
    return call_by_signature(signature, std::move(arguments), run, nulls);
  };
  return {"json", name, signature, doc, make};
}

/// What the path leads to; a list with one value stands for that value.
std::optional<std::string> single(const JsonPath& path, const std::string& json) {
  std::optional<std::string> found = path.read(json);
  if (!found || tag_of(*found) != ObjectTag::kList) return found;
  if (size_of_object(*found) != 1) return std::nullopt;
  return std::string(parts_of(*found)[0]);
}

/// The number that it is written as.
template <class T>
void put_number(const JsonPath& path, const std::string& json, const RowArguments&,
                RowResult& out) {
  std::optional<std::string> found = single(path, json);
  if (!found) return;
  std::string text = object_text(*found);
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) out.put(value);
}

void put_bool(const JsonPath& path, const std::string& json, const RowArguments&, RowResult& out) {
  std::optional<std::string> found = single(path, json);
  if (!found) return;
  std::string text = object_text(*found);
  if (text == "true" || text == "false") out.put(static_cast<uint8_t>(text == "true"));
}

void put_string(const JsonPath& path, const std::string& json, const RowArguments&,
                RowResult& out) {
  std::optional<std::string> found = path.read(json);
  if (!found || tag_of(*found) == ObjectTag::kNull) return;
  bool text = tag_of(*found) == ObjectTag::kString;
  out.put_text(text ? object_text(*found) : json_text(*found));
}

void put_object(const JsonPath& path, const std::string& json, const RowArguments&,
                RowResult& out) {
  out.put_made(path.read(json));
}

void put_exists(const JsonPath& path, const std::string& json, const RowArguments&,
                RowResult& out) {
  out.put(static_cast<uint8_t>(path.leads_anywhere(json)));
}

/// An argument as what goes into JSON: a text that is a JSON object or array is one.
std::string element_of(const RowArguments& in, size_t i) {
  if (!in.is_null(i) && in.type(i) == AttributeType::kString) {
    std::optional<std::string> parsed = parse_json(in.text(i));
    bool whole =
        parsed && (tag_of(*parsed) == ObjectTag::kMap || tag_of(*parsed) == ObjectTag::kList);
    if (whole) return *parsed;
  }
  return in.to_object(i);
}

/// Into a list it goes behind the others; into a map under a key; else it takes the place. Where
/// the path leads nowhere nothing changes.
void put_changed(const JsonPath& path, const std::string& json, const RowArguments& in,
                 RowResult& out) {
  std::string element = element_of(in, 2);
  bool keyed = in.size() > 3 && !in.is_null(3);
  std::string key = keyed ? in.to_object(3) : std::string();
  auto change = [&](std::string_view old) -> std::optional<std::string> {
    if (tag_of(old) == ObjectTag::kList) {
      std::vector<std::string_view> parts = parts_of(old);
      parts.push_back(element);
      return make_list(parts);
    }
    if (!keyed) return element;
    if (tag_of(old) != ObjectTag::kMap) return std::nullopt;
    std::vector<ObjectPair> pairs = pairs_of(old);
    pairs.emplace_back(key, element);
    return make_map(std::move(pairs));
  };
  out.put_object(path.replace(json, change).value_or(json));
}

}  // namespace

std::vector<FunctionEntry> json_functions() {
  return {
      path_entry("getBool", "(<string|object> json, <string> path) <bool>",
                 "The bool that a path leads to; null where there is none.", put_bool),
      path_entry("getDouble", "(<string|object> json, <string> path) <double>",
                 "The number that a path leads to; null where there is none.", put_number<double>),
      path_entry("getFloat", "(<string|object> json, <string> path) <float>",
                 "The number that a path leads to; null where there is none.", put_number<float>),
      path_entry("getInt", "(<string|object> json, <string> path) <int>",
                 "The number that a path leads to; null where there is none.", put_number<int32_t>),
      path_entry("getLong", "(<string|object> json, <string> path) <long>",
                 "The number that a path leads to; null where there is none.", put_number<int64_t>),
      path_entry("getObject", "(<string|object> json, <string> path) <object>",
                 "What a path leads to; a list of all for paths with * or .. in them.", put_object),
      path_entry("getString", "(<string|object> json, <string> path) <string>",
                 "The text that a path leads to, or the JSON of what is there.", put_string),
      path_entry("isExists", "(<string|object> json, <string> path) <bool>",
                 "Does the path lead to anything?", put_exists),
      path_entry("setElement",
                 "(<string|object> json, <string> path, <any> element, [<string> key]) <object>",
                 "The JSON with an element put where a path leads: behind the others of a list, "
                 "under a key of an object, or in the place of what is there.",
                 put_changed, Nulls::kAreTaken),
      row_entry(
          "json", "toObject", "(<string> json) <object>",
          "The JSON as an object: maps, lists and plain values; null where it is none.",
          [](const RowArguments& in, RowResult& out) { out.put_made(parse_json(in.text(0))); }),
      row_entry(
          "json", "toString", "(<object> json) <string>", "The object as JSON.",
          [](const RowArguments& in, RowResult& out) { out.put_text(json_text(in.text(0))); }),
  };
}

}  // namespace pollux

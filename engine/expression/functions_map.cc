// The map: namespace. A map that is changed is another one; what it was made of stays as it is.
#include <map>
#include <string>

#include "engine/expression/function_registry.h"
#include "engine/expression/json_object.h"
#include "engine/expression/signature.h"
#include "engine/expression/xml_object.h"
#include "engine/types/object_value.h"

namespace pollux {
namespace {

using Pairs = std::vector<ObjectPair>;

bool is_map(const RowArguments& in, size_t i) {
  return in.type(i) == AttributeType::kObject && !in.is_null(i) &&
         tag_of(in.text(i)) == ObjectTag::kMap;
}

/// A body that needs its first argument to be a map; what is none gives null.
template <void (*kBody)(std::string_view map, const RowArguments& in, RowResult& out)>
void with_map(const RowArguments& in, RowResult& out) {
  if (is_map(in, 0)) kBody(in.text(0), in, out);
}

void put_truth(bool truth, RowResult& out) { out.put(static_cast<uint8_t>(truth)); }

CallResult make_create(std::vector<ExpressionPtr> arguments) {
  if (arguments.size() % 2 != 0) {
    return CallError{"a key has no value", "keys and values in turn"};
  }
  return make_row_function(AttributeType::kObject, std::move(arguments),
                           [](const RowArguments& in, RowResult& out) {
                             std::vector<std::string> parts;
                             for (size_t i = 0; i < in.size(); ++i) {
                               parts.push_back(in.to_object(i));
                             }
                             Pairs pairs;
                             for (size_t i = 0; i < parts.size(); i += 2) {
                               pairs.emplace_back(parts[i], parts[i + 1]);
                             }
                             out.put_made(make_map(std::move(pairs)));
                           });
}

void put_with(std::string_view map, const std::string& key, const std::string& value,
              RowResult& out) {
  Pairs pairs = pairs_of(map);
  pairs.emplace_back(key, value);
  out.put_made(make_map(std::move(pairs)));
}

void put_put(std::string_view map, const RowArguments& in, RowResult& out) {
  put_with(map, in.to_object(1), in.to_object(2), out);
}

void put_if_absent(std::string_view map, const RowArguments& in, RowResult& out) {
  if (find_in_map(map, in.to_object(1))) return out.put_object(map);
  put_put(map, in, out);
}

void put_replaced(std::string_view map, const RowArguments& in, RowResult& out) {
  if (!find_in_map(map, in.to_object(1))) return out.put_object(map);
  put_put(map, in, out);
}

void put_all(std::string_view map, const RowArguments& in, RowResult& out) {
  if (!is_map(in, 1)) return;
  Pairs pairs = pairs_of(map);
  for (const ObjectPair& pair : pairs_of(in.text(1))) pairs.push_back(pair);
  out.put_made(make_map(std::move(pairs)));
}

void put_replaced_all(std::string_view map, const RowArguments& in, RowResult& out) {
  if (!is_map(in, 1)) return;
  Pairs pairs = pairs_of(map);
  for (ObjectPair& pair : pairs) {
    pair.second = find_in_map(in.text(1), pair.first).value_or(pair.second);
  }
  out.put_made(make_map(std::move(pairs)));
}

void put_removed(std::string_view map, const RowArguments& in, RowResult& out) {
  Pairs pairs = pairs_of(map);
  std::string key = in.to_object(1);
  std::erase_if(pairs, [&](const ObjectPair& pair) { return pair.first == key; });
  out.put_made(make_map(std::move(pairs)));
}

void put_got(std::string_view map, const RowArguments& in, RowResult& out) {
  auto value = find_in_map(map, in.to_object(1));
  if (value) return out.put_object(*value);
  if (in.size() > 2) out.put_object(in.to_object(2));
}

void put_contains_key(std::string_view map, const RowArguments& in, RowResult& out) {
  put_truth(find_in_map(map, in.to_object(1)).has_value(), out);
}

void put_contains_value(std::string_view map, const RowArguments& in, RowResult& out) {
  std::string value = in.to_object(1);
  bool found = false;
  for (const ObjectPair& pair : pairs_of(map)) found = found || pair.second == value;
  put_truth(found, out);
}

template <bool kKeys>
void put_side(std::string_view map, const RowArguments&, RowResult& out) {
  std::vector<std::string_view> parts;
  for (auto [key, value] : pairs_of(map)) parts.push_back(kKeys ? key : value);
  out.put_made(make_list(parts));
}

/// For each key of any of the maps, a list of what each map has for it.
void put_combined(const RowArguments& in, RowResult& out) {
  std::map<std::string_view, std::vector<std::string_view>> values;
  std::string null = encode_object({});
  for (size_t i = 0; i < in.size(); ++i) {
    if (!is_map(in, i)) return;
    for (auto [key, value] : pairs_of(in.text(i))) {
      auto& list = values.try_emplace(key, in.size(), null).first->second;
      list[i] = value;
    }
  }
  std::vector<std::pair<std::string_view, std::string>> lists;
  for (const auto& [key, list] : values) {
    std::optional<std::string> made = make_list(list);
    if (!made) return;
    lists.emplace_back(key, std::move(*made));
  }
  out.put_made(make_map({lists.begin(), lists.end()}));
}

void put_from_json(const RowArguments& in, RowResult& out) {
  std::optional<std::string> object = parse_json(in.text(0));
  if (object && tag_of(*object) == ObjectTag::kMap) out.put_object(*object);
}

void put_from_xml(const RowArguments& in, RowResult& out) {
  out.put_made(parse_xml_map(in.text(0)));
}

void put_json(std::string_view map, const RowArguments&, RowResult& out) {
  out.put_text(json_text(map));
}

void put_xml(std::string_view map, const RowArguments& in, RowResult& out) {
  bool rooted = in.size() > 1 && !in.is_null(1);
  out.put_text(xml_text(map, rooted ? in.text(1) : std::string_view()));
}

FunctionEntry entry(std::string_view name, std::string_view signature, std::string_view doc,
                    RowFunction body) {
  return row_entry("map", name, signature, doc, std::move(body), Nulls::kAreTaken);
}

}  // namespace

std::vector<FunctionEntry> map_functions() {
  return {
      entry("clear", "(<object> map) <object>", "A map without keys.",
            [](const RowArguments&, RowResult& out) { out.put_made(make_map({})); }),
      entry("clone", "(<object> map) <object>", "The map.",
            [](const RowArguments& in, RowResult& out) {
              if (is_map(in, 0)) out.put_argument(in, 0);
            }),
      entry("combineByKey", "(<object> map, <object> other, ...) <object>",
            "For each key a list of what each map has for it.", put_combined),
      entry("containsKey", "(<object> map, <any> key) <bool>", "Has the map the key?",
            with_map<put_contains_key>),
      entry("containsValue", "(<object> map, <any> value) <bool>", "Has the map the value?",
            with_map<put_contains_value>),
      {"map", "create", "([<any> key, <any> value, ...]) <object>",
       "A map of the keys with their values.", make_create},
      row_entry("map", "createFromJSON", "(<string> json) <object>",
                "The members of a JSON object; null where the text is none.", put_from_json),
      row_entry("map", "createFromXML", "(<string> xml) <object>",
                "The elements inside of the outermost one, by their names; null where the text is "
                "no XML.",
                put_from_xml),
      entry("get", "(<object> map, <any> key, [<any> default]) <object>",
            "The key's value; the default or null where there is none.", with_map<put_got>),
      entry("isEmpty", "(<object> map) <bool>", "Has the map no keys?",
            [](const RowArguments& in, RowResult& out) {
              if (is_map(in, 0)) put_truth(size_of_object(in.text(0)) == 0, out);
            }),
      entry("isMap", "(<any> value) <bool>", "Is the value a map?",
            [](const RowArguments& in, RowResult& out) { put_truth(is_map(in, 0), out); }),
      entry("keys", "(<object> map) <object>", "A list of the keys.", with_map<put_side<true>>),
      entry("put", "(<object> map, <any> key, <any> value) <object>",
            "The map with a value for the key.", with_map<put_put>),
      entry("putAll", "(<object> map, <object> other) <object>",
            "The map with the keys and values of another.", with_map<put_all>),
      entry("putIfAbsent", "(<object> map, <any> key, <any> value) <object>",
            "The map with a value for the key, unless it has one.", with_map<put_if_absent>),
      entry("remove", "(<object> map, <any> key) <object>", "The map without the key.",
            with_map<put_removed>),
      entry("replace", "(<object> map, <any> key, <any> value) <object>",
            "The map with another value for the key, if it has one.", with_map<put_replaced>),
      entry("replaceAll", "(<object> map, <object> other) <object>",
            "The map with the values that another has for its keys.", with_map<put_replaced_all>),
      entry("size", "(<object> map) <int>", "Number of keys.",
            [](const RowArguments& in, RowResult& out) {
              if (is_map(in, 0)) out.put(static_cast<int32_t>(size_of_object(in.text(0))));
            }),
      entry("toJSON", "(<object> map) <string>", "The map as a JSON object.", with_map<put_json>),
      entry("toXML", "(<object> map, [<string> root]) <string>",
            "The map as XML, an element a key, with a root around them where one is named.",
            with_map<put_xml>),
      entry("values", "(<object> map) <object>", "A list of the values, in order of the keys.",
            with_map<put_side<false>>),
  };
}

}  // namespace pollux

// The list: namespace. A list that is changed is another one; what it was made of stays as it is.
#include <algorithm>
#include <string>

#include "engine/expression/constant_arguments.h"
#include "engine/expression/function_registry.h"
#include "engine/expression/signature.h"
#include "engine/types/object_value.h"

namespace pollux {
namespace {

using Parts = std::vector<std::string_view>;

bool is_list(const RowArguments& in, size_t i) {
  return in.type(i) == AttributeType::kObject && !in.is_null(i) &&
         tag_of(in.text(i)) == ObjectTag::kList;
}

/// A body over the parts of the first argument; what is no list gives null.
template <void (*kBody)(Parts parts, const RowArguments& in, RowResult& out)>
void with_parts(const RowArguments& in, RowResult& out) {
  if (is_list(in, 0)) kBody(parts_of(in.text(0)), in, out);
}

/// The same for two lists.
template <void (*kBody)(Parts parts, const Parts& others, RowResult& out)>
void with_lists(const RowArguments& in, RowResult& out) {
  if (is_list(in, 0) && is_list(in, 1)) kBody(parts_of(in.text(0)), parts_of(in.text(1)), out);
}

bool contains(const Parts& parts, std::string_view part) {
  return std::find(parts.begin(), parts.end(), part) != parts.end();
}

void put_created(const RowArguments& in, RowResult& out) {
  std::vector<std::string> parts;
  for (size_t i = 0; i < in.size(); ++i) parts.push_back(in.to_object(i));
  out.put_made(make_list({parts.begin(), parts.end()}));
}

void put_added(Parts parts, const RowArguments& in, RowResult& out) {
  std::string value = in.to_object(1);
  int64_t place = static_cast<int64_t>(parts.size());
  if (in.size() > 2) {
    if (in.is_null(2)) return;
    place = in.integer(2);
  }
  if (place < 0 || place > static_cast<int64_t>(parts.size())) return;
  parts.insert(parts.begin() + place, value);
  out.put_made(make_list(parts));
}

void put_joined(const RowArguments& in, RowResult& out) {
  if (!is_list(in, 0) || !is_list(in, 1)) return;
  bool distinct = in.size() > 2 && !in.is_null(2) && in.get<uint8_t>(2) != 0;
  Parts parts = parts_of(in.text(0));
  for (std::string_view part : parts_of(in.text(1))) {
    if (!distinct || !contains(parts, part)) parts.push_back(part);
  }
  out.put_made(make_list(parts));
}

void put_empty(const RowArguments&, RowResult& out) { out.put_made(make_list({})); }

void put_same(const RowArguments& in, RowResult& out) {
  if (is_list(in, 0)) out.put_argument(in, 0);
}

void put_contains(Parts parts, const RowArguments& in, RowResult& out) {
  out.put(static_cast<uint8_t>(contains(parts, in.to_object(1))));
}

void put_contains_all(Parts parts, const Parts& others, RowResult& out) {
  out.put(static_cast<uint8_t>(std::all_of(
      others.begin(), others.end(), [&](std::string_view o) { return contains(parts, o); })));
}

void put_contains_any(Parts parts, const Parts& others, RowResult& out) {
  out.put(static_cast<uint8_t>(std::any_of(
      others.begin(), others.end(), [&](std::string_view o) { return contains(parts, o); })));
}

bool has_place(const Parts& parts, const RowArguments& in, size_t argument) {
  return !in.is_null(argument) && in.integer(argument) >= 0 &&
         in.integer(argument) < static_cast<int64_t>(parts.size());
}

void put_got(Parts parts, const RowArguments& in, RowResult& out) {
  if (has_place(parts, in, 1)) out.put_object(parts[static_cast<size_t>(in.integer(1))]);
}

template <bool kLast>
void put_index(Parts parts, const RowArguments& in, RowResult& out) {
  std::string value = in.to_object(1);
  int32_t found = -1;
  for (size_t i = 0; i < parts.size() && (kLast || found < 0); ++i) {
    if (parts[i] == value) found = static_cast<int32_t>(i);
  }
  out.put(found);
}

void put_is_empty(Parts parts, const RowArguments&, RowResult& out) {
  out.put(static_cast<uint8_t>(parts.empty()));
}

void put_is_list(const RowArguments& in, RowResult& out) {
  out.put(static_cast<uint8_t>(is_list(in, 0)));
}

void put_removed(Parts parts, const RowArguments& in, RowResult& out) {
  auto at = std::find(parts.begin(), parts.end(), in.to_object(1));
  if (at != parts.end()) parts.erase(at);
  out.put_made(make_list(parts));
}

void put_removed_at(Parts parts, const RowArguments& in, RowResult& out) {
  if (!has_place(parts, in, 1)) return;
  parts.erase(parts.begin() + in.integer(1));
  out.put_made(make_list(parts));
}

template <bool kKept>
void put_filtered(Parts parts, const Parts& others, RowResult& out) {
  std::erase_if(parts, [&](std::string_view part) { return contains(others, part) != kKept; });
  out.put_made(make_list(parts));
}

void put_set(Parts parts, const RowArguments& in, RowResult& out) {
  if (!has_place(parts, in, 1)) return;
  std::string value = in.to_object(2);
  parts[static_cast<size_t>(in.integer(1))] = value;
  out.put_made(make_list(parts));
}

void put_size(Parts parts, const RowArguments&, RowResult& out) {
  out.put(static_cast<int32_t>(parts.size()));
}

/// Numbers by their values, whatever their types are; else as bytes order, which is by type and
/// then as the values do.
bool before(std::string_view a, std::string_view b) {
  auto left = number_of_object(a);
  auto right = number_of_object(b);
  if (left && right && *left != *right) return *left < *right;
  return a < b;
}

CallResult make_sort(std::vector<ExpressionPtr> arguments) {
  constexpr std::string_view kSignature = "(<object> list, [<string> order]) <object>";
  std::string order = "asc";
  if (arguments.size() == 2) {
    order = constant_text(arguments[1]).value_or("");
    for (char& c : order) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    if (order != "asc" && order != "desc" && order != "rev") {
      return CallError{"the order is none of those known", "'asc', 'desc' or 'rev', a constant"};
    }
    arguments.pop_back();
  }
  return call_by_signature(
      kSignature, std::move(arguments),
      [order](const RowArguments& in, RowResult& out) {
        if (!is_list(in, 0)) return;
        Parts parts = parts_of(in.text(0));
        if (order == "rev") {
          std::reverse(parts.begin(), parts.end());
        } else {
          std::stable_sort(parts.begin(), parts.end(), [&](std::string_view a, std::string_view b) {
            return order == "asc" ? before(a, b) : before(b, a);
          });
        }
        out.put_made(make_list(parts));
      },
      Nulls::kGiveNull);
}

FunctionEntry entry(std::string_view name, std::string_view signature, std::string_view doc,
                    RowFunction body) {
  return row_entry("list", name, signature, doc, std::move(body), Nulls::kAreTaken);
}

}  // namespace

std::vector<FunctionEntry> list_functions() {
  return {
      entry("add", "(<object> list, <any> value, [<int> index]) <object>",
            "The list with one more value, at its end or at an index.", with_parts<put_added>),
      entry("addAll", "(<object> list, <object> other, [<bool> distinct]) <object>",
            "The list with the values of another behind its own, all or those it lacks.",
            put_joined),
      entry("clear", "(<object> list) <object>", "A list without values.", put_empty),
      entry("clone", "(<object> list) <object>", "The list.", put_same),
      entry("contains", "(<object> list, <any> value) <bool>", "Does the list hold the value?",
            with_parts<put_contains>),
      entry("containsAll", "(<object> list, <object> other) <bool>",
            "Does the list hold all values of another?", with_lists<put_contains_all>),
      entry("containsAny", "(<object> list, <object> other) <bool>",
            "Does the list hold any value of another?", with_lists<put_contains_any>),
      entry("create", "([<any> value, ...]) <object>", "A list of the values.", put_created),
      entry("get", "(<object> list, <int> index) <object>",
            "The value at an index, from 0; null where there is none.", with_parts<put_got>),
      entry("indexOf", "(<object> list, <any> value) <int>",
            "Where the list holds the value first; -1 where it does not.",
            with_parts<put_index<false>>),
      entry("isEmpty", "(<object> list) <bool>", "Has the list no values?",
            with_parts<put_is_empty>),
      entry("isList", "(<any> value) <bool>", "Is the value a list?", put_is_list),
      entry("lastIndexOf", "(<object> list, <any> value) <int>",
            "Where the list holds the value last; -1 where it does not.",
            with_parts<put_index<true>>),
      entry("remove", "(<object> list, <any> value) <object>",
            "The list without the first such value.", with_parts<put_removed>),
      entry("removeAll", "(<object> list, <object> other) <object>",
            "The list without the values of another.", with_lists<put_filtered<false>>),
      entry("removeByIndex", "(<object> list, <int> index) <object>",
            "The list without the value at an index; null where there is none.",
            with_parts<put_removed_at>),
      entry("retainAll", "(<object> list, <object> other) <object>",
            "The list with only the values of another.", with_lists<put_filtered<true>>),
      entry("set", "(<object> list, <int> index, <any> value) <object>",
            "The list with another value at an index; null where there is none.",
            with_parts<put_set>),
      entry("size", "(<object> list) <int>", "Number of values.", with_parts<put_size>),
      {"list", "sort", "(<object> list, [<string> order]) <object>",
       "The list sorted: 'asc', 'desc', or 'rev' for its own order from the end.", make_sort},
  };
}

}  // namespace pollux

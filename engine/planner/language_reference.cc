#include "engine/planner/language_reference.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <vector>

#include "engine/expression/function_registry.h"
#include "engine/operators/aggregator_table.h"
#include "engine/operators/stream_function.h"
#include "engine/planner/window_table.h"

namespace pollux {
namespace {

enum class Sort : uint8_t { kFunction, kAggregate, kStreamFunction, kWindow };

struct Line {
  std::string name_space, name, signature, doc;
  Sort sort;
};

struct SortTitle {
  Sort sort;
  std::string_view title;
};
constexpr SortTitle kSorts[] = {{Sort::kFunction, "| function | |"},
                                {Sort::kAggregate, "| aggregate | over the window |"},
                                {Sort::kStreamFunction, "| stream function | |"},
                                {Sort::kWindow, "| window | what it holds |"}};

/// `|` ends a cell of a table.
std::string cell(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

/// A signature of several forms has each of them named: "(..) <int>, (..) <long>".
std::string shown_call(const Line& line) {
  std::string name = full_name(line.name_space, line.name);
  if (line.sort == Sort::kStreamFunction) name.insert(0, "#");
  if (line.sort == Sort::kWindow) name.insert(0, "#window.");
  std::string shown;
  std::string_view rest = line.signature;
  while (!rest.empty()) {
    size_t end = std::min(rest.find(">, ("), rest.size() - 1);
    if (!shown.empty()) shown += "<br>";
    shown += "`" + name + cell(rest.substr(0, end + 1)) + "`";
    rest.remove_prefix(std::min(end + 3, rest.size()));
  }
  return shown;
}

template <class Entry>
void add_lines(const std::vector<Entry>& table, Sort sort, std::vector<Line>& lines) {
  for (const Entry& entry : table) {
    lines.push_back({std::string(entry.name_space), std::string(entry.name),
                     std::string(entry.signature), std::string(entry.doc), sort});
  }
}

std::vector<Line> all_lines() {
  std::vector<Line> lines;
  add_lines(function_table(), Sort::kFunction, lines);
  add_lines(aggregator_table(), Sort::kAggregate, lines);
  add_lines(stream_function_table(), Sort::kStreamFunction, lines);
  for (const WindowEntry& entry : window_table()) {
    size_t colon = entry.name.find(':');
    bool core = colon == std::string_view::npos;
    lines.push_back({std::string(core ? "" : entry.name.substr(0, colon)),
                     std::string(core ? entry.name : entry.name.substr(colon + 1)),
                     std::string(entry.signature), std::string(entry.doc), Sort::kWindow});
  }
  std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
    return std::tie(a.name_space, a.name) < std::tie(b.name_space, b.name);
  });
  return lines;
}

}  // namespace

std::string language_reference() {
  std::string page =
      "# Functions, aggregates and windows of SiddhiQL\n\n"
      "Written from the tables of the engine: `language_reference` (`tests/reference`) prints this "
      "page.\n"
      "What stands behind `[` may be left out, `...` is more of the same, `number` is any of the\n"
      "numeric types, and `any` is any type. An int is taken where a long is wanted, and any "
      "number\n"
      "where a double is. A `time` is a constant such as `10 sec`, or milliseconds. Where nothing "
      "else\n"
      "is said, a null argument of a function gives null.\n";
  std::vector<Line> lines = all_lines();
  std::set<std::string> spaces;
  for (const Line& line : lines) spaces.insert(line.name_space);
  for (const std::string& space : spaces) {
    page += space.empty() ? "\n## Core\n" : "\n## " + space + ":\n";
    for (const auto& [sort, title] : kSorts) {
      bool first = true;
      for (const Line& line : lines) {
        if (line.name_space != space || line.sort != sort) continue;
        if (first) page.append("\n").append(title).append("\n|---|---|\n");
        first = false;
        page += "| " + shown_call(line) + " | " + cell(line.doc) + " |\n";
      }
    }
  }
  return page;
}

}  // namespace pollux

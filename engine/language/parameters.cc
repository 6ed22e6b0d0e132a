#include "engine/language/parameters.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <tuple>
#include <utility>

#include "engine/language/parser.h"

namespace pollux {
namespace {

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

void advance(Location& location, std::string_view passed) {
  for (char c : passed) {
    if (c == '\n') {
      ++location.line;
      location.column = 1;
    } else {
      ++location.column;
    }
  }
}

bool before(const Location& a, const Location& b) {
  return std::tie(a.line, a.column) < std::tie(b.line, b.column);
}

}  // namespace

bool is_parameter_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), is_name_byte);
}

class FilledText::Reader {
 public:
  Reader(std::string_view text, const PlanParameters& parameters, FilledText& out)
      : rest_(text), parameters_(parameters), out_(out) {}

  void run() {
    while (!rest_.empty() && out_.filled_.size() <= kTextBytesMax) {
      if (parameter()) continue;
      if (script_depth_ > 0) {
        script_depth_ += rest_[0] == '{' ? 1 : 0;
        script_depth_ -= rest_[0] == '}' ? 1 : 0;
        keep(1);
      } else if (!string_end_.empty()) {
        in_string();
      } else {
        outside();
      }
    }
  }

 private:
  void keep(size_t size) {
    std::string_view kept = rest_.substr(0, size);
    out_.filled_ += kept;
    advance(original_, kept);
    advance(filled_, kept);
    rest_.remove_prefix(kept.size());
  }
  /// Up to and with the next `end`, or all that is left.
  void keep_through(std::string_view end, size_t from) {
    size_t at = rest_.find(end, from);
    keep(at == std::string_view::npos ? rest_.size() : at + end.size());
  }

  void outside() {
    for (std::string_view quote : {"\"\"\"", "\"", "'", "`"}) {
      if (!rest_.starts_with(quote)) continue;
      string_end_ = quote;
      return keep(quote.size());
    }
    if (rest_.starts_with("--")) return keep_through("\n", 2);
    if (rest_.starts_with("/*")) return keep_through("*/", 2);
    if (rest_[0] == '{') script_depth_ = 1;
    keep(1);
  }

  void in_string() {
    bool ends = rest_.starts_with(string_end_);
    bool broken = string_end_.size() == 1 && rest_[0] == '\n';
    size_t size = ends ? string_end_.size() : 1;
    if (ends || broken) string_end_ = {};
    keep(size);
  }

  /// True when a parameter stood here, and was replaced.
  bool parameter() {
    if (!rest_.starts_with("${")) return false;
    size_t end = 2;
    while (end < rest_.size() && is_name_byte(rest_[end])) ++end;
    std::string_view name = rest_.substr(2, end - 2);
    std::optional<std::string_view> value;
    if (rest_.substr(end).starts_with(":")) {
      size_t closing = rest_.find_first_of("}\r\n", end);
      if (closing == std::string_view::npos || rest_[closing] != '}') return false;
      value = rest_.substr(end + 1, closing - end - 1);
      end = closing;
    }
    if (name.empty() || !rest_.substr(end).starts_with("}")) return false;
    if (auto given = parameters_.find(name); given != parameters_.end()) value = given->second;
    if (!value) report(name);
    replace(rest_.substr(0, end + 1), value.value_or(std::string_view()));
    return true;
  }

  void replace(std::string_view written, std::string_view value) {
    Replaced replaced;
    replaced.filled_begin = filled_;
    replaced.original_begin = original_;
    out_.filled_ += value;
    advance(filled_, value);
    advance(original_, written);
    replaced.filled_end = filled_;
    replaced.original_end = original_;
    out_.replaced_.push_back(replaced);
    rest_.remove_prefix(written.size());
  }

  void report(std::string_view name) {
    if (out_.errors_.size() > kDiagnosticsMax) return;
    std::vector<std::string> known;
    for (const auto& [given, value] : parameters_) known.push_back(given);
    std::string near = nearest_name(std::string(name), known);
    out_.errors_.push_back({original_, "parameter " + in_quotes(name) + " has no value",
                            "a value for it, or a default: ${" + std::string(name) + ":...}",
                            near.empty() ? "" : "did you mean " + in_quotes(near) + "?"});
  }

  std::string_view rest_;
  const PlanParameters& parameters_;
  FilledText& out_;
  Location original_, filled_;
  std::string_view string_end_;  ///< of the string that is being read; empty outside
  size_t script_depth_ = 0;
};

FilledText::FilledText(std::string_view text, const PlanParameters& parameters) {
  Reader(text, parameters, *this).run();
  in_order_of_place(errors_);
}

Location FilledText::original(Location filled) const {
  auto behind = std::upper_bound(
      replaced_.begin(), replaced_.end(), filled,
      [](const Location& at, const Replaced& each) { return before(at, each.filled_begin); });
  if (behind == replaced_.begin()) return filled;
  const Replaced& last = *std::prev(behind);
  if (before(filled, last.filled_end)) return last.original_begin;
  Location out = last.original_end;
  if (filled.line == last.filled_end.line) {
    out.column += filled.column - last.filled_end.column;
  } else {
    out.line += filled.line - last.filled_end.line;
    out.column = filled.column;
  }
  return out;
}

void FilledText::to_original(Diagnostics& diagnostics) const {
  for (Diagnostic& diagnostic : diagnostics) diagnostic.location = original(diagnostic.location);
}

}  // namespace pollux

// Functions that take regular expressions (of RE2: no references back, no looking around): the
// regex: namespace and what of str: takes them.
#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/utf8_text.h"
#include "engine/expression/constant_arguments.h"
#include "engine/expression/function_registry.h"
#include "engine/expression/signature.h"
#include "engine/expression/split_list.h"
#include "engine/types/object_value.h"

namespace pollux {
namespace {

/// Memory that one expression may take at most.
constexpr int64_t kPatternBytesMax = 8 << 20;

std::shared_ptr<const RE2> compile(std::string_view text) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternBytesMax);
  return std::make_shared<const RE2>(re2::StringPiece(text.data(), text.size()), options);
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

/// The compiled expression of a call: known when the plan is made, or that of the last row.
class Pattern {
 public:
  explicit Pattern(std::shared_ptr<const RE2> constant) : compiled_(std::move(constant)) {}

  /// Null when the text is no expression.
  const RE2* of(std::string_view text) {
    if (compiled_ == nullptr || compiled_->pattern() != text) compiled_ = compile(text);
    return compiled_->ok() ? compiled_.get() : nullptr;
  }

 private:
  std::shared_ptr<const RE2> compiled_;
};

using PatternBody = void (*)(const RE2& pattern, const RowArguments& in, RowResult& out);

/// An entry whose argument `place` is the expression. Rows with a null, or whose expression is
/// none, give null.
FunctionEntry pattern_entry(std::string_view name_space, std::string_view name,
                            std::string_view signature, std::string_view doc, size_t place,
                            PatternBody body) {
  auto make = [=](std::vector<ExpressionPtr> arguments) -> CallResult {
    std::shared_ptr<const RE2> constant;
    if (place < arguments.size()) {
      if (std::optional<std::string> text = constant_text(arguments[place])) {
        constant = compile(*text);
        if (!constant->ok()) {
          return CallError{"'" + *text + "' is no regular expression: " + constant->error(),
                           "an expression of RE2's syntax"};
        }
      }
    }
    auto pattern = std::make_shared<Pattern>(std::move(constant));
    auto run = [pattern, place, body](const RowArguments& in, RowResult& out) {
      const RE2* compiled = pattern->of(in.text(place));
      if (compiled != nullptr) body(*compiled, in, out);
    };
    return call_by_signature(signature, std::move(arguments), run, Nulls::kGiveNull);
  };
  return {name_space, name, signature, doc, make};
}

void put_truth(bool truth, RowResult& out) { out.put(static_cast<uint8_t>(truth)); }

void put_find(const RE2& pattern, const RowArguments& in, RowResult& out) {
  std::string_view text = in.text(1);
  size_t start = 0;
  if (in.size() > 2) {
    int64_t character = in.integer(2);
    if (character < 0 || character > count_characters(text)) return;
    start = byte_of_character(text, character);
  }
  put_truth(pattern.Match(piece(text), start, text.size(), RE2::UNANCHORED, nullptr, 0), out);
}

void put_matches(const RE2& pattern, const RowArguments& in, RowResult& out) {
  put_truth(RE2::FullMatch(piece(in.text(1)), pattern), out);
}

void put_looking_at(const RE2& pattern, const RowArguments& in, RowResult& out) {
  std::string_view text = in.text(1);
  put_truth(pattern.Match(piece(text), 0, text.size(), RE2::ANCHOR_START, nullptr, 0), out);
}

/// The text of a group of the first match; nothing where it took no part.
void put_group(const RE2& pattern, std::string_view text, int64_t group, RowResult& out) {
  if (group < 0 || group > pattern.NumberOfCapturingGroups()) return;
  std::vector<re2::StringPiece> groups(static_cast<size_t>(group) + 1);
  if (!pattern.Match(piece(text), 0, text.size(), RE2::UNANCHORED, groups.data(),
                     static_cast<int>(groups.size()))) {
    return;
  }
  re2::StringPiece found = groups.back();
  if (found.data() != nullptr) out.put_text({found.data(), found.size()});
}

void put_regex_group(const RE2& pattern, const RowArguments& in, RowResult& out) {
  put_group(pattern, in.text(1), in.integer(2), out);
}

void put_regexp(const RE2& pattern, const RowArguments& in, RowResult& out) {
  put_truth(RE2::FullMatch(piece(in.text(0)), pattern), out);
}

/// Java's $1 and \$ in a replacement, for one match.
void append_replacement(std::string_view replacement, const std::vector<re2::StringPiece>& groups,
                        std::string& to) {
  for (size_t i = 0; i < replacement.size(); ++i) {
    bool more = i + 1 < replacement.size();
    if (replacement[i] == '\\' && more) {
      to += replacement[++i];
    } else if (replacement[i] == '$' && more && replacement[i + 1] >= '0' &&
               replacement[i + 1] <= '9') {
      auto group = static_cast<size_t>(replacement[++i] - '0');
      if (group < groups.size()) to.append(groups[group].data(), groups[group].size());
    } else {
      to += replacement[i];
    }
  }
}

template <bool kAll>
void put_replaced(const RE2& pattern, const RowArguments& in, RowResult& out) {
  std::string_view text = in.text(0);
  std::string replaced;
  std::vector<re2::StringPiece> groups(static_cast<size_t>(pattern.NumberOfCapturingGroups()) + 1);
  size_t at = 0;
  while (at <= text.size() && pattern.Match(piece(text), at, text.size(), RE2::UNANCHORED,
                                            groups.data(), static_cast<int>(groups.size()))) {
    auto begin = static_cast<size_t>(groups[0].data() - text.data());
    replaced += text.substr(at, begin - at);
    append_replacement(in.text(2), groups, replaced);
    at = begin + groups[0].size();
    if (groups[0].empty()) {  // an empty match stands before a character, which is kept
      size_t next = at + byte_of_character(text.substr(at), 1);
      replaced += text.substr(at, next - at);
      at = next == at ? text.size() + 1 : next;
    }
    if (replaced.size() > kObjectBytesMax) return;
    if (!kAll) break;
  }
  if (at < text.size()) replaced += text.substr(at);
  out.put_text(replaced);
}

/// Parts between the matches; empty ones at the end do not count.
std::vector<std::string_view> split(const RE2& pattern, std::string_view text) {
  std::vector<std::string_view> parts;
  size_t part = 0;
  re2::StringPiece match;
  for (size_t at = 0; at < text.size();) {
    if (!pattern.Match(piece(text), at, text.size(), RE2::UNANCHORED, &match, 1)) break;
    auto begin = static_cast<size_t>(match.data() - text.data());
    if (match.empty() && begin == part) {
      at = part + byte_of_character(text.substr(part), 1);
      if (at >= text.size()) break;
      if (!pattern.Match(piece(text), at, text.size(), RE2::UNANCHORED, &match, 1)) break;
      begin = static_cast<size_t>(match.data() - text.data());
      if (begin >= text.size()) break;
    }
    if (begin > 0 || !match.empty()) parts.push_back(text.substr(part, begin - part));
    part = at = begin + match.size();
  }
  parts.push_back(text.substr(part));
  while (parts.size() > 1 && parts.back().empty()) parts.pop_back();
  return parts;
}

void put_split(const RE2& pattern, const RowArguments& in, RowResult& out) {
  std::vector<std::string_view> parts = split(pattern, in.text(0));
  int64_t index = in.integer(2);
  if (index >= 0 && static_cast<size_t>(index) < parts.size()) {
    out.put_text(parts[static_cast<size_t>(index)]);
  }
}

void put_parts(const RE2& pattern, const RowArguments& in, RowResult& out) {
  std::vector<std::string> parts;
  for (std::string_view part : split(pattern, in.text(0))) {
    parts.push_back(encode_text_object(part));
  }
  out.put_made(make_list({parts.begin(), parts.end()}));
}

void put_part(const RowArguments& in, RowResult& out) {
  int64_t begin = in.integer(1);
  int64_t size = count_characters(in.text(0));
  int64_t length = in.size() > 2 ? in.integer(2) : size - begin;
  if (begin < 0 || length < 0 || begin + length > size) return;
  std::string_view rest = in.text(0).substr(byte_of_character(in.text(0), begin));
  out.put_text(rest.substr(0, byte_of_character(rest, length)));
}

void put_matched_part(const RE2& pattern, const RowArguments& in, RowResult& out) {
  put_group(pattern, in.text(0), in.size() > 2 ? in.integer(2) : 0, out);
}

/// str:substr has two forms: by indexes, and by an expression.
CallResult make_substr(std::vector<ExpressionPtr> arguments) {
  if (arguments.size() > 1 && arguments[1]->type() == AttributeType::kString) {
    return pattern_entry("str", "substr", "(<string> text, <string> regex, [<int> group]) <string>",
                         "", 1, put_matched_part)
        .make(std::move(arguments));
  }
  return call_by_signature("(<string> text, <int> begin, [<int> length]) <string>",
                           std::move(arguments), put_part, Nulls::kGiveNull);
}

}  // namespace

CallResult make_split_list(std::vector<ExpressionPtr> arguments) {
  return pattern_entry("", "", "(<string> text, <string> regex) <object>", "", 1, put_parts)
      .make(std::move(arguments));
}

std::vector<FunctionEntry> pattern_functions() {
  return {
      pattern_entry("regex", "find", "(<string> regex, <string> text, [<int> start]) <bool>",
                    "Does a part of the text match, from a start on?", 0, put_find),
      pattern_entry("regex", "group", "(<string> regex, <string> text, <int> group) <string>",
                    "What a group of the first match took; null where there is none.", 0,
                    put_regex_group),
      pattern_entry("regex", "lookingAt", "(<string> regex, <string> text) <bool>",
                    "Does the beginning of the text match?", 0, put_looking_at),
      pattern_entry("regex", "matches", "(<string> regex, <string> text) <bool>",
                    "Does the whole text match?", 0, put_matches),
      pattern_entry("str", "regexp", "(<string> text, <string> regex) <bool>",
                    "Does the whole text match?", 1, put_regexp),
      pattern_entry("str", "replaceAll",
                    "(<string> text, <string> regex, <string> replacement) <string>",
                    "The text with each match replaced; $1 in the replacement is the first group.",
                    1, put_replaced<true>),
      pattern_entry("str", "replaceFirst",
                    "(<string> text, <string> regex, <string> replacement) <string>",
                    "The text with the first match replaced.", 1, put_replaced<false>),
      pattern_entry("str", "split", "(<string> text, <string> regex, <int> index) <string>",
                    "A part of the text between matches, from 0; null where there is none.", 1,
                    put_split),
      {"str", "substr",
       "(<string> text, <int> begin, [<int> length]) <string>, "
       "(<string> text, <string> regex, [<int> group]) <string>",
       "The part of a text from an index on, so many characters of it, or what matches; null where "
       "there is none.",
       make_substr},
  };
}

}  // namespace pollux

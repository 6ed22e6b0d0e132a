// The str: namespace, but for what takes regular expressions. Characters are Unicode code points.
#include <algorithm>
#include <string>

#include "engine/base/utf8_text.h"
#include "engine/expression/function_registry.h"
#include "engine/expression/signature.h"
#include "engine/types/object_value.h"

namespace pollux {
namespace {

template <char32_t (*kCase)(char32_t)>
void put_case(const RowArguments& in, RowResult& out) {
  std::u32string characters = characters_of(in.text(0));
  for (char32_t& c : characters) c = kCase(c);
  out.put_text(text_of(characters));
}

void put_concat(const RowArguments& in, RowResult& out) {
  std::string text;
  for (size_t i = 0; i < in.size(); ++i) {
    if (!in.is_null(i)) text += in.to_text(i);
    if (text.size() > kObjectBytesMax) return;
  }
  out.put_text(text);
}

void put_coalesce(const RowArguments& in, RowResult& out) {
  for (size_t i = 0; i < in.size(); ++i) {
    if (!in.is_null(i)) return out.put_argument(in, i);
  }
}

void put_contains(const RowArguments& in, RowResult& out) {
  bool found =
      !in.is_null(0) && !in.is_null(1) && in.text(0).find(in.text(1)) != std::string_view::npos;
  out.put(static_cast<uint8_t>(found));
}

void put_equals_ignoring_case(const RowArguments& in, RowResult& out) {
  bool equal = !in.is_null(0) && !in.is_null(1);
  if (equal) {
    std::u32string a = characters_of(in.text(0));
    std::u32string b = characters_of(in.text(1));
    equal = std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char32_t x, char32_t y) {
      return lower_case(upper_case(x)) == lower_case(upper_case(y));
    });
  }
  out.put(static_cast<uint8_t>(equal));
}

void put_character_at(const RowArguments& in, RowResult& out) {
  int32_t index = in.get<int32_t>(1);
  std::u32string characters = characters_of(in.text(0));
  if (index < 0 || static_cast<size_t>(index) >= characters.size()) return;
  out.put_text(text_of(characters.substr(static_cast<size_t>(index), 1)));
}

void put_frequency(const RowArguments& in, RowResult& out) {
  std::string_view part = in.text(1);
  if (part.empty()) return out.put(int32_t{0});
  int32_t count = 0;
  for (size_t at = in.text(0).find(part); at != std::string_view::npos;
       at = in.text(0).find(part, at + part.size())) {
    ++count;
  }
  out.put(count);
}

void put_place(const RowArguments& in, RowResult& out) {
  int64_t start = in.size() > 2 ? in.integer(2) : 0;
  if (start < 0) return;
  std::string_view text = in.text(1);
  size_t at = text.find(in.text(0), byte_of_character(text, start));
  bool found = at != std::string_view::npos && start <= count_characters(text);
  out.put(found ? static_cast<int32_t>(count_characters(text.substr(0, at))) : int32_t{-1});
}

void put_repeated(const RowArguments& in, RowResult& out) {
  int64_t times = in.integer(1);
  std::string_view text = in.text(0);
  if (times < 0 ||
      (!text.empty() && static_cast<uint64_t>(times) > kObjectBytesMax / text.size())) {
    return;
  }
  std::string repeated;
  for (int64_t i = 0; i < times && !text.empty(); ++i) repeated += text;
  out.put_text(repeated);
}

void put_reversed(const RowArguments& in, RowResult& out) {
  std::u32string characters = characters_of(in.text(0));
  std::reverse(characters.begin(), characters.end());
  out.put_text(text_of(characters));
}

/// As Java compares: the distance of the first characters that differ, else of the lengths.
void put_comparison(const RowArguments& in, RowResult& out) {
  std::u32string a = characters_of(in.text(0));
  std::u32string b = characters_of(in.text(1));
  size_t common = std::min(a.size(), b.size());
  for (size_t i = 0; i < common; ++i) {
    if (a[i] != b[i]) return out.put(static_cast<int32_t>(a[i]) - static_cast<int32_t>(b[i]));
  }
  out.put(static_cast<int32_t>(a.size()) - static_cast<int32_t>(b.size()));
}

void put_trimmed(const RowArguments& in, RowResult& out) {
  std::string_view text = in.text(0);
  auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  out.put_text(text);
}

void put_hex(const RowArguments& in, RowResult& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (char c : in.text(0)) {
    hex += kDigits[static_cast<uint8_t>(c) >> 4];
    hex += kDigits[static_cast<uint8_t>(c) & 15];
  }
  out.put_text(hex);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void put_unhexed(const RowArguments& in, RowResult& out) {
  std::string_view hex = in.text(0);
  if (hex.size() % 2 != 0) return;
  std::string text;
  for (size_t i = 0; i < hex.size(); i += 2) {
    int high = hex_digit(hex[i]);
    int low = hex_digit(hex[i + 1]);
    if (high < 0 || low < 0) return;
    text += static_cast<char>(high * 16 + low);
  }
  // What is no UTF-8 must not get into a string.
  if (text_of(characters_of(text)) == text) out.put_text(text);
}

/// The value for a place in a template: a key of the map, or the number of an argument. Empty where
/// there is none.
std::optional<std::string> value_for(const RowArguments& in, std::string_view place) {
  while (!place.empty() && place.front() == ' ') place.remove_prefix(1);
  while (!place.empty() && place.back() == ' ') place.remove_suffix(1);
  if (in.type(1) == AttributeType::kObject) {
    if (in.is_null(1)) return std::nullopt;
    auto value = find_in_map(in.text(1), encode_text_object(place));
    if (!value || tag_of(*value) == ObjectTag::kNull) return std::nullopt;
    return object_text(*value);
  }
  size_t number = 0;
  for (char c : place) {
    if (c < '0' || c > '9' || number >= in.size()) return std::nullopt;
    number = number * 10 + static_cast<size_t>(c - '0');
  }
  if (number == 0 || number >= in.size() || in.is_null(number)) return std::nullopt;
  return in.to_text(number);
}

/// What is in {{ }} and has no value is left, without the brackets.
void put_filled(const RowArguments& in, RowResult& out) {
  if (in.is_null(0)) return;
  std::string_view rest = in.text(0);
  std::string filled;
  while (true) {
    size_t open = rest.find("{{");
    size_t close = open == std::string_view::npos ? open : rest.find("}}", open);
    if (close == std::string_view::npos) break;
    std::string_view place = rest.substr(open + 2, close - open - 2);
    filled += rest.substr(0, open);
    filled += value_for(in, place).value_or(std::string(place));
    rest.remove_prefix(close + 2);
    if (filled.size() > kObjectBytesMax) return;
  }
  out.put_text(filled.append(rest));
}

}  // namespace

std::vector<FunctionEntry> string_functions() {
  return {
      row_entry("str", "charAt", "(<string> text, <int> index) <string>",
                "The character at an index, from 0; null where there is none.", put_character_at),
      row_entry("str", "charFrequency", "(<string> text, <string> part) <int>",
                "How often a text holds another.", put_frequency),
      row_entry("str", "coalesce", "(<string> text, ...) <string>",
                "The first text that is not null.", put_coalesce, Nulls::kAreTaken),
      row_entry("str", "concat", "(<any> value, ...) <string>",
                "The values one behind the other; nulls are left out.", put_concat,
                Nulls::kAreTaken),
      row_entry("str", "contains", "(<string> text, <string> part) <bool>",
                "Does the text hold the part?", put_contains, Nulls::kAreTaken),
      row_entry("str", "equalsIgnoreCase", "(<string> text, <string> other) <bool>",
                "Are the texts equal but for the case of letters?", put_equals_ignoring_case,
                Nulls::kAreTaken),
      row_entry("str", "fillTemplate", "(<string> template, <any> value, ...) <string>",
                "The template with {{key}} replaced by values of a map, or {{1}}, {{2}} by the "
                "arguments.",
                put_filled, Nulls::kAreTaken),
      row_entry("str", "hex", "(<string> text) <string>",
                "The UTF-8 bytes of the text as hexadecimal digits.", put_hex),
      row_entry("str", "length", "(<string> text) <int>", "Number of characters.",
                [](const RowArguments& in, RowResult& out) {
                  out.put(static_cast<int32_t>(count_characters(in.text(0))));
                }),
      row_entry("str", "locate", "(<string> part, <string> text, [<int> start]) <int>",
                "Where the text holds the part, from 0; -1 where it does not.", put_place),
      row_entry("str", "lower", "(<string> text) <string>",
                "With Latin, Greek and Cyrillic letters small.", put_case<lower_case>),
      row_entry("str", "repeat", "(<string> text, <int> times) <string>", "The text so many times.",
                put_repeated),
      row_entry("str", "reverse", "(<string> text) <string>", "The characters last to first.",
                put_reversed),
      row_entry("str", "strcmp", "(<string> text, <string> other) <int>",
                "Below, at or above 0, as the first text orders before, with or behind the other.",
                put_comparison),
      row_entry("str", "trim", "(<string> text) <string>", "Without blanks at both ends.",
                put_trimmed),
      row_entry("str", "unhex", "(<string> hex) <string>",
                "The text of bytes in hexadecimal digits; null where they are none.", put_unhexed),
      row_entry("str", "upper", "(<string> text) <string>",
                "With Latin, Greek and Cyrillic letters large.", put_case<upper_case>),
  };
}

}  // namespace pollux

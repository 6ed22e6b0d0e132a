// Texts as characters: Unicode code points in UTF-8. A byte that begins no character counts as one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pollux {

/// The characters of a text.
std::u32string characters_of(std::string_view text);
void append_character(std::string& text, char32_t character);
std::string text_of(std::u32string_view characters);

/// How many characters there are.
int64_t count_characters(std::string_view text);
/// Bytes before the n-th character; the size of the text when it has no more.
size_t byte_of_character(std::string_view text, int64_t n);

// Letters of the Latin, Greek and Cyrillic alphabets; others are left as they are.
char32_t lower_case(char32_t letter);
char32_t upper_case(char32_t letter);

}  // namespace pollux

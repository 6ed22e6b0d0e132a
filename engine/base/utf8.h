// Well-formed UTF-8, as Unicode defines it (table 3-7). Thread: any.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pollux {

/// Bytes of the well-formed UTF-8 character that `text` begins with, 0 when it is broken. `text` is
/// not empty.
size_t utf8_size(std::string_view text);

/// `text` with U+FFFD for each byte that belongs to no character. Surrogates that were encoded one
/// by one become the character that a pair of them means.
std::string repaired_utf8(std::string_view text);

}  // namespace pollux

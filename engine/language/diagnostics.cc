#include "engine/language/diagnostics.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <tuple>
#include <utility>

namespace pollux {
namespace {

constexpr size_t kQuotedBytesMax = 40;

/// Longer names are nobody's misspelling, and the distance costs the product of the lengths.
constexpr size_t kNameBytesMax = 256;

std::string folded(const std::string& text) {
  std::string out = text;
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// Insertions, deletions, substitutions and swaps of neighbours, no letter touched twice
/// (Damerau-Levenshtein, optimal string alignment). Three rows of the table are enough.
size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> before_last(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

/// Bytes of the well-formed UTF-8 character that `text` begins with, 0 when it is broken.
size_t utf8_size(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  size_t size = byte(0) < 0x80   ? 1
                : byte(0) < 0xC2 ? 0
                : byte(0) < 0xE0 ? 2
                : byte(0) < 0xF0 ? 3
                : byte(0) < 0xF5 ? 4
                                 : 0;
  if (size == 0 || size > text.size()) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  if ((byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xED && byte(1) > 0x9F) ||
      (byte(0) == 0xF0 && byte(1) < 0x90) || (byte(0) == 0xF4 && byte(1) > 0x8F)) {
    return 0;
  }
  return size;
}

}  // namespace

std::string to_text(const Diagnostics& diagnostics, const std::string& file) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) {
    out += file + ":" + std::to_string(diagnostic.location.line) + ":" +
           std::to_string(diagnostic.location.column) + ": error: " + diagnostic.message;
    if (!diagnostic.expected.empty()) out += "; expected " + diagnostic.expected;
    if (!diagnostic.hint.empty()) out += "; hint: " + diagnostic.hint;
    out += "\n";
  }
  return out;
}

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  size_t done = 0;
  while (done < text.size() && done < kQuotedBytesMax) {
    size_t size = utf8_size(text.substr(done));
    auto byte = static_cast<unsigned char>(text[done]);
    if (size == 0 || byte < 0x20 || byte == 0x7F) {
      char escaped[8];
      std::snprintf(escaped, sizeof(escaped), "\\x%02X", byte);
      out += escaped;
      ++done;
    } else {
      out += text.substr(done, size);
      done += size;
    }
  }
  return out + (done < text.size() ? "...'" : "'");
}

std::string nearest_name(const std::string& name, const std::vector<std::string>& candidates) {
  if (name.empty() || name.size() > kNameBytesMax) return "";
  size_t threshold = std::max<size_t>(1, name.size() / 3);
  std::string wanted = folded(name);
  const std::string* best = nullptr;
  // Among candidates that are equally near letter case counts, then length: swapped and mistaken
  // letters are more frequent than lost ones. Then the first is taken.
  auto best_distance = std::tuple(std::numeric_limits<size_t>::max(), size_t{0}, size_t{0});
  for (const std::string& candidate : candidates) {
    size_t longer = std::max(candidate.size(), name.size());
    size_t shorter = std::min(candidate.size(), name.size());
    if (longer - shorter > threshold) continue;
    size_t near = edit_distance(wanted, folded(candidate));
    if (near > threshold || near > std::get<0>(best_distance)) continue;
    auto distance = std::tuple(near, edit_distance(name, candidate), longer - shorter);
    if (distance < best_distance) {
      best = &candidate;
      best_distance = distance;
    }
  }
  // A name of one letter is near to every other one.
  if (best == nullptr || std::get<0>(best_distance) >= std::max(name.size(), best->size()))
    return "";
  return *best;
}

}  // namespace pollux

#include "engine/language/diagnostics.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <tuple>
#include <utility>

#include "engine/base/utf8.h"

namespace pollux {
namespace {

constexpr size_t kQuotedBytesMax = 40;

/// Longer names are nobody's misspelling, and the distance costs the product of the lengths.
constexpr size_t kNameBytesMax = 256;

/// Steps after which no more candidates are looked at.
constexpr size_t kCompareStepsMax = 4'000'000;

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

void in_order_of_place(Diagnostics& diagnostics) {
  std::stable_sort(diagnostics.begin(), diagnostics.end(),
                   [](const Diagnostic& a, const Diagnostic& b) {
                     return std::tie(a.location.line, a.location.column) <
                            std::tie(b.location.line, b.location.column);
                   });
  if (diagnostics.size() <= kDiagnosticsMax) return;
  diagnostics.resize(kDiagnosticsMax);
  diagnostics.push_back(
      {diagnostics.back().location, "too many errors; the rest is not reported", "", ""});
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
  size_t steps = 0;
  // Among candidates that are equally near letter case counts, then length: swapped and mistaken
  // letters are more frequent than lost ones. Then the first is taken.
  auto best_distance = std::tuple(std::numeric_limits<size_t>::max(), size_t{0}, size_t{0});
  for (const std::string& candidate : candidates) {
    size_t longer = std::max(candidate.size(), name.size());
    size_t shorter = std::min(candidate.size(), name.size());
    if (longer - shorter > threshold) continue;
    steps += longer * shorter;
    if (steps > kCompareStepsMax) break;
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

#include "server/formats/csv_splitter.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace pollux {

namespace {

constexpr size_t kBlockBytes = 64;

/// One bit per byte of a block: where a comma, a line end or a quote stands, and whether any byte
/// is beyond ASCII.
struct BlockMarks {
  uint64_t marks;
  bool ascii;
};

#if defined(__SSE2__)

BlockMarks scan_block(const char* at) {
  const __m128i comma = _mm_set1_epi8(',');
  const __m128i line_end = _mm_set1_epi8('\n');
  const __m128i quote = _mm_set1_epi8('"');
  uint64_t marks = 0;
  __m128i all = _mm_setzero_si128();
  for (int i = 0; i < 4; ++i) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * i));
    __m128i hit =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, comma),
                     _mm_or_si128(_mm_cmpeq_epi8(bytes, line_end), _mm_cmpeq_epi8(bytes, quote)));
    auto bits = static_cast<uint32_t>(_mm_movemask_epi8(hit));
    marks |= static_cast<uint64_t>(bits) << (16 * i);
    all = _mm_or_si128(all, bytes);
  }
  return {marks, _mm_movemask_epi8(all) == 0};
}

#else

BlockMarks scan_block(const char* at) {
  uint64_t marks = 0;
  unsigned char all = 0;
  for (size_t i = 0; i < kBlockBytes; ++i) {
    char c = at[i];
    all |= static_cast<unsigned char>(c);
    if (c == ',' || c == '\n' || c == '"') marks |= uint64_t{1} << i;
  }
  return {marks, all < 0x80};
}

#endif

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

const char* find(char c, const char* begin, const char* end) {
  return static_cast<const char*>(std::memchr(begin, c, static_cast<size_t>(end - begin)));
}

}  // namespace

void CsvSplitter::grow_and_add(std::string_view text, bool quoted) {
  fields_.resize(std::min(kFieldsMax, fields_.size() * 2));
  fields_[kept_++] = {text, quoted};
}

CsvSplitter::Result CsvSplitter::finish(const char* end, const char* begin) {
  bytes_ = static_cast<size_t>(end - begin);
  return Result::kRecord;
}

CsvSplitter::Result CsvSplitter::split(std::string_view text, bool at_end) {
  kept_ = count_ = unquoted_used_ = 0;
  line_ends_ = 0;
  ascii_ = true;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* field = begin;
  const char* block = begin;
  while (block < end) {
    BlockMarks scanned = scan_block(block);
    ascii_ &= scanned.ascii;
    auto left = static_cast<size_t>(end - block);
    uint64_t marks = scanned.marks;
    if (left < kBlockBytes) marks &= (uint64_t{1} << left) - 1;
    const char* next_block = block + kBlockBytes;
    for (; marks != 0; marks &= marks - 1) {
      const char* at = block + std::countr_zero(marks);
      if (*at == ',') {
        add(between(field, at), false);
        field = at + 1;
      } else if (*at == '\n') {
        const char* last = at > field && at[-1] == '\r' ? at - 1 : at;
        add(between(field, last), false);
        ++line_ends_;
        return finish(at + 1, begin);
      } else if (at == field) {
        switch (read_quoted(at, end, at_end, next_block)) {
          case Quoted::kField:
            field = next_block;
            break;
          case Quoted::kLastField:
            return finish(next_block, begin);
          case Quoted::kOpen:
            return Result::kOpenQuote;
          case Quoted::kTextBehind:
            return Result::kTextAfterQuote;
        }
        break;  // scanning goes on behind the quoted field
      }
    }
    block = next_block;
  }
  if (!at_end) return Result::kIncomplete;
  const char* last = end > field && end[-1] == '\r' ? end - 1 : end;
  add(between(field, last), false);
  return finish(end, begin);
}

CsvSplitter::Quoted CsvSplitter::read_quoted(const char* at, const char* end, bool at_end,
                                             const char*& next) {
  ascii_ = false;  // these bytes are not scanned for it
  const char* piece = at + 1;
  std::string* joined = nullptr;
  const char* close;
  for (;;) {
    close = find('"', piece, end);
    if (close == nullptr) return Quoted::kOpen;
    if (close + 1 == end || close[1] != '"') break;
    if (joined == nullptr) {
      if (unquoted_used_ == unquoted_.size()) {
        unquoted_.push_back(std::make_unique<std::string>());
      }
      joined = unquoted_[unquoted_used_++].get();
      joined->clear();
    }
    joined->append(piece, close + 1);
    piece = close + 2;
  }
  // A quote as the last byte there is may yet turn out to be doubled.
  const char* behind = close + 1;
  if (behind == end && !at_end) return Quoted::kOpen;
  std::string_view text = between(piece, close);
  if (joined != nullptr) {
    joined->append(text);
    text = *joined;
  }
  for (const char* p = at; (p = find('\n', p, close)) != nullptr; ++p) ++line_ends_;
  if (behind < end && *behind == '\r') {
    if (behind + 1 == end && !at_end) return Quoted::kOpen;
    if (behind + 1 == end || behind[1] == '\n') ++behind;
  }
  add(text, true);
  next = behind;
  if (behind == end) return Quoted::kLastField;
  next = behind + 1;
  if (*behind == ',') return Quoted::kField;
  if (*behind != '\n') return Quoted::kTextBehind;
  ++line_ends_;
  return Quoted::kLastField;
}

}  // namespace pollux

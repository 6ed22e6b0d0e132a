// Cuts one CSV record (RFC 4180) into fields.
//
// Fields are separated by a comma, records by LF or CR LF. A field that begins with a quote ends at
// the next single quote; inside it commas and line ends are text and a doubled quote is one. A
// quote elsewhere is an ordinary character. Thread: one at a time. Never fails on memory beyond
// kFieldsMax fields and the record itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pollux {

struct CsvField {
  std::string_view text;  ///< without its quotes
  bool quoted = false;
};

class CsvSplitter {
 public:
  enum class Result : uint8_t {
    kRecord,         ///< a whole record
    kIncomplete,     ///< the text ends before the record does, outside quotes
    kOpenQuote,      ///< the text ends inside quotes
    kTextAfterQuote  ///< a closing quote is followed by something else than a comma or line end
  };

  /// Fields kept of one record; more are only counted.
  static constexpr size_t kFieldsMax = 4096;
  /// Bytes behind the text that must be readable.
  static constexpr size_t kPaddingBytes = 64;

  /// Splits the record at the start of `text`. `at_end`: nothing follows, so the end of the text
  /// ends the record. Fields are views into `text`, or into the splitter where quotes were doubled,
  /// until the next call.
  Result split(std::string_view text, bool at_end);

  std::span<const CsvField> fields() const { return {fields_.data(), kept_}; }
  size_t field_count() const { return count_; }
  size_t bytes() const { return bytes_; }            ///< of the record with its line end
  uint32_t line_ends() const { return line_ends_; }  ///< inside and behind it
  bool is_ascii() const { return ascii_; }           ///< false: maybe not
  bool is_blank() const { return count_ == 1 && fields_[0].text.empty() && !fields_[0].quoted; }

 private:
  void add(std::string_view text, bool quoted) {
    if (kept_ < fields_.size())
      fields_[kept_++] = {text, quoted};
    else if (kept_ < kFieldsMax)
      grow_and_add(text, quoted);
    ++count_;
  }
  void grow_and_add(std::string_view text, bool quoted);
  Result finish(const char* end, const char* begin);
  /// Reads the quoted field at `at`; `next` is where scanning goes on.
  enum class Quoted : uint8_t { kField, kLastField, kOpen, kTextBehind };
  Quoted read_quoted(const char* at, const char* end, bool at_end, const char*& next);

  std::vector<CsvField> fields_ = std::vector<CsvField>(64);
  size_t kept_ = 0;
  size_t count_ = 0;
  size_t bytes_ = 0;
  uint32_t line_ends_ = 0;
  bool ascii_ = true;
  std::vector<std::unique_ptr<std::string>> unquoted_;  // addresses stay while it grows
  size_t unquoted_used_ = 0;
};

}  // namespace pollux

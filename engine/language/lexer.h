// From SiddhiQL text to tokens: comments and white space are gone, every token has its place.
//
// Keywords are words too: nearly all of them may be names, so a token keeps its text, and only the
// parser knows which is meant. Thread: any. Failure: wrong characters and unfinished strings are
// reported; a wrong character leaves a kError token, an unfinished string is taken as it stands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/language/diagnostics.h"

namespace pollux {

enum class TokenKind : uint8_t {
  kEnd,     ///< behind the last token
  kError,   ///< characters that are no token; already reported
  kWord,    ///< name or keyword
  kQuoted,  ///< `name`, always a name
  kString,  ///< '..', "..", """.."""; `text` without its quotes
  kInt,     ///< digits
  kLong,    ///< digits and L; `text` without the suffix
  kFloat,   ///< number and F; `text` without the suffix
  kDouble,  ///< number with point, exponent or D; `text` without the suffix
  kScript,  ///< {..}; `text` without the outer braces
  kSymbol,  ///< punctuation, in `text`
};

/// The language's own words. Units of time have one entry for all their spellings.
enum class Keyword : uint8_t {
  kNone,
  kAggregate,
  kAggregation,
  kAll,
  kAnd,
  kAs,
  kAsc,
  kAt,
  kBegin,
  kBy,
  kCurrent,
  kDays,
  kDefine,
  kDelete,
  kDesc,
  kEnd,
  kEvents,
  kEvery,
  kExpired,
  kFalse,
  kFirst,
  kFor,
  kFrom,
  kFull,
  kFunction,
  kGroup,
  kHaving,
  kHours,
  kIn,
  kInner,
  kInsert,
  kInto,
  kIs,
  kJoin,
  kLast,
  kLeft,
  kLimit,
  kMilliseconds,
  kMinutes,
  kMonths,
  kNot,
  kNull,
  kOf,
  kOffset,
  kOn,
  kOr,
  kOrder,
  kOuter,
  kOutput,
  kOverwrite,
  kPartition,
  kPer,
  kRaw,
  kReturn,
  kRight,
  kSeconds,
  kSelect,
  kSet,
  kSnapshot,
  kStream,
  kTable,
  kTrigger,
  kTrue,
  kUnidirectional,
  kUpdate,
  kWeeks,
  kWindow,
  kWith,
  kWithin,
  kYears,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Keyword keyword = Keyword::kNone;  ///< of a kWord
  std::string_view text;             ///< a part of the source text, or a constant
  Location location;
};

/// The tokens of `text`, the last one kEnd; they refer to `text`. Errors go to `diagnostics`.
std::vector<Token> tokenize(std::string_view text, Diagnostics& diagnostics);

/// The keyword that `word` spells, letter case ignored; kNone for any other word.
Keyword keyword_from(std::string_view word);

/// The (first) spelling of a keyword, in lower case.
std::string_view text_of(Keyword keyword);

/// All spellings of a keyword, in lower case.
std::vector<std::string> spellings_of(Keyword keyword);

}  // namespace pollux

#include "engine/language/lexer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/language/parser.h"

namespace pollux {
namespace {

using Spelling = std::pair<std::string_view, Keyword>;

/// Sorted by spelling. Of several spellings of one keyword the first is the one in messages.
constexpr std::array kSpellings = {
    Spelling{"aggregate", Keyword::kAggregate},
    Spelling{"aggregation", Keyword::kAggregation},
    Spelling{"all", Keyword::kAll},
    Spelling{"and", Keyword::kAnd},
    Spelling{"as", Keyword::kAs},
    Spelling{"asc", Keyword::kAsc},
    Spelling{"at", Keyword::kAt},
    Spelling{"begin", Keyword::kBegin},
    Spelling{"by", Keyword::kBy},
    Spelling{"current", Keyword::kCurrent},
    Spelling{"day", Keyword::kDays},
    Spelling{"days", Keyword::kDays},
    Spelling{"define", Keyword::kDefine},
    Spelling{"delete", Keyword::kDelete},
    Spelling{"desc", Keyword::kDesc},
    Spelling{"end", Keyword::kEnd},
    Spelling{"events", Keyword::kEvents},
    Spelling{"every", Keyword::kEvery},
    Spelling{"expired", Keyword::kExpired},
    Spelling{"false", Keyword::kFalse},
    Spelling{"first", Keyword::kFirst},
    Spelling{"for", Keyword::kFor},
    Spelling{"from", Keyword::kFrom},
    Spelling{"full", Keyword::kFull},
    Spelling{"function", Keyword::kFunction},
    Spelling{"group", Keyword::kGroup},
    Spelling{"having", Keyword::kHaving},
    Spelling{"hour", Keyword::kHours},
    Spelling{"hours", Keyword::kHours},
    Spelling{"in", Keyword::kIn},
    Spelling{"inner", Keyword::kInner},
    Spelling{"insert", Keyword::kInsert},
    Spelling{"into", Keyword::kInto},
    Spelling{"is", Keyword::kIs},
    Spelling{"join", Keyword::kJoin},
    Spelling{"last", Keyword::kLast},
    Spelling{"left", Keyword::kLeft},
    Spelling{"limit", Keyword::kLimit},
    Spelling{"millisec", Keyword::kMilliseconds},
    Spelling{"millisecond", Keyword::kMilliseconds},
    Spelling{"milliseconds", Keyword::kMilliseconds},
    Spelling{"min", Keyword::kMinutes},
    Spelling{"minute", Keyword::kMinutes},
    Spelling{"minutes", Keyword::kMinutes},
    Spelling{"month", Keyword::kMonths},
    Spelling{"months", Keyword::kMonths},
    Spelling{"not", Keyword::kNot},
    Spelling{"null", Keyword::kNull},
    Spelling{"of", Keyword::kOf},
    Spelling{"offset", Keyword::kOffset},
    Spelling{"on", Keyword::kOn},
    Spelling{"or", Keyword::kOr},
    Spelling{"order", Keyword::kOrder},
    Spelling{"outer", Keyword::kOuter},
    Spelling{"output", Keyword::kOutput},
    Spelling{"overwrite", Keyword::kOverwrite},
    Spelling{"partition", Keyword::kPartition},
    Spelling{"per", Keyword::kPer},
    Spelling{"raw", Keyword::kRaw},
    Spelling{"return", Keyword::kReturn},
    Spelling{"right", Keyword::kRight},
    Spelling{"sec", Keyword::kSeconds},
    Spelling{"second", Keyword::kSeconds},
    Spelling{"seconds", Keyword::kSeconds},
    Spelling{"select", Keyword::kSelect},
    Spelling{"set", Keyword::kSet},
    Spelling{"snapshot", Keyword::kSnapshot},
    Spelling{"stream", Keyword::kStream},
    Spelling{"table", Keyword::kTable},
    Spelling{"trigger", Keyword::kTrigger},
    Spelling{"true", Keyword::kTrue},
    Spelling{"unidirectional", Keyword::kUnidirectional},
    Spelling{"update", Keyword::kUpdate},
    Spelling{"week", Keyword::kWeeks},
    Spelling{"weeks", Keyword::kWeeks},
    Spelling{"window", Keyword::kWindow},
    Spelling{"with", Keyword::kWith},
    Spelling{"within", Keyword::kWithin},
    Spelling{"year", Keyword::kYears},
    Spelling{"years", Keyword::kYears},
};

constexpr size_t kSpellingBytesMax = 14;

/// Looks to the end of the text for a script's closing brace that may fail before a '{' counts as a
/// wrong character: else a text full of '{' costs the square of its length.
constexpr int kScriptFailuresMax = 16;

static_assert(std::is_sorted(kSpellings.begin(), kSpellings.end(),
                             [](const Spelling& a, const Spelling& b) {
                               return a.first < b.first;
                             }));

/// Longer symbols first, so that the longest is taken.
constexpr std::array<std::string_view, 26> kSymbols = {
    "...", "->", "<=", ">=", "==", "!=", ":", ";", ".", "(", ")", "[", "]",
    ",",   "=",  "*",  "+",  "?",  "-",  "/", "%", "<", ">", "@", "#", "!"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_word_start(c) || is_digit(c); }
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

class Lexer {
 public:
  Lexer(std::string_view text, Diagnostics& diagnostics) : text_(text), diagnostics_(diagnostics) {}

  std::vector<Token> run() {
    if (text_.starts_with("\xEF\xBB\xBF")) advance(3);
    while (skip_blanks()) next_token();
    add(TokenKind::kEnd, {}, here());
    return std::move(tokens_);
  }

 private:
  char peek(size_t ahead = 0) const {
    return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
  }
  bool at_end() const { return position_ >= text_.size(); }
  std::string_view rest() const { return text_.substr(position_); }
  Location here() const { return location_; }

  void advance(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      if (text_[position_++] == '\n') {
        ++location_.line;
        location_.column = 1;
      } else {
        ++location_.column;
      }
    }
  }

  void add(TokenKind kind, std::string_view text, Location location) {
    tokens_.push_back(
        {kind, kind == TokenKind::kWord ? keyword_from(text) : Keyword::kNone, text, location});
  }

  void report(Location location, std::string message, std::string expected, std::string hint) {
    if (diagnostics_.size() > kDiagnosticsMax) return;  // no more are shown
    diagnostics_.push_back({location, std::move(message), std::move(expected), std::move(hint)});
  }

  /// White space and comments. False at the end of the text.
  bool skip_blanks() {
    while (!at_end()) {
      if (is_space(peek())) {
        advance(1);
      } else if (rest().starts_with("--")) {
        size_t end = rest().find_first_of("\r\n");
        advance(end == std::string_view::npos ? rest().size() : end);
      } else if (rest().starts_with("/*")) {
        skip_block_comment();
      } else {
        return true;
      }
    }
    return false;
  }

  void skip_block_comment() {
    size_t end = rest().find("*/", 2);
    if (end == std::string_view::npos) {
      // The original takes the end of the text for the end of the comment, and so loses queries
      // without a word; nobody means that.
      report(here(), "unfinished comment", "'*/'", "everything behind '/*' is left out");
      advance(rest().size());
    } else {
      advance(end + 2);
    }
  }

  void next_token() {
    char c = peek();
    if (is_word_start(c)) return word();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (c == '\'' || c == '"') return string();
    if (c == '`') return backquoted();
    if (c == '{') return script();
    for (std::string_view symbol : kSymbols) {
      if (rest().starts_with(symbol)) {
        add(TokenKind::kSymbol, symbol, here());
        return advance(symbol.size());
      }
    }
    unexpected();
  }

  void word() {
    size_t size = 1;
    while (is_word(peek(size))) ++size;
    add(TokenKind::kWord, rest().substr(0, size), here());
    advance(size);
  }

  size_t digits_at(size_t from) const {
    size_t size = 0;
    while (is_digit(peek(from + size))) ++size;
    return size;
  }

  /// digits, [.digits], [e[+-]digits], [L|F|D]. A point without digits behind it belongs to the
  /// number only when an exponent or a suffix follows ("1.f"), so that "e1[1].a" is left alone.
  void number() {
    size_t size = digits_at(0);
    bool fraction = false;
    if (peek(size) == '.' && is_digit(peek(size + 1))) {
      size += 1 + digits_at(size + 1);
      fraction = true;
    } else if (peek(size) == '.' && (exponent_size(size + 1) != 0 || is_suffix(size + 1, "fd"))) {
      size += 1;
      fraction = true;
    }
    size_t exponent = exponent_size(size);
    fraction = fraction || exponent != 0;
    size += exponent;

    TokenKind kind = fraction ? TokenKind::kDouble : TokenKind::kInt;
    size_t suffix = 0;
    if (is_suffix(size, "f")) {
      kind = TokenKind::kFloat;
      suffix = 1;
    } else if (is_suffix(size, "d")) {
      kind = TokenKind::kDouble;
      suffix = 1;
    } else if (!fraction && is_suffix(size, "l")) {
      kind = TokenKind::kLong;
      suffix = 1;
    }
    add(kind, rest().substr(0, size), here());
    advance(size + suffix);
  }

  size_t exponent_size(size_t at) const {
    if (lower(peek(at)) != 'e') return 0;
    size_t sign = peek(at + 1) == '+' || peek(at + 1) == '-' ? 1 : 0;
    size_t digits = digits_at(at + 1 + sign);
    return digits == 0 ? 0 : 1 + sign + digits;
  }

  /// A letter that ends the number; in "2days" the d is the beginning of a word.
  bool is_suffix(size_t at, std::string_view letters) const {
    char c = lower(peek(at));
    return c != '\0' && letters.find(c) != std::string_view::npos && !is_word(peek(at + 1));
  }

  void string() {
    if (rest().starts_with("\"\"\"")) return triple_string();
    Location start = here();
    char quote = peek();
    const char ends[] = {quote, '\r', '\n'};
    size_t size = std::min(rest().find_first_of(std::string_view(ends, 3), 1), rest().size());
    bool finished = peek(size) == quote;
    if (!finished) {
      report(start, "unfinished string", std::string("a closing ") + quote + " on the same line",
             "text of several lines stands in \"\"\"three quotes\"\"\"");
    } else if (has_control(rest().substr(1, size - 1))) {
      report(start, "control character in a string", "printable characters", "");
    }
    add(TokenKind::kString, rest().substr(1, size - 1), start);
    advance(size + (finished ? 1 : 0));
  }

  static bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; });
  }

  void triple_string() {
    Location start = here();
    size_t end = rest().find("\"\"\"", 3);
    if (end == std::string_view::npos) {
      report(start, "unfinished string", "a closing \"\"\"", "");
      add(TokenKind::kString, rest().substr(3), start);
      return advance(rest().size());
    }
    add(TokenKind::kString, rest().substr(3, end - 3), start);
    advance(end + 3);
  }

  void backquoted() {
    Location start = here();
    size_t end = rest().find_first_of("`\r\n", 1);
    bool finished = end != std::string_view::npos && peek(end) == '`';
    if (end == std::string_view::npos) end = rest().size();
    if (!finished) {
      report(start, "unfinished quoted name", "a closing ` on the same line", "");
    } else if (end == 1) {
      report(start, "empty name", "a name between the backquotes", "");
    } else if (has_control(rest().substr(1, end - 1))) {
      report(start, "control character in a name", "printable characters", "");
    }
    add(TokenKind::kQuoted, rest().substr(1, end - 1), start);
    advance(end + (finished ? 1 : 0));
  }

  /// The body of a function. Braces in strings and comments do not count; a body in which they make
  /// no sense (an odd quote) is read once more with every brace counted.
  void script() {
    Location start = here();
    size_t size = script_size(Braces::kOutsideStrings);
    if (size == 0) size = script_size(Braces::kAll);
    if (size == 0) {
      // Goes no further than the line, so that what follows is still read.
      size_t end = rest().find_first_of("\r\n");
      if (end == std::string_view::npos) end = rest().size();
      report(start, "unfinished script: '{' without its '}'", "'}'", "");
      add(TokenKind::kError, rest().substr(0, 1), start);
      return advance(end);
    }
    add(TokenKind::kScript, rest().substr(1, size - 2), start);
    advance(size);
  }

  enum class Braces : uint8_t { kOutsideStrings, kAll };

  /// Bytes up to the closing brace, 0 when there is none.
  size_t script_size(Braces braces) {
    int& failures = script_failures_[static_cast<size_t>(braces)];
    if (failures == kScriptFailuresMax) return 0;
    size_t depth = 0;
    std::string_view body = rest();
    for (size_t i = 0; i < body.size(); ++i) {
      char c = body[i];
      if (c == '{') {
        ++depth;
      } else if (c == '}') {
        if (--depth == 0) return i + 1;
      } else if (braces == Braces::kOutsideStrings) {
        i = end_of_text(body, i);
        if (i == std::string_view::npos) break;
      }
    }
    ++failures;
    return 0;
  }

  /// Where the string or comment ends that begins at `i`, which is `i` when none does; npos when it
  /// does not end.
  static size_t end_of_text(std::string_view body, size_t i) {
    char c = body[i];
    std::string_view from = body.substr(i);
    if (from.starts_with("//")) return body.find_first_of("\r\n", i);
    if (from.starts_with("/*")) {
      size_t end = body.find("*/", i + 2);
      return end == std::string_view::npos ? end : end + 1;
    }
    if (c != '"' && c != '\'') return i;
    for (++i; i < body.size() && body[i] != c; ++i) {
      if (body[i] == '\\') ++i;
    }
    return i < body.size() ? i : std::string_view::npos;
  }

  /// A run of bytes that begin no token, reported once.
  void unexpected() {
    Location start = here();
    size_t size = 0;
    while (position_ + size < text_.size() && begins_nothing(peek(size))) ++size;
    std::string_view wrong = rest().substr(0, size);
    report(start, "unexpected character " + in_quotes(wrong), "", hint_for(wrong));
    add(TokenKind::kError, wrong, start);
    advance(size);
  }

  static bool begins_nothing(char c) {
    return !is_word(c) && !is_space(c) &&
           std::string_view("'\"`{:;.()[],=*+?-/%<>@#!").find(c) == std::string_view::npos;
  }

  static std::string hint_for(std::string_view wrong) {
    if (wrong.starts_with("&")) return "write 'and'";
    if (wrong.starts_with("|")) return "write 'or'";
    if (wrong.starts_with("}")) return "a closing brace without its '{'";
    if (wrong.starts_with("$")) return "${parameters} are replaced before a plan is read";
    if (wrong.starts_with("\xE2\x80")) return "write strings in straight quotes";
    return "";
  }

  std::string_view text_;
  Diagnostics& diagnostics_;
  size_t position_ = 0;
  std::array<int, 2> script_failures_{};
  Location location_;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text, Diagnostics& diagnostics) {
  return Lexer(text, diagnostics).run();
}

Keyword keyword_from(std::string_view word) {
  if (word.empty() || word.size() > kSpellingBytesMax) return Keyword::kNone;
  std::array<char, kSpellingBytesMax> folded{};
  std::transform(word.begin(), word.end(), folded.begin(), lower);
  std::string_view key(folded.data(), word.size());
  const auto* found = std::lower_bound(
      kSpellings.begin(), kSpellings.end(), key,
      [](const Spelling& spelling, std::string_view wanted) { return spelling.first < wanted; });
  return found != kSpellings.end() && found->first == key ? found->second : Keyword::kNone;
}

std::string_view text_of(Keyword keyword) {
  for (const auto& [text, known] : kSpellings) {
    if (known == keyword) return text;
  }
  return "";
}

std::vector<std::string> spellings_of(Keyword keyword) {
  std::vector<std::string> out;
  for (const auto& [text, known] : kSpellings) {
    if (known == keyword) out.emplace_back(text);
  }
  return out;
}

}  // namespace pollux

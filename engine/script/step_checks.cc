#include "engine/script/step_checks.h"

#include <algorithm>
#include <array>
#include <vector>

#include "engine/base/utf8.h"

namespace pollux {
namespace {

constexpr size_t kNestingMax = 100;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}
bool is_name(char c) { return is_name_start(c) || is_digit(c); }
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

/// Behind these words an operand follows.
constexpr std::array<std::string_view, 11> kBeforeOperand = {
    "case", "delete", "do", "else", "in", "instanceof", "new", "return", "throw", "typeof", "void"};

class Rewriter {
 public:
  explicit Rewriter(std::string_view body) : rest_(body) {}

  CheckedScript run() {
    if (repaired_utf8(rest_) != rest_) fail("text that is not UTF-8");
    for (std::string_view separator : {"\xE2\x80\xA8", "\xE2\x80\xA9"}) {
      if (rest_.find(separator) != std::string_view::npos) fail("a Unicode line separator");
    }
    while (!rest_.empty() && out_.error.empty()) {
      if (!skip_blank()) token();
    }
    if (out_.error.empty() && !open_.empty()) {
      fail(std::string("'") + open_.back().bracket + "' is not closed");
      out_.line = open_.back().line;
      out_.column = open_.back().column;
    }
    if (!out_.error.empty()) out_.text.clear();
    return std::move(out_);
  }

 private:
  /// What a '(' belongs to.
  enum class Head : uint8_t { kNone, kFor, kWhile, kSwitch, kOther };
  /// What the last token was, for the meaning of '/' and '{'.
  enum class Last : uint8_t { kOperator, kOperand, kBlockEnd };

  struct Open {
    char bracket;
    uint32_t line, column;
    Head head = Head::kNone;
    int semicolons = 0;
    bool keys = false;  ///< a for-in whose object is being read
  };

  void fail(std::string message) {
    if (out_.error.empty()) out_.error = std::move(message);
  }

  void keep(size_t size) {
    for (char c : rest_.substr(0, size)) {
      if (c == '\n') {
        ++out_.line;
        out_.column = 1;
      } else {
        ++out_.column;
      }
    }
    out_.text += rest_.substr(0, size);
    rest_.remove_prefix(std::min(size, rest_.size()));
  }

  /// Bytes of the white space or comment that `text` begins with.
  static size_t blank_size(std::string_view text) {
    if (is_blank(text[0])) return 1;
    if (text.starts_with("//")) return std::min(text.find_first_of("\r\n"), text.size());
    if (!text.starts_with("/*")) return 0;
    size_t end = text.find("*/", 2);
    return end == std::string_view::npos ? text.size() : end + 2;
  }

  bool skip_blank() {
    size_t size = blank_size(rest_);
    if (size == 0) return false;
    std::string_view blank = rest_.substr(0, size);
    if (blank.find_first_of("\r\n") != std::string_view::npos) line_begins_ = true;
    if (blank.starts_with("/*") && (size < 4 || !blank.ends_with("*/"))) fail("unfinished comment");
    keep(size);
    return true;
  }

  void token() {
    bool first_of_line = line_begins_;
    line_begins_ = false;
    char c = rest_[0];
    bool html = rest_.starts_with("<!--") || (first_of_line && rest_.starts_with("-->"));
    if (html) return fail("a comment as in HTML");
    if (is_name_start(c)) return word();
    if (is_digit(c) || (c == '.' && rest_.size() > 1 && is_digit(rest_[1]))) return number();
    if (c == '"' || c == '\'') return string();
    if (c == '/' && last_ == Last::kOperator)
      return fail("a regular expression: its work has no bound");
    if (c == '/' && last_ == Last::kBlockEnd) {
      return fail("'/' right behind '}': put what stands before it in parentheses");
    }
    if (c == '(' || c == '[' || c == '{') return open(c);
    if (c == ')' || c == ']' || c == '}') return close(c);
    if (c == ';') return semicolon();
    if (rest_.starts_with("++") || rest_.starts_with("--")) {
      keep(2);  // behind an operand it belongs to that
      return note(last_ == Last::kOperand ? Last::kOperand : Last::kOperator);
    }
    if (std::string_view("+-*/%=<>!&|^~?:,.").find(c) == std::string_view::npos) {
      return fail(static_cast<unsigned char>(c) >= 0x80
                      ? "a letter beyond ASCII outside of a string"
                      : "an unexpected character");
    }
    keep(1);
    note(Last::kOperator);
    after_point_ = c == '.';
  }

  void note(Last last) {
    last_ = last;
    word_ = {};
    after_point_ = false;
    closed_ = Head::kNone;
    closed_parenthesis_ = false;
  }

  void word() {
    size_t size = 1;
    while (size < rest_.size() && is_name(rest_[size])) ++size;
    std::string_view word = rest_.substr(0, size);
    bool property = after_point_;
    if (word.find("$pollux_") != std::string_view::npos) return fail("a name that is reserved");
    keep(size);
    if (property) return note(Last::kOperand);
    bool operand_follows =
        std::find(kBeforeOperand.begin(), kBeforeOperand.end(), word) != kBeforeOperand.end();
    note(operand_follows ? Last::kOperator : Last::kOperand);
    word_ = word;
    bool in_head = !open_.empty() && open_.back().head == Head::kFor &&
                   open_.back().semicolons == 0 && !open_.back().keys;
    if (word == "in" && in_head) {
      open_.back().keys = true;
      out_.text += " " + std::string(kKeysFunction) + "((";
    }
  }

  void number() {
    size_t size = 0;
    auto digits = [&] {
      while (size < rest_.size() && is_digit(rest_[size])) ++size;
    };
    auto at = [&](size_t i) { return i < rest_.size() ? rest_[i] : '\0'; };
    if (at(0) == '0' && (at(1) == 'x' || at(1) == 'X')) {
      size = 2;
      while (std::string_view("0123456789abcdefABCDEF").find(at(size)) != std::string_view::npos &&
             at(size) != '\0') {
        ++size;
      }
    } else {
      digits();
      if (at(size) == '.') {
        ++size;
        digits();
      }
      if (at(size) == 'e' || at(size) == 'E') {
        ++size;
        if (at(size) == '+' || at(size) == '-') ++size;
        digits();
      }
    }
    if (is_name(at(size))) return fail("a name right behind a number");
    keep(size);
    note(Last::kOperand);
  }

  void string() {
    char quote = rest_[0];
    size_t size = 1;
    for (; size < rest_.size() && rest_[size] != quote; ++size) {
      if (rest_[size] == '\n' || rest_[size] == '\r') return fail("a string that is not closed");
      if (rest_[size] != '\\') continue;
      ++size;  // also a line end, which is left out of the string then
      if (rest_.substr(size).starts_with("\r\n")) ++size;
    }
    if (size >= rest_.size()) return fail("a string that is not closed");
    keep(size + 1);
    note(Last::kOperand);
  }

  void open(char bracket) {
    Open opened{bracket, out_.line, out_.column};
    bool body = bracket == '{' && closed_parenthesis_ && closed_ != Head::kWhile &&
                closed_ != Head::kSwitch;
    if (bracket == '(') {
      opened.head = word_ == "for"                     ? Head::kFor
                    : word_ == "while"                 ? Head::kWhile
                    : word_ == "switch"                ? Head::kSwitch
                    : word_ == "if" || word_ == "with" ? Head::kOther
                                                       : Head::kNone;
    }
    if (open_.size() == kNestingMax) return fail("brackets nested too deeply");
    open_.push_back(opened);
    keep(1);
    note(Last::kOperator);
    if (body) out_.text += std::string(kStepFunction) + "();";
    bool loop = opened.head == Head::kWhile || opened.head == Head::kSwitch;
    if (loop) out_.text += std::string(kStepFunction) + "(),";
  }

  void close(char bracket) {
    char wanted = bracket == ')' ? '(' : bracket == ']' ? '[' : '{';
    if (open_.empty() || open_.back().bracket != wanted) {
      return fail(std::string("an unexpected '") + bracket + "'");
    }
    Open closed = open_.back();
    open_.pop_back();
    if (closed.keys) out_.text += "))";
    keep(1);
    bool operand_follows = closed.head != Head::kNone && closed.head != Head::kSwitch;
    note(bracket == '}' ? Last::kBlockEnd : operand_follows ? Last::kOperator : Last::kOperand);
    closed_ = closed.head;
    closed_parenthesis_ = bracket == ')';
  }

  void semicolon() {
    keep(1);
    note(Last::kOperator);
    bool condition =
        !open_.empty() && open_.back().head == Head::kFor && ++open_.back().semicolons == 1;
    if (!condition) return;
    std::string_view ahead = rest_;
    while (!ahead.empty() && blank_size(ahead) > 0) ahead.remove_prefix(blank_size(ahead));
    out_.text += std::string(kStepFunction) + (ahead.starts_with(";") ? "()" : "(),");
  }

  std::string_view rest_;
  CheckedScript out_;
  std::vector<Open> open_;
  Last last_ = Last::kOperator;
  std::string_view word_;            ///< the last token, when it is a word but no property's name
  bool after_point_ = false;         ///< the last token is '.'
  bool closed_parenthesis_ = false;  ///< the last token is ')', which belongs to
  Head closed_ = Head::kNone;
  bool line_begins_ = true;
};

}  // namespace

CheckedScript with_step_checks(std::string_view body) { return Rewriter(body).run(); }

}  // namespace pollux

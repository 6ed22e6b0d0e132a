// Texts that mean harm: the parser ends, soon, without a crash, and says that they are wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <random>
#include <string>

#include "engine/language/parser.h"
#include "tests/engine/language/parse_helpers.h"
#include "tests/engine/language/shared_cases.h"

namespace pollux {
namespace {

constexpr uint32_t kSeed = 20170413;
constexpr size_t kMegabyte = size_t{1} << 20;

std::string repeated(std::string_view part, size_t times) {
  std::string out;
  out.reserve(part.size() * times);
  for (size_t i = 0; i < times; ++i) out += part;
  return out;
}

/// What holds for whatever is read.
void check_sane(const std::string& text, const Diagnostics& diagnostics) {
  ASSERT_LE(diagnostics.size(), kDiagnosticsMax + 1);
  auto lines = static_cast<uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  Location last;
  for (const Diagnostic& one : diagnostics) {
    ASSERT_FALSE(one.message.empty());
    ASSERT_GE(one.location.line, last.line);
    ASSERT_LE(one.location.line, lines);
    ASSERT_GE(one.location.column, 1u);
    ASSERT_LE(one.location.column, text.size() + 1);
    last = one.location;
  }
  std::string shown = to_text(diagnostics, "text");
  ASSERT_EQ(static_cast<size_t>(std::count(shown.begin(), shown.end(), '\n')), diagnostics.size());
}

Diagnostics read(const std::string& text) {
  Diagnostics diagnostics = parse_plan(text).diagnostics;
  check_sane(text, diagnostics);
  check_sane(text, parse_on_demand_query(text).diagnostics);
  return diagnostics;
}

TEST(Hostile, NestingIsBounded) {
  for (const char* part : {"(", "not ", "f(", "a + (", "a == not f(b, ", "- ("}) {
    Diagnostics diagnostics = read("from S[" + repeated(part, 200'000));
    EXPECT_FALSE(diagnostics.empty()) << part;
  }
  EXPECT_FALSE(read("from " + repeated("(from ", 100'000)).empty());
  EXPECT_FALSE(read("from " + repeated("every (", 100'000)).empty());
  EXPECT_FALSE(read("from " + repeated("(", 100'000) + "A").empty());
  EXPECT_FALSE(read(repeated("@a(", 100'000)).empty());
  EXPECT_FALSE(read(repeated("partition with (a of S) begin ", 50'000)).empty());
  EXPECT_FALSE(read("define function f[x] return int " + repeated("{", 200'000)).empty());
}

TEST(Hostile, NestingWithinTheBoundIsRead) {
  std::string open = repeated("(", kNestingMax - 10);
  std::string close = repeated(")", kNestingMax - 10);
  EXPECT_TRUE(read("from S[" + open + "a" + close + "] select * insert into O;").empty());
  std::string beyond = repeated("(", kNestingMax + 1) + "a" + repeated(")", kNestingMax + 1);
  Diagnostics diagnostics = read("from S[" + beyond + "] select * insert into O;");
  ASSERT_EQ(diagnostics.size(), 1u);
  EXPECT_EQ(diagnostics[0].message, "nested too deeply");
}

TEST(Hostile, LongChainsHaveABound) {
  auto filter = [](size_t operators, const char* part) {
    return "from S[a" + repeated(part, operators) + "] select * insert into O;";
  };
  EXPECT_TRUE(read(filter(900, " or b")).empty());
  for (const char* part : {" or b", " + 1", " in T", " == c"}) {
    EXPECT_FALSE(read(filter(200'000, part)).empty()) << part;
  }
  // Each level adds a chain to the height of the tree below it.
  std::string tower = repeated("(", 150) + "a" + repeated(repeated(" + b", 500) + ")", 150);
  EXPECT_FALSE(read("from S[" + tower + "] select * insert into O;").empty());
}

TEST(Hostile, LongListsAreRead) {
  EXPECT_TRUE(read("from A" + repeated(" -> A", 50'000) + " select * insert into O;").empty());
  EXPECT_TRUE(read("from S select a" + repeated(", a", 50'000) + " insert into O;").empty());
  EXPECT_TRUE(read("from S" + repeated("[a]", 50'000) + " select * insert into O;").empty());
  EXPECT_TRUE(read(repeated("define stream S (a int);", 20'000)).empty());
}

TEST(Hostile, UnfinishedTextsEnd) {
  for (const char* text : {"'",
                           "\"",
                           "\"\"\"",
                           "`",
                           "/*",
                           "{",
                           "@",
                           "@a(",
                           "@a(b=",
                           "define",
                           "define stream",
                           "define stream S (",
                           "define stream S (a",
                           "from",
                           "from (",
                           "from S[",
                           "from S#",
                           "from S#window",
                           "from S#window.",
                           "from S select",
                           "from S insert",
                           "from A ->",
                           "from A,",
                           "from A<",
                           "from A<1:",
                           "from A join",
                           "from A join B on",
                           "partition",
                           "partition with",
                           "partition with (",
                           "partition with (a of S) begin",
                           "define trigger T at every 5",
                           "define function f[",
                           "define aggregation A from S select a "
                           "aggregate every",
                           "from S select a output",
                           "from S update T set",
                           "from S select a order"}) {
    EXPECT_FALSE(read(text).empty()) << text;
    EXPECT_FALSE(read(std::string(text) + " ").empty()) << text;
  }
}

TEST(Hostile, HugeNumbersAreReportedOrInfinite) {
  std::string digits(100'000, '9');
  auto with = [](const std::string& number) {
    return "from S[a > " + number + "]<" + number + ":> -> B select * insert into O;";
  };
  EXPECT_FALSE(read(with(digits)).empty());
  EXPECT_FALSE(read(with(digits + "L")).empty());
  EXPECT_FALSE(read("from S#window.time(" + digits + " sec) select * insert into O;").empty());
  EXPECT_FALSE(read("from S select e[" + digits + "].a insert into O;").empty());
  EXPECT_TRUE(
      read("from S[a > " + digits + "." + digits + "e" + digits + "] select * insert into O;")
          .empty());
  EXPECT_TRUE(read("from S[a > 1e-" + digits + "f] select * insert into O;").empty());
}

TEST(Hostile, LongNamesAndStringsAreRead) {
  std::string name(kMegabyte, 'a');
  EXPECT_TRUE(read("from " + name + " select '" + name + "' as x insert into O;").empty());
  EXPECT_FALSE(read(name).empty());
  EXPECT_FALSE(read("define stream S (a " + name + ");").empty());
}

TEST(Hostile, AMegabyteOfGarbageIsRefusedSoon) {
  std::mt19937 random(kSeed);
  auto garbage = [&](std::string_view alphabet) {
    std::string out(kMegabyte, ' ');
    for (char& c : out) c = alphabet[random() % alphabet.size()];
    return out;
  };
  std::string bytes(256, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i);
  EXPECT_FALSE(read(garbage(bytes)).empty());
  EXPECT_FALSE(read(garbage("()[]{}<>\"'`;,.@#!-*/+= \nab1")).empty());
  EXPECT_FALSE(read(std::string(kMegabyte, '\0')).empty());
  for (const char* part : {"{",       "{\n",
                           "\"",      "'",
                           "`",       "/*",
                           "\"\"\"",  "$ ",
                           "{\"}\n",  "{//}\n",
                           "@",       "@a",
                           "(",       ")",
                           "]",       "-",
                           "->",      "1",
                           "1.",      "1 ",
                           "a ",      "a.",
                           "a:",      "#a",
                           "from ",   "every ",
                           "begin ",  "end ",
                           "end;",    "from A->",
                           "from S[", "from S[a]#window.x(",
                           "define ", "define stream ",
                           "@app:a ", "; ;"}) {
    EXPECT_FALSE(read(repeated(part, kMegabyte / 4 / std::string_view(part).size())).empty())
        << part;
  }
}

TEST(Hostile, NulBytesAnywhereAreReported) {
  std::string text = "define stream S (a int); from S[a > 1] select 'x' as b insert into `O`;";
  for (size_t i = 0; i <= text.size(); ++i) {
    std::string changed = text;
    changed.insert(i, 1, '\0');
    EXPECT_FALSE(read(changed).empty()) << i;
  }
}

/// Words and signs of the language, to be put where they do not belong.
constexpr std::string_view kPieces[] = {"from",
                                        "select",
                                        "insert into",
                                        "define stream",
                                        "partition with",
                                        "begin",
                                        "end",
                                        ";",
                                        "(",
                                        ")",
                                        "[",
                                        "]",
                                        "->",
                                        ",",
                                        "every",
                                        "not",
                                        "and",
                                        "or",
                                        "is null",
                                        "in",
                                        "'",
                                        "\"",
                                        "`",
                                        "\"\"\"",
                                        "/*",
                                        "*/",
                                        "--",
                                        "{",
                                        "}",
                                        "@",
                                        "#",
                                        "!",
                                        "<2:>",
                                        "5 sec",
                                        "1e9",
                                        "-",
                                        "99999999999",
                                        ".",
                                        ":",
                                        "\n",
                                        "\xC3",
                                        "join",
                                        "within",
                                        "group by",
                                        "as",
                                        "on",
                                        "of",
                                        "output"};

std::string mutated(std::string text, std::mt19937& random) {
  size_t changes = 1 + random() % 4;
  for (size_t i = 0; i < changes && !text.empty(); ++i) {
    size_t at = random() % text.size();
    size_t size = 1 + random() % 12;
    switch (random() % 5) {
      case 0:
        text.erase(at, size);
        break;
      case 1:
        text.insert(at, " " + std::string(kPieces[random() % std::size(kPieces)]) + " ");
        break;
      case 2:
        text[at] = static_cast<char>(random());
        break;
      case 3:
        text.insert(at, text.substr(random() % text.size(), 4 * size));
        break;
      default:
        text.resize(at);
    }
  }
  return text;
}

TEST(Hostile, MutatedPlansNeverHarm) {
  std::vector<std::string> texts = {
      "@app:name('x') define stream S (a int, b string); define table T (a int);\n"
      "@info(name='q') from S[a > 5 and not (b == 'x')]#window.time(1 min 5 sec) select a, count() "
      "as n group by a having n > 3 order by a desc limit 5 output last every 5 events insert all "
      "events into O; from every (e1=S -> e2=S[a == e1.a]<2:5>) -> not S for 1 sec within 5 min "
      "select e1.a as x, e2[last].b as y update or insert into T set T.a = x on T.a == x;\n"
      "partition with (a of S, b == 'x' as 'k' of S) begin from S as l left outer join T as r on "
      "l.a == r.a select l.a insert into #I; end; define function f[js] return int { return '}'; "
      "};"};
  if (auto folder = test::shared_folder()) {
    for (auto& one : test::read_shared_cases(*folder)) {
      for (auto& text : one.plans) texts.push_back(std::move(text));
      for (auto& text : one.on_demand) texts.push_back(std::move(text));
    }
  } else {
    std::cout
        << "no shared language cases (POLLUX_SHARED): only the text of this file is changed\n";
  }
  std::mt19937 random(kSeed);
  constexpr size_t kRounds = 20'000;
  size_t wrong = 0;
  for (size_t i = 0; i < kRounds; ++i) {
    std::string text = mutated(texts[i % texts.size()], random);
    wrong += read(text).empty() ? 0 : 1;
    if (HasFatalFailure()) {
      ADD_FAILURE() << "round " << i << ":\n" << text;
      return;
    }
  }
  EXPECT_GT(wrong, kRounds / 4);
}

}  // namespace
}  // namespace pollux

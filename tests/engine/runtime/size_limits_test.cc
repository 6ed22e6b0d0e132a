// Plans that are too large, too deep or without end: refused with a place, or suspended; never a
// crash, a stack that runs out, or memory that nobody asked for.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/language/parser.h"
#include "engine/operators/loop_guard.h"
#include "engine/planner/size_limits.h"
#include "engine/runtime/engine.h"

namespace pollux {
namespace {

class NoResults final : public ResultSink {
 public:
  void on_result(const ResultBatch& results) override { rows += results.batch->rows(); }
  size_t rows = 0;
};

std::string repeated(size_t times, const std::string& part) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += part;
  return out;
}

/// Part by part, with '#' for the number of the part.
std::string numbered(size_t times, const std::string& part) {
  std::string out;
  for (size_t i = 0; i < times; ++i) {
    for (char c : part) out += c == '#' ? std::to_string(i) : std::string(1, c);
  }
  return out;
}

std::string first_error(const std::string& text) {
  Diagnostics diagnostics = Engine::validate(text);
  if (diagnostics.empty()) return "none";
  const Diagnostic& one = diagnostics[0];
  return std::to_string(one.location.line) + ":" + std::to_string(one.location.column) + ": " +
         one.message;
}

/// The outcome of one event {1} on stream S.
ApplyOutcome outcome_of(const std::string& text, NoResults& results) {
  Engine engine;
  ApplyOutcome deployed = engine.apply({{{1}, {1}}, {0}, DeployPayload{"test", text}}, results);
  EXPECT_EQ(deployed.status, ApplyStatus::kApplied) << to_text(deployed.diagnostics, "test");
  if (deployed.status != ApplyStatus::kApplied) return deployed;
  auto batch = std::make_shared<EventBatch>(engine.input_schema("S"));
  batch->append_value(0, int32_t{1});
  batch->end_row(0);
  return engine.apply({{{1}, {2}}, {0}, EventsPayload{batch}}, results);
}

constexpr const char* kStream = "define stream S (a int);\n";

TEST(SizeLimits, NumbersOfPartsAreBounded) {
  std::string definitions = numbered(kDefinitionsMax, "define stream S# (a int);\n");
  EXPECT_EQ(first_error(definitions), "none");
  EXPECT_EQ(first_error(definitions + "define stream T (a int);"),
            std::to_string(kDefinitionsMax + 1) + ":1: too many definitions");
  std::string queries = kStream + numbered(kQueriesMax, "from S select a insert into O#;\n");
  EXPECT_EQ(first_error(queries), "none");
  EXPECT_EQ(first_error(queries + "from S select a insert into O;"),
            std::to_string(kQueriesMax + 2) + ":1: too many queries");
  std::string wide = "define stream S (x int" + numbered(kAttributesMax, ", a# int") + ");";
  EXPECT_EQ(first_error(wide), "1:1: too many attributes");
  std::string selected = kStream + std::string("from S select a as x") +
                         numbered(kAttributesMax, ", a as a#") + " insert into O;";
  EXPECT_EQ(first_error(selected), "2:8: too many attributes");
  EXPECT_EQ(first_error(kStream + ("from S" + repeated(kHandlersMax + 1, "[a > 1]")) +
                        " select a insert into O;"),
            "2:6: too many filters and functions");
}

TEST(SizeLimits, ATextThatIsTooLongIsNotRead) {
  EXPECT_EQ(first_error(std::string(kTextBytesMax + 1, ' ')), "1:1: the text is too long");
}

TEST(SizeLimits, ChainsOfQueriesAreBounded) {
  auto chain = [](size_t queries) {
    std::string text = "define stream S0 (a int);\n";
    for (size_t i = 0; i < queries; ++i) {
      text += "from S" + std::to_string(i) + "#window.length(2) select a insert into S" +
              std::to_string(i + 1) + ";\n";
    }
    return text;
  };
  EXPECT_EQ(first_error(chain(kChainMax)), "none");
  EXPECT_EQ(first_error(chain(kChainMax + 1)), "1:1: more than 400 queries in a row");
  // The longest chain that is taken also runs.
  NoResults results;
  std::string text = kStream + std::string("from S select a insert into S0;\n") + chain(399);
  EXPECT_EQ(outcome_of(text, results).status, ApplyStatus::kApplied);
  EXPECT_EQ(results.rows, 400u);
}

TEST(SizeLimits, LongExpressionsArePlannedAndRun) {
  NoResults results;
  std::string text =
      kStream + ("from S[a == 0" + repeated(900, " or a == 1")) + "] select a insert into O;";
  EXPECT_EQ(outcome_of(text, results).status, ApplyStatus::kApplied);
  EXPECT_EQ(results.rows, 1u);
}

TEST(SizeLimits, LengthsAndTimesThatAreTooLargeHaveAPlace) {
  auto windowed = [](const std::string& window) {
    return kStream + ("from S#window." + window) + " select sum(a) as s insert into O;";
  };
  NoResults results;
  for (const char* window :
       {"length(2000000000)", "lengthBatch(2000000000)", "sort(2000000000, a)",
        "timeLength(9000 years, 2000000000)", "time(9000 years)", "timeBatch(9000 years)"}) {
    EXPECT_EQ(outcome_of(windowed(window), results).status, ApplyStatus::kApplied) << window;
  }
  EXPECT_EQ(first_error(windowed("time(20000 years)")), "2:20: the time is too long");
  EXPECT_EQ(first_error(windowed("length(2147483648)")),
            "2:22: number '2147483648' does not fit an int");
  EXPECT_EQ(first_error(windowed("length(-1)")), "2:22: the window's length is negative");
  EXPECT_EQ(first_error(windowed("time(9223372036854775807L)")),
            "2:20: the window's time is too large");
  for (const char* clause : {"limit -1", "offset -1", "limit 'a'", "limit a", "limit 1.0"}) {
    EXPECT_NE(first_error(kStream + ("from S select a " + std::string(clause)) + " insert into O;"),
              "none")
        << clause;
  }
  EXPECT_NE(first_error("define trigger T at every 20000 years;"), "none");
  EXPECT_NE(first_error(kStream + std::string("from S select a output every 20000 years "
                                              "insert into O;")),
            "none");
}

TEST(SizeLimits, ManyMistakesAreToldSoon) {
  std::string text = "define stream S (x0 int" + numbered(2000, ", attribute_number_# int") +
                     ");\nfrom S select 1 as one" + numbered(2000, ", attributes_number_# as b#") +
                     " insert into O;\n";
  Diagnostics diagnostics =
      Engine::validate(text + numbered(100, "from S# select x insert into O;"));
  EXPECT_EQ(diagnostics.size(), kDiagnosticsMax + 1);
  EXPECT_EQ(diagnostics.back().message, "too many errors; the rest is not reported");
}

TEST(SizeLimits, AStreamThatFeedsItselfWithoutEndIsSuspended) {
  NoResults results;
  for (const char* query :
       {"from S select a insert into S;", "from S#window.length(2) select a insert into S;",
        "from S select a insert into T; from T select a insert into S;",
        "partition with (a of S) begin from S select a insert into S; end;",
        "from every e1=S -> e2=S select e2.a as a insert into S; from S select a insert into S;",
        "define window W (a int) length(2); from S insert into W; from W insert into W;"}) {
    ApplyOutcome outcome = outcome_of(kStream + std::string(query), results);
    EXPECT_EQ(outcome.status, ApplyStatus::kSuspended) << query;
    EXPECT_EQ(outcome.reason, "a stream feeds itself more than 400 queries deep") << query;
  }
  // It need not be deep: each of twenty levels doubles the events.
  ApplyOutcome broad = outcome_of(kStream + std::string("from S[a < 30] select a + 1 as a insert "
                                                        "into S; from S[a < 30] select a + 1 as a "
                                                        "insert into S;"),
                                  results);
  EXPECT_EQ(broad.reason, "a stream feeds itself more than a million times for one event");
}

TEST(SizeLimits, AStreamThatFeedsItselfAndEndsIsNot) {
  NoResults results;
  ApplyOutcome outcome = outcome_of(
      kStream + std::string("from S[a < 300] select a + 1 as a insert into S;"), results);
  EXPECT_EQ(outcome.status, ApplyStatus::kApplied);
  EXPECT_EQ(results.rows, 299u);
}

}  // namespace
}  // namespace pollux

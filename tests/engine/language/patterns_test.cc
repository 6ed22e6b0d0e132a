// Patterns and sequences.
#include <gtest/gtest.h>

#include "tests/engine/language/parse_helpers.h"

namespace pollux {
namespace {

using test::errors_of;
using test::query_of;
using test::shown;

ast::StateInput state_of(const std::string& text) {
  ast::Query query = query_of("from " + text + " select * insert into Out;");
  auto* state = std::get_if<ast::StateInput>(&query.input);
  if (state == nullptr) {
    ADD_FAILURE() << "neither pattern nor sequence: " << text;
    return {};
  }
  return std::move(*state);
}

/// The pattern as it was understood; "," joins a sequence's root.
std::string pattern(const std::string& text) {
  ast::StateInput state = state_of(text);
  std::string out = state.sequence ? "seq " : "";
  out += shown(state.root);
  if (state.within_ms) out += " WITHIN " + std::to_string(*state.within_ms) + "ms";
  return out;
}

TEST(Patterns, ChainsWithAndWithoutReferences) {
  EXPECT_EQ(pattern("e1=A[x > 1] -> e2=B"), "[e1=A[(x > int:1)] -> e2=B]");
  EXPECT_EQ(pattern("A -> B#f(1)[y] -> #C"), "[A -> B#f[y] -> #C]");
  EXPECT_EQ(pattern("every=A -> not=B"), "[every=A -> not=B]");
  EXPECT_EQ(pattern("e1=A->e2=B"), "[e1=A -> e2=B]");
}

TEST(Patterns, EveryOfOnePartOrOfAChain) {
  EXPECT_EQ(pattern("every e1=A -> e2=B"), "[every[e1=A] -> e2=B]");
  EXPECT_EQ(pattern("every (e1=A -> e2=B) -> e3=C"), "[every[[e1=A -> e2=B]] -> e3=C]");
  EXPECT_EQ(pattern("e1=A -> every e2=B -> e3=C"), "[e1=A -> every[e2=B] -> e3=C]");
  EXPECT_EQ(pattern("every e1=A"), "every[e1=A]");
  EXPECT_EQ(pattern("every e1=A and e2=B -> e3=C"), "[every[[e1=A and e2=B]] -> e3=C]");
}

TEST(Patterns, CountsOfAllForms) {
  EXPECT_EQ(pattern("e1=A<2:5> -> B<3>"), "[e1=A<2:5> -> B<3:3>]");
  EXPECT_EQ(pattern("A[x]<2:> -> B<:4>"), "[A[x]<2:-1> -> B<0:4>]");
  EXPECT_NE(errors_of("from A<:> -> B select * insert into O;"), "");
  EXPECT_NE(errors_of("from A<99999999999> -> B select * insert into O;"), "");
  EXPECT_EQ(
      errors_of("from A* -> B select * insert into O;"),
      "1:7: *, + and ? are counts of sequences only; expected a count such as <1:5>; hint: in "
      "patterns write <0:> for *, <1:> for +, <0:1> for ?\n");
}

TEST(Patterns, LogicalPartsJoinTwoStreams) {
  EXPECT_EQ(pattern("e1=A and e2=B -> C"), "[[e1=A and e2=B] -> C]");
  EXPECT_EQ(pattern("(e1=A or e2=B) -> C"), "[[e1=A or e2=B] -> C]");
  EXPECT_EQ(pattern("not A and e2=B"), "[not A and e2=B]");
  EXPECT_EQ(pattern("A or not B[x] for 1 sec"), "[A or not B[x] for 1000ms]");
  EXPECT_EQ(pattern("not A for 1 sec and not B for 2 sec -> C"),
            "[[not A for 1000ms and not B for 2000ms] -> C]");
  EXPECT_NE(errors_of("from A and B and C -> D select * insert into O;"), "");
}

TEST(Patterns, AbsentParts) {
  EXPECT_EQ(pattern("not A[x > 1] for 1 sec -> e2=B"), "[not A[(x > int:1)] for 1000ms -> e2=B]");
  EXPECT_EQ(pattern("every not A for 5 sec"), "every[not A for 5000ms]");
  EXPECT_EQ(pattern("A -> not B for 1 min"), "[A -> not B for 60000ms]");
}

TEST(Patterns, WithinOfTheWholeStandsLast) {
  EXPECT_EQ(pattern("e1=A -> e2=B within 5 sec"), "[e1=A -> e2=B] WITHIN 5000ms");
  EXPECT_EQ(pattern("(every e1=A -> e2=B) within 1 sec"), "[every[e1=A] -> e2=B] WITHIN 1000ms");
  EXPECT_EQ(pattern("every (e1=A -> e2=B) within 1 sec"), "every[[e1=A -> e2=B]] WITHIN 1000ms");
  EXPECT_EQ(pattern("e1=A within 1 sec"), "e1=A WITHIN 1000ms");
}

TEST(Patterns, WithinOfAPartStaysWithIt) {
  EXPECT_EQ(pattern("e1=A within 2 sec -> e2=B within 5 sec"),
            "[e1=A within 2000ms -> e2=B] WITHIN 5000ms");
  EXPECT_EQ(pattern("(e1=A -> e2=B) within 2 sec -> e3=C"),
            "[[e1=A -> e2=B] within 2000ms -> e3=C]");
  EXPECT_EQ(pattern("every (e1=A -> e2=B within 2 sec) -> e3=C"),
            "[every[[e1=A -> e2=B within 2000ms]] -> e3=C]");
}

TEST(Patterns, ParenthesesWithoutWithinAreMerged) {
  EXPECT_EQ(pattern("(A -> (B -> C)) -> ((D))"), "[A -> B -> C -> D]");
}

TEST(Sequences, PartsWithCounts) {
  EXPECT_EQ(pattern("every e1=A, e2=B+, e3=C*, e4=D?, E<2:3>"),
            "seq [every[e1=A] -> e2=B<1:-1> -> e3=C<0:-1> -> e4=D<0:1> -> E<2:3>]");
  EXPECT_EQ(pattern("A, B within 1 sec"), "seq [A -> B] WITHIN 1000ms");
  EXPECT_EQ(pattern("e1=A+, B and C"), "seq [e1=A<1:-1> -> [B and C]]");
  EXPECT_EQ(pattern("A, not B for 1 sec, C"), "seq [A -> not B for 1000ms -> C]");
}

TEST(Sequences, EveryStandsAtTheStartOnly) {
  EXPECT_EQ(errors_of("from A, every B select * insert into O;"),
            "1:9: unexpected 'every'; expected a stream, 'not' or '('; hint: in a sequence 'every' "
            "stands at the start only\n");
}

TEST(Sequences, AreNotMixedWithPatterns) {
  EXPECT_EQ(errors_of("from A -> B, C select * insert into O;"),
            "1:12: unexpected ','; expected '->'; hint: patterns (->) and sequences (,) cannot be "
            "mixed\n");
}

TEST(Patterns, TakeNoWindows) {
  EXPECT_EQ(
      errors_of("from A#window.length(1) -> B select * insert into O;"),
      "1:7: unexpected window; expected filters and functions only; hint: patterns, sequences "
      "and aggregations take no window\n");
}

}  // namespace
}  // namespace pollux

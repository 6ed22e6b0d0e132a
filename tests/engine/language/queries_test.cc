// Queries: sources, joins, selection, rates, actions, partitions.
#include <gtest/gtest.h>

#include "tests/engine/language/parse_helpers.h"

namespace pollux {
namespace {

using test::errors_of;
using test::plan_of;
using test::query_of;
using test::shown;
using Action = ast::OutputAction::Kind;
using Events = ast::OutputAction::Events;
using Handler = ast::StreamHandler::Kind;

ast::StreamSource source_of(const std::string& text) {
  ast::Query query = query_of("from " + text + " select * insert into Out;");
  auto* source = std::get_if<ast::StreamSource>(&query.input);
  if (source == nullptr) {
    ADD_FAILURE() << "not one stream: " << text;
    return {};
  }
  return std::move(*source);
}

ast::JoinInput join_of(const std::string& text) {
  ast::Query query = query_of("from " + text + " select * insert into Out;");
  auto* join = std::get_if<ast::JoinInput>(&query.input);
  if (join == nullptr) {
    ADD_FAILURE() << "not a join: " << text;
    return {};
  }
  return std::move(*join);
}

ast::OutputAction action_of(const std::string& text) {
  return std::move(query_of("from S select a " + text).output);
}

TEST(Queries, SourcesHaveHandlersInOrder) {
  ast::StreamSource source = source_of("S[a > 1]#str:f(a, 2)#[b]#window.ns:length(5)[c]#log()");
  EXPECT_EQ(source.stream, "S");
  ASSERT_EQ(source.handlers.size(), 6u);
  EXPECT_EQ(source.handlers[0].kind, Handler::kFilter);
  EXPECT_EQ(source.handlers[1].kind, Handler::kFunction);
  EXPECT_EQ(source.handlers[1].name_space, "str");
  EXPECT_EQ(source.handlers[1].arguments.size(), 2u);
  EXPECT_EQ(source.handlers[2].kind, Handler::kFilter);
  EXPECT_EQ(source.handlers[3].kind, Handler::kWindow);
  EXPECT_EQ(source.handlers[3].name_space, "ns");
  EXPECT_EQ(source.handlers[3].name, "length");
  EXPECT_EQ(source.handlers[5].name, "log");
  EXPECT_EQ(source.handlers[3].location.column, 30u);
}

TEST(Queries, SourcesMayBeInnerOrFaultOrNamedLikeKeywords) {
  EXPECT_TRUE(source_of("#S").inner);
  EXPECT_TRUE(source_of("!S[a]").fault);
  EXPECT_EQ(source_of("every").stream, "every");
  EXPECT_EQ(source_of("not[a]").stream, "not");
  EXPECT_EQ(source_of("`my stream`").stream, "my stream");
  EXPECT_EQ(source_of("window#window.window(1)").handlers[0].name, "window");
}

TEST(Queries, OneWindowAtMost) {
  EXPECT_EQ(
      errors_of("from S#window.length(1)#window.length(2) select * insert into O;"),
      "1:24: unexpected second window; expected one window at most; hint: insert into another "
      "stream, and put the second window there\n");
}

TEST(Queries, AnonymousStreamsNest) {
  ast::StreamSource outer =
      source_of("((from (from S#window.length(1) select a return) select b return all events))");
  ASSERT_NE(outer.anonymous, nullptr);
  EXPECT_EQ(outer.anonymous->output.events, Events::kAll);
  auto* middle = std::get_if<ast::StreamSource>(&outer.anonymous->input);
  ASSERT_NE(middle, nullptr);
  ASSERT_NE(middle->anonymous, nullptr);
  auto* inner = std::get_if<ast::StreamSource>(&middle->anonymous->input);
  ASSERT_NE(inner, nullptr);
  EXPECT_EQ(inner->stream, "S");
}

TEST(Queries, JoinsOfAllKinds) {
  using Join = ast::JoinInput::Kind;
  EXPECT_EQ(join_of("A join B").kind, Join::kInner);
  EXPECT_EQ(join_of("A inner join B").kind, Join::kInner);
  EXPECT_EQ(join_of("A left outer join B").kind, Join::kLeftOuter);
  EXPECT_EQ(join_of("A RIGHT OUTER JOIN B").kind, Join::kRightOuter);
  EXPECT_EQ(join_of("A full outer join B").kind, Join::kFullOuter);
  EXPECT_EQ(errors_of("from A outer join B select * insert into O;"),
            "1:8: unexpected 'outer'; expected 'join'; hint: write 'left', 'right' or 'full outer "
            "join'\n");
}

TEST(Queries, JoinsWithAliasesWindowsConditionsAndTrigger) {
  using Trigger = ast::JoinInput::Trigger;
  ast::JoinInput join = join_of(
      "A[x > 1]#window.time(1 sec) as a unidirectional join T as t on a.k == t.k within 5 min");
  EXPECT_EQ(join.trigger, Trigger::kLeft);
  EXPECT_EQ(join.left.alias, "a");
  EXPECT_EQ(join.left.handlers.size(), 2u);
  EXPECT_EQ(join.right.alias, "t");
  ASSERT_NE(join.on, nullptr);
  EXPECT_EQ(shown(*join.on), "(a.k == t.k)");
  EXPECT_EQ(join.within_ms, 300'000);
  EXPECT_TRUE(join.within.empty());
  EXPECT_EQ(join_of("A join B unidirectional on A.x == B.x").trigger, Trigger::kRight);
  EXPECT_EQ(join_of("#A#window.length(1) join #B").trigger, Trigger::kBoth);
}

TEST(Queries, JoinsWithAggregations) {
  ast::JoinInput join = join_of("A as a join G as g on a.k == g.k within a.s, a.e per 'hours'");
  ASSERT_EQ(join.within.size(), 2u);
  EXPECT_EQ(shown(*join.within[1]), "a.e");
  ASSERT_NE(join.per, nullptr);
  EXPECT_EQ(shown(*join.per), "'hours'");
  EXPECT_FALSE(join.within_ms.has_value());
  EXPECT_EQ(join_of("A join G within '2017-06-** **:**:**' per 'days'").within.size(), 1u);
  EXPECT_NE(errors_of("from A join G within 'x' select * insert into O;"), "");
}

TEST(Queries, JoinsFilterBeforeTheWindowOnly) {
  EXPECT_EQ(
      errors_of("from A#window.length(1)[x == 1] join T select * insert into O;"),
      "1:24: unexpected filter or function behind a window; expected 'as' or 'join'; hint: in "
      "a join, filters and functions stand before the window\n");
}

TEST(Queries, SelectionWithAllClauses) {
  ast::Query query = query_of(
      "from S select a, S.b, count() as n group by a, S.b having n > 5 order by n desc, a asc, b\n"
      "limit 10 offset 2 + 3 insert into Out;");
  const ast::Selector& selector = query.selector;
  EXPECT_FALSE(selector.star);
  ASSERT_EQ(selector.attributes.size(), 3u);
  EXPECT_EQ(selector.attributes[1].name, "");
  EXPECT_EQ(selector.attributes[2].name, "n");
  EXPECT_EQ(selector.group_by.size(), 2u);
  EXPECT_EQ(shown(*selector.having), "(n > int:5)");
  ASSERT_EQ(selector.order_by.size(), 3u);
  EXPECT_TRUE(selector.order_by[0].descending);
  EXPECT_FALSE(selector.order_by[1].descending);
  EXPECT_EQ(shown(*selector.limit), "int:10");
  EXPECT_EQ(shown(*selector.offset), "(int:2 + int:3)");
  EXPECT_TRUE(query_of("from S insert into Out").selector.star);
  EXPECT_TRUE(query_of("from S select* insert into Out").selector.star);
}

TEST(Queries, SelectionOfAttributesNamedLikeKeywords) {
  ast::Query query = query_of("from S select order, limit as last, group as by insert into into;");
  ASSERT_EQ(query.selector.attributes.size(), 3u);
  EXPECT_EQ(shown(*query.selector.attributes[0].expression), "order");
  EXPECT_EQ(query.selector.attributes[1].name, "last");
  EXPECT_EQ(query.selector.attributes[2].name, "by");
  EXPECT_EQ(query.output.target, "into");
}

TEST(Queries, ComputedAttributesNeedANameAndClausesAnOrder) {
  EXPECT_EQ(
      errors_of("from S select a + 1 insert into O;"),
      "1:21: unexpected 'insert'; expected an operator or 'as'; hint: what is computed needs a "
      "name: write '.. as name'\n");
  EXPECT_EQ(errors_of("from S select a having a > 1 group by a insert into O;"),
            "1:30: unexpected 'group'; expected another order of clauses; hint: 'group by', "
            "'having', 'order by', 'limit', 'offset' stand in this order, each once\n");
}

TEST(Queries, RatesOfAllForms) {
  using Rate = ast::OutputRate;
  auto rate = [](const std::string& text) {
    return query_of("from S select a output " + text + " insert into O;").rate;
  };
  EXPECT_EQ(query_of("from S select a insert into O").rate.kind, Rate::Kind::kNone);
  Rate events = rate("every 3 events");
  EXPECT_EQ(events.kind, Rate::Kind::kEvents);
  EXPECT_EQ(events.which, Rate::Which::kAll);
  EXPECT_EQ(events.amount, 3);
  EXPECT_EQ(rate("all every 3 events").which, Rate::Which::kAll);
  EXPECT_EQ(rate("FIRST EVERY 3 EVENTS").which, Rate::Which::kFirst);
  Rate time = rate("last every 1 min 5 sec");
  EXPECT_EQ(time.kind, Rate::Kind::kTime);
  EXPECT_EQ(time.which, Rate::Which::kLast);
  EXPECT_EQ(time.amount, 65'000);
  EXPECT_EQ(rate("snapshot every 1 sec").kind, Rate::Kind::kSnapshot);
  EXPECT_NE(errors_of("from S select a output snapshot every 5 events insert into O;"), "");
}

TEST(Queries, InsertActions) {
  ast::OutputAction plain = action_of("insert into Out;");
  EXPECT_EQ(plain.kind, Action::kInsert);
  EXPECT_EQ(plain.events, Events::kCurrent);
  EXPECT_EQ(plain.target, "Out");
  EXPECT_EQ(action_of("insert all events into Out").events, Events::kAll);
  EXPECT_EQ(action_of("insert expired events into Out").events, Events::kExpired);
  EXPECT_EQ(action_of("insert current events into Out").events, Events::kCurrent);
  EXPECT_EQ(action_of("insert events into Out").events, Events::kCurrent);
  EXPECT_FALSE(action_of("insert all events into Out").raw);
  ast::OutputAction raw = action_of("insert expired raw events into Out");
  EXPECT_EQ(raw.events, Events::kExpired);
  EXPECT_TRUE(raw.raw);
  EXPECT_TRUE(action_of("insert into #inner;").inner);
  EXPECT_TRUE(action_of("insert into !fault;").fault);
}

TEST(Queries, TableActions) {
  ast::OutputAction removal = action_of("delete T for expired events on T.a == a;");
  EXPECT_EQ(removal.kind, Action::kDelete);
  EXPECT_EQ(removal.events, Events::kExpired);
  EXPECT_EQ(shown(*removal.on), "(T.a == a)");
  EXPECT_EQ(action_of("delete T").on, nullptr);

  ast::OutputAction update =
      action_of("update T for all events set T.a = a + 1, T.b = 'x', c = b == 2 on T.k == k;");
  EXPECT_EQ(update.kind, Action::kUpdate);
  EXPECT_EQ(update.events, Events::kAll);
  ASSERT_EQ(update.set.size(), 3u);
  EXPECT_EQ(shown(update.set[0].target), "T.a");
  EXPECT_EQ(shown(*update.set[0].value), "(a + int:1)");
  EXPECT_EQ(shown(*update.set[2].value), "(b == int:2)");

  ast::OutputAction upsert = action_of("update or insert into T set T.a = a on T.k == k");
  EXPECT_EQ(upsert.kind, Action::kUpdateOrInsert);
  EXPECT_EQ(upsert.set.size(), 1u);
  ast::OutputAction overwrite = action_of("insert overwrite T for current events on T.k == k");
  EXPECT_EQ(overwrite.kind, Action::kUpdateOrInsert);
  EXPECT_EQ(overwrite.target, "T");
  ASSERT_NE(overwrite.on, nullptr);
}

TEST(Queries, ReturnIsTheActionOfThoseWithoutOne) {
  EXPECT_EQ(action_of("return expired events;").events, Events::kExpired);
  EXPECT_EQ(action_of("return").kind, Action::kReturn);
  EXPECT_EQ(action_of(";").kind, Action::kNone);
  EXPECT_EQ(action_of("").kind, Action::kNone);
}

TEST(Queries, PartitionsByValueAndRange) {
  ast::Plan plan = plan_of(
      "@purge(enable='true') partition with (a + 1 of S, b > 5 or c as 'big' or b < 2 as 'small' "
      "of T)\nbegin @info(name='one') from S select a insert into #I; from #I select a insert into "
      "O end;\nfrom S select a insert into P;");
  ASSERT_EQ(plan.elements.size(), 2u);
  auto* partition = std::get_if<ast::Partition>(&plan.elements[0]);
  ASSERT_NE(partition, nullptr);
  EXPECT_EQ(partition->annotations.size(), 1u);
  ASSERT_EQ(partition->keys.size(), 2u);
  EXPECT_EQ(partition->keys[0].stream, "S");
  EXPECT_EQ(shown(*partition->keys[0].value), "(a + int:1)");
  ASSERT_EQ(partition->keys[1].ranges.size(), 2u);
  EXPECT_EQ(partition->keys[1].value, nullptr);
  EXPECT_EQ(shown(*partition->keys[1].ranges[0].condition), "((b > int:5) or c)");
  EXPECT_EQ(partition->keys[1].ranges[1].key, "small");
  ASSERT_EQ(partition->queries.size(), 2u);
  EXPECT_EQ(partition->queries[0].annotations[0].elements[0].value, "one");
  EXPECT_TRUE(partition->queries[0].output.inner);
}

TEST(Queries, OnDemandQueriesOfAllForms) {
  using Kind = ast::OnDemandQuery::Kind;
  auto read = [](const std::string& text) {
    OnDemandResult result = parse_on_demand_query(text);
    EXPECT_TRUE(result.diagnostics.empty()) << to_text(result.diagnostics, "query") << text;
    return std::move(result.query);
  };
  ast::OnDemandQuery find =
      read("from A as a on a.k == 'x' within '2017-**', '2018-**' per 'days' select k group by k");
  EXPECT_EQ(find.kind, Kind::kFind);
  EXPECT_EQ(find.store, "A");
  EXPECT_EQ(find.alias, "a");
  EXPECT_EQ(find.within.size(), 2u);
  ASSERT_TRUE(find.selector.has_value());
  EXPECT_FALSE(read("from T;").selector.has_value());
  EXPECT_EQ(read("select 1 as a insert into T").kind, Kind::kInsert);
  EXPECT_EQ(read("delete T on T.a == 1").kind, Kind::kDelete);
  EXPECT_EQ(read("select 1 as a update T set T.a = a on T.b == 2").kind, Kind::kUpdate);
  EXPECT_EQ(read("select 1 as a update or insert into T on T.a == a").kind, Kind::kUpdateOrInsert);
  EXPECT_FALSE(parse_on_demand_query("from").diagnostics.empty());
  EXPECT_FALSE(parse_on_demand_query("").diagnostics.empty());
  EXPECT_FALSE(parse_on_demand_query("insert into T").diagnostics.empty());
  EXPECT_FALSE(parse_on_demand_query("from T insert into S").diagnostics.empty());
}

TEST(Queries, AnOnDemandQueryThatFiltersLikeAStreamIsToldWhereConditionsStand) {
  EXPECT_EQ(to_text(parse_on_demand_query("from T[a > 1] select a").diagnostics, "query"),
            "query:1:7: error: unexpected '['; expected 'on', 'select' or the end; hint: here a "
            "condition stands behind 'on', as in: on a > 1\n");
}

}  // namespace
}  // namespace pollux

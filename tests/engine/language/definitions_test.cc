// Definitions, annotations, and what stands around them.
#include <gtest/gtest.h>

#include "tests/engine/language/parse_helpers.h"

namespace pollux {
namespace {

using test::errors_of;
using test::plan_of;
using test::shown;

template <typename T>
T definition_of(const std::string& text) {
  ast::Plan plan = plan_of(text);
  if (plan.definitions.size() != 1 || !std::holds_alternative<T>(plan.definitions[0])) {
    ADD_FAILURE() << "another definition than wanted: " << text;
    return {};
  }
  return std::move(std::get<T>(plan.definitions[0]));
}

TEST(Definitions, StreamsWithAllTypes) {
  auto stream = definition_of<ast::StreamDefinition>(
      "define stream S (a string, b INT, c long, d Float, e double, f bool, `my g` object)");
  EXPECT_EQ(stream.name, "S");
  ASSERT_EQ(stream.attributes.size(), 7u);
  EXPECT_EQ(stream.attributes[0].type, AttributeType::kString);
  EXPECT_EQ(stream.attributes[1].type, AttributeType::kInt);
  EXPECT_EQ(stream.attributes[3].type, AttributeType::kFloat);
  EXPECT_EQ(stream.attributes[6].name, "my g");
  EXPECT_EQ(stream.attributes[6].type, AttributeType::kObject);
  EXPECT_EQ(stream.attributes[1].location.column, 28u);
}

TEST(Definitions, KeywordsMayBeNames) {
  auto stream = definition_of<ast::StreamDefinition>(
      "DEFINE Stream stream (string string, from int, order long, last bool, `select` int);");
  EXPECT_EQ(stream.name, "stream");
  ASSERT_EQ(stream.attributes.size(), 5u);
  EXPECT_EQ(stream.attributes[1].name, "from");
  EXPECT_EQ(stream.attributes[4].name, "select");
}

TEST(Definitions, TablesWithAnnotations) {
  auto table = definition_of<ast::TableDefinition>(
      "@PrimaryKey('a', 'b') @Index('c') @store(type=\"rdbms\", @Cache(size='10', "
      "retention.period='5 min'))\ndefine table T (a string, b int, c int);");
  ASSERT_EQ(table.annotations.size(), 3u);
  ASSERT_EQ(table.annotations[0].elements.size(), 2u);
  EXPECT_EQ(table.annotations[0].elements[1].key, "");
  EXPECT_EQ(table.annotations[0].elements[1].value, "b");
  ASSERT_EQ(table.annotations[2].annotations.size(), 1u);
  const ast::Annotation& cache = table.annotations[2].annotations[0];
  EXPECT_EQ(cache.name, "Cache");
  ASSERT_EQ(cache.elements.size(), 2u);
  EXPECT_EQ(cache.elements[1].key, "retention.period");
  EXPECT_EQ(cache.elements[1].value, "5 min");
}

TEST(Definitions, AnnotationsNestAndHaveManyKindsOfKeys) {
  auto stream = definition_of<ast::StreamDefinition>(
      "@source(type='http', receiver.url='x', dep:prop='y', basic-auth='true', 'free key'='z', "
      "@map(type='json', @attributes(a='$.a', '$.b')))\n@async\ndefine stream S (a int)");
  ASSERT_EQ(stream.annotations.size(), 2u);
  const ast::Annotation& source = stream.annotations[0];
  ASSERT_EQ(source.elements.size(), 5u);
  EXPECT_EQ(source.elements[1].key, "receiver.url");
  EXPECT_EQ(source.elements[2].key, "dep:prop");
  EXPECT_EQ(source.elements[3].key, "basic-auth");
  EXPECT_EQ(source.elements[4].key, "free key");
  ASSERT_EQ(source.annotations.size(), 1u);
  ASSERT_EQ(source.annotations[0].annotations.size(), 1u);
  EXPECT_EQ(source.annotations[0].annotations[0].elements[1].value, "$.b");
  EXPECT_EQ(stream.annotations[1].name, "async");
}

TEST(Definitions, PlanAnnotationsGoToThePlan) {
  ast::Plan plan = plan_of(
      "@app:name('P') @App:playback(idle.time = '100 millisecond', increment = '2 sec')\n"
      "@Plan:trace('true') @info(name='x') define stream S (a int);\n"
      "@info(name='q') @app:late('1') from S select * insert into Out;");
  ASSERT_EQ(plan.annotations.size(), 4u);
  EXPECT_EQ(plan.annotations[0].name, "app:name");
  EXPECT_EQ(plan.annotations[0].elements[0].value, "P");
  EXPECT_EQ(plan.annotations[1].elements[0].key, "idle.time");
  EXPECT_EQ(plan.annotations[2].name, "Plan:trace");
  EXPECT_EQ(plan.annotations[3].name, "app:late");
  EXPECT_EQ(std::get<ast::StreamDefinition>(plan.definitions[0]).annotations.size(), 1u);
  EXPECT_EQ(std::get<ast::Query>(plan.elements[0]).annotations.size(), 1u);
}

TEST(Definitions, AnnotationValuesAreStrings) {
  EXPECT_EQ(errors_of("@async(buffer.size=1024, batch=true) define stream S (a int);"),
            "1:20: unexpected '1024'; expected a string; hint: values of annotations are strings: "
            "write '1024'\n"
            "1:32: unexpected 'true'; expected a string; hint: values of annotations are strings: "
            "write 'true'\n");
  EXPECT_EQ(errors_of("@PrimaryKey() define table T (a int);"),
            "1:13: unexpected ')'; expected a key, a string or '@'\n");
}

TEST(Definitions, WindowsWithFunctionAndEvents) {
  auto window = definition_of<ast::WindowDefinition>(
      "define window W (a int) str:timeBatch(1 min, 'x') output expired events;");
  EXPECT_EQ(window.window.name_space, "str");
  EXPECT_EQ(window.window.name, "timeBatch");
  ASSERT_EQ(window.window.arguments.size(), 2u);
  EXPECT_EQ(shown(*window.window.arguments[0]), "60000ms");
  EXPECT_EQ(window.events, ast::OutputAction::Events::kExpired);
  window = definition_of<ast::WindowDefinition>("define window W (a int) length(5)");
  EXPECT_EQ(window.events, ast::OutputAction::Events::kAll);
  EXPECT_EQ(errors_of("define window W (a int);"),
            "1:24: unexpected ';'; expected the kind of window, such as 'length(10)'\n");
}

TEST(Definitions, TriggersByTimeCronAndStart) {
  auto trigger = definition_of<ast::TriggerDefinition>("define trigger T at every 5 min 30 sec;");
  EXPECT_EQ(trigger.every_ms, 330'000);
  trigger = definition_of<ast::TriggerDefinition>("define trigger T at '*/1 * * * * ?';");
  EXPECT_EQ(trigger.at, "*/1 * * * * ?");
  EXPECT_FALSE(trigger.every_ms.has_value());
  trigger = definition_of<ast::TriggerDefinition>("@info(name='t') define trigger T at 'start'");
  EXPECT_EQ(trigger.at, "start");
  EXPECT_EQ(trigger.annotations.size(), 1u);
}

TEST(Definitions, FunctionsKeepTheirBody) {
  auto function = definition_of<ast::FunctionDefinition>(
      "define function concat[JavaScript] return string {\n"
      "  // a brace } in a comment\n"
      "  if (data[0]) { return \"}\" + data[0]; }\n"
      "  return 1;\n};");
  EXPECT_EQ(function.name, "concat");
  EXPECT_EQ(function.language, "JavaScript");
  EXPECT_EQ(function.returns, AttributeType::kString);
  EXPECT_EQ(function.body,
            "\n  // a brace } in a comment\n"
            "  if (data[0]) { return \"}\" + data[0]; }\n"
            "  return 1;\n");
}

TEST(Definitions, FunctionBodiesWithAnOddQuoteAreRead) {
  auto function =
      definition_of<ast::FunctionDefinition>("define function f[r] return int { x = '\"'; }; ");
  EXPECT_EQ(function.body, " x = '\"'; ");
}

TEST(Definitions, AggregationsByRangeAndList) {
  auto range = definition_of<ast::AggregationDefinition>(
      "@store(type='rdbms') define aggregation A from S[a > 1]#f(b)\n"
      "select a, sum(b) as total group by a, S.c aggregate by ts every seconds...years;");
  EXPECT_EQ(range.source.stream, "S");
  EXPECT_EQ(range.source.handlers.size(), 2u);
  ASSERT_EQ(range.selector.attributes.size(), 2u);
  ASSERT_EQ(range.selector.group_by.size(), 2u);
  EXPECT_EQ(shown(*range.selector.group_by[1]), "S.c");
  ASSERT_TRUE(range.by.has_value());
  EXPECT_EQ(shown(*range.by), "ts");
  EXPECT_TRUE(range.range);
  EXPECT_EQ(range.durations, (std::vector<std::string>{"sec", "year"}));

  auto list = definition_of<ast::AggregationDefinition>(
      "define aggregation A from S select sum(b) as total aggregate every sec, minutes, Day");
  EXPECT_FALSE(list.range);
  EXPECT_FALSE(list.by.has_value());
  EXPECT_EQ(list.durations, (std::vector<std::string>{"sec", "min", "day"}));
}

TEST(Definitions, CommentsAreSkipped) {
  ast::Plan plan = plan_of(
      "-- define stream X (a int);\r\n/* define\n stream Y (b int); */ define /**/ stream S -- c\n"
      "(a int) ; --");
  ASSERT_EQ(plan.definitions.size(), 1u);
  EXPECT_EQ(std::get<ast::StreamDefinition>(plan.definitions[0]).name, "S");
}

TEST(Definitions, AByteOrderMarkIsSkipped) {
  EXPECT_EQ(plan_of("\xEF\xBB\xBF"
                    "define stream S (a int);")
                .definitions.size(),
            1u);
}

TEST(Definitions, WrongTypesAreAllReportedWithWhatWasMeant) {
  EXPECT_EQ(
      errors_of("define stream S (a strnig, b integer, c wombat, d, e lnog);"),
      "1:20: unknown type 'strnig'; expected a type: string, int, long, float, double, bool or "
      "object; hint: did you mean 'string'?\n"
      "1:30: unknown type 'integer'; expected a type: string, int, long, float, double, bool "
      "or object; hint: did you mean 'int'?\n"
      "1:41: unknown type 'wombat'; expected a type: string, int, long, float, double, bool or "
      "object\n"
      "1:50: unexpected ','; expected a type: string, int, long, float, double, bool or "
      "object\n"
      "1:54: unknown type 'lnog'; expected a type: string, int, long, float, double, bool or "
      "object; hint: did you mean 'long'?\n");
}

TEST(Definitions, InnerAndFaultStreamsAreNotDefined) {
  EXPECT_EQ(errors_of("define stream #S (a int);"),
            "1:15: unexpected '#'; expected the stream's name; hint: inner streams (#) are not "
            "defined, they are inferred\n");
  EXPECT_NE(errors_of("define stream !S (a int);"), "");
}

}  // namespace
}  // namespace pollux

// define function f[javascript]: what goes in, what comes out, and what a script cannot do.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "engine/runtime/engine.h"
#include "tests/engine/run_plan.h"

namespace pollux {
namespace {

using Lines = std::vector<std::string>;

std::string plan(const std::string& returns, const std::string& body) {
  return "define stream S (i int, l long, f float, d double, b bool, s string);\n"
         "define function fn[javascript] return " +
         returns + " {" + body +
         "};\n"
         "from S select fn(i, l, f, d, b, s) as x insert into O;";
}

const std::vector<Value> kRow = {int32_t{3}, int64_t{4'000'000'000}, 1.5F, 2.25,
                                 true,       std::string("text")};

Lines results(const std::string& returns, const std::string& body,
              const std::vector<Value>& row = kRow) {
  return run_plan(plan(returns, body), "S", {{1, row}});
}

std::string error_of(const std::string& text) {
  Diagnostics diagnostics = Engine::validate(text);
  return diagnostics.empty() ? "none" : to_text({diagnostics[0]}, "plan");
}

TEST(ScriptFunctions, ArgumentsStandInData) {
  EXPECT_EQ(results("string", "return data.length + ':' + data.join('|');"),
            Lines{"O @1 6:3|4000000000|1.5|2.25|true|text"});
  EXPECT_EQ(results("string", "return data.map(function (x) { return typeof x; }).join(' ');"),
            Lines{"O @1 number number number number boolean string"});
  EXPECT_EQ(results("string", "return String(data[5] === null) + data[0];",
                    {Value{}, int64_t{1}, 1.0F, 1.0, true, Value{}}),
            Lines{"O @1 truenull"});
}

TEST(ScriptFunctions, ResultsBecomeWhatIsReturned) {
  EXPECT_EQ(results("int", "return data[0] * 2.9;"), Lines{"O @1 8"});
  EXPECT_EQ(results("int", "return '12';"), Lines{"O @1 12"});
  EXPECT_EQ(results("int", "return -2147483648;"), Lines{"O @1 -2147483648"});
  EXPECT_EQ(results("long", "return data[1] + 1;"), Lines{"O @1 4000000001"});
  EXPECT_EQ(results("float", "return 1 / 3;"), Lines{"O @1 0.33333334"});
  EXPECT_EQ(results("double", "return data[2] / 0;"), Lines{"O @1 Infinity"});
  EXPECT_EQ(results("bool", "return data[0] > 2;"), Lines{"O @1 true"});
  EXPECT_EQ(results("bool", "return 'false';"), Lines{"O @1 false"});
  EXPECT_EQ(results("string", "return 1 + 1;"), Lines{"O @1 2"});
  EXPECT_EQ(results("string", "return [1, 'a', null];"), Lines{"O @1 1,a,"});
  EXPECT_EQ(results("string", "return '\\u00e9 \\ud83d\\ude00';"),
            Lines{"O @1 \xC3\xA9 \xF0\x9F\x98\x80"});
}

TEST(ScriptFunctions, WhatDoesNotFitIsNull) {
  for (std::string returns : {"string", "int", "long", "float", "double", "bool"}) {
    // As for all functions, a bool that is null is false.
    Lines nothing{returns == "bool" ? "O @1 false" : "O @1 null"};
    for (const char* body : {"return null;", "", "throw 'no';", "return data[0].a.b;"}) {
      EXPECT_EQ(results(returns, body), nothing) << returns << body;
    }
  }
  EXPECT_EQ(results("int", "return 2147483648;"), Lines{"O @1 null"});
  EXPECT_EQ(results("int", "return 0 / 0;"), Lines{"O @1 null"});
  EXPECT_EQ(results("int", "return 'many';"), Lines{"O @1 null"});
  EXPECT_EQ(results("int", "return true;"), Lines{"O @1 null"});
  EXPECT_EQ(results("long", "return 9223372036854775808;"), Lines{"O @1 null"});
  EXPECT_EQ(results("bool", "return 1;"), Lines{"O @1 false"});
  EXPECT_EQ(results("double", "return ' ';"), Lines{"O @1 null"});
}

TEST(ScriptFunctions, NothingStaysFromOneCallToTheNext) {
  for (const char* body :
       {"n = typeof n === 'undefined' ? 1 : n + 1; return n;",
        "this.n = (this.n || 0) + 1; return this.n;",
        "Math.n = (Math.n || 0) + 1; return isNaN(Math.n) ? 1 : Math.n;",
        "Array.prototype.n = ([].n || 0) + 1; return [].n || 1;",
        "Object.getPrototypeOf(this).n = 2; return typeof n === 'undefined' ? 1 : 2;"}) {
    Lines lines = run_plan(plan("int", body), "S", {{1, kRow}, {2, kRow}, {3, kRow}});
    EXPECT_EQ(lines, (Lines{"O @1 1", "O @2 1", "O @3 1"})) << body;
  }
  // The function itself cannot be changed: the call fails.
  const char* callee = "var self = arguments.callee; self.n = (self.n || 0) + 1; return self.n;";
  EXPECT_EQ(run_plan(plan("int", callee), "S", {{1, kRow}, {2, kRow}}),
            (Lines{"O @1 null", "O @2 null"}));
}

TEST(ScriptFunctions, TimeChanceAndOtherCodeAreNotThere) {
  for (const char* body :
       {"return Date.now();", "return new Date().getTime();", "return Math.random();",
        "return eval('1');", "return Function('return 1')();",
        "return (function () {}).constructor('return 1')();", "return Duktape.version;",
        "return performance.now();", "return new RegExp('a').source;", "return 'a'.match('a');",
        "return new Proxy({}, {});", "return globalThis.x.y;", "return setTimeout(1);",
        "return require('fs');"}) {
    EXPECT_EQ(results("string", body), Lines{"O @1 null"}) << body;
  }
}

/// The failures of one call.
std::string failure_of(const std::string& body, const std::vector<Value>& row = kRow) {
  class NoResults final : public ResultSink {
   public:
    void on_result(const ResultBatch&) override {}
  } results;
  Engine engine;
  ApplyOutcome deployed =
      engine.apply({{{1}, {1}}, {0}, DeployPayload{"test", plan("string", body)}}, results);
  EXPECT_EQ(deployed.status, ApplyStatus::kApplied) << to_text(deployed.diagnostics, "test");
  if (deployed.status != ApplyStatus::kApplied) return "";
  for (uint64_t position : {2, 3}) {
    auto batch = std::make_shared<EventBatch>(engine.input_schema("S"));
    for (size_t c = 0; c < row.size(); ++c) batch->append_value(c, row[c]);
    batch->end_row(0);
    engine.apply({{{1}, {position}}, {0}, EventsPayload{batch}}, results);
  }
  std::optional<PlanDescription> told = engine.describe("test");
  EXPECT_EQ(told->counts.script_failures, told->last_script_failure.empty() ? 0u : 2u);
  return told->last_script_failure;
}

TEST(ScriptFunctions, FailuresAreCountedAndTold) {
  EXPECT_EQ(failure_of("return 1;"), "");
  EXPECT_EQ(failure_of("throw new Error('no luck');"), "fn: Error: no luck");
  EXPECT_EQ(failure_of("return nothing;"), "fn: ReferenceError: identifier 'nothing' undefined");
  EXPECT_EQ(failure_of("throw '\\ud800';"), "fn: \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(failure_of("return Math.random();"),
            "fn: Error: Math.random is not there: equal events give equal results");
}

TEST(ScriptFunctions, CallsAreBoundedInSteps) {
  const std::string kSteps = "fn: RangeError: more than 100000 steps";
  for (const char* body :
       {"while (true) {}",
        "while (1);",
        "for (;;) {}",
        "for (;;);",
        "for (var i = 0; ; ) i++;",
        "for (var i = 0; i < 1e9; i++);",
        "for (;/* ; */;);",
        "do {} while (true);",
        "do ; while (1)",
        "a: while (1) { while (1) { continue a; } }",
        "while (1) { try { while (1); } catch (e) {} }",
        "for (;;) { try { for (;;); } finally { continue; } }",
        "function f(n) { if (n > 0) { f(n - 1); f(n - 1); } } f(60);",
        "var f = function (n) { return n > 0 ? f(n - 1) + f(n - 1) : 1; }; return f(60);",
        "var o = { get x() { return 1; }, get y() { return this.x; } }; for (;;) o.y;",
        "var o = { n: 60, get x() { if (this.n-- > 0) { this.x; this.x; this.n++; } } };"
        "for (;;) o.x;",
        "var a = []; a.length = 4e9; a.forEach(function () {});",
        "var a = []; a.length = 4e9; return a.indexOf(1);",
        "var a = []; a.length = 4e9; return a.join('');",
        "var f = [].forEach, g = function () {};"
        "for (var i = 0; i < 60; i++) g = f.bind([1, 1], g); g();",
        "var o = {}; for (var i = 0; i < 999; i++) o['k' + i] = 1;"
        "for (var a in o) for (var b in o) for (var c in o);",
        "var q = 4 / 2; while (q) { q = (q) / 1; }",
        "var s = 'it\\'s {'; while (s);",
        "switch (1) { default: for (;;); }",
        "with ({}) while (1);"}) {
    EXPECT_EQ(failure_of(body), kSteps) << body;
  }
  EXPECT_EQ(failure_of("for (var i = 0, n = 0; i < 40000; i++) n += i; return n;"), "");
}

TEST(ScriptFunctions, CallsAreBoundedInMemoryAndDepth) {
  EXPECT_EQ(failure_of("var s = 'x'; for (;;) s += s;"), "fn: Error: alloc failed");
  for (const char* body :
       {"var a = []; for (;;) a.push(new Array(1000).join('x') + a.length);",
        "var s = 'x'; for (var i = 0; i < 26; i++) s += s; return s;", "function f() { f(); } f();",
        "return JSON.stringify(new Array(3e7).join('[]'));"}) {
    EXPECT_NE(failure_of(body), "") << body;
  }
}

TEST(ScriptFunctions, HostileTextsAreTaken) {
  for (const char* text :
       {"\xFF\xFE", "\x82symbol", "\xC0\x8A", "\xED\xA0\x80", "", "\xF0\x9F\x98\x80"}) {
    EXPECT_EQ(failure_of("return data[5] + data[5].length;",
                         {int32_t{1}, int64_t{1}, 1.0F, 1.0, true, std::string(text)}),
              "");
  }
  std::vector<Value> row = kRow;
  row[1] = std::numeric_limits<int64_t>::max();
  row[3] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(results("double", "return data[3];", row), Lines{"O @1 NaN"});
  EXPECT_EQ(results("long", "return data[1];", row), Lines{"O @1 null"});  // 2^63 as a double
}

TEST(ScriptFunctions, MistakesHaveAPlace) {
  EXPECT_EQ(
      error_of("define stream S (a int);\ndefine function f[javascript] return int {\n  return"
               " (1;\n};"),
      "plan:3:10: error: in function 'f': '(' is not closed; expected JavaScript as of ECMAScript "
      "5.1\n");
  EXPECT_NE(error_of("define function f[javascript] return int { var = 1; };")
                .find("plan:1:43: error: in function 'f': SyntaxError"),
            std::string::npos);
  EXPECT_NE(error_of("define function f[javascript] return int {\n\n  var = 1; };")
                .find("plan:3:1: error: in function 'f': SyntaxError"),
            std::string::npos);
  EXPECT_EQ(error_of("define function f[r] return int { 1 };"),
            "plan:1:1: error: functions in 'r' are not supported; expected define function "
            "f[javascript]\n");
  EXPECT_EQ(
      error_of("define function f[JavaScript] return object { return 1; };"),
      "plan:1:1: error: a function that returns an object; expected string, int, long, float, "
      "double or bool\n");
  EXPECT_EQ(error_of("define function f[javascript] return int { return 1; };\n"
                     "define function f[javascript] return int { return 2; };"),
            "plan:2:1: error: function 'f' is defined twice; expected another name\n");
  EXPECT_EQ(error_of("define stream S (a int); define function twice[javascript] return int { "
                     "return 2 * data[0]; }; from S select twise(a) as b insert into O;"),
            "plan:1:110: error: unknown function 'twise'; expected a known function; hint: did you "
            "mean 'twice'?\n");
}

TEST(ScriptFunctions, TextsInWhichALoopCouldHideAreRefused) {
  for (const char* body :
       {"<!-- /*\nwhile (1); <!-- */", "\n--> /*\nwhile (1); /* */", "w\\u0068ile (1);",
        "// \xE2\x80\xA8 while (1);", "while\xC2\xA0(1);", "var a = `while (1)`;",
        "}; while (1); function g() {", "$pollux_step = null;", "var x = {} / 2;",
        "return /a/.test('a');", "if (1) /[)}]{0}/.test('');", "var r = /[/*]/; while (r) ; // */",
        "'\n'; while (1);", "/[\n]/; while(1);", "3.while(1);", "\xC0\xA2 while(1); \xC0\xA2"}) {
    EXPECT_NE(error_of("define function f[javascript] return int {" + std::string(body) + "};"),
              "none")
        << body;
  }
}

}  // namespace
}  // namespace pollux

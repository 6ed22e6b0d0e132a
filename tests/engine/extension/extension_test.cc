// Functions of a shared library in plans.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/extension/extension_functions.h"
#include "engine/runtime/engine.h"
#include "engine/types/object_value.h"
#include "tests/engine/run_plan.h"

namespace pollux {
namespace {

using Lines = std::vector<std::string>;

const pollux_extension& sample() {
  static const pollux_extension& extension = [&]() -> const pollux_extension& {
    void* library = ::dlopen(POLLUX_SAMPLE_EXTENSION, RTLD_NOW | RTLD_LOCAL);
    EXPECT_NE(library, nullptr) << ::dlerror();
    auto entry =
        reinterpret_cast<pollux_extension_entry>(::dlsym(library, POLLUX_EXTENSION_SYMBOL));
    EXPECT_NE(entry, nullptr);
    const pollux_extension* found = entry();
    auto functions = functions_of(*found);
    add_functions(std::get<std::vector<FunctionEntry>>(std::move(functions)));
    return *found;
  }();
  return extension;
}

Lines run(const std::string& select, const std::string& attributes, std::vector<TestRow> rows) {
  sample();
  return run_plan(
      "define stream S (" + attributes + "); from S select " + select + " insert into Out;", "S",
      rows);
}

TEST(Extension, FunctionsOfALibraryAreCalledInPlans) {
  EXPECT_EQ(run("sample:twice(a) as x", "a long", {{1, {int64_t{21}}}, {2, {Value()}}}),
            (Lines{"Out @1 42", "Out @2 null"}));
}

TEST(Extension, AnIntIsTakenForALong) {
  EXPECT_EQ(run("sample:twice(a) as x", "a int", {{1, {4}}}), Lines{"Out @1 8"});
}

TEST(Extension, TextsAreHandedInAndOut) {
  EXPECT_EQ(run("sample:starred(a) as x", "a string",
                {{1, {"é, and more than fits inside a view"}}, {2, {""}}}),
            (Lines{"Out @1 *é, and more than fits inside a view*", "Out @2 **"}));
}

TEST(Extension, NullsAreHandedToThoseThatTakeThem) {
  EXPECT_EQ(run("sample:nulls(a, b, a) as x", "a int, b string", {{1, {Value(), "x"}}}),
            Lines{"Out @1 2"});
}

TEST(Extension, ObjectsGoByWayOfJson) {
  std::string one = encode_object(1);
  Value list = ObjectValue{*make_list({one, encode_object({})})};
  EXPECT_EQ(run("sample:same(o) as x", "o object", {{1, {list}}}), Lines{"Out @1 [1, null]"});
}

TEST(Extension, WhatIsNoTextIsNull) {
  EXPECT_EQ(run("sample:broken() as x", "a int", {{1, {1}}}), Lines{"Out @1 null"});
}

TEST(Extension, ArgumentsThatDoNotFitAreRefused) {
  sample();
  Diagnostics found = Engine::validate(
      "define stream S (a string); from S select sample:twice(a) as x "
      "insert into Out;");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].expected, "(<long> value) <long>");
}

TEST(Extension, AnotherVersionIsRefused) {
  pollux_extension other = sample();
  other.version = 7;
  EXPECT_EQ(std::get<std::string>(functions_of(other)),
            "is of version 7 of the interface, expected version 1");
}

TEST(Extension, WhatIsNoSignatureIsRefused) {
  for (const char* text : {"", "(", "()", "<int>", "(<int a) <int>", "() <any>", "() <number>",
                           "(<int> a) int", ")(<int>"}) {
    pollux_function function = sample().functions[0];
    function.signature = text;
    pollux_extension other{POLLUX_EXTENSION_VERSION, 1, &function};
    EXPECT_TRUE(std::holds_alternative<std::string>(functions_of(other))) << text;
  }
}

TEST(Extension, WhatLacksItsNameIsRefused) {
  pollux_function function = sample().functions[0];
  function.name_space = "";
  pollux_extension other{POLLUX_EXTENSION_VERSION, 1, &function};
  EXPECT_EQ(std::get<std::string>(functions_of(other)),
            "function 0 has no namespace, name, signature, doc or call");
}

}  // namespace
}  // namespace pollux

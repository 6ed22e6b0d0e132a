// The shared language cases that ask tables: what they insert, update and delete by queries of the
// plan, and what must come back from on-demand queries.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <cmath>
#include <iostream>
#include <map>
#include <optional>

#include "tests/engine/language/shared_cases.h"
#include "tests/engine/runtime/query_testing.h"

namespace pollux {
namespace {

namespace dom = simdjson::dom;

struct Skip {
  std::string why;
};

Value value_of(dom::element json) {
  double number = 0;
  int64_t whole = 0;
  switch (json.type()) {
    case dom::element_type::NULL_VALUE:
      return {};
    case dom::element_type::BOOL:
      return bool(json);
    case dom::element_type::STRING:
      return std::string(std::string_view(json));
    case dom::element_type::INT64:
      return static_cast<int32_t>(int64_t(json));
    default:
      break;
  }
  if (json["long"].get(whole) == simdjson::SUCCESS) return whole;
  if (json["float"].get(number) == simdjson::SUCCESS) return static_cast<float>(number);
  if (json["double"].get(number) == simdjson::SUCCESS) return number;
  throw Skip{"a value of a kind of its own"};
}

/// The text without @store(...): tables of test stores are kept in memory here.
std::string without_stores(std::string text) {
  for (const char* name : {"@store", "@Store"}) {
    for (size_t at = text.find(name); at != std::string::npos; at = text.find(name)) {
      size_t end = text.find('(', at);
      int depth = 0;
      do {
        if (text[end] == '(') ++depth;
        if (text[end] == ')') --depth;
        ++end;
      } while (depth > 0);
      text.erase(at, end - at);
    }
  }
  return text;
}

/// One case: its plan, what is sent, and the queries. Throws Skip.
class Case {
 public:
  explicit Case(dom::element json) : json_(json), id_(std::string_view(json["id"])) {
    for (dom::element need : json["needs"].get_array()) {
      if (std::string_view(need) != "store:testStoreContainingInMemoryTable") {
        throw Skip{"needs " + std::string(std::string_view(need))};
      }
    }
    if (!json["app"].is_string()) throw Skip{"several plans"};
    std::string text = without_stores(std::string(std::string_view(json["app"])));
    Diagnostics mistakes = Engine::validate(text);
    if (!mistakes.empty()) throw Skip{to_text(mistakes, "plan")};
    plan_ = std::make_unique<test::AskedPlan>(text);
  }

  /// Queries asked.
  size_t run() {
    for (dom::element step : json_["steps"].get_array()) {
      std::string_view query;
      if (step["query"].get(query) == simdjson::SUCCESS) {
        ask(std::string(query), step);
      } else {
        take(step);
      }
    }
    return asked_;
  }

 private:
  void take(dom::element step) {
    int64_t sleep_ms = 0;
    if (step["sleep_ms"].get(sleep_ms) == simdjson::SUCCESS) now_ms_ += sleep_ms;
    std::string_view stream;
    if (step["send"].get(stream) != simdjson::SUCCESS) return;
    dom::array events;
    if (step["events"].get(events) != simdjson::SUCCESS) return send(stream, step["data"]);
    for (dom::element event : events) send(stream, event["data"]);
  }

  void send(std::string_view stream, dom::element data) {
    test::Row row;
    for (dom::element value : data.get_array()) row.push_back(value_of(value));
    SchemaPtr schema = plan_->engine().input_schema(stream);
    if (schema == nullptr || schema->size() != row.size()) throw Skip{"a row of another length"};
    plan_->send(std::string(stream), row, now_ms_);
  }

  void ask(const std::string& text, dom::element step) {
    QueryAnswer answer = plan_->ask(text);
    bool fails = false;
    if (step["error"].get(fails) == simdjson::SUCCESS && fails) {
      EXPECT_EQ(answer.status.code, QueryCode::kInvalid) << id_ << "\n" << text;
      ++asked_;
      return;
    }
    bool changes = !answer.diagnostics.empty() &&
                   answer.diagnostics[0].message.find("changes a table") != std::string::npos;
    if (changes) throw Skip{"a query that changes a table"};
    ASSERT_TRUE(answer.status.ok()) << id_ << "\n" << to_text(answer.diagnostics, text);
    ++asked_;
    dom::element expected;
    if (step["expect"].get(expected) == simdjson::SUCCESS) judge(*answer.rows, expected, text);
  }

  void judge(const EventBatch& rows, dom::element expected, const std::string& text) {
    std::string where = id_ + "\n" + text + "\n" + test::text_of(rows);
    int64_t count = 0;
    bool none = false;
    if (expected["count"].get(count) == simdjson::SUCCESS) {
      EXPECT_EQ(int64_t{rows.rows()}, count) << where;
    }
    if (expected["null"].get(none) == simdjson::SUCCESS && none) {
      EXPECT_EQ(rows.rows(), 0u) << where;
    }
    dom::array facts;
    if (expected["fields"].get(facts) == simdjson::SUCCESS) {
      for (dom::element fact : facts) judge_field(rows, fact, where);
    }
    if (expected["row_len"].get(facts) == simdjson::SUCCESS) {
      for (dom::element fact : facts) {
        EXPECT_EQ(int64_t(rows.schema().size()), int64_t(fact["value"])) << where;
      }
    }
    if (expected["rows"].get(facts) == simdjson::SUCCESS) judge_rows(rows, facts, expected, where);
  }

  static void judge_field(const EventBatch& rows, dom::element fact, const std::string& where) {
    auto row = static_cast<uint32_t>(int64_t(fact["row"]));
    auto field = static_cast<size_t>(int64_t(fact["field"]));
    ASSERT_LT(row, rows.rows()) << where;
    if (fact["near"].error() == simdjson::SUCCESS) throw Skip{"a value that is near"};
    EXPECT_EQ(to_text(rows.value(row, field)), to_text(value_of(fact["value"]))) << where;
  }

  static void judge_rows(const EventBatch& rows, dom::array expected, dom::element facts,
                         const std::string& where) {
    ASSERT_EQ(size_t{rows.rows()}, expected.size()) << where;
    bool ordered = facts["ordered"].get_bool().value();
    for (uint32_t row = 0; row < rows.rows(); ++row) {
      bool found = false;
      uint32_t place = 0;
      for (dom::element wanted : expected) {
        if (ordered && place++ != row) continue;
        bool same = true;
        size_t column = 0;
        for (dom::element value : wanted.get_array()) {
          same = same && rows.value(row, column++) == value_of(value);
        }
        found = found || same;
      }
      EXPECT_TRUE(found) << where << " row " << row;
    }
  }

  dom::element json_;
  std::string id_;
  std::unique_ptr<test::AskedPlan> plan_;
  int64_t now_ms_ = 1'496'289'720'000;
  size_t asked_ = 0;
};

TEST(OnDemandConformance, TablesAnswerAsInTheSharedCases) {
  auto folder = test::shared_folder();
  if (!folder) {
    GTEST_SKIP() << "no shared language cases: set POLLUX_SHARED to the folder that holds "
                    "conformance/*.jsonl";
  }
  size_t cases = 0;
  size_t queries = 0;
  std::map<std::string, size_t> skipped;
  dom::parser parser;
  std::string file = (*folder / "conformance" / "siddhi-5.1.jsonl").string();
  dom::document_stream lines = parser.load_many(file, size_t{16} << 20);
  for (dom::element line : lines) {
    bool asks = false;
    for (dom::element step : line["steps"].get_array()) {
      asks = asks || step["query"].error() == simdjson::SUCCESS;
    }
    if (!asks) continue;
    try {
      queries += Case(line).run();
      ++cases;
    } catch (const Skip& skip) {
      ++skipped[skip.why];
    }
  }
  std::cout << cases << " cases, " << queries << " queries asked\n";
  for (const auto& [why, count] : skipped) std::cout << "skipped " << count << ": " << why << "\n";
  EXPECT_GE(cases, 20u);
}

}  // namespace
}  // namespace pollux

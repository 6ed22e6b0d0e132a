// Bodies of JSON as batches: the same events in whatever packing, and as the reader of lines reads
// them.

#include "server/formats/json_events.h"

#include <gtest/gtest.h>

#include <random>

#include "server/formats/json_lines_reader.h"
#include "tests/server/reader_testing.h"

namespace pollux {
namespace {

constexpr int64_t kNow = 1'700'000'000'000;

SchemaPtr schema() {
  return make_schema({{"name", AttributeType::kString},
                      {"count", AttributeType::kInt},
                      {"total", AttributeType::kLong},
                      {"rate", AttributeType::kFloat},
                      {"score", AttributeType::kDouble},
                      {"good", AttributeType::kBool}});
}

JsonEvents read(std::string text, JsonEventsForm form, const SchemaPtr& of = schema()) {
  size_t bytes = text.size();
  text.append(64, '}');  // what stands behind a body must not matter
  JsonEventsReader reader;
  return reader.read(std::string_view(text).substr(0, bytes), 64, form, of, kNow);
}

std::vector<std::string> rows_of(const JsonEvents& events) {
  std::vector<std::string> rows;
  if (events.batch == nullptr) return rows;
  for (uint32_t row = 0; row < events.batch->rows(); ++row) {
    rows.push_back(row_text(*events.batch, row));
  }
  return rows;
}

std::vector<std::string> errors_of(const JsonEvents& events) {
  std::vector<std::string> errors;
  for (const EventError& each : events.errors) {
    errors.push_back(std::to_string(each.index + 1) + ":" + std::string(name_of(each.error.kind)) +
                     ":" + each.error.field + ": " + each.error.reason);
  }
  return errors;
}

ReadAll read_lines(const std::string& text) {
  RowLayout layout(schema());
  JsonLinesReader reader(std::make_unique<InputBuffer>(std::make_unique<TextSource>(text)), layout,
                         {});
  return read_all(reader);
}

/// Events as texts of JSON, each on one line; some of them wrong when asked.
class RandomEvents {
 public:
  explicit RandomEvents(uint32_t seed) : random_(seed) {}

  std::string event(bool may_be_wrong) {
    std::vector<std::string> fields = {
        R"("name":)" + pick({R"("ada")", R"("")", R"("\u00e9\n\"\\")", "\"\xc3\xa9\"", "null",
                             R"("\ud83d\ude00")"}),
        R"("count":)" + pick({"0", "-2147483648", "2147483647", "null", " 12 "}),
        R"("total":)" + pick({"0", "-9223372036854775808", "9223372036854775807", "null"}),
        R"("rate":)" + pick({"0.1", "1e10", "-0.0", "3", "null", R"("NaN")", R"("-Infinity")"}),
        R"("score":)" + pick({"0.1", "1e-300", "123456789.123", "7", "null", R"("Infinity")"}),
        R"("good":)" + pick({"true", "false", "null"}),
        R"("more":)" + pick({"[1,[2]]", R"({"a":{"b":[]}})", "1", R"("x")", "null"})};
    if (may_be_wrong && random_() % 4 == 0) {
      fields[random_() % 6] =
          pick({R"("count":"x")", R"("count":2147483648)", R"("total":1.5)", R"("good":1)",
                R"("name":[1])", R"("other":1)", R"("rate":1e99)", R"("count":1,"count":2)"});
    }
    std::shuffle(fields.begin(), fields.end(), random_);
    std::string flat;
    for (const std::string& field : fields) flat += (flat.empty() ? "" : ",") + field;
    flat = "{" + flat + "}";
    std::string time = std::to_string(random_() % 1'000'000'000);
    switch (random_() % 4) {
      case 0:
        return R"({"data":)" + flat + R"(,"timestamp":)" + time + "}";
      case 1:
        return R"({"timestamp":)" + time + R"(,"stream":"S","data": )" + flat + "}";
      case 2:
        flat.insert(1, R"("timestamp":)" + time + ",");
        return flat;
      default:
        flat.insert(flat.size() - 1, R"(, "timestamp" : )" + time + " ");
        return flat;
    }
  }
  std::string blanks() { return pick({"", " ", "\n", "\r\n\t ", ""}); }
  size_t below(size_t end) { return random_() % end; }

 private:
  std::string pick(const std::vector<std::string>& from) { return from[random_() % from.size()]; }
  std::mt19937 random_;
};

TEST(JsonEvents, TheSameEventsInWhateverPacking) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    RandomEvents random(seed);
    bool may_be_wrong = seed % 2 == 1;
    std::string lines;
    std::string array = random.blanks() + "[" + random.blanks();
    size_t count = 1 + random.below(20);
    for (size_t i = 0; i < count; ++i) {
      std::string event = random.event(may_be_wrong);
      lines += event + (random.below(3) == 0 ? " \r\n" : "\n");
      array += (i == 0 ? "" : "," + random.blanks()) + event + random.blanks();
    }
    array += "]" + random.blanks();
    if (random.below(2) == 0) lines.pop_back();

    ReadAll expected = read_lines(lines);
    for (const JsonEvents& got :
         {read(array, JsonEventsForm::kDocument), read(lines, JsonEventsForm::kLines),
          read(lines, JsonEventsForm::kDocument)}) {
      ASSERT_EQ(errors_of(got), expected.errors) << seed << "\n" << lines;
      ASSERT_EQ(got.errors_total, expected.errors.size());
      ASSERT_EQ(got.batch != nullptr, expected.errors.empty());
      if (got.batch != nullptr) {
        ASSERT_EQ(rows_of(got), expected.rows) << seed << "\n" << lines;
      }
    }
  }
}

TEST(JsonEvents, CutAnywhereItIsRefusedAndNothingIsReadBehindTheEnd) {
  RandomEvents random(7);
  std::string array = "[" + random.event(false) + "," + random.event(false) + "]";
  std::string object = random.event(false);
  for (const std::string& whole : {array, object}) {
    ASSERT_NE(read(whole, JsonEventsForm::kDocument).batch, nullptr);
    for (size_t bytes = 1; bytes < whole.size(); ++bytes) {
      JsonEvents cut = read(whole.substr(0, bytes), JsonEventsForm::kDocument);
      EXPECT_EQ(cut.batch, nullptr) << whole.substr(0, bytes);
      EXPECT_GE(cut.errors_total, 1);
    }
  }
}

TEST(JsonEvents, BytesChangedAtRandomGiveEventsOrErrors) {
  JsonEventsReader reader;
  SchemaPtr of = schema();
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    RandomEvents random(seed);
    std::string body = "[" + random.event(false) + "," + random.event(true) + "]";
    for (size_t changes = 1 + random.below(4); changes > 0; --changes) {
      body[random.below(body.size())] = "{}[]\",:\\0e-tn\x01\xff"[random.below(15)];
    }
    size_t bytes = body.size();
    body.append(64, '\0');
    for (JsonEventsForm form : {JsonEventsForm::kDocument, JsonEventsForm::kLines}) {
      JsonEvents events = reader.read(std::string_view(body).substr(0, bytes), 64, form, of, kNow);
      EXPECT_EQ(events.batch == nullptr, events.errors_total > 0) << body;
      EXPECT_EQ(events.errors.size(), std::min<uint64_t>(events.errors_total, 100));
    }
  }
}

TEST(JsonEvents, TheTimeIsTheAttributesTheEventsOrNow) {
  auto timed = make_schema({{"ts", AttributeType::kLong}});
  auto time = [](const JsonEvents& events) { return events.batch->timestamps()[0]; };
  auto plain = make_schema({{"n", AttributeType::kInt}});
  EXPECT_EQ(time(read(R"({"n":1})", JsonEventsForm::kDocument, plain)), kNow);
  EXPECT_EQ(time(read(R"({"data":{"n":1},"timestamp":5})", JsonEventsForm::kDocument, plain)), 5);
  EXPECT_EQ(time(read(R"({"ts":7})", JsonEventsForm::kDocument, timed)), 7);
  JsonEvents none = read(R"({"ts":null})", JsonEventsForm::kDocument, timed);
  EXPECT_EQ(none.batch, nullptr) << "a stream with a time of its own has it in every event";
}

}  // namespace
}  // namespace pollux

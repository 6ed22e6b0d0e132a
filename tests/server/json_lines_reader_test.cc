#include "server/formats/json_lines_reader.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/server/reader_testing.h"

namespace pollux {
namespace {

using Texts = std::vector<std::string>;

struct JsonCase {
  RowLayout layout{make_schema({{"user", AttributeType::kString},
                                {"ok", AttributeType::kBool},
                                {"port", AttributeType::kInt},
                                {"ratio", AttributeType::kFloat},
                                {"score", AttributeType::kDouble},
                                {"size", AttributeType::kLong}})};
  RowReaderOptions options{};

  ReadAll read(std::unique_ptr<ByteSource> source) const {
    JsonLinesReader reader(std::make_unique<InputBuffer>(std::move(source)), layout, options);
    return read_all(reader);
  }
  ReadAll read(const std::string& text, size_t piece_bytes = SIZE_MAX) const {
    return read(std::make_unique<TextSource>(text, piece_bytes));
  }
  /// What is wrong with a line that must be an error.
  std::string error_of(const std::string& line) const {
    ReadAll all = read(line + "\n");
    EXPECT_TRUE(all.rows.empty()) << line;
    EXPECT_EQ(all.errors.size(), 1u) << line;
    return all.errors.empty() ? "" : all.errors[0];
  }
};

const std::string kGood =
    R"({"user":"ann","ok":true,"port":1,"ratio":0.1,"score":2.5,"size":9007199254740993})";
const std::string kGoodRow = "|'ann'|true|1|0.1|2.5|9007199254740993";

TEST(JsonLinesReaderTest, ReadsFlatRows) {
  ReadAll all = JsonCase().read(kGood + "\n" + kGood);
  EXPECT_EQ(all.rows, (Texts{"1" + kGoodRow, "2" + kGoodRow}));
  EXPECT_TRUE(all.errors.empty());
}

TEST(JsonLinesReaderTest, ReadsWrappedRowsInTheFormOfResults) {
  ReadAll all = JsonCase().read(R"({"stream":"S","timestamp":77,"id":"-1234/P/1.2.0","data":)" +
                                kGood + "}\n" + R"({"data":)" + kGood + R"(,"timestamp":78})");
  EXPECT_EQ(all.rows, (Texts{"77" + kGoodRow, "78" + kGoodRow}));
}

TEST(JsonLinesReaderTest, AWrappedRowOfAnotherStreamIsAnError) {
  EXPECT_EQ(JsonCase().error_of(R"({"stream":"T","data":)" + kGood + "}"),
            "1:other stream:stream: \"T\" is not \"S\"");
}

TEST(JsonLinesReaderTest, FieldsMayComeInAnyOrderBesideOthers) {
  ReadAll all = JsonCase().read(
      R"({"size":1,"x":[{"user":1}],"user":"a\u00e9\n","score":1,"ratio":2,"port":3,"ok":false})");
  EXPECT_EQ(all.rows, Texts{"1|'a\xC3\xA9\n'|false|3|2.0|1.0|1"});
}

TEST(JsonLinesReaderTest, TimesComeFromTheNamedAttributeElseBesideElseTheUsualAttribute) {
  JsonCase json;
  const std::string row = R"({"timestamp":5,"data":)" + kGood + "}";
  json.layout.timestamp_attribute = 5;  // a usual one: weaker than what stands beside the values
  EXPECT_EQ(json.read(row).rows, Texts{"5" + kGoodRow});
  json.layout.timestamp_attribute = 2;
  EXPECT_EQ(json.read(kGood).rows, Texts{"1" + kGoodRow});
  json.layout.timestamp_named = true;
  EXPECT_EQ(json.read(row).rows, Texts{"1" + kGoodRow});
}

TEST(JsonLinesReaderTest, AFlatTimestampIsTheTimeUnlessItIsAnAttribute) {
  JsonCase json;
  json.layout = RowLayout(make_schema({{"a", AttributeType::kInt}}));
  EXPECT_EQ(json.read(R"({"a":1,"timestamp":9})").rows, Texts{"9|1"});
  EXPECT_TRUE(json.error_of(R"({"a":1,"timestamp":"x"})").starts_with("1:bad timestamp:"));
  json.layout = RowLayout(make_schema({{"timestamp", AttributeType::kInt}}));
  EXPECT_EQ(json.read(R"({"timestamp":9})").rows, Texts{"1|9"});
}

TEST(JsonLinesReaderTest, NamesBesideTheValuesDoNotCountAsAttributes) {
  JsonCase json;
  json.layout = RowLayout(make_schema({{"id", AttributeType::kInt}}));
  EXPECT_EQ(json.read(R"({"id":"-1234/P/1.2.0","timestamp":3,"data":{"id":7}})").rows,
            Texts{"3|7"});
}

TEST(JsonLinesReaderTest, NullsAndSpecialNumbersAreValues) {
  ReadAll all = JsonCase().read(
      R"({"user":null,"ok":null,"port":null,"ratio":"NaN","score":"-Infinity","size":null})");
  EXPECT_EQ(all.rows, Texts{"1|null|null|null|NaN|-Infinity|null"});
}

TEST(JsonLinesReaderTest, ConstantsStandInForMissingFields) {
  JsonCase json;
  RowError error;
  ASSERT_TRUE(set_constant(json.layout, 0, "eve", error));
  const std::string rest = R"("ok":true,"port":1,"ratio":1,"score":1,"size":1})";
  EXPECT_EQ(json.read("{" + rest + "\n" + R"({"user":"bob",)" + rest).rows,
            (Texts{"1|'eve'|true|1|1.0|1.0|1", "2|'bob'|true|1|1.0|1.0|1"}));
}

TEST(JsonLinesReaderTest, WrongValuesNameTheFieldAndWhatWasFound) {
  auto with = [](const std::string& field, const std::string& value) {
    std::string row = kGood;
    size_t at = row.find("\"" + field + "\":") + field.size() + 3;
    return row.replace(at, row.find_first_of(",}", at) - at, value);
  };
  JsonCase json;
  EXPECT_EQ(json.error_of(with("port", "\"1\"")), "1:wrong type:port: \"1\" is not of type int");
  EXPECT_EQ(json.error_of(with("port", "1.0")), "1:wrong type:port: 1.0 is not of type int");
  EXPECT_EQ(json.error_of(with("port", "2147483648")),
            "1:out of range:port: 2147483648 is out of the range of int "
            "(-2147483648 to 2147483647)");
  EXPECT_EQ(json.error_of(with("size", "9223372036854775808")),
            "1:out of range:size: 9223372036854775808 is out of the range of long "
            "(-9223372036854775808 to 9223372036854775807)");
  EXPECT_EQ(json.error_of(with("score", "1e999")),
            "1:out of range:score: 1e999 is out of the range of double");
  EXPECT_EQ(json.error_of(with("ratio", "1e39")),
            "1:out of range:ratio: 1e39 is out of the range of float");
  EXPECT_EQ(json.error_of(with("user", "5")), "1:wrong type:user: 5 is not of type string");
  EXPECT_EQ(json.error_of(with("ok", "1")),
            "1:wrong type:ok: 1 is not of type bool (true or false)");
  EXPECT_EQ(json.error_of(with("ok", "{}")), "1:wrong type:ok: an object is not of type bool");
  EXPECT_EQ(json.error_of(with("score", "[1]")),
            "1:wrong type:score: an array is not of type double");
}

TEST(JsonLinesReaderTest, MissingAndRepeatedFieldsAreErrors) {
  JsonCase json;
  EXPECT_EQ(json.error_of(R"({"user":"a"})"),
            "1:short row:ok: the row lacks this field; write null when it has no value");
  EXPECT_EQ(json.error_of(R"({"user":"a","user":"b"})"),
            "1:bad JSON:user: the field appears twice");
  EXPECT_EQ(json.error_of("{}"),
            "1:short row:user: the row lacks this field; write null when it "
            "has no value");
}

TEST(JsonLinesReaderTest, BrokenJsonIsAnErrorOfItsLineAlone) {
  JsonCase json;
  const Texts lines = {
      "{",
      "}",
      "[]",
      "5",
      "\"x\"",
      "null",
      "{\"user\":\"ann",
      "{\"user\" \"ann\"}",
      "{user:1}",
      kGood.substr(0, kGood.size() - 1),
      kGood + "}",
      kGood + kGood,
      kGood + " x",
      "{\"port\":01}",
      "{\"port\":-}",
      "{\"port\":1x}",
      "{\"score\":1.}",
      "{\"ok\":tru}",
      "{\"user\":nul}",
      "{\"user\":\"\\x\"}",
      "{\"user\":\"\\ud800\"}",
      "\x01",
      "{\"data\":{}",
      "{\"user\":\"a\",}",
      "{\"user\":\"tab\there\"}",
  };
  std::string text;
  for (const std::string& line : lines) text += line + "\n" + kGood + "\n";
  ReadAll all = json.read(text);
  EXPECT_EQ(all.rows.size(), lines.size());
  ASSERT_EQ(all.errors.size(), lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_TRUE(all.errors[i].starts_with(std::to_string(2 * i + 1) + ":bad JSON:"))
        << lines[i] << " gave " << all.errors[i];
  }
}

TEST(JsonLinesReaderTest, BrokenUtf8IsAnError) {
  EXPECT_EQ(JsonCase().error_of("{\"user\":\"\xC3(\"}"),
            "1:broken UTF-8:: the line is not valid UTF-8");
}

TEST(JsonLinesReaderTest, DeepNestingInAFieldNobodyAskedForDoesNoHarm) {
  std::string deep(200'000, '[');
  std::string row = kGood;
  row.insert(1, "\"x\":" + deep + std::string(200'000, ']') + ",");
  ReadAll all = JsonCase().read(row + "\n" + "{\"x\":" + deep + "}\n" + kGood);
  EXPECT_EQ(all.rows.size() + all.errors.size(), 3u);
  EXPECT_EQ(all.rows.back(), std::to_string(all.rows.size()) + kGoodRow);
}

TEST(JsonLinesReaderTest, EveryWayOfCuttingTheInputGivesTheSameRows) {
  const std::string text =
      "\xEF\xBB\xBF" + kGood + "\r\n\n  \n{\"user\":1}\n" + kGood + "\n{\n" + kGood;
  ReadAll whole = JsonCase().read(text);
  ASSERT_EQ(whole.rows.size(), 3u);
  ASSERT_EQ(whole.errors.size(), 2u);
  EXPECT_TRUE(whole.errors[1].starts_with("6:"));
  for (size_t piece = 1; piece < 100; ++piece) {
    ReadAll cut = JsonCase().read(text, piece);
    EXPECT_EQ(cut.rows, whole.rows) << piece;
    EXPECT_EQ(cut.errors, whole.errors) << piece;
  }
}

TEST(JsonLinesReaderTest, DamagedInputGivesTheSameHoweverItIsCut) {
  std::mt19937 random(11);
  JsonCase json;
  json.options.line_bytes_max = 150;
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int row = 0; row < 6; ++row) text += kGood + "\n";
    for (size_t damage = random() % 8; damage != 0; --damage) {
      constexpr std::string_view kPieces[] = {"\"",   ",",  "\n",    "{", "}",
                                              "\xFF", "\\", "99999", ":", ""};
      text.replace(random() % text.size(), random() % 3, kPieces[random() % 10]);
    }
    ReadAll whole = json.read(text);
    ReadAll cut = json.read(text, 1 + random() % 40);
    ASSERT_EQ(cut.rows, whole.rows) << text;
    ASSERT_EQ(cut.errors, whole.errors) << text;
  }
}

TEST(JsonLinesReaderTest, SaysWhenItWouldHaveToWait) {
  auto source = std::make_unique<TextSource>(kGood + "\n" + kGood + "\n", kGood.size() + 1);
  source->pause_before_each();
  ReadAll all = JsonCase().read(std::move(source));
  EXPECT_EQ(all.rows.size(), 2u);
  EXPECT_EQ(all.pauses, 2u);
}

TEST(JsonLinesReaderTest, ALineBeyondTheLimitIsSkippedWithoutBeingStored) {
  constexpr uint64_t kGigabyte = uint64_t{1} << 30;
  JsonCase json;
  JsonLinesReader reader(std::make_unique<InputBuffer>(std::make_unique<LongLineSource>(
                             kGood + "\n{\"user\":\"", 'x', kGigabyte, "\"}\n" + kGood + "\n")),
                         json.layout, json.options);
  ReadAll all = read_all(reader);
  EXPECT_EQ(all.rows.size(), 2u);
  EXPECT_EQ(all.errors, Texts{"2:line too long:: longer than 1048576 bytes"});
  EXPECT_LE(reader.input().bytes_held(), 4u * 1024 * 1024);
}

}  // namespace
}  // namespace pollux

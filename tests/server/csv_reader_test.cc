#include "server/formats/csv_reader.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/server/reader_testing.h"

namespace pollux {
namespace {

using Texts = std::vector<std::string>;

SchemaPtr login_schema() {
  return make_schema({{"user", AttributeType::kString},
                      {"ok", AttributeType::kBool},
                      {"port", AttributeType::kInt},
                      {"score", AttributeType::kDouble},
                      {"ts", AttributeType::kLong}});
}

struct CsvCase {
  RowLayout layout{login_schema()};
  CsvHeader header = CsvHeader::kAuto;
  RowReaderOptions options{};

  CsvCase() { layout.timestamp_attribute = usual_timestamp_attribute(*layout.schema); }

  ReadAll read(std::unique_ptr<ByteSource> source) const {
    CsvReader reader(std::make_unique<InputBuffer>(std::move(source)), layout, options, header);
    return read_all(reader);
  }
  ReadAll read(const std::string& text, size_t piece_bytes = SIZE_MAX) const {
    return read(std::make_unique<TextSource>(text, piece_bytes));
  }
};

TEST(CsvReaderTest, ReadsRowsByPositionWithoutAHeader) {
  ReadAll all = CsvCase().read("ann,TRUE,1,0.5,1000\nbob,false,-2,1e3,2000");
  EXPECT_EQ(all.rows, (Texts{"1000|'ann'|true|1|0.5|1000", "2000|'bob'|false|-2|1000.0|2000"}));
  EXPECT_TRUE(all.errors.empty());
}

TEST(CsvReaderTest, ReadsColumnsByNameWithAHeader) {
  ReadAll all = CsvCase().read("ts,user,ok,score,port\r\n1000,ann,true,0.5,1\r\n");
  EXPECT_EQ(all.rows, Texts{"1000|'ann'|true|1|0.5|1000"});
}

TEST(CsvReaderTest, AFirstRowOfWhichOneFieldIsNoAttributeIsNoHeader) {
  CsvCase csv;
  csv.layout =
      RowLayout(make_schema({{"a", AttributeType::kString}, {"b", AttributeType::kString}}));
  EXPECT_EQ(csv.read("a,x\n").rows, Texts{"1|'a'|'x'"});
  EXPECT_TRUE(csv.read("b,a\n").rows.empty());
  csv.header = CsvHeader::kNo;
  EXPECT_EQ(csv.read("b,a\n").rows, Texts{"1|'b'|'a'"});
}

TEST(CsvReaderTest, AForcedHeaderMayHoldOtherColumns) {
  CsvCase csv;
  csv.header = CsvHeader::kYes;
  ReadAll all = csv.read("note,ts,user,ok,score,port\n,1000,ann,true,0.5,1\n");
  EXPECT_EQ(all.rows, Texts{"1000|'ann'|true|1|0.5|1000"});
}

TEST(CsvReaderTest, AHeaderThatLacksAnAttributeEndsTheFile) {
  CsvCase csv;
  csv.header = CsvHeader::kYes;
  ReadAll all = csv.read("ts,usr,ok,score,port\n1000,ann,true,0.5,1\n");
  EXPECT_EQ(all.end, ReadStatus::kFailed);
  EXPECT_TRUE(all.rows.empty());
  EXPECT_EQ(csv.read("ts,ts,user\n").end, ReadStatus::kFailed);
}

TEST(CsvReaderTest, ConstantsTakeNoColumn) {
  CsvCase csv;
  RowError error;
  ASSERT_TRUE(set_constant(csv.layout, 0, "eve", error));
  ASSERT_TRUE(set_constant(csv.layout, 2, "", error));
  EXPECT_EQ(csv.read("true,0.5,1000\n").rows, Texts{"1000|'eve'|true|null|0.5|1000"});
  EXPECT_EQ(csv.read("ts,score,ok\n1000,0.5,true\n").rows, Texts{"1000|'eve'|true|null|0.5|1000"});
  EXPECT_EQ(csv.read("ts,score,ok,user\n1000,0.5,true,x\n").end, ReadStatus::kFailed);
  EXPECT_FALSE(set_constant(csv.layout, 2, "x", error));
  EXPECT_EQ(error.field, "port");
}

TEST(CsvReaderTest, AnEmptyFieldIsNullAndAQuotedOneTheEmptyString) {
  ReadAll all = CsvCase().read(",,,,1000\n\"\",\"\",\"\",\"\",2000\n");
  EXPECT_EQ(all.rows, (Texts{"1000|null|null|null|null|1000", "2000|''|null|null|null|2000"}));
}

TEST(CsvReaderTest, ReadsQuotedLineEndsAndCountsLinesThroughThem) {
  ReadAll all =
      CsvCase().read("\"two\nlines\",true,1,1,1000\nshort\n\"a \"\"b\"\", c\",true,1,1,2000\n");
  EXPECT_EQ(all.rows,
            (Texts{"1000|'two\nlines'|true|1|1.0|1000", "2000|'a \"b\", c'|true|1|1.0|2000"}));
  ASSERT_EQ(all.errors.size(), 1u);
  EXPECT_EQ(all.errors[0], "3:short row:: 1 field, expected 5; the first that is missing is ok");
}

TEST(CsvReaderTest, SkipsAByteOrderMarkAndBlankLines) {
  ReadAll all = CsvCase().read("\xEF\xBB\xBFts,user,ok,score,port\n\n1000,ann,true,0.5,1\n\r\n\n");
  EXPECT_EQ(all.rows, Texts{"1000|'ann'|true|1|0.5|1000"});
  EXPECT_TRUE(all.errors.empty());
}

TEST(CsvReaderTest, EveryWayOfCuttingTheInputGivesTheSameRows) {
  const std::string text =
      "\xEF\xBB\xBFts,user,ok,score,port\r\n1000,\"a \"\"b\"\"\r\n c\",true,0.5,1\r\n"
      "x\r\n2000,d\xC3\xA9,FALSE,,\r\n\"q\"r,1\r\n3000,e,true,1,2";
  ReadAll whole = CsvCase().read(text);
  ASSERT_EQ(whole.rows.size(), 3u);
  ASSERT_EQ(whole.errors.size(), 2u);
  for (size_t piece = 1; piece < 70; ++piece) {
    ReadAll cut = CsvCase().read(text, piece);
    EXPECT_EQ(cut.rows, whole.rows) << piece;
    EXPECT_EQ(cut.errors, whole.errors) << piece;
  }
}

TEST(CsvReaderTest, DamagedInputGivesTheSameHoweverItIsCut) {
  std::mt19937 random(7);
  CsvCase csv;
  csv.options.line_bytes_max = 80;
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int row = 0; row < 6; ++row) text += "\"a\"\"b\",true,12,0.5,1000\r\n";
    for (size_t damage = random() % 8; damage != 0; --damage) {
      constexpr std::string_view kPieces[] = {"\"", ",", "\n", "\r", "\xFF", "\xC3", "9999999", ""};
      text.replace(random() % text.size(), random() % 3, kPieces[random() % 8]);
    }
    ReadAll whole = csv.read(text);
    ReadAll cut = csv.read(text, 1 + random() % 40);
    ASSERT_EQ(cut.rows, whole.rows) << text;
    ASSERT_EQ(cut.errors, whole.errors) << text;
  }
}

TEST(CsvReaderTest, SaysWhenItWouldHaveToWait) {
  auto source = std::make_unique<TextSource>("ann,true,1,1,1\nbob,true,1,1,2\n", 15);
  source->pause_before_each();
  ReadAll all = CsvCase().read(std::move(source));
  EXPECT_EQ(all.rows.size(), 2u);
  EXPECT_EQ(all.pauses, 2u);
}

TEST(CsvReaderTest, BadRowsAreErrorsAndTheRestIsRead) {
  ReadAll all = CsvCase().read(
      "ann,true,1,1,1000\n"
      "ann,true\n"
      "ann,true,1,1,1000,7,8\n"
      "ann,maybe,1,1,1000\n"
      "ann,true,1.5,1,1000\n"
      "ann,true,3000000000,1,1000\n"
      "ann,true,1,1e999,1000\n"
      "ann,true,1,1,99999999999999999999\n"
      "\xFF\xFE,true,1,1,1000\n"
      "bob,true,1,1,2000\n");
  EXPECT_EQ(all.rows.size(), 2u);
  EXPECT_EQ(all.errors,
            (Texts{"2:short row:: 2 fields, expected 5; the first that is missing is port",
                   "3:long row:: 7 fields, expected 5",
                   "4:wrong type:ok: \"maybe\" is not of type bool (true or false)",
                   "5:wrong type:port: \"1.5\" is not of type int",
                   "6:out of range:port: \"3000000000\" is out of the range of int "
                   "(-2147483648 to 2147483647)",
                   "7:out of range:score: \"1e999\" is out of the range of double",
                   "8:out of range:ts: \"99999999999999999999\" is out of the range of long "
                   "(-9223372036854775808 to 9223372036854775807)",
                   "9:broken UTF-8:user: \"\\xFF\\xFE\" is not valid UTF-8"}));
}

TEST(CsvReaderTest, ABadRowLeavesNothingInTheBatch) {
  CsvCase csv;
  CsvReader reader(std::make_unique<InputBuffer>(
                       std::make_unique<TextSource>("ann,true,x,1,1000\nbob,true,1,1,2000\n")),
                   csv.layout, csv.options, csv.header);
  EventBatch batch(csv.layout.schema);
  ASSERT_EQ(reader.next(Wait::kYes), ReadStatus::kRowError);
  ASSERT_EQ(reader.next(Wait::kYes), ReadStatus::kRow);
  reader.append_to(batch);
  EXPECT_EQ(batch.rows(), 1u);
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(batch.column(i).size(), 1u);
}

TEST(CsvReaderTest, AStrayQuoteCostsOneRow) {
  ReadAll all = CsvCase().read(
      "ann,true,1,1,1000\n\"ann,true,1,1,2000\nbob,true,1,1,3000\ncem,true,1,1,4000\n");
  EXPECT_EQ(all.rows.size(), 3u);
  ASSERT_EQ(all.errors.size(), 1u);
  EXPECT_EQ(all.errors[0], "2:bad quote:: a quote is not closed before the end of the file");
  ReadAll behind = CsvCase().read("\"ann\"x,true,1,1,1000\nbob,true,1,1,3000\n");
  EXPECT_EQ(behind.rows.size(), 1u);
  EXPECT_EQ(behind.errors.size(), 1u);
}

TEST(CsvReaderTest, TimesMustBeBetween1970And9999) {
  ReadAll all = CsvCase().read("a,true,1,1,\na,true,1,1,-1\na,true,1,1,253402300800000\n");
  ASSERT_EQ(all.errors.size(), 3u);
  EXPECT_EQ(all.errors[0],
            "1:bad timestamp:ts: the event's time is null; expected milliseconds since 1970");
  EXPECT_TRUE(all.errors[1].starts_with("2:bad timestamp:ts: -1 is no time"));
  EXPECT_TRUE(all.errors[2].starts_with("3:bad timestamp:ts: 253402300800000 is no time"));
}

TEST(CsvReaderTest, ALineBeyondTheLimitIsSkippedWithoutBeingStored) {
  constexpr uint64_t kGigabyte = uint64_t{1} << 30;
  for (std::string before : {"ann,true,1,1,1000\n", "ann,true,1,1,1000\n\""}) {
    CsvCase csv;
    CsvReader reader(std::make_unique<InputBuffer>(std::make_unique<LongLineSource>(
                         before, 'x', kGigabyte, "\nbob,true,1,1,2000\n")),
                     csv.layout, csv.options, csv.header);
    ReadAll all = read_all(reader);
    EXPECT_EQ(all.rows, (Texts{"1000|'ann'|true|1|1.0|1000", "2000|'bob'|true|1|1.0|2000"}));
    ASSERT_EQ(all.errors.size(), 1u);
    EXPECT_EQ(all.errors[0], before.ends_with('"')
                                 ? "2:bad quote:: a quote is not closed within 1048576 bytes"
                                 : "2:line too long:: longer than 1048576 bytes");
    EXPECT_GT(reader.input().bytes_read(), kGigabyte);
    EXPECT_LE(reader.input().bytes_held(), 4u * 1024 * 1024);
  }
}

TEST(CsvReaderTest, TheLimitHoldsForLinesThatFitTheBuffer) {
  CsvCase csv;
  csv.options.line_bytes_max = 17;
  ReadAll all = csv.read("ann,true,1,1,1000\nanna-maria-luisa,true,1,1,1000\nbob,true,1,1,2\n");
  EXPECT_EQ(all.rows.size(), 2u);
  EXPECT_EQ(all.errors, Texts{"2:line too long:: longer than 17 bytes"});
}

TEST(CsvReaderTest, AFailingSourceEndsTheRowsWithItsReason) {
  CsvCase csv;
  auto source = std::make_unique<TextSource>("ann,true,1,1,1000\nbo");
  source->fail_at_end("disk on fire");
  CsvReader reader(std::make_unique<InputBuffer>(std::move(source)), csv.layout, csv.options,
                   csv.header);
  ReadAll all = read_all(reader);
  EXPECT_EQ(all.rows.size(), 1u);
  EXPECT_EQ(all.end, ReadStatus::kFailed);
  EXPECT_EQ(reader.error().kind, RowErrorKind::kUnreadable);
  EXPECT_EQ(reader.error().reason, "cannot read: disk on fire");
}

TEST(CsvReaderTest, AnEmptyFileHasNoRows) {
  EXPECT_TRUE(CsvCase().read("").rows.empty());
  EXPECT_TRUE(CsvCase().read("\n\n").rows.empty());
  EXPECT_TRUE(CsvCase().read("ts,user,ok,score,port\n").rows.empty());
}

}  // namespace
}  // namespace pollux

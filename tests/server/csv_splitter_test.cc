#include "server/formats/csv_splitter.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace pollux {
namespace {

/// Splits one record after another; fields joined by '|', quoted ones in <>.
class Splits {
 public:
  explicit Splits(std::string text) : text_(std::move(text)), size_(text_.size()) {
    text_.append(CsvSplitter::kPaddingBytes, '"');  // must never be looked at as text
  }

  CsvSplitter::Result split(bool at_end = true) {
    return splitter_.split(std::string_view(text_).substr(at_, size_ - at_), at_end);
  }
  std::string next() {
    EXPECT_EQ(split(), CsvSplitter::Result::kRecord);
    at_ += splitter_.bytes();
    std::string joined;
    for (size_t i = 0; i < splitter_.fields().size(); ++i) {
      const CsvField& field = splitter_.fields()[i];
      if (i != 0) joined += '|';
      joined += field.quoted ? "<" + std::string(field.text) + ">" : std::string(field.text);
    }
    return joined;
  }
  bool at_end() const { return at_ == size_; }
  CsvSplitter& splitter() { return splitter_; }

 private:
  std::string text_;
  size_t size_;
  size_t at_ = 0;
  CsvSplitter splitter_;
};

TEST(CsvSplitterTest, SplitsRecordsAtLineEndsOfBothKinds) {
  Splits splits("a,b\r\nc,d\ne,f");
  EXPECT_EQ(splits.next(), "a|b");
  EXPECT_EQ(splits.next(), "c|d");
  EXPECT_EQ(splits.next(), "e|f");
  EXPECT_TRUE(splits.at_end());
}

TEST(CsvSplitterTest, KeepsEmptyFieldsAtEveryPlace) {
  Splits splits(",a,,b,\n,\n");
  splits.split();
  EXPECT_EQ(splits.splitter().field_count(), 5u);
  EXPECT_EQ(splits.next(), "|a||b|");
  splits.split();
  EXPECT_EQ(splits.splitter().field_count(), 2u);
}

TEST(CsvSplitterTest, QuotedFieldsHoldCommasQuotesAndLineEnds) {
  Splits splits("\"a,b\",\"say \"\"hi\"\"\",\"two\r\nlines\"\r\n\"\",x\n");
  EXPECT_EQ(splits.next(), "<a,b>|<say \"hi\">|<two\r\nlines>");
  EXPECT_EQ(splits.splitter().line_ends(), 2u);
  EXPECT_EQ(splits.next(), "<>|x");
}

TEST(CsvSplitterTest, SeveralFieldsWithDoubledQuotesStandSideBySide) {
  Splits splits("\"a\"\"\",\"\"\"b\",\"\"\"\"\n");
  EXPECT_EQ(splits.next(), "<a\">|<\"b>|<\">");
}

TEST(CsvSplitterTest, AQuoteInsideAnUnquotedFieldIsACharacter) {
  Splits splits("5\" disk,a\"b\"\n");
  EXPECT_EQ(splits.next(), "5\" disk|a\"b\"");
}

TEST(CsvSplitterTest, FieldsCrossTheScannersBlocks) {
  for (size_t length = 50; length < 140; ++length) {
    std::string text(length, 'x');
    Splits splits(text + ",\"" + text + "\"," + text + "\n" + text + "\n");
    EXPECT_EQ(splits.next(), text + "|<" + text + ">|" + text);
    EXPECT_EQ(splits.next(), text);
  }
}

TEST(CsvSplitterTest, AnUnfinishedRecordIsIncompleteUnlessTheTextEnds) {
  Splits splits("a,b");
  EXPECT_EQ(splits.split(false), CsvSplitter::Result::kIncomplete);
  EXPECT_EQ(splits.split(true), CsvSplitter::Result::kRecord);
}

TEST(CsvSplitterTest, AQuoteThatMayYetBeDoubledIsOpen) {
  Splits splits("\"a\"");
  EXPECT_EQ(splits.split(false), CsvSplitter::Result::kOpenQuote);
  EXPECT_EQ(splits.split(true), CsvSplitter::Result::kRecord);
  Splits with_cr("\"a\"\r");
  EXPECT_EQ(with_cr.split(false), CsvSplitter::Result::kOpenQuote);
  EXPECT_EQ(with_cr.next(), "<a>");
}

TEST(CsvSplitterTest, OpenQuotesAndTextBehindQuotesAreToldApart) {
  EXPECT_EQ(Splits("x,\"abc\ndef").split(), CsvSplitter::Result::kOpenQuote);
  EXPECT_EQ(Splits("\"abc\"def,x\n").split(), CsvSplitter::Result::kTextAfterQuote);
}

TEST(CsvSplitterTest, NoticesTextBeyondAscii) {
  Splits plain("abc,def\n");
  plain.split();
  EXPECT_TRUE(plain.splitter().is_ascii());
  Splits accented(
      "abc,d\xC3\xA9"
      "f\n");
  accented.split();
  EXPECT_FALSE(accented.splitter().is_ascii());
}

/// One record by the plain reading of the grammar, a character at a time.
std::vector<std::string> split_plainly(const std::string& text) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  bool field_begins = true;
  for (size_t i = 0; i < text.size() && (quoted || text[i] != '\n'); ++i) {
    if (quoted && text[i] == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      fields.back() += text[i++];
    } else if (text[i] == '"' && (quoted || field_begins)) {
      quoted = !quoted;
    } else if (text[i] == ',' && !quoted) {
      fields.emplace_back();
      field_begins = true;
      continue;
    } else {
      fields.back() += text[i];
    }
    field_begins = false;
  }
  return fields;
}

TEST(CsvSplitterTest, AgreesWithAPlainReadingOnRandomRecords) {
  std::mt19937 random(20240611);
  int records = 0;
  for (int i = 0; i < 50'000; ++i) {
    constexpr char kLetters[] = "ab,,\"\"\"\n";
    std::string text;
    for (size_t left = random() % 100; left != 0; --left) text += kLetters[random() % 8];
    Splits splits(text);
    if (splits.split() != CsvSplitter::Result::kRecord) continue;
    ++records;
    std::vector<std::string> fields;
    for (const CsvField& field : splits.splitter().fields()) fields.emplace_back(field.text);
    ASSERT_EQ(fields, split_plainly(text)) << text;
  }
  EXPECT_GT(records, 5'000);
}

TEST(CsvSplitterTest, CountsMoreFieldsThanItKeeps) {
  Splits splits(std::string(10'000, ',') + "\n");
  EXPECT_EQ(splits.split(), CsvSplitter::Result::kRecord);
  EXPECT_EQ(splits.splitter().field_count(), 10'001u);
  EXPECT_EQ(splits.splitter().fields().size(), CsvSplitter::kFieldsMax);
}

}  // namespace
}  // namespace pollux

#include "server/tool/run/merged_input.h"

#include <gtest/gtest.h>

#include "server/formats/csv_reader.h"
#include "tests/server/reader_testing.h"

namespace pollux::tool {
namespace {

using Texts = std::vector<std::string>;

RowLayout layout() {
  RowLayout layout(make_schema({{"ts", AttributeType::kLong}}));
  layout.timestamp_attribute = 0;
  return layout;
}

std::unique_ptr<RowReader> reader_of(std::unique_ptr<TextSource> source) {
  return std::make_unique<CsvReader>(std::make_unique<InputBuffer>(std::move(source)), layout(),
                                     RowReaderOptions{}, CsvHeader::kNo);
}
std::unique_ptr<RowReader> reader_of(const std::string& text) {
  return reader_of(std::make_unique<TextSource>(text));
}

/// Rows as "name@time", errors as "name!line", waits as "wait".
Texts drain(MergedInput& input) {
  Texts all;
  Wait wait = Wait::kNo;
  for (;;) {
    ReadStatus status = input.next(wait);
    wait = Wait::kNo;
    if (status == ReadStatus::kRow) {
      all.push_back(input.name() + "@" + std::to_string(input.reader().timestamp_ms()));
    } else if (status == ReadStatus::kRowError) {
      all.push_back(input.name() + "!" + std::to_string(input.reader().error().line));
    } else if (status == ReadStatus::kNotReady) {
      all.push_back("wait");
      wait = Wait::kYes;
    } else {
      return all;
    }
  }
}

TEST(MergedInputTest, RowsComeByTimeAndEqualTimesInTheOrderOfTheReaders) {
  MergedInput input;
  input.add("a", reader_of("1\n3\n5\n"));
  input.add("b", reader_of("1\n2\n3\n9\n"));
  input.add("c", reader_of("3\n"));
  EXPECT_EQ(drain(input), (Texts{"a@1", "b@1", "b@2", "a@3", "b@3", "c@3", "a@5", "b@9"}));
}

TEST(MergedInputTest, RowsOfOneReaderKeepTheirOrder) {
  MergedInput input;
  input.add("a", reader_of("5\n1\n6\n"));
  input.add("b", reader_of("4\n"));
  EXPECT_EQ(drain(input), (Texts{"b@4", "a@5", "a@1", "a@6"}));
}

TEST(MergedInputTest, ErrorsLoseNoRows) {
  MergedInput input;
  input.add("a", reader_of("1\nx\n4\n"));
  input.add("b", reader_of("y\n2\nz\n"));
  EXPECT_EQ(drain(input), (Texts{"b!1", "a@1", "a!2", "b@2", "b!3", "a@4"}));
}

TEST(MergedInputTest, WaitsForTheReaderThatHasNothingYet) {
  MergedInput input;
  auto slow = std::make_unique<TextSource>("1\n3\n", 2);
  slow->pause_before_each();
  input.add("file", reader_of("2\n4\n"));
  input.add("slow", reader_of(std::move(slow)));
  EXPECT_EQ(drain(input), (Texts{"wait", "slow@1", "wait", "file@2", "slow@3", "file@4"}));
}

TEST(MergedInputTest, NoReadersHaveNoRows) {
  MergedInput input;
  EXPECT_EQ(input.next(Wait::kYes), ReadStatus::kEnd);
}

}  // namespace
}  // namespace pollux::tool

#include "server/formats/result_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <simdjson.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <limits>
#include <string>

#include "server/formats/json_text.h"

namespace pollux {
namespace {

/// A file that is gone when it is closed.
class Written {
 public:
  Written() : file_(std::tmpfile()), out_(::fileno(file_)) {}
  ~Written() { std::fclose(file_); }
  OutputBuffer& out() { return out_; }
  std::string text() {
    out_.flush();
    EXPECT_EQ(out_.status(), OutputBuffer::Status::kOk);
    std::string all(out_.bytes_written(), '\0');
    EXPECT_EQ(::pread(::fileno(file_), all.data(), all.size(), 0),
              static_cast<ssize_t>(all.size()));
    return all;
  }

 private:
  std::FILE* file_;
  OutputBuffer out_;
};

template <class T>
std::string number(T value) {
  Written written;
  append_json_number(written.out(), value);
  return written.text();
}

TEST(JsonTextTest, NumbersAreTheShortestThatReadBackTheSame) {
  EXPECT_EQ(number(std::numeric_limits<int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(0.1f), "0.1");
  EXPECT_EQ(number(1e300), "1e+300");
  EXPECT_EQ(number(-0.0), "-0");
  EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), "\"NaN\"");
  EXPECT_EQ(number(-std::numeric_limits<float>::infinity()), "\"-Infinity\"");
}

TEST(JsonTextTest, StringsAreEscaped) {
  EXPECT_EQ(json_string("a\"b\\c\n\t\x01\xC3\xA9/"), "\"a\\\"b\\\\c\\n\\t\\u0001\xC3\xA9/\"");
  EXPECT_EQ(json_string(std::string_view("\0x", 2)), "\"\\u0000x\"");
}

TEST(JsonTextTest, LongStringsReadBackTheSame) {
  std::string text;
  for (int i = 0; i < 400'000; ++i) text += static_cast<char>(i % 128);
  Written written;
  append_json_string(written.out(), text);
  EXPECT_EQ(written.text(), json_string(text));
  simdjson::dom::parser parser;
  EXPECT_EQ(std::string_view(parser.parse(written.text())), text);
}

TEST(OutputBufferTest, ALongTextGoesOutAfterWhatStoodBeforeIt) {
  std::string longer(3 * OutputBuffer::kCapacityBytes, 'x');
  Written written;
  written.out().append("before ");
  written.out().append(longer);
  written.out().append(" after");
  EXPECT_EQ(written.text(), "before " + longer + " after");
}

TEST(OutputBufferTest, AReaderThatWentAwayIsToldApartFromAFullDisk) {
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  OutputBuffer to_pipe(ends[1]);
  to_pipe.append("x");
  EXPECT_EQ(to_pipe.status(), OutputBuffer::Status::kOk);
  to_pipe.flush();
  EXPECT_EQ(to_pipe.status(), OutputBuffer::Status::kReaderGone);
  ::close(ends[1]);

  int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  OutputBuffer to_full(full);
  to_full.append("x");
  to_full.flush();
  EXPECT_EQ(to_full.status(), OutputBuffer::Status::kFailed);
  EXPECT_FALSE(to_full.error().empty());
  ::close(full);
}

class ResultWriterTest : public testing::Test {
 protected:
  static EventBatchPtr batch_of(const SchemaPtr& schema, std::vector<int32_t> values) {
    auto batch = std::make_shared<EventBatch>(schema);
    for (int32_t value : values) {
      batch->append_value(0, value);
      batch->end_row(1000 + value);
    }
    return batch;
  }
  void give(std::string_view plan, const EventBatchPtr& batch, std::vector<uint32_t> ordinals) {
    writer_.on_result({plan, batch->schema().name(), {{1}, {17}}, batch, ordinals});
  }

  Written written_;
  ResultWriter writer_{written_.out()};
  SchemaPtr a_ = std::make_shared<Schema>("A", std::vector<Attribute>{{"v", AttributeType::kInt}});
  SchemaPtr b_ = std::make_shared<Schema>("B", std::vector<Attribute>{{"v", AttributeType::kInt}});
};

TEST_F(ResultWriterTest, ALineHoldsStreamTimeIdAndData) {
  auto schema = std::make_shared<Schema>(
      "Alerts", std::vector<Attribute>{{"user \"x\"", AttributeType::kString},
                                       {"i", AttributeType::kInt},
                                       {"l", AttributeType::kLong},
                                       {"f", AttributeType::kFloat},
                                       {"d", AttributeType::kDouble},
                                       {"b", AttributeType::kBool},
                                       {"n", AttributeType::kDouble}});
  auto batch = std::make_shared<EventBatch>(schema);
  const std::vector<Value> row = {
      std::string("ann\n"), int32_t{-1}, int64_t{1} << 60, 0.5f, 1e-9, true, Value{}};
  for (size_t i = 0; i < row.size(); ++i) batch->append_value(i, row[i]);
  batch->end_row(1493101044948);
  give("Login\"Alerts", batch, {3});
  writer_.end_entry();
  EXPECT_EQ(written_.text(),
            "{\"stream\":\"Alerts\",\"timestamp\":1493101044948,"
            "\"id\":\"-1234/Login\\\"Alerts/1.17.3\",\"data\":{\"user \\\"x\\\"\":\"ann\\n\","
            "\"i\":-1,\"l\":1152921504606846976,\"f\":0.5,\"d\":1e-09,\"b\":true,\"n\":null}}\n");
  EXPECT_EQ(writer_.results(), 1u);
}

/// The stream and the ordinal of each line.
std::vector<std::string> order_of(const std::string& text) {
  std::vector<std::string> order;
  simdjson::dom::parser parser;
  for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    simdjson::dom::element line = parser.parse(text.substr(at, text.find('\n', at) - at));
    std::string_view id = line["id"];
    std::string_view stream = line["stream"];
    order.push_back(std::string(stream) + std::string(id.substr(id.rfind('.'))));
  }
  return order;
}

TEST_F(ResultWriterTest, ResultsOfAnEntryComeInTheOrderOfTheirOrdinals) {
  give("P", batch_of(a_, {0, 3, 4}), {0, 3, 4});
  give("P", batch_of(b_, {1, 2}), {1, 2});
  give("P", batch_of(b_, {5}), {5});
  writer_.end_entry();
  give("P", batch_of(b_, {0}), {0});
  writer_.end_entry();
  EXPECT_EQ(order_of(written_.text()),
            (std::vector<std::string>{"A.0", "B.1", "B.2", "A.3", "A.4", "B.5", "B.0"}));
}

TEST_F(ResultWriterTest, PlansFollowEachOther) {
  give("P", batch_of(a_, {0, 1}), {0, 2});
  give("Q", batch_of(b_, {0, 1}), {0, 1});
  give("P", batch_of(a_, {2}), {1});
  writer_.end_entry();
  EXPECT_EQ(order_of(written_.text()),
            (std::vector<std::string>{"A.0", "A.1", "A.2", "B.0", "B.1"}));
}

}  // namespace
}  // namespace pollux

// An entry as a line of JSON: what comes back is what went in, and nothing is guessed.
#include "server/tool/journal/entry_json.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "persistence/codec/entry_codec.h"
#include "server/tool/journal/entry_json_reader.h"
#include "tests/persistence/codec/random_entries.h"
#include "tests/persistence/codec/same_entry.h"

namespace pollux::tool {
namespace {

std::string line_of(const Entry& entry) {
  std::string line;
  append_entry_json(line, entry);
  return line;
}

std::string bytes_of(const Entry& entry) {
  SchemaSet known;
  std::string bytes;
  EXPECT_TRUE(encode_entry(entry, known, bytes).ok());
  return bytes;
}

Entry events_of(EventBatchPtr batch) {
  EventsPayload events;
  events.batch = std::move(batch);
  return {{{1}, {1}}, {5}, std::move(events)};
}

/// What is wrong with the line.
std::string wrong(const std::string& line) {
  auto entry = EntryJsonReader().read(line);
  EXPECT_FALSE(entry.ok()) << line;
  return std::string(entry.status().message());
}

TEST(EntryJson, EveryEntryComesBackBitByBit) {
  EntryJsonReader reader;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    Entry entry = RandomEntries(seed).entry(static_cast<EntryType>(1 + seed % 7));
    std::string line = line_of(entry);
    ASSERT_EQ(line.find('\n'), std::string::npos);
    auto read = reader.read(line);
    ASSERT_TRUE(read.ok()) << "seed " << seed << ": " << read.status();
    expect_same(*read, entry);
    ASSERT_EQ(bytes_of(*read), bytes_of(entry)) << "seed " << seed << "\n" << line;
  }
}

TEST(EntryJson, NumbersAtTheirEdgesComeBackBitByBit) {
  auto schema = std::make_shared<const Schema>(
      "Edges", std::vector<Attribute>{{"int", AttributeType::kInt},
                                      {"long", AttributeType::kLong},
                                      {"float", AttributeType::kFloat},
                                      {"double", AttributeType::kDouble}});
  using Floats = std::numeric_limits<float>;
  using Doubles = std::numeric_limits<double>;
  const float floats[] = {0.0F,
                          -0.0F,
                          Floats::max(),
                          Floats::denorm_min(),
                          0.1F,
                          16777217.0F,
                          1e20F,
                          Floats::infinity(),
                          -Floats::infinity(),
                          Floats::quiet_NaN(),
                          std::bit_cast<float>(0xffc00001U),
                          9007199254740993.0F};
  const double doubles[] = {0.0,
                            -0.0,
                            Doubles::max(),
                            Doubles::denorm_min(),
                            0.1,
                            18446744073709551616.0,
                            1e22,
                            Doubles::infinity(),
                            -Doubles::infinity(),
                            Doubles::quiet_NaN(),
                            std::bit_cast<double>(0xfff8000000000001U),
                            9007199254740992.0};
  auto batch = std::make_shared<EventBatch>(schema);
  for (size_t i = 0; i < std::size(floats); ++i) {
    bool odd = i % 2 != 0;
    batch->column(0).append(odd ? INT32_MIN : INT32_MAX);
    batch->column(1).append(odd ? INT64_MIN : INT64_MAX - static_cast<int64_t>(i));
    batch->column(2).append(floats[i]);
    batch->column(3).append(doubles[i]);
    batch->end_row(odd ? INT64_MIN : INT64_MAX);
  }
  Entry entry = events_of(batch);
  auto read = EntryJsonReader().read(line_of(entry));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(bytes_of(*read), bytes_of(entry));
}

// Every float, as long as there are few of them between two that are tried.
TEST(EntryJson, FloatsOfAllSizesComeBackBitByBit) {
  auto schema = std::make_shared<const Schema>(
      "Floats", std::vector<Attribute>{{"float", AttributeType::kFloat}});
  auto batch = std::make_shared<EventBatch>(schema);
  for (uint64_t bits = 0; bits <= UINT32_MAX; bits += 40'009) {
    batch->column(0).append(std::bit_cast<float>(static_cast<uint32_t>(bits)));
    batch->end_row(0);
  }
  Entry entry = events_of(batch);
  auto read = EntryJsonReader().read(line_of(entry));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(bytes_of(*read), bytes_of(entry));
}

TEST(EntryJson, AnObjectThatTheEngineWouldNotMakeComesBackAsItIs) {
  auto schema = std::make_shared<const Schema>(
      "Objects",
      std::vector<Attribute>{{"any", AttributeType::kObject}, {"whole", AttributeType::kInt}});
  // A null that is none of its row, a list that claims to be deeper, a bool that is 2.
  std::string deeper = *make_list({encode_object(1)});
  deeper[1] = 9;
  auto batch = std::make_shared<EventBatch>(schema);
  for (const std::string& object : {encode_object({}), deeper, std::string("\1\2", 2)}) {
    batch->append_string(0, object);
    batch->column(1).append_null();
    batch->column(1).set_stray(batch->rows(), batch->arena().store(object));
    batch->end_row(0);
  }
  Entry entry = events_of(batch);
  auto read = EntryJsonReader().read(line_of(entry));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(bytes_of(*read), bytes_of(entry));
}

TEST(EntryJson, LinesAreAsTheirPageSays) {
  auto schema = std::make_shared<const Schema>(
      "Logins",
      std::vector<Attribute>{{"user", AttributeType::kString}, {"ok", AttributeType::kBool}});
  auto batch = std::make_shared<EventBatch>(schema);
  batch->append_value(0, Value{std::string("ann")});
  batch->append_value(1, Value{false});
  batch->end_row(1000);
  batch->append_value(0, Value{std::string("\xff")});
  batch->append_value(1, Value{7});
  batch->end_row(1001);
  batch->set_one_chunk(true);
  EXPECT_EQ(line_of({{{3}, {9}}, {1002}, EventsPayload{batch, "p", 4}}),
            R"({"id":"3.9","timestamp":1002,"type":"events","producer":"p","number":4,)"
            R"("one_chunk":true,"stream":"Logins","attributes":[["user","string"],["ok","bool"]],)"
            R"("rows":[[1000,"ann",false],[1001,{"base64":"/w=="},{"stray":{"int":7}}]]})");
  EXPECT_EQ(line_of({{{3}, {10}}, {1003}, TickPayload{}}),
            R"({"id":"3.10","timestamp":1003,"type":"tick"})");
  EXPECT_EQ(line_of({{{3}, {11}}, {1003}, DeployPayload{"p", "from S", 1, Dialect::k31}}),
            R"({"id":"3.11","timestamp":1003,"type":"deploy","plan":"p","text":"from S",)"
            R"("dialect":"3.1","semantics_version":1})");
  EXPECT_EQ(line_of({{{4}, {12}}, {1004}, EpochBeginPayload{"north"}}),
            R"({"id":"4.12","timestamp":1004,"type":"epoch_begin","node":"north"})");
}

TEST(EntryJson, ALineThatIsNoEntryIsRefusedWithTheReason) {
  const std::string head = R"({"id":"1.2","timestamp":3,"type":)";
  EXPECT_NE(wrong(""), "");
  EXPECT_NE(wrong(head), "");
  EXPECT_EQ(wrong("[]"), "it is no JSON object");
  EXPECT_EQ(wrong(R"({"timestamp":3,"type":"tick"})"), "\"id\" is missing");
  EXPECT_EQ(wrong(R"({"id":"2","timestamp":3,"type":"tick"})"), "\"id\" is not epoch.position");
  EXPECT_EQ(wrong(R"({"id":"1.2","timestamp":"3","type":"tick"})"),
            "\"timestamp\" is not a whole number that fits");
  EXPECT_EQ(wrong(head + R"("tock"})"), "\"type\" is not that of an entry");
  EXPECT_EQ(wrong(head + R"("tick","plan":"p"})"), "\"plan\" is unknown here");
  EXPECT_EQ(wrong(head + R"("undeploy","plan":7})"), "\"plan\" is not a text");
  EXPECT_EQ(wrong(head + R"("epoch_begin"})"), "\"node\" is missing");
  EXPECT_EQ(wrong(head + R"("undeploy","plan":"a","plan":"b"})"), "\"plan\" stands twice");
  EXPECT_EQ(wrong(head + R"("deploy","plan":"a","text":"","dialect":"4","semantics_version":1})"),
            "\"dialect\" is not 5.1 or 3.1");
  const std::string events = head + R"("events","stream":"S","attributes":)";
  EXPECT_EQ(wrong(events + R"([["a","int"]]})"), "\"rows\" is missing");
  EXPECT_EQ(wrong(events + R"([["a","whole"]],"rows":[]})"), "attribute 0 is not [name, type]");
  EXPECT_EQ(wrong(events + R"([["a","int"]],"rows":[[1,2],[1,2147483648]]})"),
            "row 1: a is not of type int");
  EXPECT_EQ(wrong(events + R"([["a","int"]],"rows":[[1]]})"),
            "row 0: not a list of a timestamp and 1 values");
  EXPECT_EQ(wrong(events + R"([["a","bool"]],"rows":[[1,{"stray":{"int":1.5}}]]})"),
            "row 0: a is not of type bool");
}

// Whatever a line says, it is an entry or an error.
TEST(EntryJson, ADamagedLineNeverCrashes) {
  EntryJsonReader reader;
  size_t refused = 0;
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    RandomEntries random(seed);
    std::string line = line_of(random.entry(static_cast<EntryType>(1 + seed % 7)));
    for (uint64_t i = 1 + random.below(3); i > 0; --i) {
      static constexpr std::string_view kBytes = "[]{},:\"\\0-.en";
      line[random.below(line.size())] = kBytes[random.below(kBytes.size())];
    }
    refused += reader.read(line).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 1000u);
}

}  // namespace
}  // namespace pollux::tool

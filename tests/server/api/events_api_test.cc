// POST /v1/streams/{stream}/events: what is taken, what is refused and why, and that a refusal
// leaves no trace.

#include <zlib.h>

#include "tests/server/api/api_testing.h"

namespace pollux {
namespace {

class EventsApiTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    deploy_logins();
  }

  /// Rows of the results so far, as subscribers get them.
  std::vector<json> seen(uint64_t rows) {
    auto log = node_->node().find_results("Seen");
    EXPECT_TRUE(becomes_true([&] { return log->rows() >= rows; })) << log->rows();
    std::vector<json> all;
    for (const ResultSlicePtr& slice : log->read(log->begin(), SIZE_MAX).slices) {
      for (uint32_t row = 0; row < slice->batch->rows(); ++row) {
        all.push_back({{"user", to_text(slice->batch->value(row, 0))},
                       {"timestamp", slice->batch->timestamps()[row]},
                       {"position", slice->cause.position.value}});
      }
    }
    return all;
  }

  /// Refused as a whole: no position is used, nothing is counted.
  json refused(std::string_view body, const std::string& type = "application/json") {
    uint64_t before = position();
    Answer answer = send(body, type);
    EXPECT_EQ(answer.status, 400) << body << answer.text;
    EXPECT_EQ(answer.code(), "bad_events") << answer.text;
    EXPECT_EQ(position(), before) << body;
    return answer.body["error"];
  }
  /// The only wrong event, as "index field: reason".
  std::string fault(std::string_view body, const std::string& type = "application/json") {
    json error = refused(body, type);
    if (error["events_total"] != 1 || error["events"].size() != 1) return error.dump();
    const json& event = error["events"][0];
    return std::to_string(event["index"].get<int>()) + " " + event["field"].get<std::string>() +
           ": " + event["reason"].get<std::string>();
  }
  static std::string with(const std::string& field, const json& value) {
    json event = login("ada");
    event[field] = value;
    return event.dump();
  }
};

std::string gzipped(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(::deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(text.size() + 1024, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

TEST_F(EventsApiTest, ObjectsArraysAndLinesFlatOrWrapped) {
  uint64_t before = position();
  Answer one = send(login("a").dump());
  EXPECT_EQ(one.status, 200) << one.text;
  EXPECT_EQ(one.body, json({{"accepted", 1},
                            {"position", before + 1},
                            {"epoch", get("/v1/node").body["epoch"]},
                            {"duplicate", false}}));
  json wrapped = {{"data", login("b")}, {"timestamp", 1234}};
  EXPECT_EQ(send(wrapped.dump()).body["accepted"], 1);
  EXPECT_EQ(send(json({login("c"), wrapped}).dump()).body["accepted"], 2);
  std::string lines = login("d").dump() + "\r\n\n  " + wrapped.dump() + "\n" + login("e").dump();
  for (const char* type : {"application/x-ndjson", "application/json; charset=utf-8",
                           "application/x-jsonlines", "APPLICATION/NDJSON"}) {
    EXPECT_EQ(send(lines, type).body["accepted"], 3) << type;
  }
  std::string pretty = "\n\t" + login("f").dump(2) + "\n\n";
  EXPECT_EQ(send(pretty).body["accepted"], 1);
  EXPECT_EQ(position(), before + 8) << "one for each request";
  auto rows = seen(17);
  EXPECT_EQ(rows[1]["timestamp"], 1234);
  EXPECT_EQ(rows[2]["position"], rows[3]["position"]);
  EXPECT_GT(rows[0]["timestamp"], 1'600'000'000'000) << "now, since it carries none";
}

TEST_F(EventsApiTest, NullIsAValueOfEveryType) {
  json event = login("x");
  for (auto& value : event) value = nullptr;
  EXPECT_EQ(send(event.dump()).status, 200);
  EXPECT_EQ(seen(1)[0]["user"], "null");
}

TEST_F(EventsApiTest, FaultsAreToldByIndexAndField) {
  EXPECT_EQ(fault(R"([{"user":"a"}])"),
            "0 tries: the row lacks this field; write null when it has no value");
  for (bool wrapped : {false, true}) {
    auto as = [&](json event) { return wrapped ? json{{"data", std::move(event)}} : event; };
    json bad_type = login("b");
    bad_type["tries"] = "three";
    json bad_range = login("c");
    bad_range["tries"] = 3'000'000'000;
    json missing = login("d");
    missing.erase("ok");
    json error = refused(
        json({as(login("a")), as(bad_type), as(bad_range), as(missing), as(login("e"))}).dump());
    EXPECT_EQ(error["events_total"], 3) << error;
    ASSERT_EQ(error["events"].size(), 3) << error;
    for (size_t i : {0, 1, 2}) EXPECT_EQ(error["events"][i]["index"], i + 1) << error;
    EXPECT_EQ(error["events"][0]["field"], "tries");
    EXPECT_EQ(error["events"][1]["field"], "tries");
    EXPECT_EQ(error["events"][2]["field"], "ok");
    EXPECT_FALSE(error["events"][0]["reason"].get<std::string>().empty());
  }
}

TEST_F(EventsApiTest, EachTypeRefusesTheOthers) {
  const std::vector<std::pair<std::string, std::vector<json>>> wrong = {
      {"user", {1, true, json::array(), json::object()}},
      {"tries", {"1", 1.5, true, json::array(), 2147483648, -2147483649}},
      {"total", {"1", 1.5, 1e19, false}},
      {"rate", {"1", true, json::object()}},
      {"score", {"x", false, json::array({1})}},
      {"ok", {"true", 1, 0}}};
  for (const auto& [field, values] : wrong) {
    for (const json& value : values) {
      std::string told = fault(with(field, value));
      EXPECT_TRUE(told.starts_with("0 " + field + ": ")) << told;
    }
  }
}

TEST_F(EventsApiTest, NumbersOfAnySizeAreTakenOrRefusedButNeverChanged) {
  EXPECT_EQ(send(with("tries", -2147483648LL)).status, 200);
  EXPECT_EQ(send(with("total", INT64_MAX)).status, 200);
  EXPECT_EQ(send(with("total", INT64_MIN)).status, 200);
  for (const char* token : {"1e400", "-1e999999999", "9223372036854775808", "1e-400"}) {
    std::string body = with("score", "HERE");
    body.replace(body.find("\"HERE\""), 6, token);
    Answer answer = send(body);
    EXPECT_TRUE(answer.status == 200 || answer.code() == "bad_events") << token << answer.text;
  }
  std::string body = with("total", "HERE");
  body.replace(body.find("\"HERE\""), 6, std::string(100'000, '9'));
  EXPECT_TRUE(fault(body).starts_with("0 total: "));
  for (const char* token :
       {"01", "+1", ".5", "1.", "0x10", "NaN", "Infinity", "--1", "1e", "nul", "truee", "'a'"}) {
    std::string broken = with("score", "HERE");
    broken.replace(broken.find("\"HERE\""), 6, token);
    refused(broken);
  }
}

TEST_F(EventsApiTest, UnknownFieldsAreIgnoredAndDuplicateOnesRefused) {
  json more = login("a");
  more["colour"] = {{"deep", {1, 2, {3}}}};
  EXPECT_EQ(send(more.dump()).status, 200);
  std::string twice = login("a").dump();
  twice.insert(1, R"("user":"b",)");
  EXPECT_EQ(fault(twice), "0 user: the field appears twice");
  EXPECT_EQ(fault(R"({"data":)" + twice + "}"), "0 user: the field appears twice");
  std::string data = login("a").dump();
  EXPECT_EQ(fault(R"({"data":)" + data + R"(,"data":)" + data + "}"),
            "0 data: the field appears twice");
}

TEST_F(EventsApiTest, TimestampsMustBeMilliseconds) {
  for (const json& time : {json("soon"), json(-1), json(1.5), json(1e18), json(nullptr)}) {
    std::string told = fault(json({{"data", login("a")}, {"timestamp", time}}).dump());
    EXPECT_TRUE(told.starts_with("0 timestamp: ")) << told;
  }
  json other = {{"data", login("a")}, {"stream", "Logouts"}};
  EXPECT_EQ(fault(other.dump()), R"(0 stream: "Logouts" is not "Logins")");
  other["stream"] = "Logins";
  EXPECT_EQ(send(other.dump()).status, 200);
}

TEST_F(EventsApiTest, AHundredErrorsAreToldAndAllAreCounted) {
  json events = json::array();
  std::string lines;
  for (int i = 0; i < 250; ++i) {
    events.push_back({{"user", i}});
    lines += "{\"user\":" + std::to_string(i) + "}\n";
  }
  for (const json& error :
       {refused(events.dump()), refused(lines, "application/x-ndjson"), refused(lines)}) {
    EXPECT_EQ(error["events_total"], 250);
    ASSERT_EQ(error["events"].size(), 100);
    EXPECT_EQ(error["events"][99]["index"], 99);
  }
}

TEST_F(EventsApiTest, BrokenAndHostileBodiesAreRefused) {
  for (std::string body : {"{", "[", "[{", "]", "1", "\"a\"", "null", "true", "{\"user\"", "{]",
                           "[1]", "[[]]", "[{},]", "{\"data\":}", "\x01", "\xff\xfe"}) {
    refused(body);
    refused(body, "application/x-ndjson");
  }
  std::string good = login("a").dump();
  refused(good + "x");
  refused("[" + good + "] [" + good + "]");
  refused("[" + good + "]" + good);
  refused("[" + good);
  refused("[" + good + " " + good + "]");
  refused(good + "\n{\"user\":\n" + good, "application/x-ndjson");
  std::string cut = login("HERE").dump();
  cut.replace(cut.find("HERE"), 4, "\xc3\x28");
  EXPECT_NE(fault(cut).find("UTF-8"), std::string::npos);
  const size_t deep = 200'000;
  refused(std::string(deep, '['));
  refused(std::string(deep, '[') + std::string(deep, ']'));
  std::string nested = login("a").dump();
  nested.insert(1, "\"z\":" + std::string(deep, '[') + std::string(deep, ']') + ",");
  Answer answer = send(nested);
  EXPECT_TRUE(answer.status == 200 || answer.code() == "bad_events") << answer.text;
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"data\":";
  refused(objects);
}

TEST_F(EventsApiTest, BodiesWithoutEventsAreRefused) {
  uint64_t before = position();
  for (const char* body : {"[]", " [ ] "}) {
    Answer answer = send(body);
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.code(), "no_events") << answer.text;
  }
  for (const char* type : {"application/json", "application/x-ndjson"}) {
    EXPECT_EQ(send("", type).status, 400) << type;
    EXPECT_EQ(send(" \r\n\n ", type).status, 400) << type;
  }
  EXPECT_EQ(position(), before);
}

TEST_F(EventsApiTest, CompressedBodies) {
  EXPECT_EQ(send(gzipped(login("a").dump()), "application/json", {{"Content-Encoding", "gzip"}})
                .body["accepted"],
            1);
  EXPECT_EQ(send(login("a").dump(), "application/json", {{"Content-Encoding", "gzip"}}).status,
            400);
  EXPECT_EQ(send("x", "application/json", {{"Content-Encoding", "br"}}).status, 415);
  std::string bomb = gzipped(std::string(size_t{40} << 20, ' '));
  EXPECT_EQ(send(bomb, "application/json", {{"Content-Encoding", "gzip"}}).status, 413);
}

TEST_F(EventsApiTest, WrongStreamsTypesAndSizesHaveStatusesOfTheirOwn) {
  Answer answer = call("POST", "/v1/streams/Nobody/events", login("a").dump());
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.code(), "unknown_stream");
  answer = call("POST", "/v1/streams/Seen/events", login("a").dump());
  EXPECT_EQ(answer.status, 404) << "only results stand there";
  answer = send("user,tries\n", "text/csv");
  EXPECT_EQ(answer.status, 415);
  EXPECT_EQ(answer.code(), "unsupported_media_type");
  answer = get("/v1/streams/Logins/events");
  EXPECT_EQ(answer.status, 405);
  start({"POLLUX__HTTP__BODY_BYTES_MAX=1 KiB"});
  deploy_logins();
  answer = send(with("user", std::string(2000, 'x')));
  EXPECT_EQ(answer.status, 413);
  EXPECT_FALSE(answer.code().empty());
}

TEST_F(EventsApiTest, ANumberedBatchTakesEffectOnceAndGapsAreTold) {
  auto numbered = [&](const std::string& number) {
    return send(login("a").dump(), "application/json",
                {{"Pollux-Producer", "idp"}, {"Pollux-Sequence", number}});
  };
  Answer first = numbered("1");
  EXPECT_EQ(first.body["accepted"], 1) << first.text;
  uint64_t before = position();
  Answer again = numbered("1");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body["duplicate"], true);
  EXPECT_EQ(again.body["accepted"], 0);
  EXPECT_EQ(again.body["position"], first.body["position"]);
  Answer ahead = numbered("3");
  EXPECT_EQ(ahead.status, 409);
  EXPECT_EQ(ahead.code(), "out_of_turn");
  EXPECT_EQ(ahead.body["error"]["expected"], 2);
  EXPECT_EQ(position(), before);
  // A refused batch leaves its number free.
  Answer wrong =
      send("{}", "application/json", {{"Pollux-Producer", "idp"}, {"Pollux-Sequence", "2"}});
  EXPECT_EQ(wrong.code(), "bad_events");
  EXPECT_EQ(numbered("2").body["duplicate"], false);
  json node = get("/v1/node").body;
  EXPECT_EQ(node["producers"], 1);
  EXPECT_EQ(node["counts"]["duplicates"], 1);
  EXPECT_EQ(node["counts"]["events"], 2);
}

TEST_F(EventsApiTest, MalformedProducerHeadersAreRefused) {
  for (const char* number : {"0", "-1", "1.5", "x", "18446744073709551616", "1 ", " ", "+1"}) {
    if (std::string_view(number) == "1 ") continue;  // blanks around a value are no part of it
    Answer answer = send(login("a").dump(), "application/json",
                         {{"Pollux-Producer", "idp"}, {"Pollux-Sequence", number}});
    EXPECT_EQ(answer.code(), "bad_header") << number << answer.text;
    EXPECT_EQ(answer.status, 400);
  }
  std::string body = login("a").dump();
  EXPECT_EQ(send(body, "application/json", {{"Pollux-Producer", "idp"}}).code(), "bad_header");
  EXPECT_EQ(send(body, "application/json", {{"Pollux-Sequence", "1"}}).code(), "bad_header");
  EXPECT_EQ(send(body, "application/json",
                 {{"Pollux-Producer", std::string(257, 'p')}, {"Pollux-Sequence", "1"}})
                .code(),
            "bad_header");
}

TEST_F(EventsApiTest, EventsOfAChunkAreJudgedTogether) {
  ASSERT_EQ(deploy("@app:name('Chunks') define stream Ticks (n int);"
                   "from Ticks select count() as many insert into Counts;")
                .status,
            201);
  json events = {{{"n", 1}}, {{"n", 2}}, {{"n", 3}}};
  auto log = node_->node().find_results("Counts");
  ASSERT_EQ(post("/v1/streams/Ticks/events", events).status, 200);
  ASSERT_TRUE(becomes_true([&] { return log->rows() >= 3; })) << log->rows();
  ASSERT_EQ(post("/v1/streams/Ticks/events?chunk=true", events).status, 200);
  ASSERT_TRUE(becomes_true([&] { return get("/v1/plans/Chunks").body["counts"]["events"] == 6; }));
  EXPECT_EQ(log->rows(), 4) << "of a chunk the last row stands for all";
}

TEST_F(EventsApiTest, AFullQueueIs429WithRetryAfter) {
  start({"POLLUX__ENGINE__QUEUE_ENTRIES_MAX=1"});
  deploy_logins();
  auto log = node_->node().find_results("Seen");
  // The plan is kept from going on, so that its queue stays full.
  auto busy = log->listen([] { std::this_thread::sleep_for(std::chrono::milliseconds(50)); });
  Answer answer;
  uint64_t accepted = 0;
  ASSERT_TRUE(becomes_true([&] {
    answer = send(login("a").dump());
    accepted += answer.status == 200;
    return answer.status == 429;
  }));
  EXPECT_EQ(answer.code(), "queue_full");
  EXPECT_GE(std::stoi(std::string(answer.headers.find("Retry-After").value_or("0"))), 1);
  EXPECT_EQ(get("/v1/node").body["counts"]["events"], accepted);
  EXPECT_GE(get("/v1/node").body["counts"]["refused"], 1);
}

}  // namespace
}  // namespace pollux

// Logs as whoever reads them gets them: lines of a file, and of standard error when that fails.

#include <gtest/gtest.h>
#include <simdjson.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>
#include <vector>

#include "server/formats/utf8.h"
#include "server/log/log_file.h"
#include "server/log/logger.h"
#include "tests/server/shell_testing.h"

namespace pollux {
namespace {

using Lines = std::vector<std::string>;
using std::chrono::milliseconds;

std::string text_of(std::string_view message, LogFields fields, LogFormat format) {
  const std::chrono::system_clock::time_point time{milliseconds(1493100000007)};
  return log_line({time, LogLevel::kWarning, "n1", message, fields}, format);
}

TEST(LogLineTest, TextHoldsTimeLevelMessageAndFields) {
  EXPECT_EQ(text_of("queue full",
                    {{"plan", "Logins"},
                     {"stream", "a b"},
                     {"depth", 4096u},
                     {"rate", 0.5},
                     {"late", -3},
                     {"ok", false},
                     {"none", ""}},
                    LogFormat::kText),
            "2017-04-25T06:00:00.007Z warning queue full node=n1 plan=Logins stream=\"a b\" "
            "depth=4096 rate=0.5 late=-3 ok=false none=\"\"\n");
}

TEST(LogLineTest, JsonIsOneObjectWithTypedFields) {
  const std::string line = text_of(
      "queue full", {{"plan", "Logins"}, {"depth", 4096u}, {"rate", 0.0 / 0.0}, {"ok", true}},
      LogFormat::kJson);
  EXPECT_EQ(line,
            "{\"ts\":\"2017-04-25T06:00:00.007Z\",\"level\":\"warning\",\"node\":\"n1\","
            "\"msg\":\"queue full\",\"plan\":\"Logins\",\"depth\":4096,\"rate\":\"nan\","
            "\"ok\":true}\n");
}

TEST(LogLineTest, HostileTextStaysOneLineInBothForms) {
  // Line ends, a terminal's escape, C1's too, NEL, line separator, reversed writing, broken UTF-8.
  const std::string hostile =
      "a\n2017 error forged\r\x1b[2J\x7f\xc2\x9b\xc2\x85\xe2\x80\xa8\xe2\x80\xae\xff\xc3" +
      std::string(1, '\0') + "\"=\\z\xc3\xa9";
  for (LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
    const std::string line = text_of(hostile, {{"user", hostile}, {hostile, 1}}, format);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_TRUE(is_utf8(line));
    for (char c : line.substr(0, line.size() - 1)) {
      EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) << line;
    }
    for (const char* sequence : {"\xc2\x9b", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xae"}) {
      EXPECT_EQ(line.find(sequence), std::string::npos) << line;
    }
    EXPECT_NE(line.find("z\xc3\xa9"), std::string::npos) << line;
  }
  simdjson::dom::parser parser;
  simdjson::dom::element object;
  ASSERT_EQ(parser.parse(text_of("m", {{"user", hostile}}, LogFormat::kJson)).get(object),
            simdjson::SUCCESS);
  EXPECT_TRUE(std::string_view(object["user"]).starts_with("a\n2017 error forged\r"));
}

TEST(LogLineTest, LongValuesAreCutBetweenCharacters) {
  std::string longest;
  while (longest.size() < 2 * kLogValueBytesMax) longest += "x\xc3\xa9";
  const std::string line = text_of("m", {{"body", longest}}, LogFormat::kJson);
  EXPECT_LT(line.size(), kLogValueBytesMax + 200);
  EXPECT_NE(line.find(" bytes more)"), std::string::npos);
  EXPECT_EQ(line.find("\\ufffd"), std::string::npos);
  // Whatever is cut, it ends.
  const std::string continuation(kLogValueBytesMax + 10, '\x80');
  EXPECT_TRUE(is_utf8(text_of(continuation, {}, LogFormat::kText)));
}

class LoggerTest : public ShellTest {
 protected:
  std::unique_ptr<Logger> open(LoggerOptions options) {
    options.file = path("log");
    auto log = Logger::open(std::move(options));
    EXPECT_TRUE(log.ok()) << log.status();
    return *std::move(log);
  }
  Lines lines() const { return lines_of(read("log")); }
};

TEST_F(LoggerTest, LevelAndFormatChangeWhileRunning) {
  auto log = open({});
  log->debug("unseen");
  EXPECT_FALSE(log->enabled(LogLevel::kDebug));
  log->info("one");
  log->set_level(LogLevel::kDebug);
  log->set_format(LogFormat::kJson);
  log->debug("two");
  log->set_level(LogLevel::kError);
  log->warning("unseen");
  log->error("three");
  ASSERT_EQ(lines().size(), 3u);
  EXPECT_TRUE(lines()[0].ends_with(" info    one"));
  EXPECT_TRUE(lines()[1].ends_with(R"("level":"debug","msg":"two"})"));
  EXPECT_TRUE(lines()[2].ends_with(R"("level":"error","msg":"three"})"));
}

TEST_F(LoggerTest, RepeatedMessagesAreSuppressedAndCounted) {
  RepeatLimiter::Time now{};
  auto log = open({.repeat_limit = {2, milliseconds(1000)}, .clock = [&] { return now; }});
  for (int i = 0; i < 5; ++i) log->log_limited(LogLevel::kError, "sink", "cannot send");
  log->log_limited(LogLevel::kError, "peer", "cannot connect");
  EXPECT_EQ(lines().size(), 3u);
  log->tell_suppressed();
  EXPECT_EQ(lines().size(), 3u) << "told only when the interval is over";
  now += milliseconds(1000);
  log->log_limited(LogLevel::kError, "sink", "cannot send");
  ASSERT_EQ(lines().size(), 5u);
  EXPECT_TRUE(lines()[3].ends_with("messages were suppressed limit=sink suppressed=3"));
  for (int i = 0; i < 3; ++i) log->log_limited(LogLevel::kError, "sink", "cannot send");
  log.reset();
  EXPECT_TRUE(lines().back().ends_with("limit=sink suppressed=2"))
      << "told at the end at the latest";
}

TEST_F(LoggerTest, NamesOfLimitsAreBounded) {
  RepeatLimiter limiter({1, milliseconds(1000)});
  for (size_t i = 0; i < 2 * RepeatLimiter::kLimitNamesMax; ++i) {
    limiter.admit("name" + std::to_string(i), {});
    limiter.admit("name" + std::to_string(i), {});
  }
  EXPECT_LE(limiter.take_suppressed({}, true).size(), RepeatLimiter::kLimitNamesMax + 1);
}

TEST_F(LoggerTest, LinesOfManyThreadsDoNotMix) {
  auto log = open({.format = LogFormat::kJson});
  constexpr int kThreads = 4;
  constexpr int kLines = 500;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&log, t] {
      for (int i = 0; i < kLines; ++i) {
        log->info("line", {{"thread", t}, {"i", i}});
        log->set_level(i % 2 == 0 ? LogLevel::kDebug : LogLevel::kInfo);
        log->log_limited(LogLevel::kDebug, "busy", "limited");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  simdjson::dom::parser parser;
  size_t seen = 0;
  for (const std::string& line : lines()) {
    simdjson::dom::element object;
    ASSERT_EQ(parser.parse(line).get(object), simdjson::SUCCESS) << line;
    if (std::string_view(object["msg"]) == "line") ++seen;
  }
  EXPECT_EQ(seen, size_t{kThreads * kLines});
}

TEST_F(LoggerTest, AFileThatCannotBeOpenedIsAnErrorAtTheStart) {
  for (const std::string& file : {path("missing/log"), path(".")}) {
    auto log = Logger::open({.file = file});
    ASSERT_FALSE(log.ok());
    EXPECT_NE(std::string(log.status().message()).find(file), std::string::npos);
  }
}

TEST_F(LoggerTest, AFileThatFailsLaterSendsLinesToStandardError) {
  // A full disk, as the kernel plays it.
  auto log = Logger::open({.file = "/dev/full"});
  ASSERT_TRUE(log.ok());
  testing::internal::CaptureStderr();
  (*log)->info("first");
  (*log)->info("second");
  const Lines err = lines_of(testing::internal::GetCapturedStderr());
  ASSERT_EQ(err.size(), 3u);
  EXPECT_EQ(err[0],
            "log file /dev/full cannot be written: No space left on device; its lines come here");
  EXPECT_TRUE(err[1].ends_with("first"));
  EXPECT_TRUE(err[2].ends_with("second"));
}

TEST_F(LoggerTest, AFileThatRecoversIsWrittenAgainOnALineOfItsOwn) {
  // A limit on the size of files ends a line in its middle.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  LogFile file;
  ASSERT_TRUE(file.open(path("log")).ok());
  file.write("0123456789\n");
  rlimit tight = before;
  tight.rlim_cur = 15;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  // Captured by hand: gtest's capture is a file too, under the same limit.
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int kept = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  file.write("abcdefghij\n");
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  file.write("again\n");
  ::dup2(kept, STDERR_FILENO);
  for (int fd : {ends[1], kept}) ::close(fd);
  char buffer[4096];
  const ssize_t size = ::read(ends[0], buffer, sizeof(buffer));
  ::close(ends[0]);
  EXPECT_EQ(read("log"), "0123456789\nabcd\nagain\n");
  const Lines err = lines_of(std::string(buffer, static_cast<size_t>(std::max<ssize_t>(size, 0))));
  ASSERT_EQ(err.size(), 3u);
  EXPECT_EQ(err[1], "abcdefghij");
  EXPECT_TRUE(err[2].ends_with("is written again; 1 lines went here instead"));
}

TEST_F(LoggerTest, ReopenGoesOnInANewFileAndKeepsTheOldOneOnErrors) {
  auto log = open({});
  log->info("one");
  std::filesystem::rename(path("log"), path("log.1"));
  ASSERT_TRUE(log->reopen(path("log")).ok());
  log->info("two");
  EXPECT_FALSE(log->reopen(path("missing/log")).ok());
  log->info("three");
  EXPECT_EQ(lines_of(read("log.1")).size(), 1u);
  EXPECT_EQ(lines().size(), 2u);
}

}  // namespace
}  // namespace pollux
